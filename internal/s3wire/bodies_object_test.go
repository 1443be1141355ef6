package s3wire_test

import (
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

// canonicalBodies are the functions of all rows that have one.
func canonicalBodies() []func([]byte) ([]byte, error) {
	var all []func([]byte) ([]byte, error)
	for _, op := range s3wire.Operations() {
		if op.Canonical != nil {
			all = append(all, op.Canonical)
		}
	}
	return all
}

func TestEveryServedXMLBodyIsWrittenAnew(t *testing.T) {
	for _, op := range s3wire.Operations() {
		own := op.Name == s3wire.OpDeleteObjects || op.Name == s3wire.OpPutObjectACL
		if op.Served && op.Body == s3wire.XMLBody && (op.Canonical != nil) == own {
			t.Errorf("%s: its body is written anew %v", op.Name, op.Canonical != nil)
		}
	}
}

func TestProtectionBodies(t *testing.T) {
	hold, retention, restore := s3wire.CanonicalLegalHold, s3wire.CanonicalRetention, s3wire.CanonicalRestore
	for _, tt := range []struct {
		name, body string
		canonical  func([]byte) ([]byte, error)
		want       string // inside the root; or the code of the error
	}{
		{"a hold", "<LegalHold><Status>ON</Status></LegalHold>", hold, "<Status>ON</Status>"},
		{"a hold lifted", "<LegalHold" + ns + "><Status>OFF</Status></LegalHold>", hold, "<Status>OFF</Status>"},
		{"a hold of another kind", "<LegalHold><Status>on</Status></LegalHold>", hold, "MalformedXML"},
		{"an empty hold", "<LegalHold/>", hold, "MalformedXML"},
		{"two holds", "<LegalHold><Status>ON</Status><Status>OFF</Status></LegalHold>", hold, "MalformedXML"},
		{"another root", "<ObjectLockLegalHold><Status>ON</Status></ObjectLockLegalHold>", hold, "MalformedXML"},
		{
			"a retention", "<Retention><RetainUntilDate>2030-01-01T01:00:00+01:00</RetainUntilDate><Mode>COMPLIANCE</Mode></Retention>", retention,
			"<Mode>COMPLIANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate>",
		},
		{"a retention taken away", "<Retention/>", retention, ""},
		{"a retention without a date", "<Retention><Mode>GOVERNANCE</Mode></Retention>", retention, "MalformedXML"},
		{"a retention without a mode", "<Retention><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>", retention, "MalformedXML"},
		{"a mode of another kind", "<Retention><Mode>NONE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>", retention, "MalformedXML"},
		{"a date that is none", "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>soon</RetainUntilDate></Retention>", retention, "MalformedXML"},
		{"more than a retention", "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate><Extra/></Retention>", retention, "MalformedXML"},
		{"a restore", "<RestoreRequest><Days>3</Days></RestoreRequest>", restore, "<Days>3</Days>"},
		{
			"a restore in a tier", "<RestoreRequest><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters><Days>3</Days></RestoreRequest>", restore,
			"<Days>3</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>",
		},
		{"no days at all", "<RestoreRequest><Days>0</Days></RestoreRequest>", restore, "MalformedXML"},
		{"two tiers", "<RestoreRequest><Tier>Bulk</Tier><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>", restore, "MalformedXML"},
		{
			"a result in another bucket",
			"<RestoreRequest><OutputLocation><S3><BucketName>payroll</BucketName></S3></OutputLocation></RestoreRequest>", restore, "NotImplemented",
		},
		{"a selection", "<RestoreRequest><Type>SELECT</Type></RestoreRequest>", restore, "NotImplemented"},
	} {
		got, err := tt.canonical([]byte(tt.body))
		if err != nil {
			if code := s3wire.AsError(err).Code; code != tt.want {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
			continue
		}
		_, inside, _ := strings.Cut(string(got), `/">`)
		if inside = inside[:strings.LastIndex(inside, "</")]; inside != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}
