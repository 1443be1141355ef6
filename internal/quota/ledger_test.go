package quota

import (
	"errors"
	"testing"

	"keystile/internal/keystile"
)

func TestReserve(t *testing.T) {
	quota := keystile.BucketQuota{Soft: none, Hard: keystile.Amount{Bytes: 1000, Objects: 3}}
	for _, tt := range []struct {
		name string
		need keystile.Amount
		unit string // empty: it fits
	}{
		{"what fits to the byte passes", keystile.Amount{Bytes: 900, Objects: 1}, ""},
		{"one byte more does not", keystile.Amount{Bytes: 901, Objects: 1}, "bytes"},
		{"objects to the cap pass", keystile.Amount{Objects: 2}, ""},
		{"one object more does not", keystile.Amount{Objects: 3}, "objects"},
		{"the greatest number does not wrap around", keystile.Amount{Bytes: 1<<63 - 1}, "bytes"},
		{"what takes nothing passes", keystile.Amount{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, quota)
			s.backend.objects["there"] = 100
			s.run()
			s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
			h, err := s.ledger.Reserve(t.Context(), uploads, tt.need, Writer{})
			var over *OverError
			switch {
			case tt.unit == "":
				s.must(err)
				h.End()
			case !errors.As(err, &over) || over.Unit != tt.unit:
				t.Fatalf("got %v, want one that is over in %s", err, tt.unit)
			}
			s.used(keystile.Amount{Bytes: 100, Objects: 1})
		})
	}
}

func TestBucketIsShutUntilItWasCounted(t *testing.T) {
	s := newScene(t, hardBytes(1000))
	s.backend.objects["there"] = 990
	if err := s.put("k", 20, s.stores("k", 20)); !errors.Is(err, ErrUncounted) {
		t.Fatalf("got %v", err)
	}
	if _, err := s.ledger.Reserve(t.Context(), uploads, keystile.Amount{}, Writer{}); err != nil {
		t.Errorf("what takes nothing was refused: %v", err)
	}
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
	var over *OverError
	if err := s.put("k", 20, s.stores("k", 20)); !errors.As(err, &over) || over.Used != 990 || over.Needed != 20 || over.Cap != 1000 {
		t.Errorf("got %v", err)
	}
}

func TestNoCapCostsNoRefusal(t *testing.T) {
	s := newScene(t, keystile.BucketQuota{Soft: none, Hard: none})
	s.must(s.put("k", 1<<40, s.stores("k", 1<<40)))
	other, err := s.ledger.Reserve(t.Context(), keystile.Bucket{Backend: "prod", Name: "other"}, keystile.Amount{Bytes: 1}, Writer{})
	if other != nil || err != nil {
		t.Errorf("a bucket that is not counted: %v, %v", other, err)
	}
}

func TestLostWriteCountsUntilACountThatBeganLater(t *testing.T) {
	s := counted(t, hardBytes(1000))
	s.must(s.put("k", 600, func(h *Hold) { h.Lose(false, Doubt{}) }))
	var over *OverError
	if err := s.put("l", 500, s.stores("l", 500)); !errors.As(err, &over) {
		t.Errorf("a lost write does not count: %v", err)
	}
	s.ledger.Scan(uploads) // too soon: it may still take effect
	from := s.usage().CountedAt
	s.until("counted", func(u keystile.Usage) bool { return u.Scan == nil && !u.CountedAt.Before(from) })
	if u := s.usage(); u.Unknown.Bytes != 600 {
		t.Errorf("usage is %+v", u)
	}
	s.count()
	s.used(keystile.Amount{})
	s.must(s.put("l", 500, s.stores("l", 500)))
}

func TestKilledProcessLeavesItsLeaseCounted(t *testing.T) {
	s := counted(t, hardBytes(100<<20))
	s.must(s.put("k", 1000, s.stores("k", 1000)))
	hanging, err := s.ledger.Reserve(t.Context(), uploads, keystile.Amount{Bytes: 5000, Objects: 1}, Writer{})
	s.must(err)
	s.halt()
	s.start() // hanging died with its process
	_ = hanging
	if u := s.usage(); u.Total().Bytes < 6000 || u.Total().Bytes > 100<<20 || u.Unknown.Bytes == 0 {
		t.Errorf("usage is %+v", u)
	}
	s.run()
	s.count()
	s.used(keystile.Amount{Bytes: 1000, Objects: 1})
}

func TestOrderlyStopLeavesNothingUnknown(t *testing.T) {
	s := counted(t, hardBytes(100<<20))
	s.must(s.put("k", 1000, s.stores("k", 1000)))
	s.halt()
	s.must(s.ledger.Flush(t.Context()))
	s.start()
	s.used(keystile.Amount{Bytes: 1000, Objects: 1})
}

func TestFarFromACapNobodyIsAsked(t *testing.T) {
	counted(t, hardBytes(1<<40)).asksNobody()
}

// asksNobody wants that a thousand writes hardly ask the store.
func (s *scene) asksNobody() {
	s.t.Helper()
	s.must(s.put("k", 1000, s.stores("k", 1000)))
	before := s.store.writes
	for n := range 1000 {
		s.must(s.put(key(n), 1000, s.stores(key(n), 1000)))
	}
	if wrote := s.store.writes - before; wrote > 2 {
		s.t.Errorf("the store was written %d times for 1000 writes", wrote)
	}
}

func TestStoreThatFailsStopsWhatItsLeaseDoesNotCover(t *testing.T) {
	s := counted(t, hardBytes(1<<40))
	s.must(s.put("k", 1000, s.stores("k", 1000)))
	s.store.mu.Lock()
	s.store.down = errors.New("disk full")
	s.store.mu.Unlock()
	s.must(s.put("l", 1000, s.stores("l", 1000)))
	if err := s.put("m", 1<<30, s.stores("m", 1<<30)); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	s.used(keystile.Amount{Bytes: 2000, Objects: 2})
}

func TestSoftCapIsCrossedOnce(t *testing.T) {
	s := counted(t, keystile.BucketQuota{Soft: keystile.Amount{Bytes: 500, Objects: keystile.NoCap}, Hard: keystile.Amount{Bytes: 2000, Objects: keystile.NoCap}})
	crossings := 0
	put := func(key string) (warning string) {
		s.must(s.put(key, 300, func(h *Hold) {
			if h.Crossed {
				crossings++
			}
			s.stores(key, 300)(h)
			warning = h.Warning()
		}))
		return warning
	}
	if w := put("a"); w != "" || crossings != 0 {
		t.Errorf("below the cap: %q, %d crossings", w, crossings)
	}
	for _, key := range []string{"b", "c"} {
		if w := put(key); w == "" || crossings != 1 {
			t.Errorf("above the cap: %q, %d crossings", w, crossings)
		}
	}
	s.remove(s.ledger, "b")
	s.remove(s.ledger, "c")
	if put("b"); crossings != 2 {
		t.Errorf("crossed again: %d crossings", crossings)
	}
}

func TestQuotaThatIsTakenAwayClosesTheBook(t *testing.T) {
	s := counted(t, hardBytes(1000))
	s.store.mu.Lock()
	s.store.generation++
	delete(s.store.quotas, uploads)
	s.store.mu.Unlock()
	s.must(s.ledger.Sync(t.Context()))
	if s.ledger.Counts(uploads) {
		t.Error("the bucket is still counted")
	}
}

func TestScanIsCancelled(t *testing.T) {
	s := counted(t, hardBytes(1000))
	if s.ledger.CancelScan(uploads) {
		t.Error("nothing is under way")
	}
	s.backend.mu.Lock() // the listing hangs
	s.ledger.Scan(uploads)
	s.until("counting", func(u keystile.Usage) bool { return u.Scan != nil })
	if !s.ledger.CancelScan(uploads) {
		t.Error("there is none to cancel")
	}
	s.backend.mu.Unlock()
	s.until("cancelled", func(u keystile.Usage) bool { return u.Scan == nil && u.ScanError != "" })
}
