package http1

import (
	"context"
	"fmt"
	"io"
	"testing"
)

func TestWhole(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		whole  bool
		rest   string // said once Whole was asked for
		body   string // what Body has, where Whole had nothing
		bad    bool   // … and does not end well
	}{
		"all came with the head":    {answer: "Content-Length: 5\r\n\r\nhello", whole: true},
		"nothing is to come":        {answer: "Content-Length: 0\r\n\r\n"},
		"more came than was said":   {answer: "Content-Length: 5\r\n\r\nhello!", body: "hello"},
		"less came":                 {answer: "Content-Length: 5\r\n\r\nhel", rest: "lo", body: "hello"},
		"less came, and no more":    {answer: "Content-Length: 5\r\n\r\nhel", body: "hel", bad: true},
		"in chunks":                 {answer: "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", body: "hello"},
		"until the connection ends": {answer: "\r\nhello", body: "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{})
			b := newBackend(t, func(p *peer) {
				_, _, _ = p.request(true)
				p.say("HTTP/1.1 200 OK\r\n" + tt.answer)
				<-asked
				p.say(tt.rest)
			})
			resp, err := b.client(t, nil).Do(t.Context(), get())
			if err != nil {
				t.Fatal(err)
			}
			data, held, ok := resp.Whole()
			close(asked)
			if ok != tt.whole || ok && string(data) != "hello" {
				t.Fatalf("Whole() = %q, %v, want %v", data, ok, tt.whole)
			}
			held.Free()
			rest, err := io.ReadAll(resp.Body)
			if string(rest) != tt.body || (err != nil) != tt.bad {
				t.Errorf("the body is then %q, %v; want %q", rest, err, tt.body)
			}
			if again, _, ok := resp.Whole(); ok {
				t.Errorf("a second Whole() = %q", again)
			}
			_ = resp.Body.Close()
		})
	}
}

func TestWholeIsKeptFromTheNextAnswer(t *testing.T) {
	n := 0
	b := newBackend(t, func(p *peer) {
		for {
			if _, _, err := p.request(true); err != nil {
				return
			}
			p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody%d", n))
			n++
		}
	})
	c := b.client(t, nil)
	var answers [3][]byte
	for i := range answers {
		resp, err := c.Do(t.Context(), get())
		if err != nil {
			t.Fatal(err)
		}
		data, held, ok := resp.Whole()
		if !ok {
			t.Fatal("the answer was not whole")
		}
		defer held.Free()
		answers[i] = data
	}
	for i, data := range answers {
		if want := fmt.Sprintf("body%d", i); string(data) != want {
			t.Errorf("answer %d is %q once others have come, want %q", i, data, want)
		}
	}
	if got := b.conns.Load(); got != 1 {
		t.Errorf("%d connections, want one that is used again", got)
	}
}

func TestNothingIsWholeOnceTheContextHasEnded(t *testing.T) {
	b := newBackend(t, func(p *peer) {
		_, _, _ = p.request(true)
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	})
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := b.client(t, nil).Do(ctx, get())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if data, _, ok := resp.Whole(); ok {
		t.Errorf("Whole() = %q after the context's end", data)
	}
	if data, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the body reads %q after the context's end", data)
	}
	_ = resp.Body.Close()
}
