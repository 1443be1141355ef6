package quota

import (
	"context"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// withUploads is a scene with 500 bytes in two uploads, one of them sent here.
func withUploads(t *testing.T) *scene {
	s := newScene(t, hardBytes(1000))
	s.backend.objects["there"] = 100
	s.backend.parts["u"] = map[int]int64{1: 200}
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
	s.backend.do(func() { s.backend.parts["v"] = map[int]int64{} })
	s.must(s.part(s.ledger, "v", 1, 300))
	return s
}

func (s *scene) expire(ids ...string) {
	s.backend.do(func() {
		for _, id := range ids {
			delete(s.backend.parts, id)
		}
	})
}

// givesBack waits until what counts is what is stored, without a count of all.
func (s *scene) givesBack() {
	s.t.Helper()
	counted := s.usage().CountedAt
	s.until("given back", func(u keystile.Usage) bool { return u.Used == s.backend.sum() })
	if u := s.usage(); !u.CountedAt.Equal(counted) || u.Recount || u.Scan != nil {
		s.t.Errorf("the bucket was counted, or is to be: %+v", u)
	}
}

// What the backend took away of uploads is free without a count of the bucket.
func TestExpiredUploadsAreGivenBack(t *testing.T) {
	t.Run("in a while", func(t *testing.T) {
		s := withUploads(t)
		s.expire("u", "v")
		s.pass(uploadsEvery)
		s.givesBack()
	})
	t.Run("some of them", func(t *testing.T) {
		s := withUploads(t)
		s.expire("v")
		s.pass(uploadsEvery)
		s.givesBack()
		s.must(s.part(s.ledger, "u", 1, 50)) // and what is left goes on counting
		s.must(s.end(s.ledger, "u", "k"))
		s.used(s.backend.sum())
	})
	t.Run("sooner when a part is sent to one that is gone", func(t *testing.T) {
		s := withUploads(t)
		s.expire("v")
		s.must(s.part(s.ledger, "v", 2, 1))
		s.pass(uploadsPause)
		s.givesBack()
	})
	t.Run("sooner when one that is gone is aborted", func(t *testing.T) {
		s := withUploads(t)
		s.expire("u")
		s.must(s.end(s.ledger, "u", ""))
		s.pass(uploadsPause)
		s.givesBack()
	})
	t.Run("after a restart", func(t *testing.T) {
		s := withUploads(t)
		s.halt()
		s.must(s.ledger.Flush(t.Context()))
		s.expire("u", "v")
		s.start()
		s.run()
		s.pass(uploadsEvery)
		s.givesBack()
	})
	t.Run("while a part is on its way", func(t *testing.T) {
		s := withUploads(t)
		ctx := t.Context()
		h, err := s.ledger.Reserve(ctx, uploads, keystile.Amount{Bytes: 70}, Writer{})
		s.must(err)
		s.must(h.Watch(ctx, PartPlace("v", 1), func(context.Context) (State, error) { return State{Exists: true, Size: 300}, nil }))
		s.must(h.Order(ctx, UploadPlace("v"), true))
		s.must(h.Order(ctx, PartPlace("v", 1), false))
		s.backend.do(func() { s.backend.parts["v"][1] = 70 })
		s.expire("u")
		s.pass(uploadsEvery)
		s.until("listed", func(u keystile.Usage) bool { return u.Used.Bytes == 100+70 })
		h.WrotePart("v", 1, 70)
		h.End()
		s.used(s.backend.sum())
	})
}

// An upload that is gone may have become an object that does not count yet: its parts
// count until that does.
func TestPartsOfWhatBecomesAnObjectGoOnCounting(t *testing.T) {
	covers := func(s *scene) {
		s.t.Helper()
		if u := s.usage(); !s.backend.sum().Within(u.Total()) {
			s.t.Errorf("%+v counts, %+v is stored", u.Total(), s.backend.sum())
		}
	}
	lists := func(s *scene) { // as often as may be
		for range 3 {
			s.pass(uploadsEvery)
			time.Sleep(5 * time.Millisecond)
		}
	}
	t.Run("while it is completed", func(t *testing.T) {
		s := withUploads(t)
		ctx := t.Context()
		h, err := s.ledger.Reserve(ctx, uploads, keystile.Amount{Objects: 1}, Writer{})
		s.must(err)
		s.must(h.Order(ctx, UploadPlace("u"), false))
		s.must(h.Order(ctx, ObjectPlace("k"), false))
		s.must(h.Watch(ctx, ObjectPlace("k"), s.learn("k")))
		s.backend.do(func() { delete(s.backend.parts, "u"); s.backend.objects["k"] = 200 })
		lists(s)
		covers(s)
		h.Wrote("k", 200, "")
		h.Ended("u", map[int]int64{1: 200})
		h.End()
		s.used(s.backend.sum())
	})
	t.Run("when a listing was under way as that began", func(t *testing.T) {
		s := withUploads(t)
		s.halt()
		s.pass(uploadsEvery)
		run := s.ledger.book(uploads).beginUploads(t.Context())
		ctx := t.Context()
		h, err := s.ledger.Reserve(ctx, uploads, keystile.Amount{Objects: 1}, Writer{})
		s.must(err)
		s.must(h.Order(ctx, UploadPlace("u"), false))
		s.backend.do(func() { delete(s.backend.parts, "u"); s.backend.objects["k"] = 200 })
		run()
		covers(s)
		h.Wrote("k", 200, "")
		h.Ended("u", map[int]int64{1: 200})
		h.End()
		covers(s)
	})
	t.Run("when nobody knows whether it was completed", func(t *testing.T) {
		s := withUploads(t)
		s.backend.mute = true
		s.loseEnd("u", "k", true)
		for asked := range 3 {
			lists(s)
			s.until("asked for the object", func(keystile.Usage) bool {
				s.backend.mu.Lock()
				defer s.backend.mu.Unlock()
				return s.backend.asked > asked
			})
			covers(s)
		}
	})
	t.Run("when a count came before it was completed", func(t *testing.T) {
		s := withUploads(t)
		h, err := s.ledger.Reserve(t.Context(), uploads, keystile.Amount{Objects: 1}, Writer{})
		s.must(err)
		s.must(h.Order(t.Context(), UploadPlace("u"), false))
		h.Lose(true, Doubt{})
		h.End()
		s.pass(time.Second)
		s.countAfter(s.clock())
		s.halt()
		s.backend.do(func() { delete(s.backend.parts, "u"); s.backend.objects["k"] = 200 })
		s.pass(uploadsEvery)
		if run := s.ledger.book(uploads).beginUploads(t.Context()); run != nil {
			run()
		}
		covers(s)
	})
}

// Nothing is listed where no parts count, and no count of all is put off.
func TestUploadsAreListedOnlyWhereSomeCount(t *testing.T) {
	s := withUploads(t)
	b := s.ledger.book(uploads)
	due := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.uploadsDue(s.clock().Add(time.Hour))
	}
	s.halt()
	if !due() {
		t.Error("parts count, and are not listed")
	}
	s.must(s.end(s.ledger, "u", ""))
	if !due() {
		t.Error("some parts count, and are not listed")
	}
	h, err := s.ledger.Reserve(t.Context(), uploads, keystile.Amount{}, Writer{})
	s.must(err)
	h.Moved("k") // an object whose size only a count finds
	h.End()
	if due() {
		t.Error("parts are listed before all is counted: what became an object would be given back")
	}
	b.recount = false
	s.must(s.end(s.ledger, "v", ""))
	if due() {
		t.Error("no parts count, and are listed")
	}
}

// A count of all that is asked for while uploads are listed follows.
func TestCountFollowsAListingOfUploads(t *testing.T) {
	s := withUploads(t)
	s.halt()
	b := s.ledger.book(uploads)
	s.pass(uploadsEvery)
	run := b.beginUploads(t.Context())
	if run == nil {
		t.Fatal("uploads are not listed")
	}
	if u := s.usage(); u.Scan != nil {
		t.Errorf("a listing of uploads is shown as a count: %+v", u.Scan)
	}
	s.ledger.Scan(uploads)
	run()
	before := s.usage().CountedAt
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return u.CountedAt.After(before) && u.Scan == nil })
	s.used(s.backend.sum())
}
