package rgw

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keystile/internal/control"
	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

func unquote(etag string) string { return strings.Trim(etag, `"`) }

// partBytes is what of an upload is held in memory at once: one part. With
// 10,000 parts of it an object of 160 GiB fits.
const (
	partBytes = 16 << 20
	maxParts  = 10_000
)

// Put implements control.RGWHomes. What fits into one part is stored by one
// request; anything longer goes in parts, as its length is not known before it
// ends. Either way nothing is stored of an upload that breaks off.
func (h *Homes) Put(ctx context.Context, as control.RGWSigner, bucket string, o control.NewObject) (control.ObjectInfo, error) {
	o.Body = whole{o.Body}
	part := make([]byte, partBytes)
	n, err := io.ReadFull(o.Body, part)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return h.putWhole(ctx, as, bucket, o, part[:n])
	case err != nil:
		return control.ObjectInfo{}, err
	}
	return h.putParts(ctx, as, bucket, o, part)
}

// whole is a body that ends with io.EOF only where it is whole: io.ReadFull
// could not tell one that broke off from a short one.
type whole struct{ io.Reader }

var errBroken = fmt.Errorf("the upload broke off: %w", keystile.ErrInvalid)

func (r whole) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a wrapped end is none
		err = fmt.Errorf("%w: %v", errBroken, err) //nolint:errorlint // must not match io.ErrUnexpectedEOF
	}
	return n, err
}

func header(o control.NewObject) http.Header {
	return http.Header{"Content-Type": {o.ContentType}}
}

func (h *Homes) putWhole(ctx context.Context, as control.RGWSigner, bucket string, o control.NewObject, data []byte) (control.ObjectInfo, error) {
	c, err := h.caller(as)
	if err != nil {
		return control.ObjectInfo{}, err
	}
	answer, err := c.Ask(ctx, upstream.Request{Method: http.MethodPut, Bucket: bucket, Key: o.Key, Header: header(o)}, data)
	if err != nil {
		return control.ObjectInfo{}, explained(err)
	}
	defer drop(answer)
	return control.ObjectInfo{Key: o.Key, Size: int64(len(data)), ETag: unquote(answer.Header.Get("Etag")), ContentType: o.ContentType}, nil
}

// completion is the body of CompleteMultipartUpload.
type completion struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUpload"`
	Part    []uploaded
}

type uploaded struct {
	PartNumber int
	ETag       string
}

func (h *Homes) putParts(ctx context.Context, as control.RGWSigner, bucket string, o control.NewObject, part []byte) (info control.ObjectInfo, err error) {
	c, err := h.caller(as)
	if err != nil {
		return info, err
	}
	var begun struct {
		UploadID string `xml:"UploadId"`
	}
	begin := upstream.Request{Method: http.MethodPost, Bucket: bucket, Key: o.Key, Query: url.Values{"uploads": {""}}, Header: header(o)}
	if err := c.Read(ctx, begin, nil, &begun, "InitiateMultipartUploadResult", "InitiateMultipartUpload"); err != nil {
		return info, explained(err)
	}
	if begun.UploadID == "" {
		return info, fmt.Errorf("an upload without an id: %w", keystile.ErrUnavailable)
	}
	upload := upstream.Request{Method: http.MethodDelete, Bucket: bucket, Key: o.Key, Query: url.Values{"uploadId": {begun.UploadID}}}
	defer func() {
		if err != nil { // what was stored of it must not stay; the client may be gone
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			err = errors.Join(explained(err), c.Do(ctx, upload, nil))
		}
	}()
	var all completion
	all.Part, info.Size, err = sendParts(ctx, c, upload, o.Body, part)
	if err != nil {
		return info, err
	}
	body, err := xml.Marshal(all)
	if err != nil {
		return info, err
	}
	complete := upload
	complete.Method, complete.AnswerTimeout = http.MethodPost, upstream.LongAnswer
	var result struct{ ETag string }
	if err := c.Read(ctx, complete, body, &result, "CompleteMultipartUploadResult"); err != nil {
		return info, err
	}
	info.Key, info.ETag, info.ContentType = o.Key, unquote(result.ETag), o.ContentType
	if info.ETag == "" { // Ceph 16 leaves it empty
		if found, err := h.Head(ctx, as, bucket, o.Key); err == nil {
			info.ETag = found.ETag
		}
	}
	return info, nil
}

// sendParts stores parts until the body ends. The first is in part already, and
// full.
func sendParts(ctx context.Context, c upstream.Caller, upload upstream.Request, body io.Reader, part []byte) (parts []uploaded, size int64, err error) {
	n := len(part)
	for number := 1; n > 0; number++ {
		if number > maxParts {
			return nil, 0, fmt.Errorf("more than %d parts of %d bytes: %w", maxParts, partBytes, keystile.ErrInvalid)
		}
		r := upload
		r.Method = http.MethodPut
		r.Query = url.Values{"uploadId": upload.Query["uploadId"], "partNumber": {strconv.Itoa(number)}}
		answer, err := c.Ask(ctx, r, part[:n])
		if err != nil {
			return nil, 0, err
		}
		drop(answer)
		parts = append(parts, uploaded{number, answer.Header.Get("Etag")})
		size += int64(n)
		n, err = io.ReadFull(body, part)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, 0, err
		}
	}
	return parts, size, nil
}

// Open implements control.RGWHomes.
func (h *Homes) Open(ctx context.Context, as control.RGWSigner, bucket, key, byteRange string) (*control.OpenObject, error) {
	r := upstream.Request{Method: http.MethodGet, Bucket: bucket, Key: key, Header: http.Header{}}
	if byteRange != "" {
		r.Header.Set("Range", byteRange)
	}
	c, err := h.caller(as)
	if err != nil {
		return nil, err
	}
	answer, err := c.Ask(ctx, r, nil)
	if errors.Is(err, keystile.ErrRange) {
		return nil, h.rangeError(ctx, as, bucket, key, err)
	}
	if err != nil {
		return nil, err
	}
	return &control.OpenObject{
		ObjectInfo: describe(key, answer), Partial: answer.Status == http.StatusPartialContent,
		ContentRange: answer.Header.Get("Content-Range"), Length: answer.ContentLength, Body: answer.Body,
	}, nil
}

// rangeError tells how many bytes there are, as who asked for others needs to know.
func (h *Homes) rangeError(ctx context.Context, as control.RGWSigner, bucket, key string, err error) error {
	outside := &control.RangeError{Size: -1, Err: err}
	if found, err := h.Head(ctx, as, bucket, key); err == nil {
		outside.Size = found.Size
	}
	return outside
}

// Head implements control.RGWHomes.
func (h *Homes) Head(ctx context.Context, as control.RGWSigner, bucket, key string) (control.ObjectInfo, error) {
	c, err := h.caller(as)
	if err != nil {
		return control.ObjectInfo{}, err
	}
	answer, err := c.Ask(ctx, upstream.Request{Method: http.MethodHead, Bucket: bucket, Key: key}, nil)
	if err != nil {
		return control.ObjectInfo{}, err
	}
	defer drop(answer)
	return describe(key, answer), nil
}

func describe(key string, answer *http1.Response) control.ObjectInfo {
	info := control.ObjectInfo{
		Key: key, Size: answer.ContentLength, ETag: unquote(answer.Header.Get("Etag")),
		ContentType: answer.Header.Get("Content-Type"), VersionID: answer.Header.Get("X-Amz-Version-Id"), Metadata: map[string]string{},
	}
	// A date that cannot be read stays zero.
	info.LastModified, _ = http.ParseTime(answer.Header.Get("Last-Modified"))
	for name, values := range answer.Header {
		if rest, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok && len(values) > 0 {
			info.Metadata[rest] = values[0]
		}
	}
	return info
}

// DeleteObject implements control.RGWHomes.
func (h *Homes) DeleteObject(ctx context.Context, as control.RGWSigner, bucket, key string) error {
	_, err := h.deleteObject(ctx, as, bucket, key)
	return err
}

// deleteObject deletes one; marker tells that a delete marker alone was put on top.
func (h *Homes) deleteObject(ctx context.Context, as control.RGWSigner, bucket, key string) (marker bool, err error) {
	c, err := h.caller(as)
	if err != nil {
		return false, err
	}
	answer, err := c.Ask(ctx, upstream.Request{Method: http.MethodDelete, Bucket: bucket, Key: key}, nil)
	if err != nil {
		return false, explained(err)
	}
	defer drop(answer)
	return answer.Header.Get("X-Amz-Delete-Marker") == "true", nil
}
