-- +goose Up

ALTER TABLE bindings ADD COLUMN index_document TEXT NOT NULL DEFAULT '';
