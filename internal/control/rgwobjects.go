package control

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"keystile/internal/keystile"
)

// Objects lists a page of a bucket's objects.
func (s *RGWUsers) Objects(ctx context.Context, a Actor, id, bucket string, q ObjectQuery) (page ObjectPage, err error) {
	as, err := s.readingBucket(ctx, a, "rgw.object.list", id, bucket)
	if err != nil {
		return page, err
	}
	page, err = s.homes.Objects(ctx, as, bucket, q)
	return page, objectError(err)
}

// OpenObject begins to read an object, or a range of it.
func (s *RGWUsers) OpenObject(ctx context.Context, a Actor, id, bucket, key, byteRange string) (*OpenObject, error) {
	as, err := s.readingBucket(ctx, a, "rgw.object.get", id, bucket)
	if err != nil {
		return nil, err
	}
	if err := checkObjectKey(key); err != nil {
		return nil, err
	}
	o, err := s.homes.Open(ctx, as, bucket, key, byteRange)
	return o, objectError(err)
}

// HeadObject tells of an object without its bytes.
func (s *RGWUsers) HeadObject(ctx context.Context, a Actor, id, bucket, key string) (info ObjectInfo, err error) {
	as, err := s.readingBucket(ctx, a, "rgw.object.head", id, bucket)
	if err != nil {
		return info, err
	}
	if err := checkObjectKey(key); err != nil {
		return info, err
	}
	info, err = s.homes.Head(ctx, as, bucket, key)
	return info, objectError(err)
}

func (s *RGWUsers) readingBucket(ctx context.Context, a Actor, action, id, bucket string) (RGWSigner, error) {
	as, err := s.reading(ctx, a, action, id)
	if err == nil && as.User.Status != keystile.StatusActive {
		err = explain(keystile.ErrConflict, "the user is disabled")
	}
	if err == nil {
		err = homeError(s.owns(ctx, as, bucket))
	}
	return as, err
}

// PutObject stores an object as its body streams in.
func (s *RGWUsers) PutObject(ctx context.Context, a Actor, id, bucket string, o NewObject) (info ObjectInfo, err error) {
	err = s.onObject(ctx, a, "rgw.object.put", id, bucket, o.Key, func(ctx context.Context, as RGWSigner) error {
		info, err = s.homes.Put(ctx, as, bucket, o)
		return err
	})
	return info, err
}

// DeleteObject deletes an object. One that is not there is no error, as at S3.
func (s *RGWUsers) DeleteObject(ctx context.Context, a Actor, id, bucket, key string) error {
	return s.onObject(ctx, a, "rgw.object.delete", id, bucket, key, func(ctx context.Context, as RGWSigner) error {
		return s.homes.DeleteObject(ctx, as, bucket, key)
	})
}

// onObject runs an act on an object. It takes as long as it moves, and ends with
// its client.
func (s *RGWUsers) onObject(ctx context.Context, a Actor, action, id, bucket, key string, effect func(context.Context, RGWSigner) error) error {
	var as RGWSigner
	object := s.onBucket(action, id, bucket, &as)
	find := object.do
	object.do = func(ch *change) error {
		ch.event.Key = printable(key, keystile.MaxKeyBytes)
		if err := find(ch); err != nil {
			return err
		}
		return checkObjectKey(key)
	}
	return s.outsideWhile(ctx, a, object, func(ctx context.Context) error {
		if err := s.owns(ctx, as, bucket); err != nil {
			return homeError(err)
		}
		return objectError(effect(ctx, as))
	})
}

// Lives of the URL of an upload.
const (
	defaultUploadURL = 15 * time.Minute
	maxUploadURL     = time.Hour
)

// UploadRequest asks for a URL that an object can be stored with.
type UploadRequest struct {
	Key         string
	ContentType string // that the upload must have; empty: any
	ExpiresIn   time.Duration
	AccountID   string // set here: whose right is looked at again when it is used
}

// UploadURL stores an object for whoever has it.
type UploadURL struct {
	URL       keystile.Secret
	Headers   map[string]string // that the upload must send
	ExpiresAt time.Time
}

// UploadURL makes a presigned URL for the upload of one object. It is never
// recorded; that it was made is.
func (s *RGWUsers) UploadURL(ctx context.Context, a Actor, id, bucket string, in UploadRequest) (made UploadURL, err error) {
	if in.ExpiresIn == 0 {
		in.ExpiresIn = defaultUploadURL
	}
	if in.ExpiresIn < time.Second || in.ExpiresIn > maxUploadURL {
		return made, keystile.Faults{{Field: "expires_in", Message: "must lie between 1 second and 1 hour"}}
	}
	in.AccountID = a.Account.ID
	err = s.onObject(ctx, a, "rgw.object.upload_url", id, bucket, in.Key, func(_ context.Context, as RGWSigner) error {
		made, err = s.homes.UploadURL(as, bucket, in)
		return err
	})
	return made, err
}

func checkObjectKey(key string) error {
	if err := keystile.CheckKey(key); err != nil {
		return keystile.Faults{{Field: "key", Message: trimInvalid(err)}}
	}
	return nil
}

func objectError(err error) error {
	var explained *Explained
	if errors.Is(err, keystile.ErrNotFound) && !errors.As(err, &explained) {
		return &Explained{"there is no such object", err}
	}
	return homeError(err)
}

func compareNames(a, b keystile.Bucket) int { return cmp.Compare(a.Name, b.Name) }

func joinWords(words []string) string { return strings.Join(words, ", ") }
