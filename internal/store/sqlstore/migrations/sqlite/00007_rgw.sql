-- +goose Up

-- A Ceph's Admin Ops API.
ALTER TABLE backends ADD COLUMN admin_endpoint TEXT NOT NULL DEFAULT '';
ALTER TABLE backends ADD COLUMN admin_access_key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE backends ADD COLUMN admin_secret BLOB; -- sealed; NULL: none

-- S3 identities of projects. A deleted one stays, without secrets, so that
-- gateways learn of it.
CREATE TABLE rgw_users (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    name_low       TEXT NOT NULL, -- lower case, for searching
    project_id     TEXT NOT NULL,
    backend        TEXT NOT NULL,
    uid            TEXT NOT NULL, -- at the backend; '' where the gateway is its home
    adopted        INTEGER NOT NULL,
    access_key_id  TEXT NOT NULL,
    state          TEXT NOT NULL,
    status         TEXT NOT NULL,
    locked         INTEGER NOT NULL,
    lock_reason    TEXT NOT NULL,
    quota_kb       INTEGER NOT NULL, -- -1: unlimited
    quota_enabled  INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    key_renewed_at INTEGER NOT NULL,
    deleted_at     INTEGER NOT NULL,
    generation     INTEGER NOT NULL,
    secret_current BLOB, -- sealed; NULL: none
    secret_pending BLOB
);
CREATE UNIQUE INDEX rgw_users_name ON rgw_users (project_id, name) WHERE deleted_at = 0;
CREATE UNIQUE INDEX rgw_users_key ON rgw_users (access_key_id) WHERE deleted_at = 0;
CREATE UNIQUE INDEX rgw_users_uid ON rgw_users (backend, uid) WHERE deleted_at = 0 AND uid <> '';
CREATE INDEX rgw_users_newest ON rgw_users (created_at, id) WHERE deleted_at = 0;
CREATE INDEX rgw_users_project ON rgw_users (project_id, created_at, id) WHERE deleted_at = 0;
CREATE INDEX rgw_users_changed ON rgw_users (generation, id);

-- Buckets of users whose home is the gateway.
CREATE TABLE rgw_buckets (
    backend    TEXT NOT NULL,
    name       TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES rgw_users (id),
    acl        TEXT NOT NULL,
    made       INTEGER NOT NULL, -- 0: the backend has not confirmed it yet
    created_at INTEGER NOT NULL,
    PRIMARY KEY (backend, name)
) WITHOUT ROWID;
CREATE INDEX rgw_buckets_user ON rgw_buckets (user_id, name);

-- Long work, such as a deletion with all objects.
CREATE TABLE rgw_jobs (
    id          TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES rgw_users (id),
    state       TEXT NOT NULL,
    account     TEXT NOT NULL, -- name of who asked
    token_id    TEXT NOT NULL,
    buckets     INTEGER NOT NULL,
    buckets_left INTEGER NOT NULL,
    objects     INTEGER NOT NULL, -- deleted so far
    message     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX rgw_jobs_user ON rgw_jobs (user_id, created_at);
CREATE INDEX rgw_jobs_running ON rgw_jobs (id) WHERE state IN ('running', 'cancelling');
