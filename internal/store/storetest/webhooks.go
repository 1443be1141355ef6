package storetest

import (
	"fmt"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func hookOf(id string) keystile.Webhook {
	return keystile.Webhook{
		ID: id, URL: "https://hooks.example/" + id, Kinds: []string{keystile.WebhookHardRefused}, Description: "alerts",
		CreatedBy: "account", CreatedAt: noon, UpdatedAt: noon,
	}
}

func createHook(t *testing.T, s store.Store, w keystile.Webhook) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.CreateWebhook(w, keystile.NewSecret("secret of "+w.ID)) })
}

func deliveryOf(hook, message string) keystile.Delivery {
	return keystile.Delivery{
		MessageID: message, WebhookID: hook, Kind: keystile.WebhookHardRefused, Body: `{"id":"` + message + `"}`,
		State: keystile.DeliveryPending, CreatedAt: noon, NextAt: noon,
	}
}

func addDelivery(t *testing.T, s store.Store, d keystile.Delivery) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.AddDelivery(d) })
}

func deliveriesOf(hook string) func(store.Tx) ([]keystile.Delivery, error) {
	return func(tx store.Tx) ([]keystile.Delivery, error) { return tx.Deliveries(hook, 2000) }
}

func claim(s store.Store, t *testing.T, hook string, now time.Time) (d keystile.Delivery, err error) {
	t.Helper()
	err = tryWrite(t, s, func(tx store.Tx) error {
		d, err = tx.ClaimDelivery(hook, now, now.Add(time.Minute))
		return err
	})
	return d, err
}

func dueAt(now time.Time) func(store.Tx) ([]string, error) {
	return func(tx store.Tx) ([]string, error) { return tx.DueWebhooks(now) }
}

func testWebhooks(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field and the secret come back on the other handle", func(t *testing.T, a, b store.Store) {
			createHook(t, a, hookOf("one"))
			wantEqual(t, got(t, b, store.Tx.Webhooks), []keystile.Webhook{hookOf("one")})
			secret := got(t, b, func(tx store.Tx) (keystile.Secret, error) { return tx.WebhookSecret("one") })
			wantEqual(t, secret.Reveal(), "secret of one")
		}},
		{"an update keeps the secret and what is of the creation", func(t *testing.T, a, b store.Store) {
			createHook(t, a, hookOf("one"))
			next := keystile.Webhook{ID: "one", URL: "http://other.example/", Kinds: []string{}, Disabled: true, UpdatedAt: after(time.Hour)}
			write(t, a, func(tx store.Tx) error { return tx.UpdateWebhook(next) })
			next.CreatedBy, next.CreatedAt = "account", noon
			wantEqual(t, got(t, b, func(tx store.Tx) (keystile.Webhook, error) { return tx.Webhook("one") }), next)
			secret := got(t, b, func(tx store.Tx) (keystile.Secret, error) { return tx.WebhookSecret("one") })
			wantEqual(t, secret.Reveal(), "secret of one")
		}},
		{"a webhook takes its deliveries along", func(t *testing.T, a, b store.Store) {
			createHook(t, a, hookOf("one"))
			addDelivery(t, a, deliveryOf("one", "m"))
			write(t, a, func(tx store.Tx) error { return tx.DeleteWebhook("one") })
			wantEqual(t, len(got(t, b, deliveriesOf("one"))), 0)
			wantErr(t, tryWrite(t, a, func(tx store.Tx) error { return tx.DeleteWebhook("one") }), keystile.ErrNotFound)
		}},
		{"the same message is queued once", func(t *testing.T, a, b store.Store) {
			createHook(t, a, hookOf("one"))
			addDelivery(t, a, deliveryOf("one", "m"))
			addDelivery(t, b, deliveryOf("one", "m"))
			wantEqual(t, len(got(t, b, deliveriesOf("one"))), 1)
		}},
		{"a claimed delivery is nobody else's until its time, and then the next taker's", func(t *testing.T, a, b store.Store) {
			createHook(t, a, hookOf("one"))
			addDelivery(t, a, deliveryOf("one", "m"))
			wantEqual(t, got(t, b, dueAt(noon)), []string{"one"})
			d, err := claim(a, t, "one", noon)
			must(t, err)
			wantEqual(t, d.MessageID+d.Body, `m{"id":"m"}`)
			_, err = claim(b, t, "one", after(59*time.Second))
			wantErr(t, err, keystile.ErrNotFound)
			wantEqual(t, len(got(t, b, dueAt(after(59*time.Second)))), 0)
			_, err = claim(b, t, "one", after(time.Minute))
			must(t, err)
		}},
		{"nothing is due at a webhook that is disabled", func(t *testing.T, a, b store.Store) {
			off := hookOf("one")
			off.Disabled = true
			createHook(t, a, off)
			addDelivery(t, a, deliveryOf("one", "m"))
			wantEqual(t, len(got(t, b, dueAt(noon))), 0)
			_, err := claim(b, t, "one", noon)
			wantErr(t, err, keystile.ErrNotFound)
		}},
		{"what has ended stays as it is, until it is forgotten", func(t *testing.T, a, b store.Store) {
			createHook(t, a, hookOf("one"))
			addDelivery(t, a, deliveryOf("one", "m"))
			d, err := claim(a, t, "one", noon)
			must(t, err)
			d.State, d.Attempts, d.EndedAt, d.LastAt, d.LastStatus, d.LastError = keystile.DeliveryFailed, 3, noon, noon, 500, "answered 500"
			write(t, a, func(tx store.Tx) error { return tx.UpdateDelivery(d) })
			wantEqual(t, got(t, b, deliveriesOf("one")), []keystile.Delivery{d})
			wantErr(t, tryWrite(t, b, func(tx store.Tx) error { return tx.UpdateDelivery(d) }), keystile.ErrNotFound)
			write(t, a, func(tx store.Tx) error { return tx.DeleteDeliveries(noon) })
			wantEqual(t, len(got(t, b, deliveriesOf("one"))), 1)
			write(t, a, func(tx store.Tx) error { return tx.DeleteDeliveries(after(time.Second)) })
			wantEqual(t, len(got(t, b, deliveriesOf("one"))), 0)
		}},
		{"where too many wait, the oldest is given up", func(t *testing.T, a, b store.Store) {
			createHook(t, a, hookOf("one"))
			write(t, a, func(tx store.Tx) error {
				for i := range keystile.MaxPendingDeliveries + 2 {
					if err := tx.AddDelivery(deliveryOf("one", fmt.Sprint(i))); err != nil {
						return err
					}
				}
				return nil
			})
			all := got(t, b, deliveriesOf("one"))
			for i, d := range all {
				want := keystile.DeliveryPending
				if i >= keystile.MaxPendingDeliveries {
					want = keystile.DeliveryFailed
				}
				if d.State != want {
					t.Fatalf("number %d from the newest is %s, want %s", i, d.State, want)
				}
			}
			pending := got(t, b, func(tx store.Tx) (int64, error) { return tx.PendingDeliveries("one") })
			wantEqual(t, pending, int64(keystile.MaxPendingDeliveries))
		}},
	})
}

func noticeOf(id, bucket string, at time.Time) keystile.Notice {
	return keystile.Notice{
		ID: id, Kind: keystile.WebhookHardRefused, Bucket: keystile.Bucket{Backend: "main", Name: bucket}, At: at,
		Message: "full", AccessKeyID: "AKIA", RequestID: "R",
	}
}

func addNotice(t *testing.T, s store.Store, n keystile.Notice) (added bool) {
	t.Helper()
	write(t, s, func(tx store.Tx) (err error) {
		added, err = tx.AddNotice(n)
		return err
	})
	return added
}

func testNotices(t *testing.T, open Open) {
	since := func(at time.Time) func(store.Tx) ([]keystile.Notice, error) {
		return func(tx store.Tx) ([]keystile.Notice, error) { return tx.Notices(keystile.WebhookHardRefused, at, 100) }
	}
	proveAll(t, open, []promise{
		{"every field comes back, newest first", func(t *testing.T, a, b store.Store) {
			first, second := noticeOf("1", "one", noon), noticeOf("2", "two", after(time.Second))
			addNotice(t, a, first)
			addNotice(t, a, second)
			wantEqual(t, got(t, b, since(noon)), []keystile.Notice{second, first})
			wantEqual(t, got(t, b, since(after(time.Second))), []keystile.Notice{second})
		}},
		{"the same of one bucket is told once in a while", func(t *testing.T, a, b store.Store) {
			for _, tt := range []struct {
				id, bucket string
				at         time.Duration
				want       bool
			}{
				{"1", "one", 0, true},
				{"2", "one", time.Second, false},
				{"3", "two", time.Second, true},
				{"4", "one", keystile.NoticeQuiet - time.Second, false},
				{"5", "one", keystile.NoticeQuiet, true},
				{"6", "one", 0, false}, // late
			} {
				if added := addNotice(t, a, noticeOf(tt.id, tt.bucket, after(tt.at))); added != tt.want {
					t.Errorf("%s: added %v, want %v", tt.id, added, tt.want)
				}
			}
			write(t, b, func(tx store.Tx) error { return tx.DeleteNotices(after(time.Minute)) })
			wantEqual(t, len(got(t, a, since(noon))), 1)
		}},
	})
}
