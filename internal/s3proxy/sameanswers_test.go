package s3proxy_test

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/s3wire"
)

// A client cannot tell a prefix that an alias shows as a bucket from a bucket:
// the same calls get the same answers, byte by byte but for what differs between
// any two runs.

// step is one call of the comparison, and the operation it stands for.
// {upload}, {token}, {marker}, {owner} and {etag} stand for what earlier answers gave.
type step struct {
	op   string
	call call
}

// odd is a key that every layer has something to escape in.
const odd = `dir/é b+c%25"d'&<e>.txt`

func escaped(key string) string {
	return strings.ReplaceAll(url.PathEscape(key), "+", "%2B")
}

func list(query string) call { return call{method: get, path: "/team-a", query: query} }

func object(method, key string) call { return call{method: method, path: "/team-a/" + escaped(key)} }

func (c call) with(query, body string, pairs ...string) call {
	c.query, c.body = query, body
	if len(pairs) > 0 {
		c.header = header(pairs...)
	}
	return c
}

const (
	deleteSome = `<Delete><Object><Key>dir/b.txt</Key></Object><Object><Key>no&lt;such</Key></Object></Delete>`
	oneTag     = `<Tagging><TagSet><Tag><Key>colour</Key><Value>red</Value></Tag></TagSet></Tagging>`
	onePart    = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>`
)

// script calls every operation that is served, in an order in which each has
// something to answer.
func script() []step {
	all := "list-type=2&prefix="
	steps := []step{
		{"ListBuckets", call{method: get, path: "/"}},
		{"HeadBucket", call{method: head, path: "/team-a"}},
		{"GetBucketLocation", list("location=")},
		{"ListObjects", list("")},
		{"ListObjectsV2", list("list-type=2")},
	}
	for _, key := range []string{"a.txt", "dir/b.txt", "dir/sub/c.txt", odd, "z.txt"} {
		steps = append(steps, step{"PutObject", object(put, key).with("", "body of "+key, "X-Amz-Meta-Colour", "red", "X-Amz-Tagging", "a=b")})
	}
	for _, key := range []string{"a.txt", odd, "nosuch", "shared/team-a/a.txt", "team-a/a.txt"} {
		steps = append(steps,
			step{"GetObject", object(get, key)}, step{"HeadObject", object(head, key)},
			step{"GetObjectTagging", object(get, key).with("tagging=", "")},
			step{"GetObjectAttributes", object(get, key).with("attributes=", "", "X-Amz-Object-Attributes", "ETag,ObjectSize")},
		)
	}
	steps = append(steps,
		step{"GetObject", object(get, "a.txt").with("", "", "Range", "bytes=1-3")},
		step{"PutObjectTagging", object(put, "a.txt").with("tagging=", oneTag, "Content-Md5", md5Of(oneTag))},
		step{"GetObjectTagging", object(get, "a.txt").with("tagging=", "")},
		step{"DeleteObjectTagging", object(del, "a.txt").with("tagging=", "")},
		step{"GetObjectAcl", object(get, odd).with("acl=", "")},
		step{"PutObjectAcl", object(put, odd).with("acl=", aclOf("{owner}"))},
		step{"PutObjectAcl", object(put, "nosuch").with("acl=", aclOf("{owner}"))},
		step{"GetObjectAcl", object(get, odd).with("acl=", "")},
		step{"PutObjectLegalHold", object(put, odd).with("legal-hold=", "<LegalHold><Status>ON</Status></LegalHold>")},
		step{"GetObjectLegalHold", object(get, odd).with("legal-hold=", "")},
		step{"PutObjectRetention", object(put, odd).with("retention=", "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2031-01-01T00:00:00Z</RetainUntilDate></Retention>")},
		step{"GetObjectRetention", object(get, odd).with("retention=", "")},
		step{"RestoreObject", object(post, odd).with("restore=", "<RestoreRequest><Days>1</Days></RestoreRequest>")},
		step{"CopyObject", object(put, "copy.txt").with("", "", "X-Amz-Copy-Source", "/team-a/"+escaped(odd))},
		step{"CopyObject", object(put, "copy2.txt").with("", "", "X-Amz-Copy-Source", "team-a/nosuch")},
		step{"GetObject", object(get, "copy.txt")},
	)
	for _, query := range []string{
		"", "encoding-type=url", "prefix=dir%2F", "delimiter=%2F", "delimiter=%2F&encoding-type=url&prefix=dir%2F", "marker=a.txt",
		"max-keys=1", "max-keys=0", "delimiter=%2F&max-keys=2", "delimiter=%2F&marker={marker}", "prefix=nosuch", "delimiter=%2F&prefix=dir",
		"prefix=shared%2F", "encoding-type=url&marker=dir%2F%C3%A9",
	} {
		steps = append(steps, step{"ListObjects", list(query)})
	}
	for _, query := range []string{
		"", "dir%2F", "dir&delimiter=%2F", "&delimiter=%2F&encoding-type=url", "&encoding-type=url", "&start-after=dir%2Fb.txt", "&fetch-owner=true",
		"&max-keys=1", "&continuation-token={token}", "&continuation-token={token}&max-keys=1", "dir%2F&max-keys=1",
		"dir%2F&continuation-token={token}", "&start-after=a&max-keys=1", "&start-after=a&continuation-token={token}", "&max-keys=0", "nosuch",
	} {
		name, value, _ := strings.Cut(query, "&")
		steps = append(steps, step{"ListObjectsV2", list(sortQuery(all + name + "&" + value))})
	}
	for _, query := range []string{
		"versions=", "delimiter=%2F&versions=", "prefix=dir%2F&versions=", "key-marker=dir%2Fb.txt&versions=", "max-keys=1&versions=",
		"encoding-type=url&versions=", "delimiter=%2F&encoding-type=url&prefix=dir%2F&versions=",
	} {
		steps = append(steps, step{"ListObjectVersions", list(query)})
	}
	steps = append(steps,
		step{"CreateMultipartUpload", object(post, odd).with("uploads=", "")},
		step{"ListMultipartUploads", list("uploads=")},
		step{"ListMultipartUploads", list("encoding-type=url&uploads=")},
		step{"ListMultipartUploads", list("delimiter=%2F&uploads=")},
		step{"ListMultipartUploads", list("prefix=dir%2F&uploads=")},
		step{"ListMultipartUploads", list("key-marker=dir%2F&max-uploads=1&uploads=")},
		step{"UploadPart", object(put, odd).with("partNumber=1&uploadId={upload}", "a part")},
		step{"UploadPartCopy", object(put, odd).with("partNumber=1&uploadId={upload}", "", "X-Amz-Copy-Source", "team-a/a.txt")},
		step{"ListParts", object(get, odd).with("uploadId={upload}", "")},
		step{"ListParts", object(get, "a.txt").with("uploadId={upload}", "")},
		step{"CompleteMultipartUpload", object(post, odd).with("uploadId={upload}", onePart)},
		step{"GetObject", object(get, odd)},
		step{"CreateMultipartUpload", object(post, "big").with("uploads=", "")},
		step{"AbortMultipartUpload", object(del, "big").with("uploadId={upload}", "")},
		step{"AbortMultipartUpload", object(del, "big").with("uploadId={upload}", "")},
		step{"DeleteObjects", list("delete=").post(deleteSome)},
		step{"DeleteObjects", list("delete=").post(strings.Replace(deleteSome, "<Delete>", "<Delete><Quiet>true</Quiet>", 1))},
		step{"DeleteObjects", list("delete=").post("<Delete></Delete>")},
		step{"DeleteObject", object(del, "a.txt")},
		step{"ListObjectsV2", list("list-type=2")},
	)
	return steps
}

func (c call) post(body string) call {
	c.method, c.body, c.header = post, body, header("Content-Md5", md5Of(body))
	return c
}

// sortQuery writes a query as it is signed here.
func sortQuery(query string) string {
	var parts []string
	for part := range strings.SplitSeq(query, "&") {
		if part != "" {
			parts = append(parts, part)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// player plays the script through one credential.
type player struct {
	g      *gateway
	k      key
	values map[string]string
	// noPartCopy leaves the copies of parts out: behind a prefix with a percent
	// sign they are refused.
	noPartCopy bool
}

var learnt = map[string]*regexp.Regexp{
	"upload": regexp.MustCompile(`<UploadId>([^<]+)</UploadId>`),
	"token":  regexp.MustCompile(`<NextContinuationToken>([^<]+)</NextContinuationToken>`),
	"marker": regexp.MustCompile(`<NextMarker>([^<]+)</NextMarker>`),
	"owner":  regexp.MustCompile(`<Owner><ID>([0-9a-f]{64})</ID>`),
	"etag":   regexp.MustCompile(`<CopyPartResult.*<ETag>([^<]+)</ETag>`),
}

func (p *player) play(s step) result {
	p.g.t.Helper()
	c := s.call
	for name, value := range p.values {
		c.query = strings.ReplaceAll(c.query, "{"+name+"}", escaped(value))
		c.body = strings.ReplaceAll(c.body, "{"+name+"}", value)
	}
	r := p.g.do(p.k, c)
	for name, pattern := range learnt {
		if m := pattern.FindStringSubmatch(r.body); m != nil {
			p.values[name] = strings.ReplaceAll(m[1], "&#34;", `"`)
		}
	}
	return r
}

// differing is what differs between any two runs.
var differing = []*regexp.Regexp{
	regexp.MustCompile(`<(RequestId|HostId|LastModified|Initiated|CreationDate|NextContinuationToken|ContinuationToken|UploadId|UploadIdMarker|NextUploadIdMarker|VersionId|NextVersionIdMarker)>[^<]*</`),
	regexp.MustCompile(`<(ID|DisplayName)>[^<]*</`), // the owner: the access key
}

// plain is an answer without what differs, and without what matches besides.
func (r result) plain(besides ...*regexp.Regexp) string {
	body := r.body
	for _, pattern := range besides {
		body = pattern.ReplaceAllString(body, "")
	}
	for _, pattern := range differing {
		body = pattern.ReplaceAllString(body, "<$1>*</")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", r.status)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		switch name {
		case "Date", "X-Amz-Request-Id", "X-Amz-Id-2", "Last-Modified", "X-Amz-Version-Id":
		case "Content-Length":
			if body == r.body && len(besides) == 0 { // else its length is that of what differs
				fmt.Fprintf(&b, "%s: %s\n", name, r.header.Get(name))
			}
		default:
			fmt.Fprintf(&b, "%s: %s\n", name, r.header.Get(name))
		}
	}
	return b.String() + body
}

// compare plays the script to both, but for the answers' parts that match besides.
func compare(t *testing.T, bucket, alias *player, besides ...*regexp.Regexp) {
	t.Helper()
	played := map[string]int{}
	for i, s := range script() {
		if alias.noPartCopy && (s.op == s3wire.OpUploadPartCopy || strings.Contains(s.call.body, "{etag}")) {
			played[s.op]++
			continue
		}
		want, got := bucket.play(s).plain(besides...), alias.play(s).plain(besides...)
		if got != want {
			t.Errorf("%d: %s %s %s?%s\nthe alias answers\n%s\na bucket answers\n%s", i, s.op, s.call.method, s.call.path, s.call.query, got, want)
		}
		played[s.op]++
	}
	for _, op := range s3wire.Operations() {
		if op.Served && played[op.Name] == 0 && op.Name != s3wire.OpPostObject {
			t.Errorf("%s is served, but not compared", op.Name)
		}
		delete(played, op.Name)
	}
	for name := range played {
		t.Errorf("%s is no operation", name)
	}
	wanted := len(learnt)
	if alias.noPartCopy {
		wanted--
	}
	if len(bucket.values) != wanted || len(alias.values) != wanted {
		t.Errorf("the script learnt %d and %d values of %d: it went wrong", len(bucket.values), len(alias.values), wanted)
	}
}

// neighbours are keys beside a hidden prefix, and the one that marks it.
func neighbours(prefix string) []string {
	name := strings.TrimSuffix(prefix, "/")
	keys := []string{prefix, "a.txt", "dir/b.txt", "shared/" + prefix + "a.txt", strings.ToUpper(name) + "/a.txt", name[:len(name)-1]}
	if name != prefix {
		keys = append(keys, name)
	}
	keys = append(keys, name+"0", name+"2/a.txt", name+".txt", name+"!/a.txt")
	return slices.DeleteFunc(keys, func(key string) bool { return key != prefix && strings.HasPrefix(key, prefix) })
}

func TestAPrefixAnswersAsABucket(t *testing.T) {
	for _, prefix := range []string{"team-a/", "teams/a/b/", "t\u00e9 am+a%2F&'<a>/", "team-a", "100%", "+ +/"} {
		t.Run(prefix, func(t *testing.T) {
			t.Parallel()
			plain := newGateway(t)
			plain.backend.CreateBucket("team-a")
			bucket := &player{g: plain, k: plain.mint("prod/team-a:read,list,write,delete,acl"), values: map[string]string{}}

			hiding := newGateway(t)
			hiding.backend.CreateBucket("shared")
			for _, key := range neighbours(prefix) {
				hiding.backend.PutObject("shared", key, []byte("not yours"))
			}
			k := hiding.mint("prod/shared/x:read,list,write,delete,acl@team-a")
			hiding.change(k, func(c *keystile.Credential) { c.Grants[0].Prefix = prefix })
			alias := &player{g: hiding, k: k, values: map[string]string{}, noPartCopy: strings.Contains(prefix, "%")}
			compare(t, bucket, alias)
			stayInside(t, hiding.backend, prefix, plain.backend.Objects("team-a"))
		})
	}
}

// stayInside fails unless the backend holds the wanted objects under the prefix,
// nothing else was touched, and nothing else was asked for.
func stayInside(t *testing.T, backend *s3test.Server, prefix string, want map[string][]byte) {
	t.Helper()
	kept := backend.Objects("shared")
	for _, key := range neighbours(prefix) {
		if string(kept[key]) != "not yours" {
			t.Errorf("the neighbour %q is %q", key, kept[key])
		}
		delete(kept, key)
	}
	for key, data := range kept {
		shown, inside := strings.CutPrefix(key, prefix)
		if other, wanted := want[shown]; !inside || !wanted || string(other) != string(data) {
			t.Errorf("the backend has %q", key)
		}
	}
	if len(want) != len(kept) || len(want) == 0 {
		t.Errorf("%d objects through the alias, %d in the bucket", len(kept), len(want))
	}
	for _, r := range backend.Requests() {
		key, err := url.PathUnescape(strings.TrimPrefix(r.Path, "/shared/"))
		query, errQuery := url.ParseQuery(r.Query)
		inside := err == nil && errQuery == nil && strings.HasPrefix(key, prefix)
		switch {
		case r.Path != "/shared":
		case r.Method == get && !query.Has("location"):
			inside = strings.HasPrefix(query.Get("prefix"), prefix)
		default:
			inside = true // the bucket's existence and place, or keys in a body
		}
		if !inside {
			t.Errorf("the backend saw %s %s?%s", r.Method, r.Path, r.Query)
		}
	}
}
