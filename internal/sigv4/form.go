package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// FormFields are the fields of a POST form that authenticate it (S3 API
// Reference, "Authenticating Requests in Browser-Based Uploads Using POST").
type FormFields struct {
	Algorithm  string // x-amz-algorithm
	Credential string // x-amz-credential
	Date       string // x-amz-date
	Signature  string // x-amz-signature
	Policy     string // policy, in base64 as it was sent
	// AccessKeyIDV2 is AWSAccessKeyId, by which a form of Signature Version 2 is
	// known, to be refused with what to set.
	AccessKeyIDV2 string
}

// FormAuthorization is what a POST form claims about its signer. Only the policy
// is signed: it holds for the form's other fields as far as it has conditions on
// them, and nothing is true before Verify has returned nil.
type FormAuthorization struct {
	AccessKeyID string
	Scope       Scope
	Time        time.Time // in UTC

	policy, signature string
}

// Format prints who signed what for when, for every verb: the signature of a form
// lets anybody upload by it, and may not reach a log.
func (f FormAuthorization) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "sigv4.FormAuthorization(%s, %s/%s/%s, %s)", f.AccessKeyID,
		f.Scope.Date, f.Scope.Region, f.Scope.Service, f.Time.Format(time.RFC3339))
}

// ParseForm reads the authentication of a form. A form without any is
// ErrMissing.
func ParseForm(f FormFields) (FormAuthorization, error) {
	form := FormAuthorization{policy: f.Policy, signature: f.Signature}
	if f == (FormFields{}) {
		return form, ErrMissing
	}
	if f.AccessKeyIDV2 != "" {
		return form, errSigV2
	}
	var claim Authorization
	readable := claim.parseCredential(f.Credential)
	form.AccessKeyID, form.Scope = claim.AccessKeyID, claim.Scope
	for _, field := range [...]struct{ name, value string }{
		{"policy", f.Policy}, {"x-amz-algorithm", f.Algorithm}, {"x-amz-credential", f.Credential},
		{"x-amz-date", f.Date}, {"x-amz-signature", f.Signature},
	} {
		if field.value == "" {
			return form, fmt.Errorf("%w: the form must have a field %q before its file", ErrMalformedForm, field.name)
		}
	}
	if err := checkAlgorithm(f.Algorithm, ErrMalformedForm); err != nil {
		return form, err
	}
	if !readable {
		return form, fmt.Errorf("%w: x-amz-credential is not valid", ErrMalformedForm)
	}
	var ok bool
	if form.Time, ok = parseISO(f.Date); !ok {
		return form, fmt.Errorf("%w: x-amz-date is not valid", ErrMalformedForm)
	}
	claim.Time = form.Time
	return form, claim.checkScopeDate()
}

// Check makes sure that the form was signed for S3 in one of the regions, and
// not in the time to come. How long it is valid is up to its policy.
func (f FormAuthorization) Check(now time.Time, regions ...string) error {
	if err := f.Scope.check(regions); err != nil {
		return err
	}
	if now.Sub(f.Time) < -MaxSkew {
		return fmt.Errorf("%w: signed for %s, it is %s", ErrSkewed, f.Time.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// Verify recomputes the signature of the policy and compares in constant time.
// As with a request, an unknown access key is to be verified with a dummy's.
func (f FormAuthorization) Verify(key SigningKey) error {
	mac := hmac.New(sha256.New, key.bytes())
	mac.Write([]byte(f.policy))
	var want [2 * sha256.Size]byte
	hex.Encode(want[:], mac.Sum(nil))
	if !hmac.Equal(want[:], []byte(f.signature)) {
		return ErrMismatch
	}
	return nil
}
