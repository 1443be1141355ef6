package reserve

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAReserveIsTakenGivenUpAndTakenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reserve")
	r := New(path, 3<<20)
	info, err := os.Stat(path)
	if err != nil || info.Size() != 3<<20 || info.Mode().Perm() != 0o600 || !r.Ready() {
		t.Fatalf("not taken: %v, %v", info, err)
	}
	if err := r.Ease(); err != nil || !r.Held() {
		t.Errorf("given up though there is room: %v", err)
	}
	if err := r.Release(); err != nil || r.Held() || r.Ready() {
		t.Errorf("not given up, or taken again at once: %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	r.tried = time.Now().Add(-tryAgain)
	if !r.Ready() || !r.Held() {
		t.Error("not taken again")
	}
	if err := r.Fits(); err != nil {
		t.Errorf("nothing fits: %v", err)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
}

func TestAReserveThatThereIsNoRoomFor(t *testing.T) {
	for name, path := range map[string]string{
		"no directory":   filepath.Join(t.TempDir(), "none", "reserve"),
		"more than fits": filepath.Join(t.TempDir(), "reserve"),
	} {
		r := New(path, 1<<60)
		if r.Ready() || r.Held() {
			t.Errorf("%s: taken", name)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: something is left: %v", name, err)
		}
		if err := r.Release(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
