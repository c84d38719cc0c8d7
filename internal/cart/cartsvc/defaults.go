package cartsvc

import (
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/money"
)

// defaultZones is the marketplace's shipping until an operator puts a table of its own:
// whoever has installed souk can sell at once. In a currency without a row here shipping
// costs nothing, which is said to the buyer.
var defaultZones = []cart.ShippingZone{
	{
		Label: "Standard, 2 to 5 days", Kind: cart.ShippingByPrice, Currency: "EUR",
		Countries: []string{"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"},
		Steps:     []cart.ShippingStep{{From: money.Zero("EUR"), Price: eur(490)}, {From: eur(9900), Price: eur(0)}},
	},
	{
		Label: "International, 5 to 12 days", Kind: cart.ShippingByWeight, Currency: "EUR", GramsUnknown: 500,
		Steps: []cart.ShippingStep{{Grams: 2_000, Price: eur(1490)}, {Grams: 10_000, Price: eur(2990)}, {Grams: 100_000, Price: eur(7900)}, {Grams: 1 << 40, Price: eur(19900)}},
	},
	{
		Label: "Standard, 3 to 7 days", Kind: cart.ShippingFlat, Currency: "USD", Countries: []string{"US"},
		Steps: []cart.ShippingStep{{Price: usd(699)}},
	},
	{
		Label: "International, 7 to 14 days", Kind: cart.ShippingFlat, Currency: "USD",
		Steps: []cart.ShippingStep{{Price: usd(1999)}},
	},
	{Label: "Shipping included", Kind: cart.ShippingFlat, Steps: []cart.ShippingStep{{}}},
}

func eur(cents int64) money.Money { return money.Money{Minor: cents, Currency: "EUR"} }
func usd(cents int64) money.Money { return money.Money{Minor: cents, Currency: "USD"} }

// vat is the standard and a reduced rate of the EU's members in basis points, as of 1 January
// 2025 (European Commission, Taxes in Europe Database). Where a country has several reduced
// rates it is the one for books and basic food. Operators put what holds for them.
var vat = map[string][2]int32{
	"AT": {2000, 1000}, "BE": {2100, 600}, "BG": {2000, 900}, "CY": {1900, 500}, "CZ": {2100, 1200},
	"DE": {1900, 700}, "DK": {2500, 2500}, "EE": {2200, 900}, "ES": {2100, 1000}, "FI": {2550, 1400},
	"FR": {2000, 550}, "GR": {2400, 600}, "HR": {2500, 500}, "HU": {2700, 500}, "IE": {2300, 900},
	"IT": {2200, 1000}, "LT": {2100, 900}, "LU": {1700, 800}, "LV": {2100, 1200}, "MT": {1800, 500},
	"NL": {2100, 900}, "PL": {2300, 800}, "PT": {2300, 600}, "RO": {1900, 900}, "SE": {2500, 600},
	"SI": {2200, 950}, "SK": {2300, 1900},
}

// defaultTaxes are the tables of a fresh installation: VAT included in the EU, no tax elsewhere.
func defaultTaxes() taxTables {
	out := taxTables{}
	for country, rates := range vat {
		out[country] = cart.TaxTable{Country: country, Included: true, Rates: []cart.TaxRate{
			{Class: catalog.TaxStandard, BasisPoints: rates[0]}, {Class: catalog.TaxReduced, BasisPoints: rates[1]},
		}}
	}
	return out
}
