package keyring_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// soon is long enough for what must not happen to happen.
const soon = 50 * time.Millisecond

// syncing runs a Sync beside the test.
func (r *ring) syncing() <-chan error {
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	go func() {
		defer cancel()
		done <- r.Sync(ctx)
	}()
	return done
}

func TestTakingARightAwayCutsAndWaits(t *testing.T) {
	for name, change := range map[string]func(*keystile.Credential){
		"revoked":                   revoke,
		"disabled":                  disable,
		"expired":                   func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(-time.Second) },
		"a grant less":              func(c *keystile.Credential) { c.Grants = c.Grants[:1] },
		"a permission less":         func(c *keystile.Credential) { c.Grants[0].Permission = keystile.Read },
		"a longer prefix":           func(c *keystile.Credential) { c.Grants[1].Prefix = "2026/11/" },
		"another prefix":            func(c *keystile.Credential) { c.Grants[1].Prefix = "2025/" },
		"another bucket":            func(c *keystile.Credential) { c.Grants[0].Bucket.Name = "other" },
		"the same bucket elsewhere": func(c *keystile.Credential) { c.Grants[0].Bucket.Backend = "other" },
		"another name":              func(c *keystile.Credential) { c.Grants[0].Alias = "pics" },
		"no grants":                 func(c *keystile.Credential) { c.Grants = nil },
		"an allowance":              func(c *keystile.Credential) { c.Limits = allowing(10) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRing(t)
			k, bystander := r.mint(nil, "prod/photos:read,write", "prod/logs/2026/:read"), r.mint(nil, "prod/photos:read")
			l, other := r.hold(k), r.hold(bystander)
			r.edit(k, change)
			goesOn(t, l)
			done := r.syncing()
			cutWithin(t, l, 5*time.Second)
			select {
			case err := <-done:
				t.Fatalf("Sync returned %v before the request had ended", err)
			case <-time.After(soon):
			}
			l.Release()
			must(t, <-done)
			goesOn(t, other)
		})
	}
}

func allowing(bytes int64) *keystile.CredentialLimits {
	l := keystile.CredentialLimits{Ceiling: keystile.Amount{Bytes: keystile.NoCap, Objects: keystile.NoCap}, Allowance: bytes}
	if bytes != keystile.NoCap {
		l.Per = keystile.PerDay
	}
	return &l
}

func TestWhatTakesNothingAwayCutsNothing(t *testing.T) {
	for name, change := range map[string]func(*keystile.Credential){
		"a description":      func(c *keystile.Credential) { c.Description = "other" },
		"an owner":           func(c *keystile.Credential) { c.Owner = "someone" },
		"a grant more":       func(c *keystile.Credential) { c.Grants = append(c.Grants, grant(t, "prod/more:read")) },
		"a permission more":  func(c *keystile.Credential) { c.Grants[0].Permission |= keystile.Delete },
		"a shorter prefix":   func(c *keystile.Credential) { c.Grants[1].Prefix = "20" },
		"no prefix":          func(c *keystile.Credential) { c.Grants[1].Prefix = "" },
		"another order":      func(c *keystile.Credential) { c.Grants[0], c.Grants[1] = c.Grants[1], c.Grants[0] },
		"a later expiry":     func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(2 * time.Hour) },
		"a sooner expiry":    func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(time.Minute) },
		"no expiry any more": func(c *keystile.Credential) { c.ExpiresAt = time.Time{} },
		"limits of nothing":  func(c *keystile.Credential) { c.Limits = allowing(keystile.NoCap) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRing(t)
			k := r.mint(func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(time.Hour) }, "prod/photos:read,write", "prod/logs/2026/:read")
			l := r.hold(k)
			r.edit(k, change)
			r.sync()
			goesOn(t, l)
			goesOn(t, r.hold(k))
		})
	}
}

func TestRotationWithoutOverlapCuts(t *testing.T) {
	r := newRing(t)
	old := r.mint(nil, "prod/photos:read")
	l := r.hold(old)
	r.rotate(old, 0)
	done := r.syncing()
	cutWithin(t, l, 5*time.Second)
	l.Release()
	must(t, <-done)
}

func TestRotationWithOverlapCutsAtItsEnd(t *testing.T) {
	r := newRing(t)
	old := r.mint(nil, "prod/photos:read")
	l := r.hold(old)
	next := r.rotate(old, 300*time.Millisecond)
	r.sync()
	goesOn(t, l)
	later := r.hold(old)
	onNext := r.hold(next)
	cutWithin(t, l, 5*time.Second)
	cutWithin(t, later, 5*time.Second)
	goesOn(t, onNext)
	r.refuses(old, errWrongSecret)
}

func TestRevokingAndDisablingEndTheOverlap(t *testing.T) {
	for name, change := range map[string]func(*keystile.Credential){"revoked": revoke, "disabled": disable} {
		r := newRing(t)
		old := r.mint(nil, "prod/photos:read")
		next := r.rotate(old, time.Hour)
		r.sync()
		onOld, onNext := r.hold(old), r.hold(next)
		r.edit(old, change)
		done := r.syncing()
		cutWithin(t, onOld, 5*time.Second)
		cutWithin(t, onNext, 5*time.Second)
		onOld.Release()
		onNext.Release()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.use(old); err == nil {
			t.Errorf("%s: the previous secret works on", name)
		}
	}
}

func TestShorteningTheOverlapHoldsAtOnce(t *testing.T) {
	r := newRing(t)
	old := r.mint(nil, "prod/photos:read")
	r.rotate(old, time.Hour)
	r.sync()
	l := r.hold(old)
	r.edit(old, func(c *keystile.Credential) { c.OverlapUntil = time.Now().Add(-time.Second) })
	r.sync()
	cutWithin(t, l, 5*time.Second)
	r.refuses(old, errWrongSecret)
}

func TestExpiryCutsInFlight(t *testing.T) {
	r := newRing(t)
	k := r.mint(func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(300 * time.Millisecond) }, "prod/photos:read")
	l := r.hold(k)
	goesOn(t, l)
	cutWithin(t, l, 5*time.Second)
	r.refuses(k, keyring.ErrNotActive)
}

func TestAMovedExpiryMovesTheCut(t *testing.T) {
	r := newRing(t)
	k := r.mint(func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(400 * time.Millisecond) }, "prod/photos:read")
	l := r.hold(k)
	r.edit(k, func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(time.Hour) })
	r.sync()
	time.Sleep(600 * time.Millisecond)
	goesOn(t, l)
	r.edit(k, func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(100 * time.Millisecond) })
	r.sync()
	cutWithin(t, l, 5*time.Second)
}

func TestAnExpiredKeyThatIsExtendedWorksAtOnce(t *testing.T) {
	r := newRing(t)
	k := r.mint(func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(20 * time.Millisecond) }, "prod/photos:read")
	time.Sleep(40 * time.Millisecond)
	r.refuses(k, keyring.ErrNotActive)
	r.edit(k, func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(time.Hour) })
	r.sync()
	goesOn(t, r.hold(k))
}

func (r *ring) bind(name string) {
	r.t.Helper()
	b := keystile.Binding{Name: name, Bucket: keystile.Bucket{Backend: "prod", Name: "photos"}, Mode: keystile.ModeRead, CreatedAt: r.now()}
	r.write(func(tx store.Tx, generation int64) error {
		b.Generation = generation
		return tx.CreateBinding(b)
	})
	r.sync()
}

func TestRemovingABindingCuts(t *testing.T) {
	r := newRing(t)
	if _, err := r.Anonymous(t.Context(), "public"); !errors.Is(err, keystile.ErrDenied) {
		t.Errorf("nothing is bound: %v", err)
	}
	r.bind("public")
	r.bind("other")
	l, err := r.Anonymous(t.Context(), "public")
	must(t, err)
	other, err := r.Anonymous(t.Context(), "other")
	must(t, err)
	defer other.Release()
	if l.Binding.Name != "public" || l.Credential != nil || !l.Secret.IsZero() {
		t.Errorf("admitted through %+v", l.Binding)
	}
	for _, name := range []string{"", "photos", "Public", "public/"} {
		if _, err := r.Anonymous(t.Context(), name); !errors.Is(err, keystile.ErrDenied) {
			t.Errorf("%q: %v", name, err)
		}
	}
	r.write(func(tx store.Tx, generation int64) error { return tx.RemoveBinding("public", r.now(), generation) })
	done := r.syncing()
	cutWithin(t, l, 5*time.Second)
	l.Release()
	must(t, <-done)
	goesOn(t, other)
	if _, err := r.Anonymous(t.Context(), "public"); !errors.Is(err, keystile.ErrDenied) {
		t.Errorf("a removed binding admits: %v", err)
	}
	r.bind("public")
	again, err := r.Anonymous(t.Context(), "public")
	must(t, err)
	again.Release()
}
