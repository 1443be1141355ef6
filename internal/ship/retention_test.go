package ship_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/ship"
	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
)

// kept is a trail of small segments whose retention waits for its sinks.
type kept struct {
	t     *testing.T
	dir   string
	db    *sqlstore.DB
	trail *audit.Trail
	ships atomic.Pointer[ship.Shipper]
	log   lockedBuffer
	made  atomic.Int64
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

func newKept(t *testing.T, r audit.Retention) *kept {
	k := &kept{t: t, dir: t.TempDir()}
	ring, err := seal.New(seal.NewKey())
	must(t, err)
	k.db, err = sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "keystile.db"), ring)
	must(t, err)
	r.Every = 20 * time.Millisecond
	k.trail, err = audit.Open(t.Context(), audit.Options{
		Dir: k.dir, Store: k.db, Log: slog.New(slog.NewTextHandler(&k.log, nil)), Now: time.Now, SegmentBytes: 5000, Retention: r,
		Anchors: audit.Anchoring{Key: ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize))), Every: time.Hour},
		Shipped: func() uint64 {
			if s := k.ships.Load(); s != nil {
				return s.Shipped()
			}
			return 0
		},
	})
	must(t, err)
	t.Cleanup(func() { must(t, k.db.Close()) })
	return k
}

// ship sends to the feeds until the returned function is called.
func (k *kept) ship(feeds ...ship.Feed) (stop func()) {
	k.t.Helper()
	s, err := ship.New(k.t.Context(), ship.Options{Journal: k.trail.Reading(), Store: k.db, Log: slog.New(slog.NewTextHandler(&k.log, nil)), Now: time.Now, Feeds: feeds})
	must(k.t, err)
	k.ships.Store(s)
	ctx, cancel := context.WithCancel(context.WithoutCancel(k.t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// record makes n events durable, four at a time.
func (k *kept) record(n int) {
	k.t.Helper()
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range n / 4 {
				id := fmt.Sprintf("e%d", k.made.Add(1))
				e := keystile.Event{ID: id, Time: time.Now(), Action: "s3.proxy.putobject", Result: keystile.ResultOK, Backend: "main", Bucket: "photos", Key: id}
				if err := k.trail.Append(e).Wait(context.Background()); err != nil {
					k.t.Error(err)
				}
			}
		})
	}
	writers.Wait()
}

// begins is the first record that is left. The journal is sound.
func (k *kept) begins() uint64 {
	k.t.Helper()
	r, err := journal.Verify(k.dir)
	must(k.t, err)
	if len(r.Faults) > 0 {
		k.t.Fatalf("verify: %v", r.Faults)
	}
	return r.First
}

// exported are all events of the index, oldest first, read page by page.
func (k *kept) exported() (all []keystile.Event) {
	k.t.Helper()
	must(k.t, k.trail.CaughtUp(k.t.Context()))
	for cursor := ""; ; {
		var page []keystile.Event
		must(k.t, k.db.Read(k.t.Context(), func(tx store.Tx) (err error) {
			page, cursor, err = tx.Events(keystile.EventPage{Limit: 100, Cursor: cursor})
			return err
		}))
		all = append(all, page...)
		if cursor == "" {
			slices.Reverse(all)
			return all
		}
	}
}

func (g *got) seen() []uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.order)
}

// all checks that no record is missing up to the last one; what was being sent
// when a shipper ended may have come again.
func (g *got) all(t *testing.T) {
	t.Helper()
	next := uint64(1)
	for _, seq := range g.seen() {
		if seq > next {
			t.Fatalf("after record %d came %d", next-1, seq)
		}
		next = max(next, seq+1)
	}
}

// TestRetentionOfALiveTrailWithSinks removes old segments while events are
// recorded, read, exported and shipped to three sinks: one that takes all, one
// that is dead for a while and waited for, one that is dead and not waited for.
func TestRetentionOfALiveTrailWithSinks(t *testing.T) {
	for name, retention := range map[string]audit.Retention{
		"by size": {KeepBytes: 6000},
		"by age":  {KeepFor: 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKept(t, retention)
			live, dead, unwaited := newReceiver(t), newReceiver(t), newReceiver(t)
			unwaited.setDown(true)
			start := func() (stop func()) {
				return k.ship(
					ship.Feed{Name: "live", Kind: "webhook", Sink: live.sink(), Records: true, Waited: true},
					ship.Feed{Name: "dead", Kind: "webhook", Sink: dead.sink(), Records: true, Waited: true},
					ship.Feed{Name: "unwaited", Kind: "webhook", Sink: unwaited.sink(), Records: true},
				)
			}
			stop := start()
			reading := k.trail.Reading().Read(1) // a reader that was there before all
			k.record(40)
			until(t, "the sink that will die to get some", func() bool { return dead.count() >= 40 })
			dead.setDown(true)
			gotBefore := uint64(len(dead.seen()))
			k.record(400)
			until(t, "the other to get all", func() bool { return live.count() >= 440 })
			for range 10 { // looks of retention
				time.Sleep(20 * time.Millisecond)
				if first := k.begins(); first > gotBefore+1 {
					t.Fatalf("begins with record %d while a sink that is waited for has got up to %d", first, gotBefore)
				}
			}
			if all := k.exported(); len(all) < 400 {
				t.Fatalf("%d events in the index", len(all))
			}

			dead.setDown(false)
			for tries := 0; uint64(dead.count()) < k.trail.Reading().Head(); time.Sleep(10 * time.Millisecond) {
				if tries++; tries > 12_000 { // its pause may have grown to a minute
					t.Fatal("the dead one does not get all")
				}
			}
			until(t, "what all have got to be removed", func() bool { return k.begins() > 300 })
			k.record(20) // all goes on
			head := k.trail.Reading().Head()
			until(t, "all sinks to get the rest", func() bool { return uint64(live.count()) >= head && uint64(dead.count()) >= head })
			until(t, "the index to follow", func() bool { return len(k.exported()) < 300 })
			live.got.mu.Lock()
			if live.retired == 0 {
				t.Error("the trail does not tell what was removed of it")
			}
			live.got.mu.Unlock()
			read := readOn(t, reading)
			if read == 0 {
				t.Error("a reader whose place was removed reads nothing")
			}

			// A shipper that begins anew does not wait out the pause of a sink that
			// was dead for long.
			stop()
			unwaited.setDown(false)
			stop = start()
			until(t, "the one that is not waited for to get what is left", func() bool {
				seen := unwaited.seen()
				return len(seen) > 0 && seen[len(seen)-1] >= head
			})
			stop()
			seen := unwaited.seen()
			if seen[0] == 1 || !strings.Contains(k.log.text(), "no longer has records that the sink did not get") {
				t.Errorf("the sink that is not waited for began with record %d, and nothing tells", seen[0])
			}
			begins, next := k.begins(), seen[0]
			for _, seq := range seen {
				if seq > next && seq > begins {
					t.Errorf("after record %d came %d, of a journal that begins with %d", next-1, seq, begins)
				}
				next = max(next, seq+1)
			}
			live.all(t)
			dead.all(t)
			must(t, k.trail.Close(t.Context()))
			k.begins()
			t.Logf("%d records made, the journal begins with %d, %d events are indexed, %d were read on", head, k.begins(), len(k.indexed()), read)
		})
	}
}

// indexed are the events of the index of a trail that is closed.
func (k *kept) indexed() (all []keystile.Event) {
	must(k.t, k.db.Read(k.t.Context(), func(tx store.Tx) (err error) {
		all, _, err = tx.Events(keystile.EventPage{Limit: 1000})
		return err
	}))
	return all
}

// readOn reads to the end; what was removed is passed over.
func readOn(t *testing.T, c *journal.Cursor) (n int) {
	t.Helper()
	defer func() { must(t, c.Close()) }()
	for last := uint64(0); ; n++ {
		seq, _, err := c.Next()
		if errors.Is(err, io.EOF) {
			return n
		}
		must(t, err)
		if seq <= last {
			t.Fatalf("after record %d came %d", last, seq)
		}
		last = seq
	}
}
