package http1

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// echoBackend answers every head it sees with the same bytes, without parsing:
// a floor for what the client adds.
func echoBackend(b *testing.B, answer string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 {
						_, _ = io.WriteString(c, answer)
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func BenchmarkClientGet(b *testing.B) {
	addr := echoBackend(b, "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\nETag: \"x\"\r\nx-amz-request-id: 1\r\n\r\n"+strings.Repeat("x", 1024))
	c := NewClient(Options{Host: "h", Dial: func(context.Context) (net.Conn, error) { return net.Dial("tcp", addr) }})
	defer c.Close()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	buf := make([]byte, 2048)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.Do(ctx, get())
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.ReadFull(resp.Body, buf[:1024]); err != nil {
			b.Fatal(n, err)
		}
		_ = resp.Body.Close()
	}
}

// endless yields one request again and again, as a connection would.
type endless struct {
	net.Conn
	request string
}

func (e endless) Read(p []byte) (int, error)      { return copy(p, e.request), nil }
func (e endless) SetReadDeadline(time.Time) error { return nil }

func BenchmarkGuardHead(b *testing.B) {
	const request = "GET /bucket/some/key?x-id=GetObject HTTP/1.1\r\nHost: s3.example.com:8090\r\nAccept-Encoding: identity\r\n" +
		"User-Agent: aws-cli/2.31 md/awscrt#0.27 ua/2.1 os/linux#6.18 lang/python#3.13\r\nX-Amz-Date: 20261101T000000Z\r\n" +
		"X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000\r\n\r\n"
	c := guardConn(endless{request: request}, GuardOptions{MaxHeadBytes: defaultMaxHead, IdleTimeout: time.Minute})
	p := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if n, err := c.Read(p); err != nil || n != len(request) {
			b.Fatal(n, err)
		}
	}
}
