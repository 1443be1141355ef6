package clients

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// goSDK is aws-sdk-go-v2 as go.mod pins it.
func goSDK() client {
	return client{name: "aws-sdk-go", open: func(_ *testing.T, to target) session {
		return &goSession{s3.New(s3.Options{
			BaseEndpoint: aws.String(to.Endpoint), Region: to.Region, UsePathStyle: true, HTTPClient: to.browser(),
			Credentials: credentials.NewStaticCredentialsProvider(to.AccessKeyID, to.SecretAccessKey, ""),
		})}
	}}
}

type goSession struct{ s3 *s3.Client }

func (s *goSession) do(ctx context.Context, c call) (reply, error) {
	r, err := s.one(ctx, c)
	var api smithy.APIError
	var answer *awshttp.ResponseError
	switch {
	case errors.As(err, &api):
		err = &refusal{code: api.ErrorCode(), said: err.Error()}
	case errors.As(err, &answer):
		err = &refusal{code: http.StatusText(answer.HTTPStatusCode()), said: err.Error()}
	}
	return r, err
}

func (s *goSession) one(ctx context.Context, c call) (reply, error) {
	switch c.Op {
	case opPut:
		return s.put(ctx, c)
	case opGet, opDownload:
		return s.get(ctx, c)
	case opHead:
		o, err := s.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &c.Bucket, Key: &c.Key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			return reply{}, err
		}
		sums := map[string]*string{"CRC32": o.ChecksumCRC32, "CRC32C": o.ChecksumCRC32C, "CRC64NVME": o.ChecksumCRC64NVME, "SHA1": o.ChecksumSHA1, "SHA256": o.ChecksumSHA256}
		return reply{Size: aws.ToInt64(o.ContentLength), ETag: aws.ToString(o.ETag), ContentType: aws.ToString(o.ContentType), Metadata: o.Metadata, Checksum: aws.ToString(sums[c.Checksum])}, nil
	case opUpload:
		return s.parts(ctx, c)
	case opList, opVersions:
		return s.list(ctx, c)
	case opCopy:
		_, err := s.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &c.Bucket, Key: &c.Key, CopySource: aws.String(c.Bucket + "/" + escaped(c.Source))})
		return reply{}, err
	case opPresign:
		return s.presign(ctx, c)
	}
	return s.small(ctx, c)
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// escaped is a key as a copy source has it.
func escaped(key string) string {
	parts := strings.Split(key, "/")
	for i := range parts {
		parts[i] = percent(parts[i])
	}
	return strings.Join(parts, "/")
}

func (s *goSession) put(ctx context.Context, c call) (reply, error) {
	file, err := os.Open(c.Path)
	if err != nil {
		return reply{}, err
	}
	defer file.Close()
	o, err := s.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &c.Bucket, Key: &c.Key, Body: file, ContentMD5: optional(c.ContentMD5), ContentType: optional(c.ContentType),
		IfMatch: optional(c.IfMatch), IfNoneMatch: optional(c.IfNoneMatch), Metadata: c.Metadata, ChecksumAlgorithm: types.ChecksumAlgorithm(c.Checksum),
	})
	if err != nil {
		return reply{}, err
	}
	return reply{ETag: aws.ToString(o.ETag), Version: aws.ToString(o.VersionId)}, nil
}

func (s *goSession) get(ctx context.Context, c call) (reply, error) {
	o, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &c.Bucket, Key: &c.Key, Range: optional(c.Range), VersionId: optional(c.Version)})
	if err != nil {
		return reply{}, err
	}
	defer o.Body.Close()
	return reply{ETag: aws.ToString(o.ETag)}, save(c.Path, o.Body)
}

// save writes what comes to a file.
func save(path string, from io.Reader) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, from)
	return err
}

// parts uploads in parts of 5 MiB, the smallest there may be.
func (s *goSession) parts(ctx context.Context, c call) (reply, error) {
	const size = 5 << 20
	content, err := os.ReadFile(c.Path)
	if err != nil {
		return reply{}, err
	}
	upload, err := s.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &c.Bucket, Key: &c.Key})
	if err != nil {
		return reply{}, err
	}
	var done []types.CompletedPart
	for number := int32(1); len(content) > 0; number++ {
		part := content[:min(size, len(content))]
		content = content[len(part):]
		o, err := s.s3.UploadPart(ctx, &s3.UploadPartInput{Bucket: &c.Bucket, Key: &c.Key, UploadId: upload.UploadId, PartNumber: &number, Body: strings.NewReader(string(part))})
		if err != nil {
			return reply{}, err
		}
		done = append(done, types.CompletedPart{ETag: o.ETag, PartNumber: &number, ChecksumCRC32: o.ChecksumCRC32})
	}
	o, err := s.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &c.Bucket, Key: &c.Key, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done}})
	if err != nil {
		return reply{}, err
	}
	return reply{ETag: aws.ToString(o.ETag)}, nil
}

func (s *goSession) list(ctx context.Context, c call) (reply, error) {
	var r reply
	if c.Op == opVersions {
		pages := s3.NewListObjectVersionsPaginator(s.s3, &s3.ListObjectVersionsInput{Bucket: &c.Bucket, Prefix: &c.Key})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return r, err
			}
			for _, v := range page.Versions {
				r.Versions = append(r.Versions, aws.ToString(v.VersionId))
			}
			for _, v := range page.DeleteMarkers {
				r.Versions = append(r.Versions, aws.ToString(v.VersionId))
			}
		}
		return r, nil
	}
	pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: &c.Bucket, Prefix: &c.Prefix, Delimiter: optional(c.Delimiter)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return r, err
		}
		for _, o := range page.Contents {
			r.Keys = append(r.Keys, aws.ToString(o.Key))
		}
		for _, p := range page.CommonPrefixes {
			r.Prefixes = append(r.Prefixes, aws.ToString(p.Prefix))
		}
	}
	return r, nil
}

func (s *goSession) presign(ctx context.Context, c call) (reply, error) {
	signer := s3.NewPresignClient(s.s3)
	var err error
	var signed struct{ URL string }
	switch c.Method {
	case http.MethodGet:
		r, failed := signer.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &c.Bucket, Key: &c.Key})
		signed.URL, err = r.URL, failed
	case http.MethodHead:
		r, failed := signer.PresignHeadObject(ctx, &s3.HeadObjectInput{Bucket: &c.Bucket, Key: &c.Key})
		signed.URL, err = r.URL, failed
	case http.MethodPut:
		r, failed := signer.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &c.Bucket, Key: &c.Key})
		signed.URL, err = r.URL, failed
	}
	return reply{URL: signed.URL}, err
}

// small are the operations that carry no body of the object.
func (s *goSession) small(ctx context.Context, c call) (reply, error) {
	r := reply{Tags: map[string]string{}}
	switch c.Op {
	case opDelete:
		_, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &c.Bucket, Key: &c.Key, VersionId: optional(c.Version)})
		return r, err
	case opDeleteMany:
		var list []types.ObjectIdentifier
		for _, key := range c.Keys {
			list = append(list, types.ObjectIdentifier{Key: &key})
		}
		o, err := s.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &c.Bucket, Delete: &types.Delete{Objects: list}})
		if err == nil && len(o.Errors) > 0 {
			err = &refusal{code: aws.ToString(o.Errors[0].Code), said: aws.ToString(o.Errors[0].Key)}
		}
		return r, err
	case opSetTags:
		var set []types.Tag
		for k, v := range c.Tags {
			set = append(set, types.Tag{Key: &k, Value: &v})
		}
		_, err := s.s3.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: &c.Bucket, Key: &c.Key, Tagging: &types.Tagging{TagSet: set}})
		return r, err
	case opGetTags:
		o, err := s.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &c.Bucket, Key: &c.Key})
		if err != nil {
			return r, err
		}
		for _, t := range o.TagSet {
			r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return r, nil
	case opAttributes:
		o, err := s.s3.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: &c.Bucket, Key: &c.Key, ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectSize, types.ObjectAttributesEtag}})
		if err != nil {
			return r, err
		}
		return reply{Size: aws.ToInt64(o.ObjectSize), ETag: aws.ToString(o.ETag)}, nil
	}
	return r, errCannot
}
