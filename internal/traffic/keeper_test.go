package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// bench is a keeper over a real store that can be told to fail.
type bench struct {
	t      *testing.T
	keeper *Keeper
	store  store.Store
	path   string
	key    seal.Key
	log    io.Writer

	mu     sync.Mutex
	now    time.Time
	health map[string]keystile.Health
	held   map[keystile.Bucket]keystile.Amount
	down   error
	writes int
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "keystile.db"), key: seal.NewKey(), now: noon, log: io.Discard,
		health: map[string]keystile.Health{}}
	b.start()
	return b
}

// start opens the store with a new keeper, as after a restart.
func (b *bench) start() {
	b.t.Helper()
	ring, err := seal.New(b.key)
	must(b.t, err)
	db, err := sqlstore.OpenSQLite(b.t.Context(), b.path, ring)
	must(b.t, err)
	b.t.Cleanup(func() { _ = db.Close() })
	b.store = db
	b.keeper = New(Options{Store: b, Backends: b, Log: slog.New(slog.NewTextHandler(b.log, nil)), Now: b.clock, Holdings: b.holdings})
}

func (b *bench) Write(ctx context.Context, fn func(store.Tx) error) error {
	b.mu.Lock()
	down := b.down
	b.writes++
	b.mu.Unlock()
	if down != nil {
		return down
	}
	return b.store.Write(ctx, fn)
}

func (b *bench) Health() map[string]keystile.Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.health
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *bench) hours() (hours []keystile.TrafficHour) {
	b.t.Helper()
	must(b.t, b.store.Read(b.t.Context(), func(tx store.Tx) (err error) {
		hours, err = tx.TrafficByHour(time.Time{})
		return err
	}))
	return hours
}

func (b *bench) total() (sum keystile.Traffic) {
	b.t.Helper()
	for _, h := range b.hours() {
		sum.Add(h.Traffic)
	}
	return sum
}

func (b *bench) of(accessKeyID string) (hours []keystile.TrafficHour, minutes keystile.Traffic) {
	b.t.Helper()
	must(b.t, b.store.Read(b.t.Context(), func(tx store.Tx) (err error) {
		if hours, err = tx.CredentialTrafficByHour(accessKeyID, noon.Add(-24*time.Hour)); err != nil {
			return err
		}
		minutes, err = tx.CredentialTraffic(accessKeyID, noon.Add(-24*time.Hour))
		return err
	}))
	return hours, minutes
}

func (b *bench) samples(backend string) (samples []keystile.HealthSample) {
	b.t.Helper()
	must(b.t, b.store.Read(b.t.Context(), func(tx store.Tx) (err error) {
		samples, err = tx.HealthSince(backend, time.Time{})
		return err
	}))
	return samples
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(key string, at time.Time) keystile.Served {
	return keystile.Served{Ended: at, AccessKeyID: key, Backend: "main", Operation: "GetObject", Class: "read", Status: 200, In: 1, Out: 100}
}

// What many requests counted at once, while it is being written, is in the
// store to the last one.
func TestSumOfFlushedIsWhatWasObserved(t *testing.T) {
	b := newBench(t)
	const workers, each, keys = 8, 2000, 37
	flushing, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(flushing)
		for {
			select {
			case <-stop:
				return
			default:
				if err := b.keeper.Flush(context.Background()); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				n := w*each + i
				s := read(fmt.Sprint("AK", n%keys), noon.Add(time.Duration(n)*time.Second))
				switch n % 4 {
				case 1:
					s.Class, s.Status = "write", 502
				case 2:
					s.AccessKeyID, s.Refused, s.Status = "", true, 401
				}
				b.keeper.Observe(s)
			}
		})
	}
	wg.Wait()
	close(stop)
	<-flushing
	must(t, b.keeper.Flush(t.Context()))
	const all = workers * each
	want := keystile.Traffic{Requests: all, Reads: all * 3 / 4, Writes: all / 4, Errors: all / 4, Refusals: all / 4, BytesIn: all, BytesOut: 100 * all}
	if got := b.total(); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	var requests int64
	for k := range keys {
		hours, minutes := b.of(fmt.Sprint("AK", k))
		var sum keystile.Traffic
		for _, h := range hours {
			sum.Add(h.Traffic)
		}
		if sum != minutes {
			t.Errorf("AK%d: %+v by hour, %+v by minute", k, sum, minutes)
		}
		requests += sum.Requests
	}
	if requests != all*3/4 {
		t.Errorf("%d requests of credentials, want %d", requests, all*3/4)
	}
}

func TestRequestsCountWhereTheyBelong(t *testing.T) {
	b := newBench(t)
	b.keeper.Observe(read("AK1", noon.Add(-time.Second)))
	b.keeper.Observe(read("AK1", noon))
	b.keeper.Observe(read("AK1", noon.Add(59*time.Minute)))
	forged := read("", noon)
	forged.Refused, forged.Status = true, 403
	b.keeper.Observe(forged)
	must(t, b.keeper.Flush(t.Context()))
	hours, _ := b.of("AK1")
	if len(hours) != 2 || hours[0].Requests != 1 || hours[1].Requests != 2 || !hours[1].Hour.Equal(noon) || hours[1].Refusals != 0 {
		t.Errorf("AK1: %+v", hours)
	}
	if all := b.hours(); len(all) != 2 || all[1].Requests != 3 || all[1].Refusals != 1 {
		t.Errorf("all: %+v", all)
	}
}

func TestNothingIsWrittenWhereNothingHappened(t *testing.T) {
	b := newBench(t)
	must(t, b.keeper.Tick(t.Context())) // forgets once
	before := b.writes
	for range 5 {
		must(t, b.keeper.Tick(t.Context()))
	}
	if b.writes != before {
		t.Errorf("%d writes of nothing", b.writes-before)
	}
}

func TestCountersOutliveARestart(t *testing.T) {
	b := newBench(t)
	b.keeper.Observe(read("AK1", noon))
	must(t, b.keeper.Flush(t.Context()))
	must(t, b.store.Close())
	b.start()
	b.keeper.Observe(read("AK1", noon.Add(time.Minute)))
	must(t, b.keeper.Flush(t.Context()))
	if hours, minutes := b.of("AK1"); len(hours) != 1 || hours[0].Requests != 2 || minutes.Requests != 2 {
		t.Errorf("after a restart: %+v, %+v", hours, minutes)
	}
}

func TestWhatCannotBeWrittenWaits(t *testing.T) {
	b := newBench(t)
	broken := errors.New("the disk is full")
	b.set(func() { b.down = broken })
	for i := range 2 * batchSlots {
		b.keeper.Observe(read(fmt.Sprint("AK", i), noon))
		if i%batchSlots == 0 {
			if err := b.keeper.Flush(t.Context()); !errors.Is(err, broken) {
				t.Fatalf("Flush = %v", err)
			}
		}
	}
	b.set(func() { b.down = nil })
	must(t, b.keeper.Flush(t.Context()))
	must(t, b.keeper.Flush(t.Context()))
	if got := b.total().Requests; got != 2*batchSlots {
		t.Errorf("%d requests, want %d", got, 2*batchSlots)
	}
}

// However many keys there are, memory is bounded and no request is lost; those
// beyond the bound lose their credential only.
func TestMemoryIsBounded(t *testing.T) {
	b := newBench(t)
	log := &lines{}
	b.keeper.opts.Log = slog.New(slog.NewTextHandler(log, nil))
	const keys = pendingSlots + 20_000
	for i := range keys {
		b.keeper.Observe(read(fmt.Sprint("AK", i), noon))
	}
	held := 0
	for i := range b.keeper.meter.shards {
		held += len(b.keeper.meter.shards[i].slots)
	}
	if held > pendingSlots+shardCount {
		t.Errorf("%d slots are held", held)
	}
	pending := newCounters(pendingSlots)
	b.keeper.meter.drain(pending)
	var sum keystile.Traffic
	for _, n := range pending.slots {
		sum.Add(*n)
	}
	unattributed := pending.slots[slot{"", "main", noon.Unix()}]
	if sum.Requests != keys || unattributed == nil || unattributed.Requests < 20_000 || pending.crowded != unattributed.Requests {
		t.Errorf("%d requests of %d, %+v without a key, %d crowded", sum.Requests, keys, unattributed, pending.crowded)
	}
	b.keeper.pending.crowded = 7
	must(t, b.keeper.Flush(t.Context()))
	if log.n != 1 {
		t.Errorf("%d log lines", log.n)
	}
}

type lines struct{ n int }

func (l *lines) Write(p []byte) (int, error) { l.n++; return len(p), nil }

func TestOldCountersAreForgotten(t *testing.T) {
	b := newBench(t)
	b.keeper.Observe(read("AK1", noon.Add(-keystile.TrafficHoursKept-time.Hour)))
	b.keeper.Observe(read("AK1", noon.Add(-3*time.Hour)))
	b.keeper.Observe(read("AK1", noon))
	must(t, b.keeper.Tick(t.Context()))
	hours, minutes := b.of("AK1")
	if len(b.hours()) != 2 || len(hours) != 2 || minutes.Requests != 1 {
		t.Errorf("left: %+v by hour, %+v by minute", b.hours(), minutes)
	}
	b.set(func() { b.now = noon.Add(keystile.TrafficHoursKept) })
	must(t, b.keeper.Tick(t.Context()))
	if left := b.hours(); len(left) != 1 || !left[0].Hour.Equal(noon) {
		t.Errorf("five weeks later: %+v", left)
	}
}

func TestHealthIsKeptOnChangeAndNowAndThen(t *testing.T) {
	b := newBench(t)
	look := func(at time.Duration, healthy bool) {
		t.Helper()
		b.set(func() {
			b.health = map[string]keystile.Health{
				"main": {Healthy: healthy, CheckedAt: noon.Add(at), Latency: 1500 * time.Microsecond, Message: "m"},
				"new":  {},
			}
		})
		must(t, b.keeper.Tick(t.Context()))
		must(t, b.keeper.Tick(t.Context())) // the same look again
	}
	for at := time.Duration(0); at < 11*time.Minute; at += 30 * time.Second {
		look(at, true)
	}
	look(11*time.Minute, false)
	look(11*time.Minute+30*time.Second, false)
	look(12*time.Minute, true)
	got := ""
	for _, s := range b.samples("main") {
		got += fmt.Sprintf("%v %v, ", s.At.Sub(noon), s.Healthy)
	}
	if want := "0s true, 5m0s true, 10m0s true, 11m0s false, 12m0s true, "; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	if s := b.samples("main")[0]; s.Latency != 1500*time.Microsecond || s.Message != "m" {
		t.Errorf("sample %+v", s)
	}
	if n := len(b.samples("new")); n != 0 {
		t.Errorf("%d samples of a backend that was never checked", n)
	}
}

func TestHealthThatCouldNotBeKeptIsKeptLater(t *testing.T) {
	b := newBench(t)
	b.set(func() {
		b.health = map[string]keystile.Health{"main": {CheckedAt: noon}}
		b.down = errors.New("busy")
	})
	if b.keeper.Tick(t.Context()) == nil {
		t.Error("no error")
	}
	b.set(func() { b.down = nil })
	must(t, b.keeper.Tick(t.Context()))
	if n := len(b.samples("main")); n != 1 {
		t.Errorf("%d samples, want 1", n)
	}
}

func TestHealthGoesOnAfterTheClockWasSetBack(t *testing.T) {
	b := newBench(t)
	for _, at := range []time.Time{noon.Add(time.Hour), noon, noon.Add(time.Minute), noon.Add(5 * time.Minute)} {
		b.set(func() { b.health = map[string]keystile.Health{"main": {Healthy: true, CheckedAt: at}} })
		must(t, b.keeper.Tick(t.Context()))
	}
	if n := len(b.samples("main")); n != 3 {
		t.Errorf("%d samples, want 3", n)
	}
}

func TestRunWritesUntilItIsStopped(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); b.keeper.Run(ctx) }()
	cancel()
	<-ended
	b.keeper.Observe(read("AK1", noon))
	must(t, b.keeper.Flush(t.Context())) // as an orderly stop does
	if got := b.total().Requests; got != 1 {
		t.Errorf("%d requests, want 1", got)
	}
}

func BenchmarkObserve(b *testing.B) {
	k := New(Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		s := read("AK1", noon)
		for pb.Next() {
			k.Observe(s)
		}
	})
}
