package s3proxy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/store"
)

// ownBuckets counts what the gateway asks of those who keep RGW users.
type ownBuckets struct {
	mu    sync.Mutex
	calls []string
}

func (o *ownBuckets) note(call string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, call)
	return nil
}

func (o *ownBuckets) seen() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}

func (o *ownBuckets) OwnBuckets(context.Context, string) ([]keystile.RGWBucketInfo, error) {
	return nil, o.note("list")
}

func (o *ownBuckets) CreateOwnBucket(_ context.Context, user, bucket, acl string) error {
	if bucket == "mine" {
		return keystile.ErrOwned
	}
	return o.note("create " + user + " " + bucket + " " + acl)
}

func (o *ownBuckets) SetOwnACL(_ context.Context, user, bucket, acl string) error {
	return o.note("acl " + user + " " + bucket + " " + acl)
}

func (o *ownBuckets) SetOwnCORS(_ context.Context, user, bucket string, rules []keystile.CORSRule) error {
	return o.note(fmt.Sprintf("cors %s %s %d", user, bucket, len(rules)))
}

func (o *ownBuckets) DeleteOwnBucket(_ context.Context, user, bucket string) error {
	return o.note("delete " + user + " " + bucket)
}

func (o *ownBuckets) MayUpload(_ context.Context, account, _ string) (string, error) {
	if account != "trusted" {
		return "", keystile.ErrDenied
	}
	return "Trusted", nil
}

// rgwUser is a user whose home is the gateway, with its buckets on prod.
func (g *gateway) rgwUser(name string, status keystile.Status, buckets ...string) key {
	g.t.Helper()
	id, secret := keystile.NewKeyPair()
	u := keystile.RGWUser{
		ID: name, Name: name, ProjectID: "p1", BackendID: "prod", AccessKeyID: id, State: keystile.RGWLive, Status: status,
		CreatedAt: g.clock(), UpdatedAt: g.clock(), KeyRenewedAt: g.clock(),
	}
	g.write(func(tx store.Tx, generation int64) error {
		u.Generation = generation
		if err := tx.CreateRGWUser(u, keystile.RGWSecrets{Current: secret}); err != nil {
			return err
		}
		for _, b := range buckets {
			own := keystile.RGWBucket{
				Bucket: keystile.Bucket{Backend: "prod", Name: b}, UserID: u.ID, ACL: keystile.ACLPrivate, Made: true, CreatedAt: g.clock(),
			}
			if err := tx.CreateRGWBucket(own); err != nil {
				return err
			}
		}
		return nil
	})
	return key{id, secret}
}

// TestRGWUsersReachTheirOwn has the nearest forbidden call beside each allowed
// one: it reaches neither the backend nor those who keep the users.
func TestRGWUsersReachTheirOwn(t *testing.T) {
	own := &ownBuckets{}
	g := newGateway(t, func(o *s3proxy.Options) { o.RGW = own })
	u := g.rgwUser("u1", keystile.StatusActive, "uploads")
	g.rgwUser("u2", keystile.StatusActive, "reports")
	disabled := g.rgwUser("u3", keystile.StatusDisabled, "payroll")
	presigned := func(account string) call {
		return call{method: put, path: "/uploads/form", body: "x", query: "keystile-account=" + account, presigned: time.Hour}
	}
	location := func(text string) string {
		return "<CreateBucketConfiguration><LocationConstraint>" + text + "</LocationConstraint></CreateBucketConfiguration>"
	}
	for _, tt := range []struct {
		name               string
		allowed, forbidden call
		as                 key // of the forbidden one; zero: u's
		status             int
		code               string
	}{
		{"write", call{method: put, path: "/uploads/a", body: "x"}, call{method: put, path: "/reports/a", body: "x"}, key{}, 403, "AccessDenied"},
		{"read", call{method: get, path: "/uploads/a"}, call{method: get, path: "/reports/a"}, key{}, 403, "AccessDenied"},
		{"list", call{method: get, path: "/uploads"}, call{method: get, path: "/reports"}, key{}, 403, "AccessDenied"},
		{
			"copy", call{method: put, path: "/uploads/b", header: header("X-Amz-Copy-Source", "/uploads/a")},
			call{method: put, path: "/uploads/b", header: header("X-Amz-Copy-Source", "/reports/a")}, key{}, 403, "AccessDenied",
		},
		{"a disabled user", call{method: get, path: "/uploads/a"}, call{method: get, path: "/payroll/a"}, disabled, 401, "InvalidAccessKeyId"},
		{
			"a policy of one's own bucket", call{method: get, path: "/uploads"},
			call{method: get, path: "/uploads", query: "policy="}, key{}, 403, "AccessDenied",
		},
		{"an upload on behalf of an account", presigned("trusted"), presigned("stranger"), key{}, 403, "AccessDenied"},
		{
			"an account that is named without a presigned URL", presigned("trusted"),
			call{method: put, path: "/uploads/form", query: "keystile-account=trusted", body: "x"}, key{}, 400, "InvalidArgument",
		},
		{"delete a bucket", call{method: del, path: "/uploads"}, call{method: del, path: "/reports"}, key{}, 403, "AccessDenied"},
		{"make a bucket", call{method: put, path: "/fresh"}, call{method: put, path: "/admin"}, key{}, 400, "InvalidBucketName"},
		{
			"make a bucket in a region", call{method: put, path: "/fresh", body: location("eu-test-1")},
			call{method: put, path: "/fresh", body: location("elsewhere")}, key{}, 400, "InvalidLocationConstraint",
		},
		{
			"make a bucket with a document", call{method: put, path: "/fresh", body: location("")},
			call{method: put, path: "/fresh", body: "<!DOCTYPE x [<!ENTITY e 'eu-test-1'>]>" + location("&e;")}, key{}, 400, "MalformedXML",
		},
		{
			"make a bucket that is private", call{method: put, path: "/fresh", header: header("X-Amz-Acl", "private")},
			call{method: put, path: "/fresh", header: header("X-Amz-Acl", "public-read-write")}, key{}, 501, "NotImplemented",
		},
		{
			"make a bucket that everybody reads", call{method: put, path: "/fresh", header: header("X-Amz-Acl", "public-read")},
			call{method: put, path: "/fresh", header: header("X-Amz-Grant-Write", `uri="http://acs.amazonaws.com/groups/global/AllUsers"`)}, key{}, 501, "NotImplemented",
		},
		{
			"make a bucket with nothing but a location", call{method: put, path: "/fresh", body: location("")},
			call{method: put, path: "/fresh", body: strings.Replace(location(""), "</C", "<Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></C", 1)}, key{}, 501, "NotImplemented",
		},
		{
			"make a bucket for the owner that one is", call{method: put, path: "/fresh"},
			call{method: put, path: "/fresh", header: header("X-Amz-Expected-Bucket-Owner", "somebody-else")}, key{}, 403, "AccessDenied",
		},
		{"make a bucket that one has", call{method: put, path: "/fresh"}, call{method: put, path: "/mine"}, key{}, 409, "BucketAlreadyOwnedByYou"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := g.do(u, tt.allowed); r.status/100 != 2 {
				t.Fatalf("the allowed one: %+v", r)
			}
			as := tt.as
			if as.id == "" {
				as = u
			}
			asked, kept := len(g.backend.Requests()), len(own.seen())
			if r := g.do(as, tt.forbidden); r.status != tt.status || r.code != tt.code {
				t.Errorf("the forbidden one: %+v, want %d %s", r, tt.status, tt.code)
			}
			if now := g.backend.Requests(); len(now) != asked {
				t.Errorf("the backend saw it: %+v", now[asked:])
			}
			if now := own.seen(); len(now) != kept {
				t.Errorf("it was asked for: %v", now[kept:])
			}
		})
	}
	made := "create u1 fresh private"
	want := []string{"delete u1 uploads", made, made, made, made, "create u1 fresh public-read", made, made, made}
	if got := own.seen(); !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}
