package e2e_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// TestFormUploads sends forms that boto3 and minio-go signed, with what sends
// forms: urllib3, curl, and Go's own writer.
func TestFormUploads(t *testing.T) {
	python := tool(t, "python3")
	tool(t, "curl")
	s := start(t, t.TempDir()+"/data", "")
	for _, tt := range []struct{ name, grant, bucket, scope string }{
		{"within a prefix", "uploads/team/:read,write", "uploads", "prefix"},
		{"by an alias", "uploads:read,write@inbox", "inbox", "bucket"},
		{"a prefix as a bucket", "uploads/team/:read,write@team-a", "team-a", "bucket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.mint(tt.grant)
			env := append(cleanEnv(), "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey)
			run(t, env, "", python, "testdata/postform.py", s.S3Endpoint, tt.bucket, "team/", tt.scope, filepath.Join(t.TempDir(), "file.bin")).want(t, 0, "ok")
		})
	}
	events := s.audit("--action", "s3.proxy.postobject")
	var ok, refused int
	for _, e := range events {
		switch {
		case e.Result == "ok" && e.Status < 300 && e.Bucket == "uploads" && strings.HasPrefix(e.Key, "team/"):
			ok++
		case e.Result != "ok" && e.Status >= 400 && e.Detail.Code != "":
			refused++
		default:
			t.Errorf("recorded %+v", e)
		}
	}
	if ok == 0 || refused == 0 {
		t.Errorf("%d uploads and %d refusals are recorded", ok, refused)
	}
}

func TestMinioFormUpload(t *testing.T) {
	s := start(t, t.TempDir()+"/data", "")
	c := s.mint("uploads:read,write")
	client, err := minio.New(strings.TrimPrefix(s.S3Endpoint, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKeyID, c.SecretAccessKey, ""), Region: "us-east-1",
	})
	must(t, err)
	policy := minio.NewPostPolicy()
	for _, err := range []error{
		policy.SetBucket("uploads"), policy.SetKeyStartsWith("in/"), policy.SetExpires(time.Now().Add(time.Minute)),
		policy.SetContentType("text/plain"), policy.SetContentLengthRange(1, 100), policy.SetUserMetadata("colour", "red"),
		policy.SetSuccessStatusAction("201"),
	} {
		must(t, err)
	}
	u, fields, err := client.PresignedPostPolicy(t.Context(), policy)
	must(t, err)
	for key, want := range map[string]int{"in/a": 201, "out/a": 403} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for name, value := range fields {
			if name != "key" {
				must(t, form.WriteField(name, value))
			}
		}
		must(t, form.WriteField("key", key))
		file, err := form.CreateFormFile("file", "a.txt")
		must(t, err)
		_, err = file.Write([]byte("hello"))
		must(t, err)
		must(t, form.Close())
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.String(), &body)
		must(t, err)
		req.Header.Set("Content-Type", form.FormDataContentType())
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: got %d, want %d", key, res.StatusCode, want)
		}
	}
	info, err := client.StatObject(t.Context(), "uploads", "in/a", minio.StatObjectOptions{})
	must(t, err)
	if info.Size != 5 || info.ContentType != "text/plain" || info.UserMetadata["Colour"] != "red" {
		t.Errorf("stored %+v", info)
	}
}
