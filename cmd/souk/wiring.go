package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"souk/internal/accounts"
	"souk/internal/accounts/accountsrpc"
	"souk/internal/accounts/accountssvc"
	"souk/internal/cart"
	"souk/internal/cart/cartrpc"
	"souk/internal/cart/cartsvc"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogrpc"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/orders"
	"souk/internal/orders/ordersrpc"
	"souk/internal/orders/orderssvc"
	"souk/internal/payments"
	"souk/internal/payments/paymentsrpc"
	"souk/internal/payments/paymentssvc"
	"souk/internal/platform/bus"
	"souk/internal/platform/control"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/module"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
	"souk/internal/search"
	"souk/internal/search/searchrpc"
	"souk/internal/search/searchsvc"
	"souk/internal/storefront"
	"souk/migrations"
)

// moduleNames are the modules that keep something, in the order in which they are opened.
var moduleNames = []string{"catalog", "accounts", "payments", "search", "cart", "orders"}

// services are the modules as they are asked from outside: each behind its door.
type services struct {
	catalog  catalog.Service
	accounts accounts.Service
	payments payments.Service
	search   search.Service
	cart     cart.Service
	orders   orders.Service
}

// app is a souk that is wired and open: its modules with their databases, and what works in
// the background. Whoever opened it closes it.
type app struct {
	dir        string
	tel        *telemetry.Telemetry
	neighbours *neighbours
	db         string               // address of a PostgreSQL database; "" for files in dir
	dbs        map[string]*store.DB // of the modules that are here
	sources    map[bus.Log]bus.Source
	bus        *bus.Bus
	modules    *module.Set
	ask        services     // the modules that are here
	http       httpx.Config // the resolver and the error page come from modules
	workers    []worker
	unended    unended // what serve waits for in the end
	closers    []func() error
	serving    atomic.Bool   // events and jobs are worked on
	notice     time.Duration // how long it is said that souk stops before nobody is let in any more

	// What commands need of modules beyond their contracts; nil where a module is elsewhere.
	catalog  *catalogsvc.Service
	payments *paymentssvc.Service
	search   *searchsvc.Service
}

// worker is something that works until ctx ends.
type worker struct {
	name string
	run  func(ctx context.Context) error
}

// wire opens every module of this process in dir and puts them together: this function is the
// map of what hangs on what. On an error nothing stays open.
func wire(ctx context.Context, dir string, tel *telemetry.Telemetry, o wireOptions) (_ *app, err error) {
	if o.layout.here == nil {
		o.layout = oneProcess()
	}
	a := &app{dir: dir, db: o.db, tel: tel, dbs: map[string]*store.DB{}, sources: map[bus.Log]bus.Source{}, neighbours: newNeighbours(o.layout, o.proofs, tel)}
	a.neighbours.hedge, a.neighbours.probes = o.hedge, o.probes
	a.closers = append(a.closers, a.neighbours.close)
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	here := o.layout.has
	if err := a.open(ctx, o.layout.stored(), o.alone); err != nil {
		return nil, err
	}
	doors := map[string]*door.Door{}
	broker, err := a.connectBroker(o.broker)
	if err != nil {
		return nil, err
	}
	for _, name := range moduleNames {
		doors[name] = door.New(name, 0, tel.Log)
		if here(name) {
			a.sources[bus.Log(name)] = bus.LocalSource(a.dbs[name])
		} else if broker != nil && a.neighbours.hears(name) {
			a.sources[bus.Log(name)] = broker.Source(bus.Log(name))
		} else if source, heard := a.neighbours.source(name); heard {
			a.sources[bus.Log(name)] = source
		}
	}
	hearing := bus.Config{Sources: a.sources, Log: tel.Log, Tracer: tel.Traces}
	if o.alone {
		hearing.Batch, hearing.Turn = aloneEvents, aloneTurn
	}
	a.bus = bus.New(hearing)

	var parts []module.Module
	if here("catalog") {
		config := catalogsvc.Config{DB: a.dbs["catalog"], Telemetry: tel.Module("catalog")}
		if config.DB.Shared() {
			config.Keep = -1 // another process may change what this one would keep in memory
		}
		a.catalog = catalogsvc.New(config)
		a.ask.catalog = catalogrpc.Guard(a.catalog, doors["catalog"])
		parts = append(parts, a.catalog.Module())
	}
	if here("accounts") {
		people := accountssvc.New(accountssvc.Config{
			DB: a.dbs["accounts"], Bus: a.bus, Catalog: a.as("accounts").catalog, Telemetry: tel.Module("accounts"),
		})
		a.ask.accounts = accountsrpc.Guard(people, doors["accounts"])
		a.http.Resolver = people.Resolver()
		parts = append(parts, people.Module())
	} else {
		a.http.Resolver = accountssvc.Resolver(a.as(edgeCaller).accounts)
	}
	if here("payments") {
		a.payments = paymentssvc.New(paymentssvc.Config{DB: a.dbs["payments"], Telemetry: tel.Module("payments"), Stylesheet: o.stylesheet})
		a.ask.payments = paymentsrpc.Guard(a.payments, doors["payments"])
		parts = append(parts, a.payments.Module())
	}
	if here("cart") {
		carts := cartsvc.New(cartsvc.Config{DB: a.dbs["cart"], Catalog: a.as("cart").catalog, Telemetry: tel.Module("cart")})
		a.ask.cart = cartrpc.Guard(carts, doors["cart"])
		parts = append(parts, carts.Module())
	}
	if here("orders") {
		may := a.as("orders")
		bought := orderssvc.New(orderssvc.Config{
			DB: a.dbs["orders"], Bus: a.bus, Cart: may.cart, Catalog: may.catalog, Payments: may.payments,
			Accounts: may.accounts, Telemetry: tel.Module("orders"), At: o.at,
		})
		a.ask.orders = ordersrpc.Guard(bought, doors["orders"])
		parts = append(parts, bought.Module())
	}
	if here("search") {
		may := a.as("search")
		a.search = searchsvc.New(searchsvc.Config{
			DB: a.dbs["search"], Bus: a.bus, Catalog: may.catalog, Orders: may.orders, Telemetry: tel.Module("search"),
			Part: o.db != "", Close: o.closely, Fixed: o.fixedRules,
		})
		a.ask.search = searchrpc.Guard(a.search, doors["search"])
		parts = append(parts, a.search.Module())
	}
	if here(pagesModule) {
		pages, err := a.pages(o)
		if err != nil {
			return nil, err
		}
		a.http.PageError = pages.PageError
		parts = append(parts, pages.Module(), module.Module{Name: "demo", Assets: demoPictures})
	}
	for i := range parts {
		parts[i].Door = doors[parts[i].Name]
		if parts[i].Name == "search" && o.db != "" {
			built, caughtUp := parts[i].Ready, (&catchingUp{module: "search", list: a.bus.List}).ready
			parts[i].Ready = func(ctx context.Context) error { return errors.Join(built(ctx), caughtUp(ctx)) }
		}
	}
	parts = inOrder(append(parts, a.neighbours.parts(o.layout.has(pagesModule))...))
	if a.modules, err = module.NewSet(tel.Log, parts...); err != nil {
		return nil, err
	}
	a.workers = append(a.workers, worker{name: "events", run: a.bus.Run})
	if here("search") {
		a.workers = append(a.workers, worker{name: "search ahead", run: a.search.Warm}, worker{name: "counts of searches", run: a.search.Count},
			worker{name: "search to its end", run: a.search.Finish}, worker{name: "suggestions", run: a.search.Tell})
	}
	for _, m := range a.modules.Modules() {
		if m.Jobs != nil {
			a.workers = append(a.workers, worker{name: "jobs of " + m.Name, run: m.Jobs.Run})
		}
	}
	a.workers = append(a.workers, worker{name: "upkeep", run: a.upkeep})
	if broker != nil {
		for _, name := range o.layout.stored() {
			publish := func(ctx context.Context) error { return broker.Publish(ctx, bus.Log(name), a.sources[bus.Log(name)]) }
			a.workers = append(a.workers, worker{name: "events of " + name + " to NATS", run: publish})
		}
	}
	if len(o.layout.remote) > 0 {
		a.workers = append(a.workers, worker{name: "neighbours", run: a.neighbours.wait})
	}
	if err := a.bus.Instrument(tel.Meter()); err != nil {
		return nil, fmt.Errorf("show the bus: %w", err)
	}
	return a, a.modules.Show(tel)
}

// inOrder are the parts in the order of moduleNames, whatever is here: the API's document is to be the same.
func inOrder(parts []module.Module) []module.Module {
	slices.SortStableFunc(parts, func(x, y module.Module) int { return cmp.Compare(placeOf(x.Name), placeOf(y.Name)) })
	return parts
}

// placeOf is a module's place in that order; what keeps nothing comes last.
func placeOf(module string) int {
	if i := slices.Index(moduleNames, module); i >= 0 {
		return i
	}
	return len(moduleNames)
}

// here are the modules of this process that keep something.
func (a *app) here() []string { return a.neighbours.layout.stored() }

// pages is the storefront, which asks every module.
func (a *app) pages(o wireOptions) (*storefront.Storefront, error) {
	may := a.as(pagesModule)
	return storefront.New(storefront.Config{
		Accounts: may.accounts, Catalog: may.catalog, Search: may.search, Cart: may.cart, Payments: may.payments,
		Orders: may.orders, Operations: operations{a}, Demo: o.demo, Renderer: storefront.RenderOptions{Dir: o.templates, NewKey: rand.Text},
	})
}

// wireOptions are what differs between one use of the modules and another.
type wireOptions struct {
	db         string // address of a PostgreSQL database; "" for files in the folder
	stylesheet string // of the site, for the payment provider's own page
	demo       bool   // pages say that nothing is really sold
	templates  string // folder to read templates from again for every request; "" as compiled
	at         func(point string, order orders.OrderID)
	layout     layout // which modules are here; everything if nothing is said
	proofs     proofs // what neighbours know each other by
	broker     brokerOptions
	hedge      time.Duration // after which a neighbour is asked a read again; 0 for never
	probes     probes
	alone      bool // for one command, which has the data for itself: nobody waits behind what it writes
	fixedRules bool // the rules of the search come from a file
	closely    int  // listings of a search that are looked at closely; 0 is as usual
}

// What a command that is alone takes: pages that each database keeps of what it writes, in KiB, and
// events in one transaction, with how long that may take.
const (
	aloneCache  = 8192
	aloneEvents = 512
	aloneTurn   = 100 * time.Millisecond
)

// open opens the databases of these modules, which runs their migrations. The first is opened before the
// others, so that of two souks on one folder only one gets any.
func (a *app) open(ctx context.Context, names []string, alone bool) error {
	if len(names) == 0 {
		return nil
	}
	dbs, failures := make([]*store.DB, len(names)), make([]error, len(names))
	open := func(i int) {
		o := storeOptions(a.dir, a.db, names[i], a.tel)
		if alone {
			o.WriterCache = aloneCache
		}
		dbs[i], failures[i] = store.Open(ctx, o)
	}
	if open(0); failures[0] == nil {
		var opening sync.WaitGroup
		for i := 1; i < len(names); i++ {
			opening.Go(func() { open(i) })
		}
		opening.Wait()
	}
	a.closers = append(a.closers, a.closeDatabases)
	var first error
	for i, name := range names {
		switch {
		case failures[i] != nil && first == nil:
			first = fmt.Errorf("open %s: %w", name, failures[i])
		case failures[i] == nil && dbs[i] != nil:
			a.dbs[name] = dbs[i]
		}
	}
	return first
}

// storeOptions say where a module's database is.
//
// With the address of a PostgreSQL database it is a schema there, but for search: its index is in every process.
func storeOptions(dir, address, name string, tel *telemetry.Telemetry) store.Options {
	if files := migrations.Postgres(name); address != "" && files != nil {
		return store.Options{Module: name, URL: address, Migrations: files, Log: tel.Module(name).Log}
	}
	return store.Options{
		Module: name, Path: filepath.Join(dir, name+".db"), Migrations: migrations.SQLite(name), Log: tel.Module(name).Log,
	}
}

// register offers what commands beside the running souk ask for.
func (a *app) register(server *control.Server) {
	verifying().offer(server, a)
	backingUp().offer(server, a)
	importing().offer(server, a)
	exporting().offer(server, a)
	rebuilding().offer(server, a)
	explaining().offer(server, a)
	exportingRules().offer(server, a)
	importingRules().offer(server, a)
	addingRule().offer(server, a)
	removingRule().offer(server, a)
	previewingRule().offer(server, a)
	previewingRules().offer(server, a)
	creatingAdmin().offer(server, a)
	pausing().offer(server, a)
	listingEvents().offer(server, a)
	showingEvents().offer(server, a)
	retryingEvents().offer(server, a)
	skippingEvents().offer(server, a)
	replayingEvents().offer(server, a)
	listingJobs().offer(server, a)
	retryingJob().offer(server, a)
	droppingJob().offer(server, a)
	forNeighbours(server, a)
}

// work runs the workers until ctx ends, and comes back when the last has come to rest. One
// that cannot go on stops all, since half a souk looks like a whole one from outside.
func (a *app) work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures := make([]error, len(a.workers))
	var running sync.WaitGroup
	for i, w := range a.workers {
		running.Go(func() {
			if err := a.unended.run(w.name, func() error { return w.run(ctx) }); err != nil && !errors.Is(err, context.Canceled) {
				failures[i] = fmt.Errorf("%s: %w", w.name, err)
				cancel()
			}
		})
	}
	<-ctx.Done()
	running.Wait()
	return errors.Join(failures...)
}

// close closes what was opened, the last first.
func (a *app) close() error {
	var all error
	for i := len(a.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, a.closers[i]())
	}
	a.closers = nil
	return all
}

// closeDatabases closes what open has opened. Each may wait for a server that does not answer, so there all wait at once; files are
// closed one after the other, the first last, since who opens a folder begins with that one.
func (a *app) closeDatabases() error {
	names := a.here()
	failures := make([]error, len(names))
	var closing sync.WaitGroup
	for i, name := range slices.Backward(names) {
		switch db := a.dbs[name]; {
		case db == nil:
		case db.Shared():
			closing.Go(func() { failures[i] = db.Close() })
		default:
			failures[i] = db.Close()
		}
	}
	closing.Wait()
	return errors.Join(failures...)
}
