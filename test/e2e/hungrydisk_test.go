package e2e_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
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

// What is kept for a full disk is given up act by act: somebody else who takes
// whatever becomes free leaves each act that takes a right away its room.
func TestAFullDiskThatSomebodyElseKeepsFull(t *testing.T) {
	disk := newSmallDisk(t, "96m")
	data := filepath.Join(disk.dir, "data")
	s := start(t, data, "")
	password := s.Password
	s.clients = []string{"AWS_MAX_ATTEMPTS=1"}
	const acts = 6
	var victims []credential
	for range acts {
		victims = append(victims, s.mint("uploads:read"))
	}
	await(t, "the backend's probe to end", func() bool { return strings.Contains(s.asAdmin("/api/backends"), `"probed_at"`) })
	stop := disk.keepFull()
	await(t, "the disk to be full", func() bool { return strings.Contains(s.tells("/readyz"), `"audit":"full"`) })
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
