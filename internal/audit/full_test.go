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

// little is a room that a test gives and takes.
type little struct {
	mu       sync.Mutex
	ready    bool
	released int
}

func (l *little) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready
}

func (l *little) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released++
	return nil
}

func (l *little) Fits() error { return nil }

func (l *little) set(ready bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = ready
}

// TestATrailWithoutRoom: while the reserve is not held, a trail ends what was
// begun and takes what the control plane has done, and tells how it stands.
func TestATrailWithoutRoom(t *testing.T) {
	room := &little{ready: true}
	j := newJournaled(t, func(o *audit.Options) { o.Room = room })
	begun := intent(j.event("s3.proxy.putobject"))
	must(t, j.wait(j.Trail.Append(begun)))
	state := func(want audit.State) func() bool { return func() bool { return j.Trail.State() == want } }

	room.set(false)
	eventually(t, "it is told before a change asks", state(audit.Full))
	if err := j.wait(j.Trail.Append(intent(j.event("s3.proxy.putobject")))); !errors.Is(err, audit.ErrNoRoom) {
		t.Errorf("an intent: %v", err)
	}
	must(t, j.wait(j.Trail.Settle(outcome(begun))))
	revoked, _ := j.commits()
	j.Trail.Posted()
	eventually(t, "the act is in the journal", func() bool { return j.waiting() == 0 })
	if got := j.Trail.State(); got != audit.Full {
		t.Errorf("it is %s though nothing else may be written", got)
	}
	if got := j.find(begun.ID); got.Open || got.Result != keystile.ResultOK {
		t.Errorf("found %+v", got)
	}
	if got := j.find(revoked.ID); got.Action != revoked.Action {
		t.Errorf("found %+v", got)
	}

	room.set(true)
	eventually(t, "it goes on by itself", state(audit.Recording))
	must(t, j.wait(j.Trail.Append(j.event("s3.proxy.putobject"))))
}

// TestRefusalsOnAFullDiskAreCounted: whoever is refused is told so, and the trail
// tells how many it does not have, also of a process that died before it could.
func TestRefusalsOnAFullDiskAreCounted(t *testing.T) {
	room := &little{ready: true}
	j := newJournaled(t, func(o *audit.Options) { o.Room = room })
	refuse := func(n int) {
		t.Helper()
		for range n {
			if err := j.wait(j.Trail.Refuse(j.event("s3.proxy.getobject"))); !errors.Is(err, audit.ErrCounted) {
				t.Fatalf("refused on a full disk: %v", err)
			}
		}
	}
	told := func(want keystile.Result, count int64) {
		t.Helper()
		eventually(t, "what was lost to be told", func() bool {
			j.caughtUp()
			e := j.events()[0]
			return e.Action == "audit.incomplete" && !e.Open && e.Result == want && e.Detail.Count == count
		})
	}
	room.set(false)
	if err := j.wait(j.Trail.Append(intent(j.event("s3.proxy.putobject")))); errors.Is(err, audit.ErrCounted) || err == nil {
		t.Errorf("an intent: %v", err)
	}
	refuse(25) // more than a flood begins with
	j.caughtUp()
	if e := j.events()[0]; e.Action != "audit.incomplete" || !e.Open {
		t.Errorf("no event was opened: %+v", e)
	}
	room.set(true)
	told(keystile.ResultError, 25)

	room.set(false)
	refuse(3)
	j.dies()
	if n, err := j.Trail.Recover(t.Context()); err != nil || n != 1 {
		t.Fatalf("recovered %d, %v", n, err)
	}
	told(keystile.ResultUnknown, 0)
	room.set(true)
	if err := j.wait(j.Trail.Refuse(j.event("s3.proxy.getobject"))); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
