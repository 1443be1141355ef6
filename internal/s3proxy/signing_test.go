package s3proxy_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// corner is a request whose signature is odd in one way.
type corner struct {
	name   string
	status int
	code   string
	says   string // a part of the message
	change func(c *signing)
}

// signing is a GET of /uploads/a.txt as it is about to be signed by the book
// (Signature Version 4, "Create a signed request"), apart from the gateway's own
// arithmetic, and the request that results.
type signing struct {
	method, query string
	body          string
	header        http.Header // signed, all of them
	hash          string
	date          time.Time
	scope         [4]string // date, region, service, terminator
	leaveOut      string    // a header that is not signed
	more          string    // a name in SignedHeaders that the request does not have
	after         func(r *http.Request)
}

func (g *gateway) newSigning() *signing {
	now := g.clock().UTC()
	return &signing{
		method: get, header: http.Header{"X-Amz-Date": {now.Format(amzDate)}}, hash: hashOf(""), date: now,
		scope: [4]string{now.Format("20060102"), "eu-test-1", "s3", "aws4_request"},
	}
}

const amzDate = "20060102T150405Z"

// request signs.
func (g *gateway) signedByTheBook(k key, s *signing) *http.Request {
	g.t.Helper()
	if s.hash != "" {
		s.header.Set("X-Amz-Content-Sha256", s.hash)
	}
	names := []string{"host"}
	canonical := map[string]string{"host": g.addr}
	for name, values := range s.header {
		lower := strings.ToLower(name)
		if lower != s.leaveOut {
			names = append(names, lower)
			canonical[lower] = strings.Join(values, ",")
		}
	}
	if s.more != "" {
		names = append(names, s.more)
	}
	if s.leaveOut == "host" {
		names = names[1:]
	}
	slices.Sort(names)
	text := s.method + "\n/uploads/a.txt\n" + s.query + "\n"
	for _, name := range names {
		text += name + ":" + canonical[name] + "\n"
	}
	signed := strings.Join(names, ";")
	text += "\n" + signed + "\n" + s.hash
	scope := strings.Join(s.scope[:], "/")
	digest := sha256.Sum256([]byte(text))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", s.date.UTC().Format(amzDate), scope, hex.EncodeToString(digest[:])}, "\n")
	signing := []byte("AWS4" + k.secret.Reveal())
	for _, part := range append(s.scope[:], toSign) {
		h := hmac.New(sha256.New, signing)
		h.Write([]byte(part))
		signing = h.Sum(nil)
	}
	h := s.header.Clone()
	h.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", k.id, scope, signed, signing))
	r := g.request(k, call{method: s.method, path: "/uploads/a.txt", query: s.query, header: h, body: s.body, unsigned: true})
	if s.after != nil {
		s.after(r)
	}
	return r
}

// authorization edits the header after it was made.
func authorization(old, with string) func(*signing) {
	return func(s *signing) {
		s.after = func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
		}
	}
}

func setAfter(name, value string) func(*signing) {
	return func(s *signing) { s.after = func(r *http.Request) { r.Header.Set(name, value) } }
}

var headerCorners = []corner{
	{"as it should be", 200, "", "", func(*signing) {}},
	{"signed for us-east-1", 200, "", "", func(s *signing) { s.scope[1] = "us-east-1" }},
	{"by Date in the place of x-amz-date", 200, "", "", func(s *signing) {
		s.header = http.Header{"Date": {s.date.Format(http.TimeFormat)}}
	}},
	{"by a Date in the form of x-amz-date", 200, "", "", func(s *signing) {
		s.header = http.Header{"Date": {s.date.Format(amzDate)}}
	}},
	{"with both dates, of which x-amz-date counts", 200, "", "", func(s *signing) {
		s.header.Set("Date", "Mon, 01 Jan 2001 00:00:00 GMT")
	}},
	{"without spaces between the fields", 200, "", "", func(s *signing) {
		s.after = func(r *http.Request) {
			r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
		}
	}},
	{"an unsigned payload", 200, "", "", func(s *signing) { s.hash = "UNSIGNED-PAYLOAD" }},

	{"no type", 400, "InvalidArgument", "authorization type", authorization("AWS4-HMAC-SHA256 ", "")},
	{"an empty header", 400, "AuthorizationHeaderMalformed", "", setAfter("Authorization", " ")},
	{"another type", 400, "InvalidArgument", "authorization type", setAfter("Authorization", "Bearer abc")},
	{"basic authentication", 400, "InvalidArgument", "authorization type", setAfter("Authorization", "Basic YTpi")},
	{"SigV2", 400, "InvalidRequest", "s3v4", setAfter("Authorization", "AWS AKIAXXXX:c2lnbmF0dXJl")},
	{"SigV4A", 400, "InvalidRequest", "SigV4A", authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")},
	{"an unknown algorithm", 400, "AuthorizationHeaderMalformed", "", authorization("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512")},
	{"no credential", 400, "AuthorizationHeaderMalformed", "Credential", authorization("Credential=", "Credentials=")},
	{"no signed headers", 400, "AuthorizationHeaderMalformed", "", authorization("SignedHeaders=", "Signed=")},
	{"no signature", 400, "AuthorizationHeaderMalformed", "", authorization(", Signature=", "x")},
	{"two credentials", 400, "AuthorizationHeaderMalformed", "twice", authorization("Credential=", "Credential=AKIA/20130524/us-east-1/s3/aws4_request, Credential=")},
	{"a credential without a scope", 400, "AuthorizationHeaderMalformed", "Credential", func(s *signing) {
		s.after = func(r *http.Request) {
			before, after, _ := strings.Cut(r.Header.Get("Authorization"), ", SignedHeaders")
			r.Header.Set("Authorization", before[:strings.Index(before, "/")]+", SignedHeaders"+after)
		}
	}},
	{"a scope of five parts", 400, "AuthorizationHeaderMalformed", "", authorization("/s3/", "/s3/more/")},
	{"another terminator", 400, "AuthorizationHeaderMalformed", "Credential", func(s *signing) { s.scope[3] = "aws5_request" }},
	{"another service", 400, "AuthorizationHeaderMalformed", "service", func(s *signing) { s.scope[2] = "iam" }},
	{"another region", 400, "AuthorizationHeaderMalformed", "region", func(s *signing) { s.scope[1] = "mars-west-1" }},
	{"an empty region", 400, "AuthorizationHeaderMalformed", "", func(s *signing) { s.scope[1] = "" }},
	{"the day before in the scope", 400, "AuthorizationHeaderMalformed", "date", func(s *signing) {
		s.scope[0] = s.date.Add(-24 * time.Hour).Format("20060102")
	}},
	{"a day that is none", 400, "AuthorizationHeaderMalformed", "Credential", func(s *signing) { s.scope[0] = "today" }},
	{"host is not signed", 403, "AccessDenied", "host", func(s *signing) { s.leaveOut = "host" }},
	{"an x-amz- header is not signed", 403, "AccessDenied", "x-amz-date", func(s *signing) { s.leaveOut = "x-amz-date" }},
	{"a signed header that is not there", 403, "SignatureDoesNotMatch", "", func(s *signing) { s.more = "x-amz-meta-a" }},
	{"signed headers out of order", 400, "AuthorizationHeaderMalformed", "SignedHeaders", authorization("SignedHeaders=host;", "SignedHeaders=x-amz-z;host;")},
	{"signed headers in upper case", 400, "AuthorizationHeaderMalformed", "SignedHeaders", authorization("SignedHeaders=host", "SignedHeaders=Host")},
	{"no date at all", 403, "AccessDenied", "date", func(s *signing) { s.header = http.Header{} }},
	{"a date that cannot be read", 403, "AccessDenied", "date", func(s *signing) { s.header.Set("X-Amz-Date", "today") }},
	{"a fraction of a second", 403, "AccessDenied", "date", func(s *signing) {
		s.header.Set("X-Amz-Date", s.date.Format("20060102T150405.000Z"))
	}},
	{"16 minutes late", 403, "RequestTimeTooSkewed", "", func(s *signing) {
		s.date = s.date.Add(-16 * time.Minute)
		s.scope[0] = s.date.Format("20060102")
		s.header.Set("X-Amz-Date", s.date.Format(amzDate))
	}},
	{"an unknown key", 401, "InvalidAccessKeyId", "", authorization("Credential=AKIA", "Credential=AKIB")},
	{"a signature in upper case", 403, "SignatureDoesNotMatch", "", func(s *signing) {
		s.after = func(r *http.Request) {
			before, after, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", before+"Signature="+strings.Repeat("F", len(after)))
		}
	}},
	{"an empty signature", 403, "SignatureDoesNotMatch", "", func(s *signing) {
		s.after = func(r *http.Request) {
			before, _, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", before+"Signature=")
		}
	}},
	{"no digest of the payload", 400, "InvalidRequest", "x-amz-content-sha256", func(s *signing) { s.hash = "" }},
	{"a digest that is none", 400, "InvalidArgument", "x-amz-content-sha256", func(s *signing) { s.hash = "abc" }},
	{"chunks signed with SigV4A", 400, "InvalidArgument", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD is", func(s *signing) {
		s.method, s.hash, s.body = put, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "x"
	}},
	{"chunks and a trailer signed with SigV4A", 400, "InvalidArgument", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER is", func(s *signing) {
		s.method, s.hash, s.body = put, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", "x"
	}},
	{"an unknown streaming payload", 400, "InvalidArgument", "x-amz-content-sha256", func(s *signing) {
		s.method, s.hash, s.body = put, "STREAMING-PAYLOAD", "x"
	}},
	{"a session token", 400, "InvalidToken", "", func(s *signing) { s.header.Set("X-Amz-Security-Token", "token") }},
	{"a presigned query too", 400, "InvalidArgument", "one authentication", func(s *signing) { s.query = "X-Amz-Signature=00" }},
	{"an old presigned query too", 400, "InvalidArgument", "one authentication", func(s *signing) { s.query = "AWSAccessKeyId=AKIA" }},
	{"a parameter twice", 400, "InvalidArgument", "versionId", func(s *signing) { s.query = "versionId=1&versionId=2" }},
	{"two x-amz-date headers", 400, "InvalidArgument", "x-amz-date", func(s *signing) {
		s.header["X-Amz-Date"] = append(s.header["X-Amz-Date"], s.header.Get("X-Amz-Date"))
	}},
	{"two Authorization headers", 400, "InvalidArgument", "authorization", func(s *signing) {
		s.after = func(r *http.Request) {
			r.Header["Authorization"] = append(r.Header["Authorization"], r.Header.Get("Authorization"))
		}
	}},
}

func TestHeaderSignatures(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	k := g.mint("prod/uploads:read,write")
	for _, tt := range headerCorners {
		t.Run(tt.name, func(t *testing.T) {
			s := g.newSigning()
			tt.change(s)
			g.answers(t, g.signedByTheBook(k, s), tt)
		})
	}
}

// answers sends the request and compares. What is refused never reached the
// backend.
func (g *gateway) answers(t *testing.T, r *http.Request, want corner) {
	t.Helper()
	g.backend.Reset()
	got := g.send(r)
	if got.status != want.status || got.code != want.code || !strings.Contains(got.message, want.says) {
		t.Errorf("got %d %s %q, want %d %s %q", got.status, got.code, got.message, want.status, want.code, want.says)
	}
	g.backend.Wait()
	if reached := g.backend.Count() > 0; reached != (want.status == 200) {
		t.Errorf("the backend was reached: %v", reached)
	}
	if want.status == 200 {
		return
	}
	if got.message == "" || strings.Contains(got.message, "\n") {
		t.Errorf("the message is %q", got.message)
	}
	if got.status == 401 && got.header.Get("Www-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
}

// drop takes a parameter out of a query.
func drop(name string) func(string) string {
	return func(query string) string {
		var kept []string
		for pair := range strings.SplitSeq(query, "&") {
			if !strings.HasPrefix(pair, name+"=") {
				kept = append(kept, pair)
			}
		}
		return strings.Join(kept, "&")
	}
}

func become(name, value string) func(string) string {
	return func(query string) string { return drop(name)(query) + "&" + name + "=" + value }
}

func TestPresignedSignatures(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a.txt", []byte("hello"))
	k := g.mint("prod/uploads:read,write")
	const malformed = "AuthorizationQueryParametersError"
	same := func(query string) string { return query }
	for _, tt := range []struct {
		corner
		region, service string
		ago, expires    time.Duration
		edit            func(string) string
		header          http.Header // sent, not signed
	}{
		{corner: corner{name: "as it should be", status: 200}, edit: same},
		{corner: corner{name: "for us-east-1", status: 200}, region: "us-east-1", edit: same},
		{corner: corner{name: "for one second", status: 200}, ago: -time.Minute, expires: time.Second, edit: same},
		{corner: corner{name: "for seven days", status: 200}, expires: 7 * 24 * time.Hour, edit: same},
		{corner: corner{name: "for one second more", status: 400, code: malformed, says: "604800"}, expires: 7*24*time.Hour + time.Second, edit: same},
		{corner: corner{name: "for no time", status: 400, code: malformed}, edit: become("X-Amz-Expires", "0")},
		{corner: corner{name: "for less than no time", status: 400, code: malformed}, edit: become("X-Amz-Expires", "-1")},
		{corner: corner{name: "for a time that is no number", status: 400, code: malformed}, edit: become("X-Amz-Expires", "1h")},
		{corner: corner{name: "for a time that is beyond numbers", status: 400, code: malformed}, edit: become("X-Amz-Expires", "99999999999999999999")},
		{corner: corner{name: "expired", status: 403, code: "AccessDenied", says: "expired"}, ago: time.Hour + time.Second, expires: time.Hour, edit: same},
		{corner: corner{name: "not valid yet", status: 403, code: "AccessDenied", says: "not valid yet"}, ago: -16 * time.Minute, edit: same},
		{corner: corner{name: "no date", status: 400, code: malformed, says: "X-Amz-Date"}, edit: drop("X-Amz-Date")},
		{corner: corner{name: "no algorithm", status: 400, code: malformed, says: "X-Amz-Algorithm"}, edit: drop("X-Amz-Algorithm")},
		{corner: corner{name: "no credential", status: 400, code: malformed, says: "X-Amz-Credential"}, edit: drop("X-Amz-Credential")},
		{corner: corner{name: "no signed headers", status: 400, code: malformed, says: "X-Amz-SignedHeaders"}, edit: drop("X-Amz-SignedHeaders")},
		{corner: corner{name: "no expiry", status: 400, code: malformed, says: "X-Amz-Expires"}, edit: drop("X-Amz-Expires")},
		{corner: corner{name: "no signature", status: 400, code: malformed, says: "X-Amz-Signature"}, edit: drop("X-Amz-Signature")},
		{corner: corner{name: "a date that cannot be read", status: 400, code: malformed}, edit: become("X-Amz-Date", "today")},
		{corner: corner{name: "the date of another day", status: 400, code: malformed, says: "date"}, edit: become("X-Amz-Date", "20200101T000000Z")},
		{corner: corner{name: "a malformed credential", status: 400, code: malformed}, edit: become("X-Amz-Credential", "AKIA")},
		{corner: corner{name: "another region", status: 400, code: malformed, says: "eu-test-1"}, region: "mars-west-1", edit: same},
		{corner: corner{name: "another service", status: 400, code: malformed, says: "service"}, service: "iam", edit: same},
		{corner: corner{name: "SigV4A", status: 400, code: "InvalidRequest", says: "SigV4A"}, edit: become("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256")},
		{corner: corner{name: "another algorithm", status: 400, code: malformed}, edit: become("X-Amz-Algorithm", "HMAC")},
		{
			corner: corner{name: "SigV2", status: 400, code: "InvalidRequest", says: "s3v4"},
			edit:   func(string) string { return "AWSAccessKeyId=AKIA&Expires=9999999999&Signature=c2ln" },
		},
		{corner: corner{name: "SigV2 beside it", status: 400, code: "InvalidRequest", says: "s3v4"}, edit: func(q string) string { return q + "&AWSAccessKeyId=AKIA" }},
		{corner: corner{name: "a parameter twice", status: 400, code: "InvalidArgument"}, edit: func(q string) string { return q + "&X-Amz-Expires=3600" }},
		{corner: corner{name: "a parameter in another case", status: 400, code: malformed}, edit: func(q string) string { return strings.Replace(q, "X-Amz-Date", "x-amz-date", 1) }},
		{corner: corner{name: "an unsigned x-amz- header", status: 403, code: "AccessDenied", says: "x-amz-checksum-mode"}, edit: same, header: header("X-Amz-Checksum-Mode", "ENABLED")},
		{corner: corner{name: "an Authorization header too", status: 400, code: "InvalidArgument", says: "one authentication"}, edit: same, header: header("Authorization", "AWS4-HMAC-SHA256 x")},
		{corner: corner{name: "an Authorization header of another type too", status: 400, code: "InvalidArgument", says: "one authentication"}, edit: same, header: header("Authorization", "Bearer x")},
		{corner: corner{name: "a session token", status: 400, code: "InvalidToken"}, edit: func(q string) string { return q + "&X-Amz-Security-Token=t" }},
		{corner: corner{name: "a digest that is none", status: 403, code: "SignatureDoesNotMatch"}, edit: func(q string) string { return q + "&X-Amz-Content-Sha256=abc" }},
		{corner: corner{name: "another signature", status: 403, code: "SignatureDoesNotMatch"}, edit: become("X-Amz-Signature", strings.Repeat("0", 64))},
		{corner: corner{name: "an unknown key", status: 401, code: "InvalidAccessKeyId"}, edit: func(q string) string { return strings.Replace(q, "Credential=AKIA", "Credential=AKIB", 1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.region == "" {
				tt.region = "eu-test-1"
			}
			if tt.service == "" {
				tt.service = "s3"
			}
			if tt.expires == 0 {
				tt.expires = time.Hour
			}
			signer := sigv4.NewSigner(k.id, k.secret.Reveal(), tt.region, tt.service)
			query, err := signer.Presign(get, "/uploads/a.txt", "", g.addr, http.Header{}, tt.expires, g.clock().Add(-tt.ago))
			must(t, err)
			g.answers(t, g.request(k, call{method: get, path: "/uploads/a.txt", query: tt.edit(query), header: tt.header, unsigned: true}), tt.corner)
		})
	}
}
