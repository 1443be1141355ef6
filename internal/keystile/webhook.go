package keystile

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// What webhooks tell of. A test goes to the webhook that is tested, whatever it
// wants to hear.
const (
	WebhookSoftExceeded = "quota.soft_exceeded"
	WebhookHardRefused  = "quota.hard_refused"
	WebhookTest         = "webhook.test"
)

// WebhookKinds are what a webhook can be told of.
func WebhookKinds() []string { return []string{WebhookSoftExceeded, WebhookHardRefused} }

// Webhook is an address that is called when something happens. Its secret, which
// signs the calls, is kept apart.
type Webhook struct {
	ID          string // UUID
	URL         string
	Kinds       []string // what it is told of; none: everything
	Description string
	Disabled    bool
	CreatedBy   string // account id; empty: an offline command
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

const (
	maxWebhookURLBytes         = 2048
	maxWebhookDescriptionRunes = 200
)

// Check validates what people choose of a webhook.
func (w *Webhook) Check() error {
	var faults Faults
	checkWebhookURL(w.URL, &faults)
	for _, kind := range w.Kinds {
		if !slices.Contains(WebhookKinds(), kind) {
			faults.Add("events", "%q is not one of %s", kind, strings.Join(WebhookKinds(), ", "))
		}
	}
	if w.Description != "" {
		CheckText("description", w.Description, maxWebhookDescriptionRunes, &faults)
	}
	return faults.Err()
}

func checkWebhookURL(text string, faults *Faults) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || len(text) > maxWebhookURLBytes:
		faults.Add("url", "must be http(s)://HOST[:PORT]/PATH of at most %d bytes", maxWebhookURLBytes)
	case u.User != nil:
		faults.Add("url", "must not hold a user name or password: calls are signed instead")
	case u.Fragment != "" || strings.Contains(text, "#"):
		faults.Add("url", "must not have a fragment")
	}
}

// Origin is the scheme, host and port of the URL: what logs and the audit trail
// have of it, because paths and queries of others' services hold tokens.
func (w *Webhook) Origin() string {
	u, err := url.Parse(w.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Wants reports whether the webhook is told of a kind.
func (w *Webhook) Wants(kind string) bool {
	return len(w.Kinds) == 0 || slices.Contains(w.Kinds, kind)
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of deliveries. Failed ones are given up.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed"
)

// Delivery is a message on its way to a webhook.
type Delivery struct {
	Seq       int64  // given by the store
	MessageID string // the same in every attempt: by it a receiver knows repetitions
	WebhookID string
	Kind      string
	Body      string // JSON, as it is signed and sent
	State     DeliveryState
	Attempts  int
	CreatedAt time.Time
	NextAt    time.Time // when a pending one is due
	EndedAt   time.Time // when it was delivered or given up; zero while pending
	LastAt    time.Time // of the last attempt; zero: none yet
	// LastStatus is the HTTP status of the last attempt's answer, 0 where there was
	// none. LastError says in our words why it failed; no part of an answer is in it.
	LastStatus int
	LastError  string
}

// Bounds of deliveries.
const (
	// MaxPendingDeliveries bounds what waits for one webhook. Beyond it the oldest
	// is given up.
	MaxPendingDeliveries = 1000
	// DeliveriesKept is how long ended deliveries, and notices, are kept.
	DeliveriesKept = 7 * 24 * time.Hour
)

// Notice is something that admins should know of a bucket. The same of the same
// bucket within NoticeQuiet is one.
type Notice struct {
	ID          string // of the audit event that it comes from
	Kind        string // of WebhookKinds
	Bucket      Bucket
	At          time.Time
	Message     string
	AccessKeyID string
	RequestID   string
}

// NoticeQuiet is how long refusals of one bucket are told once.
const NoticeQuiet = 5 * time.Minute
