package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// RGWQuota is what a user's buckets may hold together; -1 KiB is unlimited.
type RGWQuota struct {
	MaxSizeKB int64 `json:"max_size_kb"`
	Enabled   bool  `json:"enabled"`
}

// RGWUser is an S3 identity of a project. SecretKey is a mask but in the answers
// that make one.
type RGWUser struct {
	ID               string     `json:"id"`
	Name             string     `json:"name"`
	ProjectID        string     `json:"project_id"`
	BackendID        string     `json:"backend_id"`
	AccessKeyID      string     `json:"access_key_id"`
	SecretKey        string     `json:"secret_key"`
	Status           string     `json:"status"`
	Locked           bool       `json:"locked"`
	LockReason       *string    `json:"lock_reason"`
	Quota            RGWQuota   `json:"quota"`
	BucketsTotalSize *int64     `json:"buckets_total_size_kb"`
	Endpoint         string     `json:"endpoint"`
	Region           string     `json:"region"`
	CreatedAt        *time.Time `json:"created_at"`
	UpdatedAt        *time.Time `json:"updated_at"`
	KeyRenewedAt     *time.Time `json:"key_renewed_at"`
	State            string     `json:"state"`
	UID              string     `json:"uid,omitempty"`
	Adopted          bool       `json:"adopted"`
	Drift            []string   `json:"drift,omitempty"`
	Job              *RGWJob    `json:"job,omitempty"`
}

// RGWSecretMask stands for a secret that is not shown.
const RGWSecretMask = "********"

// RGWJob is a deletion with all objects.
type RGWJob struct {
	ID             string `json:"id"`
	UserID         string `json:"user_id"`
	State          string `json:"state"` // running, cancelling, done or cancelled
	Buckets        int    `json:"buckets"`
	BucketsLeft    int    `json:"buckets_left"`
	ObjectsDeleted int64  `json:"objects_deleted"`
	Message        string `json:"message,omitempty"` // why it stands still
	// The following are nil where the server does not know.
	ObjectsLeft      *int64   `json:"objects_left"`
	ObjectsPerSecond *float64 `json:"objects_per_second"`
	SecondsLeft      *int64   `json:"seconds_left"`
	// UpdatedAt is when it told last how far it is.
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// UnmanagedRGWUser is a user of a Ceph that is not managed here.
type UnmanagedRGWUser struct {
	UID string `json:"uid"`
}

// NewRGWUser asks for a user. A quota is for admins.
type NewRGWUser struct {
	Name      string    `json:"name"`
	ProjectID string    `json:"project_id"`
	BackendID string    `json:"backend_id,omitempty"`
	Quota     *RGWQuota `json:"quota,omitempty"`
}

// RGWQuotaEdit changes what is not nil.
type RGWQuotaEdit struct {
	MaxSizeKB *int64 `json:"max_size_kb,omitempty"`
	Enabled   *bool  `json:"enabled,omitempty"`
}

// RGWUserEdit changes what is not nil; all but the name is for admins.
type RGWUserEdit struct {
	Name       *string       `json:"name,omitempty"`
	Quota      *RGWQuotaEdit `json:"quota,omitempty"`
	Locked     *bool         `json:"locked,omitempty"`
	LockReason *string       `json:"lock_reason,omitempty"`
	Status     *string       `json:"status,omitempty"`
}

// atRGW joins path segments, each escaped.
func atRGW(segments ...string) string { return "/rgw" + strings.TrimPrefix(at(segments...), "/api") }

// CreateRGWUser makes a user; its secret is in the answer.
func (c *Client) CreateRGWUser(ctx context.Context, in NewRGWUser) (RGWUser, error) {
	var out RGWUser
	return out, c.call(ctx, http.MethodPost, atRGW("users"), nil, map[string]NewRGWUser{"user": in}, &out)
}

// RGWUsers calls yield for users, newest first; limit 0 means all. An admin may
// leave the project out.
func (c *Client) RGWUsers(ctx context.Context, projectID string, limit int, yield func(RGWUser) error) error {
	query := url.Values{}
	if projectID != "" {
		query.Set("project_id", projectID)
	}
	return pages(ctx, c, atRGW("users"), query, limit, yield)
}

// RGWUser shows one with its usage.
func (c *Client) RGWUser(ctx context.Context, id string) (RGWUser, error) {
	var out RGWUser
	return out, c.call(ctx, http.MethodGet, atRGW("users", id), nil, nil, &out)
}

// EditRGWUser changes one.
func (c *Client) EditRGWUser(ctx context.Context, id string, edit RGWUserEdit) (RGWUser, error) {
	var out RGWUser
	return out, c.call(ctx, http.MethodPatch, atRGW("users", id), nil, edit, &out)
}

// RenewRGWUserKey gives the key a new secret, which is in the answer; of a locked
// user it stays, and is masked.
func (c *Client) RenewRGWUserKey(ctx context.Context, id string) (RGWUser, error) {
	var out RGWUser
	return out, c.call(ctx, http.MethodPost, atRGW("users", id, "renew_key"), nil, nil, &out)
}

// DeleteRGWUser deletes a user without objects.
func (c *Client) DeleteRGWUser(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, atRGW("users", id), nil, nil, nil)
}

// RGWUserEvents calls yield for what the audit trail has of a user, newest first;
// done is "to" the user, or "with" its key. Limit 0 means all.
func (c *Client) RGWUserEvents(ctx context.Context, id, done string, limit int, yield func(Event) error) error {
	return pages(ctx, c, atRGW("users", id, "events"), url.Values{"done": {done}}, limit, yield)
}

// PurgeRGWUser begins to delete a user with all its objects.
func (c *Client) PurgeRGWUser(ctx context.Context, id string) (RGWJob, error) {
	var out RGWJob
	return out, c.call(ctx, http.MethodDelete, atRGW("users", id), url.Values{"purge_objects": {"true"}}, nil, &out)
}

// RGWJob shows how far a deletion is.
func (c *Client) RGWJob(ctx context.Context, id string) (RGWJob, error) {
	var out RGWJob
	return out, c.call(ctx, http.MethodGet, atRGW("jobs", id), nil, nil, &out)
}

// CancelRGWJob stops a deletion.
func (c *Client) CancelRGWJob(ctx context.Context, id string) (RGWJob, error) {
	var out RGWJob
	return out, c.call(ctx, http.MethodDelete, atRGW("jobs", id), nil, nil, &out)
}

// UnmanagedRGWUsers calls yield for a Ceph's users that are not managed here;
// limit 0 means all.
func (c *Client) UnmanagedRGWUsers(ctx context.Context, backend string, limit int, yield func(UnmanagedRGWUser) error) error {
	return pages(ctx, c, atRGW("backends", backend, "users"), url.Values{}, limit, yield)
}

// AdoptRGWUser takes a Ceph's user under management.
func (c *Client) AdoptRGWUser(ctx context.Context, backend, uid, projectID, name string) (RGWUser, error) {
	var out RGWUser
	in := map[string]string{"uid": uid, "project_id": projectID}
	if name != "" {
		in["name"] = name
	}
	return out, c.call(ctx, http.MethodPost, atRGW("backends", backend, "adopt"), nil, in, &out)
}

// ForgetRGWUser gives a Ceph's user back.
func (c *Client) ForgetRGWUser(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, atRGW("users", id, "forget"), nil, nil, nil)
}
