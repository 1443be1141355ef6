package upstream

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const upperHex = "0123456789ABCDEF"

// unreserved are the characters that stand for themselves in S3's canonical
// encoding (RFC 3986 section 2.3; Amazon S3 API Reference, "Signature
// Calculations for the Authorization Header", UriEncode).
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func appendByte(dst []byte, c byte) []byte {
	if unreserved(c) {
		return append(dst, c)
	}
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}

func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = appendByte(dst, s[i])
	}
	return dst
}

// appendKey encodes an object key and keeps its slashes. A segment "." or ".."
// goes out as %2E or %2E%2E: any proxy on the way may resolve a plain one, and
// the request would then be for another key, or another bucket. The signature
// is the same, as canonical requests hold paths decoded and encoded once.
func appendKey(dst []byte, key string) []byte {
	first := true
	for segment := range strings.SplitSeq(key, "/") {
		if !first {
			dst = append(dst, '/')
		}
		first = false
		switch segment {
		case ".":
			dst = append(dst, "%2E"...)
		case "..":
			dst = append(dst, "%2E%2E"...)
		default:
			dst = appendText(dst, segment)
		}
	}
	return dst
}

// EncodePath builds the path of a request, as it is sent and signed. An empty
// bucket is one that is named elsewhere, by the host, or not at all.
func EncodePath(bucket, key string) string {
	dst := make([]byte, 0, 2+len(bucket)+len(key)+len(key)/4)
	dst = append(dst, '/')
	if bucket != "" {
		dst = appendText(dst, bucket)
		if key != "" {
			dst = append(dst, '/')
		}
	}
	return string(appendKey(dst, key))
}

// encodeCopySource builds the value of x-amz-copy-source.
func encodeCopySource(o Object) string {
	dst := append(appendText(nil, o.Bucket), '/')
	dst = appendKey(dst, o.Key)
	if o.VersionID != "" {
		dst = appendText(append(dst, "?versionId="...), o.VersionID)
	}
	return string(dst)
}

// encodeQuery builds the query as canonical requests have it: every parameter
// with an equals sign, sorted by name. A sub-resource such as uploads has an
// empty value.
func encodeQuery(params url.Values) string {
	if len(params) == 0 {
		return ""
	}
	dst := make([]byte, 0, 128)
	var space [16]string
	names := slices.AppendSeq(space[:0], maps.Keys(params))
	slices.Sort(names)
	for _, name := range names {
		for _, value := range params[name] {
			if len(dst) > 0 {
				dst = append(dst, '&')
			}
			dst = append(appendText(dst, name), '=')
			dst = appendText(dst, value)
		}
	}
	return string(dst)
}

// lowerMetadata gives the names of metadata the form in which S3 keeps them
// (S3 User Guide, "Working with object metadata"): some backends keep the case
// that they are sent.
func lowerMetadata(h http.Header) {
	const prefix = "X-Amz-Meta-"
	for name, values := range h {
		if strings.HasPrefix(name, prefix) {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}
