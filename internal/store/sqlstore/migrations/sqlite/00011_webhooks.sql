-- +goose Up

-- Addresses that are called when something happens.
CREATE TABLE webhooks (
    id          TEXT PRIMARY KEY,
    url         TEXT NOT NULL,
    kinds       TEXT NOT NULL, -- JSON list; empty: all
    description TEXT NOT NULL,
    disabled    INTEGER NOT NULL,
    created_by  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    secret      BLOB NOT NULL -- sealed
);

-- What is on its way to them, or was.
CREATE TABLE webhook_deliveries (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- never taken twice
    message_id  TEXT NOT NULL,
    webhook_id  TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL,
    state       TEXT NOT NULL,
    attempts    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    last_status INTEGER NOT NULL,
    last_error  TEXT NOT NULL,
    UNIQUE (webhook_id, message_id)
);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, seq) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE state <> 'pending';

-- What admins should know of buckets.
CREATE TABLE notices (
    id            TEXT PRIMARY KEY, -- of an audit event
    kind          TEXT NOT NULL,
    backend       TEXT NOT NULL,
    bucket        TEXT NOT NULL,
    at            INTEGER NOT NULL,
    message       TEXT NOT NULL,
    access_key_id TEXT NOT NULL,
    request_id    TEXT NOT NULL
);
CREATE INDEX notices_of_bucket ON notices (kind, backend, bucket, at);
CREATE INDEX notices_by_time ON notices (at);
