package s3proxy_test

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's ETag
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/abandoned"
	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/store"
)

// keeper makes one that knows what the store has.
func (g *gateway) keeper() *abandoned.Keeper {
	g.t.Helper()
	k, err := abandoned.Open(g.t.Context(), abandoned.Options{
		Store: g.store, Backends: g.backends, Quotas: g.quotas, Trail: g.trail, Now: g.clock, After: time.Hour, Pace: 5 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(g.logs, nil)),
	})
	must(g.t, err)
	return k
}

// run has a keeper work until stop is called, or the test ends.
func (g *gateway) run(k *abandoned.Keeper) (stop func()) {
	ctx, cancel := context.WithCancel(g.t.Context())
	var running sync.WaitGroup
	running.Go(func() { k.Run(ctx) })
	stop = func() {
		cancel()
		running.Wait()
	}
	g.t.Cleanup(stop)
	return stop
}

func (g *gateway) refusedUploads() (all []keystile.RefusedUpload) {
	g.t.Helper()
	must(g.t, g.store.Read(g.t.Context(), func(tx store.Tx) (err error) {
		all, err = tx.RefusedUploads()
		return err
	}))
	return all
}

// aborts are the events of uploads that were aborted.
func (g *gateway) aborts() []keystile.Event {
	g.t.Helper()
	must(g.t, g.trail.CaughtUp(g.t.Context()))
	return g.events(keystile.EventFilter{ActionPrefix: abandoned.Action})
}

// aborted reports whether the backend was asked to abort the upload.
func (g *gateway) aborted(id string) bool {
	for _, r := range g.backend.Requests() {
		if r.Method == http.MethodDelete && strings.Contains(r.Query, "uploadId="+id) {
			return true
		}
	}
	return false
}

const partSize = 400

// refuseOne begins two uploads in a bucket of 1000 bytes, each with one part, of one
// of which a second part is refused.
func refuseOne(t *testing.T) (g *gateway, k key, refused, other string) {
	t.Helper()
	g = newGateway(t)
	k = g.mint("prod/uploads:read,write,delete")
	refused, other = g.begin(k, "big"), g.begin(k, "other")
	g.cap(noCaps, hardBytes(1000))
	body := strings.Repeat("x", partSize)
	wantStatus(t, g.do(k, partCall("big", refused, 1, body)), 200, "")
	wantStatus(t, g.do(k, partCall("other", other, 1, body)), 200, "")
	wantStatus(t, g.do(k, partCall("big", refused, 2, body)), 507, "QuotaExceeded")
	return g, k, refused, other
}

// An upload that was refused and left gives its room back; one that was only left
// stays, and so does the refused one before its time.
func TestRefusedUploadThatIsLeftIsAborted(t *testing.T) {
	g, k, refused, other := refuseOne(t)
	g.run(g.uploads)
	g.later(59 * time.Minute)
	time.Sleep(50 * time.Millisecond) // some looks
	if g.aborted(refused) {
		t.Fatal("it is aborted before its time")
	}
	g.later(61 * time.Minute)
	g.until("its room is back", func() bool { return g.usage().Used.Bytes == partSize })
	g.isCounted()
	if !g.aborted(refused) || g.aborted(other) {
		t.Errorf("refused: aborted is %v; other: aborted is %v", g.aborted(refused), g.aborted(other))
	}
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: strings.Repeat("x", 600)}), 200, "")
	g.until("it is forgotten", func() bool { return len(g.refusedUploads()) == 0 })
	events := g.aborts()
	if len(events) != 1 {
		t.Fatalf("%d events, want 1: %+v", len(events), events)
	}
	e := events[0]
	if e.Result != keystile.ResultOK || e.Status != 204 || e.Backend != "prod" || e.Bucket != "uploads" || e.Key != "big" ||
		e.Detail.UploadID != refused || e.Detail.Bytes != partSize || e.Detail.AccessKeyID != k.id || e.Open {
		t.Errorf("the event is %+v", e)
	}
	g.later(3 * time.Hour)
	time.Sleep(50 * time.Millisecond)
	if g.aborted(other) {
		t.Error("an upload of which nothing was refused is aborted")
	}
}

// Whatever a write to an upload is refused for, the backend never sees it, and the
// upload is remembered; in a bucket that is not counted it is ended like any other.
func TestEveryRefusalOfAnUploadIsRemembered(t *testing.T) {
	body := strings.Repeat("x", partSize)
	unbounded := keystile.CredentialLimits{Ceiling: noCaps, Allowance: keystile.NoCap}
	for name, tt := range map[string]struct {
		caps   keystile.Amount
		limits keystile.CredentialLimits
		write  func(id string) call
		part   int
	}{
		"a part over a ceiling":    {noCaps, keystile.CredentialLimits{Ceiling: hardBytes(500), Allowance: keystile.NoCap}, func(id string) call { return partCall("big", id, 2, body) }, 2},
		"a part over an allowance": {noCaps, allowing(500, keystile.PerTotal), func(id string) call { return partCall("big", id, 2, body) }, 2},
		"a copied part over the cap": {hardBytes(500), unbounded, func(id string) call {
			c := copyOf("reports/source")
			c.path, c.query = "/uploads/big", "partNumber=2&uploadId="+id
			return c
		}, 2},
		"a completion over the cap": {keystile.Amount{Bytes: keystile.NoCap, Objects: 0}, unbounded, func(id string) call {
			sum := md5.Sum([]byte(body)) //nolint:gosec // S3's ETag
			return completion("big", id, hex.EncodeToString(sum[:]))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			g.backend.PutObject("reports", "source", []byte(body))
			k := g.mint("prod/uploads:read,write,delete", "prod/reports:read")
			id := g.begin(k, "big")
			g.cap(noCaps, tt.caps)
			g.bound(k, tt.limits)
			wantStatus(t, g.do(k, partCall("big", id, 1, body)), 200, "")
			g.backend.Reset()
			wantStatus(t, g.do(k, tt.write(id)), 507, "QuotaExceeded")
			if seen := g.changed(); len(seen) > 0 {
				t.Errorf("the backend saw %q", seen)
			}
			g.run(g.uploads)
			g.until("it is kept", func() bool { return len(g.refusedUploads()) == 1 })
			if u := g.refusedUploads()[0]; u.UploadID != id || len(u.Parts) != 1 || u.Parts[0] != tt.part {
				t.Errorf("kept is %+v", u)
			}
			g.later(61 * time.Minute)
			g.until("its room is back", func() bool { return g.usage().Used.Bytes == 0 })
			g.isCounted()
		})
	}
	t.Run("a part over an allowance, where nothing is counted", func(t *testing.T) {
		g := newGateway(t)
		k := g.mint("prod/uploads:read,write,delete")
		id := g.begin(k, "big")
		g.bound(k, allowing(500, keystile.PerTotal))
		wantStatus(t, g.do(k, partCall("big", id, 1, body)), 200, "")
		wantStatus(t, g.do(k, partCall("big", id, 2, body)), 507, "QuotaExceeded")
		g.run(g.uploads)
		g.later(61 * time.Minute)
		g.until("it is gone", func() bool {
			size, _ := g.backend.Stored("uploads")
			return size == 0
		})
	})
}

// An upload goes on where what was refused is stored after all, and is over where its
// client ends it: neither is touched, however long nothing more is heard of it.
func TestRefusedUploadThatGoesOnStays(t *testing.T) {
	body := strings.Repeat("x", partSize)
	for name, then := range map[string]func(g *gateway, k key, id string){
		"the part is sent again": func(g *gateway, k key, id string) {
			g.cap(noCaps, hardBytes(10_000))
			wantStatus(g.t, g.do(k, partCall("big", id, 2, body)), 200, "")
		},
		"a smaller one is sent in its stead": func(g *gateway, k key, id string) {
			wantStatus(g.t, g.do(k, partCall("big", id, 2, "x")), 200, "")
		},
		"it is completed without the part": func(g *gateway, k key, id string) {
			sum := md5.Sum([]byte(body)) //nolint:gosec // S3's ETag
			r := g.do(k, completion("big", id, hex.EncodeToString(sum[:])))
			wantStatus(g.t, r, 200, "")
		},
		"its client aborts it": func(g *gateway, k key, id string) {
			wantStatus(g.t, g.do(k, call{method: del, path: "/uploads/big", query: "uploadId=" + id}), 204, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, k, id, _ := refuseOne(t)
			g.run(g.uploads)
			g.until("it is kept", func() bool { return len(g.refusedUploads()) == 1 })
			then(g, k, id)
			g.until("it is forgotten", func() bool { return len(g.refusedUploads()) == 0 })
			g.backend.Reset()
			g.later(48 * time.Hour)
			time.Sleep(50 * time.Millisecond)
			if seen := g.changed(); len(seen) > 0 || len(g.aborts()) > 0 {
				t.Errorf("the backend saw %q; events %+v", seen, g.aborts())
			}
			g.isCounted()
		})
	}
}

// A part that is stored is no sign that the one which was refused is given up, nor that
// it is not: it is one that somebody is there.
func TestRefusedUploadIsGivenTimeByEachWrite(t *testing.T) {
	g, k, id, _ := refuseOne(t)
	g.run(g.uploads)
	g.later(50 * time.Minute)
	wantStatus(t, g.do(k, partCall("big", id, 3, "x")), 200, "")
	g.later(100 * time.Minute)
	time.Sleep(50 * time.Millisecond)
	if g.aborted(id) {
		t.Fatal("it is aborted 50 minutes after its last part")
	}
	g.later(111 * time.Minute)
	g.until("it is aborted", func() bool { return g.usage().Used.Bytes == partSize })
	g.isCounted()
}

// A part on its way keeps its upload, however long it takes.
func TestRefusedUploadStaysWhileAPartIsOnItsWay(t *testing.T) {
	g, k, id, _ := refuseOne(t)
	g.run(g.uploads)
	body, rest := io.Pipe()
	c := partCall("big", id, 3, "x")
	c.tamper = func(r *http.Request) { r.Body = body }
	answered := make(chan result)
	go func() { answered <- g.do(k, c) }()
	g.until("the part is on its way", func() bool { return g.usage().Reserved.Bytes == 1 })
	g.later(5 * time.Hour)
	time.Sleep(50 * time.Millisecond)
	if g.aborted(id) {
		t.Fatal("it is aborted while a part is on its way")
	}
	_, err := rest.Write([]byte("x"))
	must(t, err)
	must(t, rest.Close())
	wantStatus(t, <-answered, 200, "")
	g.later(7 * time.Hour)
	g.until("it is aborted", func() bool { return g.usage().Used.Bytes == partSize })
	g.isCounted()
}

// What is to be aborted is known after a restart.
func TestRefusedUploadsOutliveARestart(t *testing.T) {
	g, _, id, _ := refuseOne(t)
	stop := g.run(g.uploads)
	g.until("it is kept", func() bool { return len(g.refusedUploads()) == 1 })
	stop()
	if u := g.refusedUploads()[0]; u.UploadID != id || u.Key != "big" || len(u.Parts) != 1 || u.Parts[0] != 2 {
		t.Errorf("kept is %+v", u)
	}
	g.later(3 * time.Hour)
	next := g.keeper()
	g.run(next)
	time.Sleep(50 * time.Millisecond)
	if g.aborted(id) {
		t.Fatal("it is aborted before clients could come back")
	}
	g.later(3*time.Hour + 11*time.Minute)
	g.until("it is aborted", func() bool { return g.usage().Used.Bytes == partSize })
	g.isCounted()
	g.until("it is forgotten", func() bool { return len(g.refusedUploads()) == 0 })
}

// A backend in trouble is asked again, and what is not known of an abort counts until
// it is.
func TestAbortThatFailsIsTriedAgain(t *testing.T) {
	deletes := func(r *http.Request) bool { return r.Method == http.MethodDelete }
	for name, fault := range map[string]s3test.Fault{
		"the listing fails":      s3test.Answer(500, `<Error><Code>InternalError</Code></Error>`).When(func(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Query().Has("uploadId") }),
		"the abort fails":        s3test.Answer(500, `<Error><Code>InternalError</Code></Error>`).When(deletes),
		"it has no answer":       s3test.NoAnswer().When(deletes),
		"the abort is cut off":   s3test.HangUpAfter(0).When(deletes),
		"the backend refuses it": s3test.Answer(403, `<Error><Code>AccessDenied</Code></Error>`).When(deletes),
	} {
		t.Run(name, func(t *testing.T) {
			g, _, _, _ := refuseOne(t)
			g.backend.Inject(fault)
			g.run(g.uploads)
			g.later(61 * time.Minute)
			g.until("it was tried", func() bool { return strings.Contains(g.logs.String(), "cannot be aborted; trying again") })
			g.backend.ClearFaults()
			size, objects := g.backend.Stored("uploads")
			if u := g.usage(); !(keystile.Amount{Bytes: size, Objects: objects}).Within(u.Total()) {
				t.Errorf("%+v counts; %d bytes in %d objects are stored", u, size, objects)
			}
			g.until("it is gone", func() bool {
				g.later(26 * time.Hour) // from now: what is put off for seconds comes due
				size, _ := g.backend.Stored("uploads")
				u := g.usage()
				return size == partSize && u.Total().Bytes == partSize
			})
			g.until("it is forgotten", func() bool { return len(g.refusedUploads()) == 0 })
			g.isCounted()
		})
	}
}

// Ids that a client makes up are forgotten once they are looked for, without an event.
func TestMadeUpUploadsAreForgotten(t *testing.T) {
	g, k, id, _ := refuseOne(t)
	for i := range 3 {
		r := g.do(k, partCall("big", fmt.Sprintf("made-up-%d", i), 1, strings.Repeat("x", partSize)))
		wantStatus(t, r, 507, "QuotaExceeded")
	}
	must(t, g.uploads.Flush(t.Context()))
	if n := len(g.refusedUploads()); n != 4 {
		t.Errorf("%d uploads are kept, want 4", n)
	}
	g.run(g.uploads)
	g.later(61 * time.Minute)
	g.until("they are forgotten", func() bool { return len(g.refusedUploads()) == 0 })
	if events := g.aborts(); len(events) != 1 || events[0].Detail.UploadID != id {
		t.Errorf("events %+v", events)
	}
	g.isCounted()
}

// Without a record of it nothing is aborted.
func TestNothingIsAbortedWithoutARecord(t *testing.T) {
	g, _, id, _ := refuseOne(t)
	g.run(g.uploads)
	g.until("it is kept", func() bool { return len(g.refusedUploads()) == 1 })
	g.trail.Close()
	g.later(61 * time.Minute)
	g.until("it was tried", func() bool { return strings.Contains(g.logs.String(), "cannot be aborted; trying again") })
	if g.aborted(id) {
		t.Error("it is aborted without a record")
	}
}
