package sigv4

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const upperHex = "0123456789ABCDEF"

// unreserved says whether a byte stands for itself in a canonical request
// (RFC 3986 2.3).
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func appendEncoded(dst []byte, c byte) []byte {
	if unreserved(c) {
		return append(dst, c)
	}
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}

// appendPath appends the canonical form of an escaped path: decoded, then
// encoded once. S3, unlike other services, normalises neither dots nor
// repeated slashes.
func appendPath(dst []byte, path string) ([]byte, error) {
	if path == "" {
		return append(dst, '/'), nil
	}
	if path[0] != '/' {
		return dst, fmt.Errorf("%w: the path must begin with a slash", ErrEncoding)
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			if i+2 >= len(path) {
				return dst, fmt.Errorf("%w: truncated escape in the path", ErrEncoding)
			}
			high, ok1 := unhex(path[i+1])
			low, ok2 := unhex(path[i+2])
			if !ok1 || !ok2 {
				return dst, fmt.Errorf("%w: bad escape in the path", ErrEncoding)
			}
			c = high<<4 | low
			i += 2
		}
		if c == '/' {
			dst = append(dst, c)
			continue
		}
		dst = appendEncoded(dst, c)
	}
	return dst, nil
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// sortParams puts params into canonical order: by encoded name, then value.
func sortParams(params []param) {
	slices.SortFunc(params, func(a, b param) int {
		return cmp.Or(compareEncoded(a.name, b.name), compareEncoded(a.value, b.value))
	})
}

// appendQuery appends the canonical query made of sorted params. That of a
// presigned request leaves its signature out.
func appendQuery(dst []byte, params []param, presigned bool) []byte {
	first := true
	for _, p := range params {
		if presigned && p.name == signatureParam {
			continue
		}
		if !first {
			dst = append(dst, '&')
		}
		first = false
		for i := range len(p.name) {
			dst = appendEncoded(dst, p.name[i])
		}
		dst = append(dst, '=')
		for i := range len(p.value) {
			dst = appendEncoded(dst, p.value[i])
		}
	}
	return dst
}

// compareEncoded orders decoded strings as their encoded forms are ordered,
// without building those: an escape sorts as its percent sign does, two
// escapes as the bytes they stand for.
func compareEncoded(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		switch plainA, plainB := unreserved(a[i]), unreserved(b[i]); {
		case plainA == plainB:
			return cmp.Compare(a[i], b[i])
		case plainA: // every unreserved byte is above the percent sign
			return 1
		default:
			return -1
		}
	}
	return cmp.Compare(len(a), len(b))
}

// appendValue appends a header value without its outer white space and with
// inner runs of spaces made one.
func appendValue(dst []byte, value string) []byte {
	value = strings.Trim(value, " \t")
	if !strings.Contains(value, "  ") {
		return append(dst, value...)
	}
	for i := range len(value) {
		if value[i] == ' ' && value[i-1] == ' ' { // trimmed: never the first byte
			continue
		}
		dst = append(dst, value[i])
	}
	return dst
}

func appendHeaderValues(dst []byte, values []string) []byte {
	for i, value := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, value)
	}
	return append(dst, '\n')
}

func appendLower(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = append(dst, lower(s[i]))
	}
	return dst
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// compareFold orders header names without regard to ASCII case.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
