-- +goose Up

-- What an account comes to, read from the index alone: one account at a time is compared with its balance.
CREATE INDEX ledger_postings_account ON ledger_postings (seller, account, currency, minor);
