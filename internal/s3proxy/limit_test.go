package s3proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/s3test"
	"keystile/internal/sigv4"
)

// newLimited starts a gateway whose clock stands still.
func newLimited(t *testing.T, limits s3proxy.Limits) (*gateway, *observed) {
	t.Helper()
	o := &observed{}
	g := newGateway(t, func(options *s3proxy.Options) { options.Limits, options.Observer = limits, o })
	g.now = time.Now()
	g.backend.PutObject("uploads", "a", []byte("x"))
	return g, o
}

func (o *observed) wantLimits(t *testing.T, want ...string) {
	t.Helper()
	for i, limit := range want {
		if s := o.next(t); s.Limit != limit || s.Refused != (limit != "") {
			t.Errorf("request %d was counted for the limit %q, refused %v; want %q", i, s.Limit, s.Refused, limit)
		}
	}
}

var getA = call{method: get, path: "/uploads/a"}

func TestRequestsPerSecondOfAKey(t *testing.T) {
	g, o := newLimited(t, s3proxy.Limits{RequestsPerSecondPerKey: 2})
	greedy, modest := g.mint("prod/uploads:read"), g.mint("prod/uploads:read")
	for range 2 {
		wantStatus(t, g.do(greedy, getA), 200, "")
	}
	refused := g.do(greedy, getA)
	wantStatus(t, refused, 503, "SlowDown")
	if refused.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	wantStatus(t, g.do(modest, getA), 200, "")
	if n := g.backend.Count(); n != 3 {
		t.Errorf("the backend saw %d requests, want 3", n)
	}
	o.wantLimits(t, "", "", "key_rate", "")
	events := g.events(keystile.EventFilter{Result: keystile.ResultError})
	if len(events) != 1 || events[0].Detail.Code != "SlowDown" || events[0].Detail.AccessKeyID != greedy.id || !events[0].Detail.Authenticated {
		t.Errorf("the trail has %+v", events)
	}
}

func TestRequestsPerSecondOfAll(t *testing.T) {
	g, o := newLimited(t, s3proxy.Limits{RequestsPerSecond: 2})
	k, forged := g.mint("prod/uploads:read"), key{"AKIAAAAAAAAAAAAAAAAA", keystile.NewSecretKey()}
	for range 5 { // what is refused anyway takes nothing from others
		wantStatus(t, g.do(forged, getA), 401, "InvalidAccessKeyId")
		wantStatus(t, g.do(k, call{method: get, path: "/payroll/a"}), 403, "AccessDenied")
		if forged, denied := o.next(t), o.next(t); forged.Limit+denied.Limit != "" {
			t.Errorf("counted for limits: %+v, %+v", forged, denied)
		}
	}
	for range 2 {
		wantStatus(t, g.do(k, getA), 200, "")
	}
	wantStatus(t, g.do(g.mint("prod/uploads:read"), getA), 503, "SlowDown")
	o.wantLimits(t, "", "", "rate")
	if n := g.backend.Count(); n != 2 {
		t.Errorf("the backend saw %d requests, want 2", n)
	}
}

// inFlight keeps n requests of a key waiting for the backend until done.
func (g *gateway) inFlight(k key, n int) (done func()) {
	g.t.Helper()
	g.backend.Inject(s3test.Delay(time.Minute))
	var waiting sync.WaitGroup
	before := g.backend.Count()
	for range n {
		waiting.Go(func() { // it is cut in the end
			if res, err := http.DefaultClient.Do(g.request(k, getA)); err == nil {
				_ = res.Body.Close()
			}
		})
	}
	for end := time.Now().Add(10 * time.Second); g.backend.Count() < before+n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatal("the requests do not reach the backend")
		}
	}
	g.backend.ClearFaults()
	return func() {
		g.change(k, func(c *keystile.Credential) { c.DisabledAt = g.clock() })
		waiting.Wait()
	}
}

func TestRequestsInFlightOfAKey(t *testing.T) {
	g, _ := newLimited(t, s3proxy.Limits{InFlightPerKey: 2})
	greedy, modest := g.mint("prod/uploads:read"), g.mint("prod/uploads:read")
	done := g.inFlight(greedy, 2)
	wantStatus(t, g.do(greedy, getA), 503, "SlowDown")
	wantStatus(t, g.do(modest, getA), 200, "")
	done()
	if n := g.backend.Count(); n != 3 {
		t.Errorf("the backend saw %d requests, want 3", n)
	}
}

func TestRequestsInFlightOfAll(t *testing.T) {
	g, _ := newLimited(t, s3proxy.Limits{InFlight: 2})
	greedy, modest := g.mint("prod/uploads:read"), g.mint("prod/uploads:read")
	done := g.inFlight(greedy, 2)
	wantStatus(t, g.do(modest, getA), 503, "SlowDown")
	done()
	for range 5 { // what was refused is not counted as in flight
		wantStatus(t, g.do(modest, getA), 200, "")
	}
}

func TestBufferedBytes(t *testing.T) {
	g, o := newLimited(t, s3proxy.Limits{BufferedBytes: 64 << 10})
	k := g.mint("prod/uploads:read,list,delete")
	deleteOf := func(n int) call {
		var body strings.Builder
		body.WriteString("<Delete>")
		for i := range n {
			fmt.Fprintf(&body, "<Object><Key>%0100d</Key></Object>", i)
		}
		body.WriteString("</Delete>")
		return call{method: post, path: "/uploads", query: "delete=", body: body.String(), header: header("Content-Md5", md5Of(body.String()))}
	}
	wantStatus(t, g.do(k, deleteOf(100)), 200, "")
	wantStatus(t, g.do(k, deleteOf(1000)), 503, "SlowDown")
	wantStatus(t, g.do(k, deleteOf(100)), 200, "") // it was given back
	o.wantLimits(t, "", "memory", "")
	g.backend.Reset()

	// A listing is held as it grows.
	for i := range 1000 {
		g.backend.PutObject("uploads", fmt.Sprintf("%0200d", i), nil)
	}
	wantStatus(t, g.do(k, call{method: get, path: "/uploads", query: "list-type=2&max-keys=50"}), 200, "")
	wantStatus(t, g.do(k, call{method: get, path: "/uploads", query: "list-type=2"}), 503, "SlowDown")
	o.wantLimits(t, "", "memory")
}

// unfinished sends all but the end of a body of XML and returns when it is
// taken; end closes the connection.
func (g *gateway) unfinished(k key, size int) (end func()) {
	g.t.Helper()
	reader, writer := io.Pipe()
	c := call{method: post, path: "/uploads", query: "delete=", header: header("Content-Md5", md5Of("")), payloadHash: sigv4.UnsignedPayload}
	c.tamper = func(r *http.Request) { r.Body, r.ContentLength = reader, int64(size)+1 }
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if res, err := http.DefaultClient.Do(g.request(k, c)); err == nil {
			_ = res.Body.Close()
		}
	}()
	_, err := writer.Write(make([]byte, size))
	must(g.t, err)
	return func() {
		_ = writer.CloseWithError(io.ErrUnexpectedEOF)
		<-ended
	}
}

// Those who send slowly with one key do not use up the memory of all.
func TestBufferedBytesOfAKey(t *testing.T) {
	g, _ := newLimited(t, s3proxy.Limits{BufferedBytes: 64 << 20})
	slow, other := g.mint("prod/uploads:delete"), g.mint("prod/uploads:delete")
	body := "<Delete><Object><Key>" + strings.Repeat("k", 1000) + "</Key></Object></Delete>"
	deleteOne := call{method: post, path: "/uploads", query: "delete=", body: body, header: header("Content-Md5", md5Of(body))}
	end := []func(){g.unfinished(slow, 7<<20), g.unfinished(slow, 7<<20), g.unfinished(slow, 1900<<10)}
	for until := time.Now().Add(10 * time.Second); g.proxy.Buffered() < 16<<20; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d bytes are held", g.proxy.Buffered())
		}
	}
	wantStatus(t, g.do(slow, deleteOne), 503, "SlowDown")
	wantStatus(t, g.do(other, deleteOne), 200, "")
	for _, f := range end {
		f()
	}
	for until := time.Now().Add(10 * time.Second); g.proxy.Buffered() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d bytes are held by nobody", g.proxy.Buffered())
		}
	}
	wantStatus(t, g.do(slow, deleteOne), 200, "")
}
