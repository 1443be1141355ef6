package s3proxy

import (
	"errors"
	"net/http"

	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
)

// postForm is a form upload on its way.
type postForm struct {
	*s3wire.Form
	declared http.Header // what the form says of its file's bytes
	policy   s3wire.Policy
}

// readForm reads the form up to its file and makes the request the upload of
// the object that it names.
func (x *exchange) readForm() error {
	form, err := s3wire.ReadForm(x.r.Header.Get("Content-Type"), x.r.ContentLength, clientBody{x.r})
	if err != nil {
		return err
	}
	x.form = &postForm{Form: form}
	x.event.Detail.AccessKeyID = clip(claimedKeyID(form), 128)
	x.form.declared, err = x.req.TakeForm(form)
	return err
}

func claimedKeyID(form *s3wire.Form) string {
	auth, _ := sigv4.ParseForm(formFields(form)) // what was read before it failed counts
	return auth.AccessKeyID
}

func formFields(form *s3wire.Form) sigv4.FormFields {
	return sigv4.FormFields{
		Algorithm: form.Field("x-amz-algorithm"), Credential: form.Field("x-amz-credential"), Date: form.Field("x-amz-date"),
		Signature: form.Field("x-amz-signature"), Policy: form.Field("policy"), AccessKeyIDV2: form.Field("awsaccesskeyid"),
	}
}

// authenticateForm finds out who signed the form's policy, and whether the
// policy allows the form. The request around it must not be signed as well; its
// is what the reading of that signature led to.
func (p *Proxy) authenticateForm(x *exchange, its error) error {
	if !errors.Is(its, sigv4.ErrMissing) {
		if its == nil {
			its = sigv4.ErrTwoWays
		}
		return its
	}
	auth, err := sigv4.ParseForm(formFields(x.form.Form))
	switch {
	case errors.Is(err, sigv4.ErrMissing):
		x.event.Detail.Anonymous = true
		return s3wire.AccessDenied.With("A form must be signed: uploads without a signature are not accepted.")
	case err != nil:
		return p.withRegion(err)
	case x.form.Has("x-amz-security-token"):
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
	x.admitSigned(lease)
	if x.form.policy, err = s3wire.ParsePolicy(x.form.Field("policy")); err != nil {
		return err
	}
	return x.form.policy.Check(x.form.Form, x.req.Bucket, x.began)
}

// incomingFile is incoming for a form: its payload is the file, whose length is
// known before anything is sent.
func (x *exchange) incomingFile() (in incoming, err error) {
	file, length, err := x.form.File()
	if err != nil {
		return in, err
	}
	if err := x.form.policy.CheckSize(length); err != nil {
		return in, err
	}
	in.Reader = file
	in.Declared, err = payload.Declare(payload.Source{Header: x.form.declared, ContentLength: length})
	return in, err
}

// thank makes of the backend's answer the one that the form asks for.
func (f *postForm) thank(x *exchange, a *answer) {
	result := s3wire.PostResult{
		Location: x.location(), Bucket: x.req.Bucket, Key: x.req.Key, ETag: a.header.Get("Etag"),
	}
	var location string
	a.status, location, a.body = result.Answer(f.Form)
	a.header.Set("Location", location)
	a.header.Del("Content-Type")
	if len(a.body) > 0 {
		a.header.Set("Content-Type", "application/xml")
	}
}
