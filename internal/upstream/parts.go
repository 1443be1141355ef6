package upstream

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keystile/internal/keystile"
)

// Parts lists the sizes of an upload's parts by their numbers; an upload that is
// not there has none.
func (r *Registry) Parts(ctx context.Context, bucket keystile.Bucket, u keystile.PendingUpload) (map[int]int64, error) {
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return nil, err
	}
	return b.Parts(ctx, bucket.Name, u)
}

// Parts is Registry.Parts.
func (b *Backend) Parts(ctx context.Context, bucket string, u keystile.PendingUpload) (map[int]int64, error) {
	return b.Caller(nil).Parts(ctx, bucket, u)
}

// Parts is Registry.Parts for the caller.
func (c Caller) Parts(ctx context.Context, bucket string, u keystile.PendingUpload) (map[int]int64, error) {
	sizes := map[int]int64{}
	there, err := c.eachPart(ctx, bucket, u, func(p listedPart) { sizes[p.PartNumber] = p.Size })
	if err != nil || !there {
		return nil, err
	}
	return sizes, nil
}

// PartChecksums lists the checksums that the backend keeps of an upload's parts, by
// their numbers and by S3's names of the algorithms; of an upload that is not there
// it keeps none.
func (b *Backend) PartChecksums(ctx context.Context, bucket string, u keystile.PendingUpload) (map[int]map[string]string, error) {
	sums := map[int]map[string]string{}
	_, err := b.Caller(nil).eachPart(ctx, bucket, u, func(p listedPart) {
		sums[p.PartNumber] = map[string]string{}
		for _, e := range p.Others {
			if algorithm, ok := strings.CutPrefix(e.XMLName.Local, "Checksum"); ok {
				sums[p.PartNumber][algorithm] = e.Value
			}
		}
	})
	return sums, err
}

// eachPart lists an upload's parts, page by page, and reports whether the upload
// is there.
func (c Caller) eachPart(ctx context.Context, bucket string, u keystile.PendingUpload, use func(listedPart)) (there bool, err error) {
	for after := 0; ; {
		query := url.Values{"uploadId": {u.UploadID}}
		if after > 0 {
			query.Set("part-number-marker", strconv.Itoa(after))
		}
		var list partList
		err := c.list(ctx, bucket, u.Key, query, "ListPartsResult", &list)
		switch {
		case noUpload(err):
			return false, nil
		case err != nil:
			return false, err
		}
		last := after
		for _, p := range list.Part {
			use(p)
			last = max(last, p.PartNumber)
		}
		if !list.IsTruncated {
			return true, nil
		}
		if list.NextPartNumberMarker > 0 {
			last = list.NextPartNumberMarker
		}
		if last <= after {
			return false, c.b.badListing(errNoProgress)
		}
		after = last
	}
}

// AbortUpload ends an upload and removes its parts. One that is not there is a
// *Refused that matches keystile.ErrNotFound.
func (c Caller) AbortUpload(ctx context.Context, bucket string, u keystile.PendingUpload) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Bucket: bucket, Key: u.Key, Query: url.Values{"uploadId": {u.UploadID}}}, nil)
}

// noUpload reports whether a backend that was asked for the parts of an upload says
// that there is none. Ceph 16 calls it a key that does not exist.
func noUpload(err error) bool {
	var refused *Refused
	return errors.As(err, &refused) && (refused.Code == "NoSuchUpload" || refused.Code == "NoSuchKey")
}

// StoredPart is one part of an upload as its backend has it.
type StoredPart struct {
	Size int64 // bytes
	// Age is how long ago it was written, by the backend's own clock and to a
	// second or two; negative if the backend does not tell.
	Age time.Duration
}

// Part asks for one part of an upload, and whether it is there. An upload that is
// not there has none.
func (b *Backend) Part(ctx context.Context, bucket string, u keystile.PendingUpload, number int) (part StoredPart, there bool, err error) {
	query := url.Values{"uploadId": {u.UploadID}, "max-parts": {"1"}}
	if number > 1 {
		query.Set("part-number-marker", strconv.Itoa(number-1))
	}
	var list partList
	date, err := b.Caller(nil).listDated(ctx, bucket, u.Key, query, "ListPartsResult", &list)
	switch {
	case noUpload(err):
		return part, false, nil
	case err != nil:
		return part, false, err
	}
	beyond := !list.IsTruncated
	for _, p := range list.Part {
		if p.PartNumber == number {
			return StoredPart{p.Size, age(p.LastModified, date)}, true, nil
		}
		beyond = beyond || p.PartNumber > number
	}
	if !beyond {
		err = b.badListing(errNoProgress) // a backend that heeds no marker
	}
	return part, false, err
}

// age is how long before an answer of that date something was written; -1 if
// either is not known.
func age(modified, date string) time.Duration {
	written, err := time.Parse(time.RFC3339, modified)
	asked, noDate := http.ParseTime(date)
	if err != nil || noDate != nil {
		return -1
	}
	return max(asked.Sub(written), 0)
}

// partList is an answer to ListParts.
type partList struct {
	IsTruncated          bool
	NextPartNumberMarker int
	Part                 []listedPart
}

type listedPart struct {
	PartNumber   int
	LastModified string
	Size         int64
	Others       []struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	} `xml:",any"`
}
