package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
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
	sizes := map[int]int64{}
	for after := 0; ; {
		query := url.Values{"uploadId": {u.UploadID}}
		if after > 0 {
			query.Set("part-number-marker", strconv.Itoa(after))
		}
		var list partList
		err := b.list(ctx, bucket, u.Key, query, "ListPartsResult", &list)
		var refused *refusedError
		if errors.As(err, &refused) && refused.code == "NoSuchUpload" {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		last := after
		for _, p := range list.Part {
			sizes[p.PartNumber] = p.Size
			last = max(last, p.PartNumber)
		}
		if !list.IsTruncated {
			return sizes, nil
		}
		if list.NextPartNumberMarker > 0 {
			last = list.NextPartNumberMarker
		}
		if last <= after {
			return nil, b.badListing(errNoProgress)
		}
		after = last
	}
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
	date, err := b.listDated(ctx, bucket, u.Key, query, "ListPartsResult", &list)
	var refused *refusedError
	if errors.As(err, &refused) && refused.code == "NoSuchUpload" {
		return part, false, nil
	}
	if err != nil {
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
	Part                 []struct {
		PartNumber   int
		LastModified string
		Size         int64
	}
}
