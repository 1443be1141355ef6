package payload

import (
	"errors"
	"fmt"
	"io"
	"strconv"
)

// frameChunk is how much of the payload goes into one chunk. S3 wants at least
// 8 KiB in all but the last.
const frameChunk = 64 << 10

// trailerEnd closes a framed body behind the trailer's line.
const trailerEnd = "\r\n\r\n"

// Payload is a payload that knows its checksums once it has been read to its
// end: a Reader, or something around one.
type Payload interface {
	io.Reader
	Checksums() []Checksum
}

// Framer frames a payload anew, as STREAMING-UNSIGNED-PAYLOAD-TRAILER with one
// checksum in its trailer: that which a client's trailer brought, or which was
// computed on the way. What is handed out before the payload has been verified
// lacks its end and so is no body.
type Framer struct {
	in        Payload
	algorithm Algorithm
	left      int64  // of the payload
	chunk     int64  // left of the chunk
	pending   []byte // framing to be handed out next
	begun     bool   // a chunk has begun, and its line end is due
	done      bool   // the trailer is in pending, or was handed out
	err       error
	scratch   [128]byte
}

// NewFramer frames in, whose payload has the given length. Once in has been
// read, its Checksums must have a value of the algorithm (see Declared.Compute).
func NewFramer(in Payload, length int64, a Algorithm) *Framer {
	return &Framer{in: in, algorithm: a, left: length}
}

// FramedLength is the length in bytes of a payload once framed.
func FramedLength(length int64, a Algorithm) int64 {
	chunks := func(n, size int64) int64 { // n chunks of one size
		return n * (int64(len(strconv.FormatInt(size, 16))) + size + 2*int64(len("\r\n")))
	}
	total := chunks(length/frameChunk, frameChunk)
	if rest := length % frameChunk; rest > 0 {
		total += chunks(1, rest)
	}
	base64 := (a.size() + 2) / 3 * 4
	return total + int64(len("0\r\n")+len(a.Header())+len(":")+base64+len(trailerEnd))
}

// Read hands out the framed body. Its errors are those of the payload's reader.
func (f *Framer) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && f.err == nil {
		if len(f.pending) > 0 {
			m := copy(p[n:], f.pending)
			f.pending = f.pending[m:]
			n += m
			continue
		}
		if f.chunk == 0 {
			f.next()
			continue
		}
		m, err := f.in.Read(p[n:min(int64(len(p)), int64(n)+f.chunk)])
		n += m
		f.chunk -= int64(m)
		f.left -= int64(m)
		if err != nil {
			f.fail(err)
		}
		break // what has come goes on; it may be long until more does
	}
	if n == 0 && f.err != nil {
		return 0, f.err
	}
	return n, nil
}

// CopyTo is that of the payload, if it has one, within a chunk.
func (f *Framer) CopyTo(w io.ReaderFrom, n int64) (int64, error) {
	in, ok := f.in.(direct)
	if !ok || f.err != nil || len(f.pending) > 0 || f.chunk == 0 {
		return 0, nil //nolint:nilerr // Read tells
	}
	m, err := in.CopyTo(w, min(n, f.chunk))
	f.chunk -= m
	f.left -= m
	return m, err
}

func (f *Framer) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrIncomplete, io.ErrUnexpectedEOF)
	}
	f.err = err
}

// next puts the end of one chunk and the beginning of the next into pending, or
// the end of the body.
func (f *Framer) next() {
	out := f.scratch[:0]
	if f.begun {
		out = append(out, "\r\n"...)
		f.begun = false
	}
	switch {
	case f.done:
		f.err = io.EOF
		return
	case f.left > 0:
		f.chunk = min(f.left, frameChunk)
		f.begun = true
		out = append(strconv.AppendInt(out, f.chunk, 16), "\r\n"...)
	default:
		var err error
		if out, err = f.appendTrailer(out); err != nil {
			f.err = err
			return
		}
		f.done = true
	}
	f.pending = out
}

// appendTrailer ends the body once the payload has told its own end.
func (f *Framer) appendTrailer(out []byte) ([]byte, error) {
	var one [1]byte
	if n, err := f.in.Read(one[:]); n > 0 || !errors.Is(err, io.EOF) {
		if err == nil {
			err = ErrTooLong
		}
		return nil, err
	}
	for _, c := range f.in.Checksums() {
		if c.Algorithm == f.algorithm {
			out = append(append(out, "0\r\n"...), f.algorithm.Header()...)
			out = append(append(out, ':'), c.Value...)
			return append(out, trailerEnd...), nil
		}
	}
	return nil, fmt.Errorf("%w: no %s to frame with", ErrInvalidRequest, f.algorithm)
}
