-- +goose Up

-- How often the money of an order was asked for: each time under a key of its own.
ALTER TABLE sagas ADD COLUMN captures BIGINT NOT NULL DEFAULT 1;
