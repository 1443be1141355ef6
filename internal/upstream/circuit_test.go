package upstream

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
)

var (
	timedOut = &Error{Kind: ErrTimeout, Backend: "b"}
	refused  = &Error{Kind: ErrUnreachable, Backend: "b", cause: &http1.Error{Kind: http1.ErrDial}}
	garbage  = &Error{Kind: ErrBadAnswer, Backend: "b"}
)

func TestCircuit(t *testing.T) {
	fail := func(n int, err error, objects ...string) func(*circuit) {
		return func(c *circuit) {
			for i := range n {
				c.failure(err, objects[i%len(objects)])
			}
		}
	}
	answer := func(n int) func(*circuit) {
		return func(c *circuit) {
			for range n {
				c.answered()
			}
		}
	}
	probe := func(err error) func(*circuit) { return func(c *circuit) { c.probed(err) } }
	for _, tt := range []struct {
		name  string
		steps []func(*circuit)
		want  keystile.Circuit
	}{
		{"nothing", nil, keystile.CircuitClosed},
		{"four failures in a row are not enough", []func(*circuit){fail(4, timedOut, "a", "b")}, keystile.CircuitClosed},
		{"five in a row open", []func(*circuit){fail(5, timedOut, "a", "b")}, keystile.CircuitOpen},
		{"invalid answers open", []func(*circuit){fail(5, garbage, "a", "b")}, keystile.CircuitOpen},
		{"a success between them starts the row anew", []func(*circuit){fail(4, timedOut, "a", "b"), answer(1), fail(4, timedOut, "a", "b")}, keystile.CircuitClosed},
		{"one object alone does not open", []func(*circuit){fail(50, timedOut, "poison")}, keystile.CircuitClosed},
		{"one object and a failed check do", []func(*circuit){fail(4, timedOut, "poison"), probe(timedOut)}, keystile.CircuitOpen},
		{"one object and a good check do not", []func(*circuit){fail(4, timedOut, "poison"), probe(nil), fail(4, timedOut, "poison")}, keystile.CircuitClosed},
		{"no connection opens whatever was asked for", []func(*circuit){fail(5, refused, "a")}, keystile.CircuitOpen},
		{"half of all failing opens", []func(*circuit){
			fail(4, timedOut, "a", "b"), answer(1), fail(4, timedOut, "a", "b"), answer(1), fail(2, timedOut, "a", "b"),
		}, keystile.CircuitOpen},
		{"fewer than half do not", []func(*circuit){
			fail(4, timedOut, "a", "b"), answer(20), fail(4, timedOut, "a", "b"), answer(1), fail(4, timedOut, "a", "b"),
		}, keystile.CircuitClosed},
		{"what the client broke off counts for nothing", []func(*circuit){fail(50, &http1.Error{Kind: http1.ErrBody}, "a", "b")}, keystile.CircuitClosed},
		{"a busy pool counts for nothing", []func(*circuit){fail(50, &Error{Kind: ErrBusy}, "a", "b")}, keystile.CircuitClosed},
		{"checks alone open", []func(*circuit){probe(refused), probe(timedOut), probe(refused), probe(refused), probe(refused)}, keystile.CircuitOpen},
		{"late answers do not close", []func(*circuit){fail(5, timedOut, "a", "b"), answer(9)}, keystile.CircuitOpen},
		{"a failed probe leaves it open", []func(*circuit){fail(5, timedOut, "a", "b"), probe(timedOut)}, keystile.CircuitOpen},
		{"an answered probe closes it on trial", []func(*circuit){fail(5, timedOut, "a", "b"), probe(nil)}, keystile.CircuitHalfOpen},
		{"one failure ends the trial", []func(*circuit){fail(5, timedOut, "a", "b"), probe(nil), fail(1, timedOut, "a")}, keystile.CircuitOpen},
		{"one success closes it", []func(*circuit){fail(5, timedOut, "a", "b"), probe(nil), answer(1)}, keystile.CircuitClosed},
		{"a second probe closes it", []func(*circuit){fail(5, timedOut, "a", "b"), probe(nil), probe(nil)}, keystile.CircuitClosed},
		{"then it takes five again", []func(*circuit){fail(5, timedOut, "a", "b"), probe(nil), answer(1), fail(4, timedOut, "a", "b")}, keystile.CircuitClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCircuit(time.Now)
			for _, step := range tt.steps {
				step(c)
			}
			if got, _, _ := c.state(); got != tt.want || c.admit() == (tt.want == keystile.CircuitOpen) {
				t.Errorf("the circuit is %s and admits: %t; want %s", got, c.admit(), tt.want)
			}
		})
	}
}

func TestCircuitForgetsOldFailures(t *testing.T) {
	now := time.Now()
	c := newCircuit(func() time.Time { return now })
	for range 20 {
		c.failure(timedOut, "a")
		c.failure(timedOut, "b")
		c.answered()
		now = now.Add(circuitWindow / 2)
	}
	if !c.admit() {
		t.Error("a failure now and then opened the circuit")
	}
}

func TestCircuitProbesLessAndLessOften(t *testing.T) {
	c := newCircuit(time.Now)
	if c.next() != 0 {
		t.Error("a closed circuit wants a probe")
	}
	for range circuitStreak {
		c.failure(refused, "a")
	}
	var pauses []time.Duration
	for range 6 {
		pauses = append(pauses, c.next())
		c.probed(refused)
	}
	if got, want := fmt.Sprint(pauses), "[1s 2s 4s 8s 15s 15s]"; got != want {
		t.Errorf("pauses are %s, want %s", got, want)
	}
	c.probed(nil)
	c.probed(nil)
	if c.next() != 0 {
		t.Error("a circuit that closed again wants a probe")
	}
}

// flaky accepts connections, and serves them only while it is up.
type flaky struct {
	net.Listener
	down atomic.Bool
}

func (f *flaky) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil || !f.down.Load() {
			return c, err
		}
		_ = c.Close()
	}
}

type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func (l *logLines) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func TestADeadBackendIsCutOffAndComesBack(t *testing.T) {
	f := newFakeS3(t)
	f.buckets["pics"] = map[string]bool{"a": true}
	ln := &flaky{}
	front := httptest.NewUnstartedServer(f)
	ln.Listener = front.Listener
	front.Listener = ln
	front.Config.SetKeepAlivesEnabled(false)
	front.Start()
	t.Cleanup(front.Close)
	f.Server = front
	e := f.endpoint("fake")
	log := &logLines{}
	r := NewRegistry(Options{
		Declared: []Endpoint{e}, Store: newMemStore(), Dialer: NewDialer(),
		Log: slog.New(slog.NewTextHandler(log, nil)), CheckEvery: 50 * time.Millisecond,
	})
	t.Cleanup(r.Close)
	run(t, r)
	b, _ := r.Get("fake")
	ask := func() error {
		answer, err := b.Send(t.Context(), Request{Method: http.MethodGet, Bucket: "pics", Key: "a"})
		if err == nil {
			_ = answer.Body.Close()
		}
		return err
	}
	eventually(t, "healthy", func() bool { return b.Health().Healthy })
	must(t, ask())
	ln.down.Store(true)
	eventually(t, "cut off", func() bool { return errors.Is(ask(), ErrCutOff) })
	if h := b.Health(); h.Healthy || h.Circuit != keystile.CircuitOpen || !strings.Contains(h.Message, "refused until it answers") || strings.Contains(h.Message, "127.0.0.1") {
		t.Errorf("health is %+v", h)
	}
	ln.down.Store(false)
	eventually(t, "closed", func() bool { return ask() == nil && b.Health().Circuit == keystile.CircuitClosed })
	eventually(t, "logged", func() bool { return log.count("requests go to it") == 1 })
	if n := log.count("is cut off"); n != 1 {
		t.Errorf("that it is cut off was logged %d times", n)
	}
}
