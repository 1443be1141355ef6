-- +goose Up

-- What requests did, by day (UTC). The project is that of the RGW user which the
-- access key belonged to.
CREATE TABLE meter_days (
    day           INTEGER NOT NULL, -- its beginning
    backend       TEXT NOT NULL,
    bucket        TEXT NOT NULL,
    access_key_id TEXT NOT NULL,
    project_id    TEXT NOT NULL,
    reads         INTEGER NOT NULL,
    lists         INTEGER NOT NULL,
    writes        INTEGER NOT NULL,
    deletes       INTEGER NOT NULL,
    refused       INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    bytes_in      INTEGER NOT NULL,
    bytes_out     INTEGER NOT NULL,
    PRIMARY KEY (day, backend, bucket, access_key_id, project_id)
) WITHOUT ROWID;
CREATE INDEX meter_days_key ON meter_days (access_key_id, day);
CREATE INDEX meter_days_project ON meter_days (project_id, day) WHERE project_id <> '';

-- What counted buckets held, as last seen on each day.
CREATE TABLE stored_days (
    day        INTEGER NOT NULL,
    backend    TEXT NOT NULL,
    bucket     TEXT NOT NULL,
    project_id TEXT NOT NULL, -- of the RGW user that owned it
    bytes      INTEGER NOT NULL,
    objects    INTEGER NOT NULL,
    PRIMARY KEY (day, backend, bucket)
) WITHOUT ROWID;

-- Finds the project of a key, of a deleted user too.
CREATE INDEX rgw_users_any_key ON rgw_users (access_key_id, deleted_at);
