package audit_test

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/journal"
)

// keeping is a trail of small segments that is tended all the time.
func keeping(r audit.Retention, shipped func() uint64) func(*audit.Options) {
	return func(o *audit.Options) {
		r.Every = 5 * time.Millisecond
		o.Retention, o.SegmentBytes, o.Shipped = r, 2000, shipped
		o.Anchors = audit.Anchoring{Key: ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize))), Every: time.Hour}
	}
}

// writes records n events, each a minute after the one before.
func (j *journaled) writes(n int) {
	j.t.Helper()
	for range n {
		j.pass(time.Minute)
		must(j.t, j.wait(j.Trail.Append(j.event("s3.proxy.putobject"))))
	}
	j.caughtUp()
}

func (j *journaled) firstRecord() uint64 {
	j.t.Helper()
	r, err := journal.Verify(j.dir)
	must(j.t, err)
	if len(r.Faults) > 0 {
		j.t.Fatal(r.Faults)
	}
	return r.First
}

func TestRetentionRemovesWhatItMay(t *testing.T) {
	j := newJournaled(t, keeping(audit.Retention{KeepFor: 30 * time.Minute}, nil))
	j.writes(60)
	eventually(t, "the beginning to be removed", func() bool { return j.firstRecord() > 20 })
	told := func() (n int, oldest time.Time) {
		events := j.events()
		for _, e := range events {
			if e.Action == "audit.retire" {
				n++
			}
		}
		return n, events[len(events)-1].Time
	}
	eventually(t, "the trail and its index to tell", func() bool {
		n, oldest := told()
		return n > 0 && oldest.After(j.now().Add(-45*time.Minute))
	})
	j.dies()
	if first := j.firstRecord(); first <= 20 {
		t.Errorf("begins with %d", first)
	}
	j.writes(1)
}

func TestRetentionWaitsForWhomItMust(t *testing.T) {
	j := newJournaled(t, keeping(audit.Retention{KeepBytes: 1}, func() uint64 { return 7 }))
	j.writes(40)
	eventually(t, "what is shipped to be removed", func() bool { return j.firstRecord() > 1 })
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		if first := j.firstRecord(); first > 8 {
			t.Fatalf("begins with %d, shipped up to 7", first)
		}
	}
}

// An index that is made anew from what is left of a journal has what is left.
func TestAnIndexIsMadeFromARetiredJournal(t *testing.T) {
	j := newJournaled(t, keeping(audit.Retention{KeepFor: 30 * time.Minute}, nil))
	j.writes(60)
	eventually(t, "the beginning to be removed", func() bool { return j.firstRecord() > 20 })
	must(t, j.Trail.Close(t.Context()))
	j.disk = newDisk(t)
	j.change = nil
	j.open()
	j.caughtUp()
	last := uint64(0)
	for _, e := range j.events() {
		if e.Action == "s3.proxy.putobject" {
			last++
		}
	}
	r, err := journal.Verify(j.dir)
	must(t, err)
	if last == 0 || last > r.Last-r.First+1 || strings.Contains(j.log.String(), "level=ERROR") {
		t.Errorf("%d events of records %d to %d, log %s", last, r.First, r.Last, &j.log)
	}
}
