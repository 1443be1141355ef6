package quota

import (
	"testing"

	"keystile/internal/keystile"
)

// A change that is under way while a whole count passes was seen by it or not: what
// the count found of the place is what the change replaces.
func TestChangeThatOutlastsACount(t *testing.T) {
	for _, tt := range []struct {
		name        string
		before, now int64 // bytes of the object
		effective   bool  // before it is counted
	}{
		{"a smaller object that the count has seen", 500, 50, true},
		{"a larger object that the count has seen", 50, 500, true},
		{"a smaller object that the count has not seen", 500, 50, false},
		{"a larger object that the count has not seen", 50, 500, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, hardBytes(10_000))
			s.backend.objects["k"], s.backend.objects["l"] = tt.before, 7
			s.run()
			s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
			take := func() { s.backend.do(func() { s.backend.write("k", tt.now) }) }
			s.must(s.put("k", tt.now, func(h *Hold) {
				if tt.effective {
					take()
				}
				s.count()
				if !tt.effective {
					take()
				}
				h.Wrote("k", tt.now, "")
			}))
			s.used(s.backend.sum())
		})
	}
}
