package sigv4

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// signedGet is a request that our own signer signed; change spoils it.
func signedGet(t testing.TB, change func(*Request)) Request {
	t.Helper()
	r := Request{Method: "GET", Path: "/bucket/a%20key", RawQuery: "versionId=1&x=%2B", Host: "localhost:8090",
		Header: headers("Content-Type: text/plain", "X-Amz-Meta-Colour: deep  blue")}
	s := NewSigner(exampleID, exampleSecret, "us-east-1", "s3")
	if err := s.Sign(r.Method, r.Path, r.RawQuery, r.Host, r.Header, EmptySHA256, exampleTime); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&r)
	}
	return r
}

// presignedGet is a presigned request; change spoils its parameters.
func presignedGet(t testing.TB, change func(url.Values)) Request {
	t.Helper()
	s := NewSigner(exampleID, exampleSecret, "us-east-1", "s3")
	query, err := s.Presign("GET", "/bucket/key", "versionId=1", "localhost:8090", nil, time.Hour, exampleTime)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		change(values)
		query = values.Encode()
	}
	return Request{Method: "GET", Path: "/bucket/key", RawQuery: query, Host: "localhost:8090", Header: http.Header{}}
}

func replaceAuth(old, replacement string) func(*Request) {
	return func(r *Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, replacement, 1))
	}
}

func set(name, value string) func(*Request) {
	return func(r *Request) { r.Header.Set(name, value) }
}

func add(name, value string) func(*Request) {
	return func(r *Request) { r.Header.Add(name, value) }
}

func del(name string) func(*Request) {
	return func(r *Request) { r.Header.Del(name) }
}

func TestParseRefusesHeaderAuthentication(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Request)
		want   error
	}{
		{"nobody signed", del("Authorization"), ErrMissing},
		{"empty authorization", set("Authorization", ""), ErrMalformed},
		{"algorithm alone", set("Authorization", algorithm), ErrMalformed},
		{"no algorithm", replaceAuth(algorithm+" ", ""), ErrUnknownType},
		{"unknown SigV4 flavour", replaceAuth(algorithm, "AWS4-HMAC-SHA512"), ErrMalformed},
		{"SigV2", set("Authorization", "AWS "+exampleID+":frJIUN8DYpKDtOLCwo//yllqDzg="), ErrUnsupported},
		{"SigV4A", replaceAuth(algorithm, "AWS4-ECDSA-P256-SHA256"), ErrUnsupported},
		{"bearer token", set("Authorization", "Bearer abc"), ErrUnknownType},
		{"two authorization headers", add("Authorization", "x"), ErrDuplicate},
		{"authorization in two spellings", func(r *Request) { r.Header["authorization"] = []string{"x"} }, ErrDuplicate},
		{"no credential", replaceAuth("Credential="+exampleScope+",", ""), ErrMalformed},
		{"no signed headers", replaceAuth("SignedHeaders=", "Other="), ErrMalformed},
		{"no signature", replaceAuth(",Signature=", ""), ErrMalformed},
		{"signature twice", replaceAuth(",Signature=", ",Signature=00,Signature="), ErrMalformed},
		{"credential twice", replaceAuth(",Signature=", ",Credential="+exampleScope+",Signature="), ErrMalformed},
		{"unknown field", replaceAuth(",Signature=", ",Version=2,Signature="), ErrMalformed},
		{"trailing comma", replaceAuth(",Signature=", ",,Signature="), ErrMalformed},
		{"scope too short", replaceAuth("/us-east-1", ""), ErrMalformed},
		{"scope without terminator", replaceAuth("aws4_request", "aws5_request"), ErrMalformed},
		{"no access key", replaceAuth(exampleID, ""), ErrMalformed},
		{"very long access key", replaceAuth(exampleID, strings.Repeat("A", 129)), ErrMalformed},
		{"empty region", replaceAuth("us-east-1", ""), ErrMalformed},
		{"date of seven digits", replaceAuth("20130524", "2013052"), ErrMalformed},
		{"date of letters", replaceAuth("20130524", "2013May4"), ErrMalformed},
		{"date of another day", replaceAuth("20130524", "20130525"), ErrScope},
		{"unsorted signed headers", replaceAuth("content-type;host", "host;content-type"), ErrMalformed},
		{"repeated signed header", replaceAuth("host;", "host;host;"), ErrMalformed},
		{"upper-case signed header", replaceAuth("content-type", "Content-Type"), ErrMalformed},
		{"empty signed header", replaceAuth("host;", "host;;"), ErrMalformed},
		{"space in signed headers", replaceAuth("content-type;", "content type;"), ErrMalformed},
		{"host not signed", replaceAuth("host;", ""), ErrUnsignedHeader},
		{"date header not signed", replaceAuth(";x-amz-date", ""), ErrUnsignedHeader},
		{"copy source added", set("X-Amz-Copy-Source", "/other/key"), ErrUnsignedHeader},
		{"unsigned header in odd spelling", func(r *Request) { r.Header["x-AMZ-copy-source"] = []string{"/o/k"} }, ErrUnsignedHeader},
		{"security token added", set("X-Amz-Security-Token", "t"), ErrUnsignedHeader},
		{"signed header taken away", del("X-Amz-Meta-Colour"), ErrMismatch},
		{"two dates", add("X-Amz-Date", "20130524T000001Z"), ErrDuplicate},
		{"two payload hashes", add("X-Amz-Content-Sha256", EmptySHA256), ErrDuplicate},
		{"two hosts", func(r *Request) { r.Header["Host"] = []string{"a", "b"} }, ErrDuplicate},
		{"another host as header", set("Host", "other"), ErrDuplicate},
		{"two content types", add("Content-Type", "text/html"), ErrDuplicate},
		{"signed header in two spellings", func(r *Request) { r.Header["content-type"] = []string{"a"} }, ErrDuplicate},
		{"no date at all", del("X-Amz-Date"), ErrNoDate},
		{"unreadable date", set("X-Amz-Date", "2013-05-24T00:00:00Z"), ErrNoDate},
		{"date with a fraction", set("X-Amz-Date", "20130524T000000.5Z"), ErrNoDate},
		{"date out of range", set("X-Amz-Date", "20130524T250000Z"), ErrNoDate},
		{"no payload hash", del("X-Amz-Content-Sha256"), ErrMissingPayloadHash},
		{"payload hash with a space", set("X-Amz-Content-Sha256", "a b"), ErrMalformed},
		{"signature in the query too", func(r *Request) { r.RawQuery += "&X-Amz-Signature=00" }, ErrTwoWays},
		{"expiry in the query too", func(r *Request) { r.RawQuery += "&X-Amz-Expires=9" }, ErrTwoWays},
		{"payload hash in the query too", func(r *Request) { r.RawQuery += "&X-Amz-Content-Sha256=x" }, ErrTwoWays},
		{"SigV2 in the query too", func(r *Request) { r.RawQuery += "&AWSAccessKeyId=x" }, ErrTwoWays},
		{"escape cut short in the query", func(r *Request) { r.RawQuery += "&a=%2" }, ErrEncoding},
		{"bad escape in a name", func(r *Request) { r.RawQuery += "&%zz=1" }, ErrEncoding},
		{"bare semicolon", func(r *Request) { r.RawQuery += ";a=1" }, ErrEncoding},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse(signedGet(t, tt.change)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestParseRefusesPresigned(t *testing.T) {
	setParam := func(name, value string) func(url.Values) {
		return func(q url.Values) { q.Set(name, value) }
	}
	addParam := func(name string) func(url.Values) {
		return func(q url.Values) { q.Add(name, q.Get(name)) }
	}
	delParam := func(name string) func(url.Values) {
		return func(q url.Values) { q.Del(name) }
	}
	for _, tt := range []struct {
		name   string
		change func(url.Values)
		want   error
	}{
		{"no algorithm", delParam("X-Amz-Algorithm"), ErrMalformedQuery},
		{"no credential", delParam("X-Amz-Credential"), ErrMalformedQuery},
		{"no date", delParam("X-Amz-Date"), ErrMalformedQuery},
		{"no expiry", delParam("X-Amz-Expires"), ErrMalformedQuery},
		{"no signed headers", delParam("X-Amz-SignedHeaders"), ErrMalformedQuery},
		{"no signature", delParam("X-Amz-Signature"), ErrMalformedQuery},
		{"two signatures", addParam("X-Amz-Signature"), ErrDuplicate},
		{"two expiries", addParam("X-Amz-Expires"), ErrDuplicate},
		{"parameter in lower case", setParam("x-amz-expires", "9"), ErrMalformedQuery},
		{"other algorithm", setParam("X-Amz-Algorithm", "AWS4-HMAC-SHA1"), ErrMalformedQuery},
		{"SigV4A", setParam("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256"), ErrUnsupported},
		{"SigV2", setParam("AWSAccessKeyId", exampleID), ErrUnsupported},
		{"credential cut short", setParam("X-Amz-Credential", exampleID), ErrMalformedQuery},
		{"line feed in the access key", setParam("X-Amz-Credential", "a\n"+exampleScope), ErrMalformedQuery},
		{"date of another day", setParam("X-Amz-Date", "20130525T000000Z"), ErrScope},
		{"unreadable date", setParam("X-Amz-Date", "yesterday"), ErrMalformedQuery},
		{"expiry of zero", setParam("X-Amz-Expires", "0"), ErrExpiresRange},
		{"negative expiry", setParam("X-Amz-Expires", "-1"), ErrExpiresRange},
		{"expiry of more than seven days", setParam("X-Amz-Expires", "604801"), ErrExpiresRange},
		{"expiry beyond 64 bits", setParam("X-Amz-Expires", "99999999999999999999"), ErrExpiresRange},
		{"expiry with a plus", setParam("X-Amz-Expires", "+60"), ErrMalformedQuery},
		{"expiry in words", setParam("X-Amz-Expires", "soon"), ErrMalformedQuery},
		{"host not signed", setParam("X-Amz-SignedHeaders", "x-amz-date"), ErrUnsignedHeader},
		{"signed header not sent", setParam("X-Amz-SignedHeaders", "host;x-amz-acl"), ErrMismatch},
		{"line feed in the payload hash", setParam("X-Amz-Content-Sha256", "a\nb"), ErrMalformedQuery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse(presignedGet(t, tt.change)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestParsePresignedRefusesHeaders(t *testing.T) {
	for _, tt := range []struct {
		name, header, value string
		want                error
	}{
		{"header authentication too", "Authorization", "x", ErrTwoWays},
		{"copy source", "X-Amz-Copy-Source", "/a/b", ErrUnsignedHeader},
		{"payload hash", "X-Amz-Content-Sha256", UnsignedPayload, ErrUnsignedHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := presignedGet(t, nil)
			r.Header.Set(tt.header, tt.value)
			if _, err := Parse(r); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("payload hash that contradicts the query", func(t *testing.T) {
		r := presignedGet(t, func(q url.Values) {
			q.Set("X-Amz-SignedHeaders", "host;x-amz-content-sha256")
			q.Set("X-Amz-Content-Sha256", EmptySHA256)
		})
		r.Header.Set("X-Amz-Content-Sha256", UnsignedPayload)
		if _, err := Parse(r); !errors.Is(err, ErrMalformedQuery) {
			t.Errorf("got %v", err)
		}
	})
}

func TestParseReads(t *testing.T) {
	t.Run("presigned", func(t *testing.T) {
		auth, err := Parse(presignedGet(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		if !auth.Presigned || auth.Expires != time.Hour || auth.PayloadHash != UnsignedPayload {
			t.Errorf("%v %v %v", auth.Presigned, auth.Expires, auth.PayloadHash)
		}
		if err := auth.Verify(exampleKey()); err != nil {
			t.Error(err)
		}
	})
	t.Run("access key ID with slashes", func(t *testing.T) {
		auth, err := Parse(signedGet(t, replaceAuth(exampleID, "tenant/user")))
		if err != nil || auth.AccessKeyID != "tenant/user" {
			t.Errorf("%q, %v", auth.AccessKeyID, err)
		}
	})
	t.Run("session token", func(t *testing.T) {
		auth, err := Parse(presignedGet(t, func(q url.Values) { q.Set("X-Amz-Security-Token", "tok") }))
		if err != nil || auth.SessionToken != "tok" {
			t.Errorf("%q, %v", auth.SessionToken, err)
		}
	})
	t.Run("claimed key of a refused request", func(t *testing.T) {
		auth, err := Parse(signedGet(t, set("X-Amz-Acl", "public-read")))
		if !errors.Is(err, ErrUnsignedHeader) || !strings.Contains(err.Error(), "x-amz-acl") || auth.AccessKeyID != exampleID {
			t.Errorf("%q, %v", auth.AccessKeyID, err)
		}
	})
	t.Run("the advice for SigV2 names the setting", func(t *testing.T) {
		_, err := Parse(signedGet(t, set("Authorization", "AWS a:b")))
		if !strings.Contains(err.Error(), "s3v4") {
			t.Error(err)
		}
	})
}

func TestDateHeaderStandsInForAmzDate(t *testing.T) {
	for _, date := range []string{
		"Fri, 24 May 2013 00:00:00 GMT",
		"Fri, 24 May 2013 02:00:00 +0200",
		"Friday, 24-May-13 00:00:00 GMT",
		"20130524T000000Z",
	} {
		t.Run(date, func(t *testing.T) {
			r := Request{Method: "GET", Path: "/b/k", Host: "h",
				Header: headers("Date: "+date, "X-Amz-Content-Sha256: "+EmptySHA256)}
			auth := Authorization{request: r, Time: exampleTime, PayloadHash: EmptySHA256,
				SignedHeaders: []string{"date", "host", "x-amz-content-sha256"},
				Scope:         Scope{Date: "20130524", Region: "us-east-1", Service: "s3"},
				values:        [][]string{{date}, {"h"}, {EmptySHA256}}}
			canonical, err := auth.appendCanonical(nil)
			if err != nil {
				t.Fatal(err)
			}
			signature := sign(exampleKey(), auth.Time, auth.Scope, canonical)
			r.Header.Set("Authorization", strings.TrimPrefix(
				exampleAuth("date;host;x-amz-content-sha256", string(signature[:])), "Authorization: "))
			parsed, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := parsed.Verify(exampleKey()); err != nil {
				t.Error(err)
			}
		})
	}
}
