package s3proxy_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
)

const deleteOutside = `<Delete><Object><Key>%s</Key></Object></Delete>`

func deleteKey(path, key string) call {
	return call{method: post, path: path, query: "delete="}.post(fmt.Sprintf(deleteOutside, key))
}

func copyTo(path, source string) call {
	return call{method: put, path: path, header: header("X-Amz-Copy-Source", source)}
}

// aliasPairs are about a prefix that a client sees as a bucket.
var aliasPairs = []pair{
	{
		"the bucket behind a prefix is refused by its real name",
		[]string{"prod/reports/2026/:read,list@team-a"},
		call{method: get, path: "/team-a/a.txt"},
		call{method: get, path: "/reports/2026/a.txt"}, 403, "AccessDenied",
	},
	{
		"listing the bucket behind a prefix is refused by its real name",
		[]string{"prod/reports/2026/:read,list@team-a"},
		call{method: get, path: "/team-a", query: "list-type=2"},
		call{method: get, path: "/reports", query: "list-type=2&prefix=2026%2F"}, 403, "AccessDenied",
	},
	{
		"another prefix as a bucket is not this one",
		[]string{"prod/reports/2026/:read@team-a", "prod/reports/2025/:list@team-b"},
		call{method: get, path: "/team-a/a.txt"},
		call{method: get, path: "/team-b/a.txt"}, 403, "AccessDenied",
	},
	{
		"dots do not leave a hidden prefix",
		[]string{"prod/reports/2026/:read@team-a"},
		call{method: get, path: "/team-a/a.txt"},
		call{method: get, path: "/team-a/../2025/a.txt"}, 400, "InvalidArgument",
	},
	{
		"encoded dots and slashes do not leave a hidden prefix",
		[]string{"prod/reports/2026/:read@team-a"},
		call{method: get, path: "/team-a/a%2Etxt"},
		call{method: get, path: "/team-a/%2E%2E%2F2025%2Fa.txt"}, 400, "InvalidArgument",
	},
	{
		"dots do not reach a sibling of a hidden prefix",
		[]string{"prod/reports/2026/:write@team-a"},
		call{method: put, path: "/team-a/b.txt", body: "x"},
		call{method: put, path: "/team-a/..%2F20260/b.txt", body: "x"}, 400, "InvalidArgument",
	},
	{
		"a slash in front is an empty segment behind a hidden prefix",
		[]string{"prod/reports/2026/:read@team-a"},
		call{method: get, path: "/team-a/a.txt"},
		call{method: get, path: "/team-a//a.txt"}, 400, "InvalidArgument",
	},
	{
		"dots in a list's prefix do not leave a hidden prefix",
		[]string{"prod/reports/2026/:list@team-a"},
		call{method: get, path: "/team-a", query: "list-type=2&prefix=a"},
		call{method: get, path: "/team-a", query: "list-type=2&prefix=..%2F2025"}, 400, "InvalidArgument",
	},
	{
		"the empty key is not the object that is called as the prefix",
		[]string{"prod/reports/2026/:read,write@team-a"},
		call{method: put, path: "/team-a/b.txt", body: "x"},
		call{method: put, path: "/team-a/", body: "x"}, 409, "BucketAlreadyOwnedByYou",
	},
	{
		"a multi-delete of the empty key is refused",
		[]string{"prod/reports/2026/:delete@team-a"},
		deleteKey("/team-a", "a.txt"),
		deleteKey("/team-a", ""), 400, "MalformedXML",
	},
	{
		"a key and its hidden prefix share 1024 bytes",
		[]string{"prod/reports/2026/:write@team-a"},
		call{method: put, path: "/team-a/" + strings.Repeat("k", 1019), body: "x"},
		call{method: put, path: "/team-a/" + strings.Repeat("k", 1020), body: "x"}, 400, "KeyTooLongError",
	},
	{
		"a key to delete and its hidden prefix share 1024 bytes",
		[]string{"prod/reports/2026/:delete@team-a"},
		deleteKey("/team-a", strings.Repeat("k", 1019)),
		deleteKey("/team-a", strings.Repeat("k", 1020)), 400, "KeyTooLongError",
	},
	{
		"a copy source and its hidden prefix share 1024 bytes",
		[]string{"prod/reports/2026/:read@team-a", "prod/uploads:read,write"},
		copyTo("/uploads/copy", "team-a/a.txt"),
		copyTo("/uploads/copy", "team-a/"+strings.Repeat("k", 1020)), 400, "KeyTooLongError",
	},
	{
		"a copy source by its real name is refused",
		[]string{"prod/reports/2026/:read@team-a", "prod/uploads:read,write"},
		copyTo("/uploads/copy", "team-a/a.txt"),
		copyTo("/uploads/copy", "reports/2026/a.txt"), 403, "AccessDenied",
	},
	{
		"a copy source with dots does not leave a hidden prefix",
		[]string{"prod/reports/2026/:read@team-a", "prod/uploads:read,write"},
		copyTo("/uploads/copy", "team-a/a.txt"),
		copyTo("/uploads/copy", "team-a/..%2F2025/a.txt"), 400, "InvalidArgument",
	},
	{
		"a copy to a hidden prefix needs write there, not at its source",
		[]string{"prod/reports/2026/:write@team-a", "prod/uploads:read"},
		copyTo("/team-a/copy", "uploads/a.txt"),
		copyTo("/uploads/copy", "uploads/a.txt"), 403, "AccessDenied",
	},
	{
		"a part's copy source without read is refused behind an alias",
		[]string{"prod/reports/2026/:write@team-a", "prod/uploads:read"},
		copyTo("/team-a/copy", "uploads/a.txt"),
		call{method: put, path: "/team-a/big", query: "partNumber=1&uploadId=u", header: header("X-Amz-Copy-Source", "team-a/a.txt")}, 403, "AccessDenied",
	},
	{
		"a part's copy source that would be in the scope if it were decoded twice is refused",
		[]string{"prod/uploads:read,write", "prod/reports/2026/:read"},
		copyTo("/uploads/copy", "reports/2026/a.txt"),
		call{method: put, path: "/uploads/big", query: "partNumber=1&uploadId=u", header: header("X-Amz-Copy-Source", "reports/2026%252Fa.txt")}, 403, "AccessDenied",
	},
	{
		"read behind an alias does not write",
		[]string{"prod/reports/2026/:read@team-a"},
		call{method: get, path: "/team-a/a.txt"},
		call{method: put, path: "/team-a/a.txt", body: "x"}, 403, "AccessDenied",
	},
	{
		"read behind an alias does not list",
		[]string{"prod/reports/2026/:read@team-a"},
		call{method: get, path: "/team-a/a.txt"},
		call{method: get, path: "/team-a", query: "list-type=2"}, 403, "AccessDenied",
	},
	{
		"a prefix that is not hidden is part of the key",
		[]string{"prod/reports/2026/:read"},
		call{method: get, path: "/reports/2026/a.txt"},
		call{method: get, path: "/reports/a.txt"}, 403, "AccessDenied",
	},
	{
		"a continuation token that was made up is refused",
		[]string{"prod/reports/2026/:list@team-a"},
		call{method: get, path: "/team-a", query: "list-type=2"},
		call{method: get, path: "/team-a", query: "continuation-token=" + base64.RawURLEncoding.EncodeToString([]byte("2025/")) + "&list-type=2"},
		400, "InvalidArgument",
	},
}

var nextToken = regexp.MustCompile(`<NextContinuationToken>([^<]+)</NextContinuationToken>`)

// firstToken lists one key and returns the token of the next page.
func (g *gateway) firstToken(k key, path, query string) string {
	g.t.Helper()
	r := g.do(k, call{method: get, path: path, query: query})
	m := nextToken.FindStringSubmatch(r.body)
	if m == nil {
		g.t.Fatalf("no token in %d %s", r.status, r.body)
	}
	return m[1]
}

func TestAContinuationTokenOpensForItsListingAlone(t *testing.T) {
	g := newGateway(t)
	for _, bucket := range []string{"reports", "uploads"} {
		for _, key := range []string{"2025/a", "2026/", "2026/a/1", "2026/b", "2026/c", "20260/a"} {
			g.backend.PutObject(bucket, key, []byte("x"))
		}
	}
	k := g.mint("prod/reports/2026/:list@team-a", "prod/reports/2025/:list@team-b", "prod/uploads/2026/:list@team-c", "other/reports/2026/:list@team-d", "prod/reports:list")
	twin := g.mint("prod/reports/2026/:list@mine")
	stranger := g.mint("prod/uploads/2026/:list@team-a")
	token := g.firstToken(k, "/team-a", "list-type=2&max-keys=1&prefix=")
	if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || strings.Contains(string(raw), "2026") {
		t.Errorf("the token reads %q, %v", raw, err)
	}
	backendToken := g.firstToken(k, "/reports", "list-type=2&max-keys=1&prefix=2026%2F")
	altered := token[:len(token)-3] + "AAA"
	if altered == token {
		altered = token[:len(token)-3] + "BBB"
	}
	g.backend.Reset()
	for _, tt := range []struct {
		name        string
		k           key
		path, query string
		allowed     bool
	}{
		{"the listing it was made for", k, "/team-a", "list-type=2&prefix=&continuation-token=" + token, true},
		{"without an empty prefix", k, "/team-a", "list-type=2&continuation-token=" + token, true},
		{"pages of another size, encoded", k, "/team-a", "list-type=2&encoding-type=url&max-keys=2&continuation-token=" + token, true},
		{"another key to the same place", twin, "/mine", "list-type=2&continuation-token=" + token, true},
		{"another prefix in the query", k, "/team-a", "list-type=2&prefix=a&continuation-token=" + token, false},
		{"a delimiter", k, "/team-a", "list-type=2&delimiter=%2F&continuation-token=" + token, false},
		{"another hidden prefix", k, "/team-b", "list-type=2&continuation-token=" + token, false},
		{"another bucket", k, "/team-c", "list-type=2&continuation-token=" + token, false},
		{"another backend", k, "/team-d", "list-type=2&continuation-token=" + token, false},
		{"another credential's bucket of that name", stranger, "/team-a", "list-type=2&continuation-token=" + token, false},
		{"altered", k, "/team-a", "list-type=2&continuation-token=" + altered, false},
		{"cut short", k, "/team-a", "list-type=2&continuation-token=" + token[:20], false},
		{"longer", k, "/team-a", "list-type=2&continuation-token=" + token + "AAAA", false},
		{"the backend's own", k, "/team-a", "list-type=2&continuation-token=" + escaped(backendToken), false},
	} {
		g.backend.Reset()
		r := g.do(tt.k, call{method: get, path: tt.path, query: sortQuery(tt.query)})
		if tt.allowed {
			if r.status != 200 || !strings.Contains(r.body, "<Key>b</Key>") || strings.Contains(r.body, "2026/") || strings.Contains(r.body, "<Key>a/1</Key>") {
				t.Errorf("%s: %d %s", tt.name, r.status, r.body)
			}
			continue
		}
		if r.status != 400 || r.code != "InvalidArgument" {
			t.Errorf("%s: %d %s", tt.name, r.status, r.body)
		}
		g.backendSaw(0)
	}
}

var listedKey = regexp.MustCompile(`<Key>([^<]*)</Key>`)

// TestMarkersStayInside: whatever a listing begins after, it shows the prefix
// alone.
func TestMarkersStayInside(t *testing.T) {
	g := newGateway(t)
	for _, key := range []string{"2025/x", "2026/", "2026/a", "2026/b", "20260/x", "2027/x"} {
		g.backend.PutObject("reports", key, []byte("x"))
	}
	k := g.mint("prod/reports/2026/:list@team-a")
	for _, marker := range []string{"", "%00", "../2025", "..%2F2025%2Fx", "%2F", "2025", "2026%2F", "zzz", "%F4%8F%BF%BF", "a"} {
		for _, query := range []string{"marker=", "list-type=2&start-after=", "versions=&key-marker=", "uploads=&key-marker=", "uploads=&upload-id-marker=", "versions=&version-id-marker="} {
			r := g.do(k, call{method: get, path: "/team-a", query: sortQuery(query + marker)})
			if r.status != 200 && (marker != "%00" || r.code != "InvalidArgument") {
				t.Errorf("%s%s: %d %s", query, marker, r.status, r.body)
			}
			for _, m := range listedKey.FindAllStringSubmatch(r.body, -1) {
				if m[1] != "a" && m[1] != "b" {
					t.Errorf("%s%s shows %q", query, marker, m[1])
				}
			}
		}
	}
}

func TestAMultiDeleteBehindAnAliasStaysInside(t *testing.T) {
	g := newGateway(t)
	for _, key := range []string{"2025/a", "2026/a", "2026/b", "2026/2025/a"} {
		g.backend.PutObject("reports", key, []byte("x"))
	}
	k := g.mint("prod/reports/2026/:delete@team-a")
	r := g.do(k, call{method: post, path: "/team-a", query: "delete="}.post(
		`<Delete><Object><Key>a</Key></Object><Object><Key>../2025/a</Key></Object><Object><Key>2025/a</Key></Object></Delete>`))
	for _, part := range []string{"<Deleted><Key>a</Key></Deleted>", "<Deleted><Key>2025/a</Key></Deleted>", "<Error><Key>../2025/a</Key><Code>AccessDenied</Code>"} {
		if r.status != 200 || !strings.Contains(r.body, part) {
			t.Errorf("%d %s lacks %s", r.status, r.body, part)
		}
	}
	left := g.backend.Objects("reports")
	if len(left) != 2 || left["2025/a"] == nil || left["2026/b"] == nil {
		t.Errorf("left are %v", left)
	}
	e := g.events(keystile.EventFilter{})[0]
	if got := strings.Join(e.Detail.Keys, " "); e.Bucket != "reports" || e.Detail.ClientBucket != "team-a" || got != "2026/a 2026/2025/a" {
		t.Errorf("recorded as %+v", e)
	}
	g.backend.Reset()
	r = g.do(k, deleteKey("/team-a", "../2026/b"))
	if r.status != 200 || !strings.Contains(r.body, "<Error><Key>../2026/b</Key><Code>AccessDenied</Code>") {
		t.Errorf("all denied: %d %s", r.status, r.body)
	}
	g.backendSaw(0)
}

func TestEventsHaveBothNames(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/reports/2026/:read,write@team-a", "prod/uploads:write@inbox", "prod/payroll:write")
	for _, tt := range []struct{ path, bucket, key, clientBucket, clientKey string }{
		{"/team-a/a.txt", "reports", "2026/a.txt", "team-a", "a.txt"},
		{"/inbox/a.txt", "uploads", "a.txt", "inbox", ""},
		{"/payroll/a.txt", "payroll", "a.txt", "", ""},
	} {
		wantStatus(t, g.do(k, call{method: put, path: tt.path, body: "x"}), 200, "")
		e := g.events(keystile.EventFilter{})[0]
		if e.Bucket != tt.bucket || e.Key != tt.key || e.Detail.ClientBucket != tt.clientBucket || e.Detail.ClientKey != tt.clientKey {
			t.Errorf("%s is recorded as %+v", tt.path, e)
		}
	}
	g.do(k, copyTo("/inbox/copy", "team-a/a.txt"))
	if e := g.events(keystile.EventFilter{})[0]; e.Detail.CopySource != "prod/reports/2026/a.txt" {
		t.Errorf("a copy is recorded as %+v", e)
	}
}

// TestAnAnswerWithForeignKeysIsRefused: a backend that lies, or takes a prefix
// for something else, shows a client nothing of its neighbours.
func TestAnAnswerWithForeignKeysIsRefused(t *testing.T) {
	listing := call{method: get, path: "/team-a", query: "list-type=2"}
	for _, tt := range []struct {
		name, answer string
		call         call
		status       int
		shown        string
	}{
		{"its own keys", `<ListBucketResult><Contents><Key>2026/a</Key></Contents></ListBucketResult>`, listing, 200, "<Contents><Key>a</Key></Contents>"},
		{"a neighbour's key", `<ListBucketResult><Contents><Key>2026/a</Key></Contents><Contents><Key>20260/a</Key></Contents></ListBucketResult>`, listing, 502, ""},
		{"a neighbour's prefix", `<ListBucketResult><CommonPrefixes><Prefix>2025/</Prefix></CommonPrefixes></ListBucketResult>`, listing, 502, ""},
		{"a marker elsewhere", `<ListBucketResult><NextMarker>2025/a</NextMarker></ListBucketResult>`, listing, 502, ""},
		{
			"the object that marks the prefix", `<ListBucketResult><KeyCount>2</KeyCount><Contents><Owner><ID>x</ID></Owner><Key>2026/</Key><Size>0</Size></Contents> <Contents><Key>2026/b</Key></Contents></ListBucketResult>`,
			listing, 200, "<KeyCount>1</KeyCount> <Contents><Key>b</Key></Contents>",
		},
		{"an upload of a neighbour's", `<ListPartsResult><Key>2025/a</Key></ListPartsResult>`, call{method: get, path: "/team-a/a", query: "uploadId=u"}, 502, ""},
		{"a message with the key", `<Error><Code>NoSuchUpload</Code><Message>There is no 2026/a.</Message></Error>`, call{method: get, path: "/team-a/a", query: "uploadId=u"}, 500, "There is no a."},
		{"a message with another key", `<Error><Code>NoSuchUpload</Code><Message>There is no 2026/b.</Message></Error>`, call{method: get, path: "/team-a/a", query: "uploadId=u"}, 500, "error occurred"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/reports/2026/:read,list,write@team-a")
			g.backend.Inject(s3test.Answer(http.StatusOK, tt.answer))
			r := g.do(k, tt.call)
			if r.status != tt.status || !strings.Contains(r.body, tt.shown) {
				t.Errorf("%d %s", r.status, r.body)
			}
			for _, foreign := range []string{"2025/", "2026/", "20260/", "reports"} {
				if strings.Contains(r.body, foreign) {
					t.Errorf("tells %s: %s", foreign, r.body)
				}
			}
		})
	}
}

// TestABindingHidesNothing: its prefix filters.
func TestABindingHidesNothing(t *testing.T) {
	g := newGateway(t)
	open(g, keystile.ModeReadList, 0)
	r := g.do(key{}, call{method: get, path: "/public", query: "list-type=2&prefix=2026/", unsigned: true})
	if r.status != 200 || !strings.Contains(r.body, "<Name>public</Name><Prefix>2026/</Prefix>") || !strings.Contains(r.body, "<Key>2026/a.txt</Key>") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestCopiesBetweenTwoPrefixesAsBuckets: each side has its own hidden prefix.
func TestCopiesBetweenTwoPrefixesAsBuckets(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("reports", "2025/x/a.txt", []byte("of 2025"))
	g.backend.PutObject("reports", "2026/x/a.txt", []byte("of 2026"))
	k := g.mint("prod/reports/2026/:write,read@team-a", "prod/reports/2025/:read@team-b")
	wantStatus(t, g.do(k, copyTo("/team-a/copy", "/team-b/x%2Fa.txt")), 200, "")
	if got := string(g.backend.Objects("reports")["2026/copy"]); got != "of 2025" {
		t.Errorf("copied %q", got)
	}
	last := g.backend.Requests()[0]
	if last.Path != "/reports/2026/copy" || last.Header.Get("X-Amz-Copy-Source") != "reports/2025/x/a.txt" {
		t.Errorf("the backend saw %s from %s", last.Path, last.Header.Get("X-Amz-Copy-Source"))
	}
	g.backend.Reset()
	wantStatus(t, g.do(k, copyTo("/team-b/copy", "team-a/x/a.txt")), 403, "AccessDenied")
	g.backendSaw(0)
}

func TestAFormBehindAnAliasStaysInside(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/reports/2026/:write@team-a")
	into := func(key string) form {
		return inUploads(key, "success_action_status", "201").given(`["eq","$success_action_status","201"]`).with(func(f *form) { f.bucket = "team-a" })
	}
	r := g.post(k, into("user/${filename}"))
	if r.status != 201 || !strings.Contains(r.body, "<Location>http://gateway.test/team-a/user/photo.jpg</Location><Bucket>team-a</Bucket><Key>user/photo.jpg</Key>") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if got := string(g.backend.Objects("reports")["2026/user/photo.jpg"]); got != "hello" {
		t.Errorf("stored %q", got)
	}
	e := g.events(keystile.EventFilter{})[0]
	if e.Bucket != "reports" || e.Key != "2026/user/photo.jpg" || e.Detail.ClientBucket != "team-a" || e.Detail.ClientKey != "user/photo.jpg" {
		t.Errorf("recorded as %+v", e)
	}
	wantStatus(t, g.post(k, into(strings.Repeat("k", 1019))), 201, "")
	g.backend.Reset()
	for key, code := range map[string]string{"../2025/a": "InvalidArgument", strings.Repeat("k", 1020): "KeyTooLongError"} {
		if r := g.post(k, into(key)); r.status != 400 || r.code != code {
			t.Errorf("%.20q: %d %s", key, r.status, r.body)
		}
	}
	byRealName := into("2026/a").with(func(f *form) { f.bucket = "reports" })
	wantStatus(t, g.post(k, byRealName), 403, "AccessDenied")
	g.backendSaw(0)
}
