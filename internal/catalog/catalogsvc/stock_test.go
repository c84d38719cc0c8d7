package catalogsvc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep/sweeptest"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

var system = actor.System("")

// shop is catalog with one approved seller in it.
type shop struct {
	*catalogsvc.Service
	t      testing.TB
	db     *store.DB
	clock  *clock.Manual
	seller catalog.SellerID
}

func newShop(t testing.TB, options ...storetest.Option) *shop {
	t.Helper()
	c := clock.NewManual(clock.Of(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	db := storetest.Open(t, "catalog", append([]storetest.Option{storetest.Clock(c.Now)}, options...)...)
	s := &shop{Service: catalogsvc.New(catalogsvc.Config{DB: db}), t: t, db: db, clock: c}
	applied, err := s.ApplySeller(t.Context(), catalog.ApplySellerRequest{
		By: catalogtest.Person(), Key: catalogtest.Key(), Name: "Shop", Legal: catalogtest.Legal("Shop"), Currency: "EUR",
	})
	require.NoError(t, err)
	s.seller = applied.Seller.ID
	s.moveSeller(catalog.SellerApproved)
	return s
}

func (s *shop) moveSeller(to catalog.SellerStatus) {
	s.t.Helper()
	_, err := s.ChangeSellerStatus(s.t.Context(), catalog.ChangeSellerStatusRequest{
		By: catalogtest.Operator(), Key: catalogtest.Key(), Seller: s.seller, Status: to, Why: "because",
	})
	require.NoError(s.t, err)
}

func (s *shop) listing(title string, quantity int64) catalog.Listing {
	s.t.Helper()
	reply, err := s.CreateListing(s.t.Context(), catalog.CreateListingRequest{
		By: system, Key: catalogtest.Key(), Seller: s.seller, Draft: catalogtest.Draft(title, 1250, quantity), Publish: true,
	})
	require.NoError(s.t, err)
	return reply.Listing
}

func items(n int64, listings ...catalog.Listing) []catalog.Item {
	all := make([]catalog.Item, len(listings))
	for i, l := range listings {
		all[i] = catalog.Item{Variant: l.Variants[0].ID, Quantity: n}
	}
	return all
}

func (s *shop) reserve(key string, term time.Duration, what []catalog.Item) error {
	_, err := s.Reserve(s.t.Context(), catalog.ReserveRequest{
		By: system, Key: key, For: id.Ref(id.New("ord_")), Items: what, Until: s.clock.Now().Add(term),
	})
	return err
}

func (s *shop) confirm(key string) error {
	_, err := s.Confirm(s.t.Context(), catalog.ConfirmRequest{By: system, Key: "confirm " + key, Reservation: key})
	return err
}

func (s *shop) allocate(key string) error {
	_, err := s.Allocate(s.t.Context(), catalog.AllocateRequest{By: system, Key: "allocate " + key, Reservation: key})
	return err
}

// events are what was published of a listing: its versions and whether it was in stock.
func (s *shop) events(l catalog.Listing) []string {
	s.t.Helper()
	var bodies, got []string
	require.NoError(s.t, s.db.Read(s.t.Context(), func(q store.Queryer) error {
		return q.Select(&bodies, `SELECT body FROM event_log WHERE key = ? ORDER BY position`, l.ID)
	}))
	for _, body := range bodies {
		var e struct {
			Version  int64  `json:"version"`
			Status   string `json:"status"`
			Variants []struct {
				InStock bool `json:"in_stock"`
			} `json:"variants"`
		}
		require.NoError(s.t, json.Unmarshal([]byte(body), &e))
		inStock := 0
		if e.Variants[0].InStock {
			inStock = 1
		}
		got = append(got, fmt.Sprintf("%d %s %d", e.Version, e.Status, inStock))
	}
	return got
}

func TestAListingIsPublishedWhenItsAvailabilityFlips(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	l := s.listing("Lamp", 2)
	require.NoError(t, s.reserve("a", time.Minute, items(1, l)))
	assert.Equal(t, []string{"1 active 1"}, s.events(l), "one is left, so nothing is new")
	require.NoError(t, s.reserve("b", time.Hour, items(1, l)))
	require.NoError(t, s.confirm("b"))
	require.NoError(t, s.allocate("b"))
	assert.Equal(t, []string{"1 active 1", "2 active 0"}, s.events(l))
	_, err := s.Release(t.Context(), catalog.ReleaseRequest{By: system, Key: "a"})
	require.NoError(t, err)
	assert.Equal(t, []string{"1 active 1", "2 active 0", "3 active 1"}, s.events(l))
	_, err = s.AdjustStock(t.Context(), catalog.AdjustStockRequest{By: system, Key: catalogtest.Key(), Variant: l.Variants[0].ID, Kind: catalog.MoveCount, Quantity: 1})
	require.NoError(t, err)
	assert.Equal(t, []string{"1 active 1", "2 active 0", "3 active 1", "4 active 0"}, s.events(l))
	_, err = s.ChangeListingStatus(t.Context(), catalog.ChangeListingStatusRequest{By: system, Key: catalogtest.Key(), Listing: l.ID, Status: catalog.ListingArchived})
	require.NoError(t, err)
	assert.Equal(t, "5 archived 0", s.events(l)[4])
}

func TestOneTimerEndsHoldsAtTheirTerms(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	l := s.listing("Lamp", 3)
	jobs := s.Module().Jobs
	for n, term := range []time.Duration{2 * time.Minute, time.Minute, 3 * time.Minute} {
		require.NoError(t, s.reserve(fmt.Sprint(n), term, items(1, l)))
	}
	stock := func() catalog.Stock {
		reply, err := s.GetListings(t.Context(), catalog.GetListingsRequest{By: system, IDs: []catalog.ListingID{l.ID}})
		require.NoError(t, err)
		return reply.Listings[0].Variants[0].Stock
	}
	for _, left := range []int64{2, 1, 0} {
		n, err := jobs.RunDue(t.Context())
		require.NoError(t, err)
		assert.Zero(t, n, "nothing is due yet")
		s.clock.Advance(time.Minute)
		assert.Equal(t, left, stock().Held, "the term is over for readers at once")
		n, err = jobs.RunDue(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		assert.Equal(t, left, stock().Held)
	}
	var waiting int
	require.NoError(t, s.db.Read(t.Context(), func(q store.Queryer) error { return q.Get(&waiting, `SELECT count(*) FROM jobs`) }))
	assert.Zero(t, waiting, "without a hold there is no timer")
	assert.Equal(t, []string{"1 active 1", "2 active 0", "3 active 1"}, s.events(l))
	assertSound(t, s)
}

// What one checkout costs catalog, in statements. Whoever adds one must change these figures,
// and say why.
func TestStatementsOfOneCheckout(t *testing.T) {
	t.Parallel()
	s := newShop(t, storetest.Once())
	a, b := s.listing("A", 100), s.listing("B", 100)
	require.NoError(t, s.reserve("first sets the timer", time.Hour, items(1, a)))
	count := func(do func() error) int64 {
		before := s.db.Stats()
		require.NoError(t, do())
		return s.db.Stats().Sub(before).Statements
	}
	both := items(2, a, b)
	assert.Equal(t, int64(5), count(func() error { return s.reserve("k", 2*time.Hour, both) }), "insert, stock, movements, items, next term")
	assert.Equal(t, int64(3), count(func() error { return s.confirm("k") }), "step, reservation, update")
	assert.Equal(t, int64(4), count(func() error { return s.allocate("k") }), "step, reservation, update, movements")
	assert.Equal(t, int64(1), count(func() error {
		_, err := s.GetOffers(t.Context(), catalog.GetOffersRequest{Variants: []catalog.VariantID{a.Variants[0].ID, b.Variants[0].ID}})
		return err
	})-1, "offers, and the terms of what is held")
}

func TestStockIsNeverOversold(t *testing.T) {
	t.Parallel()
	s := newShop(t, storetest.Once())
	l := s.listing("Lamp", 10)
	held := make([]bool, 200)
	var all sync.WaitGroup
	for n := range held {
		all.Go(func() {
			err := s.reserve(fmt.Sprint("k", n), time.Hour, items(1, l))
			if held[n] = err == nil; !held[n] {
				assert.ErrorIs(t, err, catalog.ErrOutOfStock)
				return
			}
			if n%2 == 0 {
				assert.NoError(t, s.confirm(fmt.Sprint("k", n)))
				assert.NoError(t, s.allocate(fmt.Sprint("k", n)))
			}
		})
	}
	all.Wait()
	sold := 0
	for _, is := range held {
		if is {
			sold++
		}
	}
	assert.Equal(t, 10, sold)
	assertSound(t, s)
}

// A walk of random commands is followed by a model that knows nothing of SQL.
func TestRandomWalksKeepTheJournal(t *testing.T) {
	t.Parallel()
	s := newShop(t, storetest.Once())
	fake := catalogtest.NewFake(s.clock.Now)
	seller := fake.AddSeller(catalog.Seller{Name: "Shop"})
	walk := 0
	rapid.Check(t, func(rt *rapid.T) {
		walk++
		began := s.clock.Now()
		real, model := map[int]catalog.Listing{}, map[int]catalog.Listing{}
		for n := range 2 {
			real[n] = s.listing(fmt.Sprint("Lamp ", n), 4)
			model[n] = fake.AddListing(seller.ID, catalogtest.Draft(fmt.Sprint("Lamp ", n), 1250, 4))
		}
		for step := range rapid.IntRange(5, 25).Draw(rt, "steps") {
			name := fmt.Sprint("step ", walk, " ", step)
			which, n := rapid.IntRange(0, 1).Draw(rt, "listing"), int64(rapid.IntRange(1, 4).Draw(rt, "quantity"))
			key := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "key")
			key = fmt.Sprint(key, " ", walk)
			until := began.Add(time.Duration(n) * 3 * time.Minute) // the same for the same request
			one := func(c catalog.Service, l catalog.Listing) error { return command(t, c, rt, name, key, n, l, until) }
			choice := rapid.SampledFrom([]string{"reserve", "confirm", "allocate", "release", "ship", "deallocate", "count", "wait"}).Draw(rt, "command")
			if choice == "wait" {
				s.clock.Advance(time.Minute)
				continue
			}
			name = choice + " " + name
			got, want := one(s, real[which]), one(fake, model[which])
			if errs.CodeOf(got) != errs.CodeOf(want) {
				rt.Fatalf("%s %s of %d: %v, and the model says %v", name, key, n, got, want)
			}
			for n := range 2 {
				if a, b := stockOf(t, s, real[n]), stockOf(t, fake, model[n]); a != b {
					rt.Fatalf("after %s: %+v, and the model says %+v", name, a, b)
				}
			}
		}
		reply := whole(t, s.Audit)
		if len(reply.Problems) > 0 {
			rt.Fatalf("%+v", reply.Problems)
		}
	})
}

// command asks one implementation to do what the walk has chosen; the first word of name says what.
func command(t *testing.T, c catalog.Service, rt *rapid.T, name, key string, n int64, l catalog.Listing, until clock.Time) error {
	var err error
	move := catalog.MoveAllocatedRequest{By: system, Key: name, Reservation: key, Items: items(n, l)}
	var verb string
	_, _ = fmt.Sscan(name, &verb)
	switch verb {
	case "reserve":
		_, err = c.Reserve(t.Context(), catalog.ReserveRequest{By: system, Key: key, For: "ord_00000000000000000000000001", Items: items(n, l), Until: until})
	case "confirm":
		_, err = c.Confirm(t.Context(), catalog.ConfirmRequest{By: system, Key: name, Reservation: key})
	case "allocate":
		_, err = c.Allocate(t.Context(), catalog.AllocateRequest{By: system, Key: name, Reservation: key})
	case "release":
		_, err = c.Release(t.Context(), catalog.ReleaseRequest{By: system, Key: key})
	case "ship":
		_, err = c.ShipStock(t.Context(), move)
	case "deallocate":
		_, err = c.Deallocate(t.Context(), move)
	case "count":
		_, err = c.AdjustStock(t.Context(), catalog.AdjustStockRequest{By: system, Key: name, Variant: l.Variants[0].ID, Kind: catalog.MoveCount, Quantity: n})
	default:
		rt.Fatalf("no such command: %s", name)
	}
	return err
}

func stockOf(t *testing.T, c catalog.Service, l catalog.Listing) catalog.Stock {
	t.Helper()
	reply, err := c.GetListings(t.Context(), catalog.GetListingsRequest{By: system, IDs: []catalog.ListingID{l.ID}})
	require.NoError(t, err)
	return reply.Listings[0].Variants[0].Stock
}

// Each invariant of the audit finds its violation.
func TestTheAuditFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	for invariant, plant := range map[string][]string{
		"stock.journal": {`UPDATE stock SET on_hand = on_hand + 1`},
		"stock.oversold": {
			`INSERT INTO movements (variant_id, kind, on_hand, held, allocated, order_id, person, why, at) SELECT id, 'reserve', 0, 9, 0, '', '', '', 0 FROM variants LIMIT 1`,
		},
		"stock.negative": {
			`UPDATE stock SET on_hand = 100`,
			`INSERT INTO movements (variant_id, kind, on_hand, held, allocated, order_id, person, why, at) SELECT id, 'count', -9, 0, 0, '', '', '', 0 FROM variants LIMIT 1`,
		},
		"stock.held":        {`UPDATE reservation_items SET quantity = 2`},
		"stock.closed":      {`UPDATE reservations SET status = 'done'`},
		"listings.variants": {`UPDATE variants SET withdrawn = 1`},
		"listings.category": {`UPDATE listings SET category_id = 'cat_00000000000000000000000001'`},
	} {
		t.Run(invariant, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			l := s.listing("Lamp", 5)
			require.NoError(t, s.reserve("k", time.Hour, items(1, l)))
			assertSound(t, s)
			require.NoError(t, s.db.Write(t.Context(), func(tx *store.Tx) error {
				for _, query := range plant {
					if _, err := tx.Exec(query); err != nil {
						return err
					}
				}
				return nil
			}))
			reply := whole(t, s.Audit)
			found := slices.IndexFunc(reply.Problems, func(p audit.Problem) bool { return p.Invariant == invariant })
			require.GreaterOrEqual(t, found, 0, "%+v", reply.Problems)
			assert.NotEmpty(t, reply.Problems[found].Subjects)
			assert.NotEmpty(t, reply.Problems[found].Detail)
		})
	}
}

func TestTheJournalCannotBeRewritten(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.listing("Lamp", 5)
	for _, query := range []string{`DELETE FROM movements`, `UPDATE movements SET on_hand = 1`} {
		require.Error(t, s.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(query)
			return err
		}))
	}
}

// A reader whose snapshot is older than a write must not leave it in memory.
func TestReadersNeverSeeWhatIsOverAfterAWrite(t *testing.T) {
	t.Parallel()
	s := newShop(t, storetest.Once())
	l := s.listing("Lamp", 1_000_000)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					stockOf(t, s, l)
				}
			}
		})
	}
	for n := range int64(300) {
		require.NoError(t, s.reserve(fmt.Sprint(n), time.Hour, items(1, l)))
		assert.Equal(t, n+1, stockOf(t, s, l).Held)
	}
	close(stop)
	readers.Wait()
}

// whole is an audit with the problems of every page.
func whole(t testing.TB, ask func(context.Context, audit.Request) (catalog.AuditReply, error)) catalog.AuditReply {
	t.Helper()
	return sweeptest.Whole(t, ask, func(r *catalog.AuditReply) (*[]audit.Problem, *string) { return &r.Problems, &r.Next })
}
