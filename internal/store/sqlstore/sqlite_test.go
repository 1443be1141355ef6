package sqlstore

import (
	"path/filepath"
	"testing"

	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/storetest"
)

func ringOf(t testing.TB, keys ...seal.Key) *seal.Keyring {
	t.Helper()
	ring, err := seal.New(keys[0], keys[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func openAt(t testing.TB, path string, ring *seal.Keyring) *DB {
	t.Helper()
	db, err := OpenSQLite(t.Context(), path, ring)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func openSQLite(t *testing.T) (a, b store.Store) {
	path := filepath.Join(t.TempDir(), "keystile.db")
	ring := ringOf(t, seal.NewKey())
	return openAt(t, path, ring), openAt(t, path, ring)
}

func TestSQLite(t *testing.T) { storetest.Run(t, openSQLite) }
