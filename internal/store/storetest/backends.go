package storetest

import (
	"errors"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func backend(id string) keystile.Backend {
	return keystile.Backend{
		ID: id, Kind: keystile.KindS3, Endpoint: "https://" + id + ".example.com:9000", Region: "eu-1", PathStyle: true,
		AccessKeyID: "ADMIN-" + id, ForceHashing: true, Scratch: "bucket/prefix", Source: keystile.SourceStore, CreatedAt: noon, UpdatedAt: after(time.Second), Generation: 3,
	}
}

func backendOf(id string) func(store.Tx) (keystile.Backend, error) {
	return func(tx store.Tx) (keystile.Backend, error) { return tx.Backend(id) }
}

func backendSecret(id string) func(store.Tx) (keystile.Secret, error) {
	return func(tx store.Tx) (keystile.Secret, error) { return tx.BackendSecret(id) }
}

func probeOf(id string) func(store.Tx) (keystile.Probe, error) {
	return func(tx store.Tx) (keystile.Probe, error) { return tx.Probe(id) }
}

func createBackend(t *testing.T, s store.Store, id string) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.CreateBackend(backend(id), keystile.NewSecret("secret of "+id)) })
}

func testBackends(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field and the secret come back on the other handle", func(t *testing.T, a, b store.Store) {
			createBackend(t, a, "main")
			wantEqual(t, got(t, b, backendOf("main")), backend("main"))
			wantEqual(t, got(t, b, backendSecret("main")).Reveal(), "secret of main")
		}},
		{"a Ceph has an admin secret of its own", proveAdminSecret},
		{"they are listed by id", func(t *testing.T, a, b store.Store) {
			wantEqual(t, len(got(t, a, store.Tx.Backends)), 0)
			for _, id := range []string{"m", "z", "a"} {
				createBackend(t, a, id)
			}
			wantEqual(t, got(t, b, store.Tx.Backends), []keystile.Backend{backend("a"), backend("m"), backend("z")})
		}},
		{"an id is taken once", func(t *testing.T, a, b store.Store) {
			createBackend(t, a, "main")
			wantErr(t, tryWrite(t, b, func(tx store.Tx) error {
				return tx.CreateBackend(keystile.Backend{ID: "main"}, keystile.Secret{})
			}), keystile.ErrConflict)
			wantEqual(t, got(t, b, backendOf("main")), backend("main"))
		}},
		{"an update replaces it and its secret", proveBackendUpdate},
		{"a deleted one is gone with its secret and probe", proveBackendDelete},
		{"an absent one is not found", proveBackendAbsent},
		{"a probe is replaced, also of a declared backend", proveProbe},
		{"it is in use while a live credential or an open binding names it", proveInUse},
	})
}

func proveBackendUpdate(t *testing.T, a, b store.Store) {
	createBackend(t, a, "main")
	createBackend(t, a, "other")
	changed := keystile.Backend{ID: "main", Kind: keystile.KindEmbedded, Region: "r", Source: keystile.SourceStore,
		CreatedAt: noon, UpdatedAt: after(time.Hour), Generation: 8}
	write(t, b, func(tx store.Tx) error { return tx.UpdateBackend(changed, keystile.NewSecret("rotated")) })
	wantEqual(t, got(t, a, backendOf("main")), changed)
	wantEqual(t, got(t, a, backendSecret("main")).Reveal(), "rotated")
	write(t, b, func(tx store.Tx) error { return tx.UpdateBackend(changed, keystile.Secret{}) })
	if !got(t, a, backendSecret("main")).IsZero() {
		t.Error("an erased secret is still there")
	}
	wantEqual(t, got(t, a, backendOf("other")), backend("other"))
	wantEqual(t, got(t, a, backendSecret("other")).Reveal(), "secret of other")
}

func proveBackendDelete(t *testing.T, a, b store.Store) {
	createBackend(t, a, "main")
	write(t, a, func(tx store.Tx) error {
		return errors.Join(tx.SaveProbe(keystile.Probe{BackendID: "main", ProbedAt: noon}), tx.DeleteBackend("main"))
	})
	_, err := tryGet(t, b, backendOf("main"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, b, backendSecret("main"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, b, probeOf("main"))
	wantErr(t, err, keystile.ErrNotFound)
	createBackend(t, b, "main")
}

func proveBackendAbsent(t *testing.T, a, _ store.Store) {
	createBackend(t, a, "main")
	_, err := tryGet(t, a, backendOf("none"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, a, backendSecret("none"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, a, probeOf("main"))
	wantErr(t, err, keystile.ErrNotFound)
	wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.DeleteBackend("none") }), keystile.ErrNotFound)
	wantErr(t, tryWrite(t, a, func(tx store.Tx) error {
		return tx.UpdateBackend(backend("none"), keystile.Secret{})
	}), keystile.ErrNotFound)
}

func proveProbe(t *testing.T, a, b store.Store) {
	var some, all keystile.Abilities
	some[keystile.KeepsKeys] = keystile.Finding{Verdict: keystile.Yes, At: noon}
	for i, a := range keystile.AllAbilities() {
		all[a] = keystile.Finding{Verdict: keystile.Verdict(i % 3), At: after(time.Duration(i) * time.Second), Note: "why: \"" + a.String() + "\""}
	}
	for _, p := range []keystile.Probe{
		{BackendID: "declared", Fingerprint: "https://a s3", Abilities: some, ProbedAt: noon},
		{BackendID: "declared", Fingerprint: "https://b s3", Abilities: all, ProbedAt: after(time.Hour)},
		{BackendID: "declared"},
	} {
		write(t, a, func(tx store.Tx) error { return tx.SaveProbe(p) })
		wantEqual(t, got(t, b, probeOf("declared")), p)
	}
}

func proveInUse(t *testing.T, a, b store.Store) {
	want := func(id string, want bool) {
		t.Helper()
		used := got(t, b, func(tx store.Tx) (bool, error) { return tx.BackendInUse(id) })
		if used != want {
			t.Errorf("backend %q in use: %v, want %v", id, used, want)
		}
	}
	createBackend(t, a, "main")
	want("main", false)
	c := credential("AK1") // names main and cold
	createCredentials(t, a, c)
	want("main", true)
	want("cold", true)
	want("col", false)
	c.Grants = c.Grants[:1]
	write(t, a, func(tx store.Tx) error { return tx.UpdateCredential(c) })
	want("cold", false)
	want("main", true)
	c.DisabledAt, c.ExpiresAt = noon, noon // may come back to life
	write(t, a, func(tx store.Tx) error { return tx.UpdateCredential(c) })
	want("main", true)
	createBinding(t, a, binding("one")) // of main too
	c.RevokedAt = noon
	write(t, a, func(tx store.Tx) error { return tx.UpdateCredential(c) })
	want("main", true)
	write(t, a, func(tx store.Tx) error { return tx.RemoveBinding("one", noon, 4) })
	want("main", false)

	dead := credential("AK2")
	dead.RevokedAt = noon
	createCredentials(t, a, dead)
	want("main", false)
}

func proveAdminSecret(t *testing.T, a, b store.Store) {
	adminSecret := func(tx store.Tx) (keystile.Secret, error) { return tx.BackendAdminSecret("ceph") }
	made := backend("ceph")
	made.Kind, made.AdminEndpoint, made.AdminAccessKeyID = keystile.KindCeph, "https://admin.example.com", "OPS"
	write(t, a, func(tx store.Tx) error { return tx.CreateBackend(made, keystile.NewSecret("of S3")) })
	wantEqual(t, got(t, b, backendOf("ceph")), made)
	wantEqual(t, got(t, b, adminSecret).IsZero(), true)
	write(t, a, func(tx store.Tx) error { return tx.SetBackendAdminSecret("ceph", keystile.NewSecret("of the API")) })
	made.AdminEndpoint, made.AdminAccessKeyID = "", "OPS2"
	write(t, b, func(tx store.Tx) error { return tx.UpdateBackend(made, keystile.NewSecret("of S3")) })
	wantEqual(t, got(t, a, backendOf("ceph")), made)
	wantEqual(t, got(t, a, adminSecret).Reveal(), "of the API")
	wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.SetBackendAdminSecret("absent", keystile.Secret{}) }), keystile.ErrNotFound)
}
