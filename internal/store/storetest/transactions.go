package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

var errStop = errors.New("stop")

func setting(name string) func(store.Tx) (string, error) {
	return func(tx store.Tx) (string, error) { return tx.Setting(name) }
}

func testTransactions(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"a commit is visible on the other handle at once", proveVisibility},
		{"an error of fn undoes everything it did", proveRollback},
		{"a panic of fn undoes everything it did", provePanic},
		{"an uncommitted change is visible to its own transaction only", proveIsolation},
		{"a read sees one snapshot while others commit", proveSnapshot},
		{"writes of both handles are serialised", proveSerialised},
		{"fn runs once", proveOnce},
		{"a read cannot write", proveReadOnly},
		{"a transaction is useless after its end", proveEnded},
		{"a done context begins nothing", proveDoneContext},
		{"a context that ends inside fn undoes everything", proveCancelInside},
		{"a write that waits for its turn gives up with its context", proveCancelWaiting},
		{"reads do not wait for a write in progress", proveReadBesideWrite},
		{"a failed statement leaves the store usable", proveUsableAfterFailure},
		{"ping tells a store that can read", provePing},
	})
}

func proveVisibility(t *testing.T, a, b store.Store) {
	for i := range 10 {
		from, to := a, b
		if i%2 == 1 {
			from, to = b, a
		}
		value := string(rune('a' + i))
		write(t, from, func(tx store.Tx) error { return tx.SetSetting("k", value) })
		wantEqual(t, got(t, to, setting("k")), value)
	}
}

func proveRollback(t *testing.T, a, b store.Store) {
	err := tryWrite(t, a, func(tx store.Tx) error {
		must(t, tx.SetSetting("k", "v"))
		must(t, tx.CreateCredential(credential("AK1"), secrets("s", "")))
		if _, err := tx.NextGeneration(); err != nil {
			return err
		}
		must(t, tx.AppendEvents([]keystile.Event{event("e1")}))
		return errStop
	})
	wantErr(t, err, errStop)
	for _, s := range []store.Store{a, b} {
		wantNothing(t, s)
	}
	write(t, a, func(tx store.Tx) error { return tx.CreateCredential(credential("AK1"), secrets("s", "")) })
}

func wantNothing(t *testing.T, s store.Store) {
	t.Helper()
	_, err := tryGet(t, s, setting("k"))
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, s, func(tx store.Tx) (keystile.Credential, error) { return tx.Credential("AK1") })
	wantErr(t, err, keystile.ErrNotFound)
	_, err = tryGet(t, s, func(tx store.Tx) (keystile.Event, error) { return tx.Event("e1") })
	wantErr(t, err, keystile.ErrNotFound)
	wantEqual(t, got(t, s, store.Tx.Generation), 0)
}

func provePanic(t *testing.T, a, b store.Store) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = a.Write(t.Context(), func(tx store.Tx) error {
			must(t, tx.SetSetting("k", "v"))
			panic("boom")
		})
	}()
	wantNothing(t, b)
	write(t, a, func(tx store.Tx) error { return tx.SetSetting("k", "v") })
}

func proveIsolation(t *testing.T, a, b store.Store) {
	write(t, a, func(tx store.Tx) error {
		must(t, tx.SetSetting("k", "v"))
		own, err := tx.Setting("k")
		must(t, err)
		wantEqual(t, own, "v")
		for _, s := range []store.Store{a, b} {
			_, err := tryGet(t, s, setting("k"))
			wantErr(t, err, keystile.ErrNotFound)
		}
		return nil
	})
}

func proveSnapshot(t *testing.T, a, b store.Store) {
	write(t, a, func(tx store.Tx) error { return tx.SetSetting("k", "old") })
	must(t, b.Read(t.Context(), func(tx store.Tx) error {
		before, err := tx.Setting("k")
		must(t, err)
		write(t, a, func(tx store.Tx) error {
			if _, err := tx.NextGeneration(); err != nil {
				return err
			}
			return tx.SetSetting("k", "new")
		})
		then, err := tx.Setting("k")
		must(t, err)
		generation, err := tx.Generation()
		must(t, err)
		if before != "old" || then != "old" || generation != 0 {
			t.Errorf("the snapshot moved: %q, %q, generation %d", before, then, generation)
		}
		return nil
	}))
	wantEqual(t, got(t, b, setting("k")), "new")
}

func proveSerialised(t *testing.T, a, b store.Store) {
	const each = 25
	var wg sync.WaitGroup
	for _, s := range []store.Store{a, b, a, b} {
		wg.Go(func() {
			for range each {
				err := s.Write(t.Context(), func(tx store.Tx) error {
					n, err := tx.Setting("n") // read, then write what was read and more
					if err != nil && !errors.Is(err, keystile.ErrNotFound) {
						return err
					}
					if _, err := tx.NextGeneration(); err != nil {
						return err
					}
					return tx.SetSetting("n", n+"x")
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(got(t, a, setting("n"))); n != 4*each {
		t.Errorf("%d increments are left of %d", n, 4*each)
	}
	wantEqual(t, got(t, b, store.Tx.Generation), 4*each)
}

func proveOnce(t *testing.T, a, b store.Store) {
	for _, s := range []store.Store{a, b} {
		for name, run := range map[string]func(context.Context, func(store.Tx) error) error{"Read": s.Read, "Write": s.Write} {
			runs := 0
			err := run(t.Context(), func(store.Tx) error { runs++; return errStop })
			if runs != 1 || err == nil {
				t.Errorf("%s ran fn %d times: %v", name, runs, err)
			}
		}
	}
}

// mutations is every method of a Tx that writes, on rows that seed made.
func mutations() map[string]func(store.Tx) error {
	return map[string]func(store.Tx) error{
		"NextGeneration":       func(tx store.Tx) error { _, err := tx.NextGeneration(); return err },
		"CreateCredential":     func(tx store.Tx) error { return tx.CreateCredential(credential("AK2"), secrets("s", "")) },
		"UpdateCredential":     func(tx store.Tx) error { return tx.UpdateCredential(credential("AK1")) },
		"SetCredentialSecrets": func(tx store.Tx) error { return tx.SetCredentialSecrets("AK1", secrets("x", "")) },
		"TouchCredentials": func(tx store.Tx) error {
			return tx.TouchCredentials(map[string]time.Time{"AK1": noon})
		},
		"CreateBinding":     func(tx store.Tx) error { return tx.CreateBinding(binding("other")) },
		"RemoveBinding":     func(tx store.Tx) error { return tx.RemoveBinding("open", noon, 9) },
		"CreateBackend":     func(tx store.Tx) error { return tx.CreateBackend(backend("other"), keystile.NewSecret("s")) },
		"UpdateBackend":     func(tx store.Tx) error { return tx.UpdateBackend(backend("main"), keystile.NewSecret("s")) },
		"DeleteBackend":     func(tx store.Tx) error { return tx.DeleteBackend("main") },
		"SaveProbe":         func(tx store.Tx) error { return tx.SaveProbe(keystile.Probe{BackendID: "main", ProbedAt: noon}) },
		"CreateAccount":     func(tx store.Tx) error { return tx.CreateAccount(account("a2", "bert")) },
		"UpdateAccount":     func(tx store.Tx) error { return tx.UpdateAccount(account("a1", "anna")) },
		"DeleteAccount":     func(tx store.Tx) error { return tx.DeleteAccount("a1") },
		"CreateSession":     func(tx store.Tx) error { return tx.CreateSession(session("s2", "a1")) },
		"TouchSession":      func(tx store.Tx) error { return tx.TouchSession("s1", after(time.Hour)) },
		"DeleteSession":     func(tx store.Tx) error { return tx.DeleteSession("s1") },
		"DeleteSessionsOf":  func(tx store.Tx) error { return tx.DeleteSessionsOf("a1", "") },
		"DeleteIdleSession": func(tx store.Tx) error { return tx.DeleteIdleSessions(after(99*time.Hour), noon) },
		"CreateToken":       func(tx store.Tx) error { return tx.CreateToken(token("t2", "a1")) },
		"RevokeToken":       func(tx store.Tx) error { return tx.RevokeToken("t1", noon) },
		"RevokeTokensOf":    func(tx store.Tx) error { return tx.RevokeTokensOf("a1", noon) },
		"TouchToken":        func(tx store.Tx) error { return tx.TouchToken("t1", noon) },
		"AppendEvents":      func(tx store.Tx) error { return tx.AppendEvents([]keystile.Event{event("e2")}) },
		"CloseEvents":       func(tx store.Tx) error { return tx.CloseEvents([]keystile.Outcome{{EventID: "e1"}}) },
		"AddTallies":        func(tx store.Tx) error { return tx.AddTallies([]keystile.Tally{{EventID: "e1", Add: 1}}) },
		"SetSetting":        func(tx store.Tx) error { return tx.SetSetting("k", "v2") },
	}
}

// seed makes one row of everything.
func seed(tx store.Tx) error {
	open := event("e1")
	open.Open = true
	return errors.Join(
		tx.CreateCredential(credential("AK1"), secrets("current", "")),
		tx.CreateBinding(binding("open")),
		tx.CreateBackend(backend("main"), keystile.NewSecret("backend secret")),
		tx.SaveProbe(keystile.Probe{BackendID: "main", Fingerprint: "f", ProbedAt: noon}),
		tx.CreateAccount(account("a1", "anna")),
		tx.CreateSession(session("s1", "a1")),
		tx.CreateToken(token("t1", "a1")),
		tx.AppendEvents([]keystile.Event{open}),
		tx.SetSetting("k", "v"),
	)
}

func proveReadOnly(t *testing.T, a, b store.Store) {
	write(t, a, seed)
	for name, mutate := range mutations() {
		if err := a.Read(t.Context(), mutate); err == nil {
			t.Errorf("%s worked in a Read", name)
		}
		err := a.Read(t.Context(), func(tx store.Tx) error { _ = mutate(tx); return nil })
		if err != nil {
			t.Errorf("%s: the Read ended with %v", name, err)
		}
	}
	wantEqual(t, got(t, b, setting("k")), "v")
	wantEqual(t, got(t, b, store.Tx.Generation), 0)
	wantEqual(t, len(got(t, b, func(tx store.Tx) ([]keystile.Session, error) { return tx.SessionsOf("a1") })), 1)
	if e := got(t, b, func(tx store.Tx) (keystile.Event, error) { return tx.Event("e1") }); !e.Open {
		t.Error("an event was closed by a Read")
	}
	for name, mutate := range mutations() { // the same acts are possible in a Write
		if name == "DeleteAccount" || name == "DeleteBackend" {
			continue // they take rows of the others away
		}
		err := a.Write(t.Context(), func(tx store.Tx) error { return errors.Join(mutate(tx), errStop) })
		if wantErr(t, err, errStop); errors.Is(err, keystile.ErrNotFound) {
			t.Errorf("%s in a Write: %v", name, err)
		}
	}
}

func proveEnded(t *testing.T, a, b store.Store) {
	write(t, a, seed)
	var ended []store.Tx
	keep := func(tx store.Tx) error { ended = append(ended, tx); return nil }
	must(t, a.Write(t.Context(), keep))
	must(t, a.Read(t.Context(), keep))
	wantErr(t, a.Write(t.Context(), func(tx store.Tx) error { _ = keep(tx); return errStop }), errStop)
	for i, tx := range ended {
		for name, mutate := range mutations() {
			if err := mutate(tx); err == nil {
				t.Errorf("transaction %d: %s worked after its end", i, name)
			}
		}
		if _, err := tx.Setting("k"); err == nil {
			t.Errorf("transaction %d: Setting worked after its end", i)
		}
		if _, err := tx.Credentials(store.CredentialFilter{}); err == nil {
			t.Errorf("transaction %d: Credentials worked after its end", i)
		}
		if _, _, err := tx.Events(keystile.EventPage{Limit: 1}); err == nil {
			t.Errorf("transaction %d: Events worked after its end", i)
		}
	}
	wantEqual(t, got(t, b, setting("k")), "v")
}

func proveDoneContext(t *testing.T, a, _ store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := func(store.Tx) error { t.Error("fn ran"); return nil }
	wantErr(t, a.Write(ctx, ran), context.Canceled)
	wantErr(t, a.Read(ctx, ran), context.Canceled)
	wantErr(t, a.Ping(ctx), context.Canceled)
}

func proveCancelInside(t *testing.T, a, b store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	err := a.Write(ctx, func(tx store.Tx) error {
		must(t, tx.SetSetting("k", "v"))
		cancel()
		return nil // as if it had not noticed
	})
	wantErr(t, err, context.Canceled)
	wantNothing(t, b)

	ctx, cancel = context.WithCancel(t.Context())
	err = a.Write(ctx, func(tx store.Tx) error {
		cancel()
		return tx.SetSetting("k", "v")
	})
	wantErr(t, err, context.Canceled)
	wantNothing(t, b)
	write(t, a, func(tx store.Tx) error { return tx.SetSetting("k", "v") })
}

func proveCancelWaiting(t *testing.T, a, b store.Store) {
	write(t, a, func(store.Tx) error {
		for _, s := range []store.Store{a, b} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			begun := time.Now()
			err := s.Write(ctx, func(store.Tx) error { t.Error("fn ran beside another"); return nil })
			wantErr(t, err, context.DeadlineExceeded)
			if waited := time.Since(begun); waited > 2*time.Second {
				t.Errorf("gave up after %v, want about 50ms", waited)
			}
		}
		return nil
	})
	write(t, b, func(tx store.Tx) error { return tx.SetSetting("k", "v") })
}

func proveReadBesideWrite(t *testing.T, a, b store.Store) {
	write(t, a, seed)
	write(t, a, func(tx store.Tx) error {
		must(t, tx.SetSetting("k", "new"))
		for _, s := range []store.Store{a, b} {
			wantEqual(t, got(t, s, setting("k")), "v")
			must(t, s.Ping(t.Context()))
		}
		return nil
	})
}

func proveUsableAfterFailure(t *testing.T, a, b store.Store) {
	write(t, a, seed)
	for range 3 {
		wantErr(t, tryWrite(t, a, func(tx store.Tx) error {
			return tx.CreateAccount(account("a9", "anna"))
		}), keystile.ErrConflict)
	}
	write(t, a, func(tx store.Tx) error { return tx.CreateAccount(account("a9", "other")) })
	wantEqual(t, len(got(t, b, store.Tx.Accounts)), 2)
}

func provePing(t *testing.T, a, b store.Store) {
	must(t, a.Ping(t.Context()))
	must(t, b.Ping(t.Context()))
}
