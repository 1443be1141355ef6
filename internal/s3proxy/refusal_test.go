package s3proxy_test

import (
	"crypto/md5" //nolint:gosec // Content-MD5 is what S3 defines
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"net/http"
	"time"
)

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func md5Of(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // Content-MD5 is what S3 defines
	return base64.StdEncoding.EncodeToString(sum[:])
}

func crc32Of(body string) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body))))
}

const (
	get, head, put, post, del = http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete
)

// pair is an allowed request and the nearest one that is refused, before the
// backend has seen anything of it.
type pair struct {
	name      string
	grants    []string
	allowed   call
	forbidden call
	status    int
	code      string
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

const deleteTwo = `<Delete><Object><Key>2026/a.txt</Key></Object><Object><Key>2026/b.txt</Key></Object></Delete>`

var scopePairs = []pair{
	{
		"another bucket is refused",
		[]string{"prod/uploads:read,list"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/payroll/a.txt"}, 403, "AccessDenied",
	},
	{
		"a bucket that does not exist is refused the same way",
		[]string{"prod/uploads:read,list"},
		call{method: head, path: "/uploads"},
		call{method: get, path: "/nosuch"}, 403, "AccessDenied",
	},
	{
		"the real name behind an alias is refused",
		[]string{"prod/uploads:read,list@inbox"},
		call{method: get, path: "/inbox/a.txt"},
		call{method: get, path: "/uploads/a.txt"}, 403, "AccessDenied",
	},
	{
		"a key outside the prefix is refused",
		[]string{"prod/reports/2026/:read"},
		call{method: get, path: "/reports/2026/a.txt"},
		call{method: get, path: "/reports/20260/a.txt"}, 403, "AccessDenied",
	},
	{
		"an encoded slash does not leave the prefix",
		[]string{"prod/reports/2026/:read"},
		call{method: get, path: "/reports/2026%2Fa.txt"},
		call{method: get, path: "/reports/2025%2Fa.txt"}, 403, "AccessDenied",
	},
	{
		"dots do not leave the prefix",
		[]string{"prod/reports/2026/:read"},
		call{method: get, path: "/reports/2026/a.txt"},
		call{method: get, path: "/reports/2026/%2E%2E/2025/a.txt"}, 400, "InvalidArgument",
	},
	{
		"an empty segment is refused",
		[]string{"prod/reports/2026/:read"},
		call{method: get, path: "/reports/2026/a.txt"},
		call{method: get, path: "/reports/2026//a.txt"}, 400, "InvalidArgument",
	},
	{
		"a file backend's scratch directory is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/.sgwtmp/multipart/x/1"}, 400, "InvalidArgument",
	},
	{
		"an encoded slash in the bucket is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads%2F..%2Fpayroll/a.txt"}, 400, "InvalidBucketName",
	},
	{
		"a list above the prefix is refused",
		[]string{"prod/reports/2026/:list"},
		call{method: get, path: "/reports", query: "list-type=2&prefix=2026%2F"},
		call{method: get, path: "/reports", query: "list-type=2&prefix=20"}, 403, "AccessDenied",
	},
	{
		"an old list above the prefix is refused",
		[]string{"prod/reports/2026/:list"},
		call{method: get, path: "/reports", query: "prefix=2026%2F"},
		call{method: get, path: "/reports"}, 403, "AccessDenied",
	},
	{
		"a list whose prefix has dots is refused",
		[]string{"prod/reports/2026/:list"},
		call{method: get, path: "/reports", query: "list-type=2&prefix=2026%2Fa"},
		call{method: get, path: "/reports", query: "list-type=2&prefix=2026%2F..%2F2025"}, 400, "InvalidArgument",
	},
	{
		"a list of versions above the prefix is refused",
		[]string{"prod/reports/2026/:list"},
		call{method: get, path: "/reports", query: "prefix=2026%2F&versions="},
		call{method: get, path: "/reports", query: "versions="}, 403, "AccessDenied",
	},
	{
		"a list of uploads above the prefix is refused",
		[]string{"prod/reports/2026/:list"},
		call{method: get, path: "/reports", query: "prefix=2026%2F&uploads="},
		call{method: get, path: "/reports", query: "uploads="}, 403, "AccessDenied",
	},
	{
		"read does not list",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads", query: "list-type=2"}, 403, "AccessDenied",
	},
	{
		"list does not read",
		[]string{"prod/uploads:list"},
		call{method: get, path: "/uploads", query: "list-type=2"},
		call{method: get, path: "/uploads/a.txt"}, 403, "AccessDenied",
	},
	{
		"read does not write",
		[]string{"prod/uploads:read"},
		call{method: head, path: "/uploads/a.txt"},
		call{method: put, path: "/uploads/a.txt", body: "x"}, 403, "AccessDenied",
	},
	{
		"write does not delete",
		[]string{"prod/uploads:write"},
		call{method: put, path: "/uploads/a.txt", body: "x"},
		call{method: del, path: "/uploads/a.txt"}, 403, "AccessDenied",
	},
	{
		"delete does not write",
		[]string{"prod/uploads:delete"},
		call{method: del, path: "/uploads/a.txt"},
		call{method: put, path: "/uploads/a.txt", body: "x"}, 403, "AccessDenied",
	},
	{
		"read does not begin an upload",
		[]string{"prod/uploads:read,write"},
		call{method: post, path: "/uploads/big", query: "uploads="},
		call{method: post, path: "/reports/big", query: "uploads="}, 403, "AccessDenied",
	},
	{
		"a copy source outside the scope is refused",
		[]string{"prod/uploads:read,write"},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "/uploads/a.txt")},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "/payroll/a.txt")}, 403, "AccessDenied",
	},
	{
		"a copy source outside the prefix is refused",
		[]string{"prod/uploads:write", "prod/reports/2026/:read"},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "reports/2026/a.txt")},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "reports/2025%2Fa.txt")}, 403, "AccessDenied",
	},
	{
		"a copy source with dots is refused",
		[]string{"prod/uploads:write", "prod/reports/2026/:read"},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "reports/2026/a.txt")},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "reports/2026/../2025/a.txt")}, 400, "InvalidArgument",
	},
	{
		"a copy source without read is refused",
		[]string{"prod/uploads:read,write", "prod/reports:list,write"},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "uploads/a.txt")},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "reports/2026/a.txt")}, 403, "AccessDenied",
	},
	{
		"a copy source with a subresource is refused",
		[]string{"prod/uploads:read,write"},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "uploads/a.txt")},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "uploads/a.txt?acl")}, 400, "InvalidArgument",
	},
	{
		"a reserved name as a copy source is refused",
		[]string{"prod/uploads:read,write"},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "uploads/a.txt")},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "admin/user")}, 400, "InvalidBucketName",
	},
	{
		"a copy from another backend needs read there",
		[]string{"prod/uploads:read,write", "other/reports/2026:read", "other/reports:list,write"},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "reports/2026/a.txt")},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "reports/2025/a.txt")}, 403, "AccessDenied",
	},
	{
		"a part's copy source outside the scope is refused",
		[]string{"prod/uploads:read,write"},
		call{method: put, path: "/uploads/copy", header: header("X-Amz-Copy-Source", "uploads/a.txt")},
		call{method: put, path: "/uploads/big", query: "partNumber=1&uploadId=u", header: header("X-Amz-Copy-Source", "payroll/a.txt")}, 403, "AccessDenied",
	},
	{
		"a multi-delete in another bucket is refused",
		[]string{"prod/reports/2026/:delete"},
		call{method: post, path: "/reports", query: "delete=", body: deleteTwo, header: header("Content-Md5", md5Of(deleteTwo))},
		call{method: post, path: "/uploads", query: "delete=", body: deleteTwo, header: header("Content-Md5", md5Of(deleteTwo))}, 403, "AccessDenied",
	},
	{
		"an unlisted subresource is refused",
		[]string{"prod/uploads:read,list,write,delete"},
		call{method: get, path: "/uploads", query: "location="},
		call{method: get, path: "/uploads", query: "policy="}, 403, "AccessDenied",
	},
	{
		"a made-up subresource is refused",
		[]string{"prod/uploads:read,list,write,delete"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", query: "keys="}, 501, "NotImplemented",
	},
	{
		"the object's ACL is refused",
		[]string{"prod/uploads:read,list,write,delete"},
		call{method: get, path: "/uploads/a.txt", query: "tagging="},
		call{method: get, path: "/uploads/a.txt", query: "acl="}, 403, "AccessDenied",
	},
	{
		"making a bucket is refused",
		[]string{"prod/uploads:read,list,write,delete"},
		call{method: head, path: "/uploads"},
		call{method: put, path: "/others", header: header("X-Amz-Acl", "private")}, 403, "AccessDenied",
	},
	{
		"making a bucket that is there is refused as its owner expects it",
		[]string{"prod/uploads:read,list,write,delete"},
		call{method: head, path: "/uploads"},
		call{method: put, path: "/uploads", header: header("X-Amz-Acl", "private")}, 409, "BucketAlreadyOwnedByYou",
	},
	{
		"deleting a bucket is refused",
		[]string{"prod/uploads:read,list,write,delete"},
		call{method: head, path: "/uploads"},
		call{method: del, path: "/uploads"}, 403, "AccessDenied",
	},
	{
		"an ACL other than private is refused",
		[]string{"prod/uploads:write"},
		call{method: put, path: "/uploads/b.txt", body: "x", header: header("X-Amz-Acl", "private")},
		call{method: put, path: "/uploads/b.txt", body: "x", header: header("X-Amz-Acl", "public-read")}, 403, "AccessDenied",
	},
	{
		"a grant header is refused",
		[]string{"prod/uploads:write"},
		call{method: put, path: "/uploads/b.txt", body: "x"},
		call{method: put, path: "/uploads/b.txt", body: "x", header: header("X-Amz-Grant-Read", `id="someone"`)}, 403, "AccessDenied",
	},
	{
		"governance is not bypassed without the permission",
		[]string{"prod/uploads:delete"},
		call{method: del, path: "/uploads/a.txt"},
		call{method: del, path: "/uploads/a.txt", header: header("X-Amz-Bypass-Governance-Retention", "true")}, 403, "AccessDenied",
	},
	{
		"another owner than the client sees is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", header: header("X-Amz-Expected-Bucket-Owner", "111122223333")}, 403, "AccessDenied",
	},
	{
		"a reserved name is never a bucket",
		[]string{"prod/uploads:read,list"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/admin/user", query: "uid=x"}, 400, "InvalidBucketName",
	},
}

func setHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

var signaturePairs = []pair{
	{
		"an unsigned x-amz- header is refused",
		[]string{"prod/uploads:read,write"},
		call{method: put, path: "/uploads/b.txt", body: "x", header: header("X-Amz-Meta-Colour", "red")},
		call{method: put, path: "/uploads/b.txt", body: "x", tamper: setHeader("X-Amz-Meta-Colour", "red")}, 403, "AccessDenied",
	},
	{
		"an unsigned copy source is refused",
		[]string{"prod/uploads:read,write"},
		call{method: put, path: "/uploads/b.txt", header: header("X-Amz-Copy-Source", "uploads/a.txt")},
		call{method: put, path: "/uploads/b.txt", tamper: setHeader("X-Amz-Copy-Source", "uploads/a.txt")}, 403, "AccessDenied",
	},
	{
		"a tampered header is refused",
		[]string{"prod/uploads:read,write"},
		call{method: put, path: "/uploads/b.txt", body: "x", header: header("X-Amz-Meta-Colour", "red")},
		call{
			method: put, path: "/uploads/b.txt", body: "x", header: header("X-Amz-Meta-Colour", "red"),
			tamper: setHeader("X-Amz-Meta-Colour", "blue"),
		}, 403, "SignatureDoesNotMatch",
	},
	{
		"a tampered query is refused",
		[]string{"prod/uploads:list"},
		call{method: get, path: "/uploads", query: "list-type=2&max-keys=1"},
		call{
			method: get, path: "/uploads", query: "list-type=2&max-keys=1",
			tamper: func(r *http.Request) { r.URL.RawQuery = "list-type=2&max-keys=2" },
		}, 403, "SignatureDoesNotMatch",
	},
	{
		"a tampered path is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{
			method: get, path: "/uploads/a.txt",
			tamper: func(r *http.Request) { r.URL.Path = "/uploads/b.txt" },
		}, 403, "SignatureDoesNotMatch",
	},
	{
		"a tampered method is refused",
		[]string{"prod/uploads:read,delete"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", tamper: func(r *http.Request) { r.Method = del }}, 403, "SignatureDoesNotMatch",
	},
	{
		"a tampered body is refused",
		[]string{"prod/uploads:write"},
		call{method: put, path: "/uploads/b.txt", body: "honest"},
		call{method: put, path: "/uploads/b.txt", body: "tamper", payloadHash: hashOf("honest")}, 400, "XAmzContentSHA256Mismatch",
	},
	{
		"a wrong Content-MD5 is refused",
		[]string{"prod/uploads:write"},
		call{method: put, path: "/uploads/b.txt", body: "x", header: header("Content-Md5", md5Of("x"))},
		call{method: put, path: "/uploads/b.txt", body: "x", header: header("Content-Md5", md5Of("y"))}, 400, "BadDigest",
	},
	{
		"a wrong checksum is refused",
		[]string{"prod/uploads:write"},
		call{method: put, path: "/uploads/b.txt", body: "x", header: header("X-Amz-Checksum-Crc32", crc32Of("x"))},
		call{method: put, path: "/uploads/b.txt", body: "y", header: header("X-Amz-Checksum-Crc32", crc32Of("x"))}, 400, "BadDigest",
	},
	{
		"a body without a digest is refused",
		[]string{"prod/uploads:write"},
		call{method: put, path: "/uploads/b.txt", body: "x", payloadHash: "UNSIGNED-PAYLOAD"},
		call{
			method: put, path: "/uploads/b.txt", body: "x",
			tamper: func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") },
		}, 400, "InvalidRequest",
	},
	{
		"an old date is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", skew: -16 * time.Minute}, 403, "RequestTimeTooSkewed",
	},
	{
		"a date to come is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", skew: 16 * time.Minute}, 403, "RequestTimeTooSkewed",
	},
	{
		"another region is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt", region: "us-east-1"},
		call{method: get, path: "/uploads/a.txt", region: "mars-west-1"}, 400, "AuthorizationHeaderMalformed",
	},
	{
		"a session token is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", header: header("X-Amz-Security-Token", "token")}, 400, "InvalidToken",
	},
	{
		"no signature at all is refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", unsigned: true}, 403, "AccessDenied",
	},
	{
		"the old signature is refused with a hint",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", unsigned: true, header: header("Authorization", "AWS AKIAXXXX:c2ln")}, 400, "InvalidRequest",
	},
	{
		"an old presigned URL is refused with a hint",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{method: get, path: "/uploads/a.txt", query: "AWSAccessKeyId=AKIAXXXX&Expires=1&Signature=c2ln", unsigned: true}, 400, "InvalidRequest",
	},
	{
		"header and query authentication at once are refused",
		[]string{"prod/uploads:read"},
		call{method: get, path: "/uploads/a.txt"},
		call{
			method: get, path: "/uploads/a.txt",
			tamper: func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=00" },
		}, 400, "InvalidArgument",
	},
}
