-- +goose Up

-- Filters of the audit trail that accounts have named.
CREATE TABLE audit_views (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    filter     TEXT NOT NULL, -- JSON: what each field is filtered by
    saved_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, name)
);
