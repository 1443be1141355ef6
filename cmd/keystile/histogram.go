package main

import (
	"context"
	"fmt"
	"strings"
)

// barWidth is how long the bar of the fullest span is, in characters.
const barWidth = 40

type auditHistogram struct{ EventFlags }

// Help has the examples.
func (auditHistogram) Help() string {
	return `Without --since, of the last 24 hours. Spans without events are left out. At most the newest 200000 events are counted.

Examples:

    keystile audit histogram --result denied --since 7d
    keystile audit histogram --bucket photos --since 1h --output json
`
}

// Run counts.
func (cmd auditHistogram) Run(ctx context.Context, c *caller) error {
	filter, err := cmd.filter(ctx, c)
	if err != nil {
		return err
	}
	h, err := c.CountEvents(ctx, filter)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, h)
	}
	most := int64(1)
	for _, s := range h.Spans {
		most = max(most, s.OK+s.Denied+s.Error+s.Unknown)
	}
	t := table{head: []string{"FROM", "OK", "DENIED", "ERROR", "UNKNOWN", ""}}
	for _, s := range h.Spans {
		all := s.OK + s.Denied + s.Error + s.Unknown
		t.add(s.At.UTC().Format("2006-01-02 15:04:05Z"), fmt.Sprint(s.OK), fmt.Sprint(s.Denied), fmt.Sprint(s.Error), fmt.Sprint(s.Unknown),
			strings.Repeat("#", int((all*barWidth+most-1)/most)))
	}
	if err := t.write(c.con.out, "No events."); err != nil || h.Complete {
		return err
	}
	since := "the newest"
	if h.Since != nil {
		since = "those since " + h.Since.UTC().Format("2006-01-02 15:04:05Z")
	}
	_, err = fmt.Fprintf(c.con.out, "There are too many: only %s are counted.\n", since)
	return err
}
