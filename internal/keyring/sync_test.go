package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

func TestNobodyIsAdmittedBeforeTheFirstSync(t *testing.T) {
	r := newRing(t)
	k := r.mint(nil, "prod/photos:read")
	r.bind("public")
	fresh := &ring{Keyring: keyring.New(r.store, r.now), t: t, store: r.store}
	fresh.refuses(k, keystile.ErrUnavailable)
	if _, err := fresh.Anonymous(t.Context(), "public"); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("anonymous: %v", err)
	}
	if err := fresh.Ready(); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("ready: %v", err)
	}
	fresh.sync()
	must(t, fresh.Ready())
	fresh.hold(k)
}

func TestSyncThatIsNotConfirmedCanBeRepeated(t *testing.T) {
	r := newRing(t)
	k := r.mint(nil, "prod/photos:read")
	l := r.hold(k)
	r.edit(k, revoke)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		if err := r.Sync(ctx); !errors.Is(err, keystile.ErrNotConfirmed) {
			t.Errorf("with a request in flight: %v", err)
		}
		cancel()
	}
	isCut(t, l)
	r.refuses(k, keyring.ErrUnknownKey)
	done := r.syncing()
	select {
	case err := <-done:
		t.Fatalf("a later Sync returned %v before the request had ended", err)
	case <-time.After(soon):
	}
	l.Release()
	must(t, <-done)
	r.sync()
}

func TestRequireClosesUntilTheSync(t *testing.T) {
	r := newRing(t)
	k := r.mint(nil, "prod/photos:read")
	r.bind("public")
	generation := r.edit(k, func(c *keystile.Credential) { c.Description = "other" })
	r.hold(k)
	r.Require(generation)
	r.Require(generation - 1)
	r.refuses(k, keystile.ErrUnavailable)
	if _, err := r.Anonymous(t.Context(), "public"); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("anonymous: %v", err)
	}
	r.sync()
	r.hold(k)
}

// TestRequestsWaitForAChange: what is made between a change's commit and its Sync
// is held up until the change is in force, not refused, and then held to it.
func TestRequestsWaitForAChange(t *testing.T) {
	r := newRing(t)
	stays, goes := r.mint(nil, "prod/photos:read"), r.mint(nil, "prod/photos:read")
	r.bind("public")
	r.Require(r.edit(goes, revoke))
	answers := map[string]chan error{"the key that stays": make(chan error, 1), "the revoked key": make(chan error, 1), "nobody": make(chan error, 1)}
	try := func(who string, admit func() (*keyring.Lease, error)) {
		l, err := admit()
		if l != nil {
			l.Release()
		}
		answers[who] <- err
	}
	go try("the key that stays", func() (*keyring.Lease, error) { return r.use(stays) })
	go try("the revoked key", func() (*keyring.Lease, error) { return r.use(goes) })
	go try("nobody", func() (*keyring.Lease, error) { return r.Anonymous(t.Context(), "public") })
	time.Sleep(soon)
	for who, answer := range answers {
		if len(answer) > 0 {
			t.Errorf("%s had its answer before the change was in force: %v", who, <-answer)
		}
	}
	r.sync()
	for who, want := range map[string]error{"the key that stays": nil, "the revoked key": keyring.ErrUnknownKey, "nobody": nil} {
		if err := <-answers[who]; !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", who, err, want)
		}
	}
}

// failing is a store that cannot be read for a while.
type failing struct {
	store.Store
	err atomic.Pointer[error]
}

func (f *failing) Read(ctx context.Context, fn func(store.Tx) error) error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return f.Store.Read(ctx, fn)
}

func TestAFailingStoreLeavesRequirementsUnmet(t *testing.T) {
	r := newRing(t)
	broken := &failing{Store: r.store}
	r.Keyring = keyring.New(broken, r.now)
	k := r.mint(nil, "prod/photos:read")
	trouble := errors.New("disk on fire")
	broken.err.Store(&trouble)
	r.Require(r.edit(k, revoke))
	if err := r.Sync(t.Context()); !errors.Is(err, trouble) {
		t.Errorf("%v", err)
	}
	r.refuses(k, keystile.ErrUnavailable)
	broken.err.Store(nil)
	r.sync()
	r.refuses(k, keyring.ErrUnknownKey)
}

// halfway is a store whose transaction fails after it has told something.
type halfway struct {
	store.Store
	fail atomic.Bool
}

type halfTx struct{ store.Tx }

var errHalfway = errors.New("lost the connection")

func (h halfTx) ChangedCredentials(since int64, yield func(keystile.Credential, keystile.CredentialSecrets) error) error {
	if err := h.Tx.ChangedCredentials(since, yield); err != nil {
		return err
	}
	return errHalfway
}

func (h *halfway) Read(ctx context.Context, fn func(store.Tx) error) error {
	return h.Store.Read(ctx, func(tx store.Tx) error {
		if h.fail.Load() {
			tx = halfTx{tx}
		}
		return fn(tx)
	})
}

func TestAHalfReadChangeChangesNothing(t *testing.T) {
	r := newRing(t)
	broken := &halfway{Store: r.store}
	r.Keyring = keyring.New(broken, r.now)
	k := r.mint(nil, "prod/photos:read")
	l := r.hold(k)
	broken.fail.Store(true)
	r.edit(k, func(c *keystile.Credential) { c.Grants = nil })
	if err := r.Sync(t.Context()); !errors.Is(err, errHalfway) {
		t.Errorf("%v", err)
	}
	goesOn(t, l)
	if c, ok := r.Lookup(k.id); !ok || len(c.Grants) != 1 {
		t.Errorf("half taken over: %+v", c)
	}
	broken.fail.Store(false)
	done := r.syncing()
	cutWithin(t, l, 5*time.Second)
	l.Release()
	must(t, <-done)
}

// rewound is a store that tells an older generation from some point on.
type rewound struct {
	store.Store
	back atomic.Int64
}

type rewoundTx struct {
	store.Tx
	back int64
}

func (r rewoundTx) Generation() (int64, error) {
	g, err := r.Tx.Generation()
	return g - r.back, err
}

func (r *rewound) Read(ctx context.Context, fn func(store.Tx) error) error {
	return r.Store.Read(ctx, func(tx store.Tx) error { return fn(rewoundTx{tx, r.back.Load()}) })
}

func TestAGenerationThatGoesBackwardsCloses(t *testing.T) {
	r := newRing(t)
	old := &rewound{Store: r.store}
	r.Keyring = keyring.New(old, r.now)
	k := r.mint(nil, "prod/photos:read")
	r.bind("public")
	old.back.Store(1)
	if err := r.Sync(t.Context()); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	r.refuses(k, keystile.ErrUnavailable)
	old.back.Store(0)
	if err := r.Sync(t.Context()); err != nil {
		t.Error(err)
	}
	r.refuses(k, keystile.ErrUnavailable) // what was seen is not unseen
	if err := r.Ready(); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("ready: %v", err)
	}
}

func TestManyChangesInOneSync(t *testing.T) {
	r := newRing(t)
	var keys []key
	for range 50 {
		keys = append(keys, r.mint(nil, "prod/photos:read"))
	}
	for i, k := range keys {
		if i%2 == 0 {
			r.edit(k, revoke)
		}
	}
	r.sync()
	for i, k := range keys {
		if _, err := r.use(k); (err == nil) != (i%2 == 1) {
			t.Errorf("key %d: %v", i, err)
		}
	}
}

// TestAfterARevocationNothingGoesOn lets many clients use keys while these are
// rotated, narrowed and revoked. Once the Sync of a revocation has returned, no
// request with the key is alive and none is admitted.
func TestAfterARevocationNothingGoesOn(t *testing.T) {
	r := newRing(t)
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	for round := range rounds {
		first := r.mint(nil, "prod/photos:read,write", "prod/logs:read")
		var current atomic.Pointer[key]
		current.Store(&first)
		var alive, used atomic.Int64
		var revoked atomic.Bool
		stop := make(chan struct{})
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					sure := revoked.Load()
					l, err := r.use(*current.Load())
					if err != nil {
						continue
					}
					alive.Add(1)
					used.Add(1)
					if sure {
						t.Error("a request is admitted after the revocation")
					}
					for range rand.IntN(20) {
						runtime.Gosched()
					}
					alive.Add(-1)
					l.Release()
				}
			})
		}
		k := first
		for _, overlap := range []time.Duration{time.Hour, 0, time.Millisecond} {
			next := r.rotate(k, overlap)
			r.sync()
			k = next
			current.Store(&next)
		}
		r.edit(k, func(c *keystile.Credential) { c.Grants = c.Grants[:1] })
		r.sync()
		for deadline := time.Now().Add(time.Minute); used.Load() == 0 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // on a busy machine the clients may not have run yet
		}
		r.edit(k, revoke)
		r.sync()
		if n := alive.Load(); n != 0 {
			t.Errorf("round %d: %d requests are alive after the revocation", round, n)
		}
		revoked.Store(true)
		time.Sleep(2 * time.Millisecond)
		close(stop)
		clients.Wait()
		if used.Load() == 0 {
			t.Errorf("round %d: no request was ever admitted", round)
		}
	}
}

// TestMemoryOfManyCredentials prints what a large keyring takes.
func TestMemoryOfManyCredentials(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a store with many credentials")
	}
	const n = 200_000
	r := newRing(t)
	var last key
	for done := 0; done < n; {
		r.write(func(tx store.Tx, generation int64) error {
			for range min(10_000, n-done) {
				id, secret := keystile.NewKeyPair()
				last = key{id, secret}
				done++
				c := keystile.Credential{
					AccessKeyID: id, Description: fmt.Sprintf("credential %d", done), CreatedBy: "someone", CreatedAt: r.now(), UpdatedAt: r.now(),
					Grants: []keystile.Grant{grant(t, "prod/photos:read,list"), grant(t, "prod/logs/2026/:write")}, Generation: generation,
				}
				if err := tx.CreateCredential(c, keystile.CredentialSecrets{Current: secret}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	before := heap()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	must(t, r.Sync(ctx))
	took, each := time.Since(began), (heap()-before)/n
	t.Logf("%d credentials with two grants each: loaded in %v, %d bytes each", n, took.Round(time.Millisecond), each)
	if held, _ := r.Len(); held != n {
		t.Errorf("holds %d", held)
	}
	if each > 2048 {
		t.Errorf("%d bytes for each credential: a million would not fit", each)
	}
	began = time.Now()
	r.edit(last, revoke)
	r.sync()
	t.Logf("one revocation beside them: %v", time.Since(began).Round(time.Microsecond))
	r.refuses(last, keyring.ErrUnknownKey)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkAuthenticate(b *testing.B) {
	r := newRing(b)
	var keys []key
	for range 100 {
		keys = append(keys, r.mint(nil, "prod/photos:read"))
	}
	right := func(keystile.Secret) error { return nil } // the HMAC is sigv4's
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		i := rand.IntN(len(keys))
		for pb.Next() {
			l, err := r.Authenticate(context.Background(), keys[i%len(keys)].id, right)
			if err != nil {
				b.Error(err)
				return
			}
			l.Release()
			i++
		}
	})
}
