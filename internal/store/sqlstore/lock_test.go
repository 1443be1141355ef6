package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystile/internal/store/seal"
)

// contextOfChild lasts as long as the child.
func contextOfChild() context.Context { return context.Background() }

func lockForever(path string) error {
	release, err := Lock(path)
	if err != nil {
		return err
	}
	fmt.Println("locked")
	time.Sleep(time.Hour)
	return release()
}

func mustLock(t *testing.T, path string) (release func() error) {
	t.Helper()
	release, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func wantLocked(t *testing.T, path string) {
	t.Helper()
	release, err := Lock(path)
	if err == nil {
		t.Errorf("%s was locked twice", path)
		_ = release()
		return
	}
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "keystile.db") {
		t.Errorf("%v, want ErrLocked that names the file", err)
	}
}

func TestOneProcessServes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "keystile.db")
	release := mustLock(t, path)
	wantMode(t, path+".lock", 0o600)
	wantLocked(t, path)
	wantLocked(t, filepath.Join(filepath.Dir(path), ".", "..", "data", "keystile.db"))
	other := mustLock(t, filepath.Join(t.TempDir(), "other.db"))
	openAt(t, path, ringOf(t, seal.NewKey())) // offline programs open it without the lock
	for _, release := range []func() error{release, other} {
		if err := release(); err != nil {
			t.Error(err)
		}
	}
	if err := mustLock(t, path)(); err != nil {
		t.Error(err)
	}
}

func TestSymbolicLinkIsNoWayAroundTheLock(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "keystile.db"), filepath.Join(dir, "link-to-keystile.db")
	openAt(t, path, ringOf(t, seal.NewKey()))
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	release := mustLock(t, path)
	wantLocked(t, link)
	if err := release(); err != nil {
		t.Error(err)
	}
}

func TestLockEndsWithItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keystile.db")
	child, lines := startChild(t, "lock:"+path)
	if !lines.Scan() {
		t.Fatal("the child did not lock")
	}
	wantLocked(t, path)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	if err := mustLock(t, path)(); err != nil {
		t.Error(err)
	}
}

func TestWaitingForTheDirectoryEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	release, err := waitLock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := waitLock(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want DeadlineExceeded", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
