package sqlstore

import (
	"encoding/json"
	"fmt"

	"keystile/internal/keystile"
)

const corsColumns = `backend, bucket, mode, rules, updated_at`

func scanCORS(row scanner) (keystile.BucketCORS, error) {
	var c keystile.BucketCORS
	var rules string
	if err := row.Scan(&c.Bucket.Backend, &c.Bucket.Name, &c.Mode, &rules, instant{&c.UpdatedAt}); err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(rules), &c.Rules); err != nil {
		return c, fmt.Errorf("rules of %s: %w", c.Bucket, err)
	}
	return c, nil
}

func (t *tx) BucketCORS(b keystile.Bucket) (keystile.BucketCORS, error) {
	c, err := get(t, scanCORS, `SELECT `+corsColumns+` FROM bucket_cors WHERE backend = $1 AND bucket = $2`, b.Backend, b.Name)
	return c, about(err, "CORS of bucket %q", b)
}

func (t *tx) AllBucketCORS() ([]keystile.BucketCORS, error) {
	all, err := list(t, scanCORS, `SELECT `+corsColumns+` FROM bucket_cors ORDER BY backend, bucket`)
	return all, about(err, "CORS of buckets")
}

func (t *tx) SaveBucketCORS(c keystile.BucketCORS) error {
	if c.Mode == keystile.CORSOff {
		_, err := t.exec(`DELETE FROM bucket_cors WHERE backend = $1 AND bucket = $2`, c.Bucket.Backend, c.Bucket.Name)
		return about(err, "CORS of bucket %q", c.Bucket)
	}
	rules, err := json.Marshal(c.Rules)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO bucket_cors (`+corsColumns+`) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (backend, bucket) DO UPDATE SET mode = excluded.mode, rules = excluded.rules, updated_at = excluded.updated_at`,
		c.Bucket.Backend, c.Bucket.Name, c.Mode, string(rules), micros(c.UpdatedAt))
	return about(err, "CORS of bucket %q", c.Bucket)
}
