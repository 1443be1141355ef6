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
	ends       []int   // lengths of path before each open element
	starts     []int64 // where each open element's content begins
}

func (rw *rewriter) take(tok xml.Token, before int64) error {
	switch t := tok.(type) {
	case xml.StartElement:
		return rw.start(t)
	case xml.EndElement:
		rw.end(t, before)
	case xml.Directive:
		return fmt.Errorf("%w: a document type is not allowed", errXML)
	}
	return nil
}

func (rw *rewriter) start(t xml.StartElement) error {
	if len(rw.ends) >= maxXMLDepth {
		return fmt.Errorf("%w: too deep", errXML)
	}
	if rw.root == "" {
		rw.root = t.Name.Local
	}
	rw.ends = append(rw.ends, len(rw.path))
	if len(rw.path) > 0 {
		rw.path = append(rw.path, '/')
	}
	rw.path = append(rw.path, t.Name.Local...)
	rw.starts = append(rw.starts, rw.dec.InputOffset())
	return nil
}

func (rw *rewriter) end(t xml.EndElement, before int64) {
	top := len(rw.ends) - 1
	if text, ok := rw.substitute(string(rw.path)); ok {
		rw.replace(rw.starts[top], before, t.Name.Local, text)
	}
	rw.path = rw.path[:rw.ends[top]]
	rw.ends, rw.starts = rw.ends[:top], rw.starts[:top]
}

// replace puts text in the place of doc[start:end]. An element that closes
// itself has no such place and is opened for it.
func (rw *rewriter) replace(start, end int64, name, text string) {
	if bytes.HasSuffix(rw.doc[:start], []byte("/>")) {
		rw.out.Write(rw.doc[rw.copied : start-2])
		rw.out.WriteByte('>')
		escapeXML(&rw.out, text)
		rw.out.WriteString("</" + name + ">")
	} else {
		rw.out.Write(rw.doc[rw.copied:start])
		escapeXML(&rw.out, text)
	}
	rw.copied = end
}
