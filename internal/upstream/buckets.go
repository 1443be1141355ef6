package upstream

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/sigv4"
)

const (
	standardRegion = "us-east-1"
	maxBucketPages = 100
)

// Buckets lists every bucket of a backend. An unknown backend is
// keystile.ErrNotFound, one in trouble keystile.ErrUnavailable.
func (r *Registry) Buckets(ctx context.Context, backendID string) ([]keystile.BucketInfo, error) {
	b, err := r.lookup(backendID)
	if err != nil {
		return nil, err
	}
	return b.buckets(ctx)
}

// CreateBucket makes a bucket. A name that is taken, by this backend's owner or
// another, is keystile.ErrConflict.
func (r *Registry) CreateBucket(ctx context.Context, bucket keystile.Bucket) error {
	if err := keystile.CheckNewBucketName(bucket.Name); err != nil {
		return err
	}
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return err
	}
	// In us-east-1 and on some servers creating what one has is a success.
	taken, err := b.exists(ctx, bucket.Name)
	if err != nil {
		return err
	}
	if taken {
		return fmt.Errorf("bucket %s exists already: %w", bucket, keystile.ErrConflict)
	}
	return b.createBucket(ctx, bucket.Name)
}

// DeleteBucket removes an empty bucket; one that is not empty is
// keystile.ErrConflict, one that is absent keystile.ErrNotFound.
func (r *Registry) DeleteBucket(ctx context.Context, bucket keystile.Bucket) error {
	b, err := r.lookup(bucket.Backend)
	if err != nil {
		return err
	}
	return b.deleteBucket(ctx, bucket.Name)
}

func (r *Registry) lookup(id string) (*Backend, error) {
	b, ok := r.Get(id)
	if !ok {
		return nil, fmt.Errorf("backend %q: %w", id, keystile.ErrNotFound)
	}
	return b, nil
}

func (b *Backend) buckets(ctx context.Context) ([]keystile.BucketInfo, error) {
	all := []keystile.BucketInfo{}
	var query url.Values
	for range maxBucketPages {
		answer, err := b.send(ctx, Request{Method: http.MethodGet, Query: query})
		if err != nil {
			return nil, err
		}
		page, err := b.readBuckets(answer)
		if err != nil {
			return nil, err
		}
		for _, x := range page.Buckets {
			if b.probesIn(x.Name, x.CreationDate) {
				continue
			}
			all = append(all, keystile.BucketInfo{Bucket: keystile.Bucket{Backend: b.info.ID, Name: x.Name}, CreatedAt: x.CreationDate})
		}
		if page.ContinuationToken == "" {
			return all, nil
		}
		query = url.Values{"continuation-token": {page.ContinuationToken}}
	}
	return nil, &Error{Kind: ErrBadAnswer, Backend: b.info.ID, cause: errors.New("the list of buckets does not end")}
}

// probesIn reports whether a bucket is one that a probe makes and removes again
// in these minutes. One that a killed process left behind shows after that, so
// that somebody removes it.
func (b *Backend) probesIn(bucket string, created time.Time) bool {
	return strings.HasPrefix(bucket, scratchPrefix) && b.now().Sub(created) < 2*probeTimeout
}

// readBuckets consumes the answer to ListBuckets.
func (b *Backend) readBuckets(answer *http1.Response) (bucketList, error) {
	defer drop(answer)
	answer.Limit(b.limits.WriteAnswer)
	var list bucketList
	if answer.Status != http.StatusOK {
		return list, b.refusal(answer)
	}
	if err := readXML(answer.Body, maxBucketList, "ListAllMyBucketsResult", &list); err != nil {
		return list, b.unreadable(err)
	}
	return list, nil
}

// exists asks for a bucket. What is neither a yes nor trouble (another owner's
// bucket, another region's) is left for the creation to be told.
func (b *Backend) exists(ctx context.Context, bucket string) (bool, error) {
	answer, err := b.Send(ctx, Request{Method: http.MethodHead, Bucket: bucket})
	if errors.Is(err, ErrRedirect) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	drop(answer)
	return answer.Status == http.StatusOK, nil
}

// createBucket names a location only outside us-east-1, and not where the
// backend does not know its own region as one: Ceph's are zone groups.
func (b *Backend) createBucket(ctx context.Context, bucket string) error {
	var body []byte
	if b.info.Region != standardRegion {
		var err error
		if body, err = xml.Marshal(createBucketBody{LocationConstraint: b.info.Region}); err != nil {
			return err
		}
	}
	err := b.do(ctx, Request{Method: http.MethodPut, Bucket: bucket}, body)
	var refused *refusedError
	if body != nil && errors.As(err, &refused) && refused.unknownLocation() {
		return b.do(ctx, Request{Method: http.MethodPut, Bucket: bucket}, nil)
	}
	return err
}

func (b *Backend) deleteBucket(ctx context.Context, bucket string) error {
	return b.do(ctx, Request{Method: http.MethodDelete, Bucket: bucket}, nil)
}

// do sends a request with a small body and wants a success.
func (b *Backend) do(ctx context.Context, r Request, body []byte) error {
	r.Body, r.ContentLength, r.PayloadHash = bytes.NewReader(body), int64(len(body)), sigv4.HashHex(body)
	answer, err := b.Send(ctx, r)
	if err != nil {
		return err
	}
	defer drop(answer)
	answer.Limit(b.limits.WriteAnswer)
	if answer.Status/100 == 2 {
		return nil
	}
	return b.refusal(answer)
}

// refusedError is an S3 error of a backend, in the words of this gateway.
type refusedError struct {
	kind    error
	message string
	status  int
	code    string
}

func (e *refusedError) Error() string { return e.message + ": " + e.kind.Error() }
func (e *refusedError) Unwrap() error { return e.kind }

func (e *refusedError) unknownLocation() bool {
	switch e.code {
	case "InvalidLocationConstraint", "IllegalLocationConstraintException", "InvalidRegion", "MalformedXML", "NotImplemented":
		return true
	}
	return false
}

// refusal translates an S3 error into our own words and sentinels; nothing of
// the answer's text is passed on. Codes are those of the Amazon S3 API
// Reference, "Error Responses".
func (b *Backend) refusal(answer *http1.Response) error {
	e := &refusedError{status: answer.Status, code: errorCode(answer.Body)}
	switch e.code {
	case "BucketAlreadyExists", "BucketAlreadyOwnedByYou":
		e.kind, e.message = keystile.ErrConflict, "a bucket of that name exists already"
	case "BucketNotEmpty":
		e.kind, e.message = keystile.ErrConflict, "the bucket is not empty"
	case "OperationAborted":
		e.kind, e.message = keystile.ErrConflict, "another operation on the bucket is under way"
	case "TooManyBuckets":
		e.kind, e.message = keystile.ErrConflict, "the backend allows no more buckets"
	case "NoSuchBucket":
		e.kind, e.message = keystile.ErrNotFound, "there is no such bucket"
	case "InvalidBucketName":
		e.kind, e.message = keystile.ErrInvalid, "the backend does not accept the bucket's name"
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "UserSuspended":
		e.kind, e.message = ErrRefused, "its admin key may not do this"
	case "SignatureDoesNotMatch":
		e.kind, e.message = ErrRefused, "the signature does not match: is the secret access key right?"
	case "InvalidAccessKeyId":
		e.kind, e.message = ErrRefused, "it does not know the access key ID"
	case "RequestTimeTooSkewed":
		e.kind, e.message = ErrRefused, "its clock and ours are too far apart"
	case "AuthorizationHeaderMalformed":
		e.kind, e.message = ErrRefused, "the signature is not accepted: is the region right?"
	case "SlowDown", "ServiceUnavailable", "InternalError":
		e.kind, e.message = keystile.ErrUnavailable, "the backend is in trouble or overloaded"
	default:
		e.byStatus()
	}
	return e
}

// byStatus stands in where there is no code that is known.
func (e *refusedError) byStatus() {
	e.kind, e.message = keystile.ErrUnavailable, fmt.Sprintf("the backend answered with status %d", e.status)
	if e.status == http.StatusUnauthorized || e.status == http.StatusForbidden {
		e.kind = ErrRefused
	}
}

// unreadable is the error of an answer that could not be read.
func (b *Backend) unreadable(err error) error {
	if errors.Is(err, errXML) {
		return &Error{Kind: ErrBadAnswer, Backend: b.info.ID, cause: err}
	}
	return classify(b.info.ID, err)
}

// maxDrop is how much of an answer nobody needs is read to keep its connection.
const maxDrop = 16 << 10

func drop(answer *http1.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, maxDrop)
	_ = answer.Body.Close()
}
