package quota

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// Whatever happens, in any order and at any rate: what is stored never goes beyond
// the cap, nor beyond that of the owner, nor beyond the ceiling of who writes, who
// never writes more than its allowance; what counts is never below what is stored,
// and once everything is quiet a count finds exactly what is there. Now and then
// the process dies; the next one knows exactly what was spent.
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
			var spent int64
			for life := range 6 {
				if life > 0 {
					s.start()
					s.second.spent(spent)
				}
				s.run()
				for _, one := range s.both() {
					s.ledger.Scan(one.bucket)
					one.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
				}
				s.live(150)
				s.halt() // without a flush
				spent = s.coversAll("when the process died", allowance)
			}
			s.start()
			s.coversAll("after the restart", allowance)
			s.second.spent(spent)
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

func (s *scene) coversAll(when string, allowance int64) (spent int64) {
	s.t.Helper()
	if spent, _, _ = s.ledger.Spent("AKIA1"); spent < s.second.backend.written || s.second.backend.written > allowance {
		s.t.Fatalf("%s %d bytes of an allowance of %d are spent, %d were written", when, spent, allowance, s.second.backend.written)
	}
	for _, one := range s.both() {
		if u := one.usage(); !one.backend.sum().Within(u.Total()) {
			s.t.Fatalf("%s %+v counts in %s, %+v is stored", when, u, one.bucket, one.backend.sum())
		}
	}
	return spent
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
