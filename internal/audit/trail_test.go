package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/journal"
	"keystile/internal/keystile"
)

// journaled is a trail with a journal, which can die and be opened again.
type journaled struct {
	*trail
	*audit.Trail
	dir    string
	log    lockedBuffer
	change []func(*audit.Options)
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

func newJournaled(t testing.TB, change ...func(*audit.Options)) *journaled {
	t.Helper()
	j := &journaled{trail: &trail{t: t, disk: newDisk(t), clock: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}, dir: t.TempDir(), change: change}
	j.open()
	t.Cleanup(func() {
		if j.Trail != nil {
			_ = j.Trail.Close(context.Background())
		}
	})
	return j
}

func (j *journaled) open() {
	j.t.Helper()
	options := audit.Options{Dir: j.dir, Store: j.disk, Log: slog.New(slog.NewTextHandler(&j.log, nil)), Now: j.now}
	for _, c := range j.change {
		c(&options)
	}
	var err error
	j.Trail, err = audit.Open(j.t.Context(), options)
	must(j.t, err)
	j.trail.Recorder = j.Trail.Recorder
}

// dies leaves the journal as a kill does, and takes it up again. The store fails
// before, so that nothing more can get there.
func (j *journaled) dies() { j.diesWith(func(string) {}) }

// diesWith lets something be done to the journal meanwhile.
func (j *journaled) diesWith(harm func(dir string)) {
	j.t.Helper()
	kept := j.t.TempDir()
	must(j.t, os.CopyFS(kept, os.DirFS(j.dir)))
	harm(kept)
	j.disk.failing.Store(1 << 30)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = j.Trail.Close(ended)
	j.disk.failing.Store(0)
	j.dir = kept
	j.open()
}

func (j *journaled) caughtUp() {
	j.t.Helper()
	ctx, cancel := context.WithTimeout(j.t.Context(), 20*time.Second)
	defer cancel()
	must(j.t, j.Trail.CaughtUp(ctx))
}

func intent(e keystile.Event) keystile.Event {
	e.Open, e.Result, e.Status = true, keystile.ResultUnknown, 0
	return e
}

func outcome(e keystile.Event) keystile.Outcome {
	return keystile.Outcome{EventID: e.ID, Result: keystile.ResultOK, Status: 200, Detail: keystile.EventDetail{ETag: `"e"`}}
}

func TestARecordOutlivesTheStoresTrouble(t *testing.T) {
	j := newJournaled(t)
	j.disk.failing.Store(1 << 30)
	e := intent(j.event("s3.proxy.putobject"))
	must(t, j.wait(j.Trail.Append(e)))
	must(t, j.wait(j.Trail.Settle(outcome(e))))
	must(t, j.wait(j.Trail.Refuse(j.event("s3.proxy.getobject"))))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := j.Trail.CaughtUp(ctx); !errors.Is(err, context.DeadlineExceeded) || j.Trail.Lag() != 3 {
		t.Errorf("caught up while the store fails: %v, lag %d", err, j.Trail.Lag())
	}
	j.dies()
	if got := j.find(e.ID); got.Open || got.Result != keystile.ResultOK || got.Detail.ETag != `"e"` || !got.Time.Equal(e.Time) {
		t.Errorf("found %+v", got)
	}
	if n := len(j.events()); n != 2 {
		t.Errorf("%d events", n)
	}
}

func TestAllFieldsComeThroughTheJournal(t *testing.T) {
	j := newJournaled(t)
	last := j.now().Add(time.Second)
	full := keystile.Event{
		ID: "0190b2f0-0000-7000-8000-000000000001", Time: j.now(), Action: "s3.proxy.deleteobjects", Result: keystile.ResultDenied, Status: 403,
		Account: "alice", Backend: "prod", Bucket: "photos", Key: "a/\u00e4\n<b>", SourceIP: "192.0.2.1", UserAgent: "aws-cli", RequestID: "R1",
		Detail: keystile.EventDetail{
			AccessKeyID: "AKIA", Authenticated: true, Code: "AccessDenied", Message: "no", Bytes: 1 << 50, VersionID: "v", UploadID: "u", PartNumber: 9,
			CopySource: "b/c/d", Keys: []string{"k1"}, DeniedKeys: []string{"x"}, FailedKeys: []string{"y"}, Anonymous: true, Count: 5, LastTime: &last,
			Target: "t", TokenID: "t1", Changes: map[string]string{"a": "b"},
		},
	}
	must(t, j.wait(j.Trail.Append(full)))
	j.caughtUp()
	fromMemory := fmt.Sprintf("%+v", withoutPointer(j.find(full.ID)))
	again := newJournaled(t)
	again.dir = j.dir
	must(t, j.Trail.Close(t.Context()))
	must(t, again.Trail.Close(t.Context()))
	again.open() // an empty store: all is read from the journal
	fromDisk := fmt.Sprintf("%+v", withoutPointer(again.find(full.ID)))
	if want := fmt.Sprintf("%+v", withoutPointer(full)); fromMemory != want || fromDisk != want {
		t.Errorf("wrote       %s\nfrom memory %s\nfrom disk   %s", want, fromMemory, fromDisk)
	}
}

// withoutPointer makes an event printable as a whole.
func withoutPointer(e keystile.Event) string {
	last := e.Detail.LastTime.UTC().String()
	e.Detail.LastTime = nil
	return fmt.Sprintf("%+v %s", e, last)
}

func TestEachRecordIsIndexedOnce(t *testing.T) {
	j := newJournaled(t)
	older := filepath.Join(t.TempDir(), "older.db")
	var ids []string
	for round := range 4 {
		for range 30 {
			e := intent(j.event("s3.proxy.putobject"))
			ids = append(ids, e.ID)
			must(t, j.wait(j.Trail.Append(e)))
			must(t, j.wait(j.Trail.Settle(outcome(e))))
		}
		switch round {
		case 0: // a clean end, and a copy of the store
			j.caughtUp()
			must(t, j.Trail.Close(t.Context()))
			must(t, j.disk.Close())
			data, err := os.ReadFile(j.disk.path)
			must(t, err)
			must(t, os.WriteFile(older, data, 0o600))
			j.disk.open(t)
			j.open()
		case 1: // a kill
			j.dies()
		case 2: // the older store is put back
			j.caughtUp()
			must(t, j.Trail.Close(t.Context()))
			must(t, j.disk.Close())
			data, err := os.ReadFile(older)
			must(t, err)
			for _, name := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(j.disk.path + name)
			}
			must(t, os.WriteFile(j.disk.path, data, 0o600))
			j.disk.open(t)
			j.open()
		}
	}
	j.caughtUp()
	events := j.events()
	if len(events) != len(ids) {
		t.Fatalf("%d events, want %d", len(events), len(ids))
	}
	for i, e := range events {
		if e.Open || e.ID != ids[len(ids)-1-i] {
			t.Errorf("event %d is %+v", i, e)
		}
	}
}

func TestAJournalWhoseEndWasRemovedIsNoticed(t *testing.T) {
	j := newJournaled(t)
	before := t.TempDir()
	must(t, j.wait(j.Trail.Append(j.event("a.first"))))
	must(t, os.CopyFS(before, os.DirFS(j.dir)))
	must(t, j.wait(j.Trail.Append(j.event("a.second"))))
	j.caughtUp()
	must(t, j.Trail.Close(t.Context()))
	j.dir = before
	j.open()
	if !strings.Contains(j.log.String(), "lost records") {
		t.Errorf("the log says nothing:\n%s", j.log.String())
	}
	must(t, j.wait(j.Trail.Append(j.event("a.third"))))
	j.caughtUp()
	if n := len(j.events()); n != 3 {
		t.Errorf("%d events", n)
	}
	r, err := journal.Verify(before)
	must(t, err)
	if len(r.Faults) != 1 || r.Faults[0].Seq != 2 {
		t.Errorf("%+v", r)
	}
}

func TestADamagedPartIsLeftOutOfTheIndex(t *testing.T) {
	j := newJournaled(t)
	for range 5 {
		must(t, j.wait(j.Trail.Append(j.event("a.old"))))
	}
	must(t, j.Trail.Close(t.Context()))
	files, err := filepath.Glob(filepath.Join(j.dir, "*.journal"))
	must(t, err)
	data, err := os.ReadFile(files[0])
	must(t, err)
	data[len(data)/2] ^= 1
	must(t, os.WriteFile(files[0], data, 0o600))
	j.disk = newDisk(t) // an empty store: everything is to be read
	j.open()
	must(t, j.wait(j.Trail.Append(j.event("a.new"))))
	j.caughtUp()
	if events := j.events(); len(events) == 0 || events[0].Action != "a.new" {
		t.Errorf("%v", events)
	}
	if !strings.Contains(j.log.String(), "cannot be read") {
		t.Errorf("the log says nothing:\n%s", j.log.String())
	}
}

func TestWhatTheIndexRefusesHoldsUpNothing(t *testing.T) {
	j := newJournaled(t)
	must(t, j.wait(j.Trail.Append(j.event("a.one"))))
	must(t, j.wait(j.Trail.Settle(keystile.Outcome{EventID: "never begun", Result: keystile.ResultOK})))
	must(t, j.wait(j.Trail.Append(j.event("a.two"))))
	j.caughtUp()
	if n := len(j.events()); n != 2 {
		t.Errorf("%d events", n)
	}
	if !strings.Contains(j.log.String(), "does not fit its index") {
		t.Errorf("the log says nothing:\n%s", j.log.String())
	}
}

func TestALongQueueIsReadBackFromTheJournal(t *testing.T) {
	j := newJournaled(t)
	j.disk.failing.Store(1)
	must(t, j.wait(j.Trail.Append(j.event("a.b")))) // its failing makes the indexer pause
	const n = 21_000
	var last audit.Pending
	for range n {
		last = j.Trail.Append(j.event("a.b"))
	}
	must(t, j.wait(last))
	j.caughtUp()
	must(t, j.wait(j.Trail.Append(j.event("a.b"))))
	j.caughtUp()
	count := 0
	for range j.events() {
		count++
	}
	if count != n+2 {
		t.Errorf("%d events, want %d", count, n+2)
	}
}

func TestOrphansAreClosedInTheJournalToo(t *testing.T) {
	j := newJournaled(t)
	e := intent(j.event("s3.proxy.putobject"))
	e.Detail.Bytes = 7
	must(t, j.wait(j.Trail.Append(e)))
	j.dies()
	for _, want := range []int{1, 0} {
		if n, err := j.Trail.Recover(t.Context()); err != nil || n != want {
			t.Errorf("recovered %d, %v, want %d", n, err, want)
		}
		j.caughtUp()
	}
	if got := j.find(e.ID); got.Open || got.Result != keystile.ResultUnknown || got.Detail.Bytes != 7 {
		t.Errorf("found %+v", got)
	}
	j.disk = newDisk(t)
	must(t, j.Trail.Close(t.Context()))
	j.open()
	if got := j.find(e.ID); got.Open || got.Result != keystile.ResultUnknown {
		t.Errorf("by the journal alone: %+v", got)
	}
}

func TestTheJournalLosesNothingUnderLoad(t *testing.T) {
	j := newJournaled(t)
	const workers, each = 16, 100
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range each {
				e := intent(j.event("s3.proxy.putobject"))
				if err := errors.Join(j.wait(j.Trail.Append(e)), j.wait(j.Trail.Settle(outcome(e)))); err != nil {
					t.Error(err)
				}
				if i%20 == 10 {
					j.disk.failing.Store(1)
					ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
					_ = j.Trail.CaughtUp(ctx) // hurries the indexer
					cancel()
				}
			}
		})
	}
	group.Wait()
	j.caughtUp()
	events := j.events()
	for _, e := range events {
		if e.Open {
			t.Errorf("%s is open", e.ID)
		}
	}
	if len(events) != workers*each {
		t.Errorf("%d events, want %d", len(events), workers*each)
	}
	must(t, j.Trail.Close(t.Context()))
	if r, err := journal.Verify(j.dir); err != nil || len(r.Faults) > 0 || r.Last != 2*workers*each {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestASecondProcessGetsNoJournal(t *testing.T) {
	j := newJournaled(t)
	_, err := audit.Open(t.Context(), audit.Options{Dir: j.dir, Store: j.disk, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: j.now})
	if !errors.Is(err, journal.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
}
