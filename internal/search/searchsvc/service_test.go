package searchsvc_test

import (
	"context"
	"testing"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/bus"
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
