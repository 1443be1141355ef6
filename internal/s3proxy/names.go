package s3proxy

import (
	"errors"
	"fmt"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// resolve maps the request's names to the backend's: what is asked for, checked
// and sent from here on is x.real, what the client is shown stays x.req.
func (x *exchange) resolve() error {
	real, err := x.req.Resolve(x.find)
	x.real, x.bucket, x.source = real, real.Bucket, real.Source
	if err != nil {
		return err
	}
	x.event.Backend, x.event.Bucket = x.bucket.Backend, x.bucket.Name
	if x.req.Source != nil {
		x.event.Detail.CopySource = x.source.String() + "/" + x.real.SourceKey
		x.event.Detail.CopySourceVersionID = clip(x.req.Source.VersionID, 1024)
	}
	return x.openToken()
}

// find tells what a bucket name stands for within the caller's scope. What a
// binding opens it never hides a part of.
func (x *exchange) find(name string) (keystile.Place, error) {
	if x.cephDecides() {
		return x.findAtCeph(name)
	}
	if x.lease.Binding == nil {
		place, err := x.lease.Credential.Resolve(name)
		if err != nil {
			return x.findPublic(name, err)
		}
		return place, nil
	}
	if x.lease.Binding.Name != name {
		return keystile.Place{}, fmt.Errorf("bucket %q is not open: %w", name, keystile.ErrDenied)
	}
	return keystile.Place{Bucket: x.lease.Binding.Bucket}, nil
}

// place is what the request's bucket name stands for.
func (x *exchange) place() keystile.Place {
	return keystile.Place{Bucket: x.bucket, Hidden: x.real.Hidden}
}

const tokenParam = "continuation-token"

// openToken puts the backend's continuation token in the place of the sealed
// one.
func (x *exchange) openToken() error {
	token := x.real.Query.Get(tokenParam)
	if x.real.Hidden == "" || token == "" {
		return nil
	}
	opened, err := x.p.tokens.open(x.listing(), token)
	if err != nil {
		e := s3wire.InvalidArgument.With("The continuation token is not one of this listing.")
		e.Details = []s3wire.Detail{{Name: "ArgumentName", Value: tokenParam}}
		return e
	}
	x.real.Query.Set(tokenParam, opened)
	return nil
}

func (x *exchange) listing() listing {
	return listing{x.place(), x.req.Query.Get("prefix"), x.req.Query.Get("delimiter")}
}

var errOutside = errors.New("a request for what the client does not see was about to be sent")

// inside is the last look at the names of a request to the backend: whoever
// builds one from the client's names instead of the real ones is stopped here.
func (x *exchange) inside(out upstream.Request) bool {
	hidden := x.real.Hidden
	if out.Bucket != x.bucket.Name || hidden == "" {
		return out.Bucket == x.bucket.Name
	}
	if out.Key != "" {
		return strings.HasPrefix(out.Key, hidden)
	}
	return !x.req.Op.Listing() || strings.HasPrefix(out.Query.Get("prefix"), hidden)
}

// names are the client's, for an answer.
func (x *exchange) names() *s3wire.Names {
	n := &s3wire.Names{Bucket: x.req.Bucket, Owner: x.owner}
	if x.req.Op.Name == s3wire.OpCompleteMultipartUpload {
		n.Location = x.location()
	}
	if x.real.Hidden == "" {
		return n
	}
	n.Hidden, n.FromStart = x.real.Hidden, x.real.FromStart
	n.Encoded = x.req.Query.Get("encoding-type") == "url"
	n.Token = x.req.Query.Get(tokenParam)
	n.Seal = func(backendToken string) string { return x.p.tokens.seal(x.listing(), backendToken) }
	return n
}

// told is a backend's message in the client's names, or empty if it names the
// backend: its host, its key, a bucket or a key's beginning that the client does
// not know.
func (x *exchange) told(message string) string {
	if x.real.Hidden != "" && x.real.Key != "" {
		message = strings.ReplaceAll(message, x.real.Key, x.req.Key)
	}
	secret := []string{x.real.Hidden, "://"}
	for _, b := range []*upstream.Backend{x.backend, x.sourceBackend} {
		if b != nil {
			info := b.Info()
			secret = append(secret, info.AccessKeyID, strings.TrimPrefix(strings.TrimPrefix(info.Endpoint, "https://"), "http://"))
		}
	}
	if x.bucket.Name != x.req.Bucket {
		secret = append(secret, x.bucket.Name)
	}
	if x.req.Source != nil {
		if x.source.Name != x.req.Source.Bucket {
			secret = append(secret, x.source.Name)
		}
		secret = append(secret, strings.TrimSuffix(x.real.SourceKey, x.req.Source.Key))
	}
	for _, s := range secret {
		if s != "" && strings.Contains(message, s) {
			return ""
		}
	}
	return message
}

// nameEvent records what the request is about: by the real names where they are
// known, and the client's beside them where they differ.
func (x *exchange) nameEvent() {
	if x.event.Backend == "" {
		x.event.Bucket, x.event.Key = clip(x.req.Bucket, 255), x.req.Key
		return
	}
	x.event.Key = x.real.Key
	if x.event.Bucket != x.req.Bucket {
		x.event.Detail.ClientBucket = x.req.Bucket
	}
	if x.real.Hidden != "" {
		x.event.Detail.ClientKey = x.req.Key
	}
}
