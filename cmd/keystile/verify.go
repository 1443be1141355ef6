package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"keystile/internal/audit"
	"keystile/internal/config"
	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/store/sqlstore"
)

type auditVerify struct {
	ConfigFlags
	Data      string   `help:"The data directory (data_dir)." placeholder:"DIR"`
	Journal   string   `help:"The journal's directory, instead of the one in the configuration. It is not compared with an index." placeholder:"DIR"`
	From      uint64   `help:"Only from this record on; whole segments are read." placeholder:"RECORD"`
	To        uint64   `help:"Only up to this record." placeholder:"RECORD"`
	Anchors   []string `help:"Compare with the anchors in this file too, such as were kept elsewhere. May be given more than once." placeholder:"FILE" type:"existingfile"`
	PublicKey []string `help:"Take only anchors that are signed with this key (base64). May be given more than once." placeholder:"KEY"`
}

// Help has the examples.
func (auditVerify) Help() string {
	return `Reads the journal on this machine, beside a running server or without one, and checks each record's checksum, that each goes on from the one before, that the records which were anchored are still those, and that the index knows of none behind the last. It calls no API and needs no token.

Exits with 1 and names the place if a record was changed or is missing. Anchors that were kept on another machine show it too when somebody has written the whole journal anew on this one.

Examples:

    keystile audit verify --config keystile.yaml
    keystile audit verify --journal /backup/journal --anchors kept.jsonl --public-key "$KEY"
`
}

// AfterApply takes back that a token is needed.
func (auditVerify) AfterApply(con *console) error {
	con.notReady = nil
	return nil
}

// Run verifies.
func (cmd auditVerify) Run(ctx context.Context, con *console) error {
	if cmd.To > 0 && cmd.From > cmd.To {
		return usagef("--from: %d is above --to, %d", cmd.From, cmd.To)
	}
	against := journal.Against{From: cmd.From, To: cmd.To, PublicKeys: cmd.PublicKey}
	for _, name := range cmd.Anchors {
		anchors, err := journal.ReadAnchors(name)
		if err != nil {
			return err
		}
		against.Anchors = append(against.Anchors, anchors...)
	}
	dir, err := cmd.place(ctx, con, &against)
	if err != nil {
		return err
	}
	r, err := journal.VerifyAgainst(dir, against)
	if err != nil {
		return fmt.Errorf("verify the audit journal: %w", err)
	}
	return cmd.tell(con, r)
}

// place finds the journal, and the index that belongs to it.
func (cmd auditVerify) place(ctx context.Context, con *console, against *journal.Against) (dir string, err error) {
	if cmd.Journal != "" {
		return cmd.Journal, nil
	}
	var more []config.Override
	if cmd.Data != "" {
		more = append(more, config.Override{Flag: "--data", Key: "data_dir", Value: filepath.Clean(cmd.Data)})
	}
	c, err := cmd.load(con, more...)
	if err != nil {
		return "", err
	}
	against.Indexed = func(id string) (uint64, error) { return indexed(ctx, c.Store.Path, id) }
	return c.Audit.JournalDir, nil
}

// indexed is the last record of a journal that the database knows of.
func indexed(ctx context.Context, database, journalID string) (uint64, error) {
	text, err := sqlstore.SettingIn(ctx, database, audit.PositionSetting(journalID))
	if errors.Is(err, keystile.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the index: %w", err)
	}
	return strconv.ParseUint(text, 10, 64)
}

func (cmd auditVerify) tell(con *console, r journal.Report) error {
	for _, f := range r.Faults {
		_, _ = fmt.Fprintln(con.out, f)
	}
	_, _ = fmt.Fprintf(con.out, "%d segments, records %d to %d, hash of the last %s\n", r.Segments, r.First, r.Last, r.Chain)
	if r.Anchored > 0 {
		_, _ = fmt.Fprintf(con.out, "anchored up to record %d\n", r.Anchored)
	}
	for _, key := range r.Keys {
		_, _ = fmt.Fprintf(con.out, "anchors are signed with the key %s\n", key)
	}
	if len(r.Faults) > 0 {
		return errors.New("the journal is not as it was written")
	}
	return nil
}
