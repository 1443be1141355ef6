package clients

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	objecttags "github.com/minio/minio-go/v7/pkg/tags"
)

// minioGo is minio-go as go.mod pins it: the second Go client, with a signer and
// body framing of its own.
func minioGo() client {
	return client{name: "minio-go", open: func(t *testing.T, to target) session {
		options := &minio.Options{Creds: credentials.NewStaticV4(to.AccessKeyID, to.SecretAccessKey, ""), Secure: to.secure(), Region: to.Region, TrailingHeaders: true}
		if transport, ok := to.browser().Transport.(*http.Transport); ok {
			options.Transport = transport
		}
		api, err := minio.New(to.host(), options)
		must(t, err)
		return &minioSession{api}
	}}
}

type minioSession struct{ api *minio.Client }

func (s *minioSession) do(ctx context.Context, c call) (reply, error) {
	r, err := s.one(ctx, c)
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		err = &refusal{code: answer.Code, said: err.Error()}
	}
	return r, err
}

func (s *minioSession) one(ctx context.Context, c call) (reply, error) {
	switch c.Op {
	case opPut, opUpload, opStream:
		return s.put(ctx, c)
	case opGet, opDownload:
		return s.get(ctx, c)
	case opHead:
		o, err := s.api.StatObject(ctx, c.Bucket, c.Key, minio.StatObjectOptions{Checksum: true})
		sums := map[string]string{"CRC32": o.ChecksumCRC32, "CRC32C": o.ChecksumCRC32C, "CRC64NVME": o.ChecksumCRC64NVME, "SHA1": o.ChecksumSHA1, "SHA256": o.ChecksumSHA256}
		given := map[string]string{}
		for name, value := range o.UserMetadata {
			given[strings.ToLower(name)] = value
		}
		return reply{Size: o.Size, ETag: o.ETag, ContentType: o.ContentType, Metadata: given, Checksum: sums[c.Checksum]}, err
	case opList, opVersions:
		return s.list(ctx, c)
	case opCopy:
		_, err := s.api.CopyObject(ctx, minio.CopyDestOptions{Bucket: c.Bucket, Object: c.Key}, minio.CopySrcOptions{Bucket: c.Bucket, Object: c.Source})
		return reply{}, err
	case opPresign:
		u, err := s.api.Presign(ctx, c.Method, c.Bucket, c.Key, 5*time.Minute, url.Values{})
		if err != nil {
			return reply{}, err
		}
		return reply{URL: u.String()}, nil
	}
	return s.small(ctx, c)
}

func (s *minioSession) put(ctx context.Context, c call) (reply, error) {
	file, err := os.Open(c.Path)
	if err != nil {
		return reply{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return reply{}, err
	}
	options := minio.PutObjectOptions{ContentType: c.ContentType, UserMetadata: maps.Clone(c.Metadata), DisableMultipart: c.Op == opPut, PartSize: 5 << 20}
	kinds := map[string]minio.ChecksumType{"CRC32": minio.ChecksumCRC32, "CRC32C": minio.ChecksumCRC32C, "CRC64NVME": minio.ChecksumCRC64NVME, "SHA1": minio.ChecksumSHA1, "SHA256": minio.ChecksumSHA256}
	options.Checksum = kinds[c.Checksum]
	if c.IfMatch != "" {
		options.SetMatchETag(strings.Trim(c.IfMatch, `"`))
	}
	if c.IfNoneMatch != "" {
		options.SetMatchETagExcept(c.IfNoneMatch)
	}
	size, body := info.Size(), io.Reader(file)
	if c.ContentMD5 != "" {
		if options.SendContentMd5 = c.ContentMD5 == fileMD5(c.Path); !options.SendContentMd5 {
			return reply{}, errCannot // it computes its own, always right
		}
	}
	if c.Op == opStream {
		size, body = -1, io.MultiReader(file)
	}
	o, err := s.api.PutObject(ctx, c.Bucket, c.Key, body, size, options)
	return reply{ETag: o.ETag, Version: o.VersionID}, err
}

func fileMD5(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return contentMD5(content)
}

func (s *minioSession) get(ctx context.Context, c call) (reply, error) {
	options := minio.GetObjectOptions{VersionID: c.Version}
	if from, to, ok := strings.Cut(strings.TrimPrefix(c.Range, "bytes="), "-"); ok {
		first, _ := strconv.ParseInt(from, 10, 64)
		last, _ := strconv.ParseInt(to, 10, 64)
		if err := options.SetRange(first, last); err != nil {
			return reply{}, err
		}
	}
	o, err := s.api.GetObject(ctx, c.Bucket, c.Key, options)
	if err != nil {
		return reply{}, err
	}
	defer o.Close()
	return reply{}, save(c.Path, o)
}

func (s *minioSession) list(ctx context.Context, c call) (reply, error) {
	options := minio.ListObjectsOptions{Prefix: c.Prefix, Recursive: c.Delimiter == ""}
	if c.Op == opVersions {
		options.Prefix, options.WithVersions = c.Key, true
	}
	var r reply
	for o := range s.api.ListObjects(ctx, c.Bucket, options) {
		switch {
		case o.Err != nil:
			return r, o.Err
		case c.Op == opVersions:
			r.Versions = append(r.Versions, o.VersionID)
		case strings.HasSuffix(o.Key, "/") && c.Delimiter != "":
			r.Prefixes = append(r.Prefixes, o.Key)
		default:
			r.Keys = append(r.Keys, o.Key)
		}
	}
	return r, nil
}

// small are the operations that carry no body of the object.
func (s *minioSession) small(ctx context.Context, c call) (reply, error) {
	switch c.Op {
	case opDelete:
		return reply{}, s.api.RemoveObject(ctx, c.Bucket, c.Key, minio.RemoveObjectOptions{VersionID: c.Version})
	case opDeleteMany:
		list := make(chan minio.ObjectInfo, len(c.Keys))
		for _, key := range c.Keys {
			list <- minio.ObjectInfo{Key: key}
		}
		close(list)
		for failed := range s.api.RemoveObjects(ctx, c.Bucket, list, minio.RemoveObjectsOptions{}) {
			return reply{}, failed.Err
		}
		return reply{}, nil
	case opSetTags:
		set, err := objecttags.NewTags(c.Tags, true)
		if err != nil {
			return reply{}, err
		}
		return reply{}, s.api.PutObjectTagging(ctx, c.Bucket, c.Key, set, minio.PutObjectTaggingOptions{})
	case opGetTags:
		set, err := s.api.GetObjectTagging(ctx, c.Bucket, c.Key, minio.GetObjectTaggingOptions{})
		if err != nil {
			return reply{}, err
		}
		return reply{Tags: set.ToMap()}, nil
	case opAttributes:
		o, err := s.api.GetObjectAttributes(ctx, c.Bucket, c.Key, minio.ObjectAttributesOptions{})
		if err != nil {
			return reply{}, err
		}
		return reply{Size: int64(o.ObjectSize), ETag: o.ETag}, nil
	}
	return reply{}, errCannot
}
