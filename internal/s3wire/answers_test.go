package s3wire_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"keystile/internal/s3wire"
)

func me() s3wire.Owner { return s3wire.Owner{ID: "my-id", DisplayName: "me & co"} }

func rewrite(doc string) (string, string, error) {
	out, root, err := s3wire.Rewrite([]byte(doc), &s3wire.Names{Bucket: "pics", Location: "http://gate/pics/a", Owner: me})
	return string(out), root, err
}

func TestRewriteReplacesNamesAndNothingElse(t *testing.T) {
	for _, tt := range []struct{ name, in, out string }{
		{
			"a listing",
			"<?xml version='1.0'?>\n<ListBucketResult" + ns + ">\r\n <Name >real</Name >\n<Prefix>real</Prefix><Contents><Key>&lt;Name>real</Key>" +
				"<Owner><ID>x</ID><DisplayName>y</DisplayName></Owner></Contents><!-- real --></ListBucketResult>\n\n",
			"<?xml version='1.0'?>\n<ListBucketResult" + ns + ">\r\n <Name >pics</Name >\n<Prefix>real</Prefix><Contents><Key>&lt;Name>real</Key>" +
				"<Owner><ID>my-id</ID><DisplayName>me &amp; co</DisplayName></Owner></Contents><!-- real --></ListBucketResult>\n\n",
		},
		{"an element that closes itself", `<ListBucketResult><Name/><Prefix/></ListBucketResult>`, `<ListBucketResult><Name>pics</Name><Prefix/></ListBucketResult>`},
		{"one with blanks and attributes", `<ListBucketResult><Name a="/>" /></ListBucketResult>`, `<ListBucketResult><Name a="/>" >pics</Name></ListBucketResult>`},
		{"an empty one", `<ListBucketResult><Name></Name></ListBucketResult>`, `<ListBucketResult><Name>pics</Name></ListBucketResult>`},
		{
			"prefixes", `<s:ListBucketResult xmlns:s="x"><s:Name>real</s:Name></s:ListBucketResult>`,
			`<s:ListBucketResult xmlns:s="x"><s:Name>pics</s:Name></s:ListBucketResult>`,
		},
		{
			"a prefix on one that closes itself", `<s:ListBucketResult xmlns:s="x"><s:Name/></s:ListBucketResult>`,
			`<s:ListBucketResult xmlns:s="x"><s:Name>pics</s:Name></s:ListBucketResult>`,
		},
		{"CDATA", `<ListBucketResult><Name><![CDATA[real]]></Name></ListBucketResult>`, `<ListBucketResult><Name>pics</Name></ListBucketResult>`},
		{"entities", `<ListBucketResult><Name>r&#101;al&amp;</Name></ListBucketResult>`, `<ListBucketResult><Name>pics</Name></ListBucketResult>`},
		{"a comment in the name", `<ListBucketResult><Name>re<!-- x -->al</Name></ListBucketResult>`, `<ListBucketResult><Name>pics</Name></ListBucketResult>`},
		{"two of a name", `<ListBucketResult><Name>a</Name><Name>b</Name></ListBucketResult>`, `<ListBucketResult><Name>pics</Name><Name>pics</Name></ListBucketResult>`},
		{"the same name elsewhere", `<ListBucketResult><Contents><Name>real</Name></Contents></ListBucketResult>`, `<ListBucketResult><Contents><Name>real</Name></Contents></ListBucketResult>`},
		{
			"a completed upload", `<CompleteMultipartUploadResult><Location>http://10.0.0.1/real/a</Location><Bucket>real</Bucket><Key>real</Key></CompleteMultipartUploadResult>`,
			`<CompleteMultipartUploadResult><Location>http://gate/pics/a</Location><Bucket>pics</Bucket><Key>real</Key></CompleteMultipartUploadResult>`,
		},
		{
			"versions", `<ListVersionsResult><Name>real</Name><Version><Owner><ID>x</ID></Owner></Version><DeleteMarker><Owner><ID/></Owner></DeleteMarker></ListVersionsResult>`,
			`<ListVersionsResult><Name>pics</Name><Version><Owner><ID>my-id</ID></Owner></Version><DeleteMarker><Owner><ID>my-id</ID></Owner></DeleteMarker></ListVersionsResult>`,
		},
		{
			"parts", `<ListPartsResult><Bucket>real</Bucket><Owner><ID>x</ID></Owner><Initiator><DisplayName>x</DisplayName></Initiator></ListPartsResult>`,
			`<ListPartsResult><Bucket>pics</Bucket><Owner><ID>my-id</ID></Owner><Initiator><DisplayName>me &amp; co</DisplayName></Initiator></ListPartsResult>`,
		},
		{
			"uploads", `<ListMultipartUploadsResult><Bucket>real</Bucket><Upload><Initiator><ID>x</ID></Initiator></Upload></ListMultipartUploadsResult>`,
			`<ListMultipartUploadsResult><Bucket>pics</Bucket><Upload><Initiator><ID>my-id</ID></Initiator></Upload></ListMultipartUploadsResult>`,
		},
		{"a begun upload", `<InitiateMultipartUploadResult><Bucket>real</Bucket></InitiateMultipartUploadResult>`, `<InitiateMultipartUploadResult><Bucket>pics</Bucket></InitiateMultipartUploadResult>`},
		{"a begun upload of rclone", `<InitiateMultipartUpload><Bucket>real</Bucket></InitiateMultipartUpload>`, `<InitiateMultipartUpload><Bucket>pics</Bucket></InitiateMultipartUpload>`},
		{"nothing to replace", "<CopyObjectResult><ETag>\"a\"</ETag></CopyObjectResult>", "<CopyObjectResult><ETag>\"a\"</ETag></CopyObjectResult>"},
	} {
		out, root, err := rewrite(tt.in)
		if err != nil || out != tt.out || root == "" {
			t.Errorf("%s: %s\n%s, %v", tt.name, root, out, err)
		}
		if err := wellFormed(out); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestRewriteRefuses(t *testing.T) {
	for name, doc := range map[string]string{
		"nothing": "", "blanks": " \n", "no XML": "garbage", "JSON": `{"Name":"real"}`, "HTML with an open element": "<html><br></html>",
		"a DTD": `<!DOCTYPE a><ListBucketResult/>`, "an entity": `<a>&x;</a>`, "no end": "<ListBucketResult><Name>real</Name>", "another end": "<a></b>",
		"text after": "<a></a>x", "text before": "x<a></a>", "two roots": "<a/><b/>", "a NUL": "<a>\x00</a>", "not UTF-8": "<a>\xff</a>",
		"an end first": "</a>", "depth": strings.Repeat("<a>", 30) + strings.Repeat("</a>", 30), "elements in a name": "<ListBucketResult><Name><b/></Name></ListBucketResult>",
		"another encoding": `<?xml version="1.0" encoding="latin1"?><a/>`, "a half tag": "<ListBucketResult><Name",
	} {
		if out, _, err := rewrite(doc); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add([]byte(`<ListBucketResult><Name/><Contents><Owner><ID>x</ID></Owner></Contents></ListBucketResult>`))
	f.Add([]byte(`<s:ListPartsResult xmlns:s="x"><s:Bucket a='/>'/><Owner><ID><![CDATA[x]]></ID></Owner></s:ListPartsResult>`))
	f.Add([]byte(`<CompleteMultipartUploadResult><Location>l</Location></CompleteMultipartUploadResult>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		out, root, err := s3wire.Rewrite(doc, &s3wire.Names{Bucket: "pics", Location: "http://gate/pics/a&b", Owner: me})
		if err != nil {
			return
		}
		if err := wellFormed(string(out)); err != nil || root == "" {
			t.Fatalf("%q is rewritten as %q: %v", doc, out, err)
		}
		again, _, err := s3wire.Rewrite(out, &s3wire.Names{Bucket: "pics", Location: "http://gate/pics/a&b", Owner: me})
		if err != nil || string(again) != string(out) {
			t.Fatalf("%q is rewritten again as %q, %v", out, again, err)
		}
	})
}

func wellFormed(doc string) error {
	dec := xml.NewDecoder(strings.NewReader(doc))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestBucketPages(t *testing.T) {
	at := time.Date(2026, 11, 21, 13, 0, 0, 123456789, time.FixedZone("x", 3600))
	page := s3wire.BucketPage{Owner: me(), Buckets: []s3wire.BucketEntry{{Name: "a", CreatedAt: at}, {Name: "b", CreatedAt: at}}}
	got := string(page.Marshal())
	for _, part := range []string{
		"<ID>my-id</ID><DisplayName>me &amp; co</DisplayName>", "<Bucket><Name>a</Name><CreationDate>2026-11-21T12:00:00.123Z</CreationDate></Bucket>",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s lacks %s", got, part)
		}
	}
	for _, part := range []string{"ContinuationToken", "Prefix", "BucketRegion"} {
		if strings.Contains(got, part) {
			t.Errorf("%s has a %s", got, part)
		}
	}
	page.ContinuationToken, page.Prefix, page.Region = "t", "p<", "eu"
	got = string(page.Marshal())
	for _, part := range []string{"<ContinuationToken>t</ContinuationToken>", "<Prefix>p&lt;</Prefix>", "<BucketRegion>eu</BucketRegion></Bucket>"} {
		if !strings.Contains(got, part) {
			t.Errorf("%s lacks %s", got, part)
		}
	}
	if empty := string(s3wire.BucketPage{}.Marshal()); !strings.Contains(empty, "<Buckets></Buckets>") || wellFormed(empty) != nil {
		t.Errorf("an empty page is %s", empty)
	}
}

func TestLocation(t *testing.T) {
	for region, want := range map[string]string{"us-east-1": "></LocationConstraint>", "eu-1": ">eu-1</LocationConstraint>", "<": ">&lt;</LocationConstraint>"} {
		if got := string(s3wire.Location(region)); !strings.HasSuffix(got, want) || wellFormed(got) != nil {
			t.Errorf("%s: %s", region, got)
		}
	}
}
