package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"keystile/internal/config"
	"keystile/internal/journal"
)

type auditVerify struct {
	ConfigFlags
	Data    string `help:"The data directory (data_dir)." placeholder:"DIR"`
	Journal string `help:"The journal's directory, instead of the one in the configuration." placeholder:"DIR"`
}

// Help has the examples.
func (auditVerify) Help() string {
	return `Reads the journal on this machine, beside a running server or without one, and checks each record's checksum and that each goes on from the one before. It calls no API and needs no token.

Exits with 1 and names the place if a record was changed or is missing. That the last records are all there shows by their number: compare "last" with what was noted before.

Examples:

    keystile audit verify --config keystile.yaml
    keystile audit verify --journal /backup/journal
`
}

// AfterApply takes back that a token is needed.
func (auditVerify) AfterApply(con *console) error {
	con.notReady = nil
	return nil
}

// Run verifies.
func (cmd auditVerify) Run(con *console) error {
	dir := cmd.Journal
	if dir == "" {
		var more []config.Override
		if cmd.Data != "" {
			more = append(more, config.Override{Flag: "--data", Key: "data_dir", Value: filepath.Clean(cmd.Data)})
		}
		c, err := cmd.load(con, more...)
		if err != nil {
			return err
		}
		dir = c.Audit.JournalDir
	}
	r, err := journal.Verify(dir)
	if err != nil {
		return fmt.Errorf("verify the audit journal: %w", err)
	}
	for _, f := range r.Faults {
		_, _ = fmt.Fprintln(con.out, f)
	}
	_, _ = fmt.Fprintf(con.out, "%d segments, records %d to %d, hash of the last %s\n", r.Segments, r.First, r.Last, r.Chain)
	if len(r.Faults) > 0 {
		return errors.New("the journal is not as it was written")
	}
	return nil
}
