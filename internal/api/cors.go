package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/keystile"
)

func (h buckets) mountCORS(r *router) {
	const tag, path = "Buckets", "/api/backends/{backend}/buckets/{bucket}/cors"
	register(r, operation{method: http.MethodGet, path: path, id: "getBucketCORS", tag: tag,
		summary: "Show which pages of other origins may use a bucket"}, h.cors)
	register(r, operation{method: http.MethodPut, path: path, id: "setBucketCORS", tag: tag,
		summary:     "Choose which pages of other origins may use a bucket",
		description: "With mode gateway the rules are kept here, with mode backend they are the bucket's own, read with the backend's key and kept for a minute. No rule gives a right: requests need a signature or an anonymous binding all the same."}, h.setCORS)
}

// CORS is what is chosen for a bucket.
type CORS struct {
	Mode      string     `json:"mode" enum:"off,gateway,backend"`
	Rules     []CORSRule `json:"rules,omitempty" doc:"the first that fits counts; in mode gateway only"`
	UpdatedAt *time.Time `json:"updated_at,omitempty" readOnly:"true"`
}

// CORSRule lets pages of some origins use a bucket.
type CORSRule struct {
	ID             string   `json:"id,omitempty"`
	AllowedOrigins []string `json:"allowed_origins" doc:"each may have one *" example:"[\"https://*.example.com\"]"`
	AllowedMethods []string `json:"allowed_methods" doc:"GET, HEAD, PUT, POST, DELETE" example:"[\"GET\"]"`
	AllowedHeaders []string `json:"allowed_headers,omitempty" doc:"of a preflight; each may have one *"`
	ExposeHeaders  []string `json:"expose_headers,omitempty" doc:"of answers, that pages may read"`
	MaxAgeSeconds  int      `json:"max_age_seconds,omitempty" doc:"how long a browser may keep a preflight's answer; 0: not said"`
}

// ByBucket names a bucket in the path.
type ByBucket struct {
	ByBackend
	Bucket string `path:"bucket" example:"uploads"`
}

func (b ByBucket) bucket() keystile.Bucket {
	return keystile.Bucket{Backend: b.Backend, Name: b.Bucket}
}

func corsView(c keystile.BucketCORS) CORS {
	view := CORS{Mode: string(c.Mode), UpdatedAt: moment(c.UpdatedAt)}
	for _, r := range c.Rules {
		view.Rules = append(view.Rules, CORSRule(r))
	}
	return view
}

func (h buckets) cors(ctx context.Context, in *ByBucket) (*JSON[CORS], error) {
	choice, err := h.buckets.CORS(ctx, actorOf(ctx), in.bucket())
	return reply(corsView(choice)), err
}

func (h buckets) setCORS(ctx context.Context, in *struct {
	ByBucket
	JSON[CORS]
}) (*JSON[CORS], error) {
	choice := keystile.BucketCORS{Bucket: in.bucket(), Mode: keystile.CORSMode(in.Body.Mode)}
	for _, r := range in.Body.Rules {
		choice.Rules = append(choice.Rules, keystile.CORSRule(r))
	}
	choice, err := h.buckets.SetCORS(ctx, actorOf(ctx), choice)
	return reply(corsView(choice)), err
}
