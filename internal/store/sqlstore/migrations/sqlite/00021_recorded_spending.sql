-- +goose Up

-- What the audit trail tells was spent in the span. Of what was spent before there
-- was this column it tells nothing: leases are taken for spent.
ALTER TABLE credential_spent ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;
UPDATE credential_spent SET recorded = bytes;
