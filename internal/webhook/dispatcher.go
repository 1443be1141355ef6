package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

const (
	// lookEvery is how long a message waits at most before its first attempt.
	lookEvery = 2 * time.Second
	// claimFor is longer than any attempt takes. If the process dies in one, the
	// next attempt is after that.
	claimFor = time.Minute
	// firstPause is after the first failure; each further one waits three times as
	// long, up to maxPause. Jitter takes away or adds up to half.
	firstPause  = 10 * time.Second
	pauseFactor = 3
	maxPause    = time.Hour
	// giveUpAfter is how old a message may get.
	giveUpAfter = 3 * 24 * time.Hour
	// atOnce bounds the calls under way; each webhook has at most one.
	atOnce      = 8
	forgetEvery = 10 * time.Minute
	// storeTimeout bounds one look into the store.
	storeTimeout = 20 * time.Second
)

// Store is where the queue is kept.
type Store interface {
	Read(ctx context.Context, fn func(store.Tx) error) error
	Write(ctx context.Context, fn func(store.Tx) error) error
}

// Options are what a Dispatcher is made of; all are required.
type Options struct {
	Store  Store
	Sender *Sender
	Log    *slog.Logger
	Now    func() time.Time
}

// Dispatcher delivers what is queued: to each webhook one message at a time, the
// oldest first. A slow or dead receiver holds up nobody else's messages.
type Dispatcher struct {
	opts   Options
	places chan struct{}
	forgot time.Time

	mu   sync.Mutex
	busy map[string]bool // webhooks that are being called
	done sync.WaitGroup
}

// New makes a dispatcher; Run delivers.
func New(o Options) *Dispatcher {
	return &Dispatcher{opts: o, places: make(chan struct{}, atOnce), busy: map[string]bool{}}
}

// Run delivers until ctx ends and no call is under way any more.
func (d *Dispatcher) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	defer d.done.Wait()
	for failed := false; ; {
		err := d.Tick(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			d.opts.Log.Error("the queue of webhooks cannot be read now; trying again", "error", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Tick begins to deliver what is due, and forgets what is old.
func (d *Dispatcher) Tick(ctx context.Context) error {
	looking, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var due []string
	err := d.opts.Store.Read(looking, func(tx store.Tx) (err error) {
		due, err = tx.DueWebhooks(d.opts.Now())
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range due {
		if d.begin(id) {
			d.done.Go(func() {
				defer d.end(id)
				d.serve(ctx, id)
			})
		}
	}
	return d.forget(looking)
}

// begin takes the webhook and one of the places; false: not now.
func (d *Dispatcher) begin(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[id] {
		return false
	}
	select {
	case d.places <- struct{}{}:
		d.busy[id] = true
		return true
	default:
		return false
	}
}

func (d *Dispatcher) end(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, id)
	<-d.places
}

// serve delivers to one webhook until nothing is due or an attempt fails.
func (d *Dispatcher) serve(ctx context.Context, id string) {
	for ctx.Err() == nil {
		delivered, err := d.attempt(ctx, id)
		switch {
		case err == nil && delivered:
			continue
		case err != nil && !errors.Is(err, keystile.ErrNotFound) && ctx.Err() == nil:
			d.opts.Log.Error("a call of a webhook cannot be noted; it will be repeated", "webhook", id, "error", err)
		}
		return
	}
}

// attempt makes one call. Errors are the store's; keystile.ErrNotFound: there is
// nothing to do, or no longer.
func (d *Dispatcher) attempt(ctx context.Context, id string) (delivered bool, err error) {
	var hook keystile.Webhook
	var secret keystile.Secret
	var one keystile.Delivery
	now := d.opts.Now()
	err = d.opts.Store.Write(ctx, func(tx store.Tx) (err error) {
		if one, err = tx.ClaimDelivery(id, now, now.Add(claimFor)); err != nil {
			return err
		}
		if hook, err = tx.Webhook(id); err == nil {
			secret, err = tx.WebhookSecret(id)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("claim: %w", err)
	}
	status, failure := d.opts.Sender.Send(ctx, hook.URL, secret, Message{one.MessageID, one.Kind, []byte(one.Body)})
	if failure != nil && ctx.Err() != nil {
		return false, ctx.Err() // the claim runs out, and it is tried again
	}
	d.note(&one, status, failure)
	if one.State == keystile.DeliveryFailed {
		d.opts.Log.Warn("a message to a webhook is given up", "webhook", id, "to", hook.Origin(), "event", one.Kind, "attempts", one.Attempts, "error", one.LastError)
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err = d.opts.Store.Write(noting, func(tx store.Tx) error { return tx.UpdateDelivery(one) })
	return failure == nil, err
}

// note puts down what came of an attempt, and when the next one is due.
func (d *Dispatcher) note(one *keystile.Delivery, status int, failure error) {
	now := d.opts.Now()
	one.Attempts++
	one.LastAt, one.LastStatus, one.LastError = now, status, ""
	if failure == nil {
		one.State, one.EndedAt = keystile.DeliveryDelivered, now
		return
	}
	one.LastError = failure.Error()
	if one.NextAt = now.Add(pause(one.Attempts)); one.NextAt.Sub(one.CreatedAt) > giveUpAfter {
		one.State, one.EndedAt = keystile.DeliveryFailed, now
	}
}

// pause is how long to wait after so many failures.
func pause(attempts int) time.Duration {
	wait := firstPause
	for range attempts - 1 {
		if wait *= pauseFactor; wait >= maxPause {
			wait = maxPause
			break
		}
	}
	return wait/2 + rand.N(wait) //nolint:gosec // spreads load, guards nothing
}

// Test calls a webhook once, at once, and returns how that ended. Errors are the
// store's: that a receiver cannot be reached is none.
func (d *Dispatcher) Test(ctx context.Context, hook keystile.Webhook, secret keystile.Secret, messageID string) (keystile.Delivery, error) {
	now := d.opts.Now()
	m, err := NewMessage(messageID, keystile.WebhookTest, now, struct {
		Message string `json:"message"`
	}{"This is a test."})
	if err != nil {
		return keystile.Delivery{}, err
	}
	one := keystile.Delivery{MessageID: m.ID, WebhookID: hook.ID, Kind: m.Kind, Body: string(m.Body), State: keystile.DeliveryFailed, CreatedAt: now}
	status, failure := d.opts.Sender.Send(ctx, hook.URL, secret, m)
	d.note(&one, status, failure)
	if failure != nil {
		one.State, one.NextAt, one.EndedAt = keystile.DeliveryFailed, time.Time{}, one.LastAt
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	return one, d.opts.Store.Write(noting, func(tx store.Tx) error { return tx.AddDelivery(one) })
}

func (d *Dispatcher) forget(ctx context.Context) error {
	now := d.opts.Now()
	if now.Sub(d.forgot) < forgetEvery && !now.Before(d.forgot) {
		return nil
	}
	old := now.Add(-keystile.DeliveriesKept)
	err := d.opts.Store.Write(ctx, func(tx store.Tx) error {
		return errors.Join(tx.DeleteDeliveries(old), tx.DeleteNotices(old))
	})
	if err == nil {
		d.forgot = now
	}
	return err
}
