package payload

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"keystile/internal/sigv4"
)

// Framing is how the payload lies in the body.
type Framing int

// The framings of S3.
const (
	// Identity: the body is the payload.
	Identity Framing = iota
	// AWSChunkedSigned is STREAMING-AWS4-HMAC-SHA256-PAYLOAD.
	AWSChunkedSigned
	// AWSChunkedSignedTrailer is STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER.
	AWSChunkedSignedTrailer
	// AWSChunkedUnsignedTrailer is STREAMING-UNSIGNED-PAYLOAD-TRAILER.
	AWSChunkedUnsignedTrailer
)

// MaxUnknownLength is how long a body of unknown length may be, in bytes.
const MaxUnknownLength = 64 << 10

// Signed reports whether each chunk carries a signature.
func (f Framing) Signed() bool { return f == AWSChunkedSigned || f == AWSChunkedSignedTrailer }
func (f Framing) trailer() bool {
	return f == AWSChunkedSignedTrailer || f == AWSChunkedUnsignedTrailer
}

// Declared is all that a request says about its body. A field that a backend
// is left to verify may be cleared before NewReader.
type Declared struct {
	Framing Framing
	// Length is that of the payload, EncodedLength that of the body with its
	// framing, in bytes; -1 when unknown.
	Length        int64
	EncodedLength int64
	SHA256        string     // lower-case hex; "" when the payload is not covered by the signature
	ContentMD5    string     // base64; "" when absent
	Checksums     []Checksum // from headers
	Trailers      []string   // lower-case names from x-amz-trailer
	// Chunks verifies the chunks of a signed framing. The caller sets it once
	// the request's own signature has been verified.
	Chunks *sigv4.ChunkVerifier
	// LeaveTrailer says that the checksum in the trailer is passed on to one who
	// verifies it, and not verified here. Its framing and form still are.
	LeaveTrailer bool
	// Compute is an algorithm whose checksum the Reader should know at the end
	// where the client declared none; "": none.
	Compute Algorithm
}

// Plain says whether there is nothing to decode and nothing to verify but the
// length.
func (d *Declared) Plain() bool {
	return d.Framing == Identity && d.SHA256 == "" && d.ContentMD5 == "" && len(d.Checksums) == 0
}

// Source is the part of a request from which Declare reads.
type Source struct {
	Header http.Header // canonical keys
	Query  url.Values
	// PayloadHash is x-amz-content-sha256 as sigv4.Parse found it. "", of an
	// anonymous request without the header, means unsigned.
	PayloadHash   string
	ContentLength int64 // -1 when unknown
	// ObjectChecksums says that x-amz-checksum-* headers speak of an object and
	// not of this body, as with CompleteMultipartUpload. They are not read then.
	ObjectChecksums bool
}

// Declare reads and validates what a request declares about its body. Errors
// are ErrInvalidRequest, ErrInvalidPayloadHash, ErrInvalidDigest and
// ErrLengthRequired, the latter for a framed body without a readable
// x-amz-decoded-content-length.
func Declare(s Source) (Declared, error) {
	d := Declared{Length: s.ContentLength, EncodedLength: s.ContentLength}
	if err := d.parsePayloadHash(s.PayloadHash); err != nil {
		return Declared{}, err
	}
	for _, step := range []func(Source) error{d.parseLength, d.parseMD5, d.parseTrailers, d.parseChecksums} {
		if err := step(s); err != nil {
			return Declared{}, err
		}
	}
	return d, nil
}

func (d *Declared) parsePayloadHash(value string) error {
	switch value {
	case "", sigv4.UnsignedPayload:
	case sigv4.StreamingSigned:
		d.Framing = AWSChunkedSigned
	case sigv4.StreamingSignedTrailer:
		d.Framing = AWSChunkedSignedTrailer
	case sigv4.StreamingUnsignedTrailer:
		d.Framing = AWSChunkedUnsignedTrailer
	case streamingECDSA, streamingECDSA + "-TRAILER":
		return fmt.Errorf("%w: %s is the payload of SigV4A, which is not supported; use %s", ErrInvalidPayloadHash, value, sigv4.StreamingSigned)
	default:
		if sum, err := hex.DecodeString(value); err != nil || len(sum) != 32 {
			return fmt.Errorf("%w: it must be %s, %s, %s, %s or a SHA-256 digest in hex", ErrInvalidPayloadHash,
				sigv4.UnsignedPayload, sigv4.StreamingUnsignedTrailer, sigv4.StreamingSigned, sigv4.StreamingSignedTrailer)
		}
		d.SHA256 = strings.ToLower(value)
	}
	return nil
}

// streamingECDSA is the chunk-signed payload of SigV4A.
const streamingECDSA = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"

// CheckHash refuses an x-amz-content-sha256 that is neither a digest nor a known
// keyword, for requests whose body is not read.
func CheckHash(value string) error {
	if len(value) == signatureLen && !strings.ContainsFunc(value, notHex) {
		return nil // without the decoding: every request comes by here
	}
	var d Declared
	return d.parsePayloadHash(value)
}

func notHex(r rune) bool {
	return !('0' <= r && r <= '9' || 'a' <= r && r <= 'f' || 'A' <= r && r <= 'F')
}

func (d *Declared) parseLength(s Source) error {
	const name = "x-amz-decoded-content-length"
	value, err := single(s.Header, name)
	if err != nil {
		return err
	}
	length, ok := parseDecimal(value)
	if d.Framing == Identity {
		if value != "" && (!ok || length != s.ContentLength) {
			return fmt.Errorf("%w: %s on a body that is not aws-chunked", ErrInvalidRequest, name)
		}
		return nil
	}
	if !ok {
		return fmt.Errorf("%w: %s must be a number", ErrLengthRequired, name)
	}
	d.Length = length
	return nil
}

// parseDecimal reads a length. Unlike strconv it takes no sign.
func parseDecimal(s string) (int64, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func (d *Declared) parseMD5(s Source) error {
	values := s.Header.Values("Content-Md5")
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 {
		return fmt.Errorf("%w: more than one", ErrInvalidDigest)
	}
	if _, ok := MD5.decode(values[0]); !ok {
		return ErrInvalidDigest
	}
	d.ContentMD5 = values[0]
	return nil
}

func (d *Declared) parseTrailers(s Source) error {
	value, err := single(s.Header, "x-amz-trailer")
	if err != nil || value == "" {
		return err
	}
	if !d.Framing.trailer() {
		return fmt.Errorf("%w: x-amz-trailer needs x-amz-content-sha256 to be a STREAMING-…-TRAILER value", ErrInvalidRequest)
	}
	name := strings.ToLower(value)
	if algorithm, ok := strings.CutPrefix(name, checksumPrefix); ok {
		if _, ok := algorithmOf(algorithm); ok {
			d.Trailers = []string{name}
			return nil
		}
	}
	return fmt.Errorf("%w: the value of x-amz-trailer is not supported", ErrInvalidRequest)
}

func (d *Declared) parseChecksums(s Source) error {
	if s.ObjectChecksums {
		return nil
	}
	for name, values := range s.Header {
		if len(name) < len(checksumPrefix) || !strings.EqualFold(name[:len(checksumPrefix)], checksumPrefix) {
			continue
		}
		suffix := strings.ToLower(name[len(checksumPrefix):])
		if suffix == "algorithm" || suffix == "type" || suffix == "mode" {
			continue
		}
		algorithm, ok := algorithmOf(suffix)
		if !ok {
			return fmt.Errorf("%w: this checksum algorithm is not supported", ErrInvalidRequest)
		}
		if len(values) != 1 || len(d.Checksums)+len(d.Trailers) > 0 {
			return fmt.Errorf("%w: only one x-amz-checksum-* header or trailer is allowed", ErrInvalidRequest)
		}
		if _, ok := algorithm.decode(values[0]); !ok {
			return fmt.Errorf("%w: the value of %s is not valid", ErrInvalidRequest, algorithm.Header())
		}
		d.Checksums = []Checksum{{algorithm, values[0]}}
	}
	if err := d.parseSDKAlgorithm(s); err != nil {
		return err
	}
	return d.parseQueryChecksum(s.Query)
}

// parseSDKAlgorithm refuses an x-amz-sdk-checksum-algorithm that promises a
// checksum which is not there. x-amz-checksum-algorithm, which minio-go sends,
// promises none, but must not name another than the one that is.
func (d *Declared) parseSDKAlgorithm(s Source) error {
	for _, header := range [...]string{sdkAlgorithm, checksumAlgorithm} {
		value, err := single(s.Header, header)
		if err != nil {
			return err
		}
		if value == "" {
			continue
		}
		algorithm, ok := algorithmOf(value)
		if !ok {
			return fmt.Errorf("%w: the value of %s is not valid", ErrInvalidRequest, header)
		}
		none := len(d.Checksums)+len(d.Trailers) == 0
		if !d.promises(algorithm) && (header == sdkAlgorithm || !none) {
			return fmt.Errorf("%w: %s without the corresponding x-amz-checksum-* header or x-amz-trailer", ErrInvalidRequest, header)
		}
	}
	return nil
}

const (
	sdkAlgorithm      = "x-amz-sdk-checksum-algorithm"
	checksumAlgorithm = "x-amz-checksum-algorithm"
)

// promises reports whether a header or trailer holds a checksum of that kind.
func (d *Declared) promises(a Algorithm) bool {
	return slices.ContainsFunc(d.Checksums, func(c Checksum) bool { return c.Algorithm == a }) || slices.Contains(d.Trailers, a.Header())
}

// parseQueryChecksum takes a checksum that was signed into a presigned URL.
// S3 does not verify it; whoever signed one on purpose wants it verified. The
// AWS SDK for JavaScript, which signs before it knows the body, puts the
// checksum of the empty body there by default: that one says nothing.
func (d *Declared) parseQueryChecksum(query url.Values) error {
	if len(d.Checksums)+len(d.Trailers) > 0 {
		return nil
	}
	for name, values := range query {
		suffix, ok := strings.CutPrefix(strings.ToLower(name), checksumPrefix)
		algorithm, known := algorithmOf(suffix)
		if !ok || !known {
			continue
		}
		if len(values) != 1 || len(d.Checksums) > 0 {
			return fmt.Errorf("%w: only one x-amz-checksum-* parameter is allowed", ErrInvalidRequest)
		}
		sum, ok := algorithm.decode(values[0])
		if !ok {
			return fmt.Errorf("%w: the value of %s is not valid", ErrInvalidRequest, algorithm.Header())
		}
		if bytes.Equal(sum, algorithm.newHash().Sum(nil)) {
			continue
		}
		d.Checksums = []Checksum{{algorithm, values[0]}}
	}
	return nil
}

// LearnLength makes sure that the length is known. It returns body itself when
// it is; else it reads up to MaxUnknownLength bytes, sets Length and returns
// what it read. A longer body is ErrLengthRequired.
func (d *Declared) LearnLength(body io.Reader) (io.Reader, error) {
	if d.Length >= 0 {
		return body, nil
	}
	data, err := io.ReadAll(io.LimitReader(body, MaxUnknownLength+1))
	if err != nil {
		return nil, readError(err)
	}
	if len(data) > MaxUnknownLength {
		return nil, ErrLengthRequired
	}
	d.Length = int64(len(data))
	d.EncodedLength = d.Length
	return bytes.NewReader(data), nil
}

// WithoutAWSChunked removes aws-chunked, which belongs to the request and not
// to the object, from a Content-Encoding value.
func WithoutAWSChunked(contentEncoding string) string {
	var kept []string
	for coding := range strings.SplitSeq(contentEncoding, ",") {
		coding = strings.Trim(coding, " \t")
		if coding != "" && !strings.EqualFold(coding, "aws-chunked") {
			kept = append(kept, coding)
		}
	}
	return strings.Join(kept, ",")
}

// single returns the only value of a header, "" when there is none.
func single(h http.Header, name string) (string, error) {
	values := h.Values(name)
	if len(values) > 1 {
		return "", fmt.Errorf("%w: more than one %s header", ErrInvalidRequest, name)
	}
	if len(values) == 0 {
		return "", nil
	}
	return strings.Trim(values[0], " \t"), nil
}
