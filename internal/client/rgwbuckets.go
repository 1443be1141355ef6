package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// RGWBucket is a bucket of a user with what it holds.
type RGWBucket struct {
	Name      string     `json:"name"`
	Owner     string     `json:"owner"`
	CreatedAt *time.Time `json:"created_at"`
	SizeBytes int64      `json:"size_bytes"`
	Objects   int64      `json:"objects"`
}

// RGWObject is an object without its bytes.
type RGWObject struct {
	Key          string     `json:"key"`
	SizeBytes    int64      `json:"size_bytes"`
	ETag         string     `json:"etag"`
	LastModified *time.Time `json:"last_modified,omitempty"`
}

// RGWObjectMetadata is what is known of an object.
type RGWObjectMetadata struct {
	RGWObject
	ContentType string            `json:"content_type"`
	Metadata    map[string]string `json:"metadata"`
}

// RGWUploadURL stores an object for whoever has it.
type RGWUploadURL struct {
	URL       string            `json:"url"`
	Method    string            `json:"method"`
	Headers   map[string]string `json:"headers"` // that must be sent
	ExpiresAt time.Time         `json:"expires_at"`
}

// NewRGWUploadURL asks for one. Spans are such as 15m.
type NewRGWUploadURL struct {
	Key         string `json:"key"`
	ExpiresIn   string `json:"expires_in,omitempty"`
	ContentType string `json:"content_type,omitempty"`
}

// RGWBuckets lists a user's buckets.
func (c *Client) RGWBuckets(ctx context.Context, id string) ([]RGWBucket, error) {
	var out []RGWBucket
	return out, c.call(ctx, http.MethodGet, atRGW("users", id, "buckets"), nil, nil, &out)
}

// CreateRGWBucket makes a bucket that the user owns.
func (c *Client) CreateRGWBucket(ctx context.Context, id, name string) (RGWBucket, error) {
	var out RGWBucket
	return out, c.call(ctx, http.MethodPost, atRGW("users", id, "buckets"), nil, map[string]string{"name": name}, &out)
}

// DeleteRGWBucket deletes an empty bucket of the user.
func (c *Client) DeleteRGWBucket(ctx context.Context, id, name string) error {
	return c.call(ctx, http.MethodDelete, atRGW("users", id, "buckets", name), nil, nil, nil)
}

// RGWBucket shows a bucket of the user.
func (c *Client) RGWBucket(ctx context.Context, id, name string) (RGWBucket, error) {
	var out RGWBucket
	return out, c.call(ctx, http.MethodGet, atRGW("users", id, "buckets", name), nil, nil, &out)
}

type rgwACL struct {
	ACL string `json:"acl"`
}

// RGWBucketACL shows a bucket's canned ACL; "custom" is none of them.
func (c *Client) RGWBucketACL(ctx context.Context, id, name string) (string, error) {
	var out rgwACL
	return out.ACL, c.call(ctx, http.MethodGet, atRGW("users", id, "buckets", name, "acl"), nil, nil, &out)
}

// SetRGWBucketACL gives a bucket a canned ACL.
func (c *Client) SetRGWBucketACL(ctx context.Context, id, name, acl string) error {
	return c.call(ctx, http.MethodPut, atRGW("users", id, "buckets", name, "acl"), nil, rgwACL{acl}, nil)
}

// RGWObjects calls yield for objects whose key begins with a prefix; limit 0 means
// all.
func (c *Client) RGWObjects(ctx context.Context, id, bucket, prefix string, limit int, yield func(RGWObject) error) error {
	return pages(ctx, c, atRGW("users", id, "buckets", bucket, "objects"), url.Values{"prefix": {prefix}}, limit, yield)
}

// RGWObject shows what is known of an object.
func (c *Client) RGWObject(ctx context.Context, id, bucket, key string) (RGWObjectMetadata, error) {
	var out RGWObjectMetadata
	return out, c.call(ctx, http.MethodGet, atRGW("users", id, "buckets", bucket, "objects", "metadata"), url.Values{"key": {key}}, nil, &out)
}

// DeleteRGWObject deletes an object.
func (c *Client) DeleteRGWObject(ctx context.Context, id, bucket, key string) error {
	return c.call(ctx, http.MethodDelete, atRGW("users", id, "buckets", bucket, "objects"), url.Values{"key": {key}}, nil, nil)
}

// CreateRGWUploadURL makes a URL that an object can be uploaded with.
func (c *Client) CreateRGWUploadURL(ctx context.Context, id, bucket string, in NewRGWUploadURL) (RGWUploadURL, error) {
	var out RGWUploadURL
	return out, c.call(ctx, http.MethodPost, atRGW("users", id, "buckets", bucket, "objects", "upload_url"), nil, in, &out)
}
