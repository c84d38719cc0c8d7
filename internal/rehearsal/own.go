package rehearsal

import "maps"

// own are the promises that modules keep by themselves, which their audits check, by the names that
// they give them. A report lists them all: what is not listed could be taken for unchecked.
var own = map[string]string{
	"accounts.address_book_within_limit": "no address book has more entries than it may",
	"accounts.guests_only_buy":           "a guest has no role, session or token",
	"accounts.one_default_address":       "an address book that has entries has one default",
	"accounts.owners_once":               "whoever was appointed for a seller is somebody",
	"accounts.secrets_differ":            "no two sessions share a secret, old or new",

	"cart.claim_holds_uses":    "a claim holds its coupons' uses until it is released, and then no more",
	"cart.claim_locks_cart":    "a cart with an open claim is locked",
	"cart.closed_with_claim":   "a cart whose claim was closed is closed",
	"cart.coupon_uses_counted": "a coupon's count of uses is the number of its uses",
	"cart.locked_by_claim":     "a locked cart has an open claim",
	"cart.one_currency":        "a cart has one currency",

	"stock.closed":            "a reservation that is over has no items",
	"stock.held":              "what is held or set aside is what open reservations say",
	"stock.journal":           "a stock is the sum of its journal",
	"stock.negative":          "no quantity of a stock is below zero",
	"stock.oversold":          "nothing was reserved that was not there",
	"listings.category":       "a listing lies in a category that is there, or in none",
	"listings.variants":       "a listing has variants, and one that is shown has some to show",
	"search.no_words":         "a listing that is not shown has no words in the index",
	"search.seller":           "a listing in the index is of a known seller",
	"search.words":            "a listing that is shown has words in the index",
	"orders.has_saga":         "every order has its saga",
	"orders.parcels_add_up":   "what was shipped of an order is what its parcels hold",
	"orders.placed_has_parts": "a placed order has something in it",
	"orders.refunds_add_up":   "what was refunded of an order is the sum of its refunds",
	"orders.shares_add_up":    "the frozen shares add up to their order",

	"ledger.agrees_with_payments":           "the ledger says of every payment what the payment says",
	"ledger.balance_is_sum":                 "a balance is the sum of its postings",
	"ledger.escrow_not_overdrawn":           "escrow holds no less than nothing for any part of an order",
	"ledger.sealed":                         "every posting belongs to a transaction",
	"ledger.sums_to_zero":                   "a transaction of the ledger sums to zero in each currency",
	"payments.attempts_are_finished":        "every attempt at the provider is finished, or will be",
	"payments.late_money_is_returned":       "money that came too late is returned",
	"payments.outcomes_are_awaited":         "a payment whose outcome is open is being asked about",
	"payments.refunded_captured_authorised": "refunded is at most captured, and that at most authorised",
}

// Promises are all invariants by name, each as a sentence: those that span modules, and modules' own.
func Promises() map[string]string {
	all := make(map[string]string, len(promises)+len(own))
	for _, some := range []map[string]string{promises, own} {
		maps.Copy(all, some)
	}
	return all
}
