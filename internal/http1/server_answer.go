package http1

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// An answer is gathered up to this before it is sent.
	gathered = 32 << 10
	// An answer whose length nobody tells is held up to this, to find it out.
	heldBack = 2 << 10
	// Room for an answer's fields; one with more leaves none to the next answer.
	keptFields = 16
)

var gathers = sync.Pool{New: func() any { return new([]byte) }}

// errAnswerOver is of what comes when the handler has returned.
var errAnswerOver = errors.New("http1: the request has been answered")

// answerWriter is the http.ResponseWriter of one request.
type answerWriter struct {
	conn    *serverConn
	request *http.Request
	body    *requestBody
	gone    func() // ends the request's context
	over    atomic.Bool

	header  http.Header
	status  int   // 0 before WriteHeader
	length  int64 // as declared; -1: not
	written int64 // of the body
	framed  bool  // the head is in out, or sent
	chunked bool
	closes  bool   // the connection ends with this answer
	told    bool   // the client was told to go on
	held    []byte // the body's beginning, until it is framed
	out     *[]byte
	err     error
}

// Header implements http.ResponseWriter.
func (w *answerWriter) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, keptFields)
	}
	return w.header
}

// takeBack empties the fields of an answer that is over, for the next one on the
// connection. A large map stays large when it is emptied: it is not kept.
func (w *answerWriter) takeBack() http.Header {
	header := w.header
	if len(header) > keptFields {
		return nil
	}
	clear(header)
	return header
}

// goOn tells the client to send its body, unless the answer has begun.
func (w *answerWriter) goOn() error {
	if w.status != 0 || w.told {
		return nil
	}
	w.told = true
	return w.send([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
}

// WriteHeader implements http.ResponseWriter. Of informational statuses only
// "100 Continue" is sent.
func (w *answerWriter) WriteHeader(status int) {
	switch {
	case w.status != 0:
	case status == http.StatusContinue:
		w.body.expected = false
		_ = w.goOn() // the error is met again
	case status >= http.StatusOK:
		w.status = status
		w.takeHeader()
	}
}

// takeHeader writes the fields as they stand: what the handler changes later
// does not count.
func (w *answerWriter) takeHeader() {
	w.out = gathers.Get().(*[]byte)
	out := append(append((*w.out)[:0], w.request.Proto...), ' ')
	out = strconv.AppendInt(out, int64(w.status), 10)
	out = append(append(append(out, ' '), http.StatusText(w.status)...), "\r\n"...)
	dated := false
	for name, values := range w.header {
		switch name {
		case "Content-Length":
			if n, ok := parseLength(values[0]); ok && len(values) == 1 && w.status != http.StatusNoContent {
				w.length = n
			}
			continue
		case "Connection":
			for _, v := range values {
				closes, _ := closeOption(v)
				w.closes = w.closes || closes
			}
			continue
		case "Transfer-Encoding":
			continue
		case "Date":
			dated = true
		}
		out = appendField(out, name, values)
	}
	if !dated {
		out = append(append(append(out, "Date: "...), httpDate()...), "\r\n"...)
	}
	*w.out = out
}

// appendField writes a field's values, a line each. No control character leaves
// a value, and no line begins with what is no name.
func appendField(out []byte, name string, values []string) []byte {
	if !isToken(name) {
		return out
	}
	for _, v := range values {
		out = append(append(out, name...), ": "...)
		start := len(out)
		out = append(out, v...)
		if !isText(v) {
			for i, c := range out[start:] {
				if c < ' ' && c != '\t' || c == 0x7f {
					out[start+i] = ' '
				}
			}
		}
		out = append(out, "\r\n"...)
	}
	return out
}

// bodiless tells whether the answer has no body whatever its fields say.
func (w *answerWriter) bodiless() bool {
	return w.request.Method == http.MethodHead || w.status == http.StatusNoContent || w.status == http.StatusNotModified
}

// frame ends the head: how long the body is, and what becomes of the
// connection. whole tells that all of the body is held.
func (w *answerWriter) frame(whole bool) {
	w.framed = true
	if whole && w.length < 0 && !w.bodiless() {
		w.length = int64(len(w.held))
	}
	out := *w.out
	switch old := w.request.ProtoMinor == 0; {
	case w.length >= 0:
		out = append(out, "Content-Length: "...)
		out = append(strconv.AppendInt(out, w.length, 10), "\r\n"...)
	case w.bodiless():
	case old:
		w.closes = true // the connection's end is the body's
	default:
		w.chunked = true
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	if !w.closes && (w.conn.server.closing.Load() || !w.body.drain()) {
		w.closes = true
	}
	switch {
	case w.closes:
		out = append(out, "Connection: close\r\n"...)
	case w.request.ProtoMinor == 0:
		out = append(out, "Connection: keep-alive\r\n"...)
	}
	*w.out = append(out, "\r\n"...)
	if held := w.held; len(held) > 0 {
		w.held = nil
		_ = w.put(held) // the error is met again
	}
}

// Write implements http.ResponseWriter.
func (w *answerWriter) Write(p []byte) (int, error) {
	if w.over.Load() {
		return 0, errAnswerOver
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.err != nil {
		return 0, w.err
	}
	if w.bodiless() {
		if w.request.Method != http.MethodHead {
			return 0, http.ErrBodyNotAllowed
		}
		w.written += int64(len(p))
		return len(p), nil
	}
	if w.length >= 0 && w.written+int64(len(p)) > w.length {
		return 0, http.ErrContentLength
	}
	if !w.framed {
		if w.length < 0 && len(w.held)+len(p) <= heldBack {
			w.held = append(w.held, p...)
			w.written += int64(len(p))
			return len(p), nil
		}
		w.frame(false)
	}
	if err := w.put(p); err != nil {
		return 0, err
	}
	w.written += int64(len(p))
	return len(p), nil
}

// put sends a piece of the body, or gathers it.
func (w *answerWriter) put(p []byte) error {
	if len(p) == 0 || w.err != nil {
		return w.err
	}
	if w.chunked {
		*w.out = append(strconv.AppendInt(*w.out, int64(len(p)), 16), "\r\n"...)
	}
	if len(*w.out)+len(p) <= gathered {
		*w.out = append(*w.out, p...)
	} else {
		_ = w.flush() // the error is met again
		if err := w.send(p); err != nil {
			return err
		}
	}
	if w.chunked {
		*w.out = append(*w.out, "\r\n"...)
	}
	return nil
}

// flush sends what was gathered.
func (w *answerWriter) flush() error {
	if len(*w.out) == 0 {
		return w.err
	}
	err := w.send(*w.out)
	*w.out = (*w.out)[:0]
	return err
}

func (w *answerWriter) send(p []byte) error {
	if w.err != nil {
		return w.err
	}
	if _, w.err = w.conn.Write(p); w.err != nil {
		w.gone()
	}
	return w.err
}

// FlushError makes http.ResponseController.Flush send what there is.
func (w *answerWriter) FlushError() error {
	if w.over.Load() {
		return errAnswerOver
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.framed {
		w.frame(false)
	}
	return w.flush()
}

// ReadFrom implements io.ReaderFrom. From another socket the kernel copies,
// where the length is declared.
func (w *answerWriter) ReadFrom(r io.Reader) (n int64, err error) {
	if from, ok := r.(*io.LimitedReader); ok && w.conn.copyTo != nil && w.length >= 0 && !w.bodiless() && from.N <= w.length-w.written {
		return w.splice(from)
	}
	piece := pieces.Get().(*[shortBody]byte)
	defer pieces.Put(piece)
	for {
		got, err := r.Read(piece[:])
		if got > 0 {
			put, failed := w.Write(piece[:got])
			n += int64(put)
			if failed != nil {
				return n, failed
			}
		}
		if err == io.EOF { //nolint:errorlint // a reader's end is bare
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

func (w *answerWriter) splice(from *io.LimitedReader) (int64, error) {
	if err := w.FlushError(); err != nil {
		return 0, err
	}
	n, err := w.conn.copyTo.ReadFrom(from)
	w.written += n
	return n, err
}

// SetReadDeadline makes http.ResponseController's work.
func (w *answerWriter) SetReadDeadline(t time.Time) error {
	if w.over.Load() {
		return errAnswerOver
	}
	return w.conn.SetReadDeadline(t)
}

// SetWriteDeadline is like SetReadDeadline.
func (w *answerWriter) SetWriteDeadline(t time.Time) error {
	if w.over.Load() {
		return errAnswerOver
	}
	return w.conn.SetWriteDeadline(t)
}

// finish ends an answer whose handler has returned.
func (w *answerWriter) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.over.Store(true)
	if !w.framed {
		w.frame(true)
	}
	if w.chunked && w.err == nil {
		*w.out = append(*w.out, "0\r\n\r\n"...)
	}
	_ = w.flush() // err is kept
	if w.length >= 0 && w.written != w.length && !w.bodiless() {
		w.closes = true // the client must not wait for the rest
	}
	w.letGo()
}

// abandon breaks off an answer whose handler has panicked: what the client has
// of it must not look whole.
func (w *answerWriter) abandon() {
	w.over.Store(true)
	w.closes = true
	if w.out == nil {
		return
	}
	if w.framed {
		_ = w.flush() // it is over in any case
	}
	w.letGo()
}

func (w *answerWriter) letGo() {
	if cap(*w.out) <= 2*gathered {
		*w.out = (*w.out)[:0]
		gathers.Put(w.out)
	}
	w.out = nil
}

// dates caches the Date field, which changes every second.
var dates atomic.Pointer[datedSecond]

type datedSecond struct {
	second int64
	text   string
}

func httpDate() string {
	now := time.Now()
	if d := dates.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &datedSecond{now.Unix(), now.UTC().Format(http.TimeFormat)}
	dates.Store(d)
	return d.text
}
