package catalogtest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
)

var sellerTests = map[string]func(*world){
	"a person applies and waits": func(w *world) {
		s, by := w.apply("North Lamp Works")
		assert.Equal(w, catalog.SellerApplied, s.Status)
		assert.Equal(w, "north-lamp-works", s.Slug)
		assert.Equal(w, by.Person, s.AppliedBy)
		assert.True(w, catalog.SellerIDs.Valid(s.ID))
		assert.Equal(w, w.clock.Now(), s.CreatedAt)
		assert.Empty(w, w.sellers(actor.Nobody(), s.ID), "nobody sees who only applied")
		assert.Len(w, w.sellers(by, s.ID), 1, "the applicant does")
		assert.Len(w, w.sellers(Operator(), s.ID), 1)
	},
	"every bad field of an application is named": func(w *world) {
		_, err := w.ApplySeller(w.Context(), catalog.ApplySellerRequest{By: Person(), Name: "x", Currency: "XXX", Legal: catalog.LegalParty{Country: "Germany", Email: "no"}})
		w.invalid(err, "key", "name", "currency", "legal.name", "legal.line1", "legal.city", "legal.country", "legal.email")
	},
	"nobody and guests cannot apply": func(w *world) {
		for _, by := range []actor.Actor{actor.Nobody(), actor.Guest("0123")} {
			_, err := w.ApplySeller(w.Context(), catalog.ApplySellerRequest{By: by, Key: Key(), Name: "Shop", Legal: Legal("Shop"), Currency: "EUR"})
			w.refused(catalog.ErrForbidden, err)
		}
	},
	"a name is one seller's, a slug too": func(w *world) {
		w.apply("North Lamp Works")
		_, err := w.ApplySeller(w.Context(), catalog.ApplySellerRequest{By: Person(), Key: Key(), Name: "north LAMP works", Legal: Legal("x"), Currency: "EUR"})
		w.refused(catalog.ErrNameTaken, err)
		other, _ := w.apply("North Lamp-Works")
		assert.Equal(w, "north-lamp-works-2", other.Slug)
	},
	"an application is made once per key": func(w *world) {
		r := catalog.ApplySellerRequest{By: Person(), Key: Key(), Name: "Shop", Legal: Legal("Shop"), Currency: "EUR"}
		first, err := w.ApplySeller(w.Context(), r)
		require.NoError(w, err)
		again, err := w.ApplySeller(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Name = "Another"
		_, err = w.ApplySeller(w.Context(), r)
		w.refused(catalog.ErrKeyReused, err)
		r.By = Person()
		_, err = w.ApplySeller(w.Context(), r)
		require.NoError(w, err, "a key is its owner's")
	},
	"a refusal is remembered under its key": func(w *world) {
		taken, _ := w.seller("Shop")
		r := catalog.ApplySellerRequest{By: Person(), Key: Key(), Name: "Shop", Legal: Legal("Shop"), Currency: "EUR"}
		_, err := w.ApplySeller(w.Context(), r)
		w.refused(catalog.ErrNameTaken, err)
		_, err = w.EditSeller(w.Context(), catalog.EditSellerRequest{By: Staff(taken.ID), Key: Key(), Seller: taken.ID, Version: taken.Version, Name: "Renamed", Legal: Legal("x")})
		require.NoError(w, err)
		_, err = w.ApplySeller(w.Context(), r)
		w.refused(catalog.ErrNameTaken, err)
	},
	"operators move sellers along": func(w *world) {
		s, _ := w.apply("Shop")
		assert.Equal(w, catalog.SellerApproved, w.move(s.ID, catalog.SellerApproved).Status)
		got := w.move(s.ID, catalog.SellerSuspended)
		assert.Equal(w, catalog.SellerSuspended, got.Status)
		assert.Equal(w, "looked into it", got.Why)
		assert.Empty(w, w.sellers(actor.Nobody(), s.ID))
		assert.Equal(w, catalog.SellerApproved, w.move(s.ID, catalog.SellerApproved).Status)
		open := w.sellers(actor.Nobody(), s.ID)
		require.Len(w, open, 1)
		assert.Empty(w, open[0].AppliedBy, "who applied is not everyone's business")
		assert.Empty(w, open[0].Why)
	},
	"a seller cannot go everywhere from anywhere": func(w *world) {
		s, _ := w.apply("Shop")
		change := func(to catalog.SellerStatus) error {
			_, err := w.ChangeSellerStatus(w.Context(), catalog.ChangeSellerStatusRequest{By: Operator(), Key: Key(), Seller: s.ID, Status: to, Why: "why"})
			return err
		}
		w.refused(catalog.ErrSellerStatus, change(catalog.SellerSuspended))
		require.NoError(w, change(catalog.SellerApproved))
		w.refused(catalog.ErrSellerStatus, change(catalog.SellerApproved))
		w.invalid(change(catalog.SellerApplied), "status")
	},
	"an application is declined for a reason, which its applicant reads": func(w *world) {
		s, by := w.apply("Shop")
		decline := catalog.ChangeSellerStatusRequest{By: Operator(), Key: Key(), Seller: s.ID, Status: catalog.SellerDeclined}
		_, err := w.ChangeSellerStatus(w.Context(), decline)
		w.invalid(err, "why")
		decline.Why = "no imprint"
		first, err := w.ChangeSellerStatus(w.Context(), decline)
		require.NoError(w, err)
		assert.Equal(w, catalog.SellerDeclined, first.Seller.Status)
		again, err := w.ChangeSellerStatus(w.Context(), decline)
		require.NoError(w, err, "the same key declines once")
		assert.Equal(w, first, again)
		got := w.applications(by)
		require.Len(w, got, 1)
		assert.Equal(w, catalog.SellerDeclined, got[0].Status)
		assert.Equal(w, "no imprint", got[0].Why)
		assert.Equal(w, "Shop", got[0].Name)
		assert.Empty(w, w.sellers(actor.Nobody(), s.ID))
		for _, to := range []catalog.SellerStatus{catalog.SellerApproved, catalog.SellerSuspended, catalog.SellerDeclined} {
			_, err := w.ChangeSellerStatus(w.Context(), catalog.ChangeSellerStatusRequest{By: Operator(), Key: Key(), Seller: s.ID, Status: to, Why: "why"})
			w.refused(catalog.ErrSellerStatus, err)
		}
		_, err = w.EditSeller(w.Context(), catalog.EditSellerRequest{By: Operator(), Key: Key(), Seller: s.ID, Version: got[0].Version, Name: "Else", Legal: Legal("x")})
		w.refused(catalog.ErrSellerStatus, err)
		list, err := w.ListSellers(w.Context(), catalog.ListSellersRequest{By: Operator(), Status: catalog.SellerDeclined})
		require.NoError(w, err)
		assert.Len(w, list.Sellers, 1)
		list, err = w.ListSellers(w.Context(), catalog.ListSellersRequest{By: Operator(), Status: catalog.SellerSuspended})
		require.NoError(w, err)
		assert.Empty(w, list.Sellers)
	},
	"who was declined may apply again, by the same name": func(w *world) {
		s, by := w.apply("Shop")
		w.move(s.ID, catalog.SellerDeclined)
		for range 2 {
			w.clock.Advance(time.Minute)
			r := catalog.ApplySellerRequest{By: by, Key: Key(), Name: "Shop", Legal: Legal("Shop"), Currency: "EUR"}
			next, err := w.ApplySeller(w.Context(), r)
			require.NoError(w, err)
			assert.Equal(w, "shop", next.Seller.Slug, "the address is free, too")
			assert.Equal(w, next.Seller.ID, w.applications(by)[0].ID, "the newest first")
			w.move(next.Seller.ID, catalog.SellerDeclined)
		}
		other, _ := w.seller("shop")
		assert.Equal(w, "shop", other.Slug, "somebody else may have it now")
		names := []string{}
		r := catalog.ListSellersRequest{By: Operator(), Page: page.Request{Limit: 1}}
		for {
			reply, err := w.ListSellers(w.Context(), r)
			require.NoError(w, err)
			for _, s := range reply.Sellers {
				names = append(names, s.Name+" "+string(s.Status))
			}
			if r.Page.Cursor = reply.Next; reply.Next == "" {
				break
			}
		}
		assert.ElementsMatch(w, []string{"shop approved", "Shop declined", "Shop declined", "Shop declined"}, names)
	},
	"only what is not decided can be declined": func(w *world) {
		s, _ := w.seller("Shop")
		for _, status := range []catalog.SellerStatus{catalog.SellerApproved, catalog.SellerSuspended} {
			if status == catalog.SellerSuspended {
				w.move(s.ID, status)
			}
			_, err := w.ChangeSellerStatus(w.Context(), catalog.ChangeSellerStatusRequest{By: Operator(), Key: Key(), Seller: s.ID, Status: catalog.SellerDeclined, Why: "x"})
			w.refused(catalog.ErrSellerStatus, err)
		}
	},
	"one's own applications and nobody else's": func(w *world) {
		_, by := w.apply("Shop")
		w.apply("Of another")
		w.clock.Advance(time.Minute)
		_, err := w.ApplySeller(w.Context(), catalog.ApplySellerRequest{By: by, Key: Key(), Name: "Second", Legal: Legal("Second"), Currency: "EUR"})
		require.NoError(w, err)
		first, err := w.ListApplications(w.Context(), catalog.ListApplicationsRequest{By: by, Page: page.Request{Limit: 1}})
		require.NoError(w, err)
		require.Len(w, first.Sellers, 1)
		assert.Equal(w, "Second", first.Sellers[0].Name)
		assert.Equal(w, by.Person, first.Sellers[0].AppliedBy)
		rest, err := w.ListApplications(w.Context(), catalog.ListApplicationsRequest{By: by, Page: page.Request{Cursor: first.Next}})
		require.NoError(w, err)
		require.Len(w, rest.Sellers, 1)
		assert.Equal(w, "Shop", rest.Sellers[0].Name)
		assert.Empty(w, rest.Next)
		_, err = w.ListApplications(w.Context(), catalog.ListApplicationsRequest{By: Person(), Page: page.Request{Cursor: first.Next}})
		w.refused(page.ErrCursor, err)
		assert.Empty(w, w.applications(Person()))
		for _, by := range []actor.Actor{actor.Nobody(), actor.Guest("0123"), actor.System("")} {
			_, err := w.ListApplications(w.Context(), catalog.ListApplicationsRequest{By: by})
			w.refused(catalog.ErrForbidden, err)
		}
	},
	"only operators move sellers": func(w *world) {
		s, by := w.apply("Shop")
		for _, by := range []actor.Actor{actor.Nobody(), by, Staff(s.ID)} {
			_, err := w.ChangeSellerStatus(w.Context(), catalog.ChangeSellerStatusRequest{By: by, Key: Key(), Seller: s.ID, Status: catalog.SellerApproved})
			w.refused(catalog.ErrForbidden, err)
		}
		_, err := w.ChangeSellerStatus(w.Context(), catalog.ChangeSellerStatusRequest{By: Operator(), Key: Key(), Seller: catalog.SellerIDs.New(), Status: catalog.SellerApproved})
		w.refused(catalog.ErrNotFound, err)
		_, err = w.ChangeSellerStatus(w.Context(), catalog.ChangeSellerStatusRequest{By: Operator(), Seller: "x", Status: catalog.SellerSuspended})
		w.invalid(err, "key", "seller", "why")
	},
	"a seller's staff and operators edit it, by its version": func(w *world) {
		s, staff := w.seller("Shop")
		edit := func(by actor.Actor, version int64, name string) (catalog.Seller, error) {
			reply, err := w.EditSeller(w.Context(), catalog.EditSellerRequest{By: by, Key: Key(), Seller: s.ID, Version: version, Name: name, About: "New", Legal: Legal("New")})
			return reply.Seller, err
		}
		got, err := edit(staff, s.Version, "Shop Two")
		require.NoError(w, err)
		assert.Equal(w, "Shop Two", got.Name)
		assert.Equal(w, s.Slug, got.Slug, "addresses stay")
		assert.Greater(w, got.Version, s.Version)
		_, err = edit(staff, s.Version, "Shop Three")
		w.refused(catalog.ErrVersion, err)
		got, err = edit(Operator(), got.Version, "Shop Three")
		require.NoError(w, err)
		other, otherStaff := w.seller("Other")
		_, err = edit(otherStaff, other.Version, "Mine now")
		w.refused(catalog.ErrNotFound, err)
		_, err = edit(Person(), 1, "Mine now")
		w.refused(catalog.ErrForbidden, err)
		_, err = edit(staff, got.Version, "Other")
		w.refused(catalog.ErrNameTaken, err)
	},
	"sellers page by name, approved ones for the public": func(w *world) {
		for n := range 7 {
			w.seller(fmt.Sprintf("Shop %d", n))
		}
		w.apply("Shop unknown")
		names, next := []string{}, ""
		for {
			reply, err := w.ListSellers(w.Context(), catalog.ListSellersRequest{Page: page.Request{Cursor: next, Limit: 3}})
			require.NoError(w, err)
			for _, s := range reply.Sellers {
				names = append(names, s.Name)
			}
			if next = reply.Next; next == "" {
				break
			}
		}
		assert.Equal(w, []string{"Shop 0", "Shop 1", "Shop 2", "Shop 3", "Shop 4", "Shop 5", "Shop 6"}, names)
		all, err := w.ListSellers(w.Context(), catalog.ListSellersRequest{By: Operator(), Status: catalog.SellerApplied})
		require.NoError(w, err)
		require.Len(w, all.Sellers, 1)
		assert.Equal(w, "Shop unknown", all.Sellers[0].Name)
		some, err := w.ListSellers(w.Context(), catalog.ListSellersRequest{Text: "P 3"})
		require.NoError(w, err)
		require.Len(w, some.Sellers, 1)
	},
	"sellers in another order": func(w *world) {
		for _, name := range []string{"Shop b", "Shop a", "Shop c"} {
			w.seller(name)
			w.clock.Advance(time.Minute)
		}
		for order, want := range map[catalog.SellerSort]string{
			catalog.SellersByName: "abc", catalog.SellersByNameDown: "cba", catalog.SellersByAge: "bac", catalog.SellersByAgeDown: "cab",
		} {
			r, got := catalog.ListSellersRequest{Sort: &order, Page: page.Request{Limit: 1}}, ""
			for {
				reply, err := w.ListSellers(w.Context(), r)
				require.NoError(w, err)
				for _, s := range reply.Sellers {
					got += s.Name[len("Shop "):]
				}
				if r.Page.Cursor = reply.Next; reply.Next == "" {
					break
				}
			}
			assert.Equal(w, want, got, order)
		}
		by := catalog.SellersByAge
		reply, err := w.ListSellers(w.Context(), catalog.ListSellersRequest{Sort: &by, Page: page.Request{Limit: 1}})
		require.NoError(w, err)
		_, err = w.ListSellers(w.Context(), catalog.ListSellersRequest{Page: page.Request{Cursor: reply.Next}})
		w.refused(page.ErrCursor, err)
		by = "size"
		_, err = w.ListSellers(w.Context(), catalog.ListSellersRequest{Sort: &by})
		assert.Equal(w, errs.Invalid, errs.KindOf(err))
	},
	"a cursor belongs to its list": func(w *world) {
		for n := range 3 {
			w.seller(fmt.Sprintf("Shop %d", n))
		}
		reply, err := w.ListSellers(w.Context(), catalog.ListSellersRequest{Page: page.Request{Limit: 1}})
		require.NoError(w, err)
		_, err = w.ListSellers(w.Context(), catalog.ListSellersRequest{Text: "Shop", Page: page.Request{Cursor: reply.Next}})
		w.refused(page.ErrCursor, err)
	},
	"sellers are found by slug and count what they sell": func(w *world) {
		s, staff := w.seller("Shop")
		w.listing(staff, "Lamp", 1)
		got, err := w.GetSellers(w.Context(), catalog.GetSellersRequest{Slugs: []string{"shop", "none"}, IDs: []catalog.SellerID{s.ID, catalog.SellerIDs.New()}})
		require.NoError(w, err)
		require.Len(w, got.Sellers, 1)
		assert.Equal(w, int64(1), got.Sellers[0].ActiveCount)
	},
}

func (w *world) applications(by actor.Actor) []catalog.Seller {
	w.Helper()
	reply, err := w.ListApplications(w.Context(), catalog.ListApplicationsRequest{By: by})
	require.NoError(w, err)
	return reply.Sellers
}

func (w *world) sellers(by actor.Actor, ids ...catalog.SellerID) []catalog.Seller {
	w.Helper()
	reply, err := w.GetSellers(w.Context(), catalog.GetSellersRequest{By: by, IDs: ids})
	require.NoError(w, err)
	return reply.Sellers
}

var categoryTests = map[string]func(*world){
	"a category is made with all above it": func(w *world) {
		c := w.category(0, "Home", "Lighting", "Desk lamps")
		assert.Equal(w, "home/lighting/desk-lamps", c.Path)
		assert.Equal(w, int32(2), c.Depth)
		w.category(0, "Garden")
		w.category(0, "Home", "Kitchen")
		assert.Equal(w, []string{"garden", "home", "home/kitchen", "home/lighting", "home/lighting/desk-lamps"}, w.paths())
	},
	"making it again renames it": func(w *world) {
		made := w.category(40, "Home", "Desk lamps")
		again := w.category(0, "Home", "DESK LAMPS")
		assert.Equal(w, made.ID, again.ID)
		assert.Equal(w, "DESK LAMPS", again.Name)
		assert.Equal(w, int32(40), again.Hue)
		assert.Len(w, w.paths(), 2)
	},
	"children inherit the hue": func(w *world) {
		w.category(200, "Home")
		assert.Equal(w, int32(200), w.category(0, "Home", "Lighting").Hue)
	},
	"operators and the system alone": func(w *world) {
		for _, by := range []actor.Actor{actor.Nobody(), Person(), Staff(catalog.SellerIDs.New())} {
			_, err := w.PutCategory(w.Context(), catalog.PutCategoryRequest{By: by, Key: Key(), Names: []string{"Home"}})
			w.refused(catalog.ErrForbidden, err)
		}
		_, err := w.PutCategory(w.Context(), catalog.PutCategoryRequest{By: Operator(), Hue: 360})
		w.invalid(err, "key", "names", "hue")
	},
	"a category key is used once": func(w *world) {
		r := catalog.PutCategoryRequest{By: Operator(), Key: Key(), Names: []string{"Home"}}
		first, err := w.PutCategory(w.Context(), r)
		require.NoError(w, err)
		again, err := w.PutCategory(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Names = []string{"Garden"}
		_, err = w.PutCategory(w.Context(), r)
		w.refused(catalog.ErrKeyReused, err)
	},
}

func (w *world) category(hue int32, names ...string) catalog.Category {
	w.Helper()
	reply, err := w.PutCategory(w.Context(), catalog.PutCategoryRequest{By: Operator(), Key: Key(), Names: names, Hue: hue})
	require.NoError(w, err)
	return reply.Category
}

func (w *world) paths() []string {
	w.Helper()
	reply, err := w.ListCategories(w.Context(), catalog.ListCategoriesRequest{})
	require.NoError(w, err)
	var paths []string
	for _, c := range reply.Categories {
		paths = append(paths, c.Path)
	}
	return paths
}
