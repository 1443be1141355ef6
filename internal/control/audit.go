package control

import (
	"context"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Audit are the queries of the audit trail; for admins.
type Audit struct {
	*core
	journal Journal
	sinks   func() []keystile.AuditSink // nil: there are none
}

// List returns a page of events, newest first, and the next cursor.
func (t *Audit) List(ctx context.Context, a Actor, page keystile.EventPage) (events []keystile.Event, next string, err error) {
	t.catchUp(ctx)
	err = t.read(ctx, a, "audit.list", "", admins, func(tx store.Tx) error {
		events, next, err = tx.Events(page)
		return err
	})
	return events, next, err
}

// Get returns one event.
func (t *Audit) Get(ctx context.Context, a Actor, id string) (event keystile.Event, err error) {
	t.catchUp(ctx)
	err = t.read(ctx, a, "audit.show", id, admins, func(tx store.Tx) error {
		event, err = tx.Event(id)
		return err
	})
	return event, err
}

// Chain tells how the audit journal stands.
func (t *Audit) Chain(ctx context.Context, a Actor) (chain audit.Chain, err error) {
	err = t.read(ctx, a, "audit.chain", "", admins, func(store.Tx) error {
		chain = t.journal.Chain()
		return nil
	})
	return chain, err
}

// Anchors are all anchors of the journal, oldest first.
func (t *Audit) Anchors(ctx context.Context, a Actor) (anchors []audit.Anchor, err error) {
	err = t.read(ctx, a, "audit.anchors", "", admins, func(store.Tx) error {
		anchors, err = t.journal.AnchorsMade()
		return err
	})
	return anchors, err
}

// Sinks tells how it stands with those that the journal is shipped to.
func (t *Audit) Sinks(ctx context.Context, a Actor) (sinks []keystile.AuditSink, err error) {
	err = t.read(ctx, a, "audit.sinks", "", admins, func(store.Tx) error {
		if t.sinks != nil {
			sinks = t.sinks()
		}
		return nil
	})
	return sinks, err
}

// exportPage is how many events an export holds in memory.
const exportPage = 1000

// Export is the trail of any length, read page by page: each in a transaction
// of its own, with the actor's rights as they are by then.
type Export struct {
	audit  *Audit
	actor  Actor
	page   keystile.EventPage
	events []keystile.Event // read, not given yet
}

// Export begins to read all events of the filter, newest first. Those appended
// later are not among them.
func (t *Audit) Export(ctx context.Context, a Actor, f keystile.EventFilter) (*Export, error) {
	t.catchUp(ctx)
	e := &Export{audit: t, actor: a, page: keystile.EventPage{Filter: f, Limit: exportPage}}
	return e, e.read(ctx)
}

func (e *Export) read(ctx context.Context) error {
	return e.audit.read(ctx, e.actor, "audit.export", "", admins, func(tx store.Tx) (err error) {
		live := &change{Tx: tx}
		if err := live.admit(e.actor, admins); err != nil {
			return err
		}
		e.events, e.page.Cursor, err = tx.Events(e.page)
		return err
	})
}

// Next returns some more events; none are left when it returns no events and no
// error.
func (e *Export) Next(ctx context.Context) ([]keystile.Event, error) {
	events := e.events // of the first page, which was read at the beginning
	for e.events = nil; len(events) == 0 && e.page.Cursor != ""; e.events = nil {
		if err := e.read(ctx); err != nil {
			return nil, err
		}
		events = e.events
	}
	return events, nil
}
