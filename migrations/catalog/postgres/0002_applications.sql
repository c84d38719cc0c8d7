-- +goose Up

-- When the application was declined; 0 if it was not. In the table such a seller is suspended, which
-- the release before this one takes it for and shows nothing of: its CHECK knows no other state.
-- Suspended and declined_at above 0 is declined.
ALTER TABLE sellers ADD COLUMN declined_at BIGINT NOT NULL DEFAULT 0;

-- One person's applications, newest first.
CREATE INDEX sellers_applicant ON sellers (applied_by, created_at, id);
