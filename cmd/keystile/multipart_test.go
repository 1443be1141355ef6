package main

import (
	"bytes"
	"io"
	"net/url"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Parts whose checksums come in trailers are completed by them, at a backend
// that has only just been added too.
func TestPartsWithTrailers(t *testing.T) {
	r := quickstart(t, t.TempDir())
	key := checkKey(t, r)
	u, err := url.Parse(r.S3Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	s3, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(key.AccessKeyID, key.SecretAccessKey, ""), Region: "us-east-1", TrailingHeaders: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("x"), 11<<20)
	for _, tt := range []struct {
		kind  minio.ChecksumType
		given func(minio.ObjectInfo) string
	}{
		{minio.ChecksumNone, func(o minio.ObjectInfo) string { return o.ChecksumCRC32C }}, // what minio-go takes by itself
		{minio.ChecksumCRC64NVME, func(o minio.ObjectInfo) string { return o.ChecksumCRC64NVME }},
		{minio.ChecksumSHA256, func(o minio.ObjectInfo) string { return o.ChecksumSHA256 }},
		{minio.ChecksumFullObjectCRC32C, func(o minio.ObjectInfo) string { return o.ChecksumCRC32C }},
	} {
		for _, size := range []int64{-1, int64(len(data))} {
			body := io.MultiReader(bytes.NewReader(data)) // not to be read twice
			if _, err := s3.PutObject(t.Context(), "uploads", "parts", body, size, minio.PutObjectOptions{PartSize: 5 << 20, Checksum: tt.kind}); err != nil {
				t.Errorf("%s, size %d: %v", tt.kind, size, err)
				continue
			}
			o, err := s3.StatObject(t.Context(), "uploads", "parts", minio.StatObjectOptions{Checksum: true})
			if err != nil || o.Size != int64(len(data)) || tt.given(o) == "" {
				t.Errorf("%s, size %d: stored %+v, %v", tt.kind, size, o, err)
			}
		}
	}
}
