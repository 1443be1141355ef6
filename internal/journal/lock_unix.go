//go:build linux || darwin

package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrLocked: another process writes this journal.
var ErrLocked = errors.New("the audit journal is in use by another keystile process")

// lock is dropped by the kernel when the process ends, however it ends.
func lock(name string) (release func() error, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f.Close, nil
}
