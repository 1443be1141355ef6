package upstream

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5 is what S3 defines
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"time"

	"keystile/internal/http1"
	"keystile/internal/sigv4"
)

// Caller sends the gateway's own requests to a backend, and reads their answers:
// with the backend's key, or as a user that the backend knows.
type Caller struct {
	b  *Backend
	as *sigv4.Signer // nil: the backend's key
}

// Caller makes one. Without a signer the backend's own key signs.
func (b *Backend) Caller(as *sigv4.Signer) Caller { return Caller{b, as} }

// Ask sends a request, with a body that it has already or with this small one. An
// answer that is no success is a *Refused; the body of one that is must be closed.
func (c Caller) Ask(ctx context.Context, r Request, body []byte) (*http1.Response, error) {
	r.As = c.as
	if r.Body == nil {
		r.Body, r.ContentLength, r.PayloadHash = bytes.NewReader(body), int64(len(body)), sigv4.HashHex(body)
		if len(body) > 0 && r.Method == http.MethodPost {
			sum := md5.Sum(body) //nolint:gosec // Content-MD5 is what S3 defines
			if r.Header == nil {
				r.Header = http.Header{}
			}
			r.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
			r.Header.Set("Content-Type", "application/xml")
		}
	}
	answer, err := c.b.Send(ctx, r)
	if err != nil {
		return nil, err
	}
	if answer.Status/100 == 2 {
		return answer, nil
	}
	defer drop(answer)
	answer.Limit(c.limit(r))
	return nil, refusalOf(answer.Status, errorCode(answer.Body), c.as != nil)
}

func (c Caller) limit(r Request) time.Duration { return c.b.AnswerLimit(r.AnswerTimeout == LongAnswer) }

// Do is Ask for a request of which nothing but its success matters. An error
// within a 200 is an error too.
func (c Caller) Do(ctx context.Context, r Request, body []byte) error {
	answer, err := c.Ask(ctx, r, body)
	if err != nil {
		return err
	}
	defer drop(answer)
	answer.Limit(c.limit(r))
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return classify(c.b.info.ID, err)
	}
	if code := errorCode(bytes.NewReader(text)); code != "" {
		return refusalOf(answer.Status, code, c.as != nil)
	}
	return nil
}

// Read sends a request and reads its answer, a document with one of these roots,
// into v. An error within a 200 is one.
func (c Caller) Read(ctx context.Context, r Request, body []byte, v any, roots ...string) error {
	_, err := c.readDated(ctx, r, body, v, roots...)
	return err
}

// readDated is Read, and tells the answer's Date as it came.
func (c Caller) readDated(ctx context.Context, r Request, body []byte, v any, roots ...string) (date string, err error) {
	answer, err := c.Ask(ctx, r, body)
	if err != nil {
		return "", err
	}
	defer drop(answer)
	answer.Limit(c.limit(r))
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxListing+1))
	if err != nil {
		return "", classify(c.b.info.ID, err)
	}
	err = readXML(bytes.NewReader(text), maxListing, v, roots...)
	if err == nil {
		return answer.Header.Get("Date"), nil
	}
	if code := errorCode(bytes.NewReader(text)); code != "" {
		return "", refusalOf(answer.Status, code, c.as != nil)
	}
	return "", c.b.unreadable(err)
}

// lacks reports whether err says that the backend does not know the operation.
func lacks(err error) bool {
	var e *Refused
	return errors.As(err, &e) && e.Lacks()
}
