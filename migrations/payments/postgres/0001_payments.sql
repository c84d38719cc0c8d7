-- +goose Up

-- Money for one order. Amounts are minor units of the one currency.
CREATE TABLE payments (
    id             TEXT COLLATE "C" PRIMARY KEY,
    order_id       TEXT COLLATE "C" NOT NULL,
    currency       TEXT COLLATE "C" NOT NULL,
    amount         BIGINT NOT NULL,
    method         TEXT COLLATE "C" NOT NULL,
    status         TEXT COLLATE "C" NOT NULL CHECK (status IN ('authorising', 'action_required', 'pending',
                       'authorised', 'declined', 'voided', 'captured', 'nothing_due')),
    decline_reason TEXT COLLATE "C" NOT NULL DEFAULT '',
    action_url     TEXT COLLATE "C" NOT NULL DEFAULT '',
    until          BIGINT NOT NULL DEFAULT 0, -- when the provider's waiting ends
    deadline       BIGINT NOT NULL DEFAULT 0, -- no outcome is wanted later than this; 0: whenever
    return_url     TEXT COLLATE "C" NOT NULL DEFAULT '',
    capture        TEXT COLLATE "C" NOT NULL DEFAULT '' CHECK (capture IN ('', 'open', 'done', 'refused')),
    void           TEXT COLLATE "C" NOT NULL DEFAULT '' CHECK (void IN ('', 'open', 'done')),
    authorised     BIGINT NOT NULL DEFAULT 0,
    captured       BIGINT NOT NULL DEFAULT 0,
    refunding      BIGINT NOT NULL DEFAULT 0, -- on its way back, and not yet there
    refunded       BIGINT NOT NULL DEFAULT 0,
    undone         BIGINT NOT NULL DEFAULT 0 CHECK (undone IN (0, 1)),
    undone_why     TEXT COLLATE "C" NOT NULL DEFAULT '',
    version        BIGINT NOT NULL DEFAULT 1,
    created_at     BIGINT NOT NULL,
    changed_at     BIGINT NOT NULL,
    CONSTRAINT refunded_captured_authorised CHECK (refunded >= 0 AND refunding >= 0
        AND refunded + refunding <= captured AND captured <= authorised AND authorised <= amount),
    CONSTRAINT captured_by_a_capture CHECK ((status = 'captured') = (capture = 'done'))
);
CREATE INDEX payments_order ON payments (order_id, id);

-- Every attempt at the provider, recorded before it is made. The provider knows it by the
-- key payment:step, so whoever finds it open can make it again.
CREATE TABLE attempts (
    payment_id TEXT COLLATE "C" NOT NULL REFERENCES payments (id),
    step       TEXT COLLATE "C" NOT NULL,            -- authorise, capture, void, return, refund:rfd_…
    minor      BIGINT NOT NULL,
    body       TEXT COLLATE "C" NOT NULL DEFAULT '', -- JSON: for whom a capture or refund is
    state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'done', 'refused', 'given_up')),
    reason     TEXT COLLATE "C" NOT NULL DEFAULT '', -- why refused
    tries      BIGINT NOT NULL DEFAULT 0,            -- that ended without an answer
    error      TEXT COLLATE "C" NOT NULL DEFAULT '', -- of the last of them
    made_at    BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (payment_id, step)
);
CREATE INDEX attempts_open ON attempts (payment_id, step) WHERE state = 'open';

CREATE TABLE payment_refunds (
    id         TEXT COLLATE "C" PRIMARY KEY,
    payment_id TEXT COLLATE "C" NOT NULL REFERENCES payments (id),
    currency   TEXT COLLATE "C" NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    status     TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'done', 'failed')),
    why        TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX payment_refunds_payment ON payment_refunds (payment_id, created_at, id);

-- The ledger. A transaction's postings are written first; its own row seals them, and can
-- be written only if they sum to zero in every currency. Nothing in it is ever changed.
CREATE TABLE ledger_postings (
    transaction_id TEXT COLLATE "C" NOT NULL,
    line           BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    payment_id     TEXT COLLATE "C" NOT NULL,
    account        TEXT COLLATE "C" NOT NULL CHECK (account IN ('provider', 'escrow', 'seller', 'fees', 'tax', 'refunds', 'platform')),
    seller         TEXT COLLATE "C" NOT NULL,          -- of a seller's accounts, else ''
    share_seller   TEXT COLLATE "C" NOT NULL,          -- for whose share the line was made, whatever the account
    seller_order   TEXT COLLATE "C" NOT NULL,
    currency       TEXT COLLATE "C" NOT NULL,
    minor          BIGINT NOT NULL CHECK (minor <> 0), -- credits are positive
    PRIMARY KEY (transaction_id, line)
);
CREATE INDEX ledger_postings_seller ON ledger_postings (share_seller, at, transaction_id) WHERE share_seller <> '';
CREATE INDEX ledger_postings_payment ON ledger_postings (payment_id);

CREATE TABLE ledger_transactions (
    id           TEXT COLLATE "C" PRIMARY KEY,
    kind         TEXT COLLATE "C" NOT NULL CHECK (kind IN ('capture', 'settle', 'refund', 'return', 'adjustment')),
    payment_id   TEXT COLLATE "C" NOT NULL,
    order_id     TEXT COLLATE "C" NOT NULL,
    seller_order TEXT COLLATE "C" NOT NULL, -- if it is about one alone
    refund_id    TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL
);
CREATE INDEX ledger_transactions_at ON ledger_transactions (at, id);
CREATE INDEX ledger_transactions_order ON ledger_transactions (order_id, at, id);

-- Running sums of postings, moved in the same transaction.
CREATE TABLE ledger_balances (
    account  TEXT COLLATE "C" NOT NULL,
    seller   TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    minor    BIGINT NOT NULL,
    PRIMARY KEY (seller, account, currency)
);

-- +goose StatementBegin
CREATE FUNCTION ledger_transactions_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM ledger_postings WHERE transaction_id = NEW.id GROUP BY currency HAVING sum(minor) <> 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'a ledger transaction must sum to zero in every currency';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_transactions_balance BEFORE INSERT ON ledger_transactions FOR EACH ROW EXECUTE FUNCTION ledger_transactions_balance();
-- +goose StatementBegin
CREATE FUNCTION ledger_postings_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM ledger_transactions WHERE id = NEW.transaction_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'a ledger transaction is sealed';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_postings_sealed BEFORE INSERT ON ledger_postings FOR EACH ROW EXECUTE FUNCTION ledger_postings_sealed();
-- +goose StatementBegin
CREATE FUNCTION ledger_postings_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'the ledger is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_postings_update BEFORE UPDATE ON ledger_postings FOR EACH ROW EXECUTE FUNCTION ledger_postings_update();
-- +goose StatementBegin
CREATE FUNCTION ledger_postings_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'the ledger is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_postings_delete BEFORE DELETE ON ledger_postings FOR EACH ROW EXECUTE FUNCTION ledger_postings_delete();
-- +goose StatementBegin
CREATE FUNCTION ledger_transactions_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'the ledger is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_transactions_update BEFORE UPDATE ON ledger_transactions FOR EACH ROW EXECUTE FUNCTION ledger_transactions_update();
-- +goose StatementBegin
CREATE FUNCTION ledger_transactions_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'the ledger is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_transactions_delete BEFORE DELETE ON ledger_transactions FOR EACH ROW EXECUTE FUNCTION ledger_transactions_delete();

-- What providers have told, so that what they tell twice is heard once.
CREATE TABLE notifications (
    provider    TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (provider, id)
);
CREATE INDEX notifications_received ON notifications (received_at);

-- Whether money may move. After a restore it may not until an operator says so.
CREATE TABLE payments_switch (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    paused BIGINT NOT NULL CHECK (paused IN (0, 1)),
    why    TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL
);
INSERT INTO payments_switch (one, paused, why, at) VALUES (1, 0, '', 0);

-- The sandbox provider's own memory. It stands in for a company elsewhere: the module never
-- reads these tables, and they change in Writes of their own.
CREATE TABLE sandbox_install (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    secret BYTEA NOT NULL -- signs notifications
);
INSERT INTO sandbox_install (one, secret) VALUES (1, decode(replace(CAST(gen_random_uuid() AS text) || CAST(gen_random_uuid() AS text), '-', ''), 'hex'));

CREATE TABLE sandbox_charges (
    key         TEXT COLLATE "C" PRIMARY KEY, -- the merchant's
    page        TEXT COLLATE "C" NOT NULL,    -- unguessable name of the page to approve on, or ''
    method      TEXT COLLATE "C" NOT NULL,
    currency    TEXT COLLATE "C" NOT NULL,
    amount      BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('action', 'pending', 'authorised', 'declined', 'captured', 'voided')),
    reason      TEXT COLLATE "C" NOT NULL DEFAULT '',
    until       BIGINT NOT NULL DEFAULT 0,
    return_url  TEXT COLLATE "C" NOT NULL DEFAULT '',
    capture_key TEXT COLLATE "C" NOT NULL DEFAULT '',
    captured    BIGINT NOT NULL DEFAULT 0,
    refunded    BIGINT NOT NULL DEFAULT 0,
    changes     BIGINT NOT NULL DEFAULT 0,    -- that the merchant was notified of
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    CHECK (refunded >= 0 AND refunded <= captured AND captured <= amount)
);
CREATE UNIQUE INDEX sandbox_charges_page ON sandbox_charges (page) WHERE page <> '';

CREATE TABLE sandbox_refunds (
    key    TEXT COLLATE "C" PRIMARY KEY, -- the merchant's
    charge TEXT COLLATE "C" NOT NULL,
    amount BIGINT NOT NULL,
    state  TEXT COLLATE "C" NOT NULL CHECK (state IN ('done', 'failed')),
    reason TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL
);
