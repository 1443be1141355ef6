-- +goose Up

-- Uploads in parts of which a quota refused something that was not stored since.
CREATE TABLE refused_uploads (
    backend       TEXT NOT NULL,
    bucket        TEXT NOT NULL,
    object_key    TEXT NOT NULL,
    upload_id     TEXT NOT NULL,
    parts         TEXT NOT NULL, -- JSON: the numbers that were refused
    access_key_id TEXT NOT NULL,
    user_id       TEXT NOT NULL, -- of an RGW user at a Ceph; else empty
    refused_at    INTEGER NOT NULL,
    heard_at      INTEGER NOT NULL,
    PRIMARY KEY (backend, bucket, object_key, upload_id, user_id)
);
