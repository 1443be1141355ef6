package s3test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

func client(s *Server) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL), UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "thing"}, nil
		}),
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func read(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer func() { _ = r.Close() }()
	body, err := io.ReadAll(r)
	must(t, err)
	return string(body)
}

func TestObjects(t *testing.T) {
	s := New(t)
	c, ctx, b := client(s), t.Context(), aws.String("docs")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b})
	must(t, err)
	_, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b})
	wantCode(t, err, "BucketAlreadyOwnedByYou")
	key := aws.String("a/../b//c ü+&")
	put, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: key, Body: strings.NewReader("hello world"), Metadata: map[string]string{"who": "me"}, Tagging: aws.String("k=v"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	must(t, err)
	if *put.ETag != `"5eb63bbbe01eeed093cb22bb8f5acdc3"` {
		t.Errorf("ETag %s", *put.ETag)
	}
	if got := s.Objects("docs"); len(got) != 1 || string(got[*key]) != "hello world" {
		t.Errorf("stored %q: keys must stay as they are", got)
	}
	head, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: key})
	must(t, err)
	if *head.ContentLength != 11 || head.Metadata["who"] != "me" {
		t.Errorf("head %d %v", *head.ContentLength, head.Metadata)
	}
	get, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key, ChecksumMode: types.ChecksumModeEnabled})
	must(t, err)
	if got := read(t, get.Body); got != "hello world" || get.ChecksumCRC32 == nil {
		t.Errorf("got %q, checksum %v", got, get.ChecksumCRC32)
	}
	for spec, want := range map[string]string{"bytes=0-4": "hello", "bytes=6-": "world", "bytes=-1": "d", "bytes=9-99": "ld"} {
		get, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key, Range: &spec})
		must(t, err)
		if got := read(t, get.Body); got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
	}
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key, Range: aws.String("bytes=11-")})
	wantCode(t, err, "InvalidRange")
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key, IfMatch: aws.String(`"other"`)})
	wantCode(t, err, "PreconditionFailed")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: key, IfNoneMatch: aws.String("*")})
	wantCode(t, err, "PreconditionFailed")
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: aws.String("absent")})
	wantCode(t, err, "NoSuchKey")
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("nowhere"), Key: key})
	wantCode(t, err, "NoSuchBucket")
	_, err = c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b})
	wantCode(t, err, "NotImplemented")

	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: aws.String("copy"), CopySource: aws.String("docs/a/../b//c%20%C3%BC%2B%26")})
	must(t, err)
	tags, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: b, Key: aws.String("copy")})
	must(t, err)
	if len(tags.TagSet) != 1 || *tags.TagSet[0].Value != "v" {
		t.Errorf("tags of the copy: %v", tags.TagSet)
	}
	_, err = c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: b, Key: key, Tagging: &types.Tagging{TagSet: []types.Tag{}}})
	must(t, err)
	_, err = c.DeleteObjectTagging(ctx, &s3.DeleteObjectTaggingInput{Bucket: b, Key: aws.String("copy")})
	must(t, err)
	attrs, err := c.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: b, Key: key, ObjectAttributes: []types.ObjectAttributes{"ETag"}})
	must(t, err)
	if *attrs.ObjectSize != 11 {
		t.Errorf("size %d", *attrs.ObjectSize)
	}
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantCode(t, err, "BucketNotEmpty")
	del, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}, {Key: aws.String("copy")}}}})
	must(t, err)
	if len(del.Deleted) != 2 || len(s.Objects("docs")) != 0 {
		t.Errorf("deleted %v, left %v", del.Deleted, s.Objects("docs"))
	}
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	must(t, err)
	if got := s.Buckets(); len(got) != 0 || s.Objects("docs") != nil {
		t.Errorf("buckets %v", got)
	}
}

func TestListings(t *testing.T) {
	s := New(t)
	want := []string{"a b", "d/1", "d/2", "e", "f/1", "g"}
	for _, key := range want {
		s.PutObject("list", key, []byte(key))
	}
	c, ctx, b := client(s), t.Context(), aws.String("list")
	var got, prefixes []string
	for token := (*string)(nil); ; {
		out, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int32(1), Delimiter: aws.String("/"), ContinuationToken: token})
		must(t, err)
		if *out.KeyCount != 1 {
			t.Errorf("%d entries on a page of one", *out.KeyCount)
		}
		for _, o := range out.Contents {
			got = append(got, *o.Key)
		}
		for _, p := range out.CommonPrefixes {
			prefixes = append(prefixes, *p.Prefix)
		}
		if token = out.NextContinuationToken; token == nil {
			break
		}
	}
	if !slices.Equal(got, []string{"a b", "e", "g"}) || !slices.Equal(prefixes, []string{"d/", "f/"}) {
		t.Errorf("second version, with delimiter: %q and %q", got, prefixes)
	}
	got = nil
	for marker := (*string)(nil); ; {
		out, err := c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: b, MaxKeys: aws.Int32(4), Marker: marker})
		must(t, err)
		for _, o := range out.Contents {
			got = append(got, *o.Key)
		}
		if marker = out.NextMarker; marker == nil {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("first version: %q", got)
	}
	encoded, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, EncodingType: types.EncodingTypeUrl, StartAfter: aws.String("a"), Prefix: aws.String("a")})
	must(t, err)
	if len(encoded.Contents) != 1 || *encoded.Contents[0].Key != "a+b" {
		t.Errorf("encoded: %+v", encoded.Contents)
	}
	versions, err := c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b, Prefix: aws.String("d/")})
	must(t, err)
	if len(versions.Versions) != 2 || *versions.Versions[0].VersionId != "null" || !*versions.Versions[0].IsLatest {
		t.Errorf("versions: %+v", versions.Versions)
	}
	_, err = c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, ContinuationToken: aws.String("?")})
	wantCode(t, err, "InvalidArgument")
	buckets, err := c.ListBuckets(ctx, &s3.ListBucketsInput{})
	must(t, err)
	location, err := c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: b})
	must(t, err)
	if len(buckets.Buckets) != 1 || location.LocationConstraint != "" {
		t.Errorf("buckets %v, location %q", buckets.Buckets, location.LocationConstraint)
	}
}

func TestMultipart(t *testing.T) {
	s := New(t)
	s.PutObject("mp", "source", []byte("0123456789"))
	c, ctx, b, key := client(s), t.Context(), aws.String("mp"), aws.String("big one")
	mp, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: key, ContentType: aws.String("text/plain")})
	must(t, err)
	first, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: b, Key: key, UploadId: mp.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("abc")})
	must(t, err)
	second, err := c.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: b, Key: key, UploadId: mp.UploadId, PartNumber: aws.Int32(2), CopySource: aws.String("mp/source"), CopySourceRange: aws.String("bytes=2-3")})
	must(t, err)
	parts, err := c.ListParts(ctx, &s3.ListPartsInput{Bucket: b, Key: key, UploadId: mp.UploadId})
	must(t, err)
	uploads, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: b})
	must(t, err)
	if len(parts.Parts) != 2 || len(uploads.Uploads) != 1 || *uploads.Uploads[0].Key != *key {
		t.Errorf("parts %v, uploads %v", parts.Parts, uploads.Uploads)
	}
	complete := func(etag *string) (*s3.CompleteMultipartUploadOutput, error) {
		return c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: b, Key: key, UploadId: mp.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
			Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: etag}, {PartNumber: aws.Int32(2), ETag: second.CopyPartResult.ETag}},
		}})
	}
	_, err = complete(second.CopyPartResult.ETag)
	wantCode(t, err, "InvalidPart")
	done, err := complete(first.ETag)
	must(t, err)
	if !strings.HasSuffix(*done.ETag, `-2"`) || string(s.Objects("mp")[*key]) != "abc23" {
		t.Errorf("ETag %s, stored %q", *done.ETag, s.Objects("mp")[*key])
	}
	_, err = c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: b, Key: key, UploadId: mp.UploadId})
	wantCode(t, err, "NoSuchUpload")
}

func TestRecords(t *testing.T) {
	s := New(t)
	s.CreateBucket("seen")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/seen/a%2Fb//c?x-id=PutObject&empty", strings.NewReader("body"))
	must(t, err)
	req.Header.Set("X-Amz-Meta-Who", "me")
	req.Host = "bucket.example"
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	_ = read(t, resp.Body)
	all := s.Requests()
	if len(all) != 1 || s.Count() != 1 || s.Connections() != 1 {
		t.Fatalf("%d requests, count %d, %d connections", len(all), s.Count(), s.Connections())
	}
	got := all[0]
	if got.Method != "PUT" || got.Path != "/seen/a%2Fb//c" || got.Query != "x-id=PutObject&empty" || got.Host != "bucket.example" ||
		got.Header.Get("X-Amz-Meta-Who") != "me" || string(got.Body) != "body" || got.BodyBytes != 4 || !got.Complete || got.Status != 200 {
		t.Errorf("%+v", got)
	}
	if keys := slices.Collect(maps.Keys(s.Objects("seen"))); !slices.Equal(keys, []string{"a/b//c"}) {
		t.Errorf("keys %q", keys)
	}
	s.Reset()
	if s.Count() != 0 || s.Connections() != 0 || len(s.Objects("seen")) != 1 {
		t.Error("Reset forgets requests and connections, and nothing else")
	}
}

func TestFramedBodyIsUnpacked(t *testing.T) {
	s := New(t)
	s.CreateBucket("framed")
	for body, status := range map[string]int{
		"4;chunk-signature=0\r\nbody\r\n0;chunk-signature=0\r\n\r\n": 200,
		"4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n":    200,
		"8\r\nbody\r\n0\r\n\r\n":                                     400,
		"zz\r\nbody\r\n0\r\n\r\n":                                    400,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/framed/k", strings.NewReader(body))
		must(t, err)
		req.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		_ = read(t, resp.Body)
		if resp.StatusCode != status || string(s.Objects("framed")["k"]) != "body" && status == 200 {
			t.Errorf("%q: %d, stored %q", body, resp.StatusCode, s.Objects("framed"))
		}
	}
}

// TestHalfABodyIsNotStored ends the connection in the middle of a declared
// body and of a chunked one.
func TestHalfABodyIsNotStored(t *testing.T) {
	s := New(t)
	s.PutObject("half", "k", []byte("old"))
	for _, rest := range []string{
		"Content-Length: 10\r\n\r\n12345",
		"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
	} {
		s.Reset()
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		must(t, err)
		_, err = io.WriteString(conn, "PUT /half/k HTTP/1.1\r\nHost: x\r\n"+rest)
		must(t, err)
		must(t, conn.(*net.TCPConn).CloseWrite())
		answer, err := io.ReadAll(conn)
		must(t, err)
		must(t, conn.Close())
		s.Wait()
		all := s.Requests()
		if len(all) != 1 || all[0].Complete || all[0].BodyBytes != 5 || len(answer) != 0 {
			t.Errorf("%+v, answer %q", all, answer)
		}
		if got := s.Objects("half")["k"]; string(got) != "old" {
			t.Errorf("stored %q", got)
		}
	}
}

func TestFaults(t *testing.T) {
	isGet := func(r *http.Request) bool { return r.Method == http.MethodGet }
	s := New(t)
	send := func(method string) (int, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/faulty/k", bytes.NewReader(make([]byte, 100)))
		must(t, err)
		if method == http.MethodGet {
			req.Body, req.ContentLength = http.NoBody, 0
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, "", err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body), err
	}
	tests := []struct {
		name     string
		fault    Fault
		method   string
		status   int
		body     string
		fails    bool
		bytes    int64
		complete bool
		stored   bool
	}{
		{"none of these", Answer(500, "no").When(isGet), "PUT", 200, "", false, 100, true, true},
		{"answer", Answer(503, "<Error/>"), "PUT", 503, "<Error/>", false, 100, true, false},
		{"early answer", AnswerEarly(403, "<Error/>"), "PUT", 403, "<Error/>", false, 0, false, false},
		{"hangs up at once", HangUpAfter(0), "PUT", 0, "", true, 0, false, false},
		{"hangs up in the body", HangUpAfter(40), "PUT", 0, "", true, 40, false, false},
		{"hangs up after the body", HangUpAfter(1000), "PUT", 0, "", true, 100, true, false},
		{"cut after the head", CutAnswerAfter(0), "GET", 200, "", true, 0, true, false},
		{"cut in the answer", CutAnswerAfter(3), "GET", 200, "old", true, 0, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.PutObject("faulty", "k", []byte("old object"))
			s.Reset()
			s.ClearFaults()
			s.Inject(tt.fault)
			status, body, err := send(tt.method)
			if status != tt.status || body != tt.body || (err != nil) != tt.fails {
				t.Errorf("%d %q %v, want %d %q", status, body, err, tt.status, tt.body)
			}
			s.Wait()
			got := s.Requests()[0]
			if got.BodyBytes != tt.bytes || got.Complete != tt.complete || got.Status != tt.status {
				t.Errorf("recorded %+v", got)
			}
			if stored := string(s.Objects("faulty")["k"]) != "old object"; stored != tt.stored {
				t.Errorf("stored: %v", stored)
			}
		})
	}
	t.Run("once, in order", func(t *testing.T) {
		s.ClearFaults()
		s.Inject(Answer(500, "").Once(), Answer(503, "").Once())
		for _, want := range []int{500, 503, 200} {
			if status, _, err := send("PUT"); status != want || err != nil {
				t.Errorf("%d %v, want %d", status, err, want)
			}
		}
	})
	t.Run("carried out without an answer", func(t *testing.T) {
		s.ClearFaults()
		s.PutObject("faulty", "k", []byte("old object"))
		s.Inject(NoAnswer().Once())
		if _, _, err := send("PUT"); err == nil || string(s.Objects("faulty")["k"]) == "old object" {
			t.Errorf("%v, %q is stored", err, s.Objects("faulty")["k"])
		}
	})
	t.Run("delay", func(t *testing.T) {
		s.ClearFaults()
		s.Inject(Delay(50 * time.Millisecond).Once())
		began := time.Now()
		if status, _, err := send("PUT"); status != 200 || err != nil || time.Since(began) < 50*time.Millisecond {
			t.Errorf("%d %v after %v", status, err, time.Since(began))
		}
	})
	t.Run("endless delay ends with the client", func(t *testing.T) {
		s.Inject(Delay(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/faulty/k", http.NoBody)
		must(t, err)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			t.Error("answered")
		}
		s.Wait()
	})
}
