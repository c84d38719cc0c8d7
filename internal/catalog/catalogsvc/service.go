package catalogsvc

import (
	"context"
	"sync"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/job"
	"souk/internal/platform/module"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

// Config is what the module stands on.
type Config struct {
	DB        *store.DB
	Telemetry telemetry.Module
	Now       func() clock.Time // default: the database's clock

	NewSeller   func() catalog.SellerID // default: those of the contract's Makers
	NewListing  func() catalog.ListingID
	NewVariant  func() catalog.VariantID
	NewCategory func() catalog.CategoryID

	Commission int32 // of new sellers, in basis points of goods; default 1000
	Keep       int   // listings kept in memory for reading; default 2048; negative for none, nor categories: for a database that others write too
}

// Service is catalog.
type Service struct {
	db         *store.DB
	now        func() clock.Time
	telemetry  telemetry.Module
	ids        makers
	commission int32
	cache      *cache
	tree       tree
	jobs       *job.Runner
	outcomes   sync.Map // of outcome to telemetry.Counter
}

var _ catalog.Service = (*Service)(nil)

// makers make the ids of what is new.
type makers struct {
	seller   func() catalog.SellerID
	listing  func() catalog.ListingID
	variant  func() catalog.VariantID
	category func() catalog.CategoryID
}

// or is made, or the maker that is used without one.
func or[ID any](made, usual func() ID) func() ID {
	if made != nil {
		return made
	}
	return usual
}

// New builds the module; nothing runs yet.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = c.DB.Now
	}
	if c.Commission == 0 {
		c.Commission = 1000
	}
	if c.Keep == 0 {
		c.Keep = 2048
	}
	s := &Service{
		db: c.DB, now: c.Now, telemetry: c.Telemetry, commission: c.Commission, cache: newCache(max(0, c.Keep)), tree: tree{none: c.Keep < 0},
		ids: makers{
			seller: or(c.NewSeller, catalog.SellerIDs.New), listing: or(c.NewListing, catalog.ListingIDs.New),
			variant: or(c.NewVariant, catalog.VariantIDs.New), category: or(c.NewCategory, catalog.CategoryIDs.New),
		},
		jobs: job.NewRunner(job.Config{DB: c.DB, Log: c.Telemetry.Log, Now: c.Now}),
	}
	s.jobs.HandlePeriodic(jobExpire, s.expire)
	return s
}

// Module is what the program runs.
func (s *Service) Module() module.Module {
	return module.Module{Name: moduleName, DB: s.db, Routes: s.routes, Jobs: s.jobs}
}

const moduleName = "catalog"

// work is one turn in a Write, with what has to be forgotten after it.
type work struct {
	*store.Tx
	ids      makers
	listings []catalog.ListingID // touched in any way
	sellers  bool
	tree     bool
}

// touch notes that a listing, or stock of it, was written.
func (w *work) touch(ids ...catalog.ListingID) { w.listings = append(w.listings, ids...) }

// write runs fn in a Write. Whatever comes of that, what fn touched is read anew afterwards.
func (s *Service) write(ctx context.Context, fn func(w *work) error) error {
	var last work
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		w := &work{Tx: tx, ids: s.ids}
		defer func() { last = *w }()
		return fn(w)
	})
	s.cache.drop(last.listings)
	if last.sellers {
		s.cache.dropSellers()
	}
	if last.tree {
		s.tree.drop()
	}
	return err
}

// command is a request that takes effect once.
type command struct {
	By        actor.Actor
	Operation string
	Key       string
	Body      any // without who asks and the key
}

// keysLive is how long the keys of clients are remembered.
const keysLive = 14 * 24 * time.Hour

// once runs do in a Write the first time that the key is seen, and then or later makes the
// reply from what do returned.
func once[R any](ctx context.Context, s *Service, c command, do func(w *work) (string, error), reply func(w *work, result string) (R, error)) (R, error) {
	var out R
	err := s.write(ctx, func(w *work) error {
		result, _, err := w.Once(store.Command{
			Owner: c.By.Owner(), Operation: c.Operation, Key: c.Key, Body: store.Hash(c.Body), Until: w.Now().Add(keysLive),
		}, func() (string, error) { return do(w) })
		if err != nil {
			return err
		}
		out, err = reply(w, result)
		return err
	})
	if err != nil {
		return *new(R), err
	}
	return out, nil
}

// done counts how a command ended, by its code.
func (s *Service) done(operation string, err *error) {
	code := "ok"
	if *err != nil {
		code = string(errs.CodeOf(*err))
	}
	name := [2]string{operation, code}
	counter, ok := s.outcomes.Load(name)
	if !ok {
		counter, _ = s.outcomes.LoadOrStore(name, s.telemetry.Counter("souk.catalog.commands", "Commands to catalog by how they ended.",
			telemetry.Label{Name: "command", Value: operation}, telemetry.Label{Name: "code", Value: code}))
	}
	counter.(telemetry.Counter).Add(1) //nolint:forcetypeassert // nothing else is stored there
}
