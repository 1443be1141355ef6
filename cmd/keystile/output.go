package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"keystile/internal/client"
)

// printJSON writes one value on one line.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// table is aligned text: a head and rows of as many cells. A cell with several
// lines continues below itself.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write prints the table, or what is said when it is empty.
func (t *table) write(w io.Writer, empty string) error {
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(w, empty)
		return err
	}
	var text strings.Builder
	aligned := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(aligned, strings.Join(t.head, "\t"))
	for _, row := range t.rows {
		for _, line := range cellLines(row) {
			_, _ = fmt.Fprintln(aligned, strings.Join(line, "\t"))
		}
	}
	if err := aligned.Flush(); err != nil {
		return err
	}
	return writeTrimmed(w, text.String())
}

// fields prints names and values one a line, leaving out those without a value.
type fields struct {
	lines [][2]string
}

func (f *fields) add(name, value string) {
	if value != "" {
		f.lines = append(f.lines, [2]string{name, value})
	}
}

func (f *fields) write(w io.Writer) error {
	var text strings.Builder
	aligned := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	for _, l := range f.lines {
		for i, cells := range cellLines([]string{l[0] + ":", l[1]}) {
			if i > 0 {
				cells[0] = ""
			}
			_, _ = fmt.Fprintln(aligned, strings.Join(cells, "\t"))
		}
	}
	if err := aligned.Flush(); err != nil {
		return err
	}
	return writeTrimmed(w, text.String())
}

// cellLines breaks a row into lines of cells without control characters: what
// clients and servers wrote must not steer the terminal.
func cellLines(row []string) [][]string {
	columns := make([][]string, len(row))
	height := 1
	for i, cell := range row {
		columns[i] = strings.Split(cell, "\n")
		height = max(height, len(columns[i]))
	}
	lines := make([][]string, height)
	for y := range lines {
		lines[y] = make([]string, len(row))
		for x, column := range columns {
			if y < len(column) {
				lines[y][x] = clean(column[y])
			}
		}
	}
	return lines
}

// clean makes control characters visible.
func clean(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	return strings.Trim(strconv.Quote(s), `"`)
}

// writeTrimmed drops the blanks that alignment leaves at line ends.
func writeTrimmed(w io.Writer, text string) error {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// shortTime is a time to the minute in UTC; empty when there is none.
func shortTime(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

func orNever(t *time.Time) string {
	if s := shortTime(t); s != "" {
		return s
	}
	return "never"
}

// scopes says in words what grants open, one a line.
func scopes(grants []client.Grant) string {
	lines := make([]string, len(grants))
	for i, g := range grants {
		s := strings.Join(g.Permissions, ", ") + " in " + g.Backend + "/" + g.Bucket
		if g.Prefix != "" {
			s += " under " + clean(g.Prefix)
		}
		if g.Alias != "" {
			s += " as " + g.Alias
		}
		lines[i] = s
	}
	return strings.Join(lines, "\n")
}

// trafficText says in words what was counted.
func trafficText(t client.Traffic) string {
	if t.Requests == 0 {
		return "no requests"
	}
	return fmt.Sprintf("%d requests, %d errors, %d refused; %s in, %s out",
		t.Requests, t.Errors, t.Refusals, sizeText(t.BytesIn), sizeText(t.BytesOut))
}

// sizeText is a size in IEC units.
func sizeText(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	size, units := float64(n)/1024, "KMGTPE"
	for size >= 1024 && len(units) > 1 {
		size, units = size/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", size, units[0])
}

// done says in words what happened, or nothing where JSON is asked for and the
// answer has no body.
func (c *caller) done(format string, args ...any) error {
	if c.json {
		return nil
	}
	_, err := fmt.Fprintln(c.con.out, clean(fmt.Sprintf(format, args...)))
	return err
}
