package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"keystile/internal/config"
	"keystile/internal/http1"
	"keystile/internal/ingress"
	"keystile/internal/telemetry"
)

// sockets are the listeners, open before anything that must know their ports.
type sockets struct {
	dashboard net.Listener
	gateway   net.Listener // nil where the gateway is switched off
}

// listen opens the sockets. They answer once everything behind them runs.
func (s *server) listen(ctx context.Context) error {
	s.connections = telemetry.NewConnections(s.metrics)
	server, gateway := s.config.Server, s.config.S3Proxy
	ln, err := s.open(ctx, "server.listen", server.Listen)
	if err != nil {
		return err
	}
	s.sockets.dashboard = s.counted(ln, s.connections.Of(frontDashboard), server.TrustedProxies, server.ProxyProtocol)
	if !gateway.Enabled {
		return nil
	}
	if ln, err = s.open(ctx, "s3_proxy.listen", gateway.Listen); err != nil {
		return err
	}
	s.sockets.gateway = s.counted(ln, s.connections.Of(frontGateway), gateway.TrustedProxies, gateway.ProxyProtocol)
	return nil
}

// counted bounds a listener's connections and finds out whose they are.
func (s *server) counted(ln net.Listener, observer ingress.Observer, trusted []netip.Prefix, proxyProtocol bool) net.Listener {
	limits := s.config.Limits
	return ingress.Listen(ln, ingress.Options{
		MaxConnections: limits.MaxConnections, MaxPerSource: limits.MaxConnectionsPerIP,
		Trusted: trusted, ProxyProtocol: proxyProtocol, HeaderTimeout: limits.HeaderTimeout, Observer: observer,
	})
}

func (s *server) open(ctx context.Context, key, address string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	s.later(func(context.Context) error {
		// Serving closes it too.
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return ln, nil
}

// addresses are what no backend may stand at.
func (s sockets) addresses() []netip.AddrPort {
	var list []netip.AddrPort
	for _, ln := range []net.Listener{s.dashboard, s.gateway} {
		if ln == nil {
			continue
		}
		if addr, ok := ln.Addr().(*net.TCPAddr); ok {
			list = append(list, addr.AddrPort())
		}
	}
	return list
}

// urlOf is the configured URL, or that of the socket as this machine sees it.
func urlOf(configured string, t config.TLS, ln net.Listener) *url.URL {
	if configured != "" {
		if u, err := url.Parse(configured); err == nil { // it was validated
			u.Path = ""
			return u
		}
	}
	if ln == nil {
		return &url.URL{}
	}
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	if len(t.ACMEDomains) > 0 {
		host = t.ACMEDomains[0]
	}
	u := &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	if t.Enabled() {
		u.Scheme = "https"
	}
	return u
}

func (s *server) dashboardURL() *url.URL {
	return urlOf(s.config.Server.PublicURL, s.config.Server.TLS, s.sockets.dashboard)
}

func (s *server) s3URL() string {
	return urlOf(s.config.S3Proxy.PublicURL, s.config.S3Proxy.TLS, s.sockets.gateway).String()
}

// front is an HTTP server and the socket that it serves.
type front struct {
	name   string
	http   httpServer
	socket net.Listener
}

// httpServer is what a front needs of the gateway's own server and of net/http's.
type httpServer interface {
	Serve(ln net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// gatewayFront bounds heads and idle connections, but no body: an object may take
// its time as long as it moves.
func (s *server) gatewayFront() front {
	limits := s.config.Limits
	return front{frontGateway, &http1.Server{
		Handler: s.gatewayHandler(), HeaderTimeout: limits.HeaderTimeout, IdleTimeout: limits.IdleTimeout,
		Guard: guardOptions(limits), Log: s.log.With("listener", frontGateway),
	}, s.secured(frontGateway, s.sockets.gateway)}
}

func guardOptions(l config.Limits) http1.GuardOptions {
	return http1.GuardOptions{
		MaxHeadBytes: l.MaxHeaderBytes, MaxTargetBytes: l.MaxURIBytes, IdleTimeout: l.IdleTimeout,
		MinRate: int64(l.MinBodyRate), RateWindow: l.MinBodyWindow,
	}
}

// Bounds of a request to the API, whose bodies are small.
const (
	apiReadTimeout  = 30 * time.Second
	apiWriteTimeout = 5 * time.Minute // a test of a backend takes its time
)

// newFront makes a server that bounds whole requests and answers, behind a strict
// HTTP/1.1. The handler must ask http1.Refused first.
func (s *server) newFront(name string, socket net.Listener, h http.Handler) front {
	limits := s.config.Limits
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return front{name, &http.Server{
		Handler:           h,
		ReadHeaderTimeout: limits.HeaderTimeout,
		IdleTimeout:       limits.IdleTimeout,
		ReadTimeout:       apiReadTimeout,
		WriteTimeout:      apiWriteTimeout,
		// The guard has bounded the head; net/http, which counts otherwise, must
		// not answer in its stead.
		MaxHeaderBytes:               2 * limits.MaxHeaderBytes,
		Protocols:                    protocols,
		DisableGeneralOptionsHandler: true,
		ConnContext:                  http1.ConnContext,
		ErrorLog:                     slog.NewLogLogger(s.log.With("listener", name).Handler(), slog.LevelDebug),
	}, http1.Guard(s.secured(name, socket), guardOptions(limits))}
}

// wellFormed answers heads that the guard refused. They name nobody and nothing
// that could be recorded.
func wellFormed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if http1.Refused(r) != nil {
			http.Error(w, "The request is not well-formed HTTP/1.1: its head is malformed, ambiguous or too long.", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serve answers until ctx ends or a listener breaks, then drains: nothing new
// is accepted, requests in flight end, within a bound.
func (s *server) serve(ctx context.Context) error {
	serving, ctx := errgroup.WithContext(ctx)
	for _, f := range s.fronts {
		serving.Go(func() error {
			if err := f.http.Serve(f.socket); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			return nil
		})
	}
	serving.Go(func() error {
		<-ctx.Done()
		s.log.Info("stopping: no new requests, those in flight may end", "within", drainTimeout.String())
		s.trail.EndTails() // they would not end by themselves
		s.drain(context.WithoutCancel(ctx))
		return nil
	})
	return serving.Wait()
}

func (s *server) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	var draining errgroup.Group
	for _, f := range s.fronts {
		draining.Go(func() error {
			if err := f.http.Shutdown(ctx); err != nil {
				s.log.Warn("requests did not end in time and were cut", "listener", f.name)
				return f.http.Close()
			}
			return nil
		})
	}
	if err := draining.Wait(); err != nil {
		s.log.Warn("closing connections", "error", err)
	}
}
