package searchtest

import (
	"context"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/search"
)

var changeTests = map[string]func(*world){
	"nothing shows before it is heard": func(w *world) {
		w.list(w.seller("North").ID, "Lamp")
		assert.Empty(w, w.found("lamp"))
		w.hear()
		assert.Len(w, w.found("lamp"), 1)
	},
	"a listing that is edited is found by its new words alone": func(w *world) {
		l := w.list(w.seller("North").ID, "Lamp", about("green"))
		w.hear()
		w.edit(l, func(d *catalog.Draft) { d.Title, d.Description = "Rug", "blue" })
		w.hear()
		assert.Empty(w, w.found("lamp"))
		assert.Empty(w, w.found("green"))
		assert.Equal(w, []string{"Rug"}, w.found("rug"))
	},
	"a price that changes shows": func(w *world) {
		l := w.list(w.seller("North").ID, "Lamp")
		w.hear()
		w.edit(l, price(777))
		w.hear()
		assert.EqualValues(w, 777, w.query(search.QueryRequest{Text: "lamp"}).Hits[0].PriceFrom.Minor)
	},
	"a listing that sells out shows so, and when it comes back": func(w *world) {
		l := w.list(w.seller("North").ID, "Lamp", quantity(1))
		w.hear()
		count := func(n int64) {
			_, err := w.env.Catalog.AdjustStock(w.Context(), catalog.AdjustStockRequest{
				By: catalogtest.Staff(l.Seller), Key: catalogtest.Key(), Variant: l.Variants[0].ID, Kind: catalog.MoveCount, Quantity: n, Why: "counted",
			})
			require.NoError(w, err)
			w.hear()
		}
		count(0)
		assert.False(w, w.query(search.QueryRequest{Text: "lamp"}).Hits[0].InStock)
		assert.Empty(w, w.through(search.Filter{InStock: true}))
		count(5)
		assert.True(w, w.query(search.QueryRequest{Text: "lamp"}).Hits[0].InStock)
		assert.Len(w, w.through(search.Filter{InStock: true}), 1)
	},
	"a listing that is archived is gone, and back when restored": func(w *world) {
		l := w.list(w.seller("North").ID, "Lamp")
		w.hear()
		w.status(l, catalog.ListingArchived)
		w.hear()
		assert.Empty(w, w.found("lamp"))
		assert.Empty(w, w.found(""))
		assert.Empty(w, w.suggestions("lam", search.SuggestListing))
		w.status(l, catalog.ListingActive)
		w.hear()
		assert.Len(w, w.found("lamp"), 1)
		assert.Len(w, w.suggestions("lam", search.SuggestListing), 1)
	},
	"a draft is not found": func(w *world) {
		_, err := w.env.Catalog.CreateListing(w.Context(), catalog.CreateListingRequest{
			By: actor.System(""), Key: catalogtest.Key(), Seller: w.seller("North").ID, Draft: catalogtest.Draft("Lamp", 100, 1),
		})
		require.NoError(w, err)
		w.hear()
		assert.Empty(w, w.found("lamp"))
		assert.Empty(w, w.suggestions("lam", search.SuggestListing))
	},
	"all that a suspended seller has is gone, and back when it is reinstated": func(w *world) {
		north, south := w.seller("North"), w.seller("South")
		w.list(north.ID, "Brass lamp", brand("Elm"))
		w.list(south.ID, "Oak desk")
		w.hear()
		w.move(north.ID, catalog.SellerSuspended)
		w.hear()
		assert.Equal(w, []string{"Oak desk"}, w.found(""))
		assert.Empty(w, w.found("lamp"))
		assert.Empty(w, w.suggestions("bra", search.SuggestListing))
		assert.Empty(w, w.suggestions("el", search.SuggestBrand))
		reply := w.query(search.QueryRequest{Text: "brass desk", Facets: true})
		assert.True(w, reply.AnyWord, "what is not shown has no words")
		assert.Equal(w, map[string]int64{"South": 1}, facet(reply, search.FacetSeller))
		w.move(north.ID, catalog.SellerApproved)
		w.hear()
		assert.Len(w, w.found("lamp"), 1)
		assert.Len(w, w.suggestions("bra", search.SuggestListing), 1)
		assert.Len(w, w.suggestions("el", search.SuggestBrand), 1)
	},
	"a seller's and a category's new name show": func(w *world) {
		north := w.seller("North")
		lamps := w.category("Lamps")
		w.list(north.ID, "Brass thing", in(lamps))
		w.hear()
		_, err := w.env.Catalog.EditSeller(w.Context(), catalog.EditSellerRequest{
			By: catalogtest.Staff(north.ID), Key: catalogtest.Key(), Seller: north.ID, Version: north.Version, Name: "Polar", Legal: catalogtest.Legal("Polar"),
		})
		require.NoError(w, err)
		w.category("LAMPS")
		w.hear()
		reply := w.query(search.QueryRequest{Text: "brass", Facets: true})
		assert.Equal(w, "Polar", reply.Hits[0].SellerName)
		assert.Equal(w, map[string]int64{"Polar": 1}, facet(reply, search.FacetSeller))
		assert.Equal(w, map[string]int64{"LAMPS": 1}, facet(reply, search.FacetCategory))
		assert.Equal(w, []string{"LAMPS"}, w.suggestions("lam", search.SuggestCategory))
	},
	"an older state does not undo a newer one": func(w *world) {
		l := w.list(w.seller("North").ID, "Lamp")
		w.hear()
		old := w.lastOf(l.ID)
		w.edit(l, func(d *catalog.Draft) { d.Title = "Rug" })
		w.hear()
		w.tell(old)
		assert.Empty(w, w.found("lamp"))
		assert.Len(w, w.found("rug"), 1)
		w.tell(w.lastOf(l.ID)) // nor does a repetition do anything
		assert.Len(w, w.found("rug"), 1)
	},
}

// lastOf is the last event of a listing.
func (w *world) lastOf(l catalog.ListingID) catalog.ListingChanged {
	w.Helper()
	var last *catalog.ListingChanged
	for _, e := range w.env.Catalog.Events() {
		if changed, ok := e.(catalog.ListingChanged); ok && changed.ListingID == l {
			last = &changed
		}
	}
	require.NotNil(w, last)
	return *last
}

var suggestTests = map[string]func(*world){
	"listings, brands and categories are found by the beginning of a word": func(w *world) {
		shop, lamps := w.seller("North"), w.category("Home", "Desk lamps")
		l := w.list(shop.ID, "Brass Desk Lamp", brand("Anglepoise"), in(lamps))
		w.hear()
		for _, text := range []string{"b", "bra", "BRASS", "brass d", "brass-des", "desk", "lam"} {
			assert.Equal(w, []string{"Brass Desk Lamp"}, w.suggestions(text, search.SuggestListing), text)
		}
		assert.Empty(w, w.suggestions("rass", search.SuggestListing))
		assert.Equal(w, []string{"Anglepoise"}, w.suggestions("ang", search.SuggestBrand))
		assert.Equal(w, []string{"Desk lamps"}, w.suggestions("lam", search.SuggestCategory))
		reply, err := w.Suggest(w.Context(), search.SuggestRequest{Text: "brass"})
		require.NoError(w, err)
		require.Len(w, reply.Suggestions, 1)
		assert.Equal(w, l.ID, reply.Suggestions[0].Listing)
		assert.Equal(w, l.Images[0].URL, reply.Suggestions[0].Image)
		assert.Equal(w, l.Path, reply.Suggestions[0].Path)
		require.NotNil(w, reply.Suggestions[0].Price)
		assert.Equal(w, l.Variants[0].Price, *reply.Suggestions[0].Price)
		reply, err = w.Suggest(w.Context(), search.SuggestRequest{Text: "desk lamps"})
		require.NoError(w, err)
		require.Len(w, reply.Suggestions, 1)
		assert.Equal(w, "home/desk-lamps", reply.Suggestions[0].Path)
	},
	"words that several titles begin with are a query": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "Toner cartridge black")
		w.list(shop.ID, "Toner cartridge cyan")
		l := w.list(shop.ID, "Toner bottle")
		w.hear()
		assert.Contains(w, w.suggestions("ton", search.SuggestQuery), "toner cartridge")
		assert.NotContains(w, w.suggestions("ton", search.SuggestQuery), "toner bottle")
		w.edit(l, func(d *catalog.Draft) { d.Title = "Toner bottle" })
		w.hear()
		assert.NotContains(w, w.suggestions("ton", search.SuggestQuery), "toner bottle", "one listing heard twice is still one")
	},
	"no more than asked for, and nothing for nothing": func(w *world) {
		shop := w.seller("North")
		for range 30 {
			w.list(shop.ID, "Lamp")
		}
		w.hear()
		for limit, most := range map[int32]int{0: 8, 3: 3, 1000: 20, -5: 8} {
			reply, err := w.Suggest(w.Context(), search.SuggestRequest{Text: "la", Limit: limit})
			require.NoError(w, err)
			assert.NotEmpty(w, reply.Suggestions)
			assert.LessOrEqual(w, len(reply.Suggestions), most)
		}
		reply, err := w.Suggest(w.Context(), search.SuggestRequest{Text: "  "})
		require.NoError(w, err)
		assert.Empty(w, reply.Suggestions)
	},
	"any text may be typed": func(w *world) {
		w.list(w.seller("North").ID, "Lamp")
		w.hear()
		for _, text := range nasty {
			_, err := w.Suggest(w.Context(), search.SuggestRequest{Text: strings.ToValidUTF8(text, "?")})
			require.NoError(w, err, "%q", text)
		}
	},
}

var rebuildTests = map[string]func(*world){
	"a rebuild finds what was missed and forgets what is gone": func(w *world) {
		shop, lamps := w.seller("North"), w.category("Home", "Lamps")
		gone := w.list(shop.ID, "Old rug")
		kept := w.list(shop.ID, "Brass lamp", in(lamps), brand("Elm"), attribute("Colour", "green"))
		w.hear()
		w.status(gone, catalog.ListingArchived)
		w.list(w.seller("South").ID, "Oak desk", quantity(0))
		w.miss()
		assert.ElementsMatch(w, []string{"Old rug", "Brass lamp"}, w.found(""))
		before := w.query(search.QueryRequest{Text: "green", Facets: true})
		reply, err := w.Rebuild(w.Context(), search.RebuildRequest{By: catalogtest.Operator(), Key: catalogtest.Key()})
		require.NoError(w, err)
		assert.EqualValues(w, 2, reply.Listings)
		assert.ElementsMatch(w, []string{"Oak desk", "Brass lamp"}, w.found(""))
		after := w.query(search.QueryRequest{Text: "green", Facets: true})
		assert.Equal(w, before.Facets, after.Facets)
		assert.Equal(w, before.Hits, after.Hits)
		assert.Equal(w, []string{"Brass lamp"}, w.suggestions("bra", search.SuggestListing))
		assert.False(w, w.query(search.QueryRequest{Text: "oak"}).Hits[0].InStock)
		w.edit(kept, func(d *catalog.Draft) { d.Title = "Copper lamp" })
		w.hear()
		assert.Len(w, w.found("copper"), 1, "events go on being heard")
		assert.Empty(w, w.found("brass"))
		_, err = w.Rebuild(w.Context(), search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()})
		require.NoError(w, err, "and again")
		assert.Len(w, w.found("copper"), 1)
	},
	"only operators and the system rebuild": func(w *world) {
		for _, by := range []actor.Actor{actor.Nobody(), catalogtest.Person(), catalogtest.Staff(catalog.SellerIDs.New()), actor.Guest("hash")} {
			_, err := w.Rebuild(w.Context(), search.RebuildRequest{By: by, Key: catalogtest.Key()})
			w.refused(search.ErrForbidden, err)
		}
	},
	"a rebuild needs a key, and one key is one rebuild": func(w *world) {
		by := catalogtest.Operator()
		_, err := w.Rebuild(w.Context(), search.RebuildRequest{By: by})
		assert.Contains(w, w.refused(search.ErrInvalid, err).Fields, "key")
		w.list(w.seller("North").ID, "Lamp")
		r := search.RebuildRequest{By: by, Key: catalogtest.Key()}
		first, err := w.Rebuild(w.Context(), r)
		require.NoError(w, err)
		assert.EqualValues(w, 1, first.Listings)
		w.list(w.seller("South").ID, "Desk")
		again, err := w.Rebuild(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		assert.Empty(w, w.found("desk"))
	},
	"a rebuild that is broken off changes nothing": func(w *world) {
		w.list(w.seller("North").ID, "Lamp")
		w.hear()
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		r := search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()}
		_, err := w.Rebuild(ctx, r)
		require.Error(w, err)
		assert.Len(w, w.found("lamp"), 1)
		_, err = w.Rebuild(w.Context(), r)
		require.NoError(w, err, "and its key may be used again")
		assert.Len(w, w.found("lamp"), 1)
	},
	"the report counts listings and finds nothing wrong": func(w *world) {
		shop := w.seller("North")
		w.list(shop.ID, "Lamp")
		l := w.list(shop.ID, "Rug")
		w.hear()
		w.status(l, catalog.ListingArchived)
		w.hear()
		reply, err := w.Audit(w.Context(), audit.Request{})
		require.NoError(w, err)
		assert.EqualValues(w, 1, reply.Listings)
		assert.Empty(w, reply.Problems)
		assert.Empty(w, reply.Next)
	},
}
