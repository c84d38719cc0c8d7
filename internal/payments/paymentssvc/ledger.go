package paymentssvc

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// line is a posting, and for whose share it was made.
type line struct {
	payments.Posting
	shareSeller id.Ref
	sellerOrder id.Ref
}

// entry is a ledger transaction to be booked. Only newEntry makes one.
type entry struct {
	id      payments.TransactionID
	kind    payments.TransactionKind
	payment payments.PaymentID
	order   id.Ref
	about   id.Ref // the seller order that it is about, if that is one and has no lines to say so
	refund  payments.RefundID
	at      clock.Time
	lines   []line
}

// newEntry makes a transaction of the lines that are not zero. That they sum to zero in
// every currency is checked here, and once more by the database.
func newEntry(tid payments.TransactionID, kind payments.TransactionKind, p *payment, at clock.Time, lines []line) (entry, error) {
	e := entry{id: tid, kind: kind, payment: p.ID, order: p.Order, at: at}
	sums := map[money.Currency]money.Money{}
	for _, l := range lines {
		if l.Amount.IsZero() {
			continue
		}
		c := l.Amount.Currency
		sum, err := money.Sum(c, money.Zero(c), l.Amount)
		if before, ok := sums[c]; ok {
			sum, err = before.Add(l.Amount)
		}
		if err != nil {
			return entry{}, fmt.Errorf("book a %s of payment %s: %w", kind, p.ID, err)
		}
		sums[c] = sum
		e.lines = append(e.lines, l)
	}
	for _, sum := range sums {
		if !sum.IsZero() {
			return entry{}, fmt.Errorf("book a %s of payment %s: its postings sum to %s and not to zero", kind, p.ID, sum)
		}
	}
	return e, nil
}

// sellerOrder is the seller order that e is about, if it is about one alone.
func (e entry) sellerOrder() id.Ref {
	if e.about != "" {
		return e.about
	}
	return soleOrder(e.lines)
}

func soleOrder(lines []line) id.Ref {
	var one id.Ref
	for _, l := range lines {
		if l.sellerOrder == "" || l.sellerOrder == one {
			continue
		}
		if one != "" {
			return ""
		}
		one = l.sellerOrder
	}
	return one
}

// whole is a line that is about the payment as a whole.
func whole(of payments.Beneficiary, amount money.Money) line {
	return line{Posting: payments.Posting{Account: payments.Account{Of: of}, Amount: amount}}
}

// part is a line for one seller's share.
func part(of payments.Beneficiary, seller, sellerOrder id.Ref, amount money.Money) line {
	l := whole(of, amount)
	l.shareSeller, l.sellerOrder = seller, sellerOrder
	if of == payments.ToEscrow || of == payments.ToSeller {
		l.Account.Seller = seller
	}
	return l
}

// captureLines book what the provider has taken for us: it owes it, and escrow holds it for
// each seller order.
func captureLines(amount money.Money, shares []payments.Share) []line {
	lines := []line{whole(payments.ToProvider, amount.Neg())}
	for _, s := range shares {
		lines = append(lines, part(payments.ToEscrow, s.Seller, s.SellerOrder, s.Amount))
	}
	return lines
}

// settleLines book a fulfilled share out of escrow.
func settleLines(r payments.SettleRequest, leaves money.Money) []line {
	to := func(of payments.Beneficiary, amount money.Money) line {
		return part(of, r.Seller, r.SellerOrder, amount)
	}
	return []line{
		to(payments.ToEscrow, leaves.Neg()), to(payments.ToSeller, r.Earned), to(payments.ToFees, r.Fee),
		to(payments.ToTax, r.Tax), to(payments.ToPlatform, r.Platform.Neg()),
	}
}

// leavesEscrow is what a settlement takes out of escrow.
func leavesEscrow(r payments.SettleRequest) (money.Money, error) {
	return money.Sum(r.Earned.Currency, r.Earned, r.Fee, r.Tax, r.Platform.Neg())
}

// taking is what a refund takes from one share.
type taking struct {
	Seller      id.Ref      `json:"seller"`
	SellerOrder id.Ref      `json:"seller_order"`
	Escrow      money.Money `json:"escrow"`
	Earned      money.Money `json:"earned"`
}

// refundLines set aside what is on its way back.
func refundLines(amount money.Money, from []taking) []line {
	var lines []line
	for _, t := range from {
		lines = append(lines, part(payments.ToEscrow, t.Seller, t.SellerOrder, t.Escrow.Neg()),
			part(payments.ToSeller, t.Seller, t.SellerOrder, t.Earned.Neg()))
	}
	return append(lines, whole(payments.ToRefunds, amount))
}

// refundedLines book what the provider has given back.
func refundedLines(amount money.Money) []line {
	return []line{whole(payments.ToRefunds, amount.Neg()), whole(payments.ToProvider, amount)}
}

// unrefundLines put back what a failed refund had set aside.
func unrefundLines(amount money.Money, from []taking) []line {
	lines := refundLines(amount, from)
	for i := range lines {
		lines[i].Amount = lines[i].Amount.Neg()
	}
	return lines
}

// elsewhereLines book that the marketplace has given back itself what a refund was to take from shares.
func elsewhereLines(amount money.Money, from []taking) []line {
	lines := refundLines(amount, from)
	lines[len(lines)-1] = whole(payments.ToPlatform, amount)
	return lines
}

// arrivedLines book money that nobody waits for any more: it goes back at once.
func arrivedLines(amount money.Money) []line {
	return []line{whole(payments.ToProvider, amount.Neg()), whole(payments.ToRefunds, amount)}
}

// share names a seller's part of a payment.
type share struct{ seller, sellerOrder id.Ref }

// holding is what the ledger says of a share.
type holding struct {
	escrow int64 // still in escrow
	left   int64 // captured and not given back, wherever it is now
}

// posted is a sum of postings of one payment, by share, account and kind of transaction.
type posted struct {
	ShareSeller id.Ref                   `db:"share_seller"`
	SellerOrder id.Ref                   `db:"seller_order"`
	Account     payments.Beneficiary     `db:"account"`
	Kind        payments.TransactionKind `db:"kind"`
	Minor       int64                    `db:"minor"`
}

// holdings adds up what each share of a payment has.
func holdings(sums []posted) map[share]holding {
	out := map[share]holding{}
	for _, s := range sums {
		key := share{s.ShareSeller, s.SellerOrder}
		h := out[key]
		if s.Account == payments.ToEscrow {
			h.escrow += s.Minor
		}
		if s.Kind != payments.BookSettle && (s.Account == payments.ToEscrow || s.Account == payments.ToSeller) {
			h.left += s.Minor
		}
		out[key] = h
	}
	return out
}

// checkSettle says whether escrow has what a settlement takes out.
func checkSettle(r payments.SettleRequest, leaves money.Money, has map[share]holding) error {
	if h := has[share{r.Seller, r.SellerOrder}]; leaves.Minor > h.escrow {
		return payments.ErrAmount.With("escrow holds %s for seller order %s, less than %s",
			money.Money{Minor: h.escrow, Currency: leaves.Currency}, r.SellerOrder, leaves)
	}
	return nil
}

// takeFrom divides a refund: from escrow what is there, the rest from what the seller has
// earned, which may leave the seller owing.
func takeFrom(shares []payments.Share, has map[share]holding) ([]taking, error) {
	var out []taking
	for _, s := range shares {
		h := has[share{s.Seller, s.SellerOrder}]
		if s.Amount.Minor > h.left {
			return nil, payments.ErrAmount.With("of the share of seller order %s, %s can still be given back, less than %s",
				s.SellerOrder, money.Money{Minor: h.left, Currency: s.Amount.Currency}, s.Amount)
		}
		escrow := min(max(h.escrow, 0), s.Amount.Minor)
		out = append(out, taking{
			Seller: s.Seller, SellerOrder: s.SellerOrder,
			Escrow: money.Money{Minor: escrow, Currency: s.Amount.Currency},
			Earned: money.Money{Minor: s.Amount.Minor - escrow, Currency: s.Amount.Currency},
		})
	}
	return out, nil
}

// balanceOf is one account in one currency.
type balanceOf struct {
	account  payments.Account
	currency money.Currency
}

// changes is what e does to each balance, in a fixed order.
func (e entry) changes() []payments.Balance {
	sums := map[balanceOf]int64{}
	for _, l := range e.lines {
		sums[balanceOf{l.Account, l.Amount.Currency}] += l.Amount.Minor
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b balanceOf) int {
		return cmp.Or(cmp.Compare(a.account.Of, b.account.Of), cmp.Compare(a.account.Seller, b.account.Seller), cmp.Compare(a.currency, b.currency))
	})
	out := make([]payments.Balance, 0, len(keys))
	for _, k := range keys {
		out = append(out, payments.Balance{Account: k.account, Amount: money.Money{Minor: sums[k], Currency: k.currency}})
	}
	return out
}
