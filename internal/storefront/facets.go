package storefront

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// asked is what an address of results asks for. Every link on the page is made from it, so
// that filters, sort and words survive one another.
type asked struct {
	base          string // the path
	text          string
	category      string // its path
	brands        []string
	sellers       []string
	attrs         []string // name:value
	ranges        []string // name:least..most unit, one of a name
	min, max      string   // as typed
	currency      money.Currency
	stock         bool
	sort          search.Sort
	all           string // the facet of which all values are shown; see facetKey
	like          string // of these only those that have this
	exact         bool   // the words as typed, even if others were probably meant
	explain       bool   // every result says why it is there; of operators alone
	fixedCategory bool   // the category is the page's, not a filter
	fixedSeller   bool
}

// most bounds how many values of one filter are listened to.
const most = 20

// asked reads the address.
func (v *visit) asked(base string) asked {
	q := v.r.URL.Query()
	a := asked{
		base: base, text: searchText(q.Get("q")), category: strings.Trim(v.query("category"), "/"),
		brands: someOf(q["brand"]), sellers: someOf(q["seller"]), attrs: someOf(q["attr"]), stock: switchedOn(q.Get("stock")),
		currency: money.Currency(v.query("currency")), sort: search.Sort(v.query("sort")),
		exact: switchedOn(q.Get("exact")), explain: switchedOn(q.Get("explain")) && v.by.IsOperator(), all: v.query("all"), like: v.query("in"),
	}
	a.sellers = slices.DeleteFunc(a.sellers, func(s string) bool { return !catalog.SellerIDs.Valid(catalog.SellerID(s)) })
	a.ranges = rangesAsked(q)
	a.attrs = a.attrs[:min(len(a.attrs), most-len(a.ranges))] // together no more filters than search takes
	if !slices.Contains([]search.Sort{search.SortRelevance, search.SortPriceUp, search.SortPriceDown, search.SortNewest, search.SortBestSelling}, a.sort) {
		a.sort = ""
	}
	if !a.currency.Valid() {
		a.currency = v.Currency
	}
	a.min, a.max = amountTyped(v.query("min"), a.currency.Exponent()), amountTyped(v.query("max"), a.currency.Exponent())
	low, hasLow := a.amount(a.min)
	if high, hasHigh := a.amount(a.max); hasLow && hasHigh && low.Minor > high.Minor {
		a.min, a.max = a.max, a.min
	}
	return a
}

// has says whether values have one, in whatever case: search knows no difference.
func has(values []string, value string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, value) })
}

func someOf(values []string) []string {
	var out []string
	for _, value := range values {
		if value = tidy(value); value != "" && !has(out, value) && len(out) < most {
			out = append(out, value)
		}
	}
	return out
}

// request is what search is asked. What was typed for a price and is none counts as nothing.
func (a asked) request() search.QueryRequest {
	r := search.QueryRequest{
		Text: a.text, Exact: &a.exact, Sort: a.sort, Facets: true,
		Filter: search.Filter{Path: a.category, Brands: a.brands, InStock: a.stock, Attributes: a.attributes()},
	}
	if a.all != "" {
		most := int32(search.MaxFacetValues)
		r.FacetValues = &most
	}
	for _, s := range a.sellers {
		r.Filter.Sellers = append(r.Filter.Sellers, catalog.SellerID(s))
	}
	if low, ok := a.amount(a.min); ok {
		r.Filter.PriceMin, r.Filter.Currency = &low.Minor, a.currency
	}
	if high, ok := a.amount(a.max); ok {
		r.Filter.PriceMax, r.Filter.Currency = &high.Minor, a.currency
	}
	return r
}

func (a asked) amount(typed string) (money.Money, bool) {
	if typed == "" {
		return money.Money{}, false
	}
	m, err := money.Parse(typed, a.currency)
	return m, err == nil && m.Minor >= 0
}

// params are the parameters of a's address.
func (a asked) params() url.Values {
	q := url.Values{}
	put := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	put("q", a.text)
	put("min", a.min)
	put("max", a.max)
	put("sort", string(a.sort))
	put("all", a.all)
	if a.all != "" {
		put("in", a.like)
	}
	if a.exact {
		put("exact", "1")
	}
	if a.explain {
		put("explain", "1")
	}
	if a.min != "" || a.max != "" {
		put("currency", string(a.currency))
	}
	if a.stock {
		put("stock", "1")
	}
	if !a.fixedCategory {
		put("category", a.category)
	}
	if !a.fixedSeller {
		q["seller"] = a.sellers
	}
	q["brand"] = a.brands
	q["attr"] = a.attrs
	q["range"] = a.ranges
	return q
}

func (a asked) url() string { return withParams(a.base, a.params()) }

func withParams(base string, q url.Values) string {
	if text := q.Encode(); text != "" {
		return base + "?" + text
	}
	return base
}

// withParam is an address with one more parameter.
func withParam(address, name, value string) string {
	joint := "?"
	if strings.Contains(address, "?") {
		joint = "&"
	}
	return address + joint + url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

// narrowed says whether any filter is on.
func (a asked) narrowed() bool {
	return a.category != "" && !a.fixedCategory || len(a.sellers) > 0 && !a.fixedSeller ||
		len(a.brands) > 0 || len(a.attrs)+len(a.ranges) > 0 || a.stock || a.min != "" || a.max != ""
}

// bare is a without any filter.
func (a asked) bare() asked {
	b := asked{base: a.base, text: a.text, sort: a.sort, exact: a.exact, explain: a.explain, currency: a.currency, fixedCategory: a.fixedCategory, fixedSeller: a.fixedSeller}
	if a.fixedCategory {
		b.category = a.category
	}
	if a.fixedSeller {
		b.sellers = a.sellers
	}
	return b
}

// toggled is values with one more, or without it.
func toggled(values []string, value string) []string {
	if has(values, value) {
		return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return strings.EqualFold(v, value) })
	}
	return append(slices.Clone(values), value)
}

func (a asked) sorts() []views.Choice {
	all := []views.Choice{
		{Value: string(search.SortRelevance), Text: "Best match"},
		{Value: string(search.SortPriceUp), Text: "Price, low to high"},
		{Value: string(search.SortPriceDown), Text: "Price, high to low"},
		{Value: string(search.SortNewest), Text: "Newest"},
		{Value: string(search.SortBestSelling), Text: "Best selling"},
	}
	chosen := a.sort
	if chosen == "" {
		chosen = search.SortRelevance
	}
	if a.text == "" {
		all = all[1:]
		if chosen == search.SortRelevance {
			chosen = search.SortNewest
		}
	}
	for i := range all {
		b := a
		b.sort = search.Sort(all[i].Value)
		all[i].URL, all[i].Chosen = b.url(), b.sort == chosen
	}
	return all
}

// facets are the ways to narrow, with counts. Who sells it comes last: it is what people choose by least, and a long list.
func (a asked) facets(reply search.QueryReply, usual money.Currency) []views.Facet {
	var out, last []views.Facet
	for _, f := range reply.Facets {
		switch f.Kind {
		case search.FacetCategory:
			out = append(out, a.facet("category", "Category", f, a.withCategory))
		case search.FacetBrand:
			out = append(out, a.facet("brand", "Brand", f, func(value string) asked {
				b := a
				b.brands = toggled(a.brands, value)
				return b
			}))
		case search.FacetSeller:
			if a.fixedSeller {
				continue
			}
			last = append(last, a.facet("seller", "Seller", f, func(value string) asked {
				b := a
				b.sellers = toggled(a.sellers, value)
				return b
			}))
		case search.FacetPrice:
			out = append(out, a.prices(f, usual))
		case search.FacetStock:
			out = append(out, a.stockFacet(f))
		case search.FacetAttribute:
			out = append(out, a.attributeFacet(f))
		case search.FacetHistogram:
			for i := range out {
				if out[i].Name == "price" {
					out[i].Bars = barsOf(f, cmp.Or(f.Currency, money.Currency(out[i].Range.Unit)))
				}
			}
		default: // one that this page does not know yet
		}
	}
	return slices.DeleteFunc(append(out, last...), func(f views.Facet) bool { return len(f.Values) == 0 && f.Range == nil && f.Find == nil })
}

// withCategory leads to a category, on a category's own page by changing the page.
func (a asked) withCategory(path string) asked {
	b := a
	switch {
	case a.fixedCategory && a.category != path:
		b.base, b.category = categoryURL(path), path
	case a.category == path && !a.fixedCategory:
		b.category = ""
	default:
		b.category = path
	}
	return b
}

func (a asked) facet(name, label string, f search.Facet, with func(string) asked) views.Facet {
	out := views.Facet{Name: name, Label: label, About: f.Approximate}
	whole, shown := a.shows(name, f, &out), 0
	for _, value := range f.Values {
		text := value.Label
		if text == "" {
			text = value.Value
		}
		if whole && !strings.Contains(strings.ToLower(text), strings.ToLower(a.like)) {
			continue
		}
		below := f.Kind == search.FacetCategory && a.category != "" && strings.HasPrefix(value.Value, a.category+"/")
		if !whole && shown >= facetSize && !value.Selected && !below {
			b := a
			b.all, b.like = facetKey(name, f), ""
			out.More = b.url()
			continue
		}
		if !below {
			shown++
		}
		out.Values = append(out.Values, views.Choice{ID: facetID(name, value.Value), Value: value.Value, Text: text, URL: with(value.Value).url(), Count: int(value.Count), Chosen: value.Selected})
	}
	return out
}

// manyValues is from how many values on one can type which are meant.
const manyValues = 20

// facetKey names a facet in an address.
func facetKey(name string, f search.Facet) string {
	if f.Kind == search.FacetAttribute {
		return name + ":" + f.Name
	}
	return name
}

// shows says whether all values of a facet are shown, and puts what goes with that into out.
func (a asked) shows(name string, f search.Facet, out *views.Facet) bool {
	if a.all != facetKey(name, f) {
		return false
	}
	fewer, rest := a, a
	fewer.all, fewer.like, rest.like = "", "", ""
	out.Fewer = fewer.url()
	if len(f.Values) > manyValues {
		out.Find = &views.Find{Action: a.base, Text: a.like, Keep: rest.hidden()}
	}
	if f.More {
		out.Cut = fmt.Sprintf("There are more than these %d.", len(f.Values))
	}
	return true
}

// hidden are the parameters of a's address as fields of a form.
func (a asked) hidden() []views.Hidden {
	var all []views.Hidden
	for name, values := range a.params() {
		for _, value := range values {
			all = append(all, views.Hidden{Name: name, Value: value})
		}
	}
	slices.SortFunc(all, func(x, y views.Hidden) int { return strings.Compare(x.Name+x.Value, y.Name+y.Value) })
	return all
}

// prices are the ranges that search counted, and two fields to type others into.
func (a asked) prices(f search.Facet, usual money.Currency) views.Facet {
	b := a
	if a.min == "" && a.max == "" {
		b.currency = cmp.Or(f.Currency, usual)
	}
	out := views.Facet{Name: "price", Label: "Price", About: f.Approximate}
	out.Range = &views.Range{ID: "price", Min: a.min, Max: a.max, MinName: "min", MaxName: "max", Unit: string(b.currency), Keep: []views.Hidden{{Name: "currency", Value: string(b.currency)}}}
	rest := a
	rest.min, rest.max = "", ""
	out.Range.Keep = append(out.Range.Keep, rest.hidden()...)
	for _, value := range f.Values {
		c := b
		if value.Selected {
			c.min, c.max = "", ""
		} else {
			c.min = money.Money{Minor: value.Min, Currency: b.currency}.Decimal()
			c.max = money.Money{Minor: value.Max, Currency: b.currency}.Decimal()
		}
		out.Values = append(out.Values, views.Choice{ID: facetID("price", value.Value), Value: value.Value, Text: pricesText(value, b.currency), URL: c.url(), Count: int(value.Count), Chosen: value.Selected})
	}
	return out
}

func pricesText(value search.FacetValue, c money.Currency) string {
	upto := FormatMoney(money.Money{Minor: value.Max, Currency: c})
	if value.Min == 0 {
		return "up to " + upto
	}
	return FormatMoney(money.Money{Minor: value.Min, Currency: c}) + " to " + upto
}

func (a asked) stockFacet(f search.Facet) views.Facet {
	b := a
	b.stock = !a.stock
	one := views.Choice{ID: facetID("stock", "1"), Value: "1", Text: "In stock", URL: b.url(), Chosen: a.stock}
	for _, value := range f.Values {
		if strings.EqualFold(value.Value, "true") {
			one.Count = int(value.Count)
		}
	}
	return views.Facet{Name: "stock", Label: "Stock", Values: []views.Choice{one}}
}

// chips are the filters that are on, each with the address without it.
func (a asked) chips(seen *sight, facets []search.Facet) []views.Chip {
	var out []views.Chip
	add := func(label, text string, without func(*asked)) {
		b := a
		without(&b)
		out = append(out, views.Chip{Label: label, Text: text, URL: b.url()})
	}
	if a.category != "" && !a.fixedCategory {
		name := a.category
		if c, ok := seen.byPath[a.category]; ok {
			name = c.Name
		}
		add("Category", name, func(b *asked) { b.category = "" })
	}
	for _, brand := range a.brands {
		add("Brand", brand, func(b *asked) { b.brands = toggled(b.brands, brand) })
	}
	if !a.fixedSeller {
		for _, seller := range a.sellers {
			add("Seller", sellerName(seen, facets, seller), func(b *asked) { b.sellers = toggled(b.sellers, seller) })
		}
	}
	for _, attr := range a.attrs {
		name, value, _ := strings.Cut(attr, ":")
		add(capital(name), value, func(b *asked) { b.attrs = toggled(b.attrs, attr) })
	}
	for _, one := range a.ranges {
		name, text := rangeText(one)
		add(capital(name), text, func(b *asked) { b.ranges = toggled(b.ranges, one) })
	}
	if text := a.rangeChip(); text != "" {
		add("Price", text, func(b *asked) { b.min, b.max = "", "" })
	}
	if a.stock {
		add("", "In stock", func(b *asked) { b.stock = false })
	}
	return out
}

func (a asked) rangeChip() string {
	low, hasLow := a.amount(a.min)
	high, hasHigh := a.amount(a.max)
	switch {
	case hasLow && hasHigh:
		return FormatMoney(low) + " to " + FormatMoney(high)
	case hasLow:
		return "from " + FormatMoney(low)
	case hasHigh:
		return "up to " + FormatMoney(high)
	case a.min != "" || a.max != "":
		return "not understood: write it as 12.50"
	default:
		return ""
	}
}

func sellerName(seen *sight, facets []search.Facet, seller string) string {
	for _, f := range facets {
		for _, value := range f.Values {
			if f.Kind == search.FacetSeller && value.Value == seller && value.Label != "" {
				return value.Label
			}
		}
	}
	for _, s := range seen.sellers {
		if string(s.ID) == seller {
			return s.Name
		}
	}
	return seller
}
