package e2e_test

import (
	"bytes"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// grepSecrets looks for every secret that somebody was shown, or told the server,
// in all that the server has written: the logs of all its runs, the database with
// its write-ahead log, and the audit journal. It must have ended.
func grepSecrets(t *testing.T, data string, secrets map[string]bool) {
	t.Helper()
	seen := 0
	for _, log := range logsOf(data) {
		seen += log.Len()
		if holdsOne(log.Bytes(), secrets) {
			t.Error("a log has a secret in clear")
		}
	}
	files, size, err := filesWith(data, secrets)
	must(t, err)
	for _, path := range files {
		t.Errorf("%s has a secret in clear", path)
	}
	if _, err := os.Stat(filepath.Join(data, "keystile.db")); err != nil || len(secrets) < 3 || seen == 0 || size < 10_000 {
		t.Errorf("%d secrets were looked for in %d bytes of logs and %d of files: %v", len(secrets), seen, size, err)
	}
}

// filesWith are the files under a directory that have one of the secrets, and how
// many bytes were looked through.
func filesWith(dir string, secrets map[string]bool) (found []string, size int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		size += len(content)
		if holdsOne(content, secrets) {
			found = append(found, path)
		}
		return err
	})
	return found, size, err
}

// holdsOne reports whether a secret is in the text, as it is or as in a URL.
func holdsOne(text []byte, secrets map[string]bool) bool {
	for secret := range secrets {
		if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(url.QueryEscape(secret))) {
			return true
		}
	}
	return false
}

// TestSecretsAreFound: what looks for secrets finds one, however it is spelt.
func TestSecretsAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"plain": "x se+cret/ x", "url": "x?secret=se%2Bcret%2F x", "neither": "x se+cret x"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	found, _, err := filesWith(dir, map[string]bool{"se+cret/": true})
	must(t, err)
	if want := []string{filepath.Join(dir, "plain"), filepath.Join(dir, "url")}; !slices.Equal(found, want) {
		t.Errorf("found in %v, want %v", found, want)
	}
}
