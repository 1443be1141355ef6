package ship_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/certs/certtest"
	"keystile/internal/ship"
	"keystile/internal/upstream"
)

// collector is a syslog receiver over TLS that asks for client certificates.
type collector struct {
	got
	t        *testing.T
	listener net.Listener

	mu       sync.Mutex
	conns    []net.Conn
	messages []string
	deaf     bool // it closes connections without reading
}

func newCollector(t *testing.T, server, clients *certtest.CA) *collector {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{server.Issue(time.Hour, "localhost").TLS(t)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: clients.Pool(),
	})
	must(t, err)
	c := &collector{t: t, listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.conns = append(c.conns, conn)
			deaf := c.deaf
			c.mu.Unlock()
			if deaf {
				_ = conn.Close()
				continue
			}
			go c.serve(conn)
		}
	}()
	return c
}

// serve reads frames of RFC 5425 section 4.3.
func (c *collector) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		var length int
		if _, err := fmt.Fscanf(in, "%d ", &length); err != nil {
			return
		}
		message := make([]byte, length)
		if _, err := io.ReadFull(in, message); err != nil {
			return
		}
		c.mu.Lock()
		c.messages = append(c.messages, string(message))
		c.mu.Unlock()
		if err := c.add(message[strings.IndexByte(string(message), '{'):]); err != nil {
			c.t.Error(err)
		}
	}
}

func (c *collector) hangUp(deaf bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = deaf
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func (c *collector) sink(trusted, own *certtest.CA) ship.Sink {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted.Pool()}
	if own != nil {
		settings.Certificates = []tls.Certificate{own.Issue(time.Hour).TLS(c.t)}
	}
	_, port, err := net.SplitHostPort(c.listener.Addr().String())
	must(c.t, err)
	return ship.NewSyslog(ship.SyslogOptions{
		Address: net.JoinHostPort("localhost", port), Dialer: upstream.NewDialer(), TLS: settings, Facility: 13, Hostname: "gate.example", PID: 42,
	})
}

// header is RFC 5424 section 6.2, as Keystile writes it.
var header = regexp.MustCompile(`^<(110|108)>1 2026-11-25T12:00:00\.000000Z gate\.example keystile 42 event - \{"journal":"[0-9a-f]{32}","record":\d+,"event":\{.*\}\}$`)

func TestSyslogOverTLS(t *testing.T) {
	server, clients := certtest.NewCA(t), certtest.NewCA(t)
	c := newCollector(t, server, clients)
	b := newBench(t)
	b.record(1100)
	s, _ := b.start(ship.Feed{Name: "siem", Sink: c.sink(server, clients), Records: true})
	until(t, "all were sent", func() bool { return s.Status()[0].Position == 1100 })
	until(t, "all came", func() bool { return c.count() == 1100 })
	c.inOrder(t, 1100)
	for i, m := range c.messages {
		if !header.MatchString(m) || strings.HasPrefix(m, "<108>") != ((i+1)%7 == 0) {
			t.Fatalf("message %d: %q", i+1, m)
		}
	}
}

func TestNothingIsMissingAfterASyslogConnectionBroke(t *testing.T) {
	server, clients := certtest.NewCA(t), certtest.NewCA(t)
	c := newCollector(t, server, clients)
	b := newBench(t)
	s, _ := b.start(ship.Feed{Name: "siem", Sink: c.sink(server, clients), Records: true})
	for range 5 {
		b.record(100)
		until(t, "they came", func() bool { return s.Status()[0].Position == uint64(b.made) })
		c.hangUp(true)
		b.record(100)
		until(t, "it fails", func() bool { return s.Status()[0].Failing != "" })
		c.hangUp(false)
		until(t, "it goes on", func() bool { return s.Status()[0].Position == uint64(b.made) })
	}
	came := map[uint64]bool{}
	until(t, "all 1000 came", func() bool {
		c.got.mu.Lock()
		defer c.got.mu.Unlock()
		for _, seq := range c.order {
			came[seq] = true
		}
		return len(came) == 1000
	})
}

func TestSyslogTalksToNobodyElse(t *testing.T) {
	server, clients, others := certtest.NewCA(t), certtest.NewCA(t), certtest.NewCA(t)
	for _, tt := range []struct {
		name         string
		trusted, own *certtest.CA
	}{
		{"a receiver of another authority", others, clients},
		{"without a certificate of its own", server, nil},
		{"with one of another authority", server, others},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCollector(t, server, clients)
			b := newBench(t)
			b.record(5)
			s, _ := b.start(ship.Feed{Name: "siem", Sink: c.sink(tt.trusted, tt.own), Records: true})
			until(t, "it fails", func() bool { return s.Status()[0].Failing != "" })
			if got := s.Status()[0]; got.Position != 0 || c.count() != 0 {
				t.Errorf("%+v, and %d records came", got, c.count())
			}
		})
	}
}
