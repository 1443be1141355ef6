package storetest

import (
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func session(id, accountID string) keystile.Session {
	return keystile.Session{ID: id, AccountID: accountID, CSRF: "csrf of " + id, CreatedAt: noon, LastSeenAt: after(time.Minute),
		ExpiresAt: after(24 * time.Hour), SourceIP: "2001:db8::1", UserAgent: "Mozilla/5.0 (✓)"}
}

func sessionOf(id string) func(store.Tx) (keystile.Session, error) {
	return func(tx store.Tx) (keystile.Session, error) { return tx.Session(id) }
}

func createSessions(t *testing.T, s store.Store, all ...keystile.Session) {
	t.Helper()
	write(t, s, func(tx store.Tx) error {
		for _, x := range all {
			if err := tx.CreateSession(x); err != nil {
				return err
			}
		}
		return nil
	})
}

func sessionsOf(t *testing.T, s store.Store, accountID string) string {
	t.Helper()
	var ids []string
	for _, x := range got(t, s, func(tx store.Tx) ([]keystile.Session, error) { return tx.SessionsOf(accountID) }) {
		ids = append(ids, x.ID)
	}
	return strings.Join(ids, " ")
}

func testSessions(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field comes back on the other handle", func(t *testing.T, a, b store.Store) {
			createAccounts(t, a, "anna")
			createSessions(t, a, session("s1", "id-anna"))
			wantEqual(t, got(t, b, sessionOf("s1")), session("s1", "id-anna"))
		}},
		{"an account's are listed newest first", proveSessionsOf},
		{"the id is taken once and the account must exist", proveSessionRefusals},
		{"last seen moves forward only", proveTouchSession},
		{"one is ended alone", proveDeleteSession},
		{"all of an account's are ended but the one named", proveDeleteSessionsOf},
		{"expired and idle ones are ended", proveDeleteIdle},
	})
}

func proveSessionsOf(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	old, young := session("old", "id-anna"), session("young", "id-anna")
	old.CreatedAt, young.CreatedAt = after(-time.Hour), after(time.Hour)
	createSessions(t, a, session("s1", "id-anna"), old, session("s2", "id-anna"), young, session("b1", "id-bert"))
	wantEqual(t, sessionsOf(t, b, "id-anna"), "young s2 s1 old")
	wantEqual(t, sessionsOf(t, b, "id-bert"), "b1")
	wantEqual(t, sessionsOf(t, b, "none"), "")
}

func proveSessionRefusals(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	createSessions(t, a, session("s1", "id-anna"))
	create := func(x keystile.Session) error {
		return tryWrite(t, b, func(tx store.Tx) error { return tx.CreateSession(x) })
	}
	wantErr(t, create(session("s1", "id-bert")), keystile.ErrConflict)
	wantErr(t, create(session("s2", "nobody")), keystile.ErrNotFound)
	_, err := tryGet(t, a, sessionOf("s2"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, a, sessionOf(""))
	wantErr(t, err, keystile.ErrNotFound)
	wantEqual(t, got(t, a, sessionOf("s1")).AccountID, "id-anna")
}

func proveTouchSession(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna")
	createSessions(t, a, session("s1", "id-anna"), session("s2", "id-anna"))
	touch := func(id string, at time.Time) error {
		return tryWrite(t, a, func(tx store.Tx) error { return tx.TouchSession(id, at) })
	}
	must(t, touch("s1", after(time.Hour)))
	must(t, touch("s1", noon)) // late news
	wantEqual(t, got(t, b, sessionOf("s1")).LastSeenAt, after(time.Hour))
	wantEqual(t, got(t, b, sessionOf("s2")), session("s2", "id-anna"))
	wantErr(t, touch("none", noon), keystile.ErrNotFound)
}

func proveDeleteSession(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna")
	createSessions(t, a, session("s1", "id-anna"), session("s2", "id-anna"))
	end := func(tx store.Tx) error { return tx.DeleteSession("s1") }
	write(t, a, end)
	wantEqual(t, sessionsOf(t, b, "id-anna"), "s2")
	wantErr(t, tryWrite(t, b, end), keystile.ErrNotFound)
}

func proveDeleteSessionsOf(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	createSessions(t, a, session("s1", "id-anna"), session("s2", "id-anna"), session("s3", "id-anna"), session("b1", "id-bert"))
	end := func(except string) {
		t.Helper()
		write(t, a, func(tx store.Tx) error { return tx.DeleteSessionsOf("id-anna", except) })
	}
	end("s2")
	wantEqual(t, sessionsOf(t, b, "id-anna"), "s2")
	end("b1") // another account's is no exception
	wantEqual(t, sessionsOf(t, b, "id-anna"), "")
	wantEqual(t, sessionsOf(t, b, "id-bert"), "b1")
	createSessions(t, a, session("s4", "id-anna"))
	end("")
	wantEqual(t, sessionsOf(t, b, "id-anna"), "")
	end("") // none is no error
}

func proveDeleteIdle(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna")
	at := func(id string, expires, seen time.Duration) keystile.Session {
		x := session(id, "id-anna")
		x.ExpiresAt, x.LastSeenAt = after(expires), after(seen)
		return x
	}
	createSessions(t, a,
		at("a-live", time.Microsecond, 0),
		at("b-expired-now", 0, 0),
		at("c-expired", -time.Hour, 0),
		at("d-idle", time.Hour, -time.Hour-time.Microsecond),
		at("e-just-seen", time.Hour, -time.Hour),
	)
	write(t, a, func(tx store.Tx) error { return tx.DeleteIdleSessions(noon, after(-time.Hour)) })
	wantEqual(t, sessionsOf(t, b, "id-anna"), "e-just-seen a-live")
}
