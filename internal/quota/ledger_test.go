package quota

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
)

var none = keystile.Amount{Bytes: keystile.NoCap, Objects: keystile.NoCap}

func hardBytes(n int64) keystile.BucketQuota {
	return keystile.BucketQuota{Soft: none, Hard: keystile.Amount{Bytes: n, Objects: keystile.NoCap}}
}

// counted is a scene whose bucket has been counted.
func counted(t *testing.T, q keystile.BucketQuota) *scene {
	s := newScene(t, q)
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
	return s
}

// Whatever happens, in any order and at any rate: what is stored never goes beyond
// the cap, nor beyond that of the owner, nor beyond the ceiling of who writes, who
// never writes more than its allowance; what counts is never below what is stored,
// and once everything is quiet a count finds exactly what is there. Now and then
// the process dies.
func TestAnyInterleavingKeepsTheCap(t *testing.T) {
	for name, shuffled := range map[string]bool{"a listing in order": false, "a listing in no order": true} {
		t.Run(name, func(t *testing.T) {
			const most, together, ceiling, allowance = 4000, 5500, 3000, 150_000
			s := newScene(t, hardBytes(most))
			s.backend.most, s.backend.page, s.backend.slow, s.backend.shuffled = most, 3, true, shuffled
			s.own(together)
			s.second.backend.most = ceiling
			s.second.by = s.store.limit("AKIA1", keystile.CredentialLimits{
				Ceiling: keystile.Amount{Bytes: ceiling, Objects: keystile.NoCap}, Allowance: allowance, Per: keystile.PerTotal,
			})
			s.must(s.ledger.Sync(t.Context()))
			for n := range 12 {
				s.backend.objects[key(n)] = int64(n)
			}
			for life := range 6 {
				if life > 0 {
					s.start()
				}
				s.run()
				for _, one := range s.both() {
					s.ledger.Scan(one.bucket)
					one.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
				}
				s.live(150)
				s.halt() // without a flush
				s.coversAll("when the process died", allowance)
			}
			s.start()
			s.coversAll("after the restart", allowance)
			s.run()
			s.pass(time.Hour)
			from := s.clock()
			for _, one := range s.both() {
				one.countAfter(from)
				one.used(one.backend.sum())
			}
		})
	}
}

func (s *scene) both() []*scene { return []*scene{s, s.second} }

func (s *scene) coversAll(when string, allowance int64) {
	s.t.Helper()
	if spent, _, _ := s.ledger.Spent("AKIA1"); spent < s.second.backend.written || s.second.backend.written > allowance {
		s.t.Fatalf("%s %d bytes of an allowance of %d are spent, %d were written", when, spent, allowance, s.second.backend.written)
	}
	for _, one := range s.both() {
		if u := one.usage(); !one.backend.sum().Within(u.Total()) {
			s.t.Fatalf("%s %+v counts in %s, %+v is stored", when, u, one.bucket, one.backend.sum())
		}
	}
}

// live changes the buckets from many sides, and counts them meanwhile. Until all of a
// life's writes have ended nothing dies: what a dead process had sent is over by
// the time a count settles it.
func (s *scene) live(steps int) {
	s.t.Helper()
	ledger := s.ledger
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for range steps {
				s.both()[rand.IntN(2)].step(ledger)
			}
		})
	}
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			for _, one := range s.both() {
				if u := one.usage(); u.Used.Bytes < 0 || u.Used.Objects < 0 || u.Reserved.Bytes < 0 || u.Reserved.Objects < 0 {
					s.t.Errorf("below zero: %+v", u)
				}
				ledger.Scan(one.bucket)
			}
			s.pass(10 * time.Second)
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	close(done)
	watch.Wait()
}

// step is one random change.
func (s *scene) step(l *Ledger) {
	k, id := key(rand.IntN(12)), upload(rand.IntN(4))
	size := int64(rand.IntN(400))
	switch rand.IntN(11) {
	case 10: // the backend ends an upload by itself
		if rand.IntN(3) == 0 {
			s.backend.do(func() { delete(s.backend.parts, id) })
		}
	case 0, 1, 2:
		_ = s.on(l, k, size, s.stores(k, size)) // may be over
	case 3:
		_ = s.on(l, k, size, func(*Hold) {}) // refused by the backend
	case 4: // lost sight of, carried out or not
		happens := rand.IntN(2) == 0
		_ = s.on(l, k, size, func(h *Hold) {
			if happens {
				s.backend.do(func() { s.backend.write(k, size) })
			}
			h.Lose(false, doubts(Doubt{Key: k, Stores: true, Size: size}))
		})
	case 5:
		s.remove(l, k)
	case 6:
		if rand.IntN(3) > 0 {
			s.remove(l, k)
			return
		}
		s.loseDelete(k, rand.IntN(2) == 0)
	case 7:
		s.backend.do(func() {
			if s.backend.parts[id] == nil {
				s.backend.parts[id] = map[int]int64{}
			}
		})
		fallthrough
	case 8:
		if rand.IntN(4) == 0 {
			s.losePart(id, 1+rand.IntN(3), size, rand.IntN(2) == 0)
			return
		}
		_ = s.part(l, id, 1+rand.IntN(3), size)
	case 9:
		to := ""
		if rand.IntN(3) > 0 {
			to = k
		}
		if rand.IntN(4) == 0 {
			s.loseEnd(id, to, rand.IntN(2) == 0)
			return
		}
		_ = s.end(l, id, to)
	}
}

// doubts is what is told of a lost write: all, or nothing.
func doubts(d Doubt) Doubt {
	if rand.IntN(4) == 0 {
		return Doubt{}
	}
	return d
}

// What a write learnt of a part is no longer so when the upload has ended: its
// parts are given back once, also by a backend that gives an upload's id again.
func TestPartsOfAnUploadThatEndedAreGivenBackOnce(t *testing.T) {
	s := counted(t, hardBytes(1000))
	ctx, id := t.Context(), upload(0)
	begin := func() { s.backend.do(func() { s.backend.parts[id] = map[int]int64{} }) }
	begin()
	s.must(s.part(s.ledger, id, 1, 300))
	late, err := s.ledger.Reserve(ctx, uploads, keystile.Amount{Bytes: 200}, Writer{})
	s.must(err)
	s.must(late.Watch(ctx, PartPlace(id, 1), func(context.Context) (State, error) { return State{Exists: true, Size: 300}, nil }))
	s.must(s.end(s.ledger, id, "")) // aborted
	begin()
	s.must(late.Order(ctx, UploadPlace(id), true))
	s.must(late.Order(ctx, PartPlace(id, 1), false))
	s.backend.do(func() { s.backend.parts[id][1] = 200 })
	late.WrotePart(id, 1, 200)
	late.End()
	if u := s.usage(); !s.backend.sum().Within(u.Total()) {
		t.Errorf("%+v counts, %+v is stored", u, s.backend.sum())
	}
}

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

func TestNoCapCostsNoRefusal(t *testing.T) {
	s := newScene(t, keystile.BucketQuota{Soft: none, Hard: none})
	s.must(s.put("k", 1<<40, s.stores("k", 1<<40)))
	other, err := s.ledger.Reserve(t.Context(), keystile.Bucket{Backend: "prod", Name: "other"}, keystile.Amount{Bytes: 1}, Writer{})
	if other != nil || err != nil {
		t.Errorf("a bucket that is not counted: %v, %v", other, err)
	}
}

func TestCredits(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(s *scene)
		want keystile.Amount
	}{
		{"an overwrite gives back what was there", func(s *scene) {
			s.must(s.put("k", 300, s.stores("k", 300)))
			s.must(s.put("k", 200, s.stores("k", 200)))
		}, keystile.Amount{Bytes: 200, Objects: 1}},
		{"a delete gives back all, a second one nothing", func(s *scene) {
			s.must(s.put("k", 300, s.stores("k", 300)))
			s.must(s.put("l", 50, s.stores("l", 50)))
			s.remove(s.ledger, "k")
			s.remove(s.ledger, "k")
		}, keystile.Amount{Bytes: 50, Objects: 1}},
		{"parallel deletes of one key give back once", func(s *scene) {
			s.must(s.put("k", 300, s.stores("k", 300)))
			s.must(s.put("l", 500, s.stores("l", 500)))
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { s.remove(s.ledger, "k") })
			}
			wg.Wait()
		}, keystile.Amount{Bytes: 500, Objects: 1}},
		{"parallel overwrites of one key leave the last one", func(s *scene) {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { s.must(s.put("k", 100, s.stores("k", 100))) })
			}
			wg.Wait()
		}, keystile.Amount{Bytes: 100, Objects: 1}},
		{"what the backend refused is free again", func(s *scene) {
			s.must(s.put("k", 900, func(*Hold) {}))
		}, keystile.Amount{}},
		{"a part that is sent again gives back the first", func(s *scene) {
			s.backend.parts["u"] = map[int]int64{}
			s.must(s.part(s.ledger, "u", 1, 300))
			s.must(s.part(s.ledger, "u", 1, 200))
		}, keystile.Amount{Bytes: 200}},
		{"an upload's parts become the object", func(s *scene) {
			s.backend.parts["u"] = map[int]int64{}
			s.must(s.put("k", 100, s.stores("k", 100)))
			s.must(s.part(s.ledger, "u", 1, 300))
			s.must(s.part(s.ledger, "u", 2, 200))
			s.must(s.end(s.ledger, "u", "k"))
		}, keystile.Amount{Bytes: 500, Objects: 1}},
		{"an upload that is aborted gives all back", func(s *scene) {
			s.backend.parts["u"] = map[int]int64{}
			s.must(s.part(s.ledger, "u", 1, 300))
			s.must(s.end(s.ledger, "u", ""))
			s.must(s.end(s.ledger, "u", ""))
		}, keystile.Amount{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := counted(t, hardBytes(10_000))
			s.ledger.opts.OrderTimeout = time.Minute
			tt.do(s)
			s.used(tt.want)
			if got := s.backend.sum(); got != tt.want {
				t.Errorf("%+v is stored", got)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	const size = 100
	old := State{Exists: true, Size: size, Version: "v1"}
	for _, tt := range []struct {
		name  string
		state State
		note  func(*Hold)
		place Place
		want  keystile.Amount // after 1000 bytes in 10 objects
	}{
		{"a new version credits nothing", old, func(h *Hold) { h.Wrote("k", 5, "v2") }, ObjectPlace("k"), keystile.Amount{Bytes: 1005, Objects: 11}},
		{"a marker credits nothing", old, func(h *Hold) { h.Removed("k", "", true) }, ObjectPlace("k"), keystile.Amount{Bytes: 1000, Objects: 10}},
		{"a deleted version is credited", old, func(h *Hold) { h.Removed("k", "v1", false) }, VersionPlace("k", "v1"), keystile.Amount{Bytes: 900, Objects: 9}},
		{"a delete that may have left a marker credits nothing", old, func(h *Hold) { h.Removed("k", "", false) }, ObjectPlace("k"), keystile.Amount{Bytes: 1000, Objects: 10}},
		{"versions suspended: what is written over a version credits nothing", old, func(h *Hold) { h.Wrote("k", 5, "null") }, ObjectPlace("k"), keystile.Amount{Bytes: 1005, Objects: 11}},
		{"what was there before versions is overwritten", State{Exists: true, Size: size, Version: "null"}, func(h *Hold) { h.Wrote("k", 5, "null") }, ObjectPlace("k"), keystile.Amount{Bytes: 905, Objects: 10}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, hardBytes(10_000))
			b := s.ledger.book(uploads)
			b.used, b.countedAt = keystile.Amount{Bytes: 1000, Objects: 10}, s.clock()
			ctx := t.Context()
			h, err := s.ledger.Reserve(ctx, uploads, keystile.Amount{Bytes: 5, Objects: 1}, Writer{})
			s.must(err)
			s.must(h.Watch(ctx, tt.place, func(context.Context) (State, error) { return tt.state, nil }))
			s.must(h.Order(ctx, tt.place, false))
			tt.note(h)
			h.End()
			s.used(tt.want)
		})
	}
}

func TestWithoutAnOrderNothingIsCreditedBeforeACount(t *testing.T) {
	s := counted(t, hardBytes(10_000))
	s.must(s.put("k", 300, s.stores("k", 300)))
	var wg sync.WaitGroup
	holding, go1 := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		s.must(s.put("k", 100, func(h *Hold) {
			close(holding)
			<-go1
			s.stores("k", 100)(h)
		}))
	})
	<-holding
	s.must(s.put("k", 200, s.stores("k", 200))) // waits in vain
	close(go1)
	wg.Wait()
	if u := s.usage(); u.Used.Bytes != 600 || !u.Recount {
		t.Errorf("usage is %+v, want all three counted", u)
	}
	s.count()
	s.used(keystile.Amount{Bytes: 100, Objects: 1})
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
	s := counted(t, hardBytes(1<<40))
	s.must(s.put("k", 1000, s.stores("k", 1000)))
	before := s.store.writes
	for n := range 1000 {
		s.must(s.put(key(n), 1000, s.stores(key(n), 1000)))
	}
	if wrote := s.store.writes - before; wrote > 2 {
		t.Errorf("the store was written %d times for 1000 writes", wrote)
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
