package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCapOnVersionedBuckets fills a versioned bucket to its cap: every version
// counts, a delete marker frees nothing, a deleted version its size at once.
func TestCapOnVersionedBuckets(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, cluster := startRGW(t, kind, "")
			// Of a Ceph the backend's own key counts, so that it owns the bucket; elsewhere a user does.
			owner, at := rgwUser{key: cluster.AccessKeyID, secret: cluster.SecretAccessKey}, cluster.Endpoint
			if kind != "ceph" {
				owner, at = s.user("versions"), s.S3Endpoint
			}
			const bucket = "capped-versions"
			if got := s3(t, at, owner, "PUT", "/"+bucket, ""); got != 200 {
				t.Fatalf("creating the bucket: %d", got)
			}
			if got := s3Query(t, at, owner, "PUT", "/"+bucket, "versioning=", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"); got != 200 {
				t.Fatalf("enabling versions: %d", got)
			}
			name := s.backend + "/" + bucket
			var c credential
			s.cliJSON(&c, "credential", "create", "--description", "versions", "--grant", name+":read,list,write,delete")
			s.cliJSON(nil, "quota", "scan", name, "--wait")
			s.cliJSON(nil, "quota", "set", name, "--hard", "30000")
			as := rgwUser{key: c.AccessKeyID, secret: c.SecretAccessKey}
			put := func(key string, size, want int) {
				t.Helper()
				if got := s3(t, s.S3Endpoint, as, "PUT", "/"+bucket+"/"+key, strings.Repeat("x", size)); got != want {
					t.Errorf("PUT of %d bytes to %s: %d, want %d", size, key, got, want)
				}
			}
			for range 3 {
				put("k", 10_000, 200)
			}
			put("k", 1, 507)
			if got := s3(t, s.S3Endpoint, as, "DELETE", "/"+bucket+"/k", ""); got != 204 {
				t.Errorf("DELETE: %d", got)
			}
			put("k", 1, 507)
			var versions []string
			listed := s.aws(c, "s3api", "list-object-versions", "--bucket", bucket, "--query", "Versions[].VersionId", "--output", "json")
			must(t, json.Unmarshal([]byte(listed.stdout), &versions))
			if len(versions) != 3 {
				t.Fatalf("%d versions are there: %s", len(versions), listed.stderr)
			}
			if got := s3Query(t, s.S3Endpoint, as, "DELETE", "/"+bucket+"/k", "versionId="+versions[2], ""); got != 204 {
				t.Errorf("DELETE of a version: %d", got)
			}
			put("other", 10_001, 507)
			put("other", 10_000, 200)
			put("other", 1, 507)
			var q quotaShown
			s.cliJSON(&q, "quota", "scan", name, "--wait")
			if u := q.Usage; u.UsedBytes != 30_000 || u.UsedObjects != 3 || u.ReservedBytes+u.UnknownBytes != 0 {
				t.Errorf("counted %+v", u)
			}
		})
	}
}
