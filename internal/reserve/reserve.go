// Package reserve keeps a part of a disk for what must go through when the disk
// is full: a file that takes the space, and is given up for it step by step.
package reserve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// step is how much is given up and taken back at once: room for one act, and
	// no more than that, as what is free may be taken by anybody.
	step = 2 << 20
	// tryAgain is the least time between attempts to take back what was given up.
	tryAgain = time.Second
	// margin is the free space beside the reserve below which the disk counts as
	// full: what can wait is refused before it fails half-way. What a database
	// needs of its disk is not known to the byte.
	margin = 4 << 20
	// lookAgain is the least time between looks at the free space.
	lookAgain = 100 * time.Millisecond
)

// ErrUsedUp is the error of Release when all of a reserve is given up.
var ErrUsedUp = errors.New("nothing is left of the space that was kept for a full disk")

// Reserve is a file of a fixed size, when it is whole. Its methods may be called
// from anywhere.
type Reserve struct {
	path string
	size int64
	free func(dir string) (int64, error)

	mu     sync.Mutex
	kept   int64 // the file's size
	tried  time.Time
	roomy  bool // the free space, as of looked
	looked time.Time
}

// New takes a reserve of size bytes at path, or as many steps of it as there is
// room for. What an earlier process left of it is kept.
func New(path string, size int64) *Reserve { return open(path, size, available) }

func open(path string, size int64, free func(string) (int64, error)) *Reserve {
	r := &Reserve{path: path, size: size, free: free}
	if info, err := os.Stat(path); err == nil {
		r.kept = info.Size()
	}
	r.Ready()
	return r
}

// Ready reports whether the reserve is whole and there is room beside it for what
// can wait. What was given up of it is taken back as soon as there is, in steps.
func (r *Reserve) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept < r.size && time.Since(r.tried) >= tryAgain {
		r.tried = time.Now()
		_ = r.take() // what it could not take is tried again
	}
	return r.kept >= r.size && r.hasRoom()
}

// hasRoom looks at the free space. Where it cannot be told, writes will.
func (r *Reserve) hasRoom() bool {
	if time.Since(r.looked) >= lookAgain {
		free, err := r.free(filepath.Dir(r.path))
		r.roomy, r.looked = err != nil || free >= margin, time.Now()
	}
	return r.roomy
}

// Held reports whether the reserve is whole, without an attempt to take it.
func (r *Reserve) Held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept >= r.size
}

// Kept is how many bytes are held.
func (r *Reserve) Kept() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept
}

// Release gives a step up, for a write that has failed without. From then on only
// urgent writes may be made, until Ready. When there is nothing to give up any
// more it is ErrUsedUp.
func (r *Reserve) Release() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.release()
}

func (r *Reserve) release() error {
	if r.kept == 0 {
		return ErrUsedUp
	}
	left := max(0, r.kept-step)
	err := os.Truncate(r.path, left)
	if errors.Is(err, fs.ErrNotExist) {
		left, err = 0, nil // somebody removed it
	}
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	r.kept, r.tried = left, time.Now()
	return nil
}

// Ease gives up as much as it takes to have a step free, as far as there is.
func (r *Reserve) Ease() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.kept > 0 {
		free, err := r.free(filepath.Dir(r.path))
		if err != nil || free >= step {
			return err
		}
		if err := r.release(); err != nil {
			return err
		}
	}
	return nil
}

// Fits tries whether a write of some length would be durable now.
func (r *Reserve) Fits() error {
	name := r.path + ".try"
	err := os.WriteFile(name, make([]byte, 64<<10), 0o600)
	if err == nil {
		err = syncFile(name)
	}
	return errors.Join(err, os.Remove(name))
}

// take adds steps for as long as one stays free beside them, so that the next
// urgent write need not give one up again.
func (r *Reserve) take() error {
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	for r.kept < r.size && err == nil {
		var free int64
		if free, err = r.free(filepath.Dir(r.path)); err != nil || free < 2*step {
			break
		}
		more := min(step, r.size-r.kept)
		if err = allocate(f, r.kept, more); err != nil {
			err = errors.Join(err, f.Truncate(r.kept))
			break
		}
		r.kept += more
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	return nil
}

func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// fill writes what is added: for file systems that cannot be asked for space.
func fill(f *os.File, from, more int64) error {
	zeros := make([]byte, 1<<20)
	for at := from; at < from+more; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), from+more-at)], at); err != nil {
			return err
		}
	}
	return nil
}
