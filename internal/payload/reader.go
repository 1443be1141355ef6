package payload

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
)

// source yields the payload bytes of one framing.
type source interface {
	// Read returns at least one byte or an error, and never reads past the
	// payload when p is no longer than what is left of it.
	Read(p []byte) (int, error)
	// copyTo hands payload bytes over to w unseen, n at most; none where they
	// have to be read.
	copyTo(w io.ReaderFrom, n int64) (int64, error)
	// finish verifies everything behind the payload, up to the end of the body,
	// and returns the values of the trailers.
	finish() ([]Checksum, error)
}

// Reader reads a payload and verifies it. It is not safe for concurrent use.
// Its memory does not depend on the length of the payload or of its chunks.
type Reader struct {
	src      source
	left     int64 // of the payload
	hashes   []running
	checks   []check
	verified []Checksum // or, with leave, those that a trailer brought
	leave    bool       // trailers are for somebody else to verify
	compute  Algorithm
	err      error // sticky; io.EOF after success
}

type running struct {
	algorithm Algorithm
	hash.Hash
}

// check is a declared value to be compared at the end.
type check struct {
	algorithm Algorithm
	want      []byte
	err       error
}

// NewReader makes a reader for the payload in body. It fails with
// ErrLengthRequired when the length is not known, and with ErrIncomplete when
// the body cannot hold the payload; see LearnLength.
func NewReader(body io.Reader, d Declared) (*Reader, error) {
	if d.Length < 0 {
		return nil, ErrLengthRequired
	}
	if d.EncodedLength >= 0 && d.EncodedLength < d.Length {
		return nil, fmt.Errorf("%w: %d bytes declared in a body of %d", ErrIncomplete, d.Length, d.EncodedLength)
	}
	r := &Reader{left: d.Length, leave: d.LeaveTrailer, compute: d.Compute}
	if err := r.expect(d); err != nil {
		return nil, err
	}
	whole := &steady{body: body}
	if d.Framing == Identity {
		r.src = plain{whole}
		return r, nil
	}
	if d.Framing.Signed() && d.Chunks == nil {
		return nil, fmt.Errorf("%w: nobody signed the chunks", ErrChunkSignature)
	}
	r.src = newDecoder(whole, d)
	return r, nil
}

// expect prepares the checks. Values that need the same digest share it.
func (r *Reader) expect(d Declared) error {
	if d.SHA256 != "" {
		sum, err := hex.DecodeString(d.SHA256)
		if err != nil {
			return ErrInvalidPayloadHash
		}
		r.add(check{SHA256, sum, ErrSHA256})
	}
	if d.ContentMD5 != "" {
		sum, ok := MD5.decode(d.ContentMD5)
		if !ok {
			return ErrInvalidDigest
		}
		r.add(check{MD5, sum, ErrBadDigest})
	}
	for _, c := range d.Checksums {
		if err := r.addChecksum(c); err != nil {
			return err
		}
	}
	for _, name := range d.Trailers {
		algorithm, ok := algorithmOf(strings.TrimPrefix(name, checksumPrefix))
		if !ok {
			return fmt.Errorf("%w: trailer %q is not a checksum", ErrInvalidRequest, name)
		}
		if !d.LeaveTrailer {
			r.run(algorithm)
		}
	}
	if d.Compute != "" {
		r.run(d.Compute)
	}
	return nil
}

func (r *Reader) addChecksum(c Checksum) error {
	sum, ok := c.Algorithm.decode(c.Value)
	if !ok {
		return fmt.Errorf("%w: the value of %s is not valid", ErrInvalidRequest, c.Algorithm.Header())
	}
	r.add(check{c.Algorithm, sum, ErrChecksum})
	r.verified = append(r.verified, c)
	return nil
}

func (r *Reader) add(c check) {
	r.checks = append(r.checks, c)
	r.run(c.algorithm)
}

func (r *Reader) run(a Algorithm) {
	for _, h := range r.hashes {
		if h.algorithm == a {
			return
		}
	}
	r.hashes = append(r.hashes, running{a, a.newHash()})
}

// Read hands out payload bytes. The read that would hand out the last of them
// first verifies everything; when that fails it hands out nothing. After the
// last byte it returns io.EOF, after an error always that error.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.left > 0 && len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) < r.left {
		n, err := r.src.Read(p)
		if err != nil {
			return r.fail(p, err)
		}
		r.take(p[:n])
		return n, nil
	}
	return r.readLast(p[:r.left])
}

// CopyTo hands the next bytes over to w without looking at them, n at most, where
// nothing is to be verified here and more is to come. Where that cannot be, or
// they do not come soon, it returns how many it did, and Read goes on with what
// follows.
func (r *Reader) CopyTo(w io.ReaderFrom, n int64) (int64, error) {
	if r.err != nil || len(r.hashes) > 0 || n >= r.left {
		return 0, nil //nolint:nilerr // Read tells
	}
	m, err := r.src.copyTo(w, n)
	r.left -= m
	return m, err
}

// readLast reads all that is left into p and verifies before it returns.
func (r *Reader) readLast(p []byte) (int, error) {
	for n := 0; n < len(p); {
		m, err := r.src.Read(p[n:])
		if err != nil {
			return r.fail(p, err)
		}
		r.take(p[n : n+m])
		n += m
	}
	trailers, err := r.src.finish()
	if err != nil {
		return r.fail(p, err)
	}
	if r.leave {
		r.verified = append(r.verified, trailers...)
		trailers = nil
	}
	for _, c := range trailers {
		if err := r.addChecksum(c); err != nil {
			return r.fail(p, err)
		}
	}
	for _, c := range r.checks {
		if err := r.compare(c); err != nil {
			return r.fail(p, err)
		}
	}
	r.computed()
	r.err = io.EOF
	if len(p) == 0 {
		return 0, io.EOF
	}
	return len(p), nil
}

// computed adds the checksum that was asked for to the verified ones.
func (r *Reader) computed() {
	for _, h := range r.hashes {
		known := func(c Checksum) bool { return c.Algorithm == h.algorithm }
		if h.algorithm == r.compute && !slices.ContainsFunc(r.verified, known) {
			r.verified = append(r.verified, Checksum{h.algorithm, base64.StdEncoding.EncodeToString(h.Sum(nil))})
		}
	}
}

func (r *Reader) take(p []byte) {
	for _, h := range r.hashes {
		h.Write(p)
	}
	r.left -= int64(len(p))
}

func (r *Reader) compare(c check) error {
	for _, h := range r.hashes {
		if h.algorithm == c.algorithm {
			if bytes.Equal(h.Sum(nil), c.want) {
				return nil
			}
			break
		}
	}
	if errors.Is(c.err, ErrChecksum) {
		return fmt.Errorf("%w: the %s is another one", c.err, c.algorithm)
	}
	return c.err
}

// fail makes err sticky and wipes what was read but may not be used.
func (r *Reader) fail(p []byte, err error) (int, error) {
	clear(p)
	r.err = err
	return 0, err
}

// Checksums returns the x-amz-checksum-* values that have been verified, those
// of trailers included (with LeaveTrailer, unverified), and what Compute asked
// for. It is nil before Read has returned io.EOF or the last
// byte.
func (r *Reader) Checksums() []Checksum {
	if !errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.verified
}

// plain is the source of an unframed body.
type plain struct{ body *steady }

func (s plain) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n == 0 {
		return 0, readError(err)
	}
	return n, nil
}

func (s plain) copyTo(w io.ReaderFrom, n int64) (int64, error) { return s.body.copyTo(w, n) }

func (s plain) finish() ([]Checksum, error) { return nil, expectEnd(s.body) }

// steady makes a reader return either bytes or an error, the latter for ever.
type steady struct {
	body io.Reader
	err  error
}

func (s *steady) Read(p []byte) (int, error) {
	const patience = 100 // as bufio has it
	for range patience {
		if s.err != nil {
			return 0, s.err
		}
		n, err := s.body.Read(p)
		if s.err = err; n > 0 {
			return n, nil
		}
	}
	if s.err == nil {
		s.err = io.ErrNoProgress
	}
	return 0, s.err
}

// direct is a body that can do without being read.
type direct interface {
	CopyTo(w io.ReaderFrom, n int64) (int64, error)
}

// copyTo is that of the body, if it has one.
func (s *steady) copyTo(w io.ReaderFrom, n int64) (int64, error) {
	direct, ok := s.body.(direct)
	if !ok || s.err != nil {
		return 0, nil //nolint:nilerr // Read tells
	}
	return direct.CopyTo(w, n)
}

// expectEnd makes sure that nothing follows in body.
func expectEnd(body io.Reader) error {
	var surplus [1]byte
	switch n, err := body.Read(surplus[:]); {
	case n > 0:
		return ErrTooLong
	case errors.Is(err, io.EOF):
		return nil
	default:
		return readError(err)
	}
}

// readError tells a body that ended too early from one that could not be read.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrIncomplete, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("reading the body: %w", err)
}
