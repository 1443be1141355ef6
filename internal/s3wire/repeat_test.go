package s3wire

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"testing"
)

// What comes between or behind entries that are passed over is judged as if none
// had been: the fast way refuses, rewrites and leaves what the slow one does.
func TestEntriesThatRepeatHideNothing(t *testing.T) {
	const entry = "<Contents><Key>a</Key><Size>1</Size></Contents>"
	names := &Names{Bucket: "mine", Owner: func() Owner { return Owner{"id", "me"} }, Seal: func(s string) string { return s }}
	for _, tt := range []struct {
		name, next string
		ok         bool
	}{
		{"the same again", entry, true},
		{"an empty text", "<Contents><Key></Key><Size>1</Size></Contents>", true},
		{"an element without a text", "<Contents><Key/><Size>1</Size></Contents>", true},
		{"escapes", "<Contents><Key>&lt;&quot;&amp;&#10;</Key><Size>&quot;1&quot;</Size></Contents>", true},
		{"white space between", "\n  " + entry, true},
		{"an owner", "<Contents><Key>a</Key><Size>1</Size><Owner><ID>backend</ID></Owner></Contents>", true},
		{"an owner in each", "<Contents><Key>a</Key><Owner><ID>one</ID></Owner></Contents><Contents><Key>a</Key><Owner><ID>two</ID></Owner></Contents>", true},
		{"the bucket's name", "<Name>real</Name>", true},
		{"a common prefix", "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>", true},
		{"an attribute with a bracket", `<Contents a=">"><Key>a</Key></Contents><Contents a=">"><Key>b</Key></Contents>`, true},
		{"an entity of nobody", "<Contents><Key>&x;</Key><Size>1</Size></Contents>", false},
		{"an entity without end", "<Contents><Key>&quot</Key><Size>1</Size></Contents>", false},
		{"a quote that is cut", "<Contents><Key>a</Key><Size>&quot;1&quo;</Size></Contents>", false},
		{"a forbidden character", "<Contents><Key>\x01</Key><Size>1</Size></Contents>", false},
		{"no UTF-8", "<Contents><Key>\xff</Key><Size>1</Size></Contents>", false},
		{"the end of CDATA", "<Contents><Key>]]></Key><Size>1</Size></Contents>", false},
		{"another end tag", "<Contents><Key>a</Key><Size>1</Size></Content>", false},
		{"a child that stays open", "<Contents><Key>a</Key><Size>1</Contents>", false},
		{"the end amid an entry", "<Contents><Key>a</Key><Size", false},
		{"another key of the same length", "<Contents><Key>b</Key><Size>1</Size></Contents>", true},
		{"another element of the same length", "<Contents><Kez>a</Kez><Size>1</Size></Contents>", true},
		{"an element of the same length that is closed as another", "<Contents><Key>a</Kez><Size>1</Size></Contents>", false},
		{"a beginning of a tag in a key's place", "<Contents><Key><</Key><Size>1</Size></Contents>", false},
		{"an ampersand in a key's place", "<Contents><Key>&</Key><Size>1</Size></Contents>", false},
		{"half of a character in a key's place", "<Contents><Key>\xc3</Key><Size>1</Size></Contents>", false},
		{"a null in a size's place", "<Contents><Key>a</Key><Size>\x00</Size></Contents>", false},
		{"a tag's end in a key's place", "<Contents><Key>></Key><Size>1</Size></Contents>", true},
		{"a second root", entry + "</ListBucketResult><ListBucketResult>", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := []byte("<ListBucketResult><Name>real</Name>" + entry + entry + tt.next + entry + "</ListBucketResult>")
			got, _, err := Rewrite(doc, names)
			want, _, wantErr := rewrite(doc, names, anyXML{xml.NewDecoder(bytes.NewReader(doc))})
			if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) || (err == nil) != tt.ok {
				t.Errorf("got %q, %v, want %q, %v", got, err, want, wantErr)
			}
		})
	}
}

// Entries in which nothing is another one for the client are not taken apart.
func TestEntriesThatRepeatArePassedOver(t *testing.T) {
	var entries bytes.Buffer
	for i := range 10 {
		fmt.Fprintf(&entries, "<Contents><Key>k%d &amp; ü</Key><ETag>&quot;%d&quot;</ETag></Contents>", i, i)
	}
	var like pattern
	like.learn([]byte("<Contents><Key>a</Key><ETag>b</ETag></Contents>"))
	p := plainXML{doc: entries.Bytes()}
	if p.passOver(&like); p.at != len(p.doc) {
		t.Errorf("passed over %d of %d bytes", p.at, len(p.doc))
	}
}
