package accountssvc

import (
	"context"
	"net/http"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
)

func (s *Service) peopleRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "me", Who: httpx.People, Summary: "Read who one is and what one may do",
		Description: "Staff of several sellers say in the header " + httpx.SellerHeader + " for which one they act; it holds for every route.",
	}, s.getMe)
	httpx.Route(api, httpx.Op{Method: http.MethodPut, Path: base + "me", Who: httpx.People, Summary: "Change one's name", Scope: actor.ScopeAccount}, s.putMe)

	staff := base + "sellers/{seller}/staff"
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: staff, Who: httpx.People, Summary: "List who may act for a seller",
		Description: "For its staff, and for operators.",
	}, s.getStaff)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: staff, Who: httpx.People, Summary: "Let somebody act for a seller",
		Description: "Its owners appoint staff; operators staff and owners. The person is named by the e-mail address that it registered with.",
		Scope:       actor.ScopeAccount, Limit: guessLimit,
	}, s.postStaff)
	httpx.Route(api, httpx.Op{
		Method: http.MethodDelete, Path: staff + "/{person}", Who: httpx.People, Summary: "Let somebody act for a seller no longer",
		Scope: actor.ScopeAccount, Status: http.StatusOK,
	}, s.deleteStaff)

	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "people", Who: httpx.Operators, Summary: "Find people by how their e-mail address begins"}, s.getPeople)
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "people/{id}", Who: httpx.Operators, Summary: "Read a person"}, s.getPerson)
	httpx.Route(api, httpx.Op{Method: http.MethodPost, Path: base + "people/{id}/operator", Who: httpx.Operators, Summary: "Make a person an operator"}, s.postOperator)
	httpx.Route(api, httpx.Op{
		Method: http.MethodDelete, Path: base + "people/{id}/operator", Who: httpx.Operators, Summary: "Make an operator a person like others",
		Description: "The last operator stays.", Status: http.StatusOK,
	}, s.deleteOperator)
}

type roleWire struct {
	Kind   accounts.RoleKind `json:"kind" enum:"operator,owner,staff,none" example:"staff"`
	Seller catalog.SellerID  `json:"seller" doc:"Of owner and staff." example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type personWire struct {
	ID        accounts.PersonID `json:"id" example:"per_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Email     string            `json:"email" example:"bea@example.com"`
	Name      string            `json:"name" example:"Bea Buyer"`
	Guest     bool              `json:"guest" doc:"Bought without registering."`
	Roles     []roleWire        `json:"roles" doc:"Beside buyer, which everyone is."`
	CreatedAt clock.Time        `json:"created_at"`
	Version   int64             `json:"version" example:"1"`
}

func toPerson(p accounts.Person) personWire {
	out := personWire{ID: p.ID, Email: p.Email, Name: p.Name, Guest: p.Guest, CreatedAt: p.CreatedAt, Version: p.Version}
	for _, r := range p.Roles {
		out.Roles = append(out.Roles, roleWire(r))
	}
	return out
}

type personOut struct{ Body personWire }

type meIn struct{ httpx.IfNoneMatch }

type meOut struct {
	httpx.ETag
	Body struct {
		Person personWire    `json:"person"`
		Kind   actor.Kind    `json:"kind" enum:"person,operator" example:"person"`
		Seller id.Ref        `json:"seller" doc:"For which one acts now; empty for none." example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
		Scopes []actor.Scope `json:"scopes" doc:"What this session or token allows."`
	}
}

func (s *Service) getMe(ctx context.Context, by actor.Actor, in meIn) (meOut, error) {
	var out meOut
	reply, err := s.GetPeople(ctx, accounts.GetPeopleRequest{By: by, IDs: []accounts.PersonID{accounts.PersonID(by.Person)}})
	if err != nil {
		return out, err
	}
	if len(reply.People) == 0 {
		return out, accounts.ErrNotFound.With("there is no such person any more")
	}
	me := reply.People[0]
	tag := httpx.Tag(me.ID, me.Version, by)
	if in.Has(tag) {
		return out, httpx.NotModified(tag)
	}
	out.ETag = httpx.Tagged(tag)
	out.Body.Person, out.Body.Kind, out.Body.Seller, out.Body.Scopes = toPerson(me), by.Kind, by.Seller, by.Scopes
	return out, nil
}

type putMeIn struct {
	httpx.Keyed
	Body struct {
		Version int64  `json:"version" minimum:"1" doc:"As it was read." example:"1"`
		Name    string `json:"name" minLength:"1" maxLength:"200" example:"Beatrice Buyer"`
	}
}

func (s *Service) putMe(ctx context.Context, by actor.Actor, in putMeIn) (personOut, error) {
	reply, err := s.EditPerson(ctx, accounts.EditPersonRequest{By: by, Key: in.Key, Version: in.Body.Version, Name: in.Body.Name})
	return personOut{Body: toPerson(reply.Person)}, err
}

type staffIn struct {
	Seller catalog.SellerID `path:"seller" maxLength:"40" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type peopleOut struct {
	Body struct {
		People []personWire `json:"people"`
	}
}

func (s *Service) getStaff(ctx context.Context, by actor.Actor, in staffIn) (peopleOut, error) {
	var out peopleOut
	if err := sellerThere(in.Seller); err != nil {
		return out, err
	}
	reply, err := s.ListStaff(ctx, accounts.ListStaffRequest{By: by, Seller: in.Seller})
	for _, p := range reply.People {
		out.Body.People = append(out.Body.People, toPerson(p))
	}
	return out, err
}

// sellerThere says of an address that cannot be a seller's what is said of one that is not there.
func sellerThere(seller catalog.SellerID) error {
	if !catalog.SellerIDs.Valid(seller) {
		return accounts.ErrNotFound.With("there is no such seller among yours")
	}
	return nil
}

type postStaffIn struct {
	httpx.Keyed
	Seller catalog.SellerID `path:"seller" maxLength:"40" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body   struct {
		Email string            `json:"email" maxLength:"254" example:"sam@example.com"`
		Role  accounts.RoleKind `json:"role" enum:"staff,owner" example:"staff"`
	}
}

func (s *Service) postStaff(ctx context.Context, by actor.Actor, in postStaffIn) (personOut, error) {
	if err := sellerThere(in.Seller); err != nil {
		return personOut{}, err
	}
	if in.Body.Email == "" {
		return personOut{}, accounts.ErrInvalid.WithField("email", "is required")
	}
	reply, err := s.GrantRole(ctx, accounts.GrantRoleRequest{
		By: by, Key: in.Key, Email: in.Body.Email, Role: accounts.Role{Kind: in.Body.Role, Seller: in.Seller},
	})
	return personOut{Body: toPerson(reply.Person)}, err
}

type deleteStaffIn struct {
	httpx.Keyed
	Seller catalog.SellerID  `path:"seller" maxLength:"40" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Person accounts.PersonID `path:"person" maxLength:"40" example:"per_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Role   accounts.RoleKind `query:"role" enum:"staff,owner" default:"staff" doc:"Which of the two it was."`
}

func (s *Service) deleteStaff(ctx context.Context, by actor.Actor, in deleteStaffIn) (personOut, error) {
	if err := sellerThere(in.Seller); err != nil {
		return personOut{}, err
	}
	return s.takeRole(ctx, by, in.Key, in.Person, accounts.Role{Kind: in.Role, Seller: in.Seller})
}

func (s *Service) takeRole(
	ctx context.Context, by actor.Actor, key string, person accounts.PersonID, role accounts.Role,
) (personOut, error) {
	if !accounts.PersonIDs.Valid(person) {
		return personOut{}, accounts.ErrNotFound.With("there is no such person")
	}
	reply, err := s.RevokeRole(ctx, accounts.RevokeRoleRequest{By: by, Key: key, Person: person, Role: role})
	return personOut{Body: toPerson(reply.Person)}, err
}

type peopleIn struct {
	httpx.Page
	Text string `query:"text" maxLength:"254" doc:"How the address begins." example:"bea"`
}

type pageOfPeopleOut struct {
	Body struct {
		People     []personWire `json:"people"`
		NextCursor string       `json:"next_cursor" doc:"Empty on the last page."`
	}
}

func (s *Service) getPeople(ctx context.Context, by actor.Actor, in peopleIn) (pageOfPeopleOut, error) {
	reply, err := s.FindPeople(ctx, accounts.FindPeopleRequest{By: by, Text: in.Text, Page: in.Request()})
	var out pageOfPeopleOut
	out.Body.NextCursor = reply.Next
	for _, p := range reply.People {
		out.Body.People = append(out.Body.People, toPerson(p))
	}
	return out, err
}

type personIn struct {
	ID accounts.PersonID `path:"id" maxLength:"40" example:"per_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type keyedPersonIn struct {
	httpx.Keyed
	ID accounts.PersonID `path:"id" maxLength:"40" example:"per_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

func (s *Service) getPerson(ctx context.Context, by actor.Actor, in personIn) (personOut, error) {
	reply, err := s.GetPeople(ctx, accounts.GetPeopleRequest{By: by, IDs: []accounts.PersonID{in.ID}})
	if err == nil && len(reply.People) == 0 {
		err = accounts.ErrNotFound.With("there is no such person")
	}
	if err != nil {
		return personOut{}, err
	}
	return personOut{Body: toPerson(reply.People[0])}, nil
}

func (s *Service) postOperator(ctx context.Context, by actor.Actor, in keyedPersonIn) (personOut, error) {
	if !accounts.PersonIDs.Valid(in.ID) {
		return personOut{}, accounts.ErrNotFound.With("there is no such person")
	}
	reply, err := s.GrantRole(ctx, accounts.GrantRoleRequest{By: by, Key: in.Key, Person: in.ID, Role: operatorRole})
	return personOut{Body: toPerson(reply.Person)}, err
}

func (s *Service) deleteOperator(ctx context.Context, by actor.Actor, in keyedPersonIn) (personOut, error) {
	return s.takeRole(ctx, by, in.Key, in.ID, operatorRole)
}
