package s3wire

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MaxCopySource is S3's limit, in bytes, on what one CopyObject or
// UploadPartCopy reads.
const MaxCopySource = 5 << 30

// Transfer is a copy as two requests, for copies that no single backend can
// make: a GetObject at the source and a PutObject or UploadPart with what it
// answers.
type Transfer struct {
	Read  http.Header // of the GetObject
	Write http.Header // of the PutObject or UploadPart
	// KeepMetadata: metadata, and the headers that describe the content, are the
	// source's. KeepTags: the tags are.
	KeepMetadata, KeepTags bool
	// Range: only a part of the source is read, from First to Last.
	Range       bool
	First, Last int64
}

// sourceConditions are the conditions of a copy on its source, and the same for
// GetObject.
var sourceConditions = map[string]string{
	"X-Amz-Copy-Source-If-Match":            "If-Match",
	"X-Amz-Copy-Source-If-None-Match":       "If-None-Match",
	"X-Amz-Copy-Source-If-Modified-Since":   "If-Modified-Since",
	"X-Amz-Copy-Source-If-Unmodified-Since": "If-Unmodified-Since",
}

const sourcePrefix = "X-Amz-Copy-Source-"

// contentHeaders describe an object's content. They are copied with metadata.
var contentHeaders = []string{
	"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
}

// Transfer splits the headers of a CopyObject or UploadPartCopy, which are
// those in h, into the two requests.
func (r *Request) Transfer(h http.Header) (Transfer, error) {
	t := Transfer{Read: http.Header{}, Write: h.Clone()}
	for name, values := range h {
		condition, isCondition := sourceConditions[name]
		switch {
		case isCondition:
			t.Read[condition] = values
		case strings.HasPrefix(name, sourcePrefix+"Server-Side-"):
			t.Read["X-Amz-"+strings.TrimPrefix(name, sourcePrefix)] = values
		case name == "X-Amz-Request-Payer":
			t.Read[name] = values
		}
		if strings.HasPrefix(name, sourcePrefix) || name == "Range" || strings.HasSuffix(name, "ified-Since") {
			t.Write.Del(name)
		}
	}
	var err error
	if r.Op.Name == OpUploadPartCopy {
		return t, t.setRange(h.Get("X-Amz-Copy-Source-Range"))
	}
	if t.KeepMetadata, err = t.directive("X-Amz-Metadata-Directive"); err != nil {
		return t, err
	}
	if t.KeepTags, err = t.directive("X-Amz-Tagging-Directive"); err != nil {
		return t, err
	}
	t.Read.Set("X-Amz-Checksum-Mode", "ENABLED")
	t.Write.Del("X-Amz-Checksum-Algorithm")
	return t, nil
}

// directive takes a directive out and reports whether it says COPY, as it does
// when it is absent.
func (t *Transfer) directive(name string) (keep bool, err error) {
	value := t.Write.Get(name)
	t.Write.Del(name)
	if value != "" && value != "COPY" && value != "REPLACE" {
		return false, InvalidArgument.With("%s must be COPY or REPLACE.", strings.ToLower(name))
	}
	return value != "REPLACE", nil
}

func (t *Transfer) setRange(value string) error {
	if value == "" {
		return nil
	}
	from, to, ok := strings.Cut(strings.TrimPrefix(value, "bytes="), "-")
	first, errFirst := strconv.ParseUint(from, 10, 63)
	last, errLast := strconv.ParseUint(to, 10, 63)
	if !ok || errFirst != nil || errLast != nil || first > last || !strings.HasPrefix(value, "bytes=") {
		return InvalidArgument.With("x-amz-copy-source-range must be bytes=FIRST-LAST.")
	}
	t.Range, t.First, t.Last = true, int64(first), int64(last)
	t.Read.Set("Range", value)
	return nil
}

// Take gives the object that is written what it keeps of the source's answer.
func (t *Transfer) Take(answer http.Header) {
	if !t.KeepMetadata {
		return
	}
	for name := range t.Write {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			t.Write.Del(name)
		}
	}
	for _, name := range contentHeaders {
		t.Write.Del(name)
		if values, ok := answer[name]; ok {
			t.Write[name] = values
		}
	}
	for name, values := range answer {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			t.Write[name] = values
		}
	}
}

// SourceChecksum returns the name and value of the one checksum in a GetObject
// answer that holds for the whole object; empty if there is none.
func SourceChecksum(answer http.Header) (name, value string) {
	if strings.EqualFold(answer.Get("X-Amz-Checksum-Type"), "COMPOSITE") {
		return "", ""
	}
	for _, lower := range checksumValueHeaders {
		// A composite one of a backend that does not tell has its parts' count.
		if v := answer.Get(lower); v != "" && !strings.Contains(v, "-") {
			return http.CanonicalHeaderKey(lower), v
		}
	}
	return "", ""
}

// CopyResult renders the answer to a CopyObject or UploadPartCopy from that to
// the request which wrote the copy.
func (r *Request) CopyResult(written http.Header, modified time.Time) []byte {
	root := "CopyObjectResult"
	if r.Op.Name == OpUploadPartCopy {
		root = "CopyPartResult"
	}
	doc := &document{}
	doc.open(root, xmlNamespace)
	doc.text("LastModified", modified.UTC().Format("2006-01-02T15:04:05.000Z"))
	doc.text("ETag", written.Get("Etag"))
	for _, element := range partChecksums {
		doc.optional(element, written.Get("X-Amz-Checksum-"+strings.TrimPrefix(element, "Checksum")))
	}
	doc.close(root)
	return doc.bytes()
}

// TaggingHeader renders a backend's answer to GetObjectTagging as the value of
// x-amz-tagging.
func TaggingHeader(answer []byte) (string, error) {
	root, err := parseXML(answer, lenient)
	if err != nil {
		return "", err
	}
	if root.name != "Tagging" || len(root.children) > 1 {
		return "", errXML
	}
	var pairs []string
	for _, set := range root.children {
		for _, tag := range set.children {
			pairs = append(pairs, url.QueryEscape(tag.child("Key"))+"="+url.QueryEscape(tag.child("Value")))
		}
	}
	return strings.Join(pairs, "&"), nil
}
