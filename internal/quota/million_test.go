package quota

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// vast is a bucket with very many objects that takes no memory for them: only
// what was overwritten is kept. Every object holds vastSize bytes at first.
type vast struct {
	objects int
	// paged is called with each page that is read.
	paged func()
	// changed are sizes by key. It keeps nobody waiting: how long a write waits for
	// the ledger is what is measured.
	changed sync.Map
}

const (
	vastSize = 3
	vastPage = 1000
)

func vastKey(n int) string { return fmt.Sprintf("key-%08d", n) }

func (v *vast) size(key string) int64 {
	if size, ok := v.changed.Load(key); ok {
		return size.(int64)
	}
	return vastSize
}

func (v *vast) Versions(ctx context.Context, _ keystile.Bucket, after keystile.VersionMark) (page keystile.VersionPage, err error) {
	first := 0
	if after.Key != "" {
		if first, err = strconv.Atoi(after.Key[len("key-"):]); err != nil {
			return page, err
		}
		first++
	}
	last := min(first+vastPage, v.objects)
	for n := first; n < last; n++ {
		key := vastKey(n)
		page.Versions = append(page.Versions, keystile.StoredVersion{Key: key, VersionID: "null", Size: v.size(key)})
		page.LastKey = key
	}
	if last < v.objects {
		page.Next = &keystile.VersionMark{Key: page.LastKey}
	}
	v.paged()
	return page, ctx.Err()
}

func (v *vast) Uploads(ctx context.Context, _ keystile.Bucket, _ keystile.UploadMark) ([]keystile.PendingUpload, *keystile.UploadMark, error) {
	return nil, nil, ctx.Err()
}

func (v *vast) Parts(ctx context.Context, _ keystile.Bucket, _ keystile.PendingUpload) (map[int]int64, error) {
	return nil, ctx.Err()
}

func (v *vast) Object(ctx context.Context, _ keystile.Bucket, key, _ string) (keystile.StoredVersion, bool, error) {
	return keystile.StoredVersion{Key: key, VersionID: "null", Size: v.size(key)}, true, ctx.Err()
}

// overwrite is one write as the gateway does it: it returns how long it took, and
// whether a count was under way all the while.
func (v *vast) overwrite(t *testing.T, l *Ledger, n int, asked *int) (took time.Duration, during bool) {
	t.Helper()
	counting := func() bool { u, _ := l.Usage(uploads); return u.Scan != nil }
	during = counting()
	ctx, key, size := t.Context(), vastKey(n), int64(n%100)
	began := time.Now()
	h, err := l.Reserve(ctx, uploads, keystile.Amount{Bytes: size, Objects: 1}, Writer{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Watch(ctx, ObjectPlace(key), func(context.Context) (State, error) {
		*asked++
		return State{Exists: true, Size: v.size(key)}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.Order(ctx, ObjectPlace(key), false); err != nil {
		t.Fatal(err)
	}
	v.changed.Store(key, size)
	h.Wrote(key, size, "")
	h.End()
	return time.Since(began), during && counting()
}

func (v *vast) sum() keystile.Amount {
	sum := keystile.Amount{Bytes: int64(v.objects) * vastSize, Objects: int64(v.objects)}
	v.changed.Range(func(_, size any) bool {
		sum.Bytes += size.(int64) - vastSize
		return true
	})
	return sum
}

// heap is what memory holds that is in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// vastBucket is one with a hard cap far away, and the ledger that is to count it.
func vastBucket(t *testing.T) (*vast, *Ledger) {
	t.Helper()
	objects := 100_000
	if text := os.Getenv("KEYSTILE_SOAK_OBJECTS"); text != "" {
		var err error
		if objects, err = strconv.Atoi(text); err != nil || objects < 10*vastPage {
			t.Fatalf("KEYSTILE_SOAK_OBJECTS is %q", text)
		}
	}
	v := &vast{objects: objects, paged: func() {}}
	q := hardBytes(1 << 50)
	q.Bucket, q.TrackedAt = uploads, time.Now()
	kept := &memory{quotas: map[keystile.Bucket]keystile.BucketQuota{}, usages: map[keystile.Bucket]keystile.UsageRecord{}}
	kept.set(q)
	l := New(Options{Store: kept, Lister: v, Log: slog.New(slog.DiscardHandler), Now: time.Now, Pace: time.Millisecond})
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	return v, l
}

// countVast lets the ledger run until the test ends, and calls meanwhile until a
// count that began after from has ended.
func countVast(t *testing.T, l *Ledger, from time.Time, meanwhile func()) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; meanwhile() {
		if u, _ := l.Usage(uploads); u.Scan == nil && u.CountedAt.After(from) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the bucket was not counted")
		}
	}
}

func runVast(t *testing.T, l *Ledger) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// A count of a large bucket keeps nothing of the pages behind it, and reads each
// of them once.
func TestCountingAVastBucketKeepsMemoryFlat(t *testing.T) {
	const mostGrowth = 4 << 20 // 100,000 objects as they are listed are more than that
	v, l := vastBucket(t)
	var pages int
	var most int64
	v.paged = func() {
		if pages++; pages%20 == 0 {
			most = max(most, heap())
		}
	}
	before, began := heap(), time.Now()
	runVast(t, l)
	countVast(t, l, time.Time{}, func() { time.Sleep(time.Millisecond) })
	took := time.Since(began)
	if want := (v.objects + vastPage - 1) / vastPage; pages != want {
		t.Errorf("%d pages were read, there are %d", pages, want)
	}
	if most == 0 || most-before > mostGrowth {
		t.Errorf("while %d objects were counted, memory grew from %d to %d bytes", v.objects, before, most)
	}
	if u, _ := l.Usage(uploads); u.Used != v.sum() {
		t.Errorf("%+v was counted, %+v is stored", u.Used, v.sum())
	}
	t.Logf("%d objects counted in %v, %.0f objects/s; memory grew by at most %d KiB",
		v.objects, took, float64(v.objects)/took.Seconds(), max(most-before, 0)>>10)
}

// A write while a large bucket is counted asks the backend once, as any other does,
// and none of them is lost or counted twice. What writes cost the ledger without a
// count and during one is printed; in a soak run, the usual one during a count takes
// no longer than all but the slowest without.
func TestWritesWhileAVastBucketIsCounted(t *testing.T) {
	v, l := vastBucket(t)
	runVast(t, l)
	countVast(t, l, time.Time{}, func() { time.Sleep(time.Millisecond) })
	var asked, n int
	var without, during []time.Duration
	write := func() (time.Duration, bool) {
		n++
		return v.overwrite(t, l, n*7919%v.objects, &asked)
	}
	// Both kinds of writes come with the same pauses, after which caches are cold.
	pause := func() { time.Sleep(100 * time.Microsecond) }
	for range 1000 {
		took, _ := write()
		without = append(without, took)
		pause()
	}
	from := time.Now()
	l.Scan(uploads)
	countVast(t, l, from, func() {
		if took, counting := write(); counting {
			during = append(during, took)
		}
		pause()
	})
	if asked != n || len(during) == 0 {
		t.Errorf("%d writes, %d of them during a count, asked the backend %d times", n, len(during), asked)
	}
	if u, _ := l.Usage(uploads); u.Used != v.sum() || u.Drift != (keystile.Amount{}) {
		t.Errorf("usage is %+v, %+v is stored", u, v.sum())
	}
	t.Logf("a write without a count: %s; during one: %s", spread(without), spread(during))
	if os.Getenv("KEYSTILE_SOAK_OBJECTS") != "" && percentile(during, 50) > percentile(without, 99) {
		t.Error("a write during a count costs more than one without")
	}
}

// spread tells of times by their median and tenths.
func spread(times []time.Duration) string {
	if len(times) == 0 {
		return "none"
	}
	at := func(percent int) time.Duration { return percentile(times, percent) }
	return fmt.Sprintf("median %v (10%% %v, 90%% %v, 99%% %v; %d writes)", at(50), at(10), at(90), at(99), len(times))
}

func percentile(times []time.Duration, percent int) time.Duration {
	return slices.Sorted(slices.Values(times))[(len(times)-1)*percent/100]
}
