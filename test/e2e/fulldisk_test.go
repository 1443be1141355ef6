package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk is a file system of its own that can be filled.
type smallDisk struct {
	t   *testing.T
	dir string
}

func newSmallDisk(t *testing.T, size string) *smallDisk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("a file system cannot be mounted: %v", err)
		}
		t.Skipf("SKIPPED, NOT TESTED: a file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return &smallDisk{t, dir}
}

func (d *smallDisk) filler() string { return filepath.Join(d.dir, "filler") }

// fill takes all space there is.
func (d *smallDisk) fill() {
	d.t.Helper()
	f, err := os.OpenFile(d.filler(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(d.t, err)
	defer f.Close()
	for piece := 1 << 20; piece > 0; {
		if _, err := f.Write(make([]byte, piece)); errors.Is(err, syscall.ENOSPC) {
			piece /= 2
		} else {
			must(d.t, err)
		}
	}
}

func (d *smallDisk) free() { d.t.Helper(); must(d.t, os.Remove(d.filler())) }

// tells reads a page of the dashboard's listener that needs no sign-in.
func (s *server) tells(path string) string {
	s.t.Helper()
	res, err := http.Get(s.DashboardURL + path)
	must(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(s.t, err)
	return string(body)
}

// asAdmin reads from the API with the first account's token.
func (s *server) asAdmin(path string) string {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.DashboardURL+path, nil)
	must(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := http.DefaultClient.Do(req)
	must(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(s.t, err)
	return string(body)
}

// signIn tries the first account's password.
func (s *server) signIn(password string) int {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"username": "admin", "password": password})
	must(s.t, err)
	req, err := http.NewRequest(http.MethodPost, s.DashboardURL+"/api/session", bytes.NewReader(body))
	must(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", s.DashboardURL)
	res, err := http.DefaultClient.Do(req)
	must(s.t, err)
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode/100 != 2 {
		s.t.Logf("sign-in: %d %s", res.StatusCode, answer)
	}
	return res.StatusCode
}

// On a full disk writes are refused and reads go on; people sign in and keys are
// revoked. When there is room, all goes on by itself, and nothing is missing.
func TestAFullDisk(t *testing.T) {
	disk := newSmallDisk(t, "96m")
	data := filepath.Join(disk.dir, "data")
	s := start(t, data, "")
	password := s.Password
	s.clients = []string{"AWS_MAX_ATTEMPTS=1"}
	writer, victim, next := s.mint("uploads:read,write,list"), s.mint("uploads:read"), s.mint("uploads:read")
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("hello"), 0o600))
	put := func(key string) outcome {
		return s.aws(writer, "s3api", "put-object", "--bucket", "uploads", "--key", key, "--body", file)
	}
	get := func(c credential) outcome {
		return s.aws(c, "s3api", "get-object", "--bucket", "uploads", "--key", "before", file+".got")
	}
	put("before").want(t, 0, "ETag")
	// What the probe stores is deleted at its end, which would make room again.
	await(t, "the backend's probe to end", func() bool { return strings.Contains(s.asAdmin("/api/backends"), `"probed_at"`) })

	await(t, "the disk to be full", func() bool {
		disk.fill()
		return strings.Contains(s.tells("/readyz"), `"audit":"full"`)
	})
	put("while-full").want(t, refused, "ServiceUnavailable")
	get(victim).want(t, 0, "ETag")
	if o := s.cli("credential", "create", "--description", "not now", "--grant", "local/uploads:read"); o.code == 0 {
		t.Errorf("minted on a full disk: %s", o.stdout)
	}
	if got := s.tells("/readyz"); !strings.Contains(got, `"status":"ready"`) || !strings.Contains(got, `"audit":"full"`) {
		t.Errorf("readyz: %s", got)
	}
	var facts struct {
		AuditJournal string `json:"audit_journal"`
	}
	must(t, json.Unmarshal([]byte(s.asAdmin("/api/server")), &facts))
	if facts.AuditJournal != "full" {
		t.Errorf("the dashboard is told %q", facts.AuditJournal)
	}
	if !strings.Contains(s.tells("/metrics"), "keystile_audit_writable 0") {
		t.Error("the metrics do not tell")
	}
	if status := s.signIn(password); status/100 != 2 {
		t.Errorf("signing in got %d", status)
	}
	s.cli("credential", "revoke", victim.AccessKeyID, "--yes").want(t, 0, "")
	get(victim).want(t, refused, "InvalidAccessKeyId") // it cannot be recorded, and changes nothing
	get(writer).want(t, 0, "ETag")
	put("while-full").want(t, refused, "ServiceUnavailable")

	// A server that starts on the full disk does the same: what is left of the
	// reserve that was given up is for what must go through.
	s.kill()
	token := s.token
	s = start(t, data, token)
	s.clients = []string{"AWS_MAX_ATTEMPTS=1"}
	get(writer).want(t, 0, "ETag")
	s.cli("credential", "revoke", next.AccessKeyID, "--yes").want(t, 0, "")
	get(next).want(t, refused, "InvalidAccessKeyId")
	put("while-full").want(t, refused, "ServiceUnavailable")

	disk.free()
	await(t, "what was not recorded to be told", func() bool {
		events := s.audit("--action", "audit.incomplete")
		return len(events) == 2 && events[0].Result == "error" && events[1].Result == "unknown" && events[0].Detail.Count > 0
	})
	await(t, "refusals to be recorded again", func() bool {
		get(victim).want(t, refused, "InvalidAccessKeyId")
		return len(s.audit("--action", "s3.proxy.getobject", "--access-key-id", victim.AccessKeyID, "--result", "denied")) > 0
	})
	await(t, "writes to go on", func() bool { return put("after").code == 0 })
	await(t, "the alarms to end", func() bool {
		return strings.Contains(s.tells("/readyz"), `"audit":"recording"`) && strings.Contains(s.tells("/metrics"), "keystile_disk_reserve_held 1")
	})
	if o := s.aws(writer, "s3api", "list-objects-v2", "--bucket", "uploads"); strings.Contains(o.stdout, "while-full") {
		t.Errorf("a refused write was stored: %s", o.stdout)
	}
	await(t, "the trail to have it all", func() bool {
		return len(s.audit("--action", "credential.revoke")) == 2 && len(s.audit("--action", "session.create")) >= 1 &&
			len(s.audit("--action", "s3.proxy.putobject")) >= 2
	})
	for _, e := range s.audit("--action", "s3.proxy.putobject") {
		if e.Result == "unknown" {
			t.Errorf("without an outcome: %+v", e)
		}
	}
	run(t, cleanEnv(), "", binary, "audit", "verify", "--data", data).want(t, 0, "")
}
