package accountstest

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
)

// Env is what an implementation under test is made with.
type Env struct {
	Clock *clock.Manual
}

// Run holds one implementation to the contract. open makes a fresh one without people.
func Run(t *testing.T, open func(*testing.T, Env) accounts.Service) {
	t.Helper()
	tests := map[string]func(*world){}
	for _, some := range []map[string]func(*world){signInTests, sessionTests, tokenTests, bookTests, peopleTests, roleTests} {
		for name, test := range some {
			tests[name] = test
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := Env{Clock: clock.NewManual(clock.Of(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))}
			test(&world{T: t, Service: open(t, env), clock: env.Clock})
		})
	}
}

// world is one test's accounts with words to speak of it.
type world struct {
	*testing.T
	accounts.Service
	clock *clock.Manual
}

// Key is a fresh idempotency key.
func Key() string { return id.New("key_") }

// Secret is a fresh secret, and the hash that souk knows of it.
func Secret() (secret, hash string) {
	secret = id.New("sec_")
	return secret, Hash(secret)
}

// Hash is what souk keeps of a secret.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func freshHash() string {
	_, hash := Secret()
	return hash
}

// Password is good enough for anyone here.
const Password = "correct horse battery"

// someone is signed in.
type someone struct {
	accounts.SessionReply
	email, hash string
}

func (s someone) by() actor.Actor { return s.Actor }

// register makes someone called name.
func (w *world) register(name string) someone {
	w.Helper()
	s := someone{email: name + "@people.example", hash: freshHash()}
	reply, err := w.Register(w.Context(), accounts.RegisterRequest{
		Key: Key(), Email: s.email, Name: name, Password: Password, Session: s.hash, Agent: "suite",
	})
	require.NoError(w, err)
	s.SessionReply = reply
	return s
}

// again is s as it is seen now: its roles may have changed.
func (w *world) again(s someone) someone {
	w.Helper()
	reply, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: s.hash})
	require.NoError(w, err)
	s.Actor, s.Person = reply.Actor, reply.Person
	return s
}

// grant gives a role, as the system.
func (w *world) grant(s someone, role accounts.Role) someone {
	w.Helper()
	w.clock.Advance(time.Millisecond)
	_, err := w.GrantRole(w.Context(), accounts.GrantRoleRequest{By: actor.System(""), Key: Key(), Person: s.Person.ID, Role: role})
	require.NoError(w, err)
	return w.again(s)
}

// operator runs the marketplace.
func (w *world) operator(name string) someone {
	w.Helper()
	return w.grant(w.register(name), accounts.Role{Kind: accounts.RoleOperator})
}

func (w *world) signIn(email, password, address string) (accounts.SessionReply, string, error) {
	hash := freshHash()
	reply, err := w.SignIn(w.Context(), accounts.SignInRequest{
		Key: Key(), Email: email, Password: password, Session: hash, Agent: "suite", Address: address,
	})
	return reply, hash, err
}

// refused says that err is exactly that refusal.
func (w *world) refused(want *errs.Error, err error) {
	w.Helper()
	_ = w.refusal(want, err)
}

// refusal is refused, and returns it.
func (w *world) refusal(want *errs.Error, err error) *errs.Error {
	w.Helper()
	require.ErrorIs(w, err, want)
	got := errs.As(err)
	assert.Equal(w, want.Kind, got.Kind)
	return got
}

// invalid says that err names each of these fields.
func (w *world) invalid(err error, fields ...string) {
	w.Helper()
	got := w.refusal(accounts.ErrInvalid, err)
	for _, field := range fields {
		assert.Contains(w, got.Fields, field)
	}
}

// wait is what a refusal says of when to come again.
func (w *world) wait(err error) time.Duration {
	w.Helper()
	got := w.refusal(accounts.ErrTooManyTries, err)
	seconds, e := strconv.Atoi(got.Fields["retry_after"])
	require.NoError(w, e)
	assert.Positive(w, seconds)
	return time.Duration(seconds) * time.Second
}

func newSeller() catalog.SellerID { return catalog.SellerIDs.New() }

// Home is an address, filled in.
func Home() accounts.Postal {
	return accounts.Postal{Name: "Bea Buyer", Line1: "Lindenweg 3", PostalCode: "10115", City: "Berlin", Country: "DE"}
}

func codeOf(err error) string { return string(errs.CodeOf(err)) }
