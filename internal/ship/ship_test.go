package ship_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/ship"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
	"keystile/internal/upstream"
	"keystile/internal/webhook"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for what comes about by itself.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

var quiet = slog.New(slog.DiscardHandler)

// bench is a journal and a store that shippers are started on.
type bench struct {
	t       *testing.T
	journal *journal.Journal
	db      *sqlstore.DB
	made    int
}

func newBench(t *testing.T) *bench {
	ring, err := seal.New(seal.NewKey())
	must(t, err)
	db, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "keystile.db"), ring)
	must(t, err)
	// Segments are small, so that reading goes over their ends.
	j, _, err := journal.Open(journal.Options{Dir: t.TempDir(), SegmentBytes: 2000, Now: time.Now})
	must(t, err)
	t.Cleanup(func() {
		must(t, j.Close())
		must(t, db.Close())
	})
	return &bench{t: t, journal: j, db: db}
}

func (b *bench) record(n int) {
	b.t.Helper()
	var records [][]byte
	for range n {
		b.made++
		result := "ok"
		if b.made%7 == 0 {
			result = "denied"
		}
		records = append(records, fmt.Appendf(nil, `{"event":{"id":"e%d","time":"2026-11-25T12:00:00Z","action":"s3.proxy.putobject","result":%q,"detail":{}}}`, b.made, result))
	}
	must(b.t, b.journal.Append(records))
}

// start runs a shipper until the returned function is called.
func (b *bench) start(feeds ...ship.Feed) (*ship.Shipper, func()) {
	b.t.Helper()
	s, err := ship.New(b.t.Context(), ship.Options{Journal: b.journal, Store: b.db, Log: quiet, Now: time.Now, Feeds: feeds})
	must(b.t, err)
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	stop := func() {
		cancel()
		<-ended
	}
	b.t.Cleanup(stop)
	return s, stop
}

// got are the records that something received.
type got struct {
	mu      sync.Mutex
	order   []uint64
	anchors int
	retired int // events that tell of a retirement
}

func (g *got) add(line []byte) error {
	var r struct {
		Record    uint64          `json:"record"`
		Event     json.RawMessage `json:"event"`
		Signature string          `json:"signature"`
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case r.Signature != "":
		g.anchors++
	case len(r.Event) == 0:
		return fmt.Errorf("%s holds no event", line)
	default:
		g.order = append(g.order, r.Record)
		if strings.Contains(string(r.Event), `"audit.retire"`) {
			g.retired++
		}
	}
	return nil
}

func (g *got) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.order)
}

// inOrder checks that 1 to n came, each once.
func (g *got) inOrder(t *testing.T, n int) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.order) != n {
		t.Fatalf("%d records came, want %d", len(g.order), n)
	}
	for i, seq := range g.order {
		if seq != uint64(i+1) {
			t.Fatalf("record %d came as number %d", seq, i+1)
		}
	}
}

// receiver is a webhook's.
type receiver struct {
	*httptest.Server
	got
	mu   sync.Mutex
	down bool
}

var secret = keystile.NewSecret("of the test")

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		r.mu.Lock()
		down := r.down
		r.mu.Unlock()
		signed := req.Header.Get(webhook.HeaderSignature) == webhook.Sign(secret, req.Header.Get(webhook.HeaderTimestamp), body)
		if err != nil || down || !signed {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var m struct {
			Data struct{ Records, Anchors []json.RawMessage }
		}
		if err := json.Unmarshal(body, &m); err != nil {
			t.Error(err)
		}
		for _, line := range append(m.Data.Records, m.Data.Anchors...) {
			if err := r.add(line); err != nil {
				t.Error(err)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) setDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

func (r *receiver) sink() ship.Sink {
	sender := webhook.NewSender(webhook.SenderOptions{Dialer: upstream.NewDialer(), Refused: upstream.ErrRefusedAddress, Agent: "keystile/test", Now: time.Now})
	return ship.NewHook(sender, r.URL, secret, time.Now)
}

func fileLines(t *testing.T, names ...string) *got {
	t.Helper()
	g := &got{}
	for _, name := range names {
		f, err := os.Open(name)
		must(t, err)
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			must(t, g.add(lines.Bytes()))
		}
		must(t, lines.Err())
		must(t, f.Close())
	}
	return g
}

func TestADeadSinkDelaysNoOther(t *testing.T) {
	b := newBench(t)
	dead := newReceiver(t)
	dead.setDown(true)
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	b.record(1200)
	s, _ := b.start(
		ship.Feed{Name: "dead", Kind: "webhook", Sink: dead.sink(), Records: true, Waited: true},
		ship.Feed{Name: "file", Kind: "file", Sink: ship.NewFile(path, 0, 0), Records: true, Waited: true},
	)
	until(t, "the file has all, and the other failed", func() bool { return s.Status()[1].Position == 1200 && s.Status()[0].Failing != "" })
	status := s.Status()[0]
	if status.Lag != 1200 || status.Since.IsZero() {
		t.Errorf("the dead one: %+v", status)
	}
	if got := s.Shipped(); got != 0 {
		t.Errorf("Shipped = %d while a sink that is waited for got nothing", got)
	}
	dead.setDown(false)
	until(t, "the dead one has all", func() bool { return s.Status()[0].Position == 1200 })
	dead.inOrder(t, 1200)
	fileLines(t, path).inOrder(t, 1200)
	until(t, "retention may go on", func() bool { return s.Shipped() == 1200 })
	if status := s.Status()[0]; status.Failing != "" || status.Lag != 0 || status.SentAt.IsZero() {
		t.Errorf("when it is back: %+v", status)
	}
}

func TestSinksGoOnWhereTheyWere(t *testing.T) {
	b := newBench(t)
	r := newReceiver(t)
	feed := ship.Feed{Name: "hook", Sink: r.sink(), Records: true}
	b.record(10)
	s, stop := b.start(feed)
	until(t, "the first ten", func() bool { return s.Status()[0].Position == 10 })
	stop()
	b.record(700)
	s, stop = b.start(feed, ship.Feed{Name: "late", Sink: newReceiver(t).sink(), Records: true, FromNow: true})
	until(t, "all", func() bool { return s.Status()[0].Position == 710 })
	if late := s.Status()[1]; late.Position != 710 || !late.SentAt.IsZero() {
		t.Errorf("a sink that begins now: %+v", late)
	}
	stop()
	r.inOrder(t, 710)
}

func TestRetentionWaitsForThoseItIsToldTo(t *testing.T) {
	b := newBench(t)
	down := newReceiver(t)
	down.setDown(true)
	b.record(3)
	s, _ := b.start(ship.Feed{Name: "ignored", Sink: down.sink(), Records: true})
	if got := s.Shipped(); got != math.MaxUint64 {
		t.Errorf("Shipped = %d where no sink is waited for", got)
	}
}

func TestAnchorsAreSentOnce(t *testing.T) {
	b := newBench(t)
	r := newReceiver(t)
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	b.record(2)
	_, _, err = b.journal.Anchor(key)
	must(t, err)
	b.record(1)
	_, _, err = b.journal.Anchor(key)
	must(t, err)
	feed := ship.Feed{Name: "hook", Sink: r.sink(), Anchors: true}
	for range 2 {
		s, stop := b.start(feed)
		until(t, "the anchors", func() bool { return s.Status()[0].Anchored == 3 })
		stop()
	}
	if r.anchors != 2 || r.count() != 0 {
		t.Errorf("%d anchors and %d records came, want 2 and none", r.anchors, r.count())
	}
}

func TestAFileIsRotatedAndGoesOn(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	file := ship.NewFile(path, 40_000, 2)
	feed := ship.Feed{Name: "file", Sink: file, Records: true}
	b.record(200)
	s, _ := b.start(feed)
	until(t, "200", func() bool { return s.Status()[0].Position == 200 })
	for n := 1; n <= 3; n++ {
		b.record(200)
		until(t, "200 more", func() bool { return s.Status()[0].Position == uint64(200+n*200) })
	}
	g := fileLines(t, path+".2", path+".1", path)
	if g.order[len(g.order)-1] != 800 || len(g.order) != 600 {
		t.Errorf("%d records up to %d in three files, want 600 up to 800", len(g.order), g.order[len(g.order)-1])
	}
	if _, err := os.Stat(path + ".3"); !os.IsNotExist(err) {
		t.Errorf("a third rotated file: %v", err)
	}
	must(t, os.Rename(path, path+".moved"))
	file.Reopen()
	b.record(1)
	until(t, "the last", func() bool { return s.Status()[0].Position == 801 })
	if g := fileLines(t, path); len(g.order) != 1 || g.order[0] != 801 {
		t.Errorf("after reopening the file has %v, want 801", g.order)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", info.Mode().Perm())
	}
}

func TestALineThatWasCutOffIsWrittenAnew(t *testing.T) {
	for _, tt := range []struct{ name, before, want string }{
		{"a line of ours", `{"journal":"a","record":1}` + "\n" + `{"journal":"a","rec`, `{"journal":"a","record":1}` + "\n"},
		{"nothing but its beginning", `{"jour`, ""},
		{"somebody else's is left", "a note", "a note\n"},
		{"a whole one is left", `{"journal":"a"}` + "\n", `{"journal":"a"}` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			must(t, os.WriteFile(path, []byte(tt.before), 0o600))
			f := ship.NewFile(path, 0, 0)
			must(t, f.Send(t.Context(), []ship.Item{{JSON: []byte(`{"x":1}`)}}))
			must(t, f.Close())
			text, err := os.ReadFile(path)
			must(t, err)
			if want := tt.want + `{"x":1}` + "\n"; string(text) != want {
				t.Errorf("%q, want %q", text, want)
			}
		})
	}
}

func TestAnAnchorIsLocked(t *testing.T) {
	locks := map[string]http.Header{}
	heeds := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKID/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.Method == http.MethodPut {
			locks[r.URL.Path] = r.Header.Clone()
			return
		}
		if put := locks[r.URL.Path]; put != nil && heeds {
			for _, name := range []string{"X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Retain-Until-Date"} {
				w.Header().Set(name, put.Get(name))
			}
		}
	}))
	defer server.Close()
	sink, err := ship.NewBucket(ship.BucketOptions{
		Endpoint: server.URL, Region: "us-east-1", PathStyle: true, Bucket: "anchors", Prefix: "ks/", AccessKeyID: "AKID", Secret: secret,
		RetainFor: 48 * time.Hour, Dialer: upstream.NewDialer(), Refused: upstream.ErrRefusedAddress, Now: time.Now,
	})
	must(t, err)
	item := ship.Item{Journal: "abc", Record: 7, Kind: ship.KindAnchor, JSON: []byte(`{"record":7}`)}
	must(t, sink.Send(t.Context(), []ship.Item{item}))
	put := locks["/anchors/ks/abc/00000000000000000007.json"]
	if put == nil || put.Get("X-Amz-Object-Lock-Mode") != "COMPLIANCE" || put.Get("Content-Md5") == "" {
		t.Fatalf("what was put: %v", locks)
	}
	until, err := time.Parse(time.RFC3339, put.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	if err != nil || time.Until(until) < 47*time.Hour || time.Until(until) > 48*time.Hour {
		t.Errorf("retained until %s, %v", until, err)
	}
	heeds = false
	if err := sink.Send(t.Context(), []ship.Item{item}); err == nil || !strings.Contains(err.Error(), "does not say that it is retained") {
		t.Errorf("a bucket without Object Lock: %v", err)
	}
}
