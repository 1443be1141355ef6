package quota

import (
	"context"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
)

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
