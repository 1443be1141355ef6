package rgw

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

// CreateBucket implements control.RGWHomes.
func (h *Homes) CreateBucket(ctx context.Context, as control.RGWSigner, bucket, acl string) error {
	if !as.User.AtCeph() {
		return h.backends.CreateBucket(ctx, keystile.Bucket{Backend: as.User.BackendID, Name: bucket})
	}
	return h.do(ctx, as, upstream.Request{Method: http.MethodPut, Bucket: bucket, Header: http.Header{"X-Amz-Acl": {acl}}})
}

// DeleteBucket implements control.RGWHomes.
func (h *Homes) DeleteBucket(ctx context.Context, as control.RGWSigner, bucket string) error {
	return denied(as, h.do(ctx, as, upstream.Request{Method: http.MethodDelete, Bucket: bucket}))
}

// HasBucket implements control.RGWHomes.
func (h *Homes) HasBucket(ctx context.Context, bucket keystile.Bucket) (bool, error) {
	return h.backends.HasBucket(ctx, bucket)
}

// ListsBucket implements control.RGWHomes.
func (h *Homes) ListsBucket(ctx context.Context, bucket keystile.Bucket) (bool, error) {
	all, err := h.backends.Buckets(ctx, bucket.Backend)
	return slices.ContainsFunc(all, func(b keystile.BucketInfo) bool { return b.Bucket == bucket }), err
}

// denied marks what a backend that is no Ceph does not let the gateway's key do with
// a bucket.
func denied(as control.RGWSigner, err error) error {
	if as.User.AtCeph() {
		return err
	}
	return deniedHome(err)
}

func deniedHome(err error) error {
	var refused *upstream.Refused
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden || refused.Code != "AccessDenied" {
		return err
	}
	return fmt.Errorf("%w: %w", control.ErrHomeDenies, err)
}

// do sends a request without a body, of which nothing but its success matters.
func (h *Homes) do(ctx context.Context, as control.RGWSigner, r upstream.Request) error {
	c, err := h.caller(as)
	if err != nil {
		return err
	}
	return explained(c.Do(ctx, r, nil))
}

// Usage implements control.RGWHomes.
func (h *Homes) Usage(ctx context.Context, bucket keystile.Bucket) (bytes, objects int64, err error) {
	for after := (keystile.VersionMark{Plain: true}); ; {
		page, err := h.backends.Versions(ctx, bucket, after)
		if err != nil {
			return 0, 0, deniedHome(err)
		}
		for _, o := range page.Versions {
			bytes, objects = bytes+o.Size, objects+1
		}
		if page.Next == nil {
			return bytes, objects, nil
		}
		after = *page.Next
	}
}

// Untouched implements control.RGWHomes.
func (h *Homes) Untouched(ctx context.Context, bucket keystile.Bucket) (bool, error) {
	for after := (&keystile.VersionMark{}); after != nil; {
		page, err := h.backends.Versions(ctx, bucket, *after)
		if err != nil || len(page.Versions)+len(page.Markers) > 0 {
			return false, deniedHome(err)
		}
		after = page.Next
	}
	for after := (&keystile.UploadMark{}); after != nil; {
		uploads, next, err := h.backends.Uploads(ctx, bucket, *after)
		if lacks(err) {
			return true, nil
		}
		if err != nil || len(uploads) > 0 {
			return false, deniedHome(err)
		}
		after = next
	}
	return true, nil
}

// deletion is the body of DeleteObjects.
type deletion struct {
	XMLName xml.Name  `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Delete"`
	Object  []version `xml:"Object"`
	Quiet   bool      `xml:"Quiet"`
}

type version struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
}

// Empty implements control.RGWHomes.
func (h *Homes) Empty(ctx context.Context, as control.RGWSigner, bucket string) (deleted int64, done bool, err error) {
	deleted, done, err = h.empty(ctx, as, bucket)
	return deleted, done, denied(as, err)
}

func (h *Homes) empty(ctx context.Context, as control.RGWSigner, bucket string) (deleted int64, done bool, err error) {
	c, err := h.caller(as)
	if err != nil {
		return 0, false, err
	}
	page, err := c.Versions(ctx, bucket, keystile.VersionMark{})
	if err != nil {
		return 0, false, err
	}
	if found := append(page.Versions, page.Markers...); len(found) > 0 {
		return deleteVersions(ctx, c, bucket, deletionOf(found, as.User.AtCeph()))
	}
	uploads, _, err := c.Uploads(ctx, bucket, keystile.UploadMark{})
	if err != nil && !lacks(err) {
		return 0, false, err
	}
	for _, u := range uploads {
		if err := c.AbortUpload(ctx, bucket, u); err != nil && !errors.Is(err, keystile.ErrNotFound) {
			return 0, false, err
		}
	}
	return 0, len(uploads) == 0, nil
}

// maxDeletion is what DeleteObjects takes at once.
const maxDeletion = 1000

// deletionOf names some of a bucket's versions. Servers without versions list
// "null" and do not take it: it is left out where no other is listed. Where that
// left a delete marker, the next page has one, and "null" is named.
func deletionOf(found []keystile.StoredVersion, ceph bool) deletion {
	named := ceph || slices.ContainsFunc(found, func(v keystile.StoredVersion) bool { return v.VersionID != "null" })
	body := deletion{Quiet: true}
	for _, v := range found[:min(len(found), maxDeletion)] {
		one := version{Key: v.Key}
		if named {
			one.VersionID = v.VersionID
		}
		body.Object = append(body.Object, one)
	}
	return body
}

func deleteVersions(ctx context.Context, c upstream.Caller, bucket string, body deletion) (int64, bool, error) {
	data, err := xml.Marshal(body)
	if err != nil {
		return 0, false, err
	}
	var result struct {
		Error []struct{ Code string }
	}
	del := upstream.Request{Method: http.MethodPost, Bucket: bucket, Query: url.Values{"delete": {""}}, AnswerTimeout: upstream.LongAnswer}
	if err := c.Read(ctx, del, data, &result, "DeleteResult"); err != nil {
		return 0, false, err
	}
	gone := int64(len(body.Object) - len(result.Error))
	if len(result.Error) > 0 {
		return gone, false, fmt.Errorf("%d of %d objects could not be deleted, the first with %.64q: %w", len(result.Error), len(body.Object), result.Error[0].Code, keystile.ErrUnavailable)
	}
	return gone, false, nil
}

// Groups of grantees, as S3 names them (S3 User Guide, "Access control list
// overview").
const (
	everyone      = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// accessPolicy is an answer to GetBucketAcl (S3 API Reference).
type accessPolicy struct {
	Grants []struct {
		URI        string `xml:"Grantee>URI"`
		ID         string `xml:"Grantee>ID"`
		Permission string
	} `xml:"AccessControlList>Grant"`
}

// ACL implements control.RGWHomes.
func (h *Homes) ACL(ctx context.Context, as control.RGWSigner, bucket string) (string, error) {
	c, err := h.caller(as)
	if err != nil {
		return "", err
	}
	var policy accessPolicy
	get := upstream.Request{Method: http.MethodGet, Bucket: bucket, Query: url.Values{"acl": {""}}}
	if err := c.Read(ctx, get, nil, &policy, "AccessControlPolicy"); err != nil {
		return "", err
	}
	return policy.canned(as.User.UID), nil
}

// canned is the canned ACL that a policy of the owner's bucket amounts to; "custom"
// if it is none of those that can be chosen.
func (p accessPolicy) canned(owner string) string {
	groups := map[string]bool{}
	for _, g := range p.Grants {
		switch {
		case g.URI != "":
			groups[g.URI+" "+g.Permission] = true
		case g.ID != owner || g.Permission != "FULL_CONTROL":
			return customACL
		}
	}
	is := func(grants ...string) bool {
		for _, g := range grants {
			if !groups[g] {
				return false
			}
		}
		return len(groups) == len(grants)
	}
	switch {
	case is():
		return keystile.ACLPrivate
	case is(everyone + " READ"):
		return keystile.ACLPublicRead
	case is(everyone+" READ", everyone+" WRITE"):
		return keystile.ACLPublicReadWrite
	case is(authenticated + " READ"):
		return keystile.ACLAuthenticatedRead
	}
	return customACL
}

// customACL stands for one that is not canned.
const customACL = "custom"

// SetACL implements control.RGWHomes.
func (h *Homes) SetACL(ctx context.Context, as control.RGWSigner, bucket, acl string) error {
	return h.do(ctx, as, upstream.Request{
		Method: http.MethodPut, Bucket: bucket, Query: url.Values{"acl": {""}}, Header: http.Header{"X-Amz-Acl": {acl}},
	})
}

// Objects implements control.RGWHomes.
func (h *Homes) Objects(ctx context.Context, as control.RGWSigner, bucket string, q control.ObjectQuery) (page control.ObjectPage, err error) {
	c, err := h.caller(as)
	if err != nil {
		return page, err
	}
	found, err := c.Objects(ctx, bucket, upstream.ListQuery{Prefix: q.Prefix, Delimiter: q.Delimiter, Token: q.Cursor, Max: q.Limit})
	if err != nil {
		return page, err
	}
	page.Next, page.Prefixes = found.Next, found.Prefixes
	for _, o := range found.Objects {
		page.Objects = append(page.Objects, control.ObjectInfo{Key: o.Key, Size: o.Size, ETag: o.ETag, LastModified: o.LastModified})
	}
	return page, nil
}
