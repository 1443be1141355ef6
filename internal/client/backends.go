package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Health is what the gateway last saw of a backend.
type Health struct {
	Healthy   bool       `json:"healthy"`
	CheckedAt *time.Time `json:"checked_at"`
	LatencyMS float64    `json:"latency_ms"`
	Message   string     `json:"message,omitempty"`
}

// Backend is one upstream S3 endpoint.
type Backend struct {
	ID          string     `json:"id"`
	Kind        string     `json:"kind"`
	Endpoint    string     `json:"endpoint,omitempty"`
	Region      string     `json:"region"`
	PathStyle   bool       `json:"path_style"`
	AccessKeyID string     `json:"access_key_id,omitempty"`
	Source      string     `json:"source"`
	Health      Health     `json:"health"`
	KeepsKeys   bool       `json:"keeps_keys"`
	CreatedAt   *time.Time `json:"created_at,omitempty"`

	ForceHashing bool       `json:"force_hashing"`
	Scratch      string     `json:"scratch,omitempty"`
	ProbedAt     *time.Time `json:"probed_at,omitempty"`
	Abilities    []Ability  `json:"abilities"`

	AdminEndpoint    string `json:"admin_endpoint,omitempty"`
	AdminAccessKeyID string `json:"admin_access_key_id,omitempty"`
}

// Ability is something that a backend can be proven to do.
type Ability struct {
	Name      string     `json:"name"`
	Title     string     `json:"title"`
	Verdict   string     `json:"verdict"` // yes, no or unknown
	Means     string     `json:"means"`   // what follows
	Note      string     `json:"note,omitempty"`
	ProvenAt  *time.Time `json:"proven_at,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// NewBackend adds a backend.
type NewBackend struct {
	ID              string `json:"id"`
	Kind            string `json:"kind"`
	Endpoint        string `json:"endpoint"`
	Region          string `json:"region"`
	PathStyle       bool   `json:"path_style"`
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	ForceHashing    bool   `json:"force_hashing,omitempty"`
	Scratch         string `json:"scratch,omitempty"`

	AdminEndpoint        string `json:"admin_endpoint,omitempty"`
	AdminAccessKeyID     string `json:"admin_access_key_id,omitempty"`
	AdminSecretAccessKey string `json:"admin_secret_access_key,omitempty"`
}

// BackendEdit changes what is not nil. A new endpoint asks for the secret again.
type BackendEdit struct {
	Endpoint        *string `json:"endpoint,omitempty"`
	Region          *string `json:"region,omitempty"`
	PathStyle       *bool   `json:"path_style,omitempty"`
	AccessKeyID     *string `json:"access_key_id,omitempty"`
	SecretAccessKey *string `json:"secret_access_key,omitempty"`
	ForceHashing    *bool   `json:"force_hashing,omitempty"`
	Scratch         *string `json:"scratch,omitempty"`

	AdminEndpoint        *string `json:"admin_endpoint,omitempty"`
	AdminAccessKeyID     *string `json:"admin_access_key_id,omitempty"`
	AdminSecretAccessKey *string `json:"admin_secret_access_key,omitempty"`
}

// BackendTest is the report of a test.
type BackendTest struct {
	OK    bool `json:"ok"`
	Steps []struct {
		Name    string `json:"name"`
		OK      bool   `json:"ok"`
		Message string `json:"message"`
		Mend    string `json:"mend,omitempty"`
	} `json:"steps"`
	ClockSkewMS float64 `json:"clock_skew_ms"`
	Buckets     int     `json:"buckets"`
	KeepsKeys   bool    `json:"keeps_keys"`

	Abilities []Ability `json:"abilities"`
}

// AddBackend adds one.
func (c *Client) AddBackend(ctx context.Context, in NewBackend) (Backend, error) {
	var out Backend
	return out, c.call(ctx, http.MethodPost, at("backends"), nil, in, &out)
}

// Backends lists all.
func (c *Client) Backends(ctx context.Context) ([]Backend, error) {
	return items[Backend](ctx, c, at("backends"))
}

// Backend returns one.
func (c *Client) Backend(ctx context.Context, id string) (Backend, error) {
	var out Backend
	return out, c.call(ctx, http.MethodGet, at("backends", id), nil, nil, &out)
}

// EditBackend changes one.
func (c *Client) EditBackend(ctx context.Context, id string, e BackendEdit) (Backend, error) {
	var out Backend
	return out, c.call(ctx, http.MethodPatch, at("backends", id), nil, e, &out)
}

// TestBackend tries it: reach, sign, list, clock, keys, abilities.
func (c *Client) TestBackend(ctx context.Context, id string) (BackendTest, error) {
	var out BackendTest
	return out, c.call(ctx, http.MethodPost, at("backends", id, "test"), nil, nil, &out)
}

// RemoveBackend forgets one.
func (c *Client) RemoveBackend(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, at("backends", id), nil, nil, nil)
}

// Bucket is a bucket of a backend.
type Bucket struct {
	Backend   string     `json:"backend"`
	Bucket    string     `json:"bucket"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// Buckets lists those of a backend.
func (c *Client) Buckets(ctx context.Context, backend string) ([]Bucket, error) {
	return items[Bucket](ctx, c, at("backends", backend, "buckets"))
}

// CreateBucket creates one on its backend.
func (c *Client) CreateBucket(ctx context.Context, backend, bucket string) (Bucket, error) {
	in := struct {
		Bucket string `json:"bucket"`
	}{bucket}
	var out Bucket
	return out, c.call(ctx, http.MethodPost, at("backends", backend, "buckets"), nil, in, &out)
}

// DeleteBucket deletes an empty one; force also while a live scope names it.
func (c *Client) DeleteBucket(ctx context.Context, backend, bucket string, force bool) error {
	query := url.Values{}
	if force {
		query.Set("force", "true")
	}
	return c.call(ctx, http.MethodDelete, at("backends", backend, "buckets", bucket), query, nil, nil)
}

// Binding opens a bucket or prefix to unsigned reads.
type Binding struct {
	Name          string     `json:"name"`
	Backend       string     `json:"backend"`
	Bucket        string     `json:"bucket"`
	Prefix        string     `json:"prefix,omitempty"`
	Mode          string     `json:"mode"`
	RatePerSecond float64    `json:"rate_per_second,omitempty"`
	IndexDocument string     `json:"index_document,omitempty"`
	URL           string     `json:"url,omitempty"`
	CreatedBy     string     `json:"created_by,omitempty"`
	CreatedAt     *time.Time `json:"created_at,omitempty"`
}

// Bindings are all open ones; Enabled is the global switch.
type Bindings struct {
	Items   []Binding `json:"items"`
	Enabled bool      `json:"enabled"`
}

// NewBinding adds a binding; Name defaults to the bucket's.
type NewBinding struct {
	Backend       string  `json:"backend"`
	Bucket        string  `json:"bucket"`
	Prefix        string  `json:"prefix,omitempty"`
	Name          string  `json:"name,omitempty"`
	Mode          string  `json:"mode,omitempty"`
	RatePerSecond float64 `json:"rate_per_second,omitempty"`
	IndexDocument string  `json:"index_document,omitempty"`
}

// AddBinding opens a bucket.
func (c *Client) AddBinding(ctx context.Context, in NewBinding) (Binding, error) {
	var out Binding
	return out, c.call(ctx, http.MethodPost, at("anonymous-bindings"), nil, in, &out)
}

// Bindings lists all.
func (c *Client) Bindings(ctx context.Context) (Bindings, error) {
	var out Bindings
	return out, c.call(ctx, http.MethodGet, at("anonymous-bindings"), nil, nil, &out)
}

// RemoveBinding closes one.
func (c *Client) RemoveBinding(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, at("anonymous-bindings", name), nil, nil, nil)
}
