package searchtest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// ask has a person search for a text so often, and returns what the search is called.
func (w *world) ask(text string, times int) string {
	w.Helper()
	name := ""
	for range times {
		name = w.query(search.QueryRequest{Text: text, Count: person()}).Search
	}
	return name
}

// person is what says that a person asks.
func person() *string {
	key := catalogtest.Key()
	return &key
}

// choose has somebody choose a listing among the results.
func (w *world) choose(name string, listing catalog.ListingID, position int32) bool {
	w.Helper()
	reply, err := w.Note(w.Context(), search.NoteRequest{Key: catalogtest.Key(), Search: name, Listing: listing, Position: position})
	require.NoError(w, err)
	return reply.Counted
}

func (w *world) insights(r search.InsightsRequest) search.InsightsReply {
	w.Helper()
	r.By = catalogtest.Operator()
	reply, err := w.Insights(w.Context(), r)
	require.NoError(w, err)
	return reply
}

// asked are the texts of r.
func (w *world) asked(r search.InsightsRequest) []string {
	w.Helper()
	texts := []string{}
	for _, t := range w.insights(r).Texts {
		texts = append(texts, t.Text)
	}
	return texts
}

// sell has somebody buy so many pieces of each listing, and search hear of it.
func (w *world) sell(pieces int64, listings ...catalog.Listing) orders.Order {
	w.Helper()
	var items []orderstest.Item
	for _, l := range listings {
		items = append(items, orderstest.Item{Quantity: pieces, Offer: catalog.Offer{
			Variant: l.Variants[0].ID, Listing: l.ID, Seller: l.Seller, Price: l.Variants[0].Price,
		}})
	}
	before := len(w.env.Orders.Events())
	o := w.env.Orders.Put("per_buyer", items...)
	require.NoError(w, w.env.Sales.to(w.Context(), w.env.Orders.Events()[before:]))
	return o
}

const aDay = 24 * time.Hour

var insightTests = map[string]func(*world){
	"what sells best comes first": func(w *world) {
		shop := w.seller("North")
		lamp, chair, table := w.list(shop.ID, "Oak lamp"), w.list(shop.ID, "Oak chair"), w.list(shop.ID, "Oak table")
		w.hear()
		best := search.QueryRequest{Text: "oak", Sort: search.SortBestSelling}
		order := func(r search.QueryRequest) []string { return titles(w.query(r).Hits) }
		assert.Len(w, order(best), 3, "nothing sold")
		w.sell(2, lamp)
		o := w.sell(5, chair)
		assert.Equal(w, []string{"Oak chair", "Oak lamp", "Oak table"}, order(best))
		assert.Equal(w, []string{"Oak chair", "Oak lamp", "Oak table"}, order(search.QueryRequest{Sort: search.SortBestSelling}), "without a text")
		assert.Equal(w, []string{"Oak chair", "Oak lamp", "Oak table"}, titles(w.all(best, 1)), "page by page")

		w.env.Clock.Advance(60 * aDay)
		w.sell(2, table) // two now are more than five sixty days ago
		assert.Equal(w, []string{"Oak table", "Oak chair", "Oak lamp"}, order(best))
		so := o.SellerOrders[0]
		before := len(w.env.Orders.Events())
		_, err := w.env.Orders.Cancel(w.Context(), orders.CancelRequest{
			By: orderstest.Staff(so.Seller), Key: orderstest.Key(), SellerOrder: so.ID, Items: []orders.ParcelItem{{Line: so.Lines[0].ID, Quantity: 4}},
		})
		require.NoError(w, err)
		for range 2 { // heard twice
			require.NoError(w, w.env.Sales.to(w.Context(), w.env.Orders.Events()[before:]))
		}
		assert.Equal(w, []string{"Oak table", "Oak lamp", "Oak chair"}, order(best))

		w.edit(chair, about("Made by hand."))
		w.hear()
		assert.Equal(w, []string{"Oak table", "Oak lamp", "Oak chair"}, order(best), "with other words")
		_, err = w.Rebuild(w.Context(), search.RebuildRequest{By: catalogtest.Operator(), Key: catalogtest.Key()})
		require.NoError(w, err)
		assert.Equal(w, []string{"Oak table", "Oak lamp", "Oak chair"}, order(best), "after a rebuild")
		w.sell(9, lamp)
		assert.Equal(w, []string{"Oak lamp", "Oak table", "Oak chair"}, order(best))
	},
	"what was sold of a listing before search knew it counts": func(w *world) {
		shop := w.seller("North")
		first := w.list(shop.ID, "Oak lamp")
		w.sell(1, first)
		w.list(shop.ID, "Oak chair")
		w.hear()
		assert.Equal(w, []string{"Oak lamp", "Oak chair"}, titles(w.query(search.QueryRequest{Sort: search.SortBestSelling}).Hits))
	},
	"searches are counted by text and day": func(w *world) {
		w.list(w.seller("North").ID, "Brass lamp")
		w.hear()
		w.ask("Lamp", 2)
		w.ask("  lamp ", 1)
		w.ask("trombone", 3)
		today := w.env.Clock.Now()
		w.env.Clock.Advance(aDay)
		w.ask("lamp", 4)

		reply := w.insights(search.InsightsRequest{})
		require.Len(w, reply.Days, 30)
		assert.Equal(w, clock.Of(today.Std().Truncate(aDay)), reply.Days[28].Day)
		assert.Equal(w, search.SearchFigures{Searches: 6, Empty: 3}, reply.Days[28].Figures)
		assert.Equal(w, search.SearchFigures{Searches: 4}, reply.Days[29].Figures)
		assert.Equal(w, search.SearchFigures{}, reply.Days[27].Figures)
		assert.Equal(w, []search.SearchedText{
			{Text: "lamp", Figures: search.SearchFigures{Searches: 7}}, {Text: "trombone", Figures: search.SearchFigures{Searches: 3, Empty: 3}},
		}, reply.Texts)
		assert.EqualValues(w, 2, reply.Total)

		only := w.insights(search.InsightsRequest{From: today, Until: today})
		assert.Len(w, only.Days, 1)
		assert.EqualValues(w, 3, only.Texts[0].Figures.Searches)
		assert.Len(w, w.insights(search.InsightsRequest{From: today.Add(-1000 * aDay)}).Days, int(reply.Kept), "for no longer than counts are kept")
	},
	"what is no search of a person is not counted": func(w *world) {
		shop := w.seller("North")
		for range 3 {
			w.list(shop.ID, "Brass lamp")
		}
		w.hear()
		none := ""
		first := w.query(search.QueryRequest{Text: "lamp", Count: person(), Page: page.Request{Limit: 1}})
		require.NotEmpty(w, first.Next)
		for range 3 {
			assert.Empty(w, w.query(search.QueryRequest{Text: "lamp"}).Search)
			assert.Empty(w, w.query(search.QueryRequest{Text: "lamp", Count: &none}).Search)
			assert.Empty(w, w.query(search.QueryRequest{Text: " ", Count: person()}).Search)
			next := w.query(search.QueryRequest{Text: "lamp", Count: person(), Page: page.Request{Limit: 1, Cursor: first.Next}})
			assert.Equal(w, first.Search, next.Search, "another page is of the same search")
			w.query(search.QueryRequest{Text: "lamp", Count: person(), Filter: search.Filter{InStock: true}})
			w.query(search.QueryRequest{Text: "lamp", Count: person(), Sort: search.SortPriceUp})
		}
		days := w.insights(search.InsightsRequest{}).Days
		assert.Equal(w, search.SearchFigures{Searches: 1}, days[len(days)-1].Figures)
	},
	"a text is shown when it was searched for often enough": func(w *world) {
		w.ask("lamp", 2)
		reply := w.insights(search.InsightsRequest{})
		require.EqualValues(w, 3, reply.Least)
		assert.Empty(w, reply.Texts)
		assert.EqualValues(w, 2, reply.Days[29].Figures.Searches, "the sums have all")
		w.env.Clock.Advance(aDay)
		w.ask("lamp", 1)
		assert.Equal(w, []string{"lamp"}, w.asked(search.InsightsRequest{}))
		assert.Empty(w, w.asked(search.InsightsRequest{From: w.env.Clock.Now()}), "not often enough on these days")
	},
	"what may be about somebody is in no text": func(w *world) {
		for _, text := range []string{"w.canary@birds.example", "+49 431 77315501", "4111 1111 1111 1111"} {
			assert.Empty(w, w.ask(text, 5), text)
		}
		reply := w.insights(search.InsightsRequest{})
		assert.Empty(w, reply.Texts)
		assert.EqualValues(w, 15, reply.Days[29].Figures.Searches)
	},
	"choices are counted by place": func(w *world) {
		l := w.list(w.seller("North").ID, "Brass lamp")
		w.hear()
		name := w.ask("lamp", 3)
		for _, position := range []int32{1, 1, 2, 5, 30, 0} {
			assert.True(w, w.choose(name, l.ID, position))
		}
		key := catalogtest.Key()
		for range 2 {
			reply, err := w.Note(w.Context(), search.NoteRequest{Key: key, Search: name, Listing: l.ID, Position: 3})
			require.NoError(w, err)
			assert.True(w, reply.Counted)
		}
		assert.False(w, w.choose("nothing", l.ID, 1), "there was no such search")
		want := search.SearchFigures{Searches: 3, Clicks: 7, First: 2, Third: 2, Tenth: 1}
		reply := w.insights(search.InsightsRequest{})
		assert.Equal(w, want, reply.Days[29].Figures)
		assert.Equal(w, want, reply.Texts[0].Figures)

		w.env.Clock.Advance(aDay)
		assert.True(w, w.choose(name, l.ID, 1), "on the next day")
		reply = w.insights(search.InsightsRequest{})
		assert.Equal(w, search.SearchFigures{Clicks: 1, First: 1}, reply.Days[29].Figures)
		assert.EqualValues(w, 8, reply.Texts[0].Figures.Clicks)
		w.env.Clock.Advance(2 * aDay)
		assert.False(w, w.choose(name, l.ID, 1), "too late")
	},
	"an order counts for the searches that led to what was bought": func(w *world) {
		shop := w.seller("North")
		lamp, chair, table := w.list(shop.ID, "Brass lamp"), w.list(shop.ID, "Chair"), w.list(shop.ID, "Table")
		w.hear()
		brass, light := w.ask("brass", 3), w.ask("lamp", 3)
		for range 3 {
			w.choose(brass, lamp.ID, 1)
		}
		w.choose(light, lamp.ID, 1)
		w.choose(light, chair.ID, 2)
		w.insights(search.InsightsRequest{}) // what was counted is written, which a few seconds would have done
		w.sell(2, lamp, table)
		bought := func() map[string]int64 {
			reply := w.insights(search.InsightsRequest{})
			out := map[string]int64{"": reply.Days[29].Figures.Bought}
			for _, t := range reply.Texts {
				out[t.Text] = t.Figures.Bought
			}
			return out
		}
		assert.Equal(w, map[string]int64{"": 1000, "brass": 750, "lamp": 250}, bought(), "one line, whatever its quantity")
		w.env.Clock.Advance(2 * aDay)
		w.sell(1, lamp, chair)
		assert.Equal(w, map[string]int64{"": 0, "brass": 750, "lamp": 250}, bought(), "too late")
	},
	"texts are sorted, narrowed and paged": func(w *world) {
		l := w.list(w.seller("North").ID, "Brass lamp")
		w.hear()
		w.ask("trombone", 5)
		w.choose(w.ask("lamp", 4), l.ID, 1)
		w.ask("brass", 6)
		w.ask("brass lamp", 3)
		for name, tt := range map[string]struct {
			r    search.InsightsRequest
			want []string
		}{
			"usual":       {search.InsightsRequest{}, []string{"brass", "trombone", "lamp", "brass lamp"}},
			"reversed":    {search.InsightsRequest{Reverse: true}, []string{"brass lamp", "lamp", "trombone", "brass"}},
			"by text":     {search.InsightsRequest{Sort: search.InsightByText}, []string{"brass", "brass lamp", "lamp", "trombone"}},
			"by empty":    {search.InsightsRequest{Sort: search.InsightByEmpty}, []string{"trombone", "brass", "brass lamp", "lamp"}},
			"by clicks":   {search.InsightsRequest{Sort: search.InsightByClicks}, []string{"lamp", "brass", "brass lamp", "trombone"}},
			"in vain":     {search.InsightsRequest{Only: search.InsightEmpty}, []string{"trombone"}},
			"not chosen":  {search.InsightsRequest{Only: search.InsightUnchosen}, []string{"brass", "brass lamp"}},
			"with a text": {search.InsightsRequest{Text: "Brass"}, []string{"brass", "brass lamp"}},
		} {
			assert.Equal(w, tt.want, w.asked(tt.r), name)
			var paged []string
			tt.r.Page = page.Request{Limit: 1}
			for range 10 {
				reply := w.insights(tt.r)
				assert.EqualValues(w, len(tt.want), reply.Total, name)
				for _, t := range reply.Texts {
					paged = append(paged, t.Text)
				}
				if tt.r.Page.Cursor = reply.Next; reply.Next == "" {
					break
				}
			}
			assert.Equal(w, tt.want, paged, name)
		}
	},
	"who may see what people search for": func(w *world) {
		for _, by := range []actor.Actor{actor.Nobody(), catalogtest.Person(), catalogtest.Staff(catalog.SellerIDs.New())} {
			_, err := w.Insights(w.Context(), search.InsightsRequest{By: by})
			w.refused(search.ErrForbidden, err)
		}
		_, err := w.Insights(w.Context(), search.InsightsRequest{By: actor.System("")})
		require.NoError(w, err)
	},
	"a note that makes no sense": func(w *world) {
		good := search.NoteRequest{Key: "k", Search: "abc", Listing: catalog.ListingIDs.New(), Position: 1}
		for _, change := range []func(*search.NoteRequest){
			func(r *search.NoteRequest) { r.Key = "" }, func(r *search.NoteRequest) { r.Search = "" },
			func(r *search.NoteRequest) { r.Listing = "lamp" }, func(r *search.NoteRequest) { r.Position = -1 },
		} {
			bad := good
			change(&bad)
			_, err := w.Note(w.Context(), bad)
			w.refused(search.ErrInvalid, err)
		}
		until := w.env.Clock.Now()
		_, err := w.Insights(w.Context(), search.InsightsRequest{By: catalogtest.Operator(), From: until, Until: until.Add(-2 * aDay)})
		w.refused(search.ErrInvalid, err)
	},
}
