package s3proxy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/clientip"
	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/s3wire"
)

// left is what one request left in the trail.
func (g *gateway) left(r *http.Request) (status int, events []keystile.Event) {
	g.t.Helper()
	w := httptest.NewRecorder()
	g.proxy.ServeHTTP(w, r)
	return w.Code, g.about(w)
}

// about are the events of the request that was answered.
func (g *gateway) about(w *httptest.ResponseRecorder) (events []keystile.Event) {
	var id string
	for name, values := range w.Header() { // it is not in its canonical form
		if name == "x-amz-request-id" {
			id = values[0]
		}
	}
	for _, e := range g.events(keystile.EventFilter{}) {
		if e.RequestID == id {
			events = append(events, e)
		}
	}
	return events
}

// inbound is the call as the gateway's handler gets it from a socket.
func (g *gateway) inbound(k key, c call) *http.Request {
	g.t.Helper()
	header := http.Header{}
	for name, values := range c.header {
		header[name] = values
	}
	switch {
	case c.presigned != 0:
		c.header = header
		c.query = g.presign(k, c)
	case !c.unsigned:
		g.sign(k, c, header)
	}
	target := c.path
	if c.query != "" {
		target += "?" + c.query
	}
	r := httptest.NewRequest(c.method, target, strings.NewReader(c.body))
	r.Host, r.Header = g.addr, header
	return r
}

// TestEveryOperationLeavesItsRecord walks the table: a mutation leaves one
// event whatever comes of it, a refusal one with its reason, and a read that was
// allowed none.
func TestEveryOperationLeavesItsRecord(t *testing.T) {
	mutations, refusals := 0, 0
	for _, op := range s3wire.Operations() {
		if op.Name == "PostObject" {
			continue // a form: see below
		}
		t.Run(op.Name, func(t *testing.T) {
			g := newGateway(t)
			owner, stranger := g.mint(everything...), g.mint("prod/reports:read,list,write,delete")
			g.backend.PutObject("uploads", "a.txt", []byte("hello"))
			mine := least(&op, g.owner(owner))
			narrow := mine
			narrow.header = mine.header.Clone()
			unsigned, forged := mine, mine
			unsigned.unsigned = true
			forged.region = "nowhere"
			for _, ask := range []struct {
				who  string
				key  key
				call call
			}{{"its owner", owner, mine}, {"a stranger", stranger, narrow}, {"nobody", owner, unsigned}, {"a forger", owner, forged}} {
				status, events := g.left(g.inbound(ask.key, ask.call))
				allowed := status < 300
				if allowed && ask.who != "its owner" && op.Name != s3wire.OpListBuckets {
					t.Errorf("%s gets %d", ask.who, status)
				}
				if allowed && !op.Mutates() {
					if len(events) != 0 {
						t.Errorf("%s: an allowed read left %+v", ask.who, events)
					}
					continue
				}
				if !op.Mutates() && op.Served && ask.who == "its owner" {
					continue // the backend's own no to a read
				}
				if len(events) != 1 {
					t.Errorf("%s gets %d and leaves %d events", ask.who, status, len(events))
					continue
				}
				e := events[0]
				if e.Action != op.Action() || e.Open || e.Status != status || e.SourceIP == "" || (e.Result == keystile.ResultOK) != allowed {
					t.Errorf("%s gets %d, recorded as %+v", ask.who, status, e)
				}
				if e.Detail.Authenticated != (ask.who == "its owner" || ask.who == "a stranger") {
					t.Errorf("%s is recorded as authenticated=%v", ask.who, e.Detail.Authenticated)
				}
				if allowed {
					mutations++
				} else if refusals++; e.Detail.Code == "" || e.Detail.Message == "" {
					t.Errorf("%s: a refusal without its reason: %+v", ask.who, e.Detail)
				}
			}
		})
	}
	t.Logf("%d mutations and %d refusals left their events", mutations, refusals)
	if mutations < 10 || refusals < 400 {
		t.Error("the walk shows little")
	}
}

// TestAFormUploadLeavesItsRecord, done or refused.
func TestAFormUploadLeavesItsRecord(t *testing.T) {
	g := newGateway(t)
	for grants, want := range map[string]keystile.Result{"prod/uploads:write": keystile.ResultOK, "prod/uploads:read": keystile.ResultDenied} {
		k := g.mint(grants)
		status, events := g.left(g.inbound(k, inUploads("a.txt").call(k, g.clock())))
		if len(events) != 1 || events[0].Action != "s3.proxy.postobject" || events[0].Result != want || events[0].Status != status || events[0].Key != "a.txt" {
			t.Errorf("%s gets %d, recorded as %+v", grants, status, events)
		}
	}
}

// TestNoRecordHoldsWhatSigns: neither secrets nor signatures nor the query of a
// presigned URL get into an event, wherever the client puts them.
func TestNoRecordHoldsWhatSigns(t *testing.T) {
	g := newGateway(t, func(o *s3proxy.Options) { o.ReadRate = everyRead })
	k := g.mint(everything...)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	kinds := map[string]func(c call) call{
		"signed":    func(c call) call { return c },
		"presigned": func(c call) call { c.presigned = 10 * time.Minute; return c },
		"presigned, and altered": func(c call) call {
			c.presigned, c.edit = 10*time.Minute, func(query string) string { return query + "&acl" }
			return c
		},
		"presigned, and too old": func(c call) call { c.presigned, c.aged = 10*time.Minute, 2*time.Hour; return c },
		"both": func(c call) call {
			c.query = g.presign(k, call{method: c.method, path: c.path, presigned: 10 * time.Minute})
			return c
		},
	}
	for kind, made := range kinds {
		for _, c := range []call{
			{method: get, path: "/uploads/a.txt"}, {method: put, path: "/uploads/b.txt", body: "x", payloadHash: "UNSIGNED-PAYLOAD"},
			{method: del, path: "/uploads/c.txt"}, {method: get, path: "/payroll/a.txt"}, {method: put, path: "/payroll/a.txt", body: "x"},
		} {
			r := g.inbound(k, made(c))
			var signs []string
			for _, part := range strings.FieldsFunc(r.Header.Get("Authorization")+"&"+r.URL.RawQuery, func(r rune) bool { return strings.ContainsRune("&, ", r) }) {
				if _, value, ok := strings.Cut(part, "ignature="); ok {
					signs = append(signs, value)
				}
			}
			w := httptest.NewRecorder()
			g.proxy.ServeHTTP(w, r)
			var events []keystile.Event
			g.until("the request is recorded", func() bool { // a read's is not waited for
				events = g.about(w)
				return len(events) > 0
			})
			if len(events) != 1 || len(signs) == 0 {
				t.Errorf("%s %s %s gets %d and leaves %d events", kind, c.method, c.path, w.Code, len(events))
				continue
			}
			stored, err := json.Marshal(events[0])
			must(t, err)
			for _, secret := range append(signs, k.secret.Reveal(), backendSecret, "X-Amz-", "ignature=") {
				if strings.Contains(string(stored), secret) {
					t.Errorf("%s %s %s: the event holds %q: %s", kind, c.method, c.path, secret, stored)
				}
			}
		}
	}
}

// TestARecordSaysFromWhere: the socket's address, or what a trusted proxy says;
// and a user agent of at most 256 bytes.
func TestARecordSaysFromWhere(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trusted string
		want    string
	}{
		{"a header of a stranger is not believed", "203.0.113.0/24", "192.0.2.1"},
		{"a trusted proxy's is", "192.0.2.0/24", "198.51.100.7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, func(o *s3proxy.Options) {
				o.Clients = clientip.Resolver{Trusted: []netip.Prefix{netip.MustParsePrefix(tt.trusted)}}
			})
			k := g.mint(everything...)
			r := g.inbound(k, call{method: put, path: "/uploads/a.txt", body: "x"})
			r.Header.Set("X-Forwarded-For", "10.1.1.1, 198.51.100.7")
			r.Header.Set("User-Agent", strings.Repeat("ä", 1000))
			_, events := g.left(r)
			if len(events) != 1 || events[0].SourceIP != tt.want || len(events[0].UserAgent) != keystile.MaxUserAgentBytes || keystile.MaxUserAgentBytes != 256 {
				t.Errorf("recorded as %+v, want from %s", events, tt.want)
			}
		})
	}
}

// TestARecordNamesAllThatItTouches: sources, parts, bytes, versions, and each
// key of a multi-delete with its version.
func TestARecordNamesAllThatItTouches(t *testing.T) {
	g := newGateway(t)
	k := g.mint(everything...)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	only := func(c call) keystile.Event {
		t.Helper()
		status, events := g.left(g.inbound(k, c))
		if len(events) != 1 {
			t.Fatalf("%s %s?%s gets %d and leaves %d events", c.method, c.path, c.query, status, len(events))
		}
		return events[0]
	}
	put1 := only(call{method: put, path: "/uploads/b.txt", body: "hello"})
	if put1.Detail.Bytes != 5 || put1.Detail.ETag == "" || put1.Key != "b.txt" || put1.Bucket != "uploads" || put1.Backend != "prod" {
		t.Errorf("a write: %+v", put1)
	}
	copied := only(call{method: put, path: "/uploads/c.txt", header: header("X-Amz-Copy-Source", "uploads/a.txt?versionId=v7")})
	if copied.Action != "s3.proxy.copyobject" || copied.Detail.CopySource != "prod/uploads/a.txt" || copied.Detail.CopySourceVersionID != "v7" {
		t.Errorf("a copy: %+v", copied)
	}
	upload := g.begin(k, "d.txt")
	part := only(call{method: put, path: "/uploads/d.txt", query: "partNumber=3&uploadId=" + upload, body: "part"})
	if part.Detail.PartNumber != 3 || part.Detail.UploadID != upload || part.Detail.Bytes != 4 {
		t.Errorf("a part: %+v", part)
	}
	gone := only(call{method: del, path: "/uploads/b.txt", query: "versionId=v9"})
	if gone.Detail.VersionID != "v9" {
		t.Errorf("a version's deletion: %+v", gone)
	}
	tagged := only(call{method: put, path: "/uploads/a.txt", query: "tagging&versionId=v3", body: tagsBody})
	if tagged.Action != "s3.proxy.putobjecttagging" || tagged.Detail.VersionID != "v3" {
		t.Errorf("tags: %+v", tagged)
	}
	var body strings.Builder
	var keys, versions []string
	for i := range 1000 {
		name, version := fmt.Sprintf("many/%03d/%s", i, strings.Repeat("k", 900)), ""
		object := "<Object><Key>" + name + "</Key>"
		if i%2 == 1 {
			version = fmt.Sprintf("v%d", i)
			object += "<VersionId>" + version + "</VersionId>"
		}
		body.WriteString(object + "</Object>")
		keys, versions = append(keys, name), append(versions, version)
	}
	many := only(call{method: post, path: "/uploads", query: "delete", body: "<Delete>" + body.String() + "</Delete>"})
	if !slices.Equal(many.Detail.Keys, keys) || !slices.Equal(many.Detail.KeyVersionIDs, versions) {
		t.Errorf("of 1000 keys with versions the event has %d with %d", len(many.Detail.Keys), len(many.Detail.KeyVersionIDs))
	}
}
