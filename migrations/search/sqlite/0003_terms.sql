-- +goose Up

-- What a word is, is decided in Go (searchsvc/internal/words), and FTS5 keeps which listings
-- have it and nothing else. An index of the former kind has other words in it: it is given up
-- here, and built again from catalogue by the process that opens it next.

ALTER TABLE generations ADD COLUMN analyser TEXT NOT NULL DEFAULT ''; -- that the words of the active set come from; '' while it has none
UPDATE generations SET analyser = 'unfinished' WHERE EXISTS (SELECT 1 FROM listings_a) OR EXISTS (SELECT 1 FROM listings_b);

DROP TABLE words_a;
DROP TABLE words_b;
DROP TABLE stale_a;
DROP TABLE stale_b;
DROP TABLE listings_a;
DROP TABLE listings_b;

CREATE TABLE listings_a (
    doc         INTEGER PRIMARY KEY,         -- its number in terms_a: a new one, the highest, whenever its words change
    id          TEXT    NOT NULL UNIQUE,
    version     INTEGER NOT NULL,            -- of the state heard last
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
    quality     INTEGER NOT NULL,            -- how well it is described
    print       BLOB    NOT NULL,            -- hash of its words
    title       TEXT    NOT NULL,
    brand       TEXT    NOT NULL,
    description TEXT    NOT NULL             -- the beginning, to show
) STRICT;

-- The terms of each listing, each once. Every sign but a space is part of a term.
CREATE VIRTUAL TABLE terms_a USING fts5 (
    terms, content = '', contentless_delete = 1, detail = 'none', tokenize = "ascii tokenchars '!#$%&()*+,-./:;<=>?@[\]^_`{|}~'"
);

-- The numbers that listings had before.
CREATE TABLE former_a (
    doc    INTEGER PRIMARY KEY,
    change INTEGER NOT NULL UNIQUE           -- of the listing, when it got another
) STRICT;

CREATE TABLE listings_b (
    doc         INTEGER PRIMARY KEY,         -- its number in terms_b: a new one, the highest, whenever its words change
    id          TEXT    NOT NULL UNIQUE,
    version     INTEGER NOT NULL,            -- of the state heard last
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
    quality     INTEGER NOT NULL,            -- how well it is described
    print       BLOB    NOT NULL,            -- hash of its words
    title       TEXT    NOT NULL,
    brand       TEXT    NOT NULL,
    description TEXT    NOT NULL             -- the beginning, to show
) STRICT;

CREATE VIRTUAL TABLE terms_b USING fts5 (
    terms, content = '', contentless_delete = 1, detail = 'none', tokenize = "ascii tokenchars '!#$%&()*+,-./:;<=>?@[\]^_`{|}~'"
);

CREATE TABLE former_b (
    doc    INTEGER PRIMARY KEY,
    change INTEGER NOT NULL UNIQUE           -- of the listing, when it got another
) STRICT;
