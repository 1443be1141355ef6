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
	"sync"
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
	secrets map[string]bool   // every secret that was shown
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
	var data []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		data = b
	case string:
		data = []byte(b)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.DashboardURL+path, bytes.NewReader(data))
	must(s.t, err)
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
	got.body, err = io.ReadAll(res.Body)
	must(s.t, err)
	if secret := got.text("secret_key"); res.StatusCode/100 == 2 && len(secret) == 40 {
		s.secrets[secret] = true
	}
	return got
}

func (s *rgwSite) must(status int, r reply) reply {
	s.t.Helper()
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
	return token
}

// startRGW runs a server with the backend under test: a real Ceph, the embedded
// one, or another Keystile as a plain S3 server. adminEndpoint stands before the Ceph's Admin Ops API.
func startRGW(t *testing.T, kind, adminEndpoint string) (*rgwSite, ceph.Cluster) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	s := &rgwSite{server: start(t, data, ""), tokens: map[string]string{}, secrets: map[string]bool{}}
	s.tokens["admin"] = s.server.token
	s.backend = s.BackendID
	var cluster ceph.Cluster
	if kind == "ceph" {
		cluster = ceph.Start(t)
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

// who asks, in the order of the columns.
var whoAsks = []string{"member", "writer", "owner", "admin", "outsider", "token"}

// TestRGWContractWhoMay tries every call as everybody, each at a user of its
// own with one bucket that holds one object.
func TestRGWContractWhoMay(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, _ := startRGW(t, kind, "")
			s.crew()
			reads, writes, admins := [6]int{200, 200, 200, 200, 404, 200}, [6]int{403, 200, 200, 200, 404, 200}, [6]int{403, 403, 403, 200, 404, 403}
			created, deleted := writes, writes
			refused := [6]int{403, 409, 409, 409, 404, 409}
			for i := range writes {
				if writes[i] == 200 {
					created[i], deleted[i] = 201, 204
				}
			}
			for n, row := range []struct {
				name, method, path, body string
				want                     [6]int
			}{
				{"list", "GET", "?project_id=PROJECT", "", reads},
				{"show", "GET", "/ID", "", reads},
				{"list buckets", "GET", "/ID/buckets", "", reads},
				{"show a bucket", "GET", "/ID/buckets/BUCKET", "", reads},
				{"show an ACL", "GET", "/ID/buckets/BUCKET/acl", "", reads},
				{"list objects", "GET", "/ID/buckets/BUCKET/objects", "", reads},
				{"download", "GET", "/ID/buckets/BUCKET/objects/download?key=k", "", reads},
				{"metadata", "GET", "/ID/buckets/BUCKET/objects/metadata?key=k", "", reads},
				{"create", "POST", "", `{"user":{"name":"NEW","project_id":"PROJECT","backend_id":"BACKEND"}}`, created},
				{"rename", "PATCH", "/ID", `{"name":"NEW"}`, writes},
				{"renew", "POST", "/ID/renew_key", "", writes},
				{"create a bucket", "POST", "/ID/buckets", `{"name":"NEW"}`, created},
				{"set an ACL", "PUT", "/ID/buckets/BUCKET/acl", `{"acl":"private"}`, writes},
				{"delete an object", "DELETE", "/ID/buckets/BUCKET/objects?key=k", "", deleted},
				{"upload URL", "POST", "/ID/buckets/BUCKET/objects/upload_url", `{"key":"k2"}`, writes},
				{"delete a full bucket", "DELETE", "/ID/buckets/BUCKET", "", refused},
				{"delete a user with objects", "DELETE", "/ID", "", refused},
				{"create with a quota", "POST", "", `{"user":{"name":"NEW","project_id":"PROJECT","backend_id":"BACKEND","quota":{"max_size_kb":1,"enabled":true}}}`, [6]int{403, 403, 403, 201, 404, 403}},
				{"quota", "PATCH", "/ID", `{"quota":{"max_size_kb":9}}`, admins},
				{"a quota that changes nothing", "PATCH", "/ID", `{"quota":{"max_size_kb":524288000,"enabled":true}}`, admins},
				{"quota with a name", "PATCH", "/ID", `{"name":"NEW","quota":{"enabled":false}}`, admins},
				{"a null quota with a name", "PATCH", "/ID", `{"name":"NEW","quota":null}`, [6]int{403, 403, 403, 422, 404, 403}},
				{"lock", "PATCH", "/ID", `{"locked":true,"lock_reason":"because"}`, admins},
				{"unlock what is not locked", "PATCH", "/ID", `{"locked":false}`, admins},
				{"lock reason", "PATCH", "/ID", `{"lock_reason":null}`, admins},
				{"status", "PATCH", "/ID", `{"status":"disabled"}`, admins},
			} {
				t.Run(row.name, func(t *testing.T) {
					inner := *s
					server := *s.server
					server.t, inner.server = t, &server
					inner.row(n, row.method, row.path, row.body, row.want)
				})
			}
		})
	}
}

// row asks as everybody. What was refused has changed nothing.
func (s *rgwSite) row(n int, method, path, body string, want [6]int) {
	for i, who := range whoAsks {
		name := fmt.Sprintf("u-%d-%d", n, i)
		u := s.user(name)
		bucket := "b" + u.id[:13]
		s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
		s.must(201, s.upload("admin", u, bucket, "k", []byte("data")))
		before := s.must(200, s.call("admin", "GET", u.path(""), nil))
		names := strings.NewReplacer("PROJECT", s.project, "BACKEND", s.backend, "BUCKET", bucket, "NEW", "new-"+u.id[:13], "ID", u.id)
		var in any
		if body != "" {
			in = names.Replace(body)
		}
		got := s.call(who, method, "/rgw/users"+names.Replace(path), in)
		if got.status != want[i] {
			s.t.Errorf("%s: %d, want %d: %s", who, got.status, want[i], got.body)
		}
		if secret := got.text("secret_key"); strings.HasSuffix(path, "renew_key") || method == "POST" && path == "" {
			if got.status/100 == 2 && len(secret) != 40 {
				s.t.Errorf("%s is shown %q", who, secret)
			}
		} else if secret != "<nil>" && secret != "********" {
			s.t.Errorf("%s is shown a secret", who)
		}
		if got.status/100 != 2 {
			if after := s.must(200, s.call("admin", "GET", u.path(""), nil)); !bytes.Equal(after.body, before.body) {
				s.t.Errorf("%s was refused and changed something:\n%s\n%s", who, before.body, after.body)
			}
			if s3(s.t, s.S3Endpoint, u, "GET", "/"+bucket+"/k", "") != 200 {
				s.t.Errorf("%s was refused and the key or the object is gone", who)
			}
		}
	}
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
			s.grepSecrets()
		})
	}
}

// grepSecrets looks for every secret that was shown, in everything that the
// server wrote.
func (s *rgwSite) grepSecrets() {
	s.t.Helper()
	if len(s.secrets) == 0 {
		s.t.Fatal("no secret was shown")
	}
	seen := 0
	look := func(where string, content []byte) {
		seen += len(content)
		for secret := range s.secrets {
			if bytes.Contains(content, []byte(secret)) {
				s.t.Errorf("%s has a secret in clear", where)
			}
		}
	}
	look("the log", s.stderr.Bytes())
	look("the audit trail", s.must(200, s.call("admin", "GET", "/api/audit?limit=1000", nil)).body)
	must(s.t, filepath.WalkDir(s.data, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		look(path, content)
		return err
	}))
	if seen < 10_000 {
		s.t.Errorf("only %d bytes were looked through", seen)
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
// and the secret that works is one that was answered.
func TestTwentyRenewalsAtOnce(t *testing.T) {
	s, cluster := startRGW(t, "ceph", "")
	u := s.user("busy")
	var mu sync.Mutex
	var shown []string
	conflicts := 0
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), "POST", s.DashboardURL+u.path("/renew_key"), nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+s.tokens["admin"])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = res.Body.Close() }()
			body, _ := io.ReadAll(res.Body)
			mu.Lock()
			defer mu.Unlock()
			switch res.StatusCode {
			case 200:
				shown = append(shown, reply{body: body}.text("secret_key"))
			case 409:
				conflicts++
			default:
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
	all.Wait()
	working := 0
	for _, secret := range shown {
		at := rgwUser{u.id, u.key, secret}
		gateway, radosgw := s3(t, s.S3Endpoint, at, "GET", "/", ""), s3(t, cluster.Endpoint, at, "GET", "/", "")
		if (gateway == 200) != (radosgw == 200) {
			t.Errorf("a secret gets %d at the gateway and %d at the Ceph", gateway, radosgw)
		}
		if gateway == 200 {
			working++
		}
	}
	if len(shown) == 0 || len(shown)+conflicts != 20 || working != 1 {
		t.Errorf("%d renewed, %d were told of a conflict, %d secrets work", len(shown), conflicts, working)
	}
}
