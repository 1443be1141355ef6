package api

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"keystile/internal/clientip"
)

func TestEveryAnswerIsStrict(t *testing.T) {
	s := newSite(t)
	seen := map[string]bool{}
	for _, a := range []answer{
		s.as("root").do("GET", "/api/credentials", nil).want(200),
		s.nobody().do("GET", "/api/credentials", nil).want(401),
		s.nobody().do("GET", "/api/nothing", nil).wantCode(404, "not_found"),
		s.nobody().do("PUT", "/api/credentials", `{}`).wantCode(404, "not_found"),
		s.nobody().with("Host", "evil.test").do("GET", "/api/docs", nil).want(421),
		s.nobody().do("GET", "/api/openapi.json", nil).want(200),
		s.nobody().do("GET", "/api/docs", nil).want(200),
	} {
		id := a.header.Get("X-Request-Id")
		if len(id) != 36 || seen[id] {
			t.Errorf("%s: request id %q", a.asked, id)
		}
		seen[id] = true
		if a.status >= 400 && a.problem().RequestID != id {
			t.Errorf("%s: the body names another request: %s", a.asked, a.body)
		}
		policy := a.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") ||
			a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", a.asked, a.header)
		}
	}
}

// A request id comes from us alone: one that clients could choose would let
// them hide among others' lines.
func TestClientsDoNotChooseRequestIDs(t *testing.T) {
	s := newSite(t)
	a := s.nobody().with("X-Request-Id", "chosen").do("GET", "/api/session", nil)
	if got := a.header.Values("X-Request-Id"); len(got) != 1 || got[0] == "chosen" {
		t.Errorf("request id %q", got)
	}
}

func TestBodies(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	post := func(kind, body string) answer {
		return root.with("Content-Type", kind).do("POST", "/api/tokens", body)
	}
	post("application/json; charset=utf-8", `{"name":"a"}`).want(201)
	for _, tt := range []struct {
		name, kind, body string
		status           int
		code             string
	}{
		{"too large", "application/json", `{"name":"` + strings.Repeat("x", MaxBodyBytes) + `"}`, 413, "too_large"},
		{"XML", "application/xml", `<name>a</name>`, 415, "unsupported_media_type"},
		{"a JSON dialect", "application/merge-patch+json", `{"name":"a"}`, 415, "unsupported_media_type"},
		{"broken media type", "application/json;;", `{"name":"a"}`, 415, "unsupported_media_type"},
		{"two values", "application/json", `{"name":"a"}{"name":"b"}`, 422, "invalid"},
		{"trailing text", "application/json", `{"name":"a"} x`, 422, "invalid"},
		{"truncated", "application/json", `{"name":"a"`, 422, "invalid"},
		{"a list", "application/json", `["name"]`, 422, "invalid"},
		{"null", "application/json", `null`, 422, "invalid"},
		{"wrong type", "application/json", `{"name":1}`, 422, "invalid"},
		{"name twice", "application/json", `{"name":"a","name":"b"}`, 422, "invalid"},
		{"name in two cases", "application/json", `{"name":"a","NAME":"b"}`, 422, "invalid"},
		{"deeply nested", "application/json", strings.Repeat("[", 10_000), 422, "invalid"},
		{"NUL in text", "application/json", `{"name":"a\u0000b"}`, 422, "invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := post(tt.kind, tt.body)
			a.t = t
			a.wantCode(tt.status, tt.code)
			if strings.Contains(string(a.body), "Go struct") {
				t.Errorf("the answer tells of our types: %s", a.body)
			}
		})
	}
	if tokens := into[List[Token]](root.do("GET", "/api/tokens", nil)); len(tokens.Items) != 2 {
		t.Errorf("%d tokens, want the test's own and one more", len(tokens.Items))
	}
}

// The page runs no script and loads nothing; its style is allowed by hash.
func TestDocsPage(t *testing.T) {
	s := newSite(t)
	a := s.nobody().do("GET", "/api/docs", nil).want(200)
	page := string(a.body)
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(a.header.Get("Content-Security-Policy"), want) {
		t.Errorf("the policy does not allow the style %s: %s", want, a.header.Get("Content-Security-Policy"))
	}
	for _, forbidden := range []string{"<script", "style=", "http://", "https://", "onclick", "<img", "<link"} {
		if strings.Contains(page, forbidden) {
			t.Errorf("the page has %q", forbidden)
		}
	}
	for id, op := range operationsOf(t) {
		if !strings.Contains(page, `id="`+id+`"`) || !strings.Contains(page, op.path) {
			t.Errorf("the page does not show %s", id)
		}
	}
}

// What goes wrong inside is told by request id only; the cause is in the log.
func TestPanicsAreAnswered(t *testing.T) {
	lines := &logLines{}
	g := &guard{
		next:    http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret state") }),
		log:     slog.New(slog.NewTextHandler(lines, nil)),
		hosts:   newHosts(nil, "127.0.0.1:8080", false),
		clients: clientip.Resolver{},
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8080/api/x", nil))
	body, err := io.ReadAll(w.Body)
	must(t, err)
	if w.Code != 500 || !strings.Contains(string(body), `"internal"`) || strings.Contains(string(body), "secret state") {
		t.Errorf("%d %s", w.Code, body)
	}
	if !strings.Contains(lines.String(), "secret state") {
		t.Errorf("the log does not tell the cause: %s", lines)
	}
}

func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		listen string
		tls    bool
		host   string
		known  bool
	}{
		{"loopback", "127.0.0.1:8080", false, "127.0.0.1:8080", true},
		{"localhost for loopback", "127.0.0.1:8080", false, "LocalHost:8080", true},
		{"IPv6 loopback", "[::1]:8080", false, "[::1]:8080", true},
		{"another port", "127.0.0.1:8080", false, "localhost:8081", false},
		{"no port", "127.0.0.1:8080", false, "localhost", false},
		{"implied port", "127.0.0.1:80", false, "localhost", true},
		{"implied port of TLS", "127.0.0.1:443", true, "localhost", true},
		{"a suffix", "127.0.0.1:8080", false, "localhost:8080.evil.test", false},
		{"a prefix", "127.0.0.1:8080", false, "evil-localhost:8080", false},
		{"none", "127.0.0.1:8080", false, "", false},
		{"wildcard is localhost", "0.0.0.0:8080", false, "localhost:8080", true},
		{"empty wildcard is localhost", ":8080", false, "localhost:8080", true},
		{"wildcard is not anything", "0.0.0.0:8080", false, "evil.test:8080", false},
		{"a LAN address", "192.168.1.5:8080", false, "192.168.1.5:8080", true},
		{"localhost for a LAN address", "192.168.1.5:8080", false, "localhost:8080", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := newHosts(nil, tt.listen, tt.tls).known(tt.host); got != tt.known {
				t.Errorf("known(%q) = %v, want %v", tt.host, got, tt.known)
			}
		})
	}
}
