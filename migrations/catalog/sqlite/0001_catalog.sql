-- +goose Up

CREATE TABLE sellers (
    id          TEXT    PRIMARY KEY,
    slug        TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL UNIQUE,     -- the name in lower case: one seller has it
    about       TEXT    NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('applied', 'approved', 'suspended')),
    why         TEXT    NOT NULL,            -- reason of the last change of status
    legal       TEXT    NOT NULL,            -- JSON of the legal party
    currency    TEXT    NOT NULL,
    commission  INTEGER NOT NULL,            -- basis points
    applied_by  TEXT    NOT NULL,
    external_id TEXT    NOT NULL,            -- its name in product feeds, or ''
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sellers_external ON sellers (external_id) WHERE external_id <> '';

CREATE TABLE categories (
    id        TEXT    PRIMARY KEY,
    parent_id TEXT    NOT NULL,              -- '' at the root
    path      TEXT    NOT NULL UNIQUE,       -- slugs from the root
    name      TEXT    NOT NULL,
    depth     INTEGER NOT NULL,
    hue       INTEGER NOT NULL               -- 0 inherits
) STRICT;

CREATE TABLE listings (
    id          TEXT    PRIMARY KEY,
    seller_id   TEXT    NOT NULL REFERENCES sellers (id),
    external_id TEXT    NOT NULL,            -- the seller's own id, or ''
    feed_lead   TEXT    NOT NULL DEFAULT '', -- id of the feed row whose texts the listing has
    title       TEXT    NOT NULL,
    description TEXT    NOT NULL,
    brand       TEXT    NOT NULL,
    category_id TEXT    NOT NULL,            -- '' for none
    condition   TEXT    NOT NULL,
    tax_class   TEXT    NOT NULL,
    attributes  TEXT    NOT NULL,            -- JSON, in the seller's order
    images      TEXT    NOT NULL,            -- JSON
    image       TEXT    NOT NULL,            -- address of the first one, or ''
    status      TEXT    NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,            -- grows with edits: what an edit is checked against
    revision    INTEGER NOT NULL             -- grows with every ListingChanged: edits and availability
) STRICT;
CREATE UNIQUE INDEX listings_external ON listings (seller_id, external_id) WHERE external_id <> '';
CREATE INDEX listings_owner ON listings (seller_id, created_at, id, status);
CREATE INDEX listings_new ON listings (created_at, id);

CREATE TABLE variants (
    id          TEXT    PRIMARY KEY,
    listing_id  TEXT    NOT NULL REFERENCES listings (id),
    seller_id   TEXT    NOT NULL,            -- the listing's, for the two rules below
    external_id TEXT    NOT NULL,            -- the feed row that it comes from, or ''
    feed_hash   BLOB,                        -- of that row when it was last applied; NULL after an edit by hand
    position    INTEGER NOT NULL,
    sku         TEXT    NOT NULL,
    gtin        TEXT    NOT NULL,
    options     TEXT    NOT NULL,            -- JSON
    currency    TEXT    NOT NULL,
    price       INTEGER NOT NULL,
    was_price   INTEGER,                     -- in the same currency
    grams       INTEGER NOT NULL,
    withdrawn   INTEGER NOT NULL
) STRICT;
CREATE INDEX variants_listing ON variants (listing_id, position);
CREATE UNIQUE INDEX variants_sku ON variants (seller_id, sku) WHERE sku <> '' AND withdrawn = 0;
CREATE UNIQUE INDEX variants_external ON variants (seller_id, external_id) WHERE external_id <> '';

-- How much there is of each variant: the sum of its movements, kept by the trigger below so
-- that nothing can be booked without being counted. A quantity below zero fails the booking.
CREATE TABLE stock (
    variant_id TEXT    PRIMARY KEY REFERENCES variants (id),
    on_hand    INTEGER NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    held       INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    allocated  INTEGER NOT NULL DEFAULT 0 CHECK (allocated >= 0),
    counted_at INTEGER NOT NULL DEFAULT 0    -- the moment of the last count that was booked
) STRICT, WITHOUT ROWID;

-- The journal. Rows are added, never changed.
CREATE TABLE movements (
    seq        INTEGER PRIMARY KEY,
    variant_id TEXT    NOT NULL REFERENCES stock (variant_id),
    kind       TEXT    NOT NULL,
    on_hand    INTEGER NOT NULL,             -- change of each quantity
    held       INTEGER NOT NULL,
    allocated  INTEGER NOT NULL,
    order_id   TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    why        TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX movements_variant ON movements (variant_id, at, seq);

-- +goose StatementBegin
CREATE TRIGGER movements_counted AFTER INSERT ON movements
BEGIN
    UPDATE stock SET on_hand = on_hand + new.on_hand, held = held + new.held, allocated = allocated + new.allocated
    WHERE variant_id = new.variant_id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER movements_kept BEFORE UPDATE ON movements
BEGIN
    SELECT RAISE(ABORT, 'the journal of stock is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER movements_kept_too BEFORE DELETE ON movements
BEGIN
    SELECT RAISE(ABORT, 'the journal of stock is append-only');
END;
-- +goose StatementEnd

-- A reservation lives for ever under the key that it was made with; a tombstone is one that
-- was undone before it was made.
CREATE TABLE reservations (
    key        TEXT    PRIMARY KEY,
    body_hash  BLOB,                         -- NULL for a tombstone
    order_id   TEXT    NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('held', 'confirmed', 'allocated', 'released', 'expired', 'done', 'refused')),
    until      INTEGER NOT NULL,             -- 0 without a term
    refusal    TEXT    NOT NULL,             -- JSON of why it was refused, or ''
    undone     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_term ON reservations (until) WHERE status = 'held';
CREATE INDEX reservations_open ON reservations (key) WHERE status IN ('held', 'confirmed', 'allocated');

-- What open reservations hold or have allocated now.
CREATE TABLE reservation_items (
    reservation TEXT    NOT NULL REFERENCES reservations (key),
    position    INTEGER NOT NULL,
    variant_id  TEXT    NOT NULL REFERENCES stock (variant_id),
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reservation, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_items_variant ON reservation_items (variant_id);

-- The later steps of reservations by their own keys, and how they ended.
CREATE TABLE reservation_steps (
    operation   TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    reservation TEXT    NOT NULL,
    body_hash   BLOB    NOT NULL,
    refusal     TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (operation, key)
) STRICT, WITHOUT ROWID;

-- Every import of a product feed, kept up as it goes on.
CREATE TABLE imports (
    id          TEXT    PRIMARY KEY,
    seller_id   TEXT    NOT NULL,            -- '' for a feed of many
    status      TEXT    NOT NULL CHECK (status IN ('running', 'done', 'stopped')),
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    read_rows   INTEGER NOT NULL,
    rejected    INTEGER NOT NULL,
    created     INTEGER NOT NULL,            -- variants
    updated     INTEGER NOT NULL,
    unchanged   INTEGER NOT NULL
) STRICT;
