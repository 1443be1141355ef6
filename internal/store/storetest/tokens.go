package storetest

import (
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func token(id, accountID string) keystile.Token {
	return keystile.Token{ID: id, AccountID: accountID, Name: "token " + id, Hash: "hash of " + id, CreatedAt: noon}
}

func tokenOf(id string) func(store.Tx) (keystile.Token, error) {
	return func(tx store.Tx) (keystile.Token, error) { return tx.Token(id) }
}

func tokenHashed(hash string) func(store.Tx) (keystile.Token, error) {
	return func(tx store.Tx) (keystile.Token, error) { return tx.TokenByHash(hash) }
}

func createTokens(t *testing.T, s store.Store, all ...keystile.Token) {
	t.Helper()
	write(t, s, func(tx store.Tx) error {
		for _, x := range all {
			if err := tx.CreateToken(x); err != nil {
				return err
			}
		}
		return nil
	})
}

func testTokens(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field comes back on the other handle, by id and by hash", func(t *testing.T, a, b store.Store) {
			createAccounts(t, a, "anna")
			x := token("t1", "id-anna")
			x.ProjectID = "p1"
			x.ExpiresAt, x.RevokedAt, x.LastUsedAt = after(time.Hour), after(2*time.Hour), after(3*time.Hour)
			createTokens(t, a, x)
			wantEqual(t, got(t, b, tokenOf("t1")), x)
			wantEqual(t, got(t, b, tokenHashed(x.Hash)), x)
		}},
		{"an account's are listed newest first", proveTokensOf},
		{"id and hash are taken once and the account must exist", proveTokenRefusals},
		{"a revoked one stays with the time of its first revocation", proveRevokeToken},
		{"all of an account's are revoked", proveRevokeTokensOf},
		{"last use moves forward only", proveTouchToken},
	})
}

func proveTokensOf(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	old := token("zz-old", "id-anna")
	old.CreatedAt = after(-time.Hour)
	createTokens(t, a, token("t1", "id-anna"), old, token("t2", "id-anna"), token("b1", "id-bert"))
	var ids []string
	for _, x := range got(t, b, func(tx store.Tx) ([]keystile.Token, error) { return tx.TokensOf("id-anna") }) {
		ids = append(ids, x.ID)
	}
	wantEqual(t, strings.Join(ids, " "), "t2 t1 zz-old")
	wantEqual(t, len(got(t, b, func(tx store.Tx) ([]keystile.Token, error) { return tx.TokensOf("none") })), 0)
}

func proveTokenRefusals(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna")
	createTokens(t, a, token("t1", "id-anna"))
	create := func(x keystile.Token) error {
		return tryWrite(t, b, func(tx store.Tx) error { return tx.CreateToken(x) })
	}
	sameHash := token("t2", "id-anna")
	sameHash.Hash = "hash of t1"
	wantErr(t, create(sameHash), keystile.ErrConflict)
	sameID := token("t1", "id-anna")
	sameID.Hash = "other"
	wantErr(t, create(sameID), keystile.ErrConflict)
	wantErr(t, create(token("t3", "nobody")), keystile.ErrNotFound)
	for _, id := range []string{"", "t2", "t3", "hash of t1"} {
		_, err := tryGet(t, a, tokenOf(id))
		wantErr(t, err, keystile.ErrNotFound)
	}
	for _, hash := range []string{"", "t1", "HASH OF T1", "hash of t3"} {
		_, err := tryGet(t, a, tokenHashed(hash))
		wantErr(t, err, keystile.ErrNotFound)
	}
}

func proveRevokeToken(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna")
	createTokens(t, a, token("t1", "id-anna"), token("t2", "id-anna"))
	revoke := func(id string, at time.Time) error {
		return tryWrite(t, a, func(tx store.Tx) error { return tx.RevokeToken(id, at) })
	}
	must(t, revoke("t1", after(time.Hour)))
	must(t, revoke("t1", after(2*time.Hour)))
	wantEqual(t, got(t, b, tokenHashed("hash of t1")).RevokedAt, after(time.Hour))
	wantEqual(t, got(t, b, tokenOf("t2")), token("t2", "id-anna"))
	wantErr(t, revoke("none", noon), keystile.ErrNotFound)
}

func proveRevokeTokensOf(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	dead := token("t2", "id-anna")
	dead.RevokedAt = after(-time.Hour)
	createTokens(t, a, token("t1", "id-anna"), dead, token("b1", "id-bert"))
	write(t, a, func(tx store.Tx) error { return tx.RevokeTokensOf("id-anna", noon) })
	wantEqual(t, got(t, b, tokenOf("t1")).RevokedAt, noon)
	wantEqual(t, got(t, b, tokenOf("t2")).RevokedAt, after(-time.Hour))
	wantEqual(t, got(t, b, tokenOf("b1")).RevokedAt, time.Time{})
	write(t, a, func(tx store.Tx) error { return tx.RevokeTokensOf("none", noon) }) // none is no error
}

func proveTouchToken(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna")
	createTokens(t, a, token("t1", "id-anna"), token("t2", "id-anna"))
	touch := func(id string, at time.Time) error {
		return tryWrite(t, a, func(tx store.Tx) error { return tx.TouchToken(id, at) })
	}
	must(t, touch("t1", after(time.Hour)))
	must(t, touch("t1", noon))
	wantEqual(t, got(t, b, tokenOf("t1")).LastUsedAt, after(time.Hour))
	wantEqual(t, got(t, b, tokenOf("t2")).LastUsedAt, time.Time{})
	wantErr(t, touch("none", noon), keystile.ErrNotFound)
}
