package e2e_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keystile/test/ceph"
)

// killing stands before a backend, or its Admin Ops API, and kills the server at a
// call: before the backend hears of it, or after it has carried it out and before
// the server hears of that.
type killing struct {
	t      *testing.T
	target string // host and port of the backend
	// transport makes a connection for each call: one that the backend has closed
	// would be a failure of the test's own.
	transport http.RoundTripper
	armed     atomic.Pointer[step]
	site      *rgwSite
	down      atomic.Bool // nothing is answered
}

type step struct {
	method, query string // that the call has
	path          string // likewise; empty: any
	after         bool
	lives         bool          // the call is cut off without a kill
	answered      chan struct{} // not before this is closed, unless it is nil
}

// wait holds the call up until the test has its own answer, which a server that
// is dead would owe it.
func (s *step) wait(r *http.Request) {
	if s.answered == nil {
		return
	}
	select {
	case <-s.answered:
	case <-r.Context().Done():
	}
}

// is reports whether a call is the one.
func (s *step) is(r *http.Request) bool {
	return s != nil && r.Method == s.method && strings.Contains(r.URL.RawQuery, s.query) && (s.path == "" || r.URL.Path == s.path)
}

func startKilling(t *testing.T, endpoint string) (*killing, string) {
	t.Helper()
	k := &killing{t: t, target: strings.TrimPrefix(endpoint, "http://"), transport: &http.Transport{DisableKeepAlives: true}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{Handler: k, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	return k, "http://" + ln.Addr().String()
}

func (k *killing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if k.down.Load() {
		panic(http.ErrAbortHandler)
	}
	s := k.armed.Load()
	hit := s.is(r) && k.armed.CompareAndSwap(s, nil)
	if hit {
		s.wait(r)
	}
	if hit && !s.after {
		k.cut(s)
	}
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.URL = &url.URL{Scheme: "http", Host: k.target, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	res, err := k.transport.RoundTrip(out) // Host stays as it was signed
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = res.Body.Close() }()
	if hit {
		_, _ = io.Copy(io.Discard, res.Body)
		k.cut(s)
	}
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

// cut ends a call without an answer, and the server that made it.
func (k *killing) cut(s *step) {
	if !s.lives {
		_ = k.site.cmd.Process.Kill()
	}
	panic(http.ErrAbortHandler)
}

// again starts the server that was killed.
func (s *rgwSite) again() {
	s.t.Helper()
	<-s.server.ended
	s.server = start(s.t, s.data, s.server.token)
}

// settled waits until what goes on by itself has done so: at the start, or at one
// of the next tries, a minute apart.
func (s *rgwSite) settled(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("not settled: %s\n%s", what, s.stderr)
		}
	}
}

// unmanaged counts the Ceph's users that this server does not manage: those of
// other tests too.
func (s *rgwSite) unmanaged() (n int) {
	s.t.Helper()
	for cursor := ""; ; {
		r := s.must(200, s.call("admin", "GET", "/rgw/backends/ceph-1/users?limit=1000&cursor="+url.QueryEscape(cursor), nil))
		n += strings.Count(string(r.body), `"uid"`)
		if cursor = r.text("next_cursor"); cursor == "<nil>" {
			return n
		}
	}
}

// TestRGWPurgeCancelled cancels a deletion that waits for its Ceph: the user
// stays, disabled, and its key works again once an admin says so.
func TestRGWPurgeCancelled(t *testing.T) {
	cluster := ceph.Start(t)
	k, admin := startKilling(t, cluster.Endpoint)
	s, _ := startRGW(t, "ceph", admin)
	k.site = s
	u := s.user("kept")
	bucket := "c" + u.id[:13]
	s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
	s.must(201, s.upload("admin", u, bucket, "k", []byte("data")))
	answered := make(chan struct{})
	k.armed.Store(&step{method: "PUT", query: "secret-key=", answered: answered}) // the first thing that the job does
	job := s.must(202, s.call("admin", "DELETE", u.path("?purge_objects=true"), nil)).text("id")
	// While the job has the user's turn nobody waits for it.
	s.tokens["outsider"] = s.person("outsider", "")
	for _, r := range []struct {
		who, method, rest, body string
		status                  int
	}{
		{"admin", "PATCH", "", `{"name":"other"}`, 409}, {"admin", "POST", "/renew_key", "", 409}, {"admin", "DELETE", "?purge_objects=true", "", 409},
		{"admin", "POST", "/buckets", `{"name":"another"}`, 409}, {"admin", "POST", "/forget", "", 409},
		{"outsider", "PATCH", "", `{"name":"other"}`, 404}, {"outsider", "POST", "/renew_key", "", 404},
	} {
		if got := s.call(r.who, r.method, u.path(r.rest), r.body); got.status != r.status {
			t.Errorf("%s %s by %s during the deletion: %d %s, want %d", r.method, r.rest, r.who, got.status, got.body, r.status)
		}
	}
	close(answered)
	<-s.server.ended
	k.down.Store(true)
	s.again()
	s.must(200, s.call("admin", "DELETE", "/rgw/jobs/"+job, nil))
	k.down.Store(false)
	s.kill()
	s.again()
	if r := s.ended(job); r.text("state") != "cancelled" {
		t.Fatalf("the job: %s", r.body)
	}
	if r := s.must(200, s.call("admin", "GET", u.path(""), nil)); r.text("status") != "disabled" || r.text("state") != "live" {
		t.Errorf("the user: %s", r.body)
	}
	if gateway, radosgw := s3(t, s.S3Endpoint, u, "GET", "/", ""), s3(t, cluster.Endpoint, u, "GET", "/", ""); gateway != 401 || radosgw != 403 {
		t.Errorf("its key: %d at the gateway, %d at the Ceph", gateway, radosgw)
	}
	s.must(200, s.call("admin", "PATCH", u.path(""), `{"status":"active"}`))
	for _, way := range []string{s.S3Endpoint, cluster.Endpoint} {
		if got := s3(t, way, u, "GET", "/"+bucket+"/k", ""); got != 200 {
			t.Errorf("enabled again, at %s: %d", way, got)
		}
	}
}

// TestRGWCrashes kills the server at every call of the Admin Ops API that
// creating, renewing and deleting make. Afterwards the state is the one before or
// the one after, and a key that was shown works.
func TestRGWCrashes(t *testing.T) {
	cluster := ceph.Start(t)
	k, admin := startKilling(t, cluster.Endpoint)
	s, _ := startRGW(t, "ceph", admin)
	k.site = s
	both := func(u rgwUser) (int, int) {
		return s3(t, s.S3Endpoint, u, "GET", "/", ""), s3(t, cluster.Endpoint, u, "GET", "/", "")
	}
	n := 0
	for _, tt := range []struct {
		name string
		step step
	}{
		{"create: before the user is made", step{method: "PUT", query: "display-name="}},
		{"create: after the user is made", step{method: "PUT", query: "display-name=", after: true}},
		{"create: before its quota", step{method: "PUT", query: "quota-type="}},
		{"create: after its quota", step{method: "PUT", query: "quota-type=", after: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n++
			name := fmt.Sprintf("made-%d", n)
			before := s.unmanaged()
			k.armed.Store(&tt.step)
			if r := s.call("admin", "POST", "/rgw/users", fmt.Sprintf(`{"user":{"name":%q,"project_id":%q,"backend_id":"ceph-1"}}`, name, s.project)); r.status != 0 {
				t.Fatalf("answered %d %s", r.status, r.body)
			}
			s.again()
			s.settled("the user nobody was shown is gone", func() bool {
				return !strings.Contains(string(s.call("admin", "GET", "/rgw/users?project_id="+s.project, nil).body), name)
			})
			if after := s.unmanaged(); after != before {
				t.Errorf("the Ceph had %d users that nobody manages, now %d", before, after)
			}
			u := s.user(name) // its name is free
			if gateway, radosgw := both(u); gateway != 200 || radosgw != 200 {
				t.Errorf("made again: %d at the gateway, %d at the Ceph", gateway, radosgw)
			}
			s.must(204, s.call("admin", "DELETE", u.path(""), nil))
		})
	}
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("renew: after the Ceph knows the secret: %v", after), func(t *testing.T) {
			n++
			u := s.user(fmt.Sprintf("renewed-%d", n))
			k.armed.Store(&step{method: "PUT", query: "secret-key=", after: after})
			if r := s.call("admin", "POST", u.path("/renew_key"), nil); r.status != 0 {
				t.Fatalf("answered %d %s", r.status, r.body)
			}
			s.again()
			s.settled("the secret that was shown works", func() bool {
				gateway, radosgw := both(u)
				return gateway == 200 && radosgw == 200
			})
			s.settled("it can be renewed", func() bool { return s.call("admin", "POST", u.path("/renew_key"), nil).status == 200 })
			if gateway, radosgw := both(u); gateway == 200 || radosgw == 200 {
				t.Errorf("the old secret after a renewal: %d at the gateway, %d at the Ceph", gateway, radosgw)
			}
			s.must(204, s.call("admin", "DELETE", u.path(""), nil))
		})
	}
	for _, purge := range []string{"", "?purge_objects=true"} {
		for _, tt := range []step{
			{method: "DELETE", query: "uid="},
			{method: "DELETE", query: "uid=", after: true},
			{method: "PUT", query: "secret-key="},
			{method: "PUT", query: "secret-key=", after: true},
		} {
			if purge == "" && tt.method == "PUT" {
				continue // only what empties takes the key over
			}
			t.Run(fmt.Sprintf("delete%s: %s, after: %v", purge, tt.method, tt.after), func(t *testing.T) {
				n++
				u := s.user(fmt.Sprintf("deleted-%d", n))
				bucket := "d" + u.id[:13]
				s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
				if purge != "" {
					s.must(201, s.upload("admin", u, bucket, "k", []byte("data")))
				}
				k.armed.Store(&tt)
				if r := s.call("admin", "DELETE", u.path(purge), nil); r.status != 0 && r.status != 202 {
					t.Fatalf("answered %d %s", r.status, r.body)
				}
				s.again()
				s.settled("it is gone", func() bool { return s.call("admin", "GET", u.path(""), nil).status == 404 })
				if gateway, radosgw := both(u); gateway != 401 || radosgw != 403 {
					t.Errorf("its key: %d at the gateway, %d at the Ceph", gateway, radosgw)
				}
			})
		}
	}
}
