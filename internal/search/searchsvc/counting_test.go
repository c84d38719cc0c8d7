package searchsvc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
	"souk/internal/search"
)

// asks has a person search for a text so often.
func (w *till) asks(text string, times int) (name string) {
	w.Helper()
	for range times {
		key := id.New("sea_")
		reply, err := w.Query(w.Context(), search.QueryRequest{Text: text, Count: &key})
		require.NoError(w, err)
		name = reply.Search
	}
	return name
}

func (w *till) insights() search.InsightsReply {
	w.Helper()
	reply, err := w.Insights(w.Context(), search.InsightsRequest{By: actor.System("")})
	require.NoError(w, err)
	return reply
}

func (w *till) texts() map[string]int64 {
	w.Helper()
	texts := map[string]int64{}
	for _, t := range w.insights().Texts {
		texts[t.Text] = t.Figures.Searches
	}
	return texts
}

// rows counts the rows of search's tables of counts.
func (w *till) rows() (searches, days, clicks int) {
	w.Helper()
	require.NoError(w, w.db.Read(w.Context(), func(q store.Queryer) error {
		for query, to := range map[string]*int{
			`SELECT count(*) FROM searches`: &searches, `SELECT count(*) FROM search_days`: &days, `SELECT count(*) FROM search_clicks`: &clicks,
		} {
			if err := q.Get(to, query); err != nil {
				return err
			}
		}
		return nil
	}))
	return searches, days, clicks
}

func TestCountsAreWrittenAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	w.asks("lamp", 3)
	searches, _, _ := w.rows()
	assert.Zero(t, searches, "no search writes")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, w.Count(ctx))
	searches, days, _ := w.rows()
	assert.Equal(t, [2]int{1, 1}, [2]int{searches, days})

	w.start() // again, on the same database and day
	assert.Equal(t, map[string]int64{"lamp": 3}, w.texts())
	name := w.asks("lamp", 1)
	reply, err := w.Note(t.Context(), search.NoteRequest{Key: "k", Search: name, Listing: catalog.ListingIDs.New(), Position: 1})
	require.NoError(t, err)
	assert.True(t, reply.Counted)
	assert.Equal(t, map[string]int64{"lamp": 4}, w.texts())
	w.start() // what was not written is lost, and nothing else
	w.asks("lamp", 1)
	w.start()
	assert.Equal(t, map[string]int64{"lamp": 4}, w.texts())
}

func TestAChoiceAfterARestartIsOfTheSearchBefore(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	name := w.asks("lamp", 3)
	require.NoError(t, w.WriteCounts(t.Context()))
	w.start()
	reply, err := w.Note(t.Context(), search.NoteRequest{Key: "k", Search: name, Listing: catalog.ListingIDs.New(), Position: 1})
	require.NoError(t, err)
	assert.True(t, reply.Counted)
	assert.EqualValues(t, 1, w.insights().Texts[0].Figures.Clicks)
}

// TestTextsAreBounded searches for more texts than are kept of a day.
func TestTextsAreBounded(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	w.KeepTexts(50)
	w.asks("lamp", 20)
	for i := range 60 {
		w.asks(fmt.Sprintf("text %d", i), 1)
		if i%25 == 0 {
			require.NoError(t, w.WriteCounts(t.Context()))
		}
	}
	require.NoError(t, w.WriteCounts(t.Context()))
	searches, _, _ := w.rows()
	assert.Equal(t, 50, searches)
	assert.Equal(t, map[string]int64{"lamp": 20}, w.texts())
	days := w.insights().Days
	assert.EqualValues(t, 80, days[len(days)-1].Figures.Searches, "the sums have all")
}

func TestOldSearchesAreForgotten(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	w.asks("rare", 2)
	w.asks("lamp", 3)
	name := w.asks("chair", 3)
	_, err := w.Note(t.Context(), search.NoteRequest{Key: "k", Search: name, Listing: catalog.ListingIDs.New(), Position: 1})
	require.NoError(t, err)
	require.NoError(t, w.WriteCounts(t.Context()))
	require.NoError(t, w.Start(t.Context()))
	forget := func() [3]int {
		n, err := w.Module().Jobs.RunDue(t.Context())
		require.NoError(t, err)
		require.Positive(t, n)
		searches, days, clicks := w.rows()
		return [3]int{searches, days, clicks}
	}
	assert.Equal(t, [3]int{3, 1, 1}, forget())
	w.clock.Advance(3 * 24 * time.Hour)
	assert.Equal(t, [3]int{3, 1, 0}, forget(), "which listing was chosen is kept for two days")
	w.clock.Advance(5 * 24 * time.Hour)
	assert.Equal(t, [3]int{2, 1, 0}, forget(), "what hardly anybody searched for, for a week")
	w.clock.Advance(90 * 24 * time.Hour)
	assert.Equal(t, [3]int{0, 0, 0}, forget())
}

// TestNothingPersonalIsKept reads all that search has stored after somebody searched and bought.
func TestNothingPersonalIsKept(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	listing := catalog.ListingIDs.New()
	name := w.asks("lamp", 3)
	w.asks("w.canary@birds.example", 5)
	w.asks("call 0431 7731550", 5)
	_, err := w.Note(t.Context(), search.NoteRequest{Key: "k", Search: name, Listing: listing, Position: 1})
	require.NoError(t, err)
	require.NoError(t, w.WriteCounts(t.Context()))
	o := w.buy(1, listing)
	w.hear()
	assert.EqualValues(t, 1000, w.insights().Texts[0].Figures.Bought)
	w.tell(orders.Placed{OrderID: o.ID, At: w.clock.Now(), Lines: []orders.PlacedLine{{
		SellerOrderID: o.SellerOrders[0].ID, ListingID: listing, VariantID: o.SellerOrders[0].Lines[0].Variant, Quantity: 1,
	}}})
	assert.EqualValues(t, 1000, w.insights().Texts[0].Figures.Bought, "heard twice, counted once")

	said := ""
	for _, file := range []string{w.db.Path(), w.db.Path() + "-wal"} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		said += string(content)
	}
	require.Contains(t, said, string(listing))
	for _, secret := range []string{"canary", "birds", "7731550", "per_buyer", o.Number, orderstest.Contact().Email, orderstest.Contact().Name} {
		assert.NotContains(t, said, secret)
	}
}

// TestAMisspeltSearchIsCountedAsTyped says that what was typed is counted, and that it was understood.
func TestAMisspeltSearchIsCountedAsTyped(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 3 {
		_, body := s.do("", http.MethodGet, "listings?q=brass+dsek")
		require.Contains(t, string(body), `"corrected":"brass desk"`)
		_, body = s.do("", http.MethodGet, "listings?exact=true&q=brass+dsek")
		require.Contains(t, string(body), `"corrected":""`, i)
	}
	reply, err := s.Insights(t.Context(), search.InsightsRequest{By: actor.System("")})
	require.NoError(t, err)
	assert.Equal(t, []search.SearchedText{{Text: "brass dsek", Figures: search.SearchFigures{Searches: 3, Corrected: 3}}}, reply.Texts)
}

func TestSearchesOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	lamp := fixed[catalog.ListingID]("lst_", 1)
	var found struct {
		Search string `json:"search"`
	}
	search := func(who, query string) string {
		status, body := s.do(who, http.MethodGet, "listings?"+query)
		require.Equal(t, http.StatusOK, status, "%s", body)
		require.NoError(t, json.Unmarshal(body, &found))
		return found.Search
	}
	name := search("", "q=brass+lamp")
	require.NotEmpty(t, name)
	assert.Equal(t, name, search("buyer", "q=Brass++LAMP"))
	search("", "q=brass+lamp")
	assert.Empty(t, search("operator", "q=brass+lamp"), "operators try things")
	assert.Equal(t, name, search("", "q=brass+lamp&in_stock=true"), "narrowed, and counted before")
	for range 3 {
		search("", "q=trombone")
	}
	click := func(who, key, name string) {
		body := fmt.Sprintf(`{"search":%q,"listing":%q,"position":2}`, name, lamp)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/search/clicks", bytes.NewBufferString(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
		if who != "" {
			r.Header.Set("Authorization", "Bearer "+who)
		}
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		var got bytes.Buffer
		_, err = got.ReadFrom(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNoContent, resp.StatusCode, got.String())
		assert.Empty(t, got.String())
	}
	click("", "key-number-one", name)
	click("", "key-number-one", name) // again, and not twice
	click("operator", "key-number-two", name)
	click("", "key-number-three", "4t9w2m6x1zqa") // nobody has searched for that, which is not told
	status, body := s.do("operator", http.MethodGet, "insights?from=2026-02-01&until=2026-02-02")
	require.Equal(t, http.StatusOK, status, "%s", body)
	golden(t, "insights", body)
	for _, bad := range []string{"from=yesterday", "from=2026-02-02&until=2026-02-01", "sort=best", "only=some"} {
		status, _ := s.do("operator", http.MethodGet, "insights?"+bad)
		assert.Equal(t, http.StatusBadRequest, status, bad)
	}
	for who, want := range map[string]int{"": 401, "buyer": 403, "operator": 200} {
		status, _ := s.do(who, http.MethodGet, "insights?only=unchosen&sort=bought&reverse=true&q=lamp")
		assert.Equal(t, want, status, who)
	}
}

// TestWhatIsPopularIsSuggested says which searches become suggestions.
func TestWhatIsPopularIsSuggested(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	goods := func(titles ...string) {
		north := catalog.SellerIDs.New()
		events := []store.Event{catalog.SellerChanged{SellerID: north, Slug: "north", Name: "North", Status: catalog.SellerApproved}}
		for _, title := range titles {
			events = append(events, catalog.ListingChanged{
				ListingID: catalog.ListingIDs.New(), SellerID: north, Title: title, Status: catalog.ListingActive, Version: 1,
				Variants: []catalog.ListingVariant{{Price: money.Money{Minor: 100, Currency: "EUR"}, InStock: true}},
			})
		}
		require.NoError(t, w.goods.Write(t.Context(), func(tx *store.Tx) error {
			for _, e := range events {
				if err := tx.Publish(e); err != nil {
					return err
				}
			}
			return nil
		}))
		require.NoError(t, w.bus.Drain(t.Context()))
	}
	suggested := func(text string) []string {
		reply, err := w.Suggest(t.Context(), search.SuggestRequest{Text: text, Limit: 20})
		require.NoError(t, err)
		texts := []string{}
		for _, s := range reply.Suggestions {
			if s.Kind == search.SuggestQuery {
				texts = append(texts, s.Text)
			}
		}
		return texts
	}
	later := func(d time.Duration) {
		w.clock.Advance(d)
		require.NoError(t, w.WriteCounts(t.Context()))
	}
	goods("Lamp of brass, tall", "Lantern of oak", "Round lantern of oak", "Round table")
	w.asks("round lantern oak", 5) // one has all the words, and the other comes after it
	some, err := w.Query(t.Context(), search.QueryRequest{Text: "round lantern oak"})
	require.NoError(t, err)
	require.True(t, some.AnyWord)
	w.asks("lamp tall", 4)
	w.asks("lantern oak", 2)
	w.asks("lan trombone", 9) // some words only
	w.asks("laxative", 9)     // nothing
	later(0)
	assert.NotContains(t, suggested("la"), "lamp tall", "not often enough")
	w.asks("lamp tall", 1)
	later(2 * time.Minute)
	assert.Contains(t, suggested("la"), "lamp tall")
	assert.Contains(t, suggested("rou"), "round lantern oak")
	assert.NotContains(t, suggested("la"), "lantern oak")
	later(24 * time.Hour)
	w.asks("lantern oak", 1)
	later(2 * time.Minute)
	assert.Contains(t, suggested("la"), "lantern oak", "on two days")
	for _, never := range []string{"lan trombone", "laxative"} {
		assert.NotContains(t, suggested("la"), never)
	}
	w.start()
	require.NoError(t, w.WriteCounts(t.Context()))
	assert.Contains(t, suggested("la"), "lamp tall", "after a restart")
	later(31 * 24 * time.Hour)
	assert.NotContains(t, suggested("la"), "lamp tall", "forgotten")
}

// TestASearchIsCalledOtherwiseInEachDatabase says that nobody can find out the name of a text by themselves.
func TestASearchIsCalledOtherwiseInEachDatabase(t *testing.T) {
	t.Parallel()
	one, other := newTill(t), newTill(t)
	name := one.asks("lamp", 1)
	require.NotEmpty(t, name)
	assert.NotEqual(t, name, other.asks("lamp", 1))
	one.start()
	assert.Equal(t, name, one.asks("lamp", 1), "after a restart it is the same")
}

// TestHowMuchTooLowACountMayBe says that a text that comes back after a start, in place of another, tells so.
func TestHowMuchTooLowACountMayBe(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	w.asks("lamp", 5)
	w.asks("chair", 3)
	require.NoError(t, w.WriteCounts(t.Context()))
	w.start()
	w.KeepTexts(1) // lamp
	require.NoError(t, w.WriteCounts(t.Context()))
	w.asks("chair", 1)
	texts := w.insights().Texts
	require.Len(t, texts, 1)
	assert.Equal(t, "chair", texts[0].Text)
	assert.EqualValues(t, 5, texts[0].Low)
}
