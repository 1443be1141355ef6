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
	"keystile/internal/upstream"
)

// newGatewayToCeph is a gateway before a backend that is taken for a Ceph. It
// counts, and lets everything happen: what is refused is refused here.
func newGatewayToCeph(t *testing.T, own *ownBuckets) *gateway {
	t.Helper()
	backend := s3test.New(t)
	for _, name := range []string{"uploads", "reports"} {
		backend.CreateBucket(name)
		backend.PutObject(name, "a", []byte("data"))
	}
	ceph := keystile.Backend{
		ID: "prod", Kind: keystile.KindCeph, Endpoint: backend.URL, Region: "eu-test-1", PathStyle: true,
		AccessKeyID: backendKey, AdminAccessKeyID: backendKey,
	}
	secret := keystile.NewSecret(backendSecret)
	g := newGatewayTo(t, []upstream.Endpoint{{Backend: ceph, Secret: secret, AdminSecret: secret}}, func(o *s3proxy.Options) { o.RGW = own })
	g.backend = backend
	return g
}

// cephUser is a user whose home is the Ceph.
func (g *gateway) cephUser(name string, status keystile.Status) key {
	g.t.Helper()
	id, secret := keystile.NewKeyPair()
	g.write(func(tx store.Tx, generation int64) error {
		return tx.CreateRGWUser(keystile.RGWUser{
			ID: name, Name: name, ProjectID: "p1", BackendID: "prod", UID: keystile.RGWUID(name), AccessKeyID: id,
			State: keystile.RGWLive, Status: status, Generation: generation,
			CreatedAt: g.clock(), UpdatedAt: g.clock(), KeyRenewedAt: g.clock(),
		}, keystile.RGWSecrets{Current: secret})
	})
	return key{id, secret}
}

// TestUsersOfACephReachNothingButS3: which bucket a user may use the Ceph decides,
// for whom the user's own key has signed. What no Ceph must be asked with any key
// is refused here, and the Ceph never sees it.
func TestUsersOfACephReachNothingButS3(t *testing.T) {
	own := &ownBuckets{}
	g := newGatewayToCeph(t, own)
	u := g.cephUser("u1", keystile.StatusActive)
	disabled := g.cephUser("u2", keystile.StatusDisabled)
	forged := key{u.id, keystile.NewSecretKey()}
	unknown := key{"AKIA0000000000000000", u.secret}
	read := call{method: get, path: "/uploads/a"}
	presigned := func(account string) call {
		return call{method: put, path: "/uploads/form", body: "x", query: "keystile-account=" + account, presigned: time.Hour}
	}
	from := func(source string) call {
		return call{method: put, path: "/uploads/b", header: header("X-Amz-Copy-Source", source)}
	}
	for _, tt := range []struct {
		name               string
		allowed, forbidden call
		as                 key // of the forbidden one; zero: u's
		status             int
		code               string
	}{
		{"another bucket is the Ceph's to judge, its admin API is nobody's", call{method: get, path: "/reports/a"}, call{method: get, path: "/admin/user"}, key{}, 400, "InvalidBucketName"},
		{"case does not hide the admin API", read, call{method: get, path: "/Admin/user"}, key{}, 400, "InvalidBucketName"},
		{"an encoding does not hide the admin API", read, call{method: get, path: "/%61dmin/user"}, key{}, 400, "InvalidBucketName"},
		{"its Swift API", read, call{method: get, path: "/swift/v1"}, key{}, 400, "InvalidBucketName"},
		{"its sign-in", read, call{method: get, path: "/auth/1.0"}, key{}, 400, "InvalidBucketName"},
		{"a copy from the admin API", from("/reports/a"), from("/admin/user"), key{}, 400, "InvalidBucketName"},
		{"a copy from behind dots", from("/reports/a"), from("/reports/../admin/user"), key{}, 400, "InvalidArgument"},
		{"dots in a key", read, call{method: get, path: "/uploads/../admin/user"}, key{}, 400, "InvalidArgument"},
		{"a bucket of the admin API's name", call{method: put, path: "/fresh"}, call{method: put, path: "/admin"}, key{}, 400, "InvalidBucketName"},
		{"a parameter of the vendor", read, call{method: get, path: "/uploads/a", query: "rgwx-uid=admin"}, key{}, 501, "NotImplemented"},
		{"a header of the vendor", read, call{method: get, path: "/uploads/a", header: header("X-Amz-Rgwx-Uid", "admin")}, key{}, 501, "NotImplemented"},
		{"a policy", call{method: get, path: "/uploads"}, setting(put, "uploads", "policy", "{}"), key{}, 403, "AccessDenied"},
		{"replication", call{method: get, path: "/uploads"}, setting(get, "uploads", "replication", ""), key{}, 403, "AccessDenied"},
		{"a disabled user", read, read, disabled, 401, "InvalidAccessKeyId"},
		{"an unknown key", read, read, unknown, 401, "InvalidAccessKeyId"},
		{"another secret", read, read, forged, 403, "SignatureDoesNotMatch"},
		{"a body that is not the one that was signed", call{method: put, path: "/uploads/c", body: "x"}, call{method: put, path: "/uploads/c", body: "x", payloadHash: hashOf("y")}, key{}, 400, "XAmzContentSHA256Mismatch"},
		{"an upload on behalf of an account", presigned("trusted"), presigned("stranger"), key{}, 403, "AccessDenied"},
		{"an account named without a presigned URL", presigned("trusted"), call{method: put, path: "/uploads/form", query: "keystile-account=trusted", body: "x"}, key{}, 400, "InvalidArgument"},
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
				t.Errorf("the Ceph saw it: %+v", now[asked:])
			}
			if now := own.seen(); len(now) != kept {
				t.Errorf("it was asked for: %v", now[kept:])
			}
		})
	}
	seen := g.backend.Requests()
	if len(seen) == 0 {
		t.Fatal("the Ceph saw nothing")
	}
	for _, r := range seen {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential="+u.id+"/") {
			t.Errorf("%s %s was signed with another key than the user's: %q", r.Method, r.Path, r.Header.Get("Authorization"))
		}
	}
}

// TestUsersOfACephWhoAreStopped: the key works, then is taken away in each of the
// ways there are, and the Ceph sees nothing more of it.
func TestUsersOfACephWhoAreStopped(t *testing.T) {
	for name, stop := range map[string]func(*keystile.RGWUser, *keystile.RGWSecrets){
		"disabled":      func(u *keystile.RGWUser, _ *keystile.RGWSecrets) { u.Status = keystile.StatusDisabled },
		"being deleted": func(u *keystile.RGWUser, _ *keystile.RGWSecrets) { u.State = keystile.RGWDeleting },
		"deleted":       func(u *keystile.RGWUser, _ *keystile.RGWSecrets) { u.DeletedAt = time.Now() },
		"renewed":       func(_ *keystile.RGWUser, s *keystile.RGWSecrets) { s.Current = keystile.NewSecretKey() },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGatewayToCeph(t, &ownBuckets{})
			k, other := g.cephUser("u1", keystile.StatusActive), g.cephUser("u2", keystile.StatusActive)
			read := call{method: get, path: "/uploads/a"}
			if r := g.do(k, read); r.status != 200 {
				t.Fatalf("before: %+v", r)
			}
			g.write(func(tx store.Tx, generation int64) error {
				u, err := tx.RGWUser("u1")
				if err != nil {
					return err
				}
				secrets, err := tx.RGWSecrets("u1")
				if err != nil {
					return err
				}
				stop(&u, &secrets)
				u.Generation, u.UpdatedAt = generation, g.clock()
				if err := tx.SetRGWSecrets("u1", secrets); err != nil {
					return err
				}
				return tx.UpdateRGWUser(u)
			})
			g.backend.Reset()
			if r := g.do(k, read); r.status != 401 && (name != "renewed" || r.status != 403 || r.code != "SignatureDoesNotMatch") {
				t.Errorf("after: %+v", r)
			}
			if seen := g.backend.Requests(); len(seen) > 0 {
				t.Errorf("the Ceph saw %+v", seen)
			}
			if r := g.do(other, read); r.status != 200 {
				t.Errorf("somebody else: %+v", r)
			}
		})
	}
}

// TestAKeyThatItsCephRefuses: what was changed at the Ceph behind our back is the
// user's to know, and trying again is no use; that our clock is off is not.
func TestAKeyThatItsCephRefuses(t *testing.T) {
	g := newGatewayToCeph(t, &ownBuckets{})
	u := g.cephUser("u1", keystile.StatusActive)
	for _, tt := range []struct {
		answer string
		status int
		code   string
	}{
		{"SignatureDoesNotMatch", 403, "AccessDenied"}, {"InvalidAccessKeyId", 403, "AccessDenied"}, {"UserSuspended", 403, "AccessDenied"},
		{"RequestTimeTooSkewed", 503, "ServiceUnavailable"},
	} {
		g.backend.ClearFaults()
		g.backend.Inject(s3test.Answer(403, `<Error><Code>`+tt.answer+`</Code><Message>`+u.id+`</Message></Error>`))
		r := g.do(u, call{method: get, path: "/uploads/k"})
		if r.status != tt.status || r.code != tt.code || strings.Contains(r.message, "refuses this key") != (tt.status == 403) {
			t.Errorf("the Ceph answers with %s: %+v, want %d %s", tt.answer, r, tt.status, tt.code)
		}
	}
}

// TestQuotaOfACephIs507: whatever a Ceph's own quota stops is told as ours would
// be, and a denial stays one.
func TestQuotaOfACephIs507(t *testing.T) {
	g := newGatewayToCeph(t, &ownBuckets{})
	u := g.cephUser("u1", keystile.StatusActive)
	begun := g.do(u, call{method: post, path: "/uploads/big", query: "uploads="})
	_, rest, _ := strings.Cut(begun.body, "<UploadId>")
	upload, _, _ := strings.Cut(rest, "</UploadId>")
	writes := map[string]call{
		"put":  {method: put, path: "/uploads/k", body: "x"},
		"copy": {method: put, path: "/uploads/k", header: header("X-Amz-Copy-Source", "/reports/a")},
		"part": {method: put, path: "/uploads/big", query: "partNumber=1&uploadId=" + upload, body: "x"},
	}
	for what, c := range writes {
		for _, tt := range []struct {
			answer string
			status int
			code   string
		}{{"QuotaExceeded", 507, "QuotaExceeded"}, {"AccessDenied", 403, "AccessDenied"}} {
			g.backend.ClearFaults()
			g.backend.Inject(s3test.Answer(403, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+tt.answer+`</Code><Message></Message></Error>`).
				When(func(r *http.Request) bool { return r.Method == http.MethodPut }))
			r := g.do(u, c)
			if r.status != tt.status || r.code != tt.code || r.message == "" {
				t.Errorf("%s that the Ceph answers with %s: %+v, want %d %s with a message", what, tt.answer, r, tt.status, tt.code)
			}
		}
		g.backend.ClearFaults()
		if r := g.do(u, c); r.status != 200 {
			t.Errorf("%s, with room again: %+v", what, r)
		}
	}
}
