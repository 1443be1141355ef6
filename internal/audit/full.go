package audit

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"

	"keystile/internal/keystile"
)

// ErrNoRoom is the error of a record that must wait because the journal's disk is
// full: an intent, a sampled read, a refusal. Nothing that was begun without it
// may be done.
var ErrNoRoom = fmt.Errorf("no room is left for the audit journal: %w", keystile.ErrUnavailable)

// Room is the space that is kept for outcomes, and for what the control plane has
// already done.
type Room interface {
	// Ready reports whether all of it is held, so that other records may be written.
	Ready() bool
	// Release gives a step of it up for a write that must not wait; an error once
	// there is nothing left.
	Release() error
	// Fits returns nil if something can be written now.
	Fits() error
}

// State is how it stands with a journal.
type State string

// The states. In all but Recording, changes are refused.
const (
	Recording State = "recording"
	Full      State = "full"    // the disk has no room
	Failing   State = "failing" // the disk does not write
)

// watchman remembers how the last commit went, and tells when that changes.
type watchman struct {
	log *slog.Logger

	mu    sync.Mutex
	state State
}

func (w *watchman) current() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// saw takes note of how a commit ended.
func (w *watchman) saw(err error) {
	state := Recording
	switch {
	case err == nil:
	case errors.Is(err, ErrNoRoom), isFull(err):
		state = Full
	default:
		state = Failing
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if state == w.state {
		return
	}
	w.state = state
	if state == Recording {
		w.log.Info("the audit journal can be written again: changes are let through")
		return
	}
	w.log.Error("the audit journal cannot be written: changes are refused until it can", "state", state, "error", err)
}

// isFull reports whether a write failed for want of space or of quota.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// State tells how it stands with the journal.
func (t *Trail) State() State { return t.sink.watch.current() }

// look finds out that the disk is full, or that a journal which could not be
// written can be again, before the next change asks.
func (s *inJournal) look() {
	switch {
	case s.room == nil:
	case !s.room.Ready():
		s.watch.saw(ErrNoRoom)
	case s.watch.current() != Recording && s.room.Fits() == nil:
		s.watch.saw(nil)
	}
}
