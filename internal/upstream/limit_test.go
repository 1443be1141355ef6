package upstream

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
)

// TestMaxConnsHolds lets one request hang in its dial: a second one gets no
// connection.
func TestMaxConnsHolds(t *testing.T) {
	dialling := make(chan struct{})
	hang := func(ctx context.Context) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	r := NewRegistry(Options{
		Declared: []Endpoint{{Backend: keystile.Backend{ID: "one", Kind: keystile.KindEmbedded, Region: "us-east-1"}, Dial: hang}},
		Dialer:   NewDialer(), Log: slog.New(slog.DiscardHandler), MaxConns: 1,
	})
	t.Cleanup(r.Close)
	b, _ := r.Get("one")
	first, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		if resp, err := b.Send(first, Request{Method: http.MethodGet}); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-dialling
	second, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	resp, err := b.Send(second, Request{Method: http.MethodGet})
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("a second connection although one is allowed")
	}
	if errors.Is(err, http1.ErrDial) {
		t.Errorf("the second request dialled: %v", err)
	}
}
