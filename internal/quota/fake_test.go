package quota

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
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
	if was := m.spent[s.AccessKeyID]; was.Since.Equal(s.Since) {
		s.Recorded = was.Recorded
	}
	m.spent[s.AccessKeyID] = s
	return nil
}

func (m *memory) AddSpent(id string, s keystile.Spend) error {
	if was := m.spent[id]; was.Since.Equal(s.Since) {
		was.Recorded += s.Bytes
		m.spent[id] = was
	}
	return nil
}

// record makes a closed event part of the trail's index.
func (m *memory) record(e keystile.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return FromTrail(m, []keystile.Event{e}, nil)
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

func (s *backend) writePart(id string, number int, size int64) (stored bool) {
	s.do(func() {
		if stored = s.parts[id] != nil; stored {
			s.parts[id][number] = size
			s.written += size
		}
	})
	return stored
}

// endUpload completes an upload that has these parts, or aborts it where key is
// empty; it reports whether there is such a one.
func (s *backend) endUpload(id, key string, parts map[int]int64) (there bool) {
	s.do(func() {
		if there = parts != nil && maps.Equal(s.parts[id], parts); !there {
			return
		}
		delete(s.parts, id)
		if key != "" {
			s.objects[key] = sumOf(parts)
		}
	})
	return there
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
