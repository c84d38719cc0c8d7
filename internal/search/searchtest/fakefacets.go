package searchtest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"souk/internal/platform/money"
	"souk/internal/search"
)

// facets are the facets of what has the words.
func (f *Fake) facets(c search.Filter, fits []fit) []search.Facet {
	// of counts by value what passes every filter but the facet's own.
	of := func(kind search.FacetKind, each func(fit) []search.FacetValue, chosen ...search.FacetValue) search.Facet {
		facet := search.Facet{Kind: kind, Values: chosen}
		for _, l := range fits {
			if failed := fails(c, l); len(failed) > 1 || len(failed) == 1 && failed[0] != kind {
				continue
			}
			for _, v := range each(l) {
				same := func(have search.FacetValue) bool { return strings.EqualFold(have.Value, v.Value) }
				at := slices.IndexFunc(facet.Values, same)
				if at < 0 {
					at = len(facet.Values)
					facet.Values = append(facet.Values, v)
				}
				facet.Values[at].Count++
			}
		}
		slices.SortStableFunc(facet.Values, func(a, b search.FacetValue) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label))
		})
		return facet
	}
	var brands, sellers []search.FacetValue
	for _, name := range c.Brands {
		brands = append(brands, search.FacetValue{Value: name, Label: name, Selected: true})
	}
	for _, id := range c.Sellers {
		sellers = append(sellers, search.FacetValue{Value: string(id), Label: f.sellers[id].Name, Selected: true})
	}
	in := c
	in.Currency = rangeCurrency(c, fits)
	prices := of(search.FacetPrice, func(l fit) []search.FacetValue { return prices(in, l) })
	prices.Currency = in.Currency
	return append([]search.Facet{
		of(search.FacetCategory, func(l fit) []search.FacetValue { return f.shelves(c.Path, l.Path) }),
		of(search.FacetBrand, func(l fit) []search.FacetValue {
			if l.Brand == "" {
				return nil
			}
			return []search.FacetValue{{Value: l.Brand, Label: l.Brand}}
		}, brands...),
		of(search.FacetSeller, func(l fit) []search.FacetValue {
			return []search.FacetValue{{Value: string(l.SellerID), Label: f.sellers[l.SellerID].Name}}
		}, sellers...),
		prices,
		of(search.FacetStock, func(l fit) []search.FacetValue {
			if l.inStock {
				return []search.FacetValue{{Value: "true", Label: "In stock", Selected: c.InStock}}
			}
			return []search.FacetValue{{Value: "false", Label: "Sold out"}}
		}),
		histogram(c, prices),
	}, attributes(c, fits)...)
}

// shelves are the categories that a listing at path counts for: roots, and children of what
// is passed on the way to the selected one.
func (f *Fake) shelves(selected, path string) []search.FacetValue {
	var values []search.FacetValue
	for i := range len(path) + 1 {
		if i == 0 || i < len(path) && path[i] != '/' {
			continue
		}
		at := path[:i]
		parent := at[:max(0, strings.LastIndexByte(at, '/'))]
		if parent == "" || selected == parent || strings.HasPrefix(selected, parent+"/") {
			chosen := selected == at || strings.HasPrefix(selected, at+"/")
			values = append(values, search.FacetValue{Value: at, Label: f.names[at], Selected: chosen})
		}
	}
	return values
}

// rangeCurrency is the currency asked for, or else the one that most of what is found has.
func rangeCurrency(c search.Filter, fits []fit) (most money.Currency) {
	if c.Currency != "" {
		return c.Currency
	}
	counts := map[money.Currency]int{}
	for _, l := range fits {
		if len(fails(c, l)) == 0 {
			counts[l.from.Currency]++
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(counts)) {
		if most == "" || counts[currency] > counts[most] {
			most = currency
		}
	}
	return most
}

// prices is the range of a thousand minor units that a listing is in.
func prices(c search.Filter, l fit) []search.FacetValue {
	if c.Currency != "" && l.from.Currency != c.Currency {
		return nil
	}
	low := l.from.Minor / 10_000 * 10_000
	v := search.FacetValue{Value: fmt.Sprintf("%d-%d", low, low+9999), Min: low, Max: low + 9999}
	v.Label = v.Value
	v.Selected = c.PriceMin != nil && c.PriceMax != nil && *c.PriceMin == v.Min && *c.PriceMax == v.Max
	return []search.FacetValue{v}
}

// Suggest implements search.Service.
func (f *Fake) Suggest(_ context.Context, r search.SuggestRequest) (search.SuggestReply, error) {
	defer f.now()()
	typed := strings.Join(words(r.Text), " ")
	var reply search.SuggestReply
	if typed == "" {
		return reply, nil
	}
	seen := map[string]bool{}
	add := func(s search.Suggestion) {
		begins := strings.Contains(" "+strings.Join(words(s.Text), " "), " "+typed)
		name := string(s.Kind) + s.Text + string(s.Listing)
		if begins && !seen[name] {
			seen[name] = true
			reply.Suggestions = append(reply.Suggestions, s)
		}
	}
	all, phrases := f.visible(), map[string]int{}
	for _, l := range all {
		said := words(l.Title)
		for n := 1; n <= min(3, len(said)); n++ {
			phrase := strings.Join(said[:n], " ")
			if phrases[phrase]++; phrases[phrase] == 2 && phrase != typed {
				add(search.Suggestion{Kind: search.SuggestQuery, Text: phrase})
			}
		}
	}
	for _, l := range all {
		for i := range len(l.Path) + 1 {
			if i == len(l.Path) && i > 0 || i < len(l.Path) && l.Path[i] == '/' {
				add(search.Suggestion{Kind: search.SuggestCategory, Text: f.names[l.Path[:i]], Path: l.Path[:i]})
			}
		}
		add(search.Suggestion{Kind: search.SuggestBrand, Text: l.Brand})
	}
	for _, l := range all {
		from := f.fit(l, 0).from
		add(search.Suggestion{Kind: search.SuggestListing, Text: l.Title, Listing: l.ListingID, Path: l.Path, Image: l.Image, Price: &from})
	}
	limit := int(r.Limit)
	if limit <= 0 {
		limit = 8
	}
	reply.Suggestions = reply.Suggestions[:min(len(reply.Suggestions), limit, 20)]
	return reply, nil
}
