package s3proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"keystile/internal/keystile"
	"keystile/internal/quota"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// learnAtOnce bounds how many keys of a multi-delete are asked for at once.
const learnAtOnce = 16

var errNotTold = errors.New("the backend does not tell")

// learn asks the backend for what an object's key, or a version of it, holds.
func (x *exchange) learn(key, version string) func(context.Context) (quota.State, error) {
	return func(ctx context.Context) (state quota.State, err error) {
		query := url.Values{}
		if version != "" {
			query.Set("versionId", version)
		}
		ask := upstream.Request{Method: http.MethodHead, Bucket: x.bucket.Name, Key: key, Query: query}
		x.sign(&ask, x.backend)
		got, err := x.backend.Send(ctx, ask)
		if err != nil {
			return state, err
		}
		defer func() { _ = got.Body.Close() }()
		switch {
		case got.Status == http.StatusNotFound, got.Status == http.StatusMethodNotAllowed: // the latter is a marker
			return state, nil
		case got.Status != http.StatusOK:
			return state, fmt.Errorf("the backend answered %d: %w", got.Status, errNotTold)
		}
		state.Exists, state.Version = true, got.Header.Get("X-Amz-Version-Id")
		state.Size, err = strconv.ParseInt(got.Header.Get("Content-Length"), 10, 64)
		return state, err
	}
}

// learnPart asks for a part that was sent before.
func (x *exchange) learnPart(uploadID string, number int) func(context.Context) (quota.State, error) {
	return func(ctx context.Context) (quota.State, error) {
		part, there, err := x.backend.Part(ctx, x.bucket.Name, keystile.PendingUpload{Key: x.real.Key, UploadID: uploadID}, number)
		return quota.State{Exists: there, Size: part.Size}, err
	}
}

// sourceSize asks how much a copy within the backend reads, and has the backend
// copy that and nothing else.
func (x *exchange) sourceSize(out *upstream.Request) (int64, error) {
	t, err := x.req.Transfer(out.Header)
	if err != nil {
		return 0, err
	}
	if t.Range {
		if t.Last-t.First >= s3wire.MaxCopySource {
			return 0, s3wire.InvalidRequest.With("The copy source is larger than the largest that may be copied at once: %d bytes.", int64(s3wire.MaxCopySource))
		}
		return t.Last - t.First + 1, nil
	}
	t.Read.Del("X-Amz-Checksum-Mode")
	query := url.Values{}
	if out.CopySource.VersionID != "" {
		query.Set("versionId", out.CopySource.VersionID)
	}
	ask := upstream.Request{Method: http.MethodHead, Bucket: out.CopySource.Bucket, Key: out.CopySource.Key, Query: query, Header: t.Read}
	x.sign(&ask, x.backend)
	got, err := x.backend.Send(x.context(), ask)
	if err != nil {
		return 0, err
	}
	defer func() { _ = got.Body.Close() }()
	switch {
	case got.Status == http.StatusNotModified, got.Status == http.StatusPreconditionFailed:
		return 0, s3wire.PreconditionFailed.Err()
	case got.Status != http.StatusOK:
		return 0, x.backendError(x.backend, max(got.Status, http.StatusMultipleChoices), nil)
	}
	size, err := strconv.ParseInt(got.Header.Get("Content-Length"), 10, 64)
	if err != nil || size < 0 {
		return 0, fmt.Errorf("the copy source has no length: %w", upstream.ErrBadAnswer)
	}
	if etag := got.Header.Get("Etag"); etag != "" && !strings.HasPrefix(etag, "W/") {
		out.Header.Set("X-Amz-Copy-Source-If-Match", etag)
	}
	return size, nil
}

// eachOf calls fn for all, some at a time, and returns the first error.
func eachOf(places []quota.Place, fn func(quota.Place) error) (first error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, learnAtOnce)
	for _, place := range places {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := fn(place); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = err
				}
			}
		})
	}
	wg.Wait()
	return first
}
