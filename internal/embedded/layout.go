package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/versity/versitygw/backend/meta"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600

	// maxSocketPath stays below the 104 bytes that the shortest sockaddr_un
	// among the supported systems (Darwin's) has room for.
	maxSocketPath = 99
	socketName    = "s3.sock"

	lockWait  = 3 * time.Second
	lockRetry = 20 * time.Millisecond
)

// ErrInUse tells that another process serves the same data directory.
var ErrInUse = errors.New("embedded backend: data directory is in use")

// layout is where one embedded backend keeps its things on disk. All paths are
// absolute, since the child changes its working directory.
type layout struct {
	base     string
	buckets  string
	versions string
	// sidecar is empty where the file system stores extended attributes.
	sidecar   string
	socketDir string
	// temporary tells that socketDir lies outside base and goes with the process.
	temporary bool
	lock      *os.File
}

func (l *layout) socket() string { return filepath.Join(l.socketDir, socketName) }

// prepare creates the directories under dataDir/embedded and takes the lock
// that keeps a second backend out. The lock is waited for a little: a child whose
// parent was killed may still be on its way out.
func prepare(ctx context.Context, dataDir string) (_ *layout, err error) {
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, fmt.Errorf("embedded backend: %w", err)
	}
	base := filepath.Join(abs, "embedded")
	l := &layout{
		base:     base,
		buckets:  filepath.Join(base, "buckets"),
		versions: filepath.Join(base, "versions"),
	}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	for _, dir := range []string{l.base, l.buckets, l.versions} {
		if err := privateDir(dir); err != nil {
			return nil, err
		}
	}
	if l.lock, err = takeLock(ctx, filepath.Join(base, "lock")); err != nil {
		return nil, err
	}
	if l.sidecar, err = sidecarDir(base, l.buckets); err != nil {
		return nil, err
	}
	if err := l.placeSocket(); err != nil {
		return nil, err
	}
	return l, nil
}

// release gives the lock back and removes a temporary socket directory.
func (l *layout) release() {
	if l.temporary {
		_ = os.RemoveAll(l.socketDir)
	}
	if l.lock != nil {
		_ = l.lock.Close()
	}
}

// privateDir creates dir, or closes it to others if it is there already.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("embedded backend: %w", err)
	}
	if err := os.Chmod(dir, dirMode); err != nil {
		return fmt.Errorf("embedded backend: %w", err)
	}
	return nil
}

// takeLock holds path exclusively until the returned file and every copy that a
// child inherited are closed.
func takeLock(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("embedded backend: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("embedded backend: lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, fmt.Errorf("%w: %s", ErrInUse, filepath.Dir(path))
		case <-time.After(lockRetry):
		}
	}
}

// sidecarDir returns the directory for object metadata where extended
// attributes do not work, else "". Once made it is used for good: metadata that
// was written there would otherwise be lost when the file system changes.
func sidecarDir(base, buckets string) (string, error) {
	dir := filepath.Join(base, "metadata")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && storesXattrs(buckets) {
		return "", nil
	}
	return dir, privateDir(dir)
}

// storesXattrs writes an attribute and takes it away again: asking for one
// succeeds on file systems that then refuse to store it.
func storesXattrs(dir string) bool {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return false
	}
	defer func() { _, _ = f.Close(), os.Remove(f.Name()) }()
	return meta.XattrMeta{}.StoreAttribute(f, "", "", "probe", []byte("x")) == nil
}

// placeSocket puts the socket beside the data, or into the system's directory
// for temporary files if that path is too long for a socket.
func (l *layout) placeSocket() error {
	l.socketDir = filepath.Join(l.base, "run")
	if len(l.socket()) <= maxSocketPath {
		return privateDir(l.socketDir)
	}
	dir, err := os.MkdirTemp("", "keystile-") // MkdirTemp creates it 0700
	if err != nil {
		return fmt.Errorf("embedded backend: socket directory: %w", err)
	}
	l.socketDir, l.temporary = dir, true
	if len(l.socket()) > maxSocketPath {
		return fmt.Errorf("embedded backend: no path short enough for a socket: %s is %d bytes, at most %d work", l.socket(), len(l.socket()), maxSocketPath)
	}
	return nil
}
