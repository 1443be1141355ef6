package e2e_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/s3test"
	"keystile/internal/sigv4"
)

// keepFull takes all space that becomes free, at once, until the function that it
// returns is called.
func (d *smallDisk) keepFull() (stop func()) {
	done := make(chan struct{})
	var filling sync.WaitGroup
	filling.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
				d.fill()
			}
		}
	})
	return func() {
		close(done)
		filling.Wait()
	}
}

// slowly begins to upload ten bytes to a key, and ends it when told; then it sends
// the answer's status, 0 if there was none.
func (s *server) slowly(c credential, path string) (end func(), status <-chan int) {
	s.t.Helper()
	body, rest := io.Pipe()
	req, err := http.NewRequest(http.MethodPut, s.S3Endpoint+path, body)
	must(s.t, err)
	req.ContentLength = 10
	must(s.t, sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3").
		Sign(http.MethodPut, path, "", req.URL.Host, req.Header, sigv4.UnsignedPayload, time.Now()))
	answers := make(chan int, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			answers <- 0
			return
		}
		_ = res.Body.Close()
		answers <- res.StatusCode
	}()
	_, err = rest.Write([]byte("begun"))
	must(s.t, err)
	return func() {
		_, _ = rest.Write([]byte("ended"))
		_ = rest.Close()
	}, answers
}

// What is kept for a full disk is given up act by act: somebody else who takes
// whatever becomes free leaves each act that takes a right away its room, and each
// write that was begun the room for its outcome.
func TestAFullDiskThatSomebodyElseKeepsFull(t *testing.T) {
	disk := newSmallDisk(t, "96m")
	data := filepath.Join(disk.dir, "data")
	s := start(t, data, "")
	password := s.Password
	s.clients = []string{"AWS_MAX_ATTEMPTS=1"}
	const acts = 4
	var victims []credential
	for range acts {
		victims = append(victims, s.mint("uploads:read"))
	}
	await(t, "the backend's probe to end", func() bool { return strings.Contains(s.asAdmin("/api/backends"), `"probed_at"`) })
	backend := s3test.New(t)
	backend.CreateBucket("load")
	run(t, append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.token), "a secret of the tests", binary, "backend", "add", "elsewhere",
		"--endpoint", backend.URL, "--access-key-id", "ELSEWHERE", "--secret-access-key-stdin").want(t, 0, "")
	await(t, "the other backend's probe to end", func() bool { return strings.Count(s.asAdmin("/api/backends"), `"probed_at"`) == 2 })
	s.BackendID = "elsewhere"
	end, status := s.slowly(s.mint("load:write"), "/load/slow")
	begun := func() []event { return s.audit("--action", "s3.proxy.putobject", "--key", "slow") }
	await(t, "an upload to be recorded as begun", func() bool { return len(begun()) == 1 })

	stop := disk.keepFull()
	await(t, "the disk to be full", func() bool { return strings.Contains(s.tells("/readyz"), `"audit":"full"`) })
	end()
	if got := <-status; got != http.StatusOK {
		t.Errorf("an upload that was begun before got %d", got)
	}
	await(t, "its outcome to be recorded", func() bool { return begun()[0].Result == "ok" })
	for _, victim := range victims {
		s.cli("credential", "revoke", victim.AccessKeyID, "--yes").want(t, 0, "")
		s.aws(victim, "s3api", "get-object", "--bucket", "uploads", "--key", "none", filepath.Join(t.TempDir(), "got")).want(t, refused, "InvalidAccessKeyId")
	}
	if status := s.signIn(password); status/100 != 2 {
		t.Errorf("signing in got %d", status)
	}
	if o := s.cli("credential", "create", "--description", "not now", "--grant", "local/uploads:read"); o.code == 0 {
		t.Errorf("minted on a full disk: %s", o.stdout)
	}
	t.Logf("after %d revocations and a sign-in: %s", acts, metric(s.tells("/metrics"), "keystile_disk_reserve_bytes"))

	stop()
	disk.free()
	await(t, "all of the reserve to be held again", func() bool {
		return strings.Contains(s.tells("/readyz"), `"audit":"recording"`) && strings.Contains(s.tells("/metrics"), "keystile_disk_reserve_held 1")
	})
	await(t, "the trail to have it all", func() bool { return len(s.audit("--action", "credential.revoke")) == acts })
	run(t, cleanEnv(), "", binary, "audit", "verify", "--data", data).want(t, 0, "")
}

// metric is the line of a metric.
func metric(all, name string) string {
	for line := range strings.Lines(all) {
		if strings.HasPrefix(line, name+" ") {
			return strings.TrimSpace(line)
		}
	}
	return name + " is not told"
}
