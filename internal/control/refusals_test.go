package control

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func stranger(i int) Actor {
	return Actor{Request: Request{Source: netip.MustParseAddr("203.0.113.9"), ID: fmt.Sprint(i)}}
}

func total(events []keystile.Event) (n int64) {
	for _, e := range events {
		n += max(1, e.Detail.Count)
	}
	return n
}

func TestFloodsAreCollapsed(t *testing.T) {
	b := newBench(t)
	refuse := func(a Actor) { _ = b.RecordRefusal(t.Context(), a, "token.use", keystile.ErrUnauthenticated) }
	for i := range 2 * refusalsOfAllStrangers {
		refuse(stranger(i))
	}
	events := b.events(t, "token.use")
	if len(events) != refusalsOfStrangers+1 {
		t.Fatalf("%d rows, want %d and a counted one", len(events), refusalsOfStrangers)
	}
	must(t, b.Maintain(t.Context()))
	if n := total(b.events(t, "token.use")); n != 2*refusalsOfAllStrangers {
		t.Errorf("%d refusals are counted, want %d", n, 2*refusalsOfAllStrangers)
	}
	other := stranger(0)
	other.Request.Source = netip.MustParseAddr("198.51.100.7")
	refuse(other)
	if events := b.events(t, "token.use"); len(events) != refusalsOfStrangers+2 || events[0].Detail.Count != 0 || events[0].SourceIP != "198.51.100.7" {
		t.Error("another source has no row of its own")
	}
	b.clock.pass(time.Minute)
	refuse(stranger(0))
	if events := b.events(t, "token.use"); len(events) != refusalsOfStrangers+3 {
		t.Error("the next minute has no rows of its own")
	}
}

// The count is brought up to date while the flood goes on, and what is left
// when its minute ends is not lost.
func TestCountsAreKeptUpToDate(t *testing.T) {
	b := newBench(t)
	for i := range 150 {
		_ = b.RecordRefusal(t.Context(), stranger(i), "token.use", keystile.ErrUnauthenticated)
		b.clock.pass(100 * time.Millisecond)
	}
	if n := total(b.events(t, "token.use")); n < 135 {
		t.Errorf("%d of 150 refusals are in the store after 15 seconds", n)
	}
	b.clock.pass(2 * time.Minute)
	_ = b.RecordRefusal(t.Context(), stranger(0), "token.use", keystile.ErrUnauthenticated)
	if n := total(b.events(t, "token.use")); n != 151 {
		t.Errorf("%d refusals are counted, want 151", n)
	}
	last := b.events(t, "token.use")[1].Detail
	if last.LastTime == nil || last.Count < 100 {
		t.Errorf("the counted row is %+v", last)
	}
}

func TestFloodFromEverywhereIsBounded(t *testing.T) {
	b := newBench(t)
	r := b.core.refusals
	for i := range maxRefusalKinds {
		r.kinds[refusalKind{source: fmt.Sprint(i)}] = &refusalWindow{start: b.clock.now()}
	}
	for i := range 500 {
		a := stranger(i)
		a.Request.Source = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		_ = b.RecordRefusal(t.Context(), a, "token.use", keystile.ErrUnauthenticated)
	}
	if len(r.kinds) > maxRefusalKinds+1 {
		t.Errorf("%d kinds are kept", len(r.kinds))
	}
	must(t, b.Maintain(t.Context()))
	events := b.events(t, "token.use")
	if len(events) != refusalsOfStrangers+1 || total(events) != 500 {
		t.Errorf("%d rows count %d refusals", len(events), total(events))
	}
	b.clock.pass(time.Hour)
	must(t, b.Maintain(t.Context()))
	if len(r.kinds) != 0 {
		t.Errorf("%d kinds are kept after an hour", len(r.kinds))
	}
}

// Many sources that each stay below their own limit do not fill the disk either.
func TestFloodFromManySourcesIsBounded(t *testing.T) {
	b := newBench(t)
	const flood = 3 * refusalsOfAllStrangers
	for i := range flood {
		a := stranger(i)
		a.Request.Source = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		_ = b.RecordRefusal(t.Context(), a, "token.use", keystile.ErrUnauthenticated)
	}
	must(t, b.Maintain(t.Context()))
	rows, counted := 0, int64(0)
	must(t, b.store.Read(t.Context(), func(tx store.Tx) error {
		for cursor := ""; ; {
			events, next, err := tx.Events(keystile.EventPage{Limit: 1000, Cursor: cursor, Filter: keystile.EventFilter{ActionPrefix: "token.use"}})
			rows, counted, cursor = rows+len(events), counted+total(events), next
			if err != nil || next == "" {
				return err
			}
		}
	}))
	if rows != refusalsOfAllStrangers+refusalsOfStrangers+1 || counted != flood {
		t.Errorf("%d rows count %d refusals", rows, counted)
	}
}

// Counts that the store did not take are tried again.
func TestCountsSurviveAFullDisk(t *testing.T) {
	b := newBench(t)
	for i := range 50 {
		_ = b.RecordRefusal(t.Context(), stranger(i), "token.use", keystile.ErrUnauthenticated)
	}
	b.store.fill(errors.New("disk full"))
	if b.Maintain(t.Context()) == nil {
		t.Error("maintenance on a full disk succeeds")
	}
	b.store.fill(nil)
	must(t, b.Maintain(t.Context()))
	if n := total(b.events(t, "token.use")); n != 50 {
		t.Errorf("%d refusals are counted, want 50", n)
	}
}

func TestRefusalsAtOnce(t *testing.T) {
	b := newBench(t)
	var wait sync.WaitGroup
	for i := range 200 {
		wait.Go(func() {
			if err := b.RecordRefusal(t.Context(), stranger(i), "token.use", keystile.ErrUnauthenticated); !errors.Is(err, keystile.ErrUnauthenticated) {
				t.Errorf("RecordRefusal = %v", err)
			}
		})
	}
	wait.Wait()
	must(t, b.Maintain(t.Context()))
	events := b.events(t, "token.use")
	if len(events) != refusalsOfStrangers+1 || total(events) != 200 {
		t.Errorf("%d rows count %d refusals", len(events), total(events))
	}
}
