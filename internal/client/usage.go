package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// UsageQuery says what is asked for; empty fields do not filter.
type UsageQuery struct {
	From, To    string // days such as 2026-11-25, both inclusive; empty: the last 30 days
	By          string // bucket, credential or project
	Backend     string
	Bucket      string
	AccessKeyID string
	ProjectID   string
}

func (q UsageQuery) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"from": q.From, "to": q.To, "by": q.By, "backend": q.Backend, "bucket": q.Bucket, "access_key_id": q.AccessKeyID, "project_id": q.ProjectID,
	} {
		setIf(v, name, value)
	}
	return v
}

// Metered is what was counted: bytes, and requests by class.
type Metered struct {
	BytesIn  int64 `json:"bytes_in"`
	BytesOut int64 `json:"bytes_out"`
	Reads    int64 `json:"reads"`
	Lists    int64 `json:"lists"`
	Writes   int64 `json:"writes"`
	Deletes  int64 `json:"deletes"`
	Refused  int64 `json:"refused"`
	Failed   int64 `json:"failed"`
}

// Usage is who used what in a span.
type Usage struct {
	From  string      `json:"from"`
	To    string      `json:"to"`
	By    string      `json:"by"`
	Items []UsageItem `json:"items"`
	More  bool        `json:"more"` // there are more items than these
	Days  []UsageDay  `json:"days"`
}

// UsageItem is what one thing used.
type UsageItem struct {
	Backend     string `json:"backend,omitempty"`
	Bucket      string `json:"bucket,omitempty"`
	AccessKeyID string `json:"access_key_id,omitempty"`
	ProjectID   string `json:"project_id,omitempty"`
	Name        string `json:"name,omitempty"`
	Metered
	StoredBytes    *int64 `json:"stored_bytes,omitempty"` // nil: nothing was counted
	StoredObjects  *int64 `json:"stored_objects,omitempty"`
	StoredByteDays *int64 `json:"stored_byte_days,omitempty"`
}

// UsageDay is what was used on one day; what was stored is nil where nothing was
// counted.
type UsageDay struct {
	Day string `json:"day"`
	Metered
	StoredBytes   *int64 `json:"stored_bytes,omitempty"`
	StoredObjects *int64 `json:"stored_objects,omitempty"`
}

// Usage shows who used what.
func (c *Client) Usage(ctx context.Context, q UsageQuery) (Usage, error) {
	var out Usage
	return out, c.call(ctx, http.MethodGet, at("usage"), q.values(), nil, &out)
}

// ExportUsage writes usage by day as CSV. An error says that it is not whole.
func (c *Client) ExportUsage(ctx context.Context, q UsageQuery, w io.Writer) error {
	return c.export(ctx, "/api/usage.csv", q.values(), w)
}
