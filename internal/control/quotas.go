package control

import (
	"context"
	"errors"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Ledger keeps count of buckets that have a quota.
type Ledger interface {
	// Usage is false for a bucket that is not counted.
	Usage(b keystile.Bucket) (keystile.Usage, bool)
	// Scan asks for a count; false if the bucket is not counted.
	Scan(b keystile.Bucket) bool
	// CancelScan reports whether there was a count to end.
	CancelScan(b keystile.Bucket) bool
	// Spent is how much of a credential's allowance is used up in the span that
	// began at since; false if it has none.
	Spent(accessKeyID string) (bytes int64, since time.Time, ok bool)
}

// Quotas are the use cases of buckets' quotas; for admins.
type Quotas struct {
	*core
	ledger   Ledger
	backends *backendLookup
}

// QuotaInfo is a bucket's quota and what counts against it.
type QuotaInfo struct {
	keystile.BucketQuota
	Usage keystile.Usage
}

func (q *Quotas) info(quota keystile.BucketQuota) QuotaInfo {
	usage, _ := q.ledger.Usage(quota.Bucket)
	return QuotaInfo{quota, usage}
}

// List returns all quotas by backend and bucket.
func (q *Quotas) List(ctx context.Context, a Actor) (list []QuotaInfo, err error) {
	err = q.read(ctx, a, "quota.list", "", admins, func(tx store.Tx) error {
		quotas, err := tx.BucketQuotas()
		for _, one := range quotas {
			list = append(list, q.info(one))
		}
		return err
	})
	return list, err
}

// Show returns a bucket's quota; keystile.ErrNotFound if it has none.
func (q *Quotas) Show(ctx context.Context, a Actor, bucket keystile.Bucket) (info QuotaInfo, err error) {
	err = q.read(ctx, a, "quota.show", bucket.String(), admins, func(tx store.Tx) error {
		quota, err := tx.BucketQuota(bucket)
		info = q.info(quota)
		return withoutQuota(err)
	})
	return info, err
}

// withoutQuota says what is not there.
func withoutQuota(err error) error {
	if errors.Is(err, keystile.ErrNotFound) {
		return explain(err, "the bucket has no quota")
	}
	return err
}

// Set gives a bucket caps. One that had no quota is counted first: until that is
// done nothing may be added to it, if a cap is hard.
func (q *Quotas) Set(ctx context.Context, a Actor, quota keystile.BucketQuota) (QuotaInfo, error) {
	err := q.mutate(ctx, a, act{action: "quota.set", target: quota.Bucket.String(), who: admins, do: func(ch *change) error {
		ch.aboutBucket(quota.Bucket)
		if err := q.mayHave(ch, quota.Bucket); err != nil {
			return err
		}
		if err := quota.Check(); err != nil {
			return err
		}
		for _, c := range []struct {
			name string
			cap  int64
		}{
			{"soft_bytes", quota.Soft.Bytes}, {"hard_bytes", quota.Hard.Bytes},
			{"soft_objects", quota.Soft.Objects}, {"hard_objects", quota.Hard.Objects},
		} {
			if c.cap == keystile.NoCap {
				ch.changed(c.name, "none")
			} else {
				ch.changed(c.name, "%d", c.cap)
			}
		}
		var err error
		quota, err = saveQuota(ch, quota)
		return err
	}})
	return q.info(quota), err
}

// saveQuota saves a quota under the time since when its bucket is counted.
func saveQuota(ch *change, quota keystile.BucketQuota) (keystile.BucketQuota, error) {
	quota.TrackedAt, quota.UpdatedAt = ch.now, ch.now
	had, err := ch.BucketQuota(quota.Bucket)
	if err == nil {
		quota.TrackedAt = had.TrackedAt
	} else if !errors.Is(err, keystile.ErrNotFound) {
		return quota, err
	}
	if _, err := ch.stamp(); err != nil {
		return quota, err
	}
	return quota, ch.SaveBucketQuota(quota)
}

// noCaps is a quota of a bucket that is counted and no more.
func noCaps(bucket keystile.Bucket) keystile.BucketQuota {
	none := keystile.Amount{Bytes: keystile.NoCap, Objects: keystile.NoCap}
	return keystile.BucketQuota{Bucket: bucket, Soft: none, Hard: none}
}

// countNewBucket has a bucket counted that was made just now and holds nothing.
func (ch *change) countNewBucket(bucket keystile.Bucket) error {
	if _, err := ch.BucketQuota(bucket); !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	quota, err := saveQuota(ch, noCaps(bucket))
	if err != nil {
		return err
	}
	// It is counted all the same, beside the first writes.
	return ch.SaveBucketUsage(keystile.UsageRecord{Bucket: bucket, TrackedAt: quota.TrackedAt, CountedAt: ch.now, Recount: true})
}

func (q *Quotas) mayHave(tx store.Tx, bucket keystile.Bucket) error {
	if _, err := q.backends.get(tx, bucket.Backend); err != nil {
		if errors.Is(err, keystile.ErrNotFound) {
			return explain(err, "there is no such backend")
		}
		return err
	}
	if err := keystile.CheckBucketName(bucket.Name); err != nil {
		return explain(keystile.ErrNotFound, "there is no such bucket")
	}
	return nil
}

// Clear takes a bucket's quota away. It is no longer counted, unless a cap
// that is not its own needs it: of the RGW user who owns it, or of a credential.
func (q *Quotas) Clear(ctx context.Context, a Actor, bucket keystile.Bucket) error {
	return q.mutate(ctx, a, act{action: "quota.clear", target: bucket.String(), who: admins, do: func(ch *change) error {
		ch.aboutBucket(bucket)
		counted, err := ch.mustBeCounted(bucket)
		if err != nil {
			return err
		}
		if counted {
			_, err = saveQuota(ch, noCaps(bucket))
			return err
		}
		if err := ch.DeleteBucketQuota(bucket); err != nil {
			return withoutQuota(err)
		}
		_, err = ch.stamp()
		return err
	}})
}

// Scan has a bucket counted. One that had no quota has one without caps from then
// on.
func (q *Quotas) Scan(ctx context.Context, a Actor, bucket keystile.Bucket) (QuotaInfo, error) {
	var quota keystile.BucketQuota
	err := q.mutate(ctx, a, act{action: "quota.scan", target: bucket.String(), who: admins, do: func(ch *change) error {
		ch.aboutBucket(bucket)
		if err := q.mayHave(ch, bucket); err != nil {
			return err
		}
		var err error
		if quota, err = ch.BucketQuota(bucket); !errors.Is(err, keystile.ErrNotFound) {
			return err
		}
		quota, err = saveQuota(ch, noCaps(bucket))
		return err
	}})
	if err == nil {
		q.ledger.Scan(bucket)
	}
	return q.info(quota), err
}

// CancelScan ends a count. What was known before holds on.
func (q *Quotas) CancelScan(ctx context.Context, a Actor, bucket keystile.Bucket) error {
	return q.mutate(ctx, a, act{action: "quota.scan_cancel", target: bucket.String(), who: admins, do: func(ch *change) error {
		ch.aboutBucket(bucket)
		if _, err := ch.BucketQuota(bucket); err != nil {
			return withoutQuota(err)
		}
		if !q.ledger.CancelScan(bucket) {
			return explain(keystile.ErrConflict, "the bucket is not being counted")
		}
		return nil
	}})
}

// noticesShown bounds the refusals that are looked through for alerts.
const noticesShown = 1000

// QuotaAlerts are what admins should do something about.
type QuotaAlerts struct {
	Soft    []QuotaInfo       // over a soft cap now
	Refused []keystile.Notice // the newest refusal of each bucket in the last day whose caps were not changed since
}

// Alerts returns which caps are met.
func (q *Quotas) Alerts(ctx context.Context, a Actor) (alerts QuotaAlerts, err error) {
	err = q.read(ctx, a, "quota.alerts", "", admins, func(tx store.Tx) error {
		quotas, err := tx.BucketQuotas()
		if err != nil {
			return err
		}
		changed := map[keystile.Bucket]keystile.BucketQuota{}
		for _, one := range quotas {
			changed[one.Bucket] = one
			if info := q.info(one); info.overSoft() {
				alerts.Soft = append(alerts.Soft, info)
			}
		}
		notices, err := tx.Notices(keystile.WebhookHardRefused, q.now().Add(-day), noticesShown)
		told := map[keystile.Bucket]bool{}
		for _, n := range notices {
			if quota, ok := changed[n.Bucket]; ok && !told[n.Bucket] && quota.Capped() && n.At.After(quota.UpdatedAt) {
				told[n.Bucket] = true
				alerts.Refused = append(alerts.Refused, n)
			}
		}
		return err
	})
	return alerts, err
}

func (q *QuotaInfo) overSoft() bool {
	total := q.Usage.Total()
	return q.Soft.Bytes != keystile.NoCap && total.Bytes > q.Soft.Bytes || q.Soft.Objects != keystile.NoCap && total.Objects > q.Soft.Objects
}
