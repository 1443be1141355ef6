package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// SampledReads are those of a credential, of a bucket, or, where neither is named,
// all.
type SampledReads struct {
	AccessKeyID string `json:"access_key_id,omitempty"`
	Backend     string `json:"backend,omitempty"`
	Bucket      string `json:"bucket,omitempty"`
}

// SamplingRule has a share of successful reads recorded.
type SamplingRule struct {
	SampledReads
	Rate  float64    `json:"rate"`
	Until *time.Time `json:"until,omitempty"` // nil: no end
	SetBy string     `json:"set_by,omitempty"`
	SetAt *time.Time `json:"set_at,omitempty"`
}

var samplingPath = at("audit", "sampling")

// Sampling lists the rules in force.
func (c *Client) Sampling(ctx context.Context) ([]SamplingRule, error) {
	return items[SamplingRule](ctx, c, samplingPath)
}

// SetSampling sets the rule for the reads that it names.
func (c *Client) SetSampling(ctx context.Context, rule SamplingRule) error {
	rule.SetBy, rule.SetAt = "", nil
	return c.call(ctx, http.MethodPut, samplingPath, nil, rule, nil)
}

// ClearSampling removes the rule for the reads.
func (c *Client) ClearSampling(ctx context.Context, of SampledReads) error {
	q := url.Values{}
	setIf(q, "access_key_id", of.AccessKeyID)
	setIf(q, "backend", of.Backend)
	setIf(q, "bucket", of.Bucket)
	return c.call(ctx, http.MethodDelete, samplingPath, q, nil, nil)
}
