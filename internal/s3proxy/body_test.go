package s3proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/sigv4"
)

// raw sends a request head as signed and then whatever the test wants as its
// body, and returns the answer's status line and body.
func (g *gateway) raw(k key, c call, declared string, body io.Reader) (status int, answer string) {
	g.t.Helper()
	header := http.Header{}
	for name, values := range c.header {
		header[name] = values
	}
	g.sign(k, c, header)
	conn, err := net.Dial("tcp", g.addr)
	must(g.t, err)
	defer conn.Close()
	must(g.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	head := fmt.Sprintf("%s %s?%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", c.method, c.path, c.query, g.addr, declared)
	for name, values := range header {
		head += name + ": " + values[0] + "\r\n"
	}
	_, err = io.WriteString(conn, head+"\r\n")
	must(g.t, err)
	_, _ = io.Copy(conn, body) // the gateway may have answered and gone
	if c.hangUp {
		must(g.t, conn.(*net.TCPConn).CloseWrite())
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	data, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(data)
}

const unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

func trailerCall(length int) call {
	return call{
		method: put, path: "/uploads/b.txt", payloadHash: unsignedTrailer,
		header: header("X-Amz-Decoded-Content-Length", fmt.Sprint(length), "X-Amz-Trailer", "x-amz-checksum-crc32",
			"Content-Encoding", "aws-chunked"),
	}
}

func TestStreamingBodies(t *testing.T) {
	good := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc32Of("hello") + "\r\n\r\n"
	for _, tt := range []struct {
		name   string
		call   call
		wire   string
		status int
	}{
		{"an unsigned trailer", trailerCall(5), good, 200},
		{"a wrong trailer", trailerCall(5), strings.Replace(good, "hello", "jello", 1), 400},
		{"no trailer", trailerCall(5), "5\r\nhello\r\n0\r\n\r\n", 400},
		{"another trailer", trailerCall(5), "5\r\nhello\r\n0\r\nx-amz-checksum-sha1:AAAA\r\n\r\n", 400},
		{"a shorter payload than declared", trailerCall(6), good, 400},
		{"a longer payload than declared", trailerCall(4), good, 400},
		{"no last chunk", trailerCall(5), "5\r\nhello\r\n", 400},
		{"a chunk of the largest size", trailerCall(5), "7fffffffffffffff\r\nhello\r\n0\r\n\r\n", 400},
		{"a chunk size beyond all sizes", trailerCall(5), "fffffffffffffffffffff\r\nhello\r\n0\r\n\r\n", 400},
		{"a chunk header without an end", trailerCall(5), strings.Repeat("5", 1<<20), 400},
		{"something after the end", trailerCall(5), good + "5\r\nhello\r\n", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write")
			status, answer := g.raw(k, tt.call, fmt.Sprintf("Content-Length: %d", len(tt.wire)), strings.NewReader(tt.wire))
			if status != tt.status {
				t.Errorf("got %d %s, want %d", status, answer, tt.status)
			}
			g.backend.Wait()
			stored, there := g.backend.Objects("uploads")["b.txt"]
			if there != (tt.status == 200) || (there && string(stored) != "hello") {
				t.Errorf("stored %v %q", there, stored)
			}
			for _, r := range g.backend.Requests() {
				if r.Header.Get("Content-Encoding") != "" || r.Header.Get("X-Amz-Trailer") != "" {
					t.Errorf("framing was passed on: %v", r.Header)
				}
			}
		})
	}
}

// signedChunks frames and signs a payload as STREAMING-AWS4-HMAC-SHA256-PAYLOAD.
func (g *gateway) signedChunks(k key, c call, chunks ...string) (header http.Header, wire string) {
	g.t.Helper()
	header = c.header.Clone()
	g.sign(k, c, header)
	auth, err := sigv4.Parse(sigv4.Request{Method: c.method, Path: c.path, Host: g.addr, Header: header, ContentLength: -1})
	must(g.t, err)
	previous := auth.Signature
	for _, chunk := range append(chunks, "") {
		signature := chunkSignature(g.t, k.secret.Reveal(), auth, previous, chunk)
		wire += fmt.Sprintf("%x;chunk-signature=%s\r\n%s\r\n", len(chunk), signature, chunk)
		previous = signature
	}
	return header, wire
}

func TestSignedChunks(t *testing.T) {
	c := call{
		method: put, path: "/uploads/b.txt", payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
		header: header("X-Amz-Decoded-Content-Length", "10"),
	}
	for _, tt := range []struct {
		name   string
		tamper func(string) string
		status int
	}{
		{"as signed", func(s string) string { return s }, 200},
		{"a changed chunk", func(s string) string { return strings.Replace(s, "world", "w0rld", 1) }, 403},
		{"a changed first chunk", func(s string) string { return strings.Replace(s, "hello", "jello", 1) }, 403},
		{"a chunk without its signature", func(s string) string {
			before, rest, _ := strings.Cut(s, ";")
			_, after, _ := strings.Cut(rest, "\r\n")
			return before + "\r\n" + after
		}, 403},
		{"a stream without its end", func(s string) string { return s[:strings.LastIndex(s, "0;")] }, 400},
		{"chunks that were swapped", func(s string) string {
			cut := strings.Index(s, "hello\r\n") + len("hello\r\n")
			end := strings.LastIndex(s, "0;")
			return s[cut:end] + s[:cut] + s[end:]
		}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write")
			c := c
			c.date = time.Now()
			header, wire := g.signedChunks(k, c, "hello", "world")
			wire = tt.tamper(wire)
			status, answer := g.sendRaw(c, header, wire)
			if status != tt.status {
				t.Errorf("got %d %s, want %d", status, answer, tt.status)
			}
			g.backend.Wait()
			stored, there := g.backend.Objects("uploads")["b.txt"]
			if there != (tt.status == 200) || (there && string(stored) != "helloworld") {
				t.Errorf("stored %v %q", there, stored)
			}
		})
	}
}

func (g *gateway) sendRaw(c call, header http.Header, wire string) (int, string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), c.method, "http://"+g.addr+c.path, strings.NewReader(wire))
	must(g.t, err)
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	must(g.t, err)
	defer res.Body.Close()
	data, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(data)
}

func TestATruncatedUploadIsNotStored(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	for name, c := range map[string]call{
		"with a digest":    {method: put, path: "/uploads/a", payloadHash: hashOf("hello, world"), hangUp: true},
		"without a digest": {method: put, path: "/uploads/a", payloadHash: "UNSIGNED-PAYLOAD", hangUp: true},
	} {
		t.Run(name, func(t *testing.T) {
			status, _ := g.raw(k, c, "Content-Length: 12", strings.NewReader("hello"))
			if status == 200 {
				t.Error("a truncated upload was accepted")
			}
			g.backend.Wait()
			if _, there := g.backend.Objects("uploads")["a"]; there {
				t.Error("a truncated upload was stored")
			}
			if e := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy.putobject"}); len(e) == 0 || e[0].Result == keystile.ResultOK || e[0].Open {
				t.Errorf("recorded as %+v", e)
			}
		})
	}
}

// dripping is a body that gives some bytes and then waits.
type dripping struct {
	first io.Reader
	wait  <-chan struct{}
}

func (d *dripping) Read(p []byte) (int, error) {
	if n, err := d.first.Read(p); n > 0 || err == nil {
		return n, nil
	}
	<-d.wait
	return 0, io.EOF
}

func TestRevocationCutsAnUpload(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	bystander := g.mint("prod/uploads:write")
	wait := make(chan struct{})
	defer close(wait)
	started := make(chan int, 1)
	go func() {
		c := call{method: put, path: "/uploads/a", payloadHash: "UNSIGNED-PAYLOAD"}
		status, _ := g.raw(k, c, fmt.Sprintf("Content-Length: %d", 4<<20), &dripping{first: strings.NewReader(strings.Repeat("x", 2<<20)), wait: wait})
		started <- status
	}()
	g.until("the backend has the upload's beginning", func() bool {
		r := g.backend.Requests()
		return len(r) == 1 && r[0].BodyBytes > 0
	})
	began := time.Now()
	g.change(k, func(c *keystile.Credential) { c.RevokedAt = time.Now() })
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the revocation took %s", took)
	}
	// When the change has returned, the upload is over.
	g.backend.Wait()
	if _, there := g.backend.Objects("uploads")["a"]; there {
		t.Error("the upload was stored")
	}
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: "x"}), 401, "InvalidAccessKeyId")
	wantStatus(t, g.do(bystander, call{method: put, path: "/uploads/b", body: "x"}), 200, "")
	events := g.events(keystile.EventFilter{AccessKeyID: k.id})
	if len(events) != 2 || events[1].Open || events[1].Result != keystile.ResultDenied {
		t.Errorf("recorded as %+v", events)
	}
}

func TestRevocationCutsADownload(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "big", make([]byte, 32<<20))
	k := g.mint("prod/uploads:read")
	req := g.request(k, call{method: get, path: "/uploads/big"})
	res, err := (&http.Transport{}).RoundTrip(req)
	must(t, err)
	defer res.Body.Close()
	_, err = io.ReadFull(res.Body, make([]byte, 1024))
	must(t, err)
	g.change(k, func(c *keystile.Credential) { c.DisabledAt = time.Now() })
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("the download went on to its end, %d bytes", n)
	}
}

func TestExpiryCutsAnUpload(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	g.change(k, func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(700 * time.Millisecond) })
	wait := make(chan struct{})
	defer close(wait)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c := call{method: put, path: "/uploads/a", payloadHash: "UNSIGNED-PAYLOAD"}
		g.raw(k, c, "Content-Length: 10", &dripping{first: strings.NewReader("hello"), wait: wait})
	}()
	g.until("the upload is cut and recorded", func() bool {
		e := g.events(keystile.EventFilter{AccessKeyID: k.id})
		return len(e) == 1 && !e[0].Open
	})
	g.backend.Wait()
	if _, there := g.backend.Objects("uploads")["a"]; there {
		t.Error("the upload was stored")
	}
}

func (g *gateway) until(what string, done func() bool) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Second)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			g.t.Fatalf("waited in vain until %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestPresigned(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	k := g.mint("prod/uploads:read,write")
	signer := sigv4.NewSigner(k.id, k.secret.Reveal(), "eu-test-1", "s3")
	presign := func(method, path string, expires time.Duration, at time.Time) string {
		query, err := signer.Presign(method, path, "", g.addr, http.Header{}, expires, at)
		must(t, err)
		return query
	}
	now := time.Now()
	for _, tt := range []struct {
		name   string
		call   call
		status int
		code   string
	}{
		{"a read", call{method: get, path: "/uploads/a.txt", query: presign(get, "/uploads/a.txt", time.Hour, now)}, 200, ""},
		{"a write", call{method: put, path: "/uploads/p.txt", body: "x", query: presign(put, "/uploads/p.txt", time.Hour, now)}, 200, ""},
		{"six days old, seven days valid", call{method: get, path: "/uploads/a.txt", query: presign(get, "/uploads/a.txt", 7*24*time.Hour, now.Add(-6*24*time.Hour))}, 200, ""},
		{"expired", call{method: get, path: "/uploads/a.txt", query: presign(get, "/uploads/a.txt", time.Minute, now.Add(-2*time.Minute))}, 403, "AccessDenied"},
		{"valid for eight days", call{method: get, path: "/uploads/a.txt", query: strings.Replace(presign(get, "/uploads/a.txt", time.Hour, now), "X-Amz-Expires=3600", "X-Amz-Expires=691200", 1)}, 400, "AuthorizationQueryParametersError"},
		{"another key", call{method: get, path: "/uploads/b.txt", query: presign(get, "/uploads/a.txt", time.Hour, now)}, 403, "SignatureDoesNotMatch"},
		{"another method", call{method: put, path: "/uploads/a.txt", body: "x", query: presign(get, "/uploads/a.txt", time.Hour, now)}, 403, "SignatureDoesNotMatch"},
		{"an added parameter", call{method: get, path: "/uploads/a.txt", query: presign(get, "/uploads/a.txt", time.Hour, now) + "&versionId=1"}, 403, "SignatureDoesNotMatch"},
		{"an added x-amz- header", call{method: put, path: "/uploads/p.txt", header: header("X-Amz-Copy-Source", "uploads/a.txt"), query: presign(put, "/uploads/p.txt", time.Hour, now)}, 403, "AccessDenied"},
		{"outside the scope", call{method: get, path: "/payroll/a.txt", query: presign(get, "/payroll/a.txt", time.Hour, now)}, 403, "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g.backend.Reset()
			tt.call.unsigned = true
			wantStatus(t, g.do(key{}, tt.call), tt.status, tt.code)
			if tt.status >= 300 {
				g.backendSaw(0)
			} else {
				g.backendSaw(1)
			}
		})
	}
}
