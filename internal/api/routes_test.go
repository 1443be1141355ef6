package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// scenario is one operation with what each kind of client gets. Everybody asks
// in the order of the columns, so that a refusal that changes something shows.
type scenario struct {
	id                            string
	path                          string // {…} are the things of seeded
	body                          string
	nobody, readonly, user, admin int
	event                         string // its action; empty: reads leave none
}

// scenarios has every operation; TestEveryOperationHasAScenario proves it.
var scenarios = []scenario{
	{"getServer", "/api/server", "", 401, 200, 200, 200, ""},
	{"getSession", "/api/session", "", 401, 200, 200, 200, ""},
	{"signOut", "/api/session", "", 401, 409, 409, 409, "session.delete"}, // a token has none
	{"changePassword", "/api/session/password", `{"current_password":"x","new_password":"a new long password"}`, 401, 403, 403, 403, "account.change_password"},
	{"listSessions", "/api/sessions", "", 401, 200, 200, 200, ""},
	{"endAllSessions", "/api/sessions", "", 401, 204, 204, 204, "session.delete_all"},
	{"endSession", "/api/sessions/0123456789abcdef", "", 401, 404, 404, 404, "session.delete"},
	{"listTokens", "/api/tokens", "", 401, 200, 200, 200, ""},
	{"createToken", "/api/tokens", `{"name":"ci"}`, 401, 201, 201, 201, "token.create"},
	{"revokeToken", "/api/tokens/{token}", "", 401, 404, 404, 404, "token.revoke"}, // another's
	{"listAccounts", "/api/accounts", "", 401, 403, 403, 200, "account.list"},
	{"createAccount", "/api/accounts", `{"name":"newbie","role":"user"}`, 401, 403, 403, 201, "account.create"},
	{"getAccount", "/api/accounts/victim", "", 401, 403, 403, 200, "account.show"},
	{"updateAccount", "/api/accounts/victim", `{"role":"readonly"}`, 401, 403, 403, 200, "account.update"},
	{"updateAccount", "/api/accounts/victim", `{"disabled":true}`, 401, 403, 403, 200, "account.disable"},
	{"updateAccount", "/api/accounts/victim", `{"disabled":false}`, 401, 403, 403, 200, "account.enable"},
	{"deleteAccount", "/api/accounts/victim", "", 401, 403, 403, 204, "account.delete"},
	{"resetPassword", "/api/accounts/victim/password", "", 401, 403, 403, 200, "account.reset_password"},
	{"listAccountSessions", "/api/accounts/victim/sessions", "", 401, 403, 403, 200, "session.list"},
	{"endAccountSessions", "/api/accounts/victim/sessions", "", 401, 403, 403, 204, "session.delete_all"},
	{"listAccountTokens", "/api/accounts/victim/tokens", "", 401, 403, 403, 200, "token.list"},
	{"revokeAccountToken", "/api/accounts/victim/tokens/{token}", "", 401, 403, 403, 204, "token.revoke"},
	{"listProjects", "/api/projects", "", 401, 200, 200, 200, ""},
	{"createProject", "/api/projects", `{"name":"another"}`, 401, 403, 403, 201, "project.create"},
	{"getProject", "/api/projects/{project}", "", 401, 404, 404, 200, "project.show"}, // another's
	{"updateProject", "/api/projects/{project}", `{"name":"renamed"}`, 401, 404, 404, 200, "project.rename"},
	{"deleteProject", "/api/projects/{project}", "", 401, 404, 404, 204, "project.delete"},
	{"listMembers", "/api/projects/{project}/members", "", 401, 404, 404, 200, "project.member.list"},
	{"addMember", "/api/projects/{project}/members", `{"account":"uma","role":"member"}`, 401, 404, 404, 201, "project.member.add"},
	{"updateMember", "/api/projects/{project}/members/root", `{"role":"owner"}`, 401, 404, 404, 200, "project.member.update"},
	{"removeMember", "/api/projects/{project}/members/root", "", 401, 404, 404, 204, "project.member.remove"},
	{"listRGWUsers", "/rgw/users?project_id={withusers}", "", 401, 404, 404, 200, "rgw.user.list"}, // another's, as all of them
	{"createRGWUser", "/rgw/users", `{"user":{"name":"another","project_id":"{withusers}","backend_id":"main"}}`, 401, 404, 404, 201, "rgw.user.create"},
	{"getRGWUser", "/rgw/users/{user}", "", 401, 404, 404, 200, "rgw.user.show"},
	{"listRGWUserEvents", "/rgw/users/{user}/events", "", 401, 404, 404, 200, "rgw.user.events"},
	{"updateRGWUser", "/rgw/users/{user}", `{"name":"renamed"}`, 401, 404, 404, 200, "rgw.user.update"},
	{"updateRGWUser", "/rgw/users/{user}", `{"quota":{"max_size_kb":1}}`, 401, 404, 404, 200, "rgw.user.quota"},
	{"updateRGWUser", "/rgw/users/{user}", `{"locked":true}`, 401, 404, 404, 200, "rgw.user.lock"},
	{"updateRGWUser", "/rgw/users/{user}", `{"status":"disabled"}`, 401, 404, 404, 200, "rgw.user.disable"},
	{"renewRGWUserKey", "/rgw/users/{user}/renew_key", "", 401, 404, 404, 200, "rgw.user.renew_key"},
	{"deleteRGWUser", "/rgw/users/{user}", "", 401, 404, 404, 204, "rgw.user.delete"},
	{"deleteRGWUser", "/rgw/users/{user}?purge_objects=true", "", 401, 404, 404, 202, "rgw.user.delete"},
	{"forgetRGWUser", "/rgw/users/{atceph}/forget", "", 401, 403, 403, 204, "rgw.user.forget"},
	{"getRGWJob", "/rgw/jobs/{job}", "", 401, 404, 404, 200, "rgw.job.show"},
	{"cancelRGWJob", "/rgw/jobs/{job}", "", 401, 404, 404, 200, "rgw.job.cancel"},
	{"listUnmanagedRGWUsers", "/rgw/backends/ceph/users", "", 401, 403, 403, 200, "rgw.user.list_unmanaged"},
	{"adoptRGWUser", "/rgw/backends/ceph/adopt", `{"uid":"somebody","project_id":"{withusers}"}`, 401, 403, 403, 201, "rgw.user.adopt"},
	{"listRGWBuckets", "/rgw/users/{user}/buckets", "", 401, 404, 404, 200, "rgw.bucket.list"},
	{"createRGWBucket", "/rgw/users/{user}/buckets", `{"name":"another"}`, 401, 404, 404, 201, "rgw.bucket.create"},
	{"getRGWBucket", "/rgw/users/{user}/buckets/own", "", 401, 404, 404, 200, "rgw.bucket.show"},
	{"deleteRGWBucket", "/rgw/users/{user}/buckets/own", "", 401, 404, 404, 204, "rgw.bucket.delete"},
	{"getRGWBucketACL", "/rgw/users/{user}/buckets/own/acl", "", 401, 404, 404, 200, "rgw.bucket.acl"},
	{"setRGWBucketACL", "/rgw/users/{user}/buckets/own/acl", `{"acl":"private"}`, 401, 404, 404, 200, "rgw.bucket.set_acl"},
	{"listRGWObjects", "/rgw/users/{user}/buckets/own/objects", "", 401, 404, 404, 200, "rgw.object.list"},
	{"downloadRGWObject", "/rgw/users/{user}/buckets/own/objects/download?key=k", "", 401, 404, 404, 200, "rgw.object.get"},
	{"getRGWObjectMetadata", "/rgw/users/{user}/buckets/own/objects/metadata?key=k", "", 401, 404, 404, 200, "rgw.object.head"},
	{"createRGWUploadURL", "/rgw/users/{user}/buckets/own/objects/upload_url", `{"key":"k","expires_in":60}`, 401, 404, 404, 200, "rgw.object.upload_url"},
	{"deleteRGWObject", "/rgw/users/{user}/buckets/own/objects?key=k", "", 401, 404, 404, 204, "rgw.object.delete"},
	{"listCredentials", "/api/credentials", "", 401, 200, 200, 200, ""},
	{"createCredential", "/api/credentials", `{"description":"d","grants":[{"backend":"main","bucket":"uploads","permissions":["read"]}]}`, 401, 403, 403, 201, "credential.create"},
	{"getCredential", "/api/credentials/{credential}", "", 401, 404, 404, 200, "credential.show"},
	{"updateCredential", "/api/credentials/{credential}", `{"description":"e"}`, 401, 403, 403, 200, "credential.update"},
	{"rotateCredential", "/api/credentials/{credential}/rotate", `{"overlap":"1h"}`, 401, 403, 404, 200, "credential.rotate"},
	{"disableCredential", "/api/credentials/{credential}/disable", "", 401, 403, 403, 200, "credential.disable"},
	{"enableCredential", "/api/credentials/{credential}/enable", "", 401, 403, 403, 200, "credential.enable"},
	{"revokeCredential", "/api/credentials/{credential}/revoke", "", 401, 403, 404, 200, "credential.revoke"},
	{"listBindings", "/api/anonymous-bindings", "", 401, 403, 403, 200, "binding.list"},
	{"createBinding", "/api/anonymous-bindings", `{"backend":"main","bucket":"uploads"}`, 401, 403, 403, 201, "binding.create"},
	{"removeBinding", "/api/anonymous-bindings/open", "", 401, 403, 403, 204, "binding.remove"},
	{"listBackends", "/api/backends", "", 401, 403, 403, 200, "backend.list"},
	{"createBackend", "/api/backends", `{"id":"other","endpoint":"http://s3.test","region":"r","access_key_id":"AK","secret_access_key":"s"}`, 401, 403, 403, 201, "backend.create"},
	{"getBackend", "/api/backends/main", "", 401, 403, 403, 200, "backend.show"},
	{"updateBackend", "/api/backends/spare", `{"region":"eu-1"}`, 401, 403, 403, 200, "backend.update"},
	{"deleteBackend", "/api/backends/spare", "", 401, 403, 403, 204, "backend.delete"},
	{"testBackend", "/api/backends/main/test", "", 401, 403, 403, 200, "backend.test"},
	{"listBuckets", "/api/backends/main/buckets", "", 401, 403, 403, 200, "bucket.list"},
	{"createBucket", "/api/backends/main/buckets", `{"bucket":"fresh"}`, 401, 403, 403, 201, "bucket.create"},
	{"deleteBucket", "/api/backends/main/buckets/empty", "", 401, 403, 403, 204, "bucket.delete"},
	{"getBucketCORS", "/api/backends/main/buckets/uploads/cors", "", 401, 403, 403, 200, "bucket.cors.show"},
	{"setBucketCORS", "/api/backends/main/buckets/uploads/cors", `{"mode":"gateway","rules":[{"allowed_origins":["*"],"allowed_methods":["GET"]}]}`, 401, 403, 403, 200, "bucket.cors.update"},
	{"listQuotas", "/api/quotas", "", 401, 403, 403, 200, "quota.list"},
	{"getBucketQuota", "/api/backends/main/buckets/uploads/quota", "", 401, 403, 403, 200, "quota.show"},
	{"setBucketQuota", "/api/backends/main/buckets/uploads/quota", `{"hard_bytes":10}`, 401, 403, 403, 200, "quota.set"},
	{"clearBucketQuota", "/api/backends/main/buckets/uploads/quota", "", 401, 403, 403, 204, "quota.clear"},
	{"scanBucket", "/api/backends/main/buckets/uploads/quota/scan", "", 401, 403, 403, 200, "quota.scan"},
	{"cancelBucketScan", "/api/backends/main/buckets/uploads/quota/scan", "", 401, 403, 403, 204, "quota.scan_cancel"},
	{"getQuotaAlerts", "/api/quota-alerts", "", 401, 403, 403, 200, "quota.alerts"},
	{"getUsage", "/api/usage", "", 401, 200, 200, 200, ""},
	{"exportUsage", "/api/usage.csv", "", 401, 200, 200, 200, ""},
	{"listWebhooks", "/api/webhooks", "", 401, 403, 403, 200, "webhook.list"},
	{"createWebhook", "/api/webhooks", `{"url":"https://hooks.test/x"}`, 401, 403, 403, 201, "webhook.create"},
	{"getWebhook", "/api/webhooks/{webhook}", "", 401, 403, 403, 200, "webhook.show"},
	{"updateWebhook", "/api/webhooks/{webhook}", `{"enabled":false}`, 401, 403, 403, 200, "webhook.update"},
	{"deleteWebhook", "/api/webhooks/{webhook}", "", 401, 403, 403, 204, "webhook.delete"},
	{"testWebhook", "/api/webhooks/{webhook}/test", "", 401, 403, 403, 200, "webhook.test"},
	{"listDeliveries", "/api/webhooks/{webhook}/deliveries", "", 401, 403, 403, 200, "webhook.deliveries"},
	{"getBackendHealth", "/api/backends/main/health", "", 401, 403, 403, 200, "backend.health"},
	{"getOverview", "/api/overview", "", 401, 403, 403, 200, "overview.show"},
	{"getCredentialTraffic", "/api/credentials/{credential}/traffic", "", 401, 404, 404, 200, "credential.traffic"},
	{"exportEvents", "/api/audit.csv", "", 401, 403, 403, 200, "audit.export"},
	{"listEvents", "/api/audit", "", 401, 403, 403, 200, "audit.list"},
	{"listSampling", "/api/audit/sampling", "", 401, 403, 403, 200, "audit.sampling.show"},
	{"setSampling", "/api/audit/sampling", `{"access_key_id":"AK1","rate":1}`, 401, 403, 403, 200, "audit.sampling.update"},
	{"clearSampling", "/api/audit/sampling?access_key_id=AK1", "", 401, 403, 403, 200, "audit.sampling.delete"},
	{"getAuditChain", "/api/audit/chain", "", 401, 403, 403, 200, "audit.chain"},
	{"listAuditAnchors", "/api/audit/anchors", "", 401, 403, 403, 200, "audit.anchors"},
	{"listAuditSinks", "/api/audit/sinks", "", 401, 403, 403, 200, "audit.sinks"},
	{"exportEventLines", "/api/audit.jsonl", "", 401, 403, 403, 200, "audit.export"},
	{"tailEvents", "/api/audit/tail", "", 401, 403, 403, 200, "audit.tail"},
	{"countEvents", "/api/audit/histogram", "", 401, 403, 403, 200, "audit.count"},
	{"listAuditViews", "/api/audit/views", "", 401, 403, 403, 200, "auditview.list"},
	{"saveAuditView", "/api/audit/views/mine", `{"filter":{"result":"denied"}}`, 401, 403, 403, 200, "auditview.save"},
	{"deleteAuditView", "/api/audit/views/kept", "", 401, 403, 403, 204, "auditview.remove"},
	{"getEvent", "/api/audit/{event}", "", 401, 403, 403, 200, "audit.show"},
}

// public operations have tests of their own, and so has what takes a form.
var public = map[string]bool{"signIn": true, "uploadRGWObject": true}

// seeded is a site with one of everything, and the names of the things.
func seeded(t *testing.T) (*site, *strings.Replacer) {
	s := newSite(t)
	ctx, system := t.Context(), control.System()
	_, _, err := s.control.Accounts.Create(ctx, system, control.NewAccount{Name: "victim", Role: keystile.RoleAdmin})
	must(t, err)
	_, err = s.control.Bootstrap.CreateToken(ctx, "victim", "theirs", control.Expiry{})
	must(t, err)
	tokens, err := s.control.Tokens.ListOf(ctx, system, "victim")
	must(t, err)
	_, err = s.control.Backends.Create(ctx, system, control.NewBackend{
		ID: "spare", Kind: keystile.KindS3, Endpoint: "http://s3.test", Region: "r", AccessKeyID: "AK", Secret: keystile.NewSecret("upstream secret"),
	})
	must(t, err)
	_, err = s.control.Bindings.Create(ctx, system, control.NewBinding{Name: "open", Bucket: keystile.Bucket{Backend: "main", Name: "uploads"}})
	must(t, err)
	_, err = s.control.Quotas.Scan(ctx, system, keystile.Bucket{Backend: "main", Name: "uploads"})
	must(t, err)
	hook, _, err := s.control.Webhooks.Create(ctx, system, control.NewWebhook{URL: "https://hooks.test/there"})
	must(t, err)
	project, err := s.control.Projects.Create(ctx, system, "theirs", "victim")
	must(t, err)
	_, err = s.control.Projects.AddMember(ctx, system, project.ID, "root", keystile.ProjectMember, true)
	must(t, err)
	withUsers, err := s.control.Projects.Create(ctx, system, "with users", "victim")
	must(t, err)
	user, atCeph, job := s.seedRGW(withUsers.ID)
	s.as("root").do("PUT", "/api/audit/views/kept", `{"filter":{"since":"24h"}}`).want(200)
	return s, strings.NewReplacer("{withusers}", withUsers.ID, "{user}", user, "{atceph}", atCeph, "{job}", job, "{webhook}", hook.ID, "{project}", project.ID, "{credential}", s.mint("").AccessKeyID, "{token}", tokens[0].ID, "{event}", s.events(keystile.EventFilter{})[0].ID)
}

// seedRGW makes a user with a bucket "own", one at a Ceph, and one that is being
// deleted by a job.
func (s *site) seedRGW(project string) (user, atCeph, job string) {
	s.t.Helper()
	ctx, root := s.t.Context(), control.System()
	_, err := s.control.Backends.Create(ctx, root, control.NewBackend{
		ID: "ceph", Kind: keystile.KindCeph, Endpoint: "http://s3.test", Region: "r", AccessKeyID: "AK", Secret: keystile.NewSecret("upstream secret"),
		AdminAccessKeyID: "OPS", AdminSecret: keystile.NewSecret("admin secret"),
	})
	must(s.t, err)
	ids := map[string]string{}
	for _, backend := range []string{"main", "ceph"} {
		made, err := s.control.RGWUsers.Create(ctx, root, control.NewRGWUser{Name: "at " + backend, ProjectID: project, BackendID: backend})
		must(s.t, err)
		ids[backend] = made.ID
	}
	_, err = s.control.RGWUsers.CreateBucket(ctx, root, ids["main"], "own")
	must(s.t, err)
	doomed, err := s.control.RGWUsers.Create(ctx, root, control.NewRGWUser{Name: "doomed", ProjectID: project, BackendID: "main"})
	must(s.t, err)
	deletion, err := s.control.RGWUsers.Purge(ctx, root, doomed.ID)
	must(s.t, err)
	return ids["main"], ids["ceph"], deletion.ID
}

func TestWhoMayDoWhat(t *testing.T) {
	operations := operationsOf(t)
	forReads, readNames := seeded(t) // reads change nothing: one site does for all
	for _, sc := range scenarios {
		t.Run(sc.id+" "+sc.event, func(t *testing.T) {
			method := operations[sc.id].method
			s, names := forReads, readNames
			if method != http.MethodGet {
				s, names = seeded(t)
			}
			path := names.Replace(sc.path)
			if sc.id == "updateAccount" && sc.event == "account.enable" {
				s.as("root").do("PATCH", path, `{"disabled":true}`).want(200)
			}
			for _, ask := range []struct {
				who    string
				client client
				status int
			}{
				{"nobody", s.nobody(), sc.nobody},
				{"readonly", s.as("rory"), sc.readonly},
				{"user", s.as("uma"), sc.user},
				{"admin", s.as("root"), sc.admin},
			} {
				var body any
				if sc.body != "" {
					body = names.Replace(sc.body)
				}
				a := ask.client.do(method, path, body)
				if a.status != ask.status {
					t.Errorf("%s: %d, want %d: %s", ask.who, a.status, ask.status, a.body)
				}
				checkEvent(t, s, sc, method, a)
			}
		})
	}
}

// checkEvent wants exactly one event for everything but successful reads and
// strangers' questions.
func checkEvent(t *testing.T, s *site, sc scenario, method string, a answer) {
	t.Helper()
	events := s.eventsOf(a)
	read := method == http.MethodGet
	if read && (a.status == 200 || a.status == 401) {
		if len(events) != 0 {
			t.Errorf("%d: a read left %d events", a.status, len(events))
		}
		return
	}
	if len(events) == 0 {
		t.Errorf("%d: no event", a.status)
		return
	}
	e := events[len(events)-1] // what came along is newer
	action := sc.event
	if a.status == http.StatusUnauthorized {
		action = "session.use"
	}
	result := keystile.ResultOK
	switch a.status {
	case 401, 403:
		result = keystile.ResultDenied
	case 404, 409:
		result = e.Result // denied where the thing is another's
		if result == keystile.ResultOK || result == keystile.ResultUnknown {
			t.Errorf("a %d is recorded as %s", a.status, result)
		}
	}
	if e.Action != action || e.Result != result || e.Status != a.status || e.Open {
		t.Errorf("event %s %s %d open=%v, want %s %s %d closed", e.Action, e.Result, e.Status, e.Open, action, result, a.status)
	}
	if a.status != http.StatusUnauthorized && (e.Account == "" || !e.Detail.Authenticated || e.Detail.TokenID == "") {
		t.Errorf("event does not say who: %+v", e)
	}
	if e.SourceIP != "127.0.0.1" || e.UserAgent == "" {
		t.Errorf("event does not say from where: %+v", e)
	}
}

type operationOf struct{ method, path string }

// operationsOf reads the served document.
func operationsOf(t *testing.T) map[string]operationOf {
	t.Helper()
	s := &site{t: t, control: control.New(control.Options{}), log: &logLines{}}
	s.serve(Options{})
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	s.nobody().do("GET", "/api/openapi.json", nil).want(200).into(&doc)
	found := map[string]operationOf{}
	for path, item := range doc.Paths {
		for method, op := range item {
			found[op.OperationID] = operationOf{strings.ToUpper(method), path}
		}
	}
	return found
}

func TestEveryOperationHasAScenario(t *testing.T) {
	covered := map[string]bool{}
	for _, sc := range scenarios {
		covered[sc.id] = true
	}
	operations := operationsOf(t)
	for id, op := range operations {
		if id == "" {
			t.Errorf("%s %s has no operation id", op.method, op.path)
		}
		if !covered[id] && !public[id] {
			t.Errorf("%s (%s %s) has no scenario", id, op.method, op.path)
		}
	}
	for id := range covered {
		if _, ok := operations[id]; !ok {
			t.Errorf("scenario for %s, which does not exist", id)
		}
	}
	for _, sc := range scenarios {
		if operations[sc.id].method != http.MethodGet && sc.event == "" {
			t.Errorf("%s changes something and names no event", sc.id)
		}
	}
}

// A successful mutation of what gateways know returns only after they have
// confirmed its generation.
func TestMutationsAreConfirmed(t *testing.T) {
	operations := operationsOf(t)
	needs := []string{"Credential", "Binding", "createBackend", "updateBackend", "deleteBackend"}
	for _, sc := range scenarios {
		method := operations[sc.id].method
		concerned := false
		for _, word := range needs {
			concerned = concerned || strings.Contains(sc.id, word)
		}
		if method == http.MethodGet || !concerned {
			continue
		}
		t.Run(sc.id, func(t *testing.T) {
			s, names := seeded(t)
			s.as("root").do(method, names.Replace(sc.path), json.RawMessage(orEmpty(sc.body))).want(sc.admin)
			var generation int64
			must(t, s.store.Read(t.Context(), func(tx store.Tx) (err error) {
				generation, err = tx.Generation()
				return err
			}))
			if s.gateways.last() != generation {
				t.Errorf("confirmed %d, store is at %d", s.gateways.last(), generation)
			}
		})
	}
}

func orEmpty(body string) string {
	if body == "" {
		return "{}"
	}
	return body
}
