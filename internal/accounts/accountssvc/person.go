package accountssvc

import (
	"context"
	"strings"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// personReply is a person as it is now.
func personReply(tx *store.Tx, result string) (accounts.PersonReply, error) {
	row, err := selectPerson(tx, accounts.PersonID(result))
	if err != nil {
		return accounts.PersonReply{}, err
	}
	return accounts.PersonReply{Person: row.person()}, nil
}

// EditPerson changes what a person says of itself.
func (s *Service) EditPerson(ctx context.Context, r accounts.EditPersonRequest) (_ accounts.PersonReply, err error) {
	defer s.done("edit_person", &err)
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	person, err := owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.PersonReply{}, err
	}
	name := strings.TrimSpace(r.Name)
	c := command{owner: r.By.Owner(), operation: "edit_person", key: r.Key, body: []any{r.Version, name}}
	return perform(ctx, s, c, func(tx *store.Tx) (string, error) {
		return string(person), renamePerson(tx, person, name, r.Version)
	}, personReply)
}

// EnsureGuest makes a person without credentials, or finds it by its address. A guest found
// keeps the name that it came with: whoever knows an address could otherwise rename it.
func (s *Service) EnsureGuest(ctx context.Context, r accounts.EnsureGuestRequest) (_ accounts.PersonReply, err error) {
	defer s.done("ensure_guest", &err)
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	if !r.By.IsSystem() {
		return accounts.PersonReply{}, accounts.ErrForbidden.With("only checkouts do this")
	}
	email, _ := accounts.CleanEmail(r.Email)
	name := strings.TrimSpace(r.Name)
	c := command{owner: r.By.Owner(), operation: "ensure_guest", key: r.Key, body: []string{email, name}}
	return perform(ctx, s, c, func(tx *store.Tx) (string, error) {
		guest, err := selectGuest(tx, email)
		if err != nil || guest != "" {
			return string(guest), err
		}
		p := personRow{ID: s.newID(), Email: email, Name: name, Guest: true, CreatedAt: s.now(), Version: 1}
		return string(p.ID), insertPerson(tx, p, "")
	}, personReply)
}

// GetPeople reads people in batch: everybody for operators and the system, else oneself.
func (s *Service) GetPeople(ctx context.Context, r accounts.GetPeopleRequest) (accounts.GetPeopleReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.GetPeopleReply{}, err
	}
	ids := r.IDs
	if !seesAll(r.By) {
		ids = nil
		for _, p := range r.IDs {
			if r.By.SignedIn() && r.By.Has(actor.ScopeRead) && string(p) == string(r.By.Person) {
				ids = []accounts.PersonID{p}
			}
		}
	}
	var reply accounts.GetPeopleReply
	if len(ids) == 0 {
		return reply, nil
	}
	err := s.db.Read(ctx, func(q store.Queryer) error {
		rows, err := selectPeople(q, ids)
		reply.People = people(rows)
		return err
	})
	return reply, err
}

func people(rows []personRow) []accounts.Person {
	out := make([]accounts.Person, len(rows))
	for i, row := range rows {
		out[i] = row.person()
	}
	return out
}

// found is where a page of people ended.
type found struct {
	Email string            `json:"e"`
	ID    accounts.PersonID `json:"i"`
}

// FindPeople pages through people by e-mail.
func (s *Service) FindPeople(ctx context.Context, r accounts.FindPeopleRequest) (accounts.FindPeopleReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.FindPeopleReply{}, err
	}
	if !seesAll(r.By) {
		return accounts.FindPeopleReply{}, accounts.ErrForbidden.With("only operators may do this")
	}
	begins := accounts.EmailKey(strings.TrimSpace(r.Text))
	filter := []string{"accounts.people", begins}
	var after found
	if _, err := r.Page.After(filter, &after); err != nil {
		return accounts.FindPeopleReply{}, err
	}
	size := r.Page.Size(20, 100)
	var reply accounts.FindPeopleReply
	err := s.db.Read(ctx, func(q store.Queryer) error {
		reply = accounts.FindPeopleReply{}
		rows, err := findPeople(q, begins, after, size+1)
		if err != nil {
			return err
		}
		if len(rows) > size {
			rows = rows[:size]
			last := rows[size-1]
			if reply.Next, err = page.Cursor(filter, found{Email: accounts.EmailKey(last.Email), ID: last.ID}); err != nil {
				return err
			}
		}
		reply.People = people(rows)
		return nil
	})
	return reply, err
}

// PutAddress adds or replaces an entry of the address book.
func (s *Service) PutAddress(ctx context.Context, r accounts.PutAddressRequest) (_ accounts.AddressReply, err error) {
	defer s.done("put_address", &err)
	if err := r.Validate(); err != nil {
		return accounts.AddressReply{}, err
	}
	person, err := owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.AddressReply{}, err
	}
	c := command{owner: r.By.Owner(), operation: "put_address", key: r.Key, body: r.Address}
	return perform(ctx, s, c, func(tx *store.Tx) (string, error) {
		a := r.Address
		err := s.changeBook(tx, person, func(b book) (book, error) {
			if a.ID != "" && b.find(a.ID) < 0 {
				return nil, accounts.ErrNotFound.With("there is no address %s", a.ID)
			}
			if a.ID == "" {
				a.ID = accounts.AddressIDs.New()
			}
			return b.put(a)
		})
		return string(a.ID), err
	}, addressReply(person))
}

// RemoveAddress takes an entry out; for a while it can be put back.
func (s *Service) RemoveAddress(ctx context.Context, r accounts.RemoveAddressRequest) (_ accounts.AddressReply, err error) {
	defer s.done("remove_address", &err)
	if err := r.Validate(); err != nil {
		return accounts.AddressReply{}, err
	}
	person, err := owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.AddressReply{}, err
	}
	c := command{owner: r.By.Owner(), operation: "remove_address", key: r.Key, body: r.ID}
	return perform(ctx, s, c, func(tx *store.Tx) (string, error) {
		return string(r.ID), s.changeBook(tx, person, func(b book) (book, error) { return b.remove(r.ID) })
	}, addressReply(person))
}

// changeBook loads a person's book, changes it and writes what differs.
func (s *Service) changeBook(tx *store.Tx, person accounts.PersonID, change func(book) (book, error)) error {
	if _, err := selectPerson(tx, person); err != nil {
		return err
	}
	before, err := selectBook(tx, person)
	if err != nil {
		return err
	}
	after, err := change(before)
	if err != nil {
		return err
	}
	return updateBook(tx, person, before, after, s.now())
}

// addressReply is an entry of that person's book as it is now, removed or not.
func addressReply(person accounts.PersonID) func(*store.Tx, string) (accounts.AddressReply, error) {
	return func(tx *store.Tx, result string) (accounts.AddressReply, error) {
		b, err := selectBook(tx, person)
		if err != nil {
			return accounts.AddressReply{}, err
		}
		at := b.find(accounts.AddressID(result))
		if at < 0 {
			return accounts.AddressReply{}, accounts.ErrNotFound.With("there is no address %s any more", result)
		}
		return accounts.AddressReply{Address: b[at].Address}, nil
	}
}

// ListAddresses reads the address book, the default first.
func (s *Service) ListAddresses(ctx context.Context, r accounts.ListAddressesRequest) (accounts.ListAddressesReply, error) {
	person, err := owner(r.By, actor.ScopeRead)
	if err != nil {
		return accounts.ListAddressesReply{}, err
	}
	var reply accounts.ListAddressesReply
	err = s.db.Read(ctx, func(q store.Queryer) error {
		b, err := selectBook(q, person)
		reply.Addresses = b.list()
		return err
	})
	return reply, err
}
