-- +goose Up

-- The index exists twice, as set a and as set b. One is searched. While a rebuild is under
-- way it fills the other one, and what is heard meanwhile goes to both; then they change places.
CREATE TABLE generations (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    active     TEXT    NOT NULL CHECK (active IN ('a', 'b')),
    generation INTEGER NOT NULL,             -- grows by one with every change of places
    builder    TEXT    NOT NULL              -- the process that fills the other set, or '': one that died fills nothing
) STRICT;
INSERT INTO generations (one, active, generation, builder) VALUES (1, 'a', 1, '');

CREATE TABLE rebuilds (
    id         TEXT    PRIMARY KEY,
    status     TEXT    NOT NULL CHECK (status IN ('begun', 'done')),
    listings   INTEGER NOT NULL,
    millis     INTEGER NOT NULL,
    begun_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE listings_a (
    doc         INTEGER PRIMARY KEY,         -- its number in words_a; rows are never deleted, so there are no gaps
    id          TEXT    NOT NULL UNIQUE,
    version     INTEGER NOT NULL,            -- of the state heard last
    edition     INTEGER NOT NULL,            -- grows when its words change
    change      INTEGER NOT NULL UNIQUE,     -- grows with every write to the table
    shown       INTEGER NOT NULL CHECK (shown IN (0, 1)), -- active, with something to buy; else it has no words
    seller_id   TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    image       TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    price_from  INTEGER NOT NULL,
    price_to    INTEGER NOT NULL,
    in_stock    INTEGER NOT NULL CHECK (in_stock IN (0, 1)),
    variants    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    print       BLOB    NOT NULL,            -- hash of the words that follow
    title       TEXT    NOT NULL,
    brand       TEXT    NOT NULL,
    category    TEXT    NOT NULL,            -- names from the root, when it was written
    description TEXT    NOT NULL,
    details     TEXT    NOT NULL,            -- attributes and options
    codes       TEXT    NOT NULL             -- SKU, GTIN
) STRICT;

CREATE VIRTUAL TABLE words_a USING fts5 (
    title, brand, category, description, details, codes,
    content = 'listings_a', content_rowid = 'doc', tokenize = 'porter unicode61 remove_diacritics 2'
);

-- Listings whose words are to be indexed when the batch of events ends.
CREATE TABLE stale_a (doc INTEGER PRIMARY KEY) STRICT;

CREATE TABLE sellers_a (
    id       TEXT    PRIMARY KEY,
    slug     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
    change   INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE categories_a (
    id     TEXT    PRIMARY KEY,
    path   TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    words  TEXT    NOT NULL,                 -- names from the root
    change INTEGER NOT NULL UNIQUE
) STRICT;
CREATE INDEX categories_a_path ON categories_a (path);

CREATE TABLE listings_b (
    doc         INTEGER PRIMARY KEY,         -- its number in words_b; rows are never deleted, so there are no gaps
    id          TEXT    NOT NULL UNIQUE,
    version     INTEGER NOT NULL,            -- of the state heard last
    edition     INTEGER NOT NULL,            -- grows when its words change
    change      INTEGER NOT NULL UNIQUE,     -- grows with every write to the table
    shown       INTEGER NOT NULL CHECK (shown IN (0, 1)), -- active, with something to buy; else it has no words
    seller_id   TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    image       TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    price_from  INTEGER NOT NULL,
    price_to    INTEGER NOT NULL,
    in_stock    INTEGER NOT NULL CHECK (in_stock IN (0, 1)),
    variants    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    print       BLOB    NOT NULL,            -- hash of the words that follow
    title       TEXT    NOT NULL,
    brand       TEXT    NOT NULL,
    category    TEXT    NOT NULL,            -- names from the root, when it was written
    description TEXT    NOT NULL,
    details     TEXT    NOT NULL,            -- attributes and options
    codes       TEXT    NOT NULL             -- SKU, GTIN
) STRICT;

CREATE VIRTUAL TABLE words_b USING fts5 (
    title, brand, category, description, details, codes,
    content = 'listings_b', content_rowid = 'doc', tokenize = 'porter unicode61 remove_diacritics 2'
);

-- Listings whose words are to be indexed when the batch of events ends.
CREATE TABLE stale_b (doc INTEGER PRIMARY KEY) STRICT;

CREATE TABLE sellers_b (
    id       TEXT    PRIMARY KEY,
    slug     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
    change   INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE categories_b (
    id     TEXT    PRIMARY KEY,
    path   TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    words  TEXT    NOT NULL,                 -- names from the root
    change INTEGER NOT NULL UNIQUE
) STRICT;
CREATE INDEX categories_b_path ON categories_b (path);
