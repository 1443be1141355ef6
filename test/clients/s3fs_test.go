package clients

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// s3fs mounts a bucket, where the machine lets it.
func s3fs() client {
	return client{name: "s3fs", alone: true, open: func(t *testing.T, to target) session {
		if device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
			missing(t, "a FUSE that may be used ("+err.Error()+")")
		} else {
			_ = device.Close()
		}
		secret := filepath.Join(to.Home, "passwd-s3fs")
		must(t, os.WriteFile(secret, []byte(to.AccessKeyID+":"+to.SecretAccessKey+"\n"), 0o600))
		// s3fs takes AWS_ variables before its file.
		env := slices.DeleteFunc(to.env(), func(v string) bool { return len(v) > 4 && v[:4] == "AWS_" })
		return &shell{
			command: command{program: program(t, "s3fs"), env: env, dir: to.Home, fails: refused},
			before: []string{to.Bucket, "", "-f", "-o", "passwd_file=" + secret, "-o", "url=" + to.Endpoint,
				"-o", "use_path_request_style", "-o", "endpoint=" + to.Region},
		}
	}, cases: []testCase{{"mount, write, read, rename and delete", short, mounted}}}
}

// mounted uses a bucket as a directory.
func mounted(t *trial) error {
	point := filepath.Join(t.dir, "mnt")
	if err := os.Mkdir(point, 0o700); err != nil {
		return err
	}
	s := t.client.(*shell)
	args := slices.Clone(s.before)
	args[1] = point
	log := &tail{}
	cmd := exec.CommandContext(t.ctx, s.program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		_ = exec.Command("fusermount3", "-u", "-z", point).Run()
		stopped(cmd, ended)
	}()
	if err := waitForMount(t, point, ended); err != nil {
		return fmt.Errorf("%w\n%s", err, log)
	}
	return useMount(t, point)
}

// waitForMount returns once another file system is at point.
func waitForMount(t *trial, point string, ended chan error) error {
	for range 300 {
		if exec.CommandContext(t.ctx, "mountpoint", "-q", point).Run() == nil {
			return nil
		}
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("s3fs ended: %w", errors.Join(err, errors.New("not mounted")))
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.New("not mounted in time")
}

func useMount(t *trial, point string) error {
	_, content, err := t.file(12<<20, 3)
	if err != nil {
		return err
	}
	folder := filepath.Join(point, "a folder")
	first, second := filepath.Join(folder, "grün +1.bin"), filepath.Join(folder, "renamed.bin")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(first, content, 0o600), os.Rename(first, second)); err != nil {
		return err
	}
	got, err := os.ReadFile(second)
	if err != nil {
		return err
	}
	if err := same(got, content); err != nil {
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		return fmt.Errorf("listed %v: %w", entries, errors.Join(err, errors.New("one file should be there")))
	}
	return errors.Join(os.Remove(second), os.Remove(folder))
}
