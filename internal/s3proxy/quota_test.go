package s3proxy_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/store"
)

var (
	uploads = keystile.Bucket{Backend: "prod", Name: "uploads"}
	noCaps  = keystile.Amount{Bytes: keystile.NoCap, Objects: keystile.NoCap}
)

// cap gives uploads caps, and waits until it is counted.
func (g *gateway) cap(soft, hard keystile.Amount) {
	g.t.Helper()
	g.write(func(tx store.Tx, _ int64) error {
		return tx.SaveBucketQuota(keystile.BucketQuota{Bucket: uploads, Soft: soft, Hard: hard, TrackedAt: g.clock(), UpdatedAt: g.clock()})
	})
	must(g.t, g.quotas.Sync(g.t.Context()))
	ctx, cancel := context.WithCancel(g.t.Context())
	var running sync.WaitGroup
	running.Go(func() { g.quotas.Run(ctx) })
	g.t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	g.until("the bucket is counted", func() bool { return !g.usage().CountedAt.IsZero() })
	g.backend.Reset()
}

func (g *gateway) usage() keystile.Usage {
	u, _ := g.quotas.Usage(uploads)
	return u
}

// isCounted compares what counts with what is stored.
func (g *gateway) isCounted() {
	g.t.Helper()
	size, objects := g.backend.Stored("uploads")
	u := g.usage()
	if u.Used != (keystile.Amount{Bytes: size, Objects: objects}) || u.Reserved != (keystile.Amount{}) || u.Unknown != (keystile.Amount{}) {
		g.t.Errorf("usage is %+v; %d bytes in %d objects are stored", u, size, objects)
	}
}

// changed are the requests that the backend saw and that change something.
func (g *gateway) changed() (seen []string) {
	for _, r := range g.backend.Requests() {
		if r.Method != http.MethodHead && r.Method != http.MethodGet {
			seen = append(seen, r.Method+" "+r.Path+"?"+r.Query)
		}
	}
	return seen
}

func hardBytes(n int64) keystile.Amount { return keystile.Amount{Bytes: n, Objects: keystile.NoCap} }

// begin begins an upload in parts.
func (g *gateway) begin(k key, name string) (id string) {
	g.t.Helper()
	r := g.do(k, call{method: post, path: "/uploads/" + name, query: "uploads="})
	wantStatus(g.t, r, 200, "")
	var begun struct{ UploadId string }
	must(g.t, xml.Unmarshal([]byte(r.body), &begun))
	return begun.UploadId
}

func partCall(name, id string, number int, body string) call {
	return call{method: put, path: "/uploads/" + name, query: fmt.Sprintf("partNumber=%d&uploadId=%s", number, id), body: body}
}

func completion(name, id string, etags ...string) call {
	var parts strings.Builder
	for i, etag := range etags {
		fmt.Fprintf(&parts, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, strings.Trim(etag, `"`))
	}
	return call{method: post, path: "/uploads/" + name, query: "uploadId=" + id, body: "<CompleteMultipartUpload>" + parts.String() + "</CompleteMultipartUpload>"}
}

// Every way to write 1000 bytes, into a bucket that holds 500: at 1500 it passes,
// at 1499 it is refused, and nothing of it reaches the backend.
func TestEveryWayToWriteIsHeldToTheCap(t *testing.T) {
	body := strings.Repeat("x", 1000)
	for _, tt := range []struct {
		name  string
		write func(g *gateway, k key, id string) result
	}{
		{"an object", func(g *gateway, k key, _ string) result {
			return g.do(k, call{method: put, path: "/uploads/a", body: body})
		}},
		{"an object in signed chunks", func(g *gateway, k key, _ string) result {
			return g.do(k, call{method: put, path: "/uploads/a", payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
				header: header("X-Amz-Decoded-Content-Length", "1000", "Content-Encoding", "aws-chunked"), chunks: []string{body}})
		}},
		{"a presigned object", func(g *gateway, k key, _ string) result {
			return g.do(k, call{method: put, path: "/uploads/a", presigned: time.Minute, body: body})
		}},
		{"a form", func(g *gateway, k key, _ string) result {
			return g.post(k, inUploads("a").with(func(f *form) { f.file = body }))
		}},
		{"a part", func(g *gateway, k key, id string) result { return g.do(k, partCall("big", id, 1, body)) }},
		{"a copy", func(g *gateway, k key, _ string) result { return g.do(k, copyOf("reports/source")) }},
		{"a copy from another backend", func(g *gateway, k key, _ string) result { return g.do(k, copyOf("payroll/source")) }},
		{"a copied part", func(g *gateway, k key, id string) result {
			c := copyOf("reports/source")
			c.path, c.query = "/uploads/big", "partNumber=1&uploadId="+id
			return g.do(k, c)
		}},
		{"a copied part of a part", func(g *gateway, k key, id string) result {
			c := copyOf("reports/larger", "X-Amz-Copy-Source-Range", "bytes=0-999")
			c.path, c.query = "/uploads/big", "partNumber=1&uploadId="+id
			return g.do(k, c)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := func(hard int64) (*gateway, key, string) {
				g := newGateway(t)
				g.backend.PutObject("uploads", "there", make([]byte, 500))
				g.backend.PutObject("reports", "source", []byte(body))
				g.backend.PutObject("payroll", "source", []byte(body))
				g.backend.PutObject("reports", "larger", []byte(body+body))
				k := g.mint("prod/uploads:read,write,delete,list", "prod/reports:read", "other/payroll:read")
				id := g.begin(k, "big")
				g.cap(noCaps, hardBytes(hard))
				return g, k, id
			}
			g, k, id := start(1500)
			if r := tt.write(g, k, id); r.status/100 != 2 {
				t.Fatalf("what fits was answered with %d %s", r.status, r.body)
			}
			if size, _ := g.backend.Stored("uploads"); size != 1500 {
				t.Errorf("%d bytes are stored", size)
			}
			g.isCounted()

			g, k, id = start(1499)
			r := tt.write(g, k, id)
			wantStatus(t, r, 507, "QuotaExceeded")
			for _, word := range []string{"uploads", "1499 bytes", "500 are used", "1000 more"} {
				if !strings.Contains(r.message, word) {
					t.Errorf("%q does not tell %q", r.message, word)
				}
			}
			if seen := g.changed(); len(seen) > 0 {
				t.Errorf("the backend saw %v", seen)
			}
			g.isCounted()
			e := g.events(keystile.EventFilter{})[0]
			if e.Result != keystile.ResultDenied || e.Status != 507 || e.Detail.Code != "QuotaExceeded" || e.Bucket != "uploads" {
				t.Errorf("the refusal is recorded as %+v", e)
			}
		})
	}
}

func TestObjectsAreHeldToTheCap(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	id := g.begin(k, "big")
	part := g.do(k, partCall("big", id, 1, "hello"))
	g.cap(noCaps, keystile.Amount{Bytes: keystile.NoCap, Objects: 1})
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a"}), 200, "")
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/b"}), 507, "QuotaExceeded")
	wantStatus(t, g.do(k, completion("big", id, part.header.Get("Etag"))), 507, "QuotaExceeded")
	wantStatus(t, g.do(k, call{method: del, path: "/uploads/a"}), 204, "")
	wantStatus(t, g.do(k, completion("big", id, part.header.Get("Etag"))), 200, "")
	g.isCounted()
}

// A part that does not fit is refused, and its upload left as it is: whoever makes
// room sends the part again and completes what was begun.
func TestUploadOutlivesARefusedPart(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	id := g.begin(k, "big")
	g.cap(noCaps, hardBytes(1000))
	body := strings.Repeat("x", 400)
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: body}), 200, "")
	first := g.do(k, partCall("big", id, 1, body))
	wantStatus(t, first, 200, "")
	g.backend.Reset()
	wantStatus(t, g.do(k, partCall("big", id, 2, body)), 507, "QuotaExceeded")
	if seen := g.changed(); len(seen) > 0 {
		t.Errorf("the backend saw %q", seen)
	}
	wantStatus(t, g.do(k, call{method: del, path: "/uploads/a"}), 204, "")
	second := g.do(k, partCall("big", id, 2, body))
	wantStatus(t, second, 200, "")
	r := g.do(k, completion("big", id, first.header.Get("Etag"), second.header.Get("Etag")))
	wantStatus(t, r, 200, "")
	if size, objects := g.backend.Stored("uploads"); size != 800 || objects != 1 {
		t.Errorf("%d bytes in %d objects are stored, want 800 in 1", size, objects)
	}
	g.isCounted()
}

func TestWhatIsFreedIsUsableAtOnce(t *testing.T) {
	body := strings.Repeat("x", 400)
	for _, tt := range []struct {
		name string
		free func(g *gateway, k key, id string)
	}{
		{"by a delete", func(g *gateway, k key, _ string) {
			wantStatus(g.t, g.do(k, call{method: del, path: "/uploads/a"}), 204, "")
		}},
		{"by a multi-delete", func(g *gateway, k key, _ string) {
			body := "<Delete><Object><Key>a</Key></Object><Object><Key>nothing</Key></Object></Delete>"
			r := g.do(k, call{method: post, path: "/uploads", query: "delete=", body: body, header: header("Content-Md5", md5Of(body))})
			wantStatus(g.t, r, 200, "")
			if !strings.Contains(r.body, "<Deleted>") {
				g.t.Errorf("answered with %s", r.body)
			}
		}},
		{"by a quiet multi-delete", func(g *gateway, k key, _ string) {
			body := "<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object></Delete>"
			r := g.do(k, call{method: post, path: "/uploads", query: "delete=", body: body, header: header("Content-Md5", md5Of(body))})
			wantStatus(g.t, r, 200, "")
			if strings.Contains(r.body, "Deleted") {
				g.t.Errorf("answered with %s", r.body)
			}
		}},
		{"by an abort", func(g *gateway, k key, id string) {
			wantStatus(g.t, g.do(k, call{method: del, path: "/uploads/big", query: "uploadId=" + id}), 204, "")
		}},
		{"by a smaller part in its place", func(g *gateway, k key, id string) {
			wantStatus(g.t, g.do(k, partCall("big", id, 1, "")), 200, "")
		}},
		{"by a completion without all parts", func(g *gateway, k key, id string) {
			etag := `"` + "d41d8cd98f00b204e9800998ecf8427e" + `"`
			wantStatus(g.t, g.do(k, partCall("big", id, 2, "")), 200, "")
			c := completion("big", id, etag)
			c.body = strings.Replace(c.body, "<PartNumber>1<", "<PartNumber>2<", 1)
			wantStatus(g.t, g.do(k, c), 200, "")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t)
			k := g.mint("prod/uploads:read,write,delete")
			id := g.begin(k, "big")
			g.cap(noCaps, hardBytes(1000))
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: body}), 200, "")
			wantStatus(t, g.do(k, partCall("big", id, 1, body)), 200, "")
			next := call{method: put, path: "/uploads/c", body: body}
			wantStatus(t, g.do(k, next), 507, "QuotaExceeded")
			tt.free(g, k, id)
			wantStatus(t, g.do(k, next), 200, "")
			g.isCounted()
		})
	}
}

func TestParallelChangesOfOneKeyCreditOnce(t *testing.T) {
	for name, c := range map[string]call{
		"deletes":    {method: del, path: "/uploads/a"},
		"overwrites": {method: put, path: "/uploads/a", body: "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			k := g.mint("prod/uploads:read,write,delete")
			g.backend.PutObject("uploads", "a", make([]byte, 1000))
			g.backend.PutObject("uploads", "b", make([]byte, 5000))
			g.cap(noCaps, hardBytes(100_000))
			g.backend.Inject(s3test.Delay(20 * time.Millisecond).When(func(r *http.Request) bool { return r.Method == c.method }))
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() {
					if r := g.do(k, c); r.status/100 != 2 {
						t.Errorf("answered with %d %s", r.status, r.body)
					}
				})
			}
			wg.Wait()
			g.isCounted()
		})
	}
}

func TestUnknownLengthIsRefusedWhereItCounts(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write", "prod/reports:read,write")
	g.cap(noCaps, hardBytes(1000))
	for bucket, want := range map[string]int{"uploads": 411, "reports": 200} {
		status, answer := g.raw(k, call{method: put, path: "/" + bucket + "/a", payloadHash: "UNSIGNED-PAYLOAD"},
			"Transfer-Encoding: chunked", strings.NewReader("5\r\nhello\r\n0\r\n\r\n"))
		if status != want || want == 411 && !strings.Contains(answer, "MissingContentLength") {
			t.Errorf("%s: %d %s", bucket, status, answer)
		}
	}
}

func TestBucketIsShutWhileItIsCountedForTheFirstTime(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	g.backend.PutObject("uploads", "a", []byte("hello"))
	g.write(func(tx store.Tx, _ int64) error {
		return tx.SaveBucketQuota(keystile.BucketQuota{Bucket: uploads, Soft: noCaps, Hard: hardBytes(1000), TrackedAt: g.clock()})
	})
	must(t, g.quotas.Sync(t.Context()))
	g.backend.Reset()
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/b", body: "x"}), 503, "ServiceUnavailable")
	if seen := g.changed(); len(seen) > 0 {
		t.Errorf("the backend saw %v", seen)
	}
	wantStatus(t, g.do(k, call{method: get, path: "/uploads/a"}), 200, "")
	wantStatus(t, g.do(k, call{method: del, path: "/uploads/a"}), 204, "")
}

func TestWhatTheBackendRefusedIsFreeAndWhatIsNotKnownCounts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fault   s3test.Fault
		unknown int64
	}{
		{"refused", s3test.Answer(403, `<Error><Code>AccessDenied</Code></Error>`), 0},
		{"failed", s3test.Answer(500, `<Error><Code>InternalError</Code></Error>`), 900},
		{"no answer", s3test.HangUpAfter(900), 900},
		{"an answer that breaks off", s3test.CutAnswerAfter(0), 900},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t)
			k := g.mint("prod/uploads:read,write,delete")
			g.cap(noCaps, hardBytes(1000))
			g.backend.Inject(tt.fault.When(func(r *http.Request) bool { return r.Method == put }).Once())
			r := g.do(k, call{method: put, path: "/uploads/a", body: strings.Repeat("x", 900)})
			if r.status == 200 && tt.unknown > 0 && tt.name != "an answer that breaks off" {
				t.Fatalf("answered with %d", r.status)
			}
			u := g.usage()
			if r.status != 200 && (u.Unknown.Bytes != tt.unknown || u.Used.Bytes != 0) || u.Reserved.Bytes != 0 {
				t.Errorf("usage is %+v", u)
			}
			want := 200
			if tt.unknown > 0 {
				want = 507
			}
			if r := g.do(k, call{method: put, path: "/uploads/b", body: strings.Repeat("x", 900)}); r.status != want {
				t.Errorf("the next is answered with %d", r.status)
			}
		})
	}
}

func TestSoftCapWarnsAndIsRecordedOnce(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	g.cap(hardBytes(10), hardBytes(1000))
	for i, want := range []string{"", "soft cap of 10 bytes passed: 12 used", "soft cap of 10 bytes passed: 18 used"} {
		r := g.do(k, call{method: put, path: fmt.Sprintf("/uploads/%d", i), body: "sixsix"})
		wantStatus(t, r, 200, "")
		if got := r.header.Get("X-Keystile-Quota-Warning"); got != want {
			t.Errorf("write %d is warned of %q, want %q", i, got, want)
		}
	}
	if events := g.events(keystile.EventFilter{ActionPrefix: "quota."}); len(events) != 1 || events[0].Bucket != "uploads" || events[0].Detail.AccessKeyID != k.id {
		t.Errorf("events %+v", events)
	}
}

func TestBucketWithoutQuotaPaysNothing(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/reports:read,write,delete")
	g.cap(noCaps, hardBytes(1000))
	wantStatus(t, g.do(k, call{method: put, path: "/reports/a", body: strings.Repeat("x", 5000)}), 200, "")
	wantStatus(t, g.do(k, call{method: del, path: "/reports/a"}), 204, "")
	if n := len(g.backend.Requests()); n != 2 {
		t.Errorf("the backend saw %d requests, want 2", n)
	}
}

// What counts of an upload that the backend has ended by itself is given back: soon
// where a client comes upon that, and without a count of the bucket.
func TestPartsOfAnUploadThatIsGoneAreGivenBack(t *testing.T) {
	for name, find := range map[string]func(id string) call{
		"a part":       func(id string) call { return partCall("big", id, 2, "x") },
		"a completion": func(id string) call { return completion("big", id, `"d41d8cd98f00b204e9800998ecf8427e"`) },
		"an abort":     func(id string) call { return call{method: del, path: "/uploads/big", query: "uploadId=" + id} },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			k := g.mint("prod/uploads:read,write,delete")
			id, other := g.begin(k, "big"), g.begin(k, "other")
			g.cap(noCaps, hardBytes(1000))
			wantStatus(t, g.do(k, partCall("big", id, 1, strings.Repeat("x", 700))), 200, "")
			wantStatus(t, g.do(k, partCall("other", other, 1, strings.Repeat("x", 100))), 200, "")
			counted := g.usage().CountedAt
			g.backend.Expire("uploads", id)
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: strings.Repeat("x", 300)}), 507, "QuotaExceeded")
			wantStatus(t, g.do(k, find(id)), 404, "NoSuchUpload")
			g.later(2 * time.Minute)
			g.until("it is given back", func() bool { return g.usage().Used.Bytes == 100 })
			g.isCounted()
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: strings.Repeat("x", 300)}), 200, "")
			g.isCounted()
			if u := g.usage(); !u.CountedAt.Equal(counted) || u.Recount {
				t.Errorf("the bucket was counted, or is to be: %+v", u)
			}
		})
	}
}

// Only what the books do not know is asked for: what is overwritten the first time
// since the bucket was counted.
func TestOldSizeIsAskedForWhereItIsNotKnown(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	g.backend.PutObject("uploads", "there", make([]byte, 300))
	g.cap(noCaps, hardBytes(100_000))
	for _, tt := range []struct {
		name  string
		call  call
		heads int
	}{
		{"a new key", call{method: put, path: "/uploads/new", body: "hello"}, 0},
		{"the same again", call{method: put, path: "/uploads/new", body: "hello!"}, 0},
		{"its deletion", call{method: del, path: "/uploads/new"}, 0},
		{"the deletion of nothing", call{method: del, path: "/uploads/nothing"}, 0},
		{"an object from before", call{method: put, path: "/uploads/there", body: "hello"}, 1},
		{"the same again", call{method: put, path: "/uploads/there", body: "hell"}, 0},
	} {
		g.backend.Reset()
		if r := g.do(k, tt.call); r.status/100 != 2 {
			t.Errorf("%s: answered with %d", tt.name, r.status)
		}
		if heads := len(g.backend.Requests()) - 1; heads != tt.heads {
			t.Errorf("%s: the backend was asked %d times, want %d", tt.name, heads, tt.heads)
		}
		g.isCounted()
	}
}

// Many writers of all kinds at once, some cut off, some refused: what is stored is
// never more than the cap, whenever one looks, and in the end what counts is what
// is stored.
func TestParallelWritesNeverPassTheCap(t *testing.T) {
	const most = 60_000
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete,list", "prod/reports:read")
	g.backend.PutObject("reports", "source", make([]byte, 3000))
	g.cap(noCaps, hardBytes(most))
	done := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(200 * time.Microsecond):
			}
			if size, _ := g.backend.Stored("uploads"); size > most {
				t.Errorf("%d bytes are stored", size)
				return
			}
		}
	})
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	note := func(r result) result {
		mu.Lock()
		defer mu.Unlock()
		statuses[r.status]++
		return r
	}
	for w := range 200 {
		wg.Go(func() {
			for range 2 {
				name := fmt.Sprint("k", rand.IntN(15))
				body := strings.Repeat("x", rand.IntN(8000))
				switch rand.IntN(10) {
				case 0, 1:
					note(g.do(k, call{method: put, path: "/uploads/" + name, body: body}))
				case 2:
					note(g.post(k, inUploads(name).with(func(f *form) { f.file = body })))
				case 3:
					c := copyOf("reports/source")
					c.path = "/uploads/" + name
					note(g.do(k, c))
				case 4: // cut off
					g.raw(k, call{method: put, path: "/uploads/" + name, payloadHash: "UNSIGNED-PAYLOAD", hangUp: true},
						"Content-Length: 9000", strings.NewReader(body))
				case 5:
					note(g.do(k, call{method: del, path: "/uploads/" + name}))
				case 6: // in signed chunks
					note(g.do(k, call{
						method: put, path: "/uploads/" + name, payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", chunks: []string{body},
						header: header("X-Amz-Decoded-Content-Length", fmt.Sprint(len(body)), "Content-Encoding", "aws-chunked"),
					}))
				case 7: // slowly
					status, _ := g.raw(k, call{method: put, path: "/uploads/" + name, payloadHash: "UNSIGNED-PAYLOAD"},
						fmt.Sprintf("Content-Length: %d", len(body)), &slowly{body})
					note(result{status: status})
				default:
					id := g.begin(k, name)
					one := note(g.do(k, partCall(name, id, 1, body)))
					two := note(g.do(k, partCall(name, id, 2, "end")))
					if one.status == 200 && two.status == 200 && w%2 == 0 {
						note(g.do(k, completion(name, id, one.header.Get("Etag"), two.header.Get("Etag"))))
					} else {
						note(g.do(k, call{method: del, path: "/uploads/" + name, query: "uploadId=" + id}))
					}
				}
			}
		})
	}
	wg.Wait()
	close(done)
	looking.Wait()
	if statuses[507] == 0 || statuses[200] == 0 {
		t.Errorf("the cap was not tried: %v", statuses)
	}
	g.until("all has ended", func() bool { return g.usage().Reserved == keystile.Amount{} })
	g.isCounted()
}

// slowly gives a text in small pieces, with pauses.
type slowly struct{ left string }

func (s *slowly) Read(p []byte) (int, error) {
	if s.left == "" {
		return 0, io.EOF
	}
	time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
	n := copy(p[:min(len(p), 500)], s.left)
	s.left = s.left[n:]
	return n, nil
}
