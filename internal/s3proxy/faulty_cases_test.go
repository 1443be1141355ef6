package s3proxy_test

import (
	"fmt"
	"io"
	"strings"
	"time"

	"keystile/internal/s3test"
)

var (
	readA     = call{method: get, path: "/uploads/a"}
	headA     = call{method: head, path: "/uploads/a"}
	listA     = call{method: get, path: "/uploads", query: "list-type=2"}
	putA      = call{method: put, path: "/uploads/a", body: "hello"}
	putLong   = call{method: put, path: "/uploads/a", body: strings.Repeat("x", 8<<20)}
	deleteA   = call{method: del, path: "/uploads/a"}
	copyA     = call{method: put, path: "/uploads/b", header: header("X-Amz-Copy-Source", "uploads/a")}
	completeA = call{
		method: post, path: "/uploads/a", query: "uploadId=u1",
		body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"e"</ETag></Part></CompleteMultipartUpload>`,
	}
	deleteFew = call{method: post, path: "/uploads", query: "delete=", body: `<Delete><Object><Key>a</Key></Object></Delete>`}
)

// says answers every request with the same bytes.
func says(answer string) func(*s3test.RawConn) {
	return func(c *s3test.RawConn) {
		for c.Whole() && c.Say(answer) {
		}
	}
}

// ends answers one request and closes.
func ends(answer string) func(*s3test.RawConn) {
	return func(c *s3test.RawConn) {
		if c.Whole() {
			c.Say(answer)
		}
	}
}

// holds answers one request and then says nothing more.
func holds(answer string) func(*s3test.RawConn) {
	return func(c *s3test.RawConn) {
		if c.Whole() {
			c.Say(answer)
			c.Hold()
		}
	}
}

// trickles answers begin, then piece every few milliseconds for ever.
func trickles(begin, piece string) func(*s3test.RawConn) {
	return func(c *s3test.RawConn) {
		for ok := c.Whole() && c.Say(begin); ok; ok = c.Say(piece) {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// floods answers begin, then piece as fast as it goes.
func floods(begin, piece string) func(*s3test.RawConn) {
	return func(c *s3test.RawConn) {
		for ok := c.Whole() && c.Say(begin); ok; ok = c.Say(piece) {
		}
	}
}

func ok(headers, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", headers, len(body), body)
}

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

const chunkedXML = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n"

func faultyCases() []faultyCase {
	var all []faultyCase
	all = append(all, faultyConnections()...)
	all = append(all, faultyHeads()...)
	all = append(all, faultyBodies()...)
	all = append(all, faultyXML()...)
	return append(all, faultyWrites()...)
}

func faultyConnections() []faultyCase {
	return []faultyCase{
		{"closes at once", readA, func(*s3test.RawConn) {}, 503, "ServiceUnavailable", false},
		{"resets at once", readA, (*s3test.RawConn).Reset, 503, "ServiceUnavailable", false},
		{"closes after the request", readA, func(c *s3test.RawConn) { c.Whole() }, 503, "ServiceUnavailable", false},
		{"resets after the request", readA, func(c *s3test.RawConn) { c.Whole(); c.Reset() }, 503, "ServiceUnavailable", false},
		{"accepts and says nothing", readA, (*s3test.RawConn).Hold, 504, "ServiceUnavailable", false},
		{"reads and never answers", readA, holds(""), 504, "ServiceUnavailable", false},
		{"never answers HEAD", headA, holds(""), 504, "", false},
		{"never answers a list", listA, holds(""), 504, "ServiceUnavailable", false},
	}
}

func faultyHeads() []faultyCase {
	const bad = "InternalError"
	return []faultyCase{
		{"closes mid-head", readA, ends("HTTP/1.1 200 OK\r\nContent-Le"), 503, "ServiceUnavailable", false},
		{"resets mid-head", readA, func(c *s3test.RawConn) {
			if c.Whole() {
				c.Say("HTTP/1.1 200 OK\r\nConte")
				time.Sleep(20 * time.Millisecond)
			}
			c.Reset()
		}, 503, "ServiceUnavailable", false},
		{"stops mid-head", readA, holds("HTTP/1.1 200 OK\r\nContent-Le"), 504, "ServiceUnavailable", false},
		{"trickles its head", readA, trickles("HTTP/1.1 200 OK\r\n", "X-A: b\r\n"), 504, "ServiceUnavailable", false},
		{"floods with headers", readA, floods("HTTP/1.1 200 OK\r\n", "X-Header: "+strings.Repeat("v", 1000)+"\r\n"), 502, bad, false},
		{"one header without an end", readA, floods("HTTP/1.1 200 OK\r\nX-Header: ", strings.Repeat("v", 4096)), 502, bad, false},
		{"floods with interim answers", readA, floods("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), 502, bad, false},
		{"trickles interim answers", readA, trickles("", "HTTP/1.1 102 Processing\r\n\r\n"), 502, bad, false},
		{"an interim answer before a good one passes", readA, says("HTTP/1.1 100 Continue\r\n\r\n" + ok("", "fine")), 200, "", false},
		{"switches protocols", readA, says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"), 502, bad, false},
		{"redirects for good", readA, says("HTTP/1.1 301 Moved\r\nLocation: http://internal.example/\r\nContent-Length: 0\r\n\r\n"), 502, bad, false},
		{"redirects for now", readA, says("HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/a\r\nContent-Length: 0\r\n\r\n"), 502, bad, false},
		{"redirects to another region", readA, says("HTTP/1.1 301 Moved\r\nX-Amz-Bucket-Region: eu-west-9\r\nContent-Length: 76\r\n\r\n" +
			`<Error><Code>PermanentRedirect</Code><Endpoint>internal.example</Endpoint></Error>`), 502, bad, false},
		{"both a length and chunks", readA, says("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n"), 502, bad, false},
		{"two lengths", readA, says("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfine!"), 502, bad, false},
		{"a negative length", readA, says("HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nfine"), 502, bad, false},
		{"an unknown coding", readA, says("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nfine"), 502, bad, false},
		{"bare line feeds", readA, says("HTTP/1.1 200 OK\nContent-Length: 4\n\nfine"), 502, bad, false},
		{"a folded header", readA, says("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n X: y\r\n\r\nfine"), 502, bad, false},
		{"another protocol", readA, ends("SSH-2.0-OpenSSH_9.9\r\n\r\n"), 502, bad, false},
		{"HTTP/2", readA, ends("HTTP/2 200\r\n\r\n"), 502, bad, false},
		{"a status of two digits", readA, says("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"), 502, bad, false},
		{"a status that is none", readA, says("HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n"), 502, bad, false},
		{"no content for an object", readA, says("HTTP/1.1 204 No Content\r\n\r\n"), 502, bad, false},
		{"not modified, unasked", readA, says("HTTP/1.1 304 Not Modified\r\n\r\n"), 502, bad, false},
		{"not modified, asked, passes", call{method: get, path: "/uploads/a", header: header("If-None-Match", `"e"`)}, says("HTTP/1.1 304 Not Modified\r\n\r\n"), 304, "", false},
		{"a part, unasked", readA, says("HTTP/1.1 206 Part\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 4\r\n\r\nfine"), 502, bad, false},
		{"another part", call{method: get, path: "/uploads/a", header: header("Range", "bytes=4-7")}, says("HTTP/1.1 206 Part\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 4\r\n\r\nfine"), 502, bad, false},
		{"a part of another length", call{method: get, path: "/uploads/a", header: header("Range", "bytes=0-3")}, says("HTTP/1.1 206 Part\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 3\r\n\r\nfin"), 502, bad, false},
		{"the part passes", call{method: get, path: "/uploads/a", header: header("Range", "bytes=0-3")}, says("HTTP/1.1 206 Part\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 4\r\n\r\nfine"), 206, "", false},
	}
}

func faultyBodies() []faultyCase {
	const part = "HTTP/1.1 206 Part\r\nContent-Range: bytes 0-3/10\r\n"
	readPart := call{method: get, path: "/uploads/a", header: header("Range", "bytes=0-3")}
	return []faultyCase{
		{"an object shorter than it says", readA, ends("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfine"), 0, "", true},
		{"an object reset half-way", readA, func(c *s3test.RawConn) {
			if c.Whole() {
				c.Say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfine")
				time.Sleep(50 * time.Millisecond)
			}
			c.Reset()
		}, 0, "", true},
		{"an object that stops", readA, holds("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfine"), 0, "", true},
		{"chunks that stop", readA, holds("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n"), 0, "", true},
		{"chunks without the last", readA, ends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n"), 0, "", true},
		{"a chunk without its size", readA, ends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfine\r\n0\r\n\r\n"), 0, "", true},
		{"a chunk of all there is", readA, ends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nfine\r\n0\r\n\r\n"), 0, "", true},
		{"a trailer without an end", readA, floods("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n", "X-T: v\r\n"), 0, "", true},
		{"an object without a length", readA, ends("HTTP/1.1 200 OK\r\n\r\nfine"), 502, "InternalError", false},
		{"a part without a length that is cut", readPart, ends(part + "\r\nfi"), 0, "", true},
		{"a part in chunks that is too short", readPart, says(part + "Transfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n0\r\n\r\n"), 0, "", true},
		{"a part in chunks that is too long", readPart, says(part + "Transfer-Encoding: chunked\r\n\r\n6\r\nfiness\r\n0\r\n\r\n"), 0, "", true},
		{"a part without a length passes", readPart, ends(part + "\r\nfine"), 206, "", false},
		{"a part in chunks passes", readPart, says(part + "Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n"), 206, "", false},
		{"an error without an end", readA, floods("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(strings.Repeat("x", 64<<10))), 502, "InternalError", false},
		{"an error that trickles", readA, trickles("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"), 504, "ServiceUnavailable", false},
		{"an error that is cut", readA, ends("HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\n<Error>"), 503, "ServiceUnavailable", false},
		{"an error that is no XML", readA, says("HTTP/1.1 500 Oh\r\nContent-Length: 18\r\n\r\nat 127.0.0.1:33001"), 500, "InternalError", false},
		{"a page of a proxy", readA, says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 31\r\n\r\n<html>internal.example is down."), 502, "InternalError", false},
	}
}

func faultyXML() []faultyCase {
	const bad = "InternalError"
	var deep strings.Builder
	deep.WriteString("<ListBucketResult>" + strings.Repeat("<a>", 10_000))
	return []faultyCase{
		{"a list that is garbage", listA, says(ok("", "\x00\x01\x02<<<")), 502, bad, false},
		{"a list that is a page", listA, says(ok("", "<html><body>Welcome</body></html>")), 502, bad, false},
		{"a list that is empty", listA, says(ok("", "")), 502, bad, false},
		{"a list that ends too early", listA, says(ok("", "<ListBucketResult><Name>uploads</Name>")), 502, bad, false},
		{"a list of something else", listA, says(ok("", "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>")), 502, bad, false},
		{"a list with a document type", listA, says(ok("", `<!DOCTYPE x [<!ENTITY a "aaaa">]><ListBucketResult><Name>&a;</Name></ListBucketResult>`)), 502, bad, false},
		{"a list with two roots", listA, says(ok("", "<ListBucketResult/><ListBucketResult/>")), 502, bad, false},
		{"a list that is deep", listA, says(ok("", deep.String())), 502, bad, false},
		{"a list that is cut", listA, ends("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<ListBucketResult>"), 503, "ServiceUnavailable", false},
		{"a list that stops", listA, holds(chunkedXML + "12\r\n<ListBucketResult>\r\n"), 504, "ServiceUnavailable", false},
		{"a list that trickles", listA, trickles(chunkedXML+"12\r\n<ListBucketResult>\r\n", "1\r\n \r\n"), 504, "ServiceUnavailable", false},
		{"a list without an end", listA, floods(chunkedXML+"12\r\n<ListBucketResult>\r\n", chunk(strings.Repeat(" ", 64<<10))), 502, bad, false},
	}
}

func faultyWrites() []faultyCase {
	const bad = "InternalError"
	return []faultyCase{
		{"never answers a write", putA, holds(""), 504, "ServiceUnavailable", false},
		{"hangs up on a write", putA, func(c *s3test.RawConn) { c.Whole() }, 503, "ServiceUnavailable", false},
		{"hangs up in the middle of a write", putLong, func(c *s3test.RawConn) {
			if r := c.Request(); r != nil {
				_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
			}
		}, 503, "ServiceUnavailable", false},
		{"does not read a write", putLong, func(c *s3test.RawConn) { c.Request(); c.Hold() }, 504, "ServiceUnavailable", false},
		{"a success before the write was sent", putLong, func(c *s3test.RawConn) {
			c.Request()
			c.Say(ok("ETag: \"e\"\r\n", ""))
			c.Hold()
		}, 502, bad, false},
		{"a refusal before the write was sent passes", putLong, func(c *s3test.RawConn) {
			c.Request()
			c.Say(refusalOf(400, "EntityTooLarge"))
			c.Hold()
		}, 400, "EntityTooLarge", false},
		{"redirects a write", putA, says("HTTP/1.1 307 Go\r\nLocation: http://internal.example/\r\nContent-Length: 0\r\n\r\n"), 502, bad, false},
		{"not modified for a write", putA, says("HTTP/1.1 304 Not Modified\r\n\r\n"), 502, bad, false},
		{"a part for a write", putA, says("HTTP/1.1 206 Part\r\nContent-Length: 0\r\n\r\n"), 502, bad, false},
		{"an answer to a write that is cut", putA, ends("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), 503, "ServiceUnavailable", false},
		{"hangs up on a delete", deleteA, func(c *s3test.RawConn) { c.Whole() }, 503, "ServiceUnavailable", false},
		{"a copy that is an error", copyA, says(ok("", "<Error><Code>InternalError</Code><Message>m</Message></Error>")), 500, bad, false},
		{"a copy that is empty", copyA, says(ok("", "")), 502, bad, false},
		{"a copy that is garbage", copyA, says(ok("", "fine")), 502, bad, false},
		{"a completion that never ends", completeA, trickles(chunkedXML, "1\r\n \r\n"), 504, "ServiceUnavailable", false},
		{"a completion that breaks off", completeA, ends(chunkedXML + "1\r\n \r\n"), 503, "ServiceUnavailable", false},
		{"a completion that is empty", completeA, says(chunkedXML + "0\r\n\r\n"), 502, bad, false},
		{"a completion that ends in an error", completeA, says(chunkedXML + "1\r\n \r\n" + chunk("<Error><Code>InternalError</Code><Message>late</Message></Error>") + "0\r\n\r\n"), 500, bad, false},
		{"a multi-delete that is garbage", deleteFew, says(ok("", "<html/>")), 502, bad, false},
		{"a multi-delete that is empty", deleteFew, says(ok("", "")), 502, bad, false},
	}
}

func refusalOf(status int, code string) string {
	body := "<Error><Code>" + code + "</Code><Message>m</Message></Error>"
	return fmt.Sprintf("HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}
