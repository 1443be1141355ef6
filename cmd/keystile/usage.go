package main

import (
	"context"
	"io"
	"strconv"

	"keystile/internal/client"
	"keystile/internal/keystile"
)

type usageCommand struct {
	APIFlags
	From        string `help:"First day, in UTC. Default: 30 days up to the last." placeholder:"DAY"`
	To          string `help:"Last day, in UTC. Default: today." placeholder:"DAY"`
	By          string `help:"bucket, credential or project." enum:"bucket,credential,project" default:"bucket"`
	Bucket      string `help:"Only this bucket: BACKEND/BUCKET." placeholder:"BUCKET"`
	AccessKeyID string `help:"Only this access key." placeholder:"ID"`
	Project     string `help:"Only this project, by name or id." placeholder:"PROJECT"`
	Daily       bool   `help:"A line for each day instead of each bucket, credential or project."`
	CSV         bool   `name:"csv" help:"A line for each day and thing, as CSV, of any length."`
	File        string `help:"Write the CSV to this file, mode 0600. It appears when it is whole." placeholder:"FILE"`
}

// Help has the examples.
func (usageCommand) Help() string {
	return `Admins see all; others what the credentials did that they own, and what is of their projects. Writes, deletes and bytes in are exact against the audit trail; what is counted of reads may lack the last 5 seconds before a kill. What is stored is known of buckets that are counted (keystile quota scan).

Examples:

    keystile usage --by credential
    keystile usage --bucket prod/uploads --daily --from 2026-11-01
    keystile usage --by project --from 2026-10-01 --to 2026-10-31 --csv --file october.csv
`
}

// Run shows.
func (cmd usageCommand) Run(ctx context.Context, c *caller) error {
	q := client.UsageQuery{From: cmd.From, To: cmd.To, By: cmd.By, AccessKeyID: cmd.AccessKeyID}
	if cmd.Bucket != "" {
		b, err := BucketName{cmd.Bucket}.parse()
		if err != nil {
			return err
		}
		q.Backend, q.Bucket = b.Backend, b.Name
	}
	if cmd.Project != "" {
		id, err := c.projectID(ctx, cmd.Project)
		if err != nil {
			return err
		}
		q.ProjectID = id
	}
	switch {
	case cmd.File != "":
		if err := writePrivate(cmd.File, func(w io.Writer) error { return c.ExportUsage(ctx, q, w) }); err != nil {
			return err
		}
		return c.done("The usage is in %s.", cmd.File)
	case cmd.CSV:
		return c.ExportUsage(ctx, q, c.con.out)
	}
	found, err := c.Usage(ctx, q)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, found)
	}
	if cmd.Daily {
		return usageDays(c.con.out, found)
	}
	return usageItems(c.con.out, found)
}

var meteredHead = []string{"STORED", "OBJECTS", "IN", "OUT", "READS", "LISTS", "WRITES", "DELETES", "REFUSED", "FAILED"}

func meteredCells(m client.Metered) []string {
	cells := []string{keystile.FormatSize(m.BytesIn), keystile.FormatSize(m.BytesOut)}
	for _, n := range []int64{m.Reads, m.Lists, m.Writes, m.Deletes, m.Refused, m.Failed} {
		cells = append(cells, strconv.FormatInt(n, 10))
	}
	return cells
}

func storedCells(bytes, objects *int64) (string, string) {
	if bytes == nil || objects == nil {
		return "-", "-"
	}
	return keystile.FormatSize(*bytes), strconv.FormatInt(*objects, 10)
}

func usageItems(w io.Writer, found client.Usage) error {
	t := table{head: append([]string{map[string]string{"bucket": "BUCKET", "credential": "ACCESS KEY", "project": "PROJECT"}[found.By]}, meteredHead...)}
	for _, i := range found.Items {
		bytes, objects := storedCells(i.StoredBytes, i.StoredObjects)
		t.add(append([]string{clean(usageName(found.By, i)), bytes, objects}, meteredCells(i.Metered)...)...)
	}
	if found.More {
		t.add("… there are more: use --csv")
	}
	return t.write(w, "Nothing was used from "+found.From+" to "+found.To+".")
}

func usageName(by string, i client.UsageItem) string {
	switch {
	case by == "bucket" && i.Bucket != "":
		return i.Backend + "/" + i.Bucket
	case by == "credential" && i.AccessKeyID != "":
		return i.AccessKeyID
	case by == "project" && i.ProjectID != "":
		if i.Name != "" {
			return i.Name
		}
		return i.ProjectID
	}
	return "(none)"
}

func usageDays(w io.Writer, found client.Usage) error {
	t := table{head: append([]string{"DAY"}, meteredHead...)}
	for _, d := range found.Days {
		bytes, objects := storedCells(d.StoredBytes, d.StoredObjects)
		t.add(append([]string{d.Day, bytes, objects}, meteredCells(d.Metered)...)...)
	}
	return t.write(w, "")
}
