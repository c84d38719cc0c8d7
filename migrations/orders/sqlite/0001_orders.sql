-- +goose Up

-- What a buyer agreed to. Amounts are minor units of the order's one currency. Everything but
-- status, reason, message, refunded, payment, captured, placed_at and version is frozen.
CREATE TABLE orders (
    id            TEXT PRIMARY KEY,
    buyer_id      TEXT NOT NULL,
    number        TEXT NOT NULL UNIQUE,
    guest         INTEGER NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('pending', 'placed', 'completed', 'rejected')),
    reason        TEXT NOT NULL DEFAULT '',
    message       TEXT NOT NULL DEFAULT '',
    contact_email TEXT NOT NULL,
    contact_name  TEXT NOT NULL,
    delivery      TEXT NOT NULL, -- JSON
    invoice       TEXT NOT NULL, -- JSON
    currency      TEXT NOT NULL DEFAULT '', -- '' until quoted
    goods         INTEGER NOT NULL DEFAULT 0,
    discount      INTEGER NOT NULL DEFAULT 0,
    shipping      INTEGER NOT NULL DEFAULT 0,
    tax_added     INTEGER NOT NULL DEFAULT 0,
    tax_contained INTEGER NOT NULL DEFAULT 0,
    total         INTEGER NOT NULL DEFAULT 0,
    refunded      INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total),
    pieces        INTEGER NOT NULL DEFAULT 0,
    shown         TEXT NOT NULL DEFAULT '{}', -- JSON: what a list shows of it
    method        TEXT NOT NULL,
    payment_id    TEXT NOT NULL DEFAULT '',
    captured      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    placed_at     INTEGER NOT NULL DEFAULT 0,
    version       INTEGER NOT NULL DEFAULT 1,
    CHECK (total = goods - discount + shipping + tax_added)
) STRICT;
CREATE INDEX orders_of_buyer ON orders (buyer_id, created_at DESC, id DESC);
CREATE INDEX orders_newest ON orders (created_at DESC, id DESC);
CREATE INDEX orders_pending ON orders (created_at DESC, id DESC) WHERE status = 'pending';
CREATE INDEX orders_rejected ON orders (created_at DESC, id DESC) WHERE status = 'rejected';

CREATE TABLE seller_orders (
    id             TEXT PRIMARY KEY,
    order_id       TEXT NOT NULL REFERENCES orders (id),
    place          INTEGER NOT NULL, -- within the order
    seller_id      TEXT NOT NULL,
    number         TEXT NOT NULL,
    seller_name    TEXT NOT NULL,
    legal          TEXT NOT NULL, -- JSON
    fulfilment     TEXT NOT NULL CHECK (fulfilment IN ('open', 'partly_shipped', 'shipped', 'delivered', 'cancelled')),
    currency       TEXT NOT NULL,
    goods          INTEGER NOT NULL,
    discount       INTEGER NOT NULL,
    shipping       INTEGER NOT NULL,
    tax_added      INTEGER NOT NULL,
    tax_contained  INTEGER NOT NULL,
    total          INTEGER NOT NULL,
    commission     INTEGER NOT NULL,
    refunded       INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total),
    shipping_label TEXT NOT NULL,
    shipping_rule  TEXT NOT NULL,
    paid           INTEGER NOT NULL DEFAULT 0,
    placed_at      INTEGER NOT NULL DEFAULT 0, -- 0: not placed, and no business of the seller
    pieces         INTEGER NOT NULL,
    to_ship        INTEGER NOT NULL,
    titles         TEXT NOT NULL, -- JSON
    country        TEXT NOT NULL,
    version        INTEGER NOT NULL DEFAULT 1,
    CHECK (total = goods - discount + shipping + tax_added)
) STRICT;
CREATE INDEX seller_orders_of_order ON seller_orders (order_id, place);
CREATE INDEX seller_orders_of_seller ON seller_orders (seller_id, placed_at DESC, id DESC) WHERE placed_at > 0;
CREATE INDEX seller_orders_by_fulfilment ON seller_orders (seller_id, fulfilment, placed_at DESC, id DESC) WHERE placed_at > 0;

CREATE TABLE order_lines (
    id              TEXT PRIMARY KEY,
    order_id        TEXT NOT NULL REFERENCES orders (id),
    seller_order_id TEXT NOT NULL REFERENCES seller_orders (id),
    place           INTEGER NOT NULL, -- within the order
    variant_id      TEXT NOT NULL,
    listing_id      TEXT NOT NULL,
    title           TEXT NOT NULL,
    options         TEXT NOT NULL, -- JSON
    sku             TEXT NOT NULL,
    image           TEXT NOT NULL,
    currency        TEXT NOT NULL,
    unit_price      INTEGER NOT NULL,
    goods           INTEGER NOT NULL,
    discount        INTEGER NOT NULL,
    shipping        INTEGER NOT NULL,
    tax_added       INTEGER NOT NULL,
    tax_contained   INTEGER NOT NULL,
    total           INTEGER NOT NULL,
    adjustments     TEXT NOT NULL, -- JSON
    tax_rate        INTEGER NOT NULL,
    tax_included    INTEGER NOT NULL,
    tax_goods       INTEGER NOT NULL,
    tax_shipping    INTEGER NOT NULL,
    commission_rate INTEGER NOT NULL,
    commission_base INTEGER NOT NULL,
    commission      INTEGER NOT NULL,
    quantity        INTEGER NOT NULL CHECK (quantity > 0),
    shipped         INTEGER NOT NULL DEFAULT 0,
    delivered       INTEGER NOT NULL DEFAULT 0,
    cancelled       INTEGER NOT NULL DEFAULT 0,
    refunded        INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total),
    CHECK (total = goods - discount + shipping + tax_added),
    CHECK (delivered BETWEEN 0 AND shipped),
    CHECK (shipped >= 0 AND cancelled >= 0 AND shipped + cancelled <= quantity)
) STRICT;
CREATE INDEX order_lines_of_order ON order_lines (order_id, place);

CREATE TABLE parcels (
    id              TEXT PRIMARY KEY,
    order_id        TEXT NOT NULL REFERENCES orders (id),
    seller_order_id TEXT NOT NULL REFERENCES seller_orders (id),
    carrier         TEXT NOT NULL,
    tracking        TEXT NOT NULL,
    tracking_url    TEXT NOT NULL,
    items           TEXT NOT NULL, -- JSON
    shipped_at      INTEGER NOT NULL,
    delivered_at    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX parcels_of_order ON parcels (order_id, shipped_at, id);

-- What happened to an order, in order. Append-only.
CREATE TABLE timeline (
    order_id        TEXT NOT NULL REFERENCES orders (id),
    seq             INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    what            TEXT NOT NULL,
    seller_order_id TEXT NOT NULL,
    who             TEXT NOT NULL,
    detail          TEXT NOT NULL,
    PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;

-- Money on its way back for goods that were taken back. The key of each refund is its id.
CREATE TABLE refunds (
    id              TEXT PRIMARY KEY,
    order_id        TEXT NOT NULL REFERENCES orders (id),
    seller_order_id TEXT NOT NULL REFERENCES seller_orders (id),
    amount          INTEGER NOT NULL CHECK (amount >= 0),
    currency        TEXT NOT NULL,
    items           TEXT NOT NULL, -- JSON: variants and quantities given back for sale
    why             TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'done')),
    at              INTEGER NOT NULL
) STRICT;
CREATE INDEX refunds_of_order ON refunds (order_id);

-- How far a checkout has come. A cart has one checkout under way.
CREATE TABLE sagas (
    order_id       TEXT PRIMARY KEY REFERENCES orders (id),
    state          TEXT NOT NULL CHECK (state IN ('running', 'parked', 'undoing', 'forward', 'finished', 'case')),
    step           TEXT NOT NULL,
    cart_owner     TEXT NOT NULL,
    cart_id        TEXT NOT NULL,
    cart_version   INTEGER NOT NULL,
    quote_hash     TEXT NOT NULL,
    deadline       INTEGER NOT NULL,
    reservation    TEXT NOT NULL,               -- step by which the goods are held
    reserved_until INTEGER NOT NULL,            -- its term
    until          INTEGER NOT NULL DEFAULT 0,  -- while parked: when waiting ends
    action_url     TEXT NOT NULL DEFAULT '',    -- while parked: where the buyer must go
    reason         TEXT NOT NULL DEFAULT '',    -- while undoing: what for
    message        TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX sagas_open_cart ON sagas (cart_id) WHERE state IN ('running', 'parked', 'undoing');
CREATE INDEX sagas_unfinished ON sagas (state) WHERE state <> 'finished';

-- Random bytes that this installation alone has.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
INSERT INTO secrets (name, value) VALUES ('order_link', randomblob(32));
