package s3wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"time"
)

// Owner is how buckets' and objects' owners appear to clients.
type Owner struct {
	ID          string
	DisplayName string
}

// BucketEntry is one bucket of a ListBuckets answer.
type BucketEntry struct {
	Name      string
	CreatedAt time.Time
}

// BucketPage is the answer to ListBuckets.
type BucketPage struct {
	Owner   Owner
	Buckets []BucketEntry
	Prefix  string
	// ContinuationToken asks for the next page; empty on the last.
	ContinuationToken string
	Region            string // of every bucket; set when the client asked for a page
}

// Marshal renders the page (S3 API Reference, ListBuckets).
func (p BucketPage) Marshal() []byte {
	doc := &document{}
	doc.open("ListAllMyBucketsResult", xmlNamespace)
	doc.open("Owner", "")
	doc.text("ID", p.Owner.ID)
	doc.text("DisplayName", p.Owner.DisplayName)
	doc.close("Owner")
	doc.open("Buckets", "")
	for _, b := range p.Buckets {
		doc.open("Bucket", "")
		doc.text("Name", b.Name)
		doc.text("CreationDate", b.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z"))
		doc.optional("BucketRegion", p.Region)
		doc.close("Bucket")
	}
	doc.close("Buckets")
	doc.optional("ContinuationToken", p.ContinuationToken)
	doc.optional("Prefix", p.Prefix)
	doc.close("ListAllMyBucketsResult")
	return doc.bytes()
}

// Location renders the answer to GetBucketLocation. For us-east-1 S3 says
// nothing.
func Location(region string) []byte {
	if region == "us-east-1" {
		region = ""
	}
	doc := &document{}
	doc.open("LocationConstraint", xmlNamespace)
	escapeXML(&doc.buf, region)
	doc.close("LocationConstraint")
	return doc.bytes()
}

// Substitute tells the text that an element's is to be replaced by. The path
// names the elements from the root on, separated by slashes.
type Substitute func(path string) (text string, replace bool)

// Names returns the substitution that shows a client its own names in any
// answer that carries a bucket, an owner or a location.
func Names(bucket, location string, owner Owner) Substitute {
	texts := map[string]string{
		"ListBucketResult/Name":                       bucket,
		"ListVersionsResult/Name":                     bucket,
		"ListMultipartUploadsResult/Bucket":           bucket,
		"ListPartsResult/Bucket":                      bucket,
		"InitiateMultipartUploadResult/Bucket":        bucket,
		"CompleteMultipartUploadResult/Bucket":        bucket,
		"CompleteMultipartUploadResult/Location":      location,
		"ListBucketResult/Contents/Owner/ID":          owner.ID,
		"ListBucketResult/Contents/Owner/DisplayName": owner.DisplayName,
	}
	for _, parent := range []string{
		"ListVersionsResult/Version/Owner", "ListVersionsResult/DeleteMarker/Owner",
		"ListMultipartUploadsResult/Upload/Owner", "ListMultipartUploadsResult/Upload/Initiator",
		"ListPartsResult/Owner", "ListPartsResult/Initiator",
	} {
		texts[parent+"/ID"] = owner.ID
		texts[parent+"/DisplayName"] = owner.DisplayName
	}
	return func(path string) (string, bool) {
		text, ok := texts[path]
		return text, ok
	}
}

// Rewrite replaces the texts that substitute names and leaves every other byte
// of the document as it is. What is not well-formed XML is an error.
func Rewrite(doc []byte, substitute Substitute) (rewritten []byte, root string, err error) {
	rw := rewriter{doc: doc, dec: xml.NewDecoder(bytes.NewReader(doc)), substitute: substitute}
	for {
		before := rw.dec.InputOffset()
		tok, err := rw.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", fmt.Errorf("%w: %w", errXML, err)
		}
		if err := rw.take(tok, before); err != nil {
			return nil, "", err
		}
	}
	if rw.root == "" {
		return nil, "", fmt.Errorf("%w: no root element", errXML)
	}
	rw.out.Write(doc[rw.copied:])
	return rw.out.Bytes(), rw.root, nil
}

type rewriter struct {
	doc        []byte
	dec        *xml.Decoder
	substitute Substitute
	out        bytes.Buffer
	copied     int64 // of doc, in bytes
	root       string
	path       []byte
	open       []openElement
}

// openElement is one that has not ended yet. Offsets are bytes of the document.
type openElement struct {
	path     int   // length of the path before it
	tag      int64 // where its start tag begins
	content  int64 // and ends
	elements bool  // there are elements in it
}

func (rw *rewriter) take(tok xml.Token, before int64) error {
	switch t := tok.(type) {
	case xml.StartElement:
		return rw.start(t, before)
	case xml.EndElement:
		return rw.end(before)
	case xml.CharData:
		if len(rw.open) == 0 && len(bytes.TrimSpace(t)) > 0 {
			return fmt.Errorf("%w: text outside the root element", errXML)
		}
	case xml.Directive:
		return fmt.Errorf("%w: a document type is not allowed", errXML)
	}
	return nil
}

func (rw *rewriter) start(t xml.StartElement, before int64) error {
	switch depth := len(rw.open); {
	case depth >= maxXMLDepth:
		return fmt.Errorf("%w: too deep", errXML)
	case depth > 0:
		rw.open[depth-1].elements = true
	case rw.root != "":
		return fmt.Errorf("%w: more than one root element", errXML)
	default:
		rw.root = t.Name.Local
	}
	rw.open = append(rw.open, openElement{path: len(rw.path), tag: before, content: rw.dec.InputOffset()})
	if len(rw.path) > 0 {
		rw.path = append(rw.path, '/')
	}
	rw.path = append(rw.path, t.Name.Local...)
	return nil
}

func (rw *rewriter) end(before int64) error {
	top := rw.open[len(rw.open)-1]
	if text, ok := rw.substitute(string(rw.path)); ok {
		if top.elements {
			return fmt.Errorf("%w: <%s> has elements where a text is expected", errXML, rw.path[top.path:])
		}
		rw.replace(top, before, text)
	}
	rw.path = rw.path[:top.path]
	rw.open = rw.open[:len(rw.open)-1]
	return nil
}

// replace puts text in the place of the element's content, which ends at end.
// An element that closes itself has no such place and is opened for it.
func (rw *rewriter) replace(e openElement, end int64, text string) {
	tag := rw.doc[e.tag:e.content]
	if bytes.HasSuffix(tag, []byte("/>")) {
		rw.out.Write(rw.doc[rw.copied : e.content-2])
		rw.out.WriteByte('>')
		escapeXML(&rw.out, text)
		rw.out.WriteString("</" + tagName(tag) + ">")
	} else {
		rw.out.Write(rw.doc[rw.copied:e.content])
		escapeXML(&rw.out, text)
	}
	rw.copied = end
}

// tagName is the name in a start tag, with its prefix.
func tagName(tag []byte) string {
	name := tag[1:]
	if end := bytes.IndexAny(name, " \t\r\n/>"); end >= 0 {
		name = name[:end]
	}
	return string(name)
}
