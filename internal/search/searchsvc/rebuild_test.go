package searchsvc_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
	"souk/internal/search/searchsvc"
)

// slow is a catalog that stops before each page of listings until it is told to go on.
type slow struct {
	catalog.Service
	at chan chan error // a page is about to be read: what is sent back happens
}

func (s *slow) ListListings(ctx context.Context, r catalog.ListListingsRequest) (catalog.ListListingsReply, error) {
	goOn := make(chan error)
	s.at <- goOn
	if err := <-goOn; err != nil {
		return catalog.ListListingsReply{}, err
	}
	return s.Service.ListListings(ctx, r)
}

func (b *bench) titles(t testing.TB, text string) []string {
	t.Helper()
	reply, err := b.Query(t.Context(), search.QueryRequest{Text: text, Page: pageOf(100)})
	require.NoError(t, err)
	all := make([]string, 0, len(reply.Hits))
	for _, h := range reply.Hits {
		all = append(all, h.Title)
	}
	return all
}

// shop is a catalog with listings Lamp 0, Lamp 1 …
func shop(n int) (*catalogtest.Fake, catalog.Seller, []catalog.Listing) {
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	var all []catalog.Listing
	for i := range n {
		all = append(all, goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("Lamp %d", i), 1000, 1)))
	}
	return goods, by, all
}

func retitle(t *testing.T, goods *catalogtest.Fake, l catalog.Listing, title string) {
	t.Helper()
	d := catalogtest.Draft(title, 1000, 1)
	d.Variants[0].SKU = l.Variants[0].SKU
	_, err := goods.EditListing(t.Context(), catalog.EditListingRequest{
		By: catalogtest.Staff(l.Seller), Key: catalogtest.Key(), Listing: l.ID, Version: l.Version, Draft: d,
	})
	require.NoError(t, err)
}

func TestSearchesAndEventsGoOnWhileTheIndexIsRebuilt(t *testing.T) {
	t.Parallel()
	goods, by, all := shop(150) // two pages
	pages := &slow{Service: goods, at: make(chan chan error)}
	b := newBench(t, pages)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	heard := len(goods.Events())
	hear := func() {
		require.NoError(t, b.hear(t.Context(), goods.Events()[heard:]))
		heard = len(goods.Events())
	}

	done := make(chan search.RebuildReply)
	go func() {
		reply, err := b.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: "key-one"})
		assert.NoError(t, err)
		done <- reply
	}()
	first := <-pages.at
	_, err := b.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: "key-two"})
	require.ErrorIs(t, err, search.ErrRebuilding)
	retitle(t, goods, all[149], "Rug on the first page")
	hear()
	assert.Len(t, b.titles(t, "rug"), 1, "in the index in use")
	first <- nil
	second := <-pages.at
	retitle(t, goods, all[140], "Kilim that was read already")
	retitle(t, goods, all[3], "Carpet yet to be read")
	goods.AddListing(by.ID, catalogtest.Draft("Runner that no page will have", 1000, 1))
	hear()
	assert.Len(t, b.titles(t, "carpet"), 1)
	retitle(t, goods, all[4], "Mat that is read before it is heard of")
	second <- nil
	reply := <-done
	assert.EqualValues(t, 151, reply.Listings)
	for _, text := range []string{"rug", "kilim", "carpet", "runner", "mat"} {
		assert.Len(t, b.titles(t, text), 1, text)
	}
	hear()
	assert.Len(t, b.titles(t, "mat"), 1)
	assert.Len(t, b.titles(t, "lamp"), 100)

	go func() { // the key that was refused while another was under way works now
		for {
			select {
			case page := <-pages.at:
				page <- nil
			case <-t.Context().Done():
				return
			}
		}
	}()
	_, err = b.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: "key-two"})
	require.NoError(t, err)
	audit, err := b.Audit(t.Context(), auditRequest)
	require.NoError(t, err)
	assert.Empty(t, audit.Problems)
	assert.EqualValues(t, 151, audit.Listings)
}

func TestAProcessThatDiesWhileRebuildingLeavesTheIndexAsItWas(t *testing.T) {
	t.Parallel()
	goods, _, all := shop(3)
	pages := &slow{Service: goods, at: make(chan chan error)}
	dead := newBench(t, pages)
	require.NoError(t, dead.hear(t.Context(), goods.Events()))
	heard := len(goods.Events())
	ended := make(chan error)
	go func() {
		_, err := dead.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: "key-one"})
		ended <- err
	}()
	page := <-pages.at // from here on the first process does nothing more until the end

	next := &bench{db: dead.db, log: dead.log}
	next.bus = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{catalog.Log: bus.LocalSource(dead.log)}})
	next.Service = searchsvc.New(searchsvc.Config{DB: dead.db, Bus: next.bus, Catalog: goods})
	assert.Len(t, next.titles(t, "lamp"), 3)
	retitle(t, goods, all[0], "Rug")
	require.NoError(t, next.hear(t.Context(), goods.Events()[heard:]))
	assert.Len(t, next.titles(t, "rug"), 1)
	reply, err := next.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: "key-one"})
	require.NoError(t, err, "its key takes it up again")
	assert.EqualValues(t, 3, reply.Listings)
	assert.Len(t, next.titles(t, "lamp"), 2)
	assert.Len(t, next.titles(t, "rug"), 1)

	page <- assert.AnError
	require.ErrorIs(t, <-ended, assert.AnError)
	assert.Len(t, next.titles(t, "lamp"), 2)
}

func TestARebuildThatFailsMayBeRepeated(t *testing.T) {
	t.Parallel()
	goods, _, _ := shop(3)
	pages := &slow{Service: goods, at: make(chan chan error)}
	b := newBench(t, pages)
	answer := func(err error) { (<-pages.at) <- err }
	go answer(assert.AnError)
	_, err := b.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: "key-one"})
	require.ErrorIs(t, err, assert.AnError)
	assert.Empty(t, b.titles(t, ""))
	go answer(nil)
	var said []int64
	reply, err := b.RebuildWith(t.Context(), search.RebuildRequest{By: actor.System(""), Key: "key-one"}, func(n int64) { said = append(said, n) })
	require.NoError(t, err)
	assert.EqualValues(t, 3, reply.Listings)
	assert.Equal(t, []int64{3, 3}, said)
	assert.Len(t, b.titles(t, ""), 3)
}

// TestARebuildThatFailsEarlyIsFinished has the first building of an index fail: it is taken up without anyone asking.
func TestARebuildThatFailsEarlyIsFinished(t *testing.T) {
	t.Parallel()
	goods, _, _ := shop(3)
	pages := &slow{Service: goods, at: make(chan chan error)}
	b := newBench(t, pages)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Finish(ctx) }()
	failed := make(chan error)
	go func() {
		_, err := b.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: "key-one"})
		failed <- err
	}()
	(<-pages.at) <- assert.AnError
	require.ErrorIs(t, <-failed, assert.AnError)
	again := <-pages.at
	require.Error(t, b.Ready(t.Context()), "a part is found only")
	again <- nil
	for b.Ready(t.Context()) != nil {
		runtime.Gosched() // it is built to its end by now, but for a transaction
	}
	assert.Len(t, b.titles(t, ""), 3)
	stop()
	require.NoError(t, <-done)
}

func TestALostPlaceRebuilds(t *testing.T) {
	t.Parallel()
	goods, by, all := shop(3)
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	retitle(t, goods, all[0], "Rug")
	goods.AddListing(by.ID, catalogtest.Draft("Carpet", 1000, 1))
	// The log is of another epoch now, as after a restore, and shorter.
	require.NoError(t, b.log.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE event_log_state SET epoch = 'another' WHERE one = 1`)
		return err
	}))
	require.NoError(t, b.bus.Drain(t.Context()))
	assert.Len(t, b.titles(t, "rug"), 1)
	assert.Len(t, b.titles(t, "carpet"), 1)
	assert.Len(t, b.titles(t, "lamp"), 2)
	before := len(goods.Events())
	retitle(t, goods, all[1], "Mat")
	require.NoError(t, b.hear(t.Context(), goods.Events()[before:]))
	assert.Len(t, b.titles(t, "mat"), 1, "and follows the log again")
}

// made has the index say that another analyser made it.
func (b *bench) made(t *testing.T, analyser string) {
	t.Helper()
	require.NoError(t, b.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE generations SET analyser = ? WHERE one = 1`, analyser)
		return err
	}))
}

func TestAnIndexOfAnotherAnalyserIsBuiltAnewAtTheStart(t *testing.T) {
	t.Parallel()
	goods, _, all := shop(3)
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	retitle(t, goods, all[0], "Rug that was missed")
	require.NoError(t, b.Warm(t.Context()))
	assert.Empty(t, b.titles(t, "rug"), "an index of this analyser stays")
	b.made(t, "another")
	require.NoError(t, b.Ready(t.Context()), "it is used meanwhile")
	require.NoError(t, b.Warm(t.Context()))
	assert.Len(t, b.titles(t, "rug"), 1)
	assert.Len(t, b.titles(t, "lamp"), 2)
}

func TestAnIndexThatWasGivenUpIsFoundAsFarAsItIsBuilt(t *testing.T) {
	t.Parallel()
	goods, by, all := shop(150) // two pages
	pages := &slow{Service: goods, at: make(chan chan error)}
	b := newBench(t, pages)
	b.made(t, "unfinished") // as the migration leaves it
	done := make(chan error)
	go func() { done <- b.Warm(t.Context()) }()
	first := <-pages.at
	first <- nil
	second := <-pages.at
	require.Error(t, b.Ready(t.Context()))
	assert.Len(t, b.titles(t, "lamp"), 100)
	retitle(t, goods, all[0], "Rug")
	goods.AddListing(by.ID, catalogtest.Draft("Mat", 1000, 1))
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	assert.Len(t, b.titles(t, "rug"), 1)
	second <- nil
	require.NoError(t, <-done)
	require.NoError(t, b.Ready(t.Context()))
	for text, n := range map[string]int{"lamp": 100, "rug": 1, "mat": 1} {
		assert.Len(t, b.titles(t, text), n, text)
	}
	reply, err := b.Audit(t.Context(), auditRequest)
	require.NoError(t, err)
	assert.Empty(t, reply.Problems)
	assert.EqualValues(t, 151, reply.Listings)
}

func TestManySearchWhileMuchIsHeardAndRebuilt(t *testing.T) {
	t.Parallel()
	goods, by, all := shop(40)
	b := newBench(t, goods, storetest.Once())
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	ctx, stop := context.WithCancel(t.Context())
	var searching sync.WaitGroup
	for i := range 4 {
		searching.Go(func() {
			for ctx.Err() == nil {
				reply, err := b.Query(t.Context(), search.QueryRequest{Text: []string{"lamp", ""}[i%2], Facets: true, Page: pageOf(10)})
				if !assert.NoError(t, err) {
					return
				}
				assert.GreaterOrEqual(t, reply.Total, int64(30))
				_, err = b.Suggest(t.Context(), search.SuggestRequest{Text: "la"})
				assert.NoError(t, err)
			}
		})
	}
	heard := len(goods.Events())
	for i := range 5 {
		retitle(t, goods, all[i], fmt.Sprintf("Rug %d", i))
		goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("Lamp new %d", i), 1000, 1))
		require.NoError(t, b.hear(t.Context(), goods.Events()[heard:]))
		heard = len(goods.Events())
		_, err := b.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()})
		require.NoError(t, err)
	}
	stop()
	searching.Wait()
	assert.Len(t, b.titles(t, "rug"), 5)
	assert.Len(t, b.titles(t, ""), 45)
}

// early is a catalog where something happens between the categories that a rebuild reads, and the listings.
type early struct {
	catalog.Service
	happens func()
}

func (e *early) ListSellers(ctx context.Context, r catalog.ListSellersRequest) (catalog.ListSellersReply, error) {
	e.happens()
	return e.Service.ListSellers(ctx, r)
}

// TestWhatIsHeardWhileARebuildBeginsHasTheWordsOfItsCategory hears of a category and a listing before the rebuild has
// read either.
func TestWhatIsHeardWhileARebuildBeginsHasTheWordsOfItsCategory(t *testing.T) {
	t.Parallel()
	goods, by, _ := shop(1)
	put := func(names ...string) catalog.CategoryID {
		reply, err := goods.PutCategory(t.Context(), catalog.PutCategoryRequest{By: actor.System(""), Key: catalogtest.Key(), Names: names})
		require.NoError(t, err)
		return reply.Category.ID
	}
	put("Wi-Fi Électronique")
	from := &early{Service: goods}
	b := newBench(t, from, storetest.Once())
	heard := 0
	hear := func() {
		require.NoError(t, b.hear(t.Context(), goods.Events()[heard:]))
		heard = len(goods.Events())
	}
	hear()
	from.happens = func() {
		d := catalogtest.Draft("Zither", 1000, 1)
		d.Category = put("Wi-Fi Électronique", "Routers")
		goods.AddListing(by.ID, d)
		hear()
	}
	_, err := b.Rebuild(t.Context(), search.RebuildRequest{By: actor.System(""), Key: catalogtest.Key()})
	require.NoError(t, err)
	for _, text := range []string{"zither routers", "zither wifi", "zither electronique"} {
		reply, err := b.Query(t.Context(), search.QueryRequest{Text: text})
		require.NoError(t, err)
		assert.Len(t, reply.Hits, 1, text)
		assert.False(t, reply.AnyWord, text)
	}
}

func TestAnIndexIsBuiltAnewByAProcessThatStaysUp(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(1_700_000_000_000)
	goods, _, all := shop(3)
	b := newBench(t, goods, storetest.Clock(now.Now), storetest.Once())
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	require.NoError(t, b.Start(t.Context()))
	retitle(t, goods, all[0], "Rug that was missed")
	b.made(t, "another")
	run := func() {
		_, err := b.Module().Jobs.RunDue(t.Context())
		require.NoError(t, err)
	}
	run()
	assert.Empty(t, b.titles(t, "rug"), "at a start Warm does it")
	now.Advance(25 * time.Hour)
	run()
	assert.Len(t, b.titles(t, "rug"), 1)
}

// TestASlipPutRightIsKnownNoMore counts a word by what can be found by it, not by what could be once.
func TestASlipPutRightIsKnownNoMore(t *testing.T) {
	t.Parallel()
	goods, by, _ := shop(1)
	for i := range 4 {
		goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("Keyboard %d", i), 1000, 1))
	}
	wrong := goods.AddListing(by.ID, catalogtest.Draft("Keybboaard", 1000, 1))
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	heard := len(goods.Events())
	assert.Len(t, b.titles(t, "keybboaard"), 1)
	retitle(t, goods, wrong, "Keyboard 5")
	require.NoError(t, b.hear(t.Context(), goods.Events()[heard:]))
	reply, err := b.Query(t.Context(), search.QueryRequest{Text: "keybboaard"})
	require.NoError(t, err)
	assert.Equal(t, "keyboard", reply.Corrected)
	assert.EqualValues(t, 5, reply.Total)
}
