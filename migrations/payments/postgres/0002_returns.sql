-- +goose Up

-- Money that came late and is not back yet. A step is 'return', 'return:2' and so on; one that was
-- followed by another is 'given_up', so that there is one row for each payment.
CREATE INDEX attempts_returns ON attempts (payment_id) WHERE step >= 'return' AND step < 'returo' AND state IN ('open', 'refused');
