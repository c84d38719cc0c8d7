-- +goose Up

-- What a buyer agreed to. Amounts are minor units of the order's one currency. Everything but
-- status, reason, message, refunded, payment, captured, placed_at and version is frozen.
CREATE TABLE orders (
    id            TEXT COLLATE "C" PRIMARY KEY,
    buyer_id      TEXT COLLATE "C" NOT NULL,
    number        TEXT COLLATE "C" NOT NULL UNIQUE,
    guest         BIGINT NOT NULL,
    status        TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'placed', 'completed', 'rejected')),
    reason        TEXT COLLATE "C" NOT NULL DEFAULT '',
    message       TEXT COLLATE "C" NOT NULL DEFAULT '',
    contact_email TEXT COLLATE "C" NOT NULL,
    contact_name  TEXT COLLATE "C" NOT NULL,
    delivery      TEXT COLLATE "C" NOT NULL,              -- JSON
    invoice       TEXT COLLATE "C" NOT NULL,              -- JSON
    currency      TEXT COLLATE "C" NOT NULL DEFAULT '',   -- '' until quoted
    goods         BIGINT NOT NULL DEFAULT 0,
    discount      BIGINT NOT NULL DEFAULT 0,
    shipping      BIGINT NOT NULL DEFAULT 0,
    tax_added     BIGINT NOT NULL DEFAULT 0,
    tax_contained BIGINT NOT NULL DEFAULT 0,
    total         BIGINT NOT NULL DEFAULT 0,
    refunded      BIGINT NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total),
    pieces        BIGINT NOT NULL DEFAULT 0,
    shown         TEXT COLLATE "C" NOT NULL DEFAULT '{}', -- JSON: what a list shows of it
    method        TEXT COLLATE "C" NOT NULL,
    payment_id    TEXT COLLATE "C" NOT NULL DEFAULT '',
    captured      BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL,
    placed_at     BIGINT NOT NULL DEFAULT 0,
    version       BIGINT NOT NULL DEFAULT 1,
    CHECK (total = goods - discount + shipping + tax_added)
);
CREATE INDEX orders_of_buyer ON orders (buyer_id, created_at DESC, id DESC);
CREATE INDEX orders_newest ON orders (created_at DESC, id DESC);
CREATE INDEX orders_pending ON orders (created_at DESC, id DESC) WHERE status = 'pending';
CREATE INDEX orders_rejected ON orders (created_at DESC, id DESC) WHERE status = 'rejected';

CREATE TABLE seller_orders (
    id             TEXT COLLATE "C" PRIMARY KEY,
    order_id       TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
    place          BIGINT NOT NULL,           -- within the order
    seller_id      TEXT COLLATE "C" NOT NULL,
    number         TEXT COLLATE "C" NOT NULL,
    seller_name    TEXT COLLATE "C" NOT NULL,
    legal          TEXT COLLATE "C" NOT NULL, -- JSON
    fulfilment     TEXT COLLATE "C" NOT NULL CHECK (fulfilment IN ('open', 'partly_shipped', 'shipped', 'delivered', 'cancelled')),
    currency       TEXT COLLATE "C" NOT NULL,
    goods          BIGINT NOT NULL,
    discount       BIGINT NOT NULL,
    shipping       BIGINT NOT NULL,
    tax_added      BIGINT NOT NULL,
    tax_contained  BIGINT NOT NULL,
    total          BIGINT NOT NULL,
    commission     BIGINT NOT NULL,
    refunded       BIGINT NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total),
    shipping_label TEXT COLLATE "C" NOT NULL,
    shipping_rule  TEXT COLLATE "C" NOT NULL,
    paid           BIGINT NOT NULL DEFAULT 0,
    placed_at      BIGINT NOT NULL DEFAULT 0, -- 0: not placed, and no business of the seller
    pieces         BIGINT NOT NULL,
    to_ship        BIGINT NOT NULL,
    titles         TEXT COLLATE "C" NOT NULL, -- JSON
    country        TEXT COLLATE "C" NOT NULL,
    version        BIGINT NOT NULL DEFAULT 1,
    CHECK (total = goods - discount + shipping + tax_added)
);
CREATE INDEX seller_orders_of_order ON seller_orders (order_id, place);
CREATE INDEX seller_orders_of_seller ON seller_orders (seller_id, placed_at DESC, id DESC) WHERE placed_at > 0;
CREATE INDEX seller_orders_by_fulfilment ON seller_orders (seller_id, fulfilment, placed_at DESC, id DESC) WHERE placed_at > 0;

CREATE TABLE order_lines (
    id              TEXT COLLATE "C" PRIMARY KEY,
    order_id        TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
    seller_order_id TEXT COLLATE "C" NOT NULL REFERENCES seller_orders (id),
    place           BIGINT NOT NULL,           -- within the order
    variant_id      TEXT COLLATE "C" NOT NULL,
    listing_id      TEXT COLLATE "C" NOT NULL,
    title           TEXT COLLATE "C" NOT NULL,
    options         TEXT COLLATE "C" NOT NULL, -- JSON
    sku             TEXT COLLATE "C" NOT NULL,
    image           TEXT COLLATE "C" NOT NULL,
    currency        TEXT COLLATE "C" NOT NULL,
    unit_price      BIGINT NOT NULL,
    goods           BIGINT NOT NULL,
    discount        BIGINT NOT NULL,
    shipping        BIGINT NOT NULL,
    tax_added       BIGINT NOT NULL,
    tax_contained   BIGINT NOT NULL,
    total           BIGINT NOT NULL,
    adjustments     TEXT COLLATE "C" NOT NULL, -- JSON
    tax_rate        BIGINT NOT NULL,
    tax_included    BIGINT NOT NULL,
    tax_goods       BIGINT NOT NULL,
    tax_shipping    BIGINT NOT NULL,
    commission_rate BIGINT NOT NULL,
    commission_base BIGINT NOT NULL,
    commission      BIGINT NOT NULL,
    quantity        BIGINT NOT NULL CHECK (quantity > 0),
    shipped         BIGINT NOT NULL DEFAULT 0,
    delivered       BIGINT NOT NULL DEFAULT 0,
    cancelled       BIGINT NOT NULL DEFAULT 0,
    refunded        BIGINT NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total),
    CHECK (total = goods - discount + shipping + tax_added),
    CHECK (delivered BETWEEN 0 AND shipped),
    CHECK (shipped >= 0 AND cancelled >= 0 AND shipped + cancelled <= quantity)
);
CREATE INDEX order_lines_of_order ON order_lines (order_id, place);

CREATE TABLE parcels (
    id              TEXT COLLATE "C" PRIMARY KEY,
    order_id        TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
    seller_order_id TEXT COLLATE "C" NOT NULL REFERENCES seller_orders (id),
    carrier         TEXT COLLATE "C" NOT NULL,
    tracking        TEXT COLLATE "C" NOT NULL,
    tracking_url    TEXT COLLATE "C" NOT NULL,
    items           TEXT COLLATE "C" NOT NULL, -- JSON
    shipped_at      BIGINT NOT NULL,
    delivered_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX parcels_of_order ON parcels (order_id, shipped_at, id);

-- What happened to an order, in order. Append-only.
CREATE TABLE timeline (
    order_id        TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
    seq             BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    what            TEXT COLLATE "C" NOT NULL,
    seller_order_id TEXT COLLATE "C" NOT NULL,
    who             TEXT COLLATE "C" NOT NULL,
    detail          TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (order_id, seq)
);

-- Money on its way back for goods that were taken back. The key of each refund is its id.
CREATE TABLE refunds (
    id              TEXT COLLATE "C" PRIMARY KEY,
    order_id        TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
    seller_order_id TEXT COLLATE "C" NOT NULL REFERENCES seller_orders (id),
    amount          BIGINT NOT NULL CHECK (amount >= 0),
    currency        TEXT COLLATE "C" NOT NULL,
    items           TEXT COLLATE "C" NOT NULL, -- JSON: variants and quantities given back for sale
    why             TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'done')),
    at              BIGINT NOT NULL
);
CREATE INDEX refunds_of_order ON refunds (order_id);

-- How far a checkout has come. A cart has one checkout under way.
CREATE TABLE sagas (
    order_id       TEXT COLLATE "C" PRIMARY KEY REFERENCES orders (id),
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('running', 'parked', 'undoing', 'forward', 'finished', 'case')),
    step           TEXT COLLATE "C" NOT NULL,
    cart_owner     TEXT COLLATE "C" NOT NULL,
    cart_id        TEXT COLLATE "C" NOT NULL,
    cart_version   BIGINT NOT NULL,
    quote_hash     TEXT COLLATE "C" NOT NULL,
    deadline       BIGINT NOT NULL,
    reservation    TEXT COLLATE "C" NOT NULL,            -- step by which the goods are held
    reserved_until BIGINT NOT NULL,                      -- its term
    until          BIGINT NOT NULL DEFAULT 0,            -- while parked: when waiting ends
    action_url     TEXT COLLATE "C" NOT NULL DEFAULT '', -- while parked: where the buyer must go
    reason         TEXT COLLATE "C" NOT NULL DEFAULT '', -- while undoing: what for
    message        TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX sagas_open_cart ON sagas (cart_id) WHERE state IN ('running', 'parked', 'undoing');
CREATE INDEX sagas_unfinished ON sagas (state) WHERE state <> 'finished';

-- Random bytes that this installation alone has.
CREATE TABLE secrets (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);
INSERT INTO secrets (name, value) VALUES ('order_link', decode(replace(CAST(gen_random_uuid() AS text) || CAST(gen_random_uuid() AS text), '-', ''), 'hex'));
