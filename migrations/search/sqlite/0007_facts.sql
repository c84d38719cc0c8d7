-- +goose Up

-- What listings say of themselves by name and value ("Colour: Red"): attributes and options, to
-- narrow by. A listing has the numbers of its facts, each six bytes of a hash, so the words
-- of a fact are kept once.

ALTER TABLE listings_a ADD COLUMN facts BLOB NOT NULL DEFAULT x'';
ALTER TABLE listings_b ADD COLUMN facts BLOB NOT NULL DEFAULT x'';

CREATE TABLE facts_a (
    id   INTEGER PRIMARY KEY,                -- 48 bits of the hash of fact
    fact TEXT    NOT NULL                    -- name and value, with U+001F between them
) STRICT;

CREATE TABLE facts_b (
    id   INTEGER PRIMARY KEY,                -- 48 bits of the hash of fact
    fact TEXT    NOT NULL                    -- name and value, with U+001F between them
) STRICT;
