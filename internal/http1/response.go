package http1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// Response is the backend's answer.
type Response struct {
	// Status is the three-digit code, 200 to 599.
	Status int
	// Header has canonical keys; Connection, Keep-Alive and
	// Transfer-Encoding are in it as they came.
	Header http.Header
	// ContentLength of Body in bytes, -1 if only its end tells. For an answer
	// to HEAD, and a 304, it is what the header says, and Body is empty.
	ContentLength int64
	// Body is never nil and must be closed. It ends with io.EOF only when the
	// answer was whole; one that was cut fails with io.ErrUnexpectedEOF. Its
	// errors are of type *Error.
	Body io.ReadCloser
	// Early: the backend answered before it had got the whole request, which
	// was broken off then.
	Early bool

	head string // as it came, from the first header line on
}

// Spelling returns a header's name as the backend wrote it, given the key that
// it has in Header; the key itself where there is no such header. Where it
// stood more than once, the first spelling counts.
func (r *Response) Spelling(key string) string {
	for line, rest := cutLine(r.head); line != ""; line, rest = cutLine(rest) {
		if name, _, _ := strings.Cut(line, ":"); strings.EqualFold(name, key) {
			return name
		}
	}
	return key
}

// Limit bounds the time until the end of Body, from now on: reading beyond it is
// ErrIdleTimeout. It is for answers that are read whole, which a backend could
// otherwise let trickle in for ever.
func (r *Response) Limit(d time.Duration) {
	if b, ok := r.Body.(*body); ok {
		b.limit = time.Now().Add(d)
	}
}

// Whole returns the bytes of Body and ends it, without copying them, if all have
// come with the head. They are good until the holder is told to free them. It
// reports false, and has done nothing, where Body has to be read.
func (r *Response) Whole() (data []byte, held Held, ok bool) {
	if b, is := r.Body.(*body); is {
		return b.whole()
	}
	return nil, Held{}, false
}

// maxInterim is how many 1xx answers may come before the final one.
const maxInterim = 4

// answer is a parsed head.
type answer struct {
	status  int
	http10  bool
	header  http.Header
	fields  string // the lines that header was made of
	length  int64  // -1 if not given
	chunked bool
	closes  bool
}

func badResponse(reason string) error {
	return &Error{Kind: ErrBadResponse, Cause: errors.New(reason), Sent: true}
}

// readAnswer reads heads until a final one. buf is scratch. It tells whether
// anything at all was read.
func readAnswer(in *bufio.Reader, limit int, buf *[]byte) (a answer, begun bool, err error) {
	for range maxInterim + 1 {
		*buf, err = readBlock(in, limit, (*buf)[:0])
		begun = begun || len(*buf) > 0
		if err != nil {
			return answer{}, begun, err
		}
		if a, err = parseAnswer(string(*buf)); err != nil {
			return answer{}, true, err
		}
		if a.status == http.StatusSwitchingProtocols {
			return answer{}, true, badResponse("unasked protocol switch")
		}
		if a.status >= 200 {
			return a, true, nil
		}
	}
	return answer{}, true, badResponse("too many interim answers")
}

// readBlock reads lines up to and with an empty one: a head, or a trailer.
func readBlock(in *bufio.Reader, limit int, buf []byte) ([]byte, error) {
	start := len(buf)
	for {
		part, err := in.ReadSlice('\n')
		if len(buf)+len(part) > limit {
			return buf, badResponse("head too large")
		}
		buf = append(buf, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return buf, err
		}
		line := buf[start:]
		if len(line) < 2 || line[len(line)-2] != '\r' {
			return buf, badResponse("line without CRLF")
		}
		if len(line) == 2 {
			return buf, nil
		}
		start = len(buf)
	}
}

// parseAnswer parses a whole head; its strings are parts of head.
func parseAnswer(head string) (answer, error) {
	a := answer{length: -1}
	line, rest := cutLine(head)
	if !a.statusLine(line) {
		return answer{}, badResponse("invalid status line")
	}
	a.fields = rest
	fields := strings.Count(rest, "\n") - 1
	a.header = make(http.Header, fields)
	values := make([]string, 0, fields)
	for {
		line, rest = cutLine(rest)
		if line == "" {
			break
		}
		name, value, fault := cutField(line)
		if fault == "" {
			fault = a.field(name, value)
		}
		if fault != "" {
			return answer{}, badResponse(fault)
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		if had, ok := a.header[key]; ok {
			a.header[key] = append(had, value)
			continue
		}
		values = append(values, value)
		a.header[key] = values[len(values)-1 : len(values) : len(values)]
	}
	switch {
	case a.chunked && a.length >= 0:
		return answer{}, badResponse("both Content-Length and Transfer-Encoding")
	case a.chunked && a.http10:
		return answer{}, badResponse("Transfer-Encoding in HTTP/1.0")
	}
	return a, nil
}

// statusLine parses RFC 9112 section 4. The reason may lack, and its space.
func (a *answer) statusLine(line string) bool {
	version, rest, _ := strings.Cut(line, " ")
	code, reason, _ := strings.Cut(rest, " ")
	switch version {
	case "HTTP/1.1":
	case "HTTP/1.0":
		a.http10 = true
	default:
		return false
	}
	if len(code) != 3 || !isDigit(code[0]) || !isDigit(code[1]) || !isDigit(code[2]) {
		return false
	}
	a.status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	return 100 <= a.status && a.status <= 599 && isText(reason)
}

func (a *answer) field(name, value string) string {
	switch {
	case foldEqual(name, "content-length"):
		n, ok := parseLength(value)
		if !ok || a.length >= 0 && a.length != n {
			return "invalid Content-Length"
		}
		a.length = n
	case foldEqual(name, "transfer-encoding"):
		if a.chunked || !foldEqual(value, "chunked") {
			return "unsupported transfer coding"
		}
		a.chunked = true
	case foldEqual(name, "connection"):
		// An option that is unknown here may be one that ends the connection.
		closes, known := closeOption(value)
		a.closes = a.closes || closes || !known
	}
	return ""
}

// bodiless reports whether no body follows, whatever the header says: RFC 9112
// section 6.3.
func (a *answer) bodiless(method string) bool {
	return method == http.MethodHead || a.status == http.StatusNoContent || a.status == http.StatusNotModified
}

// reusable reports whether the connection may serve another request once the
// body was read. A 204 that announces a body may be followed by one.
func (a *answer) reusable() bool {
	if a.http10 || a.closes {
		return false
	}
	return a.status != http.StatusNoContent || a.length <= 0 && !a.chunked
}

// skipTrailer reads what follows the last chunk. Trailer fields are not for
// anyone here, but they must be well formed.
func skipTrailer(in *bufio.Reader, limit int, buf *[]byte) error {
	var err error
	if *buf, err = readBlock(in, limit, (*buf)[:0]); err != nil {
		return err
	}
	for line, rest := cutLine(*buf); len(line) > 0; line, rest = cutLine(rest) {
		if _, _, fault := cutField(line); fault != "" {
			return badResponse(fmt.Sprintf("trailer: %s", fault))
		}
	}
	return nil
}
