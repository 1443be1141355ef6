package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Open makes a new, empty database and two handles on it, which the test's
// cleanup closes.
type Open func(t *testing.T) (a, b store.Store)

// Run proves that the stores which open makes keep the contract.
func Run(t *testing.T, open Open) {
	t.Run("transactions", func(t *testing.T) { testTransactions(t, open) })
	t.Run("generations and settings", func(t *testing.T) { testGenerations(t, open) })
	t.Run("credentials", func(t *testing.T) { testCredentials(t, open) })
	t.Run("credential lists", func(t *testing.T) { testCredentialLists(t, open) })
	t.Run("bindings", func(t *testing.T) { testBindings(t, open) })
	t.Run("backends", func(t *testing.T) { testBackends(t, open) })
	t.Run("CORS", func(t *testing.T) { testCORS(t, open) })
	t.Run("Quotas", func(t *testing.T) { testQuotas(t, open) })
	t.Run("refused uploads", func(t *testing.T) { testRefusedUploads(t, open) })
	t.Run("accounts", func(t *testing.T) { testAccounts(t, open) })
	t.Run("sessions", func(t *testing.T) { testSessions(t, open) })
	t.Run("tokens", func(t *testing.T) { testTokens(t, open) })
	t.Run("projects", func(t *testing.T) { testProjects(t, open) })
	t.Run("RGW users", func(t *testing.T) { testRGWUsers(t, open) })
	t.Run("events", func(t *testing.T) { testEvents(t, open) })
	t.Run("traffic", func(t *testing.T) { testTraffic(t, open) })
	t.Run("health", func(t *testing.T) { testHealth(t, open) })
	t.Run("webhooks", func(t *testing.T) { testWebhooks(t, open) })
	t.Run("meters", func(t *testing.T) { testMeters(t, open) })
	t.Run("notices", func(t *testing.T) { testNotices(t, open) })
	t.Run("audit views", func(t *testing.T) { testAuditViews(t, open) })
	t.Run("event counts", func(t *testing.T) { testEventCounts(t, open) })
	t.Run("event pages", func(t *testing.T) { testEventPages(t, open) })
}

// A promise is one subtest on a database of its own.
type promise struct {
	name  string
	prove func(t *testing.T, a, b store.Store)
}

func proveAll(t *testing.T, open Open, promises []promise) {
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			a, b := open(t)
			p.prove(t, a, b)
		})
	}
}

// noon is when everything happens here, give or take.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 123456000, time.UTC)

func after(d time.Duration) time.Time { return noon.Add(d) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func wantEqual[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// write runs fn in a transaction that must commit.
func write(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	must(t, s.Write(t.Context(), fn))
}

// tryWrite returns the error of a transaction.
func tryWrite(t *testing.T, s store.Store, fn func(store.Tx) error) error {
	t.Helper()
	return s.Write(t.Context(), fn)
}

// got reads one value, which must be there.
func got[T any](t *testing.T, s store.Store, fn func(store.Tx) (T, error)) T {
	t.Helper()
	value, err := tryGet(t, s, fn)
	must(t, err)
	return value
}

func tryGet[T any](t *testing.T, s store.Store, fn func(store.Tx) (T, error)) (value T, err error) {
	t.Helper()
	err = s.Read(t.Context(), func(tx store.Tx) error {
		var err error
		value, err = fn(tx)
		return err
	})
	return value, err
}

func account(id, name string) keystile.Account {
	return keystile.Account{ID: id, Name: name, Role: keystile.RoleUser, PasswordHash: "$argon2id$" + id,
		CreatedAt: noon, UpdatedAt: after(time.Second)}
}

func credential(id string) keystile.Credential {
	return keystile.Credential{
		AccessKeyID: id,
		Description: "backup of " + id,
		Grants: []keystile.Grant{
			{Bucket: keystile.Bucket{Backend: "main", Name: "uploads"}, Permission: keystile.Read | keystile.List, Prefix: "2026/"},
			{Bucket: keystile.Bucket{Backend: "cold", Name: "archive"}, Permission: keystile.Write | keystile.BypassGovernance, Alias: "old"},
		},
		CreatedBy: "creator",
		CreatedAt: noon,
		UpdatedAt: noon,
	}
}

func secrets(current, previous string) keystile.CredentialSecrets {
	return keystile.CredentialSecrets{Current: keystile.NewSecret(current), Previous: keystile.NewSecret(previous)}
}

func wantSecrets(t *testing.T, got keystile.CredentialSecrets, current, previous string) {
	t.Helper()
	if got.Current.Reveal() != current || got.Previous.Reveal() != previous {
		t.Errorf("secrets %q and %q, want %q and %q", got.Current.Reveal(), got.Previous.Reveal(), current, previous)
	}
}
