package s3wire_test

import (
	"errors"
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

func codeOf(err error) string {
	var e *s3wire.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func canonicalOf(t *testing.T, name string) func([]byte) ([]byte, error) {
	t.Helper()
	for _, op := range s3wire.Operations() {
		if op.Name == name && op.Canonical != nil {
			return op.Canonical
		}
	}
	t.Fatalf("%s has no canonical form", name)
	return nil
}

func TestSettingsAreWrittenAnew(t *testing.T) {
	const ns = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`
	rule := `<Rule><ID>a &amp; b</ID><Filter><And><Prefix>t/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>`
	for _, tt := range []struct{ name, op, in, out, code string }{
		{"versioning", s3wire.OpPutBucketVersioning, "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>", "<Status>Suspended</Status>", ""},
		{"a lifecycle", s3wire.OpPutBucketLifecycle, "<LifecycleConfiguration" + ns + ">" + rule + "</LifecycleConfiguration>", rule, ""},
		{"an empty filter", s3wire.OpPutBucketLifecycle, "<LifecycleConfiguration><Rule><Filter/></Rule></LifecycleConfiguration>", "<Filter></Filter>", ""},
		{"another root", s3wire.OpPutBucketLifecycle, "<VersioningConfiguration></VersioningConfiguration>", "", "MalformedXML"},
		{"a vendor's element", s3wire.OpPutBucketLifecycle, "<LifecycleConfiguration><Rule><DelMarkerExpiration/></Rule></LifecycleConfiguration>", "", "MalformedXML"},
		{"an attribute", s3wire.OpPutBucketLifecycle, `<LifecycleConfiguration><Rule a="b"></Rule></LifecycleConfiguration>`, "", "MalformedXML"},
		{"a comment", s3wire.OpPutBucketVersioning, "<VersioningConfiguration><!-- --></VersioningConfiguration>", "", "MalformedXML"},
		{"11 tags of a bucket", s3wire.OpPutBucketTagging, manyTags(11), "<Key>k10</Key>", ""},
		{"51 tags of a bucket", s3wire.OpPutBucketTagging, manyTags(51), "", "InvalidTag"},
		{"11 tags of an object", "PutObjectTagging", manyTags(11), "", "InvalidTag"},
		{"rules for other origins", s3wire.OpPutBucketCORS, "<CORSConfiguration><CORSRule><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>*</AllowedOrigin><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>", "<MaxAgeSeconds>5</MaxAgeSeconds>", ""},
		{"no rules", s3wire.OpPutBucketCORS, "<CORSConfiguration></CORSConfiguration>", "", "MalformedXML"},
		{"two ids", s3wire.OpPutBucketCORS, "<CORSConfiguration><CORSRule><ID>a</ID><ID>b</ID></CORSRule></CORSConfiguration>", "", "MalformedXML"},
		{"a rule without origins", s3wire.OpPutBucketCORS, "<CORSConfiguration><CORSRule><AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>", "", "InvalidRequest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			canonical := canonicalOf(t, tt.op)
			out, err := canonical([]byte(tt.in))
			if codeOf(err) != tt.code || tt.code == "" && !strings.Contains(string(out), tt.out) {
				t.Fatalf("%s, %v, want %s %s", out, err, tt.out, tt.code)
			}
			if tt.code != "" {
				return
			}
			if again, err := canonical(out); err != nil || string(again) != string(out) {
				t.Errorf("written anew it becomes %s, %v", again, err)
			}
		})
	}
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<Tag><Key>k" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + "</Key><Value>v</Value></Tag>")
	}
	return "<Tagging><TagSet>" + b.String() + "</TagSet></Tagging>"
}

func TestCreateBucketConfiguration(t *testing.T) {
	for _, tt := range []struct{ name, in, location, code string }{
		{"a location", "<LocationConstraint>eu</LocationConstraint>", "eu", ""},
		{"nothing", "", "", ""},
		{"two locations", "<LocationConstraint>eu</LocationConstraint><LocationConstraint>us</LocationConstraint>", "", "MalformedXML"},
		{"tags", "<Tags></Tags>", "", "NotImplemented"},
		{"a directory bucket", "<Bucket><Type>Directory</Type></Bucket>", "", "NotImplemented"},
		{"an availability zone", "<Location><Name>a</Name></Location>", "", "NotImplemented"},
		{"anything else", "<Owner>me</Owner>", "", "MalformedXML"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s3wire.ParseLocationConstraint([]byte("<CreateBucketConfiguration>" + tt.in + "</CreateBucketConfiguration>"))
			if got != tt.location || codeOf(err) != tt.code {
				t.Errorf("%q, %v, want %q %s", got, err, tt.location, tt.code)
			}
		})
	}
}

func FuzzSettings(f *testing.F) {
	for _, seed := range []string{
		"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
		"<LifecycleConfiguration><Rule><Filter><Prefix>\r</Prefix></Filter></Rule></LifecycleConfiguration>",
		"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
		manyTags(2),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range s3wire.Operations() {
			if _, setting := op.Setting(); !setting || op.Canonical == nil {
				continue
			}
			out, err := op.Canonical(body)
			if err != nil {
				continue
			}
			again, err := op.Canonical(out)
			if err != nil || string(again) != string(out) {
				t.Fatalf("%s: %q becomes %q and then %q, %v", op.Name, body, out, again, err)
			}
		}
	})
}
