-- +goose Up

-- A person has credentials, or is a guest: someone who bought without. Both may have the same
-- address and stay two people, so that whoever registers an address reads no guest's orders.
CREATE TABLE people (
    id         TEXT COLLATE "C" PRIMARY KEY,
    email      TEXT COLLATE "C" NOT NULL,
    email_key  TEXT COLLATE "C" NOT NULL, -- what addresses are compared by
    name       TEXT COLLATE "C" NOT NULL,
    guest      BIGINT NOT NULL CHECK (guest IN (0, 1)),
    password   TEXT COLLATE "C" NOT NULL, -- argon2id as a PHC string; '' for guests
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    CHECK ((guest = 1) = (password = ''))
);
CREATE UNIQUE INDEX people_email ON people (email_key, guest);
CREATE INDEX people_found ON people (email_key, id);

-- A person has one role per seller; the operator's has none ('').
CREATE TABLE roles (
    person_id  TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    seller_id  TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL CHECK (kind IN ('operator', 'owner', 'staff')),
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, seller_id),
    CHECK ((kind = 'operator') = (seller_id = ''))
);
CREATE INDEX roles_seller ON roles (seller_id, person_id);

-- The sellers whose applicant has been made the owner: that happens once, so that an owner who
-- was taken off does not come back when the seller is approved again.
CREATE TABLE appointed (
    seller_id TEXT COLLATE "C" PRIMARY KEY,
    person_id TEXT COLLATE "C" NOT NULL,
    at        BIGINT NOT NULL
);

-- Of secrets there are hashes only. After a rotation the previous one is good for a minute.
CREATE TABLE sessions (
    id             TEXT COLLATE "C" PRIMARY KEY,
    person_id      TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    hash           TEXT COLLATE "C" NOT NULL UNIQUE,
    previous       TEXT COLLATE "C" UNIQUE,
    previous_until BIGINT NOT NULL DEFAULT 0,
    created_at     BIGINT NOT NULL,
    used_at        BIGINT NOT NULL,
    rotate_at      BIGINT NOT NULL,
    ends_at        BIGINT NOT NULL,
    agent          TEXT COLLATE "C" NOT NULL
);
CREATE INDEX sessions_person ON sessions (person_id, used_at, id);
CREATE INDEX sessions_idle ON sessions (used_at);
CREATE INDEX sessions_ending ON sessions (ends_at);

CREATE TABLE tokens (
    id         TEXT COLLATE "C" PRIMARY KEY,
    person_id  TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    name       TEXT COLLATE "C" NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL UNIQUE,
    hint       TEXT COLLATE "C" NOT NULL,
    scopes     TEXT COLLATE "C" NOT NULL, -- divided by spaces
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL DEFAULT 0,
    used_at    BIGINT NOT NULL DEFAULT 0,
    revoked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX tokens_person ON tokens (person_id, created_at, id);
CREATE INDEX tokens_expired ON tokens (expires_at) WHERE expires_at > 0;
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at > 0;

-- A removed entry stays for a while, to be put back.
CREATE TABLE addresses (
    person_id   TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    id          TEXT COLLATE "C" NOT NULL UNIQUE,
    label       TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    line1       TEXT COLLATE "C" NOT NULL,
    line2       TEXT COLLATE "C" NOT NULL,
    postal_code TEXT COLLATE "C" NOT NULL,
    city        TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    country     TEXT COLLATE "C" NOT NULL,
    phone       TEXT COLLATE "C" NOT NULL,
    is_default  BIGINT NOT NULL CHECK (is_default IN (0, 1)),
    place       BIGINT NOT NULL, -- in the order added
    removed_at  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (person_id, id)
);
CREATE INDEX addresses_removed ON addresses (removed_at) WHERE removed_at > 0;

-- Tries to guess a password, by account and by the client's address: hashes of both.
CREATE TABLE tries (
    subject TEXT COLLATE "C" PRIMARY KEY,
    failed  BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    until   BIGINT NOT NULL -- the next try is possible then
);
CREATE INDEX tries_last ON tries (last_at);
