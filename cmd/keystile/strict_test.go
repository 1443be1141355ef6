package main

import (
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The dashboard's listener reads HTTP as strictly as the gateway's. What follows
// a refused head is no request.
func TestTheDashboardRefusesAmbiguousRequests(t *testing.T) {
	r := quickstart(t, t.TempDir())
	u, err := url.Parse(r.DashboardURL)
	if err != nil {
		t.Fatal(err)
	}
	const smuggled = "GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
	post := "POST /api/session HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
	for _, tt := range []struct {
		name, wire string
		want       string
		answers    int
	}{
		{"a plain request", smuggled, "HTTP/1.1 200 ", 1},
		{"two requests, one after the other", "GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n" + smuggled, "HTTP/1.1 200 ", 2},
		{"a body with its length", post + "Content-Length: 2\r\n\r\n{}" + smuggled, "HTTP/1.1 403 ", 2},
		{"a length and chunks", post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, "HTTP/1.1 400 ", 1},
		{"two lengths", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + smuggled, "HTTP/1.1 400 ", 1},
		{"two hosts", "GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n" + smuggled, "HTTP/1.1 400 ", 1},
		{"a line that ends in LF alone", "GET /healthz HTTP/1.1\nHost: {host}\r\n\r\n" + smuggled, "HTTP/1.1 400 ", 1},
		{"another coding than chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled, "HTTP/1.1 400 ", 1},
		{"the mark of a refusal", "GET /healthz HTTP/1.1\r\nHost: {host}\r\nKeystile-Refused: 1\r\n\r\n" + smuggled, "HTTP/1.1 400 ", 1},
		{"a head that is too long", "GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-Long: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", "HTTP/1.1 400 ", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", u.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, strings.ReplaceAll(tt.wire, "{host}", u.Host))
			answer, _ := io.ReadAll(conn)
			if got := strings.Count(string(answer), "HTTP/1.1 "); got != tt.answers || !strings.HasPrefix(string(answer), tt.want) {
				t.Errorf("got %d answers, want %d that begin %q:\n%.300s", got, tt.answers, tt.want, answer)
			}
		})
	}
}
