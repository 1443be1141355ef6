package control

import (
	"context"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Audit are the queries of the audit trail; for admins.
type Audit struct{ *core }

// List returns a page of events, newest first, and the next cursor.
func (t *Audit) List(ctx context.Context, a Actor, page keystile.EventPage) (events []keystile.Event, next string, err error) {
	err = t.read(ctx, a, "audit.list", "", admins, func(tx store.Tx) error {
		events, next, err = tx.Events(page)
		return err
	})
	return events, next, err
}

// Get returns one event.
func (t *Audit) Get(ctx context.Context, a Actor, id string) (event keystile.Event, err error) {
	err = t.read(ctx, a, "audit.show", id, admins, func(tx store.Tx) error {
		event, err = tx.Event(id)
		return err
	})
	return event, err
}
