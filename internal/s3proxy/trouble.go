package s3proxy

import (
	"context"
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

// roots are the elements that a successful answer begins with, of operations
// whose success is told by XML alone (S3 API Reference, "Response Syntax" of
// each). An answer that begins otherwise is one to another request, or a page
// of something between the gateway and its backend. Names beyond S3's own are
// those of servers in use: "rclone serve s3" begins an upload with
// InitiateMultipartUpload.
var roots = map[string][]string{
	s3wire.OpListObjects:             {"ListBucketResult"},
	s3wire.OpListObjectsV2:           {"ListBucketResult"},
	s3wire.OpListObjectVersions:      {"ListVersionsResult"},
	s3wire.OpListMultipartUploads:    {"ListMultipartUploadsResult"},
	s3wire.OpListParts:               {"ListPartsResult"},
	s3wire.OpCreateMultipartUpload:   {"InitiateMultipartUploadResult", "InitiateMultipartUpload"},
	s3wire.OpCompleteMultipartUpload: {"CompleteMultipartUploadResult"},
	s3wire.OpCopyObject:              {"CopyObjectResult"},
	s3wire.OpUploadPartCopy:          {"CopyPartResult"},
	s3wire.OpDeleteObjects:           {"DeleteResult"},
	s3wire.OpGetObjectACL:            {"AccessControlPolicy"},
	"GetObjectTagging":               {"Tagging"},
	"GetObjectLegalHold":             {"LegalHold"},
	"GetObjectRetention":             {"Retention"},
	"GetObjectAttributes":            {"GetObjectAttributesResponse", "GetObjectAttributesOutput", "GetObjectAttributesResult"},
}

// checkRoot compares the root of an answer, "" for an empty one, with what the
// operation's success looks like.
func (x *exchange) checkRoot(root string) error {
	want, known := roots[x.req.Op.Name]
	if s, ok := x.req.Op.Setting(); ok && x.req.Op.Method == http.MethodGet {
		want, known = []string{s.Root}, true
	}
	if !known || x.copiesAcross() { // of which the answer is that to a plain write
		return nil
	}
	for _, name := range want {
		if root == name {
			return nil
		}
	}
	return badAnswer("a success of %s begins with %q", x.req.Op.Name, root)
}

func badAnswer(format string, args ...any) error {
	return fmt.Errorf("%w: %s", upstream.ErrBadAnswer, fmt.Sprintf(format, args...))
}

// vet refuses an answer that cannot be one to this request: a success before
// the request was whole, a part where the whole was asked for, an object whose
// end nobody could tell from a broken connection. What it lets through still
// has to arrive to its end.
func (x *exchange) vet(got *http1.Response) error {
	switch status := got.Status; {
	case status >= http.StatusBadRequest:
		return nil
	case got.Early:
		return badAnswer("status %d before the request was sent", status)
	case status == http.StatusNotModified:
		if x.req.Op.Mutates() || !x.asks("If-None-Match", "If-Modified-Since") {
			return badAnswer("status 304 without a condition")
		}
		return nil
	case x.req.Op.Mutates():
		if status > http.StatusNoContent || status == http.StatusNonAuthoritativeInfo {
			return badAnswer("status %d to %s", status, x.req.Op.Name)
		}
		return nil
	case status == http.StatusPartialContent:
		return x.vetPart(got)
	case status != http.StatusOK:
		return badAnswer("status %d to %s", status, x.req.Op.Name)
	}
	if !answersXML(x.req.Op) && x.r.Method == http.MethodGet && got.ContentLength < 0 && got.Header["Transfer-Encoding"] == nil {
		return badAnswer("an object without a length")
	}
	return nil
}

func (x *exchange) asks(headers ...string) bool {
	for _, name := range headers {
		if x.r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// vetPart checks that a part of an object was asked for, and that it is as long
// as it says and begins where it should.
func (x *exchange) vetPart(got *http1.Response) error {
	asked := x.r.Header.Get("Range")
	if asked == "" && !x.req.Query.Has("partNumber") {
		return badAnswer("a part of an object where the whole was asked for")
	}
	begin, length, ok := parseContentRange(got.Header.Get("Content-Range"))
	if !ok || got.ContentLength >= 0 && got.ContentLength != length {
		return badAnswer("a part of an object whose Content-Range does not fit")
	}
	if from, ok := rangeBegin(asked); ok && from != begin {
		return badAnswer("another part of an object than was asked for")
	}
	if got.ContentLength < 0 && x.r.Method == http.MethodGet {
		got.ContentLength, got.Body = length, &exactly{got.Body, length}
	}
	return nil
}

// exactly is the body of an answer that tells its length in its Content-Range
// alone: if it ends earlier, or later, it is not what was asked for.
type exactly struct {
	io.ReadCloser
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	e.left -= int64(n)
	switch {
	case e.left < 0:
		return 0, badAnswer("a part of an object is longer than its Content-Range")
	case errors.Is(err, io.EOF) && e.left > 0:
		return n, badAnswer("a part of an object is shorter than its Content-Range")
	}
	return n, err
}

// parseContentRange reads "bytes 3-7/10" (RFC 9110, section 14.4).
func parseContentRange(text string) (begin, length int64, ok bool) {
	span, _, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	if !ok || !strings.HasPrefix(text, "bytes ") {
		return 0, 0, false
	}
	from, to, _ := strings.Cut(span, "-")
	begin, err := strconv.ParseInt(from, 10, 64)
	if err != nil || begin < 0 {
		return 0, 0, false
	}
	end, err := strconv.ParseInt(to, 10, 64)
	if err != nil || end < begin {
		return 0, 0, false
	}
	return begin, end - begin + 1, true
}

// rangeBegin is where a Range of one span begins; false if it does not say.
func rangeBegin(text string) (int64, bool) {
	span, ok := strings.CutPrefix(text, "bytes=")
	if !ok || strings.Contains(span, ",") {
		return 0, false
	}
	from, _, _ := strings.Cut(span, "-")
	begin, err := strconv.ParseInt(strings.TrimSpace(from), 10, 64)
	return begin, err == nil && begin >= 0
}

// takesLong reports whether the operation moves data on the backend's own side,
// or deletes much of it.
func (x *exchange) takesLong() bool {
	switch x.req.Op.Name {
	case s3wire.OpCopyObject, s3wire.OpUploadPartCopy, s3wire.OpCompleteMultipartUpload, s3wire.OpDeleteObjects:
		return true
	}
	return false
}

// answerBroke notes that an answer broke off or is no answer to what was asked, and
// names the trouble for the client and the log. What is the client's doing, or
// no trouble, comes back as it is.
func (x *exchange) answerBroke(err error) error {
	var exchange *http1.Error
	if !errors.As(err, &exchange) && !errors.Is(err, upstream.ErrBadAnswer) {
		return err
	}
	if x.context().Err() != nil || errors.Is(err, context.Canceled) {
		return err
	}
	x.p.Observer.BackendFailed(x.bucket.Backend)
	return x.backend.Broken(x.bucket.Name, x.real.Key, err)
}
