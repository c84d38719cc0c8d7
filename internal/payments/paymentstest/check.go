package paymentstest

import (
	"slices"
	"strings"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// What the fake accepts. It is written for itself, not shared with the real module,
// so that each holds the other to the contract.

var fakeMethods = []string{OK, Declined, Redirect, Later, LaterDeclined, LostReply, CaptureRefused, RefundFailed}

func command(by actor.Actor, key string, p *errs.Problems) error {
	if !by.IsSystem() {
		return payments.ErrForbidden.With("only the marketplace itself moves money")
	}
	p.Check(key != "" && len(key) <= 200, "key", "has 1 to 200 characters")
	return nil
}

func amount(p *errs.Problems, field string, m money.Money, least int64) {
	p.Check(m.Currency.Valid() && m.Minor >= least, field, "is not an amount")
}

func checkAuthorize(r payments.AuthorizeRequest) error {
	var p errs.Problems
	if err := command(r.By, r.Key, &p); err != nil {
		return err
	}
	p.Check(r.Order.Valid() && r.Order.HasPrefix("ord_"), "order", "is not an order's id")
	amount(&p, "amount", r.Amount, 0)
	local := strings.HasPrefix(r.ReturnURL, "/") && !strings.HasPrefix(r.ReturnURL, "//") && !strings.Contains(r.ReturnURL, `\`)
	p.Check(r.ReturnURL == "" || local, "return_url", "is not a path of this site")
	if err := p.Err(payments.ErrInvalid); err != nil {
		return err
	}
	if !r.Amount.IsZero() && !slices.Contains(fakeMethods, r.Method) {
		return payments.ErrMethod.WithField("method", "is not a way to pay")
	}
	return nil
}

func checkUndo(r payments.UndoRequest) error {
	var p errs.Problems
	if err := command(r.By, r.Key, &p); err != nil {
		return err
	}
	return p.Err(payments.ErrInvalid)
}

func checkShares(p *errs.Problems, total money.Money, shares []payments.Share) {
	sum, seen := money.Zero(total.Currency), map[id.Ref]bool{}
	for _, s := range shares {
		amount(p, "shares", s.Amount, 0)
		var err error
		if sum, err = sum.Add(s.Amount); err != nil {
			p.Add("shares", "%s", err)
			return
		}
		p.Check(s.Seller.HasPrefix("sel_") && s.SellerOrder.HasPrefix("sor_"), "shares", "need a seller and a seller order")
		p.Check(!seen[s.SellerOrder], "shares", "name a seller order twice")
		seen[s.SellerOrder] = true
	}
	p.Check(sum == total, "shares", "do not sum to the amount")
}

func checkCapture(r payments.CaptureRequest) error {
	var p errs.Problems
	if err := command(r.By, r.Key, &p); err != nil {
		return err
	}
	p.Check(payments.PaymentIDs.Valid(r.Payment), "payment", "is not a payment's id")
	amount(&p, "amount", r.Amount, 1)
	checkShares(&p, r.Amount, r.Shares)
	return p.Err(payments.ErrInvalid)
}

func checkRefund(r payments.RefundRequest) error {
	var p errs.Problems
	if err := command(r.By, r.Key, &p); err != nil {
		return err
	}
	p.Check(payments.PaymentIDs.Valid(r.Payment), "payment", "is not a payment's id")
	amount(&p, "amount", r.Amount, 1)
	checkShares(&p, r.Amount, r.Shares)
	return p.Err(payments.ErrInvalid)
}

func checkSettle(r payments.SettleRequest) error {
	var p errs.Problems
	if err := command(r.By, r.Key, &p); err != nil {
		return err
	}
	p.Check(payments.PaymentIDs.Valid(r.Payment), "payment", "is not a payment's id")
	p.Check(r.Seller.HasPrefix("sel_") && r.SellerOrder.HasPrefix("sor_"), "seller_order", "needs a seller and a seller order")
	for field, m := range map[string]money.Money{"earned": r.Earned, "fee": r.Fee, "tax": r.Tax, "platform": r.Platform} {
		amount(&p, field, m, 0)
		p.Check(m.Currency == r.Earned.Currency, field, "has another currency")
	}
	p.Check(r.Earned.Minor+r.Fee.Minor+r.Tax.Minor >= r.Platform.Minor, "platform", "is more than what is settled")
	return p.Err(payments.ErrInvalid)
}

func checkGet(r payments.GetPaymentsRequest) error {
	if !r.By.IsSystem() && !r.By.IsOperator() {
		return payments.ErrForbidden
	}
	var p errs.Problems
	p.Check(len(r.IDs)+len(r.Orders) <= 200, "ids", "are more than 200 with the orders")
	return p.Err(payments.ErrInvalid)
}

// visible is the seller whose accounts by may see: "" for all.
func visible(by actor.Actor, asked id.Ref) (id.Ref, error) {
	switch {
	case by.IsSystem(), by.IsOperator():
		return asked, nil
	case !by.SignedIn() || by.Seller == "" || !by.Has(actor.ScopeSell) && !by.Has(actor.ScopeRead):
		return "", payments.ErrForbidden
	case asked != "" && asked != by.Seller:
		return "", payments.ErrNotFound
	default:
		return by.Seller, nil
	}
}
