package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
)

// Where the gateway is a user's home, its key is made and renewed in two
// transactions of the store, with nothing but the server between them. A kill finds
// a call before the first, between them, or after the second.
type foundAt string

const (
	before   foundAt = "before"
	between  foundAt = "between"
	after    foundAt = "after, and not answered"
	answered foundAt = "answered"
)

// keyCall is one call that a kill meets.
type keyCall struct {
	renews  bool
	name    string // of whom it creates
	backend string
	answer  reply
	at      foundAt
	was     rgwUser // whose key it renews, as it was shown last
	is      rgwUser // with the secret that it should have after the restart
	hidden  rgwUser // with the secret of a call that was found between
}

func (c *keyCall) kind() string {
	if c.renews {
		return "renewal"
	}
	return "creation"
}

// TestRGWKeysAcrossKills kills the server at random moments of many creations and
// renewals. What the store has then is one of the states that the steps leave; after
// the restart a user is there or it is not, its key has the old secret or the new
// one, what was shown is what works, and a secret that nobody was shown opens
// nothing while it is pending.
func TestRGWKeysAcrossKills(t *testing.T) {
	t.Parallel() // it mostly waits
	s, _ := startRGW(t, "s3", "")
	homes := []string{s.BackendID, s.backend}
	users := make([]rgwUser, 4)
	for i := range users {
		s.backend = homes[i%len(homes)]
		users[i] = s.user(fmt.Sprintf("renewed-%d", i))
	}
	kills, _ := crashes(t)
	tally := map[string]int{}
	span := time.Hour // of the quickest of some rounds without a kill: the first ones warm up
	for round := range 3 {
		calls := s.keyCalls(users, homes, fmt.Sprint("measured-", round))
		began := time.Now()
		s.makeCalls(calls)()
		span = min(span, time.Since(began))
		users = s.afterKeyCalls(calls)
	}
	span += span / 4
	for round := range kills {
		calls := s.keyCalls(users, homes, fmt.Sprint("made-", round))
		wait := s.makeCalls(calls)
		time.Sleep(rand.N(span))
		must(t, s.cmd.Process.Kill())
		wait()
		<-s.server.ended
		s.findKeyCalls(calls)
		s.again()
		for _, c := range calls {
			tally[c.kind()+": "+string(c.at)]++
		}
		users = s.afterKeyCalls(calls)
	}
	t.Logf("%d kills within %v of %d calls at once found %v", kills, span, 2*len(users), tally)
	if kills < 50 {
		return // too few to have met everything
	}
	for _, kind := range []string{"creation: ", "renewal: "} {
		for _, at := range []foundAt{before, between, after, answered} {
			if tally[kind+string(at)] == 0 {
				t.Errorf("no kill found a %s%s", kind, at)
			}
		}
	}
}

// keyCalls are a renewal of each user, and as many creations.
func (s *rgwSite) keyCalls(users []rgwUser, homes []string, name string) (calls []*keyCall) {
	for i, u := range users {
		backend := homes[i%len(homes)]
		calls = append(calls, &keyCall{renews: true, was: u, is: u, backend: backend, at: answered},
			&keyCall{name: fmt.Sprintf("%s-%d", name, i), backend: backend, at: answered})
	}
	return calls
}

// makeCalls makes all calls at once; wait returns when each has ended.
func (s *rgwSite) makeCalls(calls []*keyCall) (wait func()) {
	done := make(chan struct{}, len(calls))
	for _, c := range calls {
		go func() {
			defer func() { done <- struct{}{} }()
			if c.renews {
				c.answer = s.ask("admin", "POST", c.was.path("/renew_key"), nil)
				return
			}
			c.answer = s.ask("admin", "POST", "/rgw/users", fmt.Sprintf(`{"user":{"name":%q,"project_id":%q,"backend_id":%q}}`, c.name, s.project, c.backend))
		}()
	}
	return func() {
		for range calls {
			<-done
		}
	}
}

// findKeyCalls reads from a copy of the dead server's store how far the calls came.
func (s *rgwSite) findKeyCalls(calls []*keyCall) {
	s.t.Helper()
	dir := s.t.TempDir()
	for _, name := range []string{"keystile.db", "keystile.db-wal"} {
		data, err := os.ReadFile(filepath.Join(s.data, name))
		must(s.t, err)
		must(s.t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	key, err := seal.Load(filepath.Join(s.data, "master.key"))
	must(s.t, err)
	keys, err := seal.New(key)
	must(s.t, err)
	db, err := sqlstore.OpenSQLite(s.t.Context(), filepath.Join(dir, "keystile.db"), keys)
	must(s.t, err)
	must(s.t, db.Read(s.t.Context(), func(tx store.Tx) error {
		for _, c := range calls {
			if err := s.findKeyCall(tx, c); err != nil {
				return err
			}
		}
		return nil
	}))
	must(s.t, db.Close())
	must(s.t, os.RemoveAll(dir))
}

func (s *rgwSite) findKeyCall(tx store.Tx, c *keyCall) (err error) {
	var u keystile.RGWUser
	if c.renews {
		u, err = tx.RGWUser(c.was.id)
	} else {
		u, err = tx.RGWUserByName(s.project, c.name)
	}
	var secrets keystile.RGWSecrets
	if err == nil {
		secrets, err = tx.RGWSecrets(u.ID)
	}
	switch {
	case !c.renews && errors.Is(err, keystile.ErrNotFound):
		c.at = before
	case err != nil:
		return err
	default:
		c.is = rgwUser{u.ID, u.AccessKeyID, secrets.Current.Reveal()}
		c.hidden = c.is
		if c.renews {
			c.hidden.secret = secrets.Pending.Reveal()
		}
		c.at = stateOf(c, u, secrets)
		s.secrets[c.is.secret] = true
	}
	if c.at == between {
		s.secrets[c.hidden.secret] = true
	}
	switch shown := c.answer.status/100 == 2; {
	case shown && c.at == after:
		c.at = answered
	case shown:
		s.t.Errorf("a %s was answered with %d, and the kill found it %s", c.kind(), c.answer.status, c.at)
	}
	return nil
}

func stateOf(c *keyCall, u keystile.RGWUser, secrets keystile.RGWSecrets) foundAt {
	switch {
	case u.State != keystile.RGWLive, !secrets.Pending.IsZero():
		return between
	case c.renews && secrets.Current.Reveal() == c.was.secret:
		return before
	}
	return after
}

// afterKeyCalls tries what the calls left once the server runs again. It returns the
// users whose keys were renewed as they are then.
func (s *rgwSite) afterKeyCalls(calls []*keyCall) (users []rgwUser) {
	s.t.Helper()
	for _, c := range calls {
		if c.at == answered {
			s.keep(c.answer)
			c.is = rgwUser{c.answer.text("id"), c.answer.text("access_key_id"), c.answer.text("secret_key")}
		}
		if c.at == between { // before anything is asked that could put it right
			s.opens(c, c.hidden, false)
		}
	}
	for _, c := range calls {
		if c.renews {
			users = append(users, s.afterRenewal(c))
		} else {
			s.afterCreation(c)
		}
	}
	return users
}

// afterRenewal: the key has the secret of before where the second transaction was
// not made, and the new one where it was.
func (s *rgwSite) afterRenewal(c *keyCall) rgwUser {
	s.t.Helper()
	s.opens(c, c.is, true)
	if c.at == after || c.at == answered {
		s.opens(c, c.was, false)
	}
	if c.at != between {
		return c.is
	}
	var r reply
	s.settled("a key whose renewal was cut off can be renewed", func() bool {
		r = s.call("admin", "POST", c.was.path("/renew_key"), nil)
		return r.status == http.StatusOK
	})
	renewed := rgwUser{c.is.id, r.text("access_key_id"), r.text("secret_key")}
	s.opens(c, renewed, true)
	s.opens(c, c.is, false)
	s.opens(c, c.hidden, false)
	return renewed
}

// afterCreation: the user is there, or its name is free.
func (s *rgwSite) afterCreation(c *keyCall) {
	s.t.Helper()
	if c.at == after || c.at == answered {
		s.opens(c, c.is, true)
		if r := s.must(200, s.call("admin", "GET", c.is.path(""), nil)); r.text("state") != "live" || r.text("name") != c.name {
			s.t.Errorf("a creation, %s: %s", c.at, r.body)
		}
		return
	}
	s.backend = c.backend
	s.settled("the name of whom nobody was shown is free", func() bool {
		r := s.call("admin", "POST", "/rgw/users", fmt.Sprintf(`{"user":{"name":%q,"project_id":%q,"backend_id":%q}}`, c.name, s.project, c.backend))
		c.is = rgwUser{r.text("id"), r.text("access_key_id"), r.text("secret_key")}
		return r.status == http.StatusCreated
	})
	s.opens(c, c.is, true)
	if c.at == between {
		s.opens(c, c.hidden, false)
	}
}

// opens tries a key at the gateway.
func (s *rgwSite) opens(c *keyCall, u rgwUser, want bool) {
	s.t.Helper()
	var got int
	s.settled("the gateway knows its keys", func() bool {
		got = s3(s.t, s.S3Endpoint, u, "GET", "/", "")
		return got < 500
	})
	refused := got == http.StatusUnauthorized || got == http.StatusForbidden
	if want && got != http.StatusOK || !want && !refused {
		s.t.Errorf("after a %s, %s, a key gets %d, want it to work: %v", c.kind(), c.at, got, want)
	}
}
