package orderstest

import (
	"context"
	"sync"

	"souk/internal/accounts"
)

// Guests is as much of accounts as a checkout asks: EnsureGuest. The other methods panic.
type Guests struct {
	accounts.Service

	mu     sync.Mutex
	people map[string]accounts.Person
	bodies map[string]accounts.EnsureGuestRequest
	fail   error
}

// NewGuests knows nobody yet.
func NewGuests() *Guests {
	return &Guests{people: map[string]accounts.Person{}, bodies: map[string]accounts.EnsureGuestRequest{}}
}

// Fail has the next calls fail with err; nil ends that.
func (g *Guests) Fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fail = err
}

// Count is how many people there are.
func (g *Guests) Count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.people)
}

// EnsureGuest makes a person without credentials, or finds the guest that has the address.
func (g *Guests) EnsureGuest(_ context.Context, r accounts.EnsureGuestRequest) (accounts.PersonReply, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		return accounts.PersonReply{}, g.fail
	}
	if !r.By.IsSystem() {
		return accounts.PersonReply{}, accounts.ErrForbidden
	}
	was, seen := g.bodies[r.Key]
	if seen && (was.Email != r.Email || was.Name != r.Name) {
		return accounts.PersonReply{}, accounts.ErrKeyReused
	}
	g.bodies[r.Key] = r
	p, ok := g.people[r.Email]
	if !ok {
		p = accounts.Person{ID: accounts.PersonIDs.New(), Email: r.Email, Name: r.Name}
		g.people[r.Email] = p
	}
	return accounts.PersonReply{Person: p}, nil
}
