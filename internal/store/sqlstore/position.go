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
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return "", fmt.Errorf("%s: %w", path, keystile.ErrNotFound)
	}
	db, err := openPool(path, url.Values{"mode": {"rw"}, "_query_only": {"on"}})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var tables int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'settings'`).Scan(&tables); err != nil {
		return "", newSQLite().wrap(err)
	}
	if tables == 0 {
		return "", fmt.Errorf("setting %q: %w", name, keystile.ErrNotFound)
	}
	err = db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("setting %q: %w", name, keystile.ErrNotFound)
	}
	return value, newSQLite().wrap(err)
}
