package paymentssvc

import (
	"souk/internal/platform/audit/sweep"
)

// sections are what payments checks of itself. The first is that of the payments that are shown, by
// their orders, as whoever compares them with orders wants them.
var sections = []sweep.Section{
	{
		Name: "payments", Keys: `SELECT order_id FROM payments WHERE order_id > ? ORDER BY order_id LIMIT ?`,
		Checks: []sweep.Check{
			{Invariant: "ledger.agrees_with_payments", Query: `
				SELECT id AS subjects, 'the ledger says that the provider holds ' || -held || ' of it and that ' || back || ' is on its way back' AS detail
				FROM (SELECT p.id, p.captured, p.refunded, p.refunding,
						coalesce((SELECT sum(l.minor) FROM ledger_postings l WHERE l.payment_id = p.id AND l.account = 'provider'), 0) AS held,
						coalesce((SELECT sum(l.minor) FROM ledger_postings l WHERE l.payment_id = p.id AND l.account = 'refunds'), 0) AS back
					FROM payments p WHERE p.order_id > ? AND p.order_id <= ?) AS ranged
				WHERE captured - refunded <> -held OR refunding <> back LIMIT 20`},
			{Invariant: "payments.refunded_captured_authorised", Query: `
				SELECT id AS subjects, 'authorised ' || authorised || ', captured ' || captured || ', refunded ' || refunded AS detail
				FROM payments WHERE order_id > ? AND order_id <= ? AND NOT (refunded >= 0 AND refunding >= 0
					AND refunded + refunding <= captured AND captured <= authorised AND authorised <= amount) LIMIT 20`},
			{Invariant: "payments.outcomes_are_awaited", Query: `
				SELECT p.id AS subjects, 'it is ' || p.status || ', and nobody asks what became of it' AS detail
				FROM payments p WHERE p.order_id > ? AND p.order_id <= ? AND p.status IN ('authorising', 'action_required', 'pending')
					AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.payment_id = p.id AND a.state = 'open') LIMIT 20`},
		},
	},
	{
		Name: "attempts", Keys: `SELECT payment_id FROM attempts WHERE payment_id > ? ORDER BY payment_id LIMIT ?`,
		Checks: []sweep.Check{
			{Invariant: "payments.attempts_are_finished", Query: `
				SELECT a.payment_id AS subjects, 'nobody will finish its attempt to ' || a.step AS detail
				FROM attempts a WHERE a.payment_id > ? AND a.payment_id <= ? AND a.state = 'open'
					AND (SELECT paused FROM payments_switch WHERE one = 1) = 0
					AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'payments.attempt' AND j.key = a.payment_id || ':' || a.step) LIMIT 20`},
			{Invariant: "payments.late_money_is_returned", Query: `
				SELECT payment_id AS subjects, 'the provider refuses to return money that came too late: ' || reason AS detail
				FROM attempts WHERE payment_id > ? AND payment_id <= ? AND step >= 'return' AND step < 'returo' AND state = 'refused' LIMIT 20`},
		},
	},
	{
		Name: "transactions", Keys: `SELECT transaction_id FROM ledger_postings WHERE transaction_id > ? ORDER BY transaction_id LIMIT ?`,
		Checks: []sweep.Check{
			{Invariant: "ledger.sums_to_zero", Query: `
				SELECT transaction_id AS subjects, 'its postings sum to ' || sum(minor) || ' ' || currency AS detail
				FROM ledger_postings WHERE transaction_id > ? AND transaction_id <= ?
				GROUP BY transaction_id, currency HAVING sum(minor) <> 0 LIMIT 20`},
			{Invariant: "ledger.sealed", Query: `
				SELECT DISTINCT p.transaction_id AS subjects, 'it has postings and no transaction' AS detail
				FROM ledger_postings p WHERE p.transaction_id > ? AND p.transaction_id <= ?
					AND NOT EXISTS (SELECT 1 FROM ledger_transactions t WHERE t.id = p.transaction_id) LIMIT 20`},
		},
	},
	{
		Name: "shares", Keys: `SELECT payment_id FROM ledger_postings WHERE payment_id > ? ORDER BY payment_id LIMIT ?`,
		Checks: []sweep.Check{
			{Invariant: "ledger.escrow_not_overdrawn", Query: `
				SELECT payment_id || ' ' || seller_order AS subjects, 'escrow holds ' || sum(minor) || ' ' || currency AS detail
				FROM ledger_postings WHERE payment_id > ? AND payment_id <= ? AND account = 'escrow'
				GROUP BY payment_id, seller_order, currency HAVING sum(minor) < 0 LIMIT 20`},
		},
	},
	{
		Name: "accounts of sellers", Most: 50,
		Keys: `SELECT seller FROM ledger_balances WHERE seller > ? ORDER BY seller LIMIT ?`,
		Checks: []sweep.Check{
			{Invariant: "ledger.balance_is_sum", Query: `
				SELECT account || ' ' || seller AS subjects, ` + differs + ` FROM (
					SELECT seller, account, currency, minor FROM ledger_postings WHERE seller > ? AND seller <= ?
					UNION ALL SELECT seller, account, currency, -minor FROM ledger_balances WHERE seller > ? AND seller <= ?) AS ranged
				GROUP BY seller, account, currency HAVING sum(minor) <> 0 LIMIT 20`},
		},
	},
	{
		// Each is one sum over all that ever went through it: one a page.
		Name: "accounts of the marketplace", Most: 1,
		Keys: `SELECT account FROM ledger_balances WHERE seller = '' AND account > ? ORDER BY account LIMIT ?`,
		Checks: []sweep.Check{
			{Invariant: "ledger.balance_is_sum", Query: `
				SELECT account AS subjects, ` + differs + ` FROM (
					SELECT account, currency, minor FROM ledger_postings WHERE seller = '' AND account > ? AND account <= ?
					UNION ALL SELECT account, currency, -minor FROM ledger_balances WHERE seller = '' AND account > ? AND account <= ?) AS ranged
				GROUP BY account, currency HAVING sum(minor) <> 0 LIMIT 20`},
		},
	},
}

const differs = `'the balance in ' || currency || ' differs from the sum of postings by ' || -sum(minor) AS detail`
