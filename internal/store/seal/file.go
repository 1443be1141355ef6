package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFileBytes is more than any form of a key takes.
const maxFileBytes = 1024

// ErrLaxMode: others than the owner may read or change the key file.
var ErrLaxMode = errors.New("the master key file must be its owner's alone (chmod 600)")

// Load reads a key file. An absent one is fs.ErrNotExist; one that group or
// others have any right to is ErrLaxMode.
func Load(path string) (Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("master key: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return Key{}, fmt.Errorf("master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("master key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return Key{}, fmt.Errorf("%s has mode %04o: %w", path, mode, ErrLaxMode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes))
	if err != nil {
		return Key{}, fmt.Errorf("master key: %w", err)
	}
	key, err := ParseKey(string(text))
	if err != nil {
		return Key{}, fmt.Errorf("master key file %s: %w", path, err)
	}
	return key, nil
}

// LoadOrCreate reads the key file, or makes one with a new random key and mode
// 0600 where there is none. Of several processes that create it at once one
// wins and all return its key. The key is on disk when LoadOrCreate returns.
func LoadOrCreate(path string) (key Key, created bool, err error) {
	key, err = Load(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	key = NewKey()
	err = create(path, key)
	if errors.Is(err, fs.ErrExist) {
		key, err = Load(path)
		return key, false, err
	}
	if err != nil {
		return Key{}, false, fmt.Errorf("create master key file: %w", err)
	}
	return key, true, nil
}

// create writes the key beside its place and then links it there: a reader sees
// the whole key or none, and an existing file is never replaced.
func create(path string, key Key) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := writeTemp(dir, key)
	if err != nil {
		return err
	}
	err = os.Link(temp, path)
	if removeErr := os.Remove(temp); err == nil {
		err = removeErr
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// writeTemp relies on os.CreateTemp for O_EXCL.
func writeTemp(dir string, key Key) (name string, err error) {
	f, err := os.CreateTemp(dir, ".master-key-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	if err = f.Chmod(0o600); err != nil { // whatever the umask took away
		return "", err
	}
	if _, err = f.WriteString(key.encode()); err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
