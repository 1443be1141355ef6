package quota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

var (
	uploads = keystile.Bucket{Backend: "prod", Name: "uploads"}
	archive = keystile.Bucket{Backend: "prod", Name: "archive"}
)

// memory is a store of quotas alone.
type memory struct {
	store.Tx // nil: nothing else is asked

	mu         sync.Mutex
	generation int64
	quotas     map[keystile.Bucket]keystile.BucketQuota
	usages     map[keystile.Bucket]keystile.UsageRecord
	owned      []keystile.OwnedBucket
	bound      []keystile.Credential
	spent      map[string]keystile.Spent
	writes     int
	down       error
}

func (m *memory) Read(_ context.Context, fn func(store.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fn(m)
}

func (m *memory) Write(_ context.Context, fn func(store.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if m.down != nil {
		return m.down
	}
	return fn(m)
}

func (m *memory) Generation() (int64, error) { return m.generation, nil }

func (m *memory) BucketQuotas() ([]keystile.BucketQuota, error) {
	return slices.Collect(maps.Values(m.quotas)), nil
}

func (m *memory) OwnedBuckets() ([]keystile.OwnedBucket, error) { return m.owned, nil }

func (m *memory) BoundCredentials() ([]keystile.Credential, error) { return m.bound, nil }

func (m *memory) Spent() ([]keystile.Spent, error) {
	return slices.Collect(maps.Values(m.spent)), nil
}

func (m *memory) SaveSpent(s keystile.Spent) error {
	if !slices.ContainsFunc(m.bound, func(c keystile.Credential) bool { return c.AccessKeyID == s.AccessKeyID && c.Limits.Per == s.Per }) {
		return keystile.ErrNotFound
	}
	m.spent[s.AccessKeyID] = s
	return nil
}

// limit gives a credential limits, as from the next Sync on.
func (m *memory) limit(id string, l keystile.CredentialLimits) Writer {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation++
	m.bound = slices.DeleteFunc(m.bound, func(c keystile.Credential) bool { return c.AccessKeyID == id })
	m.bound = append(m.bound, keystile.Credential{AccessKeyID: id, Limits: &l})
	return Writer{id, &l}
}

func (m *memory) BucketUsages() ([]keystile.UsageRecord, error) {
	return slices.Collect(maps.Values(m.usages)), nil
}

func (m *memory) SaveBucketUsage(u keystile.UsageRecord) error {
	if q, ok := m.quotas[u.Bucket]; !ok || !q.TrackedAt.Equal(u.TrackedAt) {
		return keystile.ErrNotFound
	}
	m.usages[u.Bucket] = u
	return nil
}

func (m *memory) set(q keystile.BucketQuota) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation++
	m.quotas[q.Bucket] = q
}

// backend is what is really stored in one bucket. Every change checks that it
// stays below most.
type backend struct {
	t    *testing.T
	most int64 // bytes; 0: no bound
	page int
	slow bool // yields while it lists
	// shuffled: it lists in an order of its own.
	shuffled bool
	pages    int    // of objects that were asked for
	asked    int    // what single objects are
	mute     bool   // and does not tell
	version  string // of all objects
	hangAt   int    // the one that is never answered; 0: all are
	// sibling holds no more than together with this one; nil: there is none.
	sibling  *backend
	together int64

	mu      *sync.Mutex // also of the sibling
	objects map[string]int64
	parts   map[string]map[int]int64
	written int64 // bytes, whatever became of them
}

func newBackend(t *testing.T) *backend {
	return &backend{t: t, page: 1000, mu: &sync.Mutex{}, objects: map[string]int64{}, parts: map[string]map[int]int64{}}
}

// buckets lists what each of them holds.
type buckets map[keystile.Bucket]*backend

func (m buckets) Versions(ctx context.Context, b keystile.Bucket, after keystile.VersionMark) (keystile.VersionPage, error) {
	return m[b].Versions(ctx, b, after)
}

func (m buckets) Uploads(ctx context.Context, b keystile.Bucket, after keystile.UploadMark) ([]keystile.PendingUpload, *keystile.UploadMark, error) {
	return m[b].Uploads(ctx, b, after)
}

func (m buckets) Parts(ctx context.Context, b keystile.Bucket, u keystile.PendingUpload) (map[int]int64, error) {
	return m[b].Parts(ctx, b, u)
}

func (m buckets) Object(ctx context.Context, b keystile.Bucket, key, version string) (keystile.StoredVersion, bool, error) {
	return m[b].Object(ctx, b, key, version)
}

func (s *backend) stored() (sum keystile.Amount) {
	for _, size := range s.objects {
		sum = sum.Plus(keystile.Amount{Bytes: size, Objects: 1})
	}
	for _, parts := range s.parts {
		for _, size := range parts {
			sum.Bytes += size
		}
	}
	return sum
}

func (s *backend) sum() keystile.Amount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored()
}

// do changes what is stored.
func (s *backend) do(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	sum := s.stored().Bytes
	if s.most > 0 && sum > s.most {
		s.t.Errorf("%d bytes are stored, the cap is %d", sum, s.most)
	}
	if s.sibling != nil {
		if sum += s.sibling.stored().Bytes; sum > s.together {
			s.t.Errorf("%d bytes are stored in the owner's buckets, which may hold %d", sum, s.together)
		}
	}
}

func (s *backend) write(key string, size int64) {
	s.objects[key] = size
	s.written += size
}

func (s *backend) state(key string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, ok := s.objects[key]
	return State{Exists: ok, Size: size}
}

func (s *backend) dawdle() {
	if s.slow {
		for range rand.IntN(4) {
			runtime.Gosched()
		}
		time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
	}
}

func (s *backend) Versions(ctx context.Context, _ keystile.Bucket, after keystile.VersionMark) (page keystile.VersionPage, err error) {
	s.dawdle()
	defer s.dawdle()
	s.mu.Lock()
	s.pages++
	hangs := s.pages == s.hangAt
	s.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return page, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.Collect(maps.Keys(s.objects))
	rank := func(key string) string {
		if s.shuffled {
			return key[len(key)-1:] + key
		}
		return key
	}
	slices.SortFunc(keys, func(a, b string) int {
		if rank(a) < rank(b) {
			return -1
		}
		return 1
	})
	for _, key := range keys {
		if after.Key != "" && rank(key) <= rank(after.Key) {
			continue
		}
		if len(page.Versions) == s.page {
			last := page.Versions[len(page.Versions)-1].Key
			page.Next = &keystile.VersionMark{Key: last}
			break
		}
		page.Versions = append(page.Versions, keystile.StoredVersion{Key: key, VersionID: "null", Size: s.objects[key]})
		page.LastKey = max(page.LastKey, key)
	}
	return page, ctx.Err()
}

func (s *backend) Uploads(ctx context.Context, _ keystile.Bucket, after keystile.UploadMark) (list []keystile.PendingUpload, next *keystile.UploadMark, err error) {
	s.dawdle()
	defer s.dawdle()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.parts)) {
		if id <= after.UploadID {
			continue
		}
		if len(list) == s.page {
			return list, &keystile.UploadMark{Key: "k", UploadID: list[len(list)-1].UploadID}, ctx.Err()
		}
		list = append(list, keystile.PendingUpload{Key: "k", UploadID: id})
	}
	return list, nil, ctx.Err()
}

func (s *backend) Parts(ctx context.Context, _ keystile.Bucket, u keystile.PendingUpload) (map[int]int64, error) {
	s.dawdle()
	defer s.dawdle()
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.parts[u.UploadID]), ctx.Err()
}

func (s *backend) Object(ctx context.Context, _ keystile.Bucket, key, _ string) (v keystile.StoredVersion, there bool, err error) {
	s.dawdle()
	defer s.dawdle()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked++; s.mute {
		return v, false, errMute
	}
	size, there := s.objects[key]
	return keystile.StoredVersion{Key: key, VersionID: s.version, Size: size}, there, ctx.Err()
}

var errMute = errors.New("the backend is in trouble")

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
	h, err := l.Reserve(ctx, s.bucket, keystile.Amount{Bytes: size, Objects: 1}, s.by)
	if err != nil {
		return err
	}
	defer h.End()
	s.must(h.Watch(ctx, ObjectPlace(key), s.learn(key)))
	s.backend.dawdle()
	s.must(h.Order(ctx, ObjectPlace(key), false))
	outcome(h)
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
	ctx := context.Background()
	h, err := l.Reserve(ctx, s.bucket, keystile.Amount{}, s.by)
	s.must(err)
	defer h.End()
	s.must(h.Order(ctx, ObjectPlace(key), false))
	s.must(h.Watch(ctx, ObjectPlace(key), s.learn(key)))
	s.backend.do(func() { delete(s.backend.objects, key) })
	s.backend.dawdle()
	h.Removed(key, "", false)
}

func (s *scene) part(l *Ledger, id string, number int, size int64) error {
	ctx := context.Background()
	h, err := l.Reserve(ctx, s.bucket, keystile.Amount{Bytes: size}, s.by)
	if err != nil {
		return err
	}
	defer h.End()
	place := PartPlace(id, number)
	s.must(h.Watch(ctx, place, func(context.Context) (State, error) {
		s.backend.mu.Lock()
		defer s.backend.mu.Unlock()
		old, ok := s.backend.parts[id][number]
		return State{Exists: ok, Size: old}, nil
	}))
	s.must(h.Order(ctx, UploadPlace(id), true))
	s.must(h.Order(ctx, place, false))
	s.backend.dawdle()
	stored := false
	s.backend.do(func() {
		if s.backend.parts[id] != nil {
			s.backend.parts[id][number] = size
			s.backend.written += size
			stored = true
		}
	})
	s.backend.dawdle()
	if stored {
		h.WrotePart(id, number, size)
	} else {
		h.Gone()
	}
	return nil
}

// end completes the upload, or aborts it where key is empty.
func (s *scene) end(l *Ledger, id, key string) error {
	ctx := context.Background()
	need := keystile.Amount{}
	if key != "" {
		need.Objects = 1
	}
	h, err := l.Reserve(ctx, s.bucket, need, s.by)
	if err != nil {
		return err
	}
	defer h.End()
	s.must(h.Order(ctx, UploadPlace(id), false))
	parts, err := s.backend.Parts(ctx, uploads, keystile.PendingUpload{UploadID: id})
	s.must(err)
	if key != "" {
		s.must(h.Order(ctx, ObjectPlace(key), false))
		s.must(h.Watch(ctx, ObjectPlace(key), s.learn(key)))
	}
	var size int64
	for _, n := range parts {
		size += n
	}
	there := false
	s.backend.do(func() {
		if there = parts != nil && maps.Equal(s.backend.parts[id], parts); !there {
			return
		}
		delete(s.backend.parts, id)
		if key != "" {
			s.backend.objects[key] = size
		}
	})
	s.backend.dawdle()
	if !there { // there is no such upload, or another one
		h.Gone()
		return nil
	}
	h.Ended(id, parts)
	if key != "" {
		h.Wrote(key, size, "")
	}
	return nil
}

func upload(n int) string { return "upload-" + strconv.Itoa(n) }
func key(n int) string    { return fmt.Sprintf("key-%02d", n) }
