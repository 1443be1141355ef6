package rgw

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

// CreateBucket implements control.RGWHomes.
func (h *Homes) CreateBucket(ctx context.Context, as control.RGWSigner, bucket, acl string) error {
	if !as.User.AtCeph() {
		return h.backends.CreateBucket(ctx, keystile.Bucket{Backend: as.User.BackendID, Name: bucket})
	}
	return h.do(ctx, as, call{Request: upstream.Request{Method: http.MethodPut, Bucket: bucket, Header: http.Header{"X-Amz-Acl": {acl}}}})
}

// DeleteBucket implements control.RGWHomes.
func (h *Homes) DeleteBucket(ctx context.Context, as control.RGWSigner, bucket string) error {
	return h.do(ctx, as, call{Request: upstream.Request{Method: http.MethodDelete, Bucket: bucket}})
}

// page asks for a page of a listing.
func page(bucket string, query url.Values) call {
	return call{Request: upstream.Request{Method: http.MethodGet, Bucket: bucket, Query: query}}
}

// Usage implements control.RGWHomes.
func (h *Homes) Usage(ctx context.Context, bucket keystile.Bucket) (bytes, objects int64, err error) {
	for after := (keystile.VersionMark{Plain: true}); ; {
		page, err := h.backends.Versions(ctx, bucket, after)
		if err != nil {
			return 0, 0, err
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
	found, err := h.versions(ctx, as, bucket)
	if err != nil {
		return 0, false, err
	}
	if len(found) > 0 {
		return h.deleteVersions(ctx, as, bucket, found)
	}
	var uploads struct {
		Upload []struct {
			Key      string
			UploadID string `xml:"UploadId"`
		}
	}
	err = h.read(ctx, as, page(bucket, url.Values{"uploads": {""}, "max-uploads": {"1000"}}), &uploads)
	if err != nil && !errors.Is(err, errUnsupported) {
		return 0, false, err
	}
	for _, u := range uploads.Upload {
		abort := upstream.Request{Method: http.MethodDelete, Bucket: bucket, Key: u.Key, Query: url.Values{"uploadId": {u.UploadID}}}
		if err := h.do(ctx, as, call{Request: abort}); err != nil && !errors.Is(err, keystile.ErrNotFound) {
			return 0, false, err
		}
	}
	return 0, len(uploads.Upload) == 0, nil
}

// versions are some of the versions and delete markers of a bucket, or of its
// objects where the backend knows no versions.
func (h *Homes) versions(ctx context.Context, as control.RGWSigner, bucket string) ([]version, error) {
	var list struct {
		Version      []version
		DeleteMarker []version
	}
	err := h.read(ctx, as, page(bucket, url.Values{"versions": {""}, "max-keys": {"1000"}}), &list)
	if err == nil {
		return append(list.Version, list.DeleteMarker...), nil
	}
	if !errors.Is(err, errUnsupported) {
		return nil, err
	}
	var objects objectList
	if err := h.read(ctx, as, page(bucket, url.Values{"list-type": {"2"}, "max-keys": {"1000"}}), &objects); err != nil {
		return nil, err
	}
	var found []version
	for _, o := range objects.Contents {
		found = append(found, version{Key: o.Key})
	}
	return found, nil
}

func (h *Homes) deleteVersions(ctx context.Context, as control.RGWSigner, bucket string, found []version) (int64, bool, error) {
	if len(found) > 1000 {
		found = found[:1000] // what DeleteObjects takes at once
	}
	for i := range found {
		if found[i].VersionID == "null" && !as.User.AtCeph() {
			found[i].VersionID = "" // servers without versions list it and do not take it
		}
	}
	body, err := xml.Marshal(deletion{Object: found, Quiet: true})
	if err != nil {
		return 0, false, err
	}
	var result struct {
		Error []struct{ Code string }
	}
	del := upstream.Request{Method: http.MethodPost, Bucket: bucket, Query: url.Values{"delete": {""}}, AnswerTimeout: upstream.LongAnswer}
	if err := h.read(ctx, as, call{Request: del, body: body}, &result); err != nil {
		return 0, false, err
	}
	if len(result.Error) > 0 {
		return int64(len(found) - len(result.Error)), false, codeError(http.StatusOK, result.Error[0].Code)
	}
	return int64(len(found)), false, nil
}

// Groups of grantees, as S3 names them (S3 User Guide, "Access control list
// overview").
const (
	everyone      = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// ACL implements control.RGWHomes.
func (h *Homes) ACL(ctx context.Context, as control.RGWSigner, bucket string) (string, error) {
	var policy struct {
		Grants []struct {
			URI        string `xml:"Grantee>URI"`
			ID         string `xml:"Grantee>ID"`
			Permission string
		} `xml:"AccessControlList>Grant"`
	}
	if err := h.read(ctx, as, page(bucket, url.Values{"acl": {""}}), &policy); err != nil {
		return "", err
	}
	groups := map[string]bool{}
	for _, g := range policy.Grants {
		switch {
		case g.URI != "":
			groups[g.URI+" "+g.Permission] = true
		case g.ID != as.User.UID || g.Permission != "FULL_CONTROL":
			return "custom", nil
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
		return keystile.ACLPrivate, nil
	case is(everyone + " READ"):
		return keystile.ACLPublicRead, nil
	case is(everyone+" READ", everyone+" WRITE"):
		return keystile.ACLPublicReadWrite, nil
	case is(authenticated + " READ"):
		return keystile.ACLAuthenticatedRead, nil
	}
	return "custom", nil
}

// SetACL implements control.RGWHomes.
func (h *Homes) SetACL(ctx context.Context, as control.RGWSigner, bucket, acl string) error {
	return h.do(ctx, as, call{Request: upstream.Request{
		Method: http.MethodPut, Bucket: bucket, Query: url.Values{"acl": {""}}, Header: http.Header{"X-Amz-Acl": {acl}},
	}})
}

// Objects implements control.RGWHomes.
func (h *Homes) Objects(ctx context.Context, as control.RGWSigner, bucket string, q control.ObjectQuery) (control.ObjectPage, error) {
	query := url.Values{"list-type": {"2"}, "max-keys": {strconv.Itoa(q.Limit)}}
	for name, value := range map[string]string{"prefix": q.Prefix, "delimiter": q.Delimiter, "continuation-token": q.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var list objectList
	if err := h.read(ctx, as, page(bucket, query), &list); err != nil {
		return control.ObjectPage{}, err
	}
	found := control.ObjectPage{}
	if list.IsTruncated {
		found.Next = list.NextContinuationToken
	}
	for _, o := range list.Contents {
		found.Objects = append(found.Objects, control.ObjectInfo{Key: o.Key, Size: o.Size, ETag: unquote(o.ETag), LastModified: o.LastModified})
	}
	for _, p := range list.CommonPrefixes {
		found.Prefixes = append(found.Prefixes, p.Prefix)
	}
	return found, nil
}
