package sqlstore

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"keystile/internal/keystile"
)

// dialect is what engines differ in.
type dialect struct {
	// noIndex before a column keeps the planner from choosing that column's
	// index. SQLite guesses without statistics and would sometimes read and sort
	// millions of rows; an engine that keeps statistics leaves it empty.
	noIndex string
	// classify finds the sentinel behind a driver's error, nil if there is none.
	classify func(error) error
	// busy tells that another process's transaction is in the way.
	busy func(error) bool
}

// newSQLite is the dialect of SQLite.
func newSQLite() dialect {
	return dialect{noIndex: "+", classify: classifySQLite, busy: busySQLite}
}

func classifySQLite(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return keystile.ErrConflict
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return keystile.ErrNotFound // the row that was to be referred to
	}
	switch e.Code() & 0xff { // the low byte is the primary code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
		return keystile.ErrUnavailable
	}
	return nil
}

func busySQLite(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// ErrReadOnly: a Read tried to write.
var ErrReadOnly = errors.New("a read transaction cannot write")

func (d dialect) wrap(err error) error {
	if class := d.classify(err); class != nil && !errors.Is(err, class) {
		return fmt.Errorf("%w: %w", class, err)
	}
	return err
}
