package paymentssvc

import (
	"strings"

	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Bounds on what is accepted.
const (
	maxKey     = 200
	maxText    = 500
	maxURL     = 2000
	maxShares  = 500
	maxBatch   = 200
	maxMinor   = 1 << 53 // a sum of shares or postings stays far from overflowing
	orderKind  = "ord_"
	sellerKind = "sel_"
	shareKind  = "sor_"
)

// commanded says whether by may command payments, and notes whether the key will do.
func commanded(bad *errs.Problems, by actor.Actor, key string) error {
	if !by.IsSystem() {
		return payments.ErrForbidden.With("only the marketplace itself moves money")
	}
	bad.Check(key != "", "key", "is required")
	bad.Check(len(key) <= maxKey, "key", "may have %d bytes at most", maxKey)
	return nil
}

func checkAmount(bad *errs.Problems, field string, m money.Money, least int64) {
	bad.Check(m.Currency.Valid(), field, "is in %q, which is not a currency souk knows", string(m.Currency))
	bad.Check(m.Minor >= least, field, "must be at least %d", least)
	bad.Check(m.Minor <= maxMinor, field, "is too large")
}

func checkRef(bad *errs.Problems, field string, r id.Ref, kind string) {
	bad.Check(r.Valid() && r.HasPrefix(kind), field, "is not an id of the form %s…", kind)
}

// localPath says whether u leads somewhere on this site and nowhere else.
func localPath(u string) bool {
	if !strings.HasPrefix(u, "/") || strings.HasPrefix(u, "//") || len(u) > maxURL {
		return false
	}
	return strings.IndexFunc(u, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) < 0
}

// validateAuthorize checks everything but whether the method exists.
func validateAuthorize(r payments.AuthorizeRequest, known func(method string) bool) error {
	var bad errs.Problems
	if err := commanded(&bad, r.By, r.Key); err != nil {
		return err
	}
	checkRef(&bad, "order", r.Order, orderKind)
	checkAmount(&bad, "amount", r.Amount, 0)
	bad.Check(r.ReturnURL == "" || localPath(r.ReturnURL), "return_url", "is not a path of this site")
	refusal := payments.ErrInvalid
	if !r.Amount.IsZero() && !known(r.Method) {
		if bad.Err(payments.ErrInvalid) == nil {
			refusal = payments.ErrMethod
		}
		bad.Add("method", "is not a way to pay")
	}
	return bad.Err(refusal)
}

func validateUndo(r payments.UndoRequest) error {
	var bad errs.Problems
	if err := commanded(&bad, r.By, r.Key); err != nil {
		return err
	}
	bad.Check(len(r.Why) <= maxText, "why", "may have %d bytes at most", maxText)
	return bad.Err(payments.ErrInvalid)
}

// checkShares checks that shares are parts of the amount that sum to it. Parts of nothing
// are welcome: a seller order may cost nothing.
func checkShares(bad *errs.Problems, amount money.Money, shares []payments.Share) {
	bad.Check(len(shares) > 0, "shares", "are required")
	bad.Check(len(shares) <= maxShares, "shares", "may be %d at most", maxShares)
	seen, sum := map[id.Ref]bool{}, money.Zero(amount.Currency)
	for _, s := range shares {
		checkRef(bad, "shares", s.Seller, sellerKind)
		checkRef(bad, "shares", s.SellerOrder, shareKind)
		checkAmount(bad, "shares", s.Amount, 0)
		bad.Check(!seen[s.SellerOrder], "shares", "name seller order %s twice", s.SellerOrder)
		seen[s.SellerOrder] = true
		var err error
		if sum, err = sum.Add(s.Amount); err != nil {
			bad.Add("shares", "cannot be summed: %s", err)
			return
		}
	}
	bad.Check(sum == amount, "shares", "sum to %s and not to %s", sum, amount)
}

func validateCapture(r payments.CaptureRequest) error {
	var bad errs.Problems
	if err := commanded(&bad, r.By, r.Key); err != nil {
		return err
	}
	checkPayment(&bad, r.Payment)
	checkAmount(&bad, "amount", r.Amount, 1)
	checkShares(&bad, r.Amount, r.Shares)
	return bad.Err(payments.ErrInvalid)
}

func checkPayment(bad *errs.Problems, pid payments.PaymentID) {
	bad.Check(payments.PaymentIDs.Valid(pid), "payment", "is not an id of the form pay_…")
}

func validateRefund(r payments.RefundRequest) error {
	var bad errs.Problems
	if err := commanded(&bad, r.By, r.Key); err != nil {
		return err
	}
	checkPayment(&bad, r.Payment)
	checkAmount(&bad, "amount", r.Amount, 1)
	checkShares(&bad, r.Amount, r.Shares)
	bad.Check(len(r.Why) <= maxText, "why", "may have %d bytes at most", maxText)
	return bad.Err(payments.ErrInvalid)
}

func validateSettle(r payments.SettleRequest) error {
	var bad errs.Problems
	if err := commanded(&bad, r.By, r.Key); err != nil {
		return err
	}
	checkPayment(&bad, r.Payment)
	checkRef(&bad, "seller", r.Seller, sellerKind)
	checkRef(&bad, "seller_order", r.SellerOrder, shareKind)
	for _, f := range []struct {
		name   string
		amount money.Money
	}{{"earned", r.Earned}, {"fee", r.Fee}, {"tax", r.Tax}, {"platform", r.Platform}} {
		checkAmount(&bad, f.name, f.amount, 0)
		bad.Check(f.amount.Currency == r.Earned.Currency, f.name, "is in another currency than earned")
	}
	if leaves, err := leavesEscrow(r); err == nil {
		bad.Check(leaves.Minor >= 0, "platform", "is more than what is settled")
	}
	return bad.Err(payments.ErrInvalid)
}

func validateGet(r payments.GetPaymentsRequest) error {
	if !r.By.IsSystem() && !r.By.IsOperator() {
		return payments.ErrForbidden.With("payments are for the marketplace and its operators")
	}
	var bad errs.Problems
	bad.Check(len(r.IDs)+len(r.Orders) <= maxBatch, "ids", "may be %d at most, orders included", maxBatch)
	return bad.Err(payments.ErrInvalid)
}

// view is whose part of the ledger a caller sees: one seller's, or with "" all. own says that
// the caller sees of each transaction only the lines of that seller's shares.
func view(by actor.Actor, asked id.Ref) (seller id.Ref, own bool, err error) {
	switch {
	case by.IsSystem(), by.IsOperator():
		return asked, false, nil
	case !by.SignedIn() || by.Seller == "" || !by.Has(actor.ScopeSell) && !by.Has(actor.ScopeRead):
		return "", false, payments.ErrForbidden.With("the ledger is for operators, and for sellers their own part")
	case asked != "" && asked != by.Seller:
		return "", false, payments.ErrNotFound.With("there is no account of %s", asked)
	default:
		return by.Seller, true, nil
	}
}
