package quota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Store is where books are kept.
type Store interface {
	Read(ctx context.Context, fn func(store.Tx) error) error
	Write(ctx context.Context, fn func(store.Tx) error) error
}

// Lister lists what buckets hold. A zero mark begins a listing.
type Lister interface {
	Versions(ctx context.Context, b keystile.Bucket, after keystile.VersionMark) (keystile.VersionPage, error)
	Uploads(ctx context.Context, b keystile.Bucket, after keystile.UploadMark) ([]keystile.PendingUpload, *keystile.UploadMark, error)
	// Parts are the sizes of an upload's parts by their numbers; none if there is
	// no such upload.
	Parts(ctx context.Context, b keystile.Bucket, u keystile.PendingUpload) (map[int]int64, error)
	// Object is what is there under a key, or of the version of it that is named.
	Object(ctx context.Context, b keystile.Bucket, key, versionID string) (v keystile.StoredVersion, there bool, err error)
}

// Options are what a Ledger is made of. All fields but the last three are
// required.
type Options struct {
	Store  Store
	Lister Lister
	Log    *slog.Logger
	Now    func() time.Time
	// Grace is how long a write whose outcome is unknown may still take effect at
	// the backend. A count that began sooner does not settle it. 0 stands for two
	// minutes.
	Grace time.Duration
	// OrderTimeout is how long a change waits for another one of the same place
	// before it goes on without an order; 0 stands for 10 s.
	OrderTimeout time.Duration
	// Pace is how often is looked which buckets are to be counted; 0 stands for
	// one second.
	Pace time.Duration
}

// Ledger holds the books of all counted buckets. It is safe for concurrent use.
type Ledger struct {
	opts  Options
	books atomic.Pointer[map[keystile.Bucket]*book] // replaced whole, never changed
	// allowances are by access key id, and replaced likewise.
	allowances atomic.Pointer[map[string]*allowance]

	memory     budget
	syncing    sync.Mutex
	synced     bool
	generation int64
	groups     map[string]*group // by owner; guarded by syncing
}

// New makes a ledger without books; Sync brings those of the store, Run counts.
func New(o Options) *Ledger {
	if o.Grace <= 0 {
		o.Grace = 2 * time.Minute
	}
	if o.OrderTimeout <= 0 {
		o.OrderTimeout = 10 * time.Second
	}
	if o.Pace <= 0 {
		o.Pace = time.Second
	}
	l := &Ledger{opts: o, groups: map[string]*group{}}
	l.memory.left.Store(mostRecalled)
	l.books.Store(&map[keystile.Bucket]*book{})
	l.allowances.Store(&map[string]*allowance{})
	return l
}

func (l *Ledger) book(b keystile.Bucket) *book { return (*l.books.Load())[b] }

// Counts reports whether the bucket is counted.
func (l *Ledger) Counts(b keystile.Bucket) bool { return l.book(b) != nil }

// Usage tells what is stored in a bucket; false if it is not counted.
func (l *Ledger) Usage(b keystile.Bucket) (keystile.Usage, bool) {
	book := l.book(b)
	if book == nil {
		return keystile.Usage{}, false
	}
	return book.usage(), true
}

// kept is what the store has of quotas.
type kept struct {
	generation int64
	quotas     []keystile.BucketQuota
	usages     map[keystile.Bucket]keystile.UsageRecord
	owned      []keystile.OwnedBucket
	bound      []keystile.Credential
	spent      []keystile.Spent
}

// read reads all, or only the generation if that was read before.
func (l *Ledger) read(tx store.Tx) (k kept, err error) {
	if k.generation, err = tx.Generation(); err != nil || l.synced && k.generation == l.generation {
		return k, err
	}
	k.usages = map[keystile.Bucket]keystile.UsageRecord{}
	records, err := tx.BucketUsages()
	for _, u := range records {
		k.usages[u.Bucket] = u
	}
	for _, step := range []func() error{
		func() (err error) { k.quotas, err = tx.BucketQuotas(); return err },
		func() (err error) { k.owned, err = tx.OwnedBuckets(); return err },
		func() (err error) { k.bound, err = tx.BoundCredentials(); return err },
		func() (err error) { k.spent, err = tx.Spent(); return err },
	} {
		if err == nil {
			err = step()
		}
	}
	return k, err
}

// Sync takes over the quotas of the store. Books stay, with what is under way in
// them, as long as their bucket is counted. On an error everything stays as it
// was. Before the first one the store must have all of the audit trail, and no
// event may be open: of what is spent it takes over what the trail tells.
func (l *Ledger) Sync(ctx context.Context) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	var k kept
	err := l.opts.Store.Read(ctx, func(tx store.Tx) (err error) {
		k, err = l.read(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("quotas: %w", err)
	}
	if l.synced && k.generation == l.generation {
		return nil
	}
	next := make(map[keystile.Bucket]*book, len(k.quotas))
	for _, q := range k.quotas {
		b := l.book(q.Bucket)
		if b == nil || !b.trackedAt.Equal(q.TrackedAt) {
			b = l.open(q, k.usages[q.Bucket])
		}
		b.setCaps(q)
		next[q.Bucket] = b
	}
	for bucket, b := range *l.books.Load() {
		if next[bucket] != b {
			b.stop()
		}
	}
	l.regroup(next, k.owned)
	l.books.Store(&next)
	l.reopen(k.bound, k.spent)
	l.synced, l.generation = true, k.generation
	l.flushDue(ctx)
	return nil
}

// open makes the book of a bucket. What an earlier process had leased may have
// been stored: it is unknown.
func (l *Ledger) open(q keystile.BucketQuota, u keystile.UsageRecord) *book {
	b := &book{l: l, bucket: q.Bucket, trackedAt: q.TrackedAt, writing: make(chan struct{}, 1), places: map[Place]*entry{}, doubts: map[Place]*doubt{}, sizes: map[Place]State{}, active: map[Place]map[*Hold]bool{}, parts: -1, lastParts: l.opts.Now()}
	b.caps = q
	if !u.TrackedAt.Equal(q.TrackedAt) {
		return b // none yet
	}
	b.used, b.countedAt, b.drift, b.overSoft, b.recount = u.Used, u.CountedAt, u.Drift, u.OverSoft, u.Recount
	b.resume, b.parts = u.Scan, u.Parts
	if left := u.Unknown.Plus(u.Leased); left != (keystile.Amount{}) {
		until := u.UnknownUntil
		if u.Leased != (keystile.Amount{}) {
			now := l.opts.Now()
			until = maxTime(until, now.Add(l.opts.Grace))
			b.again = now.Add(longGrace)
		}
		b.unknown = []lost{{left, until}}
	}
	b.bound = b.total()
	return b
}

// Flush writes what changed, and keeps no lease beyond what is under way: it is
// for an orderly stop.
func (l *Ledger) Flush(ctx context.Context) error {
	var faults []error
	for _, b := range *l.books.Load() {
		faults = append(faults, b.flush(ctx, false))
	}
	for _, a := range *l.allowances.Load() {
		faults = append(faults, a.flush(ctx))
	}
	return errors.Join(faults...)
}
