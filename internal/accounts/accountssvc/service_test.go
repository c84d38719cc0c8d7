package accountssvc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/accounts/accountssvc"
	"souk/internal/accounts/accountstest"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep/sweeptest"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

const start clock.Time = 1_772_366_400_000

type world struct {
	*testing.T
	*accountssvc.Service
	db    *store.DB
	clock *clock.Manual
}

func newWorld(t *testing.T, options ...storetest.Option) *world {
	t.Helper()
	c := clock.NewManual(start)
	db := storetest.Open(t, "accounts", append(options, storetest.Clock(c.Now))...)
	return &world{T: t, Service: accountssvc.New(accountssvc.Config{DB: db, Hashing: quick}), db: db, clock: c}
}

func (w *world) register(name string) (accounts.SessionReply, string) {
	w.Helper()
	secret, hash := accountstest.Secret()
	reply, err := w.Register(w.Context(), accounts.RegisterRequest{
		Key: accountstest.Key(), Email: name + "@people.example", Name: name, Password: accountstest.Password, Session: hash,
	})
	require.NoError(w, err)
	return reply, secret
}

func (w *world) guess(s accounts.Service, password string) error {
	_, hash := accountstest.Secret()
	_, err := s.SignIn(w.Context(), accounts.SignInRequest{
		Key: accountstest.Key(), Email: "bea@people.example", Password: password, Session: hash, Address: "192.0.2.1",
	})
	return err
}

func TestPasswordsAreHashedAnewWhenTheParametersChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("bea")
	stored := func() (phc string) {
		require.NoError(t, w.db.Read(t.Context(), func(q store.Queryer) error { return q.Get(&phc, `SELECT password FROM people`) }))
		return phc
	}
	stronger := accountssvc.New(accountssvc.Config{DB: w.db, Hashing: accountssvc.Hashing{KiB: 16, Passes: 1}})
	require.Error(t, w.guess(stronger, "wrong password"))
	assert.Contains(t, stored(), "m=8,")
	require.NoError(t, w.guess(stronger, accountstest.Password))
	assert.Contains(t, stored(), "m=16,")
	require.NoError(t, w.guess(w, accountstest.Password))
}

func TestWaitsOutliveARestart(t *testing.T) {
	t.Parallel()
	c, dir := clock.NewManual(start), t.TempDir()
	tooMany := func(db *store.DB) bool {
		s := accountssvc.New(accountssvc.Config{DB: db, Hashing: quick})
		_, hash := accountstest.Secret()
		_, err := s.SignIn(t.Context(), accounts.SignInRequest{Key: accountstest.Key(), Email: "bea@people.example", Password: "wrong password", Session: hash})
		return errors.Is(err, accounts.ErrTooManyTries)
	}
	open := func() *store.DB { return storetest.OpenAt(t, "accounts", dir, storetest.Clock(c.Now)) }
	db := open()
	for i := 0; !tooMany(db); i++ {
		require.Less(t, i, 50)
	}
	require.NoError(t, db.Close())
	db = open()
	assert.True(t, tooMany(db))
	require.NoError(t, db.Close())
}

// Many guesses at the same moment are counted before any of them is known to be wrong.
func TestGuessingAtTheSameMomentGainsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("bea")
	codes := together(50, func(int) error { return w.guess(w, "wrong password") })
	assert.Equal(t, 5, codes["accounts.credentials"])
	assert.Equal(t, 45, codes["accounts.too_many_tries"])
}

func TestOneOfManyGetsAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	codes := together(20, func(i int) error {
		_, hash := accountstest.Secret()
		_, err := w.Register(t.Context(), accounts.RegisterRequest{
			Key: accountstest.Key(), Email: "Bea@people.example", Name: fmt.Sprint(i), Password: accountstest.Password, Session: hash,
		})
		return err
	})
	assert.Equal(t, map[errs.Code]int{"": 1, "accounts.email_taken": 19}, codes)
}

func TestOneGuestPerAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := make([]accounts.PersonID, 20)
	codes := together(20, func(i int) error {
		reply, err := w.EnsureGuest(t.Context(), accounts.EnsureGuestRequest{By: actor.System(""), Key: accountstest.Key(), Email: "gus@people.example"})
		people[i] = reply.Person.ID
		return err
	})
	assert.Equal(t, map[errs.Code]int{"": 20}, codes)
	for _, p := range people {
		assert.Equal(t, people[0], p)
	}
}

func TestOfTwoOperatorsWhoGoAtOnceOneStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var both []accounts.PersonID
	for _, name := range []string{"ann", "bea"} {
		reply, _ := w.register(name)
		both = append(both, reply.Person.ID)
		_, err := w.GrantRole(t.Context(), accounts.GrantRoleRequest{
			By: actor.System(""), Key: accountstest.Key(), Person: reply.Person.ID, Role: accounts.Role{Kind: accounts.RoleOperator},
		})
		require.NoError(t, err)
	}
	codes := together(2, func(i int) error {
		_, err := w.RevokeRole(t.Context(), accounts.RevokeRoleRequest{
			By: actor.System(""), Key: accountstest.Key(), Person: both[i], Role: accounts.Role{Kind: accounts.RoleOperator},
		})
		return err
	})
	assert.Equal(t, map[errs.Code]int{"": 1, "accounts.last_operator": 1}, codes)
}

func TestOfTwoRotationsAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, secret := w.register("bea")
	codes := together(5, func(int) error {
		_, hash := accountstest.Secret()
		_, err := w.RotateSession(t.Context(), accounts.RotateSessionRequest{Key: accountstest.Key(), Old: accountstest.Hash(secret), New: hash})
		return err
	})
	assert.Equal(t, map[errs.Code]int{"": 1, "accounts.session": 4}, codes)
}

// together runs fn so many times at once, and counts the codes of what it returns.
func together(n int, fn func(i int) error) map[errs.Code]int {
	var all sync.WaitGroup
	var mu sync.Mutex
	codes := map[errs.Code]int{}
	for i := range n {
		all.Go(func() {
			code := errs.CodeOf(fn(i))
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	all.Wait()
	return codes
}

// A request that resolves a session reads once, and writes once a minute at most.
func TestResolvingIsCheap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Once())
	_, secret := w.register("bea")
	resolve := func() {
		_, err := w.Resolve(t.Context(), accounts.ResolveRequest{Session: accountstest.Hash(secret)})
		require.NoError(t, err)
	}
	before := w.db.Stats()
	for range 10 {
		w.clock.Advance(5 * time.Second)
		resolve()
	}
	assert.Equal(t, before.Writes, w.db.Stats().Writes)
	assert.Equal(t, before.Reads+10, w.db.Stats().Reads)
	w.clock.Advance(time.Minute)
	for range 10 {
		resolve()
	}
	assert.Equal(t, before.Writes+1, w.db.Stats().Writes)
}

// What the database keeps of secrets and passwords are hashes, and of passwords slow ones only.
func TestTheDatabaseHasNoSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reply, secret := w.register("bea")
	require.Error(t, w.guess(w, "a wrong password"))
	_, err := w.ChangePassword(t.Context(), accounts.ChangePasswordRequest{
		By: reply.Actor, Key: accountstest.Key(), Old: accountstest.Password, New: "another fine password", Keep: accountstest.Hash(secret),
	})
	require.NoError(t, err)
	var all strings.Builder
	require.NoError(t, w.db.Read(t.Context(), func(q store.Queryer) error {
		for _, query := range []string{
			`SELECT id || ' ' || email || ' ' || name || ' ' || password FROM people`,
			`SELECT id || ' ' || hash || ' ' || coalesce(previous, '') || ' ' || agent FROM sessions`,
			`SELECT owner || ' ' || key || ' ' || result || ' ' || refusal FROM idempotency`, `SELECT subject FROM tries`, `SELECT body FROM event_log`,
		} {
			var rows []string
			if err := q.Select(&rows, query); err != nil {
				return err
			}
			all.WriteString(strings.ToLower(strings.Join(rows, "\n")))
		}
		return nil
	}))
	assert.Contains(t, all.String(), "argon2id")
	for _, gone := range []string{
		accountstest.Password, "a wrong password", "another fine password", secret,
		accountstest.Hash(accountstest.Password), accountstest.Hash("another fine password"),
	} {
		assert.NotContains(t, all.String(), gone)
	}
}

func TestWhatHasEndedIsCleanedAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reply, _ := w.register("bea")
	_ = w.guess(w, "wrong password")
	_, hash := accountstest.Secret()
	_, err := w.CreateToken(t.Context(), accounts.CreateTokenRequest{
		By: reply.Actor, Key: accountstest.Key(), Name: "t", Scopes: []actor.Scope{actor.ScopeRead}, Hash: hash, Hint: "abcd", ExpiresAt: w.clock.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	made, err := w.PutAddress(t.Context(), accounts.PutAddressRequest{By: reply.Actor, Key: accountstest.Key(), Address: accounts.Address{Postal: accountstest.Home()}})
	require.NoError(t, err)
	_, err = w.RemoveAddress(t.Context(), accounts.RemoveAddressRequest{By: reply.Actor, Key: accountstest.Key(), ID: made.Address.ID})
	require.NoError(t, err)

	rows := func() (n int64) {
		require.NoError(t, w.db.Read(t.Context(), func(q store.Queryer) error {
			return q.Get(&n, `SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM tokens) + (SELECT count(*) FROM addresses)
				+ (SELECT count(*) FROM tries) + (SELECT count(*) FROM idempotency)`)
		}))
		return n
	}
	require.Positive(t, rows())
	before := rows()
	w.clock.Advance(6 * time.Hour)
	_, err = w.Module().Jobs.RunDue(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, rows(), "nothing had ended yet")
	w.clock.Advance(40 * 24 * time.Hour)
	_, err = w.Module().Jobs.RunDue(t.Context())
	require.NoError(t, err)
	assert.Zero(t, rows())
	w.clock.Advance(40 * 24 * time.Hour)
	n, err := w.Module().Jobs.RunDue(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n, "with nothing left nobody wakes")
}

// hearing is an accounts that follows a catalog's log.
func hearing(t *testing.T, shop catalog.Service) (*world, *store.DB, *bus.Bus) {
	t.Helper()
	c := clock.NewManual(start)
	theirs := storetest.Open(t, "catalog", storetest.Clock(c.Now))
	b := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{catalog.Log: bus.LocalSource(theirs)}, Now: c.Now})
	db := storetest.Open(t, "accounts", storetest.Clock(c.Now))
	w := &world{T: t, db: db, clock: c, Service: accountssvc.New(accountssvc.Config{DB: db, Bus: b, Catalog: shop, Hashing: quick})}
	return w, theirs, b
}

func (w *world) hear(theirs *store.DB, b *bus.Bus, e catalog.SellerChanged) {
	w.Helper()
	require.NoError(w, theirs.Write(w.Context(), func(tx *store.Tx) error { return tx.Publish(e) }))
	require.NoError(w, b.Drain(w.Context()))
}

func (w *world) roles(p accounts.PersonID) []accounts.Role {
	w.Helper()
	reply, err := w.GetPeople(w.Context(), accounts.GetPeopleRequest{By: actor.System(""), IDs: []accounts.PersonID{p}})
	require.NoError(w, err)
	require.Len(w, reply.People, 1)
	return reply.People[0].Roles
}

func TestAnApplicantBecomesTheOwnerOnce(t *testing.T) {
	t.Parallel()
	w, theirs, b := hearing(t, nil)
	bea, _ := w.register("bea")
	e := catalog.SellerChanged{SellerID: catalog.SellerIDs.New(), Status: catalog.SellerApplied, AppliedBy: id.RefOf(bea.Person.ID)}
	w.hear(theirs, b, e)
	assert.Empty(t, w.roles(bea.Person.ID))
	e.Status = catalog.SellerApproved
	w.hear(theirs, b, e)
	owner := accounts.Role{Kind: accounts.RoleOwner, Seller: e.SellerID}
	assert.Equal(t, []accounts.Role{owner}, w.roles(bea.Person.ID))

	_, err := w.RevokeRole(t.Context(), accounts.RevokeRoleRequest{By: actor.System(""), Key: accountstest.Key(), Person: bea.Person.ID, Role: owner})
	require.NoError(t, err)
	e.Status = catalog.SellerSuspended
	w.hear(theirs, b, e)
	e.Status = catalog.SellerApproved
	w.hear(theirs, b, e)
	assert.Empty(t, w.roles(bea.Person.ID), "who was taken off stays off")

	w.hear(theirs, b, catalog.SellerChanged{SellerID: catalog.SellerIDs.New(), Status: catalog.SellerApproved})
	report := whole(t, w.Audit)
	require.Len(t, report.Standing.Cursors, 1)
	assert.Equal(t, "accounts.sellers", report.Standing.Cursors[0].Subscriber)
	assert.Zero(t, report.Standing.Cursors[0].Parked)
	assert.Empty(t, report.Problems)
}

func TestAnApplicantWhoIsNobodyIsParked(t *testing.T) {
	t.Parallel()
	w, theirs, b := hearing(t, nil)
	w.hear(theirs, b, catalog.SellerChanged{
		SellerID: catalog.SellerIDs.New(), Status: catalog.SellerApproved, AppliedBy: id.RefOf(accounts.PersonIDs.New()),
	})
	report := whole(t, w.Audit)
	assert.Equal(t, int64(1), report.Standing.Cursors[0].Parked)
}

func TestALostPlaceIsMadeUpForByAsking(t *testing.T) {
	t.Parallel()
	shop := catalogtest.NewFake(clock.Now)
	w, theirs, b := hearing(t, shop)
	bea, _ := w.register("bea")
	w.hear(theirs, b, catalog.SellerChanged{SellerID: catalog.SellerIDs.New(), Status: catalog.SellerApplied})
	seller := shop.AddSeller(catalog.Seller{Name: "North Lamp Works", AppliedBy: id.RefOf(bea.Person.ID)})
	shop.AddSeller(catalog.Seller{Name: "Nobody's", AppliedBy: id.RefOf(accounts.PersonIDs.New())})
	shop.AddSeller(catalog.Seller{Name: "Imported"})
	require.NoError(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE event_cursors SET epoch = 'another'`)
		return err
	}))
	again := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{catalog.Log: bus.LocalSource(theirs)}, Now: w.clock.Now})
	w.Service = accountssvc.New(accountssvc.Config{DB: w.db, Bus: again, Catalog: shop, Hashing: quick})
	require.NoError(t, again.Drain(t.Context()))
	assert.Equal(t, []accounts.Role{{Kind: accounts.RoleOwner, Seller: seller.ID}}, w.roles(bea.Person.ID))
}

func TestChangesOfRolesLeaveAnAuditRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bea, _ := w.register("bea")
	_, err := w.GrantRole(t.Context(), accounts.GrantRoleRequest{
		By: actor.System(""), Key: accountstest.Key(), Person: bea.Person.ID, Role: accounts.Role{Kind: accounts.RoleOperator},
	})
	require.NoError(t, err)
	var rows []string
	require.NoError(t, w.db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&rows, `SELECT kind || ' ' || action || ' ' || subject || ' ' || after FROM audit_log`)
	}))
	assert.Equal(t, []string{"system accounts.grant_role " + string(bea.Person.ID) + " operator"}, rows)
}

func TestAuditFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]string{
		"accounts.guests_only_buy":           `UPDATE people SET guest = 1, password = '' WHERE id = ?`,
		"accounts.one_default_address":       `UPDATE addresses SET is_default = 1 WHERE person_id = ?`,
		"accounts.address_book_within_limit": `WITH RECURSIVE n (key) AS (SELECT 1 UNION ALL SELECT key + 1 FROM n WHERE key < 50) INSERT INTO addresses SELECT person_id, a.id || n.key, label, name, line1, line2, postal_code, city, region, country, phone, 0, 9, 0 FROM addresses AS a, n WHERE person_id = ? AND is_default = 1`,
		"accounts.secrets_differ":            `UPDATE sessions SET previous = hash WHERE person_id = ?`,
		"accounts.owners_once":               `INSERT INTO appointed (seller_id, person_id, at) VALUES (?, 'per_gone', 1)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.Once())
			bea, _ := w.register("bea")
			for range 2 {
				_, err := w.PutAddress(t.Context(), accounts.PutAddressRequest{By: bea.Actor, Key: accountstest.Key(), Address: accounts.Address{Postal: accountstest.Home()}})
				require.NoError(t, err)
			}
			require.NoError(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(plant, bea.Person.ID)
				return err
			}))
			report := whole(t, w.Audit)
			require.Len(t, report.Problems, 1)
			assert.Equal(t, name, report.Problems[0].Invariant)
			assert.NotEmpty(t, report.Problems[0].Subjects)
		})
	}
}

// whole is an audit with the problems of every page.
func whole(t testing.TB, ask func(context.Context, audit.Request) (accounts.AuditReply, error)) accounts.AuditReply {
	t.Helper()
	return sweeptest.Whole(t, ask, func(r *accounts.AuditReply) (*[]audit.Problem, *string) { return &r.Problems, &r.Next })
}
