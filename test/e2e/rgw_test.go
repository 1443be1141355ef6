package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystile/internal/sigv4"
	"keystile/test/ceph"
)

// rgwSite is a server with a project and people in it.
type rgwSite struct {
	*server
	backend string
	project string
	tokens  map[string]string // by who
	secrets map[string]bool   // every secret that was shown or told, see grepSecrets
}

// reply is an answer of the API.
type reply struct {
	status int
	body   []byte
	header http.Header
}

func (r reply) text(field string) string {
	var m map[string]any
	_ = json.Unmarshal(r.body, &m)
	if inner, ok := m["error"].(map[string]any); ok && field == "code" {
		m = inner
	}
	return fmt.Sprint(m[field])
}

func (s *rgwSite) call(who, method, path string, body any, header ...string) reply {
	s.t.Helper()
	got := s.ask(who, method, path, body, header...)
	s.keep(got)
	return got
}

// ask is call from any goroutine: what it is shown is not kept.
func (s *rgwSite) ask(who, method, path string, body any, header ...string) reply {
	var data []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		data = b
	case string:
		data = []byte(b)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.DashboardURL+path, bytes.NewReader(data))
	if err != nil {
		return reply{body: []byte(err.Error())}
	}
	req.Header.Set("Authorization", "Bearer "+s.tokens[who])
	if data != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{} // killed
	}
	defer func() { _ = res.Body.Close() }()
	got := reply{status: res.StatusCode, header: res.Header}
	if got.body, err = io.ReadAll(res.Body); err != nil {
		return reply{body: []byte(err.Error())} // killed while it answered
	}
	return got
}

// keep remembers a secret that was shown.
func (s *rgwSite) keep(r reply) {
	if secret := r.text("secret_key"); r.status/100 == 2 && len(secret) == 40 {
		s.secrets[secret] = true
	}
	if _, signature, signed := strings.Cut(r.text("url"), "X-Amz-Signature="); signed {
		s.secrets[signature[:64]] = true
	}
}

func (s *rgwSite) must(status int, r reply) reply {
	s.t.Helper()
	if r.status == http.StatusInternalServerError {
		s.t.Logf("the server said:\n%s", s.stderr)
	}
	if r.status != status {
		s.t.Fatalf("%d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// person makes an account with a token; bound to a project, or to none.
func (s *rgwSite) person(name, project string) string {
	s.t.Helper()
	const password = "correct horse battery"
	s.must(201, s.call("admin", "POST", "/api/accounts", fmt.Sprintf(`{"name":%q,"role":"user","password":%q}`, name, password)))
	return s.token(name, password, "")
}

func (s *rgwSite) token(name, password, project string) string {
	s.t.Helper()
	login, err := http.NewRequestWithContext(s.t.Context(), "POST", s.DashboardURL+"/api/session",
		strings.NewReader(fmt.Sprintf(`{"username":%q,"password":%q}`, name, password)))
	must(s.t, err)
	login.Header.Set("Origin", s.DashboardURL)
	login.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(login)
	must(s.t, err)
	body, err := io.ReadAll(res.Body)
	must(s.t, err)
	must(s.t, res.Body.Close())
	csrf := reply{body: body}.text("csrf_token")
	cookie, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	in := `{"name":"test"}`
	if project != "" {
		in = fmt.Sprintf(`{"name":"test","project_id":%q}`, project)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), "POST", s.DashboardURL+"/api/tokens", strings.NewReader(in))
	must(s.t, err)
	for name, value := range map[string]string{"Origin": s.DashboardURL, "Cookie": cookie, "X-CSRF-Token": csrf, "Content-Type": "application/json"} {
		req.Header.Set(name, value)
	}
	made, err := http.DefaultClient.Do(req)
	must(s.t, err)
	defer func() { _ = made.Body.Close() }()
	body, err = io.ReadAll(made.Body)
	must(s.t, err)
	token := reply{body: body}.text("token")
	if !strings.HasPrefix(token, "ks_") {
		s.t.Fatalf("no token: %s", body)
	}
	s.secrets[token], s.secrets[password] = true, true
	return token
}

// startRGW runs a server with the backend under test: a real Ceph, the embedded
// one, or another Keystile as a plain S3 server. adminEndpoint stands before the Ceph's Admin Ops API.
func startRGW(t *testing.T, kind, adminEndpoint string, env ...string) (*rgwSite, ceph.Cluster) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	secrets := map[string]bool{}
	t.Cleanup(func() { grepSecrets(t, data, secrets) }) // when the server has ended
	s := &rgwSite{server: start(t, data, "", env...), tokens: map[string]string{}, secrets: secrets}
	secrets[s.server.token], secrets[s.Password] = true, true
	s.tokens["admin"] = s.server.token
	s.backend = s.BackendID
	var cluster ceph.Cluster
	if kind == "ceph" {
		cluster = ceph.Start(t)
		secrets[cluster.SecretAccessKey] = true
		s.backend = "ceph-1"
		args := []string{"backend", "add", "ceph-1", "--kind", "ceph-rgw", "--endpoint", cluster.Endpoint, "--access-key-id", cluster.AccessKeyID, "--secret-access-key-stdin"}
		if adminEndpoint != "" {
			args = append(args, "--admin-endpoint", adminEndpoint)
		}
		env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.server.token)
		run(t, env, cluster.SecretAccessKey, binary, args...).want(t, 0, "")
	}
	if kind == "s3" {
		s.backend = s.addPlainHome()
	}
	s.project = s.must(201, s.call("admin", "POST", "/api/projects", `{"name":"Data"}`)).text("id")
	return s, cluster
}

// crew adds a member, one with rgw:write, an owner, an outsider, and a token of
// the writer that is bound to the project.
func (s *rgwSite) crew() {
	s.t.Helper()
	for who, role := range map[string]string{"member": `"role":"member"`, "writer": `"role":"member","permissions":["rgw:write"]`, "owner": `"role":"owner"`, "outsider": ""} {
		s.tokens[who] = s.person(who, "")
		if role != "" {
			s.must(201, s.call("admin", "POST", "/api/projects/"+s.project+"/members", fmt.Sprintf(`{"account":%q,%s}`, who, role)))
		}
	}
	s.tokens["token"] = s.token("writer", "correct horse battery", s.project)
}

type rgwUser struct{ id, key, secret string }

func (s *rgwSite) user(name string) rgwUser {
	s.t.Helper()
	r := s.must(201, s.call("admin", "POST", "/rgw/users", fmt.Sprintf(`{"user":{"name":%q,"project_id":%q,"backend_id":%q}}`, name, s.project, s.backend)))
	return rgwUser{r.text("id"), r.text("access_key_id"), r.text("secret_key")}
}

func (u rgwUser) path(rest string) string { return "/rgw/users/" + u.id + rest }

func (s *rgwSite) upload(who string, u rgwUser, bucket, key string, data []byte) reply {
	s.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	must(s.t, w.WriteField("key", key))
	file, err := w.CreateFormFile("file", "x")
	must(s.t, err)
	_, err = file.Write(data)
	must(s.t, err)
	must(s.t, w.Close())
	return s.call(who, "POST", u.path("/buckets/"+bucket+"/objects"), form.Bytes(), "Content-Type", w.FormDataContentType())
}

// s3 sends a signed request and returns the status of the answer.
func s3(t *testing.T, endpoint string, u rgwUser, method, path, body string) int {
	t.Helper()
	return s3Query(t, endpoint, u, method, path, "", body)
}

func s3Query(t *testing.T, endpoint string, u rgwUser, method, path, query, body string) int {
	t.Helper()
	host := strings.TrimPrefix(endpoint, "http://")
	target := endpoint + path
	if query != "" {
		target += "?" + query
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	must(t, err)
	must(t, sigv4.NewSigner(u.key, u.secret, "us-east-1", "s3").Sign(method, path, query, host, req.Header, sigv4.HashHex([]byte(body)), time.Now()))
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, res.Body.Close())
	return res.StatusCode
}

// homesUnderTest are the kinds of homes on which the whole suite runs, everyHome
// those on which the cheap part of it does. KEYSTILE_RGW_HOMES names others for
// both.
var (
	homesUnderTest = homesOr("ceph", "embedded")
	everyHome      = homesOr("ceph", "embedded", "s3")
)

func homesOr(kinds ...string) []string {
	if chosen := os.Getenv("KEYSTILE_RGW_HOMES"); chosen != "" {
		return strings.Split(chosen, ",")
	}
	return kinds
}

// TestRGWKeysLife renews, locks, disables and deletes, and tries the old and new
// secrets at the gateway and at the Ceph on the very next request.
func TestRGWKeysLife(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, cluster := startRGW(t, kind, "")
			ways := []string{s.S3Endpoint}
			if kind == "ceph" {
				ways = append(ways, cluster.Endpoint)
			}
			works := func(u rgwUser, want bool) {
				t.Helper()
				for _, way := range ways {
					if got := s3(t, way, u, "GET", "/", ""); (got == 200) != want {
						t.Errorf("%s: %d, want it to work: %v", way, got, want)
					}
				}
			}
			old := s.user("life")
			works(old, true)
			s.must(409, s.call("admin", "POST", "/rgw/users", fmt.Sprintf(`{"user":{"name":"life","project_id":%q,"backend_id":%q}}`, s.project, s.backend)))
			r := s.must(200, s.call("admin", "POST", old.path("/renew_key"), nil))
			u := rgwUser{old.id, r.text("access_key_id"), r.text("secret_key")}
			if u.key != old.key {
				t.Errorf("the access key ID went from %s to %s", old.key, u.key)
			}
			works(old, false)
			works(u, true)

			s.must(200, s.call("admin", "PATCH", u.path(""), `{"locked":true,"lock_reason":"prod"}`))
			if r := s.must(200, s.call("admin", "POST", u.path("/renew_key"), nil)); r.text("secret_key") != "********" {
				t.Errorf("a locked user's renewal shows %s", r.text("secret_key"))
			}
			works(u, true)
			for _, purge := range []string{"", "?purge_objects=true"} {
				if r := s.must(409, s.call("admin", "DELETE", u.path(purge), nil)); r.text("code") != "locked" {
					t.Errorf("deleting a locked user: %s", r.body)
				}
			}
			s.must(200, s.call("admin", "PATCH", u.path(""), `{"locked":false}`))
			s.must(200, s.call("admin", "PATCH", u.path(""), `{"status":"disabled"}`))
			works(u, false)
			s.must(200, s.call("admin", "PATCH", u.path(""), `{"status":"active"}`))
			works(u, true)
			s.must(204, s.call("admin", "DELETE", u.path(""), nil))
			works(u, false)
			s.must(404, s.call("admin", "GET", u.path(""), nil))
			s.user("life") // the name is free again
		})
	}
}

// TestRGWPurge deletes users with many objects, cancels one, and goes on with
// one after a kill.
func TestRGWPurge(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, _ := startRGW(t, kind, "")
			u := s.user("purged")
			for _, name := range []string{"x", "y"} {
				bucket := name + u.id[:13]
				s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
				for i := range 30 {
					if got := s3(t, s.S3Endpoint, u, "PUT", fmt.Sprintf("/%s/k%d", bucket, i), "data"); got != 200 {
						t.Fatalf("PUT: %d", got)
					}
				}
			}
			s.must(409, s.call("admin", "DELETE", u.path(""), nil))
			job := s.must(202, s.call("admin", "DELETE", u.path("?purge_objects=true"), nil)).text("id")
			if got := s3(t, s.S3Endpoint, u, "GET", "/", ""); got != 401 {
				t.Errorf("the key after the call has answered: %d", got)
			}
			s.kill()
			again := *s
			again.server = start(t, s.data, s.server.token)
			done := again.ended(job)
			if done.text("state") != "done" || done.text("buckets_left") != "0" {
				t.Errorf("the job: %s", done.body)
			}
			again.must(404, again.call("admin", "GET", u.path(""), nil))
			fresh := again.user("purged")
			again.must(201, again.call("admin", "POST", fresh.path("/buckets"), `{"name":"x`+u.id[:13]+`"}`)) // its name is free
			again.must(204, again.call("admin", "DELETE", fresh.path(""), nil))
		})
	}
}

// ended waits for a job.
func (s *rgwSite) ended(job string) reply {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		r := s.must(200, s.call("admin", "GET", "/rgw/jobs/"+job, nil))
		if state := r.text("state"); state == "done" || state == "cancelled" {
			return r
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the job does not end: %s", r.body)
		}
	}
}

// TestTwentyRenewalsAtOnce: one wins at a time, the others are told so at once,
// and the secret that works is that of the last renewal that was answered.
func TestTwentyRenewalsAtOnce(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, cluster := startRGW(t, kind, "")
			u := s.user("busy")
			shown, conflicts := s.renewAtOnce(u, 20)
			if len(shown) == 0 || len(shown)+conflicts != 20 {
				t.Errorf("%d renewed, %d were told of a conflict", len(shown), conflicts)
			}
			last := ""
			for _, renewed := range shown {
				last = max(last, renewed.text("key_renewed_at"))
			}
			working := 0
			for _, renewed := range shown {
				at := rgwUser{u.id, u.key, renewed.text("secret_key")}
				gateway := s3(t, s.S3Endpoint, at, "GET", "/", "")
				if kind == "ceph" && (gateway == 200) != (s3(t, cluster.Endpoint, at, "GET", "/", "") == 200) {
					t.Errorf("a secret gets %d at the gateway, and not so at the Ceph", gateway)
				}
				if gateway != 200 {
					continue
				}
				if working++; renewed.text("key_renewed_at") != last {
					t.Errorf("what works was renewed at %s, the last one at %s", renewed.text("key_renewed_at"), last)
				}
			}
			if working != 1 {
				t.Errorf("%d of %d secrets work", working, len(shown))
			}
		})
	}
}

// renewAtOnce renews a key n times at once. It returns the answers that have a
// secret, and how many told of a conflict.
func (s *rgwSite) renewAtOnce(u rgwUser, n int) (shown []reply, conflicts int) {
	s.t.Helper()
	answers := make(chan reply, n)
	for range n {
		go func() {
			answers <- s.ask("admin", "POST", u.path("/renew_key"), nil)
		}()
	}
	for range n {
		switch r := <-answers; r.status {
		case 200:
			s.keep(r)
			shown = append(shown, r)
		case 409:
			conflicts++
		default:
			s.t.Errorf("%d %s", r.status, r.body)
		}
	}
	return shown, conflicts
}
