package orderssvc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/money"
)

func newIDs() makers {
	return makers{sellerOrder: orders.SellerOrderIDs.New, line: orders.LineIDs.New}
}

// quotes draws what carts are quoted.
func quotes() *rapid.Generator[cart.Quote] {
	return rapid.Custom(func(t *rapid.T) cart.Quote {
		var items []orderstest.Item
		for i := range rapid.IntRange(1, 6).Draw(t, "lines") {
			price, quantity := rapid.Int64Range(0, 5000).Draw(t, "price"), rapid.Int64Range(1, 7).Draw(t, "quantity")
			items = append(items, orderstest.Item{
				Offer: catalog.Offer{
					Variant: catalog.VariantID(fmt.Sprintf("var_%d", i)), Seller: catalog.SellerID(fmt.Sprintf("sel_%d", rapid.IntRange(1, 3).Draw(t, "seller"))),
					Price: orderstest.EUR(price), Commission: rapid.Int32Range(0, 6000).Draw(t, "commission"),
				},
				Quantity: quantity, Discount: rapid.Int64Range(0, price*quantity).Draw(t, "discount"), Shipping: rapid.Int64Range(0, 900).Draw(t, "shipping"),
				TaxRate: rapid.Int32Range(0, 3000).Draw(t, "tax"), TaxAdded: rapid.Bool().Draw(t, "added"),
				Funder: rapid.SampledFrom([]cart.Funder{cart.FunderPlatform, cart.FunderSeller}).Draw(t, "funder"),
			})
		}
		return orderstest.QuoteOf(items...)
	})
}

func frozen(t require.TestingT, q cart.Quote) *orders.Order {
	o := &orders.Order{ID: "ord_1", Number: "K7F3-9Q2M"}
	require.NoError(t, freeze(o, q, newIDs()))
	return o
}

func TestFrozenSharesSumToTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := quotes().Draw(t, "quote")
		o := frozen(t, q)
		assert.Equal(t, q.Sums, o.Sums)
		captured := money.Zero("EUR")
		for _, share := range captureShares(o) {
			assert.Positive(t, share.Amount.Minor)
			captured.Minor += share.Amount.Minor
		}
		assert.Equal(t, o.Sums.Total, captured)
		for _, so := range o.SellerOrders {
			var commission, total int64
			for _, l := range so.Lines {
				commission, total = commission+l.Commission.Minor, total+l.Sums.Total.Minor
				assert.LessOrEqual(t, l.CommissionBase.Minor, l.Sums.Goods.Minor)
			}
			assert.Equal(t, so.Commission.Minor, commission)
			assert.Equal(t, so.Sums.Total.Minor, total)
		}
	})
}

func TestWhatIsSettledAndPaidBackIsWhatWasCaptured(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := frozen(t, quotes().Draw(t, "quote"))
		for i := range o.SellerOrders {
			so := &o.SellerOrders[i]
			var back int64
			for range rapid.IntRange(0, 5).Draw(t, "cancellations") {
				l := so.Lines[rapid.IntRange(0, len(so.Lines)-1).Draw(t, "line")]
				if toShip(l) == 0 {
					continue
				}
				n := rapid.Int64Range(1, toShip(l)).Draw(t, "pieces")
				amount, err := cancel(so, []orders.ParcelItem{{Line: l.ID, Quantity: n}})
				require.NoError(t, err)
				require.GreaterOrEqual(t, amount.Minor, int64(0))
				back += amount.Minor
			}
			assert.Equal(t, back, so.Refunded.Minor)
			d, err := settle(*so)
			require.NoError(t, err)
			for _, share := range []money.Money{d.earned, d.fee, d.tax, d.platform} {
				assert.GreaterOrEqual(t, share.Minor, int64(0), "%+v", d)
			}
			assert.Equal(t, so.Sums.Total.Minor-back, d.earned.Minor+d.fee.Minor+d.tax.Minor-d.platform.Minor, "what leaves escrow")
			if so.Fulfilment == orders.FulfilmentCancelled {
				assert.Equal(t, so.Sums.Total, so.Refunded)
				assert.Zero(t, d.fee.Minor+d.tax.Minor+d.earned.Minor)
			}
		}
	})
}

func TestPartsOfALineSumToIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, quantity := rapid.Int64Range(0, 1_000_000).Draw(t, "total"), rapid.Int64Range(1, 50).Draw(t, "quantity")
		l := orders.Line{Quantity: quantity, Refunded: money.Zero("EUR")}
		l.Sums.Total = orderstest.EUR(total)
		var sum int64
		for l.Cancelled < quantity {
			n := rapid.Int64Range(1, quantity-l.Cancelled).Draw(t, "pieces")
			back, err := refundFor(l, n)
			require.NoError(t, err)
			sum, l.Cancelled = sum+back.Minor, l.Cancelled+n
		}
		assert.Equal(t, total, sum)
	})
}

func TestCommission(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		item             orderstest.Item
		base, commission int64
	}{
		"of the goods":                       {orderstest.Item{Quantity: 2}, 2000, 200},
		"not of shipping":                    {orderstest.Item{Quantity: 2, Shipping: 500}, 2000, 200},
		"less what the seller gave off":      {orderstest.Item{Quantity: 2, Discount: 400}, 1600, 160},
		"not less what the marketplace gave": {orderstest.Item{Quantity: 2, Discount: 400, Funder: cart.FunderPlatform}, 2000, 200},
		"rounded half up":                    {orderstest.Item{Quantity: 1, Discount: 5}, 995, 100},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.item.Offer = catalog.Offer{Variant: "var_1", Seller: "sel_1", Price: orderstest.EUR(1000), Commission: 1000}
			l := frozen(t, orderstest.QuoteOf(tt.item)).SellerOrders[0].Lines[0]
			assert.Equal(t, tt.base, l.CommissionBase.Minor)
			assert.Equal(t, tt.commission, l.Commission.Minor)
		})
	}
}

func TestAQuoteThatDoesNotAddUpIsNotFrozen(t *testing.T) {
	t.Parallel()
	tests := map[string]func(q *cart.Quote){
		"the total":         func(q *cart.Quote) { q.Sums.Total.Minor++ },
		"a seller's goods":  func(q *cart.Quote) { q.Sellers[0].Sums.Goods.Minor++ },
		"a line's shipping": func(q *cart.Quote) { q.Sellers[0].Lines[0].Sums.Shipping.Minor++ },
		"an adjustment":     func(q *cart.Quote) { q.Sellers[0].Lines[0].Adjustments[0].Amount.Minor++ },
		"another currency":  func(q *cart.Quote) { q.Sellers[0].Lines[0].Sums.Total.Currency = "USD" },
		"nothing of a line": func(q *cart.Quote) { q.Sellers[0].Lines[0].Quantity = 0 },
		"no seller":         func(q *cart.Quote) { q.Sellers = nil },
		"a seller's lines":  func(q *cart.Quote) { q.Sellers[0].Lines = nil },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := orderstest.QuoteOf(orderstest.Item{
				Offer: catalog.Offer{Variant: "var_1", Seller: "sel_1", Price: orderstest.EUR(1000)}, Quantity: 2, Discount: 100,
			})
			require.NoError(t, freeze(&orders.Order{}, q, newIDs()))
			change(&q)
			assert.Error(t, freeze(&orders.Order{}, q, newIDs()))
		})
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		n := newNumber()
		assert.Regexp(t, `^[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}$`, n)
		assert.False(t, seen[n], n)
		seen[n] = true
		assert.Equal(t, n, fullNumber(" "+plainNumber(n)+" "))
	}
	for typed, want := range map[string]string{"k7f3-9q2m": "K7F3-9Q2M", "k7f3 9q2m": "K7F3-9Q2M", "K7F39Q2M": "K7F3-9Q2M", "": "", "x": "X"} {
		assert.Equal(t, want, fullNumber(typed))
	}
}
