package catalogsvc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// tsv is a feed of these rows; cells are parted by bars.
func tsv(rows ...string) string {
	return strings.ReplaceAll(strings.Join(rows, "\n")+"\n", "|", "\t")
}

const header = "id|title|price|quantity|external_seller_id|product_type|item_group_id|size"

// take imports a feed in the system's name.
func (s *shop) take(o catalogsvc.ImportOptions, rows ...string) (catalogsvc.ImportResult, string) {
	s.t.Helper()
	var report bytes.Buffer
	if o.By.Kind == "" {
		o.By = system
	}
	o.Report = &report
	result, err := s.Import(s.t.Context(), strings.NewReader(tsv(rows...)), o)
	require.NoError(s.t, err)
	return result, report.String()
}

// one is the only listing of that title that is not archived.
func (s *shop) one(title string) catalog.Listing {
	s.t.Helper()
	var found []catalog.Listing
	for _, l := range all(s.t, s) {
		if l.Title == title && l.Status != catalog.ListingArchived {
			found = append(found, l)
		}
	}
	require.Len(s.t, found, 1, title)
	return found[0]
}

func TestAFeedMakesSellersCategoriesAndListings(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	got, report := s.take(catalogsvc.ImportOptions{CreateSellers: true}, header,
		"a1|Lamp|12.50 USD|3|north|Home > Lighting|||",
		"a2|Chair|99 USD|0|north|Home|||",
		"b1|Fence|5 EUR|7|south|1|||",
	)
	assert.Equal(t, int64(3), got.Created, report)
	assert.Equal(t, int64(2), got.Sellers)
	assert.Equal(t, int64(2), got.Categories)
	l := s.one("Lamp")
	assert.Equal(t, catalog.ListingActive, l.Status)
	assert.Equal(t, "north", l.SellerName)
	assert.Equal(t, "home/lighting", l.Path)
	assert.Equal(t, "a1", l.ExternalID)
	assert.Equal(t, "a1", l.Variants[0].SKU)
	assert.Equal(t, catalog.Stock{OnHand: 3, Available: 3}, l.Variants[0].Stock)
	assert.Empty(t, s.one("Fence").Path, "a number is no category")
	sellers, err := s.GetSellers(t.Context(), catalog.GetSellersRequest{By: system, Slugs: []string{"north", "south"}})
	require.NoError(t, err)
	require.Len(t, sellers.Sellers, 2)
	assert.Equal(t, catalog.SellerApproved, sellers.Sellers[0].Status)
	assertSound(t, s)
}

func TestAnUnchangedFeedChangesNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	rows := []string{
		header, "a1|Lamp|12.50 USD|3|north|Home|||", "s|Shirt|9 USD|1|north||shirt|S", "a2|Chair|99 USD|0|north|Home|||", "m|Shirt|9 USD|2|north||shirt|M",
	}
	s.take(catalogsvc.ImportOptions{CreateSellers: true}, rows...)
	head := headOf(t, s.db)
	s.clock.Advance(time.Hour)
	got, _ := s.take(catalogsvc.ImportOptions{}, rows...)
	assert.Equal(t, int64(4), got.Unchanged)
	assert.Zero(t, got.Updated+got.Created+got.Rejected)
	assert.Equal(t, head, headOf(t, s.db))

	rows[1] = "a1|Better lamp|13.50 USD|3|north|Home|||"
	got, _ = s.take(catalogsvc.ImportOptions{}, rows...)
	assert.Equal(t, int64(1), got.Updated)
	assert.Equal(t, int64(3), got.Unchanged)
	assert.Equal(t, head+1, headOf(t, s.db))
	l := s.one("Better lamp")
	assert.Equal(t, int64(1350), l.Variants[0].Price.Minor)
	assert.Equal(t, int64(2), l.Version)
}

func TestRowsOfOneGroupAreVariantsOfOneListing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	rows := []string{header, "s|Shirt, small|9 USD|1|north||shirt|S"}
	for n := range 600 { // more than two batches lie between
		rows = append(rows, fmt.Sprintf("x%d|Thing %d|1 USD|1|north||||", n, n))
	}
	rows = append(rows, "m|Shirt, medium|9.50 USD|2|north||shirt|M", "dup|Shirt, too|9 USD|2|north||shirt|M")
	got, report := s.take(catalogsvc.ImportOptions{CreateSellers: true}, rows...)
	assert.Equal(t, int64(602), got.Created)
	assert.Equal(t, int64(1), got.Rejected)
	assert.Contains(t, report, "604\titem_group_id\trejected\thas another row with the same color, size, material and pattern")
	l := s.one("Shirt, small")
	require.Len(t, l.Variants, 2)
	assert.Equal(t, []catalog.Option{{Name: "Size", Value: "M"}}, l.Variants[1].Options)
	assert.Equal(t, int64(950), l.Variants[1].Price.Minor)

	again, _ := s.take(catalogsvc.ImportOptions{}, rows...)
	assert.Equal(t, int64(602), again.Unchanged)

	rows[len(rows)-2] = "m|Shirt, M|10 USD|2|north||shirt|M"
	s.take(catalogsvc.ImportOptions{}, rows...)
	l = s.one("Shirt, small")
	assert.Equal(t, int64(1000), l.Variants[1].Price.Minor, "the first row has the say over the texts, each over its variant")

	rows[len(rows)-2] = "m|Shirt, M|10 USD|2|north||tall|M"
	moved, _ := s.take(catalogsvc.ImportOptions{}, rows[:len(rows)-1]...)
	assert.Equal(t, int64(1), moved.Updated)
	assert.True(t, s.one("Shirt, small").Variants[1].Withdrawn, "a row that goes to another group leaves the first")
	assert.Equal(t, "tall", s.one("Shirt, M").ExternalID)
	last, _ := s.take(catalogsvc.ImportOptions{}, rows[:len(rows)-1]...)
	assert.Equal(t, int64(602), last.Unchanged)
	assertSound(t, s)
}

func TestWhatIsWrongWithARowIsReported(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, report := s.take(catalogsvc.ImportOptions{}, header,
		"a1|Lamp|12.50 EUR|3|nobody||||",
		"a2|Lamp|12.50 EUR|3|||||",
		"a3|Lamp|12.50 USD|3|shop||||",
		"a4|Lamp|cheap|3|shop||||",
		"a5|"+strings.Repeat("x", catalog.MaxTitle+1)+"|1 EUR|3|shop||||",
		"a6|Lamp|1 EUR|3|shop||||",
		"a6|Lamp again|1 EUR|3|shop||||",
	)
	for _, want := range []string{
		"2\texternal_seller_id\trejected\tthere is no seller nobody",
		"3\texternal_seller_id\trejected\tnames no seller",
		"4\tprice\trejected\tis in USD, and the seller's prices are in EUR",
		"5\tprice\trejected\t",
		"6\ttitle\trejected\tmay have 300 characters",
		"8\tid\trejected\tcame before in this feed\ta6\ta6",
	} {
		assert.Contains(t, report, "\n"+want)
	}
	assert.Len(t, all(t, s), 1)
}

func TestADryRunChangesNothingAndSaysWhatWould(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	head, before := headOf(t, s.db), s.db.Stats()
	got, report := s.take(catalogsvc.ImportOptions{CreateSellers: true, DryRun: true}, header,
		"a1|Lamp|12.50 USD|3|north|Home > Lighting|||", "a2|Lamp|no|3|north||||", "a3|Shade|1 USD|3|north|Home|||")
	assert.Equal(t, int64(2), got.Created)
	assert.Equal(t, int64(1), got.Rejected)
	assert.Equal(t, int64(1), got.Sellers)
	assert.Equal(t, int64(2), got.Categories)
	assert.Contains(t, report, "3\tprice\trejected")
	assert.Equal(t, head, headOf(t, s.db))
	assert.Zero(t, s.db.Stats().Sub(before).Writes)
	assert.Empty(t, all(t, s))
}

func TestAQuantityIsACountAtTheFeedsTime(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	row := func(n int) []string { return []string{header, fmt.Sprintf("a1|Lamp|12.50 EUR|%d|shop||||", n)} }
	s.take(catalogsvc.ImportOptions{}, row(10)...)
	made := s.clock.Advance(time.Hour) // the feed is written
	s.clock.Advance(time.Minute)
	l := s.one("Lamp")
	require.NoError(t, s.reserve("k", time.Hour, items(3, l)))
	require.NoError(t, s.confirm("k"))
	require.NoError(t, s.allocate("k"))
	_, err := s.ShipStock(t.Context(), catalog.MoveAllocatedRequest{By: system, Key: "ship", Reservation: "k", Items: items(2, l)})
	require.NoError(t, err)
	s.clock.Advance(time.Minute)

	s.take(catalogsvc.ImportOptions{CountedAt: made}, row(10)...)
	assert.Equal(t, catalog.Stock{OnHand: 8, Allocated: 1, Available: 7}, s.one("Lamp").Variants[0].Stock, "two have left since")
	s.take(catalogsvc.ImportOptions{CountedAt: made.Add(-2 * time.Hour)}, row(50)...)
	assert.Equal(t, int64(8), s.one("Lamp").Variants[0].Stock.OnHand, "an older feed says nothing new")
	got, _ := s.take(catalogsvc.ImportOptions{}, "id|title|price|external_seller_id", "a1|Lamp|12.50 EUR|shop")
	assert.Equal(t, int64(1), got.Unchanged, "a feed without quantities leaves stock untouched")
	head := headOf(t, s.db)
	s.take(catalogsvc.ImportOptions{}, row(9)...)
	assert.Equal(t, head, headOf(t, s.db), "one more on the shelf is news to nobody")
	s.take(catalogsvc.ImportOptions{}, row(0)...)
	assert.Equal(t, head+1, headOf(t, s.db), "sold out is")
	assertSound(t, s)
}

func TestAnImportIsForWhoMaySell(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	feed := tsv("id|title|price|quantity|product_type", "a1|Lamp|12.50 EUR|3|Home")
	try := func(by actor.Actor, seller catalog.SellerID) error {
		_, err := s.Import(t.Context(), strings.NewReader(feed), catalogsvc.ImportOptions{By: by, Seller: seller})
		return err
	}
	require.ErrorIs(t, try(catalogtest.Person(), s.seller), catalog.ErrForbidden)
	require.ErrorIs(t, try(catalogtest.Staff(catalog.SellerIDs.New()), s.seller), catalog.ErrNotFound)
	require.ErrorIs(t, try(catalogtest.Staff(s.seller), ""), catalog.ErrForbidden)
	require.NoError(t, try(catalogtest.Staff(s.seller), s.seller))
	assert.Empty(t, s.one("Lamp").Path, "staff make no categories")
	var rows []string
	require.NoError(t, s.db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&rows, `SELECT i.status || ' ' || i.created FROM imports i JOIN audit_log a ON a.subject = i.id AND a.action = 'catalog.import'`)
	}))
	assert.Equal(t, []string{"done 1"}, rows, "one audit row for each import")
}

// breaking is a feed that stops after so many rows: broken off, or its reader cancelled.
type breaking struct {
	rows, n int
	stop    func() error
	rest    string
}

func (b *breaking) Read(p []byte) (int, error) {
	switch {
	case b.rest != "":
	case b.n == 0:
		b.rest = tsv(header)
		b.n++
	case b.n > b.rows:
		return 0, b.stop()
	default:
		b.rest = tsv(fmt.Sprintf("x%d|Thing %d|1 EUR|1|shop||||", b.n, b.n))
		b.n++
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func TestAnImportThatStopsLeavesWhatItHasDone(t *testing.T) {
	t.Parallel()
	gone := errors.New("the cable was pulled")
	s := newShop(t)
	got, err := s.Import(t.Context(), &breaking{rows: 600, stop: func() error { return gone }}, catalogsvc.ImportOptions{By: system})
	require.ErrorIs(t, err, gone)
	assert.Equal(t, int64(600), got.Created)
	assert.Len(t, all(t, s), 600)

	ctx, cancel := context.WithCancel(t.Context())
	done := 0
	got, err = s.Import(ctx, &breaking{rows: 5000, stop: func() error { return io.EOF }}, catalogsvc.ImportOptions{By: system, Progress: func(catalogsvc.ImportResult) {
		if done++; done == 4 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, got.Created+600, int64(len(all(t, s))), "what was counted is there, and nothing else")
	assertSound(t, s)
	var states []string
	require.NoError(t, s.db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&states, `SELECT status || ' ' || (created + unchanged) FROM imports ORDER BY started_at, id`)
	}))
	assert.ElementsMatch(t, []string{"stopped 600", fmt.Sprintf("stopped %d", got.Created+got.Unchanged)}, states)
	again, err := s.Import(t.Context(), &breaking{rows: 5000, stop: func() error { return io.EOF }}, catalogsvc.ImportOptions{By: system})
	require.NoError(t, err)
	assert.Equal(t, int64(5000), again.Created+again.Unchanged)
}

func TestGoodsEnteredByHandComeBackAsThemselves(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	lamp := s.listing("Lamp", 3)
	d := catalogtest.Draft("Shirt", 900, 1)
	d.Variants[0].SKU, d.Variants[0].Options = "", []catalog.Option{{Name: "Size", Value: "S"}, {Name: "Fit", Value: "slim"}}
	d.Variants = append(d.Variants, catalog.VariantDraft{SKU: "shirt-m", Price: catalogtest.Euro(950), Options: []catalog.Option{{Name: "Size", Value: "M"}}})
	was := catalogtest.Euro(1200)
	d.Variants[1].WasPrice = &was
	d.Images = []catalog.Image{
		{URL: "/pictures/shirt.svg", Alt: "A shirt, drawn", Width: 400, Height: 300},
		{URL: "https://pictures.example/shirt.jpg", Alt: "A shirt on a line", Width: 800, Height: 600},
	}
	_, err := s.CreateListing(t.Context(), catalog.CreateListingRequest{By: system, Key: catalogtest.Key(), Seller: s.seller, Draft: d, Publish: true})
	require.NoError(t, err)
	before := all(t, s)

	for _, format := range []string{"tsv", "csv", "xml"} {
		var out bytes.Buffer
		wrote, err := s.Export(t.Context(), &out, catalogsvc.ExportOptions{By: system, Format: format, Gzip: format == "csv"})
		require.NoError(t, err)
		assert.Equal(t, catalogsvc.ExportResult{Listings: 2, Rows: 3}, wrote)
		_, err = s.Import(t.Context(), &out, catalogsvc.ImportOptions{By: system})
		require.NoError(t, err)
	}
	got := all(t, s)
	require.Len(t, got, 2)
	for i := range before {
		assert.Equal(t, before[i].ID, got[i].ID)
		assert.Equal(t, before[i].Images, got[i].Images, "with their texts and sizes, and those that a feed cannot name")
		require.Len(t, got[i].Variants, len(before[i].Variants))
		for j, v := range before[i].Variants {
			assert.Equal(t, v, got[i].Variants[j])
		}
		assert.LessOrEqual(t, got[i].Version, before[i].Version+1, "the second and third time nothing changes")
	}
	assert.Equal(t, lamp.Images[0].URL, s.one("Lamp").Images[0].URL)
	assertSound(t, s)
}

func TestImagesThatAFeedNamesTakeThePlaceOfThoseNamedBefore(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	columns := "id|title|price|image_link|additional_image_link"
	only := catalogsvc.ImportOptions{Seller: s.seller}
	s.take(only, columns, "a1|Lamp|12.50 EUR|https://a.example/1.jpg|https://a.example/2.jpg")
	l := s.one("Lamp")
	l.Images[1].Alt = "The lamp, lit"
	own := catalog.Image{URL: "/pictures/lamp.svg"}
	_, err := s.EditListing(t.Context(), catalog.EditListingRequest{
		By: system, Key: catalogtest.Key(), Listing: l.ID, Version: l.Version, Draft: catalog.Draft{
			ExternalID: "a1", Title: "Lamp", Images: append([]catalog.Image{own}, l.Images...),
			Variants: []catalog.VariantDraft{{ID: l.Variants[0].ID, SKU: "a1", Price: catalogtest.Euro(1250)}},
		},
	})
	require.NoError(t, err)
	s.take(only, columns, "a1|Lamp|12.50 EUR|https://a.example/2.jpg|https://a.example/3.jpg")
	assert.Equal(t, []catalog.Image{l.Images[1], {URL: "https://a.example/3.jpg"}, own}, s.one("Lamp").Images)
}

// picture gives a listing images by hand, before those that it has.
func (s *shop) picture(title string, images ...catalog.Image) catalog.Listing {
	s.t.Helper()
	l := s.one(title)
	d := catalog.Draft{ExternalID: l.ExternalID, Title: l.Title, Images: append(images, l.Images...)}
	for _, v := range l.Variants {
		d.Variants = append(d.Variants, catalog.VariantDraft{ID: v.ID, SKU: v.SKU, Options: v.Options, Price: v.Price})
	}
	reply, err := s.EditListing(s.t.Context(), catalog.EditListingRequest{By: system, Key: catalogtest.Key(), Listing: l.ID, Version: l.Version, Draft: d})
	require.NoError(s.t, err)
	return reply.Listing
}

func TestOwnImagesStayHoweverManyAFeedNames(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	columns, only := "id|title|price|image_link|additional_image_link", catalogsvc.ImportOptions{Seller: s.seller}
	row := func(addresses int) string {
		var links []string
		for i := range addresses {
			links = append(links, fmt.Sprintf("https://a.example/%d.jpg", i))
		}
		return "a1|Lamp|12.50 EUR|https://a.example/first.jpg|" + strings.Join(links, ",")
	}
	s.take(only, columns, row(1))
	own := []catalog.Image{{URL: "/pictures/front.svg", Alt: "The lamp"}, {URL: "/pictures/back.svg"}}
	s.picture("Lamp", own...)
	s.take(only, columns, row(40))
	got := s.one("Lamp")
	require.Len(t, got.Images, catalog.MaxImages)
	assert.Equal(t, "https://a.example/first.jpg", got.Images[0].URL)
	assert.Equal(t, own, got.Images[catalog.MaxImages-2:])
	s.take(only, columns, strings.Replace(row(40), "12.50", "13.50", 1))
	assert.Equal(t, got.Images, s.one("Lamp").Images, "once more")
}

func TestOwnImagesGoWithARowWhoseGroupChanges(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	columns, only := "id|title|price|image_link|item_group_id|color", catalogsvc.ImportOptions{Seller: s.seller}
	red, blue, mug := catalog.Image{URL: "/pictures/red.svg", Alt: "Lit"}, catalog.Image{URL: "/pictures/blue.svg"}, catalog.Image{URL: "/pictures/mug.svg"}
	link := catalog.Image{URL: "https://a.example/1.jpg"}
	s.take(only, columns, "r|Red lamp|12.50 EUR|https://a.example/1.jpg|old|Red", "m|Mug|5.00 EUR|https://a.example/m.jpg|mugs|Red", "n|Blue mug|5.00 EUR||mugs|Blue")
	l := s.picture("Red lamp", red)

	s.take(only, columns, "r|Red lamp|12.50 EUR|https://a.example/1.jpg|new|Red")
	got := s.one("Red lamp")
	require.NotEqual(t, l.ID, got.ID)
	assert.Equal(t, []catalog.Image{red, link}, got.Images, "into a listing of its own")

	s.take(only, columns, "b|Blue lamp|12.50 EUR||other|Blue")
	s.picture("Blue lamp", blue)
	s.take(only, columns, "b|Blue lamp|12.50 EUR||new|Blue")
	got = s.one("Red lamp")
	require.Len(t, got.Variants, 2)
	assert.Equal(t, []catalog.Image{link, red, blue}, got.Images, "into one that there is")

	s.picture("Mug", mug)
	s.take(only, columns, "n|Blue mug|5.00 EUR||new|Green")
	assert.NotContains(t, s.one("Red lamp").Images, mug, "the mugs are still sold, with their picture")
	assert.Contains(t, s.one("Mug").Images, mug)
}

func TestWhyAFeedCannotBeReadIsSaidOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, err := s.Import(t.Context(), strings.NewReader("name\tprice\nLamp\t1 EUR\n"), catalogsvc.ImportOptions{By: system})
	require.ErrorIs(t, err, catalog.ErrInvalid)
	assert.Equal(t, 1, strings.Count(err.Error(), "it has no column"), err)
}

func TestAnEditByHandGivesWayToTheNextFeed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	rows := []string{header, "a1|Lamp|12.50 EUR|3|shop||||"}
	s.take(catalogsvc.ImportOptions{}, rows...)
	l := s.one("Lamp")
	_, err := s.EditListing(t.Context(), catalog.EditListingRequest{
		By: system, Key: catalogtest.Key(), Listing: l.ID, Version: l.Version,
		Draft: catalog.Draft{ExternalID: "a1", Title: "Edited", Variants: []catalog.VariantDraft{{ID: l.Variants[0].ID, SKU: "mine", Options: l.Variants[0].Options, Price: catalogtest.Euro(1)}}},
	})
	require.NoError(t, err)
	s.take(catalogsvc.ImportOptions{}, rows...)
	l = s.one("Lamp")
	assert.Equal(t, int64(1250), l.Variants[0].Price.Minor)
	assert.Equal(t, "mine", l.Variants[0].SKU, "but a SKU is what its seller calls it")
}

func TestMemoryStaysFlatHoweverLongTheFeed(t *testing.T) {
	s := newShop(t, storetest.Once())
	var first, last uint64
	_, err := s.Import(t.Context(), &breaking{rows: 30_000, stop: func() error { return io.EOF }}, catalogsvc.ImportOptions{
		By: system, DryRun: true, Progress: func(r catalogsvc.ImportResult) {
			if r.Rows%(256*16) != 0 {
				return
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if last = m.HeapAlloc; first == 0 {
				first = last
			}
		},
	})
	require.NoError(t, err)
	assert.Less(t, int64(last)-int64(first), int64(8<<20), "what stays is the names of rows, some bytes each")
}
