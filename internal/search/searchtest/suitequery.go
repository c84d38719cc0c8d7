package searchtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// nasty are texts that somebody types, or that a parser could take for something else.
var nasty = []string{
	"", " ", `"`, `""`, `'`, `lamp"`, `"lamp`, "lamp*", "lamp AND", "AND", "OR", "NOT lamp", "lamp NEAR desk", "NEAR(lamp desk, 2)",
	"title:lamp", "{title brand}: lamp", "-lamp", "^lamp", "lamp + desk", "(lamp", "lamp)", "%", "_", "lamp; DROP TABLE listings", "--",
	"\x00", "lamp\x00", "\xff\xfe", "\u0301", "e\u0301", "\u200b", "🙂", "ﬁ", "ß", "İ", "日本語", "مصباح", "a b c d e f g h i j k l m n o p q r s t u v w x y z",
	strings.Repeat("lamp ", 5000), strings.Repeat("x", 100_000), "<b>lamp</b>", "\x02lamp\x03", "lamp\n\tdesk", "½", "１２",
}

var wordTests = map[string]func(*world){
	"words are found wherever a listing has them": func(w *world) {
		shop, lighting := w.seller("North"), w.category("Home", "Lighting")
		w.list(shop.ID, "Brass lamp")
		w.list(shop.ID, "Kettle", brand("Anglepoise"))
		w.list(shop.ID, "Chair", about("Made by hand in Portugal."))
		w.list(shop.ID, "Table", attribute("Material", "walnut"))
		w.list(shop.ID, "Sconce", in(lighting))
		w.list(shop.ID, "Bulb", func(d *catalog.Draft) { d.Variants[0].SKU = "E27-9W" })
		w.hear()
		for text, want := range map[string]string{
			"lamp": "Brass lamp", "LAMP": "Brass lamp", "brass lamp": "Brass lamp", "lamp brass": "Brass lamp", "anglepoise": "Kettle",
			"portugal": "Chair", "walnut": "Table", "lighting": "Sconce", "E27-9W": "Bulb",
		} {
			assert.Equal(w, []string{want}, w.found(text), text)
		}
		assert.Empty(w, w.found("trombone"))
	},
	"accents make no difference": func(w *world) {
		w.list(w.seller("North").ID, "Café crème cups")
		w.hear()
		assert.Len(w, w.found("cafe creme"), 1)
		assert.Len(w, w.found("CAFÉ"), 1)
		assert.Len(w, w.found("cafe\u0301"), 1)
	},
	"a word in the title weighs more than in the description": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "Desk", about("Goes well with a lamp of any size."))
		w.list(shop.ID, "Lamp", about("Goes well with any desk or other table."))
		w.list(shop.ID, "Stool", about("For anyone who has one."))
		w.hear()
		assert.Equal(w, []string{"Lamp", "Desk"}, w.found("lamp"))
		assert.Equal(w, []string{"Desk", "Lamp"}, w.found("desk"))
		w.list(shop.ID, "Lamp too")
		w.hear()
		assert.Equal(w, "Desk", w.found("lamp")[2], "also when most listings have the word")
	},
	"when nothing has all words, what has some is found, and said so": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "Brass lamp")
		w.list(shop.ID, "Oak desk")
		w.list(shop.ID, "Wool rug")
		w.hear()
		reply := w.query(search.QueryRequest{Text: "brass lamp"})
		assert.False(w, reply.AnyWord)
		reply = w.query(search.QueryRequest{Text: "lamp desk"})
		assert.True(w, reply.AnyWord)
		assert.ElementsMatch(w, []string{"Brass lamp", "Oak desk"}, titles(reply.Hits))
		assert.EqualValues(w, 2, reply.Total)
		reply = w.query(search.QueryRequest{Text: "trombone zither"})
		assert.False(w, reply.AnyWord)
		assert.Empty(w, reply.Hits)
	},
	"a filter that lets nothing through does not loosen the words": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "Brass lamp")
		w.list(shop.ID, "Oak lamp", brand("Elm"))
		w.hear()
		reply := w.query(search.QueryRequest{Text: "brass lamp", Filter: search.Filter{Brands: []string{"Elm"}}})
		assert.Zero(w, reply.Total)
		assert.False(w, reply.AnyWord)
	},
	"any text is a valid query": func(w *world) {
		w.list(w.seller("North").ID, "Desk lamp with OR and NOT in it", about("AND near"))
		w.hear()
		for _, text := range nasty {
			reply, err := w.Query(w.Context(), search.QueryRequest{Text: strings.ToValidUTF8(text, "?"), Facets: true})
			require.NoError(w, err, "%q", text)
			assert.LessOrEqual(w, len(reply.Hits), 1)
		}
	},
	"no text finds everything, newest first": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "First")
		w.list(shop.ID, "Second")
		w.list(shop.ID, "Third")
		w.hear()
		reply := w.query(search.QueryRequest{})
		assert.Equal(w, []string{"Third", "Second", "First"}, titles(reply.Hits))
		assert.EqualValues(w, 3, reply.Total)
		assert.Empty(w, reply.Next)
		assert.Empty(w, reply.Facets)
	},
	"a hit has what a result shows": func(w *world) {
		shop, lamps := w.seller("North"), w.category("Home", "Lamps")
		l := w.list(shop.ID, "Brass <b>lamp</b> & shade", brand("Elm"), in(lamps), about("A lamp."), func(d *catalog.Draft) {
			second := d.Variants[0]
			second.SKU, second.Price.Minor, second.Options = "two", 900, []catalog.Option{{Name: "Size", Value: "S"}}
			d.Variants = append(d.Variants, second)
		})
		w.hear()
		reply := w.query(search.QueryRequest{Text: "lamp"})
		require.Len(w, reply.Hits, 1)
		h := reply.Hits[0]
		text, matches := joined(h.Marked)
		assert.Equal(w, h.Title, text)
		assert.Equal(w, []string{"lamp"}, matches)
		text, matches = joined(h.Snippet)
		assert.Equal(w, "A lamp.", text)
		assert.Equal(w, []string{"lamp"}, matches)
		h.Marked, h.Snippet = nil, nil
		assert.Equal(w, search.Hit{
			Listing: l.ID, Title: "Brass <b>lamp</b> & shade", Brand: "Elm", Seller: shop.ID, SellerName: "North", SellerSlug: shop.Slug,
			Path: "home/lamps", Image: l.Images[0].URL, PriceFrom: l.Variants[1].Price, PriceTo: l.Variants[0].Price, InStock: true,
			Variants: 2, CreatedAt: l.CreatedAt,
		}, h)
	},
}

func minor(n int64) *int64 { return &n }

// shopfloor is four listings that differ in everything.
func shopfloor(w *world) (north, south catalog.Seller) {
	north, south = w.seller("North"), w.seller("South")
	lamps, rugs := w.category("Home", "Lamps"), w.category("Home", "Rugs")
	w.list(north.ID, "Desk lamp", in(lamps), brand("Elm"), price(1000))
	w.list(north.ID, "Floor lamp", in(lamps), brand("Oak"), price(2000), quantity(0))
	w.list(south.ID, "Wool rug", in(rugs), brand("Elm"), price(3000))
	w.list(south.ID, "Book", in(w.category("Books")), brand("Ash"), price(4000))
	w.hear()
	return north, south
}

var filterTests = map[string]func(*world){
	"filters narrow together, values of one are alternatives": func(w *world) {
		north, south := shopfloor(w)
		for _, tt := range []struct {
			filter search.Filter
			want   []string
		}{
			{search.Filter{Path: "home"}, []string{"Wool rug", "Floor lamp", "Desk lamp"}},
			{search.Filter{Path: "home/lamps"}, []string{"Floor lamp", "Desk lamp"}},
			{search.Filter{Path: "home/lam"}, []string{}},
			{search.Filter{Brands: []string{"Elm"}}, []string{"Wool rug", "Desk lamp"}},
			{search.Filter{Brands: []string{"Elm", "Ash"}}, []string{"Book", "Wool rug", "Desk lamp"}},
			{search.Filter{Brands: []string{"Birch"}}, []string{}},
			{search.Filter{Sellers: []catalog.SellerID{north.ID}}, []string{"Floor lamp", "Desk lamp"}},
			{search.Filter{Sellers: []catalog.SellerID{north.ID, south.ID}, Brands: []string{"Elm"}}, []string{"Wool rug", "Desk lamp"}},
			{search.Filter{Currency: "EUR", PriceMin: minor(2000)}, []string{"Book", "Wool rug", "Floor lamp"}},
			{search.Filter{Currency: "EUR", PriceMin: minor(2000), PriceMax: minor(3000)}, []string{"Wool rug", "Floor lamp"}},
			{search.Filter{Currency: "USD", PriceMax: minor(9000)}, []string{}},
			{search.Filter{Currency: "USD"}, []string{"Book", "Wool rug", "Floor lamp", "Desk lamp"}},
			{search.Filter{InStock: true}, []string{"Book", "Wool rug", "Desk lamp"}},
			{search.Filter{Path: "home", Brands: []string{"Oak"}, InStock: true}, []string{}},
		} {
			assert.Equal(w, tt.want, w.through(tt.filter), "%+v", tt.filter)
		}
	},
	"a wrong filter is told field by field": func(w *world) {
		_, err := w.Query(w.Context(), search.QueryRequest{Filter: search.Filter{Currency: "euro", PriceMin: minor(-1), PriceMax: minor(-2)}})
		fields := w.refused(search.ErrInvalid, err).Fields
		for _, field := range []string{"filter.currency", "filter.price_min", "filter.price_max"} {
			assert.Contains(w, fields, field)
		}
		_, err = w.Query(w.Context(), search.QueryRequest{Filter: search.Filter{PriceMin: minor(1)}})
		assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "filter.currency")
		_, err = w.Query(w.Context(), search.QueryRequest{Filter: search.Filter{Currency: "EUR", PriceMin: minor(2), PriceMax: minor(1)}})
		assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "filter.price_max")
	},
	"every facet counts with every filter but its own": func(w *world) {
		north, _ := shopfloor(w)
		reply := w.query(search.QueryRequest{Facets: true})
		assert.Equal(w, map[string]int64{"Home": 3, "Books": 1}, facet(reply, search.FacetCategory))
		assert.Equal(w, map[string]int64{"Elm": 2, "Oak": 1, "Ash": 1}, facet(reply, search.FacetBrand))
		assert.Equal(w, map[string]int64{"North": 2, "South": 2}, facet(reply, search.FacetSeller))
		assert.Equal(w, map[string]int64{"In stock": 3, "Sold out": 1}, facet(reply, search.FacetStock))

		reply = w.query(search.QueryRequest{Facets: true, Filter: search.Filter{Brands: []string{"Elm"}, Path: "home"}})
		assert.EqualValues(w, 2, reply.Total)
		assert.Equal(w, map[string]int64{"Elm": 2, "Oak": 1}, facet(reply, search.FacetBrand), "as if no brand were selected")
		assert.Equal(w, []string{"Elm"}, selected(reply, search.FacetBrand))
		assert.Equal(w, map[string]int64{"Home": 2, "Lamps": 1, "Rugs": 1}, facet(reply, search.FacetCategory), "and the children of what is selected")
		assert.Equal(w, []string{"Home"}, selected(reply, search.FacetCategory))
		assert.Equal(w, map[string]int64{"North": 1, "South": 1}, facet(reply, search.FacetSeller))

		reply = w.query(search.QueryRequest{Text: "lamp", Facets: true, Filter: search.Filter{Sellers: []catalog.SellerID{north.ID}, InStock: true}})
		assert.Equal(w, map[string]int64{"In stock": 1, "Sold out": 1}, facet(reply, search.FacetStock))
		assert.Equal(w, map[string]int64{"Elm": 1}, facet(reply, search.FacetBrand))
	},
	"a value that is selected is told though nothing has it": func(w *world) {
		shopfloor(w)
		reply := w.query(search.QueryRequest{Facets: true, Filter: search.Filter{Brands: []string{"Ash"}, Path: "home"}})
		assert.Zero(w, reply.Total)
		assert.Equal(w, map[string]int64{"Elm": 2, "Oak": 1, "Ash": 0}, facet(reply, search.FacetBrand))
	},
	"price ranges have every price once, in order, and filter as they count": func(w *world) {
		shop := w.seller("North")
		for i := range 37 {
			w.list(shop.ID, fmt.Sprintf("Lamp %d", i), price(int64(i*i*31%9000)))
		}
		w.hear()
		reply := w.query(search.QueryRequest{Facets: true, Filter: search.Filter{Currency: "EUR"}})
		prices := reply.Facets[3]
		require.Equal(w, search.FacetPrice, prices.Kind)
		next, sum := int64(0), int64(0)
		for _, v := range prices.Values {
			assert.GreaterOrEqual(w, v.Min, next)
			assert.GreaterOrEqual(w, v.Max, v.Min)
			next, sum = v.Max+1, sum+v.Count
			only := w.query(search.QueryRequest{Facets: true, Filter: search.Filter{Currency: "EUR", PriceMin: &v.Min, PriceMax: &v.Max}})
			assert.Equal(w, v.Count, only.Total)
			assert.Equal(w, []string{v.Label}, selected(only, search.FacetPrice))
		}
		assert.EqualValues(w, 37, sum)
		low, high := int64(2000), int64(5000)
		for _, only := range []search.Filter{{Currency: "EUR"}, {Currency: "EUR", PriceMin: &low, PriceMax: &high}} {
			next, sum = 0, 0
			for _, v := range steps(w, search.QueryRequest{Facets: true, Filter: only}) {
				assert.GreaterOrEqual(w, v.Min, next)
				assert.GreaterOrEqual(w, v.Max, v.Min)
				assert.Equal(w, only.PriceMin != nil && v.Max >= low && v.Min <= high, v.Selected)
				next, sum = v.Max+1, sum+v.Count
			}
			assert.EqualValues(w, 37, sum, "the steps count what the range leaves out too")
		}
	},
	"prices are counted in the currency that most results have, and it is told": func(w *world) {
		shop, other := w.seller("North"), w.env.Catalog.AddSeller(catalog.Seller{Name: "South", Currency: "USD"})
		w.list(shop.ID, "Lamp one", price(1000))
		w.list(shop.ID, "Lamp two", price(3000))
		w.list(other.ID, "Lamp three", func(d *catalog.Draft) { d.Variants[0].Price.Currency = "USD" })
		w.hear()
		for f, want := range map[money.Currency]money.Currency{"": "EUR", "USD": "USD"} {
			reply := w.query(search.QueryRequest{Sort: search.SortNewest, Facets: true, Filter: search.Filter{Currency: f}})
			assert.Equal(w, money.Currency("USD"), reply.Hits[0].PriceFrom.Currency, "the first result has another")
			for _, facet := range reply.Facets {
				sum := int64(0)
				for _, v := range facet.Values {
					sum += v.Count
				}
				switch facet.Kind {
				case search.FacetPrice, search.FacetHistogram:
					assert.Equal(w, want, facet.Currency, facet.Kind)
					assert.Equal(w, map[money.Currency]int64{"EUR": 2, "USD": 1}[want], sum)
				default:
					assert.Empty(w, facet.Currency)
				}
			}
		}
	},
	"brands are one however they are spelt": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "One", brand("ACME"))
		w.list(shop.ID, "Two", brand("Acme"))
		w.hear()
		reply := w.query(search.QueryRequest{Facets: true, Filter: search.Filter{Brands: []string{"acme"}}})
		assert.EqualValues(w, 2, reply.Total)
		assert.Len(w, facet(reply, search.FacetBrand), 1)
	},
}

var pageTests = map[string]func(*world){
	"pages neither skip nor repeat, whatever the order": func(w *world) {
		shop, other := w.seller("North"), w.seller("South")
		for i := range 41 { // many ties in everything
			w.list([]catalog.SellerID{shop.ID, other.ID}[i%2], []string{"Desk lamp", "Lamp", "Floor lamp for a lamp"}[i%3], price(int64(100*(i%4))))
			if i%5 == 0 {
				w.env.Clock.Advance(-time.Second)
			}
		}
		w.hear()
		for _, r := range []search.QueryRequest{
			{},
			{Text: "lamp"},
			{Text: "lamp", Sort: search.SortPriceUp},
			{Text: "lamp", Sort: search.SortPriceDown},
			{Text: "lamp", Sort: search.SortNewest},
			{Sort: search.SortPriceUp},
			{Text: "lamp zither"},
			{Text: "lamp", Filter: search.Filter{Sellers: []catalog.SellerID{shop.ID}}},
		} {
			whole := w.all(r, 100)
			want := 41
			if len(r.Filter.Sellers) > 0 {
				want = 21
			}
			require.Len(w, whole, want)
			for _, limit := range []int32{1, 7, 20} {
				assert.Equal(w, whole, w.all(r, limit), "%+v by %d", r, limit)
			}
		}
	},
	"sorts sort": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "Lamp B", price(200))
		w.list(shop.ID, "Lamp A", price(300))
		w.list(shop.ID, "Lamp C", price(100))
		w.hear()
		for sort, want := range map[search.Sort][]string{
			search.SortPriceUp: {"Lamp C", "Lamp B", "Lamp A"}, search.SortPriceDown: {"Lamp A", "Lamp B", "Lamp C"},
			search.SortNewest: {"Lamp C", "Lamp A", "Lamp B"},
		} {
			assert.Equal(w, want, titles(w.query(search.QueryRequest{Text: "lamp", Sort: sort}).Hits), sort)
			assert.Equal(w, want, titles(w.query(search.QueryRequest{Sort: sort}).Hits), sort)
		}
		assert.Len(w, w.query(search.QueryRequest{Text: "lamp", Sort: search.SortRelevance}).Hits, 3)
	},
	"what comes between two pages does not upset them": func(w *world) {
		shop := w.seller("North")
		for i := range 20 {
			w.list(shop.ID, fmt.Sprintf("Lamp %d", i), about(strings.Repeat("lamp ", i%4)))
		}
		rugs := func(n int) { // which change what the word weighs, and so every score
			for i := range n {
				w.list(shop.ID, fmt.Sprintf("Rug %d", i), about("no such light"))
			}
		}
		rugs(30)
		w.hear()
		r := search.QueryRequest{Text: "lamp", Page: page.Request{Limit: 8}}
		first := w.query(r)
		rugs(40)
		w.hear()
		r.Page.Cursor = first.Next
		second := w.query(r)
		r.Page.Cursor = second.Next
		third := w.query(r)
		seen := map[catalog.ListingID]bool{}
		for _, h := range append(append(first.Hits, second.Hits...), third.Hits...) {
			assert.False(w, seen[h.Listing], "%s came twice", h.Title)
			seen[h.Listing] = true
		}
		assert.Len(w, seen, 20)
	},
	"a cursor of another query is refused": func(w *world) {
		shop := w.seller("North")
		for i := range 3 {
			w.list(shop.ID, fmt.Sprintf("Lamp %d", i))
		}
		w.hear()
		next := w.query(search.QueryRequest{Text: "lamp", Page: page.Request{Limit: 1}}).Next
		require.NotEmpty(w, next)
		for _, r := range []search.QueryRequest{
			{Text: "rug"}, {Text: "lamp", Sort: search.SortNewest}, {Text: "lamp", Filter: search.Filter{InStock: true}},
		} {
			r.Page.Cursor = next
			_, err := w.Query(w.Context(), r)
			require.ErrorIs(w, err, page.ErrCursor)
		}
		_, err := w.Query(w.Context(), search.QueryRequest{Page: page.Request{Cursor: "nonsense"}})
		require.ErrorIs(w, err, page.ErrCursor)
	},
}
