-- +goose Up

-- What the provider has refused to pay back and nobody has seen to yet.
CREATE INDEX payment_refunds_failed ON payment_refunds (id) WHERE status = 'failed';
