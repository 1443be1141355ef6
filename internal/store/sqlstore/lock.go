//go:build linux || darwin

package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ErrLocked: another process serves from the database.
var ErrLocked = errors.New("the database is in use by another keystile process")

// Lock makes the caller the one process that serves from the SQLite file at
// path, by an advisory lock (flock) on path + ".lock" that the kernel drops when
// the process ends, however it ends. A second one is ErrLocked. Programs that
// only administer open the database without it. The lock file stays: removing it
// would let two processes lock two files of the same name.
func Lock(path string) (release func() error, err error) {
	path, err = realPath(path)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	name := path + ".lock"
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := flock(f); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f.Close, nil
}

// waitLock locks a directory among those who call this, and waits for its turn.
func waitLock(ctx context.Context, dir string) (release func() error, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	for {
		err := flock(d)
		if err == nil {
			return d.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), d.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, ctx.Err()), d.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// flock tries again when a signal came in between.
func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// realPath follows a symbolic link at path, so that one database has one lock.
// The file itself need not exist yet.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, os.ErrNotExist) {
		return filepath.Abs(path)
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}
