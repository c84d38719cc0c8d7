package accountssvc

import (
	"context"
	"slices"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
)

// GrantRole gives a role. An owner is staff already, so appointing it as staff changes nothing.
func (s *Service) GrantRole(ctx context.Context, r accounts.GrantRoleRequest) (_ accounts.PersonReply, err error) {
	defer s.done("grant_role", &err)
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	email, _ := accounts.CleanEmail(r.Email)
	c := command{owner: r.By.Owner(), operation: "grant_role", key: r.Key, body: []any{r.Person, email, r.Role}}
	return s.changeRoles(ctx, r.By, r.Role, c, func(tx *store.Tx) (accounts.PersonID, error) {
		person := r.Person
		if email != "" {
			who, err := selectCredentials(tx, email)
			if err != nil {
				return "", err
			}
			person = who.Person
		}
		return person, s.grant(tx, r.By, person, r.Role, "accounts.grant_role")
	})
}

// RevokeRole takes a role away, but for the last operator's.
func (s *Service) RevokeRole(ctx context.Context, r accounts.RevokeRoleRequest) (_ accounts.PersonReply, err error) {
	defer s.done("revoke_role", &err)
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	c := command{owner: r.By.Owner(), operation: "revoke_role", key: r.Key, body: []any{r.Person, r.Role}}
	return s.changeRoles(ctx, r.By, r.Role, c, func(tx *store.Tx) (accounts.PersonID, error) {
		return r.Person, s.revoke(tx, r)
	})
}

// changeRoles does so once, if by may, and answers with what by may see of the person.
func (s *Service) changeRoles(
	ctx context.Context, by actor.Actor, role accounts.Role, c command, do func(tx *store.Tx) (accounts.PersonID, error),
) (accounts.PersonReply, error) {
	var reply accounts.PersonReply
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		err := mayAppoint(by, role, func() (bool, error) {
			return hasRole(tx, accounts.PersonID(by.Person), accounts.Role{Kind: accounts.RoleOwner, Seller: role.Seller})
		})
		if err != nil {
			return err
		}
		result, _, err := s.once(tx, c, func() (string, error) {
			person, err := do(tx)
			return string(person), err
		})
		if err != nil {
			return err
		}
		reply, err = personReply(tx, result)
		reply.Person = seenBy(by, reply.Person)
		return err
	})
	if err != nil {
		return accounts.PersonReply{}, err
	}
	return reply, nil
}

// grant gives a role to a person with credentials; one that it has already, or less, changes nothing.
func (s *Service) grant(tx *store.Tx, by actor.Actor, person accounts.PersonID, role accounts.Role, action string) error {
	row, err := selectPerson(tx, person)
	if err != nil {
		return err
	}
	if row.Guest {
		return accounts.ErrNotFound.With("there is no such person with an account")
	}
	roles := row.person().Roles
	at := slices.IndexFunc(roles, func(have accounts.Role) bool { return have.Seller == role.Seller })
	before := ""
	if at >= 0 {
		if roles[at].Kind == role.Kind || role.Kind == accounts.RoleStaff {
			return nil
		}
		before = describe(roles[at])
	}
	if err := putRole(tx, person, role, s.now()); err != nil {
		return err
	}
	return s.rolesChanged(tx, by, person, store.Audit{Action: action, Before: before, After: describe(role)})
}

func (s *Service) revoke(tx *store.Tx, r accounts.RevokeRoleRequest) error {
	had, err := hasRole(tx, r.Person, r.Role)
	if err != nil {
		return err
	}
	if !had {
		return accounts.ErrNotFound.With("there is no such role to take away")
	}
	if r.Role == operatorRole {
		n, err := countOperators(tx)
		if err != nil {
			return err
		}
		if n == 1 {
			return accounts.ErrLastOperator.With("someone has to run the marketplace: appoint another operator first")
		}
	}
	if err := deleteRole(tx, r.Person, r.Role); err != nil {
		return err
	}
	return s.rolesChanged(tx, r.By, r.Person, store.Audit{Action: "accounts.revoke_role", Before: describe(r.Role)})
}

// rolesChanged makes a new version of the person, tells who listens, and leaves the audit row.
func (s *Service) rolesChanged(tx *store.Tx, by actor.Actor, person accounts.PersonID, row store.Audit) error {
	if err := bumpPerson(tx, person); err != nil {
		return err
	}
	p, err := selectPerson(tx, person)
	if err != nil {
		return err
	}
	row.By, row.Subject = by, string(person)
	if err := tx.Audit(row); err != nil {
		return err
	}
	return tx.Publish(accounts.RolesChanged{PersonID: person, Roles: p.person().Roles, At: s.now()})
}

// ListStaff reads who may act for a seller.
func (s *Service) ListStaff(ctx context.Context, r accounts.ListStaffRequest) (accounts.ListStaffReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.ListStaffReply{}, err
	}
	colleague := r.By.SignedIn() && r.By.Has(actor.ScopeRead) && r.By.Seller == id.RefOf(r.Seller)
	if !seesAll(r.By) && !colleague {
		return accounts.ListStaffReply{}, accounts.ErrNotFound.With("there is no such seller among yours")
	}
	var reply accounts.ListStaffReply
	err := s.db.Read(ctx, func(q store.Queryer) error {
		rows, err := selectStaff(q, r.Seller)
		reply.People = people(rows)
		for i, p := range reply.People {
			reply.People[i] = seenBy(r.By, p)
		}
		return err
	})
	return reply, err
}
