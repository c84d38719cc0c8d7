// Package searchtest holds every implementation of search to its contract, and has one in
// memory for the tests of the modules that ask search.
//
//	searchtest.Run(t, func(t *testing.T, env searchtest.Env) search.Service { … env.Feed.To(…) … })
//
//	goods := catalogtest.NewFake(clock.Now)
//	fake := searchtest.NewFake(goods) // always up to date with goods
package searchtest

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// Env is what an implementation under test is made with.
type Env struct {
	Clock   *clock.Manual
	Catalog *catalogtest.Fake
	Feed    *Feed
	Orders  *orderstest.Fake
	Sales   *Sales
}

// Sales bring what Orders has published to the implementation.
type Sales struct {
	to func(ctx context.Context, events []orderstest.Event) error
}

// To says how events reach the implementation: when fn returns, they have been applied.
func (s *Sales) To(fn func(ctx context.Context, events []orderstest.Event) error) { s.to = fn }

// Feed brings what Catalog has published to the implementation.
type Feed struct {
	catalog *catalogtest.Fake
	sent    int
	to      func(ctx context.Context, events []catalogtest.Event) error
}

// To says how events reach the implementation: when fn returns, they have been applied.
func (f *Feed) To(fn func(ctx context.Context, events []catalogtest.Event) error) { f.to = fn }

// Run holds one implementation to the contract. open makes a fresh one, which has heard
// nothing yet, and says to env.Feed how it hears.
func Run(t *testing.T, open func(*testing.T, Env) search.Service) {
	t.Helper()
	tests := map[string]func(*world){}
	for _, some := range []map[string]func(*world){wordTests, filterTests, pageTests, changeTests, suggestTests, rebuildTests, insightTests, ruleTests, ruleFileTests, previewTests, attributeTests, forgivingTests} {
		maps.Copy(tests, some)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(clock.Of(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
			goods := catalogtest.NewFake(now.Now)
			env := Env{Clock: now, Catalog: goods, Feed: &Feed{catalog: goods}, Orders: orderstest.NewFake(now.Now, nil), Sales: &Sales{}}
			s := open(t, env)
			require.NotNil(t, env.Feed.to, "the implementation has to say how it hears")
			require.NotNil(t, env.Sales.to, "the implementation has to say how it hears orders")
			test(&world{T: t, Service: s, env: env})
		})
	}
}

// world is one test's search with words to speak of it.
type world struct {
	*testing.T
	search.Service
	env Env
}

// hear brings everything new.
func (w *world) hear() {
	w.Helper()
	f := w.env.Feed
	all := f.catalog.Events()
	require.NoError(w, f.to(w.Context(), all[f.sent:]))
	f.sent = len(all)
}

// miss loses everything new.
func (w *world) miss() { w.env.Feed.sent = len(w.env.Feed.catalog.Events()) }

// tell brings these events.
func (w *world) tell(events ...catalogtest.Event) {
	w.Helper()
	require.NoError(w, w.env.Feed.to(w.Context(), events))
}

func (w *world) seller(name string) catalog.Seller {
	return w.env.Catalog.AddSeller(catalog.Seller{Name: name})
}

func (w *world) category(names ...string) catalog.Category {
	w.Helper()
	reply, err := w.env.Catalog.PutCategory(w.Context(), catalog.PutCategoryRequest{By: actor.System(""), Key: catalogtest.Key(), Names: names})
	require.NoError(w, err)
	return reply.Category
}

// change makes a draft something else.
type change func(*catalog.Draft)

func brand(name string) change        { return func(d *catalog.Draft) { d.Brand = name } }
func in(c catalog.Category) change    { return func(d *catalog.Draft) { d.Category = c.ID } }
func about(description string) change { return func(d *catalog.Draft) { d.Description = description } }

func price(minor int64) change { return func(d *catalog.Draft) { d.Variants[0].Price.Minor = minor } }

func quantity(n int64) change { return func(d *catalog.Draft) { d.Variants[0].Quantity = &n } }

func attribute(name, value string) change {
	return func(d *catalog.Draft) {
		d.Attributes = append(d.Attributes, catalog.Attribute{Name: name, Value: value})
	}
}

// list puts an active listing there, a second after the one before.
func (w *world) list(by catalog.SellerID, title string, changes ...change) catalog.Listing {
	w.env.Clock.Advance(time.Second)
	d := catalogtest.Draft(title, 1250, 10)
	d.Description, d.Attributes = "", nil
	for _, c := range changes {
		c(&d)
	}
	return w.env.Catalog.AddListing(by, d)
}

// edit says something else of a listing.
func (w *world) edit(l catalog.Listing, changes ...change) {
	w.Helper()
	d := catalog.Draft{
		Title: l.Title, Description: l.Description, Brand: l.Brand, Category: l.Category, Condition: l.Condition,
		TaxClass: l.TaxClass, Attributes: l.Attributes, Images: l.Images,
	}
	for _, v := range l.Variants {
		d.Variants = append(d.Variants, catalog.VariantDraft{ID: v.ID, SKU: v.SKU, GTIN: v.GTIN, Options: v.Options, Price: v.Price})
	}
	for _, c := range changes {
		c(&d)
	}
	_, err := w.env.Catalog.EditListing(w.Context(), catalog.EditListingRequest{
		By: catalogtest.Staff(l.Seller), Key: catalogtest.Key(), Listing: l.ID, Version: l.Version, Draft: d,
	})
	require.NoError(w, err)
}

func (w *world) status(l catalog.Listing, to catalog.ListingStatus) {
	w.Helper()
	_, err := w.env.Catalog.ChangeListingStatus(w.Context(), catalog.ChangeListingStatusRequest{
		By: catalogtest.Staff(l.Seller), Key: catalogtest.Key(), Listing: l.ID, Status: to,
	})
	require.NoError(w, err)
}

func (w *world) move(s catalog.SellerID, to catalog.SellerStatus) {
	w.Helper()
	_, err := w.env.Catalog.ChangeSellerStatus(w.Context(), catalog.ChangeSellerStatusRequest{
		By: catalogtest.Operator(), Key: catalogtest.Key(), Seller: s, Status: to, Why: "looked into it",
	})
	require.NoError(w, err)
}

func (w *world) query(r search.QueryRequest) search.QueryReply {
	w.Helper()
	reply, err := w.Query(w.Context(), r)
	require.NoError(w, err)
	return reply
}

// found are the titles of what a text finds, best first.
func (w *world) found(text string) []string {
	w.Helper()
	return titles(w.query(search.QueryRequest{Text: text}).Hits)
}

// through are the titles that a filter lets through, newest first.
func (w *world) through(f search.Filter) []string {
	w.Helper()
	return titles(w.query(search.QueryRequest{Filter: f}).Hits)
}

func titles(hits []search.Hit) []string {
	all := make([]string, len(hits))
	for i, h := range hits {
		all[i] = h.Title
	}
	return all
}

// all pages through r, a few at a time.
func (w *world) all(r search.QueryRequest, limit int32) []search.Hit {
	w.Helper()
	var hits []search.Hit
	r.Page = page.Request{Limit: limit}
	for range 100 {
		reply := w.query(r)
		require.LessOrEqual(w, len(reply.Hits), int(limit))
		hits = append(hits, reply.Hits...)
		if r.Page.Cursor = reply.Next; r.Page.Cursor == "" {
			return hits
		}
	}
	require.FailNow(w, "there is no end of pages")
	return nil
}

// facet is one facet's counts by label.
func facet(reply search.QueryReply, kind search.FacetKind) map[string]int64 {
	counts := map[string]int64{}
	for _, f := range reply.Facets {
		if f.Kind == kind {
			for _, v := range f.Values {
				counts[v.Label] = v.Count
			}
		}
	}
	return counts
}

func selected(reply search.QueryReply, kind search.FacetKind) []string {
	var labels []string
	for _, f := range reply.Facets {
		if f.Kind == kind {
			for _, v := range f.Values {
				if v.Selected {
					labels = append(labels, v.Label)
				}
			}
		}
	}
	return labels
}

// suggestions are the texts of one kind that typing text brings.
func (w *world) suggestions(text string, kind search.SuggestionKind) []string {
	w.Helper()
	reply, err := w.Suggest(w.Context(), search.SuggestRequest{Text: text, Limit: 20})
	require.NoError(w, err)
	texts := []string{}
	for _, s := range reply.Suggestions {
		if s.Kind == kind {
			texts = append(texts, s.Text)
		}
	}
	return texts
}

// refused says that err is exactly that refusal, and returns it.
func (w *world) refused(want *errs.Error, err error) *errs.Error {
	w.Helper()
	require.ErrorIs(w, err, want)
	got := errs.As(err)
	assert.Equal(w, want.Kind, got.Kind)
	return got
}

func joined(pieces []search.Piece) (text string, matches []string) {
	for _, p := range pieces {
		text += p.Text
		if p.Match {
			matches = append(matches, p.Text)
		}
	}
	return text, matches
}
