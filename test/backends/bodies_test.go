package backends_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/s3test"
	"keystile/internal/upstream"
)

// setups are backends in every state of trust.
func setups() []struct {
	name   string
	start  func(t *testing.T) upstream.Endpoint
	probed bool
} {
	become := func(c s3test.Character) func(t *testing.T) upstream.Endpoint {
		return func(t *testing.T) upstream.Endpoint {
			s := s3test.New(t)
			s.Become(c)
			return endpointOf(s.URL)
		}
	}
	forced := func(start func(t *testing.T) upstream.Endpoint) func(t *testing.T) upstream.Endpoint {
		return func(t *testing.T) upstream.Endpoint {
			e := start(t)
			e.Backend.ForceHashing = true
			return e
		}
	}
	return []struct {
		name   string
		start  func(t *testing.T) upstream.Endpoint
		probed bool
	}{
		{"ceph, proven", startCeph, true},
		{"ceph, unproven", startCeph, false},
		{"embedded, proven", startEmbedded, true},
		{"embedded, proven but forced", forced(startEmbedded), true},
		{"embedded, unproven", startEmbedded, false},
		{"versitygw, proven", startVersity, true},
		{"fake that verifies, proven", become(s3test.Character{Verifies: true}), true},
		{"fake that verifies nothing, probed", become(s3test.Character{}), true},
		{"fake that lies, probed", become(s3test.Character{Verifies: true, Lies: true}), true},
		{"fake that truncates, proven", become(s3test.Character{Verifies: true, Truncates: true}), true},
	}
}

// TestNoWrongBodyBecomesAnObject sends every form of body to every backend,
// right and wrong, whole and cut off, with and without a declared length, over
// an object and over the part of an upload. What is looked at is the object.
func TestNoWrongBodyBecomesAnObject(t *testing.T) {
	for _, s := range setups() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, s.start(t), s.probed)
			for _, f := range forms(payload.CRC32, payload.CRC64NVME, payload.SHA256) {
				for _, length := range []int{100, 300_000} {
					for _, chunked := range []bool{false, true} {
						t.Run(fmt.Sprintf("%s/%d bytes/chunked %v", f.name, length, chunked), func(t *testing.T) {
							g := *g
							g.t = t
							g.tryBody(f, length, chunked)
						})
					}
				}
			}
		})
	}
}

const old = "the old object"

func (g *gateway) tryBody(f form, length int, chunked bool) {
	key := "k"
	path := "/" + g.bucket + "/" + key
	right := strings.Repeat("r", length)
	for _, tt := range []struct {
		name          string
		data, claimed string
		cut           bool
	}{
		{"right", right, right, false},
		{"wrong in its last byte", right[:length-1] + "w", right, false},
		{"wrong in its first byte", "w" + right[1:], right, false},
		{"cut in the middle", right, right, true},
		{"cut before its last byte", right, right, true},
	} {
		must(g.t, putDirect(g.t, g.backend, g.bucket, key, []byte(old)))
		header, wire := f.make(g, path, "", tt.data, tt.claimed)
		declared := fmt.Sprintf("Content-Length: %d", len(wire))
		if chunked {
			wire, declared = inChunks(wire), "Transfer-Encoding: chunked"
		}
		missing := 0
		if tt.cut {
			missing = 1
			if strings.Contains(tt.name, "middle") {
				missing = len(wire) / 2
			}
		}
		status, answer, _ := g.sendSigned(http.MethodPut, path, "", header, declared, wire, missing)
		want := old
		if f.name == "unsigned" && strings.HasPrefix(tt.name, "wrong") {
			continue // there is nothing that could be wrong
		}
		if tt.name == "right" {
			want = right
			if chunked && header.Get("X-Amz-Decoded-Content-Length") == "" && length > 64<<10 {
				want = old // a plain body without a length is not taken beyond 64 KiB
			}
		}
		if tt.cut {
			time.Sleep(30 * time.Millisecond) // for what a backend might still make of it
		}
		got, _ := getDirect(g.t, g.backend, g.bucket, key)
		if got != want || (status == http.StatusOK) != (want == right) {
			g.t.Errorf("%s: answered %d %s; the object has %d bytes now, want %d", tt.name, status, answer, len(got), len(want))
		}
	}
}

// TestPartsAreCompletedByTheirChecksums uploads a part in every form that
// carries a checksum, completes the upload as an SDK does, by what the answers
// said of checksums, and wants the object and, where the backend knows it, the
// checksum.
func TestPartsAreCompletedByTheirChecksums(t *testing.T) {
	for _, s := range setups() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, s.start(t), s.probed)
			for _, f := range forms(payload.Algorithms()...) {
				kind := strings.TrimPrefix(strings.TrimPrefix(f.name, "unsigned with "), "trailer ")
				if _, ok := keystile.ChecksumAbility(kind); !ok {
					kind = "" // an upload without checksums
				}
				for _, length := range []int{100, 300_000} {
					t.Run(fmt.Sprintf("%s/%d bytes", f.name, length), func(t *testing.T) {
						g := *g
						g.t = t
						g.tryPart(f, kind, length)
					})
				}
			}
		})
	}
}

func (g *gateway) tryPart(f form, kind string, length int) {
	path := "/" + g.bucket + "/parts"
	begin := http.Header{}
	if kind != "" {
		begin.Set("X-Amz-Checksum-Algorithm", kind)
	}
	status, answer, _ := g.send(http.MethodPost, path, "uploads=", begin, emptyHash, "Content-Length: 0", "", 0)
	if status != http.StatusOK {
		g.t.Fatalf("begin: %d %s", status, answer)
	}
	id := between(answer, "<UploadId>", "</UploadId>")
	query := "partNumber=1&uploadId=" + url.QueryEscape(id)
	right := strings.Repeat("r", length)

	header, wire := f.make(g, path, query, right[:length-1]+"w", right)
	if f.name == "unsigned" {
		// There is nothing that could be wrong.
	} else if status, answer, _ := g.sendSigned(http.MethodPut, path, query, header, fmt.Sprintf("Content-Length: %d", len(wire)), wire, 0); status/100 != 4 {
		g.t.Errorf("a wrong part: %d %s", status, answer)
	}
	header, wire = f.make(g, path, query, right, right)
	status, answer, back := g.sendSigned(http.MethodPut, path, query, header, fmt.Sprintf("Content-Length: %d", len(wire)), wire, 0)
	if status != http.StatusOK {
		g.t.Fatalf("a right part: %d %s", status, answer)
	}
	header, wire = f.make(g, path, query, right, right)
	_, _, _ = g.sendSigned(http.MethodPut, path, query, header, fmt.Sprintf("Content-Length: %d", len(wire)), wire, len(wire)/2)

	sum := ""
	ability, _ := keystile.ChecksumAbility(kind)
	if kind != "" && (g.backend.Can(ability) || back.Get("X-Amz-Checksum-"+kind) != "") {
		// A client that knows the checksum itself names it; one that goes by the
		// answer has it from there.
		sum = fmt.Sprintf("<Checksum%s>%s</Checksum%s>", kind, sumOf(kind, right), kind)
	}
	done := fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag>%s</Part></CompleteMultipartUpload>",
		strings.ReplaceAll(back.Get("Etag"), `"`, "&quot;"), sum)
	status, answer, _ = g.send(http.MethodPost, path, "uploadId="+url.QueryEscape(id), nil, hashOf(done), fmt.Sprintf("Content-Length: %d", len(done)), done, 0)
	if status != http.StatusOK || strings.Contains(answer, "<Error>") {
		g.t.Fatalf("complete: %d %s", status, answer)
	}
	if got, _ := getDirect(g.t, g.backend, g.bucket, "parts"); got != right {
		g.t.Errorf("the object has %d bytes, want %d", len(got), length)
	}
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
