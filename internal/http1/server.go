package http1

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Server serves unambiguous HTTP/1.1 and HTTP/1.0 requests, and no others. Of a
// refused head its handler gets to see a stand-in: it asks [Refused] first. Set
// the fields before Serve.
//
// To the handler it is like net/http's server, but for this: an answer's header
// is what the handler set, with Date and the framing, nothing guessed from the
// body; and a client that goes away is noticed a moment later, when nothing of
// its request's body is left to read.
type Server struct {
	Handler http.Handler
	// HeaderTimeout bounds the wait for the first head of a connection, and how
	// long a further one may be under way; zero: no bound.
	HeaderTimeout time.Duration
	// IdleTimeout bounds the wait for a further request; zero: no bound.
	IdleTimeout time.Duration
	// Guard bounds what a client may send, and how slowly.
	Guard GuardOptions
	// Log is told of handlers that panic.
	Log *slog.Logger

	closing atomic.Bool
	mu      sync.Mutex
	sockets map[net.Listener]struct{}
	conns   map[*serverConn]struct{}
}

// Serve answers what comes in at ln until Shutdown or Close, and then returns
// http.ErrServerClosed. ln may be a TLS listener whose config does not offer
// "h2"; over plain TCP the kernel copies bodies that come from a socket.
func (s *Server) Serve(ln net.Listener) error {
	defer func() { _ = ln.Close() }()
	if !s.track(ln) {
		return http.ErrServerClosed
	}
	opts := s.Guard.withDefaults()
	var pause time.Duration
	for {
		raw, err := ln.Accept()
		if err == nil {
			pause = 0
			s.start(raw, opts)
			continue
		}
		if s.closing.Load() {
			return http.ErrServerClosed
		}
		var trouble syscall.Errno
		if !errors.As(err, &trouble) || !trouble.Temporary() {
			return err
		}
		// Out of descriptors, or the client left at once.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		time.Sleep(pause)
	}
}

func (s *Server) track(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	if s.sockets == nil {
		s.sockets, s.conns = map[net.Listener]struct{}{}, map[*serverConn]struct{}{}
	}
	s.sockets[ln] = struct{}{}
	return true
}

func (s *Server) start(raw net.Conn, opts GuardOptions) {
	c := newServerConn(s, raw, opts)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		_ = raw.Close() // nobody would wait for it
		return
	}
	s.conns[c] = struct{}{}
	go func() {
		c.serve()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
	}()
}

// Shutdown accepts nothing new, closes idle connections and waits until the
// others have answered what they are at. It returns ctx's error if that ends
// first.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopAccepting()
	for pause := time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if s.closeIdle() == 0 {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close accepts nothing new and breaks off what is under way.
func (s *Server) Close() error {
	s.stopAccepting()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Conn.Close() // it may be closed already
	}
	return nil
}

func (s *Server) stopAccepting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing.Store(true)
	for ln := range s.sockets {
		_ = ln.Close() // its end is what Serve finds
	}
}

// closeIdle returns how many connections are left.
func (s *Server) closeIdle() (left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.endIfIdle() {
			_ = c.Conn.Close() // it may be closed already
		}
	}
	return len(s.conns)
}
