-- +goose Up

-- Bounds of what a credential writes; '': none of its own.
ALTER TABLE credentials ADD COLUMN limits TEXT NOT NULL DEFAULT ''; -- JSON
CREATE INDEX credentials_bound ON credentials (access_key_id) WHERE limits <> '' AND revoked_at = 0;

-- What is used up of credentials' allowances. It is never below what a running
-- process has let be written.
CREATE TABLE credential_spent (
    access_key_id TEXT PRIMARY KEY REFERENCES credentials (access_key_id) ON DELETE CASCADE,
    per           TEXT NOT NULL, -- the span of the allowance
    since         INTEGER NOT NULL, -- when the span began; 0: all time
    bytes         INTEGER NOT NULL
) WITHOUT ROWID;
