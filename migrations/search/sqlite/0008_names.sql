-- +goose Up

-- What searches are named with in the addresses of results: a keyed hash of their text, so that a name tells its text
-- to nobody who tries texts. The key is made when it is first needed; who has it, has the texts too.
CREATE TABLE search_names (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB NOT NULL
) STRICT;
