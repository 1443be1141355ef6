-- +goose Up

-- Where a count goes on after a restart; '': from its beginning.
ALTER TABLE bucket_usage ADD COLUMN scan TEXT NOT NULL DEFAULT ''; -- JSON
