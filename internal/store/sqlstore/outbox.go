package sqlstore

import (
	"encoding/json"
	"errors"
	"fmt"

	"keystile/internal/keystile"
)

// AppendEvents implements store.Events.
func (t *tx) AppendEvents(events []keystile.Event) error {
	if err := t.IndexEvents(events); err != nil {
		return err
	}
	return about(post(t, false, events), "append events")
}

// CloseEvents implements store.Events.
func (t *tx) CloseEvents(outcomes []keystile.Outcome) error {
	if err := t.IndexOutcomes(outcomes); err != nil {
		return err
	}
	return about(post(t, true, outcomes), "close events")
}

// post puts entries into the outbox, in order.
func post[T any](t *tx, outcome bool, entries []T) (err error) {
	if len(entries) == 0 {
		return nil
	}
	stmt, err := t.prepare(`INSERT INTO outbox (outcome, body) VALUES ($1, $2)`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for _, e := range entries {
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
		if _, err := stmt.ExecContext(t.ctx, outcome, string(body)); err != nil {
			return about(t.dialect.wrap(err), "outbox")
		}
	}
	return nil
}

// Outbox implements store.Events.
func (t *tx) Outbox(after int64, limit int) ([]keystile.OutboxEntry, error) {
	entries, err := list(t, scanOutbox, `SELECT seq, outcome, body FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
	return entries, about(err, "outbox")
}

func scanOutbox(row scanner) (keystile.OutboxEntry, error) {
	var e keystile.OutboxEntry
	var outcome bool
	var body string
	if err := row.Scan(&e.Seq, &outcome, &body); err != nil {
		return e, err
	}
	if outcome {
		e.Outcome = &keystile.Outcome{}
		return e, json.Unmarshal([]byte(body), e.Outcome)
	}
	e.Event = &keystile.Event{}
	return e, json.Unmarshal([]byte(body), e.Event)
}

// ClearOutbox implements store.Events.
func (t *tx) ClearOutbox(seqs []int64) error {
	for _, seq := range seqs {
		if _, err := t.exec(`DELETE FROM outbox WHERE seq = $1`, seq); err != nil {
			return about(err, "outbox")
		}
	}
	return nil
}
