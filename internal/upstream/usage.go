package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"keystile/internal/keystile"
)

// maxListing bounds a page of a listing: 1000 keys of 1024 bytes, each byte
// escaped, stay below it.
const maxListing = 16 << 20

// errNoProgress is a listing that would go on for ever.
var errNoProgress = errors.New("the listing does not go on")

// Versions lists a page of all versions in a bucket; a zero mark begins. Where
// the backend lists no versions, objects stand for them.
func (r *Registry) Versions(ctx context.Context, bucket keystile.Bucket, after keystile.VersionMark) (keystile.VersionPage, error) {
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return keystile.VersionPage{}, err
	}
	if after.Plain {
		return b.objects(ctx, bucket.Name, after.Token)
	}
	page, err := b.versions(ctx, bucket.Name, after)
	var refused *refusedError
	if after == (keystile.VersionMark{}) && errors.As(err, &refused) && refused.lacks() {
		return b.objects(ctx, bucket.Name, "")
	}
	return page, err
}

// lacks reports whether the backend does not know the operation.
func (e *refusedError) lacks() bool {
	return e.status == http.StatusNotImplemented || e.status == http.StatusMethodNotAllowed || e.code == "NotImplemented"
}

// list sends a GET for a listing and reads it.
func (b *Backend) list(ctx context.Context, bucket, key string, query url.Values, root string, into any) error {
	_, err := b.listDated(ctx, bucket, key, query, root, into)
	return err
}

// listDated is list, and tells the answer's Date as it came.
func (b *Backend) listDated(ctx context.Context, bucket, key string, query url.Values, root string, into any) (date string, err error) {
	answer, err := b.Send(ctx, Request{Method: http.MethodGet, Bucket: bucket, Key: key, Query: query})
	if err != nil {
		return "", err
	}
	defer drop(answer)
	answer.Limit(b.limits.WriteAnswer)
	if answer.Status != http.StatusOK {
		return "", b.refusal(answer)
	}
	if err := readXML(answer.Body, maxListing, root, into); err != nil {
		return "", b.unreadable(err)
	}
	return answer.Header.Get("Date"), nil
}

// versionList is an answer to ListObjectVersions (S3 API Reference).
type versionList struct {
	EncodingType        string
	IsTruncated         bool
	NextKeyMarker       string
	NextVersionIDMarker string `xml:"NextVersionIdMarker"`
	Version             []struct {
		Key       string
		VersionID string `xml:"VersionId"`
		Size      int64
	}
	DeleteMarker []struct{ Key string }
}

func (b *Backend) versions(ctx context.Context, bucket string, after keystile.VersionMark) (page keystile.VersionPage, err error) {
	query := url.Values{"versions": {""}, "encoding-type": {"url"}}
	if after.Key != "" {
		query.Set("key-marker", after.Key)
	}
	if after.VersionID != "" {
		query.Set("version-id-marker", after.VersionID)
	}
	var list versionList
	if err := b.list(ctx, bucket, "", query, "ListVersionsResult", &list); err != nil {
		return page, err
	}
	names := decoder{encoded: list.EncodingType == "url"}
	for _, v := range list.Version {
		one := keystile.StoredVersion{Key: names.of(v.Key), VersionID: v.VersionID, Size: v.Size}
		if one.VersionID == "" {
			one.VersionID = "null"
		}
		page.Versions = append(page.Versions, one)
		page.LastKey = max(page.LastKey, one.Key)
	}
	for _, m := range list.DeleteMarker {
		page.LastKey = max(page.LastKey, names.of(m.Key))
	}
	if list.IsTruncated {
		page.Next = &keystile.VersionMark{Key: names.of(list.NextKeyMarker), VersionID: list.NextVersionIDMarker}
		if page.Next.Key == "" {
			page.Next.Key = page.LastKey
		}
		if *page.Next == after || page.Next.Key == "" {
			names.err = errNoProgress
		}
	}
	return page, b.badListing(names.err)
}

// objectList is an answer to ListObjectsV2.
type objectList struct {
	EncodingType          string
	IsTruncated           bool
	NextContinuationToken string
	Contents              []struct {
		Key  string
		Size int64
	}
}

func (b *Backend) objects(ctx context.Context, bucket, token string) (page keystile.VersionPage, err error) {
	query := url.Values{"list-type": {"2"}, "encoding-type": {"url"}}
	if token != "" {
		query.Set("continuation-token", token)
	}
	var list objectList
	if err := b.list(ctx, bucket, "", query, "ListBucketResult", &list); err != nil {
		return page, err
	}
	names := decoder{encoded: list.EncodingType == "url"}
	for _, o := range list.Contents {
		page.Versions = append(page.Versions, keystile.StoredVersion{Key: names.of(o.Key), VersionID: "null", Size: o.Size})
		page.LastKey = max(page.LastKey, page.Versions[len(page.Versions)-1].Key)
	}
	if list.IsTruncated {
		page.Next = &keystile.VersionMark{Plain: true, Token: list.NextContinuationToken}
		if list.NextContinuationToken == "" || list.NextContinuationToken == token {
			names.err = errNoProgress
		}
	}
	return page, b.badListing(names.err)
}

// Uploads lists a page of the uploads that are neither completed nor aborted; a
// zero mark begins. Next is nil on the last page.
func (r *Registry) Uploads(ctx context.Context, bucket keystile.Bucket, after keystile.UploadMark) (uploads []keystile.PendingUpload, next *keystile.UploadMark, err error) {
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return nil, nil, err
	}
	query := url.Values{"uploads": {""}, "encoding-type": {"url"}}
	if after.Key != "" {
		query.Set("key-marker", after.Key)
	}
	if after.UploadID != "" {
		query.Set("upload-id-marker", after.UploadID)
	}
	var list struct {
		EncodingType       string
		IsTruncated        bool
		NextKeyMarker      string
		NextUploadIDMarker string `xml:"NextUploadIdMarker"`
		Upload             []struct {
			Key      string
			UploadID string `xml:"UploadId"`
		}
	}
	if err := b.list(ctx, bucket.Name, "", query, "ListMultipartUploadsResult", &list); err != nil {
		return nil, nil, err
	}
	names := decoder{encoded: list.EncodingType == "url"}
	for _, u := range list.Upload {
		uploads = append(uploads, keystile.PendingUpload{Key: names.of(u.Key), UploadID: u.UploadID})
	}
	if list.IsTruncated {
		next = &keystile.UploadMark{Key: names.of(list.NextKeyMarker), UploadID: list.NextUploadIDMarker}
		if *next == after || next.Key == "" {
			names.err = errNoProgress
		}
	}
	return uploads, next, b.badListing(names.err)
}

func (b *Backend) badListing(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: ErrBadAnswer, Backend: b.info.ID, cause: err}
}

// decoder undoes the encoding of names in a listing (S3 API Reference,
// "encoding-type").
type decoder struct {
	encoded bool
	err     error
}

func (d *decoder) of(name string) string {
	if !d.encoded {
		return name
	}
	text, err := url.QueryUnescape(name)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("a name in the listing: %w", err)
	}
	return text
}
