package s3proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/sigv4"
)

// TestConditionsGoOnlyToWhoHeedsThem: a change that depends on a condition is
// refused before the backend is asked, unless that is proven to heed it.
func TestConditionsGoOnlyToWhoHeedsThem(t *testing.T) {
	const complete = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>`
	const deletes = `<Delete><Object><Key>a</Key><ETag>e</ETag></Object></Delete>`
	for _, tt := range []struct {
		name   string
		call   call
		proven keystile.Ability
	}{
		{"PutObject if there is none", call{method: put, header: header("If-None-Match", "*")}, keystile.IfNoneMatch},
		{"PutObject if it is that one", call{method: put, header: header("If-Match", `"e"`)}, keystile.IfMatch},
		{"completion if it is that one", call{method: post, query: "uploadId=u", body: complete, header: header("If-Match", `"e"`)}, keystile.CompleteIfMatch},
		{"copy if there is none", call{method: put, header: header("If-None-Match", "*", "X-Amz-Copy-Source", "uploads/b")}, keystile.CopyIfNoneMatch},
		{"copy if it is that one", call{method: put, header: header("If-Match", `"e"`, "X-Amz-Copy-Source", "uploads/b")}, keystile.CopyIfMatch},
		{"deletion if it is that one", call{method: http.MethodDelete, header: header("If-Match", `"e"`)}, keystile.DeleteIfMatch},
		{"deletions if they are those", call{method: post, path: "/uploads", query: "delete", body: deletes}, keystile.DeletesIfMatch},
		{"completion if there is none", call{method: post, query: "uploadId=u", body: complete, header: header("If-None-Match", "*")}, keystile.ConditionalComplete},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write,read,delete")
			if tt.call.path == "" {
				tt.call.path = "/uploads/a"
			}
			g.prove(keystile.StoresOnlyWhole)
			wantStatus(t, g.do(k, tt.call), http.StatusNotImplemented, "NotImplemented")
			g.backendSaw(0)
			g.prove(keystile.StoresOnlyWhole, tt.proven)
			if r := g.do(k, tt.call); r.status == http.StatusNotImplemented {
				t.Errorf("refused though it is proven: %+v", r)
			}
			g.backendSaw(1)
		})
	}
	for _, tt := range []struct {
		name string
		call call
	}{
		{"a deletion by its size", call{method: http.MethodDelete, header: header("X-Amz-If-Match-Size", "3")}},
		{"a deletion by its time", call{method: http.MethodDelete, header: header("X-Amz-If-Match-Last-Modified-Time", "Wed, 25 Nov 2026 10:00:00 GMT")}},
		{"the end of an upload by its time", call{method: http.MethodDelete, query: "uploadId=u", header: header("X-Amz-If-Match-Initiated-Time", "Wed, 25 Nov 2026 10:00:00 GMT")}},
		{"deletions by their size", call{method: post, path: "/uploads", query: "delete", body: strings.Replace(deletes, "ETag>e</ETag", "Size>3</Size", 1)}},
	} {
		t.Run(tt.name+", which nobody is proven to make conditional", func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write,read,delete")
			if tt.call.path == "" {
				tt.call.path = "/uploads/a"
			}
			g.prove(keystile.AllAbilities()...)
			wantStatus(t, g.do(k, tt.call), http.StatusNotImplemented, "NotImplemented")
			g.backendSaw(0)
		})
	}
}

// TestWhoVerifies: what the backend is proven to verify goes to it as it came,
// and a wrong one is its to refuse; all else is verified here, and the backend
// never has the whole of a wrong body.
func TestWhoVerifies(t *testing.T) {
	digest := call{method: put, path: "/uploads/a", body: "hello"}
	md5 := call{method: put, path: "/uploads/a", body: "hello", payloadHash: sigv4.UnsignedPayload, header: header("Content-Md5", "XUFAKrxLKna5cZ2REBfFkg==")}
	crc := call{method: put, path: "/uploads/a", body: "hello", payloadHash: sigv4.UnsignedPayload, header: header("X-Amz-Checksum-Crc32", crc32Of("hello"))}
	for _, tt := range []struct {
		name    string
		call    call
		ability keystile.Ability
		header  string // of the request, that goes on
		always  bool   // also to a backend that does not verify it
	}{
		{"a digest", digest, keystile.ChecksDigest, "X-Amz-Content-Sha256", true},
		{"a Content-MD5", md5, keystile.ChecksMD5, "Content-Md5", true},
		{"a checksum", crc, keystile.ChecksCRC32, "X-Amz-Checksum-Crc32", false},
	} {
		for _, proven := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, proven %v", tt.name, proven), func(t *testing.T) {
				t.Parallel()
				g := newGateway(t)
				g.backend.Become(s3test.Character{Verifies: true})
				k := g.mint("prod/uploads:write")
				if proven {
					g.prove(keystile.StoresOnlyWhole, tt.ability)
				}
				wantStatus(t, g.do(k, tt.call), http.StatusOK, "")
				sent := g.backend.Requests()[0].Header.Get(tt.header)
				if want := proven || tt.always; (sent != "") != want {
					t.Errorf("%s goes on as %q, want any: %v", tt.header, sent, want)
				}
				wrong := tt.call
				wrong.payloadHash = tt.call.payloadHash
				if wrong.payloadHash == "" {
					wrong.payloadHash = hashOf("hello")
				}
				wrong.body = "jello"
				g.backend.Reset()
				if r := g.do(k, wrong); r.status != http.StatusBadRequest {
					t.Errorf("a wrong one: %+v", r)
				}
				g.backend.Wait()
				if got := string(g.backend.Objects("uploads")["a"]); got != "hello" {
					t.Errorf("the object is %q now", got)
				}
				asked := 0
				if proven {
					asked = 1
				}
				if n := g.backend.Count(); n != asked {
					t.Errorf("the backend was asked %d times, want %d", n, asked)
				}
			})
		}
	}
}

// TestTrailersGoOn: a client's trailer goes on in one of our own where the
// backend knows both it and its kind, in a header where the body is short and
// only the kind is known, and not at all where nothing is.
func TestTrailersGoOn(t *testing.T) {
	for _, tt := range []struct {
		name      string
		proven    []keystile.Ability
		framed    bool
		inHeader  bool
		signedToo string
	}{
		{"trailers and kind", []keystile.Ability{keystile.ReadsTrailers, keystile.ChecksCRC32}, true, false, ""},
		{"the kind alone", []keystile.Ability{keystile.ChecksCRC32}, false, true, ""},
		{"trailers, but another kind", []keystile.Ability{keystile.ReadsTrailers, keystile.ChecksSHA1}, false, false, ""},
		{"nothing", nil, false, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.backend.Become(s3test.Character{Verifies: true})
			g.prove(append([]keystile.Ability{keystile.StoresOnlyWhole}, tt.proven...)...)
			k := g.mint("prod/uploads:write")
			good := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc32Of("hello") + "\r\n\r\n"
			status, answer := g.raw(k, trailerCall(5), fmt.Sprintf("Content-Length: %d", len(good)), strings.NewReader(good))
			if status != http.StatusOK {
				t.Fatalf("%d %s", status, answer)
			}
			seen := g.backend.Requests()[0]
			framed := seen.Header.Get("X-Amz-Content-Sha256") == unsignedTrailer && seen.Header.Get("X-Amz-Trailer") == "x-amz-checksum-crc32" &&
				seen.Header.Get("X-Amz-Decoded-Content-Length") == "5" && string(seen.Body) == good
			if framed != tt.framed || (seen.Header.Get("X-Amz-Checksum-Crc32") == crc32Of("hello")) != tt.inHeader && !framed {
				t.Errorf("goes on with %v and %q", seen.Header, seen.Body)
			}
			if seen.Header.Get("Content-Encoding") != "" {
				t.Errorf("it goes on as encoded: %v", seen.Header)
			}
			wrong := strings.Replace(good, "hello", "jello", 1)
			if status, answer := g.raw(k, trailerCall(5), fmt.Sprintf("Content-Length: %d", len(wrong)), strings.NewReader(wrong)); status != http.StatusBadRequest {
				t.Errorf("a wrong trailer: %d %s", status, answer)
			}
			g.backend.Wait()
			if got := string(g.backend.Objects("uploads")["b.txt"]); got != "hello" {
				t.Errorf("the object is %q now", got)
			}
		})
	}
}

// TestUploadsWithoutKnownChecksums: what a backend is not proven to know of
// checksums is taken out of an upload's beginning and end; a whole object's
// checksum, which nobody could verify, is refused.
func TestUploadsWithoutKnownChecksums(t *testing.T) {
	const complete = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag><ChecksumCRC32>c</ChecksumCRC32></Part></CompleteMultipartUpload>`
	for _, proven := range []bool{true, false} {
		t.Run(fmt.Sprintf("proven %v", proven), func(t *testing.T) {
			g := newGateway(t)
			k := g.mint("prod/uploads:write")
			if proven {
				g.prove(keystile.StoresOnlyWhole, keystile.ChecksCRC32, keystile.ReadsTrailers)
			}
			g.do(k, call{method: post, path: "/uploads/a", query: "uploads=", header: header("X-Amz-Checksum-Algorithm", "CRC32", "X-Amz-Checksum-Type", "COMPOSITE")})
			g.do(k, call{method: post, path: "/uploads/a", query: "uploadId=u", body: complete})
			g.backendSaw(2)
			begun, done := g.backend.Requests()[0], g.backend.Requests()[1]
			if (begun.Header.Get("X-Amz-Checksum-Algorithm") != "") != proven || (begun.Header.Get("X-Amz-Checksum-Type") != "") != proven {
				t.Errorf("begun with %v", begun.Header)
			}
			if strings.Contains(string(done.Body), "ChecksumCRC32") != proven {
				t.Errorf("completed with %s", done.Body)
			}
			g.backend.Reset()
			r := g.do(k, call{method: post, path: "/uploads/a", query: "uploadId=u", body: complete, header: header("X-Amz-Checksum-Crc32", crc32Of("all"))})
			if (r.status == http.StatusNotImplemented) == proven || (g.backend.Count() == 0) == proven {
				t.Errorf("a whole object's checksum: %d %s, %d requests", r.status, r.code, g.backend.Count())
			}
		})
	}
}

// TestPartsByTrailersAreCompleted: a backend that knows the kind of a checksum but
// no trailers completes an upload by those that it was told of, and is not held to
// one that came in a long part's trailer and was verified here.
func TestPartsByTrailersAreCompleted(t *testing.T) {
	for _, kinds := range []bool{true, false} {
		t.Run(fmt.Sprintf("kinds known %v", kinds), func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.backend.Become(s3test.Character{Verifies: true})
			proven := []keystile.Ability{keystile.StoresOnlyWhole}
			if kinds {
				proven = append(proven, keystile.ChecksCRC32)
			}
			g.prove(proven...)
			k := g.mint("prod/uploads:write")
			_, id, _ := strings.Cut(g.do(k, call{method: post, path: "/uploads/a", query: "uploads="}).body, "<UploadId>")
			id, _, _ = strings.Cut(id, "<")
			long := strings.Repeat("x", 100_000)
			framed := func(data string) call {
				return call{
					payloadHash: unsignedTrailer, header: header("X-Amz-Decoded-Content-Length", fmt.Sprint(len(data)), "X-Amz-Trailer", "x-amz-checksum-crc32"),
					body: fmt.Sprintf("%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n", len(data), data, crc32Of(data)),
				}
			}
			named := ""
			for i, part := range []struct {
				data string
				call call
			}{
				{long, framed(long)},
				{"short", framed("short")},
				{long, call{body: long, header: header("X-Amz-Checksum-Crc32", crc32Of(long))}},
			} {
				part.call.method, part.call.path, part.call.query = put, "/uploads/a", fmt.Sprintf("partNumber=%d&uploadId=%s", i+1, id)
				r := g.do(k, part.call)
				wantStatus(t, r, 200, "")
				named += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><ChecksumCRC32>%s</ChecksumCRC32></Part>", i+1, r.header.Get("Etag"), crc32Of(part.data))
			}
			g.backend.Reset()
			wantStatus(t, g.do(k, call{method: post, path: "/uploads/a", query: "uploadId=" + id, body: "<CompleteMultipartUpload>" + named + "</CompleteMultipartUpload>"}), 200, "")
			requests := g.backend.Requests()
			asked, kept := 1, 0
			if kinds {
				asked, kept = 2, 2 // the long one's is not among them
			}
			if done := requests[len(requests)-1]; len(requests) != asked || strings.Count(string(done.Body), "<ChecksumCRC32>") != kept {
				t.Errorf("completed by %d requests, with %s", len(requests), done.Body)
			}
			if got := len(g.backend.Objects("uploads")["a"]); got != 2*len(long)+len("short") {
				t.Errorf("the object has %d bytes", got)
			}
		})
	}
}

// TestCutUploadsAreToldOf: where the backend may have stored a part of an
// upload, it is asked; if that cannot be told from what it says, the outcome is
// unknown and the log says so. Where it has not, or cannot have, it is an error.
func TestCutUploadsAreToldOf(t *testing.T) {
	for _, tt := range []struct {
		name   string
		proven []keystile.Ability
		nature s3test.Character
		there  int // bytes of an object that is there before; 0: none
		asked  int // requests of the backend in all
		want   keystile.Result
		stored int // bytes that are there at the end
	}{
		{"proven to store whole bodies only", []keystile.Ability{keystile.StoresOnlyWhole}, s3test.Character{}, 0, 1, keystile.ResultError, 0},
		{"framed", []keystile.Ability{keystile.ReadsTrailers, keystile.ChecksCRC64NVME}, s3test.Character{}, 0, 1, keystile.ResultError, 0},
		{"proven to do nothing, and there is no object", []keystile.Ability{keystile.ChecksMD5}, s3test.Character{}, 0, 2, keystile.ResultError, 0},
		{"and there is a longer object", []keystile.Ability{keystile.ChecksMD5}, s3test.Character{}, 400_000, 2, keystile.ResultError, 400_000},
		{"and there is another, that may be what arrived", []keystile.Ability{keystile.ChecksMD5}, s3test.Character{}, 1000, 2, keystile.ResultUnknown, 1000},
		{"and it stores what arrived", []keystile.Ability{keystile.ChecksMD5}, s3test.Character{Truncates: true}, 0, 2, keystile.ResultUnknown, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.prove(tt.proven...)
			g.backend.Become(tt.nature)
			if tt.there > 0 {
				g.backend.PutObject("uploads", "a", make([]byte, tt.there))
			}
			k := g.mint("prod/uploads:write")
			c := call{method: put, path: "/uploads/a", payloadHash: sigv4.UnsignedPayload, hangUp: true}
			status, answer := g.raw(k, c, "Content-Length: 300000", strings.NewReader(strings.Repeat("x", 299_999)))
			if status == http.StatusOK {
				t.Errorf("%d %s", status, answer)
			}
			g.backend.Wait()
			if got := len(g.backend.Objects("uploads")["a"]); got != tt.stored && (tt.stored >= 0 || got == 0) {
				t.Errorf("%d bytes are stored, want %d", got, tt.stored)
			}
			g.backendSaw(tt.asked)
			events := g.events(keystile.EventFilter{AccessKeyID: k.id})
			if len(events) != 1 || events[0].Result != tt.want {
				t.Errorf("recorded as %+v, want %s", events, tt.want)
			}
			if told := strings.Contains(g.logs.String(), "may have stored the part that arrived"); told != (tt.want == keystile.ResultUnknown) {
				t.Errorf("the log tells of it: %v", told)
			}
		})
	}
}

// TestCutPartsAreToldOf: the same for a part of a multipart upload, which the
// backend is asked for by listing.
func TestCutPartsAreToldOf(t *testing.T) {
	for _, tt := range []struct {
		name   string
		nature s3test.Character
		before int // bytes of the part that is there before; 0: none
		want   keystile.Result
	}{
		{"there is no part", s3test.Character{}, 0, keystile.ResultError},
		{"there is a longer part", s3test.Character{}, 400_000, keystile.ResultError},
		{"there is another, that may be what arrived", s3test.Character{}, 1000, keystile.ResultUnknown},
		{"it stores what arrived", s3test.Character{Truncates: true}, 0, keystile.ResultUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.prove(keystile.ChecksMD5)
			k := g.mint("prod/uploads:write")
			_, id, _ := strings.Cut(g.do(k, call{method: post, path: "/uploads/a", query: "uploads="}).body, "<UploadId>")
			id, _, _ = strings.Cut(id, "<")
			c := call{method: put, path: "/uploads/a", query: "partNumber=2&uploadId=" + id}
			for _, number := range []string{"1", "3"} { // its neighbours say nothing of it
				other := c
				other.query, other.body = strings.Replace(c.query, "=2", "="+number, 1), "x"
				wantStatus(t, g.do(k, other), 200, "")
			}
			if tt.before > 0 {
				first := c
				first.body = strings.Repeat("x", tt.before)
				wantStatus(t, g.do(k, first), 200, "")
			}
			g.backend.Become(tt.nature)
			g.backend.Reset()
			c.payloadHash, c.hangUp = sigv4.UnsignedPayload, true
			if status, answer := g.raw(k, c, "Content-Length: 300000", strings.NewReader(strings.Repeat("x", 299_999))); status == http.StatusOK {
				t.Errorf("%d %s", status, answer)
			}
			g.backend.Wait()
			g.backendSaw(2)
			events := g.events(keystile.EventFilter{AccessKeyID: k.id})
			if events[0].Action != "s3.proxy.uploadpart" || events[0].Result != tt.want {
				t.Errorf("recorded as %+v, want %s", events[0], tt.want)
			}
		})
	}
}

// TestVerifiedChecksumsAreTold: what was verified here of an object is answered
// where the backend, which was not told of it, says nothing; of a part it is not.
func TestVerifiedChecksumsAreTold(t *testing.T) {
	const crc32 = "X-Amz-Checksum-Crc32"
	trailer := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc32Of("hello") + "\r\n\r\n"
	framed := call{body: trailer, payloadHash: unsignedTrailer, header: header("X-Amz-Decoded-Content-Length", "5", "X-Amz-Trailer", "x-amz-checksum-crc32")}
	for _, tt := range []struct {
		name   string
		call   call
		proven keystile.Ability
		told   bool
	}{
		{"a header that was verified here", call{body: "hello", header: header(crc32, crc32Of("hello"))}, keystile.ChecksMD5, true},
		{"a trailer that was verified here", framed, keystile.ChecksMD5, true},
		{"one that the backend is left to verify", call{body: "hello", header: header(crc32, crc32Of("hello"))}, keystile.ChecksCRC32, false},
		{"none", call{body: "hello"}, keystile.ChecksMD5, false},
		{"one of a part", call{query: "partNumber=1&uploadId={upload}", body: "hello", header: header(crc32, crc32Of("hello"))}, keystile.ChecksMD5, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.prove(keystile.StoresOnlyWhole, tt.proven)
			k := g.mint("prod/uploads:write")
			c := tt.call
			c.method, c.path = put, "/uploads/a"
			if c.query != "" {
				_, id, _ := strings.Cut(g.do(k, call{method: post, path: "/uploads/a", query: "uploads="}).body, "<UploadId>")
				id, _, _ = strings.Cut(id, "<")
				c.query = strings.Replace(c.query, "{upload}", id, 1)
			}
			r := g.do(k, c)
			wantStatus(t, r, 200, "")
			want := ""
			if tt.told {
				want = crc32Of("hello")
			}
			if got := r.header.Get(crc32); got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		})
	}
}

// TestKeptChecksumsGoOn: to a backend that keeps checksums without verifying them
// goes that of an object, of a usual kind, once it has been verified here; a wrong
// one goes nowhere.
func TestKeptChecksumsGoOn(t *testing.T) {
	for _, tt := range []struct {
		name      string
		algorithm string
		query     string
		ability   keystile.Ability
		goesOn    bool
	}{
		{"an object's", "CRC32", "", keystile.KeepsChecksums, true},
		{"of a kind that is not usual", "SHA512", "", keystile.KeepsChecksums, false},
		{"to a backend that keeps none", "CRC32", "", keystile.ChecksMD5, false},
		{"a part's", "CRC32", "partNumber=1&uploadId=u", keystile.KeepsChecksums, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.prove(keystile.StoresOnlyWhole, tt.ability)
			k := g.mint("prod/uploads:write")
			name := "X-Amz-Checksum-" + tt.algorithm
			for _, of := range []string{"jello", "hello"} {
				c := call{method: put, path: "/uploads/a", query: tt.query, body: "hello", payloadHash: sigv4.UnsignedPayload, header: header(name, sumOf(tt.algorithm, of))}
				r := g.do(k, c)
				if of == "jello" {
					wantStatus(t, r, http.StatusBadRequest, "BadDigest")
					g.backendSaw(0)
				}
			}
			g.backendSaw(1)
			if sent := g.backend.Requests()[0].Header.Get(name); (sent != "") != tt.goesOn {
				t.Errorf("goes on as %q", sent)
			}
		})
	}
}

// TestCompletionsWithoutParts are the backend's to judge.
func TestCompletionsWithoutParts(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	_, id, _ := strings.Cut(g.do(k, call{method: post, path: "/uploads/a", query: "uploads="}).body, "<UploadId>")
	id, _, _ = strings.Cut(id, "<")
	g.backend.Reset()
	r := g.do(k, call{method: post, path: "/uploads/a", query: "uploadId=" + id, body: "<CompleteMultipartUpload/>"})
	wantStatus(t, r, 400, "MalformedXML")
	g.backendSaw(1)
	e := g.events(keystile.EventFilter{AccessKeyID: k.id})[0]
	if e.Action != "s3.proxy.completemultipartupload" || e.Result != keystile.ResultError || e.Detail.Code != "MalformedXML" {
		t.Errorf("recorded as %+v", e)
	}
}
