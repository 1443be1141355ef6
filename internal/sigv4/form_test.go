package sigv4

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// publishedPolicy is that of the S3 API Reference, "Examples: Browser-Based
// Upload using HTTP POST (Using AWS Signature Version 4)"; its lines end in CR LF.
const publishedPolicy = `{ "expiration": "2015-12-30T12:00:00.000Z",
  "conditions": [
    {"bucket": "sigv4examplebucket"},
    ["starts-with", "$key", "user/user1/"],
    {"acl": "public-read"},
    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
    ["starts-with", "$Content-Type", "image/"],
    {"x-amz-meta-uuid": "14365123651274"},
    {"x-amz-server-side-encryption": "AES256"},
    ["starts-with", "$x-amz-meta-tag", ""],

    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
    {"x-amz-date": "20151229T000000Z" }
  ]
}`

func publishedForm() FormFields {
	return FormFields{
		Algorithm: algorithm, Credential: "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request", Date: "20151229T000000Z",
		Signature: "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
		Policy:    base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(publishedPolicy, "\n", "\r\n"))),
	}
}

func TestPublishedFormVerifies(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	form, err := ParseForm(publishedForm())
	if err != nil {
		t.Fatal(err)
	}
	if form.AccessKeyID != "AKIAIOSFODNN7EXAMPLE" || form.Scope != (Scope{"20151229", "us-east-1", "s3"}) {
		t.Errorf("read %v", form)
	}
	if err := form.Verify(DeriveKey(secret, form.Scope)); err != nil {
		t.Error(err)
	}
	if err := form.Verify(DeriveKey("another", form.Scope)); !errors.Is(err, ErrMismatch) {
		t.Errorf("with another secret: %v", err)
	}
	tampered := publishedForm()
	tampered.Policy = "eyAi" + tampered.Policy[8:]
	if form, err = ParseForm(tampered); err != nil {
		t.Fatal(err)
	}
	if err := form.Verify(DeriveKey(secret, form.Scope)); !errors.Is(err, ErrMismatch) {
		t.Errorf("with another policy: %v", err)
	}
}

func TestParseFormRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*FormFields)
		want   error
	}{
		{"nothing at all", func(f *FormFields) { *f = FormFields{} }, ErrMissing},
		{"no policy", func(f *FormFields) { f.Policy = "" }, ErrMalformedForm},
		{"no algorithm", func(f *FormFields) { f.Algorithm = "" }, ErrMalformedForm},
		{"no credential", func(f *FormFields) { f.Credential = "" }, ErrMalformedForm},
		{"no date", func(f *FormFields) { f.Date = "" }, ErrMalformedForm},
		{"no signature", func(f *FormFields) { f.Signature = "" }, ErrMalformedForm},
		{"SigV2", func(f *FormFields) { *f = FormFields{AccessKeyIDV2: "AKIA", Policy: "e30="} }, ErrUnsupported},
		{"SigV4A", func(f *FormFields) { f.Algorithm = "AWS4-ECDSA-P256-SHA256" }, ErrUnsupported},
		{"an unknown algorithm", func(f *FormFields) { f.Algorithm = "HMAC" }, ErrMalformedForm},
		{"a credential without a scope", func(f *FormFields) { f.Credential = "AKIA" }, ErrMalformedForm},
		{"another terminator", func(f *FormFields) { f.Credential = "AKIA/20151229/us-east-1/s3/aws5_request" }, ErrMalformedForm},
		{"a date in another form", func(f *FormFields) { f.Date = "2015-12-29" }, ErrMalformedForm},
		{"the date of another day", func(f *FormFields) { f.Date = "20151230T000000Z" }, ErrScope},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fields := publishedForm()
			tt.change(&fields)
			if _, err := ParseForm(fields); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestCheckForm(t *testing.T) {
	signed := time.Date(2015, 12, 29, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		now     time.Time
		region  string
		service string
		want    error
	}{
		{"at once", signed, "us-east-1", "s3", nil},
		{"a month later, which is the policy's affair", signed.AddDate(0, 1, 0), "us-east-1", "s3", nil},
		{"in 15 minutes", signed.Add(-MaxSkew), "us-east-1", "s3", nil},
		{"in more than 15 minutes", signed.Add(-MaxSkew - time.Second), "us-east-1", "s3", ErrSkewed},
		{"another region", signed, "mars-west-1", "s3", ErrScope},
		{"another service", signed, "us-east-1", "iam", ErrScope},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := FormAuthorization{Time: signed, Scope: Scope{"20151229", tt.region, tt.service}}
			if err := form.Check(tt.now, "us-east-1"); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFormAuthorizationDoesNotPrintItsSignature(t *testing.T) {
	form, err := ParseForm(publishedForm())
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb, form); strings.Contains(text, "8afdbf40") || strings.Contains(text, "eyAi") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
