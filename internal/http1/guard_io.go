package http1

import (
	"io"
	"sync"
	"time"
)

// deadline combines a limit that others set with patience for a transfer that
// stands still. A limit set from another goroutine holds also for transfers
// that begin later.
type deadline struct {
	idle time.Duration
	set  func(time.Time) error

	mu    sync.Mutex
	limit time.Time
}

func (d *deadline) limitTo(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = t
	return d.set(t)
}

// arm gives the next read or write its time.
func (d *deadline) arm() error { return d.armUntil(time.Now().Add(d.idle)) }

func (d *deadline) armUntil(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.limit.IsZero() && d.limit.Before(t) {
		t = d.limit
	}
	return d.set(t)
}

// free takes away the limit that others set.
func (d *deadline) free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = time.Time{}
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.reads.limitTo(t); err != nil {
		return err
	}
	return c.writes.limitTo(t)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { return c.reads.limitTo(t) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.writes.limitTo(t) }

const (
	writePiece  = 64 << 10  // per deadline
	splicePiece = 256 << 10 // per deadline, where the kernel copies
)

// Write implements net.Conn, piece by piece so that a slow reader is told from
// one that stands still.
func (c *conn) Write(p []byte) (written int, err error) {
	for {
		piece := p[written:min(len(p), written+writePiece)]
		if err := c.writes.arm(); err != nil {
			return written, err
		}
		began := time.Now()
		n, err := c.Conn.Write(piece)
		written += n
		if slow := c.writePace.note(time.Since(began), n); err == nil {
			err = slow
		}
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

// streamConn keeps the kernel's copy paths of TCP and unix sockets.
type streamConn struct {
	*conn
	dst io.ReaderFrom
}

// ReadFrom implements io.ReaderFrom by the wrapped connection's own, which
// splices from a socket or a file, also through an io.LimitedReader. The pieces
// have a deadline each.
func (c *streamConn) ReadFrom(r io.Reader) (n int64, err error) {
	piece := &io.LimitedReader{R: r}
	outer, bounded := r.(*io.LimitedReader)
	if bounded {
		piece.R = outer.R
	}
	for {
		size := int64(splicePiece)
		if bounded {
			size = min(size, outer.N)
		}
		if size <= 0 {
			return n, nil
		}
		if err := c.writes.arm(); err != nil {
			return n, err
		}
		piece.N = size
		got, err := c.dst.ReadFrom(piece)
		n += got
		if bounded {
			outer.N -= got
		}
		if err != nil || got < size {
			return n, err
		}
	}
}
