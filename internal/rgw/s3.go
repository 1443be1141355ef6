package rgw

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5 is what S3 defines
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"

	"keystile/internal/control"
	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// Bounds of an XML answer: a page of 1000 keys of 1024 bytes, each byte escaped,
// stays below the one; an error below the other.
const (
	maxAnswer = 16 << 20
	maxError  = 64 << 10
)

// call is a request to a user's backend.
type call struct {
	upstream.Request
	body []byte // of a request that is not streamed
}

// send signs a request for the user and sends it. An answer that is no success
// is an error; the body of one that is must be closed.
func (h *Homes) send(ctx context.Context, as control.RGWSigner, c call) (*http1.Response, error) {
	b, err := h.backend(as.User.BackendID)
	if err != nil {
		return nil, err
	}
	r := c.Request
	if as.User.AtCeph() {
		r.As = sigv4.NewSigner(as.User.AccessKeyID, as.Secret.Reveal(), b.Info().Region, "s3")
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Body == nil {
		r.Body, r.ContentLength, r.PayloadHash = bytes.NewReader(c.body), int64(len(c.body)), sigv4.HashHex(c.body)
	}
	if len(c.body) > 0 && r.Method == http.MethodPost {
		sum := md5.Sum(c.body) //nolint:gosec // Content-MD5 is what S3 defines
		r.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
		r.Header.Set("Content-Type", "application/xml")
	}
	answer, err := b.Send(ctx, r)
	if err != nil {
		return nil, err
	}
	if answer.Status/100 == 2 {
		return answer, nil
	}
	defer drop(answer)
	answer.Limit(b.AnswerLimit(false))
	return nil, refusal(answer)
}

// do sends a request and wants no more than its success. An error within a 200,
// as a completion has it, is one.
func (h *Homes) do(ctx context.Context, as control.RGWSigner, c call) error {
	answer, err := h.send(ctx, as, c)
	if err != nil {
		return err
	}
	defer drop(answer)
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the answer broke off: %w", keystile.ErrUnavailable)
	}
	if code := errorCode(text); code != "" {
		return codeError(answer.Status, code)
	}
	return nil
}

// read sends a request and reads the XML of its answer into v.
func (h *Homes) read(ctx context.Context, as control.RGWSigner, c call, v any) error {
	answer, err := h.send(ctx, as, c)
	if err != nil {
		return err
	}
	defer drop(answer)
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil || len(text) > maxAnswer || xml.Unmarshal(text, v) != nil {
		return fmt.Errorf("the answer is not the XML that was asked for: %w", keystile.ErrUnavailable)
	}
	return nil
}

// drop reads what is left of a small answer, to keep its connection.
func drop(answer *http1.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, maxError)
	_ = answer.Body.Close()
}

// errorCode is the code of an S3 error document; empty for anything else.
func errorCode(text []byte) string {
	var e struct {
		XMLName xml.Name
		Code    string
	}
	if xml.Unmarshal(text, &e) != nil || e.XMLName.Local != "Error" {
		return ""
	}
	return e.Code
}

func refusal(answer *http1.Response) error {
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxError)) // without a code the status tells
	return codeError(answer.Status, errorCode(text))
}

// codeError translates an S3 error (API Reference, "Error Responses"); nothing of
// the answer's text is passed on.
func codeError(status int, code string) error {
	kind := keystile.ErrUnavailable
	switch code {
	case "NoSuchBucket", "NoSuchKey", "NoSuchUpload", "NoSuchVersion":
		kind = keystile.ErrNotFound
	case "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "OperationAborted":
		kind = keystile.ErrConflict
	case "TooManyBuckets":
		return &control.Explained{Message: "the backend allows no more buckets", Err: keystile.ErrConflict}
	case "QuotaExceeded":
		return &control.Explained{Message: "the user's quota is exceeded", Err: keystile.ErrDenied}
	case "BucketNotEmpty":
		kind = keystile.ErrNotEmpty
	case "InvalidBucketName", "InvalidArgument", "InvalidRange", "KeyTooLongError", "EntityTooLarge":
		kind = keystile.ErrInvalid
	case "NotImplemented", "MethodNotAllowed":
		return fmt.Errorf("%s: %w", code, errUnsupported)
	case "":
		kind = statusKind(status)
	default:
		if status == http.StatusForbidden || status == http.StatusUnauthorized {
			kind = keystile.ErrDenied
		}
	}
	return fmt.Errorf("the backend answered %d %s: %w", status, code, kind)
}

// errUnsupported: the backend does not know the operation.
var errUnsupported = fmt.Errorf("the backend does not know the operation: %w", keystile.ErrInvalid)

func statusKind(status int) error {
	switch status {
	case http.StatusNotFound:
		return keystile.ErrNotFound
	case http.StatusForbidden, http.StatusUnauthorized:
		return keystile.ErrDenied
	case http.StatusRequestedRangeNotSatisfiable:
		return keystile.ErrInvalid
	}
	return keystile.ErrUnavailable
}
