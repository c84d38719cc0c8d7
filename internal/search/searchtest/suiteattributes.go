package searchtest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/search"
)

// steps are the steps of the histogram in a reply.
func steps(w *world, r search.QueryRequest) []search.FacetValue {
	w.Helper()
	for _, f := range w.query(r).Facets {
		if f.Kind == search.FacetHistogram {
			return f.Values
		}
	}
	require.FailNow(w, "there is no histogram")
	return nil
}

// told are the counts of an attribute's values, and the selected ones; nil if it is not told.
func told(reply search.QueryReply, name string) (counts map[string]int64, chosen []string) {
	for _, f := range reply.Facets {
		if f.Kind == search.FacetAttribute && strings.EqualFold(f.Name, name) {
			counts = map[string]int64{}
			for _, v := range f.Values {
				counts[v.Label] = v.Count
				if v.Selected {
					chosen = append(chosen, v.Label)
				}
			}
		}
	}
	return counts, chosen
}

func having(name string, values ...string) search.AttributeFilter {
	return search.AttributeFilter{Name: name, Values: values}
}

func by(attributes ...search.AttributeFilter) search.Filter {
	return search.Filter{Attributes: &attributes}
}

// chairs are a shop of chairs in colours and materials.
func chairs(w *world) catalog.Seller {
	shop := w.seller("North")
	w.list(shop.ID, "Chair one", attribute("Colour", "Red"), attribute("Material", "Oak"), attribute("Assembled", "yes"))
	w.list(shop.ID, "Chair two", attribute("Colour", "Red"), attribute("Material", "Ash"), attribute("Assembled", "yes"))
	w.list(shop.ID, "Chair three", attribute("Colour", "Blue"), attribute("Material", "Oak"), attribute("Assembled", "yes"))
	w.list(shop.ID, "Chair four", attribute("Colour", "Green"), attribute("Legs", "4.0"), attribute("Assembled", "yes"))
	w.hear()
	return shop
}

var attributeTests = map[string]func(*world){
	"as many values of a facet are told as are asked for": func(w *world) {
		shop := w.seller("North")
		for i := range 60 {
			w.list(shop.ID, "Lamp", brand(fmt.Sprintf("Maker %d", i)))
		}
		w.hear()
		brands := func(r search.QueryRequest) search.Facet {
			r.Facets = true
			for _, f := range w.query(r).Facets {
				if f.Kind == search.FacetBrand {
					return f
				}
			}
			return search.Facet{}
		}
		few, all, one := brands(search.QueryRequest{}), int32(500), int32(1)
		assert.Len(w, few.Values, 50)
		assert.True(w, few.More)
		f := brands(search.QueryRequest{FacetValues: &all})
		assert.Len(w, f.Values, 60)
		assert.False(w, f.More)
		f = brands(search.QueryRequest{FacetValues: &one, Filter: search.Filter{Brands: []string{few.Values[7].Value}}})
		assert.Len(w, f.Values, 2, "the first, and what is selected")
		assert.True(w, f.More)
	},
	"attributes narrow together, values of one are alternatives": func(w *world) {
		chairs(w)
		for _, tt := range []struct {
			by   []search.AttributeFilter
			want []string
		}{
			{[]search.AttributeFilter{having("Colour", "Red")}, []string{"Chair two", "Chair one"}},
			{[]search.AttributeFilter{having("COLOUR", "red", "blue")}, []string{"Chair three", "Chair two", "Chair one"}},
			{[]search.AttributeFilter{having("Colour", "Red"), having("Colour", "Blue")}, []string{"Chair three", "Chair two", "Chair one"}},
			{[]search.AttributeFilter{having("Colour", "Red", "Blue"), having("Material", "Oak")}, []string{"Chair three", "Chair one"}},
			{[]search.AttributeFilter{having("Legs", "4")}, []string{"Chair four"}},
			{[]search.AttributeFilter{having("Colour", "Pink")}, []string{}},
			{[]search.AttributeFilter{having("Smell", "Red")}, []string{}},
			{[]search.AttributeFilter{having("Material", "Red")}, []string{}},
		} {
			assert.Equal(w, tt.want, w.through(by(tt.by...)), "%v", tt.by)
		}
	},
	"attributes that divide the results are told, and count as if they were not selected": func(w *world) {
		chairs(w)
		reply := w.query(search.QueryRequest{Facets: true})
		counts, chosen := told(reply, "Colour")
		assert.Equal(w, map[string]int64{"Red": 2, "Blue": 1, "Green": 1}, counts)
		assert.Empty(w, chosen)
		counts, _ = told(reply, "Material")
		assert.Equal(w, map[string]int64{"Oak": 2, "Ash": 1}, counts)
		counts, _ = told(reply, "Assembled")
		assert.Nil(w, counts, "all of them are")

		reply = w.query(search.QueryRequest{Facets: true, Filter: by(having("colour", "red", "Pink"))})
		assert.EqualValues(w, 2, reply.Total)
		counts, chosen = told(reply, "Colour")
		assert.EqualValues(w, 2, counts["Red"])
		assert.EqualValues(w, 1, counts["Blue"])
		assert.Len(w, counts, 4)
		assert.Len(w, chosen, 2)
		counts, _ = told(reply, "Material")
		assert.Equal(w, map[string]int64{"Oak": 1, "Ash": 1}, counts)
	},
	"a range of an attribute's numbers narrows, beside its values": func(w *world) {
		shop := w.seller("North")
		for i, weight := range []string{"500 g", "750 g", "1000 G", "1250g", "2 kg", "750 g"} {
			w.list(shop.ID, "Iron "+string(rune('A'+i)), attribute("Weight", weight), attribute("Cable", []string{"2", "3"}[i%2]))
		}
		w.list(shop.ID, "Iron G", attribute("Weight", "heavy"))
		w.hear()
		between := func(name, text string, values ...string) search.AttributeFilter {
			return search.AttributeFilter{Name: name, Values: values, Range: &text}
		}
		for _, tt := range []struct {
			by   []search.AttributeFilter
			want []string
		}{
			{[]search.AttributeFilter{between("Weight", "600..1000 g")}, []string{"Iron F", "Iron C", "Iron B"}},
			{[]search.AttributeFilter{between("WEIGHT", "..500 G")}, []string{"Iron A"}},
			{[]search.AttributeFilter{between("Weight", "1001.. g")}, []string{"Iron D"}},
			{[]search.AttributeFilter{between("Weight", "600..1000 g", "heavy", "2 kg")}, []string{"Iron G", "Iron F", "Iron E", "Iron C", "Iron B"}},
			{[]search.AttributeFilter{between("Weight", "600..1000 g"), having("weight", "heavy")}, []string{"Iron G", "Iron F", "Iron C", "Iron B"}},
			{[]search.AttributeFilter{between("Weight", "600..1000 g"), having("Cable", "3")}, []string{"Iron F", "Iron B"}},
			{[]search.AttributeFilter{between("Weight", "600..1000 g"), between("Cable", "2..2")}, []string{"Iron C"}},
			{[]search.AttributeFilter{between("Weight", "600..1000")}, []string{}},
			{[]search.AttributeFilter{between("Smell", "1..2")}, []string{}},
		} {
			assert.Equal(w, tt.want, w.through(by(tt.by...)), "%v", tt.by)
		}
		facet := func(r search.QueryRequest, name string) (out search.Facet) {
			r.Facets = true
			for _, f := range w.query(r).Facets {
				if f.Kind == search.FacetAttribute && strings.EqualFold(f.Name, name) {
					out = f
				}
			}
			return out
		}
		assert.Nil(w, facet(search.QueryRequest{}, "Weight").Numbers, "two of seven are no grams")
		assert.Nil(w, facet(search.QueryRequest{}, "Cable").Numbers, "two values are seen at a look")
		narrow := by(having("Weight", "500 g", "750 g", "1000 g", "1250g"))
		assert.Len(w, w.through(narrow), 5)
		f := facet(search.QueryRequest{Filter: by(between("Weight", "600..1000 g"), having("Cable", "3"))}, "Weight")
		assert.Equal(w, &search.Numbers{Unit: "g", Least: "750", Most: "1250"}, f.Numbers, "told because it is asked for, and counted as if it were not")
		assert.Len(w, f.Values, 2)
		f = facet(search.QueryRequest{Filter: by(between("Weight", "600..1000 g"))}, "Cable")
		counts := map[string]int64{}
		for _, v := range f.Values {
			counts[v.Label] = v.Count
		}
		assert.Equal(w, map[string]int64{"2": 1, "3": 2}, counts)

		for i := range 5 {
			w.list(shop.ID, "Kettle", attribute("Weight", fmt.Sprintf("%d.5 kg", i+1)))
		}
		w.hear()
		assert.Equal(w, &search.Numbers{Unit: "kg", Least: "1.5", Most: "5.5"}, facet(search.QueryRequest{Text: "kettle"}, "Weight").Numbers)
		for _, bad := range [][]search.AttributeFilter{
			{between("Weight", "heavy")}, {between("Weight", "2..1")}, {between("", "1..2")}, {between("Weight", "1..2"), between("weight", "3..4")},
		} {
			_, err := w.Query(w.Context(), search.QueryRequest{Filter: by(bad...)})
			assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "filter.attributes")
		}
	},
	"options of variants are attributes too": func(w *world) {
		shop := w.seller("North")
		sized := func(sizes ...string) change {
			return func(d *catalog.Draft) {
				first := d.Variants[0]
				d.Variants = nil
				for i, size := range sizes {
					v := first
					v.SKU = fmt.Sprintf("%s-%d", size, i)
					v.Options = []catalog.Option{{Name: "Size", Value: size}}
					d.Variants = append(d.Variants, v)
				}
			}
		}
		w.list(shop.ID, "Shirt", sized("S", "M"))
		w.list(shop.ID, "Coat", sized("M", "L"))
		w.hear()
		counts, _ := told(w.query(search.QueryRequest{Facets: true}), "Size")
		assert.Equal(w, map[string]int64{"S": 1, "M": 2, "L": 1}, counts)
		assert.Equal(w, []string{"Shirt"}, w.through(by(having("Size", "S"))))
	},
	"an attribute that changes is narrowed by as it is now": func(w *world) {
		shop := w.seller("North")
		l := w.list(shop.ID, "Chair", attribute("Colour", "Red"))
		w.list(shop.ID, "Table", attribute("Colour", "Green"))
		w.hear()
		red := by(having("Colour", "Red"))
		assert.Len(w, w.through(red), 1)
		w.edit(l, func(d *catalog.Draft) { d.Attributes = nil }, attribute("Colour", "Blue"))
		w.hear()
		assert.Empty(w, w.through(red))
		counts, _ := told(w.query(search.QueryRequest{Facets: true}), "Colour")
		assert.Equal(w, map[string]int64{"Blue": 1, "Green": 1}, counts)
	},
	"a filter of attributes has bounds": func(w *world) {
		many := make([]string, 101)
		for i := range many {
			many[i] = fmt.Sprint(i)
		}
		text := "1..2 kg"
		var named, ranged []search.AttributeFilter
		for i := range 21 {
			named = append(named, having(many[i], "Red"))
			ranged = append(ranged, search.AttributeFilter{Name: many[i], Range: &text})
		}
		for _, some := range [][]search.AttributeFilter{
			{having("", "Red")}, {having("Colour")}, {having("Colour", many...)}, make([]search.AttributeFilter, 21), named, ranged[:search.MaxRanges+1],
		} {
			_, err := w.Query(w.Context(), search.QueryRequest{Filter: by(some...)})
			assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "filter.attributes")
		}
		assert.Empty(w, w.through(by(append(named[:20:20], ranged[:search.MaxRanges]...)...)), "values and a range of one attribute are one filter")
	},
}
