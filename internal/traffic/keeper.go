package traffic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

const (
	// flushEvery is how much counting a killed process may lose. It is shorter
	// than the time between two checks of a backend, so that each is seen.
	flushEvery  = 5 * time.Second
	forgetEvery = 10 * time.Minute
	holdEvery   = time.Minute
	// batchSlots bounds a transaction: audit events wait for their turn behind it.
	batchSlots = 500
	// writeTimeout bounds one round of writing.
	writeTimeout = 20 * time.Second
)

// Store is where counters and samples are kept.
type Store interface {
	Write(ctx context.Context, fn func(store.Tx) error) error
}

// Backends tells what was last seen of each backend, by id.
type Backends interface {
	Health() map[string]keystile.Health
}

// Options are what a Keeper is made of; all are required.
type Options struct {
	Store    Store
	Backends Backends
	Log      *slog.Logger
	Now      func() time.Time
	// Holdings tells what counted buckets hold.
	Holdings func() map[keystile.Bucket]keystile.Amount
}

// Keeper counts requests and brings what was counted, and the health of
// backends, into the store. It is safe for concurrent use.
type Keeper struct {
	opts  Options
	meter *meter
	usage usageMeter

	mu      sync.Mutex                  // of what follows: held while writing
	pending *counters                   // taken from the meter, not yet in the store
	metered map[meterKey]keystile.Meter // likewise
	held    time.Time                   // when what buckets hold was last kept
	health  healthLog
	forgot  time.Time
}

// New makes a keeper. Nothing reaches the store before Run or Flush.
func New(o Options) *Keeper {
	return &Keeper{
		opts: o, meter: newMeter(), pending: newCounters(pendingSlots), metered: map[meterKey]keystile.Meter{},
		health: healthLog{last: map[string]keystile.HealthSample{}},
	}
}

// Observe counts a request. It waits for nothing.
func (k *Keeper) Observe(s keystile.Served) {
	k.meter.add(&s)
	k.usage.add(&s)
}

// Run writes every 5 seconds until ctx ends. Call Flush after the last request.
func (k *Keeper) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := k.Tick(ctx); err != nil && ctx.Err() == nil {
				k.opts.Log.Warn("traffic and health could not be kept; trying again", "error", err)
			}
		}
	}
}

// Tick does what is due: counters, health, and forgetting what is old. What
// fails is done by a later call.
func (k *Keeper) Tick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return errors.Join(k.Flush(ctx), k.keepHoldings(ctx), k.keepHealth(ctx), k.forget(ctx))
}

// Flush writes what was counted.
func (k *Keeper) Flush(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.meter.drain(k.pending)
	if k.pending.crowded > 0 {
		k.opts.Log.Warn("too many access keys at once: some requests were counted without theirs", "requests", k.pending.crowded)
		k.pending.crowded = 0
	}
	for len(k.pending.slots) > 0 {
		slots, counts := k.pending.batch(batchSlots)
		err := k.opts.Store.Write(ctx, func(tx store.Tx) error { return tx.AddTraffic(counts) })
		if err != nil {
			return fmt.Errorf("keep traffic: %w", err)
		}
		k.pending.remove(slots)
	}
	return k.flushUsage(ctx)
}

// flushUsage is called with the lock held.
func (k *Keeper) flushUsage(ctx context.Context) error {
	k.usage.drain(k.metered)
	for len(k.metered) > 0 {
		var counts []keystile.MeterCount
		var keys []meterKey
		for key, m := range k.metered {
			if len(counts) == batchSlots {
				break
			}
			keys = append(keys, key)
			counts = append(counts, keystile.MeterCount{Day: dayAt(key.day), Bucket: key.bucket, AccessKeyID: key.accessKeyID, Meter: m})
		}
		if err := k.opts.Store.Write(ctx, func(tx store.Tx) error { return tx.AddMeters(counts) }); err != nil {
			return fmt.Errorf("keep meters: %w", err)
		}
		for _, key := range keys {
			delete(k.metered, key)
		}
	}
	return nil
}

// keepHoldings notes once a minute what counted buckets hold: the last of a day
// stands for it.
func (k *Keeper) keepHoldings(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.opts.Now()
	if now.Sub(k.held) < holdEvery && !now.Before(k.held) {
		return nil
	}
	var counts []keystile.StoredCount
	for bucket, amount := range k.opts.Holdings() {
		counts = append(counts, keystile.StoredCount{Day: now, Bucket: bucket, Amount: amount})
	}
	for batch := range slices.Chunk(counts, batchSlots) {
		if err := k.opts.Store.Write(ctx, func(tx store.Tx) error { return tx.SaveStored(batch) }); err != nil {
			return fmt.Errorf("keep what buckets hold: %w", err)
		}
	}
	k.held = now
	return nil
}

func (k *Keeper) keepHealth(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	seen := k.opts.Backends.Health()
	samples := k.health.choose(seen)
	if len(samples) > 0 {
		err := k.opts.Store.Write(ctx, func(tx store.Tx) error { return tx.AddHealth(samples) })
		if err != nil {
			return fmt.Errorf("keep the health of backends: %w", err)
		}
	}
	k.health.kept(samples, seen)
	return nil
}

func (k *Keeper) forget(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.opts.Now()
	if now.Sub(k.forgot) < forgetEvery && !now.Before(k.forgot) {
		return nil
	}
	err := k.opts.Store.Write(ctx, func(tx store.Tx) error {
		if err := tx.DeleteTraffic(now.Add(-keystile.TrafficHoursKept), now.Add(-keystile.TrafficMinutesKept)); err != nil {
			return err
		}
		if err := tx.DeleteMeters(now.Add(-keystile.MetersKept)); err != nil {
			return err
		}
		return tx.DeleteHealth(now.Add(-keystile.HealthKept))
	})
	if err != nil {
		return fmt.Errorf("forget old traffic: %w", err)
	}
	k.forgot = now
	return nil
}
