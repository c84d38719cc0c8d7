package carttest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
)

// problemsOf are the codes of a quote's problems.
func problemsOf(q cart.Quote) []string {
	var out []string
	for _, p := range q.Problems {
		out = append(out, p.Code)
	}
	return out
}

var quoteTests = map[string]func(*world){
	"a quote says what each seller's part costs": func(w *world) {
		by := Guest()
		a := w.Catalog.AddSeller(catalog.Seller{Name: "A", Legal: catalogtest.Legal("A")})
		b := w.shop("B")
		w.add(by, w.goods(a, "1", 1000, 9).Variants[0].ID, 2)
		w.add(by, w.goods(b, "2", 333, 9).Variants[0].ID, 3)
		c := w.add(by, w.goods(a, "3", 1, 9).Variants[0].ID, 1)
		q := w.quote(by, Germany)
		assert.Empty(w, q.Problems)
		assert.Equal(w, c.ID, q.Cart)
		assert.Equal(w, c.Version, q.CartVersion)
		assert.Equal(w, Germany, q.Destination)
		require.Len(w, q.Sellers, 2)
		assert.Equal(w, "A", q.Sellers[0].Name)
		assert.Equal(w, catalogtest.Legal("A"), q.Sellers[0].Legal)
		require.Len(w, q.Sellers[0].Lines, 2)
		assert.Equal(w, catalogtest.Euro(2001), q.Sellers[0].Sums.Goods)
		assert.Equal(w, catalogtest.Euro(490), q.Sellers[0].Sums.Shipping)
		assert.Equal(w, catalogtest.Euro(2001+999+2*490), q.Sums.Total)
		assert.NotEmpty(w, q.Sellers[0].Shipping.Label)
		assert.NotEmpty(w, q.Sellers[0].Shipping.Rule)
		assert.NotEmpty(w, q.Hash)
		assert.Equal(w, q, w.quote(by, Germany))
	},
	"a quote never fails, it says what is in the way": func(w *world) {
		by, s := Guest(), w.shop("A")
		assert.Equal(w, []string{"empty"}, problemsOf(w.quote(by, Germany)))
		short, out, gone := w.goods(s, "short", 100, 9), w.goods(s, "out", 100, 9), w.goods(s, "gone", 100, 9)
		for _, l := range []catalog.Listing{short, out, gone} {
			w.add(by, l.Variants[0].ID, 5)
		}
		assert.Equal(w, []string{"no_destination"}, problemsOf(w.quote(by, cart.Destination{})))
		w.stock(short, 4)
		w.stock(out, 0)
		w.archive(gone)
		q := w.quote(by, Germany)
		assert.Equal(w, []string{"out_of_stock", "out_of_stock", "not_for_sale"}, problemsOf(q))
		for i, l := range []catalog.Listing{short, out, gone} {
			assert.Equal(w, l.Variants[0].ID, q.Problems[i].Variant)
			assert.NotEmpty(w, q.Problems[i].Message)
		}
	},
	"a bad destination is refused": func(w *world) {
		_, err := w.Quote(w.Context(), cart.QuoteRequest{By: Guest(), Destination: cart.Destination{
			Country: "Germany", Region: "much too long", PostalCode: "much too long to be a postal code",
		}})
		w.invalid(err, "country", "region", "postal_code")
	},
	"a quote's hash is of what the buyer sees": func(w *world) {
		by, s := Guest(), w.shop("A")
		l := w.goods(s, "1", 1000, 9)
		w.add(by, l.Variants[0].ID, 1)
		first := w.quote(by, Germany)
		w.stock(l, 5)
		assert.Equal(w, first.Hash, w.quote(by, Germany).Hash, "not of how many there are")
		w.reprice(l, catalogtest.Euro(1001))
		assert.NotEqual(w, first.Hash, w.quote(by, Germany).Hash)
		w.reprice(l, catalogtest.Euro(1000))
		assert.Equal(w, first.Hash, w.quote(by, Germany).Hash)
		elsewhere := Germany
		elsewhere.PostalCode = "20095"
		assert.Equal(w, first.Hash, w.quote(by, elsewhere).Hash, "where it goes counts by what that costs")
		w.edit(l, func(d *catalog.Draft) { d.Title = "Another" })
		assert.NotEqual(w, first.Hash, w.quote(by, Germany).Hash)
	},
	"a seller that does not ship there is said": func(w *world) {
		by, s := Guest(), w.shop("A")
		w.add(by, w.goods(s, "1", 1000, 9).Variants[0].ID, 1)
		w.ship(s, cart.ShippingZone{
			Label: "Next door", Countries: []string{"DE"}, Currency: "EUR", Kind: cart.ShippingFlat,
			Steps: []cart.ShippingStep{{Price: catalogtest.Euro(250)}},
		})
		assert.Equal(w, catalogtest.Euro(250), w.quote(by, Germany).Sums.Shipping)
		q := w.quote(by, cart.Destination{Country: "FR"})
		assert.Equal(w, []string{"no_shipping"}, problemsOf(q))
		assert.Equal(w, s.ID, q.Problems[0].Seller)
	},
}

// ship puts a seller's shipping table.
func (w *world) ship(s catalog.Seller, zones ...cart.ShippingZone) {
	w.Helper()
	_, err := w.PutShipping(w.Context(), cart.PutShippingRequest{
		By: catalogtest.Staff(s.ID), Key: Key(), Table: cart.ShippingTable{Seller: s.ID, Zones: zones},
	})
	require.NoError(w, err)
}

// ruleTests are of what quotes compute by tables; the tables of rules have the rest.
var ruleTests = map[string]func(*world){
	"shipping goes by weight, also that of goods that say none": func(w *world) {
		by, s := Guest(), w.shop("A")
		w.ship(s, cart.ShippingZone{
			Label: "Parcel", Currency: "EUR", Kind: cart.ShippingByWeight, GramsUnknown: 1000,
			Steps: []cart.ShippingStep{{Grams: 800, Price: catalogtest.Euro(300)}, {Grams: 2000, Price: catalogtest.Euro(700)}},
		})
		l := w.goods(s, "1", 1000, 9) // 400 grams each
		w.add(by, l.Variants[0].ID, 2)
		assert.Equal(w, catalogtest.Euro(300), w.quote(by, Germany).Sums.Shipping)
		w.add(by, l.Variants[0].ID, 1)
		assert.Equal(w, catalogtest.Euro(700), w.quote(by, Germany).Sums.Shipping)
		w.add(by, l.Variants[0].ID, 3)
		assert.Equal(w, []string{"no_shipping"}, problemsOf(w.quote(by, Germany)))
		w.edit(l, func(d *catalog.Draft) { d.Variants[0].Grams = 0 })
		assert.Equal(w, []string{"no_shipping"}, problemsOf(w.quote(by, Germany)))
	},
	"shipping goes by what the goods cost after discounts": func(w *world) {
		by, s := Guest(), w.shop("A")
		w.ship(s, cart.ShippingZone{
			Label: "Parcel", Currency: "EUR", Kind: cart.ShippingByPrice,
			Steps: []cart.ShippingStep{{Price: catalogtest.Euro(300)}, {From: catalogtest.Euro(1000), Price: catalogtest.Euro(0)}},
		})
		w.add(by, w.goods(s, "1", 1000, 9).Variants[0].ID, 1)
		assert.Zero(w, w.quote(by, Germany).Sums.Shipping.Minor)
		w.coupon(cart.Coupon{Code: "CENT", Amount: catalogtest.Euro(1)})
		_, err := w.apply(by, "CENT")
		require.NoError(w, err)
		assert.Equal(w, catalogtest.Euro(300), w.quote(by, Germany).Sums.Shipping)
	},
	"tax is included where it is, and added where it is": func(w *world) {
		by, s := Guest(), w.shop("A")
		w.ship(s, cart.ShippingZone{Label: "Parcel", Currency: "EUR", Kind: cart.ShippingFlat, Steps: []cart.ShippingStep{{Price: catalogtest.Euro(119)}}})
		w.add(by, w.goods(s, "1", 11_900, 9).Variants[0].ID, 1)
		q := w.quote(by, Germany)
		assert.Equal(w, catalogtest.Euro(1900+19), q.Sums.TaxIncluded)
		assert.Equal(w, catalogtest.Euro(1900), q.Sellers[0].Lines[0].TaxGoods)
		assert.Equal(w, catalogtest.Euro(12_019), q.Sums.Total)
		_, err := w.PutTaxes(w.Context(), cart.PutTaxesRequest{By: catalogtest.Operator(), Key: Key(), Table: cart.TaxTable{
			Country: "US", Rates: []cart.TaxRate{{Class: catalog.TaxStandard, BasisPoints: 500}, {Region: "NY", Class: catalog.TaxStandard, BasisPoints: 800}},
		}})
		require.NoError(w, err)
		q = w.quote(by, cart.Destination{Country: "US", Region: "NY"})
		assert.Equal(w, catalogtest.Euro(952+10), q.Sums.TaxAdded)
		assert.Equal(w, catalogtest.Euro(12_019+962), q.Sums.Total)
		assert.Equal(w, catalogtest.Euro(595+6), w.quote(by, cart.Destination{Country: "US", Region: "TX"}).Sums.TaxAdded)
	},
}
