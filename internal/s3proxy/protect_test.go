package s3proxy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
)

// owner asks the gateway for the owner id that the key sees.
func (g *gateway) owner(k key) string {
	g.t.Helper()
	found := regexp.MustCompile(`<Owner><ID>([0-9a-f]{64})</ID>`).FindStringSubmatch(g.do(k, call{method: get, path: "/"}).body)
	if found == nil {
		g.t.Fatal("ListBuckets names no owner")
	}
	return found[1]
}

const (
	xsi      = ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`
	allUsers = "http://acs.amazonaws.com/groups/global/AllUsers"
)

func aclOf(owner string) string {
	return "<AccessControlPolicy><Owner><ID>" + owner + "</ID></Owner><AccessControlList>" +
		"<Grant><Grantee" + xsi + ` xsi:type="CanonicalUser"><ID>` + owner + "</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>" +
		"<Grant><Grantee" + xsi + ` xsi:type="Group"><URI>` + allUsers + "</URI></Grantee><Permission>READ</Permission></Grant>" +
		"</AccessControlList></AccessControlPolicy>"
}

func TestObjectACLsShowAndTakeTheTenantAsOwner(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	k := g.mint("prod/uploads:acl")
	me := g.owner(k)
	before := g.do(k, call{method: get, path: "/uploads/a.txt", query: "acl="})
	wantStatus(t, before, 200, "")
	if strings.Count(before.body, "<ID>"+me+"</ID>") != 2 || strings.Contains(before.body, "admin") || strings.Contains(before.body, s3test.OwnerID) {
		t.Errorf("shown: %s", before.body)
	}
	g.backend.Reset()
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a.txt", query: "acl=", body: aclOf(me)}), 200, "")
	g.backendSaw(2) // who owns it there, and the change
	sent := string(g.backend.Requests()[1].Body)
	if strings.Count(sent, "<ID>"+s3test.OwnerID+"</ID>") != 2 || strings.Contains(sent, me) || !strings.Contains(sent, allUsers) {
		t.Errorf("sent: %s", sent)
	}
	if after := g.do(k, call{method: get, path: "/uploads/a.txt", query: "acl="}); strings.Count(after.body, me) != 2 || !strings.Contains(after.body, allUsers) {
		t.Errorf("shown afterwards: %s", after.body)
	}
	grants := header("X-Amz-Grant-Full-Control", `id="`+me+`"`, "X-Amz-Grant-Read", "uri="+allUsers)
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a.txt", query: "acl=", header: grants}), 200, "")
	seen := g.backend.Requests()
	last := seen[len(seen)-1].Header
	if last.Get("X-Amz-Grant-Full-Control") != `id="`+s3test.OwnerID+`"` || last.Get("X-Amz-Grant-Read") != `uri="`+allUsers+`"` {
		t.Errorf("sent: %v", last)
	}
	events := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy.putobjectacl"})
	if len(events) != 2 || events[0].Result != keystile.ResultOK {
		t.Errorf("recorded: %+v", events)
	}
}

func TestObjectACLsAreRefused(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	k := g.mint("prod/uploads:acl,write")
	me := g.owner(k)
	target := call{method: put, path: "/uploads/a.txt", query: "acl="}
	for _, tt := range []struct {
		name   string
		change func(*call)
		status int
		code   string
	}{
		{"another owner", func(c *call) { c.body = aclOf("0123") }, 403, "AccessDenied"},
		{"the backend's owner", func(c *call) { c.body = aclOf(s3test.OwnerID) }, 403, "AccessDenied"},
		{"nothing", func(*call) {}, 400, "MissingSecurityHeader"},
		{"body and header", func(c *call) { c.body, c.header = aclOf(me), header("X-Amz-Acl", "private") }, 400, "InvalidRequest"},
		{"canned and grants", func(c *call) { c.header = header("X-Amz-Acl", "private", "X-Amz-Grant-Read", "id=x") }, 400, "InvalidRequest"},
		{"a document type", func(c *call) { c.body = "<!DOCTYPE x>" + aclOf(me) }, 400, "MalformedXML"},
		{"the owner's own grant with a new object", func(c *call) {
			c.query, c.body, c.header = "", "x", header("X-Amz-Grant-Read", "id="+me)
		}, 501, "NotImplemented"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g.backend.Reset()
			c := target
			tt.change(&c)
			wantStatus(t, g.do(k, c), tt.status, tt.code)
			g.backendSaw(0)
		})
	}
}

func TestPrivateGoesOnOnlyWithThePermission(t *testing.T) {
	g := newGateway(t)
	private := call{method: put, path: "/uploads/a.txt", body: "x", header: header("X-Amz-Acl", "private")}
	for grants, want := range map[string]string{"prod/uploads:write": "", "prod/uploads:write,acl": "private"} {
		g.backend.Reset()
		wantStatus(t, g.do(g.mint(grants), private), 200, "")
		if got := g.backend.Requests()[0].Header.Get("X-Amz-Acl"); got != want {
			t.Errorf("%s sends %q", grants, got)
		}
	}
}

func TestLocksAndRestores(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	k := g.mint("prod/uploads:read,write")
	const (
		hold      = `<LegalHold><Status>ON</Status></LegalHold>`
		retention = `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>`
	)
	for _, tt := range []struct{ query, body, shown string }{
		{"legal-hold=", hold, "<Status>ON</Status>"},
		{"retention=", retention, "<Mode>GOVERNANCE</Mode>"},
	} {
		wantStatus(t, g.do(k, call{method: get, path: "/uploads/a.txt", query: tt.query}), 404, "NoSuchObjectLockConfiguration")
		wantStatus(t, g.do(k, call{method: put, path: "/uploads/a.txt", query: tt.query, body: tt.body}), 200, "")
		if r := g.do(k, call{method: get, path: "/uploads/a.txt", query: tt.query}); r.status != 200 || !strings.Contains(r.body, tt.shown) {
			t.Errorf("%s: %d %s", tt.query, r.status, r.body)
		}
	}
	restore := call{method: post, path: "/uploads/a.txt", query: "restore=", body: "<RestoreRequest><Days>1</Days></RestoreRequest>"}
	wantStatus(t, g.do(k, restore), 202, "")
	free := g.mint("prod/uploads:write,bypass-governance")
	bypass := call{method: put, path: "/uploads/a.txt", query: "retention=", body: "<Retention/>", header: header("X-Amz-Bypass-Governance-Retention", "true")}
	wantStatus(t, g.do(free, bypass), 200, "")
	seen := g.backend.Requests()
	if seen[len(seen)-1].Header.Get("X-Amz-Bypass-Governance-Retention") != "true" {
		t.Error("the bypass is not passed on")
	}
	g.backend.Reset()
	wantStatus(t, g.do(k, bypass), 403, "AccessDenied")
	g.backendSaw(0)
}

// TestMetadataKeepsItsSpelling: clients take the names of metadata as they come.
func TestMetadataKeepsItsSpelling(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read")
	for _, spelling := range []string{"x-amz-meta-colour", "x-amz-meta-MyColour", "X-Amz-Meta-Colour"} {
		g.backend.PutObject("uploads", "b.txt", []byte("x"))
		g.backend.SetHeader("uploads", "b.txt", http.Header{spelling: {"red"}})
		if got := g.rawHead(k, call{method: get, path: "/uploads/b.txt"}); !strings.Contains(got, "\r\n"+spelling+": red\r\n") {
			t.Errorf("%s is shown as %s", spelling, got)
		}
	}
}

// rawHead is the head of an answer as it came over the connection.
func (g *gateway) rawHead(k key, c call) string {
	g.t.Helper()
	signed := http.Header{}
	g.sign(k, c, signed)
	conn, err := net.Dial("tcp", g.addr)
	must(g.t, err)
	defer conn.Close()
	must(g.t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", c.method, c.path, g.addr, lines(signed))
	must(g.t, err)
	data, err := io.ReadAll(conn)
	must(g.t, err)
	head, _, _ := strings.Cut(string(data), "\r\n\r\n")
	return head + "\r\n"
}

// nowhere fails if the secret is in the log or in the audit trail.
func (g *gateway) nowhere(secret string) {
	g.t.Helper()
	if strings.Contains(g.logs.String(), secret) {
		g.t.Error("it is in the log")
	}
	for _, e := range g.events(keystile.EventFilter{}) {
		if strings.Contains(fmt.Sprintf("%+v", e), secret) {
			g.t.Errorf("it is in the audit trail: %+v", e)
		}
	}
}

func TestAWSChunkedIsNoEncodingOfAnObject(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write")
	g.backend.PutObject("uploads", "a.txt", []byte("x"))
	for _, c := range []call{
		{method: put, path: "/uploads/b.txt", body: "x", header: http.Header{}},
		{method: post, path: "/uploads/b.txt", query: "uploads=", header: http.Header{}},
		{method: put, path: "/uploads/b.txt", header: header("X-Amz-Copy-Source", "uploads/a.txt", "X-Amz-Metadata-Directive", "REPLACE")},
	} {
		for given, want := range map[string]string{"aws-chunked": "", "gzip,aws-chunked": "gzip", "gzip": "gzip"} {
			g.backend.Reset()
			c.header.Set("Content-Encoding", given)
			wantStatus(t, g.do(k, c), 200, "")
			if got := g.backend.Requests()[0].Header.Get("Content-Encoding"); got != want {
				t.Errorf("%s %s: %q is sent as %q", c.method, c.query, given, got)
			}
		}
	}
}

// TestEncodedObjectsPassAsTheyAre: nothing is compressed or decompressed on the
// way, whatever the client would take.
func TestEncodedObjectsPassAsTheyAre(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write")
	const packed = "\x1f\x8b\x08 not really gzip"
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a.gz", body: packed, header: header("Content-Encoding", "gzip")}), 200, "")
	for _, accept := range []string{"gzip", "identity", "br, gzip;q=0.5"} {
		g.backend.Reset()
		r := g.do(k, call{method: get, path: "/uploads/a.gz", header: header("Accept-Encoding", accept)})
		if r.body != packed || r.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %q as %q", accept, r.body, r.header.Get("Content-Encoding"))
		}
		if got := g.backend.Requests()[0].Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("the backend was asked for %q", got)
		}
	}
}

// TestCustomerKeysAreNeverRecorded: SSE-C keys pass, and leave no trace.
func TestCustomerKeysAreNeverRecorded(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write")
	const secret = "Y3VzdG9tZXItc2VjcmV0LWtleS1vZi0zMi1ieXRlcyEh"
	encrypted := header("X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256",
		"X-Amz-Server-Side-Encryption-Customer-Key", secret, "X-Amz-Server-Side-Encryption-Customer-Key-Md5", md5Of("k"))
	g.backend.PutObject("uploads", "a.txt", []byte("x"))
	for _, c := range []call{
		{method: put, path: "/uploads/b.txt", body: "x", header: encrypted},
		{method: get, path: "/uploads/a.txt", header: encrypted},
		{method: get, path: "/uploads/nosuch", header: encrypted},
		{method: put, path: "/payroll/b.txt", body: "x", header: encrypted},
		{method: del, path: "/uploads/a.txt", header: encrypted},
	} {
		g.do(k, c)
	}
	if got := g.backend.Requests()[0].Header.Get("X-Amz-Server-Side-Encryption-Customer-Key"); got != secret {
		t.Errorf("the key arrives as %q", got)
	}
	g.nowhere(secret)
}
