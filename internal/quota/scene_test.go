package quota

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
)

var none = keystile.Amount{Bytes: keystile.NoCap, Objects: keystile.NoCap}

func hardBytes(n int64) keystile.BucketQuota {
	return keystile.BucketQuota{Soft: none, Hard: keystile.Amount{Bytes: n, Objects: keystile.NoCap}}
}

// scene is a ledger in front of a bucket.
type scene struct {
	t       *testing.T
	store   *memory
	bucket  keystile.Bucket
	backend *backend
	second  *scene // the same with another bucket of the same owner; nil: none
	by      Writer
	ledger  *Ledger
	stop    context.CancelFunc
	ended   chan struct{}

	mu  sync.Mutex
	now time.Time
}

func newScene(t *testing.T, q keystile.BucketQuota) *scene {
	s := &scene{
		t: t, bucket: uploads, backend: newBackend(t), now: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC),
		store: &memory{quotas: map[keystile.Bucket]keystile.BucketQuota{}, usages: map[keystile.Bucket]keystile.UsageRecord{}, spent: map[string]keystile.Spent{}},
	}
	q.Bucket, q.TrackedAt = uploads, s.now
	s.store.set(q)
	s.start()
	return s
}

// own gives the bucket an owner, who has a second one; both may hold so many bytes
// together.
func (s *scene) own(together int64) {
	s.t.Helper()
	twin := newBackend(s.t)
	twin.page, twin.slow, twin.shuffled, twin.mu = s.backend.page, s.backend.slow, s.backend.shuffled, s.backend.mu
	twin.sibling, twin.together = s.backend, together
	s.backend.sibling, s.backend.together = twin, together
	s.second = &scene{t: s.t, store: s.store, bucket: archive, backend: twin}
	s.store.set(keystile.BucketQuota{Bucket: archive, Soft: none, Hard: none, TrackedAt: s.now})
	s.store.owned = []keystile.OwnedBucket{{Bucket: archive, Owner: "u1", MaxBytes: together}, {Bucket: uploads, Owner: "u1", MaxBytes: together}}
	s.start()
}

func (s *scene) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *scene) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// start makes a ledger, as a process does that starts.
func (s *scene) start() {
	s.t.Helper()
	listed := buckets{s.bucket: s.backend}
	if s.second != nil {
		listed[s.second.bucket] = s.second.backend
	}
	s.ledger = New(Options{
		Store: s.store, Lister: listed, Log: slog.New(slog.DiscardHandler), Now: s.clock,
		Pace: 200 * time.Microsecond, OrderTimeout: 20 * time.Millisecond,
	})
	s.must(s.ledger.Sync(context.Background()))
	if s.second != nil {
		s.second.ledger = s.ledger
	}
}

// run lets the ledger count.
func (s *scene) run() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.ended = cancel, make(chan struct{})
	ledger, ended := s.ledger, s.ended
	go func() {
		defer close(ended)
		ledger.Run(ctx)
	}()
	s.t.Cleanup(s.halt)
}

// halt ends the counting, as a killed process does.
func (s *scene) halt() {
	s.stop()
	<-s.ended
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// count waits until the bucket has been counted after now.
func (s *scene) count() {
	s.t.Helper()
	s.pass(time.Hour)
	s.countAfter(s.clock())
}

func (s *scene) countAfter(from time.Time) {
	s.t.Helper()
	s.until("counted", func(u keystile.Usage) bool {
		if !u.CountedAt.Before(from) && u.Scan == nil {
			return true
		}
		s.ledger.Scan(s.bucket) // again: one that was under way began too early, and was enough
		return false
	})
}

func (s *scene) until(what string, is func(keystile.Usage) bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		u := s.usage()
		if is(u) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not %s: %+v", what, u)
		}
	}
}

func (s *scene) usage() keystile.Usage {
	u, ok := s.ledger.Usage(s.bucket)
	if !ok {
		s.t.Fatal("the bucket is not counted")
	}
	return u
}

// used is what counts, and nothing may be reserved or unknown.
func (s *scene) used(want keystile.Amount) {
	s.t.Helper()
	if u := s.usage(); u.Used != want || u.Reserved != (keystile.Amount{}) || u.Unknown != (keystile.Amount{}) {
		s.t.Errorf("usage is %+v, want %+v used and nothing else", u, want)
	}
}

// writer does what the gateway does.
func (s *scene) put(key string, size int64, outcome func(*Hold)) error {
	return s.on(s.ledger, key, size, outcome)
}

func (s *scene) on(l *Ledger, key string, size int64, outcome func(*Hold)) error {
	ctx := context.Background()
	return s.write(l, keystile.Amount{Bytes: size, Objects: 1}, func(h *Hold) {
		s.must(h.Watch(ctx, ObjectPlace(key), s.learn(key)))
		s.backend.dawdle()
		s.must(h.Order(ctx, ObjectPlace(key), false))
		outcome(h)
	})
}

// write reserves, does what is to be done and ends it, and its event becomes part of
// the trail's index.
func (s *scene) write(l *Ledger, need keystile.Amount, do func(*Hold)) error {
	h, err := l.Reserve(context.Background(), s.bucket, need, s.by)
	if err != nil {
		return err
	}
	defer func() {
		h.End()
		s.must(s.store.record(keystile.Event{Detail: keystile.EventDetail{AccessKeyID: s.by.AccessKeyID, Spends: h.Spend()}}))
	}()
	do(h)
	return nil
}

func (s *scene) learn(key string) func(context.Context) (State, error) {
	return func(context.Context) (State, error) {
		s.backend.dawdle()
		return s.backend.state(key), nil
	}
}

// stores is the outcome that the object is stored.
func (s *scene) stores(key string, size int64) func(*Hold) {
	return func(h *Hold) {
		s.backend.dawdle()
		s.backend.do(func() { s.backend.write(key, size) })
		s.backend.dawdle()
		h.Wrote(key, size, "")
	}
}

func (s *scene) remove(l *Ledger, key string) {
	s.onDelete(l, key, func(h *Hold) {
		s.backend.do(func() { delete(s.backend.objects, key) })
		s.backend.dawdle()
		h.Removed(key, "", false)
	})
}

func (s *scene) onDelete(l *Ledger, key string, outcome func(*Hold)) {
	ctx := context.Background()
	s.must(s.write(l, keystile.Amount{}, func(h *Hold) {
		s.must(h.Order(ctx, ObjectPlace(key), false))
		s.must(h.Watch(ctx, ObjectPlace(key), s.learn(key)))
		outcome(h)
	}))
}

func (s *scene) part(l *Ledger, id string, number int, size int64) error {
	return s.onPart(l, id, number, size, func(h *Hold) {
		s.backend.dawdle()
		stored := s.backend.writePart(id, number, size)
		s.backend.dawdle()
		if stored {
			h.WrotePart(id, number, size)
		} else {
			h.Gone()
		}
	})
}

func (s *scene) onPart(l *Ledger, id string, number int, size int64, outcome func(*Hold)) error {
	ctx, place := context.Background(), PartPlace(id, number)
	return s.write(l, keystile.Amount{Bytes: size}, func(h *Hold) {
		s.must(h.Watch(ctx, place, func(context.Context) (State, error) {
			s.backend.mu.Lock()
			defer s.backend.mu.Unlock()
			old, ok := s.backend.parts[id][number]
			return State{Exists: ok, Size: old}, nil
		}))
		s.must(h.Order(ctx, UploadPlace(id), true))
		s.must(h.Order(ctx, place, false))
		outcome(h)
	})
}

// end completes the upload, or aborts it where key is empty.
func (s *scene) end(l *Ledger, id, key string) error {
	return s.onEnd(l, id, key, func(h *Hold, parts map[int]int64) {
		there := s.backend.endUpload(id, key, parts)
		s.backend.dawdle()
		if !there { // there is no such upload, or another one
			h.Gone()
			return
		}
		h.Ended(id, parts)
		if key != "" {
			h.Wrote(key, sumOf(parts), "")
		}
	})
}

func (s *scene) onEnd(l *Ledger, id, key string, outcome func(*Hold, map[int]int64)) error {
	ctx, need := context.Background(), keystile.Amount{}
	if key != "" {
		need.Objects = 1
	}
	return s.write(l, need, func(h *Hold) {
		s.must(h.Order(ctx, UploadPlace(id), false))
		parts, err := s.backend.Parts(ctx, uploads, keystile.PendingUpload{UploadID: id})
		s.must(err)
		if key != "" {
			s.must(h.Order(ctx, ObjectPlace(key), false))
			s.must(h.Watch(ctx, ObjectPlace(key), s.learn(key)))
		}
		outcome(h, parts)
	})
}

func sumOf(parts map[int]int64) (sum int64) {
	for _, size := range parts {
		sum += size
	}
	return sum
}

func upload(n int) string { return "upload-" + strconv.Itoa(n) }
func key(n int) string    { return fmt.Sprintf("key-%02d", n) }

// counted is a scene whose bucket has been counted.
func counted(t *testing.T, q keystile.BucketQuota) *scene {
	s := newScene(t, q)
	s.run()
	s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
	return s
}
