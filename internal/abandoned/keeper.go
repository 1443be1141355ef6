package abandoned

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/quota"
	"keystile/internal/store"
	"keystile/internal/upstream"
)

const (
	// maxPerKey and maxUploads bound the refused uploads that are remembered, of one
	// access key and in all: clients can make up their ids. The parts of one that is
	// not remembered stay where they are.
	maxPerKey  = 1000
	maxUploads = 50_000
	// tellEvery is how often the log tells of such.
	tellEvery = time.Hour
	// maxUploadID is longer than the ids of any backend.
	maxUploadID = 1024
)

// Store is where refused uploads and the keys of RGW users are kept.
type Store interface {
	Read(ctx context.Context, fn func(store.Tx) error) error
	Write(ctx context.Context, fn func(store.Tx) error) error
}

// Backends finds a backend by id.
type Backends interface {
	Get(id string) (*upstream.Backend, bool)
}

// Options are what a Keeper is made of. All fields but the last are required.
type Options struct {
	Store    Store
	Backends Backends
	Quotas   *quota.Ledger
	Trail    *audit.Recorder
	Log      *slog.Logger
	Now      func() time.Time
	// After is how long nobody must have written to a refused upload before it is
	// aborted.
	After time.Duration
	// Pace is how often is looked for those that are due; 0 stands for a quarter of
	// After, at most a minute.
	Pace time.Duration
}

// Keeper remembers refused uploads, and ends those that are left. It is safe for
// concurrent use. A nil Keeper does nothing.
type Keeper struct {
	opts Options
	wake chan struct{} // something is to be brought into the store

	mu      sync.Mutex
	uploads map[id]*upload // those that are being written to, or were refused
	perKey  map[string]int // refused ones, by access key id
	refused int            // in all
	told    time.Time      // when the log last had that there are too many
}

// id tells an upload from all others. Users of a Ceph have theirs apart, for it alone
// says what is whose: what one of them is told of another's upload must not end it.
type id struct {
	bucket keystile.Bucket
	keystile.PendingUpload
	user string
}

func idOf(r keystile.RefusedUpload) id { return id{r.Bucket, r.PendingUpload, r.UserID} }

// upload is guarded by its Keeper's mu.
type upload struct {
	writing int                     // requests that change it, under way
	refused *keystile.RefusedUpload // nil: nothing of it is
	stored  bool                    // there is a row for it
	changed bool                    // which is to be written or deleted
	tries   int                     // to abort it, that failed
	next    time.Time               // when to try again; zero: once it is due
}

// Open makes a Keeper that knows what the store has. Run works for it.
func Open(ctx context.Context, o Options) (*Keeper, error) {
	if o.Pace <= 0 {
		o.Pace = min(o.After/4, time.Minute)
	}
	k := &Keeper{opts: o, wake: make(chan struct{}, 1), uploads: map[id]*upload{}, perKey: map[string]int{}}
	err := o.Store.Read(ctx, func(tx store.Tx) error {
		all, err := tx.RefusedUploads()
		for _, r := range all {
			k.uploads[idOf(r)] = &upload{refused: &r, stored: true, next: o.Now().Add(k.settleIn())}
			k.count(r.AccessKeyID, 1)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("refused uploads: %w", err)
	}
	return k, nil
}

// settleIn is how long after a start clients have to come back: they could not while
// nothing was served.
func (k *Keeper) settleIn() time.Duration { return min(k.opts.After, 10*time.Minute) }

// count keeps the sums of refused uploads.
func (k *Keeper) count(accessKeyID string, more int) {
	k.refused += more
	if k.perKey[accessKeyID] += more; k.perKey[accessKeyID] == 0 {
		delete(k.perKey, accessKeyID)
	}
}

// Write is a request that changes an upload, on its way. It must come to its end by
// Close. A nil Write does nothing.
type Write struct {
	k    *Keeper
	id   id
	part int
	over bool
}

// Begin notes that a request is about to change an upload: to store the part of that
// number, or, with 0, to complete or abort it. User is the RGW user whose own key signs
// what goes on to its Ceph, or empty.
func (k *Keeper) Begin(bucket keystile.Bucket, of keystile.PendingUpload, part int, user string) *Write {
	if k == nil || len(of.UploadID) > maxUploadID {
		return nil
	}
	w := &Write{k: k, id: id{bucket, of, user}, part: part}
	k.mu.Lock()
	defer k.mu.Unlock()
	u := k.uploads[w.id]
	if u == nil {
		u = &upload{}
		k.uploads[w.id] = u
	}
	u.writing++
	return w
}

// Refused notes that a quota refused the request, which was signed with this key.
func (w *Write) Refused(accessKeyID string) {
	if w == nil {
		return
	}
	k := w.k
	k.mu.Lock()
	defer k.mu.Unlock()
	u, now := k.uploads[w.id], k.opts.Now()
	if u.refused == nil {
		if !k.fits(accessKeyID) {
			return
		}
		u.refused = &keystile.RefusedUpload{
			Bucket: w.id.bucket, PendingUpload: w.id.PendingUpload, AccessKeyID: accessKeyID, UserID: w.id.user, RefusedAt: now,
		}
		k.count(accessKeyID, 1)
	}
	u.refused.HeardAt = now
	if at, found := slices.BinarySearch(u.refused.Parts, w.part); !found {
		// A new slice: the old one may be on its way to the store.
		u.refused.Parts = slices.Concat(u.refused.Parts[:at], []int{w.part}, u.refused.Parts[at:])
		k.change(u)
	}
}

// fits reports whether one more refused upload of the key is remembered.
func (k *Keeper) fits(accessKeyID string) bool {
	if k.perKey[accessKeyID] < maxPerKey && k.refused < maxUploads {
		return true
	}
	if now := k.opts.Now(); now.Sub(k.told) >= tellEvery {
		k.told = now
		k.opts.Log.Warn("more uploads were refused for a quota than are remembered: of some the parts may stay when they are abandoned", "access_key_id", accessKeyID)
	}
	return false
}

// Stored notes that the part was stored.
func (w *Write) Stored() {
	if w == nil {
		return
	}
	w.k.mu.Lock()
	defer w.k.mu.Unlock()
	u := w.k.uploads[w.id]
	if u.refused == nil {
		return
	}
	at, found := slices.BinarySearch(u.refused.Parts, w.part)
	switch {
	case !found:
	case len(u.refused.Parts) == 1:
		w.k.forget(u)
	default:
		u.refused.Parts = slices.Concat(u.refused.Parts[:at], u.refused.Parts[at+1:])
		w.k.change(u)
	}
}

// Ended notes that the upload is no more.
func (w *Write) Ended() {
	if w == nil {
		return
	}
	w.k.mu.Lock()
	defer w.k.mu.Unlock()
	w.k.forget(w.k.uploads[w.id])
}

// Close notes that the request is over. Only the first call does anything.
func (w *Write) Close() {
	if w == nil || w.over {
		return
	}
	w.over = true
	w.k.mu.Lock()
	defer w.k.mu.Unlock()
	u := w.k.uploads[w.id]
	u.writing--
	if u.refused != nil {
		u.refused.HeardAt, u.tries, u.next = w.k.opts.Now(), 0, time.Time{}
		u.changed = true // with the next that is brought into the store
	}
	w.k.tidy(w.id, u)
}

// forget has nothing of an upload refused.
func (k *Keeper) forget(u *upload) {
	if u.refused == nil {
		return
	}
	k.count(u.refused.AccessKeyID, -1)
	u.refused = nil
	k.change(u)
}

// change has the upload brought into the store soon.
func (k *Keeper) change(u *upload) {
	u.changed = true
	select {
	case k.wake <- struct{}{}:
	default: // awake already
	}
}

// tidy drops what there is nothing to know of.
func (k *Keeper) tidy(of id, u *upload) {
	if u.writing == 0 && u.refused == nil && !u.stored {
		delete(k.uploads, of)
	}
}
