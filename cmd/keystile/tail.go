package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"keystile/internal/client"
)

type auditTail struct {
	EventFlags
	Limit  int  `help:"Begin with so many events that are there already." default:"10"`
	Follow bool `short:"f" help:"Go on with what is recorded, until Ctrl-C."`
}

// Help has the examples.
func (auditTail) Help() string {
	return `Prints the last events, oldest first, and with --follow what comes. A request that takes long comes twice: in progress, and with its outcome. With --output json each event is one line of JSON.

If the server ends the tail, because it ends itself, you may no longer read the trail, or the events came faster than they were printed, the exit code is 1.

Examples:

    keystile audit tail --follow --result denied
    keystile audit tail -f --bucket photos --output json | jq .key
`
}

// Run prints.
func (cmd auditTail) Run(ctx context.Context, c *caller) error {
	if cmd.Limit < 0 || cmd.Limit > 1000 {
		return usagef("--limit: %d is not between 0 and 1000", cmd.Limit)
	}
	filter, err := cmd.filter(ctx, c)
	if err != nil {
		return err
	}
	show := func(e client.Event) error { return printLine(c.con.out, e) }
	if c.json {
		show = func(e client.Event) error { return printJSON(c.con.out, e) }
	}
	if !cmd.Follow {
		return cmd.last(ctx, c, filter, show)
	}
	// What is there is listed when the tail has begun, so that nothing falls in
	// between; what comes by both is shown once.
	seen := map[string]bool{}
	once := func(e client.Event) error {
		seen[e.ID] = !e.InProgress
		return show(e)
	}
	err = c.Tail(ctx, filter, func() error { return cmd.last(ctx, c, filter, once) }, func(e client.Event) error {
		if whole := seen[e.ID]; whole {
			delete(seen, e.ID)
			return nil
		}
		return show(e)
	})
	if ctx.Err() != nil {
		return nil //nolint:nilerr // Ctrl-C ends it well
	}
	return err
}

// last shows events that are there, oldest first.
func (cmd auditTail) last(ctx context.Context, c *caller, filter client.EventFilter, show func(client.Event) error) error {
	if cmd.Limit == 0 {
		return nil
	}
	filter.Limit = cmd.Limit
	var events []client.Event
	err := c.Events(ctx, filter, func(e client.Event) error {
		events = append(events, e)
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(events) {
		if err := show(e); err != nil {
			return err
		}
	}
	return nil
}

// printLine prints an event in columns that do not depend on those after it.
func printLine(w io.Writer, e client.Event) error {
	_, err := fmt.Fprintf(w, "%s  %-28s  %-11s  %3s  %-20s  %-15s  %s\n",
		eventTime(e), clean(e.Action), result(e), status(e), who(e), e.SourceIP, what(e))
	return err
}
