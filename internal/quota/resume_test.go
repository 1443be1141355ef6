package quota

import (
	"testing"

	"keystile/internal/keystile"
)

// cutOff is a scene of 12 objects, three to a page, whose first count hangs at the
// third page.
func cutOff(t *testing.T) *scene {
	s := newScene(t, hardBytes(1<<20))
	s.backend.page, s.backend.hangAt = 3, 3
	for n := range 12 {
		s.backend.objects[key(n)] = 100
	}
	s.run()
	s.until("at the third page", func(keystile.Usage) bool {
		s.backend.mu.Lock()
		defer s.backend.mu.Unlock()
		return s.backend.pages == 3
	})
	return s
}

func (s *scene) goesOn(pages int) {
	s.t.Helper()
	s.backend.pages, s.backend.hangAt = 0, 0
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() && u.Scan == nil })
	if s.backend.pages != pages {
		s.t.Errorf("%d pages were read, want %d", s.backend.pages, pages)
	}
}

// An orderly stop keeps how far a count is, with what changes until the last write
// has ended: the count goes on there, and what it finds is what is stored.
func TestCountGoesOnAfterARestart(t *testing.T) {
	s := cutOff(t)
	late, err := s.ledger.Reserve(t.Context(), uploads, keystile.Amount{}, Writer{})
	s.must(err)
	s.must(late.Order(t.Context(), ObjectPlace(key(1)), false))
	s.must(late.Watch(t.Context(), ObjectPlace(key(1)), s.learn(key(1))))
	s.remove(s.ledger, key(0))  // behind what was counted
	s.remove(s.ledger, key(11)) // ahead of it
	s.halt()
	s.backend.do(func() { delete(s.backend.objects, key(1)) }) // when counting has stopped
	late.Removed(key(1), "", false)
	late.End()
	s.must(s.ledger.Flush(t.Context()))
	s.start()
	s.goesOn(2)
	s.used(s.backend.sum())
	if u := s.usage(); u.Recount {
		t.Errorf("usage is %+v", u)
	}
}

// What a killed process may have written behind what it had counted is in its lease,
// and counts until another count has settled it.
func TestCountGoesOnAfterAKill(t *testing.T) {
	s := newScene(t, hardBytes(1<<20))
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
	s.backend.page, s.backend.pages, s.backend.hangAt = 3, 0, 3
	for n := range 12 {
		s.must(s.put(key(n), 100, s.stores(key(n), 100)))
	}
	s.ledger.Scan(uploads)
	s.until("at the third page", func(keystile.Usage) bool {
		s.backend.mu.Lock()
		defer s.backend.mu.Unlock()
		return s.backend.pages == 3
	})
	s.must(s.ledger.book(uploads).flush(t.Context(), true))
	s.must(s.put(key(0), 50_000, s.stores(key(0), 50_000))) // covered by the lease, and by nothing else
	s.halt()
	s.start()
	s.backend.pages, s.backend.hangAt = 0, 0
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return u.Scan == nil && s.backend.counted() == 2 })
	if u := s.usage(); !s.backend.sum().Within(u.Total()) {
		t.Errorf("%+v counts, %+v is stored", u, s.backend.sum())
	}
	s.count()
	s.used(s.backend.sum())
}

func (s *backend) counted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pages
}

// A count that was spoilt, or cannot go on, begins anew.
func TestCountThatCannotGoOnBeginsAnew(t *testing.T) {
	s := cutOff(t)
	h, err := s.ledger.Reserve(t.Context(), uploads, keystile.Amount{}, Writer{})
	s.must(err)
	s.halt()
	h.Moved("spoilt") // an upload that was completed, of a size that is not known
	h.End()
	s.must(s.ledger.Flush(t.Context()))
	s.start()
	s.goesOn(4)
}
