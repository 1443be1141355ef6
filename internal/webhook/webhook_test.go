package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
	"keystile/internal/upstream"
	"keystile/internal/webhook"
)

const secretText = "ksw_secret-of-the-test"

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// bench is a queue on a real store, which can die and be opened again.
type bench struct {
	t          *testing.T
	path       string
	key        seal.Key
	db         *sqlstore.DB
	dialer     *upstream.Dialer
	dispatcher *webhook.Dispatcher

	mu  sync.Mutex
	now time.Time
}

func newBench(t *testing.T, own ...netip.AddrPort) *bench {
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "keystile.db"), key: seal.NewKey(), now: noon, dialer: upstream.NewDialer(own...)}
	b.start()
	t.Cleanup(func() { _ = b.db.Close() })
	return b
}

func (b *bench) start() {
	b.t.Helper()
	ring, err := seal.New(b.key)
	must(b.t, err)
	b.db, err = sqlstore.OpenSQLite(b.t.Context(), b.path, ring)
	must(b.t, err)
	b.dispatcher = webhook.New(webhook.Options{Store: b.db, Sender: b.sender(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: b.clock})
}

func (b *bench) sender() *webhook.Sender {
	return webhook.NewSender(webhook.SenderOptions{Dialer: b.dialer, Refused: upstream.ErrRefusedAddress, Agent: "keystile/test", Now: b.clock})
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *bench) hook(id, url string, kinds ...string) {
	b.t.Helper()
	must(b.t, b.db.Write(b.t.Context(), func(tx store.Tx) error {
		return tx.CreateWebhook(keystile.Webhook{ID: id, URL: url, Kinds: kinds, CreatedAt: noon}, keystile.NewSecret(secretText))
	}))
}

func (b *bench) queue(id, kind string) {
	b.t.Helper()
	m, err := webhook.NewMessage(id, kind, noon, map[string]string{"x": "y"})
	must(b.t, err)
	must(b.t, b.db.Write(b.t.Context(), func(tx store.Tx) error { return webhook.Queue(tx, m, b.clock()) }))
}

// look runs the queue until nothing is under way.
func (b *bench) look() {
	b.t.Helper()
	must(b.t, b.dispatcher.Tick(b.t.Context()))
	ended, cancel := context.WithCancel(b.t.Context())
	cancel()
	b.dispatcher.Run(ended) // it only waits
}

func (b *bench) deliveries(id string) (list []keystile.Delivery) {
	b.t.Helper()
	must(b.t, b.db.Read(b.t.Context(), func(tx store.Tx) (err error) {
		list, err = tx.Deliveries(id, 100)
		return err
	}))
	return list
}

func (b *bench) only(id string) keystile.Delivery {
	b.t.Helper()
	all := b.deliveries(id)
	if len(all) != 1 {
		b.t.Fatalf("%d deliveries, want 1: %+v", len(all), all)
	}
	return all[0]
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// receiver notes what it is told and answers what answer says.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	heads  []http.Header
	bodies []string
	answer func(w http.ResponseWriter, r *http.Request)
}

func newReceiver(t *testing.T, answer func(http.ResponseWriter, *http.Request)) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.heads, r.bodies = append(r.heads, req.Header), append(r.bodies, string(body))
		answer := r.answer
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) says(answer func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// verify is what the documentation tells receivers to do.
func verify(secret string, h http.Header, body string, now time.Time) bool {
	var at int64
	if _, err := fmt.Sscanf(h.Get("X-Keystile-Timestamp"), "%d", &at); err != nil || now.Sub(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, h.Get("X-Keystile-Timestamp")+"."+body)
	return hmac.Equal([]byte("v1="+hex.EncodeToString(mac.Sum(nil))), []byte(h.Get("X-Keystile-Signature")))
}

func TestACallIsSigned(t *testing.T) {
	b := newBench(t)
	r := newReceiver(t, status(204))
	b.hook("h", r.URL+"/in")
	b.queue("m", keystile.WebhookHardRefused)
	b.look()
	if d := b.only("h"); d.State != keystile.DeliveryDelivered || d.Attempts != 1 || d.LastStatus != 204 || d.LastError != "" {
		t.Errorf("delivery %+v", d)
	}
	head, body := r.heads[0], r.bodies[0]
	if head.Get("X-Keystile-Event") != keystile.WebhookHardRefused || head.Get("X-Keystile-Delivery") != "m" || head.Get("Content-Type") != "application/json" {
		t.Errorf("head %v", head)
	}
	var told struct{ ID, Type string }
	must(t, json.Unmarshal([]byte(body), &told))
	if told.ID != "m" || told.Type != keystile.WebhookHardRefused {
		t.Errorf("body %s", body)
	}
	forged := head.Clone()
	forged.Set("X-Keystile-Timestamp", fmt.Sprint(noon.Unix()+1))
	for _, tt := range []struct {
		name string
		ok   bool
		want bool
	}{
		{"as it was sent", verify(secretText, head, body, noon), true},
		{"another secret", verify("ksw_other", head, body, noon), false},
		{"a changed body", verify(secretText, head, body+" ", noon), false},
		{"a changed time", verify(secretText, forged, body, noon), false},
		{"sent again much later", verify(secretText, head, body, noon.Add(time.Hour)), false},
	} {
		if tt.ok != tt.want {
			t.Errorf("%s: verified %v, want %v", tt.name, tt.ok, tt.want)
		}
	}
}

func TestAFailedCallIsRepeatedWithTheSameID(t *testing.T) {
	b := newBench(t)
	r := newReceiver(t, status(500))
	b.hook("h", r.URL)
	b.queue("m", keystile.WebhookHardRefused)
	var pauses []time.Duration
	for range 4 {
		b.look()
		d := b.only("h")
		if d.State != keystile.DeliveryPending || d.LastError != "answered 500" || d.LastStatus != 500 {
			t.Fatalf("delivery %+v", d)
		}
		pauses = append(pauses, d.NextAt.Sub(b.clock()))
		before := r.calls()
		b.look()
		if r.calls() != before {
			t.Fatal("called again before it was due")
		}
		b.pass(d.NextAt.Sub(b.clock()))
	}
	for i, base := range []time.Duration{10, 30, 90, 270} {
		if low, high := base*time.Second/2, base*time.Second*3/2; pauses[i] < low || pauses[i] > high {
			t.Errorf("pause %d is %s, want %s to %s", i+1, pauses[i], low, high)
		}
	}
	r.says(status(200))
	b.look()
	if d := b.only("h"); d.State != keystile.DeliveryDelivered || d.Attempts != 5 {
		t.Errorf("delivery %+v", d)
	}
	for i, head := range r.heads {
		if head.Get("X-Keystile-Delivery") != "m" {
			t.Errorf("call %d: %v", i+1, head)
		}
	}
	if !verify(secretText, r.heads[4], r.bodies[4], b.clock()) {
		t.Error("the last call does not have the time at which it was made under its signature")
	}
}

func TestAMessageIsGivenUpAfterThreeDays(t *testing.T) {
	b := newBench(t)
	r := newReceiver(t, status(410))
	b.hook("h", r.URL)
	b.queue("m", keystile.WebhookHardRefused)
	for range 200 {
		b.look()
		d := b.only("h")
		if d.State == keystile.DeliveryFailed {
			if age := d.EndedAt.Sub(d.CreatedAt); age < 70*time.Hour || age > 72*time.Hour {
				t.Errorf("given up after %s", age)
			}
			return
		}
		b.pass(d.NextAt.Sub(b.clock()))
	}
	t.Error("never given up")
}

// What is queued is there after the process died, also in the middle of a call.
func TestARestartLosesNothing(t *testing.T) {
	b := newBench(t)
	dying := make(chan struct{})
	r := newReceiver(t, func(_ http.ResponseWriter, req *http.Request) { close(dying); <-req.Context().Done() })
	b.hook("h", r.URL)
	b.queue("m", keystile.WebhookSoftExceeded)
	ctx, kill := context.WithCancel(t.Context())
	must(t, b.dispatcher.Tick(ctx))
	<-dying
	kill()
	b.dispatcher.Run(ctx)
	must(t, b.db.Close())
	b.start()
	r.says(status(200))
	b.look()
	if r.calls() != 1 {
		t.Fatalf("%d calls while the one of before may be under way", r.calls())
	}
	b.pass(time.Minute)
	b.look()
	if d := b.only("h"); d.State != keystile.DeliveryDelivered || r.calls() != 2 || r.heads[1].Get("X-Keystile-Delivery") != "m" {
		t.Errorf("after the restart: %+v, %d calls", d, r.calls())
	}
}

func TestWhatReceiversMustNotDo(t *testing.T) {
	elsewhere := newReceiver(t, status(200))
	const leak = "SECRET-OF-THE-RECEIVER"
	raw := listen(t, "HTTP/1.1 "+leak+"\r\n\r\n")
	hangUp := listen(t, "")
	own := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(own.Close)
	redirecting := newReceiver(t, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	failing := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Leak", leak)
		w.WriteHeader(503)
		_, _ = io.WriteString(w, leak)
	})
	secured := httptest.NewTLSServer(http.NotFoundHandler())
	secured.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)
	t.Cleanup(secured.Close)
	for _, tt := range []struct{ name, url, want string }{
		{"a redirect is not followed", redirecting.URL, "answered 307: redirects are not followed"},
		{"what it answers is not shown", failing.URL, "answered 503"},
		{"what is not HTTP is not shown", "http://" + raw, "the connection ended without an answer in HTTP"},
		{"hanging up is a failure", "http://" + hangUp, "the connection ended without an answer in HTTP"},
		{"nobody listens", "http://127.0.0.1:1/", "no connection"},
		{"a metadata service is not called", "http://169.254.169.254/latest/", "this address must not be called"},
		{"a disguised one neither", "http://[::ffff:169.254.169.254]/latest/", "this address must not be called"},
		{"our own listener is not called", own.URL, "this address must not be called"},
		{"a certificate that nobody vouches for", secured.URL, "the certificate cannot be trusted"},
		{"plain HTTP where TLS is asked for", "https" + strings.TrimPrefix(elsewhere.URL, "http"), "the receiver does not speak TLS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, netip.MustParseAddrPort(own.Listener.Addr().String()))
			b.hook("h", tt.url)
			b.queue("m", keystile.WebhookHardRefused)
			b.look()
			d := b.only("h")
			if d.State != keystile.DeliveryPending || d.LastError != tt.want || strings.Contains(d.LastError, leak) {
				t.Errorf("delivery %+v, want the error %q", d, tt.want)
			}
		})
	}
	if elsewhere.calls() != 0 {
		t.Error("a redirect was followed")
	}
}

// listen is a server that reads a little and says what it is told to.
func listen(t *testing.T, say string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(c, say)
			c.Close()
		}
	}()
	return l.Addr().String()
}

// A slow receiver holds up nobody else's messages, and is called once at a time.
func TestASlowReceiverIsAlone(t *testing.T) {
	b := newBench(t)
	free := make(chan struct{})
	slow := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { <-free })
	quick := newReceiver(t, status(200))
	b.hook("slow", slow.URL)
	b.hook("quick", quick.URL)
	for i := range 5 {
		b.queue(fmt.Sprint(i), keystile.WebhookHardRefused)
	}
	for quick.calls() < 5 || slow.calls() < 1 {
		must(t, b.dispatcher.Tick(t.Context()))
		time.Sleep(time.Millisecond)
	}
	if slow.calls() != 1 {
		t.Errorf("%d calls at once", slow.calls())
	}
	close(free)
	b.look()
	if slow.calls() != 5 {
		t.Errorf("%d calls in the end, want 5", slow.calls())
	}
}

func TestWhoIsTold(t *testing.T) {
	b := newBench(t)
	all, soft := newReceiver(t, status(200)), newReceiver(t, status(200))
	b.hook("all", all.URL)
	b.hook("soft", soft.URL, keystile.WebhookSoftExceeded)
	b.queue("1", keystile.WebhookHardRefused)
	b.queue("2", keystile.WebhookSoftExceeded)
	b.look()
	if all.calls() != 2 || soft.calls() != 1 {
		t.Errorf("all were told %d times, soft %d times", all.calls(), soft.calls())
	}
}

func TestATestIsACallThatIsNotRepeated(t *testing.T) {
	b := newBench(t)
	r := newReceiver(t, status(404))
	b.hook("h", r.URL)
	d, err := b.dispatcher.Test(t.Context(), keystile.Webhook{ID: "h", URL: r.URL}, keystile.NewSecret(secretText), "t")
	must(t, err)
	b.pass(time.Hour)
	b.look()
	if d.State != keystile.DeliveryFailed || d.LastError != "answered 404" || r.calls() != 1 || b.only("h").State != keystile.DeliveryFailed {
		t.Errorf("test %+v, %d calls", d, r.calls())
	}
	if !verify(secretText, r.heads[0], r.bodies[0], noon) {
		t.Error("a test is not signed")
	}
}

func refusal(id, bucket, key string, at time.Time) keystile.Event {
	return keystile.Event{
		ID: id, Time: at, Action: "s3.proxy.putobject", Result: keystile.ResultDenied, Status: 507, Backend: "main", Bucket: bucket, SourceIP: "192.0.2.1",
		RequestID: "R" + id, Detail: keystile.EventDetail{AccessKeyID: key, Authenticated: true, Code: keystile.CodeQuotaExceeded, Message: "full"},
	}
}

// What the trail takes up is told once, also when the process dies right after.
func TestTheTrailIsTold(t *testing.T) {
	b := newBench(t)
	r := newReceiver(t, status(200))
	b.hook("h", r.URL)
	dir := t.TempDir()
	open := func() *audit.Trail {
		trail, err := audit.Open(t.Context(), audit.Options{
			Dir: dir, Store: b.db, Log: slog.New(slog.DiscardHandler), Now: b.clock, Derive: webhook.FromTrail(b.clock),
		})
		must(t, err)
		return trail
	}
	trail := open()
	for i := range 40 { // a flood into one bucket, and one refusal in another
		must(t, trail.Refuse(refusal(fmt.Sprint("a", i), "one", "AK1", b.clock())).Wait(t.Context()))
	}
	must(t, trail.Refuse(refusal("b", "two", "AK1", b.clock())).Wait(t.Context()))
	soft := refusal("c", "three", "AK1", b.clock())
	soft.Action, soft.Result, soft.Status, soft.Detail.Code = "quota.soft_exceeded", keystile.ResultOK, 200, ""
	must(t, trail.Append(soft).Wait(t.Context()))
	other := refusal("d", "four", "AK1", b.clock())
	other.Detail.Code = "AccessDenied"
	must(t, trail.Refuse(other).Wait(t.Context()))
	late := refusal("e", "five", "AK1", b.clock()) // one that is known to be over the cap only when it ends
	late.Open, late.Detail.Code = true, ""
	must(t, trail.Append(late).Wait(t.Context()))
	must(t, trail.CaughtUp(t.Context()))
	must(t, trail.Settle(keystile.Outcome{EventID: "e", Result: keystile.ResultDenied, Status: 507, Detail: refusal("e", "five", "AK1", noon).Detail}).Wait(t.Context()))
	must(t, trail.CaughtUp(t.Context()))
	must(t, trail.Close(t.Context()))
	trail = open()
	must(t, trail.CaughtUp(t.Context()))
	b.look()
	told := map[string]int{}
	for _, body := range r.bodies {
		var m struct {
			Type string
			Data webhook.BucketData
		}
		must(t, json.Unmarshal([]byte(body), &m))
		told[m.Type+" "+m.Data.Bucket+" "+m.Data.AccessKeyID]++
	}
	want := map[string]int{
		"quota.hard_refused one AK1": 1, "quota.hard_refused two AK1": 1, "quota.soft_exceeded three AK1": 1, "quota.hard_refused five AK1": 1,
	}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told %v, want %v", told, want)
	}
	b.pass(keystile.NoticeQuiet)
	must(t, trail.Refuse(refusal("f", "one", "AK1", b.clock())).Wait(t.Context()))
	must(t, trail.Close(t.Context()))
	b.look()
	if r.calls() != len(want)+1 {
		t.Errorf("after the quiet: %d calls, want %d", r.calls(), len(want)+1)
	}
}
