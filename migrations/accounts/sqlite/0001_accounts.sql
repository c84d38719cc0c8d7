-- +goose Up

-- A person has credentials, or is a guest: someone who bought without. Both may have the same
-- address and stay two people, so that whoever registers an address reads no guest's orders.
CREATE TABLE people (
    id         TEXT PRIMARY KEY,
    email      TEXT NOT NULL,
    email_key  TEXT NOT NULL, -- what addresses are compared by
    name       TEXT NOT NULL,
    guest      INTEGER NOT NULL CHECK (guest IN (0, 1)),
    password   TEXT NOT NULL, -- argon2id as a PHC string; '' for guests
    created_at INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    CHECK ((guest = 1) = (password = ''))
) STRICT;
CREATE UNIQUE INDEX people_email ON people (email_key, guest);
CREATE INDEX people_found ON people (email_key, id);

-- A person has one role per seller; the operator's has none ('').
CREATE TABLE roles (
    person_id  TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    seller_id  TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('operator', 'owner', 'staff')),
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (person_id, seller_id),
    CHECK ((kind = 'operator') = (seller_id = ''))
) STRICT, WITHOUT ROWID;
CREATE INDEX roles_seller ON roles (seller_id, person_id);

-- The sellers whose applicant has been made the owner: that happens once, so that an owner who
-- was taken off does not come back when the seller is approved again.
CREATE TABLE appointed (
    seller_id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL,
    at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Of secrets there are hashes only. After a rotation the previous one is good for a minute.
CREATE TABLE sessions (
    id             TEXT PRIMARY KEY,
    person_id      TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    hash           TEXT NOT NULL UNIQUE,
    previous       TEXT UNIQUE,
    previous_until INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    used_at        INTEGER NOT NULL,
    rotate_at      INTEGER NOT NULL,
    ends_at        INTEGER NOT NULL,
    agent          TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_person ON sessions (person_id, used_at, id);
CREATE INDEX sessions_idle ON sessions (used_at);
CREATE INDEX sessions_ending ON sessions (ends_at);

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    person_id  TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,
    hint       TEXT NOT NULL,
    scopes     TEXT NOT NULL, -- divided by spaces
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL DEFAULT 0,
    used_at    INTEGER NOT NULL DEFAULT 0,
    revoked_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tokens_person ON tokens (person_id, created_at, id);
CREATE INDEX tokens_expired ON tokens (expires_at) WHERE expires_at > 0;
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at > 0;

-- A removed entry stays for a while, to be put back.
CREATE TABLE addresses (
    person_id   TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    id          TEXT NOT NULL UNIQUE,
    label       TEXT NOT NULL,
    name        TEXT NOT NULL,
    line1       TEXT NOT NULL,
    line2       TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    city        TEXT NOT NULL,
    region      TEXT NOT NULL,
    country     TEXT NOT NULL,
    phone       TEXT NOT NULL,
    is_default  INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    place       INTEGER NOT NULL, -- in the order added
    removed_at  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (person_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_removed ON addresses (removed_at) WHERE removed_at > 0;

-- Tries to guess a password, by account and by the client's address: hashes of both.
CREATE TABLE tries (
    subject TEXT PRIMARY KEY,
    failed  INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    until   INTEGER NOT NULL -- the next try is possible then
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_last ON tries (last_at);
