package control

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Hooks calls webhooks.
type Hooks interface {
	// Test calls once and returns how that ended. An error says that this could not
	// be kept.
	Test(ctx context.Context, w keystile.Webhook, secret keystile.Secret, messageID string) (keystile.Delivery, error)
}

// Webhooks are the use cases of webhooks; for admins.
type Webhooks struct {
	*core
	hooks Hooks
}

// WebhookInfo is a webhook with how its deliveries go.
type WebhookInfo struct {
	keystile.Webhook
	CreatedByName string
	Pending       int64
	Last          *keystile.Delivery // nil: none yet
}

const (
	// maxWebhooks bounds the rows that one event adds.
	maxWebhooks = 50
	// MaxDeliveriesShown is how many deliveries of a webhook can be looked at.
	MaxDeliveriesShown = 100
	// webhookSecretBytes of randomness are in a secret; its prefix lets scanners of
	// leaked secrets know it.
	webhookSecretBytes  = 32
	webhookSecretPrefix = "ksw_"
)

func (w *Webhooks) info(tx store.Tx, names names, hook keystile.Webhook) (info WebhookInfo, err error) {
	info.Webhook = hook
	if info.CreatedByName, err = names.of(hook.CreatedBy, SystemName); err != nil {
		return info, err
	}
	if info.Pending, err = tx.PendingDeliveries(hook.ID); err != nil {
		return info, err
	}
	last, err := tx.Deliveries(hook.ID, 1)
	if len(last) > 0 {
		info.Last = &last[0]
	}
	return info, err
}

// List returns all webhooks, oldest first.
func (w *Webhooks) List(ctx context.Context, a Actor) (list []WebhookInfo, err error) {
	err = w.read(ctx, a, "webhook.list", "", admins, func(tx store.Tx) error {
		hooks, err := tx.Webhooks()
		if err != nil {
			return err
		}
		names := namesIn(tx)
		list = make([]WebhookInfo, len(hooks))
		for i, hook := range hooks {
			if list[i], err = w.info(tx, names, hook); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// Show returns one webhook.
func (w *Webhooks) Show(ctx context.Context, a Actor, id string) (info WebhookInfo, err error) {
	err = w.read(ctx, a, "webhook.show", id, admins, func(tx store.Tx) error {
		hook, err := tx.Webhook(id)
		if err != nil {
			return err
		}
		info, err = w.info(tx, namesIn(tx), hook)
		return err
	})
	return info, err
}

// Deliveries returns the newest deliveries of a webhook, newest first.
func (w *Webhooks) Deliveries(ctx context.Context, a Actor, id string) (list []keystile.Delivery, err error) {
	err = w.read(ctx, a, "webhook.deliveries", id, admins, func(tx store.Tx) error {
		if _, err := tx.Webhook(id); err != nil {
			return err
		}
		list, err = tx.Deliveries(id, MaxDeliveriesShown)
		return err
	})
	return list, err
}

// NewWebhook is what is chosen of a webhook.
type NewWebhook struct {
	URL         string
	Kinds       []string // none: everything
	Description string
}

// Create adds a webhook and makes the secret that signs its calls, which is shown
// once.
func (w *Webhooks) Create(ctx context.Context, a Actor, in NewWebhook) (info WebhookInfo, secret keystile.Secret, err error) {
	hook := keystile.Webhook{ID: newID(), URL: in.URL, Kinds: in.Kinds, Description: in.Description}
	secret = newWebhookSecret()
	err = w.mutate(ctx, a, act{action: "webhook.create", target: hook.ID, who: admins, do: func(ch *change) error {
		if err := hook.Check(); err != nil {
			return err
		}
		all, err := ch.Webhooks()
		if err != nil {
			return err
		}
		if len(all) >= maxWebhooks {
			return explain(keystile.ErrConflict, "there are %d webhooks already: remove some", len(all))
		}
		hook.CreatedBy, hook.CreatedAt, hook.UpdatedAt = ch.actor.Account.ID, ch.now, ch.now
		describeWebhook(ch, &hook)
		if err := ch.CreateWebhook(hook, secret); err != nil {
			return err
		}
		info, err = w.info(ch, namesIn(ch), hook)
		return err
	}})
	return info, secret, err
}

func newWebhookSecret() keystile.Secret {
	random := make([]byte, webhookSecretBytes)
	_, _ = rand.Read(random) // never fails
	return keystile.NewSecret(webhookSecretPrefix + base64.RawURLEncoding.EncodeToString(random))
}

// describeWebhook notes where the calls go, without what may be secret in it.
func describeWebhook(ch *change, hook *keystile.Webhook) {
	ch.changed("origin", "%s", hook.Origin())
	ch.changed("events", "%s", wanted(hook))
	ch.changed("enabled", "%t", !hook.Disabled)
}

func wanted(hook *keystile.Webhook) string {
	if len(hook.Kinds) == 0 {
		return "all"
	}
	return strings.Join(hook.Kinds, ", ")
}

// WebhookEdit changes what is not nil.
type WebhookEdit struct {
	URL         *string
	Secret      *keystile.Secret // that which was shown once
	Kinds       *[]string
	Description *string
	Disabled    *bool
}

// Update edits a webhook. A new URL asks for the secret, so that nobody who does
// not have it can have signed calls sent elsewhere.
func (w *Webhooks) Update(ctx context.Context, a Actor, id string, edit WebhookEdit) (info WebhookInfo, err error) {
	err = w.mutate(ctx, a, act{action: "webhook.update", target: id, who: admins, do: func(ch *change) error {
		hook, err := ch.Webhook(id)
		if err != nil {
			return err
		}
		was := hook.URL
		replace(&hook.URL, edit.URL)
		replace(&hook.Kinds, edit.Kinds)
		replace(&hook.Description, edit.Description)
		replace(&hook.Disabled, edit.Disabled)
		if err := hook.Check(); err != nil {
			return err
		}
		if hook.URL != was {
			if err := hasWebhookSecret(ch, id, edit.Secret); err != nil {
				return err
			}
		}
		hook.UpdatedAt = ch.now
		describeWebhook(ch, &hook)
		if err := ch.UpdateWebhook(hook); err != nil {
			return err
		}
		info, err = w.info(ch, namesIn(ch), hook)
		return err
	}})
	return info, err
}

func hasWebhookSecret(tx store.Tx, id string, given *keystile.Secret) error {
	secret, err := tx.WebhookSecret(id)
	if err != nil {
		return err
	}
	if given == nil || subtle.ConstantTimeCompare([]byte(given.Reveal()), []byte(secret.Reveal())) != 1 {
		return keystile.Faults{{Field: "signing_secret", Message: "a new URL needs the webhook's secret; without it, add a webhook and remove this one"}}
	}
	return nil
}

// Delete removes a webhook with what is on its way to it.
func (w *Webhooks) Delete(ctx context.Context, a Actor, id string) error {
	return w.mutate(ctx, a, act{action: "webhook.delete", target: id, who: admins, do: func(ch *change) error {
		hook, err := ch.Webhook(id)
		if err != nil {
			return err
		}
		ch.changed("origin", "%s", hook.Origin())
		return ch.DeleteWebhook(id)
	}})
}

// Test calls a webhook now, also one that is disabled. A receiver that cannot be
// reached is no error.
func (w *Webhooks) Test(ctx context.Context, a Actor, id string) (one keystile.Delivery, err error) {
	var hook keystile.Webhook
	var secret keystile.Secret
	err = w.outside(ctx, a, act{action: "webhook.test", target: id, who: admins, do: func(ch *change) (err error) {
		if hook, err = ch.Webhook(id); err != nil {
			return err
		}
		ch.changed("origin", "%s", hook.Origin())
		secret, err = ch.WebhookSecret(id)
		return err
	}}, func(ctx context.Context) error {
		one, err = w.hooks.Test(ctx, hook, secret, newEventID())
		return err
	})
	return one, err
}
