package audit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/keystile"
)

// smallDisk is a sink that has room for urgent batches alone while it is full,
// and for nothing while it fails.
type smallDisk struct {
	mu            sync.Mutex
	full, failing bool
	events        []keystile.Event
	outcomes      []keystile.Outcome
	hold          chan struct{} // if not nil, each commit takes one from it first
}

func (d *smallDisk) Commit(_ context.Context, b audit.Batch) error {
	if d.hold != nil {
		<-d.hold
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.failing:
		return errDisk
	case d.full && !b.Urgent:
		return audit.ErrNoRoom
	}
	d.events, d.outcomes = append(d.events, b.Events...), append(d.outcomes, b.Outcomes...)
	return nil
}

func (d *smallDisk) OpenEvents(context.Context) ([]keystile.Event, error) { return nil, nil }
func (d *smallDisk) CaughtUp(context.Context) error                       { return nil }

func (d *smallDisk) set(full, failing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full, d.failing = full, failing
}

// TestAFullDisk: what was begun is ended, nothing else is begun, and all goes on
// when there is room.
func TestAFullDisk(t *testing.T) {
	d := &smallDisk{}
	r := audit.NewRecorder(d, time.Now)
	defer r.Close()
	tr := &trail{t: t, clock: time.Now(), Recorder: r}
	begun := intent(tr.event("s3.proxy.putobject"))
	must(t, tr.wait(r.Append(begun)))
	for _, tt := range []struct {
		name           string
		full, failing  bool
		intent, ending bool // are recorded
	}{
		{"full", true, false, false, true},
		{"failing", false, true, false, false},
		{"with room again", false, false, true, true},
	} {
		d.set(tt.full, tt.failing)
		for what, p := range map[string]struct {
			pending audit.Pending
			passes  bool
		}{
			"an intent":  {r.Append(intent(tr.event("s3.proxy.putobject"))), tt.intent},
			"a refusal":  {r.Refuse(tr.refusal(nil)), tt.intent},
			"an outcome": {r.Settle(outcome(begun)), tt.ending},
		} {
			err := tr.wait(p.pending)
			if (err == nil) != p.passes || err != nil && !errors.Is(err, keystile.ErrUnavailable) {
				t.Errorf("%s, %s: %v", tt.name, what, err)
			}
		}
	}
}

// TestAFullDiskDividesABatch: records that wait together fare each as its kind.
func TestAFullDiskDividesABatch(t *testing.T) {
	d := &smallDisk{full: true, hold: make(chan struct{}, 8)}
	r := audit.NewRecorder(d, time.Now)
	tr := &trail{t: t, clock: time.Now(), Recorder: r}
	first := r.Append(tr.event("s3.proxy.putobject")) // is being committed while the others gather
	begun, other := tr.event("s3.proxy.putobject"), tr.event("s3.proxy.deleteobject")
	refused, ended := r.Append(other), r.Settle(outcome(begun))
	for range cap(d.hold) {
		d.hold <- struct{}{}
	}
	if err := tr.wait(first); !errors.Is(err, audit.ErrNoRoom) {
		t.Errorf("the first: %v", err)
	}
	if err := tr.wait(refused); !errors.Is(err, audit.ErrNoRoom) {
		t.Errorf("an event: %v", err)
	}
	if err := tr.wait(ended); err != nil {
		t.Errorf("an outcome: %v", err)
	}
	r.Close()
	if len(d.events) != 0 || len(d.outcomes) != 1 {
		t.Errorf("recorded %d events and %d outcomes, want 0 and 1", len(d.events), len(d.outcomes))
	}
}
