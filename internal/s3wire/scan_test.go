package s3wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const listHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`

func page(keys int) []byte {
	var doc bytes.Buffer
	doc.WriteString(listHead + "<Name>real</Name><Prefix>shared/a/</Prefix><KeyCount>" + fmt.Sprint(keys) + "</KeyCount><IsTruncated>false</IsTruncated>")
	for i := range keys {
		fmt.Fprintf(&doc, "<Contents><Key>shared/a/%05d &amp; more</Key><LastModified>2026-11-25T00:00:00.000Z</LastModified>"+
			"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size><StorageClass>STANDARD</StorageClass></Contents>", i)
	}
	doc.WriteString("</ListBucketResult>")
	return doc.Bytes()
}

// S3 servers write plain documents: they must not fall back to the slow way.
func TestPlainDocumentsAreReadTheFastWay(t *testing.T) {
	for _, doc := range []string{
		string(page(3)),
		listHead + "<Name/><Prefix></Prefix><Contents><Key>a]b ü &#x10FFFF;&#233;&apos;</Key></Contents></ListBucketResult>\n",
		`<ListPartsResult><Part /></ListPartsResult>`,
		`<?xml version="1.0"?><a b="c" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><c d="e"/></a>`,
	} {
		if _, _, err := rewrite([]byte(doc), &Names{}, &plainXML{doc: []byte(doc)}); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestWhatIsNotPlainIsLeftToTheSlowWay(t *testing.T) {
	for name, doc := range map[string]string{
		"CDATA":                    `<a><![CDATA[<b>]]></a>`,
		"comment":                  `<a><!-- <b> --></a>`,
		"document type":            `<!DOCTYPE a><a/>`,
		"entity of its own":        `<a>&b;</a>`,
		"entity that does not end": `<a>&amp</a>`,
		"surrogate":                `<a>&#xD800;</a>`,
		"forbidden character":      "<a>\x01</a>",
		"escaped forbidden":        `<a>&#1;</a>`,
		"carriage return":          "<a>b\r\nc</a>",
		"end of CDATA in text":     `<a>]]></a>`,
		"prefix":                   `<x:a xmlns:x="y"></x:a>`,
		"processing instruction":   `<a><?php x?></a>`,
		"other encoding":           `<?xml version="1.0" encoding="latin1"?><a/>`,
		"not UTF-8":                "<a>\xff</a>",
		"wrong end":                `<a><b></a></b>`,
		"no end":                   `<a><b></b>`,
		"end of nothing":           `</a>`,
		"cut in a tag":             `<a><b`,
		"cut behind <":             `<a><`,
		"attribute without quotes": `<a b=c></a>`,
		"< in an attribute":        `<a b="<"></a>`,
		"too deep":                 strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20),
	} {
		_, _, err := rewrite([]byte(doc), &Names{}, &plainXML{doc: []byte(doc)})
		if !errors.Is(err, errUnusual) && name != "too deep" {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAPlainRunEndsWhereSomethingIsAskedFor(t *testing.T) {
	const length = 19
	for first := range length {
		for second := first; second < length; second++ {
			for c := range 256 {
				text := []byte("0123456789abcdefghi")
				text[first], text[second] = byte(c), byte(c)
				want := length
				if asks[c] != 0 || c < ' ' || c == '<' {
					want = first
				}
				if got := plainRun(text, 0); got != want {
					t.Fatalf("byte %#x at %d and %d: the run ends at %d", c, first, second, got)
				}
			}
		}
	}
}

// Where the fast way takes a document, it must make of it what the slow way does.
func FuzzRewriteAgreesWithEncodingXML(f *testing.F) {
	for _, doc := range []string{
		string(page(2)), listHead + "<Name/><Contents><Key>shared/a/</Key></Contents><KeyCount>1</KeyCount></ListBucketResult>",
		"<Error><Code>a&amp;b</Code></Error>", "<a b=\"c\" ><d/></a> \n", "<a>]]&gt;</a>", "<ListPartsResult><Key>&#x41;</Key></ListPartsResult>",
	} {
		f.Add([]byte(doc), "shared/a/")
		f.Add([]byte(doc), "")
	}
	const entry = "<Contents><Key>a</Key><ETag>&quot;b&quot;</ETag></Contents>"
	f.Add([]byte("<ListBucketResult><Name>n</Name>"+entry+entry+"\n"+entry+"<Contents><Key>c</Key></Contents></ListBucketResult>"), "")
	f.Fuzz(func(t *testing.T, doc []byte, hidden string) {
		names := &Names{
			Bucket: "mine", Location: "http://h/mine/k", Owner: func() Owner { return Owner{"id", "me"} }, Hidden: hidden, Token: "t",
			Seal: func(s string) string { return "sealed " + s },
		}
		fast, fastRoot, fastErr := rewrite(doc, names, &plainXML{doc: doc})
		if errors.Is(fastErr, errUnusual) {
			return
		}
		slow, slowRoot, slowErr := rewrite(doc, names, anyXML{xml.NewDecoder(bytes.NewReader(doc))})
		if (fastErr == nil) != (slowErr == nil) || !bytes.Equal(fast, slow) || fastRoot != slowRoot {
			t.Fatalf("%q\nfast: %q, %s, %v\nslow: %q, %s, %v", doc, fast, fastRoot, fastErr, slow, slowRoot, slowErr)
		}
	})
}

func BenchmarkRewrite(b *testing.B) {
	doc := page(100)
	for name, n := range map[string]*Names{
		"as it is": {Bucket: "real"},
		"hidden":   {Bucket: "mine", Hidden: "shared/a/", Seal: func(s string) string { return s }},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Rewrite(doc, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
