package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keystile/internal/keystile"
)

// Limits of one call.
const (
	timeout        = 60 * time.Second // testing a backend may take its time
	maxAnswerBytes = 32 << 20
)

// Client calls the API of one server as the account of one token.
type Client struct {
	base  string
	token keystile.Secret
	agent string
	http  *http.Client
}

// Options say which server is called, and as whom.
type Options struct {
	URL   string // http(s)://HOST[:PORT]
	Token keystile.Secret
	Agent string // the User-Agent
	// Proxy chooses a proxy for a request; nil uses none.
	Proxy func(*http.Request) (*url.URL, error)
}

// New makes a client. It does not connect.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is not http(s)://HOST[:PORT]: %w", o.URL, keystile.ErrInvalid)
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q has more than a host and a port: %w", u.Redacted(), keystile.ErrInvalid)
	}
	return &Client{
		base:  u.Scheme + "://" + u.Host,
		token: o.Token,
		agent: o.Agent,
		http: &http.Client{
			Timeout:       timeout,
			Transport:     &http.Transport{Proxy: o.Proxy, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// call sends in as JSON, where it is not nil, and decodes the answer into out,
// where that is not nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	req, err := c.request(ctx, method, path, query, in)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return c.unreachable(err)
	case len(body) > maxAnswerBytes:
		return fmt.Errorf("the answer of %s is longer than %d bytes", c.base, maxAnswerBytes)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return refusal(resp, body)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s did not answer as a Keystile server does: %w", c.base, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, in any) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	return req, nil
}

// unreachable leaves out the URL that net/http puts before the cause: it is
// said once, in words.
func (c *Client) unreachable(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() {
		return &UnreachableError{c.base, errors.New("no answer in time")}
	}
	return &UnreachableError{c.base, err}
}

// pages asks for page after page until there is no next one or enough items
// were seen; limit 0 means all of them.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values, limit int, yield func(T) error) error {
	seen := 0
	for {
		size := 200
		if limit > 0 {
			size = min(size, limit-seen)
		}
		query.Set("limit", fmt.Sprint(size))
		var page struct {
			Items      []T    `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		if err := c.call(ctx, http.MethodGet, path, query, nil, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			if limit > 0 && seen == limit {
				return nil
			}
			seen++
			if err := yield(item); err != nil {
				return err
			}
		}
		if page.NextCursor == "" || (limit > 0 && seen >= limit) {
			return nil
		}
		if page.NextCursor == query.Get("cursor") {
			return fmt.Errorf("%s gave the same page twice", c.base)
		}
		query.Set("cursor", page.NextCursor)
	}
}

// items asks for a list that comes whole.
func items[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	var page struct {
		Items []T `json:"items"`
	}
	err := c.call(ctx, http.MethodGet, path, nil, nil, &page)
	return page.Items, err
}

// at joins path segments, each escaped.
func at(segments ...string) string {
	var b strings.Builder
	b.WriteString("/api")
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}
