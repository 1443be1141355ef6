// Package ceph gives tests a real Ceph RGW: a throwaway cluster of this machine
// alone, which keeps everything in memory and ends with the test's process.
package ceph

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Cluster is a running Ceph with one S3 user, who may also use the Admin Ops
// API.
type Cluster struct {
	Endpoint        string // http://127.0.0.1:port
	AccessKeyID     string
	SecretAccessKey string
	AdminUID        string // of that user
}

// Start returns the cluster of this process; the first call brings it up, in a
// few seconds. It is shared by all tests of the process: use buckets of your
// own. Where Ceph is not installed the test is skipped and says so; with CI set
// it fails.
func Start(t testing.TB) Cluster {
	t.Helper()
	c, err := once()
	switch {
	case err == nil:
		return c.Cluster
	case errors.Is(err, errNotInstalled) && os.Getenv("CI") == "":
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	default:
		t.Fatal(err)
	}
	return Cluster{}
}

var errNotInstalled = errors.New("Ceph is not installed (make ceph)") //nolint:staticcheck // a name

// running is a cluster and what keeps it up.
type running struct {
	Cluster
	stdin io.Closer // of the script: its end is the cluster's
}

var once = sync.OnceValues(start)

// start runs ceph.sh, which stays as long as this process keeps its standard
// input open.
func start() (running, error) {
	for _, program := range []string{"ceph-mon", "ceph-osd", "radosgw", "radosgw-admin"} {
		if _, err := exec.LookPath(program); err != nil {
			return running{}, errNotInstalled
		}
	}
	script, err := findScript()
	if err != nil {
		return running{}, err
	}
	dir := filepath.Join(os.TempDir(), "keystile-ceph-"+strings.ToLower(rand.Text()))
	cmd := exec.CommandContext(context.Background(), script, "run", dir)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return running{}, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return running{}, err
	}
	if err := cmd.Start(); err != nil {
		return running{}, err
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "ready\n" {
		_ = cmd.Wait()
		return running{}, fmt.Errorf("the Ceph did not come up (see %s): %s", dir, &complaints)
	}
	c, err := read(filepath.Join(dir, "admin.env"))
	return running{c, stdin}, err
}

// findScript looks upwards: tests run in the directory of their package.
func findScript() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		script := filepath.Join(dir, "test", "ceph", "ceph.sh")
		if _, err := os.Stat(script); err == nil {
			return script, nil
		}
	}
	return "", errors.New("test/ceph/ceph.sh was not found")
}

func read(file string) (Cluster, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return Cluster{}, err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[name] = value
	}
	return Cluster{
		Endpoint: values["CEPH_ENDPOINT"], AccessKeyID: values["CEPH_ACCESS_KEY_ID"],
		SecretAccessKey: values["CEPH_SECRET_ACCESS_KEY"], AdminUID: values["CEPH_ADMIN_UID"],
	}, nil
}
