package http1

import "bytes"

// framing is where a request's body ends.
type framing struct {
	chunked bool
	length  int64 // without chunked
}

// refusedField marks the request that stands for a refused head. A client that
// sends it is refused, so its presence proves who wrote the request.
const refusedField = "Keystile-Refused"

// requestHead collects what must be unique or must agree.
type requestHead struct {
	http10  bool
	form    []byte // authority of an absolute-form target
	host    []byte
	hosts   int
	lengths int
	codings int
	expects int
	length  int64
}

// checkHead judges a complete request head, with its empty line. The reason is
// empty when the head stands.
func checkHead(head []byte) (framing, string) {
	var h requestHead
	line, rest := cutLine(head)
	if fault := h.requestLine(line); fault != "" {
		return framing{}, fault
	}
	for {
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		name, value, fault := cutField(line)
		if fault == "" {
			fault = h.field(name, value)
		}
		if fault != "" {
			return framing{}, fault
		}
	}
	if fault := h.conclude(); fault != "" {
		return framing{}, fault
	}
	return framing{chunked: h.codings > 0, length: h.length}, ""
}

func (h *requestHead) requestLine(line []byte) string {
	method, rest, _ := bytes.Cut(line, []byte{' '})
	target, version, ok := bytes.Cut(rest, []byte{' '})
	if !ok || !isToken(method) {
		return "invalid request line"
	}
	switch string(version) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		h.http10 = true
	default:
		return "unsupported protocol version"
	}
	if string(method) == "CONNECT" {
		return "CONNECT is not served"
	}
	return h.target(target)
}

// targetLength is the length of the target in a head that was found good.
func targetLength(head []byte) int {
	begin := bytes.IndexByte(head, ' ') + 1
	return bytes.IndexByte(head[begin:], ' ')
}

// target admits origin-form and absolute-form, RFC 9112 section 3.2. Bytes
// above ASCII pass: what a path means is for the parser of operations.
func (h *requestHead) target(t []byte) string {
	for _, c := range t {
		if c <= ' ' || c == 0x7f || c == '#' {
			return "invalid character in the request target"
		}
	}
	path := t
	if len(t) == 0 || t[0] != '/' {
		scheme, rest, ok := bytes.Cut(t, []byte("://"))
		if !ok || !foldEqual(scheme, "http") && !foldEqual(scheme, "https") {
			return "request target is neither a path nor a URL"
		}
		end := bytes.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		h.form, path = rest[:end], rest[end:]
		if len(h.form) == 0 {
			return "request target without a host"
		}
	}
	if !escapesWhole(path) {
		return "invalid escape in the request target"
	}
	return ""
}

// escapesWhole checks the percent escapes of the path. net/http refuses broken
// ones with an answer of its own, which is no S3 error; those in the query it
// leaves to whoever parses it.
func escapesWhole(path []byte) bool {
	path, _, _ = bytes.Cut(path, []byte{'?'})
	for {
		i := bytes.IndexByte(path, '%')
		if i < 0 {
			return true
		}
		if i+2 >= len(path) {
			return false
		}
		if _, ok := unhex(path[i+1]); !ok {
			return false
		}
		if _, ok := unhex(path[i+2]); !ok {
			return false
		}
		path = path[i+3:]
	}
}

func (h *requestHead) field(name, value []byte) string {
	switch len(name) {
	case len("host"):
		if foldEqual(name, "host") {
			h.hosts++
			h.host = value
		}
	case len("expect"):
		if foldEqual(name, "expect") {
			h.expects++
			if !foldEqual(value, "100-continue") || h.expects > 1 {
				return "unknown expectation"
			}
		}
	case len("upgrade"): // also trailer
		if foldEqual(name, "upgrade") {
			return "protocol upgrades are not served"
		}
		if foldEqual(name, "trailer") {
			return "trailer fields are not served"
		}
	case len("connection"):
		if foldEqual(name, "connection") {
			// Nobody may name an end-to-end header as hop-by-hop: the next hop
			// would strip it, signed or not.
			if _, known := closeOption(value); !known {
				return "unsupported Connection option"
			}
		}
	case len("content-length"):
		if foldEqual(name, "content-length") {
			return h.contentLength(value)
		}
	case len("transfer-encoding"):
		if foldEqual(name, "transfer-encoding") {
			h.codings++
			if !foldEqual(value, "chunked") || h.codings > 1 {
				return "unsupported transfer coding"
			}
		}
	case len(refusedField):
		if foldEqual(name, "keystile-refused") {
			return "reserved header name"
		}
	}
	return ""
}

func (h *requestHead) contentLength(value []byte) string {
	h.lengths++
	n, ok := parseLength(value)
	if !ok {
		return "invalid Content-Length"
	}
	h.length = n
	if h.lengths > 1 {
		return "more than one Content-Length"
	}
	return ""
}

func (h *requestHead) conclude() string {
	switch {
	case h.hosts > 1:
		return "more than one Host"
	case h.hosts == 0 && !h.http10:
		return "no Host"
	case h.hosts == 1 && !validHost(h.host):
		return "invalid Host"
	case h.form != nil && (h.hosts == 0 || !bytes.Equal(h.form, h.host)):
		return "request target and Host disagree"
	case h.codings > 0 && h.lengths > 0:
		return "both Content-Length and Transfer-Encoding"
	case h.codings > 0 && h.http10:
		return "Transfer-Encoding in HTTP/1.0"
	}
	return ""
}

// validHost admits a name, an IPv4 address or a bracketed IPv6 one, with a port
// or without: a subset of RFC 3986's host, and of what net/http admits.
func validHost(host []byte) bool {
	if len(host) > 0 && host[0] == '[' {
		name, port, found := bytes.Cut(host[1:], []byte{']'})
		if !found || !all(name, func(c byte) bool { _, hex := unhex(c); return hex || c == ':' || c == '.' }) {
			return false
		}
		if len(port) > 0 && port[0] != ':' {
			return false
		}
		return len(port) == 0 || all(port[1:], isDigit)
	}
	name, port, found := bytes.Cut(host, []byte{':'})
	return all(name, isHostChar) && (!found || all(port, isDigit))
}

// all reports whether s is not empty and every byte of it is fit.
func all(s []byte, fit func(byte) bool) bool {
	for _, c := range s {
		if !fit(c) {
			return false
		}
	}
	return len(s) > 0
}

func isHostChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '-' || c == '.' || c == '_'
}
