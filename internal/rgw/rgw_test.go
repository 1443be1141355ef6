package rgw

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keystile/internal/control"
	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

func TestCannedACL(t *testing.T) {
	group := func(uri, permission string) string {
		return `<Grant><Grantee><URI>` + uri + `</URI></Grantee><Permission>` + permission + `</Permission></Grant>`
	}
	user := func(id, permission string) string {
		return `<Grant><Grantee><ID>` + id + `</ID></Grantee><Permission>` + permission + `</Permission></Grant>`
	}
	owner := user("ks-1", "FULL_CONTROL")
	for _, tt := range []struct{ name, grants, want string }{
		{"the owner alone", owner, keystile.ACLPrivate},
		{"everybody reads", owner + group(everyone, "READ"), keystile.ACLPublicRead},
		{"the order does not matter", group(everyone, "WRITE") + owner + group(everyone, "READ"), keystile.ACLPublicReadWrite},
		{"whoever has a key reads", owner + group(authenticated, "READ"), keystile.ACLAuthenticatedRead},
		{"everybody writes and does not read", owner + group(everyone, "WRITE"), "custom"},
		{"everybody reads the ACL", owner + group(everyone, "READ_ACP"), "custom"},
		{"everybody reads, and who has a key too", owner + group(everyone, "READ") + group(authenticated, "READ"), "custom"},
		{"everybody may do anything", owner + group(everyone, "FULL_CONTROL"), "custom"},
		{"somebody else reads", owner + user("ks-2", "READ"), "custom"},
		{"the owner is somebody else", user("ks-2", "FULL_CONTROL"), "custom"},
		{"the owner only reads", user("ks-1", "READ"), "custom"},
		{"a group that is not known", owner + group("http://acs.amazonaws.com/groups/s3/LogDelivery", "READ"), "custom"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var policy accessPolicy
			text := `<AccessControlPolicy><AccessControlList>` + tt.grants + `</AccessControlList></AccessControlPolicy>`
			if err := xml.Unmarshal([]byte(text), &policy); err != nil {
				t.Fatal(err)
			}
			if got := policy.canned("ks-1"); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestDeletionOfVersions(t *testing.T) {
	plain := []keystile.StoredVersion{{Key: "a", VersionID: "null"}, {Key: "b", VersionID: "null"}}
	mixed := []keystile.StoredVersion{{Key: "a", VersionID: "null"}, {Key: "a", VersionID: "v1"}}
	for _, tt := range []struct {
		name  string
		found []keystile.StoredVersion
		ceph  bool
		want  string // versions, one of each object
	}{
		{"a server without versions is not asked for null", plain, false, ","},
		{"one that has versions is: nothing else deletes it for good", mixed, false, "null,v1"},
		{"a Ceph always is", plain, true, "null,null"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ids []string
			for _, one := range deletionOf(tt.found, tt.ceph).Object {
				ids = append(ids, one.VersionID)
			}
			if got := strings.Join(ids, ","); got != tt.want {
				t.Errorf("asked for %q, want %q", got, tt.want)
			}
		})
	}
	many := make([]keystile.StoredVersion, maxDeletion+1)
	if got := len(deletionOf(many, true).Object); got != maxDeletion {
		t.Errorf("%d at once, of which S3 takes %d", got, maxDeletion)
	}
}

// TestDeletionIsSpeltSafely: a key cannot end its element and name another.
func TestDeletionIsSpeltSafely(t *testing.T) {
	key := `a</Key></Object><Object><Key>b`
	text, err := xml.Marshal(deletionOf([]keystile.StoredVersion{{Key: key, VersionID: "v"}}, true))
	if err != nil {
		t.Fatal(err)
	}
	var read deletion
	if err := xml.Unmarshal(text, &read); err != nil || len(read.Object) != 1 || read.Object[0].Key != key {
		t.Errorf("%s is read as %+v: %v", text, read.Object, err)
	}
}

// TestBrokenUploadIsNoShortOne: what broke off must never look like an end.
func TestBrokenUploadIsNoShortOne(t *testing.T) {
	for name, body := range map[string]io.Reader{
		"cut off by the client": io.MultiReader(strings.NewReader("abc"), failing{io.ErrUnexpectedEOF}),
		"an end in disguise":    io.MultiReader(strings.NewReader("abc"), failing{fmt.Errorf("gone: %w", io.EOF)}),
	} {
		if _, err := io.ReadFull(whole{body}, make([]byte, 10)); !errors.Is(err, keystile.ErrInvalid) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := io.ReadFull(whole{strings.NewReader("abc")}, make([]byte, 10)); n != 3 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a whole one: %d, %v", n, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestDescribe(t *testing.T) {
	answer := &http1.Response{ContentLength: 7, Header: http.Header{
		"Etag": {`"0123"`}, "Content-Type": {"text/plain"}, "Last-Modified": {"yesterday"},
		"X-Amz-Meta-Colour": {"red"}, "X-Amz-Metadata-Directive": {"COPY"},
	}}
	got := describe("k", answer)
	if got.Key != "k" || got.Size != 7 || got.ETag != "0123" || got.ContentType != "text/plain" || !got.LastModified.IsZero() {
		t.Errorf("%+v", got)
	}
	if len(got.Metadata) != 1 || got.Metadata["colour"] != "red" {
		t.Errorf("metadata %v", got.Metadata)
	}
}

func TestOnlyWhatAUserCanMendIsExplained(t *testing.T) {
	for code, want := range map[string]bool{"QuotaExceeded": true, "TooManyBuckets": true, "AccessDenied": false, "InternalError": false, "": false} {
		var explanation *control.Explained
		if got := errors.As(explained(fmt.Errorf("backend: %w", &upstream.Refused{Code: code, Message: "m"})), &explanation); got != want {
			t.Errorf("%q: explained: %v, want %v", code, got, want)
		}
	}
	if explained(nil) != nil {
		t.Error("a success is explained")
	}
}

// nowhere has no backend.
type nowhere struct{ Backends }

func (nowhere) Get(string) (*upstream.Backend, bool) { return nil, false }

func TestUploadURL(t *testing.T) {
	as := control.RGWSigner{
		User:   keystile.RGWUser{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", BackendID: "main"},
		Secret: keystile.NewSecret("a-secret-that-nobody-sees"),
	}
	in := control.UploadRequest{Key: "a b/ü?x=1", AccountID: "acc-1", ContentType: "text/plain", ExpiresIn: 10 * time.Minute}
	made, err := New(nowhere{}, Gateway{URL: "https://s3.example.com", Region: "eu-test-1"}).UploadURL(as, "bucket", in)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(made.URL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Host != "s3.example.com" || u.Path != "/bucket/a b/ü?x=1" || q.Get("x") != "" {
		t.Errorf("it names %s %s", u.Host, u.Path)
	}
	if q.Get("keystile-account") != "acc-1" || q.Get("X-Amz-Expires") != "600" || q.Get("X-Amz-SignedHeaders") != "content-type;host" {
		t.Errorf("it signs %v", q)
	}
	if made.Headers["Content-Type"] != "text/plain" || strings.Contains(u.String(), "a-secret") || strings.Contains(fmt.Sprint(made), "X-Amz-Signature") {
		t.Errorf("made %v", made)
	}
	if _, err := New(nowhere{}, Gateway{}).UploadURL(as, "bucket", in); !errors.Is(err, keystile.ErrUnavailable) {
		t.Errorf("without a gateway and a backend: %v", err)
	}
}
