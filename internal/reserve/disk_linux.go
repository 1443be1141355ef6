package reserve

import (
	"errors"
	"os"
	"syscall"
)

// allocate makes a file longer by more bytes, which the disk then has for it.
func allocate(f *os.File, from, more int64) error {
	for {
		err := syscall.Fallocate(int(f.Fd()), 0, from, more)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENOSYS):
			return fill(f, from, more)
		default:
			return err
		}
	}
}

// available is the space that this process may still use in a directory's file
// system.
func available(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil //nolint:gosec // no disk has 2^63 bytes
}

// SameDisk reports whether two directories share their space.
func SameDisk(a, b string) bool {
	var x, y syscall.Stat_t
	return syscall.Stat(a, &x) == nil && syscall.Stat(b, &y) == nil && x.Dev == y.Dev
}
