package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// say opens a connection to the gateway, sends text and returns what comes back
// until the end.
func (s *server) say(t *testing.T, text string) string {
	t.Helper()
	u, err := url.Parse(s.S3Endpoint)
	must(t, err)
	c, err := net.Dial("tcp", u.Host)
	must(t, err)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	_, _ = io.WriteString(c, strings.ReplaceAll(text, "{host}", u.Host))
	answer, _ := io.ReadAll(c)
	return string(answer)
}

const anonymousGet = "GET /uploads/a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

// Behind a trusted proxy that speaks the PROXY protocol, the trail has the
// client's address; without its header nobody is let in.
func TestProxyProtocol(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"), "",
		"KEYSTILE_S3_PROXY_PROXY_PROTOCOL=true", "KEYSTILE_S3_PROXY_TRUSTED_PROXIES=127.0.0.1")
	if answer := s.say(t, anonymousGet); answer != "" {
		t.Errorf("without a header: %q", answer)
	}
	for header, client := range map[string]string{
		"PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\r\n": "203.0.113.9",
		"PROXY UNKNOWN\r\n":                             "127.0.0.1",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x21\x00\x24" +
			"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05" +
			"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x15\xb3\x01\xbb": "2001:db8::5",
	} {
		if answer := s.say(t, header+anonymousGet); !strings.HasPrefix(answer, "HTTP/1.1 403 ") {
			t.Errorf("%q got %.60q", header, answer)
		}
		events := s.audit("--limit", "1")
		if len(events) != 1 || events[0].SourceIP != client {
			t.Errorf("%q: the trail has %+v, want %s", header, events, client)
		}
	}
}

// A header of the PROXY protocol from somebody else is no HTTP.
func TestProxyProtocolOfAStranger(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"), "",
		"KEYSTILE_S3_PROXY_PROXY_PROTOCOL=true", "KEYSTILE_S3_PROXY_TRUSTED_PROXIES=192.0.2.1")
	if answer := s.say(t, anonymousGet); !strings.HasPrefix(answer, "HTTP/1.1 403 ") {
		t.Errorf("a direct client got %.60q", answer)
	}
	if answer := s.say(t, "PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\r\n"+anonymousGet); !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("a header got %.60q", answer)
	}
	for _, e := range s.audit() {
		if e.SourceIP == "203.0.113.9" {
			t.Error("the header was believed")
		}
	}
}

// Connections beyond the limit are closed at once, and counted.
func TestConnectionsOfOneAddress(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"), "", "KEYSTILE_LIMITS_MAX_CONNECTIONS_PER_IP=3")
	u, err := url.Parse(s.S3Endpoint)
	must(t, err)
	for range 3 {
		c, err := net.Dial("tcp", u.Host)
		must(t, err)
		defer c.Close()
	}
	time.Sleep(200 * time.Millisecond) // until they are accepted
	if answer := s.say(t, anonymousGet); answer != "" {
		t.Errorf("the fourth got %.60q", answer)
	}
	metrics := run(t, cleanEnv(), "", tool(t, "curl"), "-s", s.DashboardURL+"/metrics").stdout
	for _, want := range []string{`keystile_connections{listener="gateway"} 3`, `keystile_connections_refused_total{listener="gateway",reason="source"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

// A key beyond its rate is told to slow down, as aws-cli understands it.
func TestSlowDown(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"), "", "KEYSTILE_S3_PROXY_LIMITS_REQUESTS_PER_SECOND_PER_KEY=1")
	c := s.mint("uploads:read,list")
	began := time.Now()
	for range 2 {
		s.aws(c, "s3api", "head-object", "--bucket", "uploads", "--key", "welcome.txt").want(t, 0, "")
	}
	t.Logf("two requests took %v at one a second", time.Since(began).Round(time.Millisecond))
	res := make(map[int]int)
	for range 4 {
		r := s.signed(t, c, "GET", "/uploads/welcome.txt", "UNSIGNED-PAYLOAD", nil, 0)
		_ = r.Body.Close()
		res[r.StatusCode]++
		if r.StatusCode == 503 && r.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if res[503] < 2 {
		t.Errorf("four requests at once got %s", fmt.Sprint(res))
	}
}

// Heads, targets and slow bodies are bounded as the configuration says.
func TestHeadsAndSlowBodies(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"), "",
		"KEYSTILE_LIMITS_MAX_HEADER_BYTES=16384", "KEYSTILE_LIMITS_MAX_URI_BYTES=4096",
		"KEYSTILE_LIMITS_MIN_BODY_RATE=10000", "KEYSTILE_LIMITS_MIN_BODY_WINDOW=1s")
	long := func(target, header int) string {
		return "GET /uploads/" + strings.Repeat("a", target-len("/uploads/")) + " HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX: " +
			strings.Repeat("x", header) + "\r\n\r\n"
	}
	for _, tt := range []struct {
		name, text, want string
	}{
		{"a long target", long(4097, 1), "RequestHeaderSectionTooLarge"},
		{"a long head", long(100, 17000), "RequestHeaderSectionTooLarge"},
		{"neither", long(1000, 10000), "AccessDenied"},
	} {
		if answer := s.say(t, tt.text); !strings.Contains(answer, tt.want) {
			t.Errorf("%s got %.300q, want %s", tt.name, answer, tt.want)
		}
	}

	c := s.mint("uploads:read,write,list")
	drip := func(every time.Duration) int {
		reader, writer := io.Pipe()
		go func() {
			for range 100 {
				if _, err := writer.Write(make([]byte, 1000)); err != nil {
					return
				}
				time.Sleep(every)
			}
			_ = writer.Close()
		}()
		res := s.signed(t, c, "PUT", "/uploads/drip", "UNSIGNED-PAYLOAD", reader, 100_000)
		_ = res.Body.Close()
		_ = reader.Close()
		return res.StatusCode
	}
	if status := drip(500 * time.Millisecond); status != 400 {
		t.Errorf("2 kB a second got %d", status)
	}
	s.aws(c, "s3", "ls", "s3://uploads/drip").want(t, refused, "")
	if status := drip(time.Millisecond); status != 200 {
		t.Errorf("a fast body got %d", status)
	}
}
