package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBoto3 walks through every operation that works: by the bucket's own name
// within a prefix, by an alias, with a prefix as a bucket of its own, and each
// with the bucket in the host.
func TestBoto3(t *testing.T) {
	python := tool(t, "python3")
	s := start(t, t.TempDir()+"/data", "", "KEYSTILE_S3_PROXY_HOST_SUFFIXES=s3.localhost")
	for _, tt := range []struct{ name, grant, bucket, scope, style string }{
		{"by its own name, within a prefix", "uploads/team:read,list,write,delete", "uploads", "prefix", "path"},
		{"by an alias", "uploads:read,list,write,delete@inbox", "inbox", "bucket", "path"},
		{"a prefix as a bucket", "uploads/teams/a+b c:read,list,write,delete@team-a", "team-a", "bucket", "path"},
		{"by its host, within a prefix", "uploads/team:read,list,write,delete", "uploads", "prefix", "virtual"},
		{"a prefix as a bucket by its host", "uploads/teams/b:read,list,write,delete@team.b", "team.b", "bucket", "virtual"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.mint(tt.grant)
			env := append(cleanEnv(), "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey)
			endpoint := s.S3Endpoint
			if tt.style == "virtual" {
				endpoint = s.namedEndpoint()
			}
			run(t, env, "", python, "testdata/client.py", endpoint, tt.bucket, "team/", tt.scope, tt.style).want(t, 0, "ok")
		})
	}
}

// namedEndpoint is the gateway's by the name that buckets stand in front of.
func (s *server) namedEndpoint() string {
	return strings.Replace(s.S3Endpoint, "127.0.0.1", "s3.localhost", 1)
}

// TestAWSCLIVirtualHosts: the gateway stands as the client's proxy, so that no
// name has to be resolved, and targets come in absolute form.
func TestAWSCLIVirtualHosts(t *testing.T) {
	tool(t, "aws")
	dir := t.TempDir()
	s := start(t, dir+"/data", "", "KEYSTILE_S3_PROXY_HOST_SUFFIXES=s3.localhost")
	config := filepath.Join(dir, "config")
	must(t, os.WriteFile(config, []byte("[default]\nregion = us-east-1\ns3 =\n  addressing_style = virtual\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "a+b c.txt"), []byte("hello"), 0o600))
	c := s.mint("uploads/teams/a:read,list,write,delete@team-a")
	aws := func(args ...string) outcome {
		env := append(cleanEnv(), "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey,
			"AWS_CONFIG_FILE="+config, "HTTP_PROXY="+s.S3Endpoint, "http_proxy="+s.S3Endpoint, "NO_PROXY=", "no_proxy=")
		return run(t, env, "", tool(t, "aws"), append([]string{"--endpoint-url", s.namedEndpoint()}, args...)...)
	}
	aws("s3", "cp", filepath.Join(dir, "a+b c.txt"), "s3://team-a/in/", "--quiet").want(t, 0, "")
	aws("s3", "ls", "s3://team-a/in/").want(t, 0, "a+b c.txt")
	aws("s3", "ls", "s3://team-a/", "--recursive").want(t, 0, " in/a+b c.txt")
	aws("s3", "cp", "s3://team-a/in/a+b c.txt", "-").want(t, 0, "hello")
	aws("s3", "cp", "s3://team-a/in/a+b c.txt", "s3://team-a/copy", "--quiet").want(t, 0, "")
	aws("s3", "ls", "s3://uploads/").want(t, refused, "AccessDenied")
	aws("s3", "rm", "s3://team-a/", "--recursive").want(t, 0, "delete: s3://team-a/copy")
	aws("s3", "ls").want(t, 0, "team-a")
	events := s.audit("--action", "s3.proxy.putobject")
	if len(events) != 1 || events[0].Bucket != "uploads" || events[0].Key != "teams/a/in/a+b c.txt" {
		t.Errorf("recorded as %+v", events)
	}
	// What curl is told to connect to is not what it asks for.
	target := "http://uploads.s3.localhost:" + s.S3Endpoint[strings.LastIndexByte(s.S3Endpoint, ':')+1:]
	curl := run(t, cleanEnv(), "", tool(t, "curl"), "-s", "--noproxy", "*", "--resolve", target[len("http://"):]+":127.0.0.1", target+"/-/healthz")
	curl.want(t, 0, "<Key>-/healthz</Key>")
}
