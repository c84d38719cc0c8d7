package searchsvc_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/internal/search/searchsvc"
)

// till is a search that hears orders.
type till struct {
	*testing.T
	*searchsvc.Service
	clock  *clock.Manual
	orders *orderstest.Fake
	db     *store.DB
	log    *store.DB // where orders would publish
	goods  *store.DB // where catalog would
	bus    *bus.Bus
	sent   int
}

func newTill(t *testing.T) *till {
	t.Helper()
	w := &till{T: t, clock: clock.NewManual(clock.Of(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))}
	w.orders = orderstest.NewFake(w.clock.Now, nil)
	w.db = storetest.Open(t, "search", storetest.Clock(w.clock.Now))
	w.log = storetest.Open(t, "feed", storetest.Once())
	w.goods = storetest.Open(t, "goods", storetest.Once())
	w.start()
	return w
}

// start makes the module, anew on the same databases if there is one.
func (w *till) start() {
	w.bus = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{orders.Log: bus.LocalSource(w.log), catalog.Log: bus.LocalSource(w.goods)}})
	w.Service = searchsvc.New(searchsvc.Config{DB: w.db, Bus: w.bus, Orders: w.orders})
}

// tell publishes events and has them applied.
func (w *till) tell(events ...store.Event) {
	w.Helper()
	require.NoError(w, w.log.Write(w.Context(), func(tx *store.Tx) error {
		for _, e := range events {
			if err := tx.Publish(e); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(w, w.bus.Drain(w.Context()))
	parked, err := w.bus.Show(w.Context(), "search.orders", 0, 10)
	require.NoError(w, err)
	require.Empty(w, parked)
}

// hear tells what the fake has published since.
func (w *till) hear() {
	w.Helper()
	var events []store.Event
	for _, e := range w.orders.Events()[w.sent:] {
		events = append(events, e)
	}
	w.sent += len(events)
	w.tell(events...)
}

// buy places an order of so many pieces of each listing.
func (w *till) buy(pieces int64, listings ...catalog.ListingID) orders.Order {
	var items []orderstest.Item
	for _, listing := range listings {
		items = append(items, orderstest.Item{Quantity: pieces, Offer: catalog.Offer{
			Variant: catalog.VariantID("var_" + listing), Listing: listing, Seller: "sel_a", Price: orderstest.EUR(100),
		}})
	}
	return w.orders.Put("per_buyer", items...)
}

// sold is the pieces counted of each listing, and which sells best.
func (w *till) sold() (pieces map[catalog.ListingID]int64, best []catalog.ListingID) {
	w.Helper()
	pieces = map[catalog.ListingID]int64{}
	require.NoError(w, w.db.Read(w.Context(), func(q store.Queryer) error {
		var rows []struct {
			Listing catalog.ListingID `db:"listing_id"`
			Pieces  int64             `db:"pieces"`
		}
		if err := q.Select(&rows, `SELECT listing_id, sum(pieces) AS pieces FROM sold_days GROUP BY listing_id HAVING sum(pieces) <> 0`); err != nil {
			return err
		}
		for _, row := range rows {
			pieces[row.Listing] = row.Pieces
		}
		return q.Select(&best, `SELECT listing_id FROM sold WHERE score > 0 ORDER BY score DESC, listing_id`)
	}))
	return pieces, best
}

const (
	lamp  catalog.ListingID = "lst_lamp"
	chair catalog.ListingID = "lst_chair"
)

func TestWhatIsSoldIsCounted(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	w.buy(1, lamp, chair)
	w.buy(2, chair)
	w.hear()
	pieces, best := w.sold()
	assert.Equal(t, map[catalog.ListingID]int64{lamp: 1, chair: 3}, pieces)
	assert.Equal(t, []catalog.ListingID{chair, lamp}, best)

	w.clock.Advance(60 * 24 * time.Hour) // a chair counts a quarter of what it did
	w.buy(1, lamp)
	w.hear()
	_, best = w.sold()
	assert.Equal(t, []catalog.ListingID{lamp, chair}, best)
}

func TestWhatIsCancelledIsTakenOff(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	o := w.buy(3, lamp, chair)
	part := o.SellerOrders[0]
	cancel := func(line orders.Line, n int64) {
		_, err := w.orders.Cancel(t.Context(), orders.CancelRequest{
			By: orderstest.Staff(part.Seller), Key: orderstest.Key(), SellerOrder: part.ID, Items: []orders.ParcelItem{{Line: line.ID, Quantity: n}},
		})
		require.NoError(t, err)
	}
	cancel(part.Lines[0], 2)
	cancel(part.Lines[0], 1)
	cancel(part.Lines[1], 1)
	w.hear()
	pieces, best := w.sold()
	assert.Equal(t, map[catalog.ListingID]int64{chair: 2}, pieces)
	assert.Equal(t, []catalog.ListingID{chair}, best)
}

// TestEventsHeardTwiceAndInAnyOrder has every event come three times, and those of two orders mixed.
func TestEventsHeardTwiceAndInAnyOrder(t *testing.T) {
	t.Parallel()
	at := clock.Of(time.Date(2026, 2, 27, 9, 0, 0, 0, time.UTC))
	placed := func(n string) orders.Placed {
		return orders.Placed{OrderID: orders.OrderID("ord_" + n), At: at, Lines: []orders.PlacedLine{
			{SellerOrderID: orders.SellerOrderID("sor_" + n), ListingID: lamp, VariantID: "var_red", Quantity: 2},
			{SellerOrderID: orders.SellerOrderID("sor_" + n), ListingID: lamp, VariantID: "var_blue", Quantity: 1},
			{SellerOrderID: orders.SellerOrderID("sor_" + n), ListingID: lamp, VariantID: "var_red", Quantity: 1}, // the same once more
		}}
	}
	cancelled := func(n string, now, all int64) orders.Cancelled {
		return orders.Cancelled{OrderID: orders.OrderID("ord_" + n), SellerOrderID: orders.SellerOrderID("sor_" + n), Pieces: now, Lines: []orders.CancelledLine{
			{ListingID: lamp, VariantID: "var_red", Quantity: now, Cancelled: all},
		}}
	}
	w := newTill(t)
	events := []store.Event{cancelled("b", 1, 1), placed("a"), cancelled("a", 1, 1), placed("b"), cancelled("a", 1, 2)}
	for range 3 {
		w.tell(events...)
		pieces, _ := w.sold()
		assert.Equal(t, map[catalog.ListingID]int64{lamp: 4 + 4 - 2 - 1}, pieces)
	}
	w.tell(cancelled("a", 1, 1)) // once more, after a later one
	pieces, _ := w.sold()
	assert.Equal(t, map[catalog.ListingID]int64{lamp: 4 + 4 - 2 - 1}, pieces)
}

// TestCancellationsOfTheFirstRelease do not say of what: only what is cancelled whole is taken off.
func TestCancellationsOfTheFirstRelease(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	o := w.buy(2, lamp, chair)
	w.hear()
	so := o.SellerOrders[0].ID
	w.tell(orders.Cancelled{OrderID: o.ID, SellerOrderID: so, Pieces: 3})
	pieces, _ := w.sold()
	assert.Equal(t, map[catalog.ListingID]int64{lamp: 2, chair: 2}, pieces)
	for range 2 {
		w.tell(orders.Cancelled{OrderID: o.ID, SellerOrderID: so, Pieces: 4})
		pieces, _ = w.sold()
		assert.Empty(t, pieces)
	}
}

// TestALostPlaceIsCountedAgainFromOrders gives search another log of orders: one put back from a backup.
func TestALostPlaceIsCountedAgainFromOrders(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	w.buy(7, lamp)
	w.hear() // what the log of before had, and orders do not know any more
	w.orders, w.sent = orderstest.NewFake(w.clock.Now, nil), 0
	w.log = storetest.Open(t, "feed", storetest.Once())
	w.buy(1, lamp)
	part := w.buy(3, chair, lamp).SellerOrders[0]
	_, err := w.orders.Cancel(t.Context(), orders.CancelRequest{
		By: orderstest.Staff(part.Seller), Key: orderstest.Key(), SellerOrder: part.ID, Items: []orders.ParcelItem{{Line: part.Lines[0].ID, Quantity: 1}},
	})
	require.NoError(t, err)
	w.start()
	require.NoError(t, w.bus.Drain(t.Context()))
	pieces, best := w.sold()
	assert.Equal(t, map[catalog.ListingID]int64{lamp: 4, chair: 2}, pieces)
	assert.Equal(t, []catalog.ListingID{lamp, chair}, best)

	w.hear() // the log goes on with what was read already
	again, _ := w.sold()
	assert.Equal(t, pieces, again)
}

// between is orders that have something done before a page of them is read.
type between struct {
	orders.Service
	pages int
	do    func(page int)
}

func (b *between) ListOrders(ctx context.Context, r orders.ListOrdersRequest) (orders.ListOrdersReply, error) {
	b.pages++
	b.do(b.pages)
	return b.Service.ListOrders(ctx, r)
}

// TestNothingIsForgottenWhileOrdersAreRead has the daily job run in the middle of a reading of more than 90 days.
func TestNothingIsForgottenWhileOrdersAreRead(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	for range 101 { // two pages
		w.buy(1, lamp)
	}
	w.hear()
	w.clock.Advance(100 * 24 * time.Hour)
	w.log = storetest.Open(t, "feed", storetest.Once()) // the place in the log is lost
	reading := &between{Service: w.orders}
	w.bus = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{orders.Log: bus.LocalSource(w.log), catalog.Log: bus.LocalSource(w.goods)}})
	w.Service = searchsvc.New(searchsvc.Config{DB: w.db, Bus: w.bus, Orders: reading})
	require.NoError(t, w.Start(t.Context()))
	jobs := w.Module().Jobs
	reading.do = func(page int) {
		if page == 2 {
			_, err := jobs.RunDue(t.Context())
			assert.NoError(t, err)
		}
	}
	require.NoError(t, w.bus.Drain(t.Context()))
	require.Equal(t, 2, reading.pages)
	pieces, _ := w.sold()
	assert.Equal(t, map[catalog.ListingID]int64{lamp: 101}, pieces)
	w.clock.Advance(time.Hour)
	n, err := jobs.RunDue(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n, "it is tried again")
}

func TestOldSalesAreForgotten(t *testing.T) {
	t.Parallel()
	w := newTill(t)
	w.buy(1, lamp)
	w.hear()
	w.clock.Advance(91 * 24 * time.Hour)
	w.buy(1, chair)
	w.hear()
	require.NoError(t, w.Start(t.Context()))
	rows := func() (lines, days int) {
		require.NoError(t, w.db.Read(t.Context(), func(q store.Queryer) error {
			if err := q.Get(&lines, `SELECT count(*) FROM sold_lines`); err != nil {
				return err
			}
			return q.Get(&days, `SELECT count(*) FROM sold_days`)
		}))
		return lines, days
	}
	run := func() {
		n, err := w.Module().Jobs.RunDue(t.Context())
		require.NoError(t, err)
		require.Positive(t, n)
	}
	run()
	lines, days := rows()
	assert.Equal(t, [2]int{1, 2}, [2]int{lines, days}, "a line for 90 days, a day for 360")
	w.clock.Advance(300 * 24 * time.Hour)
	run()
	lines, days = rows()
	assert.Equal(t, [2]int{0, 1}, [2]int{lines, days})
}
