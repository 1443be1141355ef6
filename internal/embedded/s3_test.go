package embedded

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"keystile/internal/keystile"
)

func bucket(t *testing.T, c *s3.Client, name string) *string {
	t.Helper()
	_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
	must(t, err)
	return &name
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func TestObjects(t *testing.T) {
	p := start(t, t.TempDir())
	c := client(t, p)
	b := bucket(t, c, "objects")
	ctx := t.Context()
	key := aws.String("deep/er/a b+ü&.txt")
	_, err := c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: b, Key: key, Body: strings.NewReader("hello world"),
		ContentType: aws.String("text/plain"), Metadata: map[string]string{"who": "me"},
	})
	must(t, err)

	head, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: key})
	must(t, err)
	if *head.ContentLength != 11 || *head.ContentType != "text/plain" || head.Metadata["who"] != "me" || *head.ETag != `"5eb63bbbe01eeed093cb22bb8f5acdc3"` {
		t.Errorf("head: %d %s %v %s", *head.ContentLength, *head.ContentType, head.Metadata, *head.ETag)
	}
	get, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key, Range: aws.String("bytes=6-")})
	must(t, err)
	if body, err := io.ReadAll(get.Body); err != nil || string(body) != "world" {
		t.Errorf("range: %q, %v", body, err)
	}
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: aws.String("copy"), CopySource: aws.String("objects/deep/er/a%20b%2B%C3%BC%26.txt")})
	must(t, err)
	if got := keys(t, c, *b); !slices.Equal(got, []string{"copy", *key}) {
		t.Errorf("listed %q", got)
	}

	_, err = c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: b, Key: key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}})
	must(t, err)
	tags, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: b, Key: key})
	must(t, err)
	if len(tags.TagSet) != 1 || *tags.TagSet[0].Value != "v" {
		t.Errorf("tags: %+v", tags.TagSet)
	}
	attrs, err := c.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: b, Key: key, ObjectAttributes: []types.ObjectAttributes{"ETag", "ObjectSize", "Checksum"}})
	must(t, err)
	if *attrs.ObjectSize != 11 || *attrs.ETag != "5eb63bbbe01eeed093cb22bb8f5acdc3" {
		t.Errorf("attributes: %+v", attrs)
	}

	del, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}, {Key: aws.String("absent")}}}})
	must(t, err)
	if len(del.Deleted) != 2 || len(del.Errors) != 0 {
		t.Errorf("deleted %+v, errors %+v", del.Deleted, del.Errors)
	}
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantCode(t, err, "BucketNotEmpty")
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: aws.String("copy")})
	must(t, err)
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: aws.String("copy")})
	wantCode(t, err, "NoSuchKey")
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	must(t, err)
}

func TestMultipart(t *testing.T) {
	const partSize, parts = 8 << 20, 8
	p := start(t, t.TempDir())
	c := client(t, p)
	b, key, ctx := bucket(t, c, "multipart"), aws.String("big"), t.Context()

	mp, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: key})
	must(t, err)
	random := rand.NewChaCha8([32]byte{1})
	sum := sha256.New()
	var done []types.CompletedPart
	for n := range int32(parts) {
		part := make([]byte, partSize)
		_, _ = random.Read(part)
		sum.Write(part)
		up, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: b, Key: key, UploadId: mp.UploadId, PartNumber: aws.Int32(n + 1), Body: bytes.NewReader(part)})
		must(t, err)
		done = append(done, types.CompletedPart{ETag: up.ETag, PartNumber: aws.Int32(n + 1)})
	}
	listed, err := c.ListParts(ctx, &s3.ListPartsInput{Bucket: b, Key: key, UploadId: mp.UploadId})
	must(t, err)
	uploads, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: b})
	must(t, err)
	if len(listed.Parts) != parts || len(uploads.Uploads) != 1 {
		t.Errorf("%d parts, %d uploads", len(listed.Parts), len(uploads.Uploads))
	}
	complete, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: b, Key: key, UploadId: mp.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done}})
	must(t, err)
	if !strings.HasSuffix(*complete.ETag, `-8"`) {
		t.Errorf("ETag %s", *complete.ETag)
	}
	if got := aws.ToString(complete.Location); got != "http://embedded/multipart/big" {
		t.Errorf("location %q is not built from the Host that was sent", got)
	}

	get, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key})
	must(t, err)
	back := sha256.New()
	n, err := io.Copy(back, get.Body)
	must(t, err)
	if n != partSize*parts || !bytes.Equal(back.Sum(nil), sum.Sum(nil)) {
		t.Errorf("%d bytes came back, or other ones", n)
	}

	mp, err = c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: aws.String("second")})
	must(t, err)
	_, err = c.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: b, Key: aws.String("second"), UploadId: mp.UploadId, PartNumber: aws.Int32(1), CopySource: aws.String("multipart/big"), CopySourceRange: aws.String("bytes=0-9")})
	must(t, err)
	_, err = c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: b, Key: aws.String("second"), UploadId: mp.UploadId})
	must(t, err)
	_, err = c.ListParts(ctx, &s3.ListPartsInput{Bucket: b, Key: aws.String("second"), UploadId: mp.UploadId})
	wantCode(t, err, "NoSuchUpload")
}

func TestVersions(t *testing.T) {
	p := start(t, t.TempDir())
	c := client(t, p)
	b, key, ctx := bucket(t, c, "versions"), aws.String("dir/doc"), t.Context()
	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	must(t, err)
	first, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: key, Body: strings.NewReader("one")})
	must(t, err)
	must(t, put(ctx, c, *b, *key, "two"))
	del, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: key})
	must(t, err)
	if !aws.ToBool(del.DeleteMarker) {
		t.Error("no delete marker")
	}
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key})
	wantCode(t, err, "NoSuchKey")
	old, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: key, VersionId: first.VersionId})
	must(t, err)
	if body, err := io.ReadAll(old.Body); err != nil || string(body) != "one" {
		t.Errorf("first version: %q, %v", body, err)
	}
	list, err := c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b})
	must(t, err)
	if len(list.Versions) != 2 || len(list.DeleteMarkers) != 1 {
		t.Errorf("%d versions, %d delete markers", len(list.Versions), len(list.DeleteMarkers))
	}
}

// TestAnswers records what a gateway must know of the server's answers.
func TestAnswers(t *testing.T) {
	p := start(t, t.TempDir())
	c := client(t, p)
	b := bucket(t, c, "answers")
	must(t, put(t.Context(), c, *b, "a b", "x"))
	constraint := func(region string) []byte {
		return []byte(`<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>` + region + `</LocationConstraint></CreateBucketConfiguration>`)
	}
	tests := []struct {
		name, method, path string
		body               []byte
		status             int
		contains           string
	}{
		{"owner is the fixed key id", "GET", "/answers", nil, 200, "<Owner><ID>KEYSTILEEMBEDDED</ID></Owner>"},
		{"encoding-type is ignored", "GET", "/answers?encoding-type=url&list-type=2", nil, 200, "<Key>a b</Key>"},
		{"location of the default region is empty", "GET", "/answers?location=", nil, 200, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`},
		{"own bucket again", "PUT", "/answers", nil, 409, "<Code>BucketAlreadyOwnedByYou</Code>"},
		{"no constraint for us-east-1", "PUT", "/other", constraint("us-east-1"), 400, "<Code>InvalidLocationConstraint</Code>"},
		{"no other region", "PUT", "/other", constraint("eu-west-1"), 400, "<Code>InvalidLocationConstraint</Code>"},
		{"missing key", "GET", "/answers/absent", nil, 404, "<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"},
		{"missing bucket", "GET", "/absent", nil, 404, "<Code>NoSuchBucket</Code><Message>The specified bucket does not exist.</Message><BucketName>absent</BucketName>"},
		{"multi-delete needs a digest", "POST", "/answers?delete=", []byte("<Delete><Object><Key>a b</Key></Object></Delete>"), 400, "<Code>InvalidRequest</Code>"},
		{"no lifecycle", "GET", "/answers?lifecycle=", nil, 501, "<Code>NotImplemented</Code>"},
		{"unknown subresource is a listing", "GET", "/answers?unknown=", nil, 200, "<ListBucketResult"},
		{"no admin API", "PATCH", "/list-users", nil, 405, "<Code>MethodNotAllowed</Code>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := raw(t, p, tt.method, tt.path, nil, tt.body); got.status != tt.status || !strings.Contains(got.body, tt.contains) {
				t.Errorf("%d %s\nwant %d %s", got.status, got.body, tt.status, tt.contains)
			}
		})
	}
	if got := raw(t, p, "HEAD", "/answers", nil, nil).header.Get("X-Amz-Bucket-Region"); got != p.Region() {
		t.Errorf("region header of HeadBucket: %q", got)
	}
}

func TestRefusesOtherKeys(t *testing.T) {
	p := start(t, t.TempDir())
	other := &Process{layout: p.layout, secret: keystile.NewSecretKey()}
	if got := raw(t, other, "GET", "/", nil, nil); got.status != 403 || !strings.Contains(got.body, "SignatureDoesNotMatch") {
		t.Errorf("wrong secret: %d %s", got.status, got.body)
	}
	resp, err := httpClient(t, p).Get("http://embedded/")
	must(t, err)
	_ = resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("unsigned: %d", resp.StatusCode)
	}
}
