package s3proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"keystile/internal/http1"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// maxXMLAnswer bounds an XML answer of a backend: a page of 1000 keys of 1024
// bytes, each byte escaped, stays below it.
const maxXMLAnswer = 16 << 20

// maxErrorAnswer is the same for an error.
const maxErrorAnswer = 1 << 20

// answer is a backend's answer that was read whole and is fit for the client.
type answer struct {
	status int
	header http.Header
	date   string // of the backend's clock
	body   []byte
	err    *s3wire.Error // set when the backend refused or failed
}

// answersXML reports whether a successful answer is XML with names in it.
func answersXML(op *s3wire.Operation) bool {
	switch op.Name {
	case s3wire.OpListParts, s3wire.OpGetBucketLocation, s3wire.OpGetObjectACL,
		"GetObjectTagging", "GetObjectAttributes", "GetObjectLegalHold", "GetObjectRetention":
		return true
	}
	_, setting := op.Setting()
	return op.Listing() || setting
}

// takeAnswer reads the whole answer. An <Error> inside a 200 is a failure.
func (x *exchange) takeAnswer(got *http1.Response) (*answer, error) {
	a, err := x.readAnswer(got)
	return a, x.answerBroke(err)
}

func (x *exchange) readAnswer(got *http1.Response) (*answer, error) {
	got.Limit(x.backend.AnswerLimit(x.takesLong()))
	data, err := x.readAll(got)
	if err != nil {
		return nil, err
	}
	// What keeps a connection alive while the backend is at work is no part of
	// the document, and its declaration must come first.
	data = bytes.TrimLeft(data, " \t\r\n")
	a := &answer{status: got.Status, header: answerHeader(got), date: got.Header.Get("Date"), body: data}
	if got.Status >= http.StatusMultipleChoices && got.Status != http.StatusNotModified {
		a.fail(x.backendError(x.backend, got.Status, data))
		return a, nil
	}
	if x.req.Op.Name == s3wire.OpGetBucketLocation {
		a.body = s3wire.Location(x.p.Region)
		a.header.Set("Content-Type", "application/xml")
		return a, nil
	}
	if len(data) == 0 {
		a.body = nil
		return a, x.checkRoot("")
	}
	return a, x.rewrite(a, got.Status)
}

// rewrite puts the client's names into an XML answer.
func (x *exchange) rewrite(a *answer, status int) error {
	rewritten, root, err := s3wire.Rewrite(a.body, x.names())
	if err != nil {
		return fmt.Errorf("%w: %w", upstream.ErrBadAnswer, err)
	}
	if root == "Error" {
		a.fail(x.backendError(x.backend, status, a.body))
		return nil
	}
	if err := x.checkRoot(root); err != nil {
		return err
	}
	if x.req.Op.Name == s3wire.OpGetObjectACL || x.req.Op.Name == s3wire.OpGetBucketACL {
		if rewritten, err = x.showACL(a.body); err != nil {
			return err
		}
	}
	a.body = rewritten
	a.header.Set("Content-Type", "application/xml")
	return nil
}

func (a *answer) fail(e *s3wire.Error) { a.err, a.status = e, e.Status }

func (x *exchange) readAll(got *http1.Response) ([]byte, error) {
	most := maxXMLAnswer
	if got.Status >= http.StatusMultipleChoices {
		most = maxErrorAnswer
	}
	if data, ok, err := x.takeAhead(got); ok || err != nil {
		return data, err
	}
	buf := x.gatheringRoom(got.ContentLength)
	if _, err := buf.ReadFrom(io.LimitReader(&holding{x, got.Body, freeAnswer}, int64(most)+1)); err != nil {
		return nil, err
	}
	if buf.Len() > most {
		return nil, fmt.Errorf("an XML answer is larger than %d bytes: %w", most, upstream.ErrBadAnswer)
	}
	return buf.Bytes(), nil
}

// readSmall reads an answer that is no object, in bounded time.
func (x *exchange) readSmall(from *upstream.Backend, got *http1.Response) ([]byte, error) {
	got.Limit(from.AnswerLimit(false))
	return x.readAll(got)
}

// entityHeaders are those of an answer's object. With the x-amz- ones they are
// all that clients see of a backend's headers: others may name its addresses.
var entityHeaders = []string{
	"Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
	"Content-Range", "Content-Type", "Etag", "Expires", "Last-Modified",
}

// hiddenHeaders are the backend's own identity.
var hiddenHeaders = map[string]bool{
	"X-Amz-Request-Id": true, "X-Amz-Id-2": true, "X-Amz-Bucket-Region": true, "X-Amz-Cf-Id": true,
	"X-Amz-Bucket-Arn": true, "X-Amz-Access-Point-Alias": true,
}

// answerHeader picks what clients may see. Metadata keeps the name that the
// backend gives it: clients take its case from there.
func answerHeader(got *http1.Response) http.Header {
	out := make(http.Header, len(got.Header))
	for _, name := range entityHeaders {
		if values, ok := got.Header[name]; ok {
			out[name] = values
		}
	}
	for name, values := range got.Header {
		switch {
		case strings.HasPrefix(name, "X-Amz-Meta-"):
			out[got.Spelling(name)] = values
		case strings.HasPrefix(name, "X-Amz-") && !hiddenHeaders[name]:
			out[name] = values
		}
	}
	return out
}

// reply sends an answer that was read whole.
func (x *exchange) reply(a *answer) error {
	if a.err != nil {
		x.replyError(a.err)
		return nil //nolint:nilerr // the client has its answer
	}
	if x.late {
		x.finish(a.status, a.body)
		return nil
	}
	x.setHeader(a.header)
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		x.w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	x.start(a.status)
	x.write(a.body)
	return nil
}

func (x *exchange) start(status int) {
	x.addCORS()
	x.status = status
	x.w.WriteHeader(status)
}

func (x *exchange) write(data []byte) {
	n, _ := x.w.Write(data) // a client that is gone needs no answer
	x.out += int64(n)
}

// replyError answers with S3's error document. Once an answer has begun, all
// that is left is to break it off.
func (x *exchange) replyError(e *s3wire.Error) {
	if x.late {
		x.finish(e.Status, e.ErrorDocument(x.resource(), x.req.Bucket, x.req.Key, x.id))
		return
	}
	if x.status != 0 {
		panic(http.ErrAbortHandler)
	}
	header := x.w.Header()
	if e.Status == http.StatusUnauthorized {
		header.Set("Www-Authenticate", `AWS4-HMAC-SHA256 realm="S3"`)
	}
	if e.Status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "1")
	}
	if x.r.ContentLength != 0 {
		// The rest of the body is not wanted: it must not become a next request.
		header.Set("Connection", "close")
	}
	if x.r.Method == http.MethodHead {
		x.start(e.Status)
		return
	}
	doc := e.ErrorDocument(x.resource(), x.req.Bucket, x.req.Key, x.id)
	header.Set("Content-Type", "application/xml")
	header.Set("Content-Length", strconv.Itoa(len(doc)))
	x.start(e.Status)
	x.write(doc)
}

// stream passes an object on as it comes. An answer that the backend cuts short
// is cut short for the client too, never ended as if it were whole.
func (x *exchange) stream(got *http1.Response) error {
	if got.Status >= http.StatusMultipleChoices && got.Status != http.StatusNotModified {
		a, err := x.takeAnswer(got)
		if err != nil {
			return err
		}
		return x.reply(a)
	}
	if got.ContentLength < 0 && !x.r.ProtoAtLeast(1, 1) {
		// HTTP/1.0 knows no chunks: cut short, the answer would look whole.
		return fmt.Errorf("an answer of unknown length cannot be passed on to HTTP/1.0: %w", upstream.ErrBadAnswer)
	}
	header := answerHeader(got)
	if x.req.Op.Name == s3wire.OpHeadBucket {
		header.Set("X-Amz-Bucket-Region", x.p.Region)
	}
	if got.ContentLength >= 0 && got.Status != http.StatusNotModified {
		header.Set("Content-Length", strconv.FormatInt(got.ContentLength, 10))
	}
	x.setHeader(header)
	x.recordRead(got.Status)
	x.start(got.Status)
	return x.copy(got.Body)
}

// copy leaves the moving of bytes to the two connections, which can do it within
// the kernel.
func (x *exchange) copy(src io.Reader) error {
	n, err := io.Copy(x.w, src)
	x.out += n
	if err == nil {
		return nil
	}
	var backend *http1.Error
	if !errors.As(err, &backend) && !errors.Is(err, upstream.ErrBadAnswer) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return x.answerBroke(err)
}

// setHeader gives the client an answer's headers. S3 writes its own in lower
// case.
func (x *exchange) setHeader(header http.Header) {
	out := x.w.Header()
	for name, values := range header {
		if strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "X-Amz-Meta-") {
			name = strings.ToLower(name)
		}
		out[name] = values
	}
}
