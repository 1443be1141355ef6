package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// signed sends a signed request with one more header, and returns status and body.
func (s *rgwSite) signed(endpoint string, u rgwUser, method, path, query, body, header, value string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, endpoint+path+"?"+query, strings.NewReader(body))
	must(s.t, err)
	req.URL = &url.URL{Scheme: "http", Host: req.URL.Host, Opaque: "//" + req.URL.Host + path, RawQuery: query}
	if header != "" {
		req.Header.Set(header, value)
	}
	must(s.t, sigv4.NewSigner(u.key, u.secret, "us-east-1", "s3").Sign(method, path, query, req.URL.Host, req.Header, sigv4.HashHex([]byte(body)), time.Now()))
	res, err := http.DefaultClient.Do(req)
	must(s.t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	must(s.t, err)
	return res.StatusCode, string(data)
}

var (
	uploadID = regexp.MustCompile(`<UploadId>([^<]+)</UploadId>`)
	partETag = regexp.MustCompile(`<ETag>(?:&quot;|&#34;|")?([0-9a-f]{32})`)
)

// TestRGWPartsCopiedFromOddKeys copies a part from a key that Ceph 16 reads
// wrongly when it is asked to copy from it itself: what is copied is that object
// and no other, and only if its reader may read it.
func TestRGWPartsCopiedFromOddKeys(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, _ := startRGW(t, kind, "")
			u, other := s.user("copies"), s.user("other")
			mine, theirs := "m"+u.id[:13], "t"+other.id[:13]
			s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+mine+`"}`))
			s.must(201, s.call("admin", "POST", other.path("/buckets"), `{"name":"`+theirs+`"}`))
			// Beside each odd key is the one that it would be taken for.
			for encoded, mistaken := range map[string]string{"a%2541": "aA", "b%3Fx": "b", "c%3FversionId%3Dnull": "c", "d%25252Fe": "d%252Fe"} {
				s.copyPart(u, mine, theirs, other, encoded, mistaken)
			}
		})
	}
}

func (s *rgwSite) copyPart(u rgwUser, mine, theirs string, other rgwUser, encoded, mistaken string) {
	s.t.Helper()
	ok := func(what string, want, status int, body string) string {
		s.t.Helper()
		if status != want {
			s.t.Fatalf("%s of %s: %d, want %d: %s", what, encoded, status, want, body)
		}
		return body
	}
	put := func(as rgwUser, path, body string) {
		s.t.Helper()
		status, answer := s.signed(s.S3Endpoint, as, "PUT", path, "", body, "", "")
		ok("PUT", 200, status, answer)
	}
	want := strings.Repeat("right ", 1000)
	put(u, "/"+mine+"/"+encoded, want)
	put(u, "/"+mine+"/"+mistaken, strings.Repeat("wrong ", 1000))
	put(other, "/"+theirs+"/"+encoded, "theirs")
	into := "/" + mine + "/copy"
	status, answer := s.signed(s.S3Endpoint, u, "POST", into, "uploads=", "", "", "")
	id := uploadID.FindStringSubmatch(ok("beginning", 200, status, answer))[1]
	query := "partNumber=1&uploadId=" + url.QueryEscape(id)
	status, answer = s.signed(s.S3Endpoint, u, "PUT", into, query, "", "X-Amz-Copy-Source", "/"+theirs+"/"+encoded)
	ok("copying another user's", 403, status, answer)
	status, answer = s.signed(s.S3Endpoint, u, "PUT", into, query, "", "X-Amz-Copy-Source", "/"+mine+"/"+encoded)
	part := partETag.FindStringSubmatch(ok("copying", 200, status, answer))
	if part == nil {
		s.t.Fatalf("no ETag of the part of %s: %s", encoded, answer)
	}
	all := fmt.Sprintf(`<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"%s"</ETag></Part></CompleteMultipartUpload>`, part[1])
	status, answer = s.signed(s.S3Endpoint, u, "POST", into, "uploadId="+url.QueryEscape(id), all, "", "")
	ok("completing", 200, status, answer)
	status, answer = s.signed(s.S3Endpoint, u, "GET", into, "", "", "", "")
	if ok("reading", 200, status, answer) != want {
		s.t.Errorf("the copy of %s is %.20q of %d bytes", encoded, answer, len(answer))
	}
}
