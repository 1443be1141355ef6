package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Room is the space that is kept on the database's disk for urgent writes.
type Room interface {
	// Ready reports whether all of it is held, so that other writes may be made.
	Ready() bool
	// Ease gives up what is needed of it if next to nothing else is left.
	Ease() error
	// Release gives a step of it up for a write that did not fit; an error once
	// there is nothing left.
	Release() error
}

// ErrNoRoom is the error of a Write that is not urgent while the disk is full.
var ErrNoRoom = fmt.Errorf("no room is left for the database: %w", keystile.ErrUnavailable)

// KeepRoom is called before the first Write that may meet a full disk.
func (db *DB) KeepRoom(r Room) { db.room = r }

// makeRoom is called before a Write.
func (db *DB) makeRoom(ctx context.Context) error {
	switch {
	case db.room == nil:
	case store.IsUrgent(ctx):
		if err := db.room.Ease(); err != nil {
			return errors.Join(ErrNoRoom, err)
		}
	case !db.room.Ready():
		return ErrNoRoom
	}
	return nil
}

// full reports that a write failed for want of space.
func full(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}
