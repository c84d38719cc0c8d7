package paymentstest

import (
	"cmp"
	"context"
	"slices"

	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
)

// fakeTransaction is a transaction whose postings remember for which share they were made.
type fakeTransaction struct {
	payments.Transaction
	lines []line
}

type line struct {
	payments.Posting
	seller, sellerOrder id.Ref
}

// book adds a transaction. Lines of nothing are left out.
func (f *Fake) book(p *fakePayment, kind payments.TransactionKind, lines ...line) payments.Transaction {
	t := fakeTransaction{Transaction: payments.Transaction{
		ID: payments.TransactionIDs.New(), Kind: kind, Payment: p.ID, Order: p.Order, At: f.now(),
	}}
	var sum int64
	for _, l := range lines {
		if sum += l.Amount.Minor; !l.Amount.IsZero() {
			t.lines = append(t.lines, l)
		}
	}
	if sum != 0 {
		panic("paymentstest: a transaction does not sum to zero")
	}
	f.ledger = append(f.ledger, t)
	return t.seenBy("")
}

// seenBy is the transaction with the postings of one seller's shares, or all.
func (t fakeTransaction) seenBy(seller id.Ref) payments.Transaction {
	out := t.Transaction
	orders := map[id.Ref]bool{}
	for _, l := range t.lines {
		if seller != "" && l.seller != seller {
			continue
		}
		out.Postings = append(out.Postings, l.Posting)
		if l.sellerOrder != "" {
			orders[l.sellerOrder] = true
			out.SellerOrder = l.sellerOrder
		}
	}
	if len(orders) > 1 {
		out.SellerOrder = ""
	}
	return out
}

func whole(of payments.Beneficiary, m money.Money) line {
	return line{Posting: payments.Posting{Account: payments.Account{Of: of}, Amount: m}}
}

func part(of payments.Beneficiary, s payments.Share, minor int64) line {
	account := payments.Account{Of: of}
	if of == payments.ToEscrow || of == payments.ToSeller {
		account.Seller = s.Seller
	}
	return line{
		Posting: payments.Posting{Account: account, Amount: money.Money{Minor: minor, Currency: s.Amount.Currency}},
		seller:  s.Seller, sellerOrder: s.SellerOrder,
	}
}

// held is what a share has in escrow, and what of it was captured and not refunded.
func (f *Fake) held(p payments.PaymentID, s payments.Share) (escrow, left int64) {
	for _, t := range f.ledger {
		for _, l := range t.lines {
			if t.Payment != p || l.seller != s.Seller || l.sellerOrder != s.SellerOrder {
				continue
			}
			if l.Account.Of == payments.ToEscrow {
				escrow += l.Amount.Minor
			}
			if t.Kind != payments.BookSettle && (l.Account.Of == payments.ToEscrow || l.Account.Of == payments.ToSeller) {
				left += l.Amount.Minor
			}
		}
	}
	return escrow, left
}

// Capture takes an authorised amount.
func (f *Fake) Capture(_ context.Context, r payments.CaptureRequest) (payments.PaymentReply, error) {
	if err := checkCapture(r); err != nil {
		return payments.PaymentReply{}, err
	}
	var reply payments.PaymentReply
	err := f.do(func() error {
		body := r
		body.By, body.Key = System(), ""
		_, err := f.doOnce("capture", r.Key, body, func() (string, error) {
			p := f.payments[r.Payment]
			switch {
			case p == nil:
				return "", payments.ErrNotFound
			case p.Amount.Currency != r.Amount.Currency:
				return "", payments.ErrInvalid.WithField("amount", "is in another currency than the payment")
			case f.paused:
				return "", payments.ErrPaused
			case p.Status != payments.StatusAuthorised || p.Undone:
				return "", payments.ErrStatus
			case r.Amount.Minor > p.Authorised.Minor:
				return "", payments.ErrAmount
			case p.Method == CaptureRefused && !p.refused:
				p.refused = true
				return "", payments.ErrCaptureRefused
			}
			lines := []line{whole(payments.ToProvider, r.Amount.Neg())}
			for _, s := range r.Shares {
				lines = append(lines, part(payments.ToEscrow, s, s.Amount.Minor))
			}
			f.book(p, payments.BookCapture, lines...)
			p.Captured = r.Amount
			f.move(p, payments.StatusCaptured, "")
			return string(p.ID), nil
		})
		if err != nil {
			return err
		}
		reply.Payment = f.payments[r.Payment].Payment
		return nil
	})
	return reply, err
}

// Settle moves a captured share out of escrow.
func (f *Fake) Settle(_ context.Context, r payments.SettleRequest) (payments.SettleReply, error) {
	if err := checkSettle(r); err != nil {
		return payments.SettleReply{}, err
	}
	var reply payments.SettleReply
	err := f.do(func() error {
		body := r
		body.By, body.Key = System(), ""
		result, err := f.doOnce("settle", r.Key, body, func() (string, error) {
			p := f.payments[r.Payment]
			if p == nil {
				return "", payments.ErrNotFound
			}
			if p.Amount.Currency != r.Earned.Currency {
				return "", payments.ErrInvalid.WithField("earned", "is in another currency than the payment")
			}
			if p.Status != payments.StatusCaptured && p.Status != payments.StatusNothingDue {
				return "", payments.ErrStatus
			}
			s := payments.Share{Seller: r.Seller, SellerOrder: r.SellerOrder, Amount: r.Earned}
			out := r.Earned.Minor + r.Fee.Minor + r.Tax.Minor - r.Platform.Minor
			if escrow, _ := f.held(p.ID, s); escrow < out {
				return "", payments.ErrAmount
			}
			t := f.book(p, payments.BookSettle,
				part(payments.ToEscrow, s, -out), part(payments.ToSeller, s, r.Earned.Minor), part(payments.ToFees, s, r.Fee.Minor),
				part(payments.ToTax, s, r.Tax.Minor), part(payments.ToPlatform, s, -r.Platform.Minor))
			return string(t.ID), nil
		})
		if err != nil {
			return err
		}
		for _, t := range f.ledger {
			if string(t.ID) == result {
				reply.Transaction = t.seenBy("")
			}
		}
		return nil
	})
	return reply, err
}

// Refund gives money back.
func (f *Fake) Refund(_ context.Context, r payments.RefundRequest) (payments.RefundReply, error) {
	if err := checkRefund(r); err != nil {
		return payments.RefundReply{}, err
	}
	var reply payments.RefundReply
	err := f.do(func() error {
		body := r
		body.By, body.Key = System(), ""
		result, err := f.doOnce("refund", r.Key, body, func() (string, error) { return f.refund(r) })
		if err != nil {
			return err
		}
		for _, refund := range f.refunds {
			if string(refund.ID) == result {
				reply.Refund = refund.Refund
			}
		}
		return nil
	})
	return reply, err
}

func (f *Fake) refund(r payments.RefundRequest) (string, error) {
	p := f.payments[r.Payment]
	switch {
	case p == nil:
		return "", payments.ErrNotFound
	case p.Amount.Currency != r.Amount.Currency:
		return "", payments.ErrInvalid.WithField("amount", "is in another currency than the payment")
	case f.paused:
		return "", payments.ErrPaused
	case p.Status != payments.StatusCaptured:
		return "", payments.ErrStatus
	case r.Amount.Minor > p.Captured.Minor-p.Refunded.Minor:
		return "", payments.ErrAmount
	}
	refund := &fakeRefund{order: p.Order, shares: r.Shares, Refund: payments.Refund{
		ID: payments.RefundIDs.New(), Payment: p.ID, Amount: r.Amount, Status: payments.RefundPending, Why: r.Why, CreatedAt: f.now(),
	}}
	lines, err := f.takeFrom(refund)
	if err != nil {
		return "", err
	}
	f.book(p, payments.BookRefund, append(lines, whole(payments.ToRefunds, r.Amount))...)
	f.refunds = append(f.refunds, refund)
	f.endRefund(refund)
	return string(refund.ID), nil
}

// takeFrom takes a refund from its shares: from escrow first.
func (f *Fake) takeFrom(refund *fakeRefund) ([]line, error) {
	var lines []line
	for _, s := range refund.shares {
		escrow, left := f.held(refund.Payment, s)
		if s.Amount.Minor > left {
			return nil, payments.ErrAmount
		}
		fromEscrow := min(escrow, s.Amount.Minor)
		lines = append(lines, part(payments.ToEscrow, s, -fromEscrow), part(payments.ToSeller, s, fromEscrow-s.Amount.Minor))
	}
	return lines, nil
}

// endRefund has the provider answer to a refund that was set aside.
func (f *Fake) endRefund(refund *fakeRefund) {
	p, amount := f.payments[refund.Payment], refund.Amount
	refund.Status, refund.ended = payments.RefundDone, f.now()
	if p.Method == RefundFailed {
		refund.Status = payments.RefundFailed
		f.book(p, payments.BookRefund, f.putBack(refund)...)
	} else {
		p.Refunded.Minor += amount.Minor
		p.ChangedAt = f.now()
		f.book(p, payments.BookRefund, whole(payments.ToRefunds, amount.Neg()), whole(payments.ToProvider, amount))
	}
	f.events = append(f.events, payments.Refunded{
		RefundID: refund.ID, PaymentID: p.ID, OrderID: p.Order, Status: refund.Status, Amount: amount, At: f.now(),
		SellerOrder: refund.only(), Retried: refund.retried,
	})
}

// only is the seller order that the refund is taken from, if it is one.
func (r *fakeRefund) only() id.Ref {
	if len(r.shares) != 1 {
		return ""
	}
	return r.shares[0].SellerOrder
}

// putBack is what the last taking of a refund took, the other way round.
func (f *Fake) putBack(refund *fakeRefund) []line {
	for _, t := range slices.Backward(f.ledger) {
		if t.Kind == payments.BookRefund && t.Payment == refund.Payment {
			lines := slices.Clone(t.lines)
			for i := range lines {
				lines[i].Amount = lines[i].Amount.Neg()
			}
			return lines
		}
	}
	return nil
}

// Balances sums the postings.
func (f *Fake) Balances(_ context.Context, r payments.BalancesRequest) (payments.BalancesReply, error) {
	seller, err := visible(r.By, r.Seller)
	if err != nil {
		return payments.BalancesReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	type key struct {
		payments.Account
		currency money.Currency
	}
	sums := map[key]int64{}
	for _, t := range f.ledger {
		for _, l := range t.lines {
			if seller == "" || l.Account.Seller == seller {
				sums[key{l.Account, l.Amount.Currency}] += l.Amount.Minor
			}
		}
	}
	var reply payments.BalancesReply
	for k, sum := range sums {
		reply.Balances = append(reply.Balances, payments.Balance{Account: k.Account, Amount: money.Money{Minor: sum, Currency: k.currency}})
	}
	slices.SortFunc(reply.Balances, func(a, b payments.Balance) int {
		return cmp.Or(cmp.Compare(a.Account.Of, b.Account.Of), cmp.Compare(a.Account.Seller, b.Account.Seller), cmp.Compare(a.Amount.Currency, b.Amount.Currency))
	})
	return reply, nil
}

// place is where a page of the ledger ends.
type place struct {
	At clock.Time             `json:"at"`
	ID payments.TransactionID `json:"id"`
}

// ListTransactions pages through the ledger.
func (f *Fake) ListTransactions(_ context.Context, r payments.ListTransactionsRequest) (payments.ListTransactionsReply, error) {
	seller, err := visible(r.By, r.Seller)
	if err != nil {
		return payments.ListTransactionsReply{}, err
	}
	all := r.By.IsSystem() || r.By.IsOperator()
	filter := []string{string(seller), string(r.Order)}
	var after place
	more, err := r.Page.After(filter, &after)
	if err != nil {
		return payments.ListTransactionsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ledger := slices.Clone(f.ledger)
	slices.SortFunc(ledger, func(a, b fakeTransaction) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID)) })
	var reply payments.ListTransactionsReply
	size := r.Page.Size(20, 100)
	for _, t := range ledger {
		mine := t.seenBy(seller)
		if seller != "" && len(mine.Postings) == 0 || r.Order != "" && t.Order != r.Order ||
			more && (t.At > after.At || t.At == after.At && t.ID >= after.ID) {
			continue
		}
		if len(reply.Transactions) == size {
			last := reply.Transactions[size-1]
			reply.Next, err = page.Cursor(filter, place{last.At, last.ID})
			return reply, err
		}
		if all {
			mine = t.seenBy("")
		}
		reply.Transactions = append(reply.Transactions, mine)
	}
	return reply, nil
}

// Audit streams every payment.
func (f *Fake) Audit(_ context.Context, r audit.Request) (payments.AuditReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := slices.Sorted(slices.Values(f.order))
	size := page.Request{Limit: r.Limit}.Size(200, 1000)
	var reply payments.AuditReply
	for _, pid := range ids {
		if string(pid) <= r.Cursor {
			continue
		}
		if len(reply.Payments) == size {
			reply.Next = string(reply.Payments[size-1].ID)
			break
		}
		reply.Payments = append(reply.Payments, f.payments[pid].Payment)
	}
	return reply, nil
}
