package sqlstore

import "keystile/internal/keystile"

const quotaColumns = `backend, bucket, soft_bytes, soft_objects, hard_bytes, hard_objects, tracked_at, updated_at`

func scanQuota(row scanner) (keystile.BucketQuota, error) {
	var q keystile.BucketQuota
	err := row.Scan(&q.Bucket.Backend, &q.Bucket.Name, &q.Soft.Bytes, &q.Soft.Objects, &q.Hard.Bytes, &q.Hard.Objects,
		instant{&q.TrackedAt}, instant{&q.UpdatedAt})
	return q, err
}

func (t *tx) BucketQuota(b keystile.Bucket) (keystile.BucketQuota, error) {
	q, err := get(t, scanQuota, `SELECT `+quotaColumns+` FROM bucket_quotas WHERE backend = $1 AND bucket = $2`, b.Backend, b.Name)
	return q, about(err, "quota of bucket %q", b)
}

func (t *tx) BucketQuotas() ([]keystile.BucketQuota, error) {
	all, err := list(t, scanQuota, `SELECT `+quotaColumns+` FROM bucket_quotas ORDER BY backend, bucket`)
	return all, about(err, "quotas of buckets")
}

func (t *tx) SaveBucketQuota(q keystile.BucketQuota) error {
	_, err := t.exec(`INSERT INTO bucket_quotas (`+quotaColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (backend, bucket) DO UPDATE SET soft_bytes = excluded.soft_bytes, soft_objects = excluded.soft_objects,
			hard_bytes = excluded.hard_bytes, hard_objects = excluded.hard_objects, updated_at = excluded.updated_at`,
		q.Bucket.Backend, q.Bucket.Name, q.Soft.Bytes, q.Soft.Objects, q.Hard.Bytes, q.Hard.Objects, micros(q.TrackedAt), micros(q.UpdatedAt))
	return about(err, "quota of bucket %q", q.Bucket)
}

func (t *tx) DeleteBucketQuota(b keystile.Bucket) error {
	err := t.execOne(`DELETE FROM bucket_quotas WHERE backend = $1 AND bucket = $2`, b.Backend, b.Name)
	return about(err, "quota of bucket %q", b)
}

func (t *tx) OwnedBuckets() ([]keystile.OwnedBucket, error) {
	all, err := list(t, func(row scanner) (o keystile.OwnedBucket, err error) {
		var q keystile.SizeQuota
		err = row.Scan(&o.Bucket.Backend, &o.Bucket.Name, &o.Owner, &q.MaxSizeKB, &q.Enabled)
		o.MaxBytes = q.MaxBytes()
		return o, err
	}, `SELECT b.backend, b.name, u.id, u.quota_kb, u.quota_enabled
		FROM rgw_buckets b JOIN rgw_users u ON u.id = b.user_id ORDER BY b.backend, b.name`)
	return all, about(err, "owners of buckets")
}

const usageColumns = `backend, bucket, tracked_at, used_bytes, used_objects, unknown_bytes, unknown_objects,
	leased_bytes, leased_objects, unknown_until, counted_at, drift_bytes, drift_objects, over_soft, recount, scan, parts_bytes`

func scanUsage(row scanner) (keystile.UsageRecord, error) {
	var u keystile.UsageRecord
	err := row.Scan(&u.Bucket.Backend, &u.Bucket.Name, instant{&u.TrackedAt}, &u.Used.Bytes, &u.Used.Objects,
		&u.Unknown.Bytes, &u.Unknown.Objects, &u.Leased.Bytes, &u.Leased.Objects, instant{&u.UnknownUntil},
		instant{&u.CountedAt}, &u.Drift.Bytes, &u.Drift.Objects, &u.OverSoft, &u.Recount, scanText{&u.Scan}, &u.Parts)
	return u, err
}

func (t *tx) BucketUsages() ([]keystile.UsageRecord, error) {
	all, err := list(t, scanUsage, `SELECT `+usageColumns+` FROM bucket_usage ORDER BY backend, bucket`)
	return all, about(err, "usage of buckets")
}

func (t *tx) SaveBucketUsage(u keystile.UsageRecord) error {
	position, err := encodeScan(u.Scan)
	if err != nil {
		return about(err, "usage of bucket %q", u.Bucket)
	}
	err = t.execOne(`INSERT INTO bucket_usage (`+usageColumns+`)
		SELECT backend, bucket, tracked_at, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
			FROM bucket_quotas WHERE backend = $15 AND bucket = $16 AND tracked_at = $17
		ON CONFLICT (backend, bucket) DO UPDATE SET used_bytes = excluded.used_bytes, used_objects = excluded.used_objects,
			unknown_bytes = excluded.unknown_bytes, unknown_objects = excluded.unknown_objects,
			leased_bytes = excluded.leased_bytes, leased_objects = excluded.leased_objects,
			unknown_until = excluded.unknown_until, counted_at = excluded.counted_at, drift_bytes = excluded.drift_bytes,
			drift_objects = excluded.drift_objects, over_soft = excluded.over_soft, recount = excluded.recount,
			scan = excluded.scan, parts_bytes = excluded.parts_bytes`,
		u.Used.Bytes, u.Used.Objects, u.Unknown.Bytes, u.Unknown.Objects, u.Leased.Bytes, u.Leased.Objects,
		micros(u.UnknownUntil), micros(u.CountedAt), u.Drift.Bytes, u.Drift.Objects, u.OverSoft, u.Recount, position, u.Parts,
		u.Bucket.Backend, u.Bucket.Name, micros(u.TrackedAt))
	return about(err, "usage of bucket %q", u.Bucket)
}
