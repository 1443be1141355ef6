package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"keystile/internal/store/seal"
)

// ErrMasterKey: the rows were sealed with a master key that was not given.
var ErrMasterKey = errors.New("the master key is missing or is not the one that sealed this database")

// canaryText is what the canaries hold: that one opens proves the key, what it
// holds is of no interest.
const canaryText = "keystile"

func canaryPlace(keyID string) seal.Where {
	return seal.Where{Table: "master_key_check", Row: keyID, Field: "sealed"}
}

// HasSealedRows reports whether a database at path holds anything sealed, so
// that its master key must be found and not made anew. It creates and changes
// nothing; an absent or empty file is false.
func HasSealedRows(ctx context.Context, path string) (bool, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return false, fmt.Errorf("look for sealed rows: %w", err)
	}
	canaries, err := readCanaries(ctx, path)
	if err != nil {
		return false, fmt.Errorf("look for sealed rows in %s: %w", path, err)
	}
	return len(canaries) > 0, nil
}

// checkMasterKey refuses keys that do not open every canary. It looks before the
// schema is touched.
func checkMasterKey(ctx context.Context, path string, keys *seal.Keyring) error {
	canaries, err := readCanaries(ctx, path)
	if err != nil {
		return err
	}
	for keyID, sealed := range canaries {
		if _, err := keys.Open(canaryPlace(keyID), sealed); err != nil {
			return fmt.Errorf("%w: %w", ErrMasterKey, err)
		}
	}
	return nil
}

// recordMasterKey leaves a canary of the primary key, before anything is sealed
// with it, and checks all others again inside the transaction: another process
// may have made the database in between.
func (t *tx) recordMasterKey() error {
	canaries, err := scanCanaries(t.ctx, t.sql)
	if err != nil {
		return err
	}
	for keyID, sealed := range canaries {
		if _, err := t.keys.Open(canaryPlace(keyID), sealed); err != nil {
			return fmt.Errorf("%w: %w", ErrMasterKey, err)
		}
	}
	id := t.keys.PrimaryID()
	if _, ok := canaries[id]; ok {
		return nil
	}
	if len(canaries) == 0 {
		if err := t.nothingSealed(); err != nil {
			return err
		}
	}
	_, err = t.exec(`INSERT INTO master_key_check (key_id, sealed) VALUES ($1, $2)`,
		id, t.keys.Seal(canaryPlace(id), []byte(canaryText)))
	return err
}

// nothingSealed refuses a database that lost its canaries but not its rows.
func (t *tx) nothingSealed() error {
	var sealed bool
	err := t.row([]any{&sealed}, `SELECT EXISTS (SELECT 1 FROM credentials WHERE secret_current IS NOT NULL OR secret_previous IS NOT NULL)
		OR EXISTS (SELECT 1 FROM backends WHERE secret IS NOT NULL OR admin_secret IS NOT NULL)
		OR EXISTS (SELECT 1 FROM rgw_users WHERE secret_current IS NOT NULL OR secret_pending IS NOT NULL)
		OR EXISTS (SELECT 1 FROM webhooks)`)
	if err == nil && sealed {
		return fmt.Errorf("there are sealed rows and no master key check: %w", ErrMasterKey)
	}
	return err
}

func readCanaries(ctx context.Context, path string) (canaries map[string][]byte, err error) {
	err = lookInto(ctx, path, "master_key_check", func(db *sql.DB) (err error) {
		canaries, err = scanCanaries(ctx, db)
		return err
	})
	return canaries, err
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func scanCanaries(ctx context.Context, db queryer) (map[string][]byte, error) {
	rows, err := db.QueryContext(ctx, `SELECT key_id, sealed FROM master_key_check`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what went wrong
	canaries := map[string][]byte{}
	for rows.Next() {
		var keyID string
		var sealed []byte
		if err := rows.Scan(&keyID, &sealed); err != nil {
			return nil, err
		}
		canaries[keyID] = sealed
	}
	return canaries, rows.Err()
}
