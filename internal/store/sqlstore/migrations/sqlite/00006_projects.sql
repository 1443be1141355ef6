-- +goose Up

CREATE TABLE projects (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    name_low   TEXT NOT NULL UNIQUE, -- lower case
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE project_members (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role       TEXT NOT NULL,
    rgw_write  INTEGER NOT NULL,
    added_at   INTEGER NOT NULL,
    PRIMARY KEY (project_id, account_id)
) WITHOUT ROWID;
CREATE INDEX project_members_account ON project_members (account_id, project_id);

-- The project that a token is bound to; '': none. A revoked token stays when its
-- project goes, hence no reference.
ALTER TABLE tokens ADD COLUMN project_id TEXT NOT NULL DEFAULT '';
CREATE INDEX tokens_project ON tokens (project_id) WHERE project_id <> '';
