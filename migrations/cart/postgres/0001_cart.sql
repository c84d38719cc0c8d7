-- +goose Up

-- A cart belongs to a person ("per_…") or to a guest's token ("guest:" and its hash). An owner
-- has one cart at a time that is not closed.
CREATE TABLE carts (
    id         TEXT COLLATE "C" PRIMARY KEY,
    owner      TEXT COLLATE "C" NOT NULL,
    status     TEXT COLLATE "C" NOT NULL CHECK (status IN ('open', 'claimed', 'closed')),
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX carts_current ON carts (owner) WHERE status <> 'closed';
CREATE INDEX carts_untouched ON carts (changed_at, id) WHERE status = 'open';

CREATE TABLE cart_lines (
    cart_id       TEXT COLLATE "C" NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    variant_id    TEXT COLLATE "C" NOT NULL,
    seller_id     TEXT COLLATE "C" NOT NULL, -- whose goods: never changes for a variant
    quantity      BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    seen_amount   BIGINT NOT NULL,
    seen_currency TEXT COLLATE "C" NOT NULL,
    place         BIGINT NOT NULL,           -- in the order added
    added_at      BIGINT NOT NULL,
    PRIMARY KEY (cart_id, variant_id)
);

CREATE TABLE cart_codes (
    cart_id TEXT COLLATE "C" NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    code    TEXT COLLATE "C" NOT NULL,
    place   BIGINT NOT NULL,
    PRIMARY KEY (cart_id, code)
);

-- A claim gives a cart to one checkout. While it lasts it keeps the quote that the buyer agreed
-- to, whole, to answer the same key again; afterwards that is the order's, and is dropped here.
CREATE TABLE claims (
    key      TEXT COLLATE "C" PRIMARY KEY,
    cart_id  TEXT COLLATE "C" NOT NULL REFERENCES carts (id),
    order_id TEXT COLLATE "C" NOT NULL,
    person   TEXT COLLATE "C" NOT NULL,
    state    TEXT COLLATE "C" NOT NULL CHECK (state IN ('claimed', 'closed', 'released')),
    quote    TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX claims_open ON claims (cart_id) WHERE state = 'claimed';
CREATE INDEX claims_of_cart ON claims (cart_id);
CREATE INDEX claims_audit ON claims (key) WHERE state = 'claimed';

CREATE TABLE coupons (
    id               TEXT COLLATE "C" PRIMARY KEY,
    seller_id        TEXT COLLATE "C" NOT NULL, -- '' is site-wide
    code             TEXT COLLATE "C" NOT NULL UNIQUE,
    label            TEXT COLLATE "C" NOT NULL,
    funder           TEXT COLLATE "C" NOT NULL CHECK (funder IN ('platform', 'seller')),
    percent          BIGINT NOT NULL CHECK (percent BETWEEN 0 AND 10000),
    amount           BIGINT NOT NULL CHECK (amount >= 0),
    amount_currency  TEXT COLLATE "C" NOT NULL,
    minimum          BIGINT NOT NULL CHECK (minimum >= 0),
    minimum_currency TEXT COLLATE "C" NOT NULL,
    from_at          BIGINT NOT NULL,
    until_at         BIGINT NOT NULL,
    use_limit        BIGINT NOT NULL CHECK (use_limit >= 0),
    person_limit     BIGINT NOT NULL CHECK (person_limit >= 0),
    used             BIGINT NOT NULL DEFAULT 0 CHECK (used >= 0 AND (use_limit = 0 OR used <= use_limit)),
    ended            BIGINT NOT NULL DEFAULT 0,
    created_at       BIGINT NOT NULL,
    version          BIGINT NOT NULL
);
CREATE INDEX coupons_of_seller ON coupons (seller_id, created_at DESC, id DESC);
CREATE INDEX coupons_newest ON coupons (created_at DESC, id DESC);

-- One row per coupon that a claim uses; given back when the claim is released.
CREATE TABLE coupon_uses (
    claim_key  TEXT COLLATE "C" NOT NULL REFERENCES claims (key),
    coupon_id  TEXT COLLATE "C" NOT NULL REFERENCES coupons (id),
    person     TEXT COLLATE "C" NOT NULL,
    given_back BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (claim_key, coupon_id)
);
CREATE INDEX coupon_uses_person ON coupon_uses (coupon_id, person) WHERE given_back = 0;

-- Tables are small and replaced whole: their rows are JSON.
CREATE TABLE shipping_tables (
    seller_id  TEXT COLLATE "C" PRIMARY KEY, -- '' is the marketplace's own
    zones      TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE tax_tables (
    country    TEXT COLLATE "C" PRIMARY KEY, -- '' applies where no other does
    included   BIGINT NOT NULL,
    rates      TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
