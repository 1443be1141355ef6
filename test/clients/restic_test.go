package clients

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// restic keeps a repository of its own making in a bucket: it is tried with a
// backup's life, not with objects.
func restic() client {
	return client{name: "restic", alone: true, open: func(t *testing.T, to target) session {
		s := &shell{command: command{program: program(t, "restic"), dir: to.Home, fails: refused,
			env: to.env("RESTIC_PASSWORD=of the tests", "RESTIC_REPOSITORY=s3:"+to.Endpoint+"/"+to.Bucket+"/backups")}}
		if to.CA != "" {
			s.before = []string{"--cacert", to.CA}
		}
		return s
	}, cases: []testCase{{"backup, check and restore", short, backup}}}
}

// shell is a session of a client that has cases of its own.
type shell struct {
	command
	before []string // arguments of every run
}

func (s *shell) do(context.Context, call) (reply, error) { return reply{}, errCannot }

// run runs the client of a trial that has cases of its own.
func (t *trial) run(args ...string) error {
	s := t.client.(*shell)
	if _, err := s.command.run(t.ctx, append(s.before, args...)...); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return nil
}

func backup(t *trial) error {
	from, back := filepath.Join(t.dir, "from"), filepath.Join(t.dir, "back")
	all := map[string][]byte{}
	if err := os.MkdirAll(from, 0o700); err != nil {
		return err
	}
	for i, size := range []int{0, 11, 1 << 20, 20 << 20} {
		path, content, err := t.file(size, uint64(i))
		if err != nil {
			return err
		}
		name := fmt.Sprintf("file %d +ü.bin", i)
		all[name] = content
		if err := os.Rename(path, filepath.Join(from, name)); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"init"}, {"backup", from}, {"backup", from}, {"check", "--read-data"}, {"snapshots"},
		{"forget", "--keep-last", "1", "--prune"}, {"restore", "latest", "--target", back},
	} {
		if err := t.run(args...); err != nil {
			return err
		}
	}
	for name, want := range all {
		got, err := os.ReadFile(filepath.Join(back, from, name))
		if err != nil {
			return err
		}
		if err := same(got, want); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
