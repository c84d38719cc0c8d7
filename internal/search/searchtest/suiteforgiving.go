package searchtest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// stock lists so many things of each title.
func (w *world) stock(each int, titles ...string) []catalog.Listing {
	shop := w.seller("North")
	var all []catalog.Listing
	for range each {
		for _, title := range titles {
			all = append(all, w.list(shop.ID, title))
		}
	}
	w.hear()
	return all
}

// yes is for fields that are left out otherwise.
var yes = true

// offered is what is offered of a kind.
func offered(reply search.QueryReply, kind search.OfferKind) []string {
	texts := []string{}
	for _, o := range reply.Offers {
		if o.Kind == kind {
			texts = append(texts, o.Label)
		}
	}
	return texts
}

var forgivingTests = map[string]func(*world){
	"a slip finds what was meant, and it is said": func(w *world) {
		w.stock(3, "Brass lamp", "Oak table")
		for typed, meant := range map[string]string{"lmap": "lamp", "lampp": "lamp", "tabke": "table", "brass lanp": "brass lamp", "talbe": "table"} {
			reply := w.query(search.QueryRequest{Text: typed})
			assert.Equal(w, meant, reply.Corrected, typed)
			assert.EqualValues(w, 3, reply.Total, typed)
			assert.False(w, reply.AnyWord)
			assert.Empty(w, reply.Offers)
		}
	},
	"what listings have is searched for as it is": func(w *world) {
		w.stock(3, "Brass lamp", "Oak table")
		w.stock(1, "Lamb skin")
		for _, typed := range []string{"lamb", "lamp", "brass", "Oak TABLE", ""} {
			assert.Empty(w, w.query(search.QueryRequest{Text: typed}).Corrected, typed)
		}
	},
	"what one listing alone says is nobody's correction": func(w *world) {
		w.stock(1, "Brass lampp")
		reply := w.query(search.QueryRequest{Text: "lamppp"})
		assert.Empty(w, reply.Corrected)
		assert.Empty(w, reply.Hits)
	},
	"as typed means as typed": func(w *world) {
		w.stock(3, "Brass lamp")
		reply := w.query(search.QueryRequest{Text: "lmap", Exact: &yes})
		assert.Empty(w, reply.Hits)
		assert.Empty(w, reply.Corrected)
		assert.Equal(w, []string{"lamp"}, offered(reply, search.OfferQuery))
	},
	"pages of what was meant go on": func(w *world) {
		w.stock(7, "Brass lamp")
		assert.Len(w, w.all(search.QueryRequest{Text: "lmap"}, 3), 7)
		reply := w.query(search.QueryRequest{Text: "lmap", Page: page.Request{Limit: 3}})
		next := w.query(search.QueryRequest{Text: "lmap", Page: page.Request{Limit: 3, Cursor: reply.Next}})
		assert.Equal(w, "lamp", next.Corrected)
		assert.EqualValues(w, 7, next.Total)
	},
	"beside few results another text is named that has many": func(w *world) {
		w.stock(12, "Brass lamp")
		w.stock(1, "Lamb skin")
		reply := w.query(search.QueryRequest{Text: "lamb"})
		assert.Equal(w, []string{"Lamb skin"}, titles(reply.Hits))
		assert.Equal(w, "lamp", reply.Meant)
		assert.Empty(w, w.query(search.QueryRequest{Text: "lamb", Exact: &yes}).Meant)
		assert.Empty(w, w.query(search.QueryRequest{Text: "lamp"}).Meant)
	},
	"behind what only mentions the words comes what is named by others, a small slip away": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "Floor mat", about("Keeps the memory of your car clean"), price(1500))
		for range 12 {
			w.list(shop.ID, "Memory card")
		}
		w.hear()
		ask := search.QueryRequest{Text: "memory car"}
		reply := w.query(ask)
		assert.Equal(w, "memory card", reply.Also)
		assert.Empty(w, reply.Corrected)
		assert.Empty(w, reply.Meant)
		assert.False(w, reply.AnyWord)
		assert.EqualValues(w, 13, reply.Total)
		assert.Equal(w, "Floor mat", reply.Hits[0].Title, "what was typed comes first")
		for _, limit := range []int32{1, 2, 5, 100} {
			assert.Equal(w, titles(reply.Hits), titles(w.all(ask, limit)), "%d a page", limit)
		}
		next := w.query(search.QueryRequest{Text: ask.Text, Page: page.Request{Limit: 5, Cursor: w.query(search.QueryRequest{Text: ask.Text, Page: page.Request{Limit: 5}}).Next}})
		assert.Equal(w, "memory card", next.Also)
		assert.EqualValues(w, 13, next.Total)
		only := w.query(search.QueryRequest{Text: ask.Text, Exact: &yes})
		assert.Equal(w, []string{"Floor mat"}, titles(only.Hits))
		assert.Empty(w, only.Also)
		assert.Empty(w, w.query(search.QueryRequest{Text: ask.Text, Sort: search.SortPriceUp}).Also, "in the order of prices it would come between")
		why, err := w.Explain(w.Context(), search.ExplainRequest{By: catalogtest.Operator(), Text: ask.Text, Listing: reply.Hits[4].Listing})
		require.NoError(w, err)
		assert.Equal(w, "memory card", why.Also)
		assert.EqualValues(w, 5, why.Place)

		w.list(shop.ID, "Memory car, a toy")
		w.hear()
		reply = w.query(ask)
		assert.Empty(w, reply.Also, "something is called that")
		assert.EqualValues(w, 2, reply.Total)
	},
	"nothing found is no dead end": func(w *world) {
		shop, lamps, home := w.seller("North"), w.category("Lamps"), w.category("Home")
		w.list(shop.ID, "Brass lamp", in(lamps), brand("Elm"))
		w.list(shop.ID, "Oak table", in(home), brand("Oak"))
		w.hear()
		reply := w.query(search.QueryRequest{Text: "trombone"})
		assert.Empty(w, reply.Hits)
		assert.ElementsMatch(w, []string{"Lamps", "Home"}, offered(reply, search.OfferCategory))
		reply = w.query(search.QueryRequest{Text: "brass", Filter: search.Filter{Path: "home"}})
		assert.Empty(w, reply.Hits)
		assert.Equal(w, []string{"brass"}, offered(reply, search.OfferUnfiltered))
		assert.Equal(w, []string{"Lamps"}, offered(reply, search.OfferCategory))
		for _, o := range reply.Offers {
			leads := w.query(search.QueryRequest{Text: o.Text, Filter: search.Filter{Path: o.Path}})
			assert.Equal(w, o.Count, leads.Total, "%v", o)
		}
	},
	"nothing in a category leads to the deepest ones that have it": func(w *world) {
		shop := w.seller("North")
		desk, floor, home := w.category("Home", "Lamps", "Desk lamps"), w.category("Home", "Lamps", "Floor lamps"), w.category("Home", "Rugs")
		for i := range 4 {
			w.list(shop.ID, "Brass lamp", in([]catalog.Category{desk, desk, floor, floor}[i]))
		}
		for range 3 {
			w.list(shop.ID, "Brass hook", in(w.category("Hardware")))
		}
		w.list(shop.ID, "Lamp rug", in(home))
		w.hear()
		reply := w.query(search.QueryRequest{Text: "lamp", Filter: search.Filter{Brands: []string{"Nobody"}}})
		assert.Empty(w, reply.Hits)
		assert.ElementsMatch(w, []string{"Desk lamps", "Floor lamps"}, offered(reply, search.OfferCategory), "not all of Home, and not where one is")
		for _, o := range reply.Offers {
			leads := w.query(search.QueryRequest{Text: o.Text, Filter: search.Filter{Path: o.Path}})
			assert.Equal(w, o.Count, leads.Total, "%v", o)
		}
		assert.ElementsMatch(w, []string{"Home", "Hardware"}, offered(w.query(search.QueryRequest{Text: "trombone"}), search.OfferCategory))
	},
	"beside few results for what was meant a still better text is named": func(w *world) {
		w.stock(1, "Xerox toner cartridfe")
		w.stock(12, "Xerox toner cartridge")
		reply := w.query(search.QueryRequest{Text: "xerox tonner cartridfe"})
		assert.Equal(w, "xerox toner cartridfe", reply.Corrected)
		assert.EqualValues(w, 1, reply.Total)
		assert.Equal(w, "xerox toner cartridge", reply.Meant)
	},
	"synonyms find each other, and expansions one way": func(w *world) {
		w.stock(1, "Leather sofa", "Velvet couch", "Garden bench", "Portable computer", "Small laptop", "Computer desk")
		assert.Equal(w, []string{"Leather sofa"}, w.found("sofa"))
		rule := w.put(synonyms("sofa", "couch"))
		w.put(expansion("bench", "sofa"))
		w.put(synonyms("laptop", "portable computer"))
		for text, want := range map[string][]string{
			"sofa": {"Leather sofa", "Velvet couch"}, "COUCH": {"Velvet couch", "Leather sofa"}, "velvet sofa": {"Velvet couch"},
			"bench": {"Garden bench", "Leather sofa"}, "laptop": {"Small laptop", "Portable computer"},
			"portable computer": {"Portable computer", "Small laptop"},
		} {
			assert.ElementsMatch(w, want, w.found(text), text)
		}
		assert.NotContains(w, w.found("sofa"), "Garden bench")
		rule.Words = []string{"sofa", "settee"}
		w.put(rule)
		assert.Equal(w, []string{"Leather sofa"}, w.found("sofa"), "a change applies at once")
	},
	"pins and burials have their places on every page": func(w *world) {
		all := w.stock(6, "Brass lamp")
		other := w.stock(1, "Oak table")[0]
		usual := w.all(search.QueryRequest{Text: "lamp"}, 100)
		w.put(pin("lamp", usual[5].Listing, 1))
		w.put(pin("Lamp", other.ID, 4))
		w.put(bury("lamp", usual[0].Listing))
		w.put(pin("lamp", catalog.ListingIDs.New(), 2)) // nobody's
		want := []catalog.ListingID{
			usual[5].Listing, usual[1].Listing, usual[2].Listing, other.ID, usual[3].Listing, usual[4].Listing, usual[0].Listing,
		}
		for _, limit := range []int32{1, 2, 3, 4, 5, 7, 100} {
			var got []catalog.ListingID
			for _, h := range w.all(search.QueryRequest{Text: "lamp"}, limit) {
				got = append(got, h.Listing)
			}
			assert.Equal(w, want, got, "%d a page", limit)
		}
		assert.EqualValues(w, 7, w.query(search.QueryRequest{Text: "lamp"}).Total)
		assert.Len(w, w.all(search.QueryRequest{Text: "brass lamp"}, 100), 6, "another search")
		assert.Len(w, w.all(search.QueryRequest{Text: "lamp", Sort: search.SortNewest}, 100), 6, "another order")
		w.status(all[0], catalog.ListingArchived)
		w.status(other, catalog.ListingArchived)
		w.hear()
		assert.Len(w, w.all(search.QueryRequest{Text: "lamp"}, 2), 5, "what is gone has no place")
	},
	"words that do not count are left out, but not alone": func(w *world) {
		w.stock(1, "Brass lamp", "The who")
		w.put(search.Rule{Kind: search.RuleStop, Query: "the"})
		reply := w.query(search.QueryRequest{Text: "the lamp"})
		assert.Equal(w, []string{"Brass lamp"}, titles(reply.Hits))
		assert.False(w, reply.AnyWord)
		assert.Equal(w, []string{"The who"}, w.found("the"))
	},
	"a place is explained, and so is having none": func(w *world) {
		all := w.stock(3, "Brass lamp")
		table := w.stock(1, "Oak table")[0]
		rule := w.put(pin("lamp", all[2].ID, 1))
		explain := func(r search.ExplainRequest) search.ExplainReply {
			r.By = catalogtest.Operator()
			reply, err := w.Explain(w.Context(), r)
			require.NoError(w, err)
			return reply
		}
		reply := explain(search.ExplainRequest{Text: "lamp", Listing: all[2].ID})
		assert.True(w, reply.Found)
		assert.EqualValues(w, 1, reply.Place)
		assert.EqualValues(w, 3, reply.Total)
		assert.Equal(w, []search.Rule{rule}, reply.Rules)
		for i, h := range w.all(search.QueryRequest{Text: "brass lamp"}, 100) {
			reply = explain(search.ExplainRequest{Text: "brass lamp", Listing: h.Listing})
			assert.EqualValues(w, i+1, reply.Place)
			assert.NotEmpty(w, reply.Parts)
			assert.Len(w, reply.Words, 2)
			assert.Equal(w, []string{"title"}, reply.Words[1].Fields)
			assert.Empty(w, reply.Rules)
			assert.Empty(w, reply.Missing)
		}
		assert.Equal(w, "lamp", explain(search.ExplainRequest{Text: "lmap", Listing: all[0].ID}).Corrected)
		for _, r := range []search.ExplainRequest{
			{Text: "lamp", Listing: table.ID}, {Text: "lamp", Listing: all[0].ID, Filter: search.Filter{Path: "elsewhere"}},
		} {
			reply = explain(r)
			assert.False(w, reply.Found)
			assert.Zero(w, reply.Place)
			assert.NotEmpty(w, reply.Missing)
		}
		w.status(all[0], catalog.ListingArchived)
		w.hear()
		assert.NotEmpty(w, explain(search.ExplainRequest{Text: "lamp", Listing: all[0].ID}).Missing)
	},
	"every hit of a page can be explained": func(w *world) {
		all := w.stock(3, "Brass lamp", "Oak lamp")
		w.put(pin("lamp", all[4].ID, 2))
		by := catalogtest.Operator()
		for _, r := range []search.QueryRequest{
			{Text: "lamp"}, {Text: "lmap"}, {Text: "brass lamp", Sort: search.SortNewest}, {Text: "lamp", Filter: search.Filter{Sellers: []catalog.SellerID{all[0].Seller}}}, {},
		} {
			r.Explain, r.Page.Limit = &by, 4
			place := int64(0)
			for first := true; first || r.Page.Cursor != ""; first = false {
				reply := w.query(r)
				for _, h := range reply.Hits {
					place++
					require.NotNil(w, h.Explanation)
					assert.Equal(w, place, h.Explanation.Place)
					assert.Equal(w, reply.Total, h.Explanation.Total)
					assert.Equal(w, reply.Corrected, h.Explanation.Corrected)
					sort := r.Sort
					ask := search.ExplainRequest{By: by, Text: r.Text, Filter: r.Filter, Listing: h.Listing}
					if sort != "" {
						ask.Sort = &sort
					}
					alone, err := w.Explain(w.Context(), ask)
					require.NoError(w, err)
					assert.Equal(w, alone, *h.Explanation, "as when it is asked about alone")
				}
				r.Page.Cursor = reply.Next
			}
			assert.Positive(w, place)
		}
		for _, h := range w.query(search.QueryRequest{Text: "lamp"}).Hits {
			assert.Nil(w, h.Explanation, "it was not asked for")
		}
		for _, by := range []actor.Actor{actor.Nobody(), catalogtest.Person(), catalogtest.Staff(all[0].Seller)} {
			_, err := w.Query(w.Context(), search.QueryRequest{Text: "lamp", Explain: &by})
			w.refused(search.ErrForbidden, err)
		}
	},
	"explanations are for operators": func(w *world) {
		l := w.stock(1, "Brass lamp")[0]
		for _, by := range []actor.Actor{actor.Nobody(), catalogtest.Person(), catalogtest.Staff(l.Seller)} {
			_, err := w.Explain(w.Context(), search.ExplainRequest{By: by, Text: "lamp", Listing: l.ID})
			w.refused(search.ErrForbidden, err)
		}
		_, err := w.Explain(w.Context(), search.ExplainRequest{By: actor.System(""), Listing: "nonsense"})
		assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "listing")
		_, err = w.Explain(w.Context(), search.ExplainRequest{By: actor.System(""), Listing: catalog.ListingIDs.New()})
		w.refused(search.ErrNotFound, err)
	},
}
