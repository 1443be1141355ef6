package s3proxy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
)

// later sets the gateway's clock forward.
func (g *gateway) later(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = time.Now().Add(d)
}

// What the backend made of a write that it did not answer, or answered with trouble,
// is asked for by itself: no count follows.
func TestWriteOfUnknownOutcomeIsAskedFor(t *testing.T) {
	body := strings.Repeat("x", 900)
	type written struct{ id, etag string }
	writes := map[string]func(w written) call{
		"an object":    func(written) call { return call{method: put, path: "/uploads/there", body: body} },
		"a copy":       func(written) call { return copyOf("reports/source") },
		"a delete":     func(written) call { return call{method: del, path: "/uploads/there"} },
		"a part":       func(w written) call { return partCall("big", w.id, 2, body) },
		"a completion": func(w written) call { return completion("big", w.id, w.etag) },
		"an abort":     func(w written) call { return call{method: del, path: "/uploads/big", query: "uploadId=" + w.id} },
	}
	faults := map[string]s3test.Fault{
		"is answered with trouble":            s3test.Answer(500, `<Error><Code>InternalError</Code></Error>`),
		"is done, and has no answer":          s3test.NoAnswer(),
		"is done, and its answer is cut off":  s3test.CutAnswerAfter(0),
		"is cut off before it has its answer": s3test.HangUpAfter(1 << 20),
	}
	for what, write := range writes {
		for how, fault := range faults {
			t.Run(what+" "+how, func(t *testing.T) {
				g := newGateway(t)
				k := g.mint("prod/uploads:read,write,delete,list", "prod/reports:read")
				g.backend.PutObject("uploads", "there", make([]byte, 300))
				g.backend.PutObject("reports", "source", []byte(body))
				id := g.begin(k, "big")
				etag := g.do(k, partCall("big", id, 1, "hello")).header.Get("Etag")
				g.cap(noCaps, hardBytes(100_000))
				counted := g.usage().CountedAt
				g.backend.Inject(fault.When(func(r *http.Request) bool {
					return r.Method != http.MethodGet && r.Method != http.MethodHead
				}).Once())
				g.do(k, write(written{id, etag}))
				size, objects := g.backend.Stored("uploads")
				if u := g.usage(); !(keystile.Amount{Bytes: size, Objects: objects}).Within(u.Total()) {
					t.Errorf("%+v counts; %d bytes in %d objects are stored", u, size, objects)
				}
				g.later(time.Hour)
				g.until("it is settled", func() bool {
					size, objects := g.backend.Stored("uploads")
					return g.usage().Used == keystile.Amount{Bytes: size, Objects: objects} && g.usage().Unknown == keystile.Amount{}
				})
				g.isCounted()
				if u := g.usage(); !u.CountedAt.Equal(counted) || u.Recount {
					t.Errorf("the bucket was counted, or is to be: %+v", u)
				}
			})
		}
	}
}

// An upload that was completed, but whose object the backend does not tell of, goes
// on counting as its parts until the bucket is counted.
func TestCompletionThatIsNotToldOfCounts(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete,list")
	id := g.begin(k, "big")
	part := g.do(k, partCall("big", id, 1, strings.Repeat("x", 700)))
	g.cap(noCaps, hardBytes(1000))
	heads := 0
	g.backend.Inject(s3test.Answer(503, "").When(func(r *http.Request) bool {
		if r.Method == http.MethodHead {
			heads++
		}
		return r.Method == http.MethodHead && heads == 2 // after the completion
	}))
	wantStatus(t, g.do(k, completion("big", id, part.header.Get("Etag"))), 200, "")
	if u := g.usage(); u.Total().Bytes < 700 {
		t.Errorf("usage is %+v, 700 bytes are stored", u)
	}
	g.later(time.Hour)
	g.until("it is counted", func() bool { u := g.usage(); return !u.Recount && u.Scan == nil && u.Used.Bytes == 700 })
	g.isCounted()
}
