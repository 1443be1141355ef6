// Package sampling knows, in memory, which share of successful reads is recorded.
package sampling

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Store is where the rules are.
type Store interface {
	Read(ctx context.Context, fn func(store.Tx) error) error
}

// Rates are the rules as of the last Sync.
type Rates struct {
	store Store
	base  float64
	now   func() time.Time
	rules atomic.Pointer[table]
}

// table finds the rules of a read without looking at others.
type table struct {
	all     keystile.SamplingRule
	keys    map[string]keystile.SamplingRule
	buckets map[keystile.Bucket]keystile.SamplingRule
}

// New knows no rules yet; base is what holds without any.
func New(s Store, base float64, now func() time.Time) *Rates {
	r := &Rates{store: s, base: base, now: now}
	r.rules.Store(&table{})
	return r
}

// Sync takes over the rules that are in the store.
func (r *Rates) Sync(ctx context.Context) error {
	var text string
	err := r.store.Read(ctx, func(tx store.Tx) (err error) {
		text, err = tx.Setting(keystile.SamplingSetting)
		if errors.Is(err, keystile.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("sampling: %w", err)
	}
	rules, err := keystile.ParseSampling(text)
	if err != nil {
		return fmt.Errorf("sampling: %w", err)
	}
	t := &table{keys: map[string]keystile.SamplingRule{}, buckets: map[keystile.Bucket]keystile.SamplingRule{}}
	for _, rule := range rules {
		switch {
		case rule.AccessKeyID != "":
			t.keys[rule.AccessKeyID] = rule
		case rule.Bucket != (keystile.Bucket{}):
			t.buckets[rule.Bucket] = rule
		default:
			t.all = rule
		}
	}
	r.rules.Store(t)
	return nil
}

// Rate is the share, 0 to 1, of a credential's reads of a bucket: the highest that
// any rule in force says.
func (r *Rates) Rate(accessKeyID string, b keystile.Bucket) float64 {
	t := r.rules.Load()
	rate := r.base
	for _, rule := range [...]keystile.SamplingRule{t.all, t.keys[accessKeyID], t.buckets[b]} {
		if rule.Rate > rate && (rule.Until.IsZero() || r.now().Before(rule.Until)) {
			rate = rule.Rate
		}
	}
	return rate
}
