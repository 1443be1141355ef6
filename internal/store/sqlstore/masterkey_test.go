package sqlstore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

func addCredential(t *testing.T, db *DB, id, secret string) {
	t.Helper()
	err := db.Write(t.Context(), func(tx store.Tx) error {
		return tx.CreateCredential(keystile.Credential{AccessKeyID: id, CreatedAt: time.Now()},
			keystile.CredentialSecrets{Current: keystile.NewSecret(secret), Previous: keystile.NewSecret("old " + secret)})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func secretOf(t *testing.T, db *DB, id string) (s keystile.CredentialSecrets, err error) {
	t.Helper()
	err = db.Read(t.Context(), func(tx store.Tx) error {
		var err error
		s, err = tx.CredentialSecrets(id)
		return err
	})
	return s, err
}

// closedDatabase is a file that was sealed with key and closed.
func closedDatabase(t *testing.T, key seal.Key) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keystile.db")
	db, err := OpenSQLite(t.Context(), path, ringOf(t, key))
	if err != nil {
		t.Fatal(err)
	}
	addCredential(t, db, "AK1", "hunter2")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnotherMasterKeyIsRefusedAndChangesNothing(t *testing.T) {
	key := seal.NewKey()
	path := closedDatabase(t, key)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*seal.Keyring{
		"another key": ringOf(t, seal.NewKey()), "other keys": ringOf(t, seal.NewKey(), seal.NewKey()), "none": nil,
	} {
		if _, err := OpenSQLite(t.Context(), path, ring); !errors.Is(err, ErrMasterKey) {
			t.Errorf("%s: %v, want ErrMasterKey", name, err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the database was changed, %v", err)
	}
	if _, err := secretOf(t, openAt(t, path, ringOf(t, key)), "AK1"); err != nil {
		t.Errorf("the right key after all: %v", err)
	}
}

func TestEveryKeyThatSealedIsNeeded(t *testing.T) {
	older, newer := seal.NewKey(), seal.NewKey()
	path := closedDatabase(t, older)
	both, err := OpenSQLite(t.Context(), path, ringOf(t, newer, older))
	if err != nil {
		t.Fatal(err)
	}
	addCredential(t, both, "AK2", "new")
	for id, want := range map[string]string{"AK1": "hunter2", "AK2": "new"} {
		if s, err := secretOf(t, both, id); err != nil || s.Current.Reveal() != want {
			t.Errorf("%s: %q, %v", id, s.Current.Reveal(), err)
		}
	}
	if err := both.Close(); err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*seal.Keyring{"older alone": ringOf(t, older), "newer alone": ringOf(t, newer)} {
		if _, err := OpenSQLite(t.Context(), path, ring); !errors.Is(err, ErrMasterKey) {
			t.Errorf("%s: %v, want ErrMasterKey", name, err)
		}
	}
	openAt(t, path, ringOf(t, older, newer))
}

func TestSealedRowsWithoutTheirCheckAreRefused(t *testing.T) {
	key := seal.NewKey()
	path := closedDatabase(t, key)
	db := openAt(t, path, ringOf(t, key))
	if _, err := db.writer.ExecContext(t.Context(), `DELETE FROM master_key_check`); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(t.Context(), path, ringOf(t, seal.NewKey())); !errors.Is(err, ErrMasterKey) {
		t.Errorf("%v, want ErrMasterKey", err)
	}
}

func TestTamperedCheckIsRefused(t *testing.T) {
	key := seal.NewKey()
	path := closedDatabase(t, key)
	db := openAt(t, path, ringOf(t, key))
	if _, err := db.writer.ExecContext(t.Context(), `UPDATE master_key_check SET sealed = substr(sealed, 1, length(sealed) - 1)`); err != nil {
		t.Fatal(err)
	}
	_, err := OpenSQLite(t.Context(), path, ringOf(t, key))
	if !errors.Is(err, ErrMasterKey) || !errors.Is(err, seal.ErrCorrupt) {
		t.Errorf("%v, want ErrMasterKey and ErrCorrupt", err)
	}
}

func TestHasSealedRows(t *testing.T) {
	dir := t.TempDir()
	empty, spoilt := filepath.Join(dir, "empty"), filepath.Join(dir, "spoilt")
	for path, content := range map[string][]byte{empty: nil, spoilt: bytes.Repeat([]byte("no database "), 1000)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{filepath.Join(dir, "absent"), filepath.Join(dir, "no", "such", "dir"), empty} {
		if sealed, err := HasSealedRows(t.Context(), path); err != nil || sealed {
			t.Errorf("%s: %v, %v, want false", path, sealed, err)
		}
	}
	if _, err := HasSealedRows(t.Context(), spoilt); err == nil {
		t.Error("a file that is no database was read")
	}
	closed := closedDatabase(t, seal.NewKey())
	if sealed, err := HasSealedRows(t.Context(), closed); err != nil || !sealed {
		t.Errorf("closed database: %v, %v, want true", sealed, err)
	}
	if files, err := filepath.Glob(closed + "*"); err != nil || len(files) != 1 {
		t.Errorf("looking leaves %v, %v", files, err)
	}
	path := filepath.Join(dir, "open.db")
	openAt(t, path, ringOf(t, seal.NewKey())) // nothing but its check is sealed yet
	if sealed, err := HasSealedRows(t.Context(), path); err != nil || !sealed {
		t.Errorf("open database: %v, %v, want true", sealed, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "absent")); err == nil {
		t.Error("looking made a file")
	}
}

func TestMovedSecretIsRefused(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "keystile.db"), ringOf(t, seal.NewKey()))
	addCredential(t, db, "AK1", "one")
	addCredential(t, db, "AK2", "two")
	for name, move := range map[string]string{
		"to another row": `UPDATE credentials SET secret_current =
			(SELECT secret_current FROM credentials WHERE access_key_id = 'AK2') WHERE access_key_id = 'AK1'`,
		"to another field": `UPDATE credentials SET secret_current = secret_previous WHERE access_key_id = 'AK1'`,
		"cut short":        `UPDATE credentials SET secret_current = x'01' WHERE access_key_id = 'AK1'`,
	} {
		if _, err := db.writer.ExecContext(t.Context(), move); err != nil {
			t.Fatal(err)
		}
		if _, err := secretOf(t, db, "AK1"); !errors.Is(err, seal.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
		err := db.Read(t.Context(), func(tx store.Tx) error {
			return tx.ChangedCredentials(-1, func(c keystile.Credential, _ keystile.CredentialSecrets) error {
				if c.AccessKeyID == "AK1" {
					t.Errorf("%s: yielded", name)
				}
				return nil
			})
		})
		if !errors.Is(err, seal.ErrCorrupt) {
			t.Errorf("%s: changes: %v, want ErrCorrupt", name, err)
		}
	}
}

func TestSecretsAreNotInTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keystile.db")
	key := seal.NewKey()
	db, err := OpenSQLite(t.Context(), path, ringOf(t, key))
	if err != nil {
		t.Fatal(err)
	}
	addCredential(t, db, "AK1", "canary-secret-one")
	err = db.Write(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			tx.SetCredentialSecrets("AK1", keystile.CredentialSecrets{Current: keystile.NewSecret("canary-secret-two")}),
			tx.CreateBackend(keystile.Backend{ID: "main"}, keystile.NewSecret("canary-secret-three")),
			tx.UpdateBackend(keystile.Backend{ID: "main"}, keystile.NewSecret("canary-secret-four")),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	search := func(when string) {
		t.Helper()
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) == 0 {
			t.Fatalf("%v, %v", files, err)
		}
		found := false
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte("canary-secret")) {
				t.Errorf("%s: a secret is in %s", when, filepath.Base(file))
			}
			found = found || bytes.Contains(b, []byte("AK1"))
		}
		if !found {
			t.Errorf("%s: not even the access key ID is in %v: the search is blind", when, files)
		}
	}
	search("open")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	search("closed")
}
