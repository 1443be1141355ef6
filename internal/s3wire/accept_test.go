package s3wire_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

// kept are those that the gateway reads and never passes on.
var kept = strings.Fields(`x-amz-acl x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp x-amz-grant-write
x-amz-grant-write-acp x-amz-copy-source x-amz-expected-bucket-owner x-amz-source-expected-bucket-owner
x-amz-decoded-content-length x-amz-sdk-checksum-algorithm x-amz-trailer x-amz-content-sha256 x-amz-date
x-amz-security-token x-amz-user-agent`)

// checkAccepted holds whatever Parse accepts against its row.
func checkAccepted(t testing.TB, what string, req s3wire.Request) {
	t.Helper()
	op := req.Op
	level := s3wire.Service
	switch {
	case req.Key != "":
		level = s3wire.Object
	case req.Bucket != "":
		level = s3wire.Bucket
	}
	if level != op.Level {
		t.Fatalf("%s: %s at the level %s", what, op.Name, level)
	}
	if req.Bucket != "" && keystile.CheckBucketName(req.Bucket) != nil || req.Key != "" && keystile.CheckKey(req.Key) != nil {
		t.Fatalf("%s: bucket %q, key %q", what, req.Bucket, req.Key)
	}
	for name, values := range req.Query {
		if !slices.Contains(parameters(op), name) || len(values) != 1 {
			t.Fatalf("%s: %s goes on with %s=%q", what, op.Name, name, values)
		}
	}
	for _, p := range op.By {
		value := req.Query.Get(p.Name)
		if !req.Query.Has(p.Name) || (p.Value == s3wire.AnyValue) != (value != "" && value != p.Value) && p.Value != value {
			t.Fatalf("%s: %s goes on with %s=%q", what, op.Name, p.Name, value)
		}
	}
	for name := range req.Header {
		lower := strings.ToLower(name)
		mine := slices.Contains(op.Headers, lower) || op.Metadata && strings.HasPrefix(lower, "x-amz-meta-")
		if !slices.Contains(op.Standard, name) && (!mine || slices.Contains(kept, lower)) {
			t.Fatalf("%s: %s goes on with the header %s", what, op.Name, name)
		}
	}
	if (req.Source != nil) != op.CopySource {
		t.Fatalf("%s: %s has the source %+v", what, op.Name, req.Source)
	}
	if s := req.Source; s != nil && (keystile.CheckBucketName(s.Bucket) != nil || keystile.CheckKey(s.Key) != nil) {
		t.Fatalf("%s: source %+v", what, s)
	}
}

func parameters(op *s3wire.Operation) []string {
	all := slices.Clone(op.Query)
	for _, p := range op.By {
		all = append(all, p.Name)
	}
	return all
}

// request is one that is made up for a row.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
}

func (r request) String() string {
	return fmt.Sprintf("%s %s?%s %v", r.method, r.path, r.query.Encode(), r.header)
}

func (r request) parse(t *testing.T) (s3wire.Request, error) {
	t.Helper()
	var headers []string
	for name, values := range r.header {
		for _, v := range values {
			headers = append(headers, name+": "+v)
		}
	}
	return s3wire.Parse(read(t, r.method+" "+r.path+"?"+r.query.Encode(), headers...))
}

// smallest is the least request that names the row.
func smallest(op *s3wire.Operation) request {
	r := request{
		op.Method, [...]string{"/", "/photos", "/photos/a"}[op.Level], url.Values{}, http.Header{},
	}
	for _, p := range op.By {
		switch {
		case p.Value == s3wire.AnyValue:
			r.query.Set(p.Name, "7")
		default:
			r.query.Set(p.Name, p.Value)
		}
	}
	if op.CopySource {
		r.header.Set("X-Amz-Copy-Source", "photos/b")
	}
	return r
}

func valueOf(header string) string {
	switch header {
	case "x-amz-acl":
		return "private"
	case "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp":
		return `id="v"`
	case "x-amz-copy-source":
		return "photos/b"
	case "x-amz-bypass-governance-retention":
		return "true"
	}
	return "v"
}

func TestEveryRowAcceptsWhatItLists(t *testing.T) {
	for _, op := range s3wire.Operations() {
		r := smallest(&op)
		for _, name := range op.Query {
			r.query.Set(name, "v")
		}
		for _, name := range op.Headers {
			if !strings.HasPrefix(name, "x-amz-grant-") { // they exclude x-amz-acl
				r.header.Set(name, valueOf(name))
			}
		}
		if op.Metadata {
			r.header.Set("x-amz-meta-anything", "v")
		}
		req, err := r.parse(t)
		if err != nil || req.Op.Name != op.Name {
			t.Errorf("%s is not accepted in full: %v", op.Name, err)
			continue
		}
		checkAccepted(t, op.Name, req)
	}
}

// TestNothingIsAcceptedThatTheRowDoesNotList walks every row with every name
// that any row has, with their look-alikes and with what vendors know.
func TestNothingIsAcceptedThatTheRowDoesNotList(t *testing.T) {
	queries, headers := allNames()
	for _, op := range s3wire.Operations() {
		for _, name := range queries {
			r := smallest(&op)
			if r.query.Has(name) {
				continue
			}
			r.query.Set(name, "1")
			req, err := r.parse(t)
			if err != nil {
				continue
			}
			checkAccepted(t, r.String(), req)
			if !req.Query.Has(name) {
				t.Errorf("%v: the parameter %s vanishes", r, name)
			}
			if req.Op.Name == op.Name != slices.Contains(op.Query, name) {
				t.Errorf("%v is taken for %s", r, req.Op.Name)
			}
		}
		for _, name := range headers {
			r := smallest(&op)
			r.header.Set(name, valueOf(name))
			req, err := r.parse(t)
			listed := slices.Contains(op.Headers, name) || op.Metadata && strings.HasPrefix(name, "x-amz-meta-a")
			switch {
			case err == nil:
				checkAccepted(t, r.String(), req)
				if req.Op.Name == op.Name && !listed {
					t.Errorf("%v is accepted", r)
				}
			case listed:
				t.Errorf("%v: %v", r, err)
			}
		}
	}
}

func allNames() (queries, headers []string) {
	for _, op := range s3wire.Operations() {
		for _, p := range parameters(&op) {
			queries = append(queries, p, strings.ToUpper(p), strings.ToLower(p), p+" ", " "+p, p+"[]", p+"%00")
		}
		for _, h := range op.Headers {
			headers = append(headers, h, h+"-x", h+"s")
		}
	}
	queries = append(queries, strings.Fields(`append appendPart attr bucketInfo callback comp compose cors-rule delete-marker directory
		events fetch-owner extended force-delete format generation get-acl ignore-errors index journal key lambdaArn log metadata
		migrate move mdsearch notify op position project ptm purge quota redirect rename restype retention-days rgwx-uid rgwx-stat
		rgwx-prepend-metadata rgwx-versioned-epoch rgwx-copy-if-newer stats symlink sync uid user usage vip x-cos-acl x-oss-process
		x-obs-meta x-goog-acl x-minio-extract worm zone Action Version`)...)
	headers = append(headers, strings.Fields(`x-amz-grant-read x-amz-grant-write x-amz-grant-read-acp x-amz-grant-write-acp
		x-amz-grant-full-control x-amz-mfa x-amz-object-ownership x-amz-bucket-object-lock-enabled x-amz-replication-status
		x-amz-bucket-replication-status x-amz-delete-marker x-amz-meta- x-amz-meta-a x-amz-website x-amz-confirm-remove-self-bucket-access
		x-amz-skip-destination-validation x-amz-expires x-amz-signature x-amz-algorithm x-amz-rename-source x-amz-restore
		x-amz-create-session-mode x-amz-transition-default-minimum-object-size x-amz-object-annotation-directive x-amz-`)...)
	slices.Sort(queries)
	slices.Sort(headers)
	return slices.Compact(queries), slices.Compact(headers)
}

// TestCombinationsStayInTheTable throws many names together.
func TestCombinationsStayInTheTable(t *testing.T) {
	queries, headers := allNames()
	ops := s3wire.Operations()
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 20_000 {
		op := &ops[random.IntN(len(ops))]
		r := smallest(op)
		known := parameters(&ops[random.IntN(len(ops))])
		for range random.IntN(4) {
			r.query.Set(queries[random.IntN(len(queries))], "1")
		}
		for range random.IntN(3) {
			if len(known) > 0 {
				r.query.Set(known[random.IntN(len(known))], []string{"", "1", "2"}[random.IntN(3)])
			}
			if len(op.Headers) > 0 {
				name := op.Headers[random.IntN(len(op.Headers))]
				r.header.Set(name, valueOf(name))
			}
		}
		if random.IntN(4) == 0 {
			name := headers[random.IntN(len(headers))]
			r.header.Set(name, valueOf(name))
		}
		req, err := r.parse(t)
		if err != nil {
			continue
		}
		accepted++
		checkAccepted(t, r.String(), req)
		for name := range r.query {
			if !req.Query.Has(name) {
				t.Fatalf("%v: the parameter %s vanishes", r, name)
			}
		}
	}
	if accepted < 500 {
		t.Errorf("only %d of the combinations were accepted: the walk shows little", accepted)
	}
}
