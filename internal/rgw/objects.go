package rgw

import (
	"bytes"
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
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// objectList is a page of ListObjectsV2.
type objectList struct {
	IsTruncated           bool
	NextContinuationToken string
	Contents              []struct {
		Key          string
		Size         int64
		ETag         string
		LastModified time.Time
	}
	CommonPrefixes []struct{ Prefix string }
}

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
	answer, err := h.send(ctx, as, withBody(upstream.Request{Method: http.MethodPut, Bucket: bucket, Key: o.Key, Header: header(o)}, data))
	if err != nil {
		return control.ObjectInfo{}, err
	}
	defer drop(answer)
	return control.ObjectInfo{Key: o.Key, Size: int64(len(data)), ETag: unquote(answer.Header.Get("Etag")), ContentType: o.ContentType}, nil
}

func withBody(r upstream.Request, data []byte) call {
	r.Body, r.ContentLength, r.PayloadHash = bytes.NewReader(data), int64(len(data)), sigv4.HashHex(data)
	return call{Request: r}
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
	var begun struct {
		UploadID string `xml:"UploadId"`
	}
	begin := upstream.Request{Method: http.MethodPost, Bucket: bucket, Key: o.Key, Query: url.Values{"uploads": {""}}, Header: header(o)}
	if err := h.read(ctx, as, call{Request: begin}, &begun); err != nil {
		return info, err
	}
	if begun.UploadID == "" {
		return info, fmt.Errorf("an upload without an id: %w", keystile.ErrUnavailable)
	}
	upload := upstream.Request{Method: http.MethodDelete, Bucket: bucket, Key: o.Key, Query: url.Values{"uploadId": {begun.UploadID}}}
	defer func() {
		if err != nil { // what was stored of it must not stay; the client may be gone
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			err = errors.Join(err, h.do(ctx, as, call{Request: upload}))
		}
	}()
	var all completion
	all.Part, info.Size, err = h.sendParts(ctx, as, upload, o.Body, part)
	if err != nil {
		return info, err
	}
	body, err := xml.Marshal(all)
	if err != nil {
		return info, err
	}
	complete := upload
	complete.Method, complete.AnswerTimeout = http.MethodPost, upstream.LongAnswer
	var result struct {
		XMLName xml.Name
		ETag    string
		Code    string
	}
	if err := h.read(ctx, as, call{Request: complete, body: body}, &result); err != nil {
		return info, err
	}
	if result.XMLName.Local == "Error" { // within a 200
		return info, codeError(http.StatusOK, result.Code)
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
func (h *Homes) sendParts(ctx context.Context, as control.RGWSigner, upload upstream.Request, body io.Reader, part []byte) (parts []uploaded, size int64, err error) {
	n := len(part)
	for number := 1; n > 0; number++ {
		if number > maxParts {
			return nil, 0, fmt.Errorf("more than %d parts of %d bytes: %w", maxParts, partBytes, keystile.ErrInvalid)
		}
		r := upload
		r.Method = http.MethodPut
		r.Query = url.Values{"uploadId": upload.Query["uploadId"], "partNumber": {strconv.Itoa(number)}}
		answer, err := h.send(ctx, as, withBody(r, part[:n]))
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
	answer, err := h.send(ctx, as, call{Request: r})
	if err != nil {
		return nil, err
	}
	return &control.OpenObject{
		ObjectInfo: describe(key, answer), Partial: answer.Status == http.StatusPartialContent,
		ContentRange: answer.Header.Get("Content-Range"), Length: answer.ContentLength, Body: answer.Body,
	}, nil
}

// Head implements control.RGWHomes.
func (h *Homes) Head(ctx context.Context, as control.RGWSigner, bucket, key string) (control.ObjectInfo, error) {
	answer, err := h.send(ctx, as, call{Request: upstream.Request{Method: http.MethodHead, Bucket: bucket, Key: key}})
	if err != nil {
		return control.ObjectInfo{}, err
	}
	defer drop(answer)
	return describe(key, answer), nil
}

func describe(key string, answer *http1.Response) control.ObjectInfo {
	info := control.ObjectInfo{
		Key: key, Size: answer.ContentLength, ETag: unquote(answer.Header.Get("Etag")),
		ContentType: answer.Header.Get("Content-Type"), Metadata: map[string]string{},
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
	return h.do(ctx, as, call{Request: upstream.Request{Method: http.MethodDelete, Bucket: bucket, Key: key}})
}
