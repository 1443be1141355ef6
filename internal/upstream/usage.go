package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	return b.Caller(nil).Versions(ctx, bucket.Name, after)
}

// Versions is Registry.Versions for the caller.
func (c Caller) Versions(ctx context.Context, bucket string, after keystile.VersionMark) (keystile.VersionPage, error) {
	if after.Plain {
		return c.plainVersions(ctx, bucket, after.Token)
	}
	page, err := c.versions(ctx, bucket, after)
	if after == (keystile.VersionMark{}) && lacks(err) {
		return c.plainVersions(ctx, bucket, "")
	}
	return page, err
}

// list sends a GET for a listing and reads it.
func (c Caller) list(ctx context.Context, bucket, key string, query url.Values, root string, into any) error {
	_, err := c.listDated(ctx, bucket, key, query, root, into)
	return err
}

// listDated is list, and tells the answer's Date as it came.
func (c Caller) listDated(ctx context.Context, bucket, key string, query url.Values, root string, into any) (date string, err error) {
	return c.readDated(ctx, Request{Method: http.MethodGet, Bucket: bucket, Key: key, Query: query}, nil, into, root)
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
	DeleteMarker []struct {
		Key       string
		VersionID string `xml:"VersionId"`
	}
}

func (c Caller) versions(ctx context.Context, bucket string, after keystile.VersionMark) (page keystile.VersionPage, err error) {
	query := url.Values{"versions": {""}, "encoding-type": {"url"}}
	if after.Key != "" {
		query.Set("key-marker", after.Key)
	}
	if after.VersionID != "" {
		query.Set("version-id-marker", after.VersionID)
	}
	var list versionList
	if err := c.list(ctx, bucket, "", query, "ListVersionsResult", &list); err != nil {
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
		one := keystile.StoredVersion{Key: names.of(m.Key), VersionID: m.VersionID}
		page.Markers = append(page.Markers, one)
		page.LastKey = max(page.LastKey, one.Key)
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
	return page, c.b.badListing(names.err)
}

// ListQuery selects a page of objects. Max is 1 to 1000; 0: 1000.
type ListQuery struct {
	Prefix, Delimiter, Token string
	Max                      int
}

// ObjectPage is a page of objects, by key.
type ObjectPage struct {
	Objects  []StoredObject
	Prefixes []string // what the delimiter groups
	Next     string   // token of the next page; empty on the last
}

// StoredObject is an object as a listing tells of it; its ETag without quotes.
type StoredObject struct {
	Key          string
	Size         int64
	ETag         string
	LastModified time.Time
}

// objectList is an answer to ListObjectsV2 (S3 API Reference).
type objectList struct {
	EncodingType          string
	IsTruncated           bool
	NextContinuationToken string
	Contents              []struct {
		Key          string
		Size         int64
		ETag         string
		LastModified time.Time
	}
	CommonPrefixes []struct{ Prefix string }
}

// Objects lists a page of a bucket's objects.
func (c Caller) Objects(ctx context.Context, bucket string, q ListQuery) (page ObjectPage, err error) {
	query := url.Values{"list-type": {"2"}, "encoding-type": {"url"}}
	for name, value := range map[string]string{"prefix": q.Prefix, "delimiter": q.Delimiter, "continuation-token": q.Token} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if q.Max > 0 {
		query.Set("max-keys", strconv.Itoa(q.Max))
	}
	var list objectList
	if err := c.list(ctx, bucket, "", query, "ListBucketResult", &list); err != nil {
		return page, err
	}
	names := decoder{encoded: list.EncodingType == "url"}
	for _, o := range list.Contents {
		page.Objects = append(page.Objects, StoredObject{names.of(o.Key), o.Size, strings.Trim(o.ETag, `"`), o.LastModified})
	}
	for _, p := range list.CommonPrefixes {
		page.Prefixes = append(page.Prefixes, names.of(p.Prefix))
	}
	if list.IsTruncated {
		if page.Next = list.NextContinuationToken; page.Next == "" || page.Next == q.Token {
			names.err = errNoProgress
		}
	}
	return page, c.b.badListing(names.err)
}

// plainVersions has the objects of a backend that lists no versions stand for
// them.
func (c Caller) plainVersions(ctx context.Context, bucket, token string) (page keystile.VersionPage, err error) {
	found, err := c.Objects(ctx, bucket, ListQuery{Token: token})
	for _, o := range found.Objects {
		page.Versions = append(page.Versions, keystile.StoredVersion{Key: o.Key, VersionID: "null", Size: o.Size})
		page.LastKey = max(page.LastKey, o.Key)
	}
	if found.Next != "" {
		page.Next = &keystile.VersionMark{Plain: true, Token: found.Next}
	}
	return page, err
}

// Uploads lists a page of the uploads that are neither completed nor aborted; a
// zero mark begins. Next is nil on the last page.
func (r *Registry) Uploads(ctx context.Context, bucket keystile.Bucket, after keystile.UploadMark) (uploads []keystile.PendingUpload, next *keystile.UploadMark, err error) {
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return nil, nil, err
	}
	return b.Caller(nil).Uploads(ctx, bucket.Name, after)
}

// Uploads is Registry.Uploads for the caller.
func (c Caller) Uploads(ctx context.Context, bucket string, after keystile.UploadMark) (uploads []keystile.PendingUpload, next *keystile.UploadMark, err error) {
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
	if err := c.list(ctx, bucket, "", query, "ListMultipartUploadsResult", &list); err != nil {
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
	return uploads, next, c.b.badListing(names.err)
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
