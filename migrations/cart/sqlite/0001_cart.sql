-- +goose Up

-- A cart belongs to a person ("per_…") or to a guest's token ("guest:" and its hash). An owner
-- has one cart at a time that is not closed.
CREATE TABLE carts (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('open', 'claimed', 'closed')),
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX carts_current ON carts (owner) WHERE status <> 'closed';
CREATE INDEX carts_untouched ON carts (changed_at, id) WHERE status = 'open';

CREATE TABLE cart_lines (
    cart_id       TEXT NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    variant_id    TEXT NOT NULL,
    seller_id     TEXT NOT NULL, -- whose goods: never changes for a variant
    quantity      INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    seen_amount   INTEGER NOT NULL,
    seen_currency TEXT NOT NULL,
    place         INTEGER NOT NULL, -- in the order added
    added_at      INTEGER NOT NULL,
    PRIMARY KEY (cart_id, variant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cart_codes (
    cart_id TEXT NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    code    TEXT NOT NULL,
    place   INTEGER NOT NULL,
    PRIMARY KEY (cart_id, code)
) STRICT, WITHOUT ROWID;

-- A claim gives a cart to one checkout. While it lasts it keeps the quote that the buyer agreed
-- to, whole, to answer the same key again; afterwards that is the order's, and is dropped here.
CREATE TABLE claims (
    key      TEXT PRIMARY KEY,
    cart_id  TEXT NOT NULL REFERENCES carts (id),
    order_id TEXT NOT NULL,
    person   TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('claimed', 'closed', 'released')),
    quote    TEXT NOT NULL,
    at       INTEGER NOT NULL,
    ended_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX claims_open ON claims (cart_id) WHERE state = 'claimed';
CREATE INDEX claims_of_cart ON claims (cart_id);
CREATE INDEX claims_audit ON claims (key) WHERE state = 'claimed';

CREATE TABLE coupons (
    id               TEXT PRIMARY KEY,
    seller_id        TEXT NOT NULL, -- '' is site-wide
    code             TEXT NOT NULL UNIQUE,
    label            TEXT NOT NULL,
    funder           TEXT NOT NULL CHECK (funder IN ('platform', 'seller')),
    percent          INTEGER NOT NULL CHECK (percent BETWEEN 0 AND 10000),
    amount           INTEGER NOT NULL CHECK (amount >= 0),
    amount_currency  TEXT NOT NULL,
    minimum          INTEGER NOT NULL CHECK (minimum >= 0),
    minimum_currency TEXT NOT NULL,
    from_at          INTEGER NOT NULL,
    until_at         INTEGER NOT NULL,
    use_limit        INTEGER NOT NULL CHECK (use_limit >= 0),
    person_limit     INTEGER NOT NULL CHECK (person_limit >= 0),
    used             INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0 AND (use_limit = 0 OR used <= use_limit)),
    ended            INTEGER NOT NULL DEFAULT 0,
    created_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL
) STRICT;
CREATE INDEX coupons_of_seller ON coupons (seller_id, created_at DESC, id DESC);
CREATE INDEX coupons_newest ON coupons (created_at DESC, id DESC);

-- One row per coupon that a claim uses; given back when the claim is released.
CREATE TABLE coupon_uses (
    claim_key TEXT NOT NULL REFERENCES claims (key),
    coupon_id TEXT NOT NULL REFERENCES coupons (id),
    person    TEXT NOT NULL,
    given_back INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (claim_key, coupon_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX coupon_uses_person ON coupon_uses (coupon_id, person) WHERE given_back = 0;

-- Tables are small and replaced whole: their rows are JSON.
CREATE TABLE shipping_tables (
    seller_id  TEXT PRIMARY KEY, -- '' is the marketplace's own
    zones      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tax_tables (
    country    TEXT PRIMARY KEY, -- '' applies where no other does
    included   INTEGER NOT NULL,
    rates      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
