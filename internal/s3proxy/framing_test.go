package s3proxy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// Requests as they stand on the wire. {host} and {sig} are filled in; the
// signature is good whatever the framing is, so that only the framing decides.
const (
	wireGet     = "GET /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}\r\n"
	wirePut     = "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}Content-Length: 3\r\n\r\nabc"
	wireExpect  = "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
	wireChunked = "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	wireFramed  = "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{framed}X-Amz-Decoded-Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"d\r\n3\r\nabc\r\n0\r\n\r\n\r\n0\r\n\r\n"
	wireURL     = "GET http://{host}/uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}\r\n"
	wireOld     = "GET /uploads/a.txt HTTP/1.0\r\nHost: {host}\r\nConnection: keep-alive\r\n{sig}\r\n"
	wireOldPut  = "PUT /uploads/a.txt HTTP/1.0\r\nHost: {host}\r\nConnection: keep-alive\r\n{sig}Content-Length: 3\r\n\r\nabc"
	wireOptions = "GET /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n{sig}\r\n"
	// wireNext follows every one of them on the same connection.
	wireNext = "GET /uploads/next.txt HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{sig}\r\n"
)

var wireNames = map[string]string{
	wireGet: "GET", wirePut: "PUT", wireExpect: "PUT with Expect", wireChunked: "chunked PUT", wireFramed: "aws-chunked PUT in chunks",
	wireURL: "GET of a URL", wireOld: "GET of HTTP/1.0", wireOldPut: "PUT of HTTP/1.0", wireOptions: "GET with Connection",
}

// newWire starts a gateway whose backend has the objects of the requests above.
func newWire(t *testing.T) (*gateway, key) {
	t.Helper()
	g := newGateway(t)
	for _, name := range []string{"a.txt", "next.txt"} {
		g.backend.PutObject("uploads", name, []byte("before"))
	}
	return g, g.mint("prod/uploads:read,write,list,delete")
}

var wirePath = regexp.MustCompile(`^(\S*) (?:http://\{host\})?(/\S*)`)

// fill signs a request of the wire for addr.
func (g *gateway) fill(k key, addr, raw string) string {
	g.t.Helper()
	method, path := get, "/uploads/a.txt"
	if m := wirePath.FindStringSubmatch(raw); m != nil {
		method, path = m[1], m[2]
	}
	for place, hash := range map[string]string{"{sig}": sigv4.UnsignedPayload, "{framed}": sigv4.StreamingUnsignedTrailer} {
		if !strings.Contains(raw, place) {
			continue
		}
		h := http.Header{}
		if place == "{framed}" {
			h.Set("X-Amz-Decoded-Content-Length", "3")
		}
		signer := sigv4.NewSigner(k.id, k.secret.Reveal(), "eu-test-1", "s3")
		if err := signer.Sign(method, path, "", addr, h, hash, g.clock()); err != nil {
			// No client could sign such a path either.
			must(g.t, signer.Sign(method, "/uploads/a.txt", "", addr, h, hash, g.clock()))
		}
		var lines strings.Builder
		for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256"} {
			fmt.Fprintf(&lines, "%s: %s\r\n", name, h.Get(name))
		}
		raw = strings.ReplaceAll(raw, place, lines.String())
	}
	return strings.ReplaceAll(raw, "{host}", addr)
}

// say writes bytes and returns all that comes back until the gateway closes.
// Only where the gateway must wait for more does the client end its side: that
// would end the requests under way too.
func (g *gateway) say(addr, raw string, hangUp bool) string {
	g.t.Helper()
	c := g.connect(addr)
	go func() {
		_, _ = io.WriteString(c, raw)
		if hangUp {
			_ = c.CloseWrite()
		}
	}()
	return g.hear(c)
}

func (g *gateway) connect(addr string) *net.TCPConn {
	g.t.Helper()
	c, err := net.Dial("tcp", addr)
	must(g.t, err)
	g.t.Cleanup(func() { _ = c.Close() })
	must(g.t, c.SetDeadline(time.Now().Add(20*time.Second)))
	return c.(*net.TCPConn)
}

// hear reads until the gateway closes the connection, which it must.
func (g *gateway) hear(c net.Conn) string {
	g.t.Helper()
	all, err := io.ReadAll(c)
	if e, ok := err.(net.Error); ok && e.Timeout() { //nolint:errorlint // a connection's own error
		g.t.Errorf("the connection was not closed after %q", all)
	}
	return string(all)
}

// asked is what the backend saw, as "METHOD path".
func (g *gateway) asked() []string {
	g.backend.Wait()
	var all []string
	for _, r := range g.backend.Requests() {
		all = append(all, r.Method+" "+r.Path)
	}
	return all
}

// misframed is a request made from a good one by one replacement.
type misframed struct {
	name, good string
	old, with  string
	hangUp     bool // what is sent lacks its end
}

// edit replaces the first place of old.
func edit(name, good, old, with string) misframed {
	return misframed{name: name, good: good, old: old, with: with}
}

// cut is an edit after which the gateway waits for more.
func cut(name, good, old, with string) misframed {
	return misframed{name: name, good: good, old: old, with: with, hangUp: true}
}

// line adds header lines behind Host.
func line(name, good, added string) misframed {
	return edit(name, good, "Host: {host}\r\n", "Host: {host}\r\n"+added)
}

func TestFramingOfHeads(t *testing.T) {
	g, k := newWire(t)
	runMisframed(t, g, k, slices.Concat(lengths, codings, lineEnds, fieldNames, hosts, targets, versions, options), true)
}

func TestFramingOfChunks(t *testing.T) {
	g, k := newWire(t)
	runMisframed(t, g, k, chunks, false)
}

// runMisframed sends each good request and its forbidden neighbour, each with a
// further request behind it.
func runMisframed(t *testing.T, g *gateway, k key, cases []misframed, heads bool) {
	for _, tt := range cases {
		t.Run(wireNames[tt.good]+"/"+tt.name, func(t *testing.T) {
			bad := strings.Replace(tt.good, tt.old, tt.with, 1)
			if bad == tt.good {
				t.Fatal("the case changes nothing")
			}
			method, _, _ := strings.Cut(tt.good, " ")
			g.backend.Reset()
			answers := g.say(g.addr, g.fill(k, g.addr, tt.good)+g.fill(k, g.addr, wireNext), false)
			if got, want := fmt.Sprint(g.asked()), fmt.Sprint([]string{method + " /uploads/a.txt", "GET /uploads/next.txt"}); got != want {
				t.Fatalf("allowed: the backend saw %s, want %s; answers %q", got, want, answers)
			}

			g.backend.Reset()
			answers = g.say(g.addr, g.fill(k, g.addr, bad)+g.fill(k, g.addr, wireNext), tt.hangUp)
			if seen := g.asked(); len(seen) > 0 {
				t.Errorf("forbidden: the backend saw %q", seen)
			}
			wantOneRefusal(t, answers, heads)
		})
	}
}

var statusLines = regexp.MustCompile(`HTTP/1\.[01] \d{3} `)

// wantOneRefusal wants one S3 error of 400 and the connection's end.
func wantOneRefusal(t *testing.T, answers string, head bool) {
	t.Helper()
	// An interim answer to Expect may come before a broken body is known.
	final := strings.TrimPrefix(answers, "HTTP/1.1 100 Continue\r\n\r\n")
	if !strings.HasPrefix(final, "HTTP/1.1 400 ") || len(statusLines.FindAllString(final, -1)) != 1 {
		t.Fatalf("answers = %q, want one 400", answers)
	}
	if !strings.Contains(final, "\r\nConnection: close\r\n") {
		t.Errorf("the refusal does not end the connection: %q", final)
	}
	ours := strings.Contains(final, "<Code>InvalidRequest</Code>") || strings.Contains(final, "<Code>RequestHeaderSectionTooLarge</Code>")
	if head && !ours {
		t.Errorf("answer %q has another code", final)
	}
}

var lengths = []misframed{
	edit("length and coding", wirePut, "Content-Length: 3", "Content-Length: 3\r\nTransfer-Encoding: chunked"),
	edit("coding and length", wireChunked, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3"),
	edit("coding and length zero", wireChunked, "Transfer-Encoding: chunked", "Content-Length: 0\r\nTransfer-Encoding: chunked"),
	edit("the same length twice", wirePut, "Content-Length: 3", "Content-Length: 3\r\nContent-Length: 3"),
	edit("two lengths", wirePut, "Content-Length: 3", "Content-Length: 3\r\nContent-Length: 300"),
	edit("a list of lengths", wirePut, "Content-Length: 3", "Content-Length: 3, 3"),
	edit("a length with plus", wirePut, "Content-Length: 3", "Content-Length: +3"),
	edit("a negative length", wirePut, "Content-Length: 3", "Content-Length: -3"),
	edit("a length with a space inside", wirePut, "Content-Length: 3", "Content-Length: 3 0"),
	edit("a length with underscore", wirePut, "Content-Length: 3", "Content-Length: 0_3"),
	edit("a fraction as length", wirePut, "Content-Length: 3", "Content-Length: 3.0"),
	edit("an empty length", wirePut, "Content-Length: 3", "Content-Length:"),
	edit("a hexadecimal length", wirePut, "Content-Length: 3", "Content-Length: 0x3"),
	edit("a length of 2^63", wirePut, "Content-Length: 3", "Content-Length: 9223372036854775808"),
	edit("a length that wraps to 3", wirePut, "Content-Length: 3", "Content-Length: 18446744073709551619"),
	edit("space before the length's colon", wirePut, "Content-Length: 3", "Content-Length : 3"),
	edit("a form feed before the length", wirePut, "Content-Length: 3", "Content-Length: \f3"),
}

var codings = []misframed{
	edit("a misspelt coding", wireChunked, ": chunked", ": xchunked"),
	edit("chunked and identity", wireChunked, ": chunked", ": chunked, identity"),
	edit("gzip before chunked", wireChunked, ": chunked", ": gzip, chunked"),
	edit("chunked twice in a list", wireChunked, ": chunked", ": chunked, chunked"),
	edit("chunked in quotes", wireChunked, ": chunked", ": \"chunked\""),
	edit("chunked with a parameter", wireChunked, ": chunked", ": chunked;q=1"),
	edit("a trailing comma", wireChunked, ": chunked", ": chunked,"),
	edit("a vertical tab before chunked", wireChunked, ": chunked", ": \x0bchunked"),
	edit("an empty coding", wireChunked, ": chunked", ":"),
	edit("two coding lines", wireChunked, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
	edit("identity beside a length", wirePut, "Content-Length: 3", "Content-Length: 3\r\nTransfer-Encoding: identity"),
	edit("space before the coding's colon", wireChunked, "Transfer-Encoding:", "Transfer-Encoding :"),
	edit("a coding folded over lines", wireChunked, "Transfer-Encoding: chunked", "Transfer-Encoding:\r\n chunked"),
	edit("a coding behind a bare LF", wirePut, "Content-Length: 3", "X: y\nTransfer-Encoding: chunked\r\nContent-Length: 3"),
	edit("a coding of HTTP/1.0", wireOldPut, "Content-Length: 3", "Transfer-Encoding: chunked"),
}

var lineEnds = []misframed{
	edit("bare LF after the request line", wireGet, " HTTP/1.1\r\n", " HTTP/1.1\n"),
	line("bare LF after a header", wireGet, "X: y\n"),
	edit("bare LF ends the head", wireGet, "{sig}\r\n", "{sig}\n"),
	line("bare CR in a value", wireGet, "X: a\rContent-Length: 40\r\n"),
	line("CR CR LF", wireGet, "X: y\r\r\n"),
	line("a folded value", wireGet, "X: a\r\n b\r\n"),
	line("a value folded with a tab", wireGet, "X: a\r\n\tb\r\n"),
	edit("a folded first header", wireGet, "Host:", " Host:"),
	edit("an empty line first", wireGet, "GET ", "\r\nGET "),
}

var fieldNames = []misframed{
	line("a space in a name", wireGet, "X Y: z\r\n"),
	line("a space before a colon", wireGet, "X : z\r\n"),
	line("a tab before a colon", wireGet, "X\t: z\r\n"),
	line("an empty name", wireGet, ": z\r\n"),
	line("no colon", wireGet, "nothing\r\n"),
	line("NUL in a name", wireGet, "X\x00: z\r\n"),
	line("NUL in a value", wireGet, "X: a\x00b\r\n"),
	line("DEL in a value", wireGet, "X: a\x7fb\r\n"),
	line("a name outside ASCII", wireGet, "X\xff: z\r\n"),
	line("a name in brackets", wireGet, "(X): z\r\n"),
	line("the mark of refusals", wireGet, "Keystile-Refused: 1\r\n"),
}

var hosts = []misframed{
	edit("no host", wireGet, "Host: {host}", "X: y"),
	line("the same host twice", wireGet, "Host: {host}\r\n"),
	line("another host", wireGet, "Host: other.test\r\n"),
	edit("an empty host", wireGet, "Host: {host}", "Host:"),
	edit("a host with a path", wireGet, "Host: {host}", "Host: {host}/x"),
	edit("a host with a user", wireGet, "Host: {host}", "Host: user@{host}"),
	edit("two hosts in a list", wireGet, "Host: {host}", "Host: {host}, other.test"),
}

var targets = []misframed{
	edit("a URL of another host", wireURL, "http://{host}/", "http://other.test/"),
	edit("a URL with a user", wireURL, "http://{host}/", "http://user@{host}/"),
	edit("a URL of another scheme", wireURL, "http://", "ftp://"),
	edit("a URL without a host", wireURL, "http://{host}/", "http:///"),
	edit("an asterisk", wireGet, "GET /uploads/a.txt", "OPTIONS *"),
	edit("a tunnel", wireGet, "GET /uploads/a.txt", "CONNECT {host}"),
	edit("a target without slash", wireGet, "/uploads", "uploads"),
	edit("a fragment", wireGet, "a.txt ", "a.txt#b "),
	edit("a broken escape", wireGet, "a.txt ", "a%zz "),
	edit("a control in the target", wireGet, "a.txt ", "a\x01 "),
	edit("a tab after the method", wireGet, "GET ", "GET\t"),
	edit("two spaces", wireGet, "GET ", "GET  "),
	edit("a method that is no token", wireGet, "GET ", "G@T "),
}

var versions = []misframed{
	edit("HTTP/1.2", wireGet, "HTTP/1.1", "HTTP/1.2"),
	edit("HTTP/2.0", wireGet, "HTTP/1.1", "HTTP/2.0"),
	edit("HTTP/0.9", wireGet, " HTTP/1.1", ""),
	edit("a version in lower case", wireGet, "HTTP/1.1", "http/1.1"),
	edit("a version with more digits", wireGet, "HTTP/1.1", "HTTP/1.10"),
	edit("the preface of HTTP/2", wireGet, "GET", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET"),
	edit("a list of lengths in HTTP/1.0", wireOldPut, "Content-Length: 3", "Content-Length: 3, 3"),
	edit("a URL without a host header in HTTP/1.0", wireOld, "GET /uploads/a.txt HTTP/1.0\r\nHost: {host}", "GET http://{host}/uploads/a.txt HTTP/1.0"),
}

var options = []misframed{
	line("an upgrade to a websocket", wireGet, "Connection: upgrade\r\nUpgrade: websocket\r\n"),
	line("an upgrade to h2c", wireGet, "Upgrade: h2c\r\n"),
	edit("Connection names the date", wireOptions, ": keep-alive", ": x-amz-date"),
	edit("Connection names the authorization", wireOptions, ": keep-alive", ": close, authorization"),
	edit("Connection names the length", wireOptions, ": keep-alive", ": content-length"),
	edit("Connection names te", wireOptions, ": keep-alive", ": te"),
	edit("another expectation", wireExpect, "100-continue", "200-ok"),
	edit("two expectations", wireExpect, "Expect: 100-continue", "Expect: 100-continue\r\nExpect: 100-continue"),
	edit("an empty expectation", wireExpect, " 100-continue", ""),
	edit("announced trailers", wireChunked, "Transfer-Encoding", "Trailer: X-Amz-Meta-A\r\nTransfer-Encoding"),
	line("a head longer than the limit", wireGet, "X: "+strings.Repeat("x", 70<<10)+"\r\n"),
	line("a hundred thousand headers", wireGet, strings.Repeat("X: y\r\n", 100_000)),
	edit("a target longer than the limit", wireGet, "a.txt ", strings.Repeat("a", 70<<10)+" "),
}

const chunkABC = "3\r\nabc\r\n0\r\n\r\n"

var chunks = []misframed{
	edit("no size", wireChunked, chunkABC, "\r\nabc\r\n0\r\n\r\n"),
	edit("a size that is no number", wireChunked, chunkABC, "xyz\r\nabc\r\n0\r\n\r\n"),
	edit("a space after the size", wireChunked, chunkABC, "3 \r\nabc\r\n0\r\n\r\n"),
	edit("a space before the size", wireChunked, chunkABC, " 3\r\nabc\r\n0\r\n\r\n"),
	edit("0x before the size", wireChunked, chunkABC, "0x3\r\nabc\r\n0\r\n\r\n"),
	edit("a size with plus", wireChunked, chunkABC, "+3\r\nabc\r\n0\r\n\r\n"),
	edit("a negative size", wireChunked, chunkABC, "-3\r\nabc\r\n0\r\n\r\n"),
	edit("an extension", wireChunked, chunkABC, "3;a=b\r\nabc\r\n0\r\n\r\n"),
	edit("an extension with a bare LF", wireChunked, chunkABC, "3;\nabc\r\nabc\r\n0\r\n\r\n"),
	edit("an extension on the last chunk", wireChunked, chunkABC, "3\r\nabc\r\n0;a\r\n\r\n"),
	edit("a size of 2^63", wireChunked, chunkABC, "8000000000000000\r\nabc\r\n0\r\n\r\n"),
	edit("a size that wraps to 3", wireChunked, chunkABC, "10000000000000003\r\nabc\r\n0\r\n\r\n"),
	cut("the largest size", wireChunked, chunkABC, "7fffffffffffffff\r\nabc\r\n0\r\n\r\n"),
	edit("a size without end", wireChunked, chunkABC, strings.Repeat("0", 100_000)+"3\r\nabc\r\n0\r\n\r\n"),
	edit("bare LF after the size", wireChunked, chunkABC, "3\nabc\r\n0\r\n\r\n"),
	edit("no CRLF after the data", wireChunked, chunkABC, "3\r\nabc0\r\n\r\n"),
	edit("bare LF after the data", wireChunked, chunkABC, "3\r\nabc\n0\r\n\r\n"),
	edit("more data than the size", wireChunked, chunkABC, "3\r\nabcd\r\n0\r\n\r\n"),
	edit("bare LF after the last chunk", wireChunked, chunkABC, "3\r\nabc\r\n0\n\r\n"),
	edit("bare LF at the end", wireChunked, chunkABC, "3\r\nabc\r\n0\r\n\n"),
	edit("a trailer field", wireChunked, chunkABC, "3\r\nabc\r\n0\r\nX-Amz-Meta-A: b\r\n\r\n"),
	cut("no last chunk", wireChunked, chunkABC, "3\r\nabc\r\n"),
	cut("the end within the data", wireFramed, "abc\r\n0\r\n\r\n\r\n0\r\n\r\n", "ab"),
	edit("a broken outer size", wireFramed, "d\r\n3", "g\r\n3"),
	edit("an outer trailer field", wireFramed, "\r\n0\r\n\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n\r\n0\r\nX: y\r\n\r\n"),
	edit("an outer extension", wireFramed, "d\r\n3", "d;x\r\n3"),
	edit("an inner size that is larger than the outer", wireFramed, "d\r\n3\r\n", "d\r\n9\r\n"),
	edit("data after the inner end", wireFramed, "d\r\n3\r\nabc\r\n0\r\n\r\n", "e\r\n3\r\nabc\r\n0\r\n\r\nx"),
}
