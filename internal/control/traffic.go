package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Traffic are the queries of what was counted. Counters reach the store every
// few seconds. An admin sees all, an owner what its credentials did.
type Traffic struct {
	*core
	backends *Backends
}

// MaxTrafficHours is the longest span of hours: what is kept.
const MaxTrafficHours = int(keystile.TrafficHoursKept / time.Hour)

// busiestCount is how many credentials an overview names.
const busiestCount = 10

// uptimeSpan is the time over which an overview tells how long backends were
// healthy.
const uptimeSpan = day

// Overview is what an admin looks at first.
type Overview struct {
	Since    time.Time              // the beginning of the first hour
	Hours    []keystile.TrafficHour // each hour of the span, the current one last
	Totals   keystile.Traffic       // of the hours
	Busiest  []BusyCredential       // the most requests first
	Backends []BackendState         // by id
}

// BusyCredential is a credential with what it did in a span.
type BusyCredential struct {
	keystile.CredentialTraffic
	Description string
	OwnerName   string // empty: no owner
}

// BackendState is a backend's health now and over the last 24 hours.
type BackendState struct {
	BackendID string
	Health    keystile.Health
	// Uptime is the share, 0 to 1, of the known time in which it was healthy.
	Uptime float64
	Known  time.Duration // 0: nothing is known of the time
}

// Overview returns the state of everything. The span is the current hour and
// those before it, so many in all.
func (t *Traffic) Overview(ctx context.Context, a Actor, hours int) (o Overview, err error) {
	if err := checkHours(hours, MaxTrafficHours); err != nil {
		return o, err
	}
	now := t.now()
	o.Since = firstHour(now, hours)
	err = t.read(ctx, a, "overview.show", "", admins, func(tx store.Tx) error {
		counted, err := tx.TrafficByHour(o.Since)
		if err != nil {
			return err
		}
		o.Hours, o.Totals = everyHour(counted, o.Since, hours)
		if o.Busiest, err = t.busiest(tx, o.Since); err != nil {
			return err
		}
		o.Backends, err = t.backends.states(tx, now)
		return err
	})
	return o, err
}

func checkHours(hours, limit int) error {
	var faults keystile.Faults
	if hours < 1 || hours > limit {
		faults.Add("hours", "must lie between 1 and %d", limit)
	}
	return faults.Err()
}

// firstHour begins a span of so many hours of which now's is the last.
func firstHour(now time.Time, hours int) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-time.Duration(hours-1) * time.Hour)
}

// everyHour fills in the hours without requests, and sums all.
func everyHour(counted []keystile.TrafficHour, since time.Time, hours int) (all []keystile.TrafficHour, sum keystile.Traffic) {
	all = make([]keystile.TrafficHour, hours)
	for i := range all {
		all[i].Hour = since.Add(time.Duration(i) * time.Hour)
	}
	for _, h := range counted {
		// What a clock that was ahead has counted lies beyond the span.
		if i := int(h.Hour.Sub(since) / time.Hour); i >= 0 && i < hours {
			all[i] = h
			sum.Add(h.Traffic)
		}
	}
	return all, sum
}

func (t *Traffic) busiest(tx store.Tx, since time.Time) ([]BusyCredential, error) {
	rows, err := tx.BusiestCredentials(since, busiestCount)
	if err != nil {
		return nil, err
	}
	names := namesIn(tx)
	list := make([]BusyCredential, len(rows))
	for i, row := range rows {
		cred, err := tx.Credential(row.AccessKeyID)
		if err != nil && !errors.Is(err, keystile.ErrNotFound) {
			return nil, err // what is gone, as after a restore, has its numbers still
		}
		list[i] = BusyCredential{CredentialTraffic: row, Description: cred.Description}
		if list[i].OwnerName, err = names.of(cred.Owner, ""); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// CredentialTraffic is what one credential did.
type CredentialTraffic struct {
	LastHour keystile.Traffic       // the current minute and the 59 before it
	LastDay  keystile.Traffic       // the current hour and the 23 before it
	Hours    []keystile.TrafficHour // those 24, the current one last
}

const dayHours = 24

// OfCredential returns what a credential did lately.
func (t *Traffic) OfCredential(ctx context.Context, a Actor, accessKeyID string) (c CredentialTraffic, err error) {
	now := t.now()
	since := firstHour(now, dayHours)
	err = t.read(ctx, a, "credential.traffic", accessKeyID, anyone, func(tx store.Tx) error {
		if _, err := visible(tx, a, accessKeyID); err != nil {
			return err
		}
		counted, err := tx.CredentialTrafficByHour(accessKeyID, since)
		if err != nil {
			return err
		}
		c.Hours, c.LastDay = everyHour(counted, since, dayHours)
		c.LastHour, err = tx.CredentialTraffic(accessKeyID, now.Add(-59*time.Minute))
		return err
	})
	return c, err
}

// MaxHealthHours is the longest span of a backend's history: what is kept.
const MaxHealthHours = int(keystile.HealthKept / time.Hour)

// History returns what was seen of a backend in the last hours, oldest first:
// every change, and a look every few minutes.
func (b *Backends) History(ctx context.Context, a Actor, id string, hours int) (samples []keystile.HealthSample, err error) {
	if err := checkHours(hours, MaxHealthHours); err != nil {
		return nil, err
	}
	err = b.read(ctx, a, "backend.health", id, admins, func(tx store.Tx) error {
		if _, err := b.backends.get(tx, id); err != nil {
			return err
		}
		samples, err = tx.HealthSince(id, b.now().Add(-time.Duration(hours)*time.Hour))
		return err
	})
	return samples, err
}

// states tells how every backend is and was.
func (b *Backends) states(tx store.Tx, now time.Time) ([]BackendState, error) {
	all, err := b.all(tx)
	if err != nil {
		return nil, err
	}
	states := make([]BackendState, len(all))
	from := now.Add(-uptimeSpan)
	for i, info := range all {
		samples, err := tx.HealthSince(info.ID, from.Add(-keystile.HealthHolds))
		if err != nil {
			return nil, err
		}
		states[i] = BackendState{BackendID: info.ID, Health: info.Health}
		states[i].Uptime, states[i].Known = keystile.Uptime(samples, from, now)
	}
	return states, nil
}

// all lists the backends of the configuration and of the store, by id.
func (b *Backends) all(tx store.Tx) ([]BackendInfo, error) {
	stored, err := tx.Backends()
	if err != nil {
		return nil, err
	}
	health := b.upstreams.Health()
	var list []BackendInfo
	for _, backend := range b.upstreams.Declared() {
		list = append(list, BackendInfo{backend, health[backend.ID]})
	}
	for _, backend := range stored {
		if _, declared := b.backends.declared(backend.ID); !declared { // the file outweighs the store
			list = append(list, BackendInfo{backend, health[backend.ID]})
		}
	}
	slices.SortFunc(list, func(x, y BackendInfo) int { return strings.Compare(x.ID, y.ID) })
	return list, nil
}
