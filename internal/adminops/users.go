package adminops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"keystile/internal/keystile"
)

const (
	userPath     = "/admin/user"
	metadataPath = "/admin/metadata/user"
)

// User is a Ceph user as the API describes it.
type User struct {
	UID         string
	DisplayName string
	Suspended   bool
	Keys        []Key
	Caps        []Cap
	Quota       Quota
	Usage       Usage // zero unless it was asked for
}

// Key is one S3 key pair of a user.
type Key struct {
	AccessKeyID string
	Secret      keystile.Secret
}

// Secret returns that of one of the user's keys; zero if it has no such key.
func (u User) Secret(accessKeyID string) keystile.Secret {
	for _, k := range u.Keys {
		if k.AccessKeyID == accessKeyID {
			return k.Secret
		}
	}
	return keystile.Secret{}
}

// Quota is a user's. MaxSizeKB is in KiB; -1 is unlimited.
type Quota struct {
	Enabled   bool
	MaxSizeKB int64
}

// Unlimited is the size that bounds nothing.
const Unlimited = -1

// Usage is what a user, or a bucket, holds.
type Usage struct {
	Bytes   int64
	Objects int64
}

// SizeKB is the size in KiB, rounded up, as Ceph counts it.
func (u Usage) SizeKB() int64 { return (u.Bytes + 1023) / 1024 }

// userAnswer is the JSON of a user.
type userAnswer struct {
	UserID      string `json:"user_id"`
	DisplayName string `json:"display_name"`
	Suspended   int    `json:"suspended"`
	Keys        []struct {
		User      string `json:"user"`
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
	} `json:"keys"`
	Caps  []Cap       `json:"caps"`
	Quota quotaAnswer `json:"user_quota"`
	Stats usageAnswer `json:"stats"`
}

// quotaAnswer has bytes in max_size; an unlimited one is negative, and -1 KiB
// reads back as -1024 there.
type quotaAnswer struct {
	Enabled bool  `json:"enabled"`
	MaxSize int64 `json:"max_size"`
}

func (q quotaAnswer) quota() Quota {
	if q.MaxSize < 0 {
		return Quota{q.Enabled, Unlimited}
	}
	return Quota{q.Enabled, q.MaxSize / 1024}
}

type usageAnswer struct {
	Size       int64 `json:"size"`
	NumObjects int64 `json:"num_objects"`
}

func (a userAnswer) user() User {
	u := User{
		UID: a.UserID, DisplayName: a.DisplayName, Suspended: a.Suspended != 0, Caps: a.Caps,
		Quota: a.Quota.quota(), Usage: Usage{a.Stats.Size, a.Stats.NumObjects},
	}
	for _, k := range a.Keys {
		u.Keys = append(u.Keys, Key{k.AccessKey, keystile.NewSecret(k.SecretKey)})
	}
	return u
}

// NewUser is a user to be made, with its one key.
type NewUser struct {
	UID         string
	DisplayName string
	Key         Key
}

// CreateUser makes a user. A uid that is taken is keystile.ErrConflict, an
// access key ID that is taken ErrKeyTaken. It reads back what was made: of
// parallel creations of one uid several succeed, and one key is kept. A user
// that has just this key already is taken for made: an earlier try did it.
func (c *Client) CreateUser(ctx context.Context, n NewUser) error {
	back, err := c.users.Take(ctx, n.UID)
	if err != nil {
		return err
	}
	defer back()
	making := c.call(ctx, http.MethodPut, userPath, url.Values{
		"uid": {n.UID}, "display-name": {n.DisplayName}, "generate-key": {"false"},
		"access-key": {n.Key.AccessKeyID}, "secret-key": {n.Key.Secret.Reveal()},
	}, nil)
	if making != nil && !errors.Is(making, keystile.ErrConflict) {
		return making
	}
	made, err := c.User(ctx, n.UID)
	if errors.Is(err, keystile.ErrNotFound) && making != nil {
		return making // the key is another user's
	}
	if err != nil {
		return err
	}
	if len(made.Keys) == 1 && made.Secret(n.Key.AccessKeyID).Equal(n.Key.Secret) {
		return nil
	}
	if making != nil {
		return making
	}
	return fmt.Errorf("user %s was made by somebody else at the same time: %w", n.UID, keystile.ErrConflict)
}

// User returns a user; keystile.ErrNotFound if there is none.
func (c *Client) User(ctx context.Context, uid string) (User, error) {
	return c.user(ctx, url.Values{"uid": {uid}})
}

// UserWithUsage is User with what it holds, counted anew: what the radosgw keeps
// lags behind fresh writes.
func (c *Client) UserWithUsage(ctx context.Context, uid string) (User, error) {
	return c.user(ctx, url.Values{"uid": {uid}, "stats": {"true"}, "sync": {"true"}})
}

// UserByKey returns the user that has the access key ID.
func (c *Client) UserByKey(ctx context.Context, accessKeyID string) (User, error) {
	return c.user(ctx, url.Values{"access-key": {accessKeyID}})
}

func (c *Client) user(ctx context.Context, query url.Values) (User, error) {
	var a userAnswer
	if err := c.call(ctx, http.MethodGet, userPath, query, &a); err != nil {
		return User{}, err
	}
	if a.UserID == "" {
		return User{}, fmt.Errorf("the answer of the Admin Ops API names no user: %w", keystile.ErrUnavailable)
	}
	return a.user(), nil
}

// SetSecret gives the user's key a secret; a key that the user does not have is
// made. The one before fails on the next request.
func (c *Client) SetSecret(ctx context.Context, uid string, key Key) error {
	return c.change(ctx, uid, http.MethodPut, userPath, url.Values{
		"key": {""}, "uid": {uid}, "access-key": {key.AccessKeyID}, "secret-key": {key.Secret.Reveal()}, "generate-key": {"false"},
	})
}

// DeleteKey takes a key from the user. One that is not there is no error: a
// radosgw calls it InvalidAccessKeyId, as it calls a signature's.
func (c *Client) DeleteKey(ctx context.Context, uid, accessKeyID string) error {
	err := c.change(ctx, uid, http.MethodDelete, userPath, url.Values{"key": {""}, "uid": {uid}, "access-key": {accessKeyID}})
	if !codeIs(err, "InvalidAccessKeyId") {
		return err
	}
	if _, err := c.User(ctx, uid); err != nil { // is it our own key that is not known?
		return err
	}
	return nil
}

// Rename changes the name that people see.
func (c *Client) Rename(ctx context.Context, uid, displayName string) error {
	return c.change(ctx, uid, http.MethodPost, userPath, url.Values{"uid": {uid}, "display-name": {displayName}})
}

// SetSuspended stops all keys of the user, or lets them work again, at once.
func (c *Client) SetSuspended(ctx context.Context, uid string, suspended bool) error {
	return c.change(ctx, uid, http.MethodPost, userPath, url.Values{"uid": {uid}, "suspended": {strconv.FormatBool(suspended)}})
}

// SetQuota bounds what the user may hold. It has the usage counted first: bytes
// written before a quota was set are not counted otherwise.
func (c *Client) SetQuota(ctx context.Context, uid string, q Quota) error {
	if err := q.check(); err != nil {
		return err
	}
	if q.Enabled {
		if _, err := c.UserWithUsage(ctx, uid); err != nil {
			return err
		}
	}
	return c.change(ctx, uid, http.MethodPut, userPath, url.Values{
		"quota": {""}, "uid": {uid}, "quota-type": {"user"},
		"max-size-kb": {strconv.FormatInt(q.MaxSizeKB, 10)}, "enabled": {strconv.FormatBool(q.Enabled)},
	})
}

// maxQuotaKB keeps the size in bytes within what Ceph stores.
const maxQuotaKB = 1 << 52

// check refuses what a radosgw would take and store as something else.
func (q Quota) check() error {
	if q.MaxSizeKB < Unlimited || q.MaxSizeKB > maxQuotaKB {
		return fmt.Errorf("a quota of %d KiB: %w", q.MaxSizeKB, keystile.ErrInvalid)
	}
	return nil
}

// RemoveUser removes a user; one with buckets is ErrNotEmpty.
func (c *Client) RemoveUser(ctx context.Context, uid string) error {
	return c.change(ctx, uid, http.MethodDelete, userPath, url.Values{"uid": {uid}})
}

// change is a call that changes one user.
func (c *Client) change(ctx context.Context, uid, method, path string, query url.Values) error {
	if uid == "" {
		return fmt.Errorf("a change without a uid: %w", keystile.ErrInvalid)
	}
	back, err := c.users.Take(ctx, uid)
	if err != nil {
		return err
	}
	defer back()
	return c.call(ctx, method, path, query, nil)
}

// UIDs lists users from a marker on, in pages of up to limit; the next marker is
// empty on the last page.
func (c *Client) UIDs(ctx context.Context, marker string, limit int) (uids []string, next string, err error) {
	query := url.Values{"max-entries": {strconv.Itoa(limit)}}
	if marker != "" {
		query.Set("marker", marker)
	}
	var page struct {
		Keys      []string `json:"keys"`
		Truncated any      `json:"truncated"` // a string, in some releases a boolean
		Marker    string   `json:"marker"`
	}
	if err := c.call(ctx, http.MethodGet, metadataPath, query, &page); err != nil {
		return nil, "", err
	}
	if page.Truncated == "true" || page.Truncated == true {
		next = page.Marker
	}
	return page.Keys, next, nil
}
