package main

import (
	"context"
	"fmt"
	"time"
)

type auditChain struct{}

// Help has the examples.
func (auditChain) Help() string {
	return `Shows the number and the hash of the journal's last record, the last anchor, and the key that anchors are signed with.

Examples:

    keystile audit chain
    keystile audit chain --output json
`
}

// Run shows the chain.
func (auditChain) Run(ctx context.Context, c *caller) error {
	chain, err := c.Chain(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, chain)
	}
	var f fields
	f.add("Journal", chain.Journal)
	f.add("Last record", fmt.Sprint(chain.Record))
	f.add("Its hash", chain.Hash)
	f.add("Public key", chain.PublicKey)
	if a := chain.Anchor; a != nil {
		f.add("Anchored", fmt.Sprintf("record %d, at %s", a.Record, a.Time.UTC().Format(time.RFC3339)))
	}
	return f.write(c.con.out)
}

type auditAnchors struct{}

// Help has the examples.
func (auditAnchors) Help() string {
	return `Writes every signed anchor of the journal, oldest first, one line of JSON each. Keep them on a machine that the gateway's administrators cannot change: "keystile audit verify --anchors" then finds a journal that was written anew.

Example:

    keystile audit anchors >kept.jsonl
`
}

// Run lists them.
func (auditAnchors) Run(ctx context.Context, c *caller) error {
	anchors, err := c.Anchors(ctx)
	if err != nil {
		return err
	}
	for _, a := range anchors {
		if err := printJSON(c.con.out, a); err != nil {
			return err
		}
	}
	return nil
}

type auditSinks struct{}

// Help has the examples.
func (auditSinks) Help() string {
	return `Shows, for each sink of the configuration, the last record that it took and how many it has not got.

Example:

    keystile audit sinks
`
}

// Run lists them.
func (auditSinks) Run(ctx context.Context, c *caller) error {
	sinks, err := c.Sinks(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, sinks)
	}
	t := table{head: []string{"NAME", "KIND", "TO", "RECORD", "BEHIND", "ANCHORED", "STATE"}}
	for _, s := range sinks {
		state, position, lag, anchored := "takes", "-", "-", "-"
		if s.Failing != "" {
			state = "failing: " + s.Failing
		}
		if s.Records {
			position, lag = fmt.Sprint(s.Position), fmt.Sprint(s.Lag)
		}
		if s.Anchors {
			anchored = fmt.Sprint(s.Anchored)
		}
		t.add(s.Name, s.Kind, clean(s.Target), position, lag, anchored, clean(state))
	}
	return t.write(c.con.out, "The journal is shipped nowhere.")
}
