package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"keystile/internal/keystile"
)

// SettingIn reads a setting of the database at path without owning it: beside the
// process that does, or without one. It changes nothing. Where there is no such
// file, table or setting it is keystile.ErrNotFound.
func SettingIn(ctx context.Context, path, name string) (value string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", err
	}
	found := false
	err = lookInto(ctx, path, "settings", func(db *sql.DB) error {
		err := db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
		found = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("setting %q: %w", name, keystile.ErrNotFound)
	}
	return value, err
}

// lookInto has a database looked into that another process may own. It changes
// nothing. Where there is no file, nothing in it, or no such table, one whose first
// migration was cut short say, look is not called.
func lookInto(ctx context.Context, path, table string, look func(*sql.DB) error) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	// Not mode=ro: such a connection cannot clear away the -wal and -shm that it
	// needs.
	db, err := openPool(path, url.Values{"mode": {"rw"}, "_query_only": {"on"}})
	if err != nil {
		return err
	}
	var tables int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1`, table).Scan(&tables)
	if err == nil && tables > 0 {
		err = look(db)
	}
	return errors.Join(newSQLite().wrap(err), db.Close())
}
