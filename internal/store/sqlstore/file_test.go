package sqlstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Error(err)
		return
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", filepath.Base(path), info.Mode(), want)
	}
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	for _, umask := range []int{0, 0o077, 0o177} {
		dir := filepath.Join(t.TempDir(), "data")
		path := filepath.Join(dir, "keystile.db")
		old := syscall.Umask(umask &^ 0o100) // the directory must stay usable
		db := openAt(t, path, ringOf(t, seal.NewKey()))
		addCredential(t, db, "AK1", "s")
		_, err := secretOf(t, db, "AK1")
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			wantMode(t, path+suffix, 0o600)
		}
		wantMode(t, dir, fs.ModeDir|0o700)
	}
}

func TestLaxFileIsTightened(t *testing.T) {
	key := seal.NewKey()
	path := closedDatabase(t, key)
	if err := os.Chmod(path, 0o664); err != nil {
		t.Fatal(err)
	}
	addCredential(t, openAt(t, path, ringOf(t, key)), "AK2", "s")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		wantMode(t, path+suffix, 0o600)
	}
}

func TestPathsMayHoldAnyCharacter(t *testing.T) {
	key := seal.NewKey()
	path := filepath.Join(t.TempDir(), "a b?mode=memory&_journal_mode=OFF#%41é'", "key stile?.db")
	db := openAt(t, path, ringOf(t, key))
	addCredential(t, db, "AK1", "s")
	wantMode(t, path, 0o600)
	if sealed, err := HasSealedRows(t.Context(), path); err != nil || !sealed {
		t.Errorf("sealed rows: %v, %v", sealed, err)
	}
}

func TestConnectionsAreDurableAndReadersCannotWrite(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "keystile.db"), ringOf(t, seal.NewKey()))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := db.writer.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", pragma, got, err, want)
		}
	}
	if _, err := db.readers.ExecContext(t.Context(), `DELETE FROM settings`); err == nil {
		t.Error("a reader deleted")
	}
	if _, err := db.readers.ExecContext(t.Context(), `PRAGMA query_only = 0; DELETE FROM settings`); err == nil {
		t.Error("a reader deleted once query_only was off")
	}
}

func TestReopenedStoreHasEverything(t *testing.T) {
	key := seal.NewKey()
	path := closedDatabase(t, key)
	for range 3 {
		db, err := OpenSQLite(t.Context(), path, ringOf(t, key))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := secretOf(t, db, "AK1"); err != nil || s.Current.Reveal() != "hunter2" || s.Previous.Reveal() != "old hunter2" {
			t.Errorf("secrets %q, %q, %v", s.Current.Reveal(), s.Previous.Reveal(), err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := filepath.Glob(path + "*"); err != nil || len(files) != 1 {
		t.Errorf("a closed store leaves %v, %v", files, err)
	}
	closed, err := OpenSQLite(t.Context(), path, ringOf(t, key))
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	ran := func(store.Tx) error { t.Error("fn ran on a closed store"); return nil }
	if closed.Write(t.Context(), ran) == nil || closed.Read(t.Context(), ran) == nil || closed.Ping(t.Context()) == nil {
		t.Error("a closed store still works")
	}
}

func TestSpoiltFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	notADatabase := filepath.Join(dir, "text.db")
	if err := os.WriteFile(notADatabase, []byte(strings.Repeat("hello ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{notADatabase, dir} {
		if _, err := OpenSQLite(t.Context(), path, ringOf(t, seal.NewKey())); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
	if b, err := os.ReadFile(notADatabase); err != nil || !strings.HasPrefix(string(b), "hello hello") {
		t.Error("the file was overwritten")
	}
}

func TestMissingTablesAreUnavailable(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "keystile.db"), ringOf(t, seal.NewKey()))
	if _, err := db.writer.ExecContext(t.Context(), `DROP TABLE counters`); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("Ping = %v, want ErrUnavailable", err)
	}
}

func TestDatabaseInUseIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keystile.db")
	ring := ringOf(t, seal.NewKey())
	a, b := openAt(t, path, ring), openAt(t, path, ring)
	err := a.Write(t.Context(), func(store.Tx) error {
		_, err := b.writer.BeginTx(t.Context(), nil)
		if !b.dialect.busy(err) {
			t.Errorf("a second writer: %v, want busy", err)
		}
		return b.dialect.wrap(err)
	})
	if !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}

func TestRacingOpenersMakeOneDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "keystile.db")
	ring := ringOf(t, seal.NewKey())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			db, err := OpenSQLite(t.Context(), path, ring)
			if err != nil {
				t.Error(err)
				return
			}
			err = db.Write(context.Background(), func(tx store.Tx) error { _, err := tx.NextGeneration(); return err })
			if err := errors.Join(err, db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	db := openAt(t, path, ring)
	err := db.Read(t.Context(), func(tx store.Tx) error {
		if n, err := tx.Generation(); n != 8 || err != nil {
			t.Errorf("generation %d, %v, want 8", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var applied, canaries int
	if err := db.writer.QueryRowContext(t.Context(), `SELECT count(*) FROM goose_db_version WHERE version_id = 1`).Scan(&applied); err != nil || applied != 1 {
		t.Errorf("the first migration was applied %d times, %v", applied, err)
	}
	if err := db.writer.QueryRowContext(t.Context(), `SELECT count(*) FROM master_key_check`).Scan(&canaries); err != nil || canaries != 1 {
		t.Errorf("%d master key checks, %v", canaries, err)
	}
}

// Two racers with different keys: whoever comes second must be refused.
func TestRacingKeysDoNotMix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keystile.db")
	var mu sync.Mutex
	var opened []*DB
	var wg sync.WaitGroup
	for range 6 {
		ring := ringOf(t, seal.NewKey())
		wg.Go(func() {
			db, err := OpenSQLite(t.Context(), path, ring)
			if err != nil {
				if !errors.Is(err, ErrMasterKey) {
					t.Errorf("%v, want ErrMasterKey", err)
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			opened = append(opened, db)
		})
	}
	wg.Wait()
	if len(opened) != 1 {
		t.Errorf("%d different keys opened one database, want 1", len(opened))
	}
	for _, db := range opened {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
