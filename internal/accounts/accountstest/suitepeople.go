package accountstest

import (
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
)

var bookTests = map[string]func(*world){
	"the first address is the default, and one always is": func(w *world) {
		bea := w.register("bea")
		home := w.put(bea, accounts.Address{Label: "Home", Postal: Home()})
		assert.True(w, home.Default)
		work := w.put(bea, accounts.Address{Label: "Work", Postal: Home()})
		assert.False(w, work.Default)
		assert.Equal(w, []string{"Home", "Work"}, w.labels(bea))
		work.Default = true
		w.put(bea, work)
		assert.Equal(w, []string{"Work", "Home"}, w.labels(bea))
		work.Default = false
		assert.True(w, w.put(bea, work).Default)
		w.remove(bea, work.ID)
		list := w.book(bea)
		require.Len(w, list, 1)
		assert.True(w, list[0].Default)
	},
	"an address is replaced whole": func(w *world) {
		bea := w.register("bea")
		home := w.put(bea, accounts.Address{Label: "Home", Postal: Home()})
		home.Postal.City, home.Label = "Hamburg", "New home"
		assert.Equal(w, home, w.put(bea, home))
		assert.Equal(w, []accounts.Address{home}, w.book(bea))
	},
	"a removed address can be put back": func(w *world) {
		bea := w.register("bea")
		home := w.put(bea, accounts.Address{Label: "Home", Postal: Home()})
		gone := w.remove(bea, home.ID)
		assert.Equal(w, home.ID, gone.ID)
		assert.Equal(w, home.Postal, gone.Postal)
		assert.Empty(w, w.book(bea))
		assert.Equal(w, home, w.put(bea, gone))
		assert.Len(w, w.book(bea), 1)
	},
	"putting and removing happen once per key": func(w *world) {
		bea := w.register("bea")
		r := accounts.PutAddressRequest{By: bea.by(), Key: Key(), Address: accounts.Address{Label: "Home", Postal: Home()}}
		first, err := w.PutAddress(w.Context(), r)
		require.NoError(w, err)
		second, err := w.PutAddress(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, second)
		assert.Len(w, w.book(bea), 1)
		r.Address.Label = "Other"
		_, err = w.PutAddress(w.Context(), r)
		w.refused(accounts.ErrKeyReused, err)

		away := accounts.RemoveAddressRequest{By: bea.by(), Key: Key(), ID: first.Address.ID}
		gone, err := w.RemoveAddress(w.Context(), away)
		require.NoError(w, err)
		again, err := w.RemoveAddress(w.Context(), away)
		require.NoError(w, err)
		assert.Equal(w, gone, again)
		away.Key = Key()
		_, err = w.RemoveAddress(w.Context(), away)
		w.refused(accounts.ErrNotFound, err)
	},
	"an address book is its person's alone": func(w *world) {
		bea, ann := w.register("bea"), w.register("ann")
		home := w.put(bea, accounts.Address{Label: "Home", Postal: Home()})
		assert.Empty(w, w.book(ann))
		_, err := w.PutAddress(w.Context(), accounts.PutAddressRequest{By: ann.by(), Key: Key(), Address: home})
		w.refused(accounts.ErrNotFound, err)
		_, err = w.RemoveAddress(w.Context(), accounts.RemoveAddressRequest{By: ann.by(), Key: Key(), ID: home.ID})
		w.refused(accounts.ErrNotFound, err)
		_, err = w.ListAddresses(w.Context(), accounts.ListAddressesRequest{By: actor.Nobody()})
		w.refused(accounts.ErrForbidden, err)
		_, err = w.PutAddress(w.Context(), accounts.PutAddressRequest{By: limited(bea.by(), actor.ScopeShop), Key: Key(), Address: home})
		w.refused(accounts.ErrForbidden, err)
		list, err := w.ListAddresses(w.Context(), accounts.ListAddressesRequest{By: actor.System(id.RefOf(bea.Person.ID))})
		require.NoError(w, err)
		assert.Equal(w, []accounts.Address{home}, list.Addresses)
	},
	"an address says everything that is wrong": func(w *world) {
		bea := w.register("bea")
		_, err := w.PutAddress(w.Context(), accounts.PutAddressRequest{By: bea.by(), Address: accounts.Address{
			ID: "adr_x", Label: "a\nb", Postal: accounts.Postal{Country: "de"},
		}})
		w.invalid(err, "key", "address.id", "address.label", "address.postal.name", "address.postal.line1", "address.postal.city", "address.postal.country")
		_, err = w.RemoveAddress(w.Context(), accounts.RemoveAddressRequest{By: bea.by()})
		w.invalid(err, "key", "id")
	},
	"an address book is not endless": func(w *world) {
		bea := w.register("bea")
		first := w.put(bea, accounts.Address{Label: "0", Postal: Home()})
		for i := 1; i < accounts.MaxAddresses; i++ {
			w.put(bea, accounts.Address{Label: fmt.Sprint(i), Postal: Home()})
		}
		_, err := w.PutAddress(w.Context(), accounts.PutAddressRequest{By: bea.by(), Key: Key(), Address: accounts.Address{Postal: Home()}})
		w.refused(accounts.ErrLimit, err)
		w.put(bea, first)
		gone := w.remove(bea, first.ID)
		w.put(bea, accounts.Address{Postal: Home()})
		_, err = w.PutAddress(w.Context(), accounts.PutAddressRequest{By: bea.by(), Key: Key(), Address: gone})
		w.refused(accounts.ErrLimit, err)
	},
}

func (w *world) put(s someone, a accounts.Address) accounts.Address {
	w.Helper()
	reply, err := w.PutAddress(w.Context(), accounts.PutAddressRequest{By: s.by(), Key: Key(), Address: a})
	require.NoError(w, err)
	return reply.Address
}

func (w *world) remove(s someone, a accounts.AddressID) accounts.Address {
	w.Helper()
	reply, err := w.RemoveAddress(w.Context(), accounts.RemoveAddressRequest{By: s.by(), Key: Key(), ID: a})
	require.NoError(w, err)
	return reply.Address
}

func (w *world) book(s someone) []accounts.Address {
	w.Helper()
	list, err := w.ListAddresses(w.Context(), accounts.ListAddressesRequest{By: s.by()})
	require.NoError(w, err)
	return list.Addresses
}

func (w *world) labels(s someone) []string {
	w.Helper()
	var out []string
	for _, a := range w.book(s) {
		out = append(out, a.Label)
	}
	return out
}

var peopleTests = map[string]func(*world){
	"a person says its name, unless someone was quicker": func(w *world) {
		bea := w.register("bea")
		r := accounts.EditPersonRequest{By: bea.by(), Key: Key(), Version: bea.Person.Version, Name: " Beatrice "}
		reply, err := w.EditPerson(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, "Beatrice", reply.Person.Name)
		assert.Greater(w, reply.Person.Version, bea.Person.Version)
		again, err := w.EditPerson(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, reply, again)
		r.Key = Key()
		_, err = w.EditPerson(w.Context(), r)
		w.refused(accounts.ErrVersion, err)
		_, err = w.EditPerson(w.Context(), accounts.EditPersonRequest{By: bea.by()})
		w.invalid(err, "key", "version", "name")
		r.By = actor.Nobody()
		_, err = w.EditPerson(w.Context(), r)
		w.refused(accounts.ErrForbidden, err)
	},
	"a guest is made once": func(w *world) {
		r := accounts.EnsureGuestRequest{By: actor.System(""), Key: Key(), Email: "Gus@People.example", Name: "Gus"}
		first, err := w.EnsureGuest(w.Context(), r)
		require.NoError(w, err)
		assert.True(w, first.Person.Guest)
		assert.Equal(w, "Gus@people.example", first.Person.Email)
		again, err := w.EnsureGuest(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Email = "other@people.example"
		_, err = w.EnsureGuest(w.Context(), r)
		w.refused(accounts.ErrKeyReused, err)
		r.Key, r.Email = Key(), "gus@people.example"
		same, err := w.EnsureGuest(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first.Person, same.Person)
		_, err = w.EnsureGuest(w.Context(), accounts.EnsureGuestRequest{By: w.operator("ann").by(), Key: Key(), Email: "x@people.example"})
		w.refused(accounts.ErrForbidden, err)
		_, err = w.EnsureGuest(w.Context(), accounts.EnsureGuestRequest{By: actor.System(""), Email: "x"})
		w.invalid(err, "key", "email")
	},
	"one sees oneself, operators and the system everybody": func(w *world) {
		bea, ann := w.register("bea"), w.operator("ann")
		get := func(by actor.Actor) []accounts.Person {
			reply, err := w.GetPeople(w.Context(), accounts.GetPeopleRequest{
				By: by, IDs: []accounts.PersonID{bea.Person.ID, ann.Person.ID, accounts.PersonIDs.New(), bea.Person.ID},
			})
			require.NoError(w, err)
			return reply.People
		}
		assert.Equal(w, []accounts.Person{w.again(bea).Person}, get(bea.by()))
		assert.Len(w, get(ann.by()), 2)
		assert.Len(w, get(actor.System("")), 2)
		assert.Len(w, get(limited(ann.by(), actor.ScopeRead)), 1)
		assert.Empty(w, get(actor.Nobody()))
		_, err := w.GetPeople(w.Context(), accounts.GetPeopleRequest{By: ann.by(), IDs: make([]accounts.PersonID, accounts.MaxBatch+1)})
		w.invalid(err, "ids")
		none, err := w.GetPeople(w.Context(), accounts.GetPeopleRequest{By: ann.by()})
		require.NoError(w, err)
		assert.Empty(w, none.People)
	},
	"operators find people by how their address begins, page by page": func(w *world) {
		ann := w.operator("ann")
		for i := range 7 {
			w.register(fmt.Sprintf("Bea%d", i))
		}
		w.register("zoe")
		var found []string
		ask := accounts.FindPeopleRequest{By: ann.by(), Text: "BEA", Page: page.Request{Limit: 3}}
		for pages := 0; ; pages++ {
			require.Less(w, pages, 4)
			reply, err := w.FindPeople(w.Context(), ask)
			require.NoError(w, err)
			for _, p := range reply.People {
				found = append(found, p.Name)
			}
			if pages == 0 { // who comes meanwhile moves nothing
				w.register("beaa")
				w.register("aaa")
			}
			if reply.Next == "" {
				break
			}
			ask.Page.Cursor = reply.Next
		}
		assert.Equal(w, []string{"Bea0", "Bea1", "Bea2", "Bea3", "Bea4", "Bea5", "Bea6", "beaa"}, found)
		ask.Text = "zoe"
		_, err := w.FindPeople(w.Context(), ask)
		w.refused(page.ErrCursor, err)
		all, err := w.FindPeople(w.Context(), accounts.FindPeopleRequest{By: ann.by()})
		require.NoError(w, err)
		assert.Len(w, all.People, 11)
		_, err = w.FindPeople(w.Context(), accounts.FindPeopleRequest{By: w.register("bob").by()})
		w.refused(accounts.ErrForbidden, err)
		_, err = w.FindPeople(w.Context(), accounts.FindPeopleRequest{By: limited(ann.by(), actor.ScopeRead)})
		w.refused(accounts.ErrForbidden, err)
	},
	"nothing is wrong within": func(w *world) {
		bea := w.register("bea")
		w.put(bea, accounts.Address{Label: "Home", Postal: Home()})
		w.operator("ann")
		var r audit.Request
		for {
			reply, err := w.Audit(w.Context(), r)
			require.NoError(w, err)
			assert.Empty(w, reply.Problems)
			if r.Cursor = reply.Next; r.Cursor == "" {
				return
			}
		}
	},
}

var roleTests = map[string]func(*world){
	"an operator is one by role": func(w *world) {
		ann := w.operator("ann")
		assert.True(w, ann.Actor.IsOperator())
		assert.Contains(w, ann.Actor.Scopes, actor.ScopeAccount)
		bea := w.register("bea")
		reply, err := w.GrantRole(w.Context(), accounts.GrantRoleRequest{By: ann.by(), Key: Key(), Email: "BEA@people.example", Role: accounts.Role{Kind: accounts.RoleOperator}})
		require.NoError(w, err)
		assert.Equal(w, bea.Person.ID, reply.Person.ID)
		assert.Equal(w, []accounts.Role{{Kind: accounts.RoleOperator}}, reply.Person.Roles)
		assert.True(w, w.again(bea).Actor.IsOperator())
	},
	"a role is given once": func(w *world) {
		ann, bea := w.operator("ann"), w.register("bea")
		seller := newSeller()
		r := accounts.GrantRoleRequest{By: ann.by(), Key: Key(), Person: bea.Person.ID, Role: accounts.Role{Kind: accounts.RoleStaff, Seller: seller}}
		first, err := w.GrantRole(w.Context(), r)
		require.NoError(w, err)
		again, err := w.GrantRole(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Role.Seller = newSeller()
		_, err = w.GrantRole(w.Context(), r)
		w.refused(accounts.ErrKeyReused, err)

		r.Key, r.Role.Seller = Key(), seller
		same, err := w.GrantRole(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, same)
		r.Key, r.Role.Kind = Key(), accounts.RoleOwner
		more, err := w.GrantRole(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, []accounts.Role{{Kind: accounts.RoleOwner, Seller: seller}}, more.Person.Roles)
		r.Key, r.Role.Kind = Key(), accounts.RoleStaff
		still, err := w.GrantRole(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, more.Person.Roles, still.Person.Roles, "an owner is staff already")
	},
	"one sells for the seller asked for, or for the first": func(w *world) {
		one, two := newSeller(), newSeller()
		bea := w.grant(w.register("bea"), accounts.Role{Kind: accounts.RoleStaff, Seller: one})
		bea = w.grant(bea, accounts.Role{Kind: accounts.RoleStaff, Seller: two})
		assert.Equal(w, id.RefOf(one), bea.Actor.Seller)
		assert.Contains(w, bea.Actor.Scopes, actor.ScopeSell)
		for _, tt := range []struct{ ask, want catalog.SellerID }{{two, two}, {one, one}, {newSeller(), one}, {"", one}} {
			got, err := w.Resolve(w.Context(), accounts.ResolveRequest{Session: bea.hash, Seller: tt.ask})
			require.NoError(w, err)
			assert.Equal(w, id.RefOf(tt.want), got.Actor.Seller)
		}
	},
	"an owner appoints staff of the own seller, and nothing else": func(w *world) {
		one, two := newSeller(), newSeller()
		owner := w.grant(w.register("own"), accounts.Role{Kind: accounts.RoleOwner, Seller: one})
		clerk := w.grant(w.register("clerk"), accounts.Role{Kind: accounts.RoleStaff, Seller: one})
		bea := w.grant(w.register("bea"), accounts.Role{Kind: accounts.RoleStaff, Seller: two})
		grant := func(by actor.Actor, kind accounts.RoleKind, seller catalog.SellerID) (accounts.PersonReply, error) {
			return w.GrantRole(w.Context(), accounts.GrantRoleRequest{By: by, Key: Key(), Email: bea.email, Role: accounts.Role{Kind: kind, Seller: seller}})
		}
		for _, tt := range []struct {
			by     actor.Actor
			kind   accounts.RoleKind
			seller catalog.SellerID
		}{
			{owner.by(), accounts.RoleOwner, one},
			{owner.by(), accounts.RoleOperator, ""},
			{clerk.by(), accounts.RoleStaff, one},
			{actor.Nobody(), accounts.RoleStaff, one},
			{limited(owner.by(), actor.ScopeSell), accounts.RoleStaff, one},
		} {
			_, err := grant(tt.by, tt.kind, tt.seller)
			w.refused(accounts.ErrForbidden, err)
		}
		_, err := grant(owner.by(), accounts.RoleStaff, two)
		w.refused(accounts.ErrNotFound, err)
		reply, err := grant(owner.by(), accounts.RoleStaff, one)
		require.NoError(w, err)
		assert.Equal(w, []accounts.Role{{Kind: accounts.RoleStaff, Seller: one}}, reply.Person.Roles, "what else bea does is not the owner's business")
		assert.Len(w, w.again(bea).Person.Roles, 2)

		revoke := func(by actor.Actor, role accounts.Role) error {
			_, err := w.RevokeRole(w.Context(), accounts.RevokeRoleRequest{By: by, Key: Key(), Person: bea.Person.ID, Role: role})
			return err
		}
		w.refused(accounts.ErrForbidden, revoke(clerk.by(), accounts.Role{Kind: accounts.RoleStaff, Seller: one}))
		w.refused(accounts.ErrNotFound, revoke(owner.by(), accounts.Role{Kind: accounts.RoleStaff, Seller: two}))
		require.NoError(w, revoke(owner.by(), accounts.Role{Kind: accounts.RoleStaff, Seller: one}))
		w.refused(accounts.ErrNotFound, revoke(owner.by(), accounts.Role{Kind: accounts.RoleStaff, Seller: one}))
		assert.Len(w, w.again(bea).Person.Roles, 1)
	},
	"guests and strangers get no role": func(w *world) {
		guest, err := w.EnsureGuest(w.Context(), accounts.EnsureGuestRequest{By: actor.System(""), Key: Key(), Email: "gus@people.example"})
		require.NoError(w, err)
		for _, r := range []accounts.GrantRoleRequest{{Person: guest.Person.ID}, {Email: "gus@people.example"}, {Person: accounts.PersonIDs.New()}} {
			r.By, r.Key, r.Role = actor.System(""), Key(), accounts.Role{Kind: accounts.RoleOperator}
			_, err := w.GrantRole(w.Context(), r)
			w.refused(accounts.ErrNotFound, err)
		}
		_, err = w.GrantRole(w.Context(), accounts.GrantRoleRequest{By: actor.System("")})
		w.invalid(err, "key", "person", "role.kind")
		_, err = w.GrantRole(w.Context(), accounts.GrantRoleRequest{By: actor.System(""), Key: Key(), Person: "x", Role: accounts.Role{Kind: accounts.RoleOwner}})
		w.invalid(err, "person", "role.seller")
		_, err = w.RevokeRole(w.Context(), accounts.RevokeRoleRequest{By: actor.System("")})
		w.invalid(err, "key", "person", "role.kind")
	},
	"the last operator stays": func(w *world) {
		ann := w.operator("ann")
		revoke := accounts.RevokeRoleRequest{By: actor.System(""), Key: Key(), Person: ann.Person.ID, Role: accounts.Role{Kind: accounts.RoleOperator}}
		_, err := w.RevokeRole(w.Context(), revoke)
		w.refused(accounts.ErrLastOperator, err)
		w.operator("bob")
		_, err = w.RevokeRole(w.Context(), revoke)
		w.refused(accounts.ErrLastOperator, err)
		revoke.Key = Key()
		first, err := w.RevokeRole(w.Context(), revoke)
		require.NoError(w, err)
		assert.Empty(w, first.Person.Roles)
		again, err := w.RevokeRole(w.Context(), revoke)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		assert.False(w, w.again(ann).Actor.IsOperator())
	},
	"staff see their colleagues": func(w *world) {
		one, two := newSeller(), newSeller()
		owner := w.grant(w.register("own"), accounts.Role{Kind: accounts.RoleOwner, Seller: one})
		bea := w.grant(w.register("bea"), accounts.Role{Kind: accounts.RoleStaff, Seller: one})
		bea = w.grant(bea, accounts.Role{Kind: accounts.RoleOwner, Seller: two})
		ann := w.operator("ann")
		for _, by := range []actor.Actor{owner.by(), bea.by(), ann.by()} {
			list, err := w.ListStaff(w.Context(), accounts.ListStaffRequest{By: by, Seller: one})
			require.NoError(w, err)
			require.Len(w, list.People, 2)
			assert.Equal(w, bea.Person.ID, list.People[0].ID, "by address")
			assert.Equal(w, owner.Person.ID, list.People[1].ID)
		}
		list, err := w.ListStaff(w.Context(), accounts.ListStaffRequest{By: owner.by(), Seller: one})
		require.NoError(w, err)
		assert.Equal(w, []accounts.Role{{Kind: accounts.RoleStaff, Seller: one}}, list.People[0].Roles)
		for _, by := range []actor.Actor{w.register("zoe").by(), actor.Nobody()} {
			_, err := w.ListStaff(w.Context(), accounts.ListStaffRequest{By: by, Seller: one})
			w.refused(accounts.ErrNotFound, err)
		}
		_, err = w.ListStaff(w.Context(), accounts.ListStaffRequest{By: owner.by(), Seller: two})
		w.refused(accounts.ErrNotFound, err)
		_, err = w.ListStaff(w.Context(), accounts.ListStaffRequest{By: ann.by()})
		w.invalid(err, "seller")
	},
}
