package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Room is the space that is kept on the database's disk for urgent writes.
type Room interface {
	// Ready reports whether it is held, so that other writes may be made.
	Ready() bool
	// Ease gives it up if next to nothing else is left.
	Ease() error
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
