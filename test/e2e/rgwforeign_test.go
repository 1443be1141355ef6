package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startRGWBefore is startRGW with another Keystile as its S3 backend, to which every
// request goes through a killing. It returns the key that the gateway has there.
func startRGWBefore(t *testing.T) (s, inner *rgwSite, k *killing, as rgwUser) {
	t.Helper()
	inner, _ = startRGW(t, "embedded", "")
	as = inner.user("inner")
	k, endpoint := startKilling(t, inner.S3Endpoint)
	s, _ = startRGW(t, "embedded", "")
	k.site = s
	s.backend, s.secrets[as.secret] = "plain", true
	env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.server.token)
	run(t, env, as.secret, binary, "backend", "add", "plain", "--kind", "s3", "--endpoint", endpoint,
		"--access-key-id", as.key, "--secret-access-key-stdin").want(t, 0, "")
	return s, inner, k, as
}

// TestRGWForeignBucketsStay: a bucket that was at the backend before is not the
// user's, whatever became of the try to make one of its name; deleting the user
// with all its objects leaves it as it is.
func TestRGWForeignBucketsStay(t *testing.T) {
	t.Parallel() // it mostly waits
	s, inner, k, as := startRGWBefore(t)
	const foreign = "somebody-elses"
	if made, put := s3(t, inner.S3Endpoint, as, "PUT", "/"+foreign, ""), s3(t, inner.S3Endpoint, as, "PUT", "/"+foreign+"/kept", "data"); made != 200 || put != 200 {
		t.Fatalf("made %d, put %d", made, put)
	}
	u := s.user("greedy")
	body := `{"name":"` + foreign + `"}`
	s.must(409, s.call("admin", "POST", u.path("/buckets"), body))
	k.down.Store(true)
	if r := s.call("admin", "POST", u.path("/buckets"), body); r.status < 500 {
		t.Errorf("while the backend does not answer: %d %s", r.status, r.body)
	}
	if got := s3(t, s.S3Endpoint, u, "PUT", "/"+foreign, ""); got < 500 {
		t.Errorf("by the key, while the backend does not answer: %d", got)
	}
	k.down.Store(false)
	r := s.call("admin", "DELETE", u.path("?purge_objects=true"), nil)
	if r.status == 202 {
		s.ended(r.text("id"))
	}
	if got := s3(t, inner.S3Endpoint, as, "GET", "/"+foreign+"/kept", ""); got != 200 {
		t.Errorf("somebody else's object after the user was deleted: %d", got)
	}
	s.must(404, s.call("admin", "GET", u.path(""), nil))
}

// TestRGWPurgeEndsWhereGoneIsDenied: the other Keystile answers 403 for a bucket
// that is gone. A deletion of the bucket that was cut off behind it ends all the
// same, and so does a creation; where the bucket went away by other hands the job
// says so, waits, and can be ended.
func TestRGWPurgeEndsWhereGoneIsDenied(t *testing.T) {
	t.Parallel() // it mostly waits
	s, inner, k, as := startRGWBefore(t)
	neighbour := s.user("neighbour")
	kept := "z" + neighbour.id[:13]
	s.full(neighbour, kept)

	u := s.user("cut-off")
	bucket := "a" + u.id[:13]
	s.full(u, bucket)
	k.armed.Store(&step{method: "DELETE", path: "/" + bucket, after: true})
	job := s.must(202, s.call("admin", "DELETE", u.path("?purge_objects=true"), nil)).text("id")
	s.again()
	s.deletesOn(u, job)

	owner := s.user("owner")
	bucket, other := "c"+owner.id[:13], "d"+owner.id[:13]
	s.must(201, s.call("admin", "POST", owner.path("/buckets"), `{"name":"`+bucket+`"}`))
	// One that was made behind a cut is the user's once it is made again.
	k.armed.Store(&step{method: "PUT", path: "/" + other, after: true})
	if r := s.call("admin", "POST", owner.path("/buckets"), `{"name":"`+other+`"}`); r.status != 0 {
		t.Errorf("made: %d %s", r.status, r.body)
	}
	s.again()
	s.must(201, s.call("admin", "POST", owner.path("/buckets"), `{"name":"`+other+`"}`))
	s.touchedMeanwhile(inner, k, as)
	k.armed.Store(&step{method: "DELETE", path: "/" + bucket, after: true})
	if r := s.call("admin", "DELETE", owner.path("/buckets/"+bucket), nil); r.status != 0 {
		t.Errorf("the bucket deleted: %d %s", r.status, r.body)
	}
	s.again()
	if r := s.must(200, s.call("admin", "GET", owner.path("/buckets"), nil)); strings.Contains(string(r.body), bucket) || !strings.Contains(string(r.body), other) {
		t.Errorf("the buckets of whom one was deleted: %s", r.body)
	}
	s.must(204, s.call("admin", "DELETE", owner.path("/buckets/"+bucket), nil))

	alone := s.user("alone") // deleted without its objects, of which it has none
	bucket = "e" + alone.id[:13]
	s.must(201, s.call("admin", "POST", alone.path("/buckets"), `{"name":"`+bucket+`"}`))
	k.armed.Store(&step{method: "DELETE", path: "/" + bucket, after: true})
	if r := s.call("admin", "DELETE", alone.path(""), nil); r.status != 0 {
		t.Errorf("deleted: %d %s", r.status, r.body)
	}
	s.again()
	s.settled("it is gone", func() bool { return s.call("admin", "GET", alone.path(""), nil).status == 404 })

	u = s.user("by-other-hands")
	bucket = "b" + u.id[:13]
	s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
	if got := s3(t, inner.S3Endpoint, as, "DELETE", "/"+bucket, ""); got != 204 {
		t.Fatalf("DELETE behind the gateway's back: %d", got)
	}
	job = s.must(202, s.call("admin", "DELETE", u.path("?purge_objects=true"), nil)).text("id")
	s.settled("the job tells what it waits for", func() bool {
		return strings.Contains(s.call("admin", "GET", "/rgw/jobs/"+job, nil).text("message"), "denies requests for the bucket "+bucket)
	})
	s.must(200, s.call("admin", "DELETE", "/rgw/jobs/"+job, nil))
	if r := s.ended(job); r.text("state") != "cancelled" {
		t.Errorf("cancelled: %s", r.body)
	}
	s.untouched(neighbour, kept)
}

// touchedMeanwhile: of a bucket whose creation was cut off nobody knows whose it is
// once something was put into it, though it may look empty. It is not given to who
// tried to make it, and it stays when that user is deleted.
func (s *rgwSite) touchedMeanwhile(inner *rgwSite, k *killing, as rgwUser) {
	s.t.Helper()
	const enabled = `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>`
	type request struct{ method, key, query, body string }
	versioned := request{"PUT", "", "versioning=", enabled}
	object := request{"PUT", "kept", "", "data"}
	deletion := request{"DELETE", "kept", "", ""}
	u := s.user("cut-off-too")
	for name, puts := range map[string][]request{
		"object":  {object},
		"version": {versioned, object, deletion},
		"marker":  {object, versioned, deletion, {"DELETE", "kept", "versionId=null", ""}},
		"upload":  {{"POST", "kept", "uploads=", ""}},
	} {
		tried, left := name+"-1"+u.id[:13], name+"-2"+u.id[:13]
		for _, bucket := range []string{tried, left} {
			k.armed.Store(&step{method: "PUT", path: "/" + bucket, after: true, lives: true})
			if r := s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`); r.status < 500 {
				s.t.Errorf("%s: made: %d %s", bucket, r.status, r.body)
			}
			for _, r := range puts {
				path := strings.TrimSuffix("/"+bucket+"/"+r.key, "/")
				if status, answer := inner.signed(inner.S3Endpoint, as, r.method, path, r.query, r.body, "", ""); status/100 != 2 {
					s.t.Fatalf("%s: %s behind the gateway's back: %d %s", bucket, r.method, status, answer)
				}
			}
		}
		defer func() {
			for _, bucket := range []string{tried, left} {
				if got := s3(s.t, inner.S3Endpoint, as, "HEAD", "/"+bucket, ""); got != 200 {
					s.t.Errorf("%s, after the user was deleted: %d", bucket, got)
				}
			}
		}()
		if r := s.call("admin", "POST", u.path("/buckets"), `{"name":"`+tried+`"}`); r.status != 409 {
			s.t.Errorf("%s made again: %d %s", tried, r.status, r.body)
		}
		if got := s3(s.t, s.S3Endpoint, u, "PUT", "/"+tried, ""); got != 409 {
			s.t.Errorf("%s made again by the key: %d", tried, got)
		}
	}
	s.must(204, s.call("admin", "DELETE", u.path(""), nil))
}

// TestRGWPurgeKilledAtEmbeddedHome kills the server, and the backend with it, while
// a user's files are being deleted: when some are gone and some are not. What is
// left is deleted after the restart, and nothing else.
func TestRGWPurgeKilledAtEmbeddedHome(t *testing.T) {
	t.Parallel() // it mostly waits
	s, _ := startRGW(t, "embedded", "")
	neighbour := s.user("neighbour")
	kept := "z" + neighbour.id[:13]
	s.full(neighbour, kept)
	u := s.user("purged")
	const each = 300
	buckets := []string{"a" + u.id[:13], "b" + u.id[:13]}
	for _, bucket := range buckets {
		s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
		for i := range each {
			if got := s3(t, s.S3Endpoint, u, "PUT", fmt.Sprintf("/%s/k%d", bucket, i), "data"); got != 200 {
				t.Fatalf("PUT: %d", got)
			}
		}
	}
	if n := s.files(buckets...); n != len(buckets)*each {
		t.Fatalf("%d files before", n)
	}
	job := s.must(202, s.call("admin", "DELETE", u.path("?purge_objects=true"), nil)).text("id")
	for deadline := time.Now().Add(time.Minute); s.files(buckets...) == len(buckets)*each; { // without a rest: it takes less than a second
		if time.Now().After(deadline) {
			t.Fatal("none is gone")
		}
	}
	must(t, s.cmd.Process.Kill())
	left := s.files(buckets...)
	s.again()
	if left == 0 {
		t.Error("none was left when it was killed")
	}
	s.deletesOn(u, job)
	if n := s.files(buckets...); n != 0 {
		t.Errorf("%d files are left", n)
	}
	s.untouched(neighbour, kept)
}

// files counts the objects of buckets of the embedded backend, on disk.
func (s *rgwSite) files(buckets ...string) (n int) {
	s.t.Helper()
	for _, bucket := range buckets {
		found, err := filepath.Glob(filepath.Join(s.data, "backends", "*", "embedded", "buckets", bucket, "k*"))
		must(s.t, err)
		n += len(found)
	}
	return n
}
