package s3proxy_test

import (
	"io"
	"net/http"
	"strings"
)

var write = call{method: put, path: "/uploads/b.txt", body: "x"}

func (c call) having(pairs ...string) call {
	c.header = header(pairs...)
	return c
}

func (c call) sending(body string) call {
	c.body = body
	return c
}

var copying = call{method: put, path: "/uploads/b.txt"}.having("X-Amz-Copy-Source", "uploads/a.txt")

func copyFrom(source string) call { return copying.having("X-Amz-Copy-Source", source) }

func addHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = append(r.Header[name], value) }
}

// headerPairs smuggle something in a header.
var headerPairs = []pair{
	{"a copy source on a read is refused", everything, oneRead, oneRead.having("X-Amz-Copy-Source", "payroll/a.txt"), 501, "NotImplemented"},
	{"a second copy source is refused", everything, copying,
		call{method: put, path: "/uploads/b.txt", header: http.Header{"X-Amz-Copy-Source": {"uploads/a.txt", "payroll/a.txt"}}}, 400, "InvalidArgument"},
	{"a copy with a body is refused", everything, copying, copying.sending("x"), 400, "InvalidRequest"},
	{"a condition on no source is refused", everything, write, write.having("X-Amz-Copy-Source-If-Match", "x"), 501, "NotImplemented"},
	{"a directive on no copy is refused", everything, write, write.having("X-Amz-Metadata-Directive", "REPLACE"), 501, "NotImplemented"},
	{"a source to rename is refused", everything, write, write.having("X-Amz-Rename-Source", "payroll/a.txt"), 501, "NotImplemented"},
	{"the owner's second factor is refused", everything, call{method: del, path: "/uploads/a.txt"},
		call{method: del, path: "/uploads/a.txt"}.having("X-Amz-Mfa", "serial 123456"), 501, "NotImplemented"},
	{"a bucket's ownership is refused", everything, write, write.having("X-Amz-Object-Ownership", "ObjectWriter"), 501, "NotImplemented"},
	{"a replica's status is refused", everything, write, write.having("X-Amz-Replication-Status", "REPLICA"), 501, "NotImplemented"},
	{"metadata without a name is refused", everything, write, write.having("X-Amz-Meta-", "x"), 501, "NotImplemented"},
	{"metadata on a read is refused", everything, oneRead, oneRead.having("X-Amz-Meta-Colour", "red"), 501, "NotImplemented"},
	{"tags on a read are refused", everything, oneRead, oneRead.having("X-Amz-Tagging", "a=b"), 501, "NotImplemented"},
	{"encryption on a read is refused", everything, oneRead, oneRead.having("X-Amz-Server-Side-Encryption", "aws:kms"), 501, "NotImplemented"},
	{"a lock on a read is refused", everything, oneRead, oneRead.having("X-Amz-Object-Lock-Legal-Hold", "OFF"), 501, "NotImplemented"},
	{"an ACL on a read is refused", everything, oneRead, oneRead.having("X-Amz-Acl", "private"), 501, "NotImplemented"},
	{"an ACL on a part is refused", everything, write,
		call{method: put, path: "/uploads/b.txt", query: "partNumber=1&uploadId=u", body: "x"}.having("X-Amz-Acl", "private"), 501, "NotImplemented"},
	{"an unknown ACL is refused", everything, write, write.having("X-Amz-Acl", "everyone"), 400, "InvalidArgument"},
	{"an ACL given twice is refused", everything, write.having("X-Amz-Acl", "private"),
		call{method: put, path: "/uploads/b.txt", body: "x", header: http.Header{"X-Amz-Acl": {"private", "public-read"}}}, 400, "InvalidArgument"},
	{"a canned ACL beside grants is refused", everything, write, write.having("X-Amz-Acl", "private", "X-Amz-Grant-Read", "id=x"), 400, "InvalidRequest"},
	{"a grant to an unknown group is refused", everything, write, write.having("X-Amz-Grant-Read", "uri=http://example.org/all"), 400, "InvalidArgument"},
	{"a grant with a line's end is refused", everything, write, write.having("X-Amz-Grant-Read", `id="a"b"`), 400, "InvalidArgument"},
	{"a right over the bucket is refused", everything, write, write.having("X-Amz-Grant-Write", "id=x"), 501, "NotImplemented"},
	{"half a bypass is refused", everything, call{method: del, path: "/uploads/a.txt"},
		call{method: del, path: "/uploads/a.txt"}.having("X-Amz-Bypass-Governance-Retention", "1"), 400, "InvalidArgument"},
	{"bypassing retention on a write is refused", everything, write, write.having("X-Amz-Bypass-Governance-Retention", "true"), 501, "NotImplemented"},
	{"another owner of the source is refused", everything, copying,
		copying.having("X-Amz-Copy-Source", "uploads/a.txt", "X-Amz-Source-Expected-Bucket-Owner", "111122223333"), 403, "AccessDenied"},
	{"another owner of a list is refused", everything, call{method: get, path: "/uploads"},
		call{method: get, path: "/uploads"}.having("X-Amz-Expected-Bucket-Owner", "111122223333"), 403, "AccessDenied"},
	{"another owner of a written bucket is refused", everything, write, write.having("X-Amz-Expected-Bucket-Owner", "111122223333"), 403, "AccessDenied"},
	{"Alibaba's headers in S3's clothes are refused", everything, write, write.having("X-Amz-Object-Group", "x"), 501, "NotImplemented"},
	{"MinIO's extraction in S3's clothes is refused", everything, write, write.having("X-Amz-Minio-Extract", "true"), 501, "NotImplemented"},
	{"the internals of MinIO are refused", everything, write, write.having("X-Amz-Replication-Source", "x"), 501, "NotImplemented"},
	{"a session's mode is refused", everything, oneRead, oneRead.having("X-Amz-Create-Session-Mode", "ReadWrite"), 501, "NotImplemented"},
	{"a read with a body is refused", everything, oneRead, oneRead.sending("x"), 400, "InvalidRequest"},
	{"a delete with a body is refused", everything, call{method: del, path: "/uploads/a.txt"}, call{method: del, path: "/uploads/a.txt", body: "x"}, 400, "InvalidRequest"},

	{"a copy source that leaves its bucket is refused", everything, copying, copyFrom("uploads%2F..%2Fpayroll/a.txt"), 400, "InvalidArgument"},
	{"a copy source with plain dots is refused", everything, copying, copyFrom("uploads/../payroll/a.txt"), 400, "InvalidArgument"},
	{"a double-encoded copy source is another", []string{"prod/uploads:write", "prod/reports/2026:read"},
		copyFrom("reports/2026/a.txt"), copyFrom("reports/2026%252Fa.txt"), 403, "AccessDenied"},
	{"a copy source without a key is refused", everything, copying, copyFrom("uploads"), 400, "InvalidArgument"},
	{"a copy source with an empty key is refused", everything, copying, copyFrom("uploads/"), 400, "InvalidArgument"},
	{"a copy source with an empty bucket is refused", everything, copying, copyFrom("//uploads/a.txt"), 400, "InvalidBucketName"},
	{"a copy source that is an ARN is refused", everything, copying, copyFrom("arn:aws:s3:eu-test-1:1:accesspoint/x/object/a.txt"), 400, "InvalidArgument"},
	{"a copy source that is a URL is refused", everything, copying, copyFrom("http://payroll/a.txt"), 400, "InvalidBucketName"},
	{"a copy source with a broken escape is refused", everything, copying, copyFrom("uploads/%zz"), 400, "InvalidArgument"},
	{"a copy source with a NUL is refused", everything, copying, copyFrom("uploads/a%00"), 400, "InvalidURI"},
	{"a copy source with two versions is refused", everything, copying, copyFrom("uploads/a.txt?versionId=1&versionId=2"), 400, "InvalidArgument"},
	{"a copy source with more than a version is refused", everything, copying, copyFrom("uploads/a.txt?versionId=1&acl"), 400, "InvalidArgument"},
	{"the real name behind an alias is no copy source", []string{"prod/uploads:read,write", "prod/payroll:read@sums"},
		copyFrom("sums/a.txt"), copyFrom("payroll/a.txt"), 403, "AccessDenied"},
	{"Swift's API is no copy source", everything, copying, copyFrom("swift/v1"), 400, "InvalidBucketName"},
	{"an encoded reserved name is no copy source", everything, copying, copyFrom("%61dmin/user"), 400, "InvalidBucketName"},
	{"a part's copy source with dots is refused", everything, copying,
		call{method: put, path: "/uploads/b.txt", query: "partNumber=1&uploadId=u"}.having("X-Amz-Copy-Source", "uploads/../payroll/a.txt"), 400, "InvalidArgument"},
	{"a part's copy source without read is refused", []string{"prod/uploads:write,list", "prod/reports:read"}, copyFrom("reports/2026/a.txt"),
		call{method: put, path: "/uploads/b.txt", query: "partNumber=1&uploadId=u"}.having("X-Amz-Copy-Source", "uploads/a.txt"), 403, "AccessDenied"},
}

const trailing = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

func (c call) hashed(hash string) call {
	c.payloadHash = hash
	return c
}

func (c call) tampered(with func(*http.Request)) call {
	c.tamper = with
	return c
}

// framed is a write with a checksum in its trailer.
func framed(wire string, length string) call {
	return write.sending(wire).hashed(trailing).having("X-Amz-Decoded-Content-Length", length, "X-Amz-Trailer", "x-amz-checksum-crc32")
}

var goodFrame = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc32Of("hello") + "\r\n\r\n"

func tagged(body string) call {
	return call{method: put, path: "/uploads/a.txt", query: "tagging=", body: body}
}

func deleting(body string) call {
	return call{method: post, path: "/uploads", query: "delete=", body: body, header: header("Content-Md5", md5Of(body))}
}

func completing(body string) call {
	return call{method: post, path: "/uploads/a.txt", query: "uploadId=u", body: body}
}

var manyKeys = "<Delete>" + strings.Repeat("<Object><Key>k</Key></Object>", 1001) + "</Delete>"

// bodyPairs are bodies that are not what they were declared or signed to be.
var bodyPairs = []pair{
	{"a trailer that is wrong is refused", everything, framed(goodFrame, "5"), framed(strings.Replace(goodFrame, "hello", "jello", 1), "5"), 400, "BadDigest"},
	{"a trailer that is missing is refused", everything, framed(goodFrame, "5"), framed("5\r\nhello\r\n0\r\n\r\n", "5"), 400, "MalformedTrailerError"},
	{"another trailer than announced is refused", everything, framed(goodFrame, "5"), framed("5\r\nhello\r\n0\r\nx-amz-meta-a:b\r\n\r\n", "5"), 400, "MalformedTrailerError"},
	{"a longer payload than declared is refused", everything, framed(goodFrame, "5"), framed(goodFrame, "4"), 400, "IncompleteBody"},
	{"a shorter payload than declared is refused", everything, framed(goodFrame, "5"), framed(goodFrame, "6"), 400, "IncompleteBody"},
	{"a stream without its end is refused", everything, framed(goodFrame, "5"), framed("5\r\nhello\r\n", "5"), 400, "IncompleteBody"},
	{"something after the end is refused", everything, framed(goodFrame, "5"), framed(goodFrame+"x", "5"), 400, "IncompleteBody"},
	{"a frame without a declared length is refused", everything, framed(goodFrame, "5"), framed(goodFrame, ""), 411, "MissingContentLength"},
	{"a trailer of an unknown kind is refused", everything, framed(goodFrame, "5"),
		write.sending(goodFrame).hashed(trailing).having("X-Amz-Decoded-Content-Length", "5", "X-Amz-Trailer", "x-amz-acl"), 400, "InvalidRequest"},
	{"a trailer on a plain body is refused", everything, write, write.having("X-Amz-Trailer", "x-amz-checksum-crc32"), 400, "InvalidRequest"},
	{"a decoded length on a plain body is refused", everything, write, write.having("X-Amz-Decoded-Content-Length", "9"), 400, "InvalidRequest"},
	{"a digest that is none is refused", everything, write, write.hashed("sha256"), 400, "InvalidArgument"},
	{"a Content-MD5 that is none is refused", everything, write, write.having("Content-Md5", "nonsense"), 400, "InvalidDigest"},
	{"a checksum that is none is refused", everything, write, write.having("X-Amz-Checksum-Sha256", "nonsense"), 400, "InvalidRequest"},
	{"two checksums at once are refused", everything, write, write.having("X-Amz-Checksum-Crc32", crc32Of("x"), "X-Amz-Checksum-Sha1", "x"), 400, "InvalidRequest"},
	{"a promised checksum that is missing is refused", everything, write, write.having("X-Amz-Sdk-Checksum-Algorithm", "SHA256"), 400, "InvalidRequest"},
	{"a wrong SHA-256 checksum is refused", everything, write, write.hashed("UNSIGNED-PAYLOAD").having("X-Amz-Checksum-Sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), 400, "BadDigest"},
	{"a body that changed under an unsigned digest is refused", everything, write.hashed("UNSIGNED-PAYLOAD").having("Content-Md5", md5Of("x")),
		write.hashed("UNSIGNED-PAYLOAD").having("Content-Md5", md5Of("y")), 400, "BadDigest"},
	{"a long body without a length is refused", everything, write, write.hashed("UNSIGNED-PAYLOAD").tampered(func(r *http.Request) {
		r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(strings.Repeat("x", 100_000)))
	}), 411, "MissingContentLength"},

	{"tags with a document type are refused", everything, tagged(tagsBody), tagged(`<!DOCTYPE x [<!ENTITY e "v">]>` + tagsBody), 400, "MalformedXML"},
	{"tags that are not well-formed are refused", everything, tagged(tagsBody), tagged(strings.TrimSuffix(tagsBody, "</Tagging>")), 400, "MalformedXML"},
	{"a tag that stands twice is refused", everything, tagged(tagsBody), tagged(strings.Replace(tagsBody, "</Tag>", "</Tag><Tag><Key>k</Key><Value>w</Value></Tag>", 1)), 400, "InvalidTag"},
	{"an unknown element in tags is refused", everything, tagged(tagsBody), tagged(strings.Replace(tagsBody, "</Tag>", "<More/></Tag>", 1)), 400, "MalformedXML"},
	{"tags in a foreign namespace are refused", everything, tagged(tagsBody), tagged(strings.Replace(tagsBody, "<Tag>", `<Tag xmlns="urn:x">`, 1)), 400, "MalformedXML"},
	{"tags with another digest than signed are refused", everything, tagged(tagsBody), tagged(tagsBody).hashed(hashOf("x")), 400, "XAmzContentSHA256Mismatch"},
	{"a multi-delete with a document type is refused", everything, deleting(deleteTwo), deleting("<!DOCTYPE x>" + deleteTwo), 400, "MalformedXML"},
	{"a multi-delete with two keys in one is refused", everything, deleting(deleteTwo), deleting(`<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>`), 400, "MalformedXML"},
	{"a multi-delete of nothing is refused", everything, deleting(deleteTwo), deleting(`<Delete></Delete>`), 400, "MalformedXML"},
	{"a multi-delete of too much is refused", everything, deleting(deleteTwo), deleting(manyKeys), 400, "MalformedXML"},
	{"a multi-delete of an empty key is refused", everything, deleting(deleteTwo), deleting(`<Delete><Object><Key></Key></Object></Delete>`), 400, "MalformedXML"},
	{"a multi-delete with a hidden key is refused", everything, deleting(deleteTwo), deleting(`<Delete><Object><Key>a</Key><!--<Key>b</Key>--></Object></Delete>`), 400, "MalformedXML"},
	{"a multi-delete that changed is refused", everything, deleting(deleteTwo),
		call{method: post, path: "/uploads", query: "delete=", body: deleteTwo, header: header("Content-Md5", md5Of("other"))}, 400, "BadDigest"},
	{"parts out of order are refused", everything, tagged(tagsBody),
		completing(`<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>e</ETag></Part><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>`), 400, "InvalidPartOrder"},
	{"completing with what is no part is refused", everything, tagged(tagsBody), completing(`<CompleteMultipartUpload><Piece/></CompleteMultipartUpload>`), 400, "MalformedXML"},
	{"a hold of another kind is refused", everything, tagged(tagsBody),
		call{method: put, path: "/uploads/a.txt", query: "legal-hold=", body: "<LegalHold><Status>MAYBE</Status></LegalHold>"}, 400, "MalformedXML"},
	{"a retention without a date is refused", everything, tagged(tagsBody),
		call{method: put, path: "/uploads/a.txt", query: "retention=", body: "<Retention><Mode>GOVERNANCE</Mode></Retention>"}, 400, "MalformedXML"},
	{"a restore into another bucket is refused", everything, tagged(tagsBody),
		call{method: post, path: "/uploads/a.txt", query: "restore=", body: "<RestoreRequest><OutputLocation><S3><BucketName>payroll</BucketName></S3></OutputLocation></RestoreRequest>"}, 501, "NotImplemented"},
	{"an ACL for another owner is refused", everything, call{method: get, path: "/uploads/a.txt", query: "acl="},
		call{method: put, path: "/uploads/a.txt", query: "acl=", body: aclOf("0123")}, 403, "AccessDenied"},
	{"an ACL of nobody is refused", everything, call{method: get, path: "/uploads/a.txt", query: "acl="},
		call{method: put, path: "/uploads/a.txt", query: "acl=", body: "<AccessControlPolicy/>"}, 400, "MalformedXML"},
}
