package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// webhooks serves webhooks and what was delivered to them.
type webhooks struct{ webhooks *control.Webhooks }

func (h webhooks) mount(r *router) {
	const tag, path = "Webhooks", "/api/webhooks"
	register(r, operation{method: http.MethodGet, path: path, id: "listWebhooks", tag: tag,
		summary: "List webhooks, with how their deliveries go"}, h.list)
	register(r, operation{method: http.MethodPost, path: path, id: "createWebhook", tag: tag,
		summary: "Add a webhook", status: http.StatusCreated,
		description: "The secret that signs its calls is shown once."}, h.create)
	register(r, operation{method: http.MethodGet, path: path + "/{webhook}", id: "getWebhook", tag: tag,
		summary: "Show a webhook"}, h.show)
	register(r, operation{method: http.MethodPatch, path: path + "/{webhook}", id: "updateWebhook", tag: tag,
		summary: "Change a webhook", description: "A new url needs the secret that was shown once."}, h.update)
	register(r, operation{method: http.MethodDelete, path: path + "/{webhook}", id: "deleteWebhook", tag: tag,
		summary: "Remove a webhook, with what is on its way to it"}, h.delete)
	register(r, operation{method: http.MethodPost, path: path + "/{webhook}/test", id: "testWebhook", tag: tag,
		summary: "Call a webhook now", description: "Answers how the call ended. It is made once, also to one that is disabled."}, h.test)
	register(r, operation{method: http.MethodGet, path: path + "/{webhook}/deliveries", id: "listDeliveries", tag: tag,
		summary: "List the newest 100 deliveries of a webhook", description: "Ended ones are kept for 7 days."}, h.deliveries)
}

// Webhook is a webhook without its secret.
type Webhook struct {
	ID           string    `json:"id"`
	URL          string    `json:"url"`
	Events       []string  `json:"events" enum:"quota.soft_exceeded,quota.hard_refused" doc:"what it is told of; empty: everything"`
	Description  string    `json:"description,omitempty"`
	Enabled      bool      `json:"enabled"`
	CreatedBy    string    `json:"created_by"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	Pending      int64     `json:"pending" doc:"messages on their way"`
	LastDelivery *Delivery `json:"last_delivery,omitempty" doc:"the newest; absent: none in the last 7 days"`
}

// WebhookOnce is a new webhook.
type WebhookOnce struct {
	Webhook
	Secret string `json:"signing_secret" doc:"signs the calls; shown this once"`
}

// NewWebhook is what is chosen of a webhook.
type NewWebhook struct {
	URL         string   `json:"url" example:"https://alerts.example.com/keystile"`
	Events      []string `json:"events,omitempty" enum:"quota.soft_exceeded,quota.hard_refused" doc:"absent or empty: everything"`
	Description string   `json:"description,omitempty"`
}

// WebhookEdit changes what it has.
type WebhookEdit struct {
	URL         *string   `json:"url,omitempty"`
	Secret      *string   `json:"signing_secret,omitempty" format:"password" writeOnly:"true" doc:"needed with a new url"`
	Events      *[]string `json:"events,omitempty" enum:"quota.soft_exceeded,quota.hard_refused"`
	Description *string   `json:"description,omitempty"`
	Enabled     *bool     `json:"enabled,omitempty"`
}

// Delivery is a message on its way to a webhook, or that was.
type Delivery struct {
	ID         string     `json:"id" doc:"of the message, as receivers see it"`
	Event      string     `json:"event" example:"quota.hard_refused"`
	State      string     `json:"state" enum:"pending,delivered,failed" doc:"failed: given up"`
	Attempts   int        `json:"attempts"`
	CreatedAt  time.Time  `json:"created_at"`
	NextAt     *time.Time `json:"next_attempt_at,omitempty" doc:"while pending"`
	LastAt     *time.Time `json:"last_attempt_at,omitempty"`
	LastStatus int        `json:"last_status,omitempty" doc:"HTTP status of the last answer; absent: there was none"`
	LastError  string     `json:"last_error,omitempty" doc:"why the last attempt failed"`
}

// ByWebhook names a webhook in the path.
type ByWebhook struct {
	Webhook string `path:"webhook"`
}

func webhookView(w control.WebhookInfo) Webhook {
	view := Webhook{
		ID: w.ID, URL: w.URL, Events: append([]string{}, w.Kinds...), Description: w.Description, Enabled: !w.Disabled,
		CreatedBy: w.CreatedByName, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt, Pending: w.Pending,
	}
	if w.Last != nil {
		last := deliveryView(*w.Last)
		view.LastDelivery = &last
	}
	return view
}

func deliveryView(d keystile.Delivery) Delivery {
	view := Delivery{
		ID: d.MessageID, Event: d.Kind, State: string(d.State), Attempts: d.Attempts, CreatedAt: d.CreatedAt,
		LastAt: moment(d.LastAt), LastStatus: d.LastStatus, LastError: d.LastError,
	}
	if d.State == keystile.DeliveryPending {
		view.NextAt = moment(d.NextAt)
	}
	return view
}

func (h webhooks) list(ctx context.Context, _ *nothing) (*JSON[List[Webhook]], error) {
	list, err := h.webhooks.List(ctx, actorOf(ctx))
	return reply(listOf(list, webhookView)), err
}

func (h webhooks) create(ctx context.Context, in *JSON[NewWebhook]) (*JSON[WebhookOnce], error) {
	made, secret, err := h.webhooks.Create(ctx, actorOf(ctx), control.NewWebhook{URL: in.Body.URL, Kinds: in.Body.Events, Description: in.Body.Description})
	return reply(WebhookOnce{webhookView(made), secret.Reveal()}), err
}

func (h webhooks) show(ctx context.Context, in *ByWebhook) (*JSON[Webhook], error) {
	info, err := h.webhooks.Show(ctx, actorOf(ctx), in.Webhook)
	return reply(webhookView(info)), err
}

func (h webhooks) update(ctx context.Context, in *struct {
	ByWebhook
	JSON[WebhookEdit]
}) (*JSON[Webhook], error) {
	edit := control.WebhookEdit{URL: in.Body.URL, Kinds: in.Body.Events, Description: in.Body.Description}
	if in.Body.Secret != nil {
		secret := secretOf(in.Body.Secret)
		edit.Secret = &secret
	}
	if in.Body.Enabled != nil {
		disabled := !*in.Body.Enabled
		edit.Disabled = &disabled
	}
	info, err := h.webhooks.Update(ctx, actorOf(ctx), in.Webhook, edit)
	return reply(webhookView(info)), err
}

func (h webhooks) delete(ctx context.Context, in *ByWebhook) (*nothing, error) {
	return nil, h.webhooks.Delete(ctx, actorOf(ctx), in.Webhook)
}

func (h webhooks) test(ctx context.Context, in *ByWebhook) (*JSON[Delivery], error) {
	one, err := h.webhooks.Test(ctx, actorOf(ctx), in.Webhook)
	return reply(deliveryView(one)), err
}

func (h webhooks) deliveries(ctx context.Context, in *ByWebhook) (*JSON[List[Delivery]], error) {
	list, err := h.webhooks.Deliveries(ctx, actorOf(ctx), in.Webhook)
	return reply(listOf(list, deliveryView)), err
}
