package backends_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
	"keystile/test/ceph"
)

// direct signs a request with the Ceph's own admin key and sends it there.
func direct(t *testing.T, c ceph.Cluster, method, path, query string) (int, string) {
	t.Helper()
	host := strings.TrimPrefix(c.Endpoint, "http://")
	req, err := http.NewRequestWithContext(t.Context(), method, c.Endpoint, nil)
	must(t, err)
	req.URL = &url.URL{Scheme: "http", Host: host, Opaque: path, RawQuery: query}
	must(t, sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3").Sign(method, path, query, host, req.Header, emptyHash, time.Now()))
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(data)
}

// counted puts a counter of requests between a gateway and the Ceph.
func counted(t *testing.T, c ceph.Cluster) (endpoint string, seen func() []string) {
	t.Helper()
	target := strings.TrimPrefix(c.Endpoint, "http://")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	lines := make(chan string, 10_000)
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go relay(client, target, lines)
		}
	}()
	return "http://" + ln.Addr().String(), func() []string {
		var all []string
		for {
			select {
			case line := <-lines:
				all = append(all, line)
			default:
				return all
			}
		}
	}
}

// relay copies a connection both ways and notes the request lines in it.
func relay(client net.Conn, target string, lines chan<- string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		for line := range strings.Lines(string(buffer[:n])) {
			if strings.HasSuffix(strings.TrimSpace(line), " HTTP/1.1") {
				lines <- strings.TrimSpace(line)
			}
		}
		if _, werr := server.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

// TestAdminOpsCannotBeReached: the key that the gateway signs with may use
// Ceph's Admin Ops API; whoever speaks to the gateway may not, whatever they
// name and however they spell it. What is directly signed succeeds.
func TestAdminOpsCannotBeReached(t *testing.T) {
	c := ceph.Start(t)
	who := "format=json&uid=" + c.AdminUID
	for _, pathStyle := range []bool{true, false} {
		t.Run(fmt.Sprintf("path style %v", pathStyle), func(t *testing.T) {
			e := startCeph(t)
			g := newGateway(t, e, true)
			endpoint, seen := counted(t, c)
			e.Backend.Endpoint, e.Backend.PathStyle = endpoint, pathStyle
			g = g.before(e)
			_ = seen()

			for _, tt := range []struct {
				name, method, host, path, query string
				header                          http.Header
				// reaches: an object of the credential's own bucket is asked for.
				reaches bool
			}{
				{name: "user info", method: "GET", path: "/admin/user", query: who},
				{name: "list of users", method: "GET", path: "/admin/metadata/user", query: "format=json"},
				{name: "a new user", method: "PUT", path: "/admin/user", query: "uid=evil&display-name=evil&format=json"},
				{name: "a user is removed", method: "DELETE", path: "/admin/user", query: "uid=" + c.AdminUID},
				{name: "usage", method: "GET", path: "/admin/usage", query: "format=json"},
				{name: "buckets", method: "GET", path: "/admin/bucket", query: "format=json"},
				{name: "as a bucket", method: "GET", path: "/admin", query: "list-type=2"},
				{name: "as a bucket with a slash", method: "GET", path: "/admin/", query: ""},
				{name: "in capitals", method: "GET", path: "/Admin/user", query: who},
				{name: "encoded", method: "GET", path: "/%61dmin/user", query: who},
				{name: "wholly encoded", method: "GET", path: "/%61%64%6d%69%6e/user", query: who},
				{name: "encoded twice", method: "GET", path: "/%2561dmin/user", query: who},
				{name: "encoded slash", method: "GET", path: "/admin%2Fuser", query: who},
				{name: "two slashes", method: "GET", path: "//admin/user", query: who},
				{name: "up from the bucket", method: "GET", path: "/" + g.bucket + "/../admin/user", query: who},
				{name: "up from the bucket, encoded", method: "GET", path: "/" + g.bucket + "/%2e%2e/admin/user", query: who},
				{name: "up from a key", method: "GET", path: "/" + g.bucket + "/x/%2e%2e/%2e%2e/admin/user", query: who},
				{name: "swift", method: "GET", path: "/swift/v1/x", query: ""},
				{name: "auth", method: "GET", path: "/auth/v1.0", query: ""},
				{name: "bucket in the host's name", method: "GET", host: "admin.s3.gateway.test", path: "/user", query: who},
				{name: "bucket in the host's name, in capitals", method: "GET", host: "ADMIN.s3.gateway.test", path: "/user", query: who},
				{name: "own bucket in the host's name, up", method: "GET", host: g.bucket + ".s3.gateway.test", path: "/%2e%2e/admin/user", query: who},
				{name: "copy source", method: "PUT", path: "/" + g.bucket + "/copy", header: http.Header{"X-Amz-Copy-Source": {"admin/user"}}},
				{name: "copy source, encoded", method: "PUT", path: "/" + g.bucket + "/copy", header: http.Header{"X-Amz-Copy-Source": {"%61dmin%2Fuser"}}},
				{name: "copy source, up", method: "PUT", path: "/" + g.bucket + "/copy", header: http.Header{"X-Amz-Copy-Source": {g.bucket + "/../admin/user"}}},
				{name: "an object of that name", method: "GET", path: "/" + g.bucket + "/admin/user", reaches: true},
				{name: "an object of that name, by host", method: "GET", host: g.bucket + ".s3.gateway.test", path: "/admin/user", reaches: true},
			} {
				t.Run(tt.name, func(t *testing.T) {
					g := *g
					g.t = t
					if tt.host != "" {
						g.host = tt.host
					}
					status, answer, _ := g.send(tt.method, tt.path, tt.query, tt.header, emptyHash, "Content-Length: 0", "", 0)
					if status/100 == 2 || strings.Contains(answer, "user_id") {
						t.Errorf("%d %s", status, answer)
					}
					lines := seen()
					if tt.reaches != (len(lines) == 1) {
						t.Errorf("%d %s; the Ceph saw %q", status, answer, lines)
					}
					for _, line := range lines {
						if !strings.HasPrefix(line, "GET /"+g.bucket+"/admin/user") { // never as the whole path
							t.Errorf("the Ceph saw %q", line)
						}
					}
				})
			}
		})
	}
	for _, tt := range []struct{ name, method, path, query, want string }{
		{"user info", "GET", "/admin/user", who, `"user_id":"` + c.AdminUID},
		{"list of users", "GET", "/admin/metadata/user", "format=json", c.AdminUID},
		{"a new user", "PUT", "/admin/user", "display-name=made&format=json&uid=made", `"user_id":"made"`},
		{"a user is removed", "DELETE", "/admin/user", "format=json&uid=made", ""},
	} {
		if status, answer := direct(t, c, tt.method, tt.path, tt.query); status != http.StatusOK || !strings.Contains(answer, tt.want) {
			t.Errorf("directly, %s: %d %s", tt.name, status, answer)
		}
	}
	if status, answer := direct(t, c, "GET", "/admin/user", "format=json&uid=evil"); status != http.StatusNotFound {
		t.Errorf("a user was made: %d %s", status, answer)
	}
}

// TestReservedBucketsCannotBeNamed: neither a grant nor a binding nor a new
// bucket can have a reserved name.
func TestReservedBucketsCannotBeNamed(t *testing.T) {
	e := startCeph(t)
	registry := registryOf(t, e)
	b, _ := registry.Get("prod")
	for _, name := range append(keystile.ReservedNames(), "Admin", "SWIFT") {
		for _, text := range []string{"prod/" + name + ":read", "prod/uploads:read@" + name} {
			grant, err := keystile.ParseGrant(text, false)
			if err == nil && keystile.CheckGrants([]keystile.Grant{grant}) == nil {
				t.Errorf("the grant %s is valid", text)
			}
		}
		binding := keystile.Binding{Name: "site", Bucket: keystile.Bucket{Backend: "prod", Name: name}, Mode: keystile.ModeRead}
		if binding.Check() == nil {
			t.Errorf("a binding opens %s", name)
		}
		if err := registry.CreateBucket(t.Context(), keystile.Bucket{Backend: "prod", Name: name}); err == nil {
			t.Errorf("bucket %s was made", name)
		}
		if _, err := b.Send(t.Context(), upstream.Request{Method: http.MethodGet, Bucket: name, Key: "user"}); err == nil {
			t.Errorf("a request for %s was sent", name)
		}
	}
}
