package api

import (
	"strings"
	"testing"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

const newBackend = `{"id":"ceph-1","endpoint":"https://s3.example.com","region":"eu-1","access_key_id":"AK","secret_access_key":"upstream secret"}`

func TestBackends(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	a := root.do("POST", "/api/backends", newBackend).want(201)
	made := into[Backend](a)
	if made.ID != "ceph-1" || made.Kind != "s3" || !made.PathStyle || made.Source != "store" || made.AccessKeyID != "AK" || made.CreatedAt == nil {
		t.Errorf("made %+v", made)
	}
	root.do("POST", "/api/backends", newBackend).wantCode(409, "conflict")
	root.do("POST", "/api/backends", strings.Replace(newBackend, "ceph-1", "main", 1)).wantCode(409, "conflict")
	list := into[List[Backend]](root.do("GET", "/api/backends", nil).want(200)).Items
	if len(list) != 2 || list[0].ID != "ceph-1" || list[1].ID != "main" || list[1].Source != "config" ||
		!list[1].Health.Healthy || list[1].Health.LatencyMS != 1.5 || !list[1].KeepsKeys || list[0].Health.Healthy {
		t.Errorf("list %+v", list)
	}
	for _, tt := range []struct{ name, old, new, field string }{
		{"bad id", "ceph-1", "Ceph 1", "id"},
		{"no scheme", "https://s3.example.com", "s3.example.com", "endpoint"},
		{"a path", "https://s3.example.com", "https://s3.example.com/x", "endpoint"},
		{"credentials in the endpoint", "https://s3.example.com", "https://a:b@s3.example.com", "endpoint"},
		{"a forbidden address", "https://s3.example.com", "http://169.254.169.254", "endpoint"},
		{"no region", `"region":"eu-1",`, ``, "region"},
		{"empty region", "eu-1", "", "region"},
		{"empty secret", "upstream secret", "", "secret_access_key"},
		{"embedded", `"id":`, `"kind":"embedded","id":`, "kind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := strings.Replace(strings.Replace(newBackend, "ceph-1", "other", 1), tt.old, tt.new, 1)
			if tt.field == "id" {
				body = strings.Replace(newBackend, tt.old, tt.new, 1)
			}
			a := root.on(t).do("POST", "/api/backends", body).wantCode(422, "invalid")
			if faults := a.problem().Error.Detail.Faults; len(faults) != 1 || faults[0].Field != tt.field {
				t.Errorf("faults %+v, want %s", faults, tt.field)
			}
		})
	}
}

func TestUpdateBackend(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	root.do("POST", "/api/backends", newBackend).want(201)
	edit := func(body string) answer { return root.do("PATCH", "/api/backends/ceph-1", body) }
	secret := func() (value keystile.Secret) {
		must(t, s.store.Read(t.Context(), func(tx store.Tx) (err error) {
			value, err = tx.BackendSecret("ceph-1")
			return err
		}))
		return value
	}
	for _, tt := range []struct{ name, body, field string }{
		{"endpoint without its secret", `{"endpoint":"https://evil.test"}`, "secret_access_key"},
		{"access key without its secret", `{"access_key_id":"OTHER"}`, "secret_access_key"},
		{"empty secret", `{"secret_access_key":""}`, "secret_access_key"},
		{"forbidden endpoint", `{"endpoint":"http://169.254.169.254","secret_access_key":"s"}`, "endpoint"},
		{"bad endpoint", `{"endpoint":"ftp://x","secret_access_key":"s"}`, "endpoint"},
		{"empty region", `{"region":""}`, "region"},
		{"id", `{"id":"other"}`, "id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faults := edit(tt.body).wantCode(422, "invalid").problem().Error.Detail.Faults
			if len(faults) != 1 || faults[0].Field != tt.field {
				t.Errorf("faults %+v, want %s", faults, tt.field)
			}
		})
	}
	if b := into[Backend](edit(`{"region":"eu-2","path_style":false}`).want(200)); b.Region != "eu-2" || b.PathStyle || b.Endpoint != "https://s3.example.com" {
		t.Errorf("after an edit: %+v", b)
	}
	if secret().Reveal() != "upstream secret" {
		t.Error("an edit lost the secret")
	}
	a := edit(`{"endpoint":"https://new.test","secret_access_key":"next secret"}`).want(200)
	if secret().Reveal() != "next secret" || into[Backend](a).Endpoint != "https://new.test" {
		t.Error("the endpoint did not change with its secret")
	}
	if changes := s.eventsOf(a)[0].Detail.Changes; changes["secret_access_key"] != "replaced" || changes["endpoint"] != "https://new.test" {
		t.Errorf("event says %v", changes)
	}
	root.do("PATCH", "/api/backends/main", `{"region":"x"}`).wantCode(409, "conflict")
	root.do("PATCH", "/api/backends/nix", `{"region":"x"}`).wantCode(404, "not_found")
}

func TestDeleteBackend(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	root.do("POST", "/api/backends", newBackend).want(201)
	made := into[CredentialWithSecret](root.do("POST", "/api/credentials",
		`{"description":"d","grants":[{"backend":"ceph-1","bucket":"uploads","permissions":["read"]}]}`).want(201))
	root.do("DELETE", "/api/backends/ceph-1", nil).wantCode(409, "conflict")
	root.do("POST", "/api/credentials/"+made.AccessKeyID+"/revoke", nil).want(200)
	root.do("POST", "/api/anonymous-bindings", `{"backend":"ceph-1","bucket":"uploads"}`).want(201)
	root.do("DELETE", "/api/backends/ceph-1", nil).wantCode(409, "conflict")
	root.do("DELETE", "/api/anonymous-bindings/uploads", nil).want(204)
	root.do("DELETE", "/api/backends/ceph-1", nil).want(204)
	root.do("DELETE", "/api/backends/ceph-1", nil).wantCode(404, "not_found")
	root.do("DELETE", "/api/backends/main", nil).wantCode(409, "conflict")
}

func TestTestBackend(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	root.do("POST", "/api/backends", newBackend).want(201)
	a := root.do("POST", "/api/backends/ceph-1/test", nil).want(200)
	if report := into[TestReport](a); !report.OK || len(report.Steps) != 1 || report.ClockSkewMS != -2000 || report.Buckets != 2 {
		t.Errorf("report %+v", report)
	}
	root.do("POST", "/api/backends/main/test", nil).want(200)
	if len(s.upstreams.tested) != 2 || s.upstreams.tested[0].Reveal() != "upstream secret" || !s.upstreams.tested[1].IsZero() {
		t.Error("not tested with the stored secret, and with the configured one for a declared backend")
	}
	root.do("POST", "/api/backends/nix/test", nil).wantCode(404, "not_found")
}

func TestBuckets(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	a := root.do("POST", "/api/backends/main/buckets", `{"bucket":"fresh"}`).want(201)
	if e := s.eventsOf(a)[0]; e.Action != "bucket.create" || e.Backend != "main" || e.Bucket != "fresh" || e.Open || e.Status != 201 {
		t.Errorf("event %+v", e)
	}
	a = root.do("POST", "/api/backends/main/buckets", `{"bucket":"fresh"}`).wantCode(409, "conflict")
	if e := s.eventsOf(a)[0]; e.Result != keystile.ResultError || e.Detail.Code != "conflict" || e.Open {
		t.Errorf("event %+v", e)
	}
	if strings.Contains(string(a.body), "10.1.2.3") {
		t.Errorf("the answer repeats the backend's words: %s", a.body)
	}
	root.do("POST", "/api/backends/main/buckets", `{"bucket":"Bad_Name"}`).wantCode(422, "invalid")
	root.do("POST", "/api/backends/main/buckets", `{"bucket":"admin"}`).wantCode(422, "invalid")
	root.do("POST", "/api/backends/nix/buckets", `{"bucket":"fresh"}`).wantCode(404, "not_found")
	list := into[List[Bucket]](root.do("GET", "/api/backends/main/buckets", nil).want(200)).Items
	if len(list) != 3 || list[0].Bucket != "empty" || list[2].Bucket != "uploads" {
		t.Errorf("list %+v", list)
	}
	root.do("POST", "/api/backends", newBackend).want(201)
	a = root.do("GET", "/api/backends/ceph-1/buckets", nil).wantCode(503, "unavailable")
	if strings.Contains(string(a.body), "10.1.2.3") || !strings.Contains(s.log.String(), "10.1.2.3") {
		t.Errorf("the cause is not in the log alone: %s", a.body)
	}

	id := into[CredentialWithSecret](root.do("POST", "/api/credentials",
		`{"description":"d","grants":[{"backend":"main","bucket":"fresh","permissions":["read"]}]}`).want(201)).AccessKeyID
	root.do("DELETE", "/api/backends/main/buckets/fresh", nil).wantCode(409, "conflict")
	root.do("DELETE", "/api/backends/main/buckets/uploads", nil).wantCode(409, "conflict")
	root.do("DELETE", "/api/backends/main/buckets/fresh?force=true", nil).want(204)
	root.do("DELETE", "/api/backends/main/buckets/fresh?force=true", nil).wantCode(404, "not_found")
	root.do("POST", "/api/credentials/"+id+"/revoke", nil).want(200)
	root.do("POST", "/api/anonymous-bindings", `{"backend":"main","bucket":"empty"}`).want(201)
	root.do("DELETE", "/api/backends/main/buckets/empty", nil).wantCode(409, "conflict")
	root.do("DELETE", "/api/anonymous-bindings/empty", nil).want(204)
	root.do("DELETE", "/api/backends/main/buckets/empty", nil).want(204)
	root.do("DELETE", "/api/backends/main/buckets/a%2F..%2Fb?force=true", nil).wantCode(404, "not_found")
}

func TestBindings(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	made := into[Binding](root.do("POST", "/api/anonymous-bindings", `{"backend":"main","bucket":"uploads","prefix":"pub/"}`).want(201))
	if made.Name != "uploads" || made.Mode != "read" || made.URL != "http://s3.test:8090/uploads" || made.CreatedBy != "root" || made.Prefix != "pub/" {
		t.Errorf("made %+v", made)
	}
	root.do("POST", "/api/anonymous-bindings", `{"backend":"main","bucket":"uploads"}`).wantCode(409, "conflict")
	root.do("POST", "/api/anonymous-bindings", `{"backend":"main","bucket":"uploads","name":"all","mode":"read-list","rate_per_second":5}`).want(201)
	list := into[BindingList](root.do("GET", "/api/anonymous-bindings", nil).want(200))
	if !list.Enabled || len(list.Items) != 2 || list.Items[0].Name != "all" || list.Items[0].RatePerSecond != 5 {
		t.Errorf("list %+v", list)
	}
	for _, tt := range []struct{ name, body, field string }{
		{"no bucket", `{"backend":"main"}`, "bucket"},
		{"unknown backend", `{"backend":"nix","bucket":"uploads","name":"free"}`, "backend"},
		{"empty backend", `{"backend":"","bucket":"uploads","name":"free"}`, "backend"},
		{"bad name", `{"backend":"main","bucket":"uploads","name":"Up"}`, "name"},
		{"reserved name", `{"backend":"main","bucket":"uploads","name":"admin"}`, "name"},
		{"unknown mode", `{"backend":"main","bucket":"uploads","name":"free","mode":"write"}`, "mode"},
		{"negative rate", `{"backend":"main","bucket":"uploads","name":"free","rate_per_second":-1}`, "rate_per_second"},
		{"dotted prefix", `{"backend":"main","bucket":"uploads","name":"free","prefix":"../"}`, "prefix"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faults := root.on(t).do("POST", "/api/anonymous-bindings", tt.body).wantCode(422, "invalid").problem().Error.Detail.Faults
			if len(faults) != 1 || faults[0].Field != tt.field {
				t.Errorf("faults %+v, want %s", faults, tt.field)
			}
		})
	}
	root.do("DELETE", "/api/anonymous-bindings/uploads", nil).want(204)
	root.do("DELETE", "/api/anonymous-bindings/uploads", nil).wantCode(404, "not_found")
	root.do("POST", "/api/anonymous-bindings", `{"backend":"main","bucket":"uploads"}`).want(201) // the name is free again
}

func TestAuditTrail(t *testing.T) {
	s := newSite(t)
	id := s.mint("").AccessKeyID
	root := s.as("root")
	root.do("POST", "/api/credentials/"+id+"/disable", nil).want(200)
	root.do("POST", "/api/credentials/"+id+"/enable", nil).want(200)
	s.as("uma").do("GET", "/api/audit", nil).wantCode(403, "denied")
	list := func(query string) List[Event] {
		return into[List[Event]](root.do("GET", "/api/audit"+query, nil).want(200))
	}
	actions := func(l List[Event]) string {
		var names []string
		for _, e := range l.Items {
			names = append(names, e.Action)
		}
		return strings.Join(names, " ")
	}
	for _, tt := range []struct{ query, want string }{
		{"?action=credential.", "credential.enable credential.disable credential.create"},
		{"?access_key_id=" + id, "credential.enable credential.disable credential.create"},
		{"?account=uma", "audit.list"},
		{"?result=denied", "audit.list"},
		{"?action=credential.&account=system", "credential.create"},
		{"?action=credential.&until=2026-11-21T12:00:00Z", ""},
		{"?action=credential.e&since=2026-11-21T12:00:00Z", "credential.enable"},
	} {
		if got := actions(list(tt.query)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.query, got, tt.want)
		}
	}
	first := list("?action=credential.&limit=2")
	second := list("?action=credential.&limit=2&cursor=" + first.NextCursor)
	if actions(first) != "credential.enable credential.disable" || actions(second) != "credential.create" || second.NextCursor != "" {
		t.Errorf("pages %q, %q", actions(first), actions(second))
	}
	one := into[Event](root.do("GET", "/api/audit/"+first.Items[0].ID, nil).want(200))
	if one.Action != "credential.enable" || one.Detail.AccessKeyID != id || !one.Detail.Authenticated || one.Account != "root" {
		t.Errorf("event %+v", one)
	}
	root.do("GET", "/api/audit/nix", nil).wantCode(404, "not_found")
	for _, query := range []string{"?since=yesterday", "?result=maybe", "?limit=0", "?cursor=nix", "?who=me"} {
		root.do("GET", "/api/audit"+query, nil).wantCode(422, "invalid")
	}
}

// An act that began before its actor lost the right to it changes nothing.
func TestRightsAreReadInTheTransaction(t *testing.T) {
	yes, user := true, keystile.RoleUser
	for _, tt := range []struct {
		name   string
		meet   func(s *site) error
		status int
	}{
		{"account disabled", func(s *site) error {
			_, err := s.control.Accounts.Update(s.t.Context(), control.System(), "root", control.AccountEdit{Disabled: &yes})
			return err
		}, 401},
		{"role taken", func(s *site) error {
			_, err := s.control.Accounts.Update(s.t.Context(), control.System(), "root", control.AccountEdit{Role: &user})
			return err
		}, 403},
		{"account deleted", func(s *site) error { return s.control.Accounts.Delete(s.t.Context(), control.System(), "root") }, 401},
		{"token revoked", func(s *site) error {
			tokens, err := s.control.Tokens.ListOf(s.t.Context(), control.System(), "root")
			if err != nil {
				return err
			}
			return s.control.Tokens.RevokeOf(s.t.Context(), control.System(), "root", tokens[0].ID)
		}, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			_, _, err := s.control.Accounts.Create(t.Context(), control.System(), control.NewAccount{Name: "second", Role: keystile.RoleAdmin})
			must(t, err)
			root := s.as("root")
			s.upstreams.onCheck = func() error { return tt.meet(s) } // runs after admission, before the transaction
			a := root.do("POST", "/api/backends", newBackend).want(tt.status)
			s.upstreams.onCheck = nil
			if list := into[List[Backend]](s.as("second").do("GET", "/api/backends", nil)).Items; len(list) != 1 {
				t.Errorf("backends %+v", list)
			}
			if events := s.eventsOf(a); len(events) != 1 || events[0].Result != keystile.ResultDenied {
				t.Errorf("events %+v", events)
			}
		})
	}
}

func TestCORSOfABucket(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	const path = "/api/backends/main/buckets/uploads/cors"
	if off := into[CORS](root.do("GET", path, nil).want(200)); off.Mode != "off" || off.Rules != nil || off.UpdatedAt != nil {
		t.Errorf("before any choice: %+v", off)
	}
	rules := `{"mode":"gateway","rules":[{"id":"a","allowed_origins":["https://*.example"],"allowed_methods":["GET","PUT"],"allowed_headers":["*"],"expose_headers":["ETag"],"max_age_seconds":60}]}`
	root.do("PUT", path, rules).want(200)
	kept := into[CORS](root.do("GET", path, nil).want(200))
	if kept.Mode != "gateway" || len(kept.Rules) != 1 || kept.Rules[0].AllowedOrigins[0] != "https://*.example" || kept.Rules[0].MaxAgeSeconds != 60 || kept.UpdatedAt == nil {
		t.Errorf("kept: %+v", kept)
	}
	for name, body := range map[string]string{
		"no rules":                `{"mode":"gateway"}`,
		"rules in another mode":   `{"mode":"backend","rules":[{"allowed_origins":["*"],"allowed_methods":["GET"]}]}`,
		"two wildcards":           `{"mode":"gateway","rules":[{"allowed_origins":["*.*"],"allowed_methods":["GET"]}]}`,
		"a method that is none":   `{"mode":"gateway","rules":[{"allowed_origins":["*"],"allowed_methods":["PATCH"]}]}`,
		"a mode that is none":     `{"mode":"on"}`,
		"a field that is unknown": `{"mode":"off","origin":"*"}`,
	} {
		if a := root.do("PUT", path, body); a.status != 422 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	root.do("PUT", "/api/backends/none/buckets/uploads/cors", rules).wantCode(404, "not_found")
	root.do("PUT", "/api/backends/main/buckets/admin/cors", rules).wantCode(404, "not_found")
	root.do("PUT", path, `{"mode":"off"}`).want(200)
	if off := into[CORS](root.do("GET", path, nil).want(200)); off.Mode != "off" {
		t.Errorf("after it was switched off: %+v", off)
	}
}
