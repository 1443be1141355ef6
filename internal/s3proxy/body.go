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
// byte is handed out, but for what the backend is left to verify.
type body struct {
	*payload.Reader
	x      *exchange
	length int64
}

// Read counts the payload that came in.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.x.in += int64(n)
	return n, err
}

// CopyTo implements http1.Direct, and counts as Read does.
func (b *body) CopyTo(w io.ReaderFrom, n int64) (int64, error) {
	m, err := b.Reader.CopyTo(w, n)
	b.x.in += m
	return m, err
}

// incoming is a body before anything is read of it, and what is declared of it.
type incoming struct {
	io.Reader
	payload.Declared
}

// incoming reads what the request declares of its body. Nothing is read from
// the client yet unless the length is unknown.
func (x *exchange) incoming() (in incoming, err error) {
	if x.form != nil {
		return x.incomingFile()
	}
	hash := x.auth.PayloadHash
	if x.lease.Binding != nil {
		hash = ""
	}
	in.Declared, err = payload.Declare(payload.Source{
		Header: x.r.Header, Query: x.r.URL.Query(), PayloadHash: hash, ContentLength: x.r.ContentLength,
		ObjectChecksums: x.req.Op.Name == s3wire.OpCompleteMultipartUpload,
	})
	if err != nil {
		return in, err
	}
	if in.Framing.Signed() {
		key := x.p.signingKeys.Key(x.lease.Secret.Reveal(), x.auth.Scope)
		in.Chunks = sigv4.NewChunkVerifier(&x.auth, key)
	}
	if in.Length < 0 && x.req.Op.Body == s3wire.Payload && x.counts() {
		return in, payload.ErrLengthRequired
	}
	if in.Length < 0 {
		if err := x.hold(payload.MaxUnknownLength); err != nil {
			return in, err
		}
	}
	in.Reader, err = in.LearnLength(clientBody{x.r})
	return in, err
}

// open makes the payload of a body.
func (x *exchange) open(in incoming) (*body, error) {
	reader, err := payload.NewReader(in.Reader, in.Declared)
	if err != nil {
		return nil, err
	}
	return &body{reader, x, in.Length}, nil
}

// readXML reads a small body whole, and only hands it out verified.
func (x *exchange) readXML() ([]byte, error) {
	in, err := x.incoming()
	if err != nil {
		return nil, err
	}
	if in.Length > s3wire.MaxXMLBody {
		return nil, s3wire.EntityTooLarge.Err()
	}
	b, err := x.open(in)
	if err != nil {
		return nil, err
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

// CopyTo implements http1.Direct where the client's connection does.
func (c clientBody) CopyTo(w io.ReaderFrom, n int64) (int64, error) {
	direct, ok := c.r.Body.(http1.Direct)
	if !ok {
		return 0, nil
	}
	return direct.CopyTo(w, n)
}
