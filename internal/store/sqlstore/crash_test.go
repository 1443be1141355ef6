package sqlstore

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

// childVariable makes this test binary a child that works on a database.
const childVariable = "KEYSTILE_STORE_TEST_CHILD"

// TestMain turns into the child of another test where it is told to.
func TestMain(m *testing.M) {
	job := os.Getenv(childVariable)
	if job == "" {
		os.Exit(m.Run())
	}
	kind, dir, _ := strings.Cut(job, ":")
	var err error
	switch kind {
	case "write":
		err = writeForever(dir)
	case "lock":
		err = lockForever(dir)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// startChild runs this binary and gives its output line by line. The test's end
// kills it.
func startChild(t *testing.T, job string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+job)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill() // may be dead already
		_ = child.Wait()
	})
	return child, bufio.NewScanner(out)
}

func crashFiles(dir string) (db, key string) {
	return filepath.Join(dir, "keystile.db"), filepath.Join(dir, "master.key")
}

// writeForever prints the number of each transaction after its commit. A
// transaction is an open event, a generation and a credential.
func writeForever(dir string) error {
	path, keyFile := crashFiles(dir)
	key, _, err := seal.LoadOrCreate(keyFile)
	if err != nil {
		return err
	}
	ring, err := seal.New(key)
	if err != nil {
		return err
	}
	db, err := OpenSQLite(contextOfChild(), path, ring)
	if err != nil {
		return err
	}
	for {
		var generation int64
		err := db.Write(contextOfChild(), func(tx store.Tx) error {
			if generation, err = tx.NextGeneration(); err != nil {
				return err
			}
			n := strconv.FormatInt(generation, 10)
			return errors.Join(
				tx.CreateCredential(keystile.Credential{AccessKeyID: "AK" + n, Generation: generation},
					keystile.CredentialSecrets{Current: keystile.NewSecret("secret " + n)}),
				tx.AppendEvents([]keystile.Event{{ID: "e" + n, Time: time.Now(), Open: true, Result: keystile.ResultUnknown}}),
			)
		})
		if err != nil {
			return err
		}
		fmt.Println(generation)
	}
}

func TestCommittedIsThereAfterKill(t *testing.T) {
	dir := t.TempDir()
	path, keyFile := crashFiles(dir)
	last := 0
	for round := range 3 {
		child, lines := startChild(t, "write:"+dir)
		for n := 0; n < 40+17*round && lines.Scan(); n++ {
			var err error
			if last, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // killed
		if last < 40 {
			t.Fatalf("the child committed %d times only", last)
		}
		// As a start does: before anything is opened, look whether there is a
		// database whose key must not be made anew.
		if sealed, err := HasSealedRows(t.Context(), path); err != nil || !sealed {
			t.Errorf("sealed rows: %v, %v", sealed, err)
		}
		key, created, err := seal.LoadOrCreate(keyFile)
		if err != nil || created {
			t.Fatalf("key: created %v, %v", created, err)
		}
		last = checkSurvivors(t, path, ringOf(t, key), last)
	}
}

// checkSurvivors wants each of the first n transactions whole, and at most one
// more. It returns how many there are.
func checkSurvivors(t *testing.T, path string, ring *seal.Keyring, n int) int {
	t.Helper()
	db, err := OpenSQLite(t.Context(), path, ring)
	if err != nil {
		t.Fatal(err)
	}
	var generation int64
	err = db.Write(t.Context(), func(tx store.Tx) (err error) {
		if generation, err = tx.Generation(); err != nil {
			return err
		}
		open, err := tx.OpenEvents()
		if err != nil || len(open) < 1 {
			t.Errorf("%d open events, %v", len(open), err)
		}
		for i := range generation {
			id := strconv.FormatInt(i+1, 10)
			s, err := tx.CredentialSecrets("AK" + id)
			if err != nil || s.Current.Reveal() != "secret "+id {
				t.Errorf("secret of AK%s: %q, %v", id, s.Current.Reveal(), err)
			}
			e, err := tx.Event("e" + id)
			if err != nil || !e.Open || e.Result != keystile.ResultUnknown {
				t.Errorf("event e%s: %+v, %v", id, e, err)
			}
		}
		_, err = tx.Credential(fmt.Sprint("AK", generation+1))
		if !errors.Is(err, keystile.ErrNotFound) {
			t.Errorf("half a transaction: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// Lines may lag behind commits, never the other way round.
	if generation < int64(n) {
		t.Errorf("%d transactions survived of %d that were told", generation, n)
	}
	var sound string
	if err := db.writer.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity: %q, %v", sound, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	return int(generation)
}
