package audit_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// disk is a real store that counts commits and fails or stalls on demand.
type disk struct {
	store.Store
	path    string
	keys    *seal.Keyring
	commits atomic.Int64
	failing atomic.Int64  // how many further writes fail
	gate    chan struct{} // if not nil, each write takes one from it first
}

var errDisk = errors.New("disk on fire")

func (d *disk) Write(ctx context.Context, fn func(store.Tx) error) error {
	if d.gate != nil {
		select {
		case <-d.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	d.commits.Add(1)
	if d.failing.Add(-1) >= 0 {
		return errDisk
	}
	return d.Store.Write(ctx, fn)
}

func newDisk(t testing.TB) *disk {
	t.Helper()
	keys, err := seal.New(seal.NewKey())
	must(t, err)
	d := &disk{path: filepath.Join(t.TempDir(), "keystile.db"), keys: keys}
	d.open(t)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func (d *disk) open(t testing.TB) {
	t.Helper()
	db, err := sqlstore.OpenSQLite(t.Context(), d.path, d.keys)
	must(t, err)
	d.Store = db
}

// trail is a recorder on a disk, with a clock of its own.
type trail struct {
	*audit.Recorder
	t     testing.TB
	disk  *disk
	mu    sync.Mutex
	clock time.Time
}

func newTrail(t testing.TB) *trail {
	t.Helper()
	return newTrailOn(t, newDisk(t))
}

func newTrailOn(t testing.TB, d *disk) *trail {
	t.Helper()
	tr := &trail{t: t, disk: d, clock: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	tr.Recorder = audit.NewRecorder(audit.InStore(d), tr.now)
	t.Cleanup(tr.Close)
	return tr
}

func (tr *trail) now() time.Time {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.clock
}

func (tr *trail) pass(d time.Duration) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.clock = tr.clock.Add(d)
}

func (tr *trail) event(action string) keystile.Event {
	return keystile.Event{
		ID: uuid.NewString(), Time: tr.now(), Action: action, Result: keystile.ResultOK, Status: 200, Backend: "prod", Bucket: "photos", SourceIP: "192.0.2.1",
	}
}

func (tr *trail) wait(p audit.Pending) error {
	tr.t.Helper()
	ctx, cancel := context.WithTimeout(tr.t.Context(), 20*time.Second)
	defer cancel()
	return p.Wait(ctx)
}

// events are all that is recorded, newest first.
func (tr *trail) events() []keystile.Event {
	tr.t.Helper()
	var all []keystile.Event
	must(tr.t, tr.disk.Read(tr.t.Context(), func(tx store.Tx) error {
		page := keystile.EventPage{Limit: 1000}
		for {
			events, next, err := tx.Events(page)
			if err != nil {
				return err
			}
			all = append(all, events...)
			if next == "" {
				return nil
			}
			page.Cursor = next
		}
	}))
	return all
}

func (tr *trail) find(id string) keystile.Event {
	tr.t.Helper()
	var e keystile.Event
	must(tr.t, tr.disk.Read(tr.t.Context(), func(tx store.Tx) (err error) {
		e, err = tx.Event(id)
		return err
	}))
	return e
}

func TestARecordIsDurableWhenWaitReturns(t *testing.T) {
	tr := newTrail(t)
	e := tr.event("s3.proxy.deleteobject")
	must(t, tr.wait(tr.Append(e)))
	must(t, tr.disk.Close()) // the recorder still runs, as at a kill
	tr.disk.open(t)
	if got := tr.find(e.ID); got.Action != e.Action || !got.Time.Equal(e.Time) || got.Bucket != e.Bucket || got.Open {
		t.Errorf("found %+v", got)
	}
}

func TestAnOutcomeClosesItsIntent(t *testing.T) {
	tr := newTrail(t)
	for name, together := range map[string]bool{"after its commit": false, "in the same commit": true} {
		e := tr.event("s3.proxy.putobject")
		e.Open, e.Result, e.Status = true, keystile.ResultUnknown, 0
		intent := tr.Append(e)
		if !together {
			must(t, tr.wait(intent))
			if got := tr.find(e.ID); !got.Open || got.Result != keystile.ResultUnknown {
				t.Errorf("%s: the intent is %+v", name, got)
			}
		}
		outcome := tr.Settle(keystile.Outcome{
			EventID: e.ID, Result: keystile.ResultOK, Status: 201, Detail: keystile.EventDetail{ETag: `"e"`, Bytes: 3, AccessKeyID: "AKIAX", Authenticated: true},
		})
		must(t, tr.wait(intent))
		must(t, tr.wait(outcome))
		got := tr.find(e.ID)
		if got.Open || got.Result != keystile.ResultOK || got.Status != 201 || got.Detail.ETag != `"e"` || got.Action != e.Action || !got.Detail.Authenticated {
			t.Errorf("%s: closed as %+v", name, got)
		}
	}
	if n := len(tr.events()); n != 2 {
		t.Errorf("%d events", n)
	}
}

func TestAnOutcomeOfNothingIsAnError(t *testing.T) {
	tr := newTrail(t)
	if err := tr.wait(tr.Settle(keystile.Outcome{EventID: uuid.NewString(), Result: keystile.ResultOK})); err == nil {
		t.Error("an outcome without an intent is taken")
	}
	must(t, tr.wait(tr.Append(tr.event("a.b"))))
}

func TestWaitersShareCommits(t *testing.T) {
	d := newDisk(t)
	d.gate = make(chan struct{}, 100)
	tr := newTrailOn(t, d)
	first := tr.Append(tr.event("a.first"))
	time.Sleep(20 * time.Millisecond) // the first commit has begun and stands at the gate
	var waiting []audit.Pending
	for range 500 {
		waiting = append(waiting, tr.Append(tr.event("a.second")))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := waiting[0].Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("durable without a commit: %v", err)
	}
	d.gate <- struct{}{}
	must(t, tr.wait(first))
	d.gate <- struct{}{}
	for _, p := range waiting {
		must(t, tr.wait(p))
	}
	if n := d.commits.Load(); n != 2 {
		t.Errorf("501 records took %d commits", n)
	}
	if n := len(tr.events()); n != 501 {
		t.Errorf("%d events", n)
	}
}

func TestADoneRecordIsDoneForWhoeverAsksLate(t *testing.T) {
	tr := newTrail(t)
	p := tr.Append(tr.event("a.b"))
	must(t, tr.wait(p))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		must(t, p.Wait(ctx))
	}
}

func TestAFailedCommitIsTriedAgain(t *testing.T) {
	tr := newTrail(t)
	tr.disk.failing.Store(2)
	must(t, tr.wait(tr.Append(tr.event("a.b"))))
	if n := tr.disk.commits.Load(); n != 3 {
		t.Errorf("%d attempts", n)
	}
	if n := len(tr.events()); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestAFailingDiskFailsWhoWaitsAndNoOneAfter(t *testing.T) {
	tr := newTrail(t)
	tr.disk.failing.Store(3)
	lost := tr.event("a.lost")
	err := tr.wait(tr.Append(lost))
	if !errors.Is(err, keystile.ErrUnavailable) || !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	must(t, tr.wait(tr.Append(tr.event("a.kept"))))
	if events := tr.events(); len(events) != 1 || events[0].Action != "a.kept" {
		t.Errorf("%v", events)
	}
}

func TestCloseWritesWhatIsLeft(t *testing.T) {
	d := newDisk(t)
	d.gate = make(chan struct{}, 10)
	tr := newTrailOn(t, d)
	var waiting []audit.Pending
	for range 20 {
		waiting = append(waiting, tr.Append(tr.event("a.b")))
	}
	for range 10 {
		d.gate <- struct{}{}
	}
	tr.Close()
	tr.Close()
	for _, p := range waiting {
		must(t, tr.wait(p))
	}
	for _, p := range []audit.Pending{tr.Append(tr.event("a.late")), tr.Refuse(tr.event("a.late")), tr.Settle(keystile.Outcome{})} {
		if err := tr.wait(p); !errors.Is(err, audit.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	if n := len(tr.events()); n != 20 {
		t.Errorf("%d events", n)
	}
}

func TestRecoverClosesOpenIntentsAsUnknown(t *testing.T) {
	tr := newTrail(t)
	open, done := tr.event("s3.proxy.putobject"), tr.event("s3.proxy.putobject")
	open.Open, done.Open = true, true
	open.Result, done.Result = keystile.ResultUnknown, keystile.ResultUnknown
	tr.Append(open)
	tr.Append(done)
	must(t, tr.wait(tr.Settle(keystile.Outcome{EventID: done.ID, Result: keystile.ResultOK, Status: 200})))
	must(t, tr.disk.Close())
	tr.disk.open(t)
	next := newTrailOn(t, tr.disk)
	for _, want := range []int{1, 0} {
		if n, err := next.Recover(t.Context()); err != nil || n != want {
			t.Errorf("recovered %d, %v, want %d", n, err, want)
		}
	}
	if got := next.find(open.ID); got.Open || got.Result != keystile.ResultUnknown {
		t.Errorf("the open one is %+v", got)
	}
	if got := next.find(done.ID); got.Open || got.Result != keystile.ResultOK {
		t.Errorf("the closed one is %+v", got)
	}
}

// TestNothingIsLostUnderLoad lets many goroutines record, refuse and settle,
// with a disk that fails now and then, and counts afterwards.
func TestNothingIsLostUnderLoad(t *testing.T) {
	tr := newTrail(t)
	const workers, each = 16, 60
	var accepted, refused, failed atomic.Int64
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range each {
				e := tr.event("s3.proxy.putobject")
				e.Open, e.Result = true, keystile.ResultUnknown
				if tr.wait(tr.Append(e)) != nil || tr.wait(tr.Settle(keystile.Outcome{EventID: e.ID, Result: keystile.ResultOK, Status: 200})) != nil {
					failed.Add(1)
				} else {
					accepted.Add(1)
				}
				no := tr.event("s3.proxy.getobject")
				no.Result, no.Detail.Code, no.SourceIP = keystile.ResultDenied, "AccessDenied", fmt.Sprintf("192.0.2.%d", w)
				if tr.wait(tr.Refuse(no)) != nil {
					failed.Add(1)
				} else {
					refused.Add(1)
				}
				if w == 0 && i%20 == 10 {
					tr.disk.failing.Store(1)
				}
			}
		})
	}
	group.Wait()
	var done, counted int64
	for _, e := range tr.events() {
		switch {
		case e.Action == "s3.proxy.putobject" && e.Open:
			t.Errorf("%s is open", e.ID)
		case e.Action == "s3.proxy.putobject":
			done++
		default:
			counted += max(1, e.Detail.Count)
		}
	}
	if failed.Load() != 0 || done != accepted.Load() || counted != refused.Load() || done != workers*each || counted != workers*each {
		t.Errorf("%d of %d mutations and %d of %d refusals are recorded, %d failed", done, accepted.Load(), counted, refused.Load(), failed.Load())
	}
	if n := tr.disk.commits.Load(); n >= 3*workers*each {
		t.Errorf("%d records took %d commits: nothing is shared", 3*workers*each, n)
	}
}
