package s3proxy_test

import (
	"fmt"
	"net/http"
	"strings"

	"keystile/internal/s3wire"
)

var oneRead = call{method: get, path: "/uploads/a.txt"}

// withQuery is a request to an object with every right on it.
func withQuery(method, query string) call {
	c := call{method: method, path: "/uploads/a.txt", query: query}
	if method == put {
		c.body = "x"
	}
	return c
}

// queryPairs smuggle something in the query.
var queryPairs = []pair{
	{"a parameter of another operation is refused", everything, oneRead, withQuery(put, "versionId=v"), 501, "NotImplemented"},
	{"a parameter that stands twice is refused", everything, oneRead, withQuery(get, "versionId=null&versionId=v"), 400, "InvalidArgument"},
	{"a prefix that stands twice is refused", inReports, call{method: get, path: "/reports", query: "prefix=2026%2F"},
		call{method: get, path: "/reports", query: "prefix=&prefix=2026%2F"}, 400, "InvalidArgument"},
	{"a parameter in another case is another", everything, oneRead, withQuery(get, "VERSIONID=v"), 501, "NotImplemented"},
	{"a parameter with a space is another", everything, oneRead, withQuery(get, "versionId%20=v"), 501, "NotImplemented"},
	{"a parameter with a NUL is refused", everything, oneRead, withQuery(get, "versionId%00=v"), 400, "InvalidArgument"},
	{"a value with a NUL is refused", everything, oneRead, withQuery(get, "versionId=v%00"), 400, "InvalidArgument"},
	{"a semicolon in the query is refused", everything, oneRead, oneRead.tampered(rawQuery("versionId=v;acl")), 400, "InvalidURI"},
	{"a broken escape is refused", everything, oneRead, oneRead.tampered(rawQuery("versionId=%zz")), 400, "InvalidURI"},
	{"too many parameters are refused", everything, oneRead, withQuery(get, manyParameters(65)), 400, "InvalidArgument"},
	{"a copy source in the query is refused", everything, oneRead, withQuery(put, "x-amz-copy-source=payroll%2Fa.txt"), 501, "NotImplemented"},
	{"an ACL in the query needs its right", []string{"prod/uploads:write"}, withQuery(put, "x-amz-acl=private"), withQuery(put, "x-amz-acl=public-read"), 403, "AccessDenied"},
	{"a grant in the query needs its right", []string{"prod/uploads:write"}, withQuery(put, ""), withQuery(put, "x-amz-grant-read=id%3Dx"), 403, "AccessDenied"},
	{"bypassing retention in the query needs its right", []string{"prod/uploads:delete"}, withQuery(del, ""), withQuery(del, "x-amz-bypass-governance-retention=true"), 403, "AccessDenied"},
	{"an owner in the query is looked at", everything, oneRead, withQuery(get, "x-amz-expected-bucket-owner=111122223333"), 403, "AccessDenied"},
	{"a header in query and head is refused", everything, oneRead,
		call{method: put, path: "/uploads/a.txt", query: "x-amz-storage-class=GLACIER", body: "x", header: header("X-Amz-Storage-Class", "STANDARD")}, 400, "InvalidRequest"},
	{"a line break in a hoisted header is refused", everything, oneRead, withQuery(put, "x-amz-meta-a=b%0D%0Ax-amz-acl:public-read"), 400, "InvalidArgument"},
	{"a hoisted header that is no header is refused", everything, oneRead, withQuery(put, "x-amz-meta-a%3A=b"), 400, "InvalidArgument"},
	{"two operations at once are refused", everything, oneRead, withQuery(get, "acl=&tagging="), 400, "InvalidRequest"},
	{"two operations on a bucket at once are refused", everything, call{method: get, path: "/uploads", query: "location="},
		call{method: get, path: "/uploads", query: "location=&versions="}, 400, "InvalidRequest"},
	{"administration beside a list is refused", everything, call{method: get, path: "/uploads", query: "list-type=2"},
		call{method: get, path: "/uploads", query: "list-type=2&policy="}, 400, "InvalidRequest"},
	{"a kind of list that is unknown is refused", everything, call{method: get, path: "/uploads", query: "list-type=2"},
		call{method: get, path: "/uploads", query: "list-type=3"}, 501, "NotImplemented"},
	{"a subresource with another method is refused", everything, withQuery(get, "tagging="), call{method: post, path: "/uploads/a.txt", query: "tagging=", body: tagsBody}, 405, "MethodNotAllowed"},
	{"beginning an upload with PUT is refused", everything, withQuery(post, "uploads="), withQuery(put, "uploads="), 405, "MethodNotAllowed"},
	{"removing a restore is refused", everything, oneRead, withQuery(del, "restore="), 405, "MethodNotAllowed"},
	{"part 0 is refused", everything, oneRead, withQuery(put, "partNumber=0&uploadId=u"), 400, "InvalidArgument"},
	{"part 10001 is refused", everything, oneRead, withQuery(put, "partNumber=10001&uploadId=u"), 400, "InvalidArgument"},
	{"a part with a sign is refused", everything, oneRead, withQuery(put, "partNumber=%2B1&uploadId=u"), 400, "InvalidArgument"},
	{"a part without its upload is refused", everything, oneRead, withQuery(put, "partNumber=1"), 501, "NotImplemented"},
	{"overriding headers of a write is refused", everything, withQuery(get, "response-content-type=text%2Fplain"), withQuery(put, "response-content-type=text%2Fplain"), 501, "NotImplemented"},
	{"selecting is refused", everything, oneRead, call{method: post, path: "/uploads/a.txt", query: "select=&select-type=2", body: "<SelectObjectContentRequest/>"}, 501, "NotImplemented"},
	{"a torrent is refused", everything, oneRead, withQuery(get, "torrent="), 501, "NotImplemented"},
	{"renaming is refused", everything, oneRead, withQuery(put, "renameObject="), 501, "NotImplemented"},
	{"appending in Alibaba's way is refused", everything, oneRead, call{method: post, path: "/uploads/a.txt", query: "append=&position=0"}, 405, "MethodNotAllowed"},
	{"processing in Alibaba's way is refused", everything, oneRead, withQuery(get, "x-oss-process=image%2Fresize"), 501, "NotImplemented"},
	{"a symlink in Alibaba's way is refused", everything, oneRead, withQuery(put, "symlink="), 501, "NotImplemented"},
	{"MinIO's lambdas are refused", everything, oneRead, withQuery(get, "lambdaArn=arn%3Aminio"), 501, "NotImplemented"},
	{"MinIO's events are refused", everything, call{method: get, path: "/uploads", query: "location="},
		call{method: get, path: "/uploads", query: "events=s3%3AObjectCreated%3A%2A"}, 501, "NotImplemented"},
	{"MinIO's metadata in a list is refused", everything, call{method: get, path: "/uploads", query: "list-type=2"},
		call{method: get, path: "/uploads", query: "list-type=2&metadata=true"}, 501, "NotImplemented"},
	{"MinIO's force is refused", everything, call{method: head, path: "/uploads"},
		call{method: get, path: "/uploads", query: "force=true"}, 501, "NotImplemented"},
	{"Ceph's replication is refused", everything, oneRead, withQuery(get, "rgwx-uid=admin"), 501, "NotImplemented"},
	{"Ceph's copying of metadata is refused", everything, oneRead, withQuery(get, "rgwx-prepend-metadata=true"), 501, "NotImplemented"},
	{"Ceph's search is refused", everything, call{method: get, path: "/uploads", query: "list-type=2"},
		call{method: get, path: "/uploads", query: "mdsearch="}, 501, "NotImplemented"},
	{"Ceph's unordered list is refused", everything, call{method: get, path: "/uploads", query: "list-type=2"},
		call{method: get, path: "/uploads", query: "allow-unordered=true"}, 501, "NotImplemented"},
	{"SeaweedFS's own parameters are refused", everything, oneRead, withQuery(get, "metadata=true"), 501, "NotImplemented"},
	{"a bucket cannot be purged", everything, call{method: head, path: "/uploads"},
		call{method: del, path: "/uploads", query: "purge-objects=true"}, 501, "NotImplemented"},
	{"a session is refused", everything, call{method: head, path: "/uploads"}, call{method: get, path: "/uploads", query: "session="}, 403, "AccessDenied"},
	{"a question to the service with a parameter is refused", everything, oneRead, call{method: get, path: "/", query: "usage="}, 501, "NotImplemented"},
	{"writing to the service is refused", everything, oneRead, call{method: put, path: "/"}, 405, "MethodNotAllowed"},
	{"signing in at the service is refused", everything, oneRead, call{method: post, path: "/", query: "Action=AssumeRole&Version=2011-06-15"}, 405, "MethodNotAllowed"},
	{"an unknown method is refused", everything, oneRead, call{method: "PATCH", path: "/uploads/a.txt", body: "x"}, 405, "MethodNotAllowed"},
	{"tracing is refused", everything, oneRead, call{method: "TRACE", path: "/uploads/a.txt"}, 405, "MethodNotAllowed"},
}

// rawQuery is a query that no client could sign.
func rawQuery(query string) func(*http.Request) {
	return func(r *http.Request) { r.URL.RawQuery = query }
}

func manyParameters(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("p%d=", i)
	}
	return strings.Join(names, "&")
}

// administrationPairs are one for each operation that no credential may call,
// whatever its grants.
func administrationPairs() []pair {
	var pairs []pair
	for _, op := range s3wire.Operations() {
		if op.Class != s3wire.ClassAdmin {
			continue
		}
		c := call{method: op.Method, path: [...]string{"/", "/uploads", "/uploads/a.txt"}[op.Level]}
		for _, p := range op.By {
			value := p.Value
			if value == s3wire.AnyValue {
				value = "x"
			}
			c.query += "&" + p.Name + "=" + value
		}
		c.query = strings.TrimPrefix(c.query, "&")
		status, code := 403, "AccessDenied"
		if op.Name == s3wire.OpCreateBucket {
			status, code = 409, "BucketAlreadyOwnedByYou"
		}
		pairs = append(pairs, pair{op.Name + " is refused to every grant", everything, oneRead, c, status, code})
	}
	return pairs
}
