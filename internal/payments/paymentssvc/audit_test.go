package paymentssvc_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// TestAuditFindsWhatIsPlanted breaks each invariant by hand, past the checks that keep the
// module from it, and expects to be told of that one with the id concerned.
func TestAuditFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		sql     string // with a payment's id for ?
		subject string // "" for the payment
		alone   bool   // nothing else is broken by it
	}{
		"ledger.sums_to_zero": {
			sql: `UPDATE ledger_postings SET minor = minor + 1 WHERE account = 'platform' OR account = 'escrow' AND payment_id = ?`, subject: "txn_",
		},
		"ledger.sealed": {
			sql: `DELETE FROM ledger_transactions WHERE payment_id = ?`, subject: "txn_", alone: true,
		},
		"ledger.balance_is_sum": {
			sql: `UPDATE ledger_balances SET minor = minor + 1 WHERE account = 'provider' AND ? <> ''`, subject: "provider", alone: true,
		},
		"ledger.agrees_with_payments": {
			sql: `UPDATE payments SET refunded = 1 WHERE id = ?`, alone: true,
		},
		"ledger.escrow_not_overdrawn": {
			sql: `UPDATE ledger_postings SET minor = -minor WHERE payment_id = ?`,
		},
		"payments.refunded_captured_authorised": {
			sql: `UPDATE payments SET authorised = captured - 1 WHERE id = ?`, alone: true,
		},
		"payments.attempts_are_finished": {
			sql: `UPDATE attempts SET state = 'open' WHERE step = 'capture' AND payment_id = ?`, alone: true,
		},
		"payments.outcomes_are_awaited": {
			sql: `UPDATE payments SET status = 'pending' WHERE id = ?`, alone: true,
		},
		"payments.late_money_is_returned": {
			sql: `INSERT INTO attempts (payment_id, step, minor, state, made_at) VALUES (?, 'return', 1, 'refused', 1)`, alone: true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clock.NewManual(start)
			h := newHouse(t, c, nil)
			reply, err := h.Authorize(t.Context(), request(c, sandbox.MethodOK))
			require.NoError(t, err)
			_, err = h.Capture(t.Context(), captureOf(reply.Payment))
			require.NoError(t, err)
			h.sound(t)
			h.plant(t, tt.sql, reply.Payment.ID)
			found := whole(t, h.Audit)
			names := map[string][]string{}
			for _, p := range found.Problems {
				names[p.Invariant] = append(names[p.Invariant], p.Subjects...)
				assert.NotEmpty(t, p.Detail)
			}
			require.Contains(t, names, name)
			if tt.subject == "" {
				tt.subject = string(reply.Payment.ID)
			}
			assert.Contains(t, names[name][0], tt.subject)
			if tt.alone {
				assert.Len(t, names, 1)
			}
		})
	}
}

// plant changes the database as the module never would: without the triggers of the ledger,
// and with payments in a table that has no checks.
func (h *house) plant(t *testing.T, statement string, pid payments.PaymentID) {
	t.Helper()
	of := func(table string) string {
		if h.db.Shared() { // PostgreSQL's triggers are named within their tables
			return " on " + table
		}
		return ""
	}
	require.NoError(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
		for _, prepare := range []string{
			"drop trigger ledger_postings_update" + of("ledger_postings"), "drop trigger ledger_transactions_delete" + of("ledger_transactions"),
			"alter table payments rename to payments_checked", "create table payments as select * from payments_checked",
		} {
			if _, err := tx.Exec(prepare); err != nil {
				return err
			}
		}
		n, err := tx.Exec(statement, pid)
		if err == nil && n == 0 {
			return errors.New("the statement planted nothing")
		}
		return err
	}))
}

func TestTheDatabaseKeepsTheLedger(t *testing.T) {
	t.Parallel()
	c := clock.NewManual(start)
	h := newHouse(t, c, nil)
	reply, err := h.Authorize(t.Context(), request(c, sandbox.MethodOK))
	require.NoError(t, err)
	_, err = h.Capture(t.Context(), captureOf(reply.Payment))
	require.NoError(t, err)

	const posting = `INSERT INTO ledger_postings (transaction_id, line, at, payment_id, account, seller, share_seller, seller_order, currency, minor) VALUES `
	for name, statements := range map[string][]string{
		"a posting is changed":        {`UPDATE ledger_postings SET minor = 1`},
		"a posting is removed":        {`DELETE FROM ledger_postings`},
		"a transaction is changed":    {`UPDATE ledger_transactions SET kind = 'refund'`},
		"a transaction is removed":    {`DELETE FROM ledger_transactions`},
		"a sealed one gets a posting": {posting + `((SELECT id FROM ledger_transactions), 99, 1, 'p', 'fees', '', '', '', 'EUR', 1)`},
		"one does not balance": {
			posting + `('txn_x', 1, 1, 'p', 'fees', '', '', '', 'EUR', 1), ('txn_x', 2, 1, 'p', 'tax', '', '', '', 'USD', -1)`,
			`INSERT INTO ledger_transactions (id, kind, payment_id, order_id, seller_order, refund_id, at) VALUES ('txn_x', 'adjustment', 'p', 'o', '', '', 1)`,
		},
		"more is refunded than captured":   {`UPDATE payments SET refunded = captured + 1`},
		"more is captured than authorised": {`UPDATE payments SET captured = authorised + 1`},
		"more is authorised than asked":    {`UPDATE payments SET authorised = amount + 1`},
		"refunds add up to too much":       {`UPDATE payments SET refunded = captured, refunding = 1`},
	} {
		err := h.db.Write(t.Context(), func(tx *store.Tx) error {
			for _, s := range statements {
				if _, err := tx.Exec(s); err != nil {
					return err
				}
			}
			return nil
		})
		assert.True(t, store.IsConstraint(err), "%s: %v", name, err)
	}
	h.sound(t)
}
