package ship

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/webhook"
)

// Hook sends items in signed calls, as package webhook describes them. One call
// has the records of a batch, or one anchor.
type Hook struct {
	sender *webhook.Sender
	url    string
	secret keystile.Secret
	now    func() time.Time
}

// NewHook makes a sink that calls url, signing with secret.
func NewHook(sender *webhook.Sender, url string, secret keystile.Secret, now func() time.Time) *Hook {
	return &Hook{sender, url, secret, now}
}

// The kinds of messages that a Hook sends.
const (
	MessageRecords = "audit.records"
	MessageAnchors = "audit.anchors"
)

// recordsData tells of records that follow one another.
type recordsData struct {
	Journal string            `json:"journal"`
	First   uint64            `json:"first"`
	Last    uint64            `json:"last"`
	Records []json.RawMessage `json:"records"`
}

type anchorsData struct {
	Anchors []json.RawMessage `json:"anchors"`
}

// Send implements Sink. The id of a call is made of the numbers that it has, so
// that it is the same when the same records are sent again.
func (h *Hook) Send(ctx context.Context, items []Item) error {
	first, last := items[0], items[len(items)-1]
	raw := make([]json.RawMessage, len(items))
	for i, item := range items {
		raw[i] = item.JSON
	}
	var data any = recordsData{first.Journal, first.Record, last.Record, raw}
	kind := MessageRecords
	if first.Kind == KindAnchor {
		data, kind = anchorsData{raw}, MessageAnchors
	}
	id := fmt.Sprintf("%s-%s-%d-%d", kind, first.Journal, first.Record, last.Record)
	m, err := webhook.NewMessage(id, kind, h.now(), data)
	if err != nil {
		return err
	}
	_, err = h.sender.Send(ctx, h.url, h.secret, m)
	return err
}

// Close implements Sink.
func (*Hook) Close() error { return nil }
