package s3wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// maxFormTail is how much of a form is read ahead at most to find where its
// file ends. In a longer one the file must be the last field, as nobody can
// know its length otherwise before all of it has passed.
const maxFormTail = 64 << 10

// MaxFormFile is the largest file of a form, in bytes (S3 API Reference, "POST
// Object").
const MaxFormFile = 5 << 30

// File returns the file and its length in bytes. The reader yields exactly that
// many bytes, and io.EOF only if the form then ends as it must. Fields behind
// the file count for nothing, as with S3. It may be called once.
func (f *Form) File() (io.Reader, int64, error) {
	if f.left <= maxFormTail {
		return f.shortFile()
	}
	length := f.left - int64(len(f.delim)+len(formEnd))
	if length > MaxFormFile {
		return nil, 0, tooLarge(length, MaxFormFile)
	}
	return &formFile{in: f.in, delim: f.delim, left: length}, length, nil
}

// formEnd follows the last delimiter. The line end is optional (RFC 2046,
// section 5.1.1), but all who send large files send it.
const formEnd = "--\r\n"

// shortFile reads the rest of the form and finds the file in it.
func (f *Form) shortFile() (io.Reader, int64, error) {
	rest := make([]byte, f.left)
	if _, err := io.ReadFull(f.in, rest); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, 0, formError(err)
	}
	file, behind, ok := bytes.Cut(rest, f.delim)
	if !ok {
		return nil, 0, formError(io.EOF)
	}
	if err := f.skipFields(behind); err != nil {
		return nil, 0, err
	}
	return bytes.NewReader(file), int64(len(file)), nil
}

// skipFields makes sure that what follows the file is a form to its end, and
// has no second file.
func (f *Form) skipFields(behind []byte) error {
	r := formReader{in: bufio.NewReader(bytes.NewReader(behind)), delim: f.delim, budget: len(behind), full: MalformedPOSTRequest}
	for {
		p, err := r.next()
		if err != nil {
			return err
		}
		if p == nil {
			break
		}
		if p.name == "file" {
			return WrongNumberOfFiles.Err()
		}
		if _, err := r.until(f.delim); err != nil {
			return err
		}
	}
	if end := behind[r.read:]; len(end) > 0 && string(end) != "\r\n" {
		return surplus()
	}
	return nil
}

func surplus() error { return MalformedPOSTRequest.With("Something follows the end of the form.") }

// formFile yields a file that is followed by the end of the form and nothing
// else.
type formFile struct {
	in    *bufio.Reader
	delim []byte
	left  int64 // of the file, in bytes
	err   error // sticky; io.EOF after success
}

// Read hands out only bytes at which no delimiter begins: a file that ends
// earlier than the form's length says is not the last field.
func (f *formFile) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	if f.left == 0 {
		f.err = f.finish()
		return 0, f.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	// The bytes that may follow the first one as a delimiter must be in sight.
	if _, err := f.in.Peek(len(f.delim)); err != nil {
		return f.fail(err)
	}
	seen, err := f.in.Peek(min(f.in.Buffered(), len(p)+len(f.delim)-1))
	if err != nil {
		return f.fail(err)
	}
	safe := min(int64(len(seen)-len(f.delim)+1), f.left)
	if end := bytes.Index(seen, f.delim); end >= 0 && int64(end) < f.left {
		f.err = MalformedPOSTRequest.With("In a form of more than 64 KiB the file must be the last field.")
		return 0, f.err
	}
	n, err := f.in.Read(p[:safe])
	f.left -= int64(n)
	return n, err
}

func (f *formFile) fail(err error) (int, error) {
	f.err = formError(err)
	return 0, f.err
}

// finish reads the end of the form.
func (f *formFile) finish() error {
	end := make([]byte, len(f.delim)+len(formEnd))
	if _, err := io.ReadFull(f.in, end); err != nil {
		return formError(err)
	}
	if string(end) != string(f.delim)+formEnd {
		return MalformedPOSTRequest.With("The form does not end with its boundary, two hyphens and a line end.")
	}
	switch n, err := f.in.Read(make([]byte, 1)); {
	case n > 0:
		return surplus()
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return formError(err)
	}
}

func tooLarge(size, most int64) error {
	e := EntityTooLarge.Err()
	e.Details = []Detail{{"ProposedSize", strconv.FormatInt(size, 10)}, {"MaxSizeAllowed", strconv.FormatInt(most, 10)}}
	return e
}

func tooSmall(size, least int64) error {
	e := EntityTooSmall.Err()
	e.Details = []Detail{{"ProposedSize", strconv.FormatInt(size, 10)}, {"MinSizeAllowed", strconv.FormatInt(least, 10)}}
	return e
}
