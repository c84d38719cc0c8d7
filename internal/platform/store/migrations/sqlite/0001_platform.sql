-- +goose Up

-- The log of what this module has published. Positions come from event_log_state, so that
-- they have no gaps (a savepoint rolled back gives its positions back) and are never
-- used again (an emptied INTEGER PRIMARY KEY would begin at 1 again).
CREATE TABLE event_log_state (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    epoch   TEXT    NOT NULL,            -- random: a cursor of another epoch has lost its place
    head    INTEGER NOT NULL,            -- the last position given out
    trimmed INTEGER NOT NULL             -- every position up to this one is gone
) STRICT;
INSERT INTO event_log_state (one, epoch, head, trimmed) VALUES (1, lower(hex(randomblob(16))), 0, 0);

CREATE TABLE event_log (
    position INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,           -- "orders.placed.v1"
    key      TEXT    NOT NULL,           -- order holds per key
    body     TEXT    NOT NULL,           -- JSON
    trace    TEXT    NOT NULL,           -- W3C traceparent, or ''
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX event_log_at ON event_log (at);

-- How far each subscriber of this module has come in a log. It moves in the transaction
-- of the effects: position - start = applied + skipped + parked.
CREATE TABLE event_cursors (
    subscriber TEXT    PRIMARY KEY,
    log        TEXT    NOT NULL,
    epoch      TEXT    NOT NULL,
    position   INTEGER NOT NULL,         -- the last position passed
    start      INTEGER NOT NULL,         -- where it began
    applied    INTEGER NOT NULL DEFAULT 0,
    skipped    INTEGER NOT NULL DEFAULT 0,
    parked     INTEGER NOT NULL DEFAULT 0,
    state      TEXT    NOT NULL DEFAULT 'following', -- the bus's word for it
    error      TEXT    NOT NULL DEFAULT '',
    error_at   INTEGER NOT NULL DEFAULT 0,
    tries      INTEGER NOT NULL DEFAULT 0, -- of the event after position
    updated_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Events that a subscriber could not apply, whole, with every later one of their key.
CREATE TABLE event_parked (
    subscriber TEXT    NOT NULL,
    position   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    trace      TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    error      TEXT    NOT NULL,         -- '' for one that only waits behind another
    parked_at  INTEGER NOT NULL,
    epoch      TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (subscriber, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_parked_key ON event_parked (subscriber, key, position);

-- The module's own future work. A row is one piece of work, named by kind and key.
CREATE TABLE jobs (
    kind               TEXT    NOT NULL,
    key                TEXT    NOT NULL,
    run_at             INTEGER NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN ('pending', 'running', 'dead')),
    tries              INTEGER NOT NULL DEFAULT 0,
    generation         INTEGER NOT NULL DEFAULT 1, -- raised by every Enqueue
    started_generation INTEGER NOT NULL DEFAULT 0, -- the generation that a run began with: a higher one now means once more
    fence              INTEGER NOT NULL DEFAULT 0, -- raised by every start, checked in the job's own writes
    leased_until       INTEGER NOT NULL DEFAULT 0,
    error              TEXT    NOT NULL DEFAULT '',
    trace              TEXT    NOT NULL DEFAULT '',
    enqueued_at        INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_due ON jobs (run_at, kind, key) WHERE state = 'pending';
CREATE INDEX jobs_rest ON jobs (state, updated_at) WHERE state <> 'pending';

-- What each key has brought about. A row without body_hash was undone before it was done.
CREATE TABLE idempotency (
    owner      TEXT    NOT NULL,
    operation  TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    body_hash  BLOB,
    result     TEXT    NOT NULL DEFAULT '',
    refusal    TEXT    NOT NULL DEFAULT '', -- JSON of the declared refusal, or ''
    undone     INTEGER NOT NULL DEFAULT 0,
    at         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL DEFAULT 0,  -- 0: lives as long as what it made
    PRIMARY KEY (owner, operation, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expires ON idempotency (expires_at) WHERE expires_at > 0;

-- Who did what, for whom and why, where staff, an operator or the command line wrote.
CREATE TABLE audit_log (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    person       TEXT    NOT NULL,
    seller       TEXT    NOT NULL,
    on_behalf_of TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    before       TEXT    NOT NULL,
    after        TEXT    NOT NULL,
    why          TEXT    NOT NULL,
    request      TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_log_subject ON audit_log (subject, id);
CREATE INDEX audit_log_person ON audit_log (person, id);
