-- +goose Up

-- The words of an event's key and detail, by events.seq, and what it is filtered
-- by most: each of these a word that begins with an underscore, which no other
-- does. An event has a row here from its end on. Prefixes of the lengths named are
-- looked up as words are; what is longer is cut to the next of them.
CREATE VIRTUAL TABLE event_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '_'", prefix = '1 2 3 5 9 16'
);
INSERT INTO event_words (rowid, words)
    SELECT seq, replace(object_key || ' ' || coalesce((
            SELECT group_concat(CASE path WHEN '$.changes' THEN key || ' ' || atom ELSE atom END, ' ')
            FROM json_tree(events.detail) WHERE atom IS NOT NULL), ''), '_', ' ')
        || ' _o' || hex(action) || ' _r' || hex(result)
        || CASE WHEN access_key_id <> '' THEN ' _k' || hex(access_key_id) ELSE '' END
        || CASE WHEN account <> '' THEN ' _a' || hex(account) ELSE '' END
        || CASE WHEN bucket <> '' THEN ' _b' || hex(backend || '/' || bucket) ELSE '' END
    FROM events WHERE is_open = 0;
