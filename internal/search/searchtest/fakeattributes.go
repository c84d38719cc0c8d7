package searchtest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"souk/internal/search"
)

// stated are a listing's values by attribute or option, both folded, with how they are spelt.
func stated(l fit) map[string]map[string][2]string {
	all := map[string]map[string][2]string{}
	say := func(name, value string) {
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if whole, ok := strings.CutSuffix(value, ".0"); ok && strings.Trim(whole, "0123456789") == "" {
			value = whole
		}
		if name == "" || value == "" || len(name) > 60 || len(value) > 60 {
			return
		}
		if all[strings.ToLower(name)] == nil {
			all[strings.ToLower(name)] = map[string][2]string{}
		}
		all[strings.ToLower(name)][strings.ToLower(value)] = [2]string{name, value}
	}
	for _, a := range l.Attributes {
		say(a.Name, a.Value)
	}
	for _, v := range l.Variants {
		for _, o := range v.Options {
			say(o.Name, o.Value)
		}
	}
	return all
}

// chosenValues are the values that are asked for, by attribute, both folded.
func chosenValues(c search.Filter) map[string][]string {
	all := map[string][]string{}
	for _, a := range c.ByAttributes() {
		name := strings.ToLower(a.Name)
		values := all[name]
		for _, value := range a.Values {
			values = append(values, strings.ToLower(value))
		}
		all[name] = values // also of a range alone
	}
	return all
}

// lacks are the attributes asked for of which a listing has no value that was chosen.
func lacks(c search.Filter, l fit) []search.FacetKind {
	var kinds []search.FacetKind
	has := stated(l)
	for name, values := range chosenValues(c) {
		inRange := false
		if r, asked := rangeOf(c, name); asked {
			for value := range has[name] {
				inRange = inRange || r.Has(value)
			}
		}
		if !inRange && !slices.ContainsFunc(values, func(v string) bool { _, ok := has[name][v]; return ok }) {
			kinds = append(kinds, search.FacetAttribute+search.FacetKind(name))
		}
	}
	return kinds
}

// rangeOf is the range that is asked for of an attribute, by its folded name.
func rangeOf(c search.Filter, name string) (r search.Range, asked bool) {
	for _, a := range c.ByAttributes() {
		if a.Range != nil && strings.ToLower(a.Name) == name {
			return search.ParseRange(*a.Range)
		}
	}
	return r, false
}

// numbers are told where four in five listings with the attribute state a number of one unit, of four different ones or more, or
// where a range is asked for.
func numbers(c search.Filter, name string, counts map[string]int64, labels map[string]string) *search.Numbers {
	type unit struct {
		label       string
		n           int64
		values      int
		least, most float64
	}
	units, all := map[string]unit{}, int64(0)
	for _, value := range slices.Sorted(maps.Keys(counts)) {
		all += counts[value]
		number, label, ok := search.NumberOf(labels[name+"\x00"+value])
		if !ok {
			continue
		}
		u, known := units[strings.ToLower(label)]
		if !known {
			u = unit{label: label, least: number, most: number}
		}
		u.n, u.values, u.least, u.most = u.n+counts[value], u.values+1, min(u.least, number), max(u.most, number)
		units[strings.ToLower(label)] = u
	}
	told := func(u unit) *search.Numbers {
		return &search.Numbers{Unit: u.label, Least: fmt.Sprint(u.least), Most: fmt.Sprint(u.most)}
	}
	for _, u := range units {
		if u.n*5 >= all*4 && u.values >= 4 {
			return told(u)
		}
	}
	r, asked := rangeOf(c, name)
	if u, known := units[strings.ToLower(r.Unit)]; known && asked {
		return told(u)
	}
	if asked {
		return &search.Numbers{Unit: r.Unit}
	}
	return nil
}

// attributes are the facets of attributes: those selected, then the six that divide best what
// passes every filter.
func attributes(c search.Filter, fits []fit) []search.Facet {
	chosen := chosenValues(c)
	counted := func(own string) (counts map[string]map[string]int64, have map[string]int64, names map[string]string, labels map[string]string, n int64) {
		counts, have, names, labels = map[string]map[string]int64{}, map[string]int64{}, map[string]string{}, map[string]string{}
		for _, l := range fits {
			failed := fails(c, l)
			if len(failed) > 1 || len(failed) == 1 && (own == "" || failed[0] != search.FacetAttribute+search.FacetKind(own)) {
				continue
			}
			n++
			for name, values := range stated(l) {
				have[name]++
				if counts[name] == nil {
					counts[name] = map[string]int64{}
				}
				for value, spelt := range values {
					counts[name][value]++
					names[name], labels[name+"\x00"+value] = spelt[0], spelt[1]
				}
			}
		}
		return counts, have, names, labels, n
	}
	facet := func(name, own string) search.Facet {
		counts, _, names, labels, _ := counted(own)
		out := search.Facet{Kind: search.FacetAttribute, Name: cmp.Or(names[name], name)}
		for value, n := range counts[name] {
			label := labels[name+"\x00"+value]
			out.Values = append(out.Values, search.FacetValue{Value: label, Label: label, Count: n, Selected: slices.Contains(chosen[name], value)})
		}
		for _, value := range chosen[name] {
			if counts[name][value] == 0 {
				out.Values = append(out.Values, search.FacetValue{Value: value, Label: value, Selected: true})
			}
		}
		slices.SortFunc(out.Values, func(a, b search.FacetValue) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label))
		})
		out.Numbers = numbers(c, name, counts[name], labels)
		return out
	}
	var out []search.Facet
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		out = append(out, facet(name, name))
	}
	counts, have, names, _, n := counted("")
	worths := map[string]float64{}
	for name := range counts {
		if worth := worth(slices.Collect(maps.Values(counts[name])), have[name], n); worth >= .05 && !isChosen(chosen, name) {
			worths[name] = worth
		}
	}
	best := slices.SortedFunc(maps.Keys(worths), func(a, b string) int {
		return cmp.Or(cmp.Compare(worths[b], worths[a]), cmp.Compare(names[a], names[b]))
	})
	for _, name := range best[:min(6, len(best))] {
		out = append(out, facet(name, ""))
	}
	return out
}

func isChosen(chosen map[string][]string, name string) bool { _, ok := chosen[name]; return ok }

// worth is how well an attribute divides n listings of which so many have it.
func worth(counts []int64, have, n int64) float64 {
	if len(counts) < 2 || have*5 < n {
		return 0
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	all, squares, first := 0.0, 0.0, 0.0
	for i, count := range counts {
		all += float64(count)
		squares += float64(count) * float64(count)
		if i < 12 {
			first += float64(count)
		}
	}
	first /= all
	return float64(have) / float64(n) * (1 - squares/(all*all)) * first * first
}

// histogram counts prices in steps of ten thousand minor units.
func histogram(c search.Filter, prices search.Facet) search.Facet {
	out := search.Facet{Kind: search.FacetHistogram, Currency: prices.Currency}
	for _, v := range prices.Values {
		v.Selected = (c.PriceMin != nil || c.PriceMax != nil) && (c.PriceMin == nil || v.Max >= *c.PriceMin) && (c.PriceMax == nil || v.Min <= *c.PriceMax)
		out.Values = append(out.Values, v)
	}
	slices.SortFunc(out.Values, func(a, b search.FacetValue) int { return cmp.Compare(a.Min, b.Min) })
	return out
}
