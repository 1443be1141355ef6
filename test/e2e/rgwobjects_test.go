package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRGWQuota exceeds a quota on either way, raises it, and is let through.
func TestRGWQuota(t *testing.T) {
	for _, kind := range everyHome {
		t.Run(kind, func(t *testing.T) {
			s, cluster := startRGW(t, kind, "")
			u := s.user("quota")
			bucket := "q" + u.id[:13]
			s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
			s.must(200, s.call("admin", "PATCH", u.path(""), `{"quota":{"max_size_kb":8,"enabled":true}}`))
			body := strings.Repeat("x", 10_000)
			if got := s3(t, s.S3Endpoint, u, "PUT", "/"+bucket+"/k", body); got != 507 {
				t.Errorf("over the quota at the gateway: %d, want 507", got)
			}
			if kind == "ceph" {
				if got := s3(t, cluster.Endpoint, u, "PUT", "/"+bucket+"/k", body); got != 403 {
					t.Errorf("over the quota at the Ceph: %d, want 403", got)
				}
			}
			s.quotaByAWS(t, u, bucket, body, refused, "QuotaExceeded")
			if r := s.upload("admin", u, bucket, "k", []byte(body)); r.status != 403 || !strings.Contains(r.text("code")+string(r.body), "quota") {
				t.Errorf("over the quota by API: %d %s", r.status, r.body)
			}
			s.must(200, s.call("admin", "PATCH", u.path(""), `{"quota":{"max_size_kb":100}}`))
			if got := s3(t, s.S3Endpoint, u, "PUT", "/"+bucket+"/k", body); got != 200 {
				t.Errorf("after it was raised: %d", got)
			}
			s.quotaByAWS(t, u, bucket, body, 0, "ETag")
			if size := s.call("admin", "GET", u.path(""), nil).text("buckets_total_size_kb"); size != "10" {
				t.Errorf("usage %s KiB, want 10", size)
			}
			s.must(200, s.call("admin", "PATCH", u.path(""), `{"quota":{"max_size_kb":1,"enabled":false}}`))
			if got := s3(t, s.S3Endpoint, u, "PUT", "/"+bucket+"/k2", body); got != 200 {
				t.Errorf("while it is not enforced: %d", got)
			}
			if kind != "ceph" {
				s.quotaOfAllBuckets(t, u, bucket)
			}
		})
	}
}

// quotaByAWS stores the object with aws-cli, which must end with the code and tell
// of it in these words.
func (s *rgwSite) quotaByAWS(t *testing.T, u rgwUser, bucket, body string, code int, words string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "body")
	must(t, os.WriteFile(file, []byte(body), 0o600))
	c := credential{AccessKeyID: u.key, SecretAccessKey: u.secret}
	s.aws(c, "s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", file).want(t, code, words)
}

// quotaOfAllBuckets goes on where the gateway is the home, with 20,000 bytes in one
// bucket: what any way stores or frees in any bucket counts at once.
func (s *rgwSite) quotaOfAllBuckets(t *testing.T, u rgwUser, bucket string) {
	s.must(200, s.call("admin", "PATCH", u.path(""), `{"quota":{"max_size_kb":30,"enabled":true}}`)) // 30,720 bytes
	second := bucket + "b"
	put := func(path string, size, want int) {
		t.Helper()
		if got := s3(t, s.S3Endpoint, u, "PUT", path, strings.Repeat("x", size)); got != want {
			t.Errorf("PUT of %d bytes to %s: %d, want %d", size, path, got, want)
		}
	}
	put("/"+second, 0, 200) // the bucket itself; it takes writes at once
	put("/"+second+"/k", 10_721, 507)
	put("/"+second+"/k", 5_720, 200)
	s.must(201, s.upload("admin", u, second, "api", make([]byte, 5_000)))
	put("/"+second+"/one", 1, 507)
	s.must(204, s.call("admin", "DELETE", u.path("/buckets/"+second+"/objects?key=api"), nil))
	put("/"+bucket+"/k3", 5_000, 200)
	if r := s.upload("admin", u, second, "k", make([]byte, 5_721)); r.status != 403 {
		t.Errorf("beside the old object by API: %d %s", r.status, r.body)
	}
	var q quotaShown
	s.cliJSON(&q, "quota", "scan", s.backend+"/"+second, "--wait")
	if q.Usage.UsedBytes != 5_720 || q.Usage.UsedObjects != 1 || q.Usage.ReservedBytes+q.Usage.UnknownBytes != 0 {
		t.Errorf("counted %+v", q.Usage)
	}
}

// TestRGWUploadURLs uses one, and tries it again when who asked for it may no
// longer, when it was made to say something else, and when the key was renewed.
func TestRGWUploadURLs(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, _ := startRGW(t, kind, "")
			s.crew()
			u := s.user("uploads")
			bucket := "u" + u.id[:13]
			s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
			ask := func(who, key string) string {
				return s.must(200, s.call(who, "POST", u.path("/buckets/"+bucket+"/objects/upload_url"), fmt.Sprintf(`{"key":%q,"expires_in":"10m","content_type":"text/plain"}`, key))).text("url")
			}
			put := func(url, kind string) int {
				req, err := http.NewRequestWithContext(t.Context(), "PUT", url, strings.NewReader("hello"))
				must(t, err)
				req.Header.Set("Content-Type", kind)
				res, err := http.DefaultClient.Do(req)
				must(t, err)
				must(t, res.Body.Close())
				return res.StatusCode
			}
			by := ask("writer", "a b/ü+")
			if got := put(by, "text/plain"); got != 200 {
				t.Errorf("the URL as it was made: %d", got)
			}
			if got := s.call("admin", "GET", u.path("/buckets/"+bucket+"/objects/download?key=a%20b/%C3%BC%2B"), nil); string(got.body) != "hello" {
				t.Errorf("uploaded %d %q", got.status, got.body)
			}
			for name, url := range map[string]string{
				"another account": strings.Replace(by, "keystile-account=", "keystile-account=0", 1),
				"no account":      strings.Replace(by, "keystile-account=", "x-id=", 1),
				"another key":     strings.Replace(by, "a%20b", "a%20c", 1),
			} {
				if got := put(url, "text/plain"); got != 403 {
					t.Errorf("%s: %d, want 403", name, got)
				}
			}
			if got := put(by, "text/html"); got != 403 {
				t.Errorf("another type: %d, want 403", got)
			}
			s.must(422, s.call("writer", "POST", u.path("/buckets/"+bucket+"/objects/upload_url"), `{"key":"k","expires_in":3601}`))
			s.must(200, s.call("admin", "PATCH", "/api/projects/"+s.project+"/members/writer", `{"permissions":[]}`))
			if got := put(by, "text/plain"); got != 403 {
				t.Errorf("without rgw:write any more: %d, want 403", got)
			}
			owners := ask("owner", "k")
			s.must(200, s.call("admin", "PATCH", "/api/accounts/owner", `{"disabled":true}`))
			if got := put(owners, "text/plain"); got != 403 {
				t.Errorf("of a disabled account: %d, want 403", got)
			}
			admins := ask("admin", "k")
			s.must(200, s.call("admin", "POST", u.path("/renew_key"), nil))
			if got := put(admins, "text/plain"); got != 403 {
				t.Errorf("after the key was renewed: %d, want 403", got)
			}
			if trail := s.call("admin", "GET", "/api/audit?limit=1000", nil); strings.Contains(string(trail.body), "X-Amz-Signature") || !strings.Contains(string(trail.body), "rgw.object.upload_url") {
				t.Error("the trail has a URL, or not that one was made")
			}
		})
	}
}
