-- +goose Up

-- Each event has a word more in event_words, _s and the number of its row of
-- event_spans: all from since on, a few of those before.
CREATE TABLE event_reaches (since INTEGER NOT NULL);
INSERT INTO event_reaches SELECT coalesce(max(seq), 0) + 1 FROM events;
