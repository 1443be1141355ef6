package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// failingDisk is a file system on a block device of its own, which can be made to
// fail what is written: reads and what was written before are not touched.
type failingDisk struct {
	t      *testing.T
	dir    string
	device *os.File
	status *unix.LoopInfo64
}

func newFailingDisk(t *testing.T, dir string) *failingDisk {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 96<<20))
	cannot := func(what string, err error) {
		t.Helper()
		if os.Getenv("CI") != "" {
			t.Fatalf("%s: %v", what, err)
		}
		t.Skipf("SKIPPED, NOT TESTED: %s: %v", what, err)
	}
	if out, err := exec.Command("mkfs.ext2", "-q", "-F", image).CombinedOutput(); err != nil {
		cannot("a file system cannot be made: "+string(out), err)
	}
	out, err := exec.Command("losetup", "--find", "--show", image).CombinedOutput()
	if err != nil {
		cannot("there is no loop device: "+string(out), err)
	}
	name := strings.TrimSpace(string(out))
	t.Cleanup(func() { _ = exec.Command("losetup", "--detach", name).Run() })
	d := &failingDisk{t: t, dir: dir}
	d.device, err = os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	t.Cleanup(func() { _ = d.device.Close() })
	d.status, err = unix.IoctlLoopGetStatus64(int(d.device.Fd()))
	must(t, err)
	must(t, os.MkdirAll(dir, 0o700))
	if err := syscall.Mount(name, dir, "ext2", 0, "errors=continue"); err != nil {
		cannot("the file system cannot be mounted", err)
	}
	t.Cleanup(func() { d.limit(0); _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return d
}

// limit ends the device after so many bytes; 0: where its file ends. What the
// kernel is to write behind that fails.
func (d *failingDisk) limit(bytes uint64) {
	d.t.Helper()
	d.status.Sizelimit = bytes
	must(d.t, unix.IoctlLoopSetStatus64(int(d.device.Fd()), d.status))
}

// While the journal's disk takes nothing, writes are refused and reads go on; who
// is refused hears why; people sign in. When it works again all goes on by itself,
// nothing that was acknowledged is missing, and the trail tells what it lacks.
func TestAFailingDisk(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	disk := newFailingDisk(t, filepath.Join(data, "journal"))
	s := start(t, data, "")
	s.clients = []string{"AWS_MAX_ATTEMPTS=1"}
	writer, victim := s.mint("uploads:read,write,list"), s.mint("uploads:read")
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("hello"), 0o600))
	put := func(key string) outcome {
		return s.aws(writer, "s3api", "put-object", "--bucket", "uploads", "--key", key, "--body", file)
	}
	get := func(c credential) outcome {
		return s.aws(c, "s3api", "get-object", "--bucket", "uploads", "--key", "before", file+".got")
	}
	put("before").want(t, 0, "ETag")

	disk.limit(64 << 10)
	await(t, "the disk to be noticed", func() bool {
		put("while-failing")
		return strings.Contains(s.tells("/readyz"), `"audit":"failing"`)
	})
	put("while-failing").want(t, refused, "ServiceUnavailable")
	get(writer).want(t, 0, "ETag")
	if status := s.signIn(s.Password); status/100 != 2 {
		t.Errorf("signing in got %d", status)
	}
	s.cli("credential", "revoke", victim.AccessKeyID, "--yes").want(t, 0, "")
	get(victim).want(t, refused, "InvalidAccessKeyId")
	if !strings.Contains(s.tells("/metrics"), "keystile_audit_writable 0") {
		t.Error("the metrics do not tell")
	}

	disk.limit(0)
	await(t, "writes to go on", func() bool { return put("after").code == 0 })
	await(t, "the trail to have it all", func() bool {
		incomplete := s.audit("--action", "audit.incomplete")
		return len(incomplete) == 1 && incomplete[0].Detail.Count > 0 && incomplete[0].Result == "error" &&
			len(s.audit("--action", "credential.revoke")) == 1 && len(s.audit("--action", "session.create")) >= 1
	})
	if o := s.aws(writer, "s3api", "list-objects-v2", "--bucket", "uploads"); strings.Contains(o.stdout, "while-failing") {
		t.Errorf("a refused write was stored: %s", o.stdout)
	}
	acknowledged := map[string]bool{}
	for _, e := range s.audit("--action", "s3.proxy.putobject") {
		acknowledged[e.Key] = e.Result == "ok"
	}
	if !acknowledged["before"] || !acknowledged["after"] {
		t.Errorf("acknowledged writes are missing: %v", acknowledged)
	}
	run(t, cleanEnv(), "", binary, "audit", "verify", "--data", data).want(t, 0, "")
}
