package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

// recorder notes every query that a connection is asked, so that the plans of
// the real ones can be looked at.
type recorder struct {
	driver.Connector
	queries *[]recorded
}

type recorded struct {
	text string
	args []driver.NamedValue
}

func (r recorder) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := r.Connector.Connect(ctx)
	return recordingConn{conn, r.queries}, err
}

type recordingConn struct {
	driver.Conn
	queries *[]recorded
}

func (c recordingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	*c.queries = append(*c.queries, recorded{query, args})
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c recordingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

// plansOf tells how SQLite finds the rows of what read asks.
func plansOf(t *testing.T, db *DB, connector driver.Connector, read func(store.Tx) error) []string {
	t.Helper()
	var queries []recorded
	pool := sql.OpenDB(recorder{connector, &queries})
	defer func() { _ = pool.Close() }()
	spy := &DB{writer: db.writer, readers: pool, dialect: db.dialect, keys: db.keys, looks: db.looks}
	if err := spy.Read(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	var plans []string
	for _, q := range queries {
		args := make([]any, len(q.args))
		for i, a := range q.args {
			args[i] = a.Value
		}
		plans = append(plans, planOf(t, db, q.text, args))
	}
	return plans
}

func planOf(t *testing.T, db *DB, query string, args []any) string {
	t.Helper()
	rows, err := db.readers.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var lines []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "; ")
}

func TestSearchesGoByTheirIndexAndSortNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keystile.db")
	db := openAt(t, path, ringOf(t, seal.NewKey()))
	err := db.Write(t.Context(), func(tx store.Tx) error {
		events := make([]keystile.Event, 100)
		for i := range events {
			events[i] = gatewayEvent(i)
			events[i].Action = fmt.Sprint("s3.proxy.verb", i)
		}
		events[0].Action = "credential.create"
		return tx.AppendEvents(events)
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	events := func(f keystile.EventFilter) func(store.Tx) error {
		return func(tx store.Tx) error {
			_, _, err := tx.Events(keystile.EventPage{Filter: f, Limit: 50, Cursor: encodeCursor(90)})
			return err
		}
	}
	credentials := func(f store.CredentialFilter) func(store.Tx) error {
		return func(tx store.Tx) error { _, err := tx.Credentials(f); return err }
	}
	connector, err := newConnector(path, readOnly())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		read func(store.Tx) error
		want string
	}{
		{"all events", events(keystile.EventFilter{}), "INTEGER PRIMARY KEY (rowid<?)"},
		{"request", events(keystile.EventFilter{RequestID: "r", Account: "a"}), "events_request (request_id=? AND seq<?)"},
		{"key", events(keystile.EventFilter{Key: "k", Backend: "b", Bucket: "c"}), "events_key (key_hash=? AND seq<?)"},
		{"access key", events(keystile.EventFilter{AccessKeyID: "k", Backend: "b"}), "events_access_key (access_key_id=? AND seq<?)"},
		{"access key and time", events(keystile.EventFilter{AccessKeyID: "k", Since: now, Until: now}), "events_access_key (access_key_id=? AND seq>? AND seq<?)"},
		{"filters together", events(keystile.EventFilter{AccessKeyID: "k", ActionPrefix: "s3."}), ":M1<; SEARCH events USING INTEGER PRIMARY KEY (rowid=?)"},
		{"open events of filters together", events(keystile.EventFilter{Backend: "b", Bucket: "c", Account: "a"}), "events_open (seq<?)"},
		{"bucket", events(keystile.EventFilter{Backend: "b", Bucket: "c"}), "events_bucket (backend=? AND bucket=? AND seq<?)"},
		{"backend", events(keystile.EventFilter{Backend: "b"}), "INTEGER PRIMARY KEY (rowid<?)"},
		{"account", events(keystile.EventFilter{Account: "a", Backend: "b"}), "events_account (account=? AND seq<?)"},
		{"refusals", events(keystile.EventFilter{Result: "denied", Backend: "b"}), "events_result (result=? AND seq<?)"},
		{"successes", events(keystile.EventFilter{Result: "ok"}), "INTEGER PRIMARY KEY (rowid<?)"},
		{"common action prefix", events(keystile.EventFilter{ActionPrefix: "s3."}), "INTEGER PRIMARY KEY (rowid<?)"},
		{"rare action prefix", events(keystile.EventFilter{ActionPrefix: "credential."}), "events_action (action=? AND seq<?)"},
		{"text", events(keystile.EventFilter{Text: "photo", Backend: "b", Bucket: "c", AccessKeyID: "k"}), ":M1<; SEARCH events USING INTEGER PRIMARY KEY (rowid=?)"},
		{"text and time", events(keystile.EventFilter{Text: "photo", Since: now, Until: now}), ":M1<>; "},
		{"text of a key", events(keystile.EventFilter{Text: "photo", Key: "k"}), "events_key (key_hash=? AND seq<?)"},
		{"time", events(keystile.EventFilter{Since: now, Until: now}), "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"credentials", credentials(store.CredentialFilter{Limit: 10}), "credentials_newest"},
		{"credentials of an owner", credentials(store.CredentialFilter{Owner: "o"}), "credentials_owner (owner=?)"},
		{"changed credentials", func(tx store.Tx) error {
			return tx.ChangedCredentials(5, func(keystile.Credential, keystile.CredentialSecrets) error { return nil })
		}, "credentials_changed (generation>?)"},
		{"changed bindings", func(tx store.Tx) error { _, err := tx.ChangedBindings(5); return err }, "bindings_changed (generation>?)"},
		{"uses of a backend by credentials", func(tx store.Tx) error { _, err := tx.BackendInUse("b"); return err }, "credential_backends USING PRIMARY KEY (backend=?)"},
		{"uses of a backend by bindings", func(tx store.Tx) error { _, err := tx.BackendInUse("b"); return err }, "bindings_backend (backend=?)"},
		{"traffic by hour", func(tx store.Tx) error { _, err := tx.TrafficByHour(now); return err }, "traffic_hours USING PRIMARY KEY (hour>?)"},
		{"traffic of a credential by hour", func(tx store.Tx) error { _, err := tx.CredentialTrafficByHour("k", now); return err }, "traffic_hours_key (access_key_id=? AND hour>?)"},
		{"traffic of a credential", func(tx store.Tx) error { _, err := tx.CredentialTraffic("k", now); return err }, "traffic_minutes USING PRIMARY KEY (access_key_id=? AND minute>?)"},
		{"health of a backend", func(tx store.Tx) error { _, err := tx.HealthSince("b", now); return err }, "health_samples USING PRIMARY KEY (backend_id=? AND at>?)"},
		{"sessions of an account", func(tx store.Tx) error { _, err := tx.SessionsOf("a"); return err }, "sessions_account (account_id=?)"},
		{"tokens of an account", func(tx store.Tx) error { _, err := tx.TokensOf("a"); return err }, "tokens_account (account_id=?)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plans := plansOf(t, db, connector, tt.read)
			for _, plan := range plans {
				if strings.Contains(plan, "TEMP B-TREE") {
					t.Errorf("sorts: %s", plan)
				}
			}
			if !slices.ContainsFunc(plans, func(plan string) bool { return strings.Contains(plan, tt.want) }) {
				t.Errorf("plans %q, want %q in one", plans, tt.want)
			}
		})
	}
}
