package http1

import (
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"time"
)

var noDeadline time.Time

type bodyKind uint8

const (
	byLength bodyKind = iota
	byChunks
	byClose // the connection's end is the body's
)

// body reads an answer's body straight from the connection once what was read
// ahead is used up.
type body struct {
	x     *exchange
	kind  bodyKind
	left  int64
	chunk chunkScan
	until time.Time // deadline of the read under way
	limit time.Time // for the whole of the body; zero: none
	keep  bool      // the connection may be reused after a clean end
	err   error     // the end, or what cut it
}

// respond makes the Response, whose body takes over the connection.
func (x *exchange) respond(a answer) *Response {
	b := &body{x: x, keep: a.reusable() && x.complete}
	resp := &Response{Status: a.status, Header: a.header, ContentLength: a.length, Body: b, Early: !x.complete, head: a.fields}
	switch {
	case a.bodiless(x.req.Method):
		b.left = 0
		if a.status == http.StatusNoContent {
			resp.ContentLength = 0
		}
	case a.chunked:
		b.kind = byChunks
	case a.length >= 0:
		b.left = a.length
	default:
		b.kind, b.keep = byClose, false
	}
	if b.kind == byLength && b.left == 0 {
		b.end(io.EOF)
	}
	return resp
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.read(p)
	if err != nil {
		b.end(err)
		return n, b.err
	}
	if b.kind == byLength && b.left == 0 {
		// The connection is free before the caller asks for the end.
		b.end(io.EOF)
	}
	return n, nil
}

func (b *body) read(p []byte) (int, error) {
	switch b.kind {
	case byChunks:
		return b.readChunk(p)
	case byClose:
		return b.readRaw(p)
	}
	n, err := b.readRaw(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, cut(err, b.left)
}

// cut turns the end of the connection into that of an unfinished body.
func cut(err error, left int64) error {
	if err == io.EOF && left == 0 { //nolint:errorlint // a reader's end is bare
		return nil
	}
	if err == io.EOF { //nolint:errorlint // as above
		return io.ErrUnexpectedEOF
	}
	return err
}

func (b *body) readRaw(p []byte) (int, error) {
	if in := b.x.conn.in; in.Buffered() > 0 {
		// What is here already waits for nothing, but after the context's end it is
		// not handed out either.
		if err := b.x.ctx.Err(); err != nil && !b.x.fetched {
			return 0, err
		}
		return in.Read(p)
	}
	if err := b.arm(); err != nil {
		return 0, err
	}
	return b.x.conn.Read(p)
}

// arm gives the next read its time, unless the context has ended.
func (b *body) arm() error {
	if b.x.fetched {
		return nil
	}
	if err := b.x.ctx.Err(); err != nil {
		return err
	}
	b.until = time.Now().Add(b.x.client.opts.IOTimeout)
	if !b.limit.IsZero() && b.limit.Before(b.until) {
		b.until = b.limit
	}
	return b.x.conn.SetReadDeadline(b.until)
}

func (b *body) readChunk(p []byte) (int, error) {
	in := b.x.conn.in
	for b.chunk.state != chunkData {
		if b.chunk.state == chunkLast {
			return 0, b.endChunks()
		}
		if in.Buffered() == 0 {
			if err := b.arm(); err != nil {
				return 0, err
			}
		}
		c, err := in.ReadByte()
		if err != nil {
			return 0, cut(err, 1)
		}
		if !b.chunk.control(c) {
			return 0, badResponse("invalid chunk")
		}
	}
	n, err := b.readRaw(p[:min(int64(len(p)), b.chunk.left)])
	b.chunk.data(int64(n))
	return n, cut(err, 1)
}

func (b *body) endChunks() error {
	if err := b.arm(); err != nil {
		return err
	}
	if err := skipTrailer(b.x.conn.in, b.x.client.opts.MaxHeaderBytes, &b.x.conn.headBuf); err != nil {
		return cut(err, 1)
	}
	return io.EOF
}

// WriteTo implements io.WriterTo. Where the answer has a length and both ends
// are sockets, as with net/http's ResponseWriter over plain TCP, the kernel
// copies. An error of w is returned as it is, one of the backend as an *Error.
func (b *body) WriteTo(w io.Writer) (n int64, err error) {
	if rf, ok := w.(io.ReaderFrom); ok && b.kind == byLength && b.err == nil && !b.x.fetched && b.spliceable() {
		if n, err = b.drain(w); err != nil || b.err != nil {
			return n, err
		}
		copied, err := b.hand(w, rf)
		return n + copied, err
	}
	return b.byHand(w, math.MaxInt64)
}

// byHand reads and writes the next bytes of the body, most of them at most or some
// more, where the kernel cannot copy them or whoever takes them has to be watched.
func (b *body) byHand(w io.Writer, most int64) (n int64, err error) {
	piece := pieces.Get().(*[shortBody]byte)
	defer pieces.Put(piece)
	for b.err == nil && n < most {
		got, readErr := b.Read(piece[:])
		put, err := w.Write(piece[:got])
		n += int64(put)
		if err != nil {
			return n, err
		}
		if readErr != nil {
			break
		}
	}
	return n, b.failed()
}

// failed is how the body ended, for whom a whole one is no error.
func (b *body) failed() error {
	if b.err == io.EOF { //nolint:errorlint // the body's own end, never wrapped
		return nil
	}
	return b.err
}

func (b *body) spliceable() bool {
	switch b.x.conn.Conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// drain writes what was read ahead.
func (b *body) drain(w io.Writer) (int64, error) {
	ahead, _ := b.x.conn.in.Peek(int(min(int64(b.x.conn.in.Buffered()), b.left)))
	if len(ahead) == 0 {
		return 0, nil
	}
	n, err := w.Write(ahead)
	if err != nil {
		return int64(n), err
	}
	_, _ = b.x.conn.in.Discard(n)
	if b.left -= int64(n); b.left == 0 {
		b.end(io.EOF)
	}
	return int64(n), nil
}

// slowPiece is how long a piece that the kernel copies may take before whoever
// takes it is watched: less than 1 MiB a second.
const slowPiece = 250 * time.Millisecond

// hand has the kernel copy the rest of the body, piece by piece. What goes slowly
// goes by hand until it goes fast again: how long a socket was waited for, the
// kernel does not tell, and a client that is slower than it may be is to be cut.
func (b *body) hand(w io.Writer, rf io.ReaderFrom) (n int64, err error) {
	for slow := false; b.left > 0 && b.err == nil; {
		began := time.Now()
		var got int64
		if slow {
			got, err = b.byHand(w, splicePiece)
		} else {
			got, err = b.splice(rf)
		}
		n += got
		if err != nil {
			return n, err
		}
		slow = time.Since(began) > slowPiece
	}
	if b.err == nil {
		b.end(io.EOF)
	}
	return n, b.failed()
}

// splice hands one piece over, in its own time.
func (b *body) splice(w io.ReaderFrom) (n int64, err error) {
	if err := b.arm(); err != nil {
		b.end(err)
		return 0, b.err
	}
	size := min(b.left, splicePiece)
	n, err = w.ReadFrom(&io.LimitedReader{R: b.x.conn.Conn, N: size})
	b.left -= n
	switch {
	case err != nil:
		return n, b.blame(err)
	case n < size:
		b.end(io.ErrUnexpectedEOF)
		return n, b.err
	}
	return n, nil
}

// blame tells whose a failed splice is. The kernel's error does not say; but a
// backend whose time is not up, or whose bytes lie there to be taken, and whose
// connection still stands is not at fault.
func (b *body) blame(err error) error {
	late := isTimeout(err) && !time.Now().Before(b.until) && socketSilent(b.x.conn.raw)
	if b.x.ctx.Err() != nil || late || !socketStands(b.x.conn.raw) {
		b.end(err)
		return b.err
	}
	return err
}

// whole takes the body over if all of it was read ahead.
func (b *body) whole() (data []byte, held Held, ok bool) {
	in := b.x.conn.in
	if b.err != nil || b.kind != byLength || in.Size() != readAhead || int64(in.Buffered()) != b.left || b.x.ctx.Err() != nil {
		return nil, Held{}, false
	}
	data, _ = in.Peek(int(b.left))
	b.x.conn.in, b.left = nil, 0
	b.end(io.EOF)
	return data, Held{in}, true
}

// end records how the body ended and gives the connection back, or up.
func (b *body) end(err error) {
	x := b.x
	unwatched := x.unwatch()
	clean := err == io.EOF //nolint:errorlint // the body's own end, never wrapped
	switch {
	case clean:
		b.err = io.EOF
	case errors.Is(err, errBodyClosed):
		b.err = err
	default:
		b.err = x.failure(err)
	}
	if clean && b.keep && unwatched && x.conn.drained() {
		x.client.pool.put(x.conn)
	} else {
		x.client.pool.discard(x.conn)
	}
	x.client.pool.release()
}

var errBodyClosed = errors.New("http1: read of a closed body")

// Close gives the connection up if the body was not read to its end. It never
// fails.
func (b *body) Close() error {
	if b.err == nil {
		b.end(errBodyClosed)
	}
	return nil
}
