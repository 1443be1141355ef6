package sigv4

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Values of x-amz-content-sha256 that are not a digest, and the digest of an
// empty body.
const (
	UnsignedPayload          = "UNSIGNED-PAYLOAD"
	StreamingSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	EmptySHA256              = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	terminator  = "aws4_request"
	service     = "s3"
	isoFormat   = "20060102T150405Z"
	dateLen     = len("20060102")
	maxKeyIDLen = 128 // the longest access key ID that AWS itself issues

	// MaxSkew is how far the time of a request may lie from ours.
	MaxSkew = 15 * time.Minute
	// MaxExpires is the longest life of a presigned URL.
	MaxExpires = 7 * 24 * time.Hour
)

// Request is the part of an HTTP request that a signature covers, as it was on
// the wire.
type Request struct {
	Method string
	// Path is the escaped path as sent, up to and without the question mark.
	Path string
	// RawQuery is what followed the question mark, as sent.
	RawQuery string
	// Host is the Host header, port included when it was sent.
	Host   string
	Header http.Header
	// ContentLength is the declared length of the body, -1 when unknown.
	// It and TransferEncoding stand here because net/http takes these headers
	// out of Header; they matter when the client signed them.
	ContentLength    int64
	TransferEncoding []string
}

// Scope is what a signing key is good for.
type Scope struct {
	Date    string // YYYYMMDD
	Region  string
	Service string
}

// Authorization is what a request claims about its signer. Nothing in it is
// true before Verify has returned nil.
type Authorization struct {
	AccessKeyID   string
	Scope         Scope
	SignedHeaders []string // lower case, sorted
	Signature     string   // as sent
	// Time is the time of signing, in UTC.
	Time time.Time
	// Presigned tells authentication by query from that by header.
	Presigned bool
	// Expires is how long a presigned request is valid from Time on.
	Expires time.Duration
	// PayloadHash is the declared x-amz-content-sha256; UnsignedPayload for a
	// presigned request that declares none.
	PayloadHash string
	// SessionToken is x-amz-security-token, "" when there is none.
	SessionToken string

	request Request
	params  []param
	values  [][]string // of each of SignedHeaders that is in request.Header
}

// Format prints who signed what for when, for every verb. The signature of a
// presigned request opens what it signs, and so does a session token: neither
// may reach a log.
func (a Authorization) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "sigv4.Authorization(%s, %s/%s/%s, %s)", a.AccessKeyID,
		a.Scope.Date, a.Scope.Region, a.Scope.Service, a.Time.Format(time.RFC3339))
}

// Parse finds and reads the authentication of r, and makes sure that it is
// unambiguous and covers host and every x-amz-* header. On an error the result
// holds what was read until then, so that a refusal can name the claimed key.
//
// r.Header must not change until Verify has returned.
func Parse(r Request) (Authorization, error) {
	auth := Authorization{request: r}
	var err error
	if auth.params, err = parseQuery(r.RawQuery); err != nil {
		return auth, err
	}
	heads, err := findHeaders(r)
	if err != nil {
		return auth, err
	}
	query, err := findAuthParams(auth.params)
	if err != nil {
		return auth, err
	}
	switch {
	case heads.signed && query.any():
		return auth, ErrTwoWays
	case heads.signed:
		err = auth.parseHeader(heads)
	case query.any():
		err = auth.parsePresigned(query, heads)
	default:
		return auth, ErrMissing
	}
	if err != nil {
		return auth, err
	}
	if err := auth.checkScopeDate(); err != nil {
		return auth, err
	}
	return auth, auth.collectSigned()
}

// parseCredential reads ACCESS-KEY-ID/DATE/REGION/SERVICE/aws4_request. It
// splits from the end because an access key ID made elsewhere may hold a slash.
func (a *Authorization) parseCredential(s string) bool {
	rest, last, _ := cutLast(s)
	rest, a.Scope.Service, _ = cutLast(rest)
	rest, a.Scope.Region, _ = cutLast(rest)
	id, date, ok := cutLast(rest)
	a.Scope.Date = date
	if !ok || id == "" || len(id) > maxKeyIDLen || !printable(id) {
		return false
	}
	a.AccessKeyID = id
	return last == terminator && a.Scope.Region != "" && a.Scope.Service != "" &&
		printable(a.Scope.Region) && printable(a.Scope.Service) &&
		len(date) == dateLen && digits(date)
}

// parseSignedHeaders reads the list of signed names, which must be lower case,
// sorted and free of duplicates, as in the canonical request.
func (a *Authorization) parseSignedHeaders(s string) bool {
	a.SignedHeaders = strings.Split(s, ";")
	for i, name := range a.SignedHeaders {
		if name == "" || !headerName(name) {
			return false
		}
		if i > 0 && a.SignedHeaders[i-1] >= name {
			return false
		}
	}
	return true
}

func cutLast(s string) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return "", s, false
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// printable says whether s is visible ASCII, without space. What fails could
// smuggle a line into the canonical request or a log.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// headerName says whether s is a lower-case HTTP field name (RFC 9110 5.6.2).
func headerName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return true
}

// parseISO reads the basic ISO 8601 form. time.Parse alone would also take a
// fraction of a second.
func parseISO(s string) (time.Time, bool) {
	if len(s) != len(isoFormat) {
		return time.Time{}, false
	}
	t, err := time.Parse(isoFormat, s)
	return t, err == nil
}
