package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"keystile/internal/keystile"
)

// Grant is one line of a scope.
type Grant struct {
	Backend     string   `json:"backend"`
	Bucket      string   `json:"bucket"`
	Permissions []string `json:"permissions"`
	Prefix      string   `json:"prefix,omitempty"`
	Alias       string   `json:"alias,omitempty"`
}

// GrantOf writes a grant of the domain for the wire.
func GrantOf(g keystile.Grant) Grant {
	return Grant{g.Bucket.Backend, g.Bucket.Name, g.Permission.Names(), g.Prefix, g.Alias}
}

// CredentialLimits bound what a credential writes; nil: no bound.
type CredentialLimits struct {
	CeilingBytes   *int64 `json:"ceiling_bytes,omitempty"`
	CeilingObjects *int64 `json:"ceiling_objects,omitempty"`
	AllowanceBytes *int64 `json:"allowance_bytes,omitempty"`
	AllowancePer   string `json:"allowance_per,omitempty"` // "day" or "total"
}

// Quota is what bounds a credential beside the quotas of its buckets.
type Quota struct {
	Inherits bool   `json:"inherits"`
	Text     string `json:"text"`
	CredentialLimits
	FullestBytes       *int64 `json:"fullest_bytes,omitempty"`
	FullestObjects     *int64 `json:"fullest_objects,omitempty"`
	AllowanceUsedBytes *int64 `json:"allowance_used_bytes,omitempty"`
}

// Credential is a virtual key pair. The secret is there once, in the answer to
// create and rotate.
type Credential struct {
	AccessKeyID     string     `json:"access_key_id"`
	SecretAccessKey string     `json:"secret_access_key,omitempty"`
	S3Endpoint      string     `json:"s3_endpoint,omitempty"`
	Region          string     `json:"region,omitempty"`
	Description     string     `json:"description"`
	Status          string     `json:"status"`
	Grants          []Grant    `json:"grants"`
	Quota           *Quota     `json:"quota,omitempty"`
	Owner           string     `json:"owner,omitempty"`
	CreatedBy       string     `json:"created_by,omitempty"`
	CreatedAt       *time.Time `json:"created_at,omitempty"`
	UpdatedAt       *time.Time `json:"updated_at,omitempty"`
	ExpiresAt       *time.Time `json:"expires_at"`
	DisabledAt      *time.Time `json:"disabled_at,omitempty"`
	RevokedAt       *time.Time `json:"revoked_at,omitempty"`
	RotatedAt       *time.Time `json:"rotated_at,omitempty"`
	OverlapUntil    *time.Time `json:"overlap_until,omitempty"`
	LastUsedAt      *time.Time `json:"last_used_at"`
}

// Expiry is when something ends: after a duration ("24h", "30d") or at a time;
// both empty means never.
type Expiry struct {
	In string     `json:"expires_in,omitempty"`
	At *time.Time `json:"expires_at,omitempty"`
}

// NewCredential asks for a credential.
type NewCredential struct {
	Description string  `json:"description"`
	Grants      []Grant `json:"grants"`
	Owner       string  `json:"owner,omitempty"`
	Expiry
	Quota *CredentialLimits `json:"quota,omitempty"`
}

// CreateCredential mints one. The answer alone has the secret.
func (c *Client) CreateCredential(ctx context.Context, in NewCredential) (Credential, error) {
	var out Credential
	return out, c.call(ctx, http.MethodPost, at("credentials"), nil, in, &out)
}

// CredentialFilter selects credentials; zero fields do not filter.
type CredentialFilter struct {
	Text  string // part of the access key ID or description
	Owner string
	Limit int // 0: all
}

// Credentials lists newest first.
func (c *Client) Credentials(ctx context.Context, f CredentialFilter) ([]Credential, error) {
	query := url.Values{}
	setIf(query, "q", f.Text)
	setIf(query, "owner", f.Owner)
	list := []Credential{}
	err := pages(ctx, c, at("credentials"), query, f.Limit, func(one Credential) error {
		list = append(list, one)
		return nil
	})
	return list, err
}

// Credential returns one.
func (c *Client) Credential(ctx context.Context, id string) (Credential, error) {
	var out Credential
	return out, c.call(ctx, http.MethodGet, at("credentials", id), nil, nil, &out)
}

// Traffic counts S3 requests.
type Traffic struct {
	Requests int64 `json:"requests"`
	Errors   int64 `json:"errors"`
	Refusals int64 `json:"refusals"` // by the gateway
	BytesIn  int64 `json:"bytes_in"`
	BytesOut int64 `json:"bytes_out"`
}

// CredentialTraffic is what a credential did lately.
type CredentialTraffic struct {
	LastHour Traffic `json:"last_hour"`
	Last24h  Traffic `json:"last_24h"`
}

// CredentialTraffic returns what a credential did lately.
func (c *Client) CredentialTraffic(ctx context.Context, id string) (CredentialTraffic, error) {
	var out CredentialTraffic
	return out, c.call(ctx, http.MethodGet, at("credentials", id, "traffic"), nil, nil, &out)
}

// CredentialEdit changes what is not nil.
type CredentialEdit struct {
	Description *string
	Grants      []Grant
	Owner       *string
	Expiry      *Expiry // both fields empty: never
	Quota       *CredentialLimits
	NoQuota     bool // take all limits away
}

// MarshalJSON writes only what changes; an expiry of never is an explicit null.
func (e CredentialEdit) MarshalJSON() ([]byte, error) {
	fields := map[string]any{}
	if e.Description != nil {
		fields["description"] = *e.Description
	}
	if e.Grants != nil {
		fields["grants"] = e.Grants
	}
	switch {
	case e.NoQuota:
		fields["quota"] = nil
	case e.Quota != nil:
		fields["quota"] = e.Quota
	}
	if e.Owner != nil {
		fields["owner"] = *e.Owner
	}
	switch {
	case e.Expiry == nil:
	case e.Expiry.In != "":
		fields["expires_in"] = e.Expiry.In
	default:
		fields["expires_at"] = e.Expiry.At
	}
	return json.Marshal(fields)
}

// EditCredential changes a credential.
func (c *Client) EditCredential(ctx context.Context, id string, e CredentialEdit) (Credential, error) {
	var out Credential
	return out, c.call(ctx, http.MethodPatch, at("credentials", id), nil, e, &out)
}

// RotateCredential gives it a new secret, shown once. The old one works on for
// the overlap ("1h"); empty means it ends now.
func (c *Client) RotateCredential(ctx context.Context, id, overlap string) (Credential, error) {
	in := struct {
		Overlap string `json:"overlap,omitempty"`
	}{overlap}
	var out Credential
	return out, c.call(ctx, http.MethodPost, at("credentials", id, "rotate"), nil, in, &out)
}

// DisableCredential stops it until it is enabled again.
func (c *Client) DisableCredential(ctx context.Context, id string) (Credential, error) {
	return c.credentialAct(ctx, id, "disable")
}

// EnableCredential undoes disabling.
func (c *Client) EnableCredential(ctx context.Context, id string) (Credential, error) {
	return c.credentialAct(ctx, id, "enable")
}

// RevokeCredential ends it for good.
func (c *Client) RevokeCredential(ctx context.Context, id string) (Credential, error) {
	return c.credentialAct(ctx, id, "revoke")
}

func (c *Client) credentialAct(ctx context.Context, id, act string) (Credential, error) {
	var out Credential
	return out, c.call(ctx, http.MethodPost, at("credentials", id, act), nil, nil, &out)
}

func setIf(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}
