package sigv4

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authHeaders are the headers that authentication itself reads, each present
// at most once.
type authHeaders struct {
	signed        bool // there is an Authorization header
	authorization string
	amzDate       string
	date          string
	contentSHA256 string
	securityToken string
}

// findHeaders makes one pass over the headers. It compares without case
// instead of trusting the keys to be canonical: two spellings of one name must
// not be able to hide from each other.
func findHeaders(r Request) (authHeaders, error) {
	var found authHeaders
	for name, values := range r.Header {
		var field *string
		switch len(name) {
		case len("date"):
			if strings.EqualFold(name, "date") {
				field = &found.date
			} else if strings.EqualFold(name, "host") && (len(values) != 1 || values[0] != r.Host) {
				return found, fmt.Errorf("%w: two host headers", ErrDuplicate)
			}
		case len("x-amz-date"):
			field = ifFold(name, "x-amz-date", &found.amzDate)
		case len("authorization"):
			if field = ifFold(name, "authorization", &found.authorization); field != nil {
				if found.signed {
					return found, fmt.Errorf("%w: more than one Authorization header", ErrDuplicate)
				}
				found.signed = true
			}
		case len("x-amz-content-sha256"): // also the length of x-amz-security-token
			field = ifFold(name, "x-amz-content-sha256", &found.contentSHA256)
			if field == nil {
				field = ifFold(name, "x-amz-security-token", &found.securityToken)
			}
		}
		if field == nil {
			continue
		}
		if len(values) != 1 || *field != "" {
			return found, fmt.Errorf("%w: more than one %s header", ErrDuplicate, strings.ToLower(name))
		}
		*field = strings.Trim(values[0], " \t")
	}
	return found, nil
}

func ifFold(name, want string, field *string) *string {
	if strings.EqualFold(name, want) {
		return field
	}
	return nil
}

func (a *Authorization) parseHeader(h authHeaders) error {
	scheme, rest, _ := strings.Cut(h.authorization, " ")
	if err := checkAlgorithm(scheme, ErrMalformed); err != nil {
		return err
	}
	if err := a.parseFields(rest); err != nil {
		return err
	}
	if err := a.parseTime(h); err != nil {
		return err
	}
	a.SessionToken = h.securityToken
	a.PayloadHash = h.contentSHA256
	if a.PayloadHash == "" {
		return ErrMissingPayloadHash
	}
	if !printable(a.PayloadHash) {
		return fmt.Errorf("%w: x-amz-content-sha256 is neither a digest nor a known keyword", ErrMalformed)
	}
	return nil
}

// checkAlgorithm answers the schemes that clients still use by default with
// what has to be changed in them.
func checkAlgorithm(name string, malformed error) error {
	switch {
	case name == algorithm:
		return nil
	case name == "AWS":
		return errSigV2
	case strings.HasPrefix(name, "AWS4-ECDSA-P256-SHA256"):
		return fmt.Errorf("%w: SigV4A (AWS4-ECDSA-P256-SHA256) is for multi-region access points; "+
			"set a single signing region and AWS4-HMAC-SHA256 in the client", ErrUnsupported)
	case strings.HasPrefix(name, "AWS4-"), name == "", !errors.Is(malformed, ErrMalformed):
		return fmt.Errorf("%w: the algorithm must be %s", malformed, algorithm)
	}
	return fmt.Errorf("%w: it must be %s", ErrUnknownType, algorithm)
}

var errSigV2 = fmt.Errorf("%w: this is Signature Version 2; set the client to Signature Version 4 "+
	"(aws-cli and boto3: s3.signature_version = s3v4; s3cmd: signature_v2 = False)", ErrUnsupported)

// parseFields reads the three comma-separated fields behind the algorithm.
func (a *Authorization) parseFields(s string) error {
	var seen [3]bool
	for field := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(strings.Trim(field, " \t"), "=")
		var index int
		ok := true
		switch name {
		case "Credential":
			index, ok = 0, a.parseCredential(value)
		case "SignedHeaders":
			index, ok = 1, a.parseSignedHeaders(value)
		case "Signature":
			index, a.Signature = 2, value
		default:
			return fmt.Errorf("%w: unknown field %q", ErrMalformed, clip(name))
		}
		if seen[index] {
			return fmt.Errorf("%w: %s is given twice", ErrMalformed, name)
		}
		if seen[index] = true; !ok {
			return fmt.Errorf("%w: %s is not valid", ErrMalformed, name)
		}
	}
	for i, name := range [...]string{"Credential", "SignedHeaders", "Signature"} {
		if !seen[i] {
			return fmt.Errorf("%w: %s is missing", ErrMalformed, name)
		}
	}
	return nil
}

// parseTime takes x-amz-date or, when that is absent, Date, with which older
// clients sign. Neither has to be a signed header: the string to sign holds
// the time.
func (a *Authorization) parseTime(h authHeaders) error {
	ok := false
	switch {
	case h.amzDate != "":
		a.Time, ok = parseISO(h.amzDate)
	case h.date != "":
		if a.Time, ok = parseISO(h.date); !ok {
			a.Time, ok = parseHTTPDate(h.date)
		}
	}
	if !ok {
		return ErrNoDate
	}
	return nil
}

func parseHTTPDate(s string) (time.Time, bool) {
	t, err := http.ParseTime(s)
	if err != nil {
		t, err = time.Parse(time.RFC1123Z, s)
	}
	return t.UTC(), err == nil
}

// collectSigned finds the value of every signed header and refuses a request
// that carries an unsigned x-amz-* header.
func (a *Authorization) collectSigned() error {
	if _, ok := slices.BinarySearch(a.SignedHeaders, "host"); !ok {
		return fmt.Errorf("%w: host", ErrUnsignedHeader)
	}
	a.values = make([][]string, len(a.SignedHeaders))
	for name, values := range a.request.Header {
		i, ok := slices.BinarySearchFunc(a.SignedHeaders, name, compareFold)
		switch amz := hasPrefixFold(name, "x-amz-"); {
		case !ok && amz:
			return fmt.Errorf("%w: %s", ErrUnsignedHeader, clip(strings.ToLower(name)))
		case !ok || len(values) == 0:
			continue
		case a.values[i] != nil, len(values) > 1 && !repeatable(a.SignedHeaders[i], amz):
			return fmt.Errorf("%w: more than one %s header", ErrDuplicate, clip(a.SignedHeaders[i]))
		}
		a.values[i] = values
	}
	for i, name := range a.SignedHeaders {
		if _, ok := a.request.implied(name); !ok && a.values[i] == nil {
			return fmt.Errorf("%w: signed header %s is not in the request", ErrMismatch, clip(name))
		}
	}
	return nil
}

// repeatable says which signed headers may come on several lines. The
// signature covers the values joined by commas and so cannot tell one line
// "a,b" from two lines "a" and "b"; a reader who takes the first line only
// would then act on something else than what was signed. Lists and metadata
// are read joined, everything else of S3 has one value.
func repeatable(name string, amz bool) bool {
	if amz {
		return strings.HasPrefix(name, "x-amz-meta-") ||
			name == "x-amz-object-attributes" || name == "x-amz-optional-object-attributes"
	}
	switch name {
	case "content-type", "content-md5", "content-length", "content-range", "range", "expires", "if-range",
		"if-modified-since", "if-unmodified-since":
		return false
	}
	return true
}

// implied yields the value of a header which a Request holds outside Header.
// It takes precedence over a line in Header: it is what acts.
func (r *Request) implied(name string) (string, bool) {
	switch name {
	case "host":
		return r.Host, true
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10), r.ContentLength >= 0
	case "transfer-encoding":
		return strings.Join(r.TransferEncoding, ","), len(r.TransferEncoding) > 0
	}
	return "", false
}

// clip bounds what a message repeats of the request.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
