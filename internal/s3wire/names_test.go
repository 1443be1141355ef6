package s3wire_test

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

// shownAs makes the names of a client that sees the keys under a/ as the bucket pics.
func shownAs(change ...func(*s3wire.Names)) *s3wire.Names {
	n := &s3wire.Names{
		Bucket: "pics", Location: "http://gate/pics/k", Owner: me, Hidden: "a/",
		Seal: func(backendToken string) string { return "sealed " + backendToken },
	}
	for _, c := range change {
		c(n)
	}
	return n
}

func encoded(n *s3wire.Names)   { n.Encoded = true }
func fromStart(n *s3wire.Names) { n.FromStart = true }
func spelled(hidden string) func(*s3wire.Names) {
	return func(n *s3wire.Names) { n.Hidden = hidden }
}

const oneOwner = "<Owner><ID>admin</ID><DisplayName>admin</DisplayName></Owner>"

var myOwner = strings.NewReplacer("<ID>admin", "<ID>my-id", "<DisplayName>admin", "<DisplayName>me &amp; co")

// TestEveryAnswerIsShownInTheClientsNames goes through the answers of S3 that
// carry a bucket, a key, an owner or a URL.
func TestEveryAnswerIsShownInTheClientsNames(t *testing.T) {
	for _, tt := range []struct{ name, in, out string }{
		{
			"ListObjects",
			"<ListBucketResult><Name>real</Name><Prefix>a/x</Prefix><Marker>a/m</Marker><NextMarker>a/n</NextMarker><Delimiter>a/</Delimiter><MaxKeys>1</MaxKeys>" +
				"<Contents><Key>a/k</Key><ETag>a/</ETag>" + oneOwner + "</Contents><CommonPrefixes><Prefix>a/p/</Prefix></CommonPrefixes></ListBucketResult>",
			"<ListBucketResult><Name>pics</Name><Prefix>x</Prefix><Marker>m</Marker><NextMarker>n</NextMarker><Delimiter>a/</Delimiter><MaxKeys>1</MaxKeys>" +
				"<Contents><Key>k</Key><ETag>a/</ETag>" + myOwner.Replace(oneOwner) + "</Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>",
		},
		{
			"ListObjectsV2",
			"<ListBucketResult><Name>real</Name><Prefix>a/</Prefix><StartAfter>a/s</StartAfter><NextContinuationToken>a/n</NextContinuationToken><Contents><Key>a/a/</Key></Contents></ListBucketResult>",
			"<ListBucketResult><Name>pics</Name><Prefix></Prefix><StartAfter>s</StartAfter><NextContinuationToken>sealed a/n</NextContinuationToken><Contents><Key>a/</Key></Contents></ListBucketResult>",
		},
		{
			"ListObjectVersions",
			"<ListVersionsResult><Name>real</Name><Prefix>a/x</Prefix><KeyMarker>a/m</KeyMarker><NextKeyMarker>a/n</NextKeyMarker><VersionIdMarker>a/</VersionIdMarker>" +
				"<Version><Key>a/k</Key><VersionId>a/</VersionId>" + oneOwner + "</Version><DeleteMarker><Key>a/d</Key>" + oneOwner + "</DeleteMarker>" +
				"<CommonPrefixes><Prefix>a/p/</Prefix></CommonPrefixes></ListVersionsResult>",
			"<ListVersionsResult><Name>pics</Name><Prefix>x</Prefix><KeyMarker>m</KeyMarker><NextKeyMarker>n</NextKeyMarker><VersionIdMarker>a/</VersionIdMarker>" +
				"<Version><Key>k</Key><VersionId>a/</VersionId>" + myOwner.Replace(oneOwner) + "</Version><DeleteMarker><Key>d</Key>" + myOwner.Replace(oneOwner) + "</DeleteMarker>" +
				"<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListVersionsResult>",
		},
		{
			"ListMultipartUploads",
			"<ListMultipartUploadsResult><Bucket>real</Bucket><Prefix>a/x</Prefix><KeyMarker>a/m</KeyMarker><NextKeyMarker>a/n</NextKeyMarker><UploadIdMarker>a/</UploadIdMarker>" +
				"<Upload><Key>a/k</Key><UploadId>a/</UploadId><Initiator><ID>admin</ID></Initiator>" + oneOwner + "</Upload><CommonPrefixes><Prefix>a/p/</Prefix></CommonPrefixes></ListMultipartUploadsResult>",
			"<ListMultipartUploadsResult><Bucket>pics</Bucket><Prefix>x</Prefix><KeyMarker>m</KeyMarker><NextKeyMarker>n</NextKeyMarker><UploadIdMarker>a/</UploadIdMarker>" +
				"<Upload><Key>k</Key><UploadId>a/</UploadId><Initiator><ID>my-id</ID></Initiator>" + myOwner.Replace(oneOwner) + "</Upload><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListMultipartUploadsResult>",
		},
		{
			"ListParts",
			"<ListPartsResult><Bucket>real</Bucket><Key>a/k</Key><UploadId>a/</UploadId>" + oneOwner + "<Part><ETag>a/</ETag></Part></ListPartsResult>",
			"<ListPartsResult><Bucket>pics</Bucket><Key>k</Key><UploadId>a/</UploadId>" + myOwner.Replace(oneOwner) + "<Part><ETag>a/</ETag></Part></ListPartsResult>",
		},
		{
			"CreateMultipartUpload",
			"<InitiateMultipartUploadResult><Bucket>real</Bucket><Key>a/k</Key><UploadId>a/</UploadId></InitiateMultipartUploadResult>",
			"<InitiateMultipartUploadResult><Bucket>pics</Bucket><Key>k</Key><UploadId>a/</UploadId></InitiateMultipartUploadResult>",
		},
		{
			"CompleteMultipartUpload",
			"<CompleteMultipartUploadResult><Location>http://10.0.0.1/real/a/k</Location><Bucket>real</Bucket><Key>a/k</Key><ETag>a/</ETag></CompleteMultipartUploadResult>",
			"<CompleteMultipartUploadResult><Location>http://gate/pics/k</Location><Bucket>pics</Bucket><Key>k</Key><ETag>a/</ETag></CompleteMultipartUploadResult>",
		},
		{"CopyObject", "<CopyObjectResult><ETag>a/</ETag></CopyObjectResult>", "<CopyObjectResult><ETag>a/</ETag></CopyObjectResult>"},
		{"tags", "<Tagging><TagSet><Tag><Key>a/k</Key><Value>a/v</Value></Tag></TagSet></Tagging>", "<Tagging><TagSet><Tag><Key>a/k</Key><Value>a/v</Value></Tag></TagSet></Tagging>"},
	} {
		out, _, err := s3wire.Rewrite([]byte(tt.in), shownAs())
		if err != nil || string(out) != tt.out {
			t.Errorf("%s:\n%s, %v, want\n%s", tt.name, out, err, tt.out)
		}
	}
}

func TestHiddenBeginnings(t *testing.T) {
	entry := func(key string) string {
		return "<ListBucketResult><Contents><Key>" + key + "</Key></Contents></ListBucketResult>"
	}
	for _, tt := range []struct {
		name    string
		names   *s3wire.Names
		in, out string // out empty: refused
	}{
		{"entities", shownAs(spelled("a&b/")), entry("a&#38;b/&amp;&lt;"), entry("&amp;&lt;")},
		{"CDATA", shownAs(), entry("<![CDATA[a/<k>]]>"), entry("&lt;k&gt;")},
		{"a comment in the key", shownAs(), entry("a<!-- -->/k"), entry("k")},
		{"once only", shownAs(), entry("a/a/k"), entry("a/k")},
		{"a key beside", shownAs(), entry("ab/k"), ""},
		{"a key above", shownAs(), entry("a"), ""},
		{"no key", shownAs(), entry(""), ""},
		{"a key in another case", shownAs(), entry("A/k"), ""},
		{"a percent sign where nothing is encoded", shownAs(), entry("a%2Fk"), ""},
		{"encoded", shownAs(encoded), entry("a%2Fk%20k"), entry("k%20k")},
		{"encoded in small letters", shownAs(encoded), entry("a%2fk"), entry("k")},
		{"encoded but for its slash", shownAs(encoded), entry("a/k%2F"), entry("k%2F")},
		{"everything encoded", shownAs(encoded), entry("%61%2F%6B"), entry("%6B")},
		{"a blank as a plus", shownAs(encoded, spelled("a b/")), entry("a+b/k+k"), entry("k+k")},
		{"a blank as an escape", shownAs(encoded, spelled("a b/")), entry("a%20b/k"), entry("k")},
		{"a plus as an escape", shownAs(encoded, spelled("a+b/")), entry("a%2Bb/k"), entry("k")},
		{"a plus as it is", shownAs(encoded, spelled("a+b/")), entry("a+b/k"), entry("k")},
		{"a percent sign", shownAs(encoded, spelled("5%/")), entry("5%25/k"), entry("k")},
		{"letters beyond ASCII", shownAs(encoded, spelled("é/")), entry("%C3%A9/k"), entry("k")},
		{"such letters as they are", shownAs(encoded, spelled("é/")), entry("é/k"), entry("k")},
		{"an escape of an escape", shownAs(encoded, spelled("a%2F")), entry("a%252Fk"), entry("k")},
		{"a backend that does not encode", shownAs(encoded, spelled("a%2F")), entry("a%2Fk"), entry("k")},
		{"an encoded key beside", shownAs(encoded), entry("a%2Ek"), ""},
		{"an encoded key cut short", shownAs(encoded), entry("a%2"), ""},
		{"an escaped blank is no plus", shownAs(encoded, spelled("a+b/")), entry("a%20b/k"), ""},
		{"the object that marks the prefix", shownAs(), "<ListBucketResult><KeyCount>2</KeyCount> <Contents><Size>0</Size><Key>a/</Key>" + oneOwner + "</Contents>\n<Contents><Key>a/k</Key></Contents></ListBucketResult>",
			"<ListBucketResult><KeyCount>1</KeyCount> \n<Contents><Key>k</Key></Contents></ListBucketResult>"},
		{"the same, encoded, counted behind", shownAs(encoded), "<ListBucketResult><Contents><Key>a%2F</Key></Contents><KeyCount>1</KeyCount></ListBucketResult>", "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>"},
		{"its versions", shownAs(), "<ListVersionsResult><Version><Key>a/</Key></Version><DeleteMarker><Key>a/</Key></DeleteMarker><Version><Key>a/k</Key></Version></ListVersionsResult>", "<ListVersionsResult><Version><Key>k</Key></Version></ListVersionsResult>"},
		{"its uploads", shownAs(), "<ListMultipartUploadsResult><Upload><Key>a/</Key></Upload></ListMultipartUploadsResult>", "<ListMultipartUploadsResult></ListMultipartUploadsResult>"},
		{"a marker of nobody's", shownAs(), "<ListBucketResult><Marker></Marker><NextMarker/></ListBucketResult>", "<ListBucketResult><Marker></Marker><NextMarker/></ListBucketResult>"},
		{"a marker elsewhere", shownAs(), "<ListBucketResult><Marker>b</Marker></ListBucketResult>", ""},
		{"a marker of the gateway's", shownAs(fromStart), "<ListBucketResult><Marker>a/</Marker></ListBucketResult>", "<ListBucketResult><Marker></Marker></ListBucketResult>"},
		{"a beginning of the gateway's", shownAs(fromStart), "<ListBucketResult>\n<StartAfter>a/</StartAfter></ListBucketResult>", "<ListBucketResult>\n</ListBucketResult>"},
		{"a beginning of nobody's", shownAs(), "<ListBucketResult><StartAfter></StartAfter></ListBucketResult>", "<ListBucketResult><StartAfter></StartAfter></ListBucketResult>"},
		{"a token that nobody sent", shownAs(), "<ListBucketResult><ContinuationToken>a/</ContinuationToken></ListBucketResult>", "<ListBucketResult></ListBucketResult>"},
		{"the client's token", shownAs(func(n *s3wire.Names) { n.Token = "mine" }), "<ListBucketResult><ContinuationToken>a/</ContinuationToken></ListBucketResult>", "<ListBucketResult><ContinuationToken>mine</ContinuationToken></ListBucketResult>"},
		{"a common prefix beside", shownAs(), "<ListBucketResult><CommonPrefixes><Prefix>ab/</Prefix></CommonPrefixes></ListBucketResult>", ""},
		{"elements in a key", shownAs(), entry("a/<b/>"), ""},
		{"nothing hidden", shownAs(spelled("")), entry("real"), entry("real")},
	} {
		out, _, err := s3wire.Rewrite([]byte(tt.in), tt.names)
		switch {
		case tt.out == "" && err == nil:
			t.Errorf("%s is let through: %s", tt.name, out)
		case tt.out != "" && (err != nil || string(out) != tt.out):
			t.Errorf("%s: %s, %v, want %s", tt.name, out, err, tt.out)
		}
	}
}

// FuzzStripEncoded: whatever way a backend has of escaping, what is left of a key
// decodes to the key without its hidden beginning.
func FuzzStripEncoded(f *testing.F) {
	f.Add("a/", "k k+%/", uint16(0))
	f.Add("a b+c%2F/", "é", uint16(0xffff))
	f.Add("%", "25", uint16(0x5a5a))
	f.Fuzz(func(t *testing.T, hidden, key string, escapes uint16) {
		if hidden == "" || key == "" || !isXMLText(hidden+key) {
			return
		}
		for _, blank := range []string{"%20", "+"} {
			text := encodeSome(hidden+key, escapes, blank)
			out, _, err := s3wire.Rewrite([]byte("<ListBucketResult><Contents><Key>"+escapeText(text)+"</Key></Contents></ListBucketResult>"), shownAs(encoded, spelled(hidden)))
			if err != nil {
				t.Fatalf("%q as %q behind %q: %v", key, text, hidden, err)
			}
			var doc struct{ Contents struct{ Key string } }
			if err := xml.Unmarshal(out, &doc); err != nil {
				t.Fatal(err)
			}
			shown, err := url.QueryUnescape(doc.Contents.Key)
			if err != nil || shown != key {
				t.Fatalf("%q as %q behind %q is shown as %q", key, text, hidden, doc.Contents.Key)
			}
		}
	})
}

// encodeSome percent-encodes what must be, and of the rest what the bits tell.
func encodeSome(s string, bits uint16, blank string) string {
	var b strings.Builder
	for i := range len(s) {
		c, chosen := s[i], bits>>(i%16)&1 == 1
		switch {
		case c == ' ':
			b.WriteString(blank)
		case c == '%' || c == '+' || c < ' ' || c >= 0x7f || chosen:
			const small, capital = "0123456789abcdef", "0123456789ABCDEF"
			digits := capital
			if i%3 == 0 {
				digits = small
			}
			b.WriteString("%" + digits[c>>4:c>>4+1] + digits[c&15:c&15+1])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isXMLText(s string) bool {
	var doc struct {
		Text string `xml:",chardata"`
	}
	return xml.Unmarshal([]byte("<a>"+escapeText(s)+"</a>"), &doc) == nil && doc.Text == s
}

func escapeText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// FuzzRewriteHidden: what comes out is well-formed and has no key that begins
// elsewhere.
func FuzzRewriteHidden(f *testing.F) {
	f.Add([]byte("<ListBucketResult><KeyCount>2</KeyCount><Contents><Key>a/</Key></Contents><Contents><Key>a/k</Key></Contents></ListBucketResult>"), true)
	f.Add([]byte("<ListVersionsResult><Version><Key><![CDATA[a/]]>k</Key></Version><CommonPrefixes><Prefix>a%2Fp</Prefix></CommonPrefixes></ListVersionsResult>"), true)
	f.Add([]byte("<ListBucketResult><StartAfter/><NextContinuationToken>t</NextContinuationToken><ContinuationToken>a/</ContinuationToken></ListBucketResult>"), false)
	f.Fuzz(func(t *testing.T, doc []byte, first bool) {
		n := shownAs(encoded, func(n *s3wire.Names) { n.FromStart = first })
		out, root, err := s3wire.Rewrite(doc, n)
		if err != nil {
			return
		}
		if err := wellFormed(string(out)); err != nil || root == "" {
			t.Fatalf("%q is rewritten as %q: %v", doc, out, err)
		}
		var in, shown struct{ Contents []struct{ Key string } }
		if xml.Unmarshal(doc, &in) != nil || xml.Unmarshal(out, &shown) != nil || root != "ListBucketResult" {
			return
		}
		for _, c := range in.Contents {
			key, err := url.QueryUnescape(c.Key)
			if err == nil && c.Key != "" && !strings.HasPrefix(key, "a/") && !strings.HasPrefix(c.Key, "a/") {
				t.Fatalf("the key %q is let through", c.Key)
			}
		}
		if len(shown.Contents) > len(in.Contents) {
			t.Fatalf("%q is rewritten as %q", doc, out)
		}
	})
}
