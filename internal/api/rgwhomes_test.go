package api

import (
	"context"
	"io"
	"strings"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// homes take everything for done and hold one bucket with one object. What real
// ones do is tried at real ones.
type homes struct {
	making func() // called while a user is made; nil: nothing
}

var _ control.RGWHomes = homes{}

func (h homes) Create(context.Context, keystile.RGWUser, keystile.Secret) error {
	if h.making != nil {
		h.making()
	}
	return nil
}

func (homes) SetSecret(context.Context, keystile.RGWUser, keystile.Secret) error { return nil }
func (homes) SetQuota(context.Context, keystile.RGWUser) error                   { return nil }
func (homes) SetSuspended(context.Context, keystile.RGWUser, bool) error         { return nil }
func (homes) Rename(context.Context, keystile.RGWUser) error                     { return nil }
func (homes) Remove(context.Context, keystile.RGWUser) error                     { return nil }

func (homes) Look(_ context.Context, u keystile.RGWUser, secret keystile.Secret) (keystile.RGWHome, error) {
	return keystile.RGWHome{Secret: secret, Name: u.Name, Quota: u.Quota}, nil
}

func (homes) Owner(_ context.Context, u keystile.RGWUser, bucket string) (keystile.RGWBucketInfo, error) {
	return keystile.RGWBucketInfo{Bucket: keystile.Bucket{Backend: u.BackendID, Name: bucket}, Owner: u.UID}, nil
}

func (homes) Buckets(context.Context, keystile.RGWUser) ([]keystile.RGWBucketInfo, error) {
	return nil, nil
}

func (homes) Usage(context.Context, keystile.Bucket) (bytes, objects int64, err error) {
	return 0, 0, nil
}

func (homes) CreateBucket(context.Context, control.RGWSigner, string, string) error { return nil }
func (homes) HasBucket(context.Context, keystile.Bucket) (bool, error)              { return false, nil }
func (homes) ListsBucket(context.Context, keystile.Bucket) (bool, error)            { return true, nil }
func (homes) Untouched(context.Context, keystile.Bucket) (bool, error)              { return true, nil }
func (homes) DeleteBucket(context.Context, control.RGWSigner, string) error         { return nil }

func (homes) Empty(context.Context, control.RGWSigner, string) (deleted int64, done bool, err error) {
	return 0, true, nil
}

func (homes) ACL(context.Context, control.RGWSigner, string) (string, error) {
	return keystile.ACLPrivate, nil
}

func (homes) SetACL(context.Context, control.RGWSigner, string, string) error { return nil }

func (homes) Objects(context.Context, control.RGWSigner, string, control.ObjectQuery) (control.ObjectPage, error) {
	return control.ObjectPage{Objects: []control.ObjectInfo{{Key: "k", LastModified: time.Unix(1, 0)}}}, nil
}

func (homes) Put(_ context.Context, _ control.RGWSigner, _ string, o control.NewObject) (control.ObjectInfo, error) {
	n, err := io.Copy(io.Discard, o.Body)
	return control.ObjectInfo{Key: o.Key, Size: n}, err
}

func (homes) Open(_ context.Context, _ control.RGWSigner, _, key, _ string) (*control.OpenObject, error) {
	return &control.OpenObject{
		ObjectInfo: control.ObjectInfo{Key: key, ETag: "e", ContentType: "text/html"}, Length: 8,
		Body: io.NopCloser(strings.NewReader("<script>")),
	}, nil
}

func (homes) Head(_ context.Context, _ control.RGWSigner, _, key string) (control.ObjectInfo, error) {
	return control.ObjectInfo{Key: key}, nil
}

func (homes) UploadURL(control.RGWSigner, string, control.UploadRequest) (control.UploadURL, error) {
	return control.UploadURL{URL: keystile.NewSecret("http://s3.test/u"), ExpiresAt: time.Unix(1, 0)}, nil
}

func (homes) DeleteObject(context.Context, control.RGWSigner, string, string) error { return nil }

func (homes) Unmanaged(_ context.Context, _, uid string) (control.CephUser, error) {
	return control.CephUser{
		UID: uid, Home: keystile.RGWHome{Name: uid},
		Keys: []control.CephKey{{AccessKeyID: "KEYOF" + uid, Secret: keystile.NewSecret("a Ceph's secret")}},
	}, nil
}

func (homes) UIDs(context.Context, string, string, int) (uids []string, next string, err error) {
	return []string{"somebody"}, "", nil
}
