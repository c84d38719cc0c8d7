package cartsvc

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/cart"
	"souk/internal/cart/carttest"
	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/money"
)

const now clock.Time = 1_767_225_600_000 // 2026-01-01T00:00:00Z

func offerOf(seller, variant string, price money.Money) catalog.Offer {
	return catalog.Offer{
		Variant: catalog.VariantID(variant), Seller: catalog.SellerID(seller), SellerName: seller, Title: variant, Price: price,
		TaxClass: catalog.TaxStandard, Available: 1000, ForSale: true,
	}
}

// baskets are any that can come about: of some sellers, with coupons of both funders, shipped
// in every way, taxed or not, in currencies of 0, 2 and 3 decimals.
func baskets() *rapid.Generator[basket] {
	return rapid.Custom(func(t *rapid.T) basket {
		currency := rapid.SampledFrom([]money.Currency{"JPY", "EUR", "KWD"}).Draw(t, "currency")
		amount := func(label string, most int64) money.Money {
			return money.Money{Minor: rapid.Int64Range(0, most).Draw(t, label), Currency: currency}
		}
		sellers := rapid.SampledFrom([][]string{{"A"}, {"A", "B"}, {"A", "B", "C", "D"}}).Draw(t, "sellers")
		b := basket{
			cart: "crt_1", version: 3, currency: currency, now: now, coupons: map[string]couponInPlay{}, shipping: shippingTables{},
			destination: cart.Destination{Country: "DE"},
		}
		for i := range rapid.IntRange(1, 8).Draw(t, "lines") {
			o := offerOf(rapid.SampledFrom(sellers).Draw(t, "seller"), fmt.Sprintf("v%d", i), amount("price", 1_000_000))
			o.Grams = rapid.SampledFrom([]int64{0, 1, 700, 5000}).Draw(t, "grams")
			o.TaxClass = rapid.SampledFrom([]catalog.TaxClass{catalog.TaxStandard, catalog.TaxReduced, catalog.TaxZero}).Draw(t, "class")
			b.lines = append(b.lines, basketLine{offer: o, quantity: rapid.Int64Range(1, 999).Draw(t, "quantity")})
		}
		for i := range rapid.IntRange(0, cart.MaxCodes).Draw(t, "codes") {
			c := cart.Coupon{
				ID: cart.CouponID(fmt.Sprintf("cpn_%d", i)), Code: fmt.Sprintf("CODE%d", i),
				Funder: rapid.SampledFrom([]cart.Funder{cart.FunderPlatform, cart.FunderSeller}).Draw(t, "funder"),
				Seller: catalog.SellerID(rapid.SampledFrom(append(sellers, "", "elsewhere")).Draw(t, "coupon's seller")),
			}
			if rapid.Bool().Draw(t, "percent?") {
				c.Percent = rapid.Int32Range(1, basis).Draw(t, "percent")
			} else {
				c.Amount = amount("off", 2_000_000)
				c.Amount.Minor++
			}
			if rapid.Bool().Draw(t, "minimum?") {
				c.Minimum = amount("minimum", 2_000_000)
			}
			b.codes = append(b.codes, c.Code)
			b.coupons[c.Code] = couponInPlay{coupon: c}
		}
		for _, s := range sellers {
			z := cart.ShippingZone{Label: "Parcel", Currency: currency, Kind: rapid.SampledFrom([]cart.ShippingKind{
				cart.ShippingFlat, cart.ShippingByWeight, cart.ShippingByPrice,
			}).Draw(t, "kind"), GramsUnknown: 300}
			z.Steps = []cart.ShippingStep{{Grams: 1000, From: money.Zero(currency), Price: amount("near", 5000)}}
			if z.Kind != cart.ShippingFlat {
				z.Steps = append(z.Steps, cart.ShippingStep{Grams: 1 << 40, From: amount("from", 100_000), Price: amount("far", 5000)})
			}
			b.shipping[catalog.SellerID(s)] = cart.ShippingTable{Seller: catalog.SellerID(s), Zones: []cart.ShippingZone{z}}
		}
		b.taxes = taxTables{"DE": {Country: "DE", Included: rapid.Bool().Draw(t, "included"), Rates: []cart.TaxRate{
			{Class: catalog.TaxStandard, BasisPoints: rapid.Int32Range(0, basis).Draw(t, "standard")},
			{Class: catalog.TaxReduced, BasisPoints: rapid.Int32Range(0, basis).Draw(t, "reduced")},
		}}}
		return b
	})
}

func TestEveryShareOfAnyQuoteIsAccountedFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := baskets().Draw(t, "basket")
		q, err := quote(b)
		require.NoError(t, err)
		carttest.CheckQuote(t, q)
		require.Len(t, q.Codes, len(b.codes))
		goods := money.Zero(b.currency)
		for _, l := range b.lines {
			goods.Minor += l.offer.Price.Minor * l.quantity
		}
		require.Equal(t, goods, q.Sums.Goods)
		for _, s := range q.Sellers {
			zone := b.shipping.of(s.Seller).Zones[0]
			require.True(t, slices.ContainsFunc(zone.Steps, func(step cart.ShippingStep) bool {
				return step.Price == s.Sums.Shipping
			}), "what a seller's lines share is one price of its table")
			for _, l := range s.Lines {
				for _, a := range l.Adjustments {
					c := b.coupons[a.Code].coupon
					require.Equal(t, c.Funder, a.Funder)
					require.Equal(t, c.ID, a.Coupon)
					require.True(t, c.Seller == "" || c.Seller == s.Seller, "a seller's coupon is for its own goods")
				}
			}
		}
		again, err := quote(b)
		require.NoError(t, err)
		require.Equal(t, q, again)
	})
}

func TestCodesApplyInTheirOrderEachToWhatIsLeft(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := baskets().Draw(t, "basket")
		whole, err := quote(b)
		require.NoError(t, err)
		for n := range b.codes {
			part := b
			part.codes = b.codes[:n]
			before, err := quote(part)
			require.NoError(t, err)
			require.Empty(t, before.Codes[n:])
			for i, c := range before.Codes {
				require.Equal(t, whole.Codes[i], c, "a later code takes nothing from an earlier one")
			}
		}
	})
}

func TestAHashIsOfWhatTheBuyerSees(t *testing.T) {
	t.Parallel()
	base := func() basket {
		o := offerOf("A", "v1", eur(1000))
		o.Options = []catalog.Option{{Name: "Colour", Value: "Sage"}}
		return basket{
			cart: "crt_1", version: 1, currency: "EUR", now: now, destination: cart.Destination{Country: "DE", PostalCode: "10115"},
			lines: []basketLine{{offer: o, quantity: 2}, {offer: offerOf("B", "v2", eur(500)), quantity: 1}},
			codes: []string{"TEN"}, coupons: map[string]couponInPlay{"TEN": {coupon: cart.Coupon{Code: "TEN", Label: "Ten", Percent: 1000, Funder: cart.FunderSeller}}},
			shipping: shippingTables{"": {Zones: defaultZones}}, taxes: defaultTaxes(),
		}
	}
	hash := func(b basket) string {
		q, err := quote(b)
		require.NoError(t, err)
		return q.Hash
	}
	coupon := func(change func(*cart.Coupon)) func(*basket) {
		return func(b *basket) {
			c := b.coupons["TEN"].coupon
			change(&c)
			b.coupons["TEN"] = couponInPlay{coupon: c}
		}
	}
	tests := map[string]struct {
		change func(*basket)
		same   bool
	}{
		"how many there are":       {func(b *basket) { b.lines[0].offer.Available = 7 }, true},
		"the cart and its version": {func(b *basket) { b.cart, b.version = "crt_2", 9 }, true},
		"the time":                 {func(b *basket) { b.now++ }, true},
		"a coupon's count of uses": {coupon(func(c *cart.Coupon) { c.Used = 5 }), true},
		"no options, or none said": {func(b *basket) { b.lines[1].offer.Options = []catalog.Option{} }, true},
		"a title":                  {func(b *basket) { b.lines[0].offer.Title = "other" }, false},
		"an option":                {func(b *basket) { b.lines[0].offer.Options[0].Value = "Rust" }, false},
		"a price":                  {func(b *basket) { b.lines[0].offer.Price.Minor++ }, false},
		"a quantity":               {func(b *basket) { b.lines[1].quantity++ }, false},
		"a variant":                {func(b *basket) { b.lines[1].offer.Variant = "v3" }, false},
		"a seller":                 {func(b *basket) { b.lines[1].offer.Seller = "C" }, false},
		"a seller's name":          {func(b *basket) { b.lines[1].offer.SellerName = "Bee" }, false},
		"the order of things":      {func(b *basket) { slices.Reverse(b.lines) }, false},
		"a line less":              {func(b *basket) { b.lines = b.lines[:1] }, false},
		"the country":              {func(b *basket) { b.destination.Country = "FR" }, false},
		"a region taxed the same":  {func(b *basket) { b.destination.Region = "BE" }, true},
		"the postal code":          {func(b *basket) { b.destination.PostalCode = "20095" }, true},
		"no code":                  {func(b *basket) { b.codes = nil }, false},
		"another code":             {func(b *basket) { b.codes = append(b.codes, "NOSUCH") }, false},
		"a coupon's label":         {coupon(func(c *cart.Coupon) { c.Label = "Tenth" }), false},
		"a coupon's worth":         {coupon(func(c *cart.Coupon) { c.Percent = 1100 }), false},
		"a coupon's funder":        {coupon(func(c *cart.Coupon) { c.Funder = cart.FunderPlatform }), false},
		"a coupon that has ended":  {coupon(func(c *cart.Coupon) { c.Ended = true }), false},
		"how it is sent": {func(b *basket) {
			b.shipping["B"] = cart.ShippingTable{Zones: []cart.ShippingZone{{Label: "Owl", Steps: []cart.ShippingStep{{Price: eur(490)}}}}}
		}, false},
		"a tax rate": {func(b *basket) {
			b.taxes["DE"] = cart.TaxTable{Included: true, Rates: []cart.TaxRate{{Class: catalog.TaxStandard, BasisPoints: 1901}}}
		}, false},
		"whether tax is included":   {func(b *basket) { t := b.taxes["DE"]; t.Included = false; b.taxes["DE"] = t }, false},
		"what can no longer be had": {func(b *basket) { b.lines[0].offer.ForSale = false }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := base()
			tt.change(&b)
			assert.Equal(t, tt.same, hash(base()) == hash(b))
		})
	}
}

func TestUsable(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		coupon cart.Coupon
		mine   int64
		want   string
	}{
		"at any time":         {cart.Coupon{}, 9, ""},
		"ended":               {cart.Coupon{Ended: true}, 0, "This code has ended."},
		"not yet":             {cart.Coupon{From: now + 60_000}, 0, "This code is not valid yet: it starts on 1 January 2026, 00:01 UTC."},
		"just begun":          {cart.Coupon{From: now}, 0, ""},
		"just over":           {cart.Coupon{Until: now}, 0, "This code ended on 1 January 2026, 00:00 UTC."},
		"the last moment":     {cart.Coupon{Until: now + 1}, 0, ""},
		"the last use":        {cart.Coupon{Limit: 3, Used: 2}, 0, ""},
		"used up":             {cart.Coupon{Limit: 3, Used: 3}, 0, "This code has been used up."},
		"a person's last use": {cart.Coupon{LimitPerson: 2}, 1, ""},
		"a person's used up":  {cart.Coupon{LimitPerson: 2}, 2, "You have used this code already."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, couponInPlay{coupon: tt.coupon, usedByMe: tt.mine}.usable(now))
		})
	}
}

func TestZoneOf(t *testing.T) {
	t.Parallel()
	table := cart.ShippingTable{Zones: []cart.ShippingZone{
		{Label: "near", Countries: []string{"DE", "AT"}, Currency: "EUR"},
		{Label: "US", Countries: []string{"US"}, Currency: "USD"},
		{Label: "far", Currency: "EUR"},
		{Label: "free"},
	}}
	for to, want := range map[[2]string]string{
		{"DE", "EUR"}: "near", {"AT", "EUR"}: "near", {"FR", "EUR"}: "far", {"US", "USD"}: "US", {"US", "EUR"}: "far", {"DE", "JPY"}: "free",
	} {
		got, found := zoneOf(table, cart.Destination{Country: to[0]}, money.Currency(to[1]))
		assert.True(t, found)
		assert.Equal(t, want, got.Label, to)
	}
	_, found := zoneOf(cart.ShippingTable{Zones: table.Zones[:2]}, cart.Destination{Country: "FR"}, "EUR")
	assert.False(t, found)
}

func TestPriceOf(t *testing.T) {
	t.Parallel()
	lines := func(net, discount, grams, quantity int64) []cart.LineQuote {
		l := cart.LineQuote{Offer: catalog.Offer{Grams: grams}, Quantity: quantity, Sums: noSums("EUR")}
		l.Sums.Goods.Minor, l.Sums.Discount.Minor = net+discount, discount
		return []cart.LineQuote{l}
	}
	weight := cart.ShippingZone{Kind: cart.ShippingByWeight, GramsUnknown: 500, Steps: []cart.ShippingStep{{Grams: 1000, Price: eur(1)}, {Grams: 5000, Price: eur(2)}}}
	price := cart.ShippingZone{Kind: cart.ShippingByPrice, Steps: []cart.ShippingStep{{Price: eur(3)}, {From: eur(1000), Price: eur(4)}, {From: eur(5000), Price: eur(0)}}}
	tests := map[string]struct {
		zone  cart.ShippingZone
		lines []cart.LineQuote
		want  int64
		how   string
	}{
		"flat":                {cart.ShippingZone{Kind: cart.ShippingFlat, Steps: []cart.ShippingStep{{Price: eur(9)}}}, lines(1, 0, 1, 1), 9, "one price per order"},
		"no prices":           {cart.ShippingZone{}, lines(1, 0, 1, 1), 0, ""},
		"up to and with":      {weight, lines(1, 0, 500, 2), 1, "1.00 kg, up to 1.00 kg"},
		"a gram more":         {weight, lines(1, 0, 1001, 1), 2, "1.00 kg, up to 5.00 kg"},
		"too heavy":           {weight, lines(1, 0, 2501, 2), 0, ""},
		"no weight said":      {weight, lines(1, 0, 0, 3), 2, "1.50 kg, up to 5.00 kg"},
		"cheap":               {price, lines(999, 0, 0, 1), 3, "for goods under 10.00 EUR"},
		"any price":           {cart.ShippingZone{Kind: cart.ShippingByPrice, Steps: []cart.ShippingStep{{Price: eur(3)}}}, lines(999, 0, 0, 1), 3, "one price per order"},
		"from there on":       {price, lines(1000, 0, 0, 1), 4, "for goods from 10.00 EUR"},
		"dear":                {price, lines(5001, 0, 0, 1), 0, "for goods from 50.00 EUR"},
		"dear but discounted": {price, lines(4999, 1, 0, 1), 4, "for goods from 10.00 EUR"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, how, err := zone{tt.zone}.priceOf(tt.lines)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.Minor)
			assert.Equal(t, tt.how, how)
		})
	}
}

func TestTaxOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		amount   int64
		rate     int32
		included bool
		want     int64
	}{
		{11900, 1900, true, 1900},
		{11900, 1900, false, 2261},
		{1, 1900, true, 0},
		{3, 1900, true, 0},
		{4, 1900, true, 1},
		{50, 100, false, 1},
		{49, 100, false, 0},
		{0, 1900, true, 0},
		{100, 0, true, 0},
		{100, 10_000, true, 50},
		{100, 10_000, false, 100},
	} {
		got, err := taxOf(eur(tt.amount), tt.rate, tt.included)
		require.NoError(t, err)
		assert.Equal(t, eur(tt.want), got, tt)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	tables := taxTables{
		"US": {Rates: []cart.TaxRate{{Region: "NY", Class: catalog.TaxStandard, BasisPoints: 800}, {Class: catalog.TaxStandard, BasisPoints: 500}}},
		"DE": {Included: true, Rates: []cart.TaxRate{{Class: catalog.TaxStandard, BasisPoints: 1900}, {Class: catalog.TaxReduced, BasisPoints: 700}}},
		"":   {Rates: []cart.TaxRate{{Class: catalog.TaxStandard, BasisPoints: 100}}},
	}
	for to, want := range map[cart.Destination]int32{
		{Country: "US", Region: "NY"}: 800, {Country: "US", Region: "TX"}: 500, {Country: "US"}: 500, {Country: "DE", Region: "NY"}: 1900, {Country: "JP"}: 100,
	} {
		got, included := tables.rate(to, catalog.TaxStandard)
		assert.Equal(t, want, got, to)
		assert.Equal(t, to.Country == "DE", included)
	}
	got, _ := tables.rate(cart.Destination{Country: "DE"}, catalog.TaxReduced)
	assert.EqualValues(t, 700, got)
	got, _ = tables.rate(cart.Destination{Country: "DE"}, catalog.TaxZero)
	assert.Zero(t, got)
}

func TestDefaultsPassTheirOwnChecks(t *testing.T) {
	t.Parallel()
	var p errs.Problems
	checkZones(defaultZones, &p)
	for _, table := range defaultTaxes() {
		checkRates(table.Rates, &p)
		assert.True(t, isCountry(table.Country))
	}
	assert.NoError(t, p.Err(cart.ErrInvalid))
}

func TestCheckZonesSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := cart.ShippingZone{Label: "x", Currency: "EUR", Kind: cart.ShippingFlat, Steps: []cart.ShippingStep{{Price: eur(1)}}}
	tests := map[string]struct {
		change func(*cart.ShippingZone)
		field  string
	}{
		"no label":         {func(z *cart.ShippingZone) { z.Label = "" }, "label"},
		"no such currency": {func(z *cart.ShippingZone) { z.Currency = "EURO" }, "currency"},
		"no country":       {func(z *cart.ShippingZone) { z.Countries = []string{"Germany"} }, "countries"},
		"no price":         {func(z *cart.ShippingZone) { z.Steps = nil }, "steps"},
		"two flat prices":  {func(z *cart.ShippingZone) { z.Steps = append(z.Steps, z.Steps[0]) }, "steps"},
		"no kind":          {func(z *cart.ShippingZone) { z.Kind = "by_bird" }, "kind"},
		"negative":         {func(z *cart.ShippingZone) { z.Steps[0].Price.Minor = -1 }, "steps"},
		"another currency": {func(z *cart.ShippingZone) { z.Steps[0].Price.Currency = "USD" }, "steps"},
		"a price in any":   {func(z *cart.ShippingZone) { z.Currency, z.Steps[0].Price.Currency = "", "" }, "steps"},
		"a mountain":       {func(z *cart.ShippingZone) { z.GramsUnknown = 1 << 62 }, "grams_unknown"},
		"weights that fall": {func(z *cart.ShippingZone) {
			z.Kind, z.Steps = cart.ShippingByWeight, []cart.ShippingStep{{Grams: 2}, {Grams: 1}}
		}, "steps"},
		"weights that stand": {func(z *cart.ShippingZone) {
			z.Kind, z.Steps = cart.ShippingByWeight, []cart.ShippingStep{{Grams: 2}, {Grams: 2}}
		}, "steps"},
		"prices that fall": {func(z *cart.ShippingZone) {
			z.Kind, z.Steps = cart.ShippingByPrice, []cart.ShippingStep{{}, {From: eur(-1)}}
		}, "steps"},
		"prices not from 0": {func(z *cart.ShippingZone) {
			z.Kind, z.Steps = cart.ShippingByPrice, []cart.ShippingStep{{From: eur(1)}}
		}, "steps"},
		"prices from elsewhere": {func(z *cart.ShippingZone) {
			z.Kind, z.Steps = cart.ShippingByPrice, []cart.ShippingStep{{}, {From: usd(1)}}
		}, "steps"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := good
			z.Steps = slices.Clone(good.Steps)
			tt.change(&z)
			var p errs.Problems
			checkZones([]cart.ShippingZone{good, z}, &p)
			assert.Contains(t, errs.As(p.Err(cart.ErrInvalid)).Fields, "zones[1]."+tt.field)
		})
	}
}

func TestCheckRatesSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	var p errs.Problems
	checkRates([]cart.TaxRate{
		{Class: catalog.TaxStandard, BasisPoints: 10_001},
		{Class: "luxury"},
		{Class: catalog.TaxReduced, Region: "much too long"},
		{Class: catalog.TaxStandard, BasisPoints: 1},
	}, &p)
	fields := errs.As(p.Err(cart.ErrInvalid)).Fields
	for _, field := range []string{"rates[0].basis_points", "rates[1].class", "rates[2].region", "rates[3]"} {
		assert.Contains(t, fields, field)
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{" spring 10 ": "SPRING10", "A-b\tc": "A-BC", "": "", "\n": ""} {
		assert.Equal(t, want, codeOf(typed))
	}
}

// carts are any two that can meet when someone signs in.
func carts() *rapid.Generator[kept] {
	return rapid.Custom(func(t *rapid.T) kept {
		var k kept
		currency := rapid.SampledFrom([]money.Currency{"EUR", "USD"}).Draw(t, "currency")
		variants := rapid.SliceOfNDistinct(rapid.IntRange(0, 150), 0, cart.MaxLines, rapid.ID).Draw(t, "variants")
		for i, v := range variants {
			k.lines = append(k.lines, lineRow{
				Variant: catalog.VariantID(fmt.Sprintf("var_%d", v)), Quantity: rapid.Int64Range(1, cart.MaxQuantity).Draw(t, "quantity"),
				SeenAmount: 100, SeenCurrency: currency, Place: int64(i * 2),
			})
		}
		for _, c := range rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 0, cart.MaxCodes, rapid.ID).Draw(t, "codes") {
			k.codes = append(k.codes, fmt.Sprintf("CODE%d", c))
		}
		return k
	})
}

func TestMergeLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		to, from := carts().Draw(t, "to"), carts().Draw(t, "from")
		wasTo, wasFrom := to, from
		wasTo.lines, wasFrom.lines = slices.Clone(to.lines), slices.Clone(from.lines)
		wasTo.codes, wasFrom.codes = slices.Clone(to.codes), slices.Clone(from.codes)
		said := mergeCarts(&to, &from, map[catalog.VariantID]string{})
		quantity := func(k kept, v catalog.VariantID) int64 {
			if at := k.line(v); at >= 0 {
				return k.lines[at].Quantity
			}
			return 0
		}
		for _, l := range append(slices.Clone(wasTo.lines), wasFrom.lines...) {
			larger := max(quantity(wasTo, l.Variant), quantity(wasFrom, l.Variant))
			require.Equal(t, larger, max(quantity(to, l.Variant), quantity(from, l.Variant)), l.Variant)
			require.False(t, to.line(l.Variant) >= 0 && from.line(l.Variant) >= 0, "nothing is in both")
		}
		for _, code := range append(slices.Clone(wasTo.codes), wasFrom.codes...) {
			require.NotEqual(t, to.hasCode(code), from.hasCode(code))
		}
		require.Len(t, said, len(from.lines)+len(from.codes), "what stays is said")
		require.LessOrEqual(t, len(to.lines), cart.MaxLines)
		require.LessOrEqual(t, len(to.codes), cart.MaxCodes)
		require.True(t, slices.Equal(wasTo.codes, to.codes[:len(wasTo.codes)]), "the person's codes come first")
		places := map[int64]bool{}
		for _, l := range to.lines {
			require.Equal(t, to.currency(), l.SeenCurrency)
			require.False(t, places[l.Place], "two lines have one place")
			places[l.Place] = true
		}
	})
}
