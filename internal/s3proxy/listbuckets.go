package s3proxy

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"keystile/internal/s3wire"
)

// maxBuckets is S3's limit on a page of ListBuckets.
const maxBuckets = 10_000

// listBuckets answers from the scope: each name that the client may use, once.
// No backend is asked but for a user that its Ceph knows.
func (p *Proxy) listBuckets(x *exchange) error {
	query := x.req.Query
	limit, paged, err := pageSize(query.Get("max-buckets"), query.Has("max-buckets"))
	if err != nil {
		return err
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("continuation-token"))
	if err != nil {
		return s3wire.InvalidArgument.With("The continuation token is not one of ours.")
	}
	page := s3wire.BucketPage{Owner: x.owner(), Prefix: query.Get("prefix")}
	if paged || query.Has("bucket-region") {
		page.Region = p.Region
	}
	buckets, err := x.seenBuckets()
	if err != nil {
		return err
	}
	if region := query.Get("bucket-region"); region != "" && region != p.Region {
		buckets = nil
	}
	for _, b := range buckets {
		if b.Name <= string(after) || !strings.HasPrefix(b.Name, page.Prefix) {
			continue
		}
		if len(page.Buckets) == limit {
			last := page.Buckets[limit-1].Name
			page.ContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		page.Buckets = append(page.Buckets, b)
	}
	x.recordRead(http.StatusOK)
	return x.reply(&answer{
		status: http.StatusOK, header: http.Header{"Content-Type": {"application/xml"}}, body: page.Marshal(),
	})
}

// seenBuckets are those that the caller may use, by name.
func (x *exchange) seenBuckets() ([]s3wire.BucketEntry, error) {
	if x.cephDecides() {
		return x.ownBuckets()
	}
	names := x.lease.Credential.Buckets()
	entries := make([]s3wire.BucketEntry, len(names))
	for i, name := range names {
		entries[i] = s3wire.BucketEntry{Name: name, CreatedAt: x.lease.Credential.CreatedAt}
	}
	return entries, nil
}

func pageSize(text string, given bool) (size int, paged bool, err error) {
	if !given {
		return maxBuckets, false, nil
	}
	size, err = strconv.Atoi(text)
	if err != nil || size < 1 || size > maxBuckets {
		return 0, false, s3wire.InvalidArgument.With("max-buckets must lie between 1 and %d.", maxBuckets)
	}
	return size, true, nil
}

// partNumber reads a part's number; 0 for anything else.
func partNumber(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > s3wire.MaxPartNumber {
		return 0
	}
	return n
}
