-- +goose Up

-- Caps of buckets; -1 is none. A bucket with a row is counted, with caps or without.
CREATE TABLE bucket_quotas (
    backend      TEXT NOT NULL,
    bucket       TEXT NOT NULL,
    soft_bytes   INTEGER NOT NULL,
    soft_objects INTEGER NOT NULL,
    hard_bytes   INTEGER NOT NULL,
    hard_objects INTEGER NOT NULL,
    tracked_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (backend, bucket)
) WITHOUT ROWID;

-- What is stored in them. The sum of used, unknown and leased is never below what
-- a running process has let be stored.
CREATE TABLE bucket_usage (
    backend         TEXT NOT NULL,
    bucket          TEXT NOT NULL,
    tracked_at      INTEGER NOT NULL,
    used_bytes      INTEGER NOT NULL,
    used_objects    INTEGER NOT NULL,
    unknown_bytes   INTEGER NOT NULL,
    unknown_objects INTEGER NOT NULL,
    leased_bytes    INTEGER NOT NULL,
    leased_objects  INTEGER NOT NULL,
    unknown_until   INTEGER NOT NULL,
    counted_at      INTEGER NOT NULL,
    drift_bytes     INTEGER NOT NULL,
    drift_objects   INTEGER NOT NULL,
    over_soft       INTEGER NOT NULL,
    recount         INTEGER NOT NULL,
    PRIMARY KEY (backend, bucket),
    FOREIGN KEY (backend, bucket) REFERENCES bucket_quotas (backend, bucket) ON DELETE CASCADE
) WITHOUT ROWID;
