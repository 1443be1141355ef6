package api

import (
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestAccounts(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	own := s.nobody().with("Origin", s.url)
	made := into[AccountWithPassword](root.do("POST", "/api/accounts", `{"name":"dora","role":"user"}`).want(201))
	if made.Name != "dora" || made.Role != "user" || made.Status != "active" || len(made.Password) < 20 {
		t.Errorf("made %+v", made)
	}
	own.do("POST", "/api/session", map[string]string{"username": "dora", "password": made.Password}).want(200)
	chosen := into[AccountWithPassword](root.do("POST", "/api/accounts", `{"name":"emil","role":"user","password":"chosen by the admin"}`).want(201))
	if chosen.Password != "" {
		t.Error("a password that was given is shown again")
	}
	root.do("POST", "/api/accounts", `{"name":"dora","role":"admin"}`).wantCode(409, "conflict")
	for _, tt := range []struct{ name, body, field string }{
		{"reserved name", `{"name":"system","role":"user"}`, "name"},
		{"bad name", `{"name":"Dora Smith","role":"user"}`, "name"},
		{"no name", `{"role":"user"}`, "name"},
		{"unknown role", `{"name":"fred","role":"god"}`, "role"},
		{"short password", `{"name":"fred","role":"user","password":"short"}`, "password"},
		{"empty password", `{"name":"fred","role":"user","password":""}`, "password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faults := root.on(t).do("POST", "/api/accounts", tt.body).wantCode(422, "invalid").problem().Error.Detail.Faults
			if len(faults) != 1 || faults[0].Field != tt.field {
				t.Errorf("faults %+v, want %s", faults, tt.field)
			}
		})
	}
}

func TestResetPassword(t *testing.T) {
	s := newSite(t)
	in := s.signIn("uma")
	reset := into[GeneratedPassword](s.as("root").do("POST", "/api/accounts/uma/password", nil).want(200))
	in.do("GET", "/api/session", nil).want(401)
	own := s.nobody().with("Origin", s.url)
	own.do("POST", "/api/session", map[string]string{"username": "uma", "password": sitePassword}).want(401)
	own.do("POST", "/api/session", map[string]string{"username": "uma", "password": reset.Password}).want(200)
	given := into[GeneratedPassword](s.as("root").do("POST", "/api/accounts/uma/password", `{"password":"chosen by the admin"}`).want(200))
	if given.Password != "" {
		t.Error("a password that was given is shown again")
	}
	own.do("POST", "/api/session", map[string]string{"username": "uma", "password": "chosen by the admin"}).want(200)
	s.as("root").do("POST", "/api/accounts/uma/password", `{"password":""}`).wantCode(422, "invalid")
	s.as("root").do("POST", "/api/accounts/nobody/password", nil).wantCode(404, "not_found")
}

func TestTheLastAdminStays(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	refuse := func() {
		t.Helper()
		root.do("PATCH", "/api/accounts/root", `{"disabled":true}`).wantCode(409, "conflict")
		root.do("PATCH", "/api/accounts/root", `{"role":"user"}`).wantCode(409, "conflict")
		root.do("DELETE", "/api/accounts/root", nil).wantCode(409, "conflict")
		root.do("GET", "/api/accounts", nil).want(200)
	}
	refuse()
	root.do("POST", "/api/accounts", `{"name":"second","role":"admin"}`).want(201)
	root.do("PATCH", "/api/accounts/second", `{"disabled":true}`).want(200)
	refuse() // a disabled admin is none
	root.do("PATCH", "/api/accounts/second", `{"disabled":false}`).want(200)
	root.do("PATCH", "/api/accounts/root", `{"role":"readonly"}`).want(200)
	root.do("GET", "/api/accounts", nil).wantCode(403, "denied") // at once, with the same token
	s.as("second").do("DELETE", "/api/accounts/root", nil).want(204)
	root.do("GET", "/api/session", nil).want(401)
}

func TestDisablingAnAccount(t *testing.T) {
	s := newSite(t)
	session, token := s.signIn("uma"), s.as("uma")
	owned, created := s.mint("uma").AccessKeyID, s.mint("").AccessKeyID
	token.do("POST", "/api/credentials/"+owned+"/rotate", `{"overlap":"1h"}`).want(200)
	byHand := s.mint("uma").AccessKeyID
	s.as("root").do("POST", "/api/credentials/"+byHand+"/disable", nil).want(200)
	revoked := s.mint("uma").AccessKeyID
	token.do("POST", "/api/credentials/"+revoked+"/revoke", nil).want(200)

	a := s.as("root").do("PATCH", "/api/accounts/uma", `{"disabled":true}`).want(200)
	if account := into[Account](a); account.Status != "disabled" || account.DisabledAt == nil {
		t.Errorf("account %+v", account)
	}
	session.do("GET", "/api/session", nil).want(401)
	token.do("GET", "/api/session", nil).want(401)
	status := func(id string) string {
		return into[Credential](s.as("root").do("GET", "/api/credentials/"+id, nil).want(200)).Status
	}
	if status(owned) != "disabled" || status(created) != "active" || status(revoked) != "revoked" {
		t.Errorf("owned is %s, another %s, revoked %s", status(owned), status(created), status(revoked))
	}
	if !s.secretsOf(owned).Previous.IsZero() {
		t.Error("the overlap goes on")
	}
	var along []string
	for _, e := range s.eventsOf(a) {
		if e.Action == "credential.disable" && e.Result == keystile.ResultOK && e.Account == "root" {
			along = append(along, e.Detail.AccessKeyID)
		}
	}
	if len(along) != 1 || along[0] != owned {
		t.Errorf("events of credentials disabled along: %v", along)
	}
	s.as("root").do("POST", "/api/credentials/"+owned+"/enable", nil).wantCode(409, "conflict")
	s.as("root").do("PATCH", "/api/accounts/uma", `{"disabled":true}`).want(200) // repeating is safe
	s.as("root").do("PATCH", "/api/accounts/uma", `{"disabled":false}`).want(200)
	session.do("GET", "/api/session", nil).want(401)
	token.do("GET", "/api/session", nil).want(401)
	if status(owned) != "disabled" {
		t.Error("enabling the account revived its credential")
	}
	s.as("root").do("POST", "/api/credentials/"+owned+"/enable", nil).want(200)
}

func TestDeletingAnAccount(t *testing.T) {
	s := newSite(t)
	s.as("root").do("PATCH", "/api/accounts/uma", `{"role":"admin"}`).want(200)
	created := into[CredentialWithSecret](s.as("uma").do("POST", "/api/credentials", `{"description":"for rory","grants":`+oneGrant+`,"owner":"rory"}`).want(201)).AccessKeyID
	owned := s.mint("uma").AccessKeyID
	a := s.as("root").do("DELETE", "/api/accounts/uma", nil).want(204)
	if got := into[Credential](s.as("root").do("GET", "/api/credentials/"+owned, nil)); got.Status != "revoked" || got.Owner != "(deleted)" {
		t.Errorf("owned: %+v", got)
	}
	if !s.secretsOf(owned).Current.IsZero() {
		t.Error("the secret of a revoked credential is still there")
	}
	if got := into[Credential](s.as("root").do("GET", "/api/credentials/"+created, nil)); got.Status != "active" || got.CreatedBy != "(deleted)" {
		t.Errorf("created: %+v", got)
	}
	if events := s.eventsOf(a); len(events) != 2 || events[0].Action != "credential.revoke" || events[1].Action != "account.delete" {
		t.Errorf("events %+v", events)
	}
	s.as("root").do("POST", "/api/accounts", `{"name":"uma","role":"user"}`).want(201)
	if list := into[List[Credential]](s.as("uma").do("GET", "/api/credentials", nil)); len(list.Items) != 0 {
		t.Error("a new account of the same name owns what the old one owned")
	}
}

func TestTokens(t *testing.T) {
	s := newSite(t)
	in := s.signIn("rory")
	made := into[TokenWithValue](in.do("POST", "/api/tokens", `{"name":"ci","expires_in":"1h"}`).want(201))
	token := s.bearer(made.Value)
	if who := into[SignedIn](token.do("GET", "/api/session", nil).want(200)); who.Account.Name != "rory" || who.Account.Role != "readonly" {
		t.Errorf("acts as %+v", who)
	}
	token.do("POST", "/api/tokens", `{"name":"for ever"}`).wantCode(422, "invalid") // it would outlive its maker
	s.clock.pass(time.Second)
	child := into[TokenWithValue](token.do("POST", "/api/tokens", `{"name":"shorter","expires_in":"30m"}`).want(201))
	s.bearer(child.Value).do("GET", "/api/session", nil).want(200)
	for _, body := range []string{`{}`, `{"name":""}`, `{"name":"x","expires_in":"0s"}`, `{"name":"x","role":"admin"}`} {
		in.do("POST", "/api/tokens", body).wantCode(422, "invalid")
	}
	list := into[List[Token]](in.do("GET", "/api/tokens", nil)).Items
	if len(list) != 2 || list[0].Name != "shorter" || list[1].LastUsedAt == nil || list[1].Status != "active" {
		t.Errorf("tokens %+v", list)
	}
	s.as("uma").do("DELETE", "/api/tokens/"+made.ID, nil).wantCode(404, "not_found")
	in.do("DELETE", "/api/tokens/"+made.ID, nil).want(204)
	in.do("DELETE", "/api/tokens/"+made.ID, nil).want(204)
	a := token.do("GET", "/api/session", nil).wantCode(401, "unauthenticated")
	if events := s.eventsOf(a); len(events) != 1 || events[0].Action != "token.use" || events[0].Account != "" {
		t.Errorf("use of a revoked token: %+v", events)
	}
	s.clock.pass(35 * time.Minute)
	s.bearer(child.Value).do("GET", "/api/session", nil).want(401)
	for _, value := range []string{"", "ks_", "ks_wrong", made.ID} {
		s.bearer(value).do("GET", "/api/session", nil).want(401)
	}
}
