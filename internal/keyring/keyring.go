package keyring

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Why a request is not admitted. ErrUnknownKey also stands for a revoked key,
// whose secret is gone.
var (
	ErrUnknownKey = errors.New("no such access key")
	ErrNotActive  = errors.New("the access key is disabled or expired")
)

// Reader is the part of the store that the keyring reads.
type Reader interface {
	Read(ctx context.Context, fn func(store.Tx) error) error
}

// Keyring holds what may authenticate. It is safe for concurrent use; looking
// up takes no lock that requests of different keys share.
type Keyring struct {
	store Reader
	now   func() time.Time
	seed  maphash.Seed
	dummy keystile.Secret

	view      atomic.Pointer[snapshot]
	required  atomic.Int64                  // the generation that must be in force to admit anyone
	regressed atomic.Bool                   // the store's generation went backwards
	takenOver atomic.Pointer[chan struct{}] // closed when the snapshot is swapped

	syncing sync.Mutex
	ending  []*right // cut, with requests that had not gone yet; guarded by syncing

	usedMu sync.Mutex
	used   map[string]time.Time
}

// New makes an empty keyring that admits nobody before its first Sync.
func New(s Reader, now func() time.Time) *Keyring {
	k := &Keyring{
		store: s, now: now, seed: maphash.MakeSeed(),
		dummy: keystile.NewSecretKey(), used: map[string]time.Time{},
	}
	k.swap(&snapshot{generation: -1, bindings: map[string]*bindingEntry{}})
	return k
}

// Ready reports whether the keyring holds all that it must: if not, it admits
// nobody.
func (k *Keyring) Ready() error {
	if k.view.Load().generation < k.required.Load() || k.regressed.Load() {
		return fmt.Errorf("the credentials are not up to date: %w", keystile.ErrUnavailable)
	}
	return nil
}

// Verify checks a request's signature with a secret and returns nil if it is
// right. It is called once or twice for every request, known key or not, so
// that timing tells nothing.
type Verify func(keystile.Secret) error

// Authenticate admits a request signed with the access key. The lease must be
// released. It waits while a change is being taken over, for a second at most. The
// error is that of verify, ErrUnknownKey, ErrNotActive, or keystile.ErrUnavailable
// when the keyring cannot know.
func (k *Keyring) Authenticate(ctx context.Context, accessKeyID string, verify Verify) (*Lease, error) {
	for {
		if err := k.await(ctx); err != nil {
			return nil, err
		}
		e := k.view.Load().credential(accessKeyID, k.seed)
		if e == nil {
			_ = verify(k.dummy) // for its cost alone
			return nil, ErrUnknownKey
		}
		now := k.now()
		r, err := e.match(verify, now)
		if err != nil {
			return nil, err
		}
		l := &Lease{Credential: &e.credential, Owner: e.owner, Secret: r.secret}
		if err := r.admit(ctx, l, now); errors.Is(err, errDead) {
			continue // look again
		} else if err != nil {
			return nil, err
		}
		k.touch(e, now)
		return l, nil
	}
}

func (e *entry) match(verify Verify, now time.Time) (*right, error) {
	r, err := e.current, verify(e.current.secret)
	if err != nil && e.previous != nil && now.Before(e.credential.OverlapUntil) {
		if verify(e.previous.secret) == nil {
			r, err = e.previous, nil
		}
	}
	if e.credential.StatusAt(now) != keystile.StatusActive {
		return nil, ErrNotActive
	}
	return r, err
}

// Anonymous admits an unsigned request under the name of a binding, or of a public
// bucket of an RGW user. Without either it is ErrDenied.
func (k *Keyring) Anonymous(ctx context.Context, name string) (*Lease, error) {
	for {
		if err := k.await(ctx); err != nil {
			return nil, err
		}
		view := k.view.Load()
		b := view.bindings[name]
		if b == nil {
			b = view.anonymousPublic(name)
		}
		if b == nil {
			return nil, fmt.Errorf("nothing is open to anonymous reads as %q: %w", name, keystile.ErrDenied)
		}
		l := &Lease{Binding: &b.binding}
		if err := b.right.admit(ctx, l, k.now()); !errors.Is(err, errDead) {
			return l, err
		}
	}
}

// Lookup returns a credential without admitting anything; false if none lives.
func (k *Keyring) Lookup(accessKeyID string) (keystile.Credential, bool) {
	e := k.view.Load().credential(accessKeyID, k.seed)
	if e == nil {
		return keystile.Credential{}, false
	}
	return e.credential, true
}

// Binding returns an open anonymous binding without admitting anything; false if
// there is none of that name.
func (k *Keyring) Binding(name string) (keystile.Binding, bool) {
	b := k.view.Load().bindings[name]
	if b == nil {
		return keystile.Binding{}, false
	}
	return b.binding, true
}

// Len returns the number of credentials and bindings that are held.
func (k *Keyring) Len() (credentials, bindings int) {
	view := k.view.Load()
	for _, shard := range view.shards {
		credentials += len(shard)
	}
	return credentials, len(view.bindings)
}
