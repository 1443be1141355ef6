package embedded

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func keys(t *testing.T, c *s3.Client, bucket string) []string {
	t.Helper()
	out, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	must(t, err)
	var got []string
	for _, o := range out.Contents {
		got = append(got, *o.Key)
	}
	return got
}

func put(ctx context.Context, c *s3.Client, bucket, key, body string) error {
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	return err
}

// TestKeysAreNormalised records that keys name files here: what a gateway in
// front must refuse, since a prefix does not hold such keys.
func TestKeysAreNormalised(t *testing.T) {
	tests := []struct {
		name   string
		path   string
		status int
		stored []string
	}{
		{"dot-dot goes up", "prefix/../y", 200, []string{"y"}},
		{"repeated slash", "x//y", 200, []string{"x/y"}},
		{"dot in front", "./y", 200, []string{"y"}},
		{"dot at the end", "y/.", 200, []string{"y"}},
		{"backslash is kept", "a%5C..%5Cb", 200, []string{`a\..\b`}},
		{"three dots are kept", "x/.../y", 200, []string{"x/.../y"}},
		{"directory", "dir/", 200, []string{"dir/"}},
		{"not out of the bucket", "../neighbour/y", 400, nil},
		{"not out of the bucket, deeper", "x/../../neighbour/y", 400, nil},
		{"bucket itself", "a/..", 400, nil},
		{"component over 255 bytes", strings.Repeat("k", 256), 400, nil},
		{"internal directory is reachable and hidden", ".sgwtmp/x", 200, nil},
	}
	p := start(t, t.TempDir())
	c := client(t, p)
	raw(t, p, "PUT", "/neighbour", nil, nil)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bucket := "keys-" + string(rune('a'+i))
			raw(t, p, "PUT", "/"+bucket, nil, nil)
			var body []byte
			if !strings.HasSuffix(tt.path, "/") {
				body = []byte("x")
			}
			if got := raw(t, p, "PUT", "/"+bucket+"/"+tt.path, nil, body); got.status != tt.status {
				t.Errorf("status %d, want %d: %s", got.status, tt.status, got.body)
			}
			if got := keys(t, c, bucket); !slices.Equal(got, tt.stored) {
				t.Errorf("stored %q, want %q", got, tt.stored)
			}
			if got := keys(t, c, "neighbour"); len(got) != 0 {
				t.Errorf("neighbour has %q", got)
			}
		})
	}
}

// TestNormalisedKeysInCopyAndDelete records that a copy source and a
// multi-delete walk around a prefix just as a path does.
func TestNormalisedKeysInCopyAndDelete(t *testing.T) {
	p := start(t, t.TempDir())
	c := client(t, p)
	raw(t, p, "PUT", "/walk", nil, nil)
	must(t, put(t.Context(), c, "walk", "public/x", "public"))
	must(t, put(t.Context(), c, "walk", "secret", "secret"))

	got := raw(t, p, "PUT", "/walk/public/copy", headers("x-amz-copy-source", "walk/public/../secret"), nil)
	if got.status != 200 {
		t.Errorf("copy of public/../secret: %d %s", got.status, got.body)
	}
	if got := raw(t, p, "GET", "/walk/public/copy", nil, nil); got.body != "secret" {
		t.Errorf("copied %q", got.body)
	}
	out, err := c.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("walk"), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("public/../secret")}},
	}})
	must(t, err)
	if len(out.Errors) != 0 {
		t.Errorf("delete of public/../secret: %+v", out.Errors)
	}
	if got := keys(t, c, "walk"); !slices.Equal(got, []string{"public/copy", "public/x"}) {
		t.Errorf("left: %q", got)
	}
}

// TestFileAndDirectoryExclude records that an object and a key below it cannot
// both exist.
func TestFileAndDirectoryExclude(t *testing.T) {
	p := start(t, t.TempDir())
	c := client(t, p)
	raw(t, p, "PUT", "/tree", nil, nil)
	must(t, put(t.Context(), c, "tree", "a", "file"))
	must(t, put(t.Context(), c, "tree", "b/c", "below"))
	for _, tt := range []struct{ key, code string }{
		{"a/child", "ObjectParentIsFile"},
		{"b", "ExistingObjectIsDirectory"},
	} {
		if got := raw(t, p, "PUT", "/tree/"+tt.key, nil, []byte("x")); got.status != 409 || !strings.Contains(got.body, tt.code) {
			t.Errorf("PUT %s: %d %s, want 409 %s", tt.key, got.status, got.body, tt.code)
		}
	}
	if got := keys(t, c, "tree"); !slices.Equal(got, []string{"a", "b/c"}) {
		t.Errorf("stored %q", got)
	}
}
