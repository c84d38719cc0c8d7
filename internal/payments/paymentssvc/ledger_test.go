package paymentssvc

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/payments"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

func TestNewEntryRefusesWhatDoesNotBalance(t *testing.T) {
	t.Parallel()
	usd := func(minor int64) money.Money { return money.Money{Minor: minor, Currency: "USD"} }
	tests := map[string]struct {
		lines []line
		ok    bool
	}{
		"nothing":              {nil, true},
		"balanced":             {[]line{whole(payments.ToFees, eur(1)), whole(payments.ToTax, eur(-1))}, true},
		"two currencies":       {[]line{whole(payments.ToFees, eur(1)), whole(payments.ToTax, eur(-1)), whole(payments.ToFees, usd(2)), whole(payments.ToTax, usd(-2))}, true},
		"off by one":           {[]line{whole(payments.ToFees, eur(2)), whole(payments.ToTax, eur(-1))}, false},
		"across currencies":    {[]line{whole(payments.ToFees, eur(1)), whole(payments.ToTax, usd(-1))}, false},
		"more than fits":       {[]line{whole(payments.ToFees, eur(1<<62)), whole(payments.ToTax, eur(1<<62))}, false},
		"zeros are left aside": {[]line{whole(payments.ToFees, eur(0)), whole(payments.ToTax, eur(0))}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := newEntry("txn_x", payments.BookAdjustment, at(payments.StatusCaptured), noon, tt.lines)
			assert.Equal(t, tt.ok, err == nil, "%v", err)
			for _, l := range e.lines {
				assert.False(t, l.Amount.IsZero())
			}
		})
	}
}

// books is a ledger in memory, booked by the rules.
type books struct {
	lines []line
	kinds []payments.TransactionKind
}

func (b *books) book(t require.TestingT, kind payments.TransactionKind, p *payment, lines []line) {
	e, err := newEntry(payments.TransactionIDs.New(), kind, p, noon, lines)
	require.NoError(t, err)
	for _, l := range e.lines {
		b.lines, b.kinds = append(b.lines, l), append(b.kinds, kind)
	}
}

func (b *books) holdings() map[share]holding {
	var sums []posted
	for i, l := range b.lines {
		if l.sellerOrder != "" {
			sums = append(sums, posted{l.shareSeller, l.sellerOrder, l.Account.Of, b.kinds[i], l.Amount.Minor})
		}
	}
	return holdings(sums)
}

func (b *books) balance(of payments.Beneficiary) (sum int64) {
	for _, l := range b.lines {
		if l.Account.Of == of {
			sum += l.Amount.Minor
		}
	}
	return sum
}

// TestEverythingBookedBalances captures, settles and refunds at random, and holds the ledger
// to what it must be afterwards.
func TestEverythingBookedBalances(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b books
		var shares []payments.Share
		total := int64(0)
		for range rapid.IntRange(1, 4).Draw(t, "sellers") {
			minor := rapid.Int64Range(0, 5000).Draw(t, "share")
			total += minor
			shares = append(shares, payments.Share{Seller: ref("sel_"), SellerOrder: ref("sor_"), Amount: eur(minor)})
		}
		p := at(payments.StatusAuthorised)
		p.Amount, p.Authorised = eur(total), eur(total)
		require.NoError(t, p.startCapture(eur(total)))
		require.NoError(t, p.taken(eur(total), noon))
		b.book(t, payments.BookCapture, p, captureLines(eur(total), shares))
		refunded := map[id.Ref]int64{}
		for range rapid.IntRange(0, 20).Draw(t, "acts") {
			s := rapid.SampledFrom(shares).Draw(t, "of")
			minor := rapid.Int64Range(0, 3000).Draw(t, "minor")
			if rapid.Bool().Draw(t, "settle") {
				r := payments.SettleRequest{Seller: s.Seller, SellerOrder: s.SellerOrder, Earned: eur(minor), Fee: eur(minor / 10), Tax: eur(minor / 7), Platform: eur(minor / 5)}
				leaves, err := leavesEscrow(r)
				require.NoError(t, err)
				if checkSettle(r, leaves, b.holdings()) == nil {
					b.book(t, payments.BookSettle, p, settleLines(r, leaves))
				}
				continue
			}
			part := s
			part.Amount = eur(minor)
			from, err := takeFrom([]payments.Share{part}, b.holdings())
			if err != nil || p.startRefund(part.Amount) != nil {
				continue
			}
			b.book(t, payments.BookRefund, p, refundLines(part.Amount, from))
			done := rapid.Bool().Draw(t, "done")
			p.endRefund(part.Amount, done, noon)
			if done {
				refunded[s.SellerOrder] += minor
				b.book(t, payments.BookRefund, p, refundedLines(part.Amount))
			} else {
				b.book(t, payments.BookRefund, p, unrefundLines(part.Amount, from))
			}
		}
		var sum int64
		for _, l := range b.lines {
			sum += l.Amount.Minor
		}
		assert.Zero(t, sum)
		assert.Equal(t, p.Captured.Minor-p.Refunded.Minor, -b.balance(payments.ToProvider))
		assert.Zero(t, b.balance(payments.ToRefunds), "nothing is on its way")
		has := b.holdings()
		for _, s := range shares {
			h := has[share{s.Seller, s.SellerOrder}]
			assert.GreaterOrEqual(t, h.escrow, int64(0))
			assert.Equal(t, s.Amount.Minor-refunded[s.SellerOrder], h.left)
		}
	})
}
