package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/sigv4"
)

// How many requests are under way at once: small ones from as many clients as a
// gateway has at least, large ones from as many as fill the other core with
// generator and upstream.
const (
	smallAtOnce = 32
	largeAtOnce = 4
)

func (c testCase) atOnce() int {
	if c.payload > 0 {
		return largeAtOnce
	}
	return smallAtOnce
}

// target is one of the programs that are compared.
type target struct {
	name   string
	bucket string // of new keys
	url    string
	host   string
	pid    int
	key    string
	secret string
	client *http.Client
	signer *sigv4.Signer
	// environ is that of the command line of a gateway.
	environ []string
	written atomic.Int64 // new keys
}

func (t *target) prepare() {
	t.signer = sigv4.NewSigner(t.key, t.secret, region, "s3")
	t.client = &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: smallAtOnce, DisableCompression: true,
		ReadBufferSize: copySize, WriteBufferSize: copySize,
	}}
}

// used is what count requests took: the CPU time of the target in all, and the
// time that half of them were answered within.
type used struct{ cpu, p50 time.Duration }

// measure sends count requests.
func (t *target) measure(ctx context.Context, c testCase, count int) (used, error) {
	before, err := cpuTime(t.pid)
	if err != nil {
		return used{}, err
	}
	took, err := t.load(ctx, c, count)
	if err != nil {
		return used{}, fmt.Errorf("%s, %s: %w", t.name, c.name, err)
	}
	after, err := cpuTime(t.pid)
	slices.Sort(took)
	return used{after - before, took[len(took)/2]}, err
}

// load returns how long each request took.
func (t *target) load(ctx context.Context, c testCase, count int) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var left atomic.Int64
	left.Store(int64(count))
	took := make([]time.Duration, count)
	var workers sync.WaitGroup
	for range min(c.atOnce(), count) {
		workers.Go(func() {
			for n := left.Add(-1); n >= 0 && ctx.Err() == nil; n = left.Add(-1) {
				began := time.Now()
				if err := t.request(ctx, c); err != nil {
					cancel(err)
				}
				took[n] = time.Since(began)
			}
		})
	}
	workers.Wait()
	return took, context.Cause(ctx)
}

// request sends one request and wants its whole answer.
func (t *target) request(ctx context.Context, c testCase) error {
	path := c.path
	if c.counted {
		path = "/" + t.bucket + path + strconv.FormatInt(t.written.Add(1), 10)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, t.url+path, http.NoBody)
	if err != nil {
		return err
	}
	r.URL.RawQuery = c.query
	hash := sigv4.EmptySHA256
	if c.body != nil {
		hash = c.body.declare(r.Header)
	}
	if err := t.signer.Sign(c.method, path, c.query, t.host, r.Header, hash, time.Now()); err != nil {
		return err
	}
	if c.body != nil {
		data, length := c.body.encode(r.Header, t.secret)
		r.Body, r.ContentLength = io.NopCloser(data), length
	}
	answer, err := t.client.Do(r)
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	switch {
	case err != nil:
		return err
	case answer.StatusCode != c.status:
		return fmt.Errorf("answered %d, not %d", answer.StatusCode, c.status)
	case c.payload > 0 && c.method == http.MethodGet && n != c.payload:
		return fmt.Errorf("answered %d bytes, not %d", n, c.payload)
	}
	return nil
}
