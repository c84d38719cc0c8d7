package accountstest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
)

// Event is what a Fake has published.
type Event interface {
	EventName() string
	EventKey() string
}

// Fake is accounts in memory. It passes the whole suite; what it does not do is hash, which
// takes time, and forget.
type Fake struct {
	now func() clock.Time

	mu         sync.Mutex
	people     map[accounts.PersonID]*person
	sessions   []*session
	tokens     []*token
	remembered map[string]memory
	tries      map[string]*tries
	events     []Event
	made       int64
}

type person struct {
	accounts.Person // without its roles
	password        string
	roles           []accounts.Role
	addresses       []address
}

type address struct {
	accounts.Address
	removed bool
}

type session struct {
	accounts.Session
	hash, previous string
	previousUntil  clock.Time
	ends           clock.Time
	made           int64
}

type token struct {
	accounts.Token
	person accounts.PersonID
	hash   string
	made   int64
}

type tries struct {
	failed int
	until  clock.Time
}

type memory struct {
	body  string
	reply []byte
	err   error
}

// NewFake is an accounts without people that tells the time by now.
func NewFake(now func() clock.Time) *Fake {
	return &Fake{now: now, people: map[accounts.PersonID]*person{}, remembered: map[string]memory{}, tries: map[string]*tries{}}
}

var _ accounts.Service = (*Fake)(nil)

// Events are all that was published, oldest first.
func (f *Fake) Events() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

// AddPerson puts someone there, without a request. What is left out of p is made up.
func (f *Fake) AddPerson(p accounts.Person) accounts.Person {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.ID == "" {
		p.ID = accounts.PersonIDs.New()
	}
	if p.Email == "" {
		p.Email = string(p.ID) + "@people.example"
	}
	if p.Name == "" {
		p.Name = "Somebody"
	}
	p.CreatedAt, p.Version = f.now(), 1
	made := &person{Person: p, roles: slices.Clone(p.Roles), password: "secret of " + string(p.ID)}
	made.Roles = nil
	f.people[p.ID] = made
	return made.seen()
}

// AddAddress puts an entry into someone's address book.
func (f *Fake) AddAddress(whose accounts.PersonID, a accounts.Address) accounts.Address {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.people[whose].put(a)
}

// Actor is that person, signed in with a session.
func (f *Fake) Actor(whose accounts.PersonID) actor.Actor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.people[whose].actor("", nil)
}

// seen is the person with its roles.
func (p *person) seen() accounts.Person {
	out := p.Person
	out.Roles = slices.Clone(p.roles)
	return out
}

// seenBy leaves out what is no business of who only shares a seller with p.
func (p *person) seenBy(by actor.Actor) accounts.Person {
	out := p.seen()
	if !seesAll(by) && by.Person != id.RefOf(p.ID) {
		out.Roles = slices.DeleteFunc(out.Roles, func(r accounts.Role) bool { return id.RefOf(r.Seller) != by.Seller || r.Seller == "" })
	}
	return out
}

// actor is p as a caller; of scopes only what p may, all for nil.
func (p *person) actor(seller id.Ref, scopes []actor.Scope) actor.Actor {
	a := actor.Actor{Kind: actor.KindPerson, Person: id.RefOf(p.ID)}
	may := []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeAccount}
	for _, r := range p.roles {
		switch {
		case r.Kind == accounts.RoleOperator:
			a.Kind = actor.KindOperator
		case a.Seller == "" || id.RefOf(r.Seller) == seller:
			a.Seller = id.RefOf(r.Seller)
		}
	}
	if a.Seller != "" {
		may = append(may, actor.ScopeSell)
	}
	if a.Kind == actor.KindOperator {
		may = append(may, actor.ScopeOperate)
	}
	if scopes != nil {
		may = slices.DeleteFunc(may, func(s actor.Scope) bool { return s == actor.ScopeAccount || !slices.Contains(scopes, s) })
	}
	a.Scopes = may
	return a
}

// put adds or replaces an entry. While there are entries, one is the default.
func (p *person) put(a accounts.Address) accounts.Address {
	at := slices.IndexFunc(p.addresses, func(e address) bool { return e.ID == a.ID })
	if at < 0 {
		if a.ID == "" {
			a.ID = accounts.AddressIDs.New()
		}
		p.addresses = append(p.addresses, address{})
		at = len(p.addresses) - 1
	}
	others := p.book()
	others = slices.DeleteFunc(others, func(e accounts.Address) bool { return e.ID == a.ID })
	was := !p.addresses[at].removed && p.addresses[at].Default
	a.Default = a.Default || was || len(others) == 0
	if a.Default {
		for i := range p.addresses {
			p.addresses[i].Default = false
		}
	}
	p.addresses[at] = address{Address: a}
	return a
}

// book is the address book, the default first.
func (p *person) book() []accounts.Address {
	var out []accounts.Address
	for _, e := range p.addresses {
		if e.ID == "" || e.removed {
			continue
		}
		if e.Default {
			out = slices.Insert(out, 0, e.Address)
			continue
		}
		out = append(out, e.Address)
	}
	return out
}

func (f *Fake) publish(e Event) { f.events = append(f.events, e) }

func (f *Fake) next() int64 {
	f.made++
	return f.made
}

// byEmail finds the person, or the guest, with that address.
func (f *Fake) byEmail(email string, guest bool) *person {
	clean, _ := accounts.CleanEmail(email)
	for _, p := range f.people {
		if p.Guest == guest && accounts.EmailKey(p.Email) == accounts.EmailKey(clean) {
			return p
		}
	}
	return nil
}

// owner is the person whose things by asks for, if its credential allows that.
func (f *Fake) owner(by actor.Actor, scope actor.Scope) (*person, error) {
	whose := by.Person
	switch {
	case by.IsSystem():
		whose = by.OnBehalfOf
	case !by.SignedIn() || !by.Has(scope):
		whose = ""
	}
	if whose == "" {
		return nil, accounts.ErrForbidden.With("sign in first")
	}
	p, ok := f.people[accounts.PersonID(whose)]
	if !ok {
		return nil, accounts.ErrNotFound.With("there is no such person")
	}
	return p, nil
}

func seesAll(by actor.Actor) bool { return by.IsOperator() || by.IsSystem() }

// once runs do the first time that the key is seen and repeats its answer afterwards.
func once[R any](f *Fake, owner, operation, key string, body any, do func() (R, error)) (R, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return *new(R), err
	}
	name := owner + "|" + operation + "|" + key
	if m, ok := f.remembered[name]; ok {
		if m.body != string(text) {
			return *new(R), accounts.ErrKeyReused.With("the key %s was used for another request", key)
		}
		if m.err != nil {
			return *new(R), m.err
		}
		var again R
		return again, json.Unmarshal(m.reply, &again)
	}
	reply, err := do()
	switch {
	case err == nil:
		encoded, err := json.Marshal(reply)
		if err != nil {
			return *new(R), fmt.Errorf("accountstest: %T cannot be encoded: %w", reply, err)
		}
		f.remembered[name] = memory{body: string(text), reply: encoded}
	case errs.Refused(err) && errs.KindOf(err) != errs.Invalid && errs.KindOf(err) != errs.Unauthenticated:
		f.remembered[name] = memory{body: string(text), err: err}
	}
	return reply, err
}
