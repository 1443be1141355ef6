package quota

import (
	"errors"
	"testing"

	"keystile/internal/keystile"
)

func TestWriteThatGrowsIsHeldToTheCap(t *testing.T) {
	ctx := t.Context()
	grow := func(s *scene, steps ...int64) (*Hold, error) {
		h, err := s.ledger.Reserve(ctx, uploads, keystile.Amount{Objects: 1}, Writer{})
		s.must(err)
		for _, n := range steps {
			if err = h.Grow(ctx, keystile.Amount{Bytes: n}); err != nil {
				break
			}
		}
		return h, err
	}
	t.Run("to the byte", func(t *testing.T) {
		s := counted(t, hardBytes(1000))
		h, err := grow(s, 500, 500)
		s.must(err)
		s.backend.do(func() { s.backend.write("k", 1000) })
		h.Wrote("k", 1000, "")
		h.End()
		s.until("settled", func(u keystile.Usage) bool { return u.Used.Bytes == 1000 && u.Reserved.Bytes == 0 })
	})
	t.Run("what does not fit any more is refused, and all is given back", func(t *testing.T) {
		s := counted(t, hardBytes(1000))
		h, err := grow(s, 500, 501)
		var over *OverError
		if !errors.As(err, &over) || over.Used != 500 || over.Needed != 501 {
			t.Errorf("got %v", err)
		}
		h.End()
		s.used(keystile.Amount{})
	})
	t.Run("a count meanwhile is followed by another", func(t *testing.T) {
		s := counted(t, hardBytes(1000))
		h, err := grow(s, 500)
		s.must(err)
		s.backend.do(func() { s.backend.parts["u"] = map[int]int64{1: 500} }) // that the ledger is not told of
		s.count()
		s.backend.do(func() {
			delete(s.backend.parts, "u")
			s.backend.write("k", 500)
		})
		h.Wrote("k", 500, "")
		h.End()
		if u := s.usage(); !u.Recount {
			t.Errorf("usage is %+v", u)
		}
		s.count()
		s.used(keystile.Amount{Bytes: 500, Objects: 1})
	})
}
