package paymentssvc

import (
	"fmt"
	"strings"

	"souk/internal/platform/audit"
	"souk/internal/platform/store"
)

// invariant is something that must hold within payments, and the query that finds where it
// does not: one row of subjects (ids with spaces between) and detail for each place.
type invariant struct {
	name  string
	query string
}

// invariants are checked against the whole of the tables, which takes as long as that takes.
var invariants = []invariant{
	{"ledger.sums_to_zero", `
		SELECT transaction_id AS subjects, 'its postings sum to ' || sum(minor) || ' ' || currency AS detail
		FROM ledger_postings GROUP BY transaction_id, currency HAVING sum(minor) <> 0 LIMIT ?`},
	{"ledger.sealed", `
		SELECT DISTINCT p.transaction_id AS subjects, 'it has postings and no transaction' AS detail
		FROM ledger_postings p WHERE NOT EXISTS (SELECT 1 FROM ledger_transactions t WHERE t.id = p.transaction_id) LIMIT ?`},
	{"ledger.balance_is_sum", `
		SELECT account || ' ' || seller AS subjects, 'the balance in ' || currency || ' differs from the sum of postings by ' || -sum(minor) AS detail
		FROM (SELECT account, seller, currency, minor FROM ledger_postings
			UNION ALL SELECT account, seller, currency, -minor FROM ledger_balances)
		GROUP BY account, seller, currency HAVING sum(minor) <> 0 LIMIT ?`},
	{"ledger.agrees_with_payments", `
		SELECT p.id AS subjects, 'the ledger says that the provider holds ' || coalesce(-l.held, 0) || ' of it and that '
			|| coalesce(l.back, 0) || ' is on its way back' AS detail
		FROM payments p LEFT JOIN (
			SELECT payment_id, sum(CASE account WHEN 'provider' THEN minor ELSE 0 END) AS held,
				sum(CASE account WHEN 'refunds' THEN minor ELSE 0 END) AS back
			FROM ledger_postings WHERE account IN ('provider', 'refunds') GROUP BY payment_id) l ON l.payment_id = p.id
		WHERE p.captured - p.refunded <> coalesce(-l.held, 0) OR p.refunding <> coalesce(l.back, 0) LIMIT ?`},
	{"ledger.escrow_not_overdrawn", `
		SELECT payment_id || ' ' || seller_order AS subjects, 'escrow holds ' || sum(minor) || ' ' || currency AS detail
		FROM ledger_postings WHERE account = 'escrow' GROUP BY payment_id, seller_order, currency HAVING sum(minor) < 0 LIMIT ?`},
	{"payments.refunded_captured_authorised", `
		SELECT id AS subjects, 'authorised ' || authorised || ', captured ' || captured || ', refunded ' || refunded AS detail
		FROM payments WHERE NOT (refunded >= 0 AND refunding >= 0 AND refunded + refunding <= captured
			AND captured <= authorised AND authorised <= amount) LIMIT ?`},
	{"payments.attempts_are_finished", `
		SELECT a.payment_id AS subjects, 'nobody will finish its attempt to ' || a.step AS detail
		FROM attempts a WHERE a.state = 'open' AND (SELECT paused FROM payments_switch WHERE one = 1) = 0
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'payments.attempt' AND j.key = a.payment_id || ':' || a.step) LIMIT ?`},
	{"payments.outcomes_are_awaited", `
		SELECT p.id AS subjects, 'it is ' || p.status || ', and nobody asks what became of it' AS detail
		FROM payments p WHERE p.status IN ('authorising', 'action_required', 'pending')
			AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.payment_id = p.id AND a.state = 'open') LIMIT ?`},
	{"payments.late_money_is_returned", `
		SELECT payment_id AS subjects, 'the provider refuses to return money that came too late: ' || reason AS detail
		FROM attempts WHERE step >= 'return' AND step < 'returo' AND state = 'refused' LIMIT ?`},
}

// mostProblems is how many places of each invariant are reported.
const mostProblems = 20

// findProblems is what does not hold within payments.
func findProblems(q store.Queryer) ([]audit.Problem, error) {
	problems := []audit.Problem{}
	for _, inv := range invariants {
		var found []struct {
			Subjects string `db:"subjects"`
			Detail   string `db:"detail"`
		}
		if err := q.Select(&found, inv.query, mostProblems); err != nil {
			return nil, fmt.Errorf("check %s: %w", inv.name, err)
		}
		for _, f := range found {
			problems = append(problems, audit.Problem{Invariant: inv.name, Subjects: strings.Fields(f.Subjects), Detail: f.Detail})
		}
	}
	return problems, nil
}
