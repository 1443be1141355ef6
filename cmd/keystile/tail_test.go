package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keystile/internal/client"
)

// follower is a tail that runs beside the test.
type follower struct {
	begun  chan struct{}
	events chan client.Event
	ended  chan error
}

func followTrail(t *testing.T, c *client.Client, f client.EventFilter) follower {
	t.Helper()
	one := follower{make(chan struct{}), make(chan client.Event, 100), make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		one.ended <- c.Tail(ctx, f, func() error { close(one.begun); return nil }, func(e client.Event) error {
			one.events <- e
			return nil
		})
	}()
	select {
	case <-one.begun:
	case err := <-one.ended:
		t.Fatalf("not followed: %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("not followed within 30 s")
	}
	return one
}

func (f follower) next(t *testing.T) client.Event {
	t.Helper()
	select {
	case e := <-f.events:
		return e
	case err := <-f.ended:
		t.Fatalf("ended: %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came within 30 s")
	}
	return client.Event{}
}

func TestTheTrailIsFollowed(t *testing.T) {
	r := quickstart(t, filepath.Join(t.TempDir(), "data"))
	c := r.client(t, r.APIToken)
	all := followTrail(t, c, client.EventFilter{})
	denied := followTrail(t, c, client.EventFilter{Result: "denied"})
	checkKey(t, r)
	nobody := r.client(t, "ks_nobodys")
	if _, err := nobody.Chain(t.Context()); err == nil {
		t.Fatal("nobody reads the chain")
	}
	for want := map[string]string{"credential.create": "ok", "token.use": "denied"}; len(want) > 0; {
		if e := all.next(t); want[e.Action] == e.Result {
			delete(want, e.Action)
		}
	}
	if e := denied.next(t); e.Result != "denied" || e.InProgress {
		t.Errorf("to the one who follows refusals came %+v", e)
	}
	counts, err := c.CountEvents(t.Context(), client.EventFilter{Action: "token.use", Result: "denied"})
	if err != nil || !counts.Complete || len(counts.Spans) != 1 || counts.Spans[0].Denied == 0 || counts.Spans[0].OK != 0 {
		t.Errorf("refusals are counted as %+v, %v", counts, err)
	}
	if _, err := nobody.CountEvents(t.Context(), client.EventFilter{}); err == nil {
		t.Error("nobody counts events")
	}
	var fault *client.Error
	if err := nobody.Tail(t.Context(), client.EventFilter{}, func() error { return nil }, nil); !errors.As(err, &fault) || fault.Status != http.StatusUnauthorized {
		t.Errorf("without a token: %v", err)
	}
	if code := r.stop(); code != exitDone {
		t.Errorf("stopped with %d", code)
	}
	for range 100 {
		select {
		case err := <-all.ended:
			if !errors.Is(err, client.ErrTailEnded) || !strings.Contains(err.Error(), "unavailable") {
				t.Errorf("at the end of the server: %v", err)
			}
			return
		case <-all.events:
		case <-time.After(30 * time.Second):
			t.Fatal("it does not end with the server")
		}
	}
}

// A page follows with a session; when that ends, so does what it follows.
func TestATailEndsWithItsSession(t *testing.T) {
	r := quickstart(t, filepath.Join(t.TempDir(), "data"))
	send := func(method, path, body string, header map[string]string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, r.DashboardURL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", r.DashboardURL)
		req.Header.Set("Content-Type", "application/json")
		for name, value := range header {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	credentials, err := json.Marshal(map[string]string{"username": r.Username, "password": r.Password})
	if err != nil {
		t.Fatal(err)
	}
	in := send(http.MethodPost, "/api/session", string(credentials), nil)
	var session struct {
		CSRF string `json:"csrf_token"`
	}
	if err := json.NewDecoder(in.Body).Decode(&session); err != nil || session.CSRF == "" || len(in.Cookies()) != 1 {
		t.Fatalf("sign-in: %s, %v, %+v", in.Status, err, session)
	}
	cookie := in.Cookies()[0].Name + "=" + in.Cookies()[0].Value
	tail := send(http.MethodGet, "/api/audit/tail", "", map[string]string{"Cookie": cookie})
	lines := bufio.NewReader(tail.Body)
	first, err := lines.ReadString('\n')
	if err != nil || first != ": following\n" || tail.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %q, %v", tail.Status, first, err)
	}
	if out := send(http.MethodDelete, "/api/session", "", map[string]string{"Cookie": cookie, "X-CSRF-Token": session.CSRF}); out.StatusCode >= 300 {
		t.Fatalf("sign-out: %s", out.Status)
	}
	rest, err := io.ReadAll(lines) // to its end, which comes by itself
	if err != nil || !strings.Contains(string(rest), `event: end`+"\n"+`data: {"code":"unauthenticated"`) {
		t.Errorf("after the session's end: %v\n%s", err, rest)
	}
}
