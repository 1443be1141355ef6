package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"keystile/test/ceph"
)

// startRGWBehind is startRGW with a Ceph to which every S3 request goes through a
// killing.
func startRGWBehind(t *testing.T) (s *rgwSite, k *killing, c ceph.Cluster) {
	t.Helper()
	s, _ = startRGW(t, "embedded", "")
	c = ceph.Start(t)
	k, endpoint := startKilling(t, c.Endpoint)
	k.site = s
	s.backend, s.secrets[c.SecretAccessKey] = "behind", true
	env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.server.token)
	run(t, env, c.SecretAccessKey, binary, "backend", "add", "behind", "--kind", "ceph-rgw", "--admin-endpoint", c.Endpoint,
		"--endpoint", endpoint, "--access-key-id", c.AccessKeyID, "--secret-access-key-stdin").want(t, 0, "")
	return s, k, c
}

// full makes a bucket of the user with two objects and an upload that was never
// completed.
func (s *rgwSite) full(u rgwUser, bucket string) {
	s.t.Helper()
	s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
	for _, step := range []struct{ method, key, query, body string }{{"PUT", "a", "", "data"}, {"PUT", "b", "", "data"}, {"POST", "c", "uploads=", ""}} {
		s.settled(step.method+" "+step.key, func() bool {
			status, answer := s.signed(s.S3Endpoint, u, step.method, "/"+bucket+"/"+step.key, step.query, step.body, "", "")
			if status != http.StatusOK && status < 500 {
				s.t.Fatalf("%s %s: %d %s", step.method, step.key, status, answer)
			}
			return status == http.StatusOK // a gateway that is short of time answers 503, and clients try again
		})
	}
}

// purgeSteps are all kinds of S3 requests that empty a user's buckets, in the first
// bucket and in the second; %s stands for the beginning of the user's id.
var purgeSteps = []struct {
	name string
	step step
}{
	{"before objects of the first bucket are deleted", step{method: "POST", query: "delete=", path: "/a%s"}},
	{"after objects of the first bucket are deleted", step{method: "POST", query: "delete=", path: "/a%s", after: true}},
	{"before its upload is aborted", step{method: "DELETE", query: "uploadId=", path: "/a%s/c"}},
	{"after its upload is aborted", step{method: "DELETE", query: "uploadId=", path: "/a%s/c", after: true}},
	{"before it is deleted", step{method: "DELETE", path: "/a%s"}},
	{"after it is deleted", step{method: "DELETE", path: "/a%s", after: true}},
	{"before objects of the second bucket are deleted", step{method: "POST", query: "delete=", path: "/b%s"}},
	{"after the second bucket is deleted", step{method: "DELETE", path: "/b%s", after: true}},
}

// TestRGWPurgeKilledBetweenDeletes kills the server at every one of them, at a Ceph
// and where the gateway is the user's home. The deletion goes on by itself, the key
// is dead all the while, and a neighbour's bucket is as it was.
func TestRGWPurgeKilledBetweenDeletes(t *testing.T) {
	t.Run("ceph", func(t *testing.T) {
		s, k, cluster := startRGWBehind(t)
		s.purgedDespiteKills(k, true, func(u rgwUser) {
			if got := s3(t, cluster.Endpoint, u, "GET", "/", ""); got != 403 {
				t.Errorf("the key at the Ceph: %d", got)
			}
		})
	})
	t.Run("s3", func(t *testing.T) {
		s, inner, k, as := startRGWBefore(t)
		s.purgedDespiteKills(k, os.Getenv("KEYSTILE_RGW_HOMES") != "", func(u rgwUser) {
			for _, bucket := range []string{"/a" + u.id[:13], "/b" + u.id[:13]} {
				if got := s3(t, inner.S3Endpoint, as, "GET", bucket, ""); got != 403 { // as for any that is not there
					t.Errorf("%s at the backend: %d", bucket, got)
				}
			}
		})
	})
}

// purgedDespiteKills takes all steps, or those where the server dies before it hears
// of what was done.
func (s *rgwSite) purgedDespiteKills(k *killing, all bool, gone func(rgwUser)) {
	s.t.Helper()
	neighbour := s.user("neighbour")
	kept := "z" + neighbour.id[:13]
	s.full(neighbour, kept)
	for n, at := range purgeSteps {
		if !all && !at.step.after {
			continue
		}
		s.t.Run(at.name, func(t *testing.T) {
			u := s.user(fmt.Sprintf("purged-%d", n))
			for _, bucket := range []string{"a", "b"} {
				s.full(u, bucket+u.id[:13])
			}
			answered, armed := make(chan struct{}), at.step
			armed.path, armed.answered = strings.Replace(armed.path, "%s", u.id[:13], 1), answered
			k.armed.Store(&armed)
			job := s.must(202, s.call("admin", "DELETE", u.path("?purge_objects=true"), nil)).text("id")
			s.settled("the deletion has come to that step", func() bool { return k.armed.Load() == nil })
			s.atWork(job)
			close(answered)
			s.again()
			s.deletesOn(u, job)
			gone(u)
			s.untouched(neighbour, kept)
		})
	}
}

// atWork: a job that waits for its backend tells what it is about to do, and
// estimates nothing before anything is deleted.
func (s *rgwSite) atWork(job string) {
	s.t.Helper()
	r := s.must(200, s.call("admin", "GET", "/rgw/jobs/"+job, nil))
	if r.text("state") != "running" {
		s.t.Errorf("the job while it waits: %s", r.body)
	}
	if left := r.text("objects_left"); left == "<nil>" || left == "-1" {
		s.t.Errorf("nobody knows how many objects are left: %s", r.body)
	}
	if r.text("objects_deleted") == "0" && r.text("seconds_left") != "<nil>" {
		s.t.Errorf("an estimate before anything is deleted: %s", r.body)
	}
}

// deletesOn waits until a deletion that was killed has ended; meanwhile the user is
// being deleted, and nothing else.
func (s *rgwSite) deletesOn(u rgwUser, job string) {
	s.t.Helper()
	s.settled("the key is refused", func() bool {
		got := s3(s.t, s.S3Endpoint, u, "GET", "/", "")
		if got == http.StatusOK {
			s.t.Error("the key works meanwhile")
		}
		return got == http.StatusUnauthorized // or 503, until the gateway knows its keys
	})
	s.settled("the deletion has ended", func() bool {
		r := s.call("admin", "GET", u.path(""), nil)
		if r.status == http.StatusOK && (r.text("state") != "deleting" || r.text("status") != "disabled") {
			s.t.Errorf("the user meanwhile: %s", r.body)
		}
		return r.status == http.StatusNotFound
	})
	if r := s.ended(job); r.text("state") != "done" || r.text("buckets_left") != "0" || r.text("seconds_left") != "<nil>" {
		s.t.Errorf("the job: %s", r.body)
	}
}

// untouched: a user's bucket is as full made it.
func (s *rgwSite) untouched(u rgwUser, bucket string) {
	s.t.Helper()
	answered := func(what, path, query string) (status int) {
		s.settled(what+" is answered", func() bool {
			status = s3Query(s.t, s.S3Endpoint, u, "GET", path, query, "")
			return status < 500 // a gateway that is short of time answers 503, and clients try again
		})
		return status
	}
	for key, want := range map[string]int{"a": 200, "b": 200, "c": 404} {
		if got := answered(key, "/"+bucket+"/"+key, ""); got != want {
			s.t.Errorf("the neighbour's %s: %d, want %d", key, got, want)
		}
	}
	if got := answered("the list of uploads", "/"+bucket, "uploads="); got != 200 {
		s.t.Errorf("the neighbour's uploads: %d", got)
	}
}
