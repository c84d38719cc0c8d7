package accountssvc

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/bus"
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
	Bus       *bus.Bus        // where it hears catalog; nil to hear nothing
	Catalog   catalog.Service // asked only to hear again what was lost; nil with Bus
	Telemetry telemetry.Module
	Now       func() clock.Time        // default: the database's clock
	NewID     func() accounts.PersonID // default: accounts.PersonIDs.New
	Hashing   Hashing                  // of passwords; the default is right but for tests
}

// Service is accounts.
type Service struct {
	db        *store.DB
	catalog   catalog.Service
	now       func() clock.Time
	newID     func() accounts.PersonID
	hasher    *hasher
	telemetry telemetry.Module
	log       zerolog.Logger
	jobs      *job.Runner
	heard     []*bus.Subscriber
	secrets   []byte   // from which this process makes the secrets of its API's sessions
	outcomes  sync.Map // of outcome to telemetry.Counter
}

var _ accounts.Service = (*Service)(nil)

const moduleName = "accounts"

// keysLive is how long a client's idempotency key is remembered.
const keysLive = 8 * 24 * time.Hour

// New builds the module; nothing runs yet.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = c.DB.Now
	}
	if c.NewID == nil {
		c.NewID = accounts.PersonIDs.New
	}
	s := &Service{
		db: c.DB, catalog: c.Catalog, now: c.Now, newID: c.NewID, hasher: newHasher(c.Hashing),
		telemetry: c.Telemetry, log: c.Telemetry.Log, secrets: random(keyLength),
		jobs: job.NewRunner(job.Config{DB: c.DB, Log: c.Telemetry.Log, Now: c.Now}),
	}
	s.jobs.HandlePeriodic(jobClean, s.clean)
	if c.Bus != nil {
		s.heard = append(s.heard, s.hearSellers(c.Bus))
	}
	return s
}

// Module is what the program runs.
func (s *Service) Module() module.Module {
	return module.Module{Name: moduleName, DB: s.db, Routes: s.routes, Subscribers: s.heard, Jobs: s.jobs}
}

// command is a request that takes effect once.
type command struct {
	owner, operation, key string
	body                  any // without passwords: the hash of a body is quick to compute
}

// once runs do in tx the first time that the command is seen, and gives what it returned
// then and later.
func (s *Service) once(tx *store.Tx, c command, do func() (string, error)) (result string, repeat bool, err error) {
	now := s.now()
	result, repeat, err = tx.Once(store.Command{
		Owner: c.owner, Operation: moduleName + "." + c.operation, Key: c.key, Body: store.Hash(c.body), Until: now.Add(keysLive),
	}, do)
	if err != nil || repeat {
		return result, repeat, err
	}
	return result, false, tx.Enqueue(jobClean, moduleName, now.Add(cleanEvery))
}

// perform is a whole command in one Write: do once, and the reply as it is then.
func perform[R any](
	ctx context.Context, s *Service, c command, do func(tx *store.Tx) (string, error), reply func(tx *store.Tx, result string) (R, error),
) (R, error) {
	var out R
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		result, _, err := s.once(tx, c, func() (string, error) { return do(tx) })
		if err != nil {
			return err
		}
		out, err = reply(tx, result)
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
		counter, _ = s.outcomes.LoadOrStore(name, s.telemetry.Counter("souk.accounts.commands", "Commands to accounts by how they ended.",
			telemetry.Label{Name: "command", Value: operation}, telemetry.Label{Name: "code", Value: code}))
	}
	counter.(telemetry.Counter).Add(1) //nolint:forcetypeassert // nothing else is stored there
}
