package main

import (
	"context"

	"keystile/internal/client"
)

type rgwUserEvents struct {
	RGWUserID
	Done  string `help:"to: to the user and what it owns, by accounts; with: with its key, at the gateway." enum:"to,with" default:"to" placeholder:"to|with"`
	Limit int    `help:"At most so many; 0 is all." default:"50"`
}

func (rgwUserEvents) Help() string {
	return `For who may see the user: where the accounts were that acted, and what others tried in vain, is for admins (keystile audit list).
With --output json each event is one line of JSON, printed as it arrives.

Examples:
  keystile rgw user events ID
  keystile rgw user events ID --done with --limit 0 --output json`
}

// Run lists.
func (cmd rgwUserEvents) Run(ctx context.Context, c *caller) error {
	if cmd.Limit < 0 {
		return usagef("--limit: %d is below 0", cmd.Limit)
	}
	if c.json {
		return c.RGWUserEvents(ctx, cmd.ID, cmd.Done, cmd.Limit, func(e client.Event) error { return printJSON(c.con.out, e) })
	}
	t := table{head: []string{"TIME", "ACTION", "RESULT", "STATUS", "WHO", "WHAT", "FROM", "CODE", "NOTE", "ID"}}
	err := c.RGWUserEvents(ctx, cmd.ID, cmd.Done, cmd.Limit, func(e client.Event) error {
		t.add(eventTime(e), e.Action, result(e), status(e), who(e), what(e), e.SourceIP, detailText(e, "code"), detailText(e, "message"), e.ID)
		return nil
	})
	if err != nil {
		return err
	}
	return t.write(c.con.out, "No events.")
}
