package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// rgwBuckets serves the buckets of RGW users.
type rgwBuckets struct{ users *control.RGWUsers }

func (h rgwBuckets) mount(r *router) {
	const tag, all = "RGW buckets", "/rgw/users/{user_id}/buckets"
	const one = all + "/{bucket}"
	register(r, operation{method: http.MethodGet, path: all, id: "listRGWBuckets", tag: tag,
		summary: "List a user's buckets with what they hold"}, h.list)
	register(r, operation{method: http.MethodPost, path: all, id: "createRGWBucket", tag: tag, status: http.StatusCreated,
		summary: "Make a bucket that the user owns"}, h.create)
	register(r, operation{method: http.MethodGet, path: one, id: "getRGWBucket", tag: tag,
		summary: "Show a bucket"}, h.get)
	register(r, operation{method: http.MethodDelete, path: one, id: "deleteRGWBucket", tag: tag,
		summary: "Delete a bucket", description: "One that holds objects: 409 not_empty."}, h.delete)
	register(r, operation{method: http.MethodGet, path: one + "/acl", id: "getRGWBucketACL", tag: tag,
		summary: "Show a bucket's canned ACL"}, h.acl)
	register(r, operation{method: http.MethodPut, path: one + "/acl", id: "setRGWBucketACL", tag: tag,
		summary: "Give a bucket a canned ACL"}, h.setACL)
}

// RGWBucket is a bucket of an RGW user.
type RGWBucket struct {
	Name      string    `json:"name"`
	Owner     string    `json:"owner" doc:"the user's id"`
	CreatedAt time.Time `json:"created_at"`
	SizeBytes int64     `json:"size_bytes"`
	Objects   int64     `json:"objects"`
}

// NewRGWBucket is what is chosen of a bucket.
type NewRGWBucket struct {
	Name string `json:"name"`
}

// RGWBucketACL is a canned ACL.
type RGWBucketACL struct {
	ACL string `json:"acl" doc:"private, public-read, public-read-write or authenticated-read; custom: none of them"`
}

// ByRGWBucket names a bucket in the path.
type ByRGWBucket struct {
	ByRGWUser
	Bucket string `path:"bucket"`
}

func rgwBucketView(b keystile.RGWBucketInfo) RGWBucket {
	return RGWBucket{Name: b.Bucket.Name, Owner: b.Owner, CreatedAt: b.CreatedAt, SizeBytes: b.Bytes, Objects: b.Objects}
}

// rgwBucketList is the whole list, bare: [] when there is none.
type rgwBucketList struct{ Body []RGWBucket }

func (h rgwBuckets) list(ctx context.Context, in *ByRGWUser) (*rgwBucketList, error) {
	list, err := h.users.Buckets(ctx, actorOf(ctx), in.UserID)
	return &rgwBucketList{listOf(list, rgwBucketView).Items}, err
}

func (h rgwBuckets) create(ctx context.Context, in *struct {
	ByRGWUser
	JSON[NewRGWBucket]
}) (*JSON[RGWBucket], error) {
	made, err := h.users.CreateBucket(ctx, actorOf(ctx), in.UserID, in.Body.Name)
	return reply(rgwBucketView(made)), err
}

func (h rgwBuckets) get(ctx context.Context, in *ByRGWBucket) (*JSON[RGWBucket], error) {
	info, err := h.users.Bucket(ctx, actorOf(ctx), in.UserID, in.Bucket)
	return reply(rgwBucketView(info)), err
}

func (h rgwBuckets) delete(ctx context.Context, in *ByRGWBucket) (*nothing, error) {
	return nil, h.users.DeleteBucket(ctx, actorOf(ctx), in.UserID, in.Bucket)
}

func (h rgwBuckets) acl(ctx context.Context, in *ByRGWBucket) (*JSON[RGWBucketACL], error) {
	acl, err := h.users.BucketACL(ctx, actorOf(ctx), in.UserID, in.Bucket)
	return reply(RGWBucketACL{acl}), err
}

func (h rgwBuckets) setACL(ctx context.Context, in *struct {
	ByRGWBucket
	JSON[RGWBucketACL]
}) (*JSON[RGWBucketACL], error) {
	err := h.users.SetBucketACL(ctx, actorOf(ctx), in.UserID, in.Bucket, in.Body.ACL)
	return reply(in.Body), err
}
