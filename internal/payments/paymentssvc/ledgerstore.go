package paymentssvc

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// book appends a transaction to the ledger and moves the balances with it, in three
// statements however many lines it has.
func book(tx *store.Tx, e entry) error {
	if len(e.lines) > 0 {
		if err := insertPostings(tx, e); err != nil {
			return err
		}
		if err := moveBalances(tx, e); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`INSERT INTO ledger_transactions (id, kind, payment_id, order_id, seller_order, refund_id, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		e.id, e.kind, e.payment, e.order, e.sellerOrder(), e.refund, e.at)
	if err != nil {
		return fmt.Errorf("seal ledger transaction %s: %w", e.id, err)
	}
	return nil
}

// tuples is n of "(?, …)" with commas between.
func tuples(n, width int) string {
	one := "(" + strings.Repeat("?, ", width-1) + "?)"
	return strings.Repeat(one+", ", n-1) + one
}

func insertPostings(tx *store.Tx, e entry) error {
	var args []any
	for i, l := range e.lines {
		args = append(args, e.id, i+1, e.at, e.payment, l.Account.Of, l.Account.Seller, l.shareSeller, l.sellerOrder, l.Amount.Currency, l.Amount.Minor)
	}
	_, err := tx.Exec(`INSERT INTO ledger_postings (transaction_id, line, at, payment_id, account, seller, share_seller, seller_order, currency, minor) VALUES `+
		tuples(len(e.lines), 10), args...)
	if err != nil {
		return fmt.Errorf("book the postings of %s: %w", e.id, err)
	}
	return nil
}

func moveBalances(tx *store.Tx, e entry) error {
	changes := e.changes()
	var args []any
	for _, c := range changes {
		args = append(args, c.Account.Of, c.Account.Seller, c.Amount.Currency, c.Amount.Minor)
	}
	_, err := tx.Exec(`INSERT INTO ledger_balances (account, seller, currency, minor) VALUES `+tuples(len(changes), 4)+
		` ON CONFLICT (seller, account, currency) DO UPDATE SET minor = ledger_balances.minor + excluded.minor`, args...)
	if err != nil {
		return fmt.Errorf("move the balances of %s: %w", e.id, err)
	}
	return nil
}

// selectHoldings adds up what the shares of a payment have.
func selectHoldings(q store.Queryer, pid payments.PaymentID) (map[share]holding, error) {
	var sums []posted
	err := q.Select(&sums, `
		SELECT p.share_seller, p.seller_order, p.account, t.kind, sum(p.minor) AS minor
		FROM ledger_postings p JOIN ledger_transactions t ON t.id = p.transaction_id
		WHERE p.payment_id = ? AND p.share_seller <> ''
		GROUP BY p.share_seller, p.seller_order, p.account, t.kind`, pid)
	if err != nil {
		return nil, fmt.Errorf("sum the shares of %s: %w", pid, err)
	}
	return holdings(sums), nil
}

type balanceRow struct {
	Account  payments.Beneficiary `db:"account"`
	Seller   id.Ref               `db:"seller"`
	Currency money.Currency       `db:"currency"`
	Minor    int64                `db:"minor"`
}

// selectBalances reads one seller's accounts, or with "" all.
func selectBalances(q store.Queryer, seller id.Ref) ([]payments.Balance, error) {
	query, args := `SELECT account, seller, currency, minor FROM ledger_balances ORDER BY account, seller, currency`, []any{}
	if seller != "" {
		query, args = `SELECT account, seller, currency, minor FROM ledger_balances WHERE seller = ? ORDER BY account, currency`, []any{seller}
	}
	var rows []balanceRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select balances: %w", err)
	}
	out := make([]payments.Balance, 0, len(rows))
	for _, r := range rows {
		out = append(out, payments.Balance{
			Account: payments.Account{Of: r.Account, Seller: r.Seller}, Amount: money.Money{Minor: r.Minor, Currency: r.Currency},
		})
	}
	return out, nil
}

type transactionRow struct {
	ID          payments.TransactionID   `db:"id"`
	Kind        payments.TransactionKind `db:"kind"`
	Payment     payments.PaymentID       `db:"payment_id"`
	Order       id.Ref                   `db:"order_id"`
	SellerOrder id.Ref                   `db:"seller_order"`
	At          clock.Time               `db:"at"`
}

type postingRow struct {
	Transaction payments.TransactionID `db:"transaction_id"`
	Account     payments.Beneficiary   `db:"account"`
	Seller      id.Ref                 `db:"seller"`
	ShareSeller id.Ref                 `db:"share_seller"`
	SellerOrder id.Ref                 `db:"seller_order"`
	Currency    money.Currency         `db:"currency"`
	Minor       int64                  `db:"minor"`
}

func (r postingRow) line() line {
	return line{
		Posting: payments.Posting{
			Account: payments.Account{Of: r.Account, Seller: r.Seller}, Amount: money.Money{Minor: r.Minor, Currency: r.Currency},
		},
		shareSeller: r.ShareSeller, sellerOrder: r.SellerOrder,
	}
}

// ledgerFilter chooses transactions, newest first.
type ledgerFilter struct {
	seller id.Ref // with a line for that seller's share; "" for any
	own    bool   // and of them only those lines
	order  id.Ref // of that order; "" for any
	after  *ledgerPlace
	limit  int
}

// ledgerPlace is the last transaction of the page before.
type ledgerPlace struct {
	At clock.Time             `json:"at"`
	ID payments.TransactionID `json:"id"`
}

const transactionColumns = `t.id, t.kind, t.payment_id, t.order_id, t.seller_order, t.at`

// selectTransactions reads a page of the ledger with the postings.
func selectTransactions(q store.Queryer, f ledgerFilter) ([]payments.Transaction, error) {
	query, args := f.query()
	var rows []transactionRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("page through the ledger: %w", err)
	}
	return withPostings(q, rows, f)
}

// query reads in the order of an index: for a seller of that which begins with the seller,
// one row for each transaction.
func (f ledgerFilter) query() (string, []any) {
	query := `SELECT ` + transactionColumns + ` FROM ledger_transactions t`
	at, tid := "t.at", "t.id"
	var where []string
	var args []any
	and := func(cond string, arg ...any) { where, args = append(where, cond), append(args, arg...) }
	if f.seller != "" {
		query = `SELECT ` + transactionColumns + ` FROM ledger_postings p JOIN ledger_transactions t ON t.id = p.transaction_id`
		at, tid = "p.at", "p.transaction_id"
		and("p.share_seller = ? AND p.share_seller <> ''", f.seller)
		and("p.line = (SELECT min(f.line) FROM ledger_postings f WHERE f.transaction_id = p.transaction_id AND f.share_seller = p.share_seller)")
	}
	if f.order != "" {
		and("t.order_id = ?", f.order)
	}
	if f.after != nil {
		and("("+at+", "+tid+") < (?, ?)", f.after.At, f.after.ID)
	}
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, " AND ")
	}
	return query + ` ORDER BY ` + at + ` DESC, ` + tid + ` DESC LIMIT ?`, append(args, f.limit)
}

func withPostings(q store.Queryer, rows []transactionRow, f ledgerFilter) ([]payments.Transaction, error) {
	if len(rows) == 0 {
		return []payments.Transaction{}, nil
	}
	ids := make([]payments.TransactionID, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	query, args, err := store.In(`
		SELECT transaction_id, account, seller, share_seller, seller_order, currency, minor
		FROM ledger_postings WHERE transaction_id IN (?) ORDER BY transaction_id, line`, ids)
	if err != nil {
		return nil, err
	}
	var postings []postingRow
	if err := q.Select(&postings, query, args...); err != nil {
		return nil, fmt.Errorf("select postings: %w", err)
	}
	lines := map[payments.TransactionID][]line{}
	for _, p := range postings {
		if !f.own || p.ShareSeller == f.seller {
			lines[p.Transaction] = append(lines[p.Transaction], p.line())
		}
	}
	out := make([]payments.Transaction, 0, len(rows))
	for _, r := range rows {
		t := payments.Transaction{ID: r.ID, Kind: r.Kind, Payment: r.Payment, Order: r.Order, SellerOrder: r.SellerOrder, Postings: []payments.Posting{}, At: r.At}
		if f.own {
			t.SellerOrder = soleOrder(lines[r.ID])
		}
		for _, l := range lines[r.ID] {
			t.Postings = append(t.Postings, l.Posting)
		}
		out = append(out, t)
	}
	return out, nil
}

// selectTransaction reads one transaction whole.
func selectTransaction(q store.Queryer, tid payments.TransactionID) (payments.Transaction, error) {
	var row transactionRow
	err := q.Get(&row, `SELECT `+transactionColumns+` FROM ledger_transactions t WHERE t.id = ?`, tid)
	if errors.Is(err, sql.ErrNoRows) {
		return payments.Transaction{}, payments.ErrNotFound.With("there is no ledger transaction %s", tid)
	}
	if err != nil {
		return payments.Transaction{}, fmt.Errorf("select ledger transaction %s: %w", tid, err)
	}
	whole, err := withPostings(q, []transactionRow{row}, ledgerFilter{})
	if err != nil {
		return payments.Transaction{}, err
	}
	return whole[0], nil
}
