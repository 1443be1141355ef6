package e2e_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestRGWBucketsByCommandLine does with buckets and objects what the command line
// can, where the gateway is the user's home.
func TestRGWBucketsByCommandLine(t *testing.T) {
	s, _ := startRGW(t, "embedded", "")
	u := s.user("app")
	bucket := func(args ...string) outcome { return s.cli(append([]string{"rgw", "bucket"}, args...)...) }
	object := func(args ...string) outcome { return s.cli(append([]string{"rgw", "object"}, args...)...) }

	bucket("list", u.id, "-o", "table").want(t, 0, "No buckets.")
	bucket("create", u.id, "cli-data", "-o", "table").want(t, 0, "Created cli-data.")
	bucket("create", u.id, "admin").want(t, refused, "reserved")
	bucket("show", u.id, "cli-data", "-o", "table").want(t, 0, "private")
	bucket("access", u.id, "cli-data").want(t, 0, `{"acl":"private"}`)
	unsigned := s.S3Endpoint + "/cli-data/2026/report.txt"

	var url struct {
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	s.cliJSON(&url, "rgw", "object", "upload-url", u.id, "cli-data", "2026/report.txt", "--expires-in", "5m", "--content-type", "text/plain")
	if got := put(t, url.URL, url.Headers, "for everybody"); got != http.StatusOK {
		t.Fatalf("an upload with the URL: %d", got)
	}
	object("upload-url", u.id, "cli-data", "k", "--expires-in", "2h").want(t, refused, "expires_in")
	object("list", u.id, "cli-data", "--prefix", "2026/", "-o", "table").want(t, 0, "2026/report.txt")
	object("list", u.id, "cli-data", "--prefix", "2025/", "-o", "table").want(t, 0, "No objects.")
	object("show", u.id, "cli-data", "2026/report.txt", "-o", "table").want(t, 0, "text/plain")

	wantStatus(t, unsigned, http.StatusForbidden)
	bucket("access", u.id, "cli-data", "public-read", "-o", "table").want(t, 0, "cli-data is public-read.")
	wantStatus(t, unsigned, http.StatusOK)
	bucket("access", u.id, "cli-data", "public-read-write").want(t, refused, "acl")
	bucket("access", u.id, "cli-data", "private").want(t, 0, "private")
	wantStatus(t, unsigned, http.StatusForbidden)

	bucket("delete", u.id, "cli-data").want(t, refused, "holds objects")
	object("delete", u.id, "cli-data", "2026/report.txt", "-o", "table").want(t, 0, "Deleted 2026/report.txt.")
	object("show", u.id, "cli-data", "2026/report.txt").want(t, refused, "no such object")
	bucket("delete", u.id, "cli-data", "-o", "table").want(t, 0, "Deleted cli-data.")
	bucket("show", u.id, "cli-data").want(t, refused, "no such bucket")

	events := func(args ...string) outcome {
		return s.cli(append([]string{"rgw", "user", "events", u.id}, args...)...)
	}
	events("-o", "table").want(t, 0, "rgw.bucket.create")
	events("--done", "with", "-o", "table").want(t, 0, "s3.proxy.putobject")
	// Refusals are told a moment later than what happened: the last may not be the newest.
	all, newest := events("--limit", "0").stdout, events("--limit", "1").stdout
	if strings.Count(newest, "\n") != 1 || strings.Count(all, "\n") < 5 || !strings.Contains(all, `"action":"rgw.bucket.delete","result":"ok"`) {
		t.Errorf("the newest event is %q, of all\n%s", newest, all)
	}
	if strings.Contains(all, "s3.proxy.") {
		t.Errorf("done to the user, and with its key:\n%s", all)
	}
	events("--done", "by").want(t, 2, "--done")
	events("--limit", "-1").want(t, 2, "--limit")
	s.cli("rgw", "user", "events", "0197b1f4-0000-7000-8000-000000000000").want(t, refused, "no such thing")

	s.cli("rgw", "user", "unmanaged", s.backend).want(t, refused, "is no Ceph")
	s.cli("rgw", "user", "adopt", s.backend, "anybody", "--project", "Data").want(t, refused, "is no Ceph")
	s.cli("rgw", "user", "forget", u.id).want(t, refused, "can only be deleted")
	s.cli("rgw", "user", "drift", "-o", "table").want(t, 0, "No user was changed at its Ceph.")
}

// TestRGWPurgeByCommandLine: the progress is told where it does not mix with the
// answer, and a job is found again.
func TestRGWPurgeByCommandLine(t *testing.T) {
	s, _ := startRGW(t, "embedded", "")
	u := s.user("app")
	s.cli("rgw", "bucket", "create", u.id, "cli-purged").want(t, 0, "")
	s.upload("admin", u, "cli-purged", "one", []byte("1"))
	s.cli("rgw", "user", "delete", u.id).want(t, refused, "hold objects, such as cli-purged")
	done := s.cli("rgw", "user", "delete", u.id, "--purge-objects", "--output", "json")
	done.want(t, 0, `"state":"done"`)
	if !strings.Contains(done.stderr, "done: 1 of 1 buckets deleted, with 1 objects") || strings.Contains(done.stdout, "with 1 objects") {
		t.Errorf("progress: %q beside the answer %q", done.stderr, done.stdout)
	}
	job := strings.SplitN(strings.SplitN(done.stdout, `"id":"`, 2)[1], `"`, 2)[0]
	s.cli("rgw", "job", "show", job, "--wait", "-o", "table").want(t, 0, "done: 1 of 1 buckets deleted")
	s.cli("rgw", "job", "cancel", job).want(t, refused, "the job has ended")
	s.cli("rgw", "user", "show", u.id).want(t, refused, "no such thing")
}

func put(t *testing.T, url string, headers map[string]string, body string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, url, strings.NewReader(body))
	must(t, err)
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	return statusOf(t, req)
}

func wantStatus(t *testing.T, url string, want int) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	must(t, err)
	if got := statusOf(t, req); got != want {
		t.Errorf("GET %s: %d, want %d", filepath.Base(url), got, want)
	}
}

func statusOf(t *testing.T, req *http.Request) int {
	t.Helper()
	answer, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, answer.Body.Close())
	return answer.StatusCode
}
