-- +goose Up

-- How much of what is used are parts of uploads; -1: not known before the next count.
ALTER TABLE bucket_usage ADD COLUMN parts_bytes INTEGER NOT NULL DEFAULT -1;

-- Counts under way do not know it: they begin anew.
UPDATE bucket_usage SET scan = '';
