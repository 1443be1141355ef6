package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
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
	Limit       int       // 0: all
}

func (f EventFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"action": f.Action, "access_key_id": f.AccessKeyID, "account": f.Account,
		"backend": f.Backend, "bucket": f.Bucket, "key": f.Key, "result": f.Result, "request_id": f.RequestID,
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

// Event returns one.
func (c *Client) Event(ctx context.Context, id string) (Event, error) {
	var out Event
	return out, c.call(ctx, http.MethodGet, at("audit", id), nil, nil, &out)
}
