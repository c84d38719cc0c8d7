-- +goose Up

-- What was sold of each listing, heard from orders. It belongs to neither set of the index: a rebuild of the
-- index leaves it as it is, and listings that are not known yet may have sales.

-- A line of a seller order, as long as it can still be cancelled. Both numbers only ever grow, so that
-- an event that is heard twice changes nothing.
CREATE TABLE sold_lines (
    seller_order_id TEXT    NOT NULL,
    variant_id      TEXT    NOT NULL,
    listing_id      TEXT    NOT NULL,
    day             INTEGER NOT NULL,        -- of the order, days since 1970 in UTC; 0 until it is heard of
    placed          INTEGER NOT NULL,        -- pieces
    cancelled       INTEGER NOT NULL,
    round           INTEGER NOT NULL,        -- the reading of orders that has seen it last
    PRIMARY KEY (seller_order_id, variant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sold_lines_day ON sold_lines (day);
CREATE INDEX sold_lines_round ON sold_lines (round);

-- Pieces sold and not cancelled, by the day of the order.
CREATE TABLE sold_days (
    listing_id TEXT    NOT NULL,
    day        INTEGER NOT NULL,
    pieces     INTEGER NOT NULL,
    PRIMARY KEY (listing_id, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX sold_days_day ON sold_days (day);

-- What a listing is sorted by: see searchsvc/internal/sales.
CREATE TABLE sold (
    listing_id TEXT    PRIMARY KEY,
    score      INTEGER NOT NULL,
    change     INTEGER NOT NULL UNIQUE       -- grows with every write to the table
) STRICT;
