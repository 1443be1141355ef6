package s3proxy

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// ownSetting reads or changes what an RGW user sets on a bucket of its own. At a
// Ceph the request goes on with the user's own key. Elsewhere the gateway keeps
// the ACL and the rules for other origins itself; the rest the backend keeps, if
// it can.
func (p *Proxy) ownSetting(x *exchange, s s3wire.Setting) error {
	if !x.cephDecides() {
		switch x.req.Op.Name {
		case s3wire.OpGetBucketACL:
			return x.replySetting(s3wire.CannedPolicy(x.keptACL(), x.owner().ID).Marshal(x.owner().DisplayName))
		case s3wire.OpPutBucketACL:
			return x.putOwnACL()
		case s3wire.OpGetBucketCORS:
			return x.getOwnCORS()
		case s3wire.OpPutBucketCORS, s3wire.OpDeleteBucketCORS:
			return x.putOwnCORS()
		}
		if err := x.backendKeeps(s); err != nil {
			return err
		}
	}
	if x.req.Op.Method == http.MethodGet {
		return p.read(x)
	}
	return p.mutate(x)
}

// replySetting answers with a document that the gateway made itself.
func (x *exchange) replySetting(doc []byte) error {
	return x.reply(&answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/xml"}}, body: doc})
}

// keptACL is the canned ACL of the request's bucket, as the gateway keeps it.
func (x *exchange) keptACL() string {
	if x.p.Keys.IsPublic(x.bucket) {
		return keystile.ACLPublicRead
	}
	return keystile.ACLPrivate
}

// askedACL is the canned ACL that headers ask for; private where they do not say.
// Only those that the gateway can keep pass.
func (x *exchange) askedACL() (string, error) {
	acl, ok := x.req.CannedACL, true
	if acl == "" {
		acl, ok = s3wire.CannedOf(x.req.ACLGrants, x.owner().ID)
	}
	if !ok || acl != keystile.ACLPrivate && acl != keystile.ACLPublicRead {
		return "", s3wire.NotImplemented.With("A bucket is %s or %s here.", keystile.ACLPrivate, keystile.ACLPublicRead)
	}
	return acl, nil
}

// putOwnACL sets the ACL of a bucket whose owner the gateway knows.
func (x *exchange) putOwnACL() error {
	body, err := x.readXML()
	if err != nil {
		return err
	}
	policy, byHeader, err := x.givenACL(body)
	if err != nil {
		return err
	}
	if !byHeader {
		x.req.ACLGrants = policy.Grants
	}
	acl, err := x.askedACL()
	if err != nil {
		return err
	}
	return x.change(http.StatusOK, func(ctx context.Context) error {
		return x.p.RGW.SetOwnACL(ctx, x.rgwUser().UserID, x.bucket.Name, acl)
	})
}

// getOwnCORS shows the rules by which pages of other origins are served here,
// whoever chose them.
func (x *exchange) getOwnCORS() error {
	if x.p.CORS != nil {
		if rules, _ := x.p.CORS.CORS(x.context(), x.bucket); len(rules) > 0 {
			return x.replySetting(s3wire.MarshalCORS(rules))
		}
	}
	return s3wire.NoSuchCORSConfiguration.Err()
}

// putOwnCORS sets these rules; deleting them switches CORS off.
func (x *exchange) putOwnCORS() error {
	var rules []keystile.CORSRule
	status := http.StatusNoContent
	if x.req.Op.Name == s3wire.OpPutBucketCORS {
		status = http.StatusOK
		body, err := x.readXML()
		if err != nil {
			return err
		}
		if rules, err = s3wire.ParseCORS(body); err != nil {
			return err
		}
	}
	return x.change(status, func(ctx context.Context) error {
		return x.p.RGW.SetOwnCORS(ctx, x.rgwUser().UserID, x.bucket.Name, rules)
	})
}

// backendKeeps asks the backend for a setting before anything is done about it.
// One that does not know the subresource may take the request for one to the
// bucket itself: DELETE would delete it.
func (x *exchange) backendKeeps(s s3wire.Setting) error {
	if x.req.Header.Get("X-Amz-Mfa") != "" {
		return s3wire.NotImplemented.With("The header \"x-amz-mfa\" is not supported here.")
	}
	got, err := x.send(upstream.Request{Method: http.MethodGet, Bucket: x.bucket.Name, Query: url.Values{s.Sub: {""}}})
	if err != nil {
		return err
	}
	defer func() { _ = got.Body.Close() }()
	data, err := x.readSmall(x.backend, got)
	if err != nil {
		return x.answerBroke(err)
	}
	code, _ := s3wire.ParseError(data)
	switch {
	case got.Status == http.StatusOK && s3wire.Root(data) == s.Root:
		return nil
	case got.Status == http.StatusNotFound && s.None != "" && code.Code == s.None:
		return nil
	case got.Status == http.StatusOK || got.Status == http.StatusMethodNotAllowed || got.Status == http.StatusNotImplemented:
		e := s3wire.NotImplemented.With("This bucket's backend does not know the setting %q.", s.Sub)
		e.Cause = fmt.Errorf("the backend answered %d with <%s>", got.Status, s3wire.Root(data))
		return e
	}
	return x.backendError(x.backend, got.Status, data)
}

// change records the intent of what the control plane does for the caller, has it
// done, and answers without a body. A change may take the caller's own right
// along, or that of others to the bucket: it must not wait for this request.
func (x *exchange) change(status int, do func(context.Context) error) error {
	defer x.wait()()
	if err := x.intend().Wait(x.context()); err != nil {
		return err
	}
	if x.lease.Cut() {
		return keyring.ErrCut
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), ownBucketTimeout)
	defer cancel()
	x.lease.Release()
	if err := do(ctx); err != nil {
		return x.ownBucketError(err)
	}
	a := &answer{status: status, header: http.Header{}}
	if x.req.Op.Name == s3wire.OpCreateBucket {
		a.header.Set("Location", x.bucketLocation())
	}
	if err := x.settle(a); err != nil {
		return err
	}
	return x.reply(a)
}
