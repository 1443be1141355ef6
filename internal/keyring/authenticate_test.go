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

func TestOnlyTheRightSecretOfALiveKeyIsAdmitted(t *testing.T) {
	r := newRing(t)
	k := r.mint(nil, "prod/photos:read")
	other := r.mint(nil, "prod/photos:read")
	l := r.hold(k)
	if l.Credential.AccessKeyID != k.id || !l.Secret.Equal(k.secret) || l.Binding != nil || len(l.Credential.Grants) != 1 {
		t.Errorf("admitted as %+v", l.Credential)
	}
	r.refuses(key{k.id, other.secret}, errWrongSecret)
	r.refuses(key{k.id, keystile.Secret{}}, errWrongSecret)
	for _, id := range []string{"", "AKIA", k.id[:19], k.id + "A", "akia" + k.id[4:]} {
		r.refuses(key{id, k.secret}, keyring.ErrUnknownKey)
	}
}

func TestEveryAttemptCostsAVerify(t *testing.T) {
	r := newRing(t)
	live := r.mint(nil, "prod/photos:read")
	disabled := r.mint(disable, "prod/photos:read")
	revoked := r.mint(revoke, "prod/photos:read")
	for name, id := range map[string]string{"unknown": "AKIAAAAAAAAAAAAAAAAA", "revoked": revoked.id, "disabled": disabled.id, "live": live.id} {
		var tried []keystile.Secret
		_, err := r.Authenticate(t.Context(), id, func(s keystile.Secret) error {
			tried = append(tried, s)
			return errWrongSecret
		})
		if err == nil || len(tried) != 1 || tried[0].IsZero() {
			t.Errorf("%s: %d verifies, %v", name, len(tried), err)
		}
	}
}

func TestAnUnknownKeyIsNeverAdmittedWhateverVerifies(t *testing.T) {
	r := newRing(t)
	always := func(keystile.Secret) error { return nil }
	if _, err := r.Authenticate(t.Context(), "AKIAAAAAAAAAAAAAAAAA", always); !errors.Is(err, keyring.ErrUnknownKey) {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNotActiveIsRefused(t *testing.T) {
	r := newRing(t)
	for name, tt := range map[string]struct {
		change func(*keystile.Credential)
		want   error
	}{
		"revoked":              {revoke, keyring.ErrUnknownKey},
		"disabled":             {disable, keyring.ErrNotActive},
		"expired":              {func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(-time.Second) }, keyring.ErrNotActive},
		"revoked and disabled": {func(c *keystile.Credential) { revoke(c); disable(c) }, keyring.ErrUnknownKey},
	} {
		k := r.mint(tt.change, "prod/photos:read")
		if _, err := r.use(k); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpiryNeedsNoSync(t *testing.T) {
	r := newRing(t)
	k := r.mint(func(c *keystile.Credential) { c.ExpiresAt = r.now().Add(time.Hour) }, "prod/photos:read")
	r.hold(k)
	r.ahead.Store(int64(time.Hour))
	r.refuses(k, keyring.ErrNotActive)
}

func TestEnablingAdmitsAgain(t *testing.T) {
	r := newRing(t)
	k := r.mint(nil, "prod/photos:read")
	r.edit(k, disable)
	r.sync()
	r.refuses(k, keyring.ErrNotActive)
	r.edit(k, enable)
	r.sync()
	goesOn(t, r.hold(k))
}

func TestTheOwnerIsToldByName(t *testing.T) {
	r := newRing(t)
	r.write(func(tx store.Tx, _ int64) error {
		return tx.CreateAccount(keystile.Account{
			ID: "11111111-1111-4111-8111-111111111111", Name: "jo", Role: keystile.RoleUser, CreatedAt: r.now(), UpdatedAt: r.now(),
		})
	})
	owned := r.mint(func(c *keystile.Credential) { c.Owner = "11111111-1111-4111-8111-111111111111" }, "prod/photos:read")
	unowned := r.mint(nil, "prod/photos:read")
	if l := r.hold(owned); l.Owner != "jo" {
		t.Errorf("owned by %q", l.Owner)
	}
	if l := r.hold(unowned); l.Owner != "" {
		t.Errorf("owned by %q", l.Owner)
	}
}

func TestPreviousSecretWorksDuringTheOverlapOnly(t *testing.T) {
	r := newRing(t)
	old := r.mint(nil, "prod/photos:read")
	next := r.rotate(old, time.Hour)
	r.sync()
	if l := r.hold(old); !l.Secret.Equal(old.secret) {
		t.Error("the lease has another secret than the one that was used")
	}
	if l := r.hold(next); !l.Secret.Equal(next.secret) {
		t.Error("the lease has another secret than the one that was used")
	}
	r.refuses(key{old.id, keystile.NewSecretKey()}, errWrongSecret)
	r.ahead.Store(int64(time.Hour))
	r.refuses(old, errWrongSecret)
	r.hold(next)
}

func TestRotationWithoutOverlapEndsTheOldSecret(t *testing.T) {
	r := newRing(t)
	old := r.mint(nil, "prod/photos:read")
	next := r.rotate(old, 0)
	r.sync()
	r.refuses(old, errWrongSecret)
	r.hold(next)
}

func TestASecondRotationEndsTheFirstOverlap(t *testing.T) {
	r := newRing(t)
	first := r.mint(nil, "prod/photos:read")
	second := r.rotate(first, time.Hour)
	r.sync()
	onFirst, onSecond := r.hold(first), r.hold(second)
	third := r.rotate(second, time.Hour)
	onFirst.Release()
	r.sync()
	goesOn(t, onSecond)
	r.refuses(first, errWrongSecret)
	r.hold(second)
	r.hold(third)
}

func TestAPreviousSecretWithoutAnEndIsNotTaken(t *testing.T) {
	r := newRing(t)
	k := r.mint(nil, "prod/photos:read")
	next := key{k.id, keystile.NewSecretKey()}
	r.edit(k, func(*keystile.Credential) {}, keystile.CredentialSecrets{Current: next.secret, Previous: k.secret})
	r.sync()
	r.refuses(k, errWrongSecret)
	r.hold(next)
}

func TestUseIsRemembered(t *testing.T) {
	r := newRing(t)
	k, unused := r.mint(nil, "prod/photos:read"), r.mint(nil, "prod/photos:read")
	_, _ = r.use(key{unused.id, k.secret})
	for range 5 {
		r.hold(k)
	}
	used := r.Used()
	if at, ok := used[k.id]; len(used) != 1 || !ok || time.Since(at) > time.Minute {
		t.Errorf("used %v", used)
	}
	r.hold(k)
	if again := r.Used(); len(again) != 0 && time.Now().Second() > 2 {
		t.Errorf("used again within the minute: %v", again)
	}
	r.ahead.Store(int64(2 * time.Minute))
	r.edit(k, func(c *keystile.Credential) { c.Description = "other" })
	r.sync()
	r.hold(k)
	if again := r.Used(); len(again) != 1 {
		t.Errorf("used later: %v", again)
	}
}

func TestLookupAndLen(t *testing.T) {
	r := newRing(t)
	if c, b := r.Len(); c != 0 || b != 0 {
		t.Errorf("an empty keyring holds %d, %d", c, b)
	}
	k := r.mint(nil, "prod/photos:read")
	r.bind("public")
	if c, b := r.Len(); c != 1 || b != 1 {
		t.Errorf("holds %d, %d", c, b)
	}
	if c, ok := r.Lookup(k.id); !ok || c.AccessKeyID != k.id {
		t.Errorf("%+v, %v", c, ok)
	}
	r.edit(k, revoke)
	r.sync()
	if c, ok := r.Lookup(k.id); ok {
		t.Errorf("a revoked key is found: %+v", c)
	}
	if c, _ := r.Len(); c != 0 {
		t.Errorf("holds %d", c)
	}
}

func TestTheRequestsOwnEndIsNoCut(t *testing.T) {
	r := newRing(t)
	k := r.mint(nil, "prod/photos:read")
	ctx, cancel := context.WithCancel(t.Context())
	l, err := r.Authenticate(ctx, k.id, with(k.secret))
	must(t, err)
	cancel()
	if l.Cut() || l.Context().Err() == nil {
		t.Errorf("the client's going is taken for a cut: %v", context.Cause(l.Context()))
	}
	l.Release()
	l.Release()
	if l.Cut() {
		t.Error("a released lease is cut")
	}
	r.edit(k, revoke)
	r.sync()
}
