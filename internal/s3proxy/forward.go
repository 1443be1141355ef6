package s3proxy

import (
	"bytes"
	"crypto/md5" //nolint:gosec // Content-MD5 is what S3 defines
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"keystile/internal/http1"
	"keystile/internal/keyring"
	"keystile/internal/payload"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// read carries out an operation that changes nothing.
func (p *Proxy) read(x *exchange) error {
	answer, err := x.send(x.outbound())
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answersXML(x.req.Op) {
		x.borrow()
		a, err := x.takeAnswer(answer)
		if err != nil {
			return err
		}
		x.recordRead(a.status)
		return x.reply(a)
	}
	return x.stream(answer)
}

// mutate carries out an operation that changes something. Its intent is durable
// before the last piece of the request goes out, its outcome before the client
// hears of it.
func (p *Proxy) mutate(x *exchange) error {
	out := x.outbound()
	if err := x.entrustUpload(out.Header); err != nil {
		return err
	}
	if err := x.fillBody(&out); err != nil {
		return err
	}
	a, err := x.carryOut(out)
	if err != nil {
		return err
	}
	if a.err == nil {
		x.tellVerified(a)
	}
	if x.form != nil && a.err == nil {
		x.form.thank(x, a)
	}
	if err := x.settle(a); err != nil {
		return err
	}
	return x.reply(a)
}

// carryOut reserves room, carries the mutation out and settles what it took.
func (x *exchange) carryOut(out upstream.Request) (*answer, error) {
	x.event.Detail.Bytes = out.ContentLength
	if err := x.takeRoom(&out); err != nil {
		x.leaveRoom(nil, err)
		return nil, err
	}
	a, err := x.dispatch(out)
	x.leaveRoom(a, err)
	return a, err
}

// dispatch records the intent, sends and takes the whole answer.
func (x *exchange) dispatch(out upstream.Request) (*answer, error) {
	defer x.wait()()
	intent := x.intend()
	out.Commit = func(send func() error) error {
		if err := intent.Wait(x.context()); err != nil {
			return err
		}
		if x.lease.Cut() {
			return keyring.ErrCut
		}
		if err := x.orderLate(); err != nil {
			return err
		}
		return send()
	}
	got, err := x.send(out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = got.Body.Close() }()
	a, err := x.takeAnswer(got)
	if err != nil {
		// The backend has answered, but with what is not known.
		return nil, &lostAnswer{err}
	}
	return a, nil
}

// lostAnswer is an error after which it is unknown whether the backend carried
// the operation out.
type lostAnswer struct{ error }

func (e *lostAnswer) Unwrap() error { return e.error }

// mayHaveHappened reports whether the backend may have carried out an operation
// that failed with err.
func mayHaveHappened(err error) bool {
	var lost *lostAnswer
	if errors.As(err, &lost) {
		return true
	}
	var e *http1.Error
	return errors.As(err, &e) && e.Complete
}

// outbound builds the request to the backend from what was parsed.
func (x *exchange) outbound() upstream.Request {
	out := upstream.Request{
		Method: x.req.Op.Method, Bucket: x.bucket.Name, Key: x.real.Key, Query: x.real.Query, Header: x.req.Header,
		AbortBody: x.stopReading,
	}
	if x.req.Source != nil {
		out.CopySource = &upstream.Object{
			Bucket: x.source.Name, Key: x.real.SourceKey, VersionID: x.req.Source.VersionID,
		}
	}
	s3wire.SetACLHeaders(out.Header, x.req.CannedACL, x.req.ACLGrants)
	setEncoding(out.Header)
	if x.takesLong() {
		out.AnswerTimeout = upstream.LongAnswer
	}
	return out
}

// setEncoding leaves the object its own encodings: aws-chunked is how a request
// was framed, and undone.
func setEncoding(h http.Header) {
	given := h.Get("Content-Encoding")
	if given == "" {
		return
	}
	if encoding := payload.WithoutAWSChunked(given); encoding != "" {
		h.Set("Content-Encoding", encoding)
	} else {
		h.Del("Content-Encoding")
	}
}

// fillBody gives the outbound request its body: the payload as it streams in,
// or XML that is written anew.
func (x *exchange) fillBody(out *upstream.Request) error {
	switch x.req.Op.Body {
	case s3wire.Payload:
		return x.fillPayload(out)
	case s3wire.XMLBody:
		return x.fillXML(out)
	case s3wire.NoBody:
	}
	return nil
}

func (x *exchange) fillPayload(out *upstream.Request) error {
	in, err := x.incoming()
	if err != nil {
		return err
	}
	how := x.entrust(&in.Declared, out.Header, x.backend.Info().ForceHashing)
	b, err := x.open(in)
	if err != nil {
		return err
	}
	x.partial, x.size = how.partial, b.length
	x.vouchFor(b, in.Declared)
	if how.late != "" {
		if err := x.hold(b.length); err != nil {
			return err
		}
	}
	return how.load(out, b, b.length)
}

func (x *exchange) fillXML(out *upstream.Request) error {
	data, err := x.readXML()
	if err != nil {
		return err
	}
	if x.req.Op.Name != s3wire.OpCompleteMultipartUpload {
		dropChecksums(out.Header)
	}
	switch {
	case x.req.Op.Name == s3wire.OpPutObjectACL, x.req.Op.Name == s3wire.OpPutBucketACL:
		return x.fillACL(out, data)
	case x.req.Op.Canonical == nil:
		return s3wire.NotImplemented.Err()
	}
	if data, err = x.req.Op.Canonical(data); err != nil {
		return err
	}
	if x.req.Op.Name == s3wire.OpCompleteMultipartUpload {
		if data, err = x.entrustParts(data); err != nil {
			return err
		}
	}
	setXML(out, data)
	return nil
}

// setXML makes data the body, with fresh digests: backends insist on one.
func setXML(out *upstream.Request, data []byte) {
	sum := sha256.Sum256(data)
	digest := md5.Sum(data) //nolint:gosec // Content-MD5 is what S3 defines
	out.PayloadHash = hex.EncodeToString(sum[:])
	out.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(digest[:]))
	out.Header.Set("Content-Type", "application/xml")
	out.Header.Del("Content-Encoding") // aws-chunked at most, and that is undone
	out.ContentLength = int64(len(data))
	out.Body = bytes.NewReader(data)
}

// dropChecksums removes the checksums of a body that was written anew.
func dropChecksums(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-Checksum-") {
			h.Del(name)
		}
	}
}

// send forwards and keeps count of the backend's trouble.
func (x *exchange) send(out upstream.Request) (*http1.Response, error) {
	if !x.inside(out) {
		return nil, s3wire.InternalError.Caused(errOutside)
	}
	x.sign(&out, x.backend)
	answer, err := x.backend.Send(x.context(), out)
	if err == nil {
		if err := x.answerBroke(x.vet(answer)); err != nil {
			_ = answer.Body.Close()
			return nil, &lostAnswer{err}
		}
		return answer, nil
	}
	var trouble *upstream.Error
	if errors.As(err, &trouble) {
		x.p.Observer.BackendFailed(x.bucket.Backend)
	}
	return nil, err
}
