package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Stack space for a canonical request; a longer one moves to the heap.
const canonicalSize = 2048

func (a *Authorization) checkScopeDate() error {
	var space [dateLen]byte
	if day := a.Time.AppendFormat(space[:0], "20060102"); a.Scope.Date != string(day) {
		return a.scoped(fmt.Errorf("%w: the date %s is not that of the request, %s", ErrScope, a.Scope.Date, day))
	}
	return nil
}

// scoped makes a wrong scope an error of the query where it stands there.
func (a *Authorization) scoped(err error) error {
	if a.Presigned && err != nil {
		return fmt.Errorf("%w: %w", ErrMalformedQuery, err)
	}
	return err
}

// Check makes sure that the signature is meant for S3 in one of the regions,
// and that it is timely. A request signed by header must be at most MaxSkew
// from now; a presigned one lives by its own Expires and may only not come
// from the future. It says nothing about whether the signature is true.
func (a *Authorization) Check(now time.Time, regions ...string) error {
	if err := a.Scope.check(regions); err != nil {
		return a.scoped(err)
	}
	age := now.Sub(a.Time)
	switch {
	case a.Presigned && age < -MaxSkew:
		return fmt.Errorf("%w: signed for %s", ErrNotYetValid, a.Time.Format(time.RFC3339))
	case age < -MaxSkew, !a.Presigned && age > MaxSkew:
		return fmt.Errorf("%w: signed for %s, it is %s", ErrSkewed,
			a.Time.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case a.Presigned && age > a.Expires:
		return fmt.Errorf("%w at %s", ErrExpired, a.Time.Add(a.Expires).Format(time.RFC3339))
	}
	return nil
}

func (s Scope) check(regions []string) error {
	if s.Service != service {
		return fmt.Errorf("%w: the service must be %q, not %q", ErrScope, service, clip(s.Service))
	}
	if !slices.Contains(regions, s.Region) {
		return fmt.Errorf("%w: the region must be %s, not %q", ErrScope, strings.Join(regions, " or "), clip(s.Region))
	}
	return nil
}

// Verify recomputes the signature of the parsed request with key and compares
// in constant time. It does the same work whether key is the right one or not,
// so an unknown access key is to be verified with the key of a dummy secret.
func (a *Authorization) Verify(key SigningKey) error {
	buf, err := a.appendCanonical(make([]byte, 0, canonicalSize))
	if err != nil {
		return err
	}
	want := sign(key, a.Time, a.Scope, buf)
	if !hmac.Equal(want[:], []byte(a.Signature)) {
		return ErrMismatch
	}
	return nil
}

func (a *Authorization) appendCanonical(buf []byte) ([]byte, error) {
	buf = append(append(buf, a.request.Method...), '\n')
	buf, err := appendPath(buf, a.request.Path)
	if err != nil {
		return nil, err
	}
	buf = append(buf, '\n')
	buf = append(appendQuery(buf, a.params, a.Presigned), '\n')
	for i, name := range a.SignedHeaders {
		buf = append(append(buf, name...), ':')
		if value, ok := a.request.implied(name); ok {
			buf = append(appendValue(buf, value), '\n')
			continue
		}
		buf = appendHeaderValues(buf, a.values[i])
	}
	buf = append(buf, '\n')
	for i, name := range a.SignedHeaders {
		if i > 0 {
			buf = append(buf, ';')
		}
		buf = append(buf, name...)
	}
	buf = append(buf, '\n')
	return append(buf, a.PayloadHash...), nil
}

// sign computes the signature, in hex, of a canonical request.
func sign(key SigningKey, t time.Time, s Scope, canonical []byte) [2 * sha256.Size]byte {
	digest := sha256.Sum256(canonical)
	text := make([]byte, 0, 256)
	text = append(append(text, algorithm...), '\n')
	text = append(t.AppendFormat(text, isoFormat), '\n')
	text = append(appendScope(text, s), '\n')
	text = hex.AppendEncode(text, digest[:])

	sum := key.mac(text)
	var out [2 * sha256.Size]byte
	hex.Encode(out[:], sum[:])
	return out
}

func appendScope(dst []byte, s Scope) []byte {
	dst = append(append(dst, s.Date...), '/')
	dst = append(append(dst, s.Region...), '/')
	dst = append(append(dst, s.Service...), '/')
	return append(dst, terminator...)
}
