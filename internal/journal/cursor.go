package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Cursor reads durable records in order, also while more are appended. It is
// for one caller at a time.
type Cursor struct {
	j    *Journal
	next uint64
	// until is the first record of the segment behind the one that is open; 0 if
	// there was none when it was opened.
	until uint64
	in    io.ReadCloser
	ahead *bufio.Reader
}

// Read begins with the record seq, or the first one after it that is there.
func (j *Journal) Read(seq uint64) *Cursor { return &Cursor{j: j, next: max(seq, 1)} }

// Next returns the next record and its number. After the last durable one it
// returns io.EOF, and can be asked again later.
func (c *Cursor) Next() (seq uint64, record []byte, err error) {
	for {
		if c.next > c.j.Head() {
			return 0, nil, io.EOF
		}
		if c.in == nil {
			if err := c.open(); err != nil {
				return 0, nil, err
			}
		}
		f, err := c.frame()
		switch {
		case errors.Is(err, io.EOF):
			if err := c.leave(); err != nil {
				return 0, nil, err
			}
		case err != nil:
			return 0, nil, errors.Join(err, c.Close()) // asked again, it is read again
		case f.seq >= c.next:
			c.next = f.seq + 1
			return f.seq, f.payload, nil
		}
	}
}

// open opens the segment that has the next record.
func (c *Cursor) open() error {
	firsts, err := segments(c.j.opts.Dir)
	if err != nil {
		return err
	}
	at, exact := slices.BinarySearch(firsts, c.next)
	if !exact {
		at = max(at-1, 0)
	}
	if at >= len(firsts) {
		return fmt.Errorf("%w: no segment has record %d", ErrDamaged, c.next)
	}
	c.until = 0
	if at+1 < len(firsts) {
		c.until = firsts[at+1]
	}
	if c.in, err = openSegment(c.j.opts.Dir, firsts[at]); err != nil {
		return err
	}
	c.ahead = bufio.NewReaderSize(c.in, 256<<10)
	head := make([]byte, headerBytes)
	if _, err := io.ReadFull(c.ahead, head); err != nil {
		return fmt.Errorf("%w: segment %d has no header", ErrDamaged, firsts[at])
	}
	_, err = decodeHeader(head)
	return err
}

// frame reads one frame of the open segment; io.EOF is the segment's end.
func (c *Cursor) frame() (frame, error) {
	head, err := c.ahead.Peek(frameBytes)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return frame{}, io.EOF
	}
	if err != nil {
		return frame{}, c.end("ends inside a record")
	}
	length := binary.BigEndian.Uint32(head)
	if length > MaxRecord {
		return frame{}, c.end("has a record of an impossible length")
	}
	whole := make([]byte, frameBytes+int(length))
	if _, err := io.ReadFull(c.ahead, whole); err != nil {
		return frame{}, c.end("ends inside a record")
	}
	f, _, ok := decodeFrame(whole)
	switch {
	case !ok:
		return frame{}, c.end("has a record whose checksum does not match")
	case c.until > 0 && f.seq >= c.until:
		return frame{}, io.EOF
	}
	return f, nil
}

// end is how a segment ends before its time: where the next record stands in
// another segment, what lies behind here was never acknowledged.
func (c *Cursor) end(how string) error {
	if c.until > 0 && c.next >= c.until {
		return io.EOF
	}
	return fmt.Errorf("%w: the segment with record %d %s", ErrDamaged, c.next, how)
}

// leave goes on to the next segment. A segment that was the last when it was
// opened may have one behind it by now.
func (c *Cursor) leave() error {
	until := c.until
	if err := c.Close(); err != nil {
		return err
	}
	if until > 0 {
		c.next = max(c.next, until)
		return nil
	}
	firsts, err := segments(c.j.opts.Dir)
	if err != nil {
		return err
	}
	after := slices.IndexFunc(firsts, func(first uint64) bool { return first >= c.next })
	if after < 0 {
		return fmt.Errorf("%w: record %d is missing", ErrDamaged, c.next)
	}
	c.next = firsts[after]
	return nil
}

// Seek makes seq the next record. It costs nothing if it is that already.
func (c *Cursor) Seek(seq uint64) {
	if c.next == seq {
		return
	}
	_ = c.Close() // nothing was written
	c.next = seq
}

// SkipSegment leaves the segment that Next found damaged, and returns the number
// of the next record to be read: the first of the next segment, or the one that
// will be appended next.
func (c *Cursor) SkipSegment() (next uint64, err error) {
	if err := c.Close(); err != nil {
		return 0, err
	}
	firsts, err := segments(c.j.opts.Dir)
	if err != nil {
		return 0, err
	}
	at, _ := slices.BinarySearch(firsts, c.next+1)
	c.next = c.j.Head() + 1
	if at < len(firsts) {
		c.next = firsts[at]
	}
	return c.next, nil
}

// Close closes the segment that is open. Reading on opens it again.
func (c *Cursor) Close() error {
	if c.in == nil {
		return nil
	}
	err := c.in.Close()
	c.in, c.ahead = nil, nil
	return err
}
