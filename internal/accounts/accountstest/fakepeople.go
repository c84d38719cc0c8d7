package accountstest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
)

func trimmed(s string) string { return strings.TrimSpace(s) }

// EditPerson implements accounts.Service.
func (f *Fake) EditPerson(_ context.Context, r accounts.EditPersonRequest) (accounts.PersonReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.PersonReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By.Owner(), "edit_person", r.Key, body, func() (accounts.PersonReply, error) {
		if p.Version != r.Version {
			return accounts.PersonReply{}, accounts.ErrVersion.With("the person was changed in the meantime")
		}
		p.Name, p.Version = trimmed(r.Name), p.Version+1
		return accounts.PersonReply{Person: p.seen()}, nil
	})
}

// CreateToken implements accounts.Service.
func (f *Fake) CreateToken(_ context.Context, r accounts.CreateTokenRequest) (accounts.TokenReply, error) {
	if err := r.Validate(f.now()); err != nil {
		return accounts.TokenReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.TokenReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By.Owner(), "create_token", r.Key, body, func() (accounts.TokenReply, error) {
		may := p.actor("", nil).Scopes
		live := 0
		for _, t := range f.tokens {
			if t.person == p.ID && t.good(f.now()) {
				live++
			}
			if t.hash == r.Hash {
				return accounts.TokenReply{}, accounts.ErrInvalid.WithField("hash", "is in use already")
			}
		}
		for _, s := range r.Scopes {
			if !slices.Contains(may, s) {
				return accounts.TokenReply{}, accounts.ErrForbidden.With("you may not do %s yourself", s)
			}
		}
		if live >= accounts.MaxTokens {
			return accounts.TokenReply{}, accounts.ErrLimit.With("there are %d tokens already; revoke one first", live)
		}
		t := &token{person: p.ID, hash: r.Hash, made: f.next(), Token: accounts.Token{
			ID: accounts.TokenIDs.New(), Name: trimmed(r.Name), Hint: r.Hint, Scopes: slices.Clone(r.Scopes), CreatedAt: f.now(), ExpiresAt: r.ExpiresAt,
		}}
		f.tokens = append(f.tokens, t)
		return accounts.TokenReply{Token: t.Token}, nil
	})
}

// RevokeToken implements accounts.Service.
func (f *Fake) RevokeToken(_ context.Context, r accounts.RevokeTokenRequest) (accounts.TokenReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.TokenReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.TokenReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By.Owner(), "revoke_token", r.Key, body, func() (accounts.TokenReply, error) {
		for _, t := range f.tokens {
			if t.ID == r.ID && t.person == p.ID {
				if t.RevokedAt.IsZero() {
					t.RevokedAt = f.now()
				}
				return accounts.TokenReply{Token: t.Token}, nil
			}
		}
		return accounts.TokenReply{}, accounts.ErrNotFound.With("there is no token %s", r.ID)
	})
}

// ListTokens implements accounts.Service.
func (f *Fake) ListTokens(_ context.Context, r accounts.ListTokensRequest) (accounts.ListTokensReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeRead)
	if err != nil {
		return accounts.ListTokensReply{}, err
	}
	const shown = 30 * 24 * time.Hour
	var reply accounts.ListTokensReply
	for _, t := range slices.Backward(f.tokens) {
		ended := t.RevokedAt
		if !t.ExpiresAt.IsZero() && (ended.IsZero() || t.ExpiresAt.Before(ended)) {
			ended = t.ExpiresAt
		}
		if t.person == p.ID && (ended.IsZero() || f.now().Sub(ended) < shown) {
			seen := t.Token
			seen.Scopes = slices.Clone(t.Scopes)
			reply.Tokens = append(reply.Tokens, seen)
		}
	}
	return reply, nil
}

// PutAddress implements accounts.Service.
func (f *Fake) PutAddress(_ context.Context, r accounts.PutAddressRequest) (accounts.AddressReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.AddressReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.AddressReply{}, err
	}
	return once(f, r.By.Owner(), "put_address", r.Key, r.Address, func() (accounts.AddressReply, error) {
		at := slices.IndexFunc(p.addresses, func(e address) bool { return r.Address.ID != "" && e.ID == r.Address.ID })
		if r.Address.ID != "" && at < 0 {
			return accounts.AddressReply{}, accounts.ErrNotFound.With("there is no address %s", r.Address.ID)
		}
		if (at < 0 || p.addresses[at].removed) && len(p.book()) >= accounts.MaxAddresses {
			return accounts.AddressReply{}, accounts.ErrLimit.With("an address book has %d entries at most", accounts.MaxAddresses)
		}
		return accounts.AddressReply{Address: p.put(r.Address)}, nil
	})
}

// RemoveAddress implements accounts.Service.
func (f *Fake) RemoveAddress(_ context.Context, r accounts.RemoveAddressRequest) (accounts.AddressReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.AddressReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.AddressReply{}, err
	}
	return once(f, r.By.Owner(), "remove_address", r.Key, r.ID, func() (accounts.AddressReply, error) {
		at := slices.IndexFunc(p.addresses, func(e address) bool { return e.ID == r.ID && !e.removed })
		if at < 0 {
			return accounts.AddressReply{}, accounts.ErrNotFound.With("there is no address %s", r.ID)
		}
		gone := p.addresses[at].Address
		p.addresses[at].removed, p.addresses[at].Default = true, false
		for i := range p.addresses {
			if gone.Default && !p.addresses[i].removed {
				p.addresses[i].Default = true
				break
			}
		}
		gone.Default = false
		return accounts.AddressReply{Address: gone}, nil
	})
}

// ListAddresses implements accounts.Service.
func (f *Fake) ListAddresses(_ context.Context, r accounts.ListAddressesRequest) (accounts.ListAddressesReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeRead)
	if err != nil {
		return accounts.ListAddressesReply{}, err
	}
	return accounts.ListAddressesReply{Addresses: p.book()}, nil
}

// EnsureGuest implements accounts.Service.
func (f *Fake) EnsureGuest(_ context.Context, r accounts.EnsureGuestRequest) (accounts.PersonReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	if !r.By.IsSystem() {
		return accounts.PersonReply{}, accounts.ErrForbidden.With("only checkouts do this")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By.Owner(), "ensure_guest", r.Key, body, func() (accounts.PersonReply, error) {
		p := f.byEmail(r.Email, true)
		if p == nil {
			email, _ := accounts.CleanEmail(r.Email)
			p = &person{Person: accounts.Person{
				ID: accounts.PersonIDs.New(), Email: email, Name: trimmed(r.Name), Guest: true, CreatedAt: f.now(), Version: 1,
			}}
			f.people[p.ID] = p
		}
		return accounts.PersonReply{Person: p.seen()}, nil
	})
}

// GetPeople implements accounts.Service.
func (f *Fake) GetPeople(_ context.Context, r accounts.GetPeopleRequest) (accounts.GetPeopleReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.GetPeopleReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply accounts.GetPeopleReply
	for _, p := range f.sorted() {
		mine := r.By.SignedIn() && r.By.Person == id.RefOf(p.ID) && r.By.Has(actor.ScopeRead)
		if slices.Contains(r.IDs, p.ID) && (mine || seesAll(r.By)) {
			reply.People = append(reply.People, p.seen())
		}
	}
	return reply, nil
}

func (f *Fake) sorted() []*person {
	all := make([]*person, 0, len(f.people))
	for _, p := range f.people {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *person) int {
		return cmp.Or(cmp.Compare(accounts.EmailKey(a.Email), accounts.EmailKey(b.Email)), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// FindPeople implements accounts.Service.
func (f *Fake) FindPeople(_ context.Context, r accounts.FindPeopleRequest) (accounts.FindPeopleReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.FindPeopleReply{}, err
	}
	if !seesAll(r.By) {
		return accounts.FindPeopleReply{}, accounts.ErrForbidden.With("only operators may do this")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	filter := []string{"people", accounts.EmailKey(trimmed(r.Text))}
	var after [2]string
	if _, err := r.Page.After(filter, &after); err != nil {
		return accounts.FindPeopleReply{}, err
	}
	size := r.Page.Size(20, 100)
	var reply accounts.FindPeopleReply
	for _, p := range f.sorted() {
		key := accounts.EmailKey(p.Email)
		if !strings.HasPrefix(key, filter[1]) || cmp.Or(cmp.Compare(key, after[0]), cmp.Compare(string(p.ID), after[1])) <= 0 {
			continue
		}
		if len(reply.People) == size {
			last := reply.People[size-1]
			next, err := page.Cursor(filter, [2]string{accounts.EmailKey(last.Email), string(last.ID)})
			if err != nil {
				return accounts.FindPeopleReply{}, err
			}
			reply.Next = next
			break
		}
		reply.People = append(reply.People, p.seen())
	}
	return reply, nil
}

// appoints says whether by may give or take the role.
func (f *Fake) appoints(by actor.Actor, role accounts.Role) error {
	switch {
	case seesAll(by):
		return nil
	case role.Kind != accounts.RoleStaff || !by.SignedIn() || !by.Has(actor.ScopeAccount):
		return accounts.ErrForbidden.With("only an operator may do this")
	case by.Seller != id.RefOf(role.Seller):
		return accounts.ErrNotFound.With("there is no such seller among yours")
	}
	me, ok := f.people[accounts.PersonID(by.Person)]
	if !ok || !slices.Contains(me.roles, accounts.Role{Kind: accounts.RoleOwner, Seller: role.Seller}) {
		return accounts.ErrForbidden.With("only an owner of the seller may do this")
	}
	return nil
}

func (f *Fake) rolesChanged(p *person) {
	p.Version++
	f.publish(accounts.RolesChanged{PersonID: p.ID, Roles: slices.Clone(p.roles), At: f.now()})
}

// GrantRole implements accounts.Service.
func (f *Fake) GrantRole(_ context.Context, r accounts.GrantRoleRequest) (accounts.PersonReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.appoints(r.By, r.Role); err != nil {
		return accounts.PersonReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By.Owner(), "grant_role", r.Key, body, func() (accounts.PersonReply, error) {
		p := f.people[r.Person]
		if r.Email != "" {
			p = f.byEmail(r.Email, false)
		}
		if p == nil || p.Guest {
			return accounts.PersonReply{}, accounts.ErrNotFound.With("there is no such person")
		}
		at := slices.IndexFunc(p.roles, func(have accounts.Role) bool { return have.Seller == r.Role.Seller })
		switch {
		case at < 0:
			p.roles = append(p.roles, r.Role)
			slices.SortStableFunc(p.roles, func(a, b accounts.Role) int { return cmp.Compare(min(1, len(a.Seller)), min(1, len(b.Seller))) })
			f.rolesChanged(p)
		case r.Role.Kind == accounts.RoleOwner && p.roles[at].Kind == accounts.RoleStaff:
			p.roles[at] = r.Role
			f.rolesChanged(p)
		}
		return accounts.PersonReply{Person: p.seenBy(r.By)}, nil
	})
}

// RevokeRole implements accounts.Service.
func (f *Fake) RevokeRole(_ context.Context, r accounts.RevokeRoleRequest) (accounts.PersonReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.appoints(r.By, r.Role); err != nil {
		return accounts.PersonReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By.Owner(), "revoke_role", r.Key, body, func() (accounts.PersonReply, error) {
		p := f.people[r.Person]
		if p == nil || !slices.Contains(p.roles, r.Role) {
			return accounts.PersonReply{}, accounts.ErrNotFound.With("there is no such role to take away")
		}
		operators := 0
		for _, other := range f.people {
			if slices.Contains(other.roles, accounts.Role{Kind: accounts.RoleOperator}) {
				operators++
			}
		}
		if r.Role.Kind == accounts.RoleOperator && operators == 1 {
			return accounts.PersonReply{}, accounts.ErrLastOperator.With("someone has to run the marketplace")
		}
		p.roles = slices.DeleteFunc(p.roles, func(have accounts.Role) bool { return have == r.Role })
		f.rolesChanged(p)
		return accounts.PersonReply{Person: p.seenBy(r.By)}, nil
	})
}

// ListStaff implements accounts.Service.
func (f *Fake) ListStaff(_ context.Context, r accounts.ListStaffRequest) (accounts.ListStaffReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.ListStaffReply{}, err
	}
	staff := r.By.SignedIn() && r.By.Has(actor.ScopeRead) && r.By.Seller == id.RefOf(r.Seller)
	if !seesAll(r.By) && !staff {
		return accounts.ListStaffReply{}, accounts.ErrNotFound.With("there is no such seller among yours")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply accounts.ListStaffReply
	for _, p := range f.sorted() {
		if slices.ContainsFunc(p.roles, func(have accounts.Role) bool { return have.Seller == r.Seller }) {
			reply.People = append(reply.People, p.seenBy(r.By))
		}
	}
	return reply, nil
}

// Audit implements accounts.Service. A Fake has nothing to report.
func (f *Fake) Audit(context.Context, audit.Request) (accounts.AuditReply, error) {
	return accounts.AuditReply{}, nil
}
