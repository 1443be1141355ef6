package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func credentialOf(id string) func(store.Tx) (keystile.Credential, error) {
	return func(tx store.Tx) (keystile.Credential, error) { return tx.Credential(id) }
}

func secretsOf(id string) func(store.Tx) (keystile.CredentialSecrets, error) {
	return func(tx store.Tx) (keystile.CredentialSecrets, error) { return tx.CredentialSecrets(id) }
}

func createCredentials(t *testing.T, s store.Store, all ...keystile.Credential) {
	t.Helper()
	write(t, s, func(tx store.Tx) error {
		for _, c := range all {
			if err := tx.CreateCredential(c, secrets("secret of "+c.AccessKeyID, "")); err != nil {
				return err
			}
		}
		return nil
	})
}

func testCredentials(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field comes back on the other handle", proveCredentialFields},
		{"zero times stay zero and grants stay in their order", proveCredentialZero},
		{"times are kept to the microsecond in UTC", proveTimes},
		{"text comes back byte by byte", proveText},
		{"an absent credential is not found", proveCredentialAbsent},
		{"an access key ID is taken once", proveCredentialUnique},
		{"an update replaces all but secrets, creation and last use", proveCredentialUpdate},
		{"a revoked credential stays and is never brought back", proveRevoked},
		{"secrets are replaced and erased", proveCredentialSecrets},
		{"last use moves forward only", proveTouch},
		{"changes come in order of generation with their secrets", proveChanged},
		{"an error of yield ends the changes", proveChangedStops},
		{"changes of many credentials come whole", proveChangedMany},
	})
}

func proveCredentialFields(t *testing.T, a, b store.Store) {
	c := credential("AKIAABCDEFGHIJKLMNOP")
	c.Owner = "owner"
	for i, at := range []*time.Time{&c.CreatedAt, &c.UpdatedAt, &c.ExpiresAt, &c.DisabledAt, &c.RevokedAt,
		&c.RotatedAt, &c.OverlapUntil, &c.LastUsedAt} {
		*at = after(time.Duration(i) * time.Hour)
	}
	c.DisabledBy, c.Generation = "an admin", 1<<40
	c.Limits = &keystile.CredentialLimits{Ceiling: keystile.Amount{Bytes: 1 << 40, Objects: keystile.NoCap}, Allowance: 0, Per: keystile.PerDay}
	write(t, a, func(tx store.Tx) error { return tx.CreateCredential(c, secrets("cur", "prev")) })
	wantEqual(t, got(t, b, credentialOf(c.AccessKeyID)), c)
	wantSecrets(t, got(t, b, secretsOf(c.AccessKeyID)), "cur", "prev")
}

func proveCredentialZero(t *testing.T, a, b store.Store) {
	c := keystile.Credential{AccessKeyID: "AK1"}
	write(t, a, func(tx store.Tx) error { return tx.CreateCredential(c, keystile.CredentialSecrets{}) })
	stored := got(t, b, credentialOf("AK1"))
	wantEqual(t, stored, c)
	if !stored.CreatedAt.IsZero() || !stored.ExpiresAt.IsZero() {
		t.Error("a zero time is not zero any more")
	}
	wantSecrets(t, got(t, b, secretsOf("AK1")), "", "")

	many := credential("AK2")
	many.Grants = nil
	for i := range 300 {
		many.Grants = append(many.Grants, keystile.Grant{
			Bucket:     keystile.Bucket{Backend: fmt.Sprint("b", i%7), Name: fmt.Sprint("bucket-", 999-i)},
			Permission: keystile.Permission(1 + i%63),
		})
	}
	createCredentials(t, a, many)
	wantEqual(t, got(t, b, credentialOf("AK2")), many)
}

func proveTimes(t *testing.T, a, b store.Store) {
	zone := time.FixedZone("UTC+5:30", 5*3600+1800)
	for i, tt := range []struct{ in, want time.Time }{
		{time.Date(2026, 3, 14, 15, 9, 26, 535897932, zone), time.Date(2026, 3, 14, 9, 39, 26, 535897000, time.UTC)},
		{time.Date(2026, 3, 14, 0, 0, 0, 999, time.UTC), time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)},
		{time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)},
		{time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)},
		{time.Now(), time.Now()}, // replaced below: it carries a monotonic clock
	} {
		c := credential(fmt.Sprint("AK", i))
		c.ExpiresAt = tt.in
		want := tt.want
		if i == 4 {
			want = tt.in.UTC().Truncate(time.Microsecond)
		}
		createCredentials(t, a, c)
		wantEqual(t, got(t, b, credentialOf(c.AccessKeyID)).ExpiresAt, want)
	}
}

// hostileTexts are what an engine might mangle.
var hostileTexts = []string{
	"'; DROP TABLE credentials; --", `back\slash "quotes" %like_ $1 ?1 :name`, "ключ 鍵 🔑 é e\u0301",
	"  blanks kept  ", "line\nbreak\ttab\r", "\ufeff\u202e\u200b", "NULL", "0", "{}", "null",
}

func proveText(t *testing.T, a, b store.Store) {
	for i, text := range hostileTexts {
		c := credential(fmt.Sprint("AK", i))
		c.Description, c.Owner, c.CreatedBy, c.DisabledBy = text, text, text, text
		c.Grants = []keystile.Grant{{Bucket: keystile.Bucket{Backend: text, Name: text}, Permission: keystile.Read, Prefix: text, Alias: text}}
		write(t, a, func(tx store.Tx) error { return tx.CreateCredential(c, secrets(text, text+text)) })
		wantEqual(t, got(t, b, credentialOf(c.AccessKeyID)), c)
		wantSecrets(t, got(t, b, secretsOf(c.AccessKeyID)), text, text+text)
	}
}

func proveCredentialAbsent(t *testing.T, a, _ store.Store) {
	createCredentials(t, a, credential("AK1"))
	for _, id := range []string{"", "AK", "AK2", "ak1", "AK1 "} {
		_, err := tryGet(t, a, credentialOf(id))
		wantErr(t, err, keystile.ErrNotFound)
		_, err = tryGet(t, a, secretsOf(id))
		wantErr(t, err, keystile.ErrNotFound)
		wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.UpdateCredential(credential(id)) }), keystile.ErrNotFound)
		wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.SetCredentialSecrets(id, secrets("s", "")) }), keystile.ErrNotFound)
	}
}

func proveCredentialUnique(t *testing.T, a, b store.Store) {
	createCredentials(t, a, credential("AK1"))
	again := credential("AK1")
	again.Description = "an impostor"
	for _, s := range []store.Store{a, b} {
		wantErr(t, tryWrite(t, s, func(tx store.Tx) error { return tx.CreateCredential(again, secrets("x", "")) }), keystile.ErrConflict)
	}
	wantEqual(t, got(t, b, credentialOf("AK1")), credential("AK1"))
	wantSecrets(t, got(t, b, secretsOf("AK1")), "secret of AK1", "")
}

func proveCredentialUpdate(t *testing.T, a, b store.Store) {
	c := credential("AK1")
	c.LastUsedAt = after(time.Minute)
	createCredentials(t, a, c, credential("AK2"))
	changed := keystile.Credential{
		AccessKeyID: "AK1", Description: "new", Owner: "o", CreatedBy: "usurper", DisabledBy: "d", Generation: 7,
		Grants:    []keystile.Grant{{Bucket: keystile.Bucket{Backend: "x", Name: "yyy"}, Permission: keystile.Delete}},
		CreatedAt: after(time.Hour), UpdatedAt: after(2 * time.Hour), ExpiresAt: after(3 * time.Hour),
		DisabledAt: after(4 * time.Hour), RotatedAt: after(5 * time.Hour), OverlapUntil: after(6 * time.Hour),
		LastUsedAt: after(7 * time.Hour),
		Limits:     &keystile.CredentialLimits{Ceiling: keystile.Amount{Bytes: keystile.NoCap, Objects: 3}, Allowance: keystile.NoCap},
	}
	write(t, b, func(tx store.Tx) error { return tx.UpdateCredential(changed) })
	changed.CreatedAt, changed.CreatedBy, changed.LastUsedAt = c.CreatedAt, c.CreatedBy, c.LastUsedAt
	wantEqual(t, got(t, a, credentialOf("AK1")), changed)
	wantSecrets(t, got(t, a, secretsOf("AK1")), "secret of AK1", "")
	wantEqual(t, got(t, a, credentialOf("AK2")), credential("AK2"))
	list := got(t, a, func(tx store.Tx) ([]keystile.Credential, error) {
		return tx.Credentials(store.CredentialFilter{Text: "NEW"})
	})
	wantEqual(t, list, []keystile.Credential{changed}) // searching sees the new description

	changed.DisabledAt, changed.DisabledBy, changed.ExpiresAt, changed.Limits = time.Time{}, "", time.Time{}, nil
	write(t, b, func(tx store.Tx) error { return tx.UpdateCredential(changed) })
	wantEqual(t, got(t, a, credentialOf("AK1")), changed)
}

func proveRevoked(t *testing.T, a, b store.Store) {
	createCredentials(t, a, credential("AK1"))
	revoked := credential("AK1")
	revoked.RevokedAt, revoked.Generation = after(time.Hour), 2
	write(t, a, func(tx store.Tx) error {
		return errors.Join(tx.UpdateCredential(revoked), tx.SetCredentialSecrets("AK1", keystile.CredentialSecrets{}))
	})
	wantEqual(t, got(t, b, credentialOf("AK1")), revoked)
	wantSecrets(t, got(t, b, secretsOf("AK1")), "", "")
	wantErr(t, tryWrite(t, b, func(tx store.Tx) error { return tx.UpdateCredential(credential("AK1")) }), keystile.ErrConflict)
	wantEqual(t, got(t, a, credentialOf("AK1")), revoked)
	again := revoked
	again.Generation = 3
	write(t, b, func(tx store.Tx) error { return tx.UpdateCredential(again) })
	wantEqual(t, got(t, a, credentialOf("AK1")), again)
}

func proveCredentialSecrets(t *testing.T, a, b store.Store) {
	createCredentials(t, a, credential("AK1"), credential("AK2"))
	for _, pair := range [][2]string{{"one", ""}, {"two", "one"}, {"", "two"}, {"three", "three"}, {"", ""}} {
		write(t, a, func(tx store.Tx) error { return tx.SetCredentialSecrets("AK1", secrets(pair[0], pair[1])) })
		wantSecrets(t, got(t, b, secretsOf("AK1")), pair[0], pair[1])
	}
	wantSecrets(t, got(t, b, secretsOf("AK2")), "secret of AK2", "")
	wantEqual(t, got(t, b, credentialOf("AK1")), credential("AK1"))
}

func proveTouch(t *testing.T, a, b store.Store) {
	createCredentials(t, a, credential("AK1"), credential("AK2"), credential("AK3"))
	touch := func(at map[string]time.Time) {
		t.Helper()
		write(t, a, func(tx store.Tx) error { return tx.TouchCredentials(at) })
	}
	want := func(id string, at time.Time) {
		t.Helper()
		wantEqual(t, got(t, b, credentialOf(id)).LastUsedAt, at)
	}
	touch(nil)
	touch(map[string]time.Time{"AK1": after(time.Hour), "AK2": after(2 * time.Hour), "absent": after(time.Hour)})
	want("AK1", after(time.Hour))
	want("AK2", after(2*time.Hour))
	want("AK3", time.Time{})
	touch(map[string]time.Time{"AK1": after(2 * time.Hour), "AK2": after(time.Hour)})
	want("AK1", after(2*time.Hour))
	want("AK2", after(2*time.Hour))
	touch(map[string]time.Time{"AK1": {}})
	want("AK1", after(2*time.Hour))
	if _, err := tryGet(t, b, credentialOf("absent")); !errors.Is(err, keystile.ErrNotFound) {
		t.Errorf("touching made a credential: %v", err)
	}
}

// changes collects what ChangedCredentials yields, each as "ID current previous".
func changes(t *testing.T, s store.Store, since int64) []string {
	t.Helper()
	var all []string
	must(t, s.Read(t.Context(), func(tx store.Tx) error {
		return tx.ChangedCredentials(since, func(c keystile.Credential, s keystile.CredentialSecrets) error {
			all = append(all, fmt.Sprintf("%s %s %s %d", c.AccessKeyID, s.Current.Reveal(), s.Previous.Reveal(), len(c.Grants)))
			return nil
		})
	}))
	return all
}

func proveChanged(t *testing.T, a, b store.Store) {
	write(t, a, func(tx store.Tx) error {
		for i, generation := range []int64{5, 3, 9, 4} {
			c := credential(fmt.Sprint("AK", i))
			c.Generation = generation
			if err := tx.CreateCredential(c, secrets(fmt.Sprint("cur", i), "prev")); err != nil {
				return err
			}
		}
		return nil
	})
	wantEqual(t, changes(t, b, 0), []string{"AK1 cur1 prev 2", "AK3 cur3 prev 2", "AK0 cur0 prev 2", "AK2 cur2 prev 2"})
	wantEqual(t, changes(t, b, 4), []string{"AK0 cur0 prev 2", "AK2 cur2 prev 2"})
	wantEqual(t, changes(t, b, 9), nil)

	moved := credential("AK1")
	moved.Generation, moved.Grants, moved.RevokedAt = 10, nil, noon
	write(t, a, func(tx store.Tx) error {
		return errors.Join(tx.UpdateCredential(moved), tx.SetCredentialSecrets("AK1", keystile.CredentialSecrets{}))
	})
	wantEqual(t, changes(t, b, 5), []string{"AK2 cur2 prev 2", "AK1   0"})
}

func proveChangedStops(t *testing.T, a, _ store.Store) {
	createCredentials(t, a, generationOf("AK1", 1), generationOf("AK2", 2), generationOf("AK3", 3))
	calls := 0
	err := a.Read(t.Context(), func(tx store.Tx) error {
		return tx.ChangedCredentials(0, func(c keystile.Credential, _ keystile.CredentialSecrets) error {
			if calls++; c.AccessKeyID == "AK2" {
				return errStop
			}
			return nil
		})
	})
	wantErr(t, err, errStop)
	wantEqual(t, calls, 2)
	wantEqual(t, len(changes(t, a, 0)), 3)
}

func generationOf(id string, generation int64) keystile.Credential {
	c := credential(id)
	c.Generation = generation
	return c
}

func proveChangedMany(t *testing.T, a, b store.Store) {
	const many = 700
	all := make([]keystile.Credential, many)
	for i := range all {
		all[i] = generationOf(fmt.Sprintf("AK%05d", i), int64(1+i/2))
	}
	createCredentials(t, a, all...)
	seen := changes(t, b, 0)
	if len(seen) != many || seen[0][:7] != "AK00000" || seen[many-1][:7] != "AK00699" {
		t.Errorf("%d changes, want %d from first to last", len(seen), many)
	}
}
