-- +goose Up

-- Which words the texts of listings have, as they are written: of each its hash, four bytes, stored with the first
-- listings that had it. What no one has written need not be looked for in the index. An index that was made before has
-- none here; it is built anew, as by any other analyser.

CREATE TABLE said_a (
    change INTEGER PRIMARY KEY,              -- the last of the write to listings_a that brought these words
    hashes BLOB    NOT NULL
) STRICT;

CREATE TABLE said_b (
    change INTEGER PRIMARY KEY,
    hashes BLOB    NOT NULL
) STRICT;
