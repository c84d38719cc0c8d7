-- +goose Up

-- What operators told search about words and places. It belongs to neither set of the index.
CREATE TABLE rules (
    id         TEXT    PRIMARY KEY,
    kind       TEXT    NOT NULL CHECK (kind IN ('synonyms', 'expansion', 'pin', 'bury', 'stop')),
    query      TEXT    NOT NULL,             -- '' of synonyms
    words      TEXT    NOT NULL,             -- JSON, a list of texts
    listing_id TEXT    NOT NULL,             -- of pins and burials
    place      INTEGER NOT NULL,             -- of pins; 1 is the first
    print      TEXT    NOT NULL UNIQUE,      -- equal for rules that say the same
    version    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- Which state the rules are in: who has them in memory sees whether that is still so.
CREATE TABLE rules_edition (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    edition INTEGER NOT NULL
) STRICT;
INSERT INTO rules_edition (one, edition) VALUES (1, 1);
