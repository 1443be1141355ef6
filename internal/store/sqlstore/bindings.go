package sqlstore

import (
	"time"

	"keystile/internal/keystile"
)

const bindingColumns = `name, backend, bucket, prefix, mode, rate_per_second, index_document, created_by, created_at, removed_at, generation`

func scanBinding(row scanner) (keystile.Binding, error) {
	var b keystile.Binding
	err := row.Scan(&b.Name, &b.Bucket.Backend, &b.Bucket.Name, &b.Prefix, &b.Mode, &b.RatePerSecond, &b.IndexDocument,
		&b.CreatedBy, instant{&b.CreatedAt}, instant{&b.RemovedAt}, &b.Generation)
	return b, err
}

// CreateBinding takes over the row of a removed one.
func (t *tx) CreateBinding(b keystile.Binding) error {
	n, err := t.exec(`INSERT INTO bindings (`+bindingColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (name) DO UPDATE SET backend = excluded.backend, bucket = excluded.bucket,
			prefix = excluded.prefix, mode = excluded.mode, rate_per_second = excluded.rate_per_second,
			index_document = excluded.index_document, created_by = excluded.created_by, created_at = excluded.created_at,
			removed_at = excluded.removed_at, generation = excluded.generation
		WHERE bindings.removed_at <> 0`,
		b.Name, b.Bucket.Backend, b.Bucket.Name, b.Prefix, b.Mode, b.RatePerSecond, b.IndexDocument,
		b.CreatedBy, micros(b.CreatedAt), micros(b.RemovedAt), b.Generation)
	if err == nil && n == 0 {
		err = keystile.ErrConflict
	}
	return about(err, "binding %q", b.Name)
}

func (t *tx) Binding(name string) (keystile.Binding, error) {
	b, err := get(t, scanBinding, `SELECT `+bindingColumns+` FROM bindings WHERE name = $1 AND removed_at = 0`, name)
	return b, about(err, "binding %q", name)
}

func (t *tx) Bindings() ([]keystile.Binding, error) {
	all, err := list(t, scanBinding, `SELECT `+bindingColumns+` FROM bindings WHERE removed_at = 0 ORDER BY name`)
	return all, about(err, "bindings")
}

func (t *tx) RemoveBinding(name string, at time.Time, generation int64) error {
	err := t.execOne(`UPDATE bindings SET removed_at = $1, generation = $2 WHERE name = $3 AND removed_at = 0`,
		micros(at), generation, name)
	return about(err, "binding %q", name)
}

func (t *tx) ChangedBindings(since int64) ([]keystile.Binding, error) {
	all, err := list(t, scanBinding, `SELECT `+bindingColumns+` FROM bindings
		WHERE generation > $1 ORDER BY generation, name`, since)
	return all, about(err, "changed bindings")
}
