package s3wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"keystile/internal/s3wire"
)

const ns = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`

func TestParseDelete(t *testing.T) {
	one := s3wire.DeleteObject{Key: "a"}
	for name, tt := range map[string]struct {
		body string
		want s3wire.DeleteRequest
	}{
		"plain":         {`<Delete><Object><Key>a</Key></Object></Delete>`, s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{one}}},
		"declaration":   {`<?xml version="1.0" encoding="UTF-8"?>` + "\n<Delete><Object><Key>a</Key></Object></Delete>\n", s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{one}}},
		"namespace":     {`<Delete` + ns + `><Object><Key>a</Key></Object></Delete>`, s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{one}}},
		"undone inside": {`<Delete` + ns + `><Object xmlns=""><Key>a</Key></Object></Delete>`, s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{one}}},
		"indented":      {"<Delete>\n  <Object>\n    <Key>a</Key>\n  </Object>\n</Delete>", s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{one}}},
		"quiet":         {`<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object></Delete>`, s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{one}, Quiet: true}},
		"not quiet":     {`<Delete><Object><Key>a</Key></Object><Quiet>false</Quiet></Delete>`, s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{one}}},
		"CDATA":         {`<Delete><Object><Key><![CDATA[<a>&amp;]]>b</Key></Object></Delete>`, s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{{Key: "<a>&amp;b"}}}},
		"all fields": {
			`<Delete><Object><Size>3</Size><LastModifiedTime>t</LastModifiedTime><ETag>"e"</ETag><VersionId>v</VersionId><Key>a</Key></Object></Delete>`,
			s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{{Key: "a", VersionID: "v", ETag: `"e"`, LastModifiedTime: "t", Size: "3"}}},
		},
		"same key twice": {
			`<Delete><Object><Key>a</Key></Object><Object><Key>a</Key></Object></Delete>`,
			s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{one, one}},
		},
		"blanks belong to the key": {`<Delete><Object><Key> a </Key></Object></Delete>`, s3wire.DeleteRequest{Objects: []s3wire.DeleteObject{{Key: " a "}}}},
	} {
		got, err := s3wire.ParseDelete([]byte(tt.body))
		if err != nil || got.Quiet != tt.want.Quiet || !slices.Equal(got.Objects, tt.want.Objects) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func deleteOf(n int, inside string) string {
	return "<Delete>" + strings.Repeat("<Object><Key>k</Key>"+inside+"</Object>", n) + "</Delete>"
}

// strays are documents that no operation accepts, whatever its elements: each
// has %s where one good child of the root stands.
var strays = map[string]string{
	"a DTD":                      `<!DOCTYPE %[1]s [<!ENTITY x "y">]><%[1]s>%[2]s</%[1]s>`,
	"a short DTD":                `<!DOCTYPE %[1]s><%[1]s>%[2]s</%[1]s>`,
	"a directive":                `<%[1]s><!ELEMENT a ANY>%[2]s</%[1]s>`,
	"an unknown entity":          `<%[1]s>&x;%[2]s</%[1]s>`,
	"a comment":                  `<%[1]s><!-- c -->%[2]s</%[1]s>`,
	"a comment before":           `<!-- c --><%[1]s>%[2]s</%[1]s>`,
	"a processing instruction":   `<%[1]s><?php x?>%[2]s</%[1]s>`,
	"a stylesheet":               `<?xml-stylesheet href="x"?><%[1]s>%[2]s</%[1]s>`,
	"a late declaration":         `<%[1]s><?xml version="1.0"?>%[2]s</%[1]s>`,
	"two declarations":           `<?xml version="1.0"?><?xml version="1.0"?><%[1]s>%[2]s</%[1]s>`,
	"another encoding":           `<?xml version="1.0" encoding="UTF-16"?><%[1]s>%[2]s</%[1]s>`,
	"XML 1.1":                    `<?xml version="1.1"?><%[1]s>%[2]s</%[1]s>`,
	"an attribute":               `<%[1]s a="b">%[2]s</%[1]s>`,
	"a declared prefix":          `<x:%[1]s xmlns:x="http://s3.amazonaws.com/doc/2006-03-01/">%[2]s</x:%[1]s>`,
	"an undeclared prefix":       `<x:%[1]s>%[2]s</x:%[1]s>`,
	"text between":               `<%[1]s>text%[2]s</%[1]s>`,
	"text after":                 `<%[1]s>%[2]s</%[1]s>text`,
	"text before":                `text<%[1]s>%[2]s</%[1]s>`,
	"two roots":                  `<%[1]s>%[2]s</%[1]s><%[1]s>%[2]s</%[1]s>`,
	"another root":               `<Other>%[2]s</Other>`,
	"another case":               `<x%[1]s>%[2]s</x%[1]s>`,
	"an unknown element":         `<%[1]s>%[2]s<Unknown/></%[1]s>`,
	"a child of its own name":    `<%[1]s><%[1]s>%[2]s</%[1]s></%[1]s>`,
	"no end":                     `<%[1]s>%[2]s`,
	"another end":                `<%[1]s>%[2]s</Other>`,
	"a NUL":                      "<%[1]s>%[2]s\x00</%[1]s>",
	"a control character":        "<%[1]s>%[2]s&#1;</%[1]s>",
	"not UTF-8":                  "<%[1]s>%[2]s\xff</%[1]s>",
	"depth":                      `<%[1]s>` + strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20) + `%[2]s</%[1]s>`,
	"a child in another space":   `<%[1]s><Object xmlns="http://other/"><Key>k</Key></Object>%[2]s</%[1]s>`,
	"a namespace that is no URL": `<x:%[1]s xmlns="y">%[2]s</x:%[1]s>`,
}

func TestStrayXMLIsRefused(t *testing.T) {
	parsers := map[string]struct {
		root, child string
		parse       func([]byte) error
	}{
		"DeleteObjects": {"Delete", "<Object><Key>k</Key></Object>", func(b []byte) error {
			_, err := s3wire.ParseDelete(b)
			return err
		}},
		"Complete": {"CompleteMultipartUpload", `<Part><PartNumber>1</PartNumber><ETag>"e"</ETag></Part>`, func(b []byte) error {
			_, err := s3wire.CanonicalComplete(b)
			return err
		}},
		"Tagging": {"Tagging", "<TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet>", func(b []byte) error {
			_, err := s3wire.CanonicalTagging(b)
			return err
		}},
	}
	for operation, p := range parsers {
		good := fmt.Sprintf("<%[1]s>%[2]s</%[1]s>", p.root, p.child)
		if err := p.parse([]byte(good)); err != nil {
			t.Fatalf("%s refuses %s: %v", operation, good, err)
		}
		for name, form := range strays {
			refusedBody(t, operation+" with "+name, "MalformedXML", p.parse([]byte(fmt.Sprintf(form, p.root, p.child))))
		}
		for _, body := range []string{"", " ", "x", "<", "{}", "\ufeff", "<" + p.root + "/>", "\x00", strings.Repeat("<a>", 100_000)} {
			if operation == "Complete" && body == "<"+p.root+"/>" {
				continue // it names no parts: see TestCanonicalComplete
			}
			refusedBody(t, operation+" of "+body[:min(len(body), 10)], "MalformedXML", p.parse([]byte(body)))
		}
	}
}

func refusedBody(t *testing.T, what, code string, err error) {
	t.Helper()
	var e *s3wire.Error
	if !errors.As(err, &e) || e.Code != code || e.Status != 400 {
		t.Errorf("%s gives %v, want %s", what, err, code)
	}
}

func TestParseDeleteRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ body, code string }{
		"no object":               {`<Delete><Quiet>true</Quiet></Delete>`, "MalformedXML"},
		"no key":                  {`<Delete><Object><VersionId>v</VersionId></Object></Delete>`, "MalformedXML"},
		"an empty key":            {`<Delete><Object><Key></Key></Object></Delete>`, "MalformedXML"},
		"an empty object":         {`<Delete><Object/></Delete>`, "MalformedXML"},
		"text for an object":      {`<Delete><Object>a</Object></Delete>`, "MalformedXML"},
		"two keys":                {`<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>`, "MalformedXML"},
		"two empty versions":      {`<Delete><Object><Key>a</Key><VersionId/><VersionId>v</VersionId></Object></Delete>`, "MalformedXML"},
		"two quiets":              {`<Delete><Quiet>true</Quiet><Quiet>true</Quiet><Object><Key>a</Key></Object></Delete>`, "MalformedXML"},
		"quiet of what":           {`<Delete><Quiet>perhaps</Quiet><Object><Key>a</Key></Object></Delete>`, "MalformedXML"},
		"an empty quiet":          {`<Delete><Quiet/><Object><Key>a</Key></Object></Delete>`, "MalformedXML"},
		"elements in quiet":       {`<Delete><Quiet><x/></Quiet><Object><Key>a</Key></Object></Delete>`, "MalformedXML"},
		"elements in a key":       {`<Delete><Object><Key><b/></Key></Object></Delete>`, "MalformedXML"},
		"a key with an attribute": {`<Delete><Object><Key a="b">a</Key></Object></Delete>`, "MalformedXML"},
		"text in an object":       {`<Delete><Object>x<Key>a</Key></Object></Delete>`, "MalformedXML"},
		"unknown in an object":    {`<Delete><Object><Key>a</Key><Bucket>b</Bucket></Object></Delete>`, "MalformedXML"},
		"a lower-case key":        {`<Delete><Object><key>a</key></Object></Delete>`, "MalformedXML"},
		"a prefixed key":          {`<Delete><Object><x:Key>a</x:Key></Object></Delete>`, "MalformedXML"},
		"a key beside":            {`<Delete><Key>a</Key></Delete>`, "MalformedXML"},
		"1001 keys":               {deleteOf(1001, ""), "MalformedXML"},
		"a million keys":          {deleteOf(200_000, ""), "MalformedXML"},
		"a key too long":          {`<Delete><Object><Key>` + strings.Repeat("k", 1025) + `</Key></Object></Delete>`, "KeyTooLongError"},
	} {
		_, err := s3wire.ParseDelete([]byte(tt.body))
		refusedBody(t, name, tt.code, err)
	}
	full, err := s3wire.ParseDelete([]byte(deleteOf(1000, "<VersionId>v</VersionId><ETag>e</ETag><LastModifiedTime>t</LastModifiedTime><Size>1</Size>")))
	if err != nil || len(full.Objects) != 1000 {
		t.Errorf("1000 keys: %d, %v", len(full.Objects), err)
	}
}

var oddTexts = []string{
	"a", " a ", "&", "<", ">", `"`, "'", "a&amp;b", "<Key>", "]]>", "<![CDATA[x]]>", "a\rb", "a\nb", "a\r\nb", "a\tb", "\r", "ü", "日本", "🚲",
	"\u0085", "\u2028", "\ufffd", "a//../b", "%2e%2e", "\u00a0", "e\u0301", "&#13;",
}

func TestDeletesReadBackAsWritten(t *testing.T) {
	var want s3wire.DeleteRequest
	for i, text := range oddTexts {
		want.Objects = append(want.Objects, s3wire.DeleteObject{Key: text, VersionID: text, ETag: text, LastModifiedTime: text, Size: text})
		want.Quiet = i%2 == 0
		got, err := s3wire.ParseDelete(want.Marshal())
		if err != nil || got.Quiet != want.Quiet || !slices.Equal(got.Objects, want.Objects) {
			t.Fatalf("with %q: %+v, %v", text, got, err)
		}
	}
}

func TestResultsReadBackAsWritten(t *testing.T) {
	var want s3wire.DeleteResult
	for _, text := range oddTexts {
		want.Deleted = append(want.Deleted, s3wire.DeletedObject{Key: text, VersionID: text, DeleteMarker: "true", DeleteMarkerVersionID: text})
		want.Errors = append(want.Errors, s3wire.DeleteError{Key: text, VersionID: text, Code: text, Message: text})
	}
	want.Deny(s3wire.DeleteObject{Key: "k", VersionID: "v"})
	got, err := s3wire.ParseDeleteResult(want.Marshal())
	if err != nil || !slices.Equal(got.Deleted, want.Deleted) || !slices.Equal(got.Errors, want.Errors) {
		t.Errorf("%+v, %v", got, err)
	}
	if last := got.Errors[len(got.Errors)-1]; last.Code != "AccessDenied" || last.Message == "" || last.Key != "k" || last.VersionID != "v" {
		t.Errorf("a denied key is answered with %+v", last)
	}
	for _, bad := range []string{"", "<Error><Code>x</Code></Error>", "<DeleteResult>", "<!DOCTYPE a><DeleteResult/>", "no", "<DeleteResult/><DeleteResult/>"} {
		if got, err := s3wire.ParseDeleteResult([]byte(bad)); err == nil {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
	lenient := `<?xml version="1.0"?><!-- a --><s:DeleteResult xmlns:s="x" a="b"><s:Deleted><s:Key>k</s:Key></s:Deleted><Other/></s:DeleteResult>`
	if got, err := s3wire.ParseDeleteResult([]byte(lenient)); err != nil || len(got.Deleted) != 1 || got.Deleted[0].Key != "k" {
		t.Errorf("%+v, %v", got, err)
	}
}

func part(number, etag, more string) string {
	return "<Part><PartNumber>" + number + "</PartNumber><ETag>" + etag + "</ETag>" + more + "</Part>"
}

func complete(parts string) []byte {
	return []byte("<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>")
}

func TestCanonicalComplete(t *testing.T) {
	got, err := s3wire.CanonicalComplete(complete(part("1", "&quot;e&quot;", "<ChecksumSHA256>s</ChecksumSHA256><ChecksumCRC32>c</ChecksumCRC32>") + part("3", "f", "")))
	want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<CompleteMultipartUpload` + ns + `><Part><ChecksumCRC32>c</ChecksumCRC32>` +
		`<ChecksumSHA256>s</ChecksumSHA256><ETag>&#34;e&#34;</ETag><PartNumber>1</PartNumber></Part>` +
		`<Part><ETag>f</ETag><PartNumber>3</PartNumber></Part></CompleteMultipartUpload>`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	var all strings.Builder
	for i := 1; i <= s3wire.MaxPartNumber; i++ {
		all.WriteString(part(fmt.Sprint(i), `"9bb58f26192e4ba00f01e2e7b136bbd8"`, "<ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME>"))
	}
	if _, err := s3wire.CanonicalComplete(complete(all.String())); err != nil {
		t.Errorf("an upload of %d parts: %v", s3wire.MaxPartNumber, err)
	}
	for _, none := range []string{"<CompleteMultipartUpload/>", string(complete("")), string(complete(" \n "))} {
		got, err := s3wire.CanonicalComplete([]byte(none))
		want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<CompleteMultipartUpload` + ns + `></CompleteMultipartUpload>`
		if err != nil || string(got) != want {
			t.Errorf("%q, no parts: %s, %v", none, got, err)
		}
	}
	for name, tt := range map[string]struct{ parts, code string }{
		"part 0":              {part("0", "e", ""), "MalformedXML"},
		"a negative part":     {part("-1", "e", ""), "MalformedXML"},
		"part 10001":          {part("10001", "e", ""), "MalformedXML"},
		"no number":           {"<Part><ETag>e</ETag></Part>", "MalformedXML"},
		"a word":              {part("one", "e", ""), "MalformedXML"},
		"a fraction":          {part("1.0", "e", ""), "MalformedXML"},
		"a huge number":       {part("99999999999999999999", "e", ""), "MalformedXML"},
		"no ETag":             {"<Part><PartNumber>1</PartNumber></Part>", "MalformedXML"},
		"an empty ETag":       {part("1", "", ""), "MalformedXML"},
		"two ETags":           {part("1", "e", "<ETag>f</ETag>"), "MalformedXML"},
		"two checksums alike": {part("1", "e", "<ChecksumCRC32>a</ChecksumCRC32><ChecksumCRC32>b</ChecksumCRC32>"), "MalformedXML"},
		"an unknown field":    {part("1", "e", "<Size>1</Size>"), "MalformedXML"},
		"a part of no kind":   {"<Piece><PartNumber>1</PartNumber><ETag>e</ETag></Piece>", "MalformedXML"},
		"the wrong order":     {part("2", "e", "") + part("1", "e", ""), "InvalidPartOrder"},
		"the same twice":      {part("2", "e", "") + part("2", "e", ""), "InvalidPartOrder"},
	} {
		_, err := s3wire.CanonicalComplete(complete(tt.parts))
		refusedBody(t, name, tt.code, err)
	}
}

func tagging(tags string) []byte { return []byte("<Tagging><TagSet>" + tags + "</TagSet></Tagging>") }

func tag(key, value string) string {
	return "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>"
}

func TestCanonicalTagging(t *testing.T) {
	got, err := s3wire.CanonicalTagging(tagging(tag("a&amp;b", "<![CDATA[<]]>") + "<Tag><Value/><Key>k</Key></Tag>"))
	want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Tagging` + ns + `><TagSet><Tag><Key>a&amp;b</Key><Value>&lt;</Value></Tag>` +
		`<Tag><Key>k</Key><Value></Value></Tag></TagSet></Tagging>`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	var ten string
	for i := range 10 {
		ten += tag(fmt.Sprint(i), "v")
	}
	for _, good := range []string{"", ten} {
		if _, err := s3wire.CanonicalTagging(tagging(good)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for name, tt := range map[string]struct{ body, code string }{
		"eleven tags":        {string(tagging(ten + tag("more", "v"))), "InvalidTag"},
		"the same key twice": {string(tagging(tag("k", "a") + tag("k", "b"))), "InvalidTag"},
		"an empty key":       {string(tagging(tag("", "a"))), "InvalidTag"},
		"no key":             {string(tagging("<Tag><Value>v</Value></Tag>")), "InvalidTag"},
		"two values":         {string(tagging("<Tag><Key>k</Key><Value>v</Value><Value>w</Value></Tag>")), "MalformedXML"},
		"an unknown field":   {string(tagging("<Tag><Key>k</Key><Colour>v</Colour></Tag>")), "MalformedXML"},
		"no tag":             {string(tagging("<Label><Key>k</Key></Label>")), "MalformedXML"},
		"no set":             {"<Tagging>" + tag("k", "v") + "</Tagging>", "MalformedXML"},
		"two sets":           {"<Tagging><TagSet/><TagSet/></Tagging>", "MalformedXML"},
	} {
		_, err := s3wire.CanonicalTagging([]byte(tt.body))
		refusedBody(t, name, tt.code, err)
	}
}

// TestManyPiecesOfTextTakeLinearTime would run for minutes if every piece made
// a copy of all before it.
func TestManyPiecesOfTextTakeLinearTime(t *testing.T) {
	pieces := strings.Repeat("<![CDATA[abc]]>", s3wire.MaxXMLBody/15)
	began := time.Now()
	_, err := s3wire.ParseDelete([]byte("<Delete><Object><Key>" + pieces + "</Key></Object></Delete>"))
	refusedBody(t, "a key in half a million pieces", "KeyTooLongError", err)
	blanks := strings.Repeat("<Object><Key>k</Key></Object>"+strings.Repeat(" ", 7000), 1000)
	if _, err := s3wire.ParseDelete([]byte("<Delete>" + blanks + "</Delete>")); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzXMLBodies(f *testing.F) {
	f.Add([]byte(deleteOf(2, "<VersionId>v</VersionId>")))
	f.Add([]byte(`<Delete` + ns + `><Quiet>1</Quiet><Object><Key>&#13;&lt;<![CDATA[x]]></Key></Object></Delete>`))
	f.Add(complete(part("1", "e", "<ChecksumSHA1>s</ChecksumSHA1>") + part("2", "f", "")))
	f.Add(tagging(tag("k", "v")))
	f.Add([]byte(`<DeleteResult><Deleted><Key>k</Key></Deleted><Error><Key>k</Key><Code>c</Code></Error></DeleteResult>`))
	f.Add([]byte(policyOf(myID, canonicalUser(myID)+group("global/AllUsers"))))
	f.Add([]byte(`<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00.5+01:00</RetainUntilDate></Retention>`))
	f.Add([]byte(`<RestoreRequest><Days>2</Days><Tier>Bulk</Tier></RestoreRequest>`))
	f.Add([]byte(`<Error><Code>NoSuchKey</Code><Message>m</Message><Condition>c</Condition></Error>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if asked, err := s3wire.ParseDelete(body); err == nil {
			again, err := s3wire.ParseDelete(asked.Marshal())
			if err != nil || again.Quiet != asked.Quiet || !slices.Equal(again.Objects, asked.Objects) {
				t.Fatalf("%+v is written and read back as %+v, %v", asked, again, err)
			}
		}
		if result, err := s3wire.ParseDeleteResult(body); err == nil {
			again, err := s3wire.ParseDeleteResult(result.Marshal())
			if err != nil || !slices.Equal(again.Deleted, result.Deleted) || !slices.Equal(again.Errors, result.Errors) {
				t.Fatalf("%+v is written and read back as %+v, %v", result, again, err)
			}
		}
		for _, canonical := range canonicalBodies() {
			if once, err := canonical(body); err == nil {
				if twice, err := canonical(once); err != nil || !bytes.Equal(once, twice) {
					t.Fatalf("%s is written anew as %s, %v", once, twice, err)
				}
			}
		}
		if policy, err := s3wire.ParseAccessPolicy(body); err == nil {
			again, err := s3wire.ParseAccessPolicy(policy.Marshal(""))
			if err != nil || again.Owner != policy.Owner || !slices.Equal(again.Grants, policy.Grants) {
				t.Fatalf("%+v is written and read back as %+v, %v", policy, again, err)
			}
		}
		if tags, err := s3wire.TaggingHeader(body); err == nil {
			if _, err := url.ParseQuery(tags); err != nil || strings.ContainsFunc(tags, unicode.IsControl) {
				t.Fatalf("%q is no header's value: %v", tags, err)
			}
		}
		if e, ok := s3wire.ParseError(body); ok {
			doc := e.ErrorDocument("/r", "b", "k", "id")
			if again, ok := s3wire.ParseError(doc); !ok || again.Code != e.Code || again.Message == "" {
				t.Fatalf("%+v is written and read back as %+v", e, again)
			}
		}
	})
}
