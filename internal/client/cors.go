package client

import (
	"context"
	"net/http"
	"time"
)

// CORS is which pages of other origins may use a bucket.
type CORS struct {
	Mode      string     `json:"mode"`
	Rules     []CORSRule `json:"rules,omitempty"`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

// CORSRule lets pages of some origins use a bucket.
type CORSRule struct {
	ID             string   `json:"id,omitempty"`
	AllowedOrigins []string `json:"allowed_origins"`
	AllowedMethods []string `json:"allowed_methods"`
	AllowedHeaders []string `json:"allowed_headers,omitempty"`
	ExposeHeaders  []string `json:"expose_headers,omitempty"`
	MaxAgeSeconds  int      `json:"max_age_seconds,omitempty"`
}

// BucketCORS tells what is chosen for a bucket.
func (c *Client) BucketCORS(ctx context.Context, backend, bucket string) (CORS, error) {
	var out CORS
	return out, c.call(ctx, http.MethodGet, at("backends", backend, "buckets", bucket, "cors"), nil, nil, &out)
}

// SetBucketCORS chooses.
func (c *Client) SetBucketCORS(ctx context.Context, backend, bucket string, choice CORS) (CORS, error) {
	var out CORS
	return out, c.call(ctx, http.MethodPut, at("backends", backend, "buckets", bucket, "cors"), nil, choice, &out)
}
