package client

import (
	"context"
	"net/http"
	"time"
)

// Webhook is a webhook without its secret.
type Webhook struct {
	ID           string    `json:"id"`
	URL          string    `json:"url"`
	Events       []string  `json:"events"` // none: everything
	Description  string    `json:"description,omitempty"`
	Enabled      bool      `json:"enabled"`
	CreatedBy    string    `json:"created_by"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	Pending      int64     `json:"pending"`
	LastDelivery *Delivery `json:"last_delivery,omitempty"`
}

// WebhookOnce is a new webhook with its secret, which is shown once.
type WebhookOnce struct {
	Webhook
	Secret string `json:"signing_secret"`
}

// NewWebhook is what is chosen of a webhook.
type NewWebhook struct {
	URL         string   `json:"url"`
	Events      []string `json:"events,omitempty"`
	Description string   `json:"description,omitempty"`
}

// Delivery is a message on its way to a webhook, or that was.
type Delivery struct {
	ID         string     `json:"id"`
	Event      string     `json:"event"`
	State      string     `json:"state"` // pending, delivered or failed
	Attempts   int        `json:"attempts"`
	CreatedAt  time.Time  `json:"created_at"`
	NextAt     *time.Time `json:"next_attempt_at,omitempty"`
	LastAt     *time.Time `json:"last_attempt_at,omitempty"`
	LastStatus int        `json:"last_status,omitempty"`
	LastError  string     `json:"last_error,omitempty"`
}

// Webhooks lists all.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	return items[Webhook](ctx, c, at("webhooks"))
}

// CreateWebhook adds one.
func (c *Client) CreateWebhook(ctx context.Context, in NewWebhook) (WebhookOnce, error) {
	var out WebhookOnce
	return out, c.call(ctx, http.MethodPost, at("webhooks"), nil, in, &out)
}

// DeleteWebhook removes one.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, at("webhooks", id), nil, nil, nil)
}

// TestWebhook calls one now and returns how that ended.
func (c *Client) TestWebhook(ctx context.Context, id string) (Delivery, error) {
	var out Delivery
	return out, c.call(ctx, http.MethodPost, at("webhooks", id, "test"), nil, nil, &out)
}

// Deliveries lists the newest of one, newest first.
func (c *Client) Deliveries(ctx context.Context, id string) ([]Delivery, error) {
	return items[Delivery](ctx, c, at("webhooks", id, "deliveries"))
}
