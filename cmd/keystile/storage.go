package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"keystile/internal/config"
	"keystile/internal/store/seal"
	"keystile/internal/store/sqlstore"
)

// dataDirMode keeps everybody else out of what the gateway stores.
const dataDirMode = 0o700

// openStore opens the database with its master key, and returns that too.
func openStore(ctx context.Context, c config.Config, log *slog.Logger) (*sqlstore.DB, seal.Key, error) {
	for _, dir := range []string{c.DataDir, filepath.Dir(c.Store.Path)} {
		if err := os.MkdirAll(dir, dataDirMode); err != nil {
			return nil, seal.Key{}, fmt.Errorf("make the data directory: %w", err)
		}
	}
	key, err := masterKey(ctx, c.Store, log)
	if err != nil {
		return nil, seal.Key{}, err
	}
	keys, err := seal.New(key)
	if err != nil {
		return nil, seal.Key{}, err
	}
	db, err := sqlstore.OpenSQLite(ctx, c.Store.Path, keys)
	return db, key, err
}

// masterKey takes the key from the environment or its file. Only where nothing
// was ever sealed is an absent file made.
func masterKey(ctx context.Context, c config.Store, log *slog.Logger) (seal.Key, error) {
	if c.MasterKeyEnv != "" {
		key, err := seal.ParseKey(c.MasterKey.Reveal())
		if err != nil {
			return seal.Key{}, fmt.Errorf("environment variable %s: %w", c.MasterKeyEnv, err)
		}
		return key, nil
	}
	key, err := seal.Load(c.MasterKeyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	sealed, err := sqlstore.HasSealedRows(ctx, c.Path)
	if err != nil {
		return seal.Key{}, err
	}
	if sealed {
		return seal.Key{}, fmt.Errorf("%s has sealed rows and the master key file %s is missing: put its backup back", c.Path, c.MasterKeyFile)
	}
	key, created, err := seal.LoadOrCreate(c.MasterKeyFile)
	if err == nil && created {
		log.Warn("a new master key was made: back it up apart from the database, without it no sealed secret can be read", "file", c.MasterKeyFile)
	}
	return key, err
}
