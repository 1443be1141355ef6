package clients

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// op is one thing that a client is asked to do.
type op string

const (
	opPut        op = "put"         // Path to Key in one request
	opGet        op = "get"         // Key, or Range of it, to Path
	opUpload     op = "upload"      // Path to Key as the client likes best: large ones in parts
	opStream     op = "stream"      // Path to Key, of a length that the client does not know
	opDownload   op = "download"    // Key to Path as the client likes best
	opHead       op = "head"        // what is known of Key
	opList       op = "list"        // all keys under Prefix, at Delimiter if there is one
	opCopy       op = "copy"        // Source to Key, at the server
	opDelete     op = "delete"      // Key, or Version of it
	opDeleteMany op = "delete-many" // Keys in one request
	opSyncUp     op = "sync-up"     // directory Path to Prefix
	opSyncDown   op = "sync-down"   // Prefix to directory Path
	opPresign    op = "presign"     // a URL for Method of Key
	opSetTags    op = "set-tags"    // Tags of Key
	opGetTags    op = "get-tags"
	opVersions   op = "versions" // ids of all versions of Key
	opAttributes op = "attributes"
)

// call is what a client is asked. Drivers in other languages read it as JSON.
type call struct {
	Op          op                `json:"op"`
	Bucket      string            `json:"bucket"`
	Key         string            `json:"key,omitempty"`
	Path        string            `json:"path,omitempty"`
	Source      string            `json:"source,omitempty"`
	Keys        []string          `json:"keys,omitempty"`
	Prefix      string            `json:"prefix,omitempty"`
	Delimiter   string            `json:"delimiter,omitempty"`
	Range       string            `json:"range,omitempty"` // as in "bytes=0-9"
	Method      string            `json:"method,omitempty"`
	Checksum    string            `json:"checksum,omitempty"` // CRC32, SHA256 …
	ContentMD5  string            `json:"content_md5,omitempty"`
	IfMatch     string            `json:"if_match,omitempty"`
	IfNoneMatch string            `json:"if_none_match,omitempty"`
	Version     string            `json:"version,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// reply is what it found.
type reply struct {
	Keys        []string          `json:"keys,omitempty"`
	Prefixes    []string          `json:"prefixes,omitempty"`
	Size        int64             `json:"size"`
	ETag        string            `json:"etag,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Version     string            `json:"version,omitempty"`
	Versions    []string          `json:"versions,omitempty"`
	Checksum    string            `json:"checksum,omitempty"`
	URL         string            `json:"url,omitempty"`
}

// errCannot says that a client has no way to do what it was asked.
var errCannot = errors.New("the client has no such thing")

// refusal is an S3 error that a client passed on.
type refusal struct {
	code string // as the client tells it: a code of S3, or just the status
	said string
}

func (r *refusal) Error() string { return fmt.Sprintf("refused with %s: %s", r.code, r.said) }

// session is a client that knows where to go and with which key.
type session interface {
	do(ctx context.Context, c call) (reply, error)
}

// client is one program or library.
type client struct {
	name string
	// open makes a session. It skips the test, loudly, where the client is not
	// installed.
	open func(t *testing.T, to target) session
	// cases are those that only this client has.
	cases []testCase
	// alone says that it has no other cases than those.
	alone bool
	// slow says that each call starts a program that takes its time: the short
	// run tries odd keys by one sync of them all.
	slow bool
	// older says that another client is today's release of it: the short run has it
	// at one backend.
	older bool
}

// all are the clients of the matrix, in the order of the table.
func all() []client {
	return []client{
		awsCLI("aws-cli", "aws"),
		older(awsCLI("aws-cli-debian", "/usr/bin/aws")),
		boto3("boto3", "python3"),
		older(boto3("boto3-debian", "/usr/bin/python3")),
		goSDK(),
		minioGo(),
		awsJS(),
		rclone("rclone", "rclone"),
		older(rclone("rclone-debian", "/usr/bin/rclone")),
		s3cmd(),
		s5cmd(),
		mc(),
		restic(),
		s3fs(),
	}
}

func older(c client) client {
	c.older = true
	return c
}
