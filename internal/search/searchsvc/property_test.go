package searchsvc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
	"souk/internal/search/searchtest"
)

// stock is a catalog that changes at random.
type stock struct {
	*catalogtest.Fake
	sellers  []catalog.SellerID
	money    map[catalog.SellerID]money.Currency
	listings []catalog.Listing
	paths    []catalog.Category
}

func newStock(t *testing.T, now func() clock.Time) *stock {
	t.Helper()
	s := &stock{Fake: catalogtest.NewFake(now), money: map[catalog.SellerID]money.Currency{}}
	for _, by := range []catalog.Seller{{Name: "North"}, {Name: "South"}, {Name: "East", Currency: "USD"}} {
		by = s.AddSeller(by)
		s.sellers, s.money[by.ID] = append(s.sellers, by.ID), by.Currency
	}
	for _, names := range [][]string{{"Home", "Lighting"}, {"Home", "Floors"}, {"Books"}} {
		reply, err := s.PutCategory(t.Context(), catalog.PutCategoryRequest{By: actor.System(""), Key: catalogtest.Key(), Names: names})
		require.NoError(t, err)
		s.paths = append(s.paths, reply.Category)
	}
	return s
}

var vocabulary = []string{"lamp", "desk", "brass", "oak", "rug"}

func (s *stock) draft(t *rapid.T, by catalog.SellerID) catalog.Draft {
	d := catalogtest.Draft(strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 1, 3).Draw(t, "title"), " "),
		rapid.Int64Range(0, 500).Draw(t, "price"), rapid.Int64Range(0, 1).Draw(t, "quantity"))
	d.Variants[0].Price.Currency = s.money[by]
	d.Brand = rapid.SampledFrom([]string{"", "Elm", "ELM", "Ash"}).Draw(t, "brand")
	d.Description = strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 0, 4).Draw(t, "description"), " ")
	d.Attributes = nil
	for _, name := range []string{"Colour", "Size"} {
		if value := rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, name); value != "" {
			d.Attributes = append(d.Attributes, catalog.Attribute{Name: name, Value: value})
		}
	}
	if i := rapid.IntRange(-1, len(s.paths)-1).Draw(t, "category"); i >= 0 {
		d.Category = s.paths[i].ID
	}
	return d
}

// change does one thing at random. What catalog refuses is as good as nothing.
func (s *stock) change(t *rapid.T) {
	ctx := t.Context()
	what := rapid.SampledFrom([]string{"add", "add", "edit", "archive", "restore", "suspend", "reinstate", "count"}).Draw(t, "change")
	if what == "add" || len(s.listings) == 0 {
		by := rapid.SampledFrom(s.sellers).Draw(t, "seller")
		reply, err := s.CreateListing(ctx, catalog.CreateListingRequest{
			By: actor.System(""), Key: catalogtest.Key(), Seller: by, Draft: s.draft(t, by), Publish: true,
		})
		if err == nil {
			s.listings = append(s.listings, reply.Listing)
		}
		return
	}
	i := rapid.IntRange(0, len(s.listings)-1).Draw(t, "listing")
	l, staff := &s.listings[i], catalogtest.Staff(s.listings[i].Seller)
	switch what {
	case "edit":
		d := s.draft(t, l.Seller)
		d.Variants[0].ID = l.Variants[0].ID
		reply, err := s.EditListing(ctx, catalog.EditListingRequest{By: staff, Key: catalogtest.Key(), Listing: l.ID, Version: l.Version, Draft: d})
		if err == nil {
			*l = reply.Listing
		}
	case "archive", "restore":
		to := catalog.ListingArchived
		if what == "restore" {
			to = catalog.ListingActive
		}
		reply, err := s.ChangeListingStatus(ctx, catalog.ChangeListingStatusRequest{By: staff, Key: catalogtest.Key(), Listing: l.ID, Status: to})
		if err == nil {
			*l = reply.Listing
		}
	case "suspend", "reinstate":
		to := catalog.SellerSuspended
		if what == "reinstate" {
			to = catalog.SellerApproved
		}
		_, _ = s.ChangeSellerStatus(ctx, catalog.ChangeSellerStatusRequest{
			By: actor.System(""), Key: catalogtest.Key(), Seller: l.Seller, Status: to, Why: "because",
		})
	default:
		_, _ = s.AdjustStock(ctx, catalog.AdjustStockRequest{
			By: staff, Key: catalogtest.Key(), Variant: l.Variants[0].ID, Kind: catalog.MoveCount, Quantity: rapid.Int64Range(0, 1).Draw(t, "count"), Why: "counted",
		})
	}
}

func request(t *rapid.T, s *stock) search.QueryRequest {
	maybe := func(name string) bool { return rapid.Bool().Draw(t, name) }
	r := search.QueryRequest{
		Text: strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 0, 3).Draw(t, "text"), " "), Facets: true,
		Sort: rapid.SampledFrom([]search.Sort{search.SortNewest, search.SortPriceUp, search.SortPriceDown, search.SortBestSelling}).Draw(t, "sort"), Page: pageOf(100),
	}
	if maybe("by path") {
		r.Filter.Path = rapid.SampledFrom([]string{"home", "home/lighting", "books", "none"}).Draw(t, "path")
	}
	if maybe("by brand") {
		r.Filter.Brands = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"elm", "Ash", "Birch"}), 1, 2, rapid.ID[string]).Draw(t, "brands")
	}
	if maybe("by seller") {
		r.Filter.Sellers = s.sellers[:rapid.IntRange(1, 2).Draw(t, "sellers")]
	}
	if maybe("by price") {
		low, high := rapid.Int64Range(0, 300).Draw(t, "low"), rapid.Int64Range(300, 500).Draw(t, "high")
		r.Filter.Currency = rapid.SampledFrom([]money.Currency{"EUR", "USD", "GBP"}).Draw(t, "currency")
		r.Filter.PriceMin, r.Filter.PriceMax = &low, &high
	}
	r.Filter.Attributes = &[]search.AttributeFilter{}
	for _, name := range []string{"colour", "Size"} {
		if maybe("by " + name) {
			values := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"1", "2", "9"}), 1, 3, rapid.ID[string]).Draw(t, "values")
			one := search.AttributeFilter{Name: name, Values: values}
			if maybe("in a range") {
				text := rapid.SampledFrom([]string{"1..1", "2..", "..1", "5..9", "1..2 kg"}).Draw(t, "range")
				one.Range = &text
			}
			*r.Filter.Attributes = append(*r.Filter.Attributes, one)
		}
	}
	r.Filter.InStock = maybe("in stock")
	return r
}

// another is one catalog after the other.
type another struct{ catalog.Service }

// TestWhatIsFoundIsWhatAPlainLookFinds compares the index with the fake, which looks at every
// listing for every question, after random changes, through rebuilds and restarts.
func TestWhatIsFoundIsWhatAPlainLookFinds(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(1_700_000_000_000)
	other := &another{}
	b := newBench(t, other, storetest.Once(), storetest.Clock(now.Now))
	rapid.Check(t, func(rt *rapid.T) {
		goods := newStock(t, now.Now)
		other.Service = catalogtest.NewFake(now.Now)
		_, err := b.Rebuild(rt.Context(), search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()})
		require.NoError(rt, err, "forget the catalog before")
		b.Limit(rapid.IntRange(1, 20).Draw(rt, "close"), 1<<20)
		other.Service = goods
		plain := searchtest.NewFake(goods.Fake)
		heard := 0
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			for range rapid.IntRange(1, 10).Draw(rt, "changes") {
				now.Advance(1_000_000_000)
				goods.change(rt)
			}
			cut := rapid.IntRange(heard, len(goods.Events())).Draw(rt, "batch")
			require.NoError(rt, b.hear(rt.Context(), goods.Events()[heard:cut]))
			require.NoError(rt, b.hear(rt.Context(), goods.Events()[cut:]))
			heard = len(goods.Events())
			if rapid.IntRange(0, 4).Draw(rt, "rebuild") == 0 {
				_, err := b.Rebuild(rt.Context(), search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()})
				require.NoError(rt, err)
			}
			r := request(rt, goods)
			want, err := plain.Query(rt.Context(), r)
			require.NoError(rt, err)
			got, err := b.Query(rt.Context(), r)
			require.NoError(rt, err)
			require.Equal(rt, simple(want), simple(got), "%+v", r)
			pagesJoin(rt, b, r, want)
			rangesHold(rt, b, r, got)
		}
		report, err := b.Audit(rt.Context(), auditRequest)
		require.NoError(rt, err)
		require.Empty(rt, report.Problems)
	})
}

// pagesJoin goes through all pages by relevance: they have what is wanted, each once, in one order
// whatever their size.
func pagesJoin(t *rapid.T, b *bench, r search.QueryRequest, want search.QueryReply) {
	r.Sort, r.Facets = search.SortRelevance, false
	through := func(size int32) []catalog.ListingID {
		all := []catalog.ListingID{}
		r.Page = pageOf(size)
		for {
			reply, err := b.Query(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, want.Total, reply.Total)
			for _, h := range reply.Hits {
				all = append(all, h.Listing)
			}
			if r.Page.Cursor = reply.Next; r.Page.Cursor == "" {
				return all
			}
		}
	}
	whole := through(100)
	wanted := []catalog.ListingID{}
	for _, h := range want.Hits {
		wanted = append(wanted, h.Listing)
	}
	require.ElementsMatch(t, wanted, whole)
	require.Equal(t, whole, through(rapid.Int32Range(1, 7).Draw(t, "size")))
}

// rangesHold narrows by each range of prices that a reply tells, and finds as many as it says.
func rangesHold(t *rapid.T, b *bench, r search.QueryRequest, reply search.QueryReply) {
	for _, f := range reply.Facets {
		if f.Kind != search.FacetPrice && f.Kind != search.FacetHistogram {
			continue
		}
		for _, v := range f.Values {
			r.Filter.Currency, r.Filter.PriceMin, r.Filter.PriceMax = f.Currency, &v.Min, &v.Max
			narrowed, err := b.Query(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, v.Count, narrowed.Total, "%s %s", f.Kind, v.Label)
		}
	}
}

// simple is a reply without what the two say in words of their own: spellings, price ranges
// and the order of equals.
func simple(r search.QueryReply) any {
	type result struct {
		Listing catalog.ListingID
		From    int64
		InStock bool
		Seller  string
	}
	var hits []result
	for _, h := range r.Hits {
		hits = append(hits, result{h.Listing, h.PriceFrom.Minor, h.InStock, h.SellerName})
	}
	facets := map[string]int64{}
	for _, f := range r.Facets {
		for _, v := range f.Values {
			if f.Kind != search.FacetPrice && f.Kind != search.FacetHistogram && (v.Count > 0 || v.Selected && f.Kind != search.FacetCategory && f.Kind != search.FacetStock) {
				facets[fmt.Sprintf("%s %s %s", f.Kind, strings.ToLower(f.Name), strings.ToLower(v.Value))] += v.Count
			}
		}
	}
	for name, n := range facets {
		if n == 0 { // whether a chosen value that is not known is told
			delete(facets, name)
		}
	}
	return []any{hits, r.Total, r.AnyWord, facets}
}

func FuzzQuery(f *testing.F) {
	goods, _, _ := shop(3)
	b := newBench(f, goods, storetest.Once())
	require.NoError(f, b.hear(f.Context(), goods.Events()))
	for _, text := range []string{"lamp", `"`, "lamp* AND NOT", "NEAR(", "title:x", "\x00", "\xff", "é\u0301", "日本", "١٢", "a\u200db", "½", "𝟘"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		reply, err := b.Query(t.Context(), search.QueryRequest{Text: text})
		require.NoError(t, err)
		for _, h := range reply.Hits {
			all := ""
			for _, p := range h.Marked {
				require.NotEmpty(t, p.Text)
				all += p.Text
			}
			require.Equal(t, h.Title, all)
		}
		got, err := b.Suggest(t.Context(), search.SuggestRequest{Text: text})
		require.NoError(t, err)
		require.LessOrEqual(t, len(got.Suggestions), 8)
	})
}

// FuzzListing indexes any text, and finds it again by each of its words.
func FuzzListing(f *testing.F) {
	b := newBench(f, nil, storetest.Once())
	by := catalog.SellerIDs.New()
	require.NoError(f, b.hear(f.Context(), []catalogtest.Event{catalog.SellerChanged{SellerID: by, Name: "North", Status: catalog.SellerApproved}}))
	f.Add("Desk lamp", "With a \x02mark\x03.")
	f.Add("Café ﬁ ß İ", "日本語")
	f.Fuzz(func(t *testing.T, title, description string) {
		if !utf8.ValidString(title) || strings.ContainsFunc(title, func(r rune) bool { return r > 0x7f || r < 0x20 }) {
			title = "lamp" // what is a word beyond ASCII is for FTS5's tables to say
		}
		l := catalog.ListingChanged{
			ListingID: catalog.ListingIDs.New(), SellerID: by, Title: title, Description: description, Status: catalog.ListingActive, Version: 1,
			Variants: []catalog.ListingVariant{{VariantID: catalog.VariantIDs.New(), Price: catalogtest.Euro(100)}},
		}
		require.NoError(t, b.hear(t.Context(), []catalogtest.Event{l}))
		reply, err := b.Query(t.Context(), search.QueryRequest{Text: title, Sort: search.SortNewest})
		require.NoError(t, err)
		found := slices.ContainsFunc(reply.Hits, func(h search.Hit) bool { return h.Listing == l.ListingID })
		assert.True(t, found || reply.Total > int64(len(reply.Hits)), "%q does not find itself", title)
		l.Version, l.Status = 2, catalog.ListingArchived
		require.NoError(t, b.hear(t.Context(), []catalogtest.Event{l}))
		report, err := b.Audit(t.Context(), auditRequest)
		require.NoError(t, err)
		require.Empty(t, report.Problems)
	})
}
