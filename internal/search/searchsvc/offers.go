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
	goodPart      = 4  // one of so many, of what fits best
	fewBest       = 32 // so many at least fit best, if there are so many
)

// offers are ways to go on when l found nothing: among them other, which is nobody's correction where one listing alone has it,
// but may be looked for.
func (d desk) offers(a ask, l sighted, other mended) ([]search.Offer, error) {
	var out []search.Offer
	add := func(o search.Offer) {
		if o.Count > 0 {
			out = append(out, o)
		}
	}
	if a.exact && a.text != "" {
		var err error
		if other, _, err = d.mend(a.text); err != nil {
			return nil, err
		}
	}
	if len(other.Changes) > 0 {
		text := other.text(other.Correction)
		add(search.Offer{Kind: search.OfferQuery, Text: text, Label: text, Count: other.Listings})
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
		out = append(out, d.nearest(text, base, l)...)
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

// nearest are the categories that what says most of what was asked for is in: the deepest that have a good part of it. Without
// a text they are the largest of the first level. The shelf is locked for reading.
func (d desk) nearest(text string, base []uint64, l sighted) []search.Offer {
	nodes, counts := d.shelf.nodes, d.shelf.countNodes(base)
	fitting, least := counts, int64(1)
	deeper := make([]bool, len(nodes)) // one below has a good part too
	if text != "" {
		best := l.saysMost(base)
		defer docset.Free(best)
		fitting = d.shelf.countNodes(best)
		all := int64(0)
		for i := 1; i < len(nodes); i++ {
			if nodes[i].depth == 0 {
				all += fitting[i]
			}
		}
		least = max(1, (all+goodPart-1)/goodPart)
		for i := 1; i < len(nodes); i++ {
			if fitting[i] >= least {
				deeper[nodes[i].parent] = true
			}
		}
	}
	pick := func(chosen func(i int) bool) (out []int) {
		for i := 1; i < len(nodes); i++ {
			if fitting[i] > 0 && chosen(i) {
				out = append(out, i)
			}
		}
		slices.SortStableFunc(out, func(a, b int) int {
			return cmp.Or(cmp.Compare(fitting[b], fitting[a]), cmp.Compare(counts[b], counts[a]))
		})
		return out[:min(len(out), maxCategories)]
	}
	picked := pick(func(i int) bool { return fitting[i] >= least && !deeper[i] && (text != "" || nodes[i].depth == 0) })
	if len(picked) == 0 { // it is scattered
		picked = pick(func(i int) bool { return nodes[i].depth == 0 })
	}
	var out []search.Offer
	for _, i := range picked {
		out = append(out, search.Offer{Kind: search.OfferCategory, Text: text, Path: nodes[i].path, Label: nodes[i].name, Count: counts[i]})
	}
	return out
}

// countNodes is how many of some listings are in each category and below it.
func (s *shelf) countNodes(docs []uint64) []int64 {
	counts := make([]int64, len(s.nodes))
	docset.Each(docs, func(doc uint32) {
		if at := s.traits[doc].node; at > 0 {
			counts[at]++
		}
	})
	for i := len(counts) - 1; i > 0; i-- { // parents come first
		if parent := s.nodes[i].parent; parent > 0 {
			counts[parent] += counts[i]
		}
	}
	return counts
}

// saysMost is what of base says most of what was asked for.
func (w *walk) saysMost(base []uint64) []uint64 {
	sums := w.says(base)
	best, _ := sums.Top(base, fewBest)
	for _, p := range sums {
		docset.Free(p)
	}
	return best
}
