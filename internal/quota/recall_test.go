package quota

import (
	"context"
	"fmt"
	"hash/maphash"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// asking is a write that tells whether the backend was asked for what was there.
func (s *scene) asking(key string, size int64) (asked bool) {
	s.t.Helper()
	ctx := s.t.Context()
	h, err := s.ledger.Reserve(ctx, s.bucket, keystile.Amount{Bytes: size, Objects: 1}, s.by)
	s.must(err)
	defer h.End()
	learn := func(ctx context.Context) (State, error) {
		asked = true
		return s.learn(key)(ctx)
	}
	s.must(h.Watch(ctx, ObjectPlace(key), learn))
	s.must(h.Order(ctx, ObjectPlace(key), false))
	s.must(h.Watch(ctx, ObjectPlace(key), learn))
	s.stores(key, size)(h)
	return asked
}

func TestBackendIsAskedOnlyForWhatTheBookDoesNotKnow(t *testing.T) {
	s := newScene(t, hardBytes(10_000))
	s.backend.objects["old"] = 100
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
	for _, tt := range []struct {
		name  string
		do    func() (asked bool)
		asked bool
	}{
		{"a new key", func() bool { return s.asking("new", 50) }, false},
		{"one that was written before", func() bool { return s.asking("new", 60) }, false},
		{"one that was there when it was counted", func() bool { return s.asking("old", 10) }, true},
		{"and that was written since", func() bool { return s.asking("old", 20) }, false},
		{"one that was deleted", func() bool { s.remove(s.ledger, "old"); return s.asking("old", 30) }, false},
		{"one whose write was lost", func() bool {
			s.lose("lost", 70, true)
			return s.asking("lost", 5)
		}, true},
		{"one that a count has found", func() bool { s.count(); return s.asking("new", 5) }, true},
		{"a new one after a count", func() bool { return s.asking("newer", 5) }, false},
		{"any after a restart", func() bool {
			s.halt()
			s.must(s.ledger.Flush(t.Context()))
			s.start()
			s.run()
			return s.asking("newest", 5)
		}, true},
	} {
		if asked := tt.do(); asked != tt.asked {
			t.Errorf("%s: asked is %v, want %v", tt.name, asked, tt.asked)
		}
		s.pass(time.Hour)
		s.until("settled", func(u keystile.Usage) bool { return u.Unknown == keystile.Amount{} })
		s.used(s.backend.sum())
	}
}

// Whoever writes beside the gateway changes nothing in the book before a count: what
// the gateway writes over it is then counted once, and exactly.
func TestWhatOthersWroteIsNotCredited(t *testing.T) {
	s := counted(t, hardBytes(10_000))
	s.must(s.put("k", 100, s.stores("k", 100)))
	s.must(s.put("l", 100, s.stores("l", 100)))
	others := func(change func()) { s.backend.do(change) }
	others(func() { s.backend.objects["k"] = 3000; s.backend.objects["new"] = 4000; delete(s.backend.objects, "l") })
	for _, key := range []string{"k", "l", "new"} {
		s.must(s.put(key, 10, s.stores(key, 10)))
	}
	s.used(s.backend.sum())
	others(func() { s.backend.objects["k"] = 3000; s.backend.objects["gone"] = 4000 })
	s.remove(s.ledger, "k")
	s.remove(s.ledger, "gone")
	s.used(s.backend.sum())
}

// A count that passes while an upload comes in may find something else than what
// was known when that began.
func TestCountDuringAnUploadEndsWhatWasKnown(t *testing.T) {
	for name, carriedOut := range map[string]func(*scene){
		"others wrote":   func(s *scene) { s.backend.objects["k"] = 700 },
		"others deleted": func(s *scene) { delete(s.backend.objects, "k") },
		"nobody did":     func(*scene) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := counted(t, hardBytes(10_000))
			s.must(s.put("k", 100, s.stores("k", 100)))
			ctx := t.Context()
			h, err := s.ledger.Reserve(ctx, uploads, keystile.Amount{Bytes: 50, Objects: 1}, Writer{})
			s.must(err)
			s.must(h.Watch(ctx, ObjectPlace("k"), s.learn("k")))
			s.backend.do(func() { carriedOut(s) })
			s.count()
			s.must(h.Order(ctx, ObjectPlace("k"), false))
			s.must(h.Watch(ctx, ObjectPlace("k"), s.learn("k")))
			s.stores("k", 50)(h)
			h.End()
			s.used(s.backend.sum())
		})
	}
}

// A bucket that costs many questions since a restart is counted once for all of them.
func TestManyQuestionsAreWorthACount(t *testing.T) {
	s := counted(t, hardBytes(1<<30))
	s.halt()
	s.must(s.ledger.Flush(t.Context()))
	s.start()
	for n := range 2 * enoughAsked {
		s.asking(fmt.Sprint("k", n), 1)
	}
	before := s.usage().CountedAt
	s.pass(time.Hour)
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return u.CountedAt.After(before) })
	if s.asking("new", 1) {
		t.Error("the backend was asked for a new key")
	}
}

func TestKeySet(t *testing.T) {
	const added, others = 50_000, 50_000
	var memory budget
	memory.left.Store(1 << 20)
	k := keySet{memory: &memory, seed: maphash.MakeSeed()}
	for n := range added {
		k.add(fmt.Sprint("in", n))
	}
	taken, mistaken := 1<<20-memory.left.Load(), 0
	for n := range added {
		if !k.has(fmt.Sprint("in", n)) {
			t.Fatalf("in%d is not there", n)
		}
	}
	for n := range others {
		if k.has(fmt.Sprint("out", n)) {
			mistaken++
		}
	}
	if mistaken > others/10 || taken > added*4 {
		t.Errorf("%d of %d others look like one of the set, which takes %d bytes", mistaken, others, taken)
	}
	t.Logf("%d of %d others look like one of %d, which take %d bytes", mistaken, others, added, taken)
	for n := 0; !k.full; n++ {
		k.add(fmt.Sprint("more", n))
	}
	if !k.has("anything") || memory.left.Load() != 1<<20 {
		t.Errorf("without memory: %d bytes are left", memory.left.Load())
	}
}

func TestSizesStayWithinTheirMemory(t *testing.T) {
	s := counted(t, hardBytes(1<<30))
	s.ledger.memory.left.Store(s.ledger.memory.left.Load() - mostRecalled + 100*1024)
	for n := range 2000 {
		s.must(s.put(fmt.Sprint("k", n), 1, s.stores(fmt.Sprint("k", n), 1)))
	}
	b := s.ledger.book(uploads)
	if n := len(b.sizes); n == 0 || n > 1000 || s.ledger.memory.left.Load() < 0 {
		t.Errorf("%d sizes are kept, %d bytes are left", n, s.ledger.memory.left.Load())
	}
}
