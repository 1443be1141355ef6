package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

// tx implements store.Tx on one SQL transaction.
type tx struct {
	ctx      context.Context // that of the Read or Write, as the contract says
	sql      *sql.Tx
	dialect  dialect
	keys     *seal.Keyring
	writable bool
	looks    looks // of a page of events
}

var _ store.Tx = (*tx)(nil)

// exec runs a statement and returns how many rows it touched.
func (t *tx) exec(query string, args ...any) (int64, error) {
	if !t.writable {
		return 0, ErrReadOnly
	}
	res, err := t.sql.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, t.dialect.wrap(err)
	}
	return res.RowsAffected()
}

// execOne runs a statement that must touch a row; none is ErrNotFound.
func (t *tx) execOne(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		return keystile.ErrNotFound
	}
	return err
}

// row reads the one row of a query; none is ErrNotFound.
func (t *tx) row(dest []any, query string, args ...any) error {
	err := t.sql.QueryRowContext(t.ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return keystile.ErrNotFound
	}
	return t.dialect.wrap(err)
}

// prepare readies a statement that is run many times. It closes with the
// transaction.
func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if !t.writable {
		return nil, ErrReadOnly
	}
	stmt, err := t.sql.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, t.dialect.wrap(err)
	}
	return stmt, nil
}

// scanner is a row that can be read.
type scanner interface{ Scan(dest ...any) error }

// each calls fn for every row of a query.
func (t *tx) each(fn func(scanner) error, query string, args ...any) error {
	rows, err := t.sql.QueryContext(t.ctx, query, args...)
	if err != nil {
		return t.dialect.wrap(err)
	}
	defer func() { _ = rows.Close() }() // Err tells what went wrong
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return t.dialect.wrap(rows.Err())
}

// list collects every row of a query.
func list[T any](t *tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := t.each(func(row scanner) error {
		one, err := scan(row)
		if err != nil {
			return t.dialect.wrap(err)
		}
		all = append(all, one)
		return nil
	}, query, args...)
	return all, err
}

// get reads the one row of a query; none is ErrNotFound.
func get[T any](t *tx, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	one, err := scan(t.sql.QueryRowContext(t.ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return one, keystile.ErrNotFound
	}
	return one, t.dialect.wrap(err)
}

// about says what an error is about. It keeps nil.
func about(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// micros is how times are stored. The zero time is 0; so the first microsecond
// of 1970 cannot be told from it, which no event of ours ever falls on.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant scans a stored time.
type instant struct{ to *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T, want an integer", value)
	}
	*i.to = time.Time{}
	if n != 0 {
		*i.to = time.UnixMicro(n).UTC()
	}
	return nil
}

// sealSecret seals a secret for its place; a zero one is stored as NULL.
func (t *tx) sealSecret(table, row, field string, s keystile.Secret) any {
	if s.IsZero() {
		return nil
	}
	return t.keys.Seal(seal.Where{Table: table, Row: row, Field: field}, []byte(s.Reveal()))
}

func (t *tx) openSecret(table, row, field string, blob []byte) (keystile.Secret, error) {
	if blob == nil {
		return keystile.Secret{}, nil
	}
	plain, err := t.keys.Open(seal.Where{Table: table, Row: row, Field: field}, blob)
	if err != nil {
		return keystile.Secret{}, err
	}
	return keystile.NewSecret(string(plain)), nil
}
