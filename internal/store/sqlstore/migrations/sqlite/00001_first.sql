-- +goose Up

-- Times are microseconds since 1970 in UTC, 0 for the zero time.

-- One row per counter: 'generation' and 'event_seq'.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('generation', 0), ('event_seq', 0);

-- One sealed canary per master key that ever sealed a row here.
CREATE TABLE master_key_check (
    key_id TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE credentials (
    access_key_id   TEXT PRIMARY KEY,
    description     TEXT NOT NULL,
    description_low TEXT NOT NULL, -- lower case, for searching
    grants          TEXT NOT NULL, -- JSON
    owner           TEXT NOT NULL,
    created_by      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    disabled_at     INTEGER NOT NULL,
    disabled_by     TEXT NOT NULL,
    revoked_at      INTEGER NOT NULL,
    rotated_at      INTEGER NOT NULL,
    overlap_until   INTEGER NOT NULL,
    last_used_at    INTEGER NOT NULL,
    generation      INTEGER NOT NULL,
    secret_current  BLOB, -- sealed; NULL: none
    secret_previous BLOB
);
CREATE INDEX credentials_newest ON credentials (created_at, access_key_id);
CREATE INDEX credentials_owner ON credentials (owner, created_at, access_key_id) WHERE owner <> '';
CREATE INDEX credentials_changed ON credentials (generation, access_key_id);

-- The backends that a credential's grants name, while it is not revoked.
CREATE TABLE credential_backends (
    backend       TEXT NOT NULL,
    access_key_id TEXT NOT NULL REFERENCES credentials (access_key_id),
    PRIMARY KEY (backend, access_key_id)
) WITHOUT ROWID;
CREATE INDEX credential_backends_key ON credential_backends (access_key_id);

CREATE TABLE bindings (
    name            TEXT PRIMARY KEY,
    backend         TEXT NOT NULL,
    bucket          TEXT NOT NULL,
    prefix          TEXT NOT NULL,
    mode            TEXT NOT NULL,
    rate_per_second REAL NOT NULL,
    created_by      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    removed_at      INTEGER NOT NULL,
    generation      INTEGER NOT NULL
);
CREATE INDEX bindings_changed ON bindings (generation, name);
CREATE INDEX bindings_backend ON bindings (backend) WHERE removed_at = 0;

CREATE TABLE backends (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    endpoint      TEXT NOT NULL,
    region        TEXT NOT NULL,
    path_style    INTEGER NOT NULL,
    access_key_id TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    generation    INTEGER NOT NULL,
    secret        BLOB -- sealed; NULL: none
);

-- Of declared backends too, hence no reference.
CREATE TABLE probes (
    backend_id  TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    keeps_keys  INTEGER NOT NULL,
    probed_at   INTEGER NOT NULL
);

CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    disabled_at   INTEGER NOT NULL
);

CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    csrf         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    source_ip    TEXT NOT NULL,
    user_agent   TEXT NOT NULL
);
CREATE INDEX sessions_account ON sessions (account_id, created_at, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sessions_idle ON sessions (last_seen_at);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
);
CREATE INDEX tokens_account ON tokens (account_id, created_at, id);

-- seq is taken from counters in the transaction that appends, so that no row
-- ever shows up below one that was already read.
CREATE TABLE events (
    seq           INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    at            INTEGER NOT NULL,
    action        TEXT NOT NULL,
    result        TEXT NOT NULL,
    status        INTEGER NOT NULL,
    account       TEXT NOT NULL,
    access_key_id TEXT NOT NULL,
    backend       TEXT NOT NULL,
    bucket        TEXT NOT NULL,
    object_key    TEXT NOT NULL,
    key_hash      INTEGER NOT NULL, -- stands for object_key in its index: keys are long
    source_ip     TEXT NOT NULL,
    user_agent    TEXT NOT NULL,
    request_id    TEXT NOT NULL,
    is_open       INTEGER NOT NULL,
    tally         INTEGER NOT NULL,
    tally_last    INTEGER NOT NULL,
    detail        TEXT NOT NULL -- JSON
);
-- Each ends in seq, so that a page of it needs no sorting; each leaves out the
-- rows nobody looks for by it, so that inserts stay cheap.
CREATE INDEX events_action ON events (action, seq);
CREATE INDEX events_access_key ON events (access_key_id, seq) WHERE access_key_id <> '';
CREATE INDEX events_account ON events (account, seq) WHERE account <> '';
CREATE INDEX events_bucket ON events (backend, bucket, seq) WHERE bucket <> '';
CREATE INDEX events_key ON events (key_hash, seq) WHERE object_key <> '';
CREATE INDEX events_request ON events (request_id, seq) WHERE request_id <> '';
CREATE INDEX events_result ON events (result, seq) WHERE result <> 'ok';
CREATE INDEX events_open ON events (seq) WHERE is_open = 1;

-- The time span of each stretch of event_spans.span * 4096 to + 4095. It stands
-- for an index by time: times grow with seq, but for clocks that were set.
CREATE TABLE event_spans (
    span   INTEGER PRIMARY KEY,
    min_at INTEGER NOT NULL,
    max_at INTEGER NOT NULL
);
