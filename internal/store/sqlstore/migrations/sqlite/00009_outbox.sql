-- +goose Up

-- What transactions recorded in the audit trail, until the journal has it too.
CREATE TABLE outbox (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- never taken twice
    outcome INTEGER NOT NULL, -- 0: body is an event
    body    TEXT NOT NULL -- JSON
);
