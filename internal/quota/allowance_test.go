package quota

import (
	"errors"
	"testing"
	"time"

	"keystile/internal/keystile"
)

func allowing(bytes int64, per keystile.AllowancePer) keystile.CredentialLimits {
	return keystile.CredentialLimits{Ceiling: none, Allowance: bytes, Per: per}
}

// limited is a scene whose writer has limits, in a bucket that has been counted.
func limited(t *testing.T, l keystile.CredentialLimits) *scene {
	s := counted(t, keystile.BucketQuota{Soft: none, Hard: none})
	s.limit(l)
	return s
}

func (s *scene) limit(l keystile.CredentialLimits) {
	s.t.Helper()
	s.by = s.store.limit("AKIA1", l)
	s.must(s.ledger.Sync(s.t.Context()))
}

func (s *scene) spent(want int64) {
	s.t.Helper()
	if got, _, ok := s.ledger.Spent("AKIA1"); !ok || got != want {
		s.t.Errorf("%d bytes are spent, want %d", got, want)
	}
}

// refused wants that a write is over the limit.
func (s *scene) refused(size int64, want OverError) {
	s.t.Helper()
	var over *OverError
	if err := s.put("over", size, s.stores("over", size)); !errors.As(err, &over) || *over != want {
		s.t.Errorf("got %v, want %v", err, &want)
	}
}

func TestAllowance(t *testing.T) {
	over := func(used, needed int64) OverError {
		return OverError{Of: OfAllowance, Unit: "bytes", Cap: 1000, Used: used, Needed: needed}
	}
	for _, tt := range []struct {
		name string
		do   func(s *scene)
		want int64 // spent
	}{
		{"what fits to the byte passes, one byte more does not", func(s *scene) {
			s.must(s.put("k", 600, s.stores("k", 600)))
			s.refused(401, over(600, 401))
			s.must(s.put("l", 400, s.stores("l", 400)))
		}, 1000},
		{"what is overwritten or deleted is spent all the same", func(s *scene) {
			s.must(s.put("k", 600, s.stores("k", 600)))
			s.must(s.put("k", 100, s.stores("k", 100)))
			s.remove(s.ledger, "k")
			s.refused(301, over(700, 301))
		}, 700},
		{"what the backend refused is not spent", func(s *scene) {
			s.must(s.put("k", 900, func(*Hold) {}))
		}, 0},
		{"what may have happened is spent", func(s *scene) {
			s.must(s.put("k", 900, func(h *Hold) { h.Lose(false, Doubt{}) }))
			s.count()
		}, 900},
		{"what is under way is spent", func(s *scene) {
			s.must(s.put("k", 900, func(*Hold) { s.refused(101, over(900, 101)) }))
		}, 0},
		{"parts are spent once, completed or not", func(s *scene) {
			s.backend.parts["u"] = map[int]int64{}
			s.must(s.part(s.ledger, "u", 1, 300))
			s.must(s.part(s.ledger, "u", 2, 200))
			s.must(s.end(s.ledger, "u", "k"))
			s.backend.parts["v"] = map[int]int64{}
			s.must(s.part(s.ledger, "v", 1, 100))
			s.must(s.end(s.ledger, "v", ""))
		}, 600},
		{"deletes pass when all is spent", func(s *scene) {
			s.must(s.put("k", 1000, s.stores("k", 1000)))
			s.remove(s.ledger, "k")
			s.must(s.put("empty", 0, s.stores("empty", 0)))
		}, 1000},
		{"what a bucket's cap refuses is not spent", func(s *scene) {
			s.store.set(keystile.BucketQuota{Bucket: uploads, Soft: none, Hard: keystile.Amount{Bytes: 10, Objects: keystile.NoCap}, TrackedAt: s.clock()})
			s.must(s.ledger.Sync(s.t.Context()))
			s.refused(20, OverError{Bucket: uploads, Of: OfBucket, Unit: "bytes", Cap: 10, Needed: 20})
		}, 0},
		{"it counts in buckets that are not counted too", func(s *scene) {
			s.bucket = keystile.Bucket{Backend: "prod", Name: "other"}
			s.must(s.put("k", 1000, s.stores("k", 1000)))
			s.refused(1, over(1000, 1))
			s.bucket = uploads
		}, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := limited(t, allowing(1000, keystile.PerTotal))
			tt.do(s)
			s.spent(tt.want)
		})
	}
}

func TestAllowanceOfADayBeginsAnewAtMidnight(t *testing.T) {
	s := limited(t, allowing(1000, keystile.PerDay))
	full := OverError{Of: OfDay, Unit: "bytes", Cap: 1000, Used: 1000, Needed: 1}
	s.must(s.put("k", 1000, func(h *Hold) {
		s.refused(1, full)
		s.pass(24 * time.Hour)
		s.must(s.put("l", 900, s.stores("l", 900)))
	})) // refused by the backend a day later: it is not given back to the next day
	s.spent(900)
	s.pass(-24 * time.Hour) // a clock that goes back opens no day twice
	s.spent(900)
}

// What is spent is exact after an orderly stop, and after a kill too, once the trail
// is whole.
func TestSpentAllowanceSurvives(t *testing.T) {
	for _, tt := range []struct {
		name string
		die  func(s *scene)
		want int64 // spent
	}{
		{"an orderly stop", func(s *scene) { s.must(s.ledger.Flush(t.Context())) }, 1700},
		{"a kill takes no lease along", func(*scene) {}, 1700},
		{"what a kill has cut off may have been written", func(s *scene) {
			cut, err := s.ledger.Reserve(t.Context(), uploads, keystile.Amount{Bytes: 5000, Objects: 1}, s.by)
			s.must(err)
			s.must(s.store.record(keystile.Event{Result: keystile.ResultUnknown, Detail: keystile.EventDetail{AccessKeyID: "AKIA1", Spends: cut.Spend()}}))
		}, 6700},
		{"what never got as far as an intent has not", func(s *scene) {
			_, err := s.ledger.Reserve(t.Context(), uploads, keystile.Amount{Bytes: 5000, Objects: 1}, s.by)
			s.must(err)
		}, 1700},
		{"what the backend refused has not", func(s *scene) { s.must(s.put("m", 900, func(*Hold) {})) }, 1700},
		{"what nobody knows the outcome of counts", func(s *scene) {
			s.must(s.put("m", 900, func(h *Hold) { h.Lose(false, Doubt{}) }))
		}, 2600},
	} {
		for _, per := range []keystile.AllowancePer{keystile.PerDay, keystile.PerTotal} {
			t.Run(tt.name+", by "+string(per), func(t *testing.T) {
				s := limited(t, allowing(100<<20, per))
				s.must(s.put("k", 1000, s.stores("k", 1000)))
				s.must(s.put("l", 700, s.stores("l", 700)))
				tt.die(s)
				s.halt()
				s.start()
				s.spent(tt.want)
				s.refused(100<<20-tt.want+1, OverError{
					Of:   map[keystile.AllowancePer]Limit{keystile.PerDay: OfDay, keystile.PerTotal: OfAllowance}[per],
					Unit: "bytes", Cap: 100 << 20, Used: tt.want, Needed: 100<<20 - tt.want + 1,
				})
				s.must(s.put("rest", 100<<20-tt.want, s.stores("rest", 100<<20-tt.want)))
			})
		}
	}
}

// Of an allowance that was taken away and given again nothing is spent yet, though
// the trail tells late of what was written before.
func TestAllowanceThatIsGivenAgainBeginsAnew(t *testing.T) {
	s := limited(t, allowing(1000, keystile.PerDay))
	s.must(s.put("k", 600, func(h *Hold) {
		s.limit(keystile.CredentialLimits{Ceiling: none, Allowance: keystile.NoCap})
		s.store.spent = map[string]keystile.Spent{}
		s.pass(time.Second)
		s.limit(allowing(1000, keystile.PerDay))
		s.must(s.put("l", 50, s.stores("l", 50)))
		s.stores("k", 600)(h)
	}))
	s.spent(50)
	s.halt()
	s.start()
	s.spent(50)
}

func TestFarFromAnAllowancesEndNobodyIsAsked(t *testing.T) {
	limited(t, allowing(1<<40, keystile.PerDay)).asksNobody()
}

func TestAllowanceFailsClosed(t *testing.T) {
	t.Run("where the store cannot keep it", func(t *testing.T) {
		s := limited(t, allowing(1<<40, keystile.PerDay))
		s.store.mu.Lock()
		s.store.down = errors.New("disk full")
		s.store.mu.Unlock()
		if err := s.put("k", 1000, s.stores("k", 1000)); !errors.Is(err, keystile.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		s.spent(0)
		s.used(keystile.Amount{})
	})
	t.Run("where it is not known", func(t *testing.T) {
		s := counted(t, hardBytes(1000))
		l := allowing(10, keystile.PerDay)
		s.by = Writer{"AKIA1", &l}
		if err := s.put("k", 1, s.stores("k", 1)); !errors.Is(err, keystile.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAllowanceThatIsChanged(t *testing.T) {
	s := limited(t, allowing(1000, keystile.PerTotal))
	s.must(s.put("k", 600, s.stores("k", 600)))
	s.limit(allowing(700, keystile.PerTotal))
	s.refused(101, OverError{Of: OfAllowance, Unit: "bytes", Cap: 700, Used: 600, Needed: 101})
	s.limit(allowing(700, keystile.PerDay)) // another span begins at nothing
	s.spent(0)
}

func TestCeiling(t *testing.T) {
	ceiling := keystile.CredentialLimits{Ceiling: keystile.Amount{Bytes: 1000, Objects: 3}, Allowance: keystile.NoCap}
	s := limited(t, ceiling)
	own := s.by
	s.by = Writer{}
	s.must(s.put("others", 900, s.stores("others", 900)))
	s.by = own
	s.refused(101, OverError{Bucket: uploads, Of: OfCeiling, Unit: "bytes", Cap: 1000, Used: 900, Needed: 101})
	s.must(s.put("k", 50, s.stores("k", 50)))
	s.must(s.put("l", 50, s.stores("l", 50)))
	s.refused(0, OverError{Bucket: uploads, Of: OfCeiling, Unit: "objects", Cap: 3, Used: 3, Needed: 1})
	s.by = Writer{}
	s.must(s.put("more", 5000, s.stores("more", 5000))) // it bounds nobody else
	s.by = own
	s.remove(s.ledger, "more")
	s.remove(s.ledger, "others")
	s.must(s.put("m", 900, s.stores("m", 900)))

	s.store.set(keystile.BucketQuota{Bucket: uploads, Soft: none, Hard: keystile.Amount{Bytes: 1001, Objects: keystile.NoCap}, TrackedAt: s.clock()})
	s.must(s.ledger.Sync(t.Context()))
	s.refused(3, OverError{Bucket: uploads, Of: OfCeiling, Unit: "bytes", Cap: 1000, Used: 1000, Needed: 3})
	s.limit(keystile.CredentialLimits{Ceiling: keystile.Amount{Bytes: 2000, Objects: keystile.NoCap}, Allowance: keystile.NoCap})
	s.refused(3, OverError{Bucket: uploads, Of: OfBucket, Unit: "bytes", Cap: 1001, Used: 1000, Needed: 3})
}

func TestCeilingNeedsACount(t *testing.T) {
	s := newScene(t, keystile.BucketQuota{Soft: none, Hard: none})
	s.limit(keystile.CredentialLimits{Ceiling: keystile.Amount{Bytes: 1000, Objects: keystile.NoCap}, Allowance: keystile.NoCap})
	for _, b := range []keystile.Bucket{uploads, {Backend: "prod", Name: "other"}} {
		s.bucket = b
		if err := s.put("k", 1, s.stores("k", 1)); !errors.Is(err, ErrUncounted) {
			t.Errorf("%s: got %v", b, err)
		}
		if _, err := s.ledger.Reserve(t.Context(), b, keystile.Amount{}, s.by); err != nil {
			t.Errorf("%s: what takes nothing was refused: %v", b, err)
		}
	}
}
