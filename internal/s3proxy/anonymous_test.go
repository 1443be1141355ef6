package s3proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
)

func open(g *gateway, mode keystile.BindingMode, rate float64) {
	g.backend.PutObject("reports", "2026/a.txt", []byte("public"))
	g.backend.PutObject("reports", "2025/a.txt", []byte("not public"))
	g.bind(keystile.Binding{
		Name: "public", Bucket: keystile.Bucket{Backend: "prod", Name: "reports"}, Prefix: "2026/", Mode: mode, RatePerSecond: rate,
	})
}

func TestAnonymousReads(t *testing.T) {
	for _, tt := range []struct {
		name   string
		mode   keystile.BindingMode
		call   call
		status int
		code   string
	}{
		{"an object", keystile.ModeRead, call{method: get, path: "/public/2026/a.txt"}, 200, ""},
		{"its head", keystile.ModeRead, call{method: head, path: "/public/2026/a.txt"}, 200, ""},
		{"a range of it", keystile.ModeRead, call{method: get, path: "/public/2026/a.txt", header: header("Range", "bytes=0-2")}, 206, ""},
		{"a list", keystile.ModeReadList, call{method: get, path: "/public", query: "list-type=2&prefix=2026/"}, 200, ""},
		{"a list in read mode", keystile.ModeRead, call{method: get, path: "/public", query: "list-type=2&prefix=2026/"}, 403, "AccessDenied"},
		{"a list above the prefix", keystile.ModeReadList, call{method: get, path: "/public", query: "list-type=2"}, 403, "AccessDenied"},
		{"outside the prefix", keystile.ModeRead, call{method: get, path: "/public/2025/a.txt"}, 403, "AccessDenied"},
		{"dots", keystile.ModeRead, call{method: get, path: "/public/2026/%2e%2e/2025/a.txt"}, 400, "InvalidArgument"},
		{"the real name", keystile.ModeRead, call{method: get, path: "/reports/2026/a.txt"}, 403, "AccessDenied"},
		{"the buckets", keystile.ModeReadList, call{method: get, path: "/"}, 403, "AccessDenied"},
		{"a write", keystile.ModeReadList, call{method: put, path: "/public/2026/b.txt", body: "x"}, 403, "AccessDenied"},
		{"a delete", keystile.ModeReadList, call{method: del, path: "/public/2026/a.txt"}, 403, "AccessDenied"},
		{"a multi-delete", keystile.ModeReadList, call{method: post, path: "/public", query: "delete", body: deleteTwo}, 403, "AccessDenied"},
		{"versions", keystile.ModeReadList, call{method: get, path: "/public", query: "versions&prefix=2026/"}, 403, "AccessDenied"},
		{"an old version", keystile.ModeReadList, call{method: get, path: "/public/2026/a.txt", query: "versionId=1"}, 403, "AccessDenied"},
		{"other headers", keystile.ModeRead, call{method: get, path: "/public/2026/a.txt", query: "response-content-type=text/html"}, 400, "InvalidRequest"},
		{"tags", keystile.ModeRead, call{method: get, path: "/public/2026/a.txt", query: "tagging"}, 403, "AccessDenied"},
		{"the policy", keystile.ModeReadList, call{method: get, path: "/public", query: "policy"}, 403, "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			open(g, tt.mode, 0)
			tt.call.unsigned = true
			r := g.do(key{}, tt.call)
			wantStatus(t, r, tt.status, tt.code)
			if tt.status >= 300 {
				g.backendSaw(0)
				g.refusalIsRecorded(tt.status)
			} else {
				g.backendSaw(1)
			}
		})
	}
}

func TestSignedRequestsNeverFallBackToABinding(t *testing.T) {
	g := newGateway(t)
	open(g, keystile.ModeRead, 0)
	k := g.mint("prod/uploads:read")
	wantStatus(t, g.do(k, call{method: get, path: "/public/2026/a.txt"}), 403, "AccessDenied")
	id, secret := keystile.NewKeyPair()
	wantStatus(t, g.do(key{id, secret}, call{method: get, path: "/public/2026/a.txt"}), 401, "InvalidAccessKeyId")
	r := g.do(key{}, call{method: get, path: "/public/2026/a.txt", unsigned: true, query: "X-Amz-Signature=00"})
	wantStatus(t, r, 400, "AuthorizationQueryParametersError")
	g.backendSaw(0)
}

func TestTheGlobalSwitchClosesAllBindings(t *testing.T) {
	g := newGateway(t, func(o *s3proxy.Options) { o.AnonymousEnabled = false })
	open(g, keystile.ModeRead, 0)
	wantStatus(t, g.do(key{}, call{method: get, path: "/public/2026/a.txt", unsigned: true}), 403, "AccessDenied")
	g.backendSaw(0)
}

func TestAnonymousRate(t *testing.T) {
	g := newGateway(t)
	open(g, keystile.ModeRead, 1)
	read := call{method: get, path: "/public/2026/a.txt", unsigned: true}
	wantStatus(t, g.do(key{}, read), 200, "")
	r := g.do(key{}, read)
	wantStatus(t, r, http.StatusServiceUnavailable, "SlowDown")
	if r.header.Get("Retry-After") == "" {
		t.Error("the answer has no Retry-After")
	}
	g.backendSaw(1)
}

func TestARemovedBindingIsClosed(t *testing.T) {
	g := newGateway(t)
	open(g, keystile.ModeRead, 0)
	read := call{method: get, path: "/public/2026/a.txt", unsigned: true}
	wantStatus(t, g.do(key{}, read), 200, "")
	g.removeBinding("public")
	g.backend.Reset()
	wantStatus(t, g.do(key{}, read), 403, "AccessDenied")
	g.backendSaw(0)
	if e := g.events(keystile.EventFilter{}); !strings.HasPrefix(e[0].Action, "s3.proxy.getobject") || !e[0].Detail.Anonymous {
		t.Errorf("recorded as %+v", e[0])
	}
}
