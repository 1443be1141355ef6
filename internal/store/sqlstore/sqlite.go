package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"modernc.org/sqlite"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

// turnTimeout bounds the wait for the transactions of other processes. They are
// short: none waits for a person or the network. SQLite itself waits for
// busyTimeout at a time, as a context cannot wake it.
const (
	turnTimeout = 10 * time.Second
	busyTimeout = 100 * time.Millisecond
)

// DB is a store in an SQL database.
type DB struct {
	writer  *sql.DB // of one connection
	readers *sql.DB
	dialect dialect
	keys    *seal.Keyring
	dir     string
	room    Room // nil: none is kept
	looks   looks
}

var _ store.Store = (*DB)(nil)

// OpenSQLite opens the database file at path, creates it with mode 0600 where
// there is none, and brings its schema up to date. A file that was sealed with a
// master key that keys does not hold is ErrMasterKey and stays as it was.
// Several handles, also of several processes, may have it open; Lock keeps two
// servers apart.
func OpenSQLite(ctx context.Context, path string, keys *seal.Keyring) (*DB, error) {
	if keys == nil {
		return nil, fmt.Errorf("open %s: none was given: %w", path, ErrMasterKey)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := secureFile(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := checkMasterKey(ctx, path, keys); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db, err := connect(path, keys)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := db.prepareSchema(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, errors.Join(err, db.Close()))
	}
	return db, nil
}

func (db *DB) prepareSchema(ctx context.Context) error {
	if err := migrate(ctx, db.writer, db.dir); err != nil {
		return db.dialect.wrap(err)
	}
	return db.Write(ctx, func(t store.Tx) error { return t.(*tx).recordMasterKey() })
}

func connect(path string, keys *seal.Keyring) (*DB, error) {
	writer, err := openPool(path, url.Values{
		"_txlock":       {"immediate"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		// What is deleted, sealed secrets among it, is overwritten where that
		// costs no extra write. Rarer checkpoints and a cache of 16 MiB save a
		// fifth of the CPU time of recording events.
		"_pragma": {"secure_delete(FAST)", "wal_autocheckpoint(4000)", "cache_size(-16384)"},
	})
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	readers, err := openPool(path, readOnly())
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	conns := max(4, 2*runtime.GOMAXPROCS(0))
	readers.SetMaxOpenConns(conns)
	readers.SetMaxIdleConns(conns)
	return &DB{writer: writer, readers: readers, dialect: newSQLite(), keys: keys, dir: filepath.Dir(path), looks: usualLooks}, nil
}

// readOnly opens a file that exists and cannot write to it.
func readOnly() url.Values { return url.Values{"mode": {"ro"}, "_query_only": {"on"}} }

// openPool connects nothing yet.
func openPool(path string, options url.Values) (*sql.DB, error) {
	connector, err := newConnector(path, options)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func newConnector(path string, options url.Values) (driver.Connector, error) {
	options.Set("_busy_timeout", fmt.Sprint(busyTimeout.Milliseconds()))
	options.Set("_dqs", "0")
	options.Set("_defensive", "1")
	name := url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}
	return sqlite.NewConnector(name.String())
}

// secureFile makes the file its owner's alone before SQLite opens it. SQLite
// gives its companions (-wal, -shm) the same mode whatever the umask is. A file
// that is there already is not opened: to close it would drop the locks that
// SQLite holds on it in this process (fcntl(2)).
func secureFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return os.Chmod(path, 0o600)
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// Read implements store.Store. The snapshot is taken by fn's first query.
func (db *DB) Read(ctx context.Context, fn func(store.Tx) error) error {
	return db.run(ctx, db.readers, fn, false)
}

// Write implements store.Store. It waits for its turn until ctx is done. A
// Write inside fn waits for itself. On a full disk fn of an urgent one is run again
// for as long as room was kept for it.
func (db *DB) Write(ctx context.Context, fn func(store.Tx) error) error {
	if err := db.makeRoom(ctx); err != nil {
		return err
	}
	err := db.run(ctx, db.writer, fn, true)
	for full(err) && db.room != nil && store.IsUrgent(ctx) {
		if empty := db.room.Release(); empty != nil {
			return errors.Join(err, empty)
		}
		err = db.run(ctx, db.writer, fn, true)
	}
	return err
}

func (db *DB) run(ctx context.Context, pool *sql.DB, fn func(store.Tx) error, write bool) error {
	sqlTx, err := db.begin(ctx, pool, write)
	if err != nil {
		return db.fault(ctx, "begin", err)
	}
	// Also when fn panics. After a commit it does nothing.
	defer func() { _ = sqlTx.Rollback() }()
	if err := fn(&tx{ctx: ctx, sql: sqlTx, dialect: db.dialect, keys: db.keys, writable: write, looks: db.looks}); err != nil {
		if errors.Is(err, sql.ErrTxDone) {
			return db.fault(ctx, "transaction", err)
		}
		return err
	}
	if !write {
		return nil
	}
	if err := sqlTx.Commit(); err != nil {
		return db.fault(ctx, "commit", err)
	}
	return nil
}

// begin waits for its turn among all processes.
func (db *DB) begin(ctx context.Context, pool *sql.DB, write bool) (*sql.Tx, error) {
	deadline := time.Now().Add(turnTimeout)
	for {
		sqlTx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: !write})
		if err == nil || !db.dialect.busy(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return sqlTx, err
		}
	}
}

// fault names the step that failed and, where the context ended it, that.
func (db *DB) fault(ctx context.Context, step string, err error) error {
	err = db.dialect.wrap(err)
	if ctxErr := ctx.Err(); ctxErr != nil && !errors.Is(err, ctxErr) {
		err = fmt.Errorf("%w: %w", ctxErr, err)
	}
	return fmt.Errorf("store: %s: %w", step, err)
}

// Ping implements store.Store: it reads the schema, which a file that was taken
// away or spoilt does not have.
func (db *DB) Ping(ctx context.Context) error {
	return db.Read(ctx, func(t store.Tx) error {
		if _, err := t.Generation(); err != nil {
			return fmt.Errorf("store: ping: %w: %w", keystile.ErrUnavailable, err)
		}
		return nil
	})
}

// Close waits for the running transactions. The writer goes last: whoever closes
// a database last folds the journal into it.
func (db *DB) Close() error {
	return errors.Join(db.readers.Close(), db.writer.Close())
}
