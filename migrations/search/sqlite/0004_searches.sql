-- +goose Up

-- What people search for, counted by text and day (UTC): nothing in here is about a person. Texts that may be
-- are in the sums of the day alone. Each process adds what it has counted every few seconds.
CREATE TABLE searches (
    day         INTEGER NOT NULL,            -- since 1970
    name        TEXT    NOT NULL,            -- hash of the text, for the addresses of results
    text        TEXT    NOT NULL,            -- in lower case
    low         INTEGER NOT NULL,            -- by how much the count may be too low: another text had its place before
    searches    INTEGER NOT NULL,
    empty       INTEGER NOT NULL,            -- found nothing
    corrected   INTEGER NOT NULL,            -- something else was searched for instead
    suitable    INTEGER NOT NULL,            -- found what has all its words: fit to be suggested
    clicks_1    INTEGER NOT NULL,            -- results chosen in the first place,
    clicks_3    INTEGER NOT NULL,            -- the second and third,
    clicks_10   INTEGER NOT NULL,            -- up to the tenth,
    clicks_more INTEGER NOT NULL,
    bought      INTEGER NOT NULL,            -- thousandths of order lines that followed
    PRIMARY KEY (day, name)
) STRICT, WITHOUT ROWID;

-- The same of all searches of a day.
CREATE TABLE search_days (
    day         INTEGER PRIMARY KEY,
    searches    INTEGER NOT NULL,
    empty       INTEGER NOT NULL,
    corrected   INTEGER NOT NULL,
    suitable    INTEGER NOT NULL,
    clicks_1    INTEGER NOT NULL,
    clicks_3    INTEGER NOT NULL,
    clicks_10   INTEGER NOT NULL,
    clicks_more INTEGER NOT NULL,
    bought      INTEGER NOT NULL
) STRICT;

-- How often a listing was chosen among the results of a text, by hour; for two days.
CREATE TABLE search_clicks (
    listing_id TEXT    NOT NULL,
    hour       INTEGER NOT NULL,             -- since 1970
    name       TEXT    NOT NULL,             -- of the text
    clicks     INTEGER NOT NULL,
    PRIMARY KEY (listing_id, hour, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX search_clicks_hour ON search_clicks (hour);
