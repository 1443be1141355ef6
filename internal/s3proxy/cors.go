package s3proxy

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

// CORS tells which pages of other origins may use which buckets.
type CORS interface {
	// CORS returns a bucket's rules; false where it is switched off.
	CORS(ctx context.Context, bucket keystile.Bucket) ([]keystile.CORSRule, bool)
	// CORSNamed lists the buckets of a real name that have it switched on.
	CORSNamed(name string) []keystile.Bucket
}

// maxPreflightHeaders bounds the headers that a preflight may name.
const maxPreflightHeaders = 64

// corsForbidden is the answer to every preflight that is not allowed: for a
// bucket that does not exist, for one without CORS, for one whose rules do not
// fit. It tells nothing of which it was.
var corsForbidden = s3wire.AccessForbidden.With("This CORS request is not allowed: CORS is not enabled for the bucket, or no rule fits the origin, the method and the headers.")

// preflight answers OPTIONS (Fetch Standard, "CORS-preflight request"; S3 User
// Guide, "Using cross-origin resource sharing"). No credentials are needed, and
// no right is given: the request that follows is judged by its own.
func (p *Proxy) preflight(x *exchange) error {
	x.varyByOrigin()
	origin, method := x.r.Header.Get("Origin"), x.r.Header.Get("Access-Control-Request-Method")
	if origin == "" || method == "" {
		return s3wire.BadRequest.With("Insufficient information: the headers Origin and Access-Control-Request-Method are needed.")
	}
	headers, ok := requestedHeaders(x.r.Header.Values("Access-Control-Request-Headers"))
	if !ok {
		return s3wire.BadRequest.With("Access-Control-Request-Headers is not a list of header names.")
	}
	for _, bucket := range x.corsBuckets(x.preflightBucket(), x.r.URL.Query().Get("X-Amz-Credential")) {
		rules, _ := p.CORS.CORS(x.r.Context(), bucket)
		rule, allowed := keystile.MatchCORS(rules, origin, method, headers)
		if rule == nil {
			continue
		}
		x.allowOrigin(rule, allowed)
		if len(headers) > 0 {
			x.w.Header().Set("Access-Control-Allow-Headers", strings.Join(headers, ", "))
		}
		x.w.Header().Set("Content-Length", "0")
		x.start(http.StatusOK)
		return nil
	}
	return corsForbidden
}

// preflightBucket is the bucket that host or path name; empty if none does.
func (x *exchange) preflightBucket() string {
	as := x.r.Clone(x.r.Context())
	as.Method, as.URL.RawQuery = http.MethodGet, ""
	req, _ := s3wire.Parse(as, x.p.HostSuffixes...) // what was understood of the address is enough
	return req.Bucket
}

// corsBuckets are the real buckets that a client-side name may stand for. Names
// are the credential's own, and a preflight carries none but in a presigned URL:
// then it is that credential's name. Otherwise it is the name of an anonymous
// binding, or the real name of a bucket that no other backend has with CORS.
func (x *exchange) corsBuckets(name, credential string) []keystile.Bucket {
	if name == "" || x.p.CORS == nil {
		return nil
	}
	if accessKeyID, _, _ := strings.Cut(credential, "/"); accessKeyID != "" {
		found, ok := x.p.Keys.Lookup(accessKeyID)
		if !ok {
			return nil
		}
		place, err := found.Resolve(name)
		if err != nil {
			return nil
		}
		return []keystile.Bucket{place.Bucket}
	}
	var buckets []keystile.Bucket
	if binding, ok := x.p.Keys.Binding(name); ok && x.p.AnonymousEnabled {
		buckets = append(buckets, binding.Bucket)
	}
	if real := x.p.CORS.CORSNamed(name); len(real) == 1 {
		buckets = append(buckets, real[0])
	}
	return buckets
}

// addCORS puts the headers on the answer to an actual request, also on an error
// or a refusal: a page cannot read it otherwise. Whether it may be read says
// nothing about what is in it.
func (x *exchange) addCORS() {
	if x.p.CORS == nil || x.r.Method == http.MethodOptions || x.req.Bucket == "" {
		return
	}
	buckets := []keystile.Bucket{x.bucket}
	if x.bucket.Name == "" {
		buckets = x.corsBuckets(x.req.Bucket, x.event.Detail.AccessKeyID)
	}
	origin := x.r.Header.Get("Origin")
	for _, bucket := range buckets {
		rules, on := x.p.CORS.CORS(x.r.Context(), bucket)
		if !on {
			continue
		}
		x.varyByOrigin() // also without an origin: caches must keep the two apart
		if origin == "" {
			continue
		}
		if rule, allowed := keystile.MatchCORS(rules, origin, x.r.Method, nil); rule != nil {
			x.allowOrigin(rule, allowed)
			return
		}
	}
}

func (x *exchange) varyByOrigin() {
	x.w.Header().Set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
}

// allowOrigin writes what a rule allows. A page with cookies is answered by its
// own name only, never by "*".
func (x *exchange) allowOrigin(rule *keystile.CORSRule, allowed string) {
	h := x.w.Header()
	h.Set("Access-Control-Allow-Origin", allowed)
	if allowed != "*" {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethods, ", "))
	if len(rule.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(rule.ExposeHeaders, ", "))
	}
	if rule.MaxAgeSeconds > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(rule.MaxAgeSeconds))
	}
}

// requestedHeaders reads a preflight's list of header names, in lower case.
func requestedHeaders(lines []string) (names []string, ok bool) {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.ToLower(strings.Trim(name, " \t"))
			if name == "" {
				continue
			}
			if len(names) == maxPreflightHeaders || !isToken(name) {
				return nil, false
			}
			names = append(names, name)
		}
	}
	return names, true
}

// isToken reports whether s is a header's name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return true
}
