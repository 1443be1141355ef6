package webhook

import (
	"encoding/json"
	"slices"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// body is what receivers read.
type body struct {
	ID   string    `json:"id"`
	Type string    `json:"type"`
	Time time.Time `json:"time"`
	Data any       `json:"data"`
}

// BucketData tells of a bucket.
type BucketData struct {
	Backend string `json:"backend"`
	Bucket  string `json:"bucket"`
	Message string `json:"message"`
	// AccessKeyID and RequestID are of the write with which it happened.
	AccessKeyID string `json:"access_key_id,omitempty"`
	RequestID   string `json:"request_id,omitempty"`
	EventID     string `json:"audit_event_id,omitempty"`
}

// NewMessage writes a message; data becomes its JSON.
func NewMessage(id, kind string, at time.Time, data any) (Message, error) {
	text, err := json.Marshal(body{id, kind, at.UTC(), data})
	return Message{id, kind, text}, err
}

// Queue puts a message on its way to every webhook that wants its kind.
func Queue(tx store.Tx, m Message, now time.Time) error {
	hooks, err := tx.Webhooks()
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		if hook.Disabled || !hook.Wants(m.Kind) {
			continue
		}
		err := tx.AddDelivery(keystile.Delivery{
			MessageID: m.ID, WebhookID: hook.ID, Kind: m.Kind, Body: string(m.Body), State: keystile.DeliveryPending,
			CreatedAt: now, NextAt: now,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// FromTrail keeps notices of what events tell of buckets' caps, and queues them.
// It is called in the transaction that makes the events part of the trail's index,
// so that each is told of once however often the process dies. Refusals of one
// bucket within keystile.NoticeQuiet are one.
func FromTrail(now func() time.Time) func(store.Tx, []keystile.Event, []keystile.Outcome) error {
	return func(tx store.Tx, events []keystile.Event, outcomes []keystile.Outcome) error {
		refused := slices.DeleteFunc(slices.Clone(outcomes), func(o keystile.Outcome) bool { return o.Detail.Code != keystile.CodeQuotaExceeded })
		closing, err := store.Closing(tx, refused)
		if err != nil {
			return err
		}
		for _, list := range [][]keystile.Event{events, closing} {
			for i := range list {
				if err := tell(tx, &list[i], now()); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func tell(tx store.Tx, e *keystile.Event, now time.Time) error {
	var kind string
	switch {
	case e.Action == keystile.WebhookSoftExceeded:
		kind = keystile.WebhookSoftExceeded
	case e.Detail.Code == keystile.CodeQuotaExceeded && e.Bucket != "":
		kind = keystile.WebhookHardRefused
	default:
		return nil
	}
	n := keystile.Notice{
		ID: e.ID, Kind: kind, Bucket: keystile.Bucket{Backend: e.Backend, Name: e.Bucket}, At: e.Time,
		Message: e.Detail.Message, AccessKeyID: e.Detail.AccessKeyID, RequestID: e.RequestID,
	}
	added, err := tx.AddNotice(n)
	if err != nil || !added {
		return err
	}
	m, err := NewMessage(n.ID, n.Kind, n.At, BucketData{
		Backend: n.Bucket.Backend, Bucket: n.Bucket.Name, Message: n.Message,
		AccessKeyID: n.AccessKeyID, RequestID: n.RequestID, EventID: n.ID,
	})
	if err != nil {
		return err
	}
	return Queue(tx, m, now)
}
