package api

import (
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
)

const oneGrant = `[{"backend":"main","bucket":"uploads","permissions":["read","list"],"prefix":"2026/"}]`

func TestCreateCredential(t *testing.T) {
	s := newSite(t)
	a := s.as("root").do("POST", "/api/credentials",
		`{"description":"nightly","grants":`+oneGrant+`,"expires_in":"30d","owner":"uma"}`).want(201)
	made := into[CredentialWithSecret](a)
	if !strings.HasPrefix(made.AccessKeyID, "AKIA") || len(made.SecretAccessKey) != 40 || made.Status != "active" ||
		made.S3Endpoint != "http://s3.test:8090" || made.Region != "us-east-1" || made.Owner != "uma" || made.CreatedBy != "root" ||
		!made.Quota.Inherits || !made.ExpiresAt.Equal(s.clock.now().Add(30*24*time.Hour)) {
		t.Errorf("made %+v", made)
	}
	if g := made.Grants; len(g) != 1 || g[0].Backend != "main" || g[0].Bucket != "uploads" || g[0].Prefix != "2026/" || strings.Join(g[0].Permissions, ",") != "read,list" {
		t.Errorf("grants %+v", g)
	}
	e := s.eventsOf(a)[0]
	want := map[string]string{"description": "nightly", "grants": "main/uploads/2026/:read,list", "expires_at": "2026-12-21T12:00:00Z", "owner": "uma"}
	for field, value := range want {
		if e.Detail.Changes[field] != value {
			t.Errorf("event says %s = %q, want %q", field, e.Detail.Changes[field], value)
		}
	}
	if e.Detail.AccessKeyID != made.AccessKeyID || e.Detail.Target != made.AccessKeyID {
		t.Errorf("event is about %+v", e.Detail)
	}
	if got := s.secretsOf(made.AccessKeyID).Current.Reveal(); got != made.SecretAccessKey {
		t.Error("the store keeps another secret than was shown")
	}
}

func TestCreateCredentialFaults(t *testing.T) {
	s := newSite(t)
	must(t, disable(s, "rory"))
	grant := func(g string) string { return `{"description":"d","grants":[` + g + `]}` }
	for _, tt := range []struct{ name, body, field string }{
		{"no description", `{"grants":` + oneGrant + `}`, "description"},
		{"blank description", `{"description":" ","grants":` + oneGrant + `}`, "description"},
		{"control character", `{"description":"a\u0007b","grants":` + oneGrant + `}`, "description"},
		{"no grants", `{"description":"d"}`, "grants"},
		{"empty grants", `{"description":"d","grants":[]}`, "grants"},
		{"null grants", `{"description":"d","grants":null}`, "grants"},
		{"unknown backend", grant(`{"backend":"nix","bucket":"uploads","permissions":["read"]}`), "grants[0].backend"},
		{"reserved bucket", grant(`{"backend":"main","bucket":"admin","permissions":["read"]}`), "grants[0].bucket"},
		{"no permissions", grant(`{"backend":"main","bucket":"uploads","permissions":[]}`), "grants[0].permissions"},
		{"unknown permission", grant(`{"backend":"main","bucket":"uploads","permissions":["root"]}`), "grants[0].permissions[0]"},
		{"permission twice", grant(`{"backend":"main","bucket":"uploads","permissions":["read","read"]}`), "grants[0].permissions"},
		{"dotted prefix", grant(`{"backend":"main","bucket":"uploads","permissions":["read"],"prefix":"a/../b"}`), "grants[0].prefix"},
		{"an alias for two prefixes", grant(`{"backend":"main","bucket":"uploads","permissions":["read"],"prefix":"a/","alias":"mine"},{"backend":"main","bucket":"uploads","permissions":["read"],"prefix":"b/","alias":"mine"}`), "grants[1].alias"},
		{"names collide", grant(`{"backend":"main","bucket":"uploads","permissions":["read"]},{"backend":"main","bucket":"empty","permissions":["read"],"alias":"uploads"}`), "grants[1].alias"},
		{"unknown property in a grant", grant(`{"backend":"main","bucket":"uploads","permissions":["read"],"admin":true}`), "grants[0].admin"},
		{"past expiry", `{"description":"d","grants":` + oneGrant + `,"expires_at":"2026-11-21T11:59:59Z"}`, "expires_at"},
		{"two expiries", `{"description":"d","grants":` + oneGrant + `,"expires_at":"2027-01-01T00:00:00Z","expires_in":"1h"}`, "expires_at"},
		{"negative span", `{"description":"d","grants":` + oneGrant + `,"expires_in":"-1h"}`, "expires_in"},
		{"no span", `{"description":"d","grants":` + oneGrant + `,"expires_in":"soon"}`, "expires_in"},
		{"endless span", `{"description":"d","grants":` + oneGrant + `,"expires_in":"65535w"}`, "expires_in"},
		{"not a time", `{"description":"d","grants":` + oneGrant + `,"expires_at":"tomorrow"}`, "expires_at"},
		{"unknown owner", `{"description":"d","grants":` + oneGrant + `,"owner":"nobody"}`, "owner"},
		{"disabled owner", `{"description":"d","grants":` + oneGrant + `,"owner":"rory"}`, "owner"},
		{"unknown property", `{"description":"d","grants":` + oneGrant + `,"secret_access_key":"mine"}`, "secret_access_key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := s.as("root").on(t).do("POST", "/api/credentials", tt.body).wantCode(422, "invalid").problem()
			for _, f := range p.Error.Detail.Faults {
				if f.Field == tt.field {
					return
				}
			}
			t.Errorf("faults %+v, want one of %s", p.Error.Detail.Faults, tt.field)
		})
	}
	if list := into[List[Credential]](s.as("root").do("GET", "/api/credentials", nil)); len(list.Items) != 0 {
		t.Errorf("%d credentials were made", len(list.Items))
	}
	several := s.as("root").do("POST", "/api/credentials", `{"description":" ","grants":[],"owner":"nobody"}`).problem()
	if len(several.Error.Detail.Faults) != 3 {
		t.Errorf("faults are not reported together: %+v", several.Error.Detail.Faults)
	}
}

func TestUpdateCredential(t *testing.T) {
	s := newSite(t)
	id := s.mint("uma").AccessKeyID
	before := s.secretsOf(id)
	edit := func(body string) answer { return s.as("root").do("PATCH", "/api/credentials/"+id, body) }

	c := into[Credential](edit(`{"expires_in":"24h"}`).want(200))
	if !c.ExpiresAt.Equal(s.clock.now().Add(24*time.Hour)) || c.Description != "for uma" || c.Owner != "uma" {
		t.Errorf("after expires_in: %+v", c)
	}
	if c = into[Credential](edit(`{"description":"new","grants":` + oneGrant + `}`).want(200)); c.Description != "new" || c.Grants[0].Prefix != "2026/" || c.ExpiresAt == nil {
		t.Errorf("after a narrower scope: %+v", c)
	}
	if c = into[Credential](edit(`{"expires_at":null,"owner":null}`).want(200)); c.ExpiresAt != nil || c.Owner != "" {
		t.Errorf("after null: %+v", c)
	}
	edit(`{"expires_at":"2020-01-01T00:00:00Z"}`).wantCode(422, "invalid")
	edit(`{"description":null}`).want(200) // absent and null are the same where nothing can be cleared
	if !same(s.secretsOf(id), before) {
		t.Error("an edit changed the secrets")
	}
	edit(`{"expires_in":"1h"}`).want(200)
	s.clock.pass(2 * time.Hour)
	if c = into[Credential](edit(`{"description":"late"}`).want(200)); c.Status != "expired" {
		t.Errorf("an edit of the description revived it: %+v", c)
	}
	if c = into[Credential](edit(`{"expires_in":"1h"}`).want(200)); c.Status != "active" {
		t.Errorf("a new expiry: %+v", c)
	}
	s.as("root").do("POST", "/api/credentials/"+id+"/revoke", nil).want(200)
	edit(`{"description":"again"}`).wantCode(409, "conflict")
}

func same(a, b keystile.CredentialSecrets) bool {
	return a.Current.Equal(b.Current) && a.Previous.Equal(b.Previous)
}

func TestRotate(t *testing.T) {
	s := newSite(t)
	minted := s.mint("")
	id := minted.AccessKeyID
	rotate := func(body any) answer { return s.as("root").do("POST", "/api/credentials/"+id+"/rotate", body) }

	second := into[CredentialWithSecret](rotate(`{"overlap":"1h"}`).want(200))
	got := s.secretsOf(id)
	if second.AccessKeyID != id || second.SecretAccessKey == minted.Secret.Reveal() || got.Current.Reveal() != second.SecretAccessKey ||
		!got.Previous.Equal(minted.Secret) || !second.OverlapUntil.Equal(s.clock.now().Add(time.Hour)) {
		t.Error("an overlap does not keep the old secret beside the new one")
	}
	third := into[CredentialWithSecret](rotate(`{"overlap":"7d"}`).want(200))
	if got := s.secretsOf(id); got.Previous.Reveal() != second.SecretAccessKey || got.Current.Reveal() != third.SecretAccessKey {
		t.Error("rotating again does not drop the oldest secret")
	}
	fourth := into[CredentialWithSecret](rotate(nil).want(200))
	if got := s.secretsOf(id); !got.Previous.IsZero() || got.Current.Reveal() != fourth.SecretAccessKey || fourth.OverlapUntil != nil {
		t.Error("rotating without overlap leaves an old secret")
	}
	for _, overlap := range []string{"-1h", "31d", "soon"} {
		faults := rotate(`{"overlap":"`+overlap+`"}`).wantCode(422, "invalid").problem().Error.Detail.Faults
		if len(faults) != 1 || faults[0].Field != "overlap" {
			t.Errorf("overlap %s: faults %+v", overlap, faults)
		}
	}
	if got := s.secretsOf(id); got.Current.Reveal() != fourth.SecretAccessKey {
		t.Error("a refused rotation changed the secret")
	}
}

// What ends a credential ends its overlap, and what is ended cannot be rotated.
func TestEndings(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	post := func(id, verb string) answer { return root.do("POST", "/api/credentials/"+id+"/"+verb, `{}`) }

	disabled := s.mint("").AccessKeyID
	root.do("POST", "/api/credentials/"+disabled+"/rotate", `{"overlap":"1h"}`).want(200)
	if c := into[Credential](post(disabled, "disable").want(200)); c.Status != "disabled" || c.OverlapUntil != nil {
		t.Errorf("disabled: %+v", c)
	}
	if got := s.secretsOf(disabled); !got.Previous.IsZero() || got.Current.IsZero() {
		t.Error("disabling does not erase the old secret, and that alone")
	}
	post(disabled, "rotate").wantCode(409, "conflict")
	post(disabled, "disable").want(200)
	if c := into[Credential](post(disabled, "enable").want(200)); c.Status != "active" || c.DisabledAt != nil {
		t.Errorf("enabled: %+v", c)
	}
	post(disabled, "enable").want(200)

	revoked := s.mint("").AccessKeyID
	root.do("POST", "/api/credentials/"+revoked+"/rotate", `{"overlap":"1h"}`).want(200)
	if c := into[Credential](post(revoked, "revoke").want(200)); c.Status != "revoked" || c.OverlapUntil != nil {
		t.Errorf("revoked: %+v", c)
	}
	if got := s.secretsOf(revoked); !got.Previous.IsZero() || !got.Current.IsZero() {
		t.Error("revoking leaves secrets in the store")
	}
	post(revoked, "revoke").want(200)
	for _, verb := range []string{"rotate", "disable", "enable"} {
		post(revoked, verb).wantCode(409, "conflict")
	}
	expired := s.mint("").AccessKeyID
	root.do("PATCH", "/api/credentials/"+expired, `{"expires_in":"1h"}`).want(200)
	s.clock.pass(time.Hour)
	post(expired, "rotate").wantCode(409, "conflict")
	post("AKIAAAAAAAAAAAAAAAAA", "revoke").wantCode(404, "not_found")
}

// The owner's rights, and that they end with the account.
func TestOwners(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		name, who, owner, method, verb, body string
		status                               int
	}{
		{"owner sees", "uma", "uma", "GET", "", "", 200},
		{"owner rotates", "uma", "uma", "POST", "/rotate", `{"overlap":"1h"}`, 200},
		{"owner revokes", "uma", "uma", "POST", "/revoke", "", 200},
		{"owner may not widen", "uma", "uma", "PATCH", "", `{"grants":` + oneGrant + `}`, 403},
		{"owner may not prolong", "uma", "uma", "PATCH", "", `{"expires_at":null}`, 403},
		{"owner may not give away", "uma", "uma", "PATCH", "", `{"owner":"rory"}`, 403},
		{"owner may not disable", "uma", "uma", "POST", "/disable", "", 403},
		{"owner may not enable", "uma", "uma", "POST", "/enable", "", 403},
		{"readonly owner sees", "rory", "rory", "GET", "", "", 200},
		{"readonly owner may not rotate", "rory", "rory", "POST", "/rotate", "", 403},
		{"readonly owner may not revoke", "rory", "rory", "POST", "/revoke", "", 403},
		{"another's is not found", "uma", "rory", "GET", "", "", 404},
		{"another's cannot be rotated", "uma", "rory", "POST", "/rotate", "", 404},
		{"another's cannot be revoked", "uma", "rory", "POST", "/revoke", "", 404},
		{"nobody's is not found", "uma", "", "GET", "", "", 404},
		{"an admin revokes what others own", "root", "uma", "POST", "/revoke", "", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			minted := s.mint(tt.owner)
			before := s.secretsOf(minted.AccessKeyID)
			var body any
			if tt.body != "" {
				body = tt.body
			}
			s.as(tt.who).on(t).do(tt.method, "/api/credentials/"+minted.AccessKeyID+tt.verb, body).want(tt.status)
			if tt.status >= 400 && !same(s.secretsOf(minted.AccessKeyID), before) {
				t.Error("what was refused changed the secrets")
			}
		})
	}
}

func TestOwnerCannotUndoADisable(t *testing.T) {
	s := newSite(t)
	id := s.mint("uma").AccessKeyID
	s.as("root").do("POST", "/api/credentials/"+id+"/disable", nil).want(200)
	s.as("uma").do("POST", "/api/credentials/"+id+"/enable", nil).wantCode(403, "denied")
	s.as("uma").do("POST", "/api/credentials/"+id+"/rotate", nil).wantCode(409, "conflict")
	if c := into[Credential](s.as("uma").do("GET", "/api/credentials/"+id, nil)); c.Status != "disabled" {
		t.Errorf("status %s", c.Status)
	}
	s.as("uma").do("POST", "/api/credentials/"+id+"/revoke", nil).want(200)
}

func TestListCredentials(t *testing.T) {
	s := newSite(t)
	var ids []string
	for _, owner := range []string{"uma", "", "rory", "uma", "uma"} {
		ids = append(ids, s.mint(owner).AccessKeyID)
		s.clock.pass(time.Second)
	}
	list := func(who, query string) List[Credential] {
		return into[List[Credential]](s.as(who).do("GET", "/api/credentials"+query, nil).want(200))
	}
	for _, tt := range []struct {
		who, query string
		want       []int
	}{
		{"root", "", []int{4, 3, 2, 1, 0}},
		{"root", "?owner=uma", []int{4, 3, 0}},
		{"root", "?owner=nobody", nil},
		{"root", "?q=rory", []int{2}},
		{"root", "?q=" + ids[1][4:12], []int{1}},
		{"uma", "", []int{4, 3, 0}},
		{"uma", "?owner=rory", nil},
		{"uma", "?q=rory", nil},
		{"rory", "", []int{2}},
	} {
		got := list(tt.who, tt.query).Items
		if len(got) != len(tt.want) {
			t.Errorf("%s %s: %d credentials, want %d", tt.who, tt.query, len(got), len(tt.want))
			continue
		}
		for i, c := range got {
			if c.AccessKeyID != ids[tt.want[i]] {
				t.Errorf("%s %s: credential %d is %s", tt.who, tt.query, i, c.Description)
			}
		}
	}
	first := list("uma", "?limit=2")
	second := list("uma", "?limit=2&cursor="+first.NextCursor)
	if len(first.Items) != 2 || len(second.Items) != 1 || second.NextCursor != "" || second.Items[0].AccessKeyID != ids[0] {
		t.Errorf("pages of %d and %d", len(first.Items), len(second.Items))
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?limit=x", "?order=up", "?cursor=nix"} {
		s.as("root").do("GET", "/api/credentials"+query, nil).wantCode(422, "invalid")
	}
}

// Not confirmed in time: the change holds, the client hears of it, and a repeat
// is safe and confirms.
func TestCommittedNotConfirmed(t *testing.T) {
	s := newSite(t)
	id := s.mint("").AccessKeyID
	root := s.as("root")
	s.gateways.fail(errDown)
	a := root.do("POST", "/api/credentials/"+id+"/revoke", nil).wantCode(503, "committed_not_confirmed")
	if target := a.problem().Error.Detail.Target; target != id {
		t.Errorf("target %q", target)
	}
	if strings.Contains(string(a.body), "10.1.2.3") {
		t.Errorf("the answer tells an address: %s", a.body)
	}
	if !strings.Contains(s.log.String(), "10.1.2.3") || strings.Count(s.log.String(), errDown.Error()) != 1 {
		t.Errorf("the log does not tell the cause once: %s", s.log)
	}
	if events := s.eventsOf(a); len(events) != 1 || events[0].Result != keystile.ResultOK {
		t.Errorf("the committed change has events %+v", events)
	}
	root.do("POST", "/api/credentials/"+id+"/revoke", nil).wantCode(503, "committed_not_confirmed")
	s.gateways.fail(nil)
	if c := into[Credential](root.do("POST", "/api/credentials/"+id+"/revoke", nil).want(200)); c.Status != "revoked" {
		t.Errorf("status %s", c.Status)
	}
}

// A thing that is gone is "not found" only once the gateways know.
func TestGoneIsConfirmed(t *testing.T) {
	s, _ := seeded(t)
	root := s.as("root")
	for _, path := range []string{"/api/anonymous-bindings/open", "/api/backends/spare", "/api/accounts/uma"} {
		if path == "/api/accounts/uma" {
			s.mint("uma")
		}
		s.gateways.fail(errDown)
		root.do("DELETE", path, nil).wantCode(503, "committed_not_confirmed")
		root.do("DELETE", path, nil).wantCode(503, "committed_not_confirmed")
		s.gateways.fail(nil)
		root.do("DELETE", path, nil).wantCode(404, "not_found")
	}
}
