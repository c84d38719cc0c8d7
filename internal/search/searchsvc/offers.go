package searchsvc

import (
	"cmp"
	"slices"

	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/words"
)

// Bounds of what is offered when nothing was found.
const (
	maxFewer      = 2
	maxCategories = 3
)

// offers are ways to go on when l found nothing.
func (d desk) offers(a ask, l sighted) ([]search.Offer, error) {
	var out []search.Offer
	add := func(o search.Offer) {
		if o.Count > 0 {
			out = append(out, o)
		}
	}
	if a.exact && a.text != "" {
		other, c, found, err := d.mend(a.text)
		if err != nil {
			return nil, err
		}
		if found {
			add(search.Offer{Kind: search.OfferQuery, Text: other, Label: other, Count: c.Listings})
		}
	}
	matched := int64(docset.Count(l.base))
	if len(l.narrow) > 0 {
		add(search.Offer{Kind: search.OfferUnfiltered, Text: l.text, Label: l.text, Count: matched})
		fewer, err := d.fewerWords(a, l)
		if err != nil {
			return nil, err
		}
		out = append(out, fewer...)
	}
	_ = d.s.locked(func() error {
		text, base := l.text, l.base
		if matched == 0 { // what there is at all
			text, base = "", l.visible
		}
		out = append(out, d.nearest(text, base, a.filter.Path)...)
		return nil
	})
	return out, nil
}

// fewerWords offers the text without one of its words, where that finds something.
func (d desk) fewerWords(a ask, l sighted) ([]search.Offer, error) {
	var tokens []words.Token
	for _, t := range words.Tokens(nil, l.text) {
		if !t.Glued {
			tokens = append(tokens, t)
		}
	}
	const most = 8 // words of a text that is tried without one
	if len(tokens) < 2 || len(tokens) > most {
		return nil, nil
	}
	var out []search.Offer
	for _, t := range tokens {
		text := tidy(l.text[:t.From] + " " + l.text[t.To:])
		n, err := d.countAll(text, a.filter)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out = append(out, search.Offer{Kind: search.OfferFewerWords, Text: text, Label: text, Count: n})
		}
	}
	slices.SortStableFunc(out, func(a, b search.Offer) int { return cmp.Compare(b.Count, a.Count) })
	return out[:min(len(out), maxFewer)], nil
}

// nearest are the categories that most of the listings are in, on the first level or just below
// the path that was searched. The shelf is locked for reading.
func (d desk) nearest(text string, base []uint64, path string) []search.Offer {
	counts := make([]int64, len(d.shelf.nodes))
	docset.Each(base, func(doc uint32) {
		if at := d.shelf.traits[doc].node; at > 0 {
			counts[at]++
		}
	})
	for i := len(counts) - 1; i > 0; i-- { // parents come first
		if parent := d.shelf.nodes[i].parent; parent > 0 {
			counts[parent] += counts[i]
		}
	}
	var out []search.Offer
	for i, n := range counts {
		if node := d.shelf.nodes[i]; n > 0 && i > 0 && node.depth == 0 && node.path != path {
			out = append(out, search.Offer{Kind: search.OfferCategory, Text: text, Path: node.path, Label: node.name, Count: n})
		}
	}
	slices.SortStableFunc(out, func(a, b search.Offer) int { return cmp.Compare(b.Count, a.Count) })
	return out[:min(len(out), maxCategories)]
}
