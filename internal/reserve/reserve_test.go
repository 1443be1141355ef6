package reserve

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// disk is as large as a test says, and has the reserve and others' files on it.
type disk struct {
	t      *testing.T
	path   string
	size   int64
	others int64
}

func newDisk(t *testing.T, size int64) *disk {
	return &disk{t: t, path: filepath.Join(t.TempDir(), "reserve"), size: size}
}

// file is how long the reserve's file is.
func (d *disk) file() int64 {
	info, err := os.Stat(d.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (d *disk) free(string) (int64, error) { return d.size - d.others - d.file(), nil }

func (d *disk) open(size int64) *Reserve { return open(d.path, size, d.free) }

// holds checks what is kept, of the file too.
func (d *disk) holds(r *Reserve, want int64, what string) {
	d.t.Helper()
	if r.Kept() != want || d.file() != want || r.Held() != (want == r.size) {
		d.t.Fatalf("%s: %d bytes are kept, %d of them on the disk, held %v; want %d", what, r.Kept(), d.file(), r.Held(), want)
	}
}

// later is Ready when it looks again.
func later(r *Reserve) bool {
	r.tried, r.looked = time.Time{}, time.Time{}
	return r.Ready()
}

func TestAReserveIsGivenUpAndTakenBackInSteps(t *testing.T) {
	d := newDisk(t, 100<<20)
	r := d.open(4 * step)
	d.holds(r, 4*step, "with room")
	if info, err := os.Stat(d.path); err != nil || info.Mode().Perm() != 0o600 || !r.Ready() {
		t.Fatalf("not taken: %v, %v", info, err)
	}
	must(t, r.Ease())
	d.holds(r, 4*step, "there is room for an act")

	d.others = d.size - 4*step // nothing is left but the reserve
	if later(r) {
		t.Error("ready without room")
	}
	must(t, r.Ease())
	d.holds(r, 3*step, "for the first act")
	must(t, r.Ease())
	d.holds(r, 3*step, "for the second, which fits beside the first")
	if later(r) {
		t.Error("ready without all of it")
	}
	d.holds(r, 3*step, "what is free stays so for the next act")

	d.others += step // somebody takes it
	must(t, r.Ease())
	d.holds(r, 2*step, "each act has its room")
	must(t, r.Release())
	d.holds(r, step, "after a write that did not fit")

	d.others -= step
	if later(r) {
		t.Error("ready without all of it")
	}
	d.holds(r, 3*step, "some room is there again")
	d.others = 0
	if !later(r) {
		t.Error("not ready though all of it fits")
	}
	d.holds(r, 4*step, "all room is there again")
	must(t, r.Fits())
	if left, _ := filepath.Glob(d.path + "*"); len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
}

func TestAReserveEnds(t *testing.T) {
	d := newDisk(t, 100<<20)
	r := d.open(3 * step)
	for range 3 {
		d.others = d.size - d.file() // somebody is always faster
		must(t, r.Ease())
	}
	d.holds(r, 0, "three steps, three acts")
	d.others = d.size
	if err := r.Release(); !errors.Is(err, ErrUsedUp) {
		t.Errorf("a fourth: %v", err)
	}
	must(t, r.Ease()) // the write will tell
}

func TestAProcessKeepsWhatTheOneBeforeItLeft(t *testing.T) {
	d := newDisk(t, 100<<20)
	r := d.open(4 * step)
	d.others = d.size - 4*step
	must(t, r.Release())
	d.others += step
	r = d.open(4 * step)
	d.holds(r, 3*step, "on a disk that is full")
	d.others = 0
	r = d.open(4 * step)
	d.holds(r, 4*step, "with room")
	if !r.Ready() {
		t.Error("not ready")
	}
}

func TestAReserveThatThereIsNoRoomFor(t *testing.T) {
	d := newDisk(t, 2*step-1)
	r := d.open(4 * step)
	d.holds(r, 0, "less than a step beside a step")
	if r.Ready() {
		t.Error("ready")
	}
	none := New(filepath.Join(t.TempDir(), "none", "reserve"), step)
	if none.Ready() || none.Held() {
		t.Error("taken where there is no directory")
	}
	if err := none.Release(); !errors.Is(err, ErrUsedUp) {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
