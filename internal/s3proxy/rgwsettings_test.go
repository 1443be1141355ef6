package s3proxy_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/s3test"
	"keystile/internal/store"
)

const (
	versioned  = `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`
	expiring   = `<LifecycleConfiguration><Rule><ID>old</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>`
	openOrigin = `<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`
)

// setting is a call on a bucket's subresource.
func setting(method, bucket, sub, body string) call {
	c := call{method: method, path: "/" + bucket, query: sub + "=", body: body}
	if body != "" {
		c.header = header("Content-Md5", md5Of(body))
	}
	return c
}

// TestOwnersSetTheirOwnBuckets has beside each call on one's own bucket the same
// call on another user's, and with a credential that may do everything to
// objects: neither is heard of by the backend or those who keep the users.
func TestOwnersSetTheirOwnBuckets(t *testing.T) {
	own := &ownBuckets{}
	g := newGateway(t, func(o *s3proxy.Options) { o.RGW = own })
	u := g.rgwUser("u1", keystile.StatusActive, "uploads")
	g.rgwUser("u2", keystile.StatusActive, "reports")
	plain := g.mint("prod/uploads:read,list,write,delete,acl,bypass-governance")
	for _, tt := range []struct {
		name, method, sub, body string
		status                  int
		code, holds             string // in the answer
	}{
		{"versioning is off at first", get, "versioning", "", 200, "", "<VersioningConfiguration"},
		{"set versioning", put, "versioning", versioned, 200, "", ""},
		{"see versioning", get, "versioning", "", 200, "", "<Status>Enabled</Status>"},
		{"no lifecycle at first", get, "lifecycle", "", 404, "NoSuchLifecycleConfiguration", ""},
		{"set a lifecycle", put, "lifecycle", expiring, 200, "", ""},
		{"see the lifecycle", get, "lifecycle", "", 200, "", "<Days>3</Days>"},
		{"delete the lifecycle", del, "lifecycle", "", 204, "", ""},
		{"set tags", put, "tagging", oneTag, 200, "", ""},
		{"see tags", get, "tagging", "", 200, "", "<Value>red</Value>"},
		{"delete tags", del, "tagging", "", 204, "", ""},
		{"no tags are left", get, "tagging", "", 404, "NoSuchTagSet", ""},
		{"no rules for other origins", get, "cors", "", 404, "NoSuchCORSConfiguration", ""},
		{"set rules for other origins", put, "cors", openOrigin, 200, "", ""},
		{"delete rules for other origins", del, "cors", "", 204, "", ""},
		{"see the ACL", get, "acl", "", 200, "", "FULL_CONTROL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := g.do(u, setting(tt.method, "uploads", tt.sub, tt.body))
			if r.status != tt.status || r.code != tt.code || !strings.Contains(r.body, tt.holds) {
				t.Fatalf("one's own: %+v, want %d %s with %q", r, tt.status, tt.code, tt.holds)
			}
			asked, kept := len(g.backend.Requests()), len(own.seen())
			for who, refused := range map[string]result{
				"another's": g.do(u, setting(tt.method, "reports", tt.sub, tt.body)),
				"by a key":  g.do(plain, setting(tt.method, "uploads", tt.sub, tt.body)),
			} {
				if refused.status != 403 || refused.code != "AccessDenied" {
					t.Errorf("%s: %+v, want 403 AccessDenied", who, refused)
				}
			}
			if now := g.backend.Requests(); len(now) != asked {
				t.Errorf("the backend saw it: %+v", now[asked:])
			}
			if now := own.seen(); len(now) != kept {
				t.Errorf("it was asked for: %v", now[kept:])
			}
		})
	}
	if got, want := own.seen(), []string{"cors u1 uploads 1", "cors u1 uploads 0"}; !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

// TestOwnersMaySetNothingElse: of one's own bucket too, the backend hears nothing.
func TestOwnersMaySetNothingElse(t *testing.T) {
	own := &ownBuckets{}
	g := newGateway(t, func(o *s3proxy.Options) { o.RGW = own })
	u := g.rgwUser("u1", keystile.StatusActive, "uploads")
	xml := func(root string) string { return "<" + root + "><A>b</A></" + root + ">" }
	for _, tt := range []struct {
		name   string
		call   call
		status int
		code   string
	}{
		{"a policy", setting(put, "uploads", "policy", "{}"), 403, "AccessDenied"},
		{"replication", setting(put, "uploads", "replication", xml("ReplicationConfiguration")), 403, "AccessDenied"},
		{"notification", setting(put, "uploads", "notification", xml("NotificationConfiguration")), 403, "AccessDenied"},
		{"logging", setting(put, "uploads", "logging", xml("BucketLoggingStatus")), 403, "AccessDenied"},
		{"website", setting(put, "uploads", "website", xml("WebsiteConfiguration")), 403, "AccessDenied"},
		{"encryption", setting(del, "uploads", "encryption", ""), 403, "AccessDenied"},
		{"an element that is not versioning's", setting(put, "uploads", "versioning", xml("VersioningConfiguration")), 400, "MalformedXML"},
		{"another document", setting(put, "uploads", "versioning", expiring), 400, "MalformedXML"},
		{"a document type", setting(put, "uploads", "lifecycle", `<!DOCTYPE x [<!ENTITY e "3">]>`+expiring), 400, "MalformedXML"},
		{"a tag twice", setting(put, "uploads", "tagging", strings.Replace(oneTag, "</TagSet>", "<Tag><Key>colour</Key><Value>b</Value></Tag></TagSet>", 1)), 400, "InvalidTag"},
		{"a method that CORS has not", setting(put, "uploads", "cors", strings.Replace(openOrigin, "GET", "PATCH", 1)), 400, "InvalidRequest"},
		{"versioning with a device", func() call {
			c := setting(put, "uploads", "versioning", versioned)
			c.header.Set("X-Amz-Mfa", "1 2")
			return c
		}(), 501, "NotImplemented"},
		{"an ACL that cannot be kept", call{method: put, path: "/uploads", query: "acl=", header: header("X-Amz-Acl", "authenticated-read")}, 501, "NotImplemented"},
		{"an ACL that there is not", call{method: put, path: "/uploads", query: "acl=", header: header("X-Amz-Acl", "public")}, 400, "InvalidArgument"},
		{"no ACL", call{method: put, path: "/uploads", query: "acl="}, 400, "MissingSecurityHeader"},
		{"another owner", setting(put, "uploads", "acl", aclOf("0123")), 403, "AccessDenied"},
		{"a bucket of another owner than expected", call{method: get, path: "/uploads", query: "versioning=", header: header("X-Amz-Expected-Bucket-Owner", "x")}, 403, "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(g.backend.Requests())
			if r := g.do(u, tt.call); r.status != tt.status || r.code != tt.code {
				t.Errorf("%+v, want %d %s", r, tt.status, tt.code)
			}
			for _, seen := range g.backend.Requests()[before:] {
				if seen.Method != http.MethodGet { // whether it knows the setting at all may be asked
					t.Errorf("the backend saw %s %s?%s", seen.Method, seen.Path, seen.Query)
				}
			}
			if seen := own.seen(); len(seen) > 0 {
				t.Errorf("it was asked for: %v", seen)
			}
		})
	}
}

// TestSettingThatTheBackendDoesNotKnow: to such a backend DELETE of a setting may
// be DELETE of the bucket, so it is never sent one.
func TestSettingThatTheBackendDoesNotKnow(t *testing.T) {
	for name, answer := range map[string]s3test.Fault{
		"it says so":                  s3test.Answer(501, `<Error><Code>NotImplemented</Code></Error>`),
		"it lists the bucket instead": s3test.Answer(200, `<ListBucketResult><Name>uploads</Name></ListBucketResult>`),
		"it answers with nothing":     s3test.Answer(200, ``),
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, func(o *s3proxy.Options) { o.RGW = &ownBuckets{} })
			u := g.rgwUser("u1", keystile.StatusActive, "uploads")
			g.backend.Inject(answer.When(func(r *http.Request) bool { return r.Method == http.MethodGet }))
			g.backend.Reset()
			for _, c := range []call{setting(get, "uploads", "lifecycle", ""), setting(put, "uploads", "lifecycle", expiring), setting(del, "uploads", "lifecycle", "")} {
				if r := g.do(u, c); r.status != 501 || r.code != "NotImplemented" {
					t.Errorf("%s: %+v, want 501 NotImplemented", c.method, r)
				}
			}
			for _, seen := range g.backend.Requests() {
				if seen.Method != http.MethodGet {
					t.Errorf("the backend saw %s %s?%s", seen.Method, seen.Path, seen.Query)
				}
			}
		})
	}
}

// unsigned sends the call without a signature.
func (g *gateway) unsigned(c call) result {
	c.unsigned = true
	return g.do(key{}, c)
}

// setACL changes the canned ACL of a user's bucket as the control plane does.
func (g *gateway) setACL(user, bucket, acl string) {
	g.t.Helper()
	g.write(func(tx store.Tx, generation int64) error {
		u, err := tx.RGWUser(user)
		if err != nil {
			return err
		}
		b := keystile.RGWBucket{Bucket: keystile.Bucket{Backend: "prod", Name: bucket}, UserID: user, ACL: acl, Made: true}
		if err := tx.UpdateRGWBucket(b); err != nil {
			return err
		}
		u.Generation = generation
		return tx.UpdateRGWUser(u)
	})
}

// TestPublicReadOpensOneBucketToReads: what is not a read of the bucket's current
// objects stays shut, for everybody but its owner.
func TestPublicReadOpensOneBucketToReads(t *testing.T) {
	g := newGateway(t, func(o *s3proxy.Options) { o.RGW = &ownBuckets{} })
	mine := g.rgwUser("u1", keystile.StatusActive, "uploads", "payroll")
	other := g.rgwUser("u2", keystile.StatusActive, "reports")
	plain := g.mint("prod/reports:read,list,write,delete")
	for _, bucket := range []string{"uploads", "payroll"} {
		g.backend.PutObject(bucket, "a.txt", []byte("data"))
	}
	fromUploads := call{method: put, path: "/reports/copy", header: header("X-Amz-Copy-Source", "/uploads/a.txt")}
	reads := map[string]call{
		"get": {method: get, path: "/uploads/a.txt"}, "head": {method: head, path: "/uploads/a.txt"},
		"list": {method: get, path: "/uploads", query: "list-type=2"}, "list of old": {method: get, path: "/uploads"},
		"head of the bucket": {method: head, path: "/uploads"},
	}
	refused := map[string]call{
		"put":               {method: put, path: "/uploads/b", body: "x"},
		"delete":            {method: del, path: "/uploads/a.txt"},
		"delete of several": {method: post, path: "/uploads", query: "delete=", body: deleteSome, header: header("Content-Md5", md5Of(deleteSome))},
		"an old version":    {method: get, path: "/uploads/a.txt", query: "versionId=null"},
		"versions":          {method: get, path: "/uploads", query: "versions="},
		"uploads under way": {method: get, path: "/uploads", query: "uploads="},
		"tags":              {method: get, path: "/uploads/a.txt", query: "tagging="},
		"the bucket's ACL":  {method: get, path: "/uploads", query: "acl="},
		"another bucket":    {method: get, path: "/payroll/a.txt"},
		"copying from another bucket": {
			method: put, path: "/reports/copy", header: header("X-Amz-Copy-Source", "/payroll/a.txt"),
		},
		"copying an old version": {
			method: put, path: "/reports/copy", header: header("X-Amz-Copy-Source", "/uploads/a.txt?versionId=null"),
		},
		"copying into it": {method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "/reports/a.txt")},
	}
	unheard := func(t *testing.T, what string, r result) {
		t.Helper()
		if r.status != 403 {
			t.Errorf("%s: %+v, want 403", what, r)
		}
		if seen := g.backend.Requests(); len(seen) > 0 {
			t.Errorf("%s: the backend saw %+v", what, seen)
		}
		g.backend.Reset()
	}
	g.backend.Reset()
	for _, acl := range []string{keystile.ACLPrivate, keystile.ACLPublicRead, keystile.ACLPrivate} {
		g.setACL("u1", "uploads", acl)
		for what, c := range reads {
			if acl == keystile.ACLPrivate {
				unheard(t, "another user: "+what, g.do(other, c))
				unheard(t, "nobody: "+what, g.unsigned(c))
				continue
			}
			for who, r := range map[string]result{"its owner": g.do(mine, c), "another user": g.do(other, c), "nobody": g.unsigned(c)} {
				if r.status != 200 {
					t.Errorf("%s: %s: %+v, want 200", who, what, r)
				}
			}
			g.backend.Reset()
			unheard(t, "a credential: "+what, g.do(plain, c))
		}
		for what, c := range refused {
			unheard(t, "another user: "+what, g.do(other, c))
			if what != "copying from another bucket" && what != "copying an old version" {
				unheard(t, "nobody: "+what, g.unsigned(c))
			}
		}
		if r := g.do(other, fromUploads); (r.status == 200) != (acl == keystile.ACLPublicRead) {
			t.Errorf("copying from a bucket that is %s: %+v", acl, r)
		}
		g.backend.Reset()
		if r := g.do(mine, call{method: get, path: "/uploads", query: "acl="}); strings.Contains(r.body, "AllUsers") != (acl == keystile.ACLPublicRead) {
			t.Errorf("the ACL of a bucket that is %s: %+v", acl, r)
		}
	}
}
