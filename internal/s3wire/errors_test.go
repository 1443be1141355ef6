package s3wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

func TestParseErrorKeepsWhatClientsMaySee(t *testing.T) {
	e, ok := s3wire.ParseError([]byte(`<?xml version="1.0"?><Error><Code>PreconditionFailed</Code><Message>no &amp; no</Message>` +
		`<Condition>If-Match</Condition><BucketName>real</BucketName><AWSAccessKeyId>ADMIN</AWSAccessKeyId><StringToSign>s</StringToSign>` +
		`<CanonicalRequest>c</CanonicalRequest><Endpoint>10.0.0.1</Endpoint><HostId>h</HostId><RequestId>r</RequestId><Resource>/real/k</Resource>` +
		`<SignatureProvided>x</SignatureProvided><Key>k</Key><Region>r</Region></Error>`))
	if !ok || e.Code != "PreconditionFailed" || e.Message != "no & no" {
		t.Errorf("%+v, %v", e, ok)
	}
	if len(e.Details) != 1 || e.Details[0] != (s3wire.Detail{Name: "Condition", Value: "If-Match"}) {
		t.Errorf("details %v", e.Details)
	}
	for _, doc := range []string{
		"", "no", "<html></html>", "<Error/>", "<Error><Message>m</Message></Error>", "<Error><Code/></Error>", "<Error><Code>x</Code>",
		"<!DOCTYPE a><Error><Code>x</Code></Error>", "<Errors><Error><Code>x</Code></Error></Errors>", "<error><code>x</code></error>", `{"Code":"x"}`,
	} {
		if e, ok := s3wire.ParseError([]byte(doc)); ok {
			t.Errorf("%q is read as %+v", doc, e)
		}
	}
}

func TestErrorDocumentsAreNeverMute(t *testing.T) {
	for name, e := range map[string]*s3wire.Error{
		"nothing known": {}, "a code": {Code: "Odd", Status: 400}, "a blank message": {Code: "Odd", Message: " \n"}, "a message": {Message: "m"},
	} {
		got, ok := s3wire.ParseError(e.ErrorDocument("/r", "", "", "id"))
		if !ok || got.Code == "" || strings.TrimSpace(got.Message) == "" {
			t.Errorf("%s is answered as %+v", name, got)
		}
	}
}

func TestErrorDocument(t *testing.T) {
	e := s3wire.AccessDenied.With("no %s", "<way>")
	e.Details = []s3wire.Detail{{Name: "Region", Value: "eu&"}}
	got := string(e.ErrorDocument("/pics/a%20b", "pics", "a b\r<", "ID1"))
	want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Error><Code>AccessDenied</Code><Message>no &lt;way&gt;</Message><BucketName>pics</BucketName>` +
		`<Key>a b&#xD;&lt;</Key><Region>eu&amp;</Region><Resource>/pics/a%20b</Resource><RequestId>ID1</RequestId><HostId>ID1</HostId></Error>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if bare := string(e.ErrorDocument("/", "", "", "x")); strings.Contains(bare, "BucketName") || strings.Contains(bare, "<Key>") {
		t.Errorf("without a bucket: %s", bare)
	}
}

func TestAsErrorHidesWhatIsNotS3s(t *testing.T) {
	cause := errors.New("dial 10.0.0.1: secret trouble")
	e := s3wire.AsError(fmt.Errorf("sending: %w", cause))
	if e.Code != "InternalError" || e.Status != 500 || strings.Contains(e.Message, "10.0.0.1") || !errors.Is(e, cause) {
		t.Errorf("%+v", e)
	}
	if doc := string(e.ErrorDocument("/", "", "", "x")); strings.Contains(doc, "trouble") {
		t.Errorf("the cause is shown: %s", doc)
	}
	inner := s3wire.SlowDown.Err()
	if got := s3wire.AsError(fmt.Errorf("x: %w", inner)); got != inner {
		t.Errorf("%+v", got)
	}
	if text := s3wire.SlowDown.Caused(cause).Error(); !strings.Contains(text, "SlowDown") || !strings.Contains(text, "trouble") {
		t.Errorf("the log reads %q", text)
	}
}

// What the trail and the webhooks know of a hard cap is this code.
func TestTheCodeOfAFullBucket(t *testing.T) {
	if s3wire.QuotaExceeded.Name != keystile.CodeQuotaExceeded {
		t.Errorf("the code is %q, and %q elsewhere", s3wire.QuotaExceeded.Name, keystile.CodeQuotaExceeded)
	}
}
