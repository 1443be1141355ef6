package s3wire

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"keystile/internal/keystile"
)

// maxQueryParams bounds the parameters of one request.
const maxQueryParams = 64

// Parse finds out what is asked. It reads only the request's head. A request
// that no row of the table describes in full is refused with the S3 error that
// it returns; the Request beside it then holds what was understood until there.
// A bucket may be named by the host, in front of one of hostSuffixes.
func Parse(r *http.Request, hostSuffixes ...string) (Request, error) {
	var req Request
	if err := req.address(r, hostSuffixes); err != nil {
		return req, err
	}
	params, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return req, err
	}
	if req.Op, err = find(r.Method, req.level(), params.own, r.Header); err != nil {
		return req, err
	}
	if err := req.checkQuery(params.own); err != nil {
		return req, err
	}
	if err := req.takeHeaders(r.Header, params.hoisted); err != nil {
		return req, err
	}
	return req, req.checkBody(r)
}

// address reads bucket and key from host and path. The path is taken as it was
// sent: no segment is resolved or joined.
func (req *Request) address(r *http.Request, hostSuffixes []string) error {
	path := r.URL.EscapedPath()
	if path == "" && r.URL.Host != "" {
		path = "/" // an absolute-form target without one (RFC 9110, section 4.2.3)
	}
	if !strings.HasPrefix(path, "/") {
		return InvalidURI.Err()
	}
	if bucket, virtual := HostBucket(r.Host, hostSuffixes); virtual {
		req.Bucket = bucket
		if err := checkBucket(bucket); err != nil {
			return err
		}
		return req.takeKey(path[1:])
	}
	rawBucket, rawKey, hasKey := strings.Cut(path[1:], "/")
	if rawBucket == "" {
		if hasKey {
			return InvalidURI.With("The path has no bucket before its key.")
		}
		return nil
	}
	bucket, err := url.PathUnescape(rawBucket)
	if err != nil {
		return InvalidURI.Err()
	}
	req.Bucket = bucket
	if err := checkBucket(bucket); err != nil {
		return err
	}
	return req.takeKey(rawKey)
}

// takeKey decodes the key. Without one the request is for the bucket.
func (req *Request) takeKey(raw string) (err error) {
	if raw == "" {
		return nil
	}
	if req.Key, err = url.PathUnescape(raw); err != nil {
		return InvalidURI.Err()
	}
	return checkKey(req.Key)
}

func checkBucket(name string) error {
	if keystile.CheckBucketName(name) != nil {
		return InvalidBucketName.Err()
	}
	return nil
}

func checkKey(key string) error {
	if len(key) > keystile.MaxKeyBytes {
		return KeyTooLong.Err()
	}
	if keystile.CheckKey(key) != nil {
		return InvalidURI.With("The key is empty or not valid UTF-8.")
	}
	return nil
}

func (req *Request) level() Level {
	switch {
	case req.Bucket == "":
		return Service
	case req.Key == "":
		return Bucket
	}
	return Object
}

// query is a request's query string, sorted by who reads it.
type query struct {
	own     url.Values  // the operation's
	hoisted http.Header // headers that a presigned URL carries
}

// parseQuery reads the query with url.ParseQuery's reading, as the signature
// is verified with. A name that stands twice is refused: backends differ in
// which value they take.
func parseQuery(raw string) (query, error) {
	if raw == "" {
		return query{own: url.Values{}}, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, InvalidURI.With("The query string could not be parsed.")
	}
	if len(values) > maxQueryParams {
		return query{}, InvalidArgument.With("The query has too many parameters.")
	}
	q := query{own: make(url.Values, len(values))}
	version2 := values.Has("AWSAccessKeyId")
	for name, list := range values {
		if len(list) > 1 {
			return query{}, InvalidArgument.With("The query parameter %q stands more than once.", clip(name))
		}
		if !isText(name) || !isText(list[0]) {
			return query{}, InvalidArgument.With("The query parameter %q is not valid UTF-8.", clip(name))
		}
		lower := strings.ToLower(name)
		switch {
		case signatureParams[lower] || name == "x-id" || (version2 && signatureParamsV2[name]):
		case strings.HasPrefix(lower, vendorPrefix) && lower != routeParam:
			if err := q.hoist(name, list[0]); err != nil {
				return query{}, err
			}
		default:
			q.own[name] = list
		}
	}
	return q, nil
}

// isText reports whether a decoded value is text that every backend reads
// alike: some end it at a NUL.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// hoist takes a parameter for the header that it stands for. What could not
// stand in a header has no business there.
func (q *query) hoist(name, value string) error {
	key := http.CanonicalHeaderKey(name)
	if _, twice := q.hoisted[key]; twice {
		return InvalidArgument.With("The query parameter %q stands more than once.", clip(name))
	}
	if strings.ContainsFunc(name, notInHeaderName) || strings.ContainsFunc(value, unicode.IsControl) {
		return InvalidArgument.With("The query parameter %q cannot stand for a header.", clip(name))
	}
	if q.hoisted == nil {
		q.hoisted = http.Header{}
	}
	q.hoisted[key] = []string{strings.Trim(value, " ")}
	return nil
}

// notInHeaderName is true for what is neither letter, digit, hyphen nor
// underscore: tokens have more (RFC 9110, section 5.6.2), S3's headers do not.
func notInHeaderName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}

// routeParam names an operation although it looks like a header.
const routeParam = "x-amz-request-route"

// signatureParams are read with the signature and by nothing else.
var signatureParams = map[string]bool{
	"x-amz-algorithm": true, "x-amz-content-sha256": true, "x-amz-credential": true, "x-amz-date": true,
	"x-amz-expires": true, "x-amz-security-token": true, "x-amz-signature": true, "x-amz-signedheaders": true,
}

// signatureParamsV2 are those of a URL that was presigned with Signature
// Version 2, which is always refused, with the reason, when it is verified.
var signatureParamsV2 = map[string]bool{"AWSAccessKeyId": true, "Expires": true, "Signature": true}

// find picks the one row that the request names. The row with most parameters
// wins; two that are equally good make the request ambiguous.
func find(method string, level Level, params url.Values, h http.Header) (*Operation, error) {
	copying := h.Get("X-Amz-Copy-Source") != ""
	var best *Operation
	var ambiguous, otherMethod bool
	rows := &byLevel[level]
	asked := rows.bits(params)
	for i := range rows.list {
		op := rows.list[i].op
		if rows.list[i].by&^asked != 0 || !named(op, params) {
			continue
		}
		if op.Method != method {
			otherMethod = otherMethod || len(op.By) > 0
			continue
		}
		if op.CopySource && !copying {
			continue
		}
		switch {
		case best == nil || rank(op) > rank(best):
			best, ambiguous = op, false
		case rank(op) == rank(best):
			ambiguous = true
		}
	}
	switch {
	case best == nil || (len(best.By) == 0 && otherMethod):
		return nil, MethodNotAllowed.Err()
	case ambiguous:
		return nil, InvalidRequest.With("The query names more than one operation.")
	}
	return best, nil
}

func named(op *Operation, params url.Values) bool {
	for _, p := range op.By {
		if !params.Has(p.Name) || (p.Value != "" && p.Value != AnyValue && params.Get(p.Name) != p.Value) {
			return false
		}
	}
	return true
}

func rank(op *Operation) int {
	if op.CopySource {
		return 2*len(op.By) + 1
	}
	return 2 * len(op.By)
}

// AccountParam is the query parameter by which the URL of an upload names the
// account that asked for it. It is the gateway's own, under the signature like
// every other, and never goes on.
const AccountParam = "keystile-account"

// checkQuery lets only the row's own parameters through. Those that name the
// operation go on in the one form that no backend takes for anything else.
func (req *Request) checkQuery(params url.Values) error {
	req.Query = make(url.Values, len(params))
	for _, p := range req.Op.By {
		value := params.Get(p.Name)
		switch {
		case p.Value == "":
			value = ""
		case value == "" || (p.Name == "partNumber" && !isPartNumber(value)):
			return InvalidArgument.With("The query parameter %q is not valid.", p.Name)
		}
		req.Query[p.Name] = []string{value}
	}
	for name, values := range params {
		switch {
		case name == AccountParam && req.Op.Name == OpPutObject:
			req.OnBehalfOf = values[0]
		case req.Query.Has(name):
		case slices.Contains(req.Op.Query, name):
			req.Query[name] = values
		default:
			return NotImplemented.With("The query parameter %q is not supported for %s.", clip(name), req.Op.Name)
		}
	}
	return nil
}

func isPartNumber(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= MaxPartNumber && s == strconv.Itoa(n)
}

// ownHeaders are x-amz- headers that any request may carry. They are read by
// the gateway and never forwarded.
var ownHeaders = map[string]bool{
	"x-amz-content-sha256": true, "x-amz-date": true, "x-amz-security-token": true, "x-amz-user-agent": true,
}

// takeHeaders copies what may go on and refuses an x-amz- header that the row
// does not have. A presigned URL may carry headers in its query; one that
// stands in both places is ambiguous.
func (req *Request) takeHeaders(h, hoisted http.Header) error {
	req.Header = make(http.Header, 8)
	for _, name := range req.Op.Standard {
		if values := h[name]; len(values) > 0 {
			req.Header[name] = []string{strings.Join(values, ",")}
		}
	}
	for name := range hoisted {
		if _, both := h[name]; both {
			return InvalidRequest.With("%s stands both in the headers and in the query.", name)
		}
	}
	for _, set := range []http.Header{h, hoisted} {
		for name, values := range set {
			if err := req.takeHeader(name, values); err != nil {
				return err
			}
		}
	}
	for name := range hoisted {
		if slices.Contains(checksumValueHeaders, strings.ToLower(name)) {
			// It is verified with the body. In a URL it may be that of an empty body,
			// which a JavaScript client puts there before it knows the real one.
			req.Header.Del(name)
		}
	}
	if err := checkMetadata(req.Header); err != nil {
		return err
	}
	return req.readHeaders()
}

// listHeaders have lists as values, which some SDKs send as several lines.
var listHeaders = map[string]bool{"x-amz-object-attributes": true, "x-amz-optional-object-attributes": true}

// vendorPrefix begins the names of the headers that are S3's own.
const vendorPrefix = "x-amz-"

func (req *Request) takeHeader(name string, values []string) error {
	if len(name) < len(vendorPrefix) || !strings.EqualFold(name[:len(vendorPrefix)], vendorPrefix) {
		return nil
	}
	lower := strings.ToLower(name)
	if ownHeaders[lower] {
		return nil
	}
	isMeta := strings.HasPrefix(lower, metaPrefix) && lower != metaPrefix
	if !(isMeta && req.Op.Metadata) && !slices.Contains(req.Op.Headers, lower) {
		return NotImplemented.With("The header %q is not supported for %s.", clip(lower), req.Op.Name)
	}
	if len(values) > 1 && !isMeta && !listHeaders[lower] {
		return InvalidArgument.With("The header %q stands more than once.", lower)
	}
	if framing := slices.Contains(framingHeaders, lower) || req.Op.Body == Payload && slices.Contains(payloadHeaders, lower); !framing {
		req.Header[name] = []string{strings.Join(values, ",")}
	}
	return nil
}

// readHeaders takes out what the gateway itself acts on.
func (req *Request) readHeaders() error {
	if err := req.readACL(); err != nil {
		return err
	}
	req.ExpectedOwner = req.take("X-Amz-Expected-Bucket-Owner")
	req.ExpectedSourceOwner = req.take("X-Amz-Source-Expected-Bucket-Owner")
	if err := req.readBypass(); err != nil {
		return err
	}
	if !req.Op.CopySource {
		return nil
	}
	source, err := parseCopySource(req.take("X-Amz-Copy-Source"))
	req.Source = source
	return err
}

const bypassHeader = "X-Amz-Bypass-Governance-Retention"

// readBypass leaves the header in only where it says in so many words that
// retention is to be bypassed: backends differ in what else they take for it.
func (req *Request) readBypass() error {
	if _, ok := req.Header[bypassHeader]; !ok {
		return nil
	}
	switch value := req.take(bypassHeader); {
	case strings.EqualFold(value, "true"):
		req.BypassGovernance = true
		req.Header.Set(bypassHeader, "true")
	case !strings.EqualFold(value, "false"):
		return InvalidArgument.With("x-amz-bypass-governance-retention must be true or false.")
	}
	return nil
}

func (req *Request) take(name string) string {
	value := req.Header.Get(name)
	req.Header.Del(name)
	return value
}

// parseCopySource reads [/]BUCKET/KEY[?versionId=ID], encoded as a query is: a
// bare plus is a space to S3, some clients write it so, and the others write a
// plus as %2B. Access point ARNs name no bucket of ours.
func parseCopySource(raw string) (*Source, error) {
	path, rawQuery, hasQuery := strings.Cut(raw, "?")
	decoded, err := url.QueryUnescape(strings.TrimPrefix(path, "/"))
	if err != nil || !utf8.ValidString(decoded) {
		return nil, InvalidArgument.With("The copy source is not percent-encoded as it must be.")
	}
	bucket, key, ok := strings.Cut(decoded, "/")
	if !ok || key == "" || strings.HasPrefix(bucket, "arn:") {
		return nil, InvalidArgument.With("The copy source must be BUCKET/KEY.")
	}
	if err := errors.Join(checkBucket(bucket), checkKey(key)); err != nil {
		return nil, err
	}
	source := &Source{Bucket: bucket, Key: key}
	if !hasQuery {
		return source, nil
	}
	params, err := url.ParseQuery(rawQuery)
	if err != nil || len(params) != 1 || len(params["versionId"]) != 1 || !isText(params.Get("versionId")) {
		return nil, InvalidArgument.With("The copy source may carry versionId and nothing else.")
	}
	source.VersionID = params.Get("versionId")
	return source, nil
}

// checkBody refuses a body where the row has none.
func (req *Request) checkBody(r *http.Request) error {
	if req.Op.Body == NoBody && (r.ContentLength > 0 || len(r.TransferEncoding) > 0) {
		return InvalidRequest.With("%s takes no body.", req.Op.Name)
	}
	return nil
}

// clip bounds hostile text that goes into a message.
func clip(s string) string {
	const limit = 64
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
