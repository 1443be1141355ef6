package s3wire

import (
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
