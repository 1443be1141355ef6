package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystile/internal/journal"
)

func TestAuditVerifyTellsSoundFromChanged(t *testing.T) {
	data := t.TempDir()
	dir := filepath.Join(data, "journal")
	j, _, err := journal.Open(journal.Options{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append([][]byte{[]byte("one"), []byte("two"), []byte("three")}); err != nil {
		t.Fatal(err)
	}
	verify := func() (string, error) {
		var out bytes.Buffer
		err := auditVerify{Data: data}.Run(t.Context(), &console{out: &out})
		return out.String(), err
	}
	if out, err := verify(); err != nil || !strings.Contains(out, "records 1 to 3") { // beside the one who writes
		t.Errorf("sound: %v\n%s", err, out)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	written, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(written, []byte("two"), []byte("TWO"), 1)
	if err := os.WriteFile(files[0], changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := verify(); err == nil || !strings.Contains(out, "record 2:") {
		t.Errorf("changed: %v\n%s", err, out)
	}
}
