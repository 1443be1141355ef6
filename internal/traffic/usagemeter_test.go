package traffic

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func (b *bench) holdings() map[keystile.Bucket]keystile.Amount {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

func (b *bench) meters(by string) map[string]keystile.Meter {
	b.t.Helper()
	found := map[string]keystile.Meter{}
	day := keystile.DayOf(b.clock())
	must(b.t, b.store.Read(b.t.Context(), func(tx store.Tx) error {
		rows, err := tx.Meters(by, keystile.UsageQuery{From: day.AddDate(0, 0, -1), To: day.AddDate(0, 0, 1)}, nil, 1_000_000)
		for _, r := range rows {
			found[r.Bucket.Name+r.AccessKeyID] = r.Meter
		}
		return err
	}))
	return found
}

func served(class, op string, status int, in, out int64) keystile.Served {
	return keystile.Served{Ended: noon, AccessKeyID: "AK1", Backend: "main", Bucket: "one", Operation: op, Class: class, Status: status, In: in, Out: out}
}

func TestWhatIsMeteredWithoutTheTrail(t *testing.T) {
	refused := served("read", "GetObject", 403, 0, 300)
	refused.Refused = true
	broken := served("read", "GetObject", 200, 0, 50)
	broken.Broken = true
	for _, tt := range []struct {
		name   string
		served keystile.Served
		want   keystile.Meter
	}{
		{"a read", served("read", "GetObject", 200, 0, 10), keystile.Meter{Reads: 1, BytesOut: 10}},
		{"what a backend does not find was read too", served("read", "HeadObject", 404, 0, 0), keystile.Meter{Reads: 1}},
		{"a list", served("read", "ListObjectsV2", 200, 0, 10), keystile.Meter{Lists: 1, BytesOut: 10}},
		{"a read that breaks off went as far as it did", broken, keystile.Meter{Reads: 1, Failed: 1, BytesOut: 50}},
		{"a backend's trouble", served("read", "GetObject", 503, 0, 9), keystile.Meter{Reads: 1, Failed: 1, BytesOut: 9}},
		{"a refusal is one, and its words are free", refused, keystile.Meter{Refused: 1}},
		{"a write is the trail's", served("write", "PutObject", 200, 10, 0), keystile.Meter{}},
		{"a delete is the trail's", served("delete", "DeleteObject", 204, 0, 0), keystile.Meter{}},
		{"a write that a backend refuses", served("write", "PutObject", 412, 10, 9), keystile.Meter{Failed: 1}},
		{"a write whose client left", served("write", "PutObject", 0, 10, 0), keystile.Meter{Failed: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.keeper.Observe(tt.served)
			must(t, b.keeper.Flush(t.Context()))
			if got := b.meters(keystile.ByCredential)["AK1"]; got != tt.want {
				t.Errorf("metered %+v, want %+v", got, tt.want)
			}
		})
	}
}

// Counts are taken away while requests add to them: none is lost, none doubled.
func TestNothingIsLostBetweenCountingAndWriting(t *testing.T) {
	b := newBench(t)
	const workers, each = 8, 5000
	var all, stop sync.WaitGroup
	done := make(chan struct{})
	stop.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				must(t, b.keeper.Flush(t.Context()))
			}
		}
	})
	for w := range workers {
		all.Go(func() {
			for i := range each {
				s := served("read", "GetObject", 200, 0, 3)
				s.AccessKeyID = "AK" + strconv.Itoa((i+w)%3)
				b.keeper.Observe(s)
			}
		})
	}
	all.Wait()
	close(done)
	stop.Wait()
	must(t, b.keeper.Flush(t.Context()))
	if got := b.meters(keystile.ByBucket)["one"]; got != (keystile.Meter{Reads: workers * each, BytesOut: 3 * workers * each}) {
		t.Errorf("metered %+v", got)
	}
}

// A store that fails for a while costs nothing, and what was written is not
// written again.
func TestMetersWaitForTheStore(t *testing.T) {
	b := newBench(t)
	b.set(func() { b.down = fmt.Errorf("down") })
	b.keeper.Observe(served("read", "GetObject", 200, 0, 1))
	if b.keeper.Flush(t.Context()) == nil {
		t.Fatal("no error")
	}
	b.set(func() { b.down = nil })
	b.keeper.Observe(served("read", "GetObject", 200, 0, 1))
	must(t, b.keeper.Flush(t.Context()))
	must(t, b.keeper.Flush(t.Context()))
	if got := b.meters(keystile.ByBucket)["one"]; got.Reads != 2 {
		t.Errorf("metered %+v", got)
	}
}

// A million keys between two writes take the memory of maxMeters, and their
// requests count for the bucket all the same.
func TestManyKeysTakeBoundedMemory(t *testing.T) {
	var u usageMeter
	s := served("read", "GetObject", 200, 0, 1)
	for i := range maxMeters + 10_000 {
		s.AccessKeyID = strconv.Itoa(i)
		u.add(&s)
	}
	if n := u.count.Load(); n > maxMeters+2 {
		t.Errorf("%d cells", n)
	}
	all := map[meterKey]keystile.Meter{}
	u.drain(all)
	var sum keystile.Meter
	for _, m := range all {
		sum = sum.Plus(m)
	}
	if sum.Reads != maxMeters+10_000 {
		t.Errorf("%d of %d requests", sum.Reads, maxMeters+10_000)
	}
	if n := u.count.Load(); n != 0 {
		t.Errorf("%d cells are left after the counts were taken", n)
	}
}

func TestWhatBucketsHoldIsKeptEachDay(t *testing.T) {
	b := newBench(t)
	one := keystile.Bucket{Backend: "main", Name: "one"}
	for day, bytes := range []int64{5, 7} {
		b.set(func() {
			b.now = noon.AddDate(0, 0, day)
			b.held = map[keystile.Bucket]keystile.Amount{one: {Bytes: bytes, Objects: 1}}
		})
		must(t, b.keeper.Tick(t.Context()))
	}
	var days []keystile.UsageDay
	must(t, b.store.Read(t.Context(), func(tx store.Tx) (err error) {
		days, err = tx.StoredDays(keystile.UsageQuery{From: keystile.DayOf(noon), To: keystile.DayOf(noon).AddDate(0, 0, 2)})
		return err
	}))
	if len(days) != 2 || days[0].Stored.Bytes != 5 || days[1].Stored.Bytes != 7 {
		t.Errorf("days %+v", days)
	}
}

func mutation(id, action string, bytes int64) keystile.Event {
	return keystile.Event{
		ID: id, Time: noon.Add(time.Second), Action: "s3.proxy." + action, Result: keystile.ResultOK, Status: 200, Backend: "main", Bucket: "one",
		Detail: keystile.EventDetail{AccessKeyID: "AK1", Authenticated: true, Bytes: bytes},
	}
}

// What the trail tells is metered once: when a mutation is closed, however it
// comes to be known, and not before.
func TestTheTrailIsMetered(t *testing.T) {
	b := newBench(t)
	put, copied, deleted := mutation("1", "putobject", 10), mutation("2", "copyobject", 500), mutation("3", "deleteobjects", 40)
	failed, read := mutation("4", "putobject", 1000), mutation("5", "getobject", 1000)
	failed.Result = keystile.ResultError
	open := mutation("6", "uploadpart", 20)
	open.Open, open.Result = true, keystile.ResultUnknown
	lost := mutation("7", "putobject", 3000)
	lost.Open, lost.Result = true, keystile.ResultUnknown
	claimed := mutation("8", "putobject", 1)
	claimed.Detail.Authenticated = false
	derive := FromTrail()
	index := func(events []keystile.Event, outcomes []keystile.Outcome) {
		t.Helper()
		must(t, b.store.Write(t.Context(), func(tx store.Tx) error {
			if err := derive(tx, events, outcomes); err != nil {
				return err
			}
			if err := tx.IndexEvents(events); err != nil {
				return err
			}
			return tx.IndexOutcomes(outcomes)
		}))
	}
	index([]keystile.Event{put, copied, deleted, failed, read, open, lost, claimed}, nil)
	if got := b.meters(keystile.ByCredential)["AK1"]; got != (keystile.Meter{Writes: 2, Deletes: 1, BytesIn: 10}) {
		t.Errorf("before the outcome %+v", got)
	}
	done := keystile.Outcome{EventID: "6", Result: keystile.ResultOK, Status: 200, Detail: open.Detail}
	index(nil, []keystile.Outcome{done, {EventID: "7", Result: keystile.ResultUnknown, Detail: lost.Detail}})
	index(nil, []keystile.Outcome{done}) // once more: the first one counts
	if got := b.meters(keystile.ByCredential)["AK1"]; got != (keystile.Meter{Writes: 3, Deletes: 1, BytesIn: 30}) {
		t.Errorf("in the end %+v", got)
	}
	if got := b.meters(keystile.ByCredential)[""]; got.Writes != 1 {
		t.Errorf("a merely claimed key: %+v", got)
	}
}
