package upstream

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
)

const (
	standardRegion = "us-east-1"
	maxBucketPages = 100
)

// Buckets lists every bucket of a backend. An unknown backend is
// keystile.ErrNotFound, one in trouble keystile.ErrUnavailable.
func (r *Registry) Buckets(ctx context.Context, backendID string) ([]keystile.BucketInfo, error) {
	b, err := r.lookup(backendID)
	if err != nil {
		return nil, err
	}
	return b.buckets(ctx)
}

// CreateBucket makes a bucket. A name that is taken, by this backend's owner or
// another, is keystile.ErrConflict.
func (r *Registry) CreateBucket(ctx context.Context, bucket keystile.Bucket) error {
	if err := keystile.CheckNewBucketName(bucket.Name); err != nil {
		return err
	}
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return err
	}
	// In us-east-1 and on some servers creating what one has is a success.
	taken, err := b.exists(ctx, bucket.Name)
	if err != nil {
		return err
	}
	if taken {
		return fmt.Errorf("bucket %s exists already: %w", bucket, keystile.ErrConflict)
	}
	return b.createBucket(ctx, bucket.Name)
}

// DeleteBucket removes an empty bucket; one that is not empty is
// keystile.ErrConflict, one that is absent keystile.ErrNotFound.
func (r *Registry) DeleteBucket(ctx context.Context, bucket keystile.Bucket) error {
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return err
	}
	return b.deleteBucket(ctx, bucket.Name)
}

// HasBucket reports whether a backend has a bucket that its key may ask for. A
// backend that gives no clear answer is keystile.ErrUnavailable.
func (r *Registry) HasBucket(ctx context.Context, bucket keystile.Bucket) (bool, error) {
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return false, err
	}
	return b.exists(ctx, bucket.Name)
}

func (r *Registry) lookup(id string) (*Backend, error) {
	b, ok := r.Get(id)
	if !ok {
		return nil, fmt.Errorf("backend %q: %w", id, keystile.ErrNotFound)
	}
	return b, nil
}

func (b *Backend) buckets(ctx context.Context) ([]keystile.BucketInfo, error) {
	all := []keystile.BucketInfo{}
	var query url.Values
	for range maxBucketPages {
		answer, err := b.send(ctx, Request{Method: http.MethodGet, Query: query})
		if err != nil {
			return nil, err
		}
		page, err := b.readBuckets(answer)
		if err != nil {
			return nil, err
		}
		for _, x := range page.Buckets {
			if b.probesIn(x.Name, x.CreationDate) {
				continue
			}
			all = append(all, keystile.BucketInfo{Bucket: keystile.Bucket{Backend: b.info.ID, Name: x.Name}, CreatedAt: x.CreationDate})
		}
		if page.ContinuationToken == "" {
			return all, nil
		}
		query = url.Values{"continuation-token": {page.ContinuationToken}}
	}
	return nil, &Error{Kind: ErrBadAnswer, Backend: b.info.ID, cause: errors.New("the list of buckets does not end")}
}

// probesIn reports whether a bucket is one that a probe makes and removes again
// in these minutes. One that a killed process left behind shows after that, so
// that somebody removes it.
func (b *Backend) probesIn(bucket string, created time.Time) bool {
	return strings.HasPrefix(bucket, scratchPrefix) && b.now().Sub(created) < 2*probeTimeout
}

// readBuckets consumes the answer to ListBuckets.
func (b *Backend) readBuckets(answer *http1.Response) (bucketList, error) {
	defer drop(answer)
	answer.Limit(b.limits.WriteAnswer)
	var list bucketList
	if answer.Status != http.StatusOK {
		return list, b.refusal(answer)
	}
	if err := readXML(answer.Body, maxBucketList, &list, "ListAllMyBucketsResult"); err != nil {
		return list, b.unreadable(err)
	}
	return list, nil
}

// exists asks for a bucket. What is neither a yes nor trouble (another owner's
// bucket, another region's) is left for the creation to be told.
func (b *Backend) exists(ctx context.Context, bucket string) (bool, error) {
	answer, err := b.Send(ctx, Request{Method: http.MethodHead, Bucket: bucket})
	if errors.Is(err, ErrRedirect) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	drop(answer)
	if answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusTooManyRequests {
		return false, refusalOf(answer.Status, "", false)
	}
	return answer.Status == http.StatusOK, nil
}

// createBucket names a location only outside us-east-1, and not where the
// backend does not know its own region as one: Ceph's are zone groups.
func (b *Backend) createBucket(ctx context.Context, bucket string) error {
	var body []byte
	if b.info.Region != standardRegion {
		var err error
		if body, err = xml.Marshal(createBucketBody{LocationConstraint: b.info.Region}); err != nil {
			return err
		}
	}
	c := b.Caller(nil)
	err := c.Do(ctx, Request{Method: http.MethodPut, Bucket: bucket}, body)
	var refused *Refused
	if body != nil && errors.As(err, &refused) && refused.unknownLocation() {
		return c.Do(ctx, Request{Method: http.MethodPut, Bucket: bucket}, nil)
	}
	return err
}

func (b *Backend) deleteBucket(ctx context.Context, bucket string) error {
	return b.Caller(nil).Do(ctx, Request{Method: http.MethodDelete, Bucket: bucket}, nil)
}

// unreadable is the error of an answer that could not be read.
func (b *Backend) unreadable(err error) error {
	if errors.Is(err, errXML) {
		return &Error{Kind: ErrBadAnswer, Backend: b.info.ID, cause: err}
	}
	return classify(b.info.ID, err)
}

// maxDrop is how much of an answer nobody needs is read to keep its connection.
const maxDrop = 16 << 10

func drop(answer *http1.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, maxDrop)
	_ = answer.Body.Close()
}
