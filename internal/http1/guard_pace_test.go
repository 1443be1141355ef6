package http1

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name  string
		least int64
		steps []time.Duration // waited for 1000 bytes each
		slow  bool
	}{
		{"fast enough", 1000, []time.Duration{time.Second, time.Second, time.Second}, false},
		{"just too slow", 1001, []time.Duration{time.Second, time.Second}, true},
		{"slow, but not for a window", 1001, []time.Duration{time.Second}, false},
		{"a pause within a window", 100, []time.Duration{0, 0, 1900 * time.Millisecond, 0, 100 * time.Millisecond}, false},
		{"fast before, slow in the next window", 400, []time.Duration{0, 0, 0, 2 * time.Second, 3 * time.Second}, true},
		{"no bound", 0, []time.Duration{time.Hour}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := pace{least: tt.least, window: 2 * time.Second}
			var err error
			for _, waited := range tt.steps {
				err = errors.Join(err, p.note(waited, 1000))
			}
			if (err != nil) != tt.slow || tt.slow && (!errors.Is(err, ErrTooSlow) || !errors.Is(err, os.ErrDeadlineExceeded)) {
				t.Errorf("error %v, want slow %v", err, tt.slow)
			}
		})
	}
}

// A body that drips is cut although it never stands still, and one that is fast
// enough is not.
func TestGuardCutsSlowBodies(t *testing.T) { onEach(t, testGuardCutsSlowBodies) }

func testGuardCutsSlowBodies(t *testing.T, serve serveFunc) {
	for _, tt := range []struct {
		name string
		step int // bytes every 10 ms
		ok   bool
	}{{"drips", 1, false}, {"flows", 2000, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := &recorder{}
			c := dial(t, serve(t, h, listen(t), GuardOptions{MinRate: 2000, RateWindow: 200 * time.Millisecond}))
			_, _ = io.WriteString(c, "PUT /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n")
			go func() {
				for sent := 0; sent < 20000; sent += tt.step {
					if _, err := io.WriteString(c, strings.Repeat("x", tt.step)); err != nil {
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
			began := time.Now()
			answer := readAnswers(t, c)
			served, _, faults := h.seen()
			if tt.ok {
				if len(served) != 1 || len(faults) > 0 {
					t.Errorf("served %q, faults %v", served, faults)
				}
				return
			}
			if len(served) > 0 || len(faults) != 1 || !errors.Is(faults[0], ErrTooSlow) {
				t.Errorf("served %q, faults %v, answer %q", served, faults, answer)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("cut after %v", took)
			}
		})
	}
}

// Time that the handler takes is not the client's.
func TestGuardDoesNotBlameTheClientForTheHandler(t *testing.T) {
	onEach(t, testGuardDoesNotBlameTheClientForTheHandler)
}

func testGuardDoesNotBlameTheClientForTheHandler(t *testing.T, serve serveFunc) {
	read := make(chan error, 1)
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 1000)
		var err error
		for err == nil {
			time.Sleep(20 * time.Millisecond)
			_, err = r.Body.Read(piece)
		}
		read <- err
	})
	c := dial(t, serve(t, h, listen(t), GuardOptions{MinRate: 1 << 20, RateWindow: 100 * time.Millisecond}))
	_, _ = io.WriteString(c, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n"+strings.Repeat("x", 20000))
	if err := <-read; !errors.Is(err, io.EOF) {
		t.Errorf("the body ended with %v", err)
	}
}

func TestGuardBoundsTheTarget(t *testing.T) { onEach(t, testGuardBoundsTheTarget) }

func testGuardBoundsTheTarget(t *testing.T, serve serveFunc) {
	for _, tt := range []struct {
		length int
		want   error
	}{{100, nil}, {101, ErrHeadTooLarge}} {
		h := &recorder{}
		addr := serve(t, h, listen(t), GuardOptions{MaxTargetBytes: 100})
		exchangeRaw(t, addr, "GET /"+strings.Repeat("a", tt.length-1)+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		served, refused, _ := h.seen()
		if tt.want == nil && len(served) != 1 || tt.want != nil && (len(refused) != 1 || !errors.Is(refused[0], tt.want)) {
			t.Errorf("target of %d bytes: served %d, refused %v", tt.length, len(served), refused)
		}
	}
}

// A client that takes its answer too slowly is cut although it never stands still,
// also where the kernel copies; one that is fast enough is not.
func TestSlowReadersOfCopiedAnswersAreCut(t *testing.T) {
	onEach(t, testSlowReadersOfCopiedAnswersAreCut)
}

func testSlowReadersOfCopiedAnswersAreCut(t *testing.T, serve serveFunc) {
	const length = 8 * mib
	for _, tt := range []struct {
		name string
		step int // bytes every 5 ms
		ok   bool
	}{{"drips", 500, false}, {"flows", length, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := patientBackendOf(t, 10*time.Second, func(p *peer) {
				if _, _, err := p.request(true); err == nil {
					p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", length))
					_, _ = p.Write(make([]byte, length))
				}
			})
			addr, results := relay(t, shortOfBuffers(serve), b, GuardOptions{MinRate: 200_000, RateWindow: time.Second})
			c := dial(t, addr)
			_ = c.SetReadBuffer(128 << 10)
			_, _ = io.WriteString(c, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for {
					if _, err := io.CopyN(io.Discard, c, int64(tt.step)); err != nil {
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
			}()
			err := <-results
			_ = c.SetReadDeadline(longAgo)
			if !tt.ok {
				_ = c.Close()
			}
			<-ended
			if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, ErrTooSlow) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// shortOfBuffers makes the kernel hold little of what a server sends.
func shortOfBuffers(serve serveFunc) serveFunc {
	return func(t *testing.T, h http.Handler, ln net.Listener, opts GuardOptions) string {
		return serve(t, h, shortListener{ln}, opts)
	}
}

type shortListener struct{ net.Listener }

func (l shortListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(128 << 10)
	}
	return c, err
}
