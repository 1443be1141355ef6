package quota

import (
	"errors"
	"testing"

	"keystile/internal/keystile"
)

func TestBucketsOfOneOwnerShareACap(t *testing.T) {
	start := func(t *testing.T) *scene {
		s := newScene(t, hardBytes(900))
		s.backend.objects["there"] = 400
		s.own(1000)
		s.second.backend.objects["there"] = 300
		s.run()
		for _, one := range s.both() {
			one.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
		}
		return s
	}
	var over *OverError
	t.Run("what fits to the byte passes", func(t *testing.T) {
		s := start(t).second
		s.must(s.put("k", 300, s.stores("k", 300)))
	})
	t.Run("one byte more does not, though each bucket has room", func(t *testing.T) {
		s := start(t).second
		err := s.put("k", 301, s.stores("k", 301))
		if !errors.As(err, &over) || *over != (OverError{Bucket: archive, Of: OfOwner, Unit: "bytes", Cap: 1000, Used: 700, Needed: 301}) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is reserved in one is not free for the other", func(t *testing.T) {
		s := start(t)
		s.must(s.put("k", 200, func(h *Hold) {
			if err := s.second.put("k", 101, func(*Hold) {}); !errors.As(err, &over) || over.Used != 900 {
				t.Errorf("got %v", err)
			}
		}))
		s.second.must(s.second.put("k", 300, s.second.stores("k", 300)))
	})
	t.Run("the tightest of two caps is told", func(t *testing.T) {
		s := start(t)
		s.second.remove(s.ledger, "there") // the owner has 600 left, the bucket 500
		if err := s.put("k", 700, s.stores("k", 700)); !errors.As(err, &over) || over.Of != OfBucket || over.Cap != 900 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is freed in one is free for the other", func(t *testing.T) {
		s := start(t)
		s.remove(s.ledger, "there")
		s.second.must(s.second.put("k", 700, s.second.stores("k", 700)))
	})
	t.Run("one that was never counted shuts all", func(t *testing.T) {
		s := newScene(t, hardBytes(900))
		s.own(1000)
		if err := s.second.put("k", 1, s.second.stores("k", 1)); !errors.Is(err, ErrUncounted) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a cap that is taken away bounds nothing", func(t *testing.T) {
		s := start(t)
		for i := range s.store.owned {
			s.store.owned[i].MaxBytes = keystile.NoCap
		}
		s.store.generation++
		s.must(s.ledger.Sync(t.Context()))
		s.second.backend.together = 1 << 40
		s.backend.together = 1 << 40
		s.second.must(s.second.put("k", 5000, s.second.stores("k", 5000)))
	})
	t.Run("a lease is no more than what the owner has left", func(t *testing.T) {
		s := start(t)
		s.must(s.put("k", 10, s.stores("k", 10)))
		s.second.must(s.second.put("k", 10, s.second.stores("k", 10)))
		s.halt()
		s.start()
		for _, one := range s.both() {
			if u := one.usage(); u.Unknown.Bytes > 1000 { // a bucket without a cap of its own takes much more at once
				t.Errorf("%s: usage is %+v", one.bucket, u)
			}
		}
	})
}
