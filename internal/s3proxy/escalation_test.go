package s3proxy_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestWritingIsNotDeletingByAnEmptyUploadID: some backends take an abort without
// an upload for DeleteObject.
func TestWritingIsNotDeletingByAnEmptyUploadID(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	k := g.mint("prod/uploads:write")
	for _, c := range []call{
		{method: del, path: "/uploads/a.txt", query: "uploadId="},
		{method: get, path: "/uploads/a.txt", query: "uploadId="},
		{method: post, path: "/uploads/a.txt", query: "uploadId="},
		{method: put, path: "/uploads/a.txt", query: "partNumber=1&uploadId=", body: "x"},
		{method: put, path: "/uploads/a.txt", query: "partNumber=&uploadId=u", body: "x"},
	} {
		if r := g.do(k, c); r.status != http.StatusBadRequest || r.code != "InvalidArgument" {
			t.Errorf("%s ?%s: %d %s", c.method, c.query, r.status, r.code)
		}
	}
	g.backendSaw(0)
}

// TestBypassingRetentionIsARightOnEveryKey also where a grant on other keys of
// the bucket gives it.
func TestBypassingRetentionIsARightOnEveryKey(t *testing.T) {
	g := newGateway(t)
	for _, key := range []string{"2026/a.txt", "2026/b.txt", "free/c.txt"} {
		g.backend.PutObject("uploads", key, []byte("hello"))
	}
	k := g.mint("prod/uploads:delete", "prod/uploads/free:bypass-governance")
	body := `<Delete><Object><Key>2026/a.txt</Key></Object><Object><Key>free/c.txt</Key></Object></Delete>`
	bypass := call{
		method: post, path: "/uploads", query: "delete=", body: body,
		header: header("Content-Md5", md5Of(body), "X-Amz-Bypass-Governance-Retention", "true"),
	}
	r := g.do(k, bypass)
	if r.status != http.StatusOK || !strings.Contains(r.body, "<Error><Key>2026/a.txt</Key><Code>AccessDenied</Code>") {
		t.Errorf("%d %s", r.status, r.body)
	}
	left := g.backend.Objects("uploads")
	if _, kept := left["2026/a.txt"]; !kept {
		t.Error("a key is deleted without the right to bypass its retention")
	}
	if _, kept := left["free/c.txt"]; kept {
		t.Error("the key with the right is not deleted")
	}
	one := call{method: del, path: "/uploads/2026/b.txt", header: header("X-Amz-Bypass-Governance-Retention", "true")}
	if r := g.do(k, one); r.status != http.StatusForbidden || r.code != "AccessDenied" {
		t.Errorf("one object: %d %s", r.status, r.code)
	}
	if r := g.do(k, call{method: del, path: "/uploads/2026/b.txt"}); r.status != http.StatusNoContent {
		t.Errorf("without bypassing: %d %s", r.status, r.code)
	}
}
