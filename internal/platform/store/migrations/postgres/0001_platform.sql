-- +goose Up

-- Every text is compared by its bytes (COLLATE "C"), whatever the database's own language: so
-- it is on SQLite, and pages by key rely on it.

-- What SQLite has and PostgreSQL has not, so that SQL is written once: the greater and the
-- smaller of two, where one text begins in another, and the elements of a JSON array.
CREATE FUNCTION max(a bigint, b bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT greatest(a, b)';
CREATE FUNCTION min(a bigint, b bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT least(a, b)';
CREATE FUNCTION instr(a text, b text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT strpos(a, b)';
CREATE FUNCTION json_each(a text) RETURNS TABLE (value jsonb) LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS 'SELECT jsonb_array_elements(CAST(a AS jsonb))';

-- The log of what this module has published. Positions come from event_log_state, and are
-- given by one process at a time to what has been committed, so that they have no gaps and are
-- never used again.
CREATE TABLE event_log_state (
    one     BIGINT PRIMARY KEY CHECK (one = 1),
    epoch   TEXT COLLATE "C" NOT NULL, -- random: a cursor of another epoch has lost its place
    head    BIGINT NOT NULL,           -- the last position given out
    trimmed BIGINT NOT NULL            -- every position up to this one is gone
);
INSERT INTO event_log_state (one, epoch, head, trimmed) VALUES (1, replace(CAST(gen_random_uuid() AS text), '-', ''), 0, 0);

CREATE TABLE event_log (
    position BIGINT PRIMARY KEY,
    name     TEXT COLLATE "C" NOT NULL, -- "orders.placed.v1"
    key      TEXT COLLATE "C" NOT NULL, -- order holds per key
    body     TEXT COLLATE "C" NOT NULL, -- JSON
    trace    TEXT COLLATE "C" NOT NULL, -- W3C traceparent, or ''
    at       BIGINT NOT NULL
);
CREATE INDEX event_log_at ON event_log (at);

-- What was published and has no position yet.
CREATE TABLE event_queue (
    seq   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of insertion
    xid   xid8 NOT NULL DEFAULT pg_current_xact_id(),      -- the transaction that published it
    name  TEXT COLLATE "C" NOT NULL,
    key   TEXT COLLATE "C" NOT NULL,
    body  TEXT COLLATE "C" NOT NULL,
    trace TEXT COLLATE "C" NOT NULL,
    at    BIGINT NOT NULL
);

-- Which process gives positions: whoever has raised fence last, until its lease ends by the
-- server's clock.
CREATE TABLE event_sequencer (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    holder TEXT COLLATE "C" NOT NULL,
    fence  BIGINT NOT NULL,
    until  BIGINT NOT NULL
);
INSERT INTO event_sequencer (one, holder, fence, until) VALUES (1, '', 0, 0);

-- How far each subscriber of this module has come in a log. It moves in the transaction
-- of the effects: position - start = applied + skipped + parked.
CREATE TABLE event_cursors (
    subscriber TEXT COLLATE "C" PRIMARY KEY,
    log        TEXT COLLATE "C" NOT NULL,
    epoch      TEXT COLLATE "C" NOT NULL,
    position   BIGINT NOT NULL,                               -- the last position passed
    start      BIGINT NOT NULL,                               -- where it began
    applied    BIGINT NOT NULL DEFAULT 0,
    skipped    BIGINT NOT NULL DEFAULT 0,
    parked     BIGINT NOT NULL DEFAULT 0,
    state      TEXT COLLATE "C" NOT NULL DEFAULT 'following', -- the bus's word for it
    error      TEXT COLLATE "C" NOT NULL DEFAULT '',
    error_at   BIGINT NOT NULL DEFAULT 0,
    tries      BIGINT NOT NULL DEFAULT 0,                     -- of the event after position
    updated_at BIGINT NOT NULL DEFAULT 0
);

-- Events that a subscriber could not apply, whole, with every later one of their key.
CREATE TABLE event_parked (
    subscriber TEXT COLLATE "C" NOT NULL,
    position   BIGINT NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    trace      TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    error      TEXT COLLATE "C" NOT NULL, -- '' for one that only waits behind another
    parked_at  BIGINT NOT NULL,
    epoch      TEXT COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (subscriber, position)
);
CREATE INDEX event_parked_key ON event_parked (subscriber, key, position);

-- The module's own future work. A row is one piece of work, named by kind and key.
CREATE TABLE jobs (
    kind               TEXT COLLATE "C" NOT NULL,
    key                TEXT COLLATE "C" NOT NULL,
    run_at             BIGINT NOT NULL,
    state              TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'running', 'dead')),
    tries              BIGINT NOT NULL DEFAULT 0,
    generation         BIGINT NOT NULL DEFAULT 1, -- raised by every Enqueue
    started_generation BIGINT NOT NULL DEFAULT 0, -- the generation that a run began with: a higher one now means once more
    fence              BIGINT NOT NULL DEFAULT 0, -- raised by every start, checked in the job's own writes
    leased_until       BIGINT NOT NULL DEFAULT 0,
    error              TEXT COLLATE "C" NOT NULL DEFAULT '',
    trace              TEXT COLLATE "C" NOT NULL DEFAULT '',
    enqueued_at        BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX jobs_due ON jobs (run_at, kind, key) WHERE state = 'pending';
CREATE INDEX jobs_rest ON jobs (state, updated_at) WHERE state <> 'pending';

-- What each key has brought about. A row without body_hash was undone before it was done.
CREATE TABLE idempotency (
    owner      TEXT COLLATE "C" NOT NULL,
    operation  TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    body_hash  BYTEA,
    result     TEXT COLLATE "C" NOT NULL DEFAULT '',
    refusal    TEXT COLLATE "C" NOT NULL DEFAULT '', -- JSON of the declared refusal, or ''
    undone     BIGINT NOT NULL DEFAULT 0,
    at         BIGINT NOT NULL,
    expires_at BIGINT NOT NULL DEFAULT 0,            -- 0: lives as long as what it made
    PRIMARY KEY (owner, operation, key)
);
CREATE INDEX idempotency_expires ON idempotency (expires_at) WHERE expires_at > 0;

-- Who did what, for whom and why, where staff, an operator or the command line wrote.
CREATE TABLE audit_log (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at           BIGINT NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    person       TEXT COLLATE "C" NOT NULL,
    seller       TEXT COLLATE "C" NOT NULL,
    on_behalf_of TEXT COLLATE "C" NOT NULL,
    action       TEXT COLLATE "C" NOT NULL,
    subject      TEXT COLLATE "C" NOT NULL,
    before       TEXT COLLATE "C" NOT NULL,
    after        TEXT COLLATE "C" NOT NULL,
    why          TEXT COLLATE "C" NOT NULL,
    request      TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_log_subject ON audit_log (subject, id);
CREATE INDEX audit_log_person ON audit_log (person, id);
