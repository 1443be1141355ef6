package audit_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/keystile"
)

func (tr *trail) refusal(change func(*keystile.Event)) keystile.Event {
	e := tr.event("s3.proxy.getobject")
	e.Result, e.Status, e.Detail.Code = keystile.ResultDenied, 403, "AccessDenied"
	if change != nil {
		change(&e)
	}
	return e
}

// refuse records n refusals and waits for all of them.
func (tr *trail) refuse(n int, change func(i int, e *keystile.Event)) {
	tr.t.Helper()
	waiting := make([]audit.Pending, 0, n)
	for i := range n {
		waiting = append(waiting, tr.Refuse(tr.refusal(func(e *keystile.Event) {
			if change != nil {
				change(i, e)
			}
		})))
	}
	for _, p := range waiting {
		must(tr.t, tr.wait(p))
	}
}

// tally returns how many rows there are, how many of them count, and how many
// refusals they stand for.
func (tr *trail) tally() (rows, counting int, total int64) {
	tr.t.Helper()
	for _, e := range tr.events() {
		rows++
		if e.Detail.Count > 0 {
			counting++
		}
		total += max(1, e.Detail.Count)
	}
	return rows, counting, total
}

func (tr *trail) wantTally(rows, counting int, total int64) {
	tr.t.Helper()
	if r, c, n := tr.tally(); r != rows || c != counting || n != total {
		tr.t.Errorf("%d rows, %d of them counting, for %d refusals; want %d, %d, %d", r, c, n, rows, counting, total)
	}
}

func TestTheFirstTenStandByThemselves(t *testing.T) {
	tr := newTrail(t)
	tr.refuse(10, nil)
	tr.wantTally(10, 0, 10)
	tr.refuse(1, nil)
	tr.wantTally(11, 1, 11)
}

func TestAFloodIsCountedExactly(t *testing.T) {
	tr := newTrail(t)
	tr.refuse(500, nil)
	last := tr.now().Add(30 * time.Second)
	tr.pass(30 * time.Second)
	tr.refuse(1, nil)
	tr.wantTally(11, 1, 501)
	counting := tr.events()[0]
	if counting.Detail.LastTime == nil || !counting.Detail.LastTime.Equal(last) || counting.Detail.Code != "AccessDenied" || counting.Result != keystile.ResultDenied {
		t.Errorf("the counting event is %+v, last %v", counting, counting.Detail.LastTime)
	}
}

func TestOnlyWhatIsTheSameIsCountedTogether(t *testing.T) {
	for name, change := range map[string]func(e *keystile.Event){
		"another address":    func(e *keystile.Event) { e.SourceIP = "192.0.2.2" },
		"IPv6":               func(e *keystile.Event) { e.SourceIP = "2001:db8::1" },
		"no address":         func(e *keystile.Event) { e.SourceIP = "" },
		"another code":       func(e *keystile.Event) { e.Detail.Code = "SignatureDoesNotMatch" },
		"another action":     func(e *keystile.Event) { e.Action = "s3.proxy.putobject" },
		"a verified key":     func(e *keystile.Event) { e.Detail.AccessKeyID, e.Detail.Authenticated = "AKIAVERIFIED", true },
		"a sign-in":          func(e *keystile.Event) { e.Action = "session.create" },
		"what is not hidden": func(e *keystile.Event) { e.SourceIP, e.Detail.Code = "198.51.100.7", "NotImplemented" },
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrail(t)
			tr.refuse(50, nil)
			tr.wantTally(11, 1, 50)
			tr.refuse(10, func(_ int, e *keystile.Event) { change(e) })
			tr.wantTally(21, 1, 60)
		})
	}
}

func TestWhatAClientCanMakeUpDoesNotEscapeTheCount(t *testing.T) {
	for name, change := range map[string]func(i int, e *keystile.Event){
		"claimed keys":     func(i int, e *keystile.Event) { e.Detail.AccessKeyID = fmt.Sprintf("AKIA%016d", i) },
		"buckets and keys": func(i int, e *keystile.Event) { e.Bucket, e.Key = fmt.Sprint("b", i), fmt.Sprint("k", i) },
		"user agents":      func(i int, e *keystile.Event) { e.UserAgent, e.RequestID = fmt.Sprint("ua", i), fmt.Sprint("r", i) },
		"one IPv6 network": func(i int, e *keystile.Event) { e.SourceIP = fmt.Sprintf("2001:db8:1:2:%x::%x", i, i+1) },
		"mapped IPv4":      func(i int, e *keystile.Event) { e.SourceIP = []string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2] },
		"messages":         func(i int, e *keystile.Event) { e.Detail.Message = fmt.Sprint("message ", i) },
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrail(t)
			tr.refuse(60, change)
			tr.wantTally(11, 1, 60)
		})
	}
}

func TestIPv6NetworksAreToldApart(t *testing.T) {
	tr := newTrail(t)
	for i := range 3 {
		tr.refuse(20, func(_ int, e *keystile.Event) { e.SourceIP = fmt.Sprintf("2001:db8:1:%x::1", i) })
	}
	tr.wantTally(33, 3, 60)
}

func TestAWindowEnds(t *testing.T) {
	tr := newTrail(t)
	tr.refuse(30, nil)
	tr.pass(time.Minute - time.Nanosecond)
	tr.refuse(5, nil)
	tr.wantTally(11, 1, 35)
	tr.pass(time.Nanosecond)
	tr.refuse(30, nil)
	tr.wantTally(22, 2, 65)
}

func TestEverNewSourcesAreBounded(t *testing.T) {
	tr := newTrail(t)
	const sources = 10_000
	address := func(i int, e *keystile.Event) {
		e.SourceIP = fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		e.Detail.Authenticated = true // strangers are bounded before
	}
	tr.refuse(sources, address)
	tr.refuse(2000, func(i int, e *keystile.Event) { address(sources+i, e) })
	tr.refuse(20, address) // each is known and was seen once
	tr.wantTally(sources+31, 1, sources+2020)
	tr.pass(time.Minute)
	tr.refuse(20, func(_ int, e *keystile.Event) { e.SourceIP = "198.51.100.1" })
	tr.wantTally(sources+42, 2, sources+2040)
}

func TestEverNewKindsAreBounded(t *testing.T) {
	tr := newTrail(t)
	before := heap()
	const kinds = 12_500
	tr.refuse(kinds, func(i int, e *keystile.Event) {
		e.Detail.Code = fmt.Sprint("Code", i)
		e.Detail.Authenticated = true
	})
	rows, _, total := tr.tally()
	if total != kinds || rows > 11_100 || rows < 10_000 {
		t.Errorf("%d rows for %d refusals", rows, total)
	}
	if grown := int64(heap()) - int64(before); grown > 16<<20 {
		t.Errorf("%d KiB are held", grown>>10)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestACountIsNotLostWithTheCommitOfItsEvent(t *testing.T) {
	d := newDisk(t)
	d.gate = make(chan struct{}, 100)
	tr := newTrailOn(t, d)
	take := func(n int) []audit.Pending {
		var waiting []audit.Pending
		for range n {
			waiting = append(waiting, tr.Refuse(tr.refusal(nil)))
		}
		return waiting
	}
	first := take(1)
	time.Sleep(20 * time.Millisecond) // alone in a commit, which stands at the gate
	head := take(10)                  // the tenth is the eleventh, which counts
	d.gate <- struct{}{}
	must(t, tr.wait(first[0]))
	time.Sleep(20 * time.Millisecond)
	counted := take(30) // they add to what is about to fail
	other := tr.Append(tr.event("a.b"))
	d.failing.Store(3)
	for range 3 {
		d.gate <- struct{}{}
	}
	for _, p := range head {
		if err := tr.wait(p); err == nil {
			t.Error("a failed commit is told as done")
		}
	}
	for range 50 {
		d.gate <- struct{}{}
	}
	must(t, tr.wait(other))
	for _, p := range counted {
		must(t, tr.wait(p))
	}
	tr.wantTally(3, 1, 32)
	for range 20 {
		must(t, tr.wait(tr.Refuse(tr.refusal(nil))))
	}
	tr.wantTally(14, 2, 52)
}
