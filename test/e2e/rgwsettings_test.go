package e2e_test

import (
	"testing"
)

// TestRGWOwnBucketsByBoto3: what a user may set on its own buckets through the
// gateway, at every kind of home.
func TestRGWOwnBucketsByBoto3(t *testing.T) {
	python := tool(t, "python3")
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, _ := startRGW(t, kind, "")
			own, other := s.user("own"), s.user("other")
			env := append(cleanEnv(), "OWN_KEY="+own.key, "OWN_SECRET="+own.secret, "OTHER_KEY="+other.key, "OTHER_SECRET="+other.secret)
			run(t, env, "", python, "testdata/ownbucket.py", s.S3Endpoint, "own-"+own.id[:13], kind).want(t, 0, "ok")
			for _, action := range []string{"putbucketversioning", "putbuckettagging", "putbucketacl", "putbucketcors"} {
				if events := s.audit("--action", "s3.proxy."+action); len(events) < 2 {
					t.Errorf("%s: %d events, want those of the owner and of the refusal", action, len(events))
				}
			}
		})
	}
}
