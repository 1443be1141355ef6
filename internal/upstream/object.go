package upstream

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"keystile/internal/keystile"
)

// Object is what the bucket holds under a key, or of the version of it that is
// named. A marker is nothing.
func (r *Registry) Object(ctx context.Context, bucket keystile.Bucket, key, versionID string) (v keystile.StoredVersion, there bool, err error) {
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return v, false, err
	}
	query := url.Values{}
	if versionID != "" {
		query.Set("versionId", versionID)
	}
	got, err := b.Send(ctx, Request{Method: http.MethodHead, Bucket: bucket.Name, Key: key, Query: query})
	if err != nil {
		return v, false, err
	}
	defer func() { _ = got.Body.Close() }()
	switch {
	case got.Status == http.StatusNotFound, got.Status == http.StatusMethodNotAllowed: // the latter is a marker
		return v, false, nil
	case got.Status != http.StatusOK || got.ContentLength < 0:
		return v, false, fmt.Errorf("the backend answered %d to a HEAD of %s: %w", got.Status, bucket, ErrBadAnswer)
	}
	return keystile.StoredVersion{Key: key, VersionID: got.Header.Get("X-Amz-Version-Id"), Size: got.ContentLength}, true, nil
}
