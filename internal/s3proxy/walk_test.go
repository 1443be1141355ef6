package s3proxy_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/s3wire"
)

// answered is the gateway's answer to a call that goes right to its handler, and
// what the backend saw of it. It is for tests that make thousands of them.
func (g *gateway) answered(k key, c call) (status int, seen []s3test.Request) {
	g.t.Helper()
	g.backend.Reset()
	signed := http.Header{}
	for name, values := range c.header {
		signed[name] = values
	}
	g.sign(k, c, signed)
	target := c.path
	if c.query != "" {
		target += "?" + c.query
	}
	r := httptest.NewRequest(c.method, target, strings.NewReader(c.body))
	r.Host, r.Header = g.addr, signed
	w := httptest.NewRecorder()
	g.proxy.ServeHTTP(w, r)
	return w.Code, g.backend.Requests()
}

// plainHeaders go on with some requests, and from the others are left out.
var plainHeaders = strings.Fields(`Cache-Control Content-Disposition Content-Encoding Content-Language Content-Type Expires
If-Match If-Modified-Since If-None-Match If-Unmodified-Since Range`)

// ownHeaders are the gateway's: it reads the client's and never passes them on.
var ownHeaders = strings.Fields(`x-amz-expected-bucket-owner x-amz-source-expected-bucket-owner x-amz-decoded-content-length
x-amz-sdk-checksum-algorithm x-amz-trailer`)

// described is the row that a request at the backend is, in full; or why none
// describes it.
func described(seen s3test.Request) (*s3wire.Operation, error) {
	query, err := url.ParseQuery(seen.Query)
	if err != nil {
		return nil, err
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(seen.Path, "/"), "/")
	level := s3wire.Bucket
	switch {
	case key != "":
		level = s3wire.Object
	case bucket == "":
		level = s3wire.Service
	}
	var op *s3wire.Operation
	for _, row := range s3wire.Operations() {
		named := !slices.ContainsFunc(row.By, func(p s3wire.Param) bool {
			return !query.Has(p.Name) || p.Value != "" && p.Value != s3wire.AnyValue && p.Value != query.Get(p.Name)
		})
		copying := row.CopySource == (seen.Header.Get("X-Amz-Copy-Source") != "")
		if row.Method == seen.Method && row.Level == level && named && copying && (op == nil || len(row.By) > len(op.By)) {
			op = &row
		}
	}
	switch {
	case op == nil:
		return nil, fmt.Errorf("no row")
	case !op.Served || op.Callers == 0 || bucket != "uploads":
		return op, fmt.Errorf("%s of %q", op.Name, bucket)
	}
	for name, values := range query {
		if !slices.Contains(queryOf(op), name) || len(values) != 1 {
			return op, fmt.Errorf("%s with the parameter %s", op.Name, name)
		}
	}
	for name := range seen.Header {
		if !mayCarry(op, name) {
			return op, fmt.Errorf("%s with the header %s", op.Name, name)
		}
	}
	return op, nil
}

func queryOf(op *s3wire.Operation) []string {
	names := slices.Clone(op.Query)
	for _, p := range op.By {
		names = append(names, p.Name)
	}
	return names
}

// mayCarry reports whether a request to the backend may have the header.
func mayCarry(op *s3wire.Operation, name string) bool {
	lower := strings.ToLower(name)
	switch {
	case slices.Contains([]string{"authorization", "x-amz-date", "x-amz-content-sha256"}, lower):
		return true
	case lower == "content-length" || lower == "content-md5":
		return op.Method == put || op.Method == post
	case slices.Contains(op.Standard, name), name == "Content-Type" && op.Body == s3wire.XMLBody:
		return true
	case strings.HasPrefix(lower, "x-amz-meta-"):
		return op.Metadata
	}
	return slices.Contains(op.Headers, lower) && !slices.Contains(ownHeaders, lower)
}

// bodyOf is a body that the operation takes.
func bodyOf(op *s3wire.Operation, owner string) string {
	switch op.Name {
	case "PutObject", s3wire.OpUploadPart:
		return "x"
	case s3wire.OpDeleteObjects:
		return deleteTwo
	case s3wire.OpCompleteMultipartUpload:
		return "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>"
	case "PutObjectTagging":
		return tagsBody
	case s3wire.OpPutObjectACL:
		return aclOf(owner)
	case "PutObjectLegalHold":
		return "<LegalHold><Status>ON</Status></LegalHold>"
	case "PutObjectRetention":
		return "<Retention/>"
	case "RestoreObject":
		return "<RestoreRequest><Days>1</Days></RestoreRequest>"
	}
	return ""
}

// least is the smallest call that names the row.
func least(op *s3wire.Operation, owner string) call {
	c := call{method: op.Method, path: [...]string{"/", "/uploads", "/uploads/a.txt"}[op.Level], header: http.Header{}, body: bodyOf(op, owner)}
	query := url.Values{}
	for _, p := range op.By {
		query.Set(p.Name, p.Value)
		if p.Value == s3wire.AnyValue {
			query.Set(p.Name, "7")
		}
	}
	if op.CopySource {
		c.header.Set("X-Amz-Copy-Source", "uploads/a.txt")
	}
	c.query = query.Encode()
	return c
}

func (c call) plus(name, value string) call {
	if c.query != "" {
		c.query += "&"
	}
	c.query += url.QueryEscape(name) + "=" + url.QueryEscape(value)
	return c
}

// valueFor is one that the header may have.
func valueFor(header, owner string) string {
	switch header {
	case "x-amz-copy-source":
		return "uploads/a.txt"
	case "x-amz-acl":
		return "private"
	case "x-amz-bypass-governance-retention":
		return "true"
	case "x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner":
		return owner
	}
	if strings.HasPrefix(header, "x-amz-grant-") {
		return `id="someone"`
	}
	if header == "x-amz-checksum-algorithm" {
		return "CRC32"
	}
	return "1"
}

// served are the rows that a credential may call and a backend is asked for.
func served() []*s3wire.Operation {
	var rows []*s3wire.Operation
	for _, op := range s3wire.Operations() {
		if op.Served && op.Name != s3wire.OpListBuckets && op.Name != "PostObject" {
			rows = append(rows, &op)
		}
	}
	return rows
}

// TestEveryRowIsForwardedAsItIsListed sends each operation with all that it may
// carry, and looks at what the backend gets.
func TestEveryRowIsForwardedAsItIsListed(t *testing.T) {
	g := newGateway(t)
	g.prove(keystile.AllAbilities()...)
	k := g.mint(everything...)
	owner := g.owner(k)
	for _, op := range served() {
		g.backend.PutObject("uploads", "a.txt", []byte("hello"))
		c := least(op, owner)
		for _, name := range op.Query {
			c = c.plus(name, "1")
		}
		want := map[string]bool{"authorization": true, "x-amz-date": true, "x-amz-content-sha256": true}
		if op.Method == put || op.Method == post {
			want["content-length"] = true
		}
		if op.Body == s3wire.XMLBody {
			want["content-md5"], want["content-type"] = true, true
		}
		for _, name := range op.Headers {
			switch {
			case name == "x-amz-write-offset-bytes" || strings.HasPrefix(name, "x-amz-checksum-") && name != "x-amz-checksum-mode" && (name != "x-amz-checksum-algorithm" || op.Body != s3wire.NoBody):
				continue // they say something of the body, and have tests of their own
			case op.Name == s3wire.OpPutObjectACL && name == "x-amz-acl", strings.HasPrefix(name, "x-amz-grant-"):
				continue // they exclude the body, or one another
			case slices.Contains(ownHeaders[2:], name):
				continue
			case !slices.Contains(ownHeaders, name):
				want[name] = true
			}
			c.header.Set(name, valueFor(name, owner))
		}
		for _, name := range plainHeaders {
			if op.Mutates() && op.Name != s3wire.OpPutObject && strings.HasPrefix(name, "If-") {
				continue // they go on only where they are heeded, and have tests of their own
			}
			c.header.Set(name, "1")
			if slices.Contains(op.Standard, name) {
				want[strings.ToLower(name)] = true
			}
		}
		if op.Metadata {
			c.header.Set("X-Amz-Meta-Colour", "red")
			want["x-amz-meta-colour"] = true
		}
		status, seen := g.answered(k, c)
		if op.Name == s3wire.OpPutObjectACL && len(seen) == 2 {
			seen = seen[1:] // the first asks who owns the object
		}
		if len(seen) != 1 {
			t.Errorf("%s gets %d, and the backend saw %d requests", op.Name, status, len(seen))
			continue
		}
		got, err := described(seen[0])
		if err != nil || got.Name != op.Name || seen[0].Path != c.path {
			t.Errorf("%s arrives as %s %s?%s: %v", op.Name, seen[0].Method, seen[0].Path, seen[0].Query, err)
		}
		asked, _ := url.ParseQuery(c.query)
		arrived, _ := url.ParseQuery(seen[0].Query)
		if !maps.EqualFunc(asked, arrived, slices.Equal[[]string]) {
			t.Errorf("%s: the query %s arrives as %s", op.Name, c.query, seen[0].Query)
		}
		for name := range seen[0].Header {
			if !want[strings.ToLower(name)] {
				t.Errorf("%s arrives with %s", op.Name, name)
			}
			delete(want, strings.ToLower(name))
		}
		if len(want) > 0 {
			t.Errorf("%s arrives without %v", op.Name, slices.Collect(maps.Keys(want)))
		}
	}
}

// words are the names that made-up requests are made of: those of the table, of
// other operations of S3, and of what vendors add to it.
func words() (queries, headers []string) {
	for _, op := range s3wire.Operations() {
		queries = append(queries, queryOf(&op)...)
		headers = append(headers, op.Headers...)
	}
	queries = append(queries, strings.Fields(`append appendPart asyncFetch attr bucketInfo callback collection comp compose cors-rule
		delete-marker encryption-context events extended force force-delete format fsync fetch-owner generation get-acl ignore-errors
		index journal key lambdaArn lock log maxMB metadata migrate move mdsearch notify objectMeta op partition position project ptm
		purge purge-objects quota redirect rename replication restype retention-days rgwx-copy-if-newer rgwx-prepend-metadata
		rgwx-stat rgwx-uid rgwx-versioned-epoch stats style symlink sync tier ttl udf uid usage user vip worm x-bos-process x-cos-acl
		x-oss-process x-oss-traffic-limit x-obs-meta x-goog-acl zone Action Version`)...)
	headers = append(headers, strings.Fields(`x-amz-bucket-object-lock-enabled x-amz-bucket-replication-status x-amz-create-session-mode
		x-amz-delete-marker x-amz-meta-colour x-amz-mfa x-amz-minio-extract x-amz-object-annotation-directive x-amz-object-ownership
		x-amz-rename-source x-amz-replication-status x-amz-restore x-amz-skip-destination-validation x-amz-snowball-extract
		x-amz-version-id x-amz-website x-amz-confirm-remove-self-bucket-access x-amz-transition-default-minimum-object-size
		x-minio-extract x-minio-source-mtime x-minio-force-delete x-rgw-quota x-rgw-replicaof x-seaweedfs-ttl seaweed-ttl x-oss-acl
		x-oss-copy-source x-oss-forbid-overwrite x-cos-copy-source x-goog-copy-source x-obs-acl x-http-method-override x-original-url
		x-forwarded-host x-rewrite-url forwarded cookie te via`)...)
	slices.Sort(queries)
	slices.Sort(headers)
	return slices.Compact(queries), slices.Compact(headers)
}

// TestNoRowTakesMoreThanItLists adds one thing to each operation.
func TestNoRowTakesMoreThanItLists(t *testing.T) {
	g := newGateway(t)
	k := g.mint(everything...)
	owner := g.owner(k)
	queries, headers := words()
	tried, refused := 0, 0
	for _, op := range served() {
		g.backend.PutObject("uploads", "a.txt", []byte("hello"))
		c := least(op, owner)
		for _, name := range queries {
			if slices.Contains(queryOf(op), name) {
				continue
			}
			tried++
			status, seen := g.answered(k, c.plus(name, "1"))
			if len(seen) == 0 && status >= 400 {
				refused++
			}
			for _, s := range seen {
				// It may be another operation, and must then be that in full.
				arrived, _ := url.ParseQuery(s.Query)
				if got, err := described(s); err != nil || got.Name == op.Name || !arrived.Has(name) {
					t.Errorf("%s with %s arrives as %s %s?%s: %v", op.Name, name, s.Method, s.Path, s.Query, err)
				}
			}
		}
		for _, name := range headers {
			if slices.Contains(op.Headers, name) || op.Metadata && strings.HasPrefix(name, "x-amz-meta-") || !strings.HasPrefix(name, "x-amz-") {
				continue
			}
			tried++
			more := c
			more.header = c.header.Clone()
			more.header.Set(name, valueFor(name, owner))
			if status, seen := g.answered(k, more); name == "x-amz-copy-source" && op.Method == put {
				continue // it is a copy then, which the walk above has seen
			} else if len(seen) != 0 || status < 400 {
				t.Errorf("%s with %s gets %d, and the backend saw %d requests", op.Name, name, status, len(seen))
			} else {
				refused++
			}
		}
	}
	t.Logf("%d of %d requests with one thing too many were refused, the others are operations of their own", refused, tried)
	if refused < 4000 || tried-refused > 60 {
		t.Error("the walk shows little")
	}
}

// TestMadeUpRequestsStayInTheTable throws everything together.
func TestMadeUpRequestsStayInTheTable(t *testing.T) {
	g := newGateway(t)
	k := g.mint(everything...)
	owner := g.owner(k)
	queries, headers := words()
	rows := served()
	random := rand.New(rand.NewPCG(7, 11))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	methods := []string{get, get, head, put, put, post, del, "PATCH", "OPTIONS", "PROPFIND", "COPY"}
	paths := []string{
		"/", "/uploads", "/uploads/a.txt", "/uploads/a.txt", "/uploads/a/b%20c", "/uploads/", "/payroll", "/payroll/a.txt", "/uploads//a.txt",
		"/uploads/../payroll/a.txt", "/uploads%2F..%2Fpayroll", "/admin/user", "/minio/admin/v3/info", "/UPLOADS/a.txt",
	}
	values := []string{"", "1", "2", "x", "null", "*", "..", "true", "payroll/a.txt", "uploads/a.txt", "private", "public-read", "id=x", "a=b", "\x00", "ü"}
	rounds := 12_000
	if testing.Short() {
		rounds = 3_000
	}
	forwarded := 0
	for range rounds {
		op := rows[random.IntN(len(rows))]
		c := least(op, owner)
		if random.IntN(3) == 0 {
			c.method, c.path = pick(methods), pick(paths)
		}
		for range random.IntN(3) {
			from := queries
			if random.IntN(2) == 0 && len(op.Query) > 0 {
				from = op.Query
			}
			c = c.plus(pick(from), pick(values))
		}
		for range random.IntN(3) {
			from := headers
			if random.IntN(2) == 0 && len(op.Headers) > 0 {
				from = op.Headers
			}
			if name, value := pick(from), pick(values); value != "\x00" {
				c.header.Set(name, value)
			}
		}
		status, seen := g.answered(k, c)
		for _, s := range seen {
			forwarded++
			if _, err := described(s); err != nil {
				t.Fatalf("%s %s?%s %v (%d) arrives as %s %s?%s: %v", c.method, c.path, c.query, c.header, status, s.Method, s.Path, s.Query, err)
			}
		}
	}
	t.Logf("of %d made-up requests the backend saw %d, each of which a row describes", rounds, forwarded)
	if forwarded < rounds/20 || forwarded > rounds*9/10 {
		t.Error("the walk shows little")
	}
}
