package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

func TestThePageIsUpToDate(t *testing.T) {
	got, err := os.ReadFile("../../../docs/reference/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, page(s3wire.Operations())) {
		t.Error("docs/reference/operations.md is stale: go run ./internal/s3wire/opsdoc > docs/reference/operations.md")
	}
}

func TestThePageHasEveryOperationOnce(t *testing.T) {
	text := string(page(s3wire.Operations()))
	for _, op := range s3wire.Operations() {
		if n := strings.Count(text, "\n| "+op.Name+" |"); n != 1 {
			t.Errorf("%s has %d rows", op.Name, n)
		}
	}
	for _, row := range []string{
		"| UploadPartCopy | `PUT /BUCKET/KEY?partNumber=…&uploadId=…` with `x-amz-copy-source` | write |",
		"| ListObjectsV2 | `GET /BUCKET?list-type=2` | list |",
		"| DeleteBucketPolicy | `DELETE /BUCKET?policy` | – | – | `x-amz-expected-bucket-owner` | – | admin | nobody | no |",
		"| read | credential, anonymous | yes |",
	} {
		if !strings.Contains(text, row) {
			t.Errorf("the page lacks %s", row)
		}
	}
}
