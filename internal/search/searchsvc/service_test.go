package searchsvc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/rpctest"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
	"souk/internal/search/searchrpc"
	"souk/internal/search/searchsvc"
	"souk/internal/search/searchtest"
)

// bench is a search on a database of the test's own, with a log that it hears.
type bench struct {
	*searchsvc.Service
	db  *store.DB
	log *store.DB // where catalog would publish
	bus *bus.Bus

	sales *store.DB // where orders would
}

func newBench(t testing.TB, goods catalog.Service, options ...storetest.Option) *bench {
	t.Helper()
	b := &bench{db: storetest.Open(t, "search", options...), log: storetest.Open(t, "feed", storetest.Once())}
	b.sales = storetest.Open(t, "sales", storetest.Once())
	b.bus = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{catalog.Log: bus.LocalSource(b.log), orders.Log: bus.LocalSource(b.sales)}})
	b.Service = searchsvc.New(searchsvc.Config{DB: b.db, Bus: b.bus, Catalog: goods, Orders: orderstest.NewFake(b.db.Now, nil)})
	return b
}

// publish puts events into the log.
func (b *bench) publish(ctx context.Context, events []catalogtest.Event) error {
	if len(events) == 0 {
		return nil
	}
	return b.log.Write(ctx, func(tx *store.Tx) error {
		for _, e := range events {
			if err := tx.Publish(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// hear publishes events and has all of the log applied.
func (b *bench) hear(ctx context.Context, events []catalogtest.Event) error {
	if err := b.publish(ctx, events); err != nil {
		return err
	}
	return b.bus.Drain(ctx)
}

func open(t *testing.T, env searchtest.Env) *bench {
	t.Helper()
	b := newBench(t, env.Catalog, storetest.Clock(env.Clock.Now))
	env.Feed.To(b.hear)
	env.Sales.To(b.sell)
	return b
}

// sell publishes events of orders and has them applied.
func (b *bench) sell(ctx context.Context, events []orderstest.Event) error {
	err := b.sales.Write(ctx, func(tx *store.Tx) error {
		for _, e := range events {
			if err := tx.Publish(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.bus.Drain(ctx)
}

func TestContract(t *testing.T) {
	t.Parallel()
	searchtest.Run(t, func(t *testing.T, env searchtest.Env) search.Service { return open(t, env) })
}

func TestContractStrict(t *testing.T) {
	t.Parallel()
	searchtest.Run(t, func(t *testing.T, env searchtest.Env) search.Service {
		return searchrpc.Strict(open(t, env).Service, rpc.StrictOptions{})
	})
}

func TestContractRemote(t *testing.T) {
	t.Parallel()
	searchtest.Run(t, func(t *testing.T, env searchtest.Env) search.Service {
		s := open(t, env).Service
		return rpctest.Remote(t, func(o rpc.ServerOptions) *rpc.Server { return searchrpc.Server(s, o) }, searchrpc.Remote)
	})
}

func TestContractWithEveryCallRepeated(t *testing.T) {
	t.Parallel()
	searchtest.Run(t, func(t *testing.T, env searchtest.Env) search.Service {
		return searchrpc.Strict(open(t, env).Service, rpc.StrictOptions{Faults: rpc.Always{Repeat: true}})
	})
}

func TestFacetsOfVeryManyAreEstimates(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 1500 {
		d := catalogtest.Draft("Lamp", int64(1000+i), int64(i%2))
		d.Brand = []string{"Elm", "Oak", "Ash"}[i%3]
		goods.AddListing(by.ID, d)
	}
	b := newBench(t, goods, storetest.Once())
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	exact, err := b.Query(t.Context(), search.QueryRequest{Text: "lamp", Facets: true})
	require.NoError(t, err)
	assert.False(t, exact.Approximate)
	b.Limit(100, 400)
	rough, err := b.Query(t.Context(), search.QueryRequest{Text: "lamp", Facets: true})
	require.NoError(t, err)
	assert.True(t, rough.Approximate)
	assert.Equal(t, exact.Total, rough.Total, "the total is exact")
	require.Len(t, rough.Facets, len(exact.Facets))
	for i, facet := range exact.Facets {
		told := rough.Facets[i]
		require.Len(t, told.Values, len(facet.Values), facet.Kind)
		for j, v := range facet.Values {
			if facet.Kind == search.FacetStock {
				assert.Equal(t, v.Count, told.Values[j].Count, "of which there are but two, which are counted")
			}
			if facet.Kind != search.FacetHistogram { // prices rise from listing to listing, so a look at some sees few steps
				assert.InDelta(t, v.Count, told.Values[j].Count, 200, "%s %s", facet.Kind, v.Label)
			}
		}
	}
	few, err := b.Query(t.Context(), search.QueryRequest{Text: "lamp", Facets: true, Filter: search.Filter{Brands: []string{"Elm"}, InStock: true}})
	require.NoError(t, err)
	assert.EqualValues(t, 250, few.Total)
}
