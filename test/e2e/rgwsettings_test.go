package e2e_test

import (
	"net/http"
	"testing"
)

// TestRGWOwnBucketsByBoto3: what a user may set on its own buckets through the
// gateway, at every kind of home, and what becomes of it.
func TestRGWOwnBucketsByBoto3(t *testing.T) {
	python := tool(t, "python3")
	for _, kind := range everyHome {
		t.Run(kind, func(t *testing.T) {
			s, _ := startRGW(t, kind, "")
			own, other := s.user("own"), s.user("other")
			bucket := "own-" + own.id[:13]
			env := append(cleanEnv(), "OWN_KEY="+own.key, "OWN_SECRET="+own.secret, "OTHER_KEY="+other.key, "OTHER_SECRET="+other.secret)
			run(t, env, "", python, "testdata/ownbucket.py", s.S3Endpoint, bucket, kind).want(t, 0, "ok")
			for _, action := range []string{"putbucketversioning", "putbuckettagging", "putbucketacl", "putbucketcors"} {
				if events := s.audit("--action", "s3.proxy."+action); len(events) < 2 {
					t.Errorf("%s: %d events, want those of the owner and of the refusal", action, len(events))
				}
			}
			s.rangesByAPI(own, bucket)
			if kind != "ceph" {
				s.corsEndsWithItsBucket(own, other)
			}
			s.purgesVersions(own, bucket)
		})
	}
}

// rangesByAPI: a range that the object does not have is told from one that it has.
func (s *rgwSite) rangesByAPI(u rgwUser, bucket string) {
	s.t.Helper()
	path := u.path("/buckets/" + bucket + "/objects/download?key=a")
	if r := s.must(206, s.call("admin", "GET", path, nil, "Range", "bytes=1-1")); string(r.body) != "w" || r.header.Get("Content-Range") != "bytes 1-1/3" {
		s.t.Errorf("a range: %q of %s", r.body, r.header.Get("Content-Range"))
	}
	r := s.must(416, s.call("admin", "GET", path, nil, "Range", "bytes=7-9"))
	if r.text("code") != "invalid_range" || r.header.Get("Content-Range") != "bytes */3" {
		s.t.Errorf("beyond the end: %s, Content-Range %q", r.body, r.header.Get("Content-Range"))
	}
}

// corsEndsWithItsBucket: whoever makes a bucket of that name next has chosen
// nothing yet.
func (s *rgwSite) corsEndsWithItsBucket(first, second rgwUser) {
	s.t.Helper()
	const rules = `<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`
	bucket := "cors-" + first.id[:13]
	allowed := func() bool {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodOptions, s.S3Endpoint+"/"+bucket+"/a", nil)
		must(s.t, err)
		req.Header.Set("Origin", "https://app.example")
		req.Header.Set("Access-Control-Request-Method", "GET")
		res, err := http.DefaultClient.Do(req)
		must(s.t, err)
		must(s.t, res.Body.Close())
		return res.StatusCode == http.StatusOK
	}
	do := func(u rgwUser, method, query, body string) {
		s.t.Helper()
		if got := s3Query(s.t, s.S3Endpoint, u, method, "/"+bucket, query, body); got/100 != 2 {
			s.t.Fatalf("%s %s?%s: %d", method, bucket, query, got)
		}
	}
	do(first, "PUT", "", "")
	if allowed() {
		s.t.Error("pages are let in before anything was chosen")
	}
	do(first, "PUT", "cors=", rules)
	if !allowed() {
		s.t.Error("pages are kept out though the owner let them in")
	}
	do(first, "DELETE", "", "")
	do(second, "PUT", "", "")
	if allowed() {
		s.t.Error("the next owner of the name has the rules of the one before")
	}
}

// purgesVersions deletes a user whose bucket has versions, delete markers and an
// object from before versions were kept.
func (s *rgwSite) purgesVersions(u rgwUser, bucket string) {
	s.t.Helper()
	old := "old-" + u.id[:13]
	for _, step := range []struct{ method, path, query, body string }{
		{"PUT", "/" + old, "", ""},
		{"PUT", "/" + old + "/before", "", "x"},
		{"PUT", "/" + old, "versioning=", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"},
		{"DELETE", "/" + bucket + "/a", "", ""},
	} {
		if got := s3Query(s.t, s.S3Endpoint, u, step.method, step.path, step.query, step.body); got/100 != 2 {
			s.t.Fatalf("%s %s: %d", step.method, step.path, got)
		}
	}
	job := s.must(202, s.call("admin", "DELETE", u.path("?purge_objects=true"), nil)).text("id")
	if done := s.ended(job); done.text("state") != "done" {
		s.t.Errorf("the job: %s", done.body)
	}
	s.must(404, s.call("admin", "GET", u.path(""), nil))
}

// addPlainHome adds another Keystile as a backend: a real S3 server, of which one
// RGW user's key is the admin key.
func (s *rgwSite) addPlainHome() string {
	s.t.Helper()
	inner, _ := startRGW(s.t, "embedded", "")
	endpoint, as := inner.S3Endpoint, inner.user("inner")
	env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.server.token)
	run(s.t, env, as.secret, binary, "backend", "add", "plain", "--kind", "s3", "--endpoint", endpoint,
		"--access-key-id", as.key, "--secret-access-key-stdin").want(s.t, 0, "")
	return "plain"
}
