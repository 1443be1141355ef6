package s3proxy_test

import (
	"net/http"
	"strings"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// once is the call after something was done to its key.
func (c call) once(before func(*gateway, key)) call {
	c.before = before
	return c
}

func (c call) by(as func(key) key) call {
	c.as = as
	return c
}

func changed(edit func(*keystile.Credential)) func(*gateway, key) {
	return func(g *gateway, k key) { g.change(k, edit) }
}

// rotated gives the key another secret; the old one is good until the time.
func rotated(until time.Duration) func(*gateway, key) {
	return func(g *gateway, k key) {
		secrets := keystile.CredentialSecrets{Current: keystile.NewSecretKey(), Previous: k.secret}
		g.write(func(tx store.Tx, generation int64) error {
			c, err := tx.Credential(k.id)
			if err != nil {
				return err
			}
			if until <= 0 {
				secrets.Previous = keystile.Secret{}
			} else {
				c.OverlapUntil = time.Now().Add(until)
			}
			c.Generation = generation
			if err := tx.SetCredentialSecrets(k.id, secrets); err != nil {
				return err
			}
			return tx.UpdateCredential(c)
		})
	}
}

func replaceHeader(name, old, new string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, strings.Replace(r.Header.Get(name), old, new, 1)) }
}

// keyPairs are keys that are good no more, or never were.
var keyPairs = []pair{
	{"a revoked key is refused", everything, oneRead, oneRead.once(changed(func(c *keystile.Credential) { c.RevokedAt = time.Now() })), 401, "InvalidAccessKeyId"},
	{"a disabled key is refused", everything, oneRead, oneRead.once(changed(func(c *keystile.Credential) { c.DisabledAt = time.Now() })), 401, "InvalidAccessKeyId"},
	{"an expired key is refused", everything, oneRead, oneRead.once(changed(func(c *keystile.Credential) { c.ExpiresAt = time.Now().Add(-time.Second) })), 401, "InvalidAccessKeyId"},
	{"a revoked key writes nothing", everything, write, write.once(changed(func(c *keystile.Credential) { c.RevokedAt = time.Now() })), 401, "InvalidAccessKeyId"},
	{"a narrowed key is refused what it lost", everything, oneRead, oneRead.once(changed(func(c *keystile.Credential) { c.Grants[0].Permission = keystile.List })), 403, "AccessDenied"},
	{"a key with another prefix is refused what it lost", everything, oneRead, oneRead.once(changed(func(c *keystile.Credential) { c.Grants[0].Prefix = "b/" })), 403, "AccessDenied"},
	{"an old secret without an overlap is refused", everything, oneRead.once(rotated(time.Hour)), oneRead.once(rotated(0)), 403, "SignatureDoesNotMatch"},
	{"an unknown key is refused", everything, oneRead, oneRead.by(func(k key) key { return key{"AKIAUNKNOWNUNKNOWN00", k.secret} }), 401, "InvalidAccessKeyId"},
	{"another secret is refused", everything, oneRead, oneRead.by(func(k key) key { return key{k.id, keystile.NewSecretKey()} }), 403, "SignatureDoesNotMatch"},
	{"the backend's own key is refused", everything, oneRead, oneRead.by(func(key) key { return key{backendKey, keystile.NewSecret(backendSecret)} }), 401, "InvalidAccessKeyId"},
	{"a key id in another case is another", everything, oneRead, oneRead.by(func(k key) key { return key{strings.ToLower(k.id), k.secret} }), 401, "InvalidAccessKeyId"},
	{"an empty key id is refused", everything, oneRead, oneRead.tampered(func(r *http.Request) {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=/20260101/eu-test-1/s3/aws4_request,SignedHeaders=host,Signature=00")
	}), 400, "AuthorizationHeaderMalformed"},
	{"a presigned URL of a revoked key is refused", everything, signedURL(get, "/uploads/a.txt"),
		signedURL(get, "/uploads/a.txt").once(changed(func(c *keystile.Credential) { c.RevokedAt = time.Now() })), 401, "InvalidAccessKeyId"},
	{"another service is refused", everything, oneRead, oneRead.tampered(replaceHeader("Authorization", "/s3/", "/iam/")), 400, "AuthorizationHeaderMalformed"},
	{"another day than signed for is refused", everything, oneRead, oneRead.tampered(replaceHeader("Authorization", "/20", "/19")), 400, "AuthorizationHeaderMalformed"},
	{"a Host that is not signed is refused", everything, oneRead, oneRead.tampered(replaceHeader("Authorization", "SignedHeaders=host;", "SignedHeaders=")), 403, "AccessDenied"},
	{"two signatures are refused", everything, oneRead, oneRead.tampered(func(r *http.Request) {
		r.Header["Authorization"] = append(r.Header["Authorization"], r.Header["Authorization"][0])
	}), 400, "InvalidArgument"},
	{"an asymmetric signature is refused with a hint", everything, oneRead, oneRead.tampered(replaceHeader("Authorization", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")), 400, "InvalidRequest"},
	{"a bearer token is refused", everything, oneRead, oneRead.tampered(setHeader("Authorization", "Bearer ks_something")), 400, "InvalidArgument"},
	{"another Host than signed is refused", everything, oneRead, oneRead.tampered(func(r *http.Request) { r.Host = "payroll.example.org" }), 403, "SignatureDoesNotMatch"},
	{"an owner that was not signed is refused", everything, oneRead, oneRead.tampered(setHeader("X-Amz-Expected-Bucket-Owner", "1")), 403, "AccessDenied"},
	{"a bypass that was not signed is refused", everything, call{method: del, path: "/uploads/a.txt"},
		call{method: del, path: "/uploads/b.txt"}.tampered(setHeader("X-Amz-Bypass-Governance-Retention", "true")), 403, "AccessDenied"},
	{"an ACL that was not signed is refused", everything, write, write.tampered(setHeader("X-Amz-Acl", "public-read")), 403, "AccessDenied"},
	{"another copy source than signed is refused", everything, copying, copying.tampered(setHeader("X-Amz-Copy-Source", "uploads/b.txt")), 403, "SignatureDoesNotMatch"},
	{"an added query is refused", everything, oneRead, oneRead.tampered(func(r *http.Request) { r.URL.RawQuery = "acl=" }), 403, "SignatureDoesNotMatch"},
	{"a header added twice is refused", everything, write.having("X-Amz-Meta-A", "1"), write.having("X-Amz-Meta-A", "1").tampered(addHeader("X-Amz-Meta-A", "2")), 403, "SignatureDoesNotMatch"},
}

// signedURL is a call whose signature stands in its query.
func signedURL(method, path string) call {
	c := call{method: method, path: path, presigned: time.Hour}
	if method == put {
		c.body = "x"
	}
	return c
}

func (c call) old(age time.Duration) call {
	c.aged = age
	return c
}

func (c call) edited(edit func(string) string) call {
	c.edit = edit
	return c
}

func replaced(old, new string) func(string) string {
	return func(query string) string { return strings.Replace(query, old, new, 1) }
}

func added(param string) func(string) string {
	return func(query string) string { return query + "&" + param }
}

// presignedPairs are URLs that are not what was signed.
var presignedPairs = []pair{
	{"a URL is refused after its time", everything, signedURL(get, "/uploads/a.txt").old(59 * time.Minute), signedURL(get, "/uploads/a.txt").old(61 * time.Minute), 403, "AccessDenied"},
	{"a URL from the future is refused", everything, signedURL(get, "/uploads/a.txt"), signedURL(get, "/uploads/a.txt").old(-20 * time.Minute), 403, "AccessDenied"},
	{"a URL whose time was stretched is refused", everything, signedURL(get, "/uploads/a.txt"),
		signedURL(get, "/uploads/a.txt").edited(replaced("X-Amz-Expires=3600", "X-Amz-Expires=7200")), 403, "SignatureDoesNotMatch"},
	{"a URL for more than a week is refused", everything, signedURL(get, "/uploads/a.txt"),
		signedURL(get, "/uploads/a.txt").edited(replaced("X-Amz-Expires=3600", "X-Amz-Expires=604801")), 400, "AuthorizationQueryParametersError"},
	{"a URL without its time is refused", everything, signedURL(get, "/uploads/a.txt"),
		signedURL(get, "/uploads/a.txt").edited(replaced("&X-Amz-Expires=3600", "")), 400, "AuthorizationQueryParametersError"},
	{"a URL for another bucket than granted is refused", everything, signedURL(get, "/uploads/a.txt"), signedURL(get, "/payroll/a.txt"), 403, "AccessDenied"},
	{"a URL to write is refused without write", []string{"prod/uploads:read"}, signedURL(get, "/uploads/a.txt"), signedURL(put, "/uploads/a.txt"), 403, "AccessDenied"},
	{"a URL with dots is refused", inReports, signedURL(get, "/reports/2026/a.txt"), signedURL(get, "/reports/2026/../2025/a.txt"), 400, "InvalidArgument"},
	{"a URL with another version is refused", everything, signedURL(get, "/uploads/a.txt"), signedURL(get, "/uploads/a.txt").edited(added("versionId=1")), 403, "SignatureDoesNotMatch"},
	{"a URL with another subresource is refused", everything, signedURL(get, "/uploads/a.txt"), signedURL(get, "/uploads/a.txt").edited(added("acl=")), 403, "SignatureDoesNotMatch"},
	{"a URL with other headers of the answer is refused", everything, signedURL(get, "/uploads/a.txt"),
		signedURL(get, "/uploads/a.txt").edited(added("response-content-type=text%2Fhtml")), 403, "SignatureDoesNotMatch"},
	{"a URL with an added header in its query is refused", everything, signedURL(put, "/uploads/b.txt"),
		signedURL(put, "/uploads/b.txt").edited(added("x-amz-acl=public-read")), 403, "SignatureDoesNotMatch"},
	{"a URL with an added copy source is refused", everything, signedURL(put, "/uploads/b.txt"),
		call{method: put, path: "/uploads/b.txt", presigned: time.Hour}.tampered(setHeader("X-Amz-Copy-Source", "uploads/a.txt")), 403, "AccessDenied"},
	{"a URL with a session token is refused", everything, signedURL(get, "/uploads/a.txt"), signedURL(get, "/uploads/a.txt").edited(added("X-Amz-Security-Token=t")), 400, "InvalidToken"},
	{"a URL with a second signature is refused", everything, signedURL(get, "/uploads/a.txt"), signedURL(get, "/uploads/a.txt").edited(added("X-Amz-Signature=00")), 400, "InvalidArgument"},
	{"a URL in lower case is refused", everything, signedURL(get, "/uploads/a.txt"), signedURL(get, "/uploads/a.txt").edited(strings.ToLower), 400, "AuthorizationQueryParametersError"},
	{"a URL with an ACL needs its right", []string{"prod/uploads:write"}, signedURL(put, "/uploads/b.txt"),
		call{method: put, path: "/uploads/b.txt", body: "x", query: "x-amz-acl=public-read", presigned: time.Hour}, 403, "AccessDenied"},
}

func inChunks(chunks ...string) call {
	return call{
		method: put, path: "/uploads/b.txt", payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", chunks: chunks,
		header: header("X-Amz-Decoded-Content-Length", "10"),
	}
}

func (c call) framedAs(frame func(string) string) call {
	c.frame = frame
	return c
}

// chunkPairs are chunks that are not what was signed.
var chunkPairs = []pair{
	{"a changed chunk is refused", everything, inChunks("hello", "world"), inChunks("hello", "world").framedAs(replaced("world", "w0rld")), 403, "SignatureDoesNotMatch"},
	{"a changed first chunk is refused", everything, inChunks("hello", "world"), inChunks("hello", "world").framedAs(replaced("hello", "jello")), 403, "SignatureDoesNotMatch"},
	{"a chunk that was left out is refused", everything, inChunks("hello", "world"), inChunks("hello", "world").framedAs(func(wire string) string {
		return wire[:strings.Index(wire, "hello\r\n")+7] + wire[strings.LastIndex(wire, "0;"):]
	}), 400, "IncompleteBody"},
	{"a chunk that was sent twice is refused", everything, inChunks("hello", "world"), inChunks("hello", "world").framedAs(func(wire string) string {
		end := strings.Index(wire, "hello\r\n") + 7
		return wire[:end] + wire
	}), 403, "SignatureDoesNotMatch"},
	{"chunks without their end are refused", everything, inChunks("hello", "world"), inChunks("hello", "world").framedAs(func(wire string) string {
		return wire[:strings.LastIndex(wire, "0;")]
	}), 400, "IncompleteBody"},
	{"chunks of another request are refused", everything, inChunks("hello", "world"), inChunks("hello", "world").framedAs(func(wire string) string {
		_, signature, _ := strings.Cut(wire, "chunk-signature=")
		return strings.Replace(wire, signature[:64], strings.Repeat("0", 64), 1)
	}), 403, "SignatureDoesNotMatch"},
	{"a chunk without its signature is refused", everything, inChunks("hello", "world"), inChunks("hello", "world").framedAs(func(wire string) string {
		before, rest, _ := strings.Cut(wire, ";")
		_, after, _ := strings.Cut(rest, "\r\n")
		return before + "\r\n" + after
	}), 403, "SignatureDoesNotMatch"},
}
