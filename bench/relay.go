package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

type relayCommand struct {
	To string `required:"" help:"URL of the upstream."`
}

// Run relays whatever comes to the upstream, as few lines of Go as do it well.
func (cmd relayCommand) Run(ctx context.Context) error {
	to, err := url.Parse(cmd.To)
	if err != nil {
		return err
	}
	return serve(ctx, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{
			MaxIdleConns: 256, MaxIdleConnsPerHost: 256, DisableCompression: true,
			ReadBufferSize: copySize, WriteBufferSize: copySize,
		},
		BufferPool: &buffers{},
	})
}

const copySize = 64 << 10

// buffers is what ReverseProxy copies bodies with.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, copySize)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

// serve listens on a free port of this machine, prints its URL as the first
// line, and serves until ctx ends.
func serve(ctx context.Context, h http.Handler) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
