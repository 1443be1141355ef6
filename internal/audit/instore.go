package audit

import (
	"context"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Store is the part of the store that the trail is kept in.
type Store interface {
	Read(ctx context.Context, fn func(store.Tx) error) error
	Write(ctx context.Context, fn func(store.Tx) error) error
}

// InStore records in the store itself, without a journal.
func InStore(s Store) Sink { return inStore{s} }

type inStore struct{ Store }

// Commit implements Sink.
func (s inStore) Commit(ctx context.Context, b Batch) error {
	return s.Write(ctx, func(tx store.Tx) error { return keep(tx, b) })
}

// OpenEvents implements Sink.
func (s inStore) OpenEvents(ctx context.Context) ([]keystile.Event, error) {
	return openEvents(ctx, s.Store)
}

// CaughtUp implements Sink: the store is its own index.
func (inStore) CaughtUp(context.Context) error { return nil }

// keep puts a batch into the trail, and into the outbox for the journal of the
// process that has one. Counts are not worth an entry.
func keep(tx store.Tx, b Batch) error {
	if err := tx.AppendEvents(b.Events); err != nil {
		return err
	}
	if err := tx.CloseEvents(b.Outcomes); err != nil {
		return err
	}
	return tx.AddTallies(b.Tallies)
}

// apply indexes what stands in the journal.
func apply(tx store.Tx, b Batch) error {
	if err := tx.IndexEvents(b.Events); err != nil {
		return err
	}
	if err := tx.IndexOutcomes(b.Outcomes); err != nil {
		return err
	}
	return tx.AddTallies(b.Tallies)
}

func openEvents(ctx context.Context, s Store) (open []keystile.Event, err error) {
	err = s.Read(ctx, func(tx store.Tx) error {
		open, err = tx.OpenEvents()
		return err
	})
	return open, err
}
