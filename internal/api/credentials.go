package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// credentials serves virtual keys.
type credentials struct {
	credentials *control.Credentials
	server      Server
}

func (h credentials) mount(r *router) {
	const tag, one = "Credentials", "/api/credentials/{access_key_id}"
	register(r, operation{method: http.MethodGet, path: "/api/credentials", id: "listCredentials", tag: tag,
		summary: "List credentials, newest first", description: "Who is no admin sees the credentials it owns."}, h.list)
	register(r, operation{method: http.MethodPost, path: "/api/credentials", id: "createCredential", tag: tag,
		summary: "Mint a credential", status: http.StatusCreated, description: "The secret is shown once."}, h.create)
	register(r, operation{method: http.MethodGet, path: one, id: "getCredential", tag: tag,
		summary: "Show a credential"}, h.get)
	register(r, operation{method: http.MethodPatch, path: one, id: "updateCredential", tag: tag,
		summary: "Edit a credential", description: "When it returns, no gateway accepts what the edit took away."}, h.update)
	register(r, operation{method: http.MethodPost, path: one + "/rotate", id: "rotateCredential", tag: tag,
		summary:     "Give a credential a new secret",
		description: "The access key ID stays. The old secret works on for the overlap; without one it ends when this returns."}, h.rotate)
	register(r, operation{method: http.MethodPost, path: one + "/disable", id: "disableCredential", tag: tag,
		summary: "Disable a credential", description: "Ends every overlap."}, h.disable)
	register(r, operation{method: http.MethodPost, path: one + "/enable", id: "enableCredential", tag: tag,
		summary: "Enable a disabled credential"}, h.enable)
	register(r, operation{method: http.MethodPost, path: one + "/revoke", id: "revokeCredential", tag: tag,
		summary:     "Revoke a credential for good",
		description: "When it returns, the next signed call gets 401 and requests in flight have been cut."}, h.revoke)
}

// Grant is one line of a credential's scope.
type Grant struct {
	Backend     string   `json:"backend"`
	Bucket      string   `json:"bucket"`
	Permissions []string `json:"permissions" minItems:"1" maxItems:"6" enum:"read,list,write,delete,acl,bypass-governance"`
	Prefix      string   `json:"prefix,omitempty" doc:"every key must start with it, byte by byte; absent: the whole bucket"`
	Alias       string   `json:"alias,omitempty" doc:"the bucket name that the client sees; absent: the real one"`
}

// CredentialLimits bound what a credential writes below what its buckets may hold.
type CredentialLimits struct {
	CeilingBytes   *int64 `json:"ceiling_bytes,omitempty" minimum:"0" doc:"it does not write past it: what each of its buckets may hold for that, whoever wrote it"`
	CeilingObjects *int64 `json:"ceiling_objects,omitempty" minimum:"0" doc:"likewise"`
	AllowanceBytes *int64 `json:"allowance_bytes,omitempty" minimum:"0" doc:"what it may write, whatever becomes of it later"`
	AllowancePer   string `json:"allowance_per,omitempty" enum:"day,total" doc:"when an allowance begins anew: each day (UTC), or never"`
}

// Quota tells what bounds a credential, beside the quotas of its buckets, which
// hold for everybody.
type Quota struct {
	Inherits bool   `json:"inherits" doc:"only the quotas of its buckets hold"`
	Text     string `json:"text" doc:"for people"`
	CredentialLimits
	FullestBytes       *int64 `json:"fullest_bytes,omitempty" doc:"what counts in its fullest bucket, where it has a ceiling"`
	FullestObjects     *int64 `json:"fullest_objects,omitempty"`
	AllowanceUsedBytes *int64 `json:"allowance_used_bytes,omitempty" doc:"with what is being written"`

	Tightest *LimitUse `json:"tightest,omitempty" doc:"the limit that it is nearest to, of its own and its buckets'; absent: nothing bounds what it writes"`
}

// LimitUse is how much of a limit is used up.
type LimitUse struct {
	Of     string `json:"of" enum:"bucket,ceiling,allowance" doc:"whose it is: a bucket's, or the key's own"`
	Bucket string `json:"bucket,omitempty" doc:"BACKEND/BUCKET; absent for an allowance"`
	Unit   string `json:"unit" enum:"bytes,objects"`
	Used   int64  `json:"used" doc:"with what is being written or unknown"`
	Cap    int64  `json:"cap"`
	Soft   bool   `json:"soft" doc:"writes pass beyond it"`
}

// Credential is a virtual S3 key pair without its secret.
type Credential struct {
	AccessKeyID  string     `json:"access_key_id"`
	Description  string     `json:"description"`
	Status       string     `json:"status" enum:"active,disabled,expired,revoked"`
	Grants       []Grant    `json:"grants"`
	Quota        Quota      `json:"quota"`
	Owner        string     `json:"owner,omitempty" doc:"account name; absent: no owner; (deleted): gone"`
	CreatedBy    string     `json:"created_by" doc:"account name; (deleted): gone"`
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	ExpiresAt    *time.Time `json:"expires_at,omitempty" doc:"absent: never"`
	DisabledAt   *time.Time `json:"disabled_at,omitempty"`
	RevokedAt    *time.Time `json:"revoked_at,omitempty"`
	RotatedAt    *time.Time `json:"rotated_at,omitempty"`
	OverlapUntil *time.Time `json:"overlap_until,omitempty" doc:"until when the secret before the last rotation works"`
	LastUsedAt   *time.Time `json:"last_used_at,omitempty" doc:"approximate to a minute"`
}

// CredentialWithSecret is a credential with all that a client needs to use it.
type CredentialWithSecret struct {
	Credential
	SecretAccessKey string `json:"secret_access_key" doc:"shown this once"`
	S3Endpoint      string `json:"s3_endpoint"`
	Region          string `json:"region"`
}

// NewCredential is what is chosen of a credential.
type NewCredential struct {
	Description string     `json:"description" example:"nightly backup"`
	Grants      []Grant    `json:"grants"`
	ExpiresIn   string     `json:"expires_in,omitempty" doc:"such as 24h, 30d or 12w" example:"30d"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty" doc:"instead of expires_in; neither: never"`
	Owner       string     `json:"owner,omitempty" doc:"account name"`

	Quota *CredentialLimits `json:"quota,omitempty" doc:"absent: it inherits its buckets' quotas"`
}

// CredentialEdit changes what it has.
type CredentialEdit struct {
	Description *string             `json:"description,omitempty"`
	Grants      *[]Grant            `json:"grants,omitempty" doc:"replaces the whole scope"`
	ExpiresIn   *string             `json:"expires_in,omitempty" doc:"from now; such as 24h, 30d or 12w"`
	ExpiresAt   Nullable[time.Time] `json:"expires_at,omitempty" doc:"instead of expires_in; null: never"`
	Owner       Nullable[string]    `json:"owner,omitempty" doc:"account name; null: no owner"`

	Quota Nullable[CredentialLimits] `json:"quota,omitempty" doc:"replaces all limits; null: it inherits its buckets' quotas"`
}

// Rotation says how a credential is rotated.
type Rotation struct {
	Overlap string `json:"overlap,omitempty" doc:"how long the old secret still works, such as 1h; absent: not at all" example:"1h"`
}

func credentialView(c control.CredentialInfo) Credential {
	grants := make([]Grant, len(c.Grants))
	for i, g := range c.Grants {
		grants[i] = Grant{g.Bucket.Backend, g.Bucket.Name, g.Permission.Names(), g.Prefix, g.Alias}
	}
	return Credential{
		AccessKeyID: c.AccessKeyID, Description: c.Description, Status: string(c.Status), Grants: grants,
		Quota: limitsView(c),
		Owner: c.OwnerName, CreatedBy: c.CreatedByName, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		ExpiresAt: moment(c.ExpiresAt), DisabledAt: moment(c.DisabledAt), RevokedAt: moment(c.RevokedAt),
		RotatedAt: moment(c.RotatedAt), OverlapUntil: moment(c.OverlapUntil), LastUsedAt: moment(c.LastUsedAt),
	}
}

func limitsView(c control.CredentialInfo) Quota {
	l := c.Limits
	q := Quota{Inherits: l == nil, Text: l.String(), Tightest: limitUseView(c.Tightest)}
	if l == nil {
		return q
	}
	q.CeilingBytes, q.CeilingObjects, q.AllowanceBytes = capOf(l.Ceiling.Bytes), capOf(l.Ceiling.Objects), capOf(l.Allowance)
	q.AllowancePer = string(l.Per)
	if l.HasCeiling() {
		q.FullestBytes, q.FullestObjects = &c.Fullest.Bytes, &c.Fullest.Objects
	}
	if l.HasAllowance() {
		q.AllowanceUsedBytes = &c.Spent
	}
	return q
}

func limitUseView(u *control.LimitUse) *LimitUse {
	if u == nil {
		return nil
	}
	view := &LimitUse{Of: string(u.Of), Unit: "bytes", Used: u.Used, Cap: u.Cap, Soft: u.Soft}
	if u.Objects {
		view.Unit = "objects"
	}
	if u.Bucket != (keystile.Bucket{}) {
		view.Bucket = u.Bucket.String()
	}
	return view
}

func (v *CredentialLimits) limits() *keystile.CredentialLimits {
	if v == nil {
		return nil
	}
	return &keystile.CredentialLimits{
		Ceiling:   keystile.Amount{Bytes: capIn(v.CeilingBytes), Objects: capIn(v.CeilingObjects)},
		Allowance: capIn(v.AllowanceBytes), Per: keystile.AllowancePer(v.AllowancePer),
	}
}

func (h credentials) withSecret(c control.CredentialSecret) CredentialWithSecret {
	return CredentialWithSecret{credentialView(c.CredentialInfo), c.Secret.Reveal(), h.server.S3Endpoint, h.server.Region}
}

// grantsOf reads a scope. What permissions cannot be is told with their place;
// all other rules are the use case's.
func grantsOf(views []Grant) ([]keystile.Grant, error) {
	var faults keystile.Faults
	grants := make([]keystile.Grant, len(views))
	for i, v := range views {
		permission, err := keystile.ParsePermissions(v.Permissions)
		if err != nil {
			faults.Add(fmt.Sprintf("grants[%d].permissions", i), "each of read, list, write, delete, acl and bypass-governance may be named once")
		}
		bucket := keystile.Bucket{Backend: v.Backend, Name: v.Bucket}
		grants[i] = keystile.Grant{Bucket: bucket, Permission: permission, Prefix: v.Prefix, Alias: v.Alias}
	}
	return grants, faults.Err()
}

// ByAccessKey names a credential in the path.
type ByAccessKey struct {
	AccessKeyID string `path:"access_key_id" example:"AKIAIOSFODNN7EXAMPLE"`
}

func (h credentials) list(ctx context.Context, in *struct {
	Q      string `query:"q" doc:"part of the access key ID or description"`
	Owner  string `query:"owner" doc:"account name"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor"`
}) (*JSON[List[Credential]], error) {
	page, next, err := h.credentials.List(ctx, actorOf(ctx), control.CredentialQuery{
		Text: in.Q, Owner: in.Owner, Limit: in.Limit, Cursor: in.Cursor,
	})
	list := listOf(page, credentialView)
	list.NextCursor = next
	return reply(list), err
}

func (h credentials) create(ctx context.Context, in *JSON[NewCredential]) (*JSON[CredentialWithSecret], error) {
	grants, err := grantsOf(in.Body.Grants)
	if err != nil {
		return nil, err
	}
	made, err := h.credentials.Create(ctx, actorOf(ctx), control.NewCredential{
		Description: in.Body.Description, Grants: grants, Owner: in.Body.Owner,
		Expiry: expiry(in.Body.ExpiresIn, in.Body.ExpiresAt), Limits: in.Body.Quota.limits(),
	})
	return reply(h.withSecret(made)), err
}

func (h credentials) get(ctx context.Context, in *ByAccessKey) (*JSON[Credential], error) {
	info, err := h.credentials.Get(ctx, actorOf(ctx), in.AccessKeyID)
	return reply(credentialView(info)), err
}

func (h credentials) update(ctx context.Context, in *struct {
	ByAccessKey
	JSON[CredentialEdit]
}) (*JSON[Credential], error) {
	edit := control.CredentialEdit{Description: in.Body.Description, Expiry: in.Body.expiry()}
	if in.Body.Grants != nil {
		grants, err := grantsOf(*in.Body.Grants)
		if err != nil {
			return nil, err
		}
		edit.Grants = &grants
	}
	if in.Body.Owner.Set {
		edit.Owner = &in.Body.Owner.Value
	}
	if in.Body.Quota.Set {
		var limits *keystile.CredentialLimits
		if !in.Body.Quota.Null {
			limits = in.Body.Quota.Value.limits()
		}
		edit.Limits = &limits
	}
	info, err := h.credentials.Update(ctx, actorOf(ctx), in.AccessKeyID, edit)
	return reply(credentialView(info)), err
}

func (e CredentialEdit) expiry() *control.Expiry {
	if e.ExpiresIn == nil && !e.ExpiresAt.Set {
		return nil
	}
	change := control.Expiry{At: e.ExpiresAt.Value}
	if e.ExpiresIn != nil {
		change.In = *e.ExpiresIn
	}
	return &change
}

func (h credentials) rotate(ctx context.Context, in *struct {
	ByAccessKey
	Body *Rotation `required:"false"`
}) (*JSON[CredentialWithSecret], error) {
	var overlap time.Duration
	if in.Body != nil && in.Body.Overlap != "" {
		span, err := control.ParseSpan(in.Body.Overlap)
		if err != nil {
			return nil, keystile.Faults{{Field: "overlap", Message: "must be a duration such as 90m, 24h or 7d"}}
		}
		overlap = span
	}
	rotated, err := h.credentials.Rotate(ctx, actorOf(ctx), in.AccessKeyID, overlap)
	return reply(h.withSecret(rotated)), err
}

func (h credentials) disable(ctx context.Context, in *ByAccessKey) (*JSON[Credential], error) {
	info, err := h.credentials.Disable(ctx, actorOf(ctx), in.AccessKeyID)
	return reply(credentialView(info)), err
}

func (h credentials) enable(ctx context.Context, in *ByAccessKey) (*JSON[Credential], error) {
	info, err := h.credentials.Enable(ctx, actorOf(ctx), in.AccessKeyID)
	return reply(credentialView(info)), err
}

func (h credentials) revoke(ctx context.Context, in *ByAccessKey) (*JSON[Credential], error) {
	info, err := h.credentials.Revoke(ctx, actorOf(ctx), in.AccessKeyID)
	return reply(credentialView(info)), err
}
