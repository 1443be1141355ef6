package s3proxy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/s3test"
	"keystile/internal/store"
)

// setCORS chooses for a bucket, as the control plane does.
func (g *gateway) setCORS(bucket string, mode keystile.CORSMode, rules ...keystile.CORSRule) {
	g.t.Helper()
	b, err := keystile.ParseBucket(bucket)
	must(g.t, err)
	choice := keystile.BucketCORS{Bucket: b, Mode: mode, Rules: rules, UpdatedAt: time.Now()}
	must(g.t, choice.Check())
	g.write(func(tx store.Tx, _ int64) error { return tx.SaveBucketCORS(choice) })
	must(g.t, g.backends.Sync(g.t.Context()))
}

var appRule = keystile.CORSRule{
	AllowedOrigins: []string{"https://*.app.example"}, AllowedMethods: []string{get, head, put}, AllowedHeaders: []string{"Content-Type", "x-amz-*"},
	ExposeHeaders: []string{"ETag", "x-amz-version-id"}, MaxAgeSeconds: 600,
}

const (
	appOrigin = "https://a.app.example"
	varyCORS  = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
)

// preflight is what a browser asks before a request that is not simple.
func preflight(path, query, origin, method, headers string) call {
	h := http.Header{}
	for name, value := range map[string]string{"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return call{method: http.MethodOptions, path: path, query: query, header: h, unsigned: true}
}

// corsGateway has CORS on uploads, on a bucket of the same name at two
// backends, and on one that is bound for anonymous reads.
func corsGateway(t *testing.T) (*gateway, key) {
	t.Helper()
	g := newGateway(t)
	g.backend.PutObject("uploads", "a", []byte("hello"))
	g.backend.PutObject("reports", "2026/a", []byte("public"))
	g.setCORS("prod/uploads", keystile.CORSGateway, appRule)
	g.setCORS("prod/payroll", keystile.CORSGateway, appRule)
	g.setCORS("other/payroll", keystile.CORSGateway, appRule)
	g.setCORS("prod/reports", keystile.CORSGateway, keystile.CORSRule{AllowedOrigins: []string{"*"}, AllowedMethods: []string{get}})
	g.bind(keystile.Binding{Name: "public", Bucket: keystile.Bucket{Backend: "prod", Name: "reports"}, Mode: keystile.ModeRead})
	return g, g.mint("prod/uploads:read,write@inbox", "prod/payroll:read")
}

func TestPreflight(t *testing.T) {
	g, k := corsGateway(t)
	signedBy := "X-Amz-Credential=" + k.id + "%2F20261125%2Feu-test-1%2Fs3%2Faws4_request"
	strange, _ := keystile.NewKeyPair()
	for _, tt := range []struct {
		name   string
		call   call
		status int
		code   string
		origin string
	}{
		{"an origin, a method and headers that fit", preflight("/uploads/a", "", appOrigin, put, "content-type, X-Amz-Date"), 200, "", appOrigin},
		{"no headers", preflight("/uploads/a", "", appOrigin, get, ""), 200, "", appOrigin},
		{"of the bucket", preflight("/uploads", "list-type=2", appOrigin, get, ""), 200, "", appOrigin},
		{"an object that does not exist", preflight("/uploads/nosuch", "", appOrigin, get, ""), 200, "", appOrigin},
		{"another origin", preflight("/uploads/a", "", "https://evil.example", put, ""), 403, "AccessForbidden", ""},
		{"an origin with another scheme", preflight("/uploads/a", "", "http://a.app.example", put, ""), 403, "AccessForbidden", ""},
		{"another method", preflight("/uploads/a", "", appOrigin, del, ""), 403, "AccessForbidden", ""},
		{"another header", preflight("/uploads/a", "", appOrigin, put, "x-secret"), 403, "AccessForbidden", ""},
		{"a bucket that does not exist", preflight("/nosuch/a", "", appOrigin, get, ""), 403, "AccessForbidden", ""},
		{"a bucket without CORS", preflight("/downloads/a", "", appOrigin, get, ""), 403, "AccessForbidden", ""},
		{"a name at two backends", preflight("/payroll/a", "", appOrigin, get, ""), 403, "AccessForbidden", ""},
		{"that name in a presigned URL", preflight("/payroll/a", signedBy, appOrigin, get, ""), 200, "", appOrigin},
		{"an alias without a credential", preflight("/inbox/a", "", appOrigin, put, ""), 403, "AccessForbidden", ""},
		{"an alias in a presigned URL", preflight("/inbox/a", signedBy, appOrigin, put, ""), 200, "", appOrigin},
		{"the real name behind it in that URL", preflight("/uploads/a", signedBy, appOrigin, put, ""), 403, "AccessForbidden", ""},
		{"a key that nobody knows", preflight("/uploads/a", "X-Amz-Credential="+strange+"%2Fx", appOrigin, put, ""), 403, "AccessForbidden", ""},
		{"an anonymous binding", preflight("/public/2026/a", "", "https://anywhere.example", get, ""), 200, "", "*"},
		{"an anonymous binding, to write", preflight("/public/2026/a", "", "https://anywhere.example", put, ""), 403, "AccessForbidden", ""},
		{"no bucket", preflight("/", "", appOrigin, get, ""), 403, "AccessForbidden", ""},
		{"no origin", preflight("/uploads/a", "", "", get, ""), 400, "BadRequest", ""},
		{"no method", preflight("/uploads/a", "", appOrigin, "", ""), 400, "BadRequest", ""},
		{"headers that are none", preflight("/uploads/a", "", appOrigin, get, "a b"), 400, "BadRequest", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g.backend.Reset()
			r := g.do(key{}, tt.call)
			wantStatus(t, r, tt.status, tt.code)
			if got := r.header.Get("Access-Control-Allow-Origin"); got != tt.origin {
				t.Errorf("allows %q, want %q", got, tt.origin)
			}
			if got := r.header.Get("Vary"); got != varyCORS {
				t.Errorf("varies by %q", got)
			}
			if credentials := r.header.Get("Access-Control-Allow-Credentials") == "true"; credentials != (tt.origin == appOrigin) {
				t.Errorf("lets cookies in: %t", credentials)
			}
			g.backendSaw(0)
		})
	}
	r := g.do(key{}, preflight("/uploads/a", "", appOrigin, put, "content-type, X-Amz-Date"))
	for name, want := range map[string]string{
		"Access-Control-Allow-Methods": "GET, HEAD, PUT", "Access-Control-Allow-Headers": "content-type, x-amz-date",
		"Access-Control-Expose-Headers": "ETag, x-amz-version-id", "Access-Control-Max-Age": "600", "Content-Length": "0",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestPreflightTellsNothingOfBuckets(t *testing.T) {
	g, _ := corsGateway(t)
	var answers []string
	for _, path := range []string{"/nosuch/a", "/downloads/a", "/payroll/a", "/uploads/a", "/inbox/a"} {
		r := g.do(key{}, preflight(path, "", "https://evil.example", get, ""))
		name := strings.Split(path, "/")[1]
		body := strings.ReplaceAll(r.body, name, "NAME")
		answers = append(answers, strings.ReplaceAll(body, r.header.Get("X-Amz-Request-Id"), "ID"))
	}
	for _, a := range answers[1:] {
		if a != answers[0] {
			t.Errorf("answers differ:\n%s\n%s", answers[0], a)
		}
	}
}

func TestCORSOfActualRequests(t *testing.T) {
	g, k := corsGateway(t)
	strange, secret := keystile.NewKeyPair()
	from := func(c call, origin string) call {
		c.header = c.header.Clone()
		if c.header == nil {
			c.header = http.Header{}
		}
		c.header.Set("Origin", origin)
		return c
	}
	for _, tt := range []struct {
		name   string
		key    key
		call   call
		status int
		origin string
	}{
		{"a read", k, from(call{method: get, path: "/inbox/a"}, appOrigin), 200, appOrigin},
		{"a write", k, from(call{method: put, path: "/inbox/b", body: "x"}, appOrigin), 200, appOrigin},
		{"an error of the backend", k, from(call{method: get, path: "/inbox/nosuch"}, appOrigin), 404, appOrigin},
		{"a refusal", k, from(call{method: del, path: "/inbox/a"}, appOrigin), 403, ""}, // no rule has DELETE
		{"a refused write", g.mint("prod/uploads:read@inbox"), from(call{method: put, path: "/inbox/a", body: "x"}, appOrigin), 403, appOrigin},
		{"a key that is unknown, of a real name", key{strange, secret}, from(call{method: get, path: "/uploads/a"}, appOrigin), 401, ""},
		{"no key, of a real name", key{}, from(call{method: get, path: "/uploads/a", unsigned: true}, appOrigin), 403, appOrigin},
		{"another origin", k, from(call{method: get, path: "/inbox/a"}, "https://evil.example"), 200, ""},
		{"an anonymous read", key{}, from(call{method: get, path: "/public/2026/a", unsigned: true}, "https://anywhere.example"), 200, "*"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := g.do(tt.key, tt.call)
			if got := r.header.Get("Access-Control-Allow-Origin"); r.status != tt.status || got != tt.origin {
				t.Errorf("got %d and %q, want %d and %q", r.status, got, tt.status, tt.origin)
			}
			if tt.origin != "" && r.header.Get("Vary") != varyCORS {
				t.Errorf("varies by %q", r.header.Get("Vary"))
			}
		})
	}
	if r := g.do(k, call{method: get, path: "/inbox/a"}); r.header.Get("Vary") != varyCORS || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without an origin: %v", r.header)
	}
}

func TestCORSOffIsOff(t *testing.T) {
	g, k := corsGateway(t)
	g.setCORS("prod/uploads", keystile.CORSOff)
	wantStatus(t, g.do(key{}, preflight("/uploads/a", "", appOrigin, get, "")), 403, "AccessForbidden")
	r := g.do(k, call{method: get, path: "/inbox/a", header: header("Origin", appOrigin)})
	if r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != "" || r.header.Get("Vary") != "" {
		t.Errorf("got %d with %v", r.status, r.header)
	}
}

func TestCORSOfTheBackend(t *testing.T) {
	g := newGateway(t)
	g.setCORS("prod/uploads", keystile.CORSBackend)
	asksCORS := func(r *http.Request) bool { return r.URL.Query().Has("cors") }
	g.backend.Inject(s3test.Answer(200, `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CORSRule><AllowedOrigin>`+appOrigin+
		`</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>`).When(asksCORS))
	for range 3 {
		r := g.do(key{}, preflight("/uploads/a", "", appOrigin, get, "range"))
		wantStatus(t, r, 200, "")
		if r.header.Get("Access-Control-Max-Age") != "5" {
			t.Errorf("got %v", r.header)
		}
	}
	wantStatus(t, g.do(key{}, preflight("/uploads/a", "", "https://evil.example", get, "")), 403, "AccessForbidden")
	g.backendSaw(1) // and its answer was kept
}

func TestCORSOfABackendThatCannotTell(t *testing.T) {
	for name, answer := range map[string]s3test.Fault{
		"no rules":    s3test.Answer(404, `<Error><Code>NoSuchCORSConfiguration</Code><Message>m</Message></Error>`),
		"an error":    s3test.Answer(500, `<Error><Code>InternalError</Code><Message>m</Message></Error>`),
		"garbage":     s3test.Answer(200, `<html>`),
		"wrong rules": s3test.Answer(200, `<CORSConfiguration><CORSRule><AllowedOrigin>*.*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.setCORS("prod/uploads", keystile.CORSBackend)
			g.backend.Inject(answer)
			for range 3 {
				wantStatus(t, g.do(key{}, preflight("/uploads/a", "", appOrigin, get, "")), 403, "AccessForbidden")
			}
			g.backendSaw(1)
		})
	}
}

func TestWithoutRulesEveryPreflightIsRefused(t *testing.T) {
	g := newGateway(t, func(o *s3proxy.Options) { o.CORS = nil })
	wantStatus(t, g.do(key{}, preflight("/uploads/a", "", appOrigin, get, "")), 403, "AccessForbidden")
	g.backendSaw(0)
}
