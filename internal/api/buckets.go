package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// buckets serves the buckets of backends.
type buckets struct{ buckets *control.Buckets }

func (h buckets) mount(r *router) {
	const tag, all = "Buckets", "/api/backends/{backend}/buckets"
	register(r, operation{method: http.MethodGet, path: all, id: "listBuckets", tag: tag,
		summary: "List a backend's buckets"}, h.list)
	register(r, operation{method: http.MethodPost, path: all, id: "createBucket", tag: tag,
		summary: "Create a bucket", status: http.StatusCreated}, h.create)
	register(r, operation{method: http.MethodDelete, path: all + "/{bucket}", id: "deleteBucket", tag: tag,
		summary: "Delete an empty bucket", description: "Refused while live credentials or bindings name it, unless forced."}, h.delete)
	h.mountCORS(r)
}

// Bucket is a bucket of a backend.
type Bucket struct {
	Backend   string     `json:"backend"`
	Bucket    string     `json:"bucket"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// NewBucket is what is chosen of a bucket.
type NewBucket struct {
	Bucket string `json:"bucket" example:"uploads"`
}

func bucketView(b keystile.BucketInfo) Bucket {
	return Bucket{b.Bucket.Backend, b.Bucket.Name, moment(b.CreatedAt)}
}

func (h buckets) list(ctx context.Context, in *ByBackend) (*JSON[List[Bucket]], error) {
	list, err := h.buckets.List(ctx, actorOf(ctx), in.Backend)
	return reply(listOf(list, bucketView)), err
}

func (h buckets) create(ctx context.Context, in *struct {
	ByBackend
	JSON[NewBucket]
}) (*JSON[Bucket], error) {
	bucket := keystile.Bucket{Backend: in.Backend, Name: in.Body.Bucket}
	return reply(Bucket{Backend: bucket.Backend, Bucket: bucket.Name}), h.buckets.Create(ctx, actorOf(ctx), bucket)
}

func (h buckets) delete(ctx context.Context, in *struct {
	ByBackend
	Bucket string `path:"bucket"`
	Force  bool   `query:"force" doc:"also if live credentials or bindings name it"`
}) (*nothing, error) {
	return nil, h.buckets.Delete(ctx, actorOf(ctx), keystile.Bucket{Backend: in.Backend, Name: in.Bucket}, in.Force)
}
