package storetest

import (
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func accountOf(id string) func(store.Tx) (keystile.Account, error) {
	return func(tx store.Tx) (keystile.Account, error) { return tx.Account(id) }
}

func accountNamed(name string) func(store.Tx) (keystile.Account, error) {
	return func(tx store.Tx) (keystile.Account, error) { return tx.AccountByName(name) }
}

func createAccounts(t *testing.T, s store.Store, names ...string) {
	t.Helper()
	write(t, s, func(tx store.Tx) error {
		for _, name := range names {
			if err := tx.CreateAccount(account("id-"+name, name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func testAccounts(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field comes back on the other handle, by id and by name", func(t *testing.T, a, b store.Store) {
			x := account("a1", "anna")
			x.Role, x.DisabledAt = keystile.RoleReadonly, after(time.Hour)
			write(t, a, func(tx store.Tx) error { return tx.CreateAccount(x) })
			wantEqual(t, got(t, b, accountOf("a1")), x)
			wantEqual(t, got(t, b, accountNamed("anna")), x)
		}},
		{"they are listed by name", func(t *testing.T, a, b store.Store) {
			wantEqual(t, len(got(t, a, store.Tx.Accounts)), 0)
			createAccounts(t, a, "mia", "zoe", "anna")
			var names []string
			for _, x := range got(t, b, store.Tx.Accounts) {
				names = append(names, x.Name)
			}
			wantEqual(t, strings.Join(names, " "), "anna mia zoe")
		}},
		{"a name and an id are taken once", proveAccountUnique},
		{"an update replaces all but id, name and creation", proveAccountUpdate},
		{"an absent one is not found", proveAccountAbsent},
		{"a deleted one takes its sessions and tokens along and no others", proveAccountDelete},
	})
}

func proveAccountUnique(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna")
	for _, x := range []keystile.Account{account("other", "anna"), account("id-anna", "other")} {
		wantErr(t, tryWrite(t, b, func(tx store.Tx) error { return tx.CreateAccount(x) }), keystile.ErrConflict)
	}
	wantEqual(t, len(got(t, a, store.Tx.Accounts)), 1)
	write(t, a, func(tx store.Tx) error { return tx.DeleteAccount("id-anna") })
	createAccounts(t, b, "anna") // a deleted one's name is free
}

func proveAccountUpdate(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	changed := keystile.Account{ID: "id-anna", Name: "renamed", Role: keystile.RoleAdmin, PasswordHash: "new",
		CreatedAt: after(time.Hour), UpdatedAt: after(2 * time.Hour), DisabledAt: after(3 * time.Hour)}
	write(t, b, func(tx store.Tx) error { return tx.UpdateAccount(changed) })
	changed.Name, changed.CreatedAt = "anna", noon
	wantEqual(t, got(t, a, accountOf("id-anna")), changed)
	wantEqual(t, got(t, a, accountOf("id-bert")), account("id-bert", "bert"))
	changed.DisabledAt, changed.PasswordHash = time.Time{}, ""
	write(t, b, func(tx store.Tx) error { return tx.UpdateAccount(changed) })
	wantEqual(t, got(t, a, accountNamed("anna")), changed)
}

func proveAccountAbsent(t *testing.T, a, _ store.Store) {
	createAccounts(t, a, "anna")
	_, err := tryGet(t, a, accountOf("anna"))
	wantErr(t, err, keystile.ErrNotFound)
	for _, name := range []string{"", "Anna", "id-anna", "ann"} {
		_, err = tryGet(t, a, accountNamed(name))
		wantErr(t, err, keystile.ErrNotFound)
	}
	wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.UpdateAccount(account("none", "anna")) }), keystile.ErrNotFound)
	wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.DeleteAccount("none") }), keystile.ErrNotFound)
}

func proveAccountDelete(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	owned := credential("AK1")
	owned.Owner, owned.CreatedBy = "id-anna", "id-anna"
	createCredentials(t, a, owned)
	write(t, a, func(tx store.Tx) error {
		for _, id := range []string{"anna", "bert"} {
			if err := tx.CreateSession(session("s-"+id, "id-"+id)); err != nil {
				return err
			}
			if err := tx.CreateToken(token("t-"+id, "id-"+id)); err != nil {
				return err
			}
		}
		return nil
	})
	write(t, b, func(tx store.Tx) error { return tx.DeleteAccount("id-anna") })
	_, err := tryGet(t, a, accountOf("id-anna"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, a, sessionOf("s-anna"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, a, tokenOf("t-anna"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, a, tokenHashed("hash of t-anna"))
	wantErr(t, err, keystile.ErrNotFound)
	wantEqual(t, got(t, a, sessionOf("s-bert")), session("s-bert", "id-bert"))
	wantEqual(t, got(t, a, tokenOf("t-bert")), token("t-bert", "id-bert"))
	wantEqual(t, got(t, a, credentialOf("AK1")), owned) // what becomes of it is the use case's to say
}
