package http1

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Request is one request to the backend.
type Request struct {
	// Method is a token: GET, HEAD, PUT, POST, DELETE.
	Method string
	// Target is the escaped path with its query, as it was signed; it begins
	// with a slash and goes out unchanged.
	Target string
	// Host overrides Options.Host, for virtual-hosted addressing.
	Host string
	// Header goes out as it is, keys in the case they have. Fields that frame
	// or route the message (Host, Content-Length, Connection and their like)
	// are the client's: naming one is ErrBadRequest.
	Header http.Header
	// ContentLength is the exact length of Body in bytes.
	ContentLength int64
	// Body yields ContentLength bytes and then io.EOF. The last piece of the
	// request (64 KiB at most, one byte at least) is kept back until Body has
	// returned io.EOF; if it returns anything else, that piece never goes out.
	// Do reads Body on its own goroutine and never after it has returned.
	Body io.Reader
	// HeaderTimeout overrides Options.HeaderTimeout where it is not zero.
	HeaderTimeout time.Duration
	// Commit, if set, is called once when only the last piece of the request is
	// left to send (the whole of it, if it is short), and must call send to let
	// it go. It can hold a lock meanwhile, so that a revocation either comes
	// first or waits. If it returns without having called send, the request is
	// never completed and Do fails with ErrBody. It is called again where Do
	// may repeat the request.
	Commit func(send func() error) error
	// AbortBody, if set, is called at most once, from another goroutine, when
	// Do no longer wants Body but may be blocked in its Read: the backend
	// answered early or hung up, or the context ended. It should make Read
	// return; without it, Do returns when Read does by itself. It may end the
	// context as well, as net/http does when a read of its body fails: an early
	// answer of 64 KiB at most has been read by then and is not lost.
	AbortBody func()
}

// A body up to this length is collected before anything is sent, and goes out
// in one write with its head.
const shortBody = 64 << 10

// ownFields are written by the client itself, or never.
var ownFields = [...]string{
	"host", "content-length", "transfer-encoding", "connection", "keep-alive",
	"proxy-connection", "te", "trailer", "upgrade", "expect",
}

// heads are the buffers that requests start in: head, and body if short.
var heads = sync.Pool{New: func() any { return new([]byte) }}

// appendStart makes what is sent first: the head, and the whole of a short body,
// which is so collected before a connection is taken. A slow client holds none.
func (r *Request) appendStart(ctx context.Context, out *[]byte, host string) error {
	head, err := r.appendHead((*out)[:0], host)
	if err != nil {
		return err
	}
	if r.Body != nil && r.ContentLength <= shortBody {
		start := len(head)
		head = slices.Grow(head, int(r.ContentLength))[:start+int(r.ContentLength)]
		if err := r.readWhole(head[start:]); err != nil {
			if ctx.Err() != nil {
				return canceled(ctx, false, false)
			}
			return &Error{Kind: ErrBody, Cause: err}
		}
	}
	*out = head
	return nil
}

// appendHead checks the request and writes its head to dst.
func (r *Request) appendHead(dst []byte, host string) ([]byte, error) {
	if r.Host != "" {
		host = r.Host
	}
	if err := r.check(host); err != nil {
		return nil, &Error{Kind: ErrBadRequest, Cause: err}
	}
	dst = append(append(dst, r.Method...), ' ')
	dst = append(append(dst, r.Target...), " HTTP/1.1\r\nHost: "...)
	dst = append(append(dst, host...), "\r\n"...)
	for name, values := range r.Header {
		for _, v := range values {
			dst = append(append(dst, name...), ": "...)
			dst = append(append(dst, v...), "\r\n"...)
		}
	}
	if r.ContentLength > 0 || r.Method == http.MethodPut || r.Method == http.MethodPost {
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, r.ContentLength, 10)
		dst = append(dst, "\r\n"...)
	}
	return append(dst, "\r\n"...), nil
}

func (r *Request) check(host string) error {
	switch {
	case !isToken(r.Method) || r.Method == http.MethodConnect:
		return fmt.Errorf("invalid method %q", r.Method)
	case !validHost([]byte(host)):
		return fmt.Errorf("invalid host %q", host)
	case r.ContentLength < 0 || r.ContentLength > 0 && r.Body == nil:
		return fmt.Errorf("length %d without a body", r.ContentLength)
	case len(r.Target) == 0 || r.Target[0] != '/':
		return fmt.Errorf("target is no path: %q", r.Target)
	}
	for i := range len(r.Target) {
		if c := r.Target[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return fmt.Errorf("invalid character in target %q", r.Target)
		}
	}
	for name, values := range r.Header {
		if !isToken(name) {
			return fmt.Errorf("invalid header name %q", name)
		}
		for _, own := range ownFields {
			if foldEqual(name, own) {
				return fmt.Errorf("header %s is not the caller's", own)
			}
		}
		for _, v := range values {
			if !isText(v) {
				return fmt.Errorf("control character in the value of %s", name)
			}
		}
	}
	return nil
}

// readWhole fills p from the body and proves that the body ends there.
func (r *Request) readWhole(p []byte) error {
	if _, err := io.ReadFull(r.Body, p); err != nil {
		if err == io.EOF { //nolint:errorlint // ReadFull returns it bare
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return r.expectEOF()
}

// expectEOF makes the body say that it is over. A body that verifies itself at
// its end gets the chance to fail before its last bytes are sent.
func (r *Request) expectEOF() error {
	var one [1]byte
	for range maxEmptyReads {
		n, err := r.Body.Read(one[:])
		switch {
		case n > 0:
			return errLongBody
		case err == io.EOF: //nolint:errorlint // a reader's end is bare
			return nil
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// maxEmptyReads is how often a body may return nothing at all in a row.
const maxEmptyReads = 100
