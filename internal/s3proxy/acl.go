package s3proxy

import (
	"fmt"
	"net/http"
	"net/url"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// ownerGrants says why a grant to oneself is not passed on with a new object:
// the backend knows its owner by another id, and which one is not known before
// the object is there.
const ownerGrants = "A new object cannot be granted to its own owner by header. Leave the grant out, or use PutObjectAcl."

// How an ACL must not be given.
var (
	aclTwice = s3wire.Code{Name: "InvalidRequest", Status: http.StatusBadRequest, Message: "An ACL is given in headers or in the body, not in both."}
	aclLacks = s3wire.Code{Name: "MissingSecurityHeader", Status: http.StatusBadRequest, Message: "An ACL is needed, in the body or in headers."}
)

// checkACL lets x-amz-acl: private go on only for a caller that may set ACLs;
// for others it asks for what holds anyway. Every other ACL is among the
// request's needs.
func (x *exchange) checkACL(own keystile.Need) error {
	own.Permission = keystile.ACL
	if x.req.PrivateACL() && x.covered(own) != nil {
		x.req.CannedACL = ""
	}
	if len(x.req.ACLGrants) > 0 && x.req.Op.Name != s3wire.OpPutObjectACL && x.req.GrantsTo(x.owner().ID) {
		return s3wire.NotImplemented.With(ownerGrants)
	}
	return nil
}

// givenACL is the ACL that a request sets: in its body, or in headers, which stand
// in the request already. It keeps the owner that the client sees.
func (x *exchange) givenACL(body []byte) (policy s3wire.AccessPolicy, byHeader bool, err error) {
	own := x.owner().ID
	byHeader = x.req.CannedACL != "" || len(x.req.ACLGrants) > 0
	switch {
	case byHeader && len(body) > 0:
		return policy, true, aclTwice.Err()
	case byHeader:
		return s3wire.AccessPolicy{Owner: own}, true, nil
	case len(body) == 0:
		return policy, false, aclLacks.Err()
	}
	if policy, err = s3wire.ParseAccessPolicy(body); err != nil {
		return policy, false, err
	}
	if policy.Owner != own {
		return policy, false, s3wire.AccessDenied.With("The owner cannot be changed.")
	}
	return policy, false, nil
}

// fillACL gives a PutObjectAcl or PutBucketAcl its body or its headers, with the
// backend's owner in the place of the one that the client sees.
func (x *exchange) fillACL(out *upstream.Request, body []byte) error {
	own := x.owner().ID
	policy, byHeader, err := x.givenACL(body)
	if err != nil || byHeader && !x.req.GrantsTo(own) {
		return err
	}
	real, err := x.objectOwner()
	if err != nil {
		return err
	}
	if byHeader {
		s3wire.SetACLHeaders(out.Header, "", s3wire.ReplaceAccount(x.req.ACLGrants, own, real))
		return nil
	}
	policy.Owner, policy.Grants = real, s3wire.ReplaceAccount(policy.Grants, own, real)
	setXML(out, policy.Marshal(""))
	return nil
}

// objectOwner asks the backend who owns the object, or the bucket, there.
func (x *exchange) objectOwner() (string, error) {
	query := url.Values{"acl": {""}}
	if version := x.req.Query.Get("versionId"); version != "" {
		query.Set("versionId", version)
	}
	got, err := x.send(upstream.Request{Method: http.MethodGet, Bucket: x.bucket.Name, Key: x.real.Key, Query: query})
	if err != nil {
		return "", err
	}
	defer func() { _ = got.Body.Close() }()
	data, err := x.readSmall(x.backend, got)
	if err != nil {
		return "", err
	}
	if got.Status != http.StatusOK {
		return "", x.backendError(x.backend, got.Status, data)
	}
	policy, err := s3wire.ParseAccessAnswer(data)
	if err != nil {
		return "", fmt.Errorf("%w: %w", upstream.ErrBadAnswer, err)
	}
	return policy.Owner, nil
}

// showACL renders a backend's ACL with the owner that the client sees.
func (x *exchange) showACL(data []byte) ([]byte, error) {
	policy, err := s3wire.ParseAccessAnswer(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", upstream.ErrBadAnswer, err)
	}
	owner := x.owner()
	policy.Grants = s3wire.ReplaceAccount(policy.Grants, policy.Owner, owner.ID)
	policy.Owner = owner.ID
	return policy.Marshal(owner.DisplayName), nil
}
