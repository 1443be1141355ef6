package upstream

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestBuckets(t *testing.T) {
	f := newFakeS3(t)
	r := newTestRegistry(t, newMemStore(), f.endpoint("fake"))
	pics := keystile.Bucket{Backend: "fake", Name: "pics"}
	must(t, r.CreateBucket(t.Context(), pics))
	list, err := r.Buckets(t.Context(), "fake")
	must(t, err)
	want := keystile.BucketInfo{Bucket: pics, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	if len(list) != 1 || list[0] != want {
		t.Errorf("list %+v", list)
	}
	must(t, r.DeleteBucket(t.Context(), pics))
	if left := f.names(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	f.noFaults(t)
}

func TestBucketRefusals(t *testing.T) {
	f := newFakeS3(t)
	f.buckets["full"] = map[string]bool{"a": true}
	dead := f.endpoint("dead")
	dead.Backend.Endpoint = "http://127.0.0.1:1"
	r := newTestRegistry(t, newMemStore(), f.endpoint("fake"), dead)
	create := func(backend, name string) error {
		return r.CreateBucket(t.Context(), keystile.Bucket{Backend: backend, Name: name})
	}
	remove := func(backend, name string) error {
		return r.DeleteBucket(t.Context(), keystile.Bucket{Backend: backend, Name: name})
	}
	list := func(backend string) error { _, err := r.Buckets(t.Context(), backend); return err }
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"create what is there", create("fake", "full"), keystile.ErrConflict},
		{"create a reserved name", create("fake", "admin"), keystile.ErrInvalid},
		{"create an invalid name", create("fake", "Pics"), keystile.ErrInvalid},
		{"create a path", create("fake", "pics/../x"), keystile.ErrInvalid},
		{"create nowhere", create("other", "pics"), keystile.ErrNotFound},
		{"create on a dead one", create("dead", "pics"), keystile.ErrUnavailable},
		{"delete a full one", remove("fake", "full"), keystile.ErrConflict},
		{"delete what is not there", remove("fake", "gone"), keystile.ErrNotFound},
		{"delete a reserved name", remove("fake", "admin"), keystile.ErrInvalid},
		{"delete the service", remove("fake", ""), keystile.ErrInvalid},
		{"delete on a dead one", remove("dead", "pics"), keystile.ErrUnavailable},
		{"list nowhere", list("other"), keystile.ErrNotFound},
		{"list a dead one", list("dead"), keystile.ErrUnavailable},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.err, tt.want)
		}
	}
	for _, s := range f.seen() {
		if strings.Contains(s.target, "admin") {
			t.Errorf("sent %+v", s)
		}
	}
	f.noFaults(t)
}

func TestErrorCodesBecomeOurErrors(t *testing.T) {
	for code, want := range map[string]error{
		"BucketAlreadyExists":   keystile.ErrConflict,
		"OperationAborted":      keystile.ErrConflict,
		"NoSuchBucket":          keystile.ErrNotFound,
		"InvalidBucketName":     keystile.ErrInvalid,
		"AccessDenied":          ErrRefused,
		"InvalidAccessKeyId":    ErrRefused,
		"SignatureDoesNotMatch": ErrRefused,
		"SlowDown":              keystile.ErrUnavailable,
		"Surprise":              keystile.ErrUnavailable,
	} {
		f := newFakeS3(t)
		f.intervene = func(w http.ResponseWriter, _ seen) bool { s3Error(w, 400, code); return true }
		err := f.backend(t, nil).deleteBucket(t.Context(), "pics")
		if !errors.Is(err, want) || strings.Contains(err.Error(), "10.1.2.3") || strings.Contains(err.Error(), "/srv") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestLocationConstraint(t *testing.T) {
	for _, tt := range []struct {
		region string
		puts   int
	}{
		{"us-east-1", 1}, {"eu-west-1", 1},
		{"nowhere", 2}, // refused, and tried without
	} {
		f := newFakeS3(t)
		f.region = tt.region
		must(t, f.backend(t, nil).createBucket(t.Context(), "pics"))
		got := f.seen()
		if len(got) != tt.puts || len(f.names()) != 1 {
			t.Errorf("%s: sent %v", tt.region, got)
		}
		if empty := got[0].payloadHash == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; empty != (tt.region == "us-east-1") {
			t.Errorf("%s: body empty: %v", tt.region, empty)
		}
		f.noFaults(t)
	}
}

func TestBucketListPages(t *testing.T) {
	f := newFakeS3(t)
	f.intervene = func(w http.ResponseWriter, s seen) bool {
		next := "<ContinuationToken>t+1</ContinuationToken>"
		if s.target == "/?continuation-token=t%2B1" {
			next = ""
		}
		_, _ = w.Write([]byte("<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name><CreationDate>2026-01-02T03:04:05Z</CreationDate></Bucket></Buckets>" + next + "</ListAllMyBucketsResult>"))
		return true
	}
	list, err := f.backend(t, nil).buckets(t.Context())
	must(t, err)
	if len(list) != 2 {
		t.Errorf("list %+v", list)
	}
}

func TestReadXML(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		ok         bool
	}{
		{"plain", "<List><Contents><Key>a</Key></Contents></List>", true},
		{"namespace, declaration and comment", `<?xml version="1.0"?><!-- x --><List xmlns="urn:x"><Contents><Key>a</Key></Contents></List>` + "\n", true},
		{"empty", "", false},
		{"other root", "<Other/>", false},
		{"html", "<html>hello</html>", false},
		{"two roots", "<List/><List/>", false},
		{"text behind", "<List/>x", false},
		{"DTD", `<!DOCTYPE List [<!ENTITY a "b">]><List/>`, false},
		{"unknown entity", "<List><Contents><Key>&a;</Key></Contents></List>", false},
		{"cut", "<List><Contents>", false},
		{"too long", "<List>" + strings.Repeat(" ", 300) + "</List>", false},
	} {
		var list keyList
		err := readXML(strings.NewReader(tt.text), 256, &list, "List")
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, errXML) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.ok && (len(list.Contents) != 1 || list.Contents[0].Key != "a") {
			t.Errorf("%s: %+v", tt.name, list)
		}
	}
}

func TestAProbesBucketIsHiddenWhileItProbes(t *testing.T) {
	b := newFakeS3(t).backend(t, nil)
	now := b.now()
	for _, tt := range []struct {
		name    string
		created time.Time
		hidden  bool
	}{
		{scratchPrefix + "abc", now.Add(-time.Second), true},
		{scratchPrefix + "abc", now.Add(-probeTimeout), true},
		{scratchPrefix + "abc", now.Add(-time.Hour), false},
		{"pics", now, false},
	} {
		if got := b.probesIn(tt.name, tt.created); got != tt.hidden {
			t.Errorf("%s, made %v ago: hidden %v, want %v", tt.name, now.Sub(tt.created), got, tt.hidden)
		}
	}
}
