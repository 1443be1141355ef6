// Package reserve keeps a part of a disk for what must go through when the disk
// is full: a file that takes the space, and is given up for it.
package reserve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// tryAgain is the least time between attempts to take the reserve.
	tryAgain = time.Second
	// margin is the free space beside the reserve below which the disk counts as
	// full: what can wait is refused before it fails half-way, and an urgent write
	// gives the reserve up beforehand. What a database needs of its disk is not
	// known to the byte.
	margin = 4 << 20
	// lookAgain is the least time between looks at the free space.
	lookAgain = 100 * time.Millisecond
)

// Reserve is a file of a fixed size. Its methods may be called from anywhere.
type Reserve struct {
	path string
	size int64

	mu     sync.Mutex
	held   bool
	tried  time.Time
	roomy  bool // the free space, as of looked
	looked time.Time
}

// New takes a reserve of size bytes in the directory of path, if there is room.
func New(path string, size int64) *Reserve {
	r := &Reserve{path: path, size: size}
	r.Ready()
	return r
}

// Ready reports whether the reserve is held and there is room beside it for what
// can wait. Where it was given up, it is taken again as soon as there is.
func (r *Reserve) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held && time.Since(r.tried) >= tryAgain {
		r.tried = time.Now()
		r.held = r.take() == nil
	}
	return r.held && r.hasRoom()
}

// hasRoom looks at the free space. Where it cannot be told, writes will.
func (r *Reserve) hasRoom() bool {
	if time.Since(r.looked) >= lookAgain {
		free, err := available(filepath.Dir(r.path))
		r.roomy, r.looked = err != nil || free >= margin, time.Now()
	}
	return r.roomy
}

// Held reports whether the reserve is held, without an attempt to take it.
func (r *Reserve) Held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held
}

// Release gives the reserve up. From then on only urgent writes may be made,
// until Ready.
func (r *Reserve) Release() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held {
		return nil
	}
	r.held, r.tried = false, time.Now()
	return os.Remove(r.path)
}

// Ease gives the reserve up if the disk has next to nothing left beside it.
func (r *Reserve) Ease() error {
	free, err := available(filepath.Dir(r.path))
	if err != nil || free >= margin {
		return err
	}
	return r.Release()
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

func (r *Reserve) take() error {
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(allocate(f, r.size), f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("reserve: %w", err), os.Remove(r.path))
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

// fill writes the whole file: for file systems that cannot be asked for space.
func fill(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}
