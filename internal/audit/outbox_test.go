package audit_test

import (
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// commits records an act in the store's own transaction, as the control plane
// does: its event, and the outcome of one that was open.
func (j *journaled) commits() (event, closed keystile.Event) {
	j.t.Helper()
	event, closed = j.event("credential.revoke"), intent(j.event("bucket.create"))
	must(j.t, j.disk.Store.Write(j.t.Context(), func(tx store.Tx) error {
		if err := tx.AppendEvents([]keystile.Event{event, closed}); err != nil {
			return err
		}
		return tx.CloseEvents([]keystile.Outcome{outcome(closed)})
	}))
	return event, closed
}

// waiting counts what the outbox holds.
func (j *journaled) waiting() (n int) {
	j.t.Helper()
	must(j.t, j.disk.Read(j.t.Context(), func(tx store.Tx) error {
		page, err := tx.Outbox(0, 100)
		n = len(page)
		return err
	}))
	return n
}

// TestTheOutboxGetsToTheJournal: what a transaction recorded gets into the journal
// once, wherever the process is killed on the way.
func TestTheOutboxGetsToTheJournal(t *testing.T) {
	for _, tt := range []struct {
		name string
		way  func(j *journaled) (event, closed keystile.Event)
	}{
		{"without a kill", func(j *journaled) (event, closed keystile.Event) {
			event, closed = j.commits()
			j.Trail.Posted()
			eventually(j.t, "it is in the journal", func() bool { return j.waiting() == 0 })
			return event, closed
		}},
		{"killed between commit and journal", func(j *journaled) (event, closed keystile.Event) {
			must(j.t, j.Trail.Close(j.t.Context()))
			event, closed = j.commits()
			j.open()
			return event, closed
		}},
		{"killed between journal and index", func(j *journaled) (event, closed keystile.Event) {
			before := j.Trail.Lag()
			j.disk.failing.Store(1 << 30)
			event, closed = j.commits()
			j.Trail.Posted()
			eventually(j.t, "it is in the journal, and not in the index", func() bool { return j.Trail.Lag() == before+3 })
			j.dies()
			return event, closed
		}},
		{"killed twice", func(j *journaled) (event, closed keystile.Event) {
			event, closed = j.commits()
			j.dies()
			j.dies()
			return event, closed
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJournaled(t)
			must(t, j.wait(j.Trail.Append(j.event("s3.proxy.putobject"))))
			event, closed := tt.way(j)
			// In the trail at once, whatever becomes of the journal.
			if got := j.find(closed.ID); got.Open || got.Result != keystile.ResultOK {
				t.Errorf("found %+v", got)
			}
			eventually(t, "the outbox is empty", func() bool { return j.waiting() == 0 })
			j.caughtUp()
			if n := len(j.events()); n != 3 {
				t.Errorf("%d events in the trail, want 3", n)
			}
			must(t, j.Trail.Close(t.Context()))
			j.disk = newDisk(t)
			j.log.Reset()
			j.open()
			if got := j.find(event.ID); got.Action != "credential.revoke" {
				t.Errorf("by the journal alone: %+v", got)
			}
			if got := j.find(closed.ID); got.Open || got.Result != keystile.ResultOK {
				t.Errorf("by the journal alone: %+v", got)
			}
			if log := j.log.String(); strings.Contains(log, "does not fit") {
				t.Errorf("something is in the journal twice: %s", log)
			}
		})
	}
}

// eventually waits for what a goroutine brings about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("in vain: %s", what)
}
