package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answerTo is what the server answers one request with, its Date cut out.
func answerTo(t *testing.T, raw string, h http.HandlerFunc) string {
	t.Helper()
	answer := exchangeRaw(t, serveOwn(t, h, listen(t), shortHeads), raw)
	head, body, _ := strings.Cut(answer, "\r\n\r\n")
	var kept []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "|") + "||" + body
}

func TestServerFramesAnswers(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	long := strings.Repeat("x", heldBack+1)
	for _, tt := range []struct {
		name, raw string
		h         http.HandlerFunc
		want      string
	}{
		{"nothing at all", get, func(http.ResponseWriter, *http.Request) {}, "HTTP/1.1 200 OK|Content-Length: 0|Connection: close||"},
		{"a short body gets its length", get, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "ab")
			_, _ = io.WriteString(w, "c")
		}, "HTTP/1.1 200 OK|Content-Length: 3|Connection: close||abc"},
		{"a long one is chunked", get, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "ab")
			_, _ = io.WriteString(w, long)
		}, fmt.Sprintf("HTTP/1.1 200 OK|Transfer-Encoding: chunked|Connection: close||2\r\nab\r\n%x\r\n%s\r\n0\r\n\r\n", len(long), long)},
		{"a flushed one too", get, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "ab")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "c")
		}, "HTTP/1.1 200 OK|Transfer-Encoding: chunked|Connection: close||2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"},
		{"HTTP/1.0 knows no chunks", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "abc")
		}, "HTTP/1.0 200 OK|Connection: close||abc"},
		{"HTTP/1.0 may keep the connection", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "abc")
		}, "HTTP/1.0 200 OK|Content-Length: 3|Connection: keep-alive||abc"},
		{"HEAD has a length and no body", "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "abc")
		}, "HTTP/1.1 200 OK|Content-Length: 3|Connection: close||"},
		{"204 has neither", get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(http.StatusNoContent)
			_, _ = io.WriteString(w, "abc")
		}, "HTTP/1.1 204 No Content|Connection: close||"},
		{"304 has no body", get, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotModified)
			_, _ = io.WriteString(w, "abc")
		}, "HTTP/1.1 304 Not Modified|Connection: close||"},
		{"no more than was declared", get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "abc")
			if _, err := io.WriteString(w, "d"); !errors.Is(err, http.ErrContentLength) {
				t.Errorf("write beyond the length: %v", err)
			}
		}, "HTTP/1.1 200 OK|Content-Length: 3|Connection: close||abc"},
		{"no line break leaves a value, no header but a name", get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["x-a"] = []string{"b\r\nX-Evil: 1"}
			w.Header()["x-b: c\r\nX-Evil"] = []string{"1"}
			w.Header()["Transfer-Encoding"] = []string{"identity"}
		}, "HTTP/1.1 200 OK|x-a: b  X-Evil: 1|Content-Length: 0|Connection: close||"},
		{"what is set too late does not count", get, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.Header().Set("X-Late", "1")
			w.WriteHeader(http.StatusOK)
		}, "HTTP/1.1 202 Accepted|Content-Length: 0|Connection: close||"},
		{"an unwanted short body is passed over", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", func(http.ResponseWriter, *http.Request) {
		}, "HTTP/1.1 200 OK|Content-Length: 0||"},
		{"a body that waits to be wanted is not", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", func(http.ResponseWriter, *http.Request) {
		}, "HTTP/1.1 200 OK|Content-Length: 0|Connection: close||"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := answerTo(t, tt.raw, tt.h); got != tt.want {
				t.Errorf("answered %q, want %q", got, tt.want)
			}
		})
	}
}

// What is cut off must not look whole, and the connection must not go on.
func TestServerBreaksAnswersOff(t *testing.T) {
	const twice = "GET / HTTP/1.1\r\nHost: h\r\n\r\n" + smuggled
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		want string // what the answer ends with; empty: no byte is sent
		logs bool
	}{
		{"shorter than declared", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "abc")
		}, "\r\n\r\nabc", false},
		{"aborted amid chunks", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "abc")
			panic(http.ErrAbortHandler)
		}, "3\r\nabc\r\n", false},
		{"aborted before its head went out", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		}, "", false},
		{"a fault of the handler", func(http.ResponseWriter, *http.Request) { panic("oh") }, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			served := 0
			srv := &Server{Log: slog.New(slog.NewTextHandler(&logged, nil)), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				served++
				tt.h(w, r)
			})}
			addr := serveUntilEnd(t, srv, listen(t))
			answer := exchangeRaw(t, addr, twice)
			if err := srv.Shutdown(t.Context()); err != nil { // what it did is done
				t.Error(err)
			}
			if !strings.HasSuffix(answer, tt.want) || tt.want == "" && answer != "" {
				t.Errorf("answered %q, want an end of %q", answer, tt.want)
			}
			if served != 1 {
				t.Errorf("%d requests were served, want 1", served)
			}
			if logs := strings.Contains(logged.String(), "panic=oh"); logs != tt.logs {
				t.Errorf("logged %q", logged.String())
			}
		})
	}
}

// A client that hangs up ends its request's context, but one that sends its next
// request early does not, and that one is served.
func TestServerWatchesForTheClientsEnd(t *testing.T) {
	type seen struct {
		path string
		err  error
	}
	ended := make(chan seen, 4)
	goOn := make(chan struct{})
	addr := serveOwn(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-goOn:
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
		ended <- seen{r.URL.Path, r.Context().Err()}
	}), listen(t), shortHeads)

	for _, raw := range []string{
		"GET /gone HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT /gone HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
		"PUT /gone HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	} {
		c := dial(t, addr)
		_, _ = io.WriteString(c, raw)
		time.Sleep(10 * time.Millisecond)
		_ = c.Close()
		if got := <-ended; !errors.Is(got.err, context.Canceled) {
			t.Errorf("%q: the context ended with %v, want it canceled", raw, got.err)
		}
	}

	c := dial(t, addr)
	_, _ = io.WriteString(c, "GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
	time.Sleep(3 * watchAfter) // it is watched by now
	_, _ = io.WriteString(c, "GET /two HTTP/1.1\r\nHost: h\r\n\r\nGET /three HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	time.Sleep(watchAfter)
	close(goOn)
	for _, path := range []string{"/one", "/two", "/three"} {
		if got := <-ended; got != (seen{path, nil}) {
			t.Errorf("served %+v, want %s to its end", got, path)
		}
	}
	if answers := readAnswers(t, c); strings.Count(answers, "HTTP/1.1 200") != 3 {
		t.Errorf("answers = %q, want three", answers)
	}
}

// After its end a request touches neither the connection nor the next one.
func TestServerEndsRequests(t *testing.T) {
	var first http.ResponseWriter
	var body io.Reader
	addr := serveOwn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if first == nil {
			first, body = w, r.Body
			return
		}
		ctl := http.NewResponseController(first)
		for what, err := range map[string]error{
			"write": second(first.Write([]byte("x"))), "flush": ctl.Flush(), "read": second(body.Read(make([]byte, 1))),
			"read deadline": ctl.SetReadDeadline(longAgo), "write deadline": ctl.SetWriteDeadline(longAgo),
		} {
			if err == nil {
				t.Errorf("%s of an answered request succeeded", what)
			}
		}
		got, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %v", got, err)
	}), listen(t), shortHeads)
	const put = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"
	if got := exchangeRaw(t, addr, put+"abc"+put+"def"); !strings.HasSuffix(got, "\r\n\r\ndef <nil>") {
		t.Errorf("answers = %q", got)
	}
}

func second[T any](_ T, err error) error { return err }

// Shutdown ends what is idle at once, and waits for what is under way.
func TestServerShutdown(t *testing.T) {
	begun, goOn := make(chan struct{}, 1), make(chan struct{})
	srv := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			begun <- struct{}{}
			<-goOn
		}
		_, _ = io.WriteString(w, "done")
	})}
	ln := listen(t)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	idle, slow := dial(t, ln.Addr().String()), dial(t, ln.Addr().String())
	_, _ = io.WriteString(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	in := bufio.NewReader(idle)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	_, _ = io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"+smuggled)
	<-begun

	brief, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := srv.Shutdown(brief); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown with a request under way = %v", err)
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("idle connection: %v, want its end", err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve = %v", err)
	}
	down := make(chan error, 1)
	go func() { down <- srv.Shutdown(t.Context()) }()
	close(goOn)
	answers := readAnswers(t, slow)
	if !strings.HasSuffix(answers, "done") || strings.Count(answers, "HTTP/1.1") != 1 || !strings.Contains(answers, "Connection: close") {
		t.Errorf("answers = %q, want one that closes", answers)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if err := srv.Serve(listen(t)); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve after Shutdown = %v", err)
	}
}

func TestServerBoundsTheWaitForHeads(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	for _, tt := range []struct {
		name, raw string
		header    time.Duration
		idle      time.Duration
		answers   int
	}{
		{"nothing comes", "", 100 * time.Millisecond, time.Minute, 0},
		{"a first head stands still", get[:20], 100 * time.Millisecond, time.Minute, 0},
		{"no further one comes", get, time.Minute, 100 * time.Millisecond, 1},
		{"a further one stands still", get + get[:20], 100 * time.Millisecond, time.Minute, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := &Server{HeaderTimeout: tt.header, IdleTimeout: tt.idle, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
			c := dial(t, serveUntilEnd(t, srv, listen(t)))
			_, _ = io.WriteString(c, tt.raw)
			if answers := readAnswers(t, c); strings.Count(answers, "HTTP/1.1 200") != tt.answers {
				t.Errorf("answers = %q, want %d", answers, tt.answers)
			}
		})
	}
}

// An accept that fails for want of descriptors is tried again; a listener that
// is broken ends the server.
func TestServerOutlivesTrouble(t *testing.T) {
	srv := &Server{}
	err := srv.Serve(&troubled{errs: []error{errTemporary, errTemporary, net.ErrClosed}})
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve = %v", err)
	}
}
