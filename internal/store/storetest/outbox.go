package storetest

import (
	"errors"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func outboxOf(t *testing.T, s store.Store, after int64, limit int) []keystile.OutboxEntry {
	t.Helper()
	return got(t, s, func(tx store.Tx) ([]keystile.OutboxEntry, error) { return tx.Outbox(after, limit) })
}

func proveOutbox(t *testing.T, a, b store.Store) {
	closed := keystile.Outcome{EventID: "e2", Result: keystile.ResultOK, Status: 204, Detail: keystile.EventDetail{ETag: "x"}}
	write(t, a, func(tx store.Tx) error {
		must(t, tx.AppendEvents([]keystile.Event{event("e1"), openEvent("e2")}))
		return tx.CloseEvents([]keystile.Outcome{closed})
	})
	all := outboxOf(t, b, 0, 10)
	if len(all) != 3 || all[0].Event == nil || all[1].Event == nil || all[2].Outcome == nil {
		t.Fatalf("the outbox has %+v", all)
	}
	wantEqual(t, *all[0].Event, event("e1"))
	wantEqual(t, *all[1].Event, openEvent("e2"))
	wantEqual(t, *all[2].Outcome, closed)
	wantEqual(t, outboxOf(t, b, all[0].Seq, 1), all[1:2])

	// With its transaction or not at all; what comes from the journal, not.
	never := errors.New("never")
	wantErr(t, tryWrite(t, a, func(tx store.Tx) error {
		must(t, tx.AppendEvents([]keystile.Event{event("e3")}))
		return never
	}), never)
	write(t, a, func(tx store.Tx) error {
		must(t, tx.IndexEvents([]keystile.Event{openEvent("e4")}))
		return tx.IndexOutcomes([]keystile.Outcome{{EventID: "e4", Result: keystile.ResultOK}})
	})
	wantEqual(t, len(outboxOf(t, b, 0, 10)), 3)

	write(t, a, func(tx store.Tx) error { return tx.ClearOutbox([]int64{all[0].Seq, all[1].Seq, all[2].Seq, 1 << 40}) })
	wantEqual(t, len(outboxOf(t, b, 0, 10)), 0)
	wantEqual(t, got(t, b, eventOf("e1")), event("e1"))
	appendEvents(t, a, event("e5"))
	if next := outboxOf(t, b, all[2].Seq, 10); len(next) != 1 {
		t.Errorf("a number was given twice: %+v", outboxOf(t, b, 0, 10))
	}
}
