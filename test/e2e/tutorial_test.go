package e2e_test

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTutorial is what a newcomer does in the first five minutes.
func TestTutorial(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data, "")
	if s.Password == "" || s.APIToken == "" || s.Username == "" || strings.Join(s.Buckets, " ") != "reports uploads" && strings.Join(s.Buckets, " ") != "uploads reports" {
		t.Fatalf("the first run prints %+v", s.ready)
	}
	c := s.mint("uploads:read,list,write,delete", "reports/2026:read,list")

	t.Run("lists only its own buckets", func(t *testing.T) {
		s.cliJSON(nil, "bucket", "create", s.BackendID+"/other")
		o := s.aws(c, "s3", "ls")
		o.want(t, 0, "uploads")
		if !strings.Contains(o.stdout, "reports") || strings.Contains(o.stdout, "other") {
			t.Errorf("listed:\n%s", o.stdout)
		}
	})
	t.Run("copies small and large files up and down", func(t *testing.T) { s.roundTrips(t, c) })
	t.Run("is refused elsewhere", func(t *testing.T) {
		s.aws(c, "s3", "ls", "s3://other").want(t, refused, "AccessDenied")
		s.aws(c, "s3", "ls", "s3://nosuch").want(t, refused, "AccessDenied")
		s.aws(c, "s3api", "get-object", "--bucket", "reports", "--key", "2025/a.csv", os.DevNull).want(t, refused, "AccessDenied")
		s.aws(c, "s3api", "put-object", "--bucket", "reports", "--key", "2026/x").want(t, refused, "AccessDenied")
		s.aws(c, "s3", "mb", "s3://mine").want(t, refused, "AccessDenied")
	})
	t.Run("leaves a trail", func(t *testing.T) { s.trail(t, c) })
	t.Run("the secret is nowhere", func(t *testing.T) { s.secretIsNowhere(t, c) })
	t.Run("changes and dies at once", func(t *testing.T) { s.lifecycle(t, c) })
	t.Run("opens a bucket to anonymous reads", s.anonymous)

	s.interrupt()
	checkModes(t, data)
	again := start(t, data, s.token)
	if again.Password != "" || again.APIToken != "" {
		t.Error("the second run shows secrets again")
	}
	kept := again.mint("uploads:read,list")
	again.aws(kept, "s3", "ls", "s3://uploads/").want(t, 0, "small.txt")
	again.aws(c, "s3", "ls").want(t, refused, "InvalidAccessKeyId")
	again.interrupt()
}

func (s *server) roundTrips(t *testing.T, c credential) {
	for name, size := range map[string]int{"small.txt": 11, "empty.txt": 0, "large.bin": 64 << 20} {
		dir := t.TempDir()
		content := make([]byte, size)
		_, _ = rand.Read(content)
		up, down := filepath.Join(dir, "up"), filepath.Join(dir, "down")
		must(t, os.WriteFile(up, content, 0o600))
		s.aws(c, "s3", "cp", "--only-show-errors", up, "s3://uploads/"+name).want(t, 0, "")
		s.aws(c, "s3", "cp", "--only-show-errors", "s3://uploads/"+name, down).want(t, 0, "")
		got, err := os.ReadFile(down)
		must(t, err)
		if !bytes.Equal(got, content) {
			t.Errorf("%s came back with other bytes", name)
		}
	}
}

func (s *server) trail(t *testing.T, c credential) {
	puts := s.audit("--action", "s3.proxy.putobject", "--access-key-id", c.AccessKeyID, "--result", "ok")
	if len(puts) != 2 || puts[0].Bucket != "uploads" || puts[0].Backend != s.BackendID || !puts[0].Detail.Authenticated {
		t.Errorf("writes: %+v", puts)
	}
	denied := s.audit("--action", "s3.proxy.", "--result", "denied", "--access-key-id", c.AccessKeyID)
	if len(denied) != 5 {
		t.Errorf("%d refusals: %+v", len(denied), denied)
	}
	for _, e := range denied {
		if e.Detail.Code != "AccessDenied" || e.Status != 403 || e.RequestID == "" {
			t.Errorf("a refusal: %+v", e)
		}
	}
	if reads := s.audit("--action", "s3.proxy.getobject", "--result", "ok"); len(reads) != 0 {
		t.Errorf("successful reads are recorded: %+v", reads)
	}
	for _, action := range []string{"credential.create", "bucket.create"} {
		if len(s.audit("--action", action)) == 0 {
			t.Errorf("no event %s", action)
		}
	}
	two := s.audit("--limit", "2")
	if len(two) != 2 || two[0].Time.Before(two[1].Time) {
		t.Errorf("not newest first: %+v", two)
	}
}

func (s *server) secretIsNowhere(t *testing.T, c credential) {
	for _, o := range []outcome{
		s.cli("credential", "list", "--output", "json"), s.cli("credential", "show", c.AccessKeyID, "--output", "json"),
		s.cli("audit", "list", "--output", "json", "--limit", "1000"),
	} {
		if strings.Contains(o.stdout+o.stderr, c.SecretAccessKey) {
			t.Error("the API shows the secret again")
		}
	}
	if strings.Contains(s.stderr.String(), c.SecretAccessKey) || strings.Contains(s.stderr.String(), s.token) {
		t.Error("a secret is in the log")
	}
	must(t, filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, secret := range []string{c.SecretAccessKey, s.token, s.Password} {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("a secret is in clear in %s", path)
			}
		}
		return err
	}))
}

func (s *server) lifecycle(t *testing.T, c credential) {
	list := func(c credential) outcome { return s.aws(c, "s3", "ls", "s3://uploads/") }
	list(c).want(t, 0, "small.txt")

	s.cliJSON(nil, "credential", "disable", c.AccessKeyID)
	list(c).want(t, refused, "InvalidAccessKeyId")
	s.cliJSON(nil, "credential", "enable", c.AccessKeyID)
	list(c).want(t, 0, "small.txt")

	var edited credential
	s.cliJSON(&edited, "credential", "edit", c.AccessKeyID, "--description", "narrower", "--grant", s.BackendID+"/reports:read")
	if edited.Description != "narrower" || edited.SecretAccessKey != "" {
		t.Errorf("edited: %+v", edited)
	}
	list(c).want(t, refused, "AccessDenied")
	s.cliJSON(nil, "credential", "edit", c.AccessKeyID, "--grant", s.BackendID+"/uploads:read,list")
	list(c).want(t, 0, "small.txt")

	var rotated credential
	s.cliJSON(&rotated, "credential", "rotate", c.AccessKeyID, "--overlap", "1h")
	if rotated.AccessKeyID != c.AccessKeyID || rotated.SecretAccessKey == c.SecretAccessKey || rotated.SecretAccessKey == "" {
		t.Errorf("rotated: %+v", rotated)
	}
	list(c).want(t, 0, "small.txt")
	list(rotated).want(t, 0, "small.txt")
	var last credential
	s.cliJSON(&last, "credential", "rotate", c.AccessKeyID)
	list(c).want(t, refused, "SignatureDoesNotMatch")
	list(rotated).want(t, refused, "SignatureDoesNotMatch")
	list(last).want(t, 0, "small.txt")

	s.cliJSON(nil, "credential", "revoke", c.AccessKeyID, "--yes")
	list(last).want(t, refused, "InvalidAccessKeyId")
	s.cli("credential", "enable", c.AccessKeyID).want(t, 1, "")
	if e := s.audit("--action", "credential.revoke"); len(e) != 1 || e[0].Result != "ok" {
		t.Errorf("the revocation is recorded as %+v", e)
	}
}

func (s *server) anonymous(t *testing.T) {
	s.cliJSON(nil, "anonymous", "add", s.BackendID+"/uploads", "--name", "public", "--mode", "read-list")
	s.cli("anonymous", "add", s.BackendID+"/reports", "--name", "public").want(t, 1, "")
	nobody := func(args ...string) outcome {
		return run(t, cleanEnv(), "", tool(t, "aws"),
			append([]string{"--no-sign-request", "--region", "us-east-1", "--endpoint-url", s.S3Endpoint}, args...)...)
	}
	nobody("s3", "ls", "s3://public/").want(t, 0, "small.txt")
	nobody("s3", "cp", "s3://public/small.txt", filepath.Join(t.TempDir(), "x")).want(t, 0, "download")
	nobody("s3", "ls", "s3://uploads/").want(t, refused, "AccessDenied")
	nobody("s3", "rm", "s3://public/small.txt").want(t, refused, "AccessDenied")
	nobody("s3", "ls").want(t, refused, "AccessDenied")
	curl := func(path string) outcome {
		return run(t, cleanEnv(), "", tool(t, "curl"), "-sS", "-o", os.DevNull, "-w", "%{http_code}", s.S3Endpoint+path)
	}
	curl("/public/small.txt").want(t, 0, "200")
	s.cliJSON(nil, "anonymous", "remove", "public", "--yes")
	curl("/public/small.txt").want(t, 0, "403")
}

// checkModes makes sure that nobody else can read the data.
func checkModes(t *testing.T, dir string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 && info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return nil
	}))
}
