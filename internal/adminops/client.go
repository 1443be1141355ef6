package adminops

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/sigv4"
	"keystile/internal/turns"
)

// Options are what a Client needs. All but TLS and Now are required.
type Options struct {
	Endpoint    string // http(s)://HOST[:PORT]
	Region      string
	AccessKeyID string
	Secret      keystile.Secret
	// Dial makes every connection.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	TLS  *tls.Config
	Now  func() time.Time
}

// Client calls one radosgw. It is safe for concurrent use; calls that change one
// user take turns.
type Client struct {
	endpoint *url.URL
	signer   *sigv4.Signer
	key      string // the access key ID
	http     *http.Client
	now      func() time.Time
	users    turns.Turns
}

// Limits of one call.
const (
	callTimeout = 30 * time.Second
	maxAnswer   = 8 << 20 // bytes; a user with thousands of buckets fits
	tries       = 6       // of a call that meets another one
	firstWait   = 50 * time.Millisecond
)

// New makes a client. It connects when it is first used.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint of the Admin Ops API is not a URL with a host: %w", keystile.ErrInvalid)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	transport := &http.Transport{
		DialContext: o.Dial, TLSClientConfig: o.TLS, TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: callTimeout,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
	}
	return &Client{
		endpoint: u, key: o.AccessKeyID, now: o.Now,
		signer: sigv4.NewSigner(o.AccessKeyID, o.Secret.Reveal(), o.Region, "s3"),
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Format prints the endpoint, for every verb.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "Admin Ops API at "+c.endpoint.Host)
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call sends a request, again where a radosgw says that changes met, and reads
// the JSON of its answer into v, if that is not nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, v any) error {
	wait := firstWait
	for try := 1; ; try++ {
		body, err := c.once(ctx, method, path, query)
		var told *Error
		if errors.As(err, &told) && told.unknown() && try < tries {
			select {
			case <-time.After(wait + rand.N(wait)): //nolint:gosec // spreads callers, no secret
			case <-ctx.Done():
				return err
			}
			wait *= 2
			continue
		}
		if err != nil || v == nil {
			return err
		}
		if json.Unmarshal(body, v) != nil {
			return fmt.Errorf("the answer of the Admin Ops API cannot be read: %w", keystile.ErrUnavailable)
		}
		return nil
	}
}

// once sends a request.
func (c *Client) once(ctx context.Context, method, path string, query url.Values) ([]byte, error) {
	answer, err := c.send(ctx, method, path, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer of the Admin Ops API broke off: %w: %w", keystile.ErrUnavailable, unaddressed(err))
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("the answer of the Admin Ops API is too long: %w", keystile.ErrUnavailable)
	case answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNoContent:
		return nil, errorOf(answer.StatusCode, body)
	}
	return body, nil
}

func (c *Client) send(ctx context.Context, method, path string, query url.Values) (*http.Response, error) {
	values := url.Values{"format": {"json"}}
	for name, all := range query {
		values[name] = all
	}
	raw := strings.ReplaceAll(values.Encode(), "+", "%20")
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	req, err := http.NewRequestWithContext(ctx, method, c.endpoint.Scheme+"://"+c.endpoint.Host, http.NoBody)
	if err != nil {
		cancel()
		return nil, err
	}
	req.URL = &url.URL{Scheme: c.endpoint.Scheme, Host: c.endpoint.Host, Path: path, RawQuery: raw}
	if err := c.signer.Sign(method, path, raw, c.endpoint.Host, req.Header, sigv4.EmptySHA256, c.now()); err != nil {
		cancel()
		return nil, err
	}
	answer, err := c.http.Do(req)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("the Admin Ops API does not answer: %w: %w", keystile.ErrUnavailable, unaddressed(err))
	}
	answer.Body = &cancelling{answer.Body, cancel}
	return answer, nil
}

// unaddressed takes the URL out of an error: its query holds secrets.
func unaddressed(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// cancelling ends a call's context with its body.
type cancelling struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c *cancelling) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}
