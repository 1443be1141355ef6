package upstream

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestSyncTakesOverTheStore(t *testing.T) {
	f := newFakeS3(t)
	m := newMemStore()
	r := newTestRegistry(t, m, f.endpoint("declared"))
	get := func(id string) *Backend {
		t.Helper()
		must(t, r.Sync(t.Context()))
		b, _ := r.Get(id)
		return b
	}
	declared := get("declared")
	if b := get("added"); b != nil {
		t.Fatalf("unasked backend %+v", b.Info())
	}
	m.put(f.endpoint("added"))
	first := get("added")
	if first == nil || first.Info().Source != keystile.SourceStore {
		t.Fatalf("added backend: %+v", first)
	}
	touched := f.endpoint("added")
	touched.Backend.UpdatedAt, touched.Backend.Generation = time.Now(), 7
	m.put(touched)
	if get("added") != first {
		t.Error("an unchanged backend was replaced")
	}
	for _, change := range []struct {
		name string
		do   func(*Endpoint)
	}{
		{"endpoint", func(e *Endpoint) { e.Backend.Endpoint = "http://127.0.0.1:1" }},
		{"region", func(e *Endpoint) { e.Backend.Region = "eu-west-1" }},
		{"addressing", func(e *Endpoint) { e.Backend.PathStyle = false }},
		{"key", func(e *Endpoint) { e.Backend.AccessKeyID = "other" }},
		{"secret", func(e *Endpoint) { e.Secret = keystile.NewSecret("other") }},
	} {
		before := get("added")
		e := f.endpoint("added")
		change.do(&e)
		m.put(e)
		if get("added") == before {
			t.Errorf("changed %s: the backend is still the old one", change.name)
		}
	}
	m.fail = errors.New("store is gone")
	if err := r.Sync(t.Context()); !errors.Is(err, m.fail) {
		t.Errorf("sync without a store: %v", err)
	}
	if _, ok := r.Get("added"); !ok {
		t.Error("a failed sync lost a backend")
	}
	m.fail = nil
	m.remove("added")
	if get("added") != nil {
		t.Error("a removed backend is still there")
	}
	if get("declared") != declared {
		t.Error("the declared backend was replaced")
	}
}

func TestDeclaredBackendsOutrankTheStore(t *testing.T) {
	f := newFakeS3(t)
	m := newMemStore()
	r := newTestRegistry(t, m, f.endpoint("b"), f.endpoint("a"))
	theirs := f.endpoint("a")
	theirs.Backend.Endpoint = "http://127.0.0.1:1"
	m.put(theirs)
	m.put(f.endpoint("c"))
	must(t, r.Sync(t.Context()))
	if b, _ := r.Get("a"); b.Info().Endpoint != f.URL {
		t.Error("the store's backend took the place of a declared one")
	}
	list := r.Declared()
	if len(list) != 2 || list[0].ID != "a" || list[1].ID != "b" || list[0].Source != keystile.SourceConfig {
		t.Errorf("declared: %+v", list)
	}
}

func TestChangedEndpointLosesItsProof(t *testing.T) {
	f, other := newFakeS3(t), newFakeS3(t)
	m := newMemStore()
	m.put(f.endpoint("x"))
	m.proofs["x"] = keystile.Probe{BackendID: "x", Fingerprint: fingerprint(f.describe("x")), Abilities: keepsKeys(), ProbedAt: time.Now()}
	r := newTestRegistry(t, m)
	must(t, r.Sync(t.Context()))
	if !keeps(r.Health()["x"].Abilities) {
		t.Fatal("the proof of the store is not in force")
	}
	m.put(other.endpoint("x"))
	must(t, r.Sync(t.Context()))
	if keeps(r.Health()["x"].Abilities) {
		t.Error("the proof outlived its endpoint")
	}
}

func TestReplacedBackendFinishesItsRequests(t *testing.T) {
	f := newFakeS3(t)
	m := newMemStore()
	m.put(f.endpoint("x"))
	r := newTestRegistry(t, m)
	must(t, r.Sync(t.Context()))
	old, _ := r.Get("x")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	f.intervene = func(w http.ResponseWriter, _ seen) bool {
		close(arrived)
		<-goOn
		_, _ = w.Write([]byte("whole"))
		return true
	}
	ended := make(chan error, 1)
	go func() {
		answer, err := old.Send(context.Background(), Request{Method: http.MethodGet, Bucket: "pics", Key: "k"})
		if err == nil {
			drop(answer)
		}
		ended <- err
	}()
	<-arrived
	m.remove("x")
	must(t, r.Sync(t.Context()))
	close(goOn)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestHealth(t *testing.T) {
	good, bad := newFakeS3(t), newFakeS3(t)
	wrong := bad.endpoint("wrong")
	wrong.Secret = keystile.NewSecret("wrong")
	barred := newFakeS3(t)
	barred.intervene = func(w http.ResponseWriter, _ seen) bool { s3Error(w, 403, "AccessDenied"); return true }
	web := newFakeS3(t)
	web.intervene = func(w http.ResponseWriter, _ seen) bool { _, _ = w.Write([]byte("<html>hello</html>")); return true }
	ahead := newFakeS3(t)
	ahead.intervene = func(w http.ResponseWriter, _ seen) bool {
		w.Header().Set("Date", time.Now().Add(14*time.Minute).UTC().Format(http.TimeFormat))
		return false
	}
	dead := good.endpoint("dead")
	dead.Backend.Endpoint = "http://127.0.0.1:1"
	metadata := good.endpoint("metadata")
	metadata.Backend.Endpoint = "http://169.254.169.254"
	private := Endpoint{
		Backend: keystile.Backend{ID: "private", Kind: keystile.KindEmbedded, Region: testRegion, AccessKeyID: testKeyID},
		Secret:  keystile.NewSecret(testSecret),
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", good.Listener.Addr().String())
		},
	}
	r := newTestRegistry(t, newMemStore(), good.endpoint("good"), wrong, barred.endpoint("barred"), web.endpoint("web"), ahead.endpoint("ahead"), dead, metadata, private)
	for id, h := range r.Health() {
		if h.Healthy || !h.CheckedAt.IsZero() {
			t.Errorf("%s before the first check: %+v", id, h)
		}
	}
	run(t, r)
	for id, want := range map[string]struct {
		healthy bool
		message string
	}{
		"good":     {true, ""},
		"barred":   {true, "its admin key may not do this"},
		"ahead":    {true, "its clock is 14m0s ahead of ours"},
		"wrong":    {false, "the signature does not match: is the secret access key right?"},
		"web":      {false, "the backend gave an answer that is not valid"},
		"dead":     {false, "the backend cannot be reached"},
		"metadata": {false, "the backend's address is not allowed"},
	} {
		eventually(t, "a check of "+id, func() bool { return !r.Health()[id].CheckedAt.IsZero() })
		h := r.Health()[id]
		if id == "ahead" {
			h.Message = strings.Replace(h.Message, "13m59s", "14m0s", 1) // a second may have ended
		}
		if h.Healthy != want.healthy || h.Message != want.message {
			t.Errorf("%s: %+v", id, h)
		}
		if id != "dead" && id != "metadata" && h.Latency <= 0 {
			t.Errorf("%s has no latency", id)
		}
	}
	eventually(t, "recovery", func() bool {
		barred.change(func() { barred.intervene = nil })
		return r.Health()["barred"].Message == ""
	})
	if h := r.Health()["private"]; keeps(h.Abilities) {
		t.Error("the embedded backend was probed")
	}
}

func TestOneStuckBackendDelaysNoOther(t *testing.T) {
	stuck, good := newFakeS3(t), newFakeS3(t)
	release := make(chan struct{})
	stuck.intervene = func(http.ResponseWriter, seen) bool { <-release; return true }
	defer close(release)
	m := newMemStore()
	r := newTestRegistry(t, m, stuck.endpoint("stuck"), good.endpoint("good"))
	run(t, r)
	eventually(t, "the good one's health", func() bool { return r.Health()["good"].Healthy })
	m.put(good.endpoint("late"))
	must(t, r.Sync(t.Context()))
	eventually(t, "health of one that is added later", func() bool { return r.Health()["late"].Healthy })
	if !r.Health()["stuck"].CheckedAt.IsZero() {
		t.Error("the stuck one was checked")
	}
}

func TestTest(t *testing.T) {
	f := newFakeS3(t)
	f.buckets["pics"] = map[string]bool{}
	skewed := newFakeS3(t)
	skewed.intervene = func(w http.ResponseWriter, _ seen) bool {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		skewed.listBuckets(w)
		return true
	}
	late := newFakeS3(t)
	late.intervene = func(w http.ResponseWriter, _ seen) bool { s3Error(w, 403, "RequestTimeTooSkewed"); return true }
	barred := newFakeS3(t)
	barred.intervene = func(w http.ResponseWriter, _ seen) bool { s3Error(w, 403, "AccessDenied"); return true }
	stingy := newFakeS3(t)
	stingy.intervene = func(w http.ResponseWriter, s seen) bool {
		if s.method == http.MethodPut {
			s3Error(w, 403, "AccessDenied")
		}
		return s.method == http.MethodPut
	}
	secret := keystile.NewSecret(testSecret)
	dead, metadata, invalid := f.describe("dead"), f.describe("metadata"), f.describe("invalid")
	dead.Endpoint, metadata.Endpoint, invalid.Endpoint = "http://127.0.0.1:1", "http://169.254.169.254", "ftp://x"
	embedded := keystile.Backend{ID: "private", Kind: keystile.KindEmbedded, Region: testRegion}
	tests := []struct {
		name  string
		b     keystile.Backend
		key   keystile.Secret
		steps string // names of the steps; the last failed if it has a "!"
	}{
		{"good", f.describe("good"), secret, "reach sign list clock keys abilities"},
		{"no scratch bucket", stingy.describe("stingy"), secret, "reach sign list clock keys abilities"},
		{"dead", dead, secret, "reach!"},
		{"forbidden address", metadata, secret, "reach!"},
		{"invalid", invalid, secret, "reach!"},
		{"no secret", f.describe("good"), keystile.Secret{}, "reach!"},
		{"no such embedded backend", embedded, keystile.Secret{}, "reach!"},
		{"wrong secret", f.describe("good"), keystile.NewSecret("wrong"), "reach sign!"},
		{"refused for the clock", late.describe("late"), secret, "reach sign!"},
		{"may not list", barred.describe("barred"), secret, "reach sign list!"},
		{"clock", skewed.describe("skewed"), secret, "reach sign list clock!"},
	}
	r := newTestRegistry(t, newMemStore())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report := r.Test(t.Context(), tt.b, tt.key)
			var steps []string
			for _, s := range report.Steps {
				name := s.Name
				if !s.OK {
					name += "!"
				}
				steps = append(steps, name)
				if s.Message == "" || strings.Contains(s.Message, "127.0.0.1") || strings.Contains(s.Message, "10.1.2.3") || strings.Contains(s.Message, "/srv") {
					t.Errorf("message of %s: %q", s.Name, s.Message)
				}
			}
			if got := strings.Join(steps, " "); got != tt.steps || report.OK == strings.HasSuffix(tt.steps, "!") {
				t.Errorf("steps %q (%+v), want %q", got, report, tt.steps)
			}
			if tt.name == "good" && (!keeps(report.Abilities) || report.Buckets != 1) || tt.name == "no scratch bucket" && keeps(report.Abilities) {
				t.Errorf("report %+v", report)
			}
			if tt.name == "clock" && (report.ClockSkew > -59*time.Minute || report.ClockSkew < -61*time.Minute) {
				t.Errorf("skew %s", report.ClockSkew)
			}
		})
	}
}

// A test of what is not yet added proves something for when it is.
func TestProofOfATestOutlivesIt(t *testing.T) {
	f := newFakeS3(t)
	m := newMemStore()
	r := newTestRegistry(t, m)
	if report := r.Test(t.Context(), f.describe("new"), keystile.NewSecret(testSecret)); !keeps(report.Abilities) {
		t.Fatalf("report %+v", report)
	}
	if p := m.proof("new"); p.BackendID != "" {
		t.Errorf("saved a proof of an unknown backend: %+v", p)
	}
	m.put(f.endpoint("new"))
	must(t, r.Sync(t.Context()))
	if !keeps(r.Health()["new"].Abilities) {
		t.Error("the proof was forgotten")
	}
	run(t, r)
	eventually(t, "the proof in the store", func() bool { return keeps(m.proof("new").Abilities) })
}

// A declared backend is tested with its own secret, but only at its own
// endpoint: whoever may test must not be able to send signatures elsewhere.
func TestOwnSecretStaysAtItsEndpoint(t *testing.T) {
	f, elsewhere := newFakeS3(t), newFakeS3(t)
	r := newTestRegistry(t, newMemStore(), f.endpoint("x"))
	if report := r.Test(t.Context(), f.describe("x"), keystile.Secret{}); !report.OK {
		t.Errorf("own endpoint: %+v", report)
	}
	if report := r.Test(t.Context(), elsewhere.describe("x"), keystile.Secret{}); report.OK || len(elsewhere.seen()) != 0 {
		t.Errorf("another endpoint: %+v, sent %v", report, elsewhere.seen())
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	f := newFakeS3(t)
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	wrong := f.endpoint("wrong")
	wrong.Backend.AccessKeyID = "AKIAUNKNOWN"
	r := NewRegistry(Options{Declared: []Endpoint{f.endpoint("x"), wrong}, Store: newMemStore(), Dialer: NewDialer(), Log: log})
	b, _ := r.Get("x")
	log.Info("all", "backend", b, "endpoint", f.endpoint("x"), "registry", r)
	run(t, r)
	eventually(t, "checks", func() bool { return r.Health()["wrong"].Message != "" && keeps(r.Health()["x"].Abilities) })
	if strings.Contains(out.String(), testSecret) {
		t.Error("the log holds a secret")
	}
}
