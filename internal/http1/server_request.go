package http1

import (
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// unbound is what a request is made of that is to have a context: there is no
// other way to give it one than to copy.
var unbound http.Request

// request makes the handler's request of the head that was read, or the
// stand-in for one that is refused.
func (c *serverConn) request(ctx context.Context) (*http.Request, *requestBody) {
	if c.state != passHead {
		return c.standIn(ctx)
	}
	head, framed := string(c.buf[:c.pass]), c.body
	c.take(c.pass)
	c.pass, c.state = 0, inHead
	r := unbound.WithContext(ctx)
	if !parseRequest(r, head) {
		c.refuse(ErrMalformedHead, "invalid request target")
		return c.standIn(ctx)
	}
	r.RemoteAddr, r.TLS, r.Body = c.remote, c.tlsState, http.NoBody
	body := &requestBody{conn: c}
	switch {
	case framed.chunked:
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
		body.chunked = true
	case framed.length > 0:
		r.ContentLength, body.left = framed.length, framed.length
	default:
		body.ended.Store(true)
		return r, body
	}
	body.expected = len(r.Header["Expect"]) > 0 && r.ProtoMinor > 0
	r.Body = body
	c.unread.Store(true)
	return r, body
}

func (c *serverConn) standIn(ctx context.Context) (*http.Request, *requestBody) {
	r := http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: RefusedPath}, RequestURI: RefusedPath, Host: "refused",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{refusedField: {"1"}},
		Body: http.NoBody, Close: true, RemoteAddr: c.remote, TLS: c.tlsState,
	}
	body := &requestBody{conn: c}
	body.ended.Store(true)
	return r.WithContext(ctx), body
}

// parseRequest reads a head that [checkHead] has found good. It reports whether
// the target is one that net/url knows too.
func parseRequest(r *http.Request, head string) bool {
	line, rest := cutLine(head)
	method, line, _ := strings.Cut(line, " ")
	target, version, _ := strings.Cut(line, " ")
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return false
	}
	r.Method, r.URL, r.RequestURI, r.Host = method, u, target, u.Host
	r.Proto, r.ProtoMajor, r.ProtoMinor = version, 1, 1
	if version == "HTTP/1.0" {
		r.ProtoMinor = 0
	}
	r.Header = parseHeader(rest)
	if host := r.Header["Host"]; len(host) > 0 {
		if r.Host == "" {
			r.Host = host[0]
		}
		delete(r.Header, "Host")
	}
	delete(r.Header, "Transfer-Encoding")
	r.Close = asksToClose(r)
	return true
}

// parseHeader reads the fields of a good head.
func parseHeader(rest string) http.Header {
	count := strings.Count(rest, "\n") - 1
	header := make(http.Header, count)
	values := make([]string, 0, count)
	for {
		var line string
		if line, rest = cutLine(rest); line == "" {
			return header
		}
		name, value, _ := cutField(line)
		name = textproto.CanonicalMIMEHeaderKey(name)
		if before, twice := header[name]; twice {
			header[name] = append(before, value)
			continue
		}
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
}

// asksToClose tells whether the client wants no further answer on the
// connection, RFC 9112 section 9.3.
func asksToClose(r *http.Request) bool {
	keeps := false
	for _, value := range r.Header["Connection"] {
		closes, _ := closeOption(value)
		if closes {
			return true
		}
		keeps = true // the only other option there is
	}
	return r.ProtoMinor == 0 && !keeps
}
