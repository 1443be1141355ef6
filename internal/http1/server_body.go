package http1

import (
	"io"
	"net/http"
	"sync/atomic"
)

// requestBody is a request's body as its framing defines it.
type requestBody struct {
	conn     *serverConn
	answer   *answerWriter
	chunked  bool
	expected bool // the client waits to be told to go on
	left     int64
	chunk    chunkScan
	err      error
	ended    atomic.Bool // nothing of it is left on the connection
	over     atomic.Bool // its request has been answered
}

// Read implements io.Reader. It returns [ErrFraming] where the chunks are
// broken.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.over.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if b.expected {
		b.expected = false
		if err := b.answer.goOn(); err != nil {
			return 0, err
		}
	}
	n, err := b.read(p)
	b.err = err
	return n, err
}

func (b *requestBody) read(p []byte) (int, error) {
	if b.chunked {
		return b.readChunk(p)
	}
	n, err := b.conn.readRaw(p[:min(int64(len(p)), b.left)])
	if b.left -= int64(n); b.left == 0 {
		return n, b.end()
	}
	return n, cut(err, b.left)
}

func (b *requestBody) end() error {
	b.ended.Store(true)
	b.conn.unread.Store(false)
	return io.EOF
}

func (b *requestBody) readChunk(p []byte) (int, error) {
	c := b.conn
	for b.chunk.state != chunkData {
		if b.chunk.state == chunkDone {
			return 0, b.end()
		}
		if len(c.buf) == 0 {
			if err := c.fillBody(); err != nil {
				return 0, cut(err, 1)
			}
		}
		if !b.chunk.control(c.buf[0]) {
			c.broken.Store(true)
			return 0, ErrFraming
		}
		c.take(1)
	}
	n, err := c.readRaw(p[:min(int64(len(p)), b.chunk.left)])
	b.chunk.data(int64(n))
	return n, cut(err, 1)
}

// Close implements io.Closer. What is unread is up to the answer's end.
func (b *requestBody) Close() error { return nil }

// maxDrained is how much of a body that the handler did not want is read, so
// that the connection can be kept.
const maxDrained = 256 << 10

// drain reads the rest of a body, if it is short, and reports whether it did.
func (b *requestBody) drain() bool {
	if b.ended.Load() {
		return true
	}
	if b.expected || b.err != nil || b.left > maxDrained {
		return false
	}
	waste := pieces.Get().(*[shortBody]byte)
	defer pieces.Put(waste)
	for drained := 0; drained < maxDrained; {
		n, err := b.Read(waste[:])
		drained += n
		if err != nil {
			break
		}
	}
	return b.ended.Load()
}
