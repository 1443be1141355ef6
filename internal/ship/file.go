package ship

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
)

// File writes lines of JSON to a file, mode 0600.
type File struct {
	path     string
	maxBytes int64 // at which it is rotated; 0: never
	keep     int   // rotated files

	out    *os.File // nil: not open
	size   int64
	reopen atomic.Bool
}

// NewFile makes a sink that writes to path. At maxBytes the file becomes path.1,
// what was that path.2, and so on up to keep; 0: the file grows, and somebody else
// moves it away and calls for Reopen.
func NewFile(path string, maxBytes int64, keep int) *File {
	return &File{path: path, maxBytes: maxBytes, keep: keep}
}

// Reopen has the file opened anew before the next line.
func (f *File) Reopen() { f.reopen.Store(true) }

// Send implements Sink. The lines are on the disk when it returns nil.
func (f *File) Send(_ context.Context, items []Item) error {
	var lines bytes.Buffer
	for _, item := range items {
		lines.Write(item.JSON)
		lines.WriteByte('\n')
	}
	if f.reopen.Swap(false) {
		if err := f.Close(); err != nil {
			return err
		}
	}
	if f.maxBytes > 0 && f.out != nil && f.size > 0 && f.size+int64(lines.Len()) > f.maxBytes {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	if f.out == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	if _, err := f.out.Write(lines.Bytes()); err != nil {
		// A part of it may stand there; what is sent again must begin a line.
		return errors.Join(err, f.out.Truncate(f.size), f.Close())
	}
	if err := f.out.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	f.size += int64(lines.Len())
	return nil
}

// open goes on behind the last whole line: one without an end was cut off by a
// crash, and is sent again.
func (f *File) open() error {
	out, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := cutTorn(out)
	if err != nil {
		return errors.Join(err, out.Close())
	}
	f.out, f.size = out, size
	return nil
}

// torn is how each line of a sink begins. A file that ends in another way is not
// touched, but for an end of its line.
var torn = []byte(`{"journal":`)

// tornAtMost bounds how far back the beginning of a line is looked for.
const tornAtMost = 32 << 20

// cutTorn removes the line that was cut off, and returns the size of the file.
func cutTorn(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	size := info.Size()
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err != nil || last[0] == '\n' {
		return size, err
	}
	from := max(0, size-tornAtMost)
	tail, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if err != nil {
		return 0, err
	}
	begin := bytes.LastIndexByte(tail, '\n') + 1
	if (begin > 0 || from == 0) && bytes.HasPrefix(torn, tail[begin:min(len(tail), begin+len(torn))]) {
		return from + int64(begin), f.Truncate(from + int64(begin))
	}
	_, err = f.WriteString("\n")
	return size + 1, err
}

func (f *File) rotate() error {
	if err := f.Close(); err != nil {
		return err
	}
	if f.keep == 0 {
		return os.Remove(f.path)
	}
	for n := f.keep - 1; n >= 0; n-- {
		err := os.Rename(f.numbered(n), f.numbered(n+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (f *File) numbered(n int) string {
	if n == 0 {
		return f.path
	}
	return fmt.Sprintf("%s.%d", f.path, n)
}

// Close implements Sink.
func (f *File) Close() error {
	if f.out == nil {
		return nil
	}
	err := f.out.Close()
	f.out, f.size = nil, 0
	return err
}
