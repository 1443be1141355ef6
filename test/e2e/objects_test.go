package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keystile/test/ceph"
)

// onCeph is a quickstart with a Ceph beside its embedded backend, with two new
// buckets on it, and a key for all of them; locked has object lock.
func onCeph(t *testing.T) (s *server, c credential, plain, locked string) {
	t.Helper()
	cluster := ceph.Start(t)
	s = start(t, t.TempDir()+"/data", "")
	env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.token)
	run(t, env, cluster.SecretAccessKey, binary, "backend", "add", "ceph", "--endpoint", cluster.Endpoint, "--region", "default",
		"--access-key-id", cluster.AccessKeyID, "--secret-access-key-stdin").want(t, 0, "ceph")
	suffix := strings.ToLower(rand.Text())
	plain, locked = "plain-"+suffix, "locked-"+suffix
	direct := append(cleanEnv(), "AWS_ACCESS_KEY_ID="+cluster.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+cluster.SecretAccessKey, "AWS_DEFAULT_REGION=us-east-1")
	for bucket, args := range map[string][]string{plain: nil, locked: {"--object-lock-enabled-for-bucket"}} {
		args = append([]string{"--endpoint-url", cluster.Endpoint, "s3api", "create-bucket", "--bucket", bucket}, args...)
		run(t, direct, "", tool(t, "aws"), args...).want(t, 0, "")
	}
	s.cliJSON(&c, "credential", "create", "--description", "for a test",
		"--grant", s.BackendID+"/uploads:read,list,write,delete",
		"--grant", "ceph/"+plain+":read,list,write,delete,acl",
		"--grant", "ceph/"+locked+":read,list,write,delete")
	return s, c, plain, locked
}

func TestACLsOnCephShowTheTenantAsOwner(t *testing.T) {
	s, c, plain, locked := onCeph(t)
	api := func(args ...string) outcome { return s.aws(c, append([]string{"s3api"}, args...)...) }
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("hello"), 0o600))
	api("put-object", "--bucket", plain, "--key", "a", "--body", file).want(t, 0, "ETag")
	shown := api("get-object-acl", "--bucket", plain, "--key", "a")
	var policy struct {
		Owner  struct{ ID, DisplayName string }
		Grants []struct {
			Grantee    struct{ ID string }
			Permission string
		}
	}
	must(t, json.Unmarshal([]byte(shown.stdout), &policy))
	if policy.Owner.DisplayName != c.AccessKeyID || len(policy.Grants) != 1 || policy.Grants[0].Grantee.ID != policy.Owner.ID {
		t.Errorf("shown: %s", shown.stdout)
	}
	list := []string{"get-object-acl", "--bucket", plain, "--key", "a", "--query", "Grants[].Permission", "--output", "text"}
	api("put-object-acl", "--bucket", plain, "--key", "a", "--acl", "public-read").want(t, 0, "")
	api(list...).want(t, 0, "READ\tFULL_CONTROL")
	api("put-object-acl", "--bucket", plain, "--key", "a", "--access-control-policy", shown.stdout).want(t, 0, "")
	if o := api(list...); strings.TrimSpace(o.stdout) != "FULL_CONTROL" {
		t.Errorf("after putting back what was shown: %s", o.stdout)
	}
	api("put-object", "--bucket", locked, "--key", "a", "--acl", "public-read").want(t, refused, "AccessDenied")
	api("get-object-acl", "--bucket", locked, "--key", "a").want(t, refused, "AccessDenied")
}

func TestLocksOnCeph(t *testing.T) {
	s, c, _, locked := onCeph(t)
	api := func(args ...string) outcome {
		return s.aws(c, append([]string{"s3api", args[0], "--bucket", locked, "--key", "a"}, args[1:]...)...)
	}
	api("put-object").want(t, 0, "ETag")
	api("put-object-legal-hold", "--legal-hold", "Status=ON").want(t, 0, "")
	api("get-object-legal-hold").want(t, 0, `"ON"`)
	api("put-object-legal-hold", "--legal-hold", "Status=OFF").want(t, 0, "")
	api("put-object-retention", "--retention", "Mode=GOVERNANCE,RetainUntilDate=2090-01-01T00:00:00Z").want(t, 0, "")
	api("get-object-retention").want(t, 0, "2090-01-01")
	api("put-object-retention", "--retention", "Mode=GOVERNANCE,RetainUntilDate=2080-01-01T00:00:00Z", "--bypass-governance-retention").
		want(t, refused, "AccessDenied")
	api("get-object-retention").want(t, 0, "2090-01-01")
}

// TestCopiesBetweenBackends: what aws-cli copies in one request and in parts,
// both ways.
func TestCopiesBetweenBackends(t *testing.T) {
	s, c, plain, _ := onCeph(t)
	file := filepath.Join(t.TempDir(), "file")
	data := make([]byte, 20<<20)
	_, _ = rand.Read(data)
	must(t, os.WriteFile(file, data, 0o600))
	s.aws(c, "s3", "cp", file, "s3://uploads/big", "--metadata", "colour=red", "--no-progress").want(t, 0, "upload")
	s.aws(c, "s3", "cp", "s3://uploads/big", "s3://"+plain+"/parts", "--no-progress").want(t, 0, "copy")
	s.aws(c, "s3api", "copy-object", "--bucket", plain, "--key", "whole", "--copy-source", "uploads/big").want(t, 0, "CopyObjectResult")
	s.aws(c, "s3api", "head-object", "--bucket", plain, "--key", "whole").want(t, 0, `"colour": "red"`)
	s.aws(c, "s3api", "copy-object", "--bucket", "uploads", "--key", "back", "--copy-source", plain+"/whole").want(t, 0, "CopyObjectResult")
	for _, source := range []string{plain + "/parts", plain + "/whole", "uploads/back"} {
		got := filepath.Join(t.TempDir(), "got")
		s.aws(c, "s3", "cp", "s3://"+source, got, "--no-progress").want(t, 0, "download")
		if copied, err := os.ReadFile(got); err != nil || string(copied) != string(data) {
			t.Errorf("%s is not what was copied: %d bytes, %v", source, len(copied), err)
		}
	}
	if e := s.audit("--action", "s3.proxy.uploadpartcopy"); len(e) == 0 || e[0].Result != "ok" {
		t.Errorf("recorded: %+v", e)
	}
}
