package http1

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// tlsServer is net/http's own server over TLS.
type tlsServer struct {
	addr string
	cfg  *tls.Config
}

func newTLSServer(t *testing.T, h http.Handler) tlsServer {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	cfg := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	cfg.ServerName = "example.com"
	cfg.NextProtos = []string{"http/1.1"}
	return tlsServer{srv.Listener.Addr().String(), cfg}
}

func (s tlsServer) dial(ctx context.Context) (net.Conn, error) {
	return (&tls.Dialer{Config: s.cfg}).DialContext(ctx, "tcp", s.addr)
}
