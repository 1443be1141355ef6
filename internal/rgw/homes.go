package rgw

import (
	"context"
	"errors"
	"fmt"

	"keystile/internal/adminops"
	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

// Backends are the backends as they can be reached.
type Backends interface {
	Get(id string) (*upstream.Backend, bool)
	Buckets(ctx context.Context, backendID string) ([]keystile.BucketInfo, error)
	HasBucket(ctx context.Context, bucket keystile.Bucket) (bool, error)
	CreateBucket(ctx context.Context, bucket keystile.Bucket) error
	DeleteBucket(ctx context.Context, bucket keystile.Bucket) error
	Versions(ctx context.Context, bucket keystile.Bucket, after keystile.VersionMark) (keystile.VersionPage, error)
	Uploads(ctx context.Context, bucket keystile.Bucket, after keystile.UploadMark) ([]keystile.PendingUpload, *keystile.UploadMark, error)
}

// Homes implements control.RGWHomes.
type Homes struct {
	backends Backends
	gateway  Gateway
}

// Gateway is where S3 clients go; without a URL none is served.
type Gateway struct {
	URL    string
	Region string
}

var _ control.RGWHomes = (*Homes)(nil)

// New makes the homes of all backends.
func New(b Backends, g Gateway) *Homes { return &Homes{b, g} }

func (h *Homes) backend(id string) (*upstream.Backend, error) {
	b, ok := h.backends.Get(id)
	if !ok {
		return nil, fmt.Errorf("backend %q: %w", id, keystile.ErrUnavailable)
	}
	return b, nil
}

// ceph is the Admin Ops API of a backend.
func (h *Homes) ceph(id string) (*adminops.Client, error) {
	b, err := h.backend(id)
	if err != nil {
		return nil, err
	}
	if b.Admin() == nil {
		return nil, fmt.Errorf("backend %q has no Admin Ops API: %w", id, keystile.ErrUnavailable)
	}
	return b.Admin(), nil
}

// atCeph calls fn where a Ceph is the user's home, and does nothing elsewhere.
func (h *Homes) atCeph(u keystile.RGWUser, fn func(*adminops.Client) error) error {
	if !u.AtCeph() {
		return nil
	}
	c, err := h.ceph(u.BackendID)
	if err != nil {
		return err
	}
	return fn(c)
}

// Create implements control.RGWHomes.
func (h *Homes) Create(ctx context.Context, u keystile.RGWUser, secret keystile.Secret) error {
	return h.atCeph(u, func(c *adminops.Client) error {
		key := adminops.Key{AccessKeyID: u.AccessKeyID, Secret: secret}
		if err := c.CreateUser(ctx, adminops.NewUser{UID: u.UID, DisplayName: u.Name, Key: key}); err != nil {
			return err
		}
		err := c.SetQuota(ctx, u.UID, quotaOf(u))
		if errors.Is(err, keystile.ErrInvalid) {
			// The user is there: it must not be taken for one that is not.
			return fmt.Errorf("quota of the new user: %w: %w", keystile.ErrUnavailable, err)
		}
		return err
	})
}

func quotaOf(u keystile.RGWUser) adminops.Quota {
	return adminops.Quota{Enabled: u.Quota.Enabled, MaxSizeKB: u.Quota.MaxSizeKB}
}

// SetSecret implements control.RGWHomes.
func (h *Homes) SetSecret(ctx context.Context, u keystile.RGWUser, secret keystile.Secret) error {
	return h.atCeph(u, func(c *adminops.Client) error {
		return c.SetSecret(ctx, u.UID, adminops.Key{AccessKeyID: u.AccessKeyID, Secret: secret})
	})
}

// SetQuota implements control.RGWHomes.
func (h *Homes) SetQuota(ctx context.Context, u keystile.RGWUser) error {
	return h.atCeph(u, func(c *adminops.Client) error { return c.SetQuota(ctx, u.UID, quotaOf(u)) })
}

// SetSuspended implements control.RGWHomes.
func (h *Homes) SetSuspended(ctx context.Context, u keystile.RGWUser, suspended bool) error {
	return h.atCeph(u, func(c *adminops.Client) error { return c.SetSuspended(ctx, u.UID, suspended) })
}

// Rename implements control.RGWHomes.
func (h *Homes) Rename(ctx context.Context, u keystile.RGWUser) error {
	return h.atCeph(u, func(c *adminops.Client) error { return c.Rename(ctx, u.UID, u.Name) })
}

// Remove implements control.RGWHomes.
func (h *Homes) Remove(ctx context.Context, u keystile.RGWUser) error {
	return h.atCeph(u, func(c *adminops.Client) error { return c.RemoveUser(ctx, u.UID) })
}

// Look implements control.RGWHomes.
func (h *Homes) Look(ctx context.Context, u keystile.RGWUser, secret keystile.Secret) (keystile.RGWHome, error) {
	if !u.AtCeph() {
		return keystile.RGWHome{Secret: secret, Name: u.Name, Suspended: u.Status != keystile.StatusActive, Quota: u.Quota}, nil
	}
	c, err := h.ceph(u.BackendID)
	if err != nil {
		return keystile.RGWHome{}, err
	}
	found, err := c.UserWithUsage(ctx, u.UID)
	return homeOf(found, u.AccessKeyID), err
}

func homeOf(u adminops.User, accessKeyID string) keystile.RGWHome {
	return keystile.RGWHome{
		Secret: u.Secret(accessKeyID), Name: u.DisplayName, Suspended: u.Suspended,
		Quota: keystile.SizeQuota{MaxSizeKB: u.Quota.MaxSizeKB, Enabled: u.Quota.Enabled},
		Bytes: u.Usage.Bytes, Objects: u.Usage.Objects,
	}
}

// Owner implements control.RGWHomes.
func (h *Homes) Owner(ctx context.Context, u keystile.RGWUser, bucket string) (info keystile.RGWBucketInfo, err error) {
	c, err := h.ceph(u.BackendID)
	if err != nil {
		return info, err
	}
	found, err := c.Bucket(ctx, bucket)
	return infoOf(u, found), err
}

// Buckets implements control.RGWHomes.
func (h *Homes) Buckets(ctx context.Context, u keystile.RGWUser) ([]keystile.RGWBucketInfo, error) {
	c, err := h.ceph(u.BackendID)
	if err != nil {
		return nil, err
	}
	found, err := c.Buckets(ctx, u.UID)
	list := make([]keystile.RGWBucketInfo, len(found))
	for i, b := range found {
		list[i] = infoOf(u, b)
	}
	return list, err
}

func infoOf(u keystile.RGWUser, b adminops.Bucket) keystile.RGWBucketInfo {
	return keystile.RGWBucketInfo{
		Bucket: keystile.Bucket{Backend: u.BackendID, Name: b.Name}, Owner: b.Owner, CreatedAt: b.CreatedAt,
		Bytes: b.Usage.Bytes, Objects: b.Usage.Objects,
	}
}

// Unmanaged implements control.RGWHomes.
func (h *Homes) Unmanaged(ctx context.Context, backendID, uid string) (found control.CephUser, err error) {
	c, err := h.ceph(backendID)
	if err != nil {
		return found, err
	}
	u, err := c.User(ctx, uid)
	if err != nil {
		return found, err
	}
	found = control.CephUser{UID: u.UID, Home: homeOf(u, "")}
	for _, k := range u.Keys {
		found.Keys = append(found.Keys, control.CephKey(k))
	}
	return found, nil
}

// UIDs implements control.RGWHomes.
func (h *Homes) UIDs(ctx context.Context, backendID, cursor string, limit int) ([]string, string, error) {
	c, err := h.ceph(backendID)
	if err != nil {
		return nil, "", err
	}
	return c.UIDs(ctx, cursor, limit)
}
