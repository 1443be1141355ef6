-- +goose Up

-- What requests were counted. access_key_id is '' where nobody was authenticated.
CREATE TABLE traffic_hours (
    hour          INTEGER NOT NULL, -- its beginning
    access_key_id TEXT NOT NULL,
    backend       TEXT NOT NULL,
    requests      INTEGER NOT NULL,
    reads         INTEGER NOT NULL,
    writes        INTEGER NOT NULL,
    errors        INTEGER NOT NULL,
    refusals      INTEGER NOT NULL,
    bytes_in      INTEGER NOT NULL,
    bytes_out     INTEGER NOT NULL,
    PRIMARY KEY (hour, access_key_id, backend)
) WITHOUT ROWID;
CREATE INDEX traffic_hours_key ON traffic_hours (access_key_id, hour) WHERE access_key_id <> '';

-- The same of late, so that "in the last hour" is just that.
CREATE TABLE traffic_minutes (
    minute        INTEGER NOT NULL, -- its beginning
    access_key_id TEXT NOT NULL,
    requests      INTEGER NOT NULL,
    reads         INTEGER NOT NULL,
    writes        INTEGER NOT NULL,
    errors        INTEGER NOT NULL,
    refusals      INTEGER NOT NULL,
    bytes_in      INTEGER NOT NULL,
    bytes_out     INTEGER NOT NULL,
    PRIMARY KEY (access_key_id, minute)
) WITHOUT ROWID;
CREATE INDEX traffic_minutes_old ON traffic_minutes (minute);

-- Of declared backends too, hence no reference.
CREATE TABLE health_samples (
    backend_id TEXT NOT NULL,
    at         INTEGER NOT NULL,
    healthy    INTEGER NOT NULL,
    latency    INTEGER NOT NULL, -- microseconds
    message    TEXT NOT NULL,
    PRIMARY KEY (backend_id, at)
) WITHOUT ROWID;
CREATE INDEX health_samples_old ON health_samples (at);
