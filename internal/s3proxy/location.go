package s3proxy

import (
	"net/url"
	"strings"

	"keystile/internal/s3wire"
)

// location is the object's URL as the client knows it: by the host that names the
// bucket where the client asked so, else by the gateway's public URL.
func (x *exchange) location() string {
	if root, ok := x.hostRoot(); ok {
		u := url.URL{Path: "/" + x.req.Key}
		return root + u.EscapedPath()
	}
	u := url.URL{Path: "/" + x.req.Bucket + "/" + x.req.Key}
	return x.p.PublicURL + u.EscapedPath()
}

// bucketLocation is what the creation of a bucket answers as its place.
func (x *exchange) bucketLocation() string {
	if root, ok := x.hostRoot(); ok {
		return root + "/"
	}
	return "/" + x.req.Bucket
}

// hostRoot is the URL of the bucket that the request's host names, without a
// slash at its end, and whether it names one.
func (x *exchange) hostRoot() (root string, virtual bool) {
	if _, virtual = s3wire.HostBucket(x.r.Host, x.p.HostSuffixes); !virtual {
		return "", false
	}
	scheme, _, _ := strings.Cut(x.p.PublicURL, "://")
	host, port, _ := strings.Cut(x.r.Host, ":")
	if port != "" && strings.Trim(port, "0123456789") == "" {
		host += ":" + port
	}
	return scheme + "://" + host, true
}
