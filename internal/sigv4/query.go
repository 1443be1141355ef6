package sigv4

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// param is one decoded query parameter.
type param struct{ name, value string }

// parseQuery decodes and sorts the query. It reads as url.ParseQuery does: a
// plus is a space, and a bare semicolon is refused. What acts on the parameters
// later reads them the same way, so a query that verifies has one meaning.
// Every SDK sends %20 and %2B and is not touched by this choice.
func parseQuery(raw string) ([]param, error) {
	if raw == "" {
		return nil, nil
	}
	params := make([]param, 0, 1+strings.Count(raw, "&"))
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if strings.Contains(pair, ";") {
			return nil, fmt.Errorf("%w: bare semicolon in the query", ErrEncoding)
		}
		name, value, _ := strings.Cut(pair, "=")
		decodedName, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("%w: query parameter name", ErrEncoding)
		}
		decodedValue, err := url.QueryUnescape(value)
		if err != nil {
			return nil, fmt.Errorf("%w: value of query parameter %q", ErrEncoding, clip(decodedName))
		}
		params = append(params, param{decodedName, decodedValue})
	}
	sortParams(params)
	return params, nil
}

// The parameters of presigned requests, in the order of authParams.
const (
	paramAlgorithm = iota
	paramContentSHA256
	paramCredential
	paramDate
	paramExpires
	paramSecurityToken
	paramSignature
	paramSignedHeaders
	paramCount
)

const signatureParam = "X-Amz-Signature"

func authParamName(i int) string {
	return [paramCount]string{
		"X-Amz-Algorithm", "X-Amz-Content-Sha256", "X-Amz-Credential", "X-Amz-Date",
		"X-Amz-Expires", "X-Amz-Security-Token", signatureParam, "X-Amz-SignedHeaders",
	}[i]
}

type authParams struct {
	value   [paramCount]string
	present [paramCount]bool
	v2      bool
}

func (p *authParams) any() bool {
	return p.v2 || p.present != [paramCount]bool{}
}

// findAuthParams picks the authentication parameters. Another case is refused
// rather than overlooked: a parameter that only one of two readers
// recognises is an ambiguity.
func findAuthParams(params []param) (authParams, error) {
	var found authParams
	for _, p := range params {
		if p.name == "AWSAccessKeyId" {
			found.v2 = true
			continue
		}
		if !hasPrefixFold(p.name, "x-amz-") {
			continue
		}
		for i := range paramCount {
			name := authParamName(i)
			if !strings.EqualFold(p.name, name) {
				continue
			}
			if p.name != name {
				return found, fmt.Errorf("%w: %s must be written %s", ErrMalformedQuery, p.name, name)
			}
			if found.present[i] {
				return found, fmt.Errorf("%w: more than one %s", ErrDuplicate, name)
			}
			found.present[i], found.value[i] = true, p.value
		}
	}
	return found, nil
}

func (a *Authorization) parsePresigned(q authParams, h authHeaders) error {
	if q.v2 {
		return errSigV2
	}
	a.Presigned = true
	if q.present[paramAlgorithm] {
		if err := checkAlgorithm(q.value[paramAlgorithm], ErrMalformedQuery); err != nil {
			return err
		}
	}
	for i := range paramCount {
		optional := i == paramContentSHA256 || i == paramSecurityToken
		if !optional && !q.present[i] {
			return fmt.Errorf("%w: %s is missing", ErrMalformedQuery, authParamName(i))
		}
	}
	a.Signature = q.value[paramSignature]
	if !a.parseCredential(q.value[paramCredential]) {
		return malformedParam(paramCredential)
	}
	if !a.parseSignedHeaders(q.value[paramSignedHeaders]) {
		return malformedParam(paramSignedHeaders)
	}
	var ok bool
	if a.Time, ok = parseISO(q.value[paramDate]); !ok {
		return malformedParam(paramDate)
	}
	if err := a.parseExpires(q.value[paramExpires]); err != nil {
		return err
	}
	return a.parseDeclared(q, h)
}

func (a *Authorization) parseExpires(s string) error {
	if !digits(strings.TrimPrefix(s, "-")) {
		return malformedParam(paramExpires)
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	if err != nil || seconds < 1 || seconds > int64(MaxExpires/time.Second) {
		return ErrExpiresRange
	}
	a.Expires = time.Duration(seconds) * time.Second
	return nil
}

// parseDeclared reads payload hash and session token, which a presigned
// request may give in the query or as a signed header, but not as both with
// different values.
func (a *Authorization) parseDeclared(q authParams, h authHeaders) error {
	var ok bool
	if a.PayloadHash, ok = either(q.value[paramContentSHA256], h.contentSHA256); !ok || !printable(a.PayloadHash) {
		return malformedParam(paramContentSHA256)
	}
	if a.SessionToken, ok = either(q.value[paramSecurityToken], h.securityToken); !ok {
		return malformedParam(paramSecurityToken)
	}
	if a.PayloadHash == "" {
		a.PayloadHash = UnsignedPayload
	}
	return nil
}

func either(a, b string) (string, bool) {
	if a == "" {
		return b, true
	}
	return a, b == "" || a == b
}

func malformedParam(i int) error {
	return fmt.Errorf("%w: %s is not valid", ErrMalformedQuery, authParamName(i))
}
