package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"keystile/internal/client"
)

type auditCommands struct {
	APIFlags
	List      auditList      `cmd:"" help:"List events, newest first."`
	Show      auditShow      `cmd:"" help:"Show one event whole."`
	Histogram auditHistogram `cmd:"" help:"Count events by time and result."`
	Export    auditExport    `cmd:"" help:"Write events as CSV or lines of JSON, newest first."`
	Tail      auditTail      `cmd:"" help:"Show the last events, and follow what comes."`
	Chain     auditChain     `cmd:"" help:"Show how the journal stands, and its last anchor."`
	Anchors   auditAnchors   `cmd:"" help:"Write the journal's signed anchors, one line of JSON each."`
	Sinks     auditSinks     `cmd:"" help:"Show how far those are that the journal is shipped to."`
	Views     auditViews     `cmd:"" help:"Filters that you have named."`
	Sampling  auditSampling  `cmd:"" help:"Which successful reads are recorded."`
	Verify    auditVerify    `cmd:"" help:"Check that the journal on this machine is as it was written."`
}

// FilterFlags select events.
type FilterFlags struct {
	Action      string `help:"Only actions that begin so: s3.proxy. or credential." placeholder:"PREFIX"`
	AccessKeyID string `help:"Only events of this access key." placeholder:"ID"`
	Account     string `help:"Only events of this account." placeholder:"NAME"`
	Backend     string `help:"Only events on this backend." placeholder:"ID"`
	Bucket      string `help:"Only events on this bucket." placeholder:"NAME"`
	Key         string `help:"Only events on this key." placeholder:"KEY"`
	Result      string `help:"Only events with this result: ok, denied, error or unknown." enum:",ok,denied,error,unknown" default:"" placeholder:"RESULT"`
	RequestID   string `help:"Only the events of this request." placeholder:"ID"`
	Since       string `help:"From this time on: a date, RFC 3339, or how long ago (15m, 24h, 7d)." placeholder:"TIME"`
	Until       string `help:"Before this time, given likewise." placeholder:"TIME"`
	Text        string `help:"Only events with these words in key or detail; the beginning of a word will do." placeholder:"WORDS"`
}

// EventFlags select events, by a saved view too.
type EventFlags struct {
	FilterFlags
	View string `help:"Only events of this saved view. Flags beside it stand in the stead of the view's own." placeholder:"NAME"`
}

type auditList struct {
	EventFlags
	Limit int `help:"At most so many; 0 is all." default:"50"`
}

// Help has the examples.
func (auditList) Help() string {
	return `With --output json each event is one line of JSON, printed as it arrives.

Examples:

    keystile audit list --action s3.proxy. --result denied --since 24h
    keystile audit list --access-key-id AKIA… --limit 0 --output json
    keystile audit list --text "invoice 2026-11"
    keystile audit list --view "refused today"
`
}

// Run lists.
func (cmd auditList) Run(ctx context.Context, c *caller) error {
	if cmd.Limit < 0 {
		return usagef("--limit: %d is below 0", cmd.Limit)
	}
	filter, err := cmd.filter(ctx, c)
	if err != nil {
		return err
	}
	filter.Limit = cmd.Limit
	if c.json {
		return c.Events(ctx, filter, func(e client.Event) error { return printJSON(c.con.out, e) })
	}
	t := table{head: []string{"TIME", "ACTION", "RESULT", "STATUS", "WHO", "WHAT", "FROM", "CODE", "ID"}}
	err = c.Events(ctx, filter, func(e client.Event) error {
		t.add(eventTime(e), e.Action, result(e), status(e), who(e), what(e), e.SourceIP, detailText(e, "code"), e.ID)
		return nil
	})
	if err != nil {
		return err
	}
	return t.write(c.con.out, "No events.")
}

func eventTime(e client.Event) string { return e.Time.UTC().Format("2006-01-02 15:04:05Z") }

func (cmd EventFlags) filter(ctx context.Context, c *caller) (client.EventFilter, error) {
	now := time.Now()
	filter, err := cmd.FilterFlags.filter(now)
	if err != nil || cmd.View == "" {
		return filter, err
	}
	view, err := c.view(ctx, cmd.View)
	if err != nil {
		return filter, err
	}
	cmd.fill(view)
	return cmd.FilterFlags.filter(now)
}

func (cmd FilterFlags) filter(now time.Time) (client.EventFilter, error) {
	f := client.EventFilter{
		Action: cmd.Action, AccessKeyID: cmd.AccessKeyID, Account: cmd.Account, Backend: cmd.Backend,
		Bucket: cmd.Bucket, Key: cmd.Key, Result: cmd.Result, RequestID: cmd.RequestID, Text: cmd.Text,
	}
	var err error
	if f.Since, err = parsePast("--since", cmd.Since, now); err != nil {
		return f, err
	}
	f.Until, err = parsePast("--until", cmd.Until, now)
	return f, err
}

type auditExport struct {
	EventFlags
	Format string `help:"csv; jsonl: one event a line, as the API shows it; or ocsf: likewise, as API Activity of the Open Cybersecurity Schema Framework." enum:"csv,jsonl,ocsf" default:"csv"`
	File   string `help:"Write to this file, mode 0600, instead of standard output. It appears when it is whole." placeholder:"FILE"`
}

// Help has the examples.
func (auditExport) Help() string {
	return `The trail may have any length. A cell that a spreadsheet would take for a formula has an apostrophe before it.
Exit code 1 means that what was written is not whole.

Examples:

    keystile audit export --since 30d --file audit.csv
    keystile audit export --action s3.proxy. --result denied | head
    keystile audit export --format ocsf --since 24h --file audit.jsonl
`
}

// Run exports.
func (cmd auditExport) Run(ctx context.Context, c *caller) error {
	filter, err := cmd.filter(ctx, c)
	if err != nil {
		return err
	}
	if cmd.File == "" {
		return c.ExportEvents(ctx, filter, cmd.Format, c.con.out)
	}
	err = writePrivate(cmd.File, func(w io.Writer) error { return c.ExportEvents(ctx, filter, cmd.Format, w) })
	if err != nil {
		return err
	}
	return c.done("The trail is in %s.", cmd.File)
}

type auditShow struct {
	ID string `arg:"" help:"The event's id."`
}

// Run shows one.
func (cmd auditShow) Run(ctx context.Context, c *caller) error {
	e, err := c.Event(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, e)
	}
	var f fields
	f.add("ID", e.ID)
	f.add("Time", e.Time.UTC().Format(time.RFC3339Nano))
	f.add("Action", e.Action)
	f.add("Result", result(e))
	f.add("Status", status(e))
	f.add("Account", e.Account)
	f.add("Backend", e.Backend)
	f.add("Bucket", e.Bucket)
	f.add("Key", clean(e.Key))
	f.add("Source IP", e.SourceIP)
	f.add("User agent", clean(e.UserAgent))
	f.add("Request ID", e.RequestID)
	f.add("Detail", indented(e.Detail))
	return f.write(c.con.out)
}

func result(e client.Event) string {
	if e.InProgress {
		return "in progress"
	}
	return e.Result
}

func status(e client.Event) string {
	if e.Status == 0 {
		return ""
	}
	return strconv.Itoa(e.Status)
}

// who is the account that acted, or the credential: of a refusal, the one that the
// request named.
func who(e client.Event) string {
	if e.Account != "" {
		return clean(e.Account)
	}
	return clean(detailText(e, "access_key_id"))
}

// what names the thing acted on: the object, or what the detail says. A bucket
// that nobody found has no backend.
func what(e client.Event) string {
	var parts []string
	for _, part := range []string{e.Backend, e.Bucket, e.Key} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return clean(detailText(e, "target"))
	}
	return clean(strings.Join(parts, "/"))
}

func detailText(e client.Event, name string) string {
	var detail map[string]any
	if json.Unmarshal(e.Detail, &detail) != nil || detail[name] == nil {
		return ""
	}
	return clean(fmt.Sprint(detail[name]))
}

func indented(detail json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, detail, "", "  ") != nil {
		return ""
	}
	return b.String()
}
