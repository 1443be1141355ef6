package e2e_test

import (
	"context"
	"crypto/md5"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"keystile/internal/embedded"
	"keystile/test/ceph"
)

// startLosing is a server whose backend "losing" is a real one of the kind, behind a
// killing, with the backend's own key and its endpoint at the killing.
func startLosing(t *testing.T, kind string) (s *rgwSite, k *killing, owner rgwUser, at string) {
	t.Helper()
	if kind == "ceph" {
		c := ceph.Start(t)
		owner = rgwUser{key: c.AccessKeyID, secret: c.SecretAccessKey}
		k, at = startKilling(t, c.Endpoint)
	} else {
		p, err := embedded.Start(t.Context(), embedded.Options{Executable: binary, Args: []string{"embedded-backend"}, DataDir: t.TempDir()})
		must(t, err)
		t.Cleanup(func() { must(t, p.Stop(context.Background())) })
		owner = rgwUser{key: p.AccessKeyID(), secret: p.Secret().Reveal()}
		k, at = startKilling(t, "http://embedded.test")
		k.transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return p.Dial(ctx) }}
	}
	s = &rgwSite{server: start(t, t.TempDir()+"/data", "")}
	s.addBackend("losing", at, owner.key, owner.secret)
	s.BackendID = "losing"
	return s, k, owner, at
}

// TestRealBackendsTellWhatBecameOfLostWrites cuts off the answers of real backends:
// what they made of each write is counted as it is seconds later, and the bucket is
// not counted for it. Parts of an upload that somebody has ended at the backend are
// given back once a client comes upon that.
func TestRealBackendsTellWhatBecameOfLostWrites(t *testing.T) {
	for _, kind := range []string{"ceph", "embedded"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel() // it mostly waits
			s, k, owner, at := startLosing(t, kind)
			const bucket = "lost-answers"
			if got := s3(t, at, owner, "PUT", "/"+bucket, ""); got != 200 {
				t.Fatalf("making the bucket: %d", got)
			}
			c := s.mint(bucket + ":read,write,delete")
			as := rgwUser{key: c.AccessKeyID, secret: c.SecretAccessKey}
			s.cliJSON(nil, "quota", "scan", "losing/"+bucket, "--wait")
			s.cliJSON(nil, "quota", "set", "losing/"+bucket, "--hard", "100000")
			counted := s.quota(bucket).Usage.ScannedAt
			do := func(method, key, query, body string, want int) string {
				t.Helper()
				status, answer := s.signed(s.S3Endpoint, as, method, "/"+bucket+"/"+key, query, body, "", "")
				if status != want {
					t.Fatalf("%s %s?%s: %d %s", method, key, query, status, answer)
				}
				return answer
			}
			begin := func(key string) (query string) {
				return "uploadId=" + uploadID.FindStringSubmatch(do("POST", key, "uploads=", "", 200))[1]
			}
			part := func(n int) string { return strings.Repeat("x", n) }
			expired, ended := begin("expired"), begin("ended")
			do("PUT", "expired", "partNumber=1&"+expired, part(7000), 200)
			do("PUT", "ended", "partNumber=1&"+ended, part(900), 200)
			do("PUT", "there", "", part(3000), 200)
			complete := fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%x</ETag></Part></CompleteMultipartUpload>", md5.Sum([]byte(part(900))))
			for _, lost := range []struct {
				name, method, key, query, body string
				bytes, objects                 int64 // used then
			}{
				{"a new object", "PUT", "new", "", part(2000), 12_900, 2},
				{"one in the place of another", "PUT", "there", "", part(1000), 10_900, 2},
				{"a delete", "DELETE", "new", "", "", 8900, 1},
				{"a part", "PUT", "expired", "partNumber=2&" + expired, part(500), 9400, 1},
				{"a completion", "POST", "ended", ended, complete, 9400, 2},
			} {
				k.armed.Store(&step{method: lost.method, query: lost.query, path: "/" + bucket + "/" + lost.key, after: true, lives: true})
				if status, answer := s.signed(s.S3Endpoint, as, lost.method, "/"+bucket+"/"+lost.key, lost.query, lost.body, "", ""); status < 500 {
					t.Errorf("%s: answered with %d %s", lost.name, status, answer)
				}
				s.untilQuota(bucket, lost.name, func(q quotaShown) bool {
					return q.Usage.UnknownBytes+q.Usage.UnknownObjects == 0 && q.Usage.UsedBytes == lost.bytes && q.Usage.UsedObjects == lost.objects
				})
			}
			if got := s3Query(t, at, owner, "DELETE", "/"+bucket+"/expired", expired, ""); got != 204 {
				t.Errorf("ending the upload at the backend: %d", got)
			}
			do("PUT", "expired", "partNumber=3&"+expired, part(1), 404)
			s.untilQuota(bucket, "given back what an upload held", func(q quotaShown) bool { return q.Usage.UsedBytes == 1900 })
			if q := s.quota(bucket); !q.Usage.ScannedAt.Equal(*counted) || q.Usage.NeedsScan {
				t.Errorf("the bucket was counted, or is to be: %+v", q.Usage)
			}
			var found quotaShown
			s.cliJSON(&found, "quota", "scan", "losing/"+bucket, "--wait")
			if u := found.Usage; u.UsedBytes != 1900 || u.UsedObjects != 2 {
				t.Errorf("a count finds %+v", u)
			}
		})
	}
}
