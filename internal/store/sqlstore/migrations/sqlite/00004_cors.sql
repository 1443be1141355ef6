-- +goose Up

-- Where a bucket's rules for other origins come from. A bucket without a row is off.
CREATE TABLE bucket_cors (
    backend    TEXT NOT NULL,
    bucket     TEXT NOT NULL,
    mode       TEXT NOT NULL,
    rules      TEXT NOT NULL, -- JSON
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (backend, bucket)
) WITHOUT ROWID;
