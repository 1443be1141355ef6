package e2e_test

import (
	"testing"
)

// TestBoto3 walks through every operation that works, by the bucket's own name
// within a prefix, and by an alias.
func TestBoto3(t *testing.T) {
	python := tool(t, "python3")
	s := start(t, t.TempDir()+"/data", "")
	for _, tt := range []struct{ name, grant, bucket, scope string }{
		{"by its own name, within a prefix", "uploads/team:read,list,write,delete", "uploads", "prefix"},
		{"by an alias", "uploads:read,list,write,delete@inbox", "inbox", "bucket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.mint(tt.grant)
			env := append(cleanEnv(), "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey)
			run(t, env, "", python, "testdata/client.py", s.S3Endpoint, tt.bucket, "team/", tt.scope).want(t, 0, "ok")
		})
	}
}
