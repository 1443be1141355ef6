package sqlstore

import (
	"encoding/json"
	"errors"
	"time"

	"keystile/internal/keystile"
)

const webhookColumns = `id, url, kinds, description, disabled, created_by, created_at, updated_at`

func scanWebhook(row scanner) (keystile.Webhook, error) {
	var w keystile.Webhook
	var kinds string
	err := row.Scan(&w.ID, &w.URL, &kinds, &w.Description, &w.Disabled, &w.CreatedBy, instant{&w.CreatedAt}, instant{&w.UpdatedAt})
	if err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(kinds), &w.Kinds)
}

func (t *tx) CreateWebhook(w keystile.Webhook, secret keystile.Secret) error {
	kinds, err := json.Marshal(w.Kinds)
	if err == nil {
		_, err = t.exec(`INSERT INTO webhooks (`+webhookColumns+`, secret) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			w.ID, w.URL, string(kinds), w.Description, w.Disabled, w.CreatedBy, micros(w.CreatedAt), micros(w.UpdatedAt),
			t.sealSecret("webhooks", w.ID, "secret", secret))
	}
	return about(err, "webhook %s", w.ID)
}

func (t *tx) Webhook(id string) (keystile.Webhook, error) {
	w, err := get(t, scanWebhook, `SELECT `+webhookColumns+` FROM webhooks WHERE id = $1`, id)
	return w, about(err, "webhook %s", id)
}

func (t *tx) WebhookSecret(id string) (keystile.Secret, error) {
	var sealed []byte
	if err := t.row([]any{&sealed}, `SELECT secret FROM webhooks WHERE id = $1`, id); err != nil {
		return keystile.Secret{}, about(err, "webhook %s", id)
	}
	return t.openSecret("webhooks", id, "secret", sealed)
}

func (t *tx) Webhooks() ([]keystile.Webhook, error) {
	all, err := list(t, scanWebhook, `SELECT `+webhookColumns+` FROM webhooks ORDER BY created_at, id`)
	return all, about(err, "webhooks")
}

func (t *tx) UpdateWebhook(w keystile.Webhook) error {
	kinds, err := json.Marshal(w.Kinds)
	if err == nil {
		err = t.execOne(`UPDATE webhooks SET url = $1, kinds = $2, description = $3, disabled = $4, updated_at = $5 WHERE id = $6`,
			w.URL, string(kinds), w.Description, w.Disabled, micros(w.UpdatedAt), w.ID)
	}
	return about(err, "webhook %s", w.ID)
}

func (t *tx) DeleteWebhook(id string) error {
	return about(t.execOne(`DELETE FROM webhooks WHERE id = $1`, id), "webhook %s", id)
}

const deliveryColumns = `message_id, webhook_id, kind, body, state, attempts, created_at, next_at, ended_at, last_at, last_status, last_error`

func scanDelivery(row scanner) (keystile.Delivery, error) {
	var d keystile.Delivery
	err := row.Scan(&d.Seq, &d.MessageID, &d.WebhookID, &d.Kind, &d.Body, &d.State, &d.Attempts, instant{&d.CreatedAt},
		instant{&d.NextAt}, instant{&d.EndedAt}, instant{&d.LastAt}, &d.LastStatus, &d.LastError)
	return d, err
}

// AddDelivery gives up the oldest one where too many wait.
func (t *tx) AddDelivery(d keystile.Delivery) error {
	_, err := t.exec(`INSERT INTO webhook_deliveries (`+deliveryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (webhook_id, message_id) DO NOTHING`,
		d.MessageID, d.WebhookID, d.Kind, d.Body, string(d.State), d.Attempts, micros(d.CreatedAt), micros(d.NextAt),
		micros(d.EndedAt), micros(d.LastAt), d.LastStatus, d.LastError)
	if err == nil && d.State == keystile.DeliveryPending {
		_, err = t.exec(`UPDATE webhook_deliveries SET state = 'failed', ended_at = $1, last_error = 'given up: too many were waiting'
			WHERE seq IN (SELECT seq FROM webhook_deliveries WHERE webhook_id = $2 AND state = 'pending'
				ORDER BY seq DESC LIMIT 1 OFFSET $3)`,
			micros(d.CreatedAt), d.WebhookID, keystile.MaxPendingDeliveries)
	}
	return about(err, "delivery to webhook %s", d.WebhookID)
}

const dueDelivery = `state = 'pending' AND next_at <= $1 AND EXISTS (SELECT 1 FROM webhooks w WHERE w.id = webhook_id AND w.disabled = 0)`

func (t *tx) DueWebhooks(now time.Time) ([]string, error) {
	ids, err := list(t, func(row scanner) (string, error) {
		var id string
		return id, row.Scan(&id)
	}, `SELECT DISTINCT webhook_id FROM webhook_deliveries WHERE `+dueDelivery+` ORDER BY webhook_id`, micros(now))
	return ids, about(err, "due webhooks")
}

func (t *tx) ClaimDelivery(webhookID string, now, until time.Time) (keystile.Delivery, error) {
	d, err := get(t, scanDelivery, `SELECT seq, `+deliveryColumns+` FROM webhook_deliveries
		WHERE `+dueDelivery+` AND webhook_id = $2 ORDER BY seq LIMIT 1`, micros(now), webhookID)
	if err == nil {
		d.NextAt = until
		err = t.execOne(`UPDATE webhook_deliveries SET next_at = $1 WHERE seq = $2`, micros(until), d.Seq)
	}
	return d, about(err, "delivery to webhook %s", webhookID)
}

func (t *tx) UpdateDelivery(d keystile.Delivery) error {
	err := t.execOne(`UPDATE webhook_deliveries SET state = $1, attempts = $2, next_at = $3, ended_at = $4, last_at = $5,
		last_status = $6, last_error = $7 WHERE seq = $8 AND state = 'pending'`,
		string(d.State), d.Attempts, micros(d.NextAt), micros(d.EndedAt), micros(d.LastAt), d.LastStatus, d.LastError, d.Seq)
	return about(err, "delivery %d", d.Seq)
}

func (t *tx) Deliveries(webhookID string, limit int) ([]keystile.Delivery, error) {
	all, err := list(t, scanDelivery, `SELECT seq, `+deliveryColumns+` FROM webhook_deliveries
		WHERE webhook_id = $1 ORDER BY seq DESC LIMIT $2`, webhookID, limit)
	return all, about(err, "deliveries to webhook %s", webhookID)
}

func (t *tx) PendingDeliveries(webhookID string) (n int64, err error) {
	err = t.row([]any{&n}, `SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'pending'`, webhookID)
	return n, about(err, "deliveries to webhook %s", webhookID)
}

func (t *tx) DeleteDeliveries(before time.Time) error {
	_, err := t.exec(`DELETE FROM webhook_deliveries WHERE state <> 'pending' AND ended_at < $1`, micros(before))
	return about(err, "old deliveries")
}

const noticeColumns = `id, kind, backend, bucket, at, message, access_key_id, request_id`

// AddNotice implements store.Notices.
func (t *tx) AddNotice(n keystile.Notice) (added bool, err error) {
	var one int
	err = t.row([]any{&one}, `SELECT 1 FROM notices WHERE kind = $1 AND backend = $2 AND bucket = $3 AND at > $4 LIMIT 1`,
		n.Kind, n.Bucket.Backend, n.Bucket.Name, micros(n.At.Add(-keystile.NoticeQuiet)))
	if !errors.Is(err, keystile.ErrNotFound) {
		return false, about(err, "notices")
	}
	rows, err := t.exec(`INSERT INTO notices (`+noticeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
		n.ID, n.Kind, clean(n.Bucket.Backend), clean(n.Bucket.Name), micros(n.At), clean(n.Message), clean(n.AccessKeyID), clean(n.RequestID))
	return rows > 0, about(err, "notice %s", n.ID)
}

func (t *tx) Notices(kind string, since time.Time, limit int) ([]keystile.Notice, error) {
	all, err := list(t, func(row scanner) (keystile.Notice, error) {
		var n keystile.Notice
		return n, row.Scan(&n.ID, &n.Kind, &n.Bucket.Backend, &n.Bucket.Name, instant{&n.At}, &n.Message, &n.AccessKeyID, &n.RequestID)
	}, `SELECT `+noticeColumns+` FROM notices WHERE at >= $1 AND kind = $2 ORDER BY at DESC, id DESC LIMIT $3`, micros(since), kind, limit)
	return all, about(err, "notices")
}

func (t *tx) DeleteNotices(before time.Time) error {
	_, err := t.exec(`DELETE FROM notices WHERE at < $1`, micros(before))
	return about(err, "old notices")
}
