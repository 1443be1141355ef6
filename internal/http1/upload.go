package http1

import (
	"bufio"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// errAnswered ends an upload whose answer has come before its end.
var errAnswered = errors.New("answered early")

// upload is what the two goroutines of a streamed request share: one sends,
// the other awaits the answer.
type upload struct {
	answered atomic.Bool // the answer's head, or its failure, is there
	mu       sync.Mutex
	bodyRead bool // the body will not be read any more
}

type awaited struct {
	answer answer
	err    *Error // without what was sent: the sender knows
}

var pieces = sync.Pool{New: func() any { return new([shortBody]byte) }}

// stream sends a long body piece by piece while it already listens for the
// answer.
func (x *exchange) stream(head []byte) (answer, *Error) {
	if err := x.write(head, false); err != nil {
		return answer{}, x.failure(err)
	}
	if err := x.conn.SetReadDeadline(noDeadline); err != nil {
		return answer{}, x.failure(err)
	}
	results := make(chan awaited, 1)
	go func() { results <- x.listen() }()

	err := x.sendBody()
	x.upload.done()
	switch {
	case err == nil:
		x.awaitHead()
	case errors.Is(err, errAnswered):
	case errors.Is(err, ErrBody) || x.ctx.Err() != nil || isTimeout(err):
		x.conn.abort()
	default:
		// The connection broke while writing; an answer may have come before.
		x.awaitHead()
	}
	res := <-results
	if err != nil && (errors.Is(err, ErrBody) || isTimeout(err)) {
		return answer{}, x.failure(err)
	}
	if res.err != nil {
		res.err.Sent, res.err.Complete = x.sent, x.complete
		return answer{}, res.err
	}
	return res.answer, nil
}

// listen reads the head of the answer and stops the sender if that is still at
// work.
func (x *exchange) listen() awaited {
	a, err := x.readAnswer()
	var lost *Error
	if err != nil {
		lost = x.kind(err) // before AbortBody, which may end the context
	}
	// The sender sets its deadline before it looks at answered, so either it
	// sees answered or this deadline ends its write.
	x.upload.answered.Store(true)
	_ = x.conn.SetWriteDeadline(longAgo)
	x.upload.mu.Lock()
	defer x.upload.mu.Unlock()
	if !x.upload.bodyRead && x.req.AbortBody != nil {
		if err == nil {
			x.fetched = x.fetch(a)
		}
		x.req.AbortBody()
	}
	return awaited{a, lost}
}

// fetch reads the body of an early answer ahead, if it is as short as errors
// are, and reports whether it is all there. Aborting a request's body ends the
// request's context under net/http, and that must not cost the client the
// answer.
func (x *exchange) fetch(a answer) bool {
	in := bufio.NewReaderSize(x.conn.in, shortBody)
	x.conn.in = in
	if x.conn.SetReadDeadline(time.Now().Add(x.client.opts.IOTimeout)) != nil {
		return false
	}
	switch {
	case a.bodiless(x.req.Method):
		return true
	case a.chunked:
		return fetchChunks(in)
	case a.length < 0 || a.length > shortBody:
		return false
	}
	_, err := in.Peek(int(a.length))
	return err == nil
}

// fetchChunks reads ahead up to the end of a chunked body without a trailer.
func fetchChunks(in *bufio.Reader) bool {
	var scan chunkScan
	for seen := 0; ; {
		p, err := in.Peek(max(in.Buffered(), seen+1))
		n, ok := scan.scan(p[min(seen, len(p)):])
		seen += n
		if scan.state == chunkDone || !ok || err != nil {
			return ok && scan.state == chunkDone
		}
	}
}

func (u *upload) done() {
	u.mu.Lock()
	u.bodyRead = true
	u.mu.Unlock()
}

// sendBody copies the body and holds its last piece back until the body has
// ended as declared.
func (x *exchange) sendBody() error {
	piece := pieces.Get().(*[shortBody]byte)
	defer pieces.Put(piece)
	x.touched = true
	direct, _ := x.req.Body.(Direct)
	empty, flows := 0, false
	for left := x.req.ContentLength; ; {
		if direct != nil && flows {
			n, err := x.splice(direct, left)
			if err != nil {
				return err
			}
			left -= n
			if flows = n >= goodRead; n == splicePiece {
				continue
			}
		}
		n, err := x.req.Body.Read(piece[:min(left, shortBody)])
		left -= int64(n)
		flows = flows || n >= goodRead
		if x.upload.answered.Load() {
			return errAnswered
		}
		if fault := bodyFault(err, left); fault != nil {
			return &Error{Kind: ErrBody, Cause: fault}
		}
		if left == 0 {
			return x.sendLast(piece[:n], err)
		}
		if empty++; n > 0 {
			empty = 0
			if err := x.write(piece[:n], false); err != nil {
				return err
			}
		} else if empty == maxEmptyReads {
			return &Error{Kind: ErrBody, Cause: io.ErrNoProgress}
		}
	}
}

// goodRead is what a read or copy brings of a body that comes fast enough for the
// kernel to copy more of it.
const goodRead = shortBody / 4

func bodyFault(err error, left int64) error {
	if err == io.EOF { //nolint:errorlint // a reader's end is bare
		if left > 0 {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	return err
}

// sendLast sends the piece that ends the request, once the body has confirmed
// its end; ended is what the read of the piece returned.
func (x *exchange) sendLast(p []byte, ended error) error {
	if ended == nil {
		if err := x.req.expectEOF(); err != nil {
			if x.upload.answered.Load() {
				return errAnswered
			}
			return &Error{Kind: ErrBody, Cause: err}
		}
	}
	x.upload.done()
	return x.last(p)
}
