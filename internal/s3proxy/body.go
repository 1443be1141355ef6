package s3proxy

import (
	"errors"
	"io"
	"net/http"

	"keystile/internal/http1"
	"keystile/internal/payload"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
)

// body is a request's payload on its way: decoded, and verified before its last
// byte is handed out.
type body struct {
	io.Reader
	length int64
	sha256 string // declared and verified, in hex; empty when not signed
	md5    string // declared and verified, in base64; may be empty
}

// openBody reads what the request declares of its body. Nothing is read from
// the client yet unless the length is unknown.
func (x *exchange) openBody() (*body, error) {
	if x.form != nil {
		return x.openFile()
	}
	hash := x.auth.PayloadHash
	if x.lease.Binding != nil {
		hash = ""
	}
	declared, err := payload.Declare(payload.Source{
		Header: x.r.Header, Query: x.r.URL.Query(), PayloadHash: hash, ContentLength: x.r.ContentLength,
		ObjectChecksums: x.req.Op.Name == s3wire.OpCompleteMultipartUpload,
	})
	if err != nil {
		return nil, err
	}
	if declared.Framing.Signed() {
		key := x.p.signingKeys.Key(x.lease.Secret.Reveal(), x.auth.Scope)
		declared.Chunks = sigv4.NewChunkVerifier(&x.auth, key)
	}
	if declared.Length < 0 {
		if err := x.hold(payload.MaxUnknownLength); err != nil {
			return nil, err
		}
	}
	known, err := declared.LearnLength(clientBody{x.r})
	if err != nil {
		return nil, err
	}
	reader, err := payload.NewReader(known, declared)
	if err != nil {
		return nil, err
	}
	return &body{counted{x, reader}, declared.Length, declared.SHA256, declared.ContentMD5}, nil
}

// readXML reads a small body whole, and only hands it out verified.
func (x *exchange) readXML() ([]byte, error) {
	b, err := x.openBody()
	if err != nil {
		return nil, err
	}
	if b.length > s3wire.MaxXMLBody {
		return nil, s3wire.EntityTooLarge.Err()
	}
	// It is held as it comes: a length that is merely declared takes nothing. The
	// read that finds its end verifies it.
	data, err := io.ReadAll(&holding{x: x, r: b})
	if err != nil {
		return nil, err
	}
	if int64(len(data)) < b.length {
		return nil, payload.ErrIncomplete
	}
	return data, nil
}

// clientBody reads from the client and tells broken framing from a client that
// is gone.
type clientBody struct{ r *http.Request }

func (c clientBody) Read(p []byte) (int, error) {
	n, err := c.r.Body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && http1.BodyFault(c.r) != nil {
		err = http1.ErrFraming
	}
	return n, err
}

// counted counts the payload that came in.
type counted struct {
	x *exchange
	r io.Reader
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.x.in += int64(n)
	return n, err
}
