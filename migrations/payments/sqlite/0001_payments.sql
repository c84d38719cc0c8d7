-- +goose Up

-- Money for one order. Amounts are minor units of the one currency.
CREATE TABLE payments (
    id             TEXT    PRIMARY KEY,
    order_id       TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    amount         INTEGER NOT NULL,
    method         TEXT    NOT NULL,
    status         TEXT    NOT NULL CHECK (status IN ('authorising', 'action_required', 'pending',
                       'authorised', 'declined', 'voided', 'captured', 'nothing_due')),
    decline_reason TEXT    NOT NULL DEFAULT '',
    action_url     TEXT    NOT NULL DEFAULT '',
    until          INTEGER NOT NULL DEFAULT 0, -- when the provider's waiting ends
    deadline       INTEGER NOT NULL DEFAULT 0, -- no outcome is wanted later than this; 0: whenever
    return_url     TEXT    NOT NULL DEFAULT '',
    capture        TEXT    NOT NULL DEFAULT '' CHECK (capture IN ('', 'open', 'done', 'refused')),
    void           TEXT    NOT NULL DEFAULT '' CHECK (void IN ('', 'open', 'done')),
    authorised     INTEGER NOT NULL DEFAULT 0,
    captured       INTEGER NOT NULL DEFAULT 0,
    refunding      INTEGER NOT NULL DEFAULT 0, -- on its way back, and not yet there
    refunded       INTEGER NOT NULL DEFAULT 0,
    undone         INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1)),
    undone_why     TEXT    NOT NULL DEFAULT '',
    version        INTEGER NOT NULL DEFAULT 1,
    created_at     INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL,
    CONSTRAINT refunded_captured_authorised CHECK (refunded >= 0 AND refunding >= 0
        AND refunded + refunding <= captured AND captured <= authorised AND authorised <= amount),
    CONSTRAINT captured_by_a_capture CHECK ((status = 'captured') = (capture = 'done'))
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_order ON payments (order_id, id);

-- Every attempt at the provider, recorded before it is made. The provider knows it by the
-- key payment:step, so whoever finds it open can make it again.
CREATE TABLE attempts (
    payment_id TEXT    NOT NULL REFERENCES payments (id),
    step       TEXT    NOT NULL,           -- authorise, capture, void, return, refund:rfd_…
    minor      INTEGER NOT NULL,
    body       TEXT    NOT NULL DEFAULT '', -- JSON: for whom a capture or refund is
    state      TEXT    NOT NULL CHECK (state IN ('open', 'done', 'refused', 'given_up')),
    reason     TEXT    NOT NULL DEFAULT '', -- why refused
    tries      INTEGER NOT NULL DEFAULT 0,  -- that ended without an answer
    error      TEXT    NOT NULL DEFAULT '', -- of the last of them
    made_at    INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (payment_id, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_open ON attempts (payment_id, step) WHERE state = 'open';

CREATE TABLE payment_refunds (
    id         TEXT    PRIMARY KEY,
    payment_id TEXT    NOT NULL REFERENCES payments (id),
    currency   TEXT    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    status     TEXT    NOT NULL CHECK (status IN ('pending', 'done', 'failed')),
    why        TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_refunds_payment ON payment_refunds (payment_id, created_at, id);

-- The ledger. A transaction's postings are written first; its own row seals them, and can
-- be written only if they sum to zero in every currency. Nothing in it is ever changed.
CREATE TABLE ledger_postings (
    transaction_id TEXT    NOT NULL,
    line           INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    payment_id     TEXT    NOT NULL,
    account        TEXT    NOT NULL CHECK (account IN ('provider', 'escrow', 'seller', 'fees', 'tax', 'refunds', 'platform')),
    seller         TEXT    NOT NULL, -- of a seller's accounts, else ''
    share_seller   TEXT    NOT NULL, -- for whose share the line was made, whatever the account
    seller_order   TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    minor          INTEGER NOT NULL CHECK (minor <> 0), -- credits are positive
    PRIMARY KEY (transaction_id, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_postings_seller ON ledger_postings (share_seller, at, transaction_id) WHERE share_seller <> '';
CREATE INDEX ledger_postings_payment ON ledger_postings (payment_id);

CREATE TABLE ledger_transactions (
    id           TEXT    PRIMARY KEY,
    kind         TEXT    NOT NULL CHECK (kind IN ('capture', 'settle', 'refund', 'return', 'adjustment')),
    payment_id   TEXT    NOT NULL,
    order_id     TEXT    NOT NULL,
    seller_order TEXT    NOT NULL, -- if it is about one alone
    refund_id    TEXT    NOT NULL,
    at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_transactions_at ON ledger_transactions (at, id);
CREATE INDEX ledger_transactions_order ON ledger_transactions (order_id, at, id);

-- Running sums of postings, moved in the same transaction.
CREATE TABLE ledger_balances (
    account  TEXT    NOT NULL,
    seller   TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    minor    INTEGER NOT NULL,
    PRIMARY KEY (seller, account, currency)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER ledger_transactions_balance BEFORE INSERT ON ledger_transactions
WHEN EXISTS (SELECT 1 FROM ledger_postings WHERE transaction_id = NEW.id GROUP BY currency HAVING sum(minor) <> 0)
BEGIN SELECT RAISE(ABORT, 'a ledger transaction must sum to zero in every currency'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_postings_sealed BEFORE INSERT ON ledger_postings
WHEN EXISTS (SELECT 1 FROM ledger_transactions WHERE id = NEW.transaction_id)
BEGIN SELECT RAISE(ABORT, 'a ledger transaction is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_postings_update BEFORE UPDATE ON ledger_postings
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_postings_delete BEFORE DELETE ON ledger_postings
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_transactions_update BEFORE UPDATE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_transactions_delete BEFORE DELETE ON ledger_transactions
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd

-- What providers have told, so that what they tell twice is heard once.
CREATE TABLE notifications (
    provider    TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_received ON notifications (received_at);

-- Whether money may move. After a restore it may not until an operator says so.
CREATE TABLE payments_switch (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    why    TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
INSERT INTO payments_switch (one, paused, why, at) VALUES (1, 0, '', 0);

-- The sandbox provider's own memory. It stands in for a company elsewhere: the module never
-- reads these tables, and they change in Writes of their own.
CREATE TABLE sandbox_install (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    secret BLOB    NOT NULL -- signs notifications
) STRICT;
INSERT INTO sandbox_install (one, secret) VALUES (1, randomblob(32));

CREATE TABLE sandbox_charges (
    key         TEXT    PRIMARY KEY,           -- the merchant's
    page        TEXT    NOT NULL,              -- unguessable name of the page to approve on, or ''
    method      TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('action', 'pending', 'authorised', 'declined', 'captured', 'voided')),
    reason      TEXT    NOT NULL DEFAULT '',
    until       INTEGER NOT NULL DEFAULT 0,
    return_url  TEXT    NOT NULL DEFAULT '',
    capture_key TEXT    NOT NULL DEFAULT '',
    captured    INTEGER NOT NULL DEFAULT 0,
    refunded    INTEGER NOT NULL DEFAULT 0,
    changes     INTEGER NOT NULL DEFAULT 0,    -- that the merchant was notified of
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    CHECK (refunded >= 0 AND refunded <= captured AND captured <= amount)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sandbox_charges_page ON sandbox_charges (page) WHERE page <> '';

CREATE TABLE sandbox_refunds (
    key    TEXT    PRIMARY KEY,                -- the merchant's
    charge TEXT    NOT NULL,
    amount INTEGER NOT NULL,
    state  TEXT    NOT NULL CHECK (state IN ('done', 'failed')),
    reason TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
