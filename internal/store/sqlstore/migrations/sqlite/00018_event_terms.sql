-- +goose Up

-- The words that event_words has, so that those which begin with a text can be
-- told without its being one of the indexed prefixes.
CREATE VIRTUAL TABLE event_terms USING fts5vocab(event_words, instance);
