package searchsvc

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/docset"
)

// How attributes are chosen to be told.
const (
	attributesTold = 6   // beside those that are selected
	leastHave      = 5   // of so many results one must have it
	leastWorth     = .05 // of attributeWorth
	choosable      = 12  // values that one can take in at a look
	factsOfOne     = 4   // to count a listing's takes so many times as long as its brand and category
)

// attributeKind stands for one attribute among the kinds of filters.
func attributeKind(name string) search.FacetKind {
	return search.FacetAttribute + search.FacetKind(factGap+foldFact(name))
}

// narrowToFacts finds what has the attributes asked for.
func (w *walk) narrowToFacts() {
	for _, a := range together(w.filter.ByAttributes()) {
		var sets []docset.Set
		if kind, known := w.facts.kindAt[foldFact(a.Name)]; known {
			for _, value := range a.Values {
				if at, _ := w.facts.find(kind, value); at != 0 {
					key := factKey + foldFact(a.Name) + factGap + foldFact(value)
					sets = append(sets, w.whereStated(key, kind, func(stated uint32) bool { return stated == at }))
				}
			}
		}
		w.narrowTo(attributeKind(a.Name), sets...)
		if a.Range != nil {
			w.orInRange(w.narrow[len(w.narrow)-1].pass, a)
		}
	}
}

// orInRange adds to pass what states a number in the range of a.
func (w *walk) orInRange(pass []uint64, a search.AttributeFilter) {
	r, _ := search.ParseRange(*a.Range)
	kind, known := w.facts.kindAt[foldFact(a.Name)]
	if !known {
		return
	}
	in := docset.Scratch(docset.Words(len(w.facts.values)))
	defer docset.Free(in)
	for _, at := range w.facts.kinds[kind].values {
		if w.facts.within(&w.facts.values[at], r) {
			setBit(in, at, true)
		}
	}
	within := func(stated uint32) bool { return docset.Test(in, stated) }
	if docset.Count(w.base) > w.walked {
		w.whereStated(rangeKey+foldFact(a.Name)+factGap+foldFact(r.String()), kind, within).Or(pass)
		return
	}
	for i, word := range w.base {
		for left := word &^ pass[i]; left != 0; left &= left - 1 {
			doc := uint32(i*64 + bits.TrailingZeros64(left)) //nolint:gosec // documents are numbered in 32 bits
			if slices.ContainsFunc(w.stated.of(doc), within) {
				setBit(pass, doc, true)
			}
		}
	}
}

// whereStated are the listings that state a value of an attribute for which is says so. It is remembered, and so is who states
// the attribute at all: few of many do, and only these are looked at for another value.
func (w *walk) whereStated(key string, kind uint32, is func(at uint32) bool) docset.Set {
	stating := w.where(statedKey+foldFact(w.facts.kinds[kind].label), w.marks.Docs, func(doc int64) bool {
		return slices.ContainsFunc(w.stated.of(uint32(doc)), func(at uint32) bool { return w.facts.kindOf[at] == kind }) //nolint:gosec // documents are numbered in 32 bits
	})
	set, _ := w.found.extended(key, w.marks.Docs, func(after int64) (docs []uint32, _ error) {
		stating.EachAfter(after, func(doc uint32) {
			if int64(doc) <= w.marks.Docs && slices.ContainsFunc(w.stated.of(doc), is) {
				docs = append(docs, doc)
			}
		})
		return docs, nil
	})
	return set
}

// within says whether a value is a number in a range.
func (f *facts) within(v *factValue, r search.Range) bool {
	return v.numeric() && strings.EqualFold(f.units[v.unit], r.Unit) && (r.Least == nil || v.number >= *r.Least) && (r.Most == nil || v.number <= *r.Most)
}

// together are filters with the values of one name in one of them.
func together(all []search.AttributeFilter) []search.AttributeFilter {
	var out []search.AttributeFilter
	for _, a := range all {
		i := slices.IndexFunc(out, func(b search.AttributeFilter) bool { return foldFact(a.Name) == foldFact(b.Name) })
		if i < 0 {
			out = append(out, search.AttributeFilter{Name: a.Name, Values: slices.Clone(a.Values), Range: a.Range})
		} else {
			out[i].Values = append(out[i].Values, a.Values...)
			out[i].Range = cmp.Or(out[i].Range, a.Range)
		}
	}
	return out
}

// stating is how many listings state each fact, and each attribute at all.
type stating struct {
	facts, kinds []uint64
	listings     uint64
	step         uint64
	touched      uint32 // by fetch; it says nothing
}

func (s stating) free() { docset.Free(s.facts, s.kinds) }

// countFacts counts the facts of what is set in docs, or of some of it.
func (w *walk) countFacts(docs []uint64) stating {
	s := stating{facts: docset.Scratch(len(w.facts.values)), kinds: docset.Scratch(len(w.facts.kinds)), step: uint64(w.step(docs, w.counted/factsOfOne))} //nolint:gosec // small
	var some []uint32
	for i := 0; i < len(docs); i += int(s.step) {
		for word := docs[i]; word != 0; word &= word - 1 {
			some = append(some, uint32(i*64+bits.TrailingZeros64(word))) //nolint:gosec // documents are numbered in 32 bits
		}
	}
	s.listings = uint64(len(some))
	for some := range slices.Chunk(some, fetchedAtOnce) {
		s.touched = w.stated.fetch(some)
		for _, doc := range some {
			last := ^uint32(0)
			for _, at := range w.stated.of(doc) {
				s.facts[at]++
				if kind := w.facts.kindOf[at]; kind != last {
					last = kind
					s.kinds[kind]++
				}
			}
		}
	}
	return s
}

// worth is how much an attribute helps to choose among the listings counted, 0 to 1: how many of
// them state it, times the chance that two that do differ in it, less the more of them state a
// value that is not among the first few. 0 is for what does not help.
func (w *walk) worth(s stating, kind uint32) float64 {
	have, squares, values := float64(s.kinds[kind]), 0.0, 0
	if have*leastHave < float64(s.listings) {
		return 0
	}
	var first [choosable]uint64 // the highest counts
	all := 0.0
	for _, at := range w.facts.kinds[kind].values {
		n := s.facts[at]
		if n == 0 {
			continue
		}
		values++
		all += float64(n)
		squares += float64(n) * float64(n)
		for i := range first {
			if n > first[i] {
				n, first[i] = first[i], n
			}
		}
	}
	if values < 2 {
		return 0
	}
	seen := 0.0
	for _, n := range first {
		seen += float64(n)
	}
	seen /= all
	return have / float64(s.listings) * (1 - squares/(all*all)) * seen * seen
}

// attributeFacets are the facets of attributes that are selected, in their order, and then of
// those that divide the results best.
func (w *walk) attributeFacets() []search.Facet {
	if len(w.facts.kinds) == 0 && len(w.filter.ByAttributes()) == 0 {
		return nil
	}
	var out []search.Facet
	chosen := map[uint32]bool{}
	for _, a := range together(w.filter.ByAttributes()) {
		kind, known := w.facts.kindAt[foldFact(a.Name)]
		if !known {
			facet := search.Facet{Kind: search.FacetAttribute, Name: a.Name}
			for _, value := range a.Values {
				facet.Values = append(facet.Values, search.FacetValue{Value: value, Label: value, Selected: true})
			}
			out = append(out, facet)
			continue
		}
		docs := w.except(attributeKind(a.Name))
		s := w.countFacts(docs)
		out = append(out, w.attributeFacet(s, kind, a))
		docset.Free(docs)
		s.free()
		chosen[kind] = true
	}
	s := w.countFacts(w.all)
	defer s.free()
	type rated struct {
		kind  uint32
		worth float64
	}
	var best []rated
	for i := range w.facts.kinds {
		kind := uint32(i) //nolint:gosec // at most maxFactKinds
		if worth := w.worth(s, kind); worth >= leastWorth && !chosen[kind] {
			best = append(best, rated{kind, worth})
		}
	}
	slices.SortFunc(best, func(a, b rated) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(w.facts.kinds[a.kind].label, w.facts.kinds[b.kind].label))
	})
	for _, b := range best[:min(len(best), attributesTold)] {
		out = append(out, w.attributeFacet(s, b.kind, search.AttributeFilter{}))
	}
	return out
}

// attributeFacet tells the values of one attribute.
func (w *walk) attributeFacet(s stating, kind uint32, by search.AttributeFilter) search.Facet {
	of := &w.facts.kinds[kind]
	chosen := map[uint32]bool{}
	var values []search.FacetValue
	for _, value := range by.Values {
		if at, _ := w.facts.find(kind, value); at != 0 {
			chosen[at] = true
		} else {
			values = append(values, search.FacetValue{Value: value, Label: value, Selected: true})
		}
	}
	for _, at := range of.values {
		if s.facts[at] > 0 || chosen[at] {
			label := w.facts.values[at].label
			values = append(values, search.FacetValue{Value: label, Label: label, Count: int64(s.facts[at] * s.step), Selected: chosen[at]})
		}
	}
	slices.SortFunc(values, mostFirst)
	facet := w.limited(search.FacetAttribute, values)
	facet.Name, facet.Approximate = of.label, s.step > 1
	facet.Numbers = w.numbers(s, of, by.Range)
	return facet
}

// When a range says something: that many of those that state an attribute state a number with the same unit, and there are
// so many different ones.
const (
	numericPercent = 80
	leastNumbers   = 4
)

// numbers are what the numbers of an attribute have in common, if it is nearly always one, or if a range of it is asked for.
func (w *walk) numbers(s stating, of *factKind, asked *string) *search.Numbers {
	type unit struct {
		listings    uint64
		values      int
		least, most float64
		label       string
	}
	units, all := map[string]*unit{}, uint64(0)
	for _, at := range of.values {
		v, n := &w.facts.values[at], s.facts[at]
		all += n
		if n == 0 || !v.numeric() {
			continue
		}
		key := strings.ToLower(w.facts.units[v.unit])
		u := units[key]
		if u == nil {
			u = &unit{least: v.number, most: v.number, label: w.facts.units[v.unit]}
			units[key] = u
		}
		u.listings += n
		u.values++
		u.least, u.most = min(u.least, v.number), max(u.most, v.number)
	}
	text := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	for _, u := range units {
		if u.listings*100 >= all*numericPercent && u.values >= leastNumbers {
			return &search.Numbers{Unit: u.label, Least: text(u.least), Most: text(u.most)}
		}
	}
	if asked == nil {
		return nil
	}
	r, _ := search.ParseRange(*asked)
	if u := units[strings.ToLower(r.Unit)]; u != nil {
		return &search.Numbers{Unit: u.label, Least: text(u.least), Most: text(u.most)}
	}
	return &search.Numbers{Unit: r.Unit}
}
