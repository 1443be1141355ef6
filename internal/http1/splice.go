package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// Direct is a body of which the kernel can copy a part by itself. [Request]
// bodies may implement it; those of a [Server]'s requests do.
type Direct interface {
	io.Reader
	// CopyTo hands the next bytes of the body, n at most and never its last, over
	// to w, and returns how many. None mean that what follows has to be read. Its
	// errors are those of w; what is wrong with the body, Read tells.
	CopyTo(w io.ReaderFrom, n int64) (int64, error)
}

// spliceWait is how long the kernel may wait for a piece of a body. A client that
// is slower is read from, in smaller pieces.
const spliceWait = 3 * time.Second

// CopyTo implements [Direct], over plain TCP and for a body of known length.
func (b *requestBody) CopyTo(w io.ReaderFrom, n int64) (int64, error) {
	c := b.conn
	from := socketOf(c.Conn)
	if from == nil || b.chunked || b.expected || b.err != nil || b.over.Load() || len(c.buf) > 0 || n >= b.left {
		return 0, nil //nolint:nilerr // Read tells
	}
	if err := c.reads.armUntil(time.Now().Add(spliceWait)); err != nil {
		b.err = err
		return 0, nil //nolint:nilerr // Read tells
	}
	got, err := w.ReadFrom(&io.LimitedReader{R: from, N: n})
	b.left -= got
	switch {
	case err == nil && got < n:
		b.err = io.ErrUnexpectedEOF
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
		// Whoever ended the client's time comes again when it is read from; whether
		// w's is up, its owner knows.
	case socketStands(from):
		return got, err
	default:
		b.err = err
	}
	return got, nil
}

// socketOf is the socket that a connection reads from and nothing else does; nil
// if it is none.
func socketOf(c net.Conn) *net.TCPConn {
	switch c := c.(type) {
	case *net.TCPConn:
		return c
	case interface{ Socket() *net.TCPConn }:
		return c.Socket()
	}
	return nil
}

// splice lets the kernel copy a piece of the body, but never its end. It returns
// 0 where the body has to be read.
func (x *exchange) splice(body Direct, left int64) (int64, error) {
	to, ok := x.conn.Conn.(*net.TCPConn)
	if !ok || left <= splicePiece+shortBody {
		return 0, nil
	}
	// The client's time is up before the backend's.
	late := time.Now().Add(spliceWait + x.client.opts.IOTimeout)
	if err := x.mayWrite(late); err != nil {
		return 0, err
	}
	n, err := body.CopyTo(to, splicePiece)
	x.sent = x.sent || n > 0 || err != nil
	switch {
	case x.upload.answered.Load():
		return n, errAnswered // what the kernel had taken may be lost
	case n < splicePiece && err == nil && !time.Now().Before(late):
		return n, os.ErrDeadlineExceeded // the same
	}
	return n, err
}
