package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Signer signs requests to one backend with one key. It is safe for concurrent
// use and prints without its secret.
type Signer struct {
	accessKeyID string
	secret      *string // a pointer for the reason given at SigningKey
	region      string
	service     string
	today       atomic.Pointer[cachedKey]
}

// NewSigner makes a signer; service is "s3" for everything but Admin APIs that
// say otherwise.
func NewSigner(accessKeyID, secret, region, service string) *Signer {
	return &Signer{accessKeyID: accessKeyID, secret: &secret, region: region, service: service}
}

// Format prints the access key ID and region, for every verb.
func (s *Signer) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "sigv4.Signer(%s, %s)", s.accessKeyID, s.region)
}

// Sign signs a request: it sets X-Amz-Date, X-Amz-Content-Sha256 and
// Authorization on header, and covers host, every x-amz-* header, content-md5
// and content-type. header needs canonical keys, as http.Header makes them.
// The path is the escaped one that goes on the wire, rawQuery what follows the
// question mark. The only errors are ErrEncoding and, for two spellings of one
// header, ErrDuplicate.
func (s *Signer) Sign(method, escapedPath, rawQuery, host string, header http.Header, payloadHash string, now time.Time) error {
	params, err := parseQuery(rawQuery)
	if err != nil {
		return err
	}
	now = now.UTC()
	key := s.key(now)
	delete(header, "Authorization")
	values := new([3]string) // of the three headers, in one piece
	values[0], values[1] = now.Format(isoFormat), payloadHash
	header["X-Amz-Date"] = values[0:1:1]
	header["X-Amz-Content-Sha256"] = values[1:2:2]

	out := outgoing{method: method, path: escapedPath, params: params, host: host, payloadHash: payloadHash}
	var space [24]signedHeader
	if out.headers, err = chooseHeaders(space[:0], header); err != nil {
		return err
	}
	canonical, err := out.appendCanonical(make([]byte, 0, canonicalSize))
	if err != nil {
		return err
	}
	signature := sign(key.key, now, key.scope, canonical)

	value := make([]byte, 0, 512)
	value = append(append(value, algorithm+" Credential="...), s.accessKeyID...)
	value = appendScope(append(value, '/'), key.scope)
	value = out.appendNames(append(value, ",SignedHeaders="...))
	value = append(append(value, ",Signature="...), signature[:]...)
	values[2] = string(value)
	header["Authorization"] = values[2:3:3]
	return nil
}

// Presign returns rawQuery with the authentication parameters of a presigned
// request added, in canonical order. Whoever uses it must send the x-amz-*,
// content-md5 and content-type headers in header. The payload is unsigned.
func (s *Signer) Presign(method, escapedPath, rawQuery, host string, header http.Header, expires time.Duration, now time.Time) (string, error) {
	params, err := parseQuery(rawQuery)
	if err != nil {
		return "", err
	}
	now = now.UTC()
	key := s.key(now)
	out := outgoing{method: method, path: escapedPath, host: host, payloadHash: UnsignedPayload}
	if out.headers, err = chooseHeaders(nil, header); err != nil {
		return "", err
	}
	credential := appendScope([]byte(s.accessKeyID+"/"), key.scope)
	out.params = append(params,
		param{authParamName(paramAlgorithm), algorithm},
		param{authParamName(paramCredential), string(credential)},
		param{authParamName(paramDate), now.Format(isoFormat)},
		param{authParamName(paramExpires), strconv.FormatInt(int64(expires/time.Second), 10)},
		param{authParamName(paramSignedHeaders), string(out.appendNames(nil))},
	)
	sortParams(out.params)
	canonical, err := out.appendCanonical(nil)
	if err != nil {
		return "", err
	}
	signature := sign(key.key, now, key.scope, canonical)
	query := appendQuery(nil, out.params, false)
	query = append(append(query, "&"+signatureParam+"="...), signature[:]...)
	return string(query), nil
}

// key returns the signing key of the day. Several goroutines may derive it at
// once when the day turns; they all store the same.
func (s *Signer) key(now time.Time) *cachedKey {
	var space [dateLen]byte
	day := now.AppendFormat(space[:0], "20060102")
	if k := s.today.Load(); k != nil && k.scope.Date == string(day) {
		return k
	}
	scope := Scope{Date: string(day), Region: s.region, Service: s.service}
	k := &cachedKey{scope: scope, key: DeriveKey(*s.secret, scope)}
	s.today.Store(k)
	return k
}

// signedHeader is one header to sign; host has no values here.
type signedHeader struct {
	name   string
	values []string
}

func chooseHeaders(dst []signedHeader, header http.Header) ([]signedHeader, error) {
	dst = append(dst, signedHeader{name: "host"})
	for name, values := range header {
		if hasPrefixFold(name, "x-amz-") || strings.EqualFold(name, "content-md5") || strings.EqualFold(name, "content-type") {
			dst = append(dst, signedHeader{name, values})
		}
	}
	slices.SortFunc(dst, func(a, b signedHeader) int { return compareFold(a.name, b.name) })
	for i := 1; i < len(dst); i++ {
		if compareFold(dst[i-1].name, dst[i].name) == 0 {
			return nil, fmt.Errorf("%w: header %s is spelled in two ways", ErrDuplicate, clip(dst[i].name))
		}
	}
	return dst, nil
}

type outgoing struct {
	method, path, host, payloadHash string
	params                          []param
	headers                         []signedHeader
}

func (o *outgoing) appendCanonical(buf []byte) ([]byte, error) {
	buf = append(append(buf, o.method...), '\n')
	buf, err := appendPath(buf, o.path)
	if err != nil {
		return nil, err
	}
	buf = append(buf, '\n')
	buf = append(appendQuery(buf, o.params, false), '\n')
	for _, h := range o.headers {
		buf = append(appendLower(buf, h.name), ':')
		if h.name == "host" {
			buf = append(appendValue(buf, o.host), '\n')
			continue
		}
		buf = appendHeaderValues(buf, h.values)
	}
	buf = append(o.appendNames(append(buf, '\n')), '\n')
	return append(buf, o.payloadHash...), nil
}

func (o *outgoing) appendNames(dst []byte) []byte {
	for i, h := range o.headers {
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = appendLower(dst, h.name)
	}
	return dst
}

// HashHex returns the SHA-256 digest of data in hex, as x-amz-content-sha256
// wants it.
func HashHex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
