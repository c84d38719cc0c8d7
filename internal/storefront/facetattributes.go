package storefront

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"
	"strings"

	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// attributes are the filters of an address: each of attrs is a name and a value, with a colon
// between them.
func (a asked) attributes() *[]search.AttributeFilter {
	var all []search.AttributeFilter
	at := map[string]int{}
	for _, attr := range a.attrs {
		name, value, _ := strings.Cut(attr, ":")
		if name == "" {
			continue
		}
		i, again := at[name]
		if !again {
			i = len(all)
			at[name] = i
			all = append(all, search.AttributeFilter{Name: name})
		}
		all[i].Values = append(all[i].Values, value)
	}
	for _, one := range a.ranges {
		name, text, _ := strings.Cut(one, ":")
		if _, ok := search.ParseRange(text); ok { // else its chip says so
			all = append(all, search.AttributeFilter{Name: name, Range: &text})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &all
}

// rangesAsked are the ranges of attributes in an address, one of each: as links have them, and
// what a form has of one attribute, which takes the place of its range before. What cannot be read stays as it was typed.
func rangesAsked(q url.Values) []string {
	typed := func(name string) string { return strings.ReplaceAll(tidy(q.Get(name)), ",", ".") }
	given := someOf(q["range"])
	if name := tidy(q.Get("of")); name != "" {
		least, most := typed("from"), typed("to")
		typed := ""
		if least != "" || most != "" {
			typed = strings.TrimSpace(least + ".." + most + " " + tidy(q.Get("unit")))
		}
		given = append([]string{name + ":" + typed}, given...)
	}
	var out []string
	seen := map[string]bool{}
	for _, one := range given {
		name, text, said := strings.Cut(one, ":")
		key := strings.ToLower(name)
		if name == "" || !said || seen[key] || len(out) == search.MaxRanges {
			continue
		}
		seen[key] = true
		switch r, ok := eitherWay(text); {
		case ok:
			out = append(out, name+":"+r.String())
		case text != "":
			out = append(out, name+":"+text)
		}
	}
	return out
}

// eitherWay is a range as it is written, or the wrong way round.
func eitherWay(text string) (search.Range, bool) {
	if r, ok := search.ParseRange(text); ok {
		return r, true
	}
	least, rest, _ := strings.Cut(text, "..")
	most, unit, _ := strings.Cut(rest, " ")
	if most == "" {
		return search.Range{}, false
	}
	return search.ParseRange(strings.TrimSpace(most + ".." + least + " " + unit))
}

// rangeText is a range of an attribute in words.
func rangeText(one string) (name, text string) {
	name, text, _ = strings.Cut(one, ":")
	if _, ok := search.ParseRange(text); !ok {
		return name, "not understood: write it as 12.5"
	}
	least, rest, _ := strings.Cut(text, "..")
	most, unit, _ := strings.Cut(rest, " ")
	switch {
	case least == "":
		text = "up to " + most
	case most == "":
		text = "from " + least
	default:
		text = least + " to " + most
	}
	return name, strings.TrimSpace(text + " " + unit)
}

// numbersOf are two fields for a range of an attribute's numbers.
func (a asked) numbersOf(f search.Facet) *views.Range {
	if f.Numbers == nil {
		return nil
	}
	rest := a
	out := &views.Range{
		ID: facetID("range", f.Name), MinName: "from", MaxName: "to", Unit: f.Numbers.Unit, MinHint: f.Numbers.Least, MaxHint: f.Numbers.Most,
		Keep: []views.Hidden{{Name: "of", Value: f.Name}},
	}
	if f.Numbers.Unit != "" {
		out.Keep = append(out.Keep, views.Hidden{Name: "unit", Value: f.Numbers.Unit})
	}
	rest.ranges = slices.DeleteFunc(slices.Clone(a.ranges), func(one string) bool {
		name, text, _ := strings.Cut(one, ":")
		if !strings.EqualFold(name, f.Name) {
			return false
		}
		least, most, _ := strings.Cut(text, "..")
		most, _, _ = strings.Cut(most, " ")
		out.Min, out.Max = least, most
		return true
	})
	out.Keep = append(out.Keep, rest.hidden()...)
	return out
}

// attributeFacet narrows by one attribute.
func (a asked) attributeFacet(f search.Facet) views.Facet {
	out := a.facet("attr", capital(f.Name), f, func(value string) asked {
		b := a
		b.attrs = toggled(a.attrs, attrOf(a.attrs, f.Name, value))
		return b
	})
	out.Range = a.numbersOf(f)
	for i := range out.Values {
		out.Values[i].ID = facetID("attr:"+f.Name, out.Values[i].Value)
	}
	return out
}

// attrOf is an attribute with a value as the address has it; however it is spelt there.
func attrOf(attrs []string, name, value string) string {
	for _, attr := range attrs {
		if strings.EqualFold(attr, name+":"+value) {
			return attr
		}
	}
	return name + ":" + value
}

// facetID is the id of a value's link: the same whatever stands around it, so that the keyboard
// stays where it is when results change in place.
func facetID(name, value string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name + "\x00" + value)) // it cannot fail
	return fmt.Sprintf("facet-%08x", h.Sum32())
}

// The drawing of a histogram, in its own units.
const (
	barsWide = 200
	barsHigh = 48
	leastBar = 2 // of what is there at all
)

// barsOf draws how many listings there are at which price; nil where that says nothing.
func barsOf(f search.Facet, currency money.Currency) *views.Bars {
	filled := 0
	for _, v := range f.Values {
		if v.Count > 0 {
			filled++
		}
	}
	if filled < 3 {
		return nil
	}
	amount := func(minor int64) string { return FormatMoney(money.Money{Minor: minor, Currency: currency}) }
	first, last, most := f.Values[0], f.Values[len(f.Values)-1], f.Values[0]
	for _, v := range f.Values {
		if v.Count > most.Count {
			most = v
		}
	}
	out := views.Bars{Low: amount(first.Min), High: amount(last.Max), Wide: barsWide, Tall: barsHigh}
	out.Title = fmt.Sprintf("Prices from %s to %s, most of them from %s to %s", out.Low, out.High, amount(most.Min), amount(most.Max))
	if f.Approximate {
		out.Note = "Counted from a part of what was found."
	}
	chosen := false
	for _, v := range f.Values {
		chosen = chosen || v.Selected
	}
	for i, v := range f.Values {
		x := barsWide * i / len(f.Values)
		bar := views.Bar{X: x, Width: barsWide*(i+1)/len(f.Values) - x - 1, Out: chosen && !v.Selected}
		if v.Count > 0 {
			bar.Height = leastBar + int((barsHigh-leastBar)*v.Count/most.Count)
		}
		bar.Y = barsHigh - bar.Height
		bar.Text = fmt.Sprintf("%s to %s: %s", amount(v.Min), amount(v.Max), Count(int(v.Count), "listing", "listings"))
		out.Bars = append(out.Bars, bar)
	}
	return &out
}
