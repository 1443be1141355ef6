package seal

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestParseKeyReadsEveryForm(t *testing.T) {
	key := NewKey()
	raw := key.raw()
	for name, text := range map[string]string{
		"hex":               hex.EncodeToString(raw),
		"HEX":               strings.ToUpper(hex.EncodeToString(raw)),
		"base64":            base64.StdEncoding.EncodeToString(raw),
		"raw base64":        base64.RawStdEncoding.EncodeToString(raw),
		"base64url":         base64.URLEncoding.EncodeToString(raw),
		"raw base64url":     base64.RawURLEncoding.EncodeToString(raw),
		"with blanks":       " \t" + base64.StdEncoding.EncodeToString(raw) + "\r\n",
		"as its file holds": key.encode(),
	} {
		got, err := ParseKey(text)
		if err != nil || got.id() != key.id() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseKeyRefusals(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"empty":              "",
		"blank":              " \n",
		"a password":         "correct horse battery staple",
		"31 bytes":           b64(make([]byte, 31)),
		"33 bytes":           b64(make([]byte, 33)),
		"hex of 31 bytes":    strings.Repeat("ab", 31),
		"hex of 33 bytes":    strings.Repeat("ab", 33),
		"64 other letters":   strings.Repeat("zz", 32),
		"bits left over":     strings.Repeat("A", 42) + "B",
		"two lines":          b64(make([]byte, 32)) + "\n" + b64(make([]byte, 32)),
		"a break in between": b64(make([]byte, 32))[:20] + " " + b64(make([]byte, 32))[20:],
	} {
		key, err := ParseKey(text)
		if err == nil || !key.IsZero() {
			t.Errorf("%s: was read as a key", name)
			continue
		}
		if text != "" && strings.Contains(err.Error(), strings.TrimSpace(text)) && strings.TrimSpace(text) != "" {
			t.Errorf("%s: the error repeats the text: %v", name, err)
		}
	}
}

func TestKeyFileIsMadeOnceAndFoundAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "master.key")
	key, created, err := LoadOrCreate(path)
	if err != nil || !created {
		t.Fatalf("first: created %v, %v", created, err)
	}
	again, created, err := LoadOrCreate(path)
	if err != nil || created || again.id() != key.id() {
		t.Errorf("second: created %v, same %v, %v", created, again.id() == key.id(), err)
	}
	for file, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): fs.ModeDir | 0o700} {
		info, err := os.Stat(file)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v, want %v", file, info.Mode(), err, want)
		}
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("files left: %v, %v", files, err)
	}
}

func TestKeyFileModeDoesNotDependOnTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o277} {
		old := syscall.Umask(umask)
		path := filepath.Join(t.TempDir(), "master.key")
		_, _, err := LoadOrCreate(path)
		syscall.Umask(old)
		if err != nil {
			t.Fatalf("umask %#o: %v", umask, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("umask %#o: mode %v, %v", umask, info.Mode(), err)
		}
	}
}

func TestLaxKeyFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	if _, _, err := LoadOrCreate(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o644, 0o660, 0o601, 0o610, 0o620, 0o602, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); !errors.Is(err, ErrLaxMode) {
			t.Errorf("mode %04o: %v, want ErrLaxMode", mode, err)
		}
		if _, created, err := LoadOrCreate(path); !errors.Is(err, ErrLaxMode) || created {
			t.Errorf("mode %04o: created %v, %v, want ErrLaxMode", mode, created, err)
		}
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Errorf("read-only for its owner: %v", err)
	}
}

func TestSpoiltKeyFileIsRefusedAndKept(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "half": NewKey().encode()[:20], "other": "hello\n",
		"huge": strings.Repeat("A", 1<<20),
	} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, created, err := LoadOrCreate(path); err == nil || created {
			t.Errorf("%s: created %v, %v", name, created, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a directory was read as a key")
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v, want fs.ErrNotExist", err)
	}
}

func TestRacingCreatorsAgreeOnOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	const racers = 16
	ids := make([]keyID, racers)
	made := make([]bool, racers)
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			key, created, err := LoadOrCreate(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i], made[i] = key.id(), created
		})
	}
	wg.Wait()
	creators := 0
	for i := range racers {
		if ids[i] != ids[0] {
			t.Fatal("two racers hold different keys")
		}
		if made[i] {
			creators++
		}
	}
	if creators != 1 {
		t.Errorf("%d racers say they created it, want 1", creators)
	}
}
