package s3proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
)

// defaultRegion is accepted beside the configured one: it is what clients sign
// for that were told no region.
const defaultRegion = "us-east-1"

// authenticate finds out who asks. A request that is signed, or tries to be,
// never falls back to an anonymous binding.
func (p *Proxy) authenticate(x *exchange) error {
	auth, err := sigv4.Parse(x.signed())
	if x.form != nil {
		return p.authenticateForm(x, err)
	}
	x.event.Detail.AccessKeyID = clip(auth.AccessKeyID, 128)
	if errors.Is(err, sigv4.ErrMissing) {
		return p.admitAnonymous(x)
	}
	if err != nil {
		return err
	}
	if auth.SessionToken != "" {
		return s3wire.InvalidToken.Err()
	}
	if err := auth.Check(x.began, p.Region, defaultRegion); err != nil {
		return p.withRegion(err)
	}
	lease, err := p.Keys.Authenticate(x.r.Context(), auth.AccessKeyID, func(secret keystile.Secret) error {
		return auth.Verify(p.signingKeys.Key(secret.Reveal(), auth.Scope))
	})
	if err != nil {
		return err
	}
	x.auth = auth
	x.admitSigned(lease)
	return payload.CheckHash(auth.PayloadHash)
}

func (x *exchange) admitSigned(lease *keyring.Lease) {
	x.admit(lease)
	x.event.Account = lease.Owner
	x.event.Detail.Authenticated = true
}

func (p *Proxy) admitAnonymous(x *exchange) error {
	x.event.Detail.Anonymous = true
	if !p.AnonymousEnabled || x.req.Bucket == "" {
		return s3wire.AccessDenied.Err()
	}
	lease, err := p.Keys.Anonymous(x.r.Context(), x.req.Bucket)
	if err != nil {
		return err
	}
	x.admit(lease)
	return nil
}

// signed is the request as its signature covers it: the target as it was sent.
func (x *exchange) signed() sigv4.Request {
	path, _, _ := strings.Cut(x.r.RequestURI, "?")
	if _, rest, absolute := strings.Cut(path, "://"); absolute && !strings.HasPrefix(path, "/") {
		// The guard has seen to it that the authority is the Host (RFC 9112, section
		// 3.2.2); what follows is the path as it was sent, or none.
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	return sigv4.Request{
		Method: x.r.Method, Path: path, RawQuery: x.r.URL.RawQuery, Host: x.r.Host, Header: x.r.Header,
		ContentLength: x.r.ContentLength, TransferEncoding: x.r.TransferEncoding,
	}
}

// withRegion tells clients which region to sign for, as S3 does: several
// correct themselves by it.
func (p *Proxy) withRegion(err error) error {
	if !errors.Is(err, sigv4.ErrScope) {
		return err
	}
	e := translate(err)
	e.Details = append(e.Details, s3wire.Detail{Name: "Region", Value: p.Region})
	return e
}

// ownerID is a canonical user ID: 64 hexadecimal digits (S3 User Guide, "Finding
// the canonical user ID").
func ownerID(name string) string {
	sum := sha256.Sum256([]byte("keystile owner " + name))
	return hex.EncodeToString(sum[:])
}
