package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/password"
	"keystile/internal/store"
	"keystile/internal/store/freshstore"
)

const somePassword = "correct horse battery"

// bench is the use cases over a real store.
type bench struct {
	*Service
	store    *flakyStore
	gateways *fakeGateways
	clock    *fakeClock
	admin    Actor
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{store: &flakyStore{Store: freshstore.Open(t)}, gateways: &fakeGateways{}, clock: &fakeClock{at: time.Unix(1_800_000_000, 0)}}
	trail := audit.NewRecorder(audit.InStore(b.store), b.clock.now)
	t.Cleanup(trail.Close)
	b.Service = New(Options{
		Store: b.store, Trail: trail, Gateways: b.gateways, Upstreams: fakeUpstreams{}, Now: b.clock.now,
		Passwords: password.Params{MemoryKiB: 64, Passes: 1, Lanes: 1},
	})
	account, err := b.Bootstrap.CreateAdmin(t.Context(), "root", keystile.NewSecret(somePassword))
	must(t, err)
	b.admin = Actor{Account: account, Request: Request{ID: "req", Source: netip.MustParseAddr("203.0.113.9")}}
	return b
}

func (b *bench) mint(t *testing.T) string {
	t.Helper()
	made, err := b.Credentials.Create(t.Context(), b.admin, NewCredential{Description: "d", Grants: []keystile.Grant{
		{Bucket: keystile.Bucket{Backend: "main", Name: "uploads"}, Permission: keystile.Read},
	}})
	must(t, err)
	return made.AccessKeyID
}

func (b *bench) events(t *testing.T, prefix string) []keystile.Event {
	t.Helper()
	var events []keystile.Event
	must(t, b.store.Read(t.Context(), func(tx store.Tx) (err error) {
		events, _, err = tx.Events(keystile.EventPage{Limit: 1000, Filter: keystile.EventFilter{ActionPrefix: prefix}})
		return err
	}))
	return events
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type fakeClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *fakeClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// flakyStore fails writes while full is set.
type flakyStore struct {
	store.Store
	mu   sync.Mutex
	full error
}

func (s *flakyStore) fill(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = err
}

func (s *flakyStore) Write(ctx context.Context, fn func(store.Tx) error) error {
	s.mu.Lock()
	full := s.full
	s.mu.Unlock()
	if full != nil {
		return full
	}
	return s.Store.Write(ctx, fn)
}

type fakeGateways struct {
	meet func(ctx context.Context, generation int64) error
}

func (g *fakeGateways) Confirm(ctx context.Context, generation int64) error {
	if g.meet == nil {
		return nil
	}
	return g.meet(ctx, generation)
}

type fakeUpstreams struct{}

func (fakeUpstreams) Declared() []keystile.Backend {
	return []keystile.Backend{{ID: "main", Kind: keystile.KindEmbedded, Region: "r", Source: keystile.SourceConfig}}
}
func (fakeUpstreams) Health() map[string]keystile.Health                             { return nil }
func (fakeUpstreams) CheckEndpoint(context.Context, keystile.Backend) error          { return nil }
func (fakeUpstreams) CreateBucket(context.Context, keystile.Bucket) error            { return errBroken }
func (fakeUpstreams) DeleteBucket(context.Context, keystile.Bucket) error            { return nil }
func (fakeUpstreams) Buckets(context.Context, string) ([]keystile.BucketInfo, error) { return nil, nil }
func (fakeUpstreams) Test(context.Context, keystile.Backend, keystile.Secret) keystile.TestReport {
	return keystile.TestReport{}
}

var errBroken = errors.New("connection to 10.1.2.3 broken")

// A client that hangs up does not leave a revocation half announced.
func TestConfirmationOutlivesTheClient(t *testing.T) {
	b := newBench(t)
	id := b.mint(t)
	ctx, hangUp := context.WithCancel(t.Context())
	b.gateways.meet = func(confirming context.Context, generation int64) error {
		hangUp()
		if err := confirming.Err(); err != nil {
			t.Errorf("the wait for the gateways ended with the client: %v", err)
		}
		if deadline, ok := confirming.Deadline(); !ok || time.Until(deadline) > confirmTimeout {
			t.Error("the wait for the gateways has no bound")
		}
		if generation == 0 {
			t.Error("no generation to confirm")
		}
		return nil
	}
	if _, err := b.Credentials.Revoke(ctx, b.admin, id); err != nil {
		t.Errorf("Revoke = %v", err)
	}
}

// The gateways are asked only after the change is committed.
func TestConfirmedAfterTheCommit(t *testing.T) {
	b := newBench(t)
	id := b.mint(t)
	asked := false
	b.gateways.meet = func(ctx context.Context, generation int64) error {
		asked = true
		return b.store.Read(ctx, func(tx store.Tx) error {
			cred, err := tx.Credential(id)
			if err == nil && (cred.RevokedAt.IsZero() || cred.Generation != generation) {
				return fmt.Errorf("asked for %d before the commit: %+v", generation, cred)
			}
			return err
		})
	}
	_, err := b.Credentials.Revoke(t.Context(), b.admin, id)
	must(t, err)
	if !asked {
		t.Error("the gateways were not asked")
	}
}

// No record, no act: what cannot be written does not happen, and a refusal that
// cannot be recorded is an internal error, still a refusal.
func TestNothingHappensUnrecorded(t *testing.T) {
	b := newBench(t)
	id := b.mint(t)
	full := errors.New("database or disk is full")
	b.store.fill(full)
	if _, err := b.Credentials.Disable(t.Context(), b.admin, id); err == nil || Classify(err).Code != "internal" {
		t.Errorf("Disable = %v", err)
	}
	stranger := b.admin
	stranger.Account.Role = keystile.RoleReadonly
	if _, err := b.Credentials.Disable(t.Context(), stranger, id); Classify(err).Code != "internal" || !strings.Contains(err.Error(), "access denied") {
		t.Errorf("unrecorded refusal = %v", err)
	}
	b.store.fill(nil)
	info, err := b.Credentials.Get(t.Context(), b.admin, id)
	must(t, err)
	if info.Status != keystile.StatusActive {
		t.Errorf("status %s", info.Status)
	}
}

// An act outside the store has a durable, open event while it runs.
func TestOutsideActsAreOpenWhileTheyRun(t *testing.T) {
	b := newBench(t)
	err := b.Buckets.outside(t.Context(), b.admin, act{action: "bucket.create", target: "x", who: admins, do: func(*change) error { return nil }},
		func(running context.Context) error {
			if _, bounded := running.Deadline(); !bounded {
				t.Error("the effect has no bound")
			}
			events := b.events(t, "bucket.create")
			if len(events) != 1 || !events[0].Open || events[0].Result != keystile.ResultUnknown {
				t.Errorf("while it runs: %+v", events)
			}
			return nil
		})
	must(t, err)
	if e := b.events(t, "bucket.create")[0]; e.Open || e.Result != keystile.ResultOK || e.Status != 200 {
		t.Errorf("after it: %+v", e)
	}
	err = b.Buckets.Create(t.Context(), b.admin, keystile.Bucket{Backend: "main", Name: "fresh"})
	if !errors.Is(err, errBroken) {
		t.Errorf("Create = %v", err)
	}
	if e := b.events(t, "bucket.create")[0]; e.Open || e.Result != keystile.ResultUnknown || e.Detail.Code != "internal" || strings.Contains(e.Detail.Message, "10.1.2.3") {
		t.Errorf("after a failure: %+v", e)
	}
}

func TestBootstrap(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	req := Request{Source: netip.MustParseAddr("203.0.113.9")}
	value, err := b.Bootstrap.CreateToken(ctx, "root", "first run", Expiry{})
	must(t, err)
	actor, err := b.SignIns.ByToken(ctx, req, value)
	must(t, err)
	if actor.Account.Name != "root" {
		t.Errorf("acts as %s", actor.Account.Name)
	}
	in, err := b.SignIns.SignIn(ctx, req, "root", keystile.NewSecret(somePassword), keystile.Secret{})
	must(t, err)
	must(t, b.Bootstrap.ResetPassword(ctx, "root", keystile.NewSecret("another long password")))
	if _, _, err := b.SignIns.BySession(ctx, req, in.Key); !errors.Is(err, keystile.ErrUnauthenticated) {
		t.Errorf("the session before the reset: %v", err)
	}
	_, err = b.SignIns.SignIn(ctx, req, "root", keystile.NewSecret("another long password"), keystile.Secret{})
	must(t, err)
	for name, err := range map[string]error{
		"no password":    errOf(b.Bootstrap.CreateAdmin(ctx, "second", keystile.Secret{})),
		"short password": errOf(b.Bootstrap.CreateAdmin(ctx, "second", keystile.NewSecret("short"))),
		"empty reset":    b.Bootstrap.ResetPassword(ctx, "root", keystile.Secret{}),
		"reserved name":  errOf(b.Bootstrap.CreateAdmin(ctx, SystemName, keystile.NewSecret(somePassword))),
		"blank token":    errOf(b.Bootstrap.CreateToken(ctx, "root", "", Expiry{})),
	} {
		if !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errOf(b.Bootstrap.CreateAdmin(ctx, "root", keystile.NewSecret(somePassword))); !errors.Is(err, keystile.ErrConflict) {
		t.Errorf("a second root: %v", err)
	}
	if err := b.Bootstrap.ResetPassword(ctx, "nobody", keystile.NewSecret(somePassword)); !errors.Is(err, keystile.ErrNotFound) {
		t.Errorf("reset of nobody: %v", err)
	}
	for _, e := range b.events(t, "account.") {
		if e.Account != SystemName || !e.Detail.Authenticated {
			t.Errorf("event %+v", e)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }

// A hash made at an older cost is replaced when the password is known.
func TestSignInRehashes(t *testing.T) {
	b := newBench(t)
	dearer := New(Options{Store: b.store, Trail: b.core.trail, Gateways: b.gateways, Upstreams: fakeUpstreams{}, Now: b.clock.now, Passwords: password.Params{MemoryKiB: 128, Passes: 1, Lanes: 1}})
	for range 2 {
		_, err := dearer.SignIns.SignIn(t.Context(), Request{}, "root", keystile.NewSecret(somePassword), keystile.Secret{})
		must(t, err)
	}
	account, err := b.Accounts.Get(t.Context(), b.admin, "root")
	must(t, err)
	if !strings.Contains(account.PasswordHash, "m=128,") {
		t.Errorf("hash %.30s", account.PasswordHash)
	}
}

func TestRunMaintainsAndEnds(t *testing.T) {
	b := newBench(t)
	_, err := b.SignIns.SignIn(t.Context(), Request{}, "root", keystile.NewSecret(somePassword), keystile.Secret{})
	must(t, err)
	b.clock.pass(DefaultSessionIdle + time.Second)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var log strings.Builder
	b.Run(ctx, slog.New(slog.NewTextHandler(&log, nil)))
	sessions, err := b.Sessions.ListOf(t.Context(), b.admin, "root")
	must(t, err)
	if len(sessions) != 0 || log.Len() != 0 {
		t.Errorf("%d sessions left, log %q", len(sessions), log.String())
	}
	b.store.fill(errors.New("disk full"))
	b.Run(ctx, slog.New(slog.NewTextHandler(&log, nil)))
	if !strings.Contains(log.String(), "disk full") {
		t.Errorf("log %q", log.String())
	}
}

// A full disk must not keep people from being recognised: the last use of a
// session is only approximate.
func TestAuthenticationOnAFullDisk(t *testing.T) {
	b := newBench(t)
	value, err := b.Bootstrap.CreateToken(t.Context(), "root", "t", Expiry{})
	must(t, err)
	in, err := b.SignIns.SignIn(t.Context(), Request{}, "root", keystile.NewSecret(somePassword), keystile.Secret{})
	must(t, err)
	b.clock.pass(time.Hour)
	b.store.fill(errors.New("disk full"))
	if _, err := b.SignIns.ByToken(t.Context(), Request{}, value); err != nil {
		t.Errorf("ByToken = %v", err)
	}
	if _, _, err := b.SignIns.BySession(t.Context(), Request{}, in.Key); err != nil {
		t.Errorf("BySession = %v", err)
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "24h": 24 * time.Hour, "30d": 30 * day, "12w": 84 * day, "0s": 0, "1h30m": 90 * time.Minute,
	} {
		if got, err := ParseSpan(text); err != nil || got != want {
			t.Errorf("ParseSpan(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "-1h", "-1d", "1.5d", "1y", "30 d", "36501d", "65535w", "99999999999d", "9999999h", "+3d", "0x10d", "1_0d"} {
		if got, err := ParseSpan(text); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("ParseSpan(%q) = %v, %v; want ErrInvalid", text, got, err)
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, tt := range []struct {
		text  string
		limit int
		want  string
	}{
		{"plain", 10, "plain"},
		{"plain", 3, "pla"},
		{"a\nb\x1b[31m", 20, "a\uFFFDb\uFFFD[31m"},
		{"ü", 1, ""},
		{"aü", 2, "a"},
		{"\xff\xfe", 10, "\uFFFD"},
		{strings.Repeat("\n", 300), 256, strings.Repeat("\uFFFD", 85)},
	} {
		if got := printable(tt.text, tt.limit); got != tt.want {
			t.Errorf("printable(%q, %d) = %q, want %q", tt.text, tt.limit, got, tt.want)
		}
	}
}
