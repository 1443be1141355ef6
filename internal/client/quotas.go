package client

import (
	"context"
	"net/http"
	"time"
)

// QuotaCaps are what may be stored in a bucket; nil is no cap.
type QuotaCaps struct {
	SoftBytes   *int64 `json:"soft_bytes,omitempty"`
	HardBytes   *int64 `json:"hard_bytes,omitempty"`
	SoftObjects *int64 `json:"soft_objects,omitempty"`
	HardObjects *int64 `json:"hard_objects,omitempty"`
}

// BucketQuota is a bucket's quota with its usage.
type BucketQuota struct {
	Backend string `json:"backend"`
	Bucket  string `json:"bucket"`
	QuotaCaps
	Usage     QuotaUsage `json:"usage"`
	TrackedAt time.Time  `json:"tracked_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// QuotaUsage is what counts against caps.
type QuotaUsage struct {
	UsedBytes       int64      `json:"used_bytes"`
	UsedObjects     int64      `json:"used_objects"`
	ReservedBytes   int64      `json:"reserved_bytes"`
	ReservedObjects int64      `json:"reserved_objects"`
	UnknownBytes    int64      `json:"unknown_bytes"`
	UnknownObjects  int64      `json:"unknown_objects"`
	ScannedAt       *time.Time `json:"scanned_at,omitempty"`
	DriftBytes      int64      `json:"drift_bytes"`
	DriftObjects    int64      `json:"drift_objects"`
	NeedsScan       bool       `json:"needs_scan"`
	Scan            *QuotaScan `json:"scan,omitempty"`
	ScanError       string     `json:"scan_error,omitempty"`
}

// QuotaScan is how far a count has come.
type QuotaScan struct {
	StartedAt time.Time `json:"started_at"`
	Objects   int64     `json:"objects"`
	Bytes     int64     `json:"bytes"`
	Pages     int64     `json:"pages"`
	Resumed   bool      `json:"resumed"`
}

func quotaAt(backend, bucket string, more ...string) string {
	return at(append([]string{"backends", backend, "buckets", bucket, "quota"}, more...)...)
}

// Quotas lists all.
func (c *Client) Quotas(ctx context.Context) ([]BucketQuota, error) {
	return items[BucketQuota](ctx, c, at("quotas"))
}

// BucketQuota shows one.
func (c *Client) BucketQuota(ctx context.Context, backend, bucket string) (BucketQuota, error) {
	var out BucketQuota
	return out, c.call(ctx, http.MethodGet, quotaAt(backend, bucket), nil, nil, &out)
}

// SetBucketQuota replaces all caps of a bucket.
func (c *Client) SetBucketQuota(ctx context.Context, backend, bucket string, caps QuotaCaps) (BucketQuota, error) {
	var out BucketQuota
	return out, c.call(ctx, http.MethodPut, quotaAt(backend, bucket), nil, caps, &out)
}

// ClearBucketQuota takes it away.
func (c *Client) ClearBucketQuota(ctx context.Context, backend, bucket string) error {
	return c.call(ctx, http.MethodDelete, quotaAt(backend, bucket), nil, nil, nil)
}

// ScanBucket begins to count.
func (c *Client) ScanBucket(ctx context.Context, backend, bucket string) (BucketQuota, error) {
	var out BucketQuota
	return out, c.call(ctx, http.MethodPost, quotaAt(backend, bucket, "scan"), nil, nil, &out)
}

// CancelBucketScan ends a count.
func (c *Client) CancelBucketScan(ctx context.Context, backend, bucket string) error {
	return c.call(ctx, http.MethodDelete, quotaAt(backend, bucket, "scan"), nil, nil, nil)
}
