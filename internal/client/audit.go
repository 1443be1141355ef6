package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Event is one line of the audit trail.
type Event struct {
	ID         string          `json:"id"`
	Time       time.Time       `json:"time"`
	Action     string          `json:"action"`
	Result     string          `json:"result"`
	Status     int             `json:"status"`
	Account    string          `json:"account"`
	Backend    string          `json:"backend"`
	Bucket     string          `json:"bucket"`
	Key        string          `json:"key"`
	SourceIP   string          `json:"source_ip"`
	UserAgent  string          `json:"user_agent"`
	RequestID  string          `json:"request_id"`
	InProgress bool            `json:"in_progress,omitempty"`
	Detail     json.RawMessage `json:"detail"` // as the server wrote it
}

// EventFilter selects events; zero fields do not filter.
type EventFilter struct {
	Action      string // prefix
	AccessKeyID string
	Account     string
	Backend     string
	Bucket      string
	Key         string
	Result      string
	RequestID   string
	Since       time.Time // inclusive
	Until       time.Time // exclusive
	Text        string    // words in key or detail, or how they begin
	Limit       int       // 0: all
}

func (f EventFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"action": f.Action, "access_key_id": f.AccessKeyID, "account": f.Account,
		"backend": f.Backend, "bucket": f.Bucket, "key": f.Key, "result": f.Result, "request_id": f.RequestID, "q": f.Text,
	} {
		setIf(q, name, value)
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	if !f.Until.IsZero() {
		q.Set("until", f.Until.UTC().Format(time.RFC3339Nano))
	}
	return q
}

// Events calls yield for each event, newest first, as the pages arrive.
func (c *Client) Events(ctx context.Context, f EventFilter, yield func(Event) error) error {
	return pages(ctx, c, at("audit"), f.query(), f.Limit, yield)
}

// Histogram is how events lie in time.
type Histogram struct {
	From     time.Time       `json:"from"`
	Step     int64           `json:"step_seconds"`
	Spans    []HistogramSpan `json:"spans"`    // those that have events, oldest first
	Complete bool            `json:"complete"` // false: only the newest were counted
	Since    *time.Time      `json:"counted_since,omitempty"`
}

// HistogramSpan counts the events of a span by result.
type HistogramSpan struct {
	At      time.Time `json:"at"`
	OK      int64     `json:"ok"`
	Denied  int64     `json:"denied"`
	Error   int64     `json:"error"`
	Unknown int64     `json:"unknown"` // with those in progress
}

// CountEvents counts the events of a filter by time and result: without times,
// those of the last 24 hours. The filter's limit does not count.
func (c *Client) CountEvents(ctx context.Context, f EventFilter) (Histogram, error) {
	var out Histogram
	return out, c.call(ctx, http.MethodGet, at("audit", "histogram"), f.query(), nil, &out)
}

// Chain is how the audit journal stands.
type Chain struct {
	Journal   string  `json:"journal"`
	Record    uint64  `json:"record"`
	Hash      string  `json:"hash,omitempty"`
	PublicKey string  `json:"public_key,omitempty"`
	Anchor    *Anchor `json:"anchor,omitempty"`
}

// Anchor says, under a signature, how the journal stood.
type Anchor struct {
	Journal   string    `json:"journal"`
	Record    uint64    `json:"record"`
	Hash      string    `json:"hash"`
	Time      time.Time `json:"time"`
	PublicKey string    `json:"public_key"`
	Signature string    `json:"signature"`
	Retired   bool      `json:"retired,omitempty"`
}

// Chain tells how the audit journal stands.
func (c *Client) Chain(ctx context.Context) (Chain, error) {
	var out Chain
	return out, c.call(ctx, http.MethodGet, at("audit", "chain"), nil, nil, &out)
}

// Anchors lists all anchors of the audit journal, oldest first.
func (c *Client) Anchors(ctx context.Context) ([]Anchor, error) {
	return items[Anchor](ctx, c, at("audit", "anchors"))
}

// Sink is how it stands with a place that the audit journal is shipped to.
type Sink struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`
	Target   string    `json:"target"`
	Records  bool      `json:"records"`
	Anchors  bool      `json:"anchors"`
	Position uint64    `json:"position"`
	Lag      uint64    `json:"lag"`
	Anchored uint64    `json:"anchored"`
	SentAt   time.Time `json:"sent_at,omitzero"`
	Failing  string    `json:"failing,omitempty"`
	Since    time.Time `json:"since,omitzero"`
}

// Sinks lists those that the audit journal is shipped to.
func (c *Client) Sinks(ctx context.Context) ([]Sink, error) {
	return items[Sink](ctx, c, at("audit", "sinks"))
}

// ExportEvents writes all events of the filter to w, whatever its limit says: as
// csv, or as lines of JSON, jsonl or ocsf. On an error what was written is not
// whole.
func (c *Client) ExportEvents(ctx context.Context, f EventFilter, format string, w io.Writer) error {
	query, path := f.query(), "/api/audit.csv"
	if format != "csv" {
		path = "/api/audit.jsonl"
	}
	if format == "ocsf" {
		query.Set("schema", "ocsf")
	}
	return c.export(ctx, path, query, w)
}

// export copies a file of any length to w.
func (c *Client) export(ctx context.Context, path string, query url.Values, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/csv")
	if strings.HasSuffix(path, ".jsonl") {
		req.Header.Set("Accept", "application/x-ndjson")
	}
	patience := time.AfterFunc(timeout, cancel)
	defer patience.Stop()
	unbounded := *c.http
	unbounded.Timeout = 0 // the answer may take as long as it moves
	resp, err := unbounded.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
		if err != nil {
			return c.unreachable(err)
		}
		return refusal(resp, body)
	}
	answer := &movingBody{resp.Body, patience, nil}
	if _, err = io.Copy(w, answer); answer.err != nil {
		return fmt.Errorf("the export of %s broke off and is not whole: %w", c.base, answer.err)
	}
	return err
}

// movingBody is read with patience for each piece, and remembers what ended it.
type movingBody struct {
	io.Reader
	patience *time.Timer
	err      error
}

func (b *movingBody) Read(p []byte) (int, error) {
	b.patience.Reset(timeout)
	n, err := b.Reader.Read(p)
	b.patience.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// Event returns one.
func (c *Client) Event(ctx context.Context, id string) (Event, error) {
	var out Event
	return out, c.call(ctx, http.MethodGet, at("audit", id), nil, nil, &out)
}
