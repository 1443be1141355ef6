package keyring_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/freshstore"
)

// ring is a keyring on a real store, with a clock that can be moved.
type ring struct {
	*keyring.Keyring
	t     testing.TB
	store store.Store
	ahead atomic.Int64 // of the real clock, in nanoseconds
}

func newRing(t testing.TB) *ring {
	t.Helper()
	r := &ring{t: t, store: openStore(t)}
	r.Keyring = keyring.New(r.store, r.now)
	must(t, r.Sync(t.Context()))
	return r
}

func openStore(t testing.TB) store.Store {
	t.Helper()
	return freshstore.Open(t)
}

func (r *ring) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func grant(t testing.TB, text string) keystile.Grant {
	t.Helper()
	g, err := keystile.ParseGrant(text, true)
	must(t, err)
	return g
}

// write changes the store in a generation of its own, without a Sync.
func (r *ring) write(fn func(tx store.Tx, generation int64) error) (generation int64) {
	r.t.Helper()
	must(r.t, r.store.Write(r.t.Context(), func(tx store.Tx) (err error) {
		if generation, err = tx.NextGeneration(); err != nil {
			return err
		}
		return fn(tx, generation)
	}))
	return generation
}

// sync is a Sync that must succeed soon.
func (r *ring) sync() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	must(r.t, r.Sync(ctx))
}

// key is a credential and the secret that its client has.
type key struct {
	id     string
	secret keystile.Secret
}

func (r *ring) mint(change func(*keystile.Credential), grants ...string) key {
	r.t.Helper()
	id, secret := keystile.NewKeyPair()
	c := keystile.Credential{AccessKeyID: id, Description: "test", CreatedBy: "someone", CreatedAt: r.now(), UpdatedAt: r.now()}
	for _, g := range grants {
		c.Grants = append(c.Grants, grant(r.t, g))
	}
	if change != nil {
		change(&c)
	}
	r.write(func(tx store.Tx, generation int64) error {
		c.Generation = generation
		return tx.CreateCredential(c, keystile.CredentialSecrets{Current: secret})
	})
	r.sync()
	return key{id, secret}
}

// edit changes a credential and, if secrets is given, them too, without a Sync.
func (r *ring) edit(k key, change func(*keystile.Credential), secrets ...keystile.CredentialSecrets) int64 {
	r.t.Helper()
	return r.write(func(tx store.Tx, generation int64) error {
		c, err := tx.Credential(k.id)
		if err != nil {
			return err
		}
		change(&c)
		c.Generation = generation
		for _, s := range secrets {
			if err := tx.SetCredentialSecrets(k.id, s); err != nil {
				return err
			}
		}
		return tx.UpdateCredential(c)
	})
}

// rotate gives the key a new secret; the old one works for overlap.
func (r *ring) rotate(k key, overlap time.Duration) key {
	r.t.Helper()
	next := key{k.id, keystile.NewSecretKey()}
	secrets := keystile.CredentialSecrets{Current: next.secret}
	until := time.Time{}
	if overlap > 0 {
		secrets.Previous, until = k.secret, r.now().Add(overlap)
	}
	r.edit(k, func(c *keystile.Credential) { c.RotatedAt, c.OverlapUntil = r.now(), until }, secrets)
	return next
}

func revoke(c *keystile.Credential)  { c.RevokedAt = time.Now() }
func disable(c *keystile.Credential) { c.DisabledAt = time.Now() }
func enable(c *keystile.Credential)  { c.DisabledAt = time.Time{} }

var errWrongSecret = errors.New("wrong secret")

// with is how a client that has the secret signs.
func with(secret keystile.Secret) keyring.Verify {
	return func(s keystile.Secret) error {
		if s.Equal(secret) {
			return nil
		}
		return errWrongSecret
	}
}

func (r *ring) use(k key) (*keyring.Lease, error) {
	return r.Authenticate(r.t.Context(), k.id, with(k.secret))
}

// hold is a use that must succeed. The lease is released at the latest when the
// test ends.
func (r *ring) hold(k key) *keyring.Lease {
	r.t.Helper()
	l, err := r.use(k)
	must(r.t, err)
	r.t.Cleanup(l.Release)
	return l
}

func (r *ring) refuses(k key, want error) {
	r.t.Helper()
	if l, err := r.use(k); !errors.Is(err, want) {
		r.t.Errorf("using %s gives %v, %v, want %v", k.id, l, err, want)
	}
}

// goesOn checks that nothing has ended the lease.
func goesOn(t testing.TB, l *keyring.Lease) {
	t.Helper()
	if l.Cut() || l.Context().Err() != nil {
		t.Errorf("the request is cut: %v", context.Cause(l.Context()))
	}
}

// isCut checks that the lease was cut already.
func isCut(t testing.TB, l *keyring.Lease) {
	t.Helper()
	if !l.Cut() || !errors.Is(context.Cause(l.Context()), keyring.ErrCut) {
		t.Errorf("the request goes on: %v", context.Cause(l.Context()))
	}
}

// cutWithin waits for the lease's end.
func cutWithin(t testing.TB, l *keyring.Lease, d time.Duration) {
	t.Helper()
	select {
	case <-l.Context().Done():
	case <-time.After(d):
	}
	isCut(t, l)
}
