package storefront

import (
	"fmt"
	"hash/fnv"
	"strings"

	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// attributes are the filters of an address: each of attrs is a name and a value, with a colon
// between them.
func (a asked) attributes() *[]search.AttributeFilter {
	if len(a.attrs) == 0 {
		return nil
	}
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
	return &all
}

// attributeFacet narrows by one attribute.
func (a asked) attributeFacet(f search.Facet) views.Facet {
	out := a.facet("attr", capital(f.Name), f, func(value string) asked {
		b := a
		b.attrs = toggled(a.attrs, attrOf(a.attrs, f.Name, value))
		return b
	})
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
	if len(f.Values) < 3 {
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
