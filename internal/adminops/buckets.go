package adminops

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"keystile/internal/keystile"
)

const bucketPath = "/admin/bucket"

// Bucket is a bucket with its owner and what it holds.
type Bucket struct {
	Name      string
	Owner     string // uid
	CreatedAt time.Time
	Usage     Usage
}

type bucketAnswer struct {
	Bucket       string                 `json:"bucket"`
	Owner        string                 `json:"owner"`
	CreationTime string                 `json:"creation_time"`
	Usage        map[string]usageAnswer `json:"usage"`
}

// bucket sums the categories of usage (objects, parts of unfinished uploads).
func (a bucketAnswer) bucket() Bucket {
	b := Bucket{Name: a.Bucket, Owner: a.Owner}
	// A time that cannot be read stays zero: nothing depends on it.
	b.CreatedAt, _ = time.Parse(time.RFC3339Nano, a.CreationTime)
	for category, u := range a.Usage {
		b.Usage.Bytes += u.Size
		if category == "rgw.main" {
			b.Usage.Objects += u.NumObjects
		}
	}
	return b
}

// Buckets lists a user's buckets with what they hold.
func (c *Client) Buckets(ctx context.Context, uid string) ([]Bucket, error) {
	if uid == "" {
		return nil, fmt.Errorf("buckets of no user: %w", keystile.ErrInvalid) // would be those of all
	}
	var answers []bucketAnswer
	if err := c.call(ctx, http.MethodGet, bucketPath, url.Values{"uid": {uid}, "stats": {"true"}}, &answers); err != nil {
		return nil, err
	}
	list := make([]Bucket, len(answers))
	for i, a := range answers {
		list[i] = a.bucket()
	}
	return list, nil
}

// Bucket returns one bucket, whoever owns it; keystile.ErrNotFound if there is
// none.
func (c *Client) Bucket(ctx context.Context, name string) (Bucket, error) {
	var a bucketAnswer
	if err := c.call(ctx, http.MethodGet, bucketPath, url.Values{"bucket": {name}, "stats": {"true"}}, &a); err != nil {
		return Bucket{}, err
	}
	return a.bucket(), nil
}

// DeleteBucket deletes an empty bucket; ErrNotEmpty if it is not.
func (c *Client) DeleteBucket(ctx context.Context, name string) error {
	if name == "" {
		return fmt.Errorf("a bucket without a name: %w", keystile.ErrInvalid)
	}
	return c.call(ctx, http.MethodDelete, bucketPath, url.Values{"bucket": {name}}, nil)
}
