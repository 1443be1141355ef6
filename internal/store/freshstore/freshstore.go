// Package freshstore opens stores for tests. Each is a copy of one that went through
// all migrations, which a process makes once: of the time that a test with a store
// takes they are most.
package freshstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
)

// Open opens an empty store of the test's own, and closes it when the test ends.
func Open(t testing.TB) *sqlstore.DB {
	t.Helper()
	first := first()
	path := filepath.Join(t.TempDir(), "keystile.db")
	err := errors.Join(first.err, os.WriteFile(path, first.file, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	db, err := open(t.Context(), path, first.key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func open(ctx context.Context, path string, key seal.Key) (*sqlstore.DB, error) {
	keys, err := seal.New(key)
	if err != nil {
		return nil, err
	}
	return sqlstore.OpenSQLite(ctx, path, keys)
}

// template is a store's file, and the key that opens it.
type template struct {
	key  seal.Key
	file []byte
	err  error
}

var first = sync.OnceValue(func() (made template) {
	made.key = seal.NewKey()
	dir, err := os.MkdirTemp("", "keystile-store")
	if err != nil {
		made.err = err
		return made
	}
	defer func() { made.err = errors.Join(made.err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "keystile.db")
	db, err := open(context.Background(), path, made.key)
	if err == nil {
		err = db.Close() // which leaves nothing in a log beside the file
	}
	if err == nil {
		made.file, err = os.ReadFile(path)
	}
	made.err = err
	return made
})
