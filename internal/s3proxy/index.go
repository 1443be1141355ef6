package s3proxy

import (
	"net/http"
	"net/url"
	"strings"

	"keystile/internal/s3wire"
)

// serveIndex makes an anonymous read of a folder one of its index document,
// where the binding has one: the key "docs/" stands for "docs/index.html", and
// the bucket itself, without a query, for the index below the binding's prefix.
// A list has a query (list-type, prefix, …) and stays a list.
func (p *Proxy) serveIndex(x *exchange) error {
	if x.lease.Binding == nil || x.lease.Binding.IndexDocument == "" {
		return nil
	}
	binding := x.lease.Binding
	var key string
	switch name := x.req.Op.Name; {
	case (name == s3wire.OpListObjects || name == s3wire.OpHeadBucket) && x.r.URL.RawQuery == "":
		key = binding.Prefix + binding.IndexDocument
	case (name == s3wire.OpGetObject || name == s3wire.OpHeadObject) && strings.HasSuffix(x.req.Key, "/"):
		key = x.req.Key + binding.IndexDocument
	default:
		return nil
	}
	var err error
	x.req, err = s3wire.Parse(x.forKey(key), p.HostSuffixes...)
	return err
}

// forKey is the client's request, as it would be for another key.
func (x *exchange) forKey(key string) *http.Request {
	as := x.r.Clone(x.r.Context())
	path := "/" + key
	if _, virtual := s3wire.HostBucket(x.r.Host, x.p.HostSuffixes); !virtual {
		path = "/" + x.req.Bucket + path
	}
	as.URL = &url.URL{Path: path, RawQuery: x.r.URL.RawQuery}
	return as
}
