package clients

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// awsCLI is aws-cli. It presigns by SigV2 unless it is told otherwise, so it
// has that one setting of its documentation.
func awsCLI(name, path string) client {
	return client{name: name, slow: true, open: func(t *testing.T, to target) session {
		config := filepath.Join(to.Home, "aws-config")
		must(t, os.WriteFile(config, []byte("[default]\ns3 =\n  signature_version = s3v4\n"), 0o600))
		return &awsSession{to: to, command: command{
			program: program(t, path),
			env:     to.env("AWS_CONFIG_FILE="+config, "AWS_PAGER="),
			dir:     to.Home,
			fails:   awsFails,
		}}
	}}
}

type awsSession struct {
	to      target
	command command
}

// awsFails tells an option that a release does not have from a refusal.
func awsFails(stdout, stderr string) error {
	for _, unknown := range []string{"Unknown options", "argument operation: Invalid choice", "invalid choice", "awscrt"} {
		if strings.Contains(stderr, unknown) {
			return errCannot
		}
	}
	if _, rest, ok := strings.Cut(stderr, "An error occurred ("); ok {
		code, _, _ := strings.Cut(rest, ")")
		return &refusal{code: code, said: strings.TrimSpace(stderr)}
	}
	return refused(stdout, stderr)
}

func (s *awsSession) run(ctx context.Context, args ...string) (string, error) {
	return s.command.run(ctx, append([]string{"--endpoint-url", s.to.Endpoint, "--output", "json"}, args...)...)
}

// api calls one operation of s3api and decodes its answer into what.
func (s *awsSession) api(ctx context.Context, what any, operation string, c call, args ...string) error {
	args = append([]string{"s3api", operation, "--bucket", c.Bucket}, args...)
	if c.Key != "" {
		args = append(args, "--key", c.Key)
	}
	if c.Version != "" {
		args = append(args, "--version-id", c.Version)
	}
	out, err := s.run(ctx, args...)
	if err != nil || what == nil || strings.TrimSpace(out) == "" {
		return err
	}
	return json.Unmarshal([]byte(out), what)
}

func (s *awsSession) do(ctx context.Context, c call) (reply, error) {
	url := "s3://" + c.Bucket + "/"
	switch c.Op {
	case opUpload:
		return s.high(ctx, "cp", c.Path, url+c.Key)
	case opDownload:
		return s.high(ctx, "cp", url+c.Key, c.Path)
	case opStream:
		piped := *s
		piped.command.stdin = c.Path
		return piped.high(ctx, "cp", "-", url+c.Key)
	case opCopy:
		return s.high(ctx, "cp", url+c.Source, url+c.Key)
	case opSyncUp:
		return s.high(ctx, "sync", c.Path, url+c.Prefix)
	case opSyncDown:
		return s.high(ctx, "sync", url+c.Prefix, c.Path)
	case opPresign:
		if c.Method != "GET" {
			return reply{}, errCannot
		}
		out, err := s.run(ctx, "s3", "presign", url+c.Key)
		return reply{URL: strings.TrimSpace(out)}, err
	case opList, opVersions:
		return s.list(ctx, c)
	case opSetTags, opGetTags, opDeleteMany:
		return s.documents(ctx, c)
	}
	return s.object(ctx, c)
}

func (s *awsSession) high(ctx context.Context, args ...string) (reply, error) {
	_, err := s.run(ctx, append([]string{"s3"}, append(args, "--only-show-errors")...)...)
	return reply{}, err
}

// awsObject is what s3api tells of an object.
type awsObject struct {
	ETag, VersionId, ContentType string //nolint:revive // as in the answer
	ContentLength, ObjectSize    int64
	Metadata                     map[string]string
	ChecksumCRC32                string
	ChecksumCRC32C               string
	ChecksumCRC64NVME            string
	ChecksumSHA1                 string
	ChecksumSHA256               string
}

func (o awsObject) reply(kind string) reply {
	sums := map[string]string{"CRC32": o.ChecksumCRC32, "CRC32C": o.ChecksumCRC32C, "CRC64NVME": o.ChecksumCRC64NVME, "SHA1": o.ChecksumSHA1, "SHA256": o.ChecksumSHA256}
	return reply{Size: max(o.ContentLength, o.ObjectSize), ETag: o.ETag, ContentType: o.ContentType, Metadata: o.Metadata, Version: o.VersionId, Checksum: sums[kind]}
}

func (s *awsSession) object(ctx context.Context, c call) (reply, error) {
	var o awsObject
	var err error
	switch c.Op {
	case opPut:
		err = s.api(ctx, &o, "put-object", c, putOptions(c)...)
	case opGet:
		var args []string
		if c.Range != "" {
			args = []string{"--range", c.Range}
		}
		err = s.api(ctx, &o, "get-object", c, append(args, c.Path)...)
	case opHead:
		err = s.api(ctx, &o, "head-object", c, "--checksum-mode", "ENABLED")
	case opDelete:
		err = s.api(ctx, &o, "delete-object", c)
	case opAttributes:
		err = s.api(ctx, &o, "get-object-attributes", c, "--object-attributes", "ObjectSize", "ETag")
	default:
		return reply{}, errCannot
	}
	return o.reply(c.Checksum), err
}

func putOptions(c call) []string {
	args := []string{"--body", c.Path}
	for flag, value := range map[string]string{
		"--checksum-algorithm": c.Checksum, "--content-md5": c.ContentMD5, "--content-type": c.ContentType,
		"--if-match": c.IfMatch, "--if-none-match": c.IfNoneMatch,
	} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	if c.Metadata != nil {
		text, _ := json.Marshal(c.Metadata)
		args = append(args, "--metadata", string(text))
	}
	return args
}

func (s *awsSession) list(ctx context.Context, c call) (reply, error) {
	var out struct {
		Contents                []struct{ Key string }
		CommonPrefixes          []struct{ Prefix string }
		Versions, DeleteMarkers []struct{ Key, VersionId string } //nolint:revive // as in the answer
	}
	operation, args := "list-objects-v2", []string{"--prefix", c.Prefix}
	if c.Op == opVersions {
		operation, args = "list-object-versions", []string{"--prefix", c.Key}
		c.Key = ""
	}
	if c.Delimiter != "" {
		args = append(args, "--delimiter", c.Delimiter)
	}
	err := s.api(ctx, &out, operation, c, args...)
	var r reply
	for _, o := range out.Contents {
		r.Keys = append(r.Keys, o.Key)
	}
	for _, p := range out.CommonPrefixes {
		r.Prefixes = append(r.Prefixes, p.Prefix)
	}
	for _, v := range append(out.Versions, out.DeleteMarkers...) {
		r.Versions = append(r.Versions, v.VersionId)
	}
	return r, err
}

// documents are the operations whose argument is a document.
func (s *awsSession) documents(ctx context.Context, c call) (reply, error) {
	type tag struct{ Key, Value string }
	var answer struct {
		TagSet []tag
		Errors []struct{ Key, Code string }
	}
	var err error
	switch c.Op {
	case opSetTags:
		set := []tag{}
		for k, v := range c.Tags {
			set = append(set, tag{k, v})
		}
		text, _ := json.Marshal(map[string]any{"TagSet": set})
		err = s.api(ctx, nil, "put-object-tagging", c, "--tagging", string(text))
	case opGetTags:
		err = s.api(ctx, &answer, "get-object-tagging", c)
	case opDeleteMany:
		objects := []map[string]string{}
		for _, key := range c.Keys {
			objects = append(objects, map[string]string{"Key": key})
		}
		text, _ := json.Marshal(map[string]any{"Objects": objects})
		err = s.api(ctx, &answer, "delete-objects", c, "--delete", string(text))
	}
	r := reply{Tags: map[string]string{}}
	for _, t := range answer.TagSet {
		r.Tags[t.Key] = t.Value
	}
	if len(answer.Errors) > 0 {
		err = &refusal{code: answer.Errors[0].Code, said: answer.Errors[0].Key}
	}
	return r, err
}
