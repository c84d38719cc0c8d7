package catalogtest

import (
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
)

var listingTests = map[string]func(*world){
	"a listing is made whole": func(w *world) {
		s, staff := w.seller("Shop")
		home := w.category(0, "Home", "Lamps")
		d := Draft("Desk lamp", 1250, 3)
		d.ExternalID, d.Category = "L-1", home.ID
		was := Euro(2000)
		d.Variants[0].WasPrice = &was
		d.Variants[0].Options = []catalog.Option{{Name: "Size", Value: "M"}}
		got := w.publish(staff, d)
		assert.Equal(w, catalog.ListingActive, got.Status)
		assert.Equal(w, s.ID, got.Seller)
		assert.Equal(w, "Shop", got.SellerName)
		assert.Equal(w, "shop", got.SellerSlug)
		assert.Equal(w, "home/lamps", got.Path)
		assert.Equal(w, catalog.ConditionNew, got.Condition)
		assert.Equal(w, catalog.TaxStandard, got.TaxClass)
		assert.Equal(w, int64(1), got.Version)
		assert.Equal(w, d.Attributes, got.Attributes)
		assert.Equal(w, d.Images, got.Images)
		require.Len(w, got.Variants, 1)
		v := got.Variants[0]
		assert.Equal(w, d.Variants[0].SKU, v.SKU)
		assert.Equal(w, d.Variants[0].Options, v.Options)
		assert.Equal(w, &was, v.WasPrice)
		assert.Equal(w, catalog.Stock{OnHand: 3, Available: 3}, v.Stock)
		assert.Equal(w, []catalog.Listing{got}, w.get(staff, got.ID))
	},
	"every bad field of a draft is named": func(w *world) {
		_, staff := w.seller("Shop")
		minus := int64(-1)
		_, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{By: staff, Key: Key(), Seller: catalog.SellerID(staff.Seller), Draft: catalog.Draft{
			Title: "  ", Category: "x",
			Images: []catalog.Image{{URL: "javascript:alert(1)"}}, Attributes: []catalog.Attribute{{}},
			Variants: []catalog.VariantDraft{
				{GTIN: "12", Price: Euro(-1), Grams: -1, Quantity: &minus},
				{Price: Euro(1), Options: []catalog.Option{{Name: "a"}}},
			},
		}})
		w.invalid(err, "draft.title", "draft.category", "draft.images[0].url", "draft.attributes[0].name",
			"draft.variants[0].gtin", "draft.variants[0].price", "draft.variants[0].grams", "draft.variants[0].quantity",
			"draft.variants[1].options[0].value")
		_, err = w.CreateListing(w.Context(), catalog.CreateListingRequest{By: staff, Seller: "x"})
		w.invalid(err, "key", "seller", "draft.variants")
	},
	"what only the catalog knows is checked too": func(w *world) {
		_, staff := w.seller("Shop")
		create := func(change func(*catalog.Draft)) error {
			d := Draft("Lamp", 1250, 1)
			change(&d)
			_, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{By: staff, Key: Key(), Seller: catalog.SellerID(staff.Seller), Draft: d})
			return err
		}
		w.invalid(create(func(d *catalog.Draft) { d.Category = catalog.CategoryIDs.New() }), "draft.category")
		w.invalid(create(func(d *catalog.Draft) { d.Variants[0].Price.Currency = "USD" }), "draft.variants[0].price")
		w.invalid(create(func(d *catalog.Draft) { d.Variants[0].ID = catalog.VariantIDs.New() }), "draft.variants[0].id")
	},
	"only staff of an approved seller list goods": func(w *world) {
		s, staff := w.seller("Shop")
		_, other := w.seller("Other")
		create := func(by actor.Actor) error {
			_, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{By: by, Key: Key(), Seller: s.ID, Draft: Draft("Lamp", 1, 1)})
			return err
		}
		w.refused(catalog.ErrForbidden, create(actor.Nobody()))
		w.refused(catalog.ErrForbidden, create(Person()))
		w.refused(catalog.ErrForbidden, create(Operator()))
		w.refused(catalog.ErrNotFound, create(other))
		shopper := staff
		shopper.Scopes = []actor.Scope{actor.ScopeRead, actor.ScopeShop}
		w.refused(catalog.ErrForbidden, create(shopper))
		waiting, _ := w.apply("Waiting")
		_, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{By: Staff(waiting.ID), Key: Key(), Seller: waiting.ID, Draft: Draft("Lamp", 1, 1)})
		w.refused(catalog.ErrSellerStatus, err)
	},
	"a listing is made once per key": func(w *world) {
		_, staff := w.seller("Shop")
		r := catalog.CreateListingRequest{By: staff, Key: Key(), Seller: catalog.SellerID(staff.Seller), Draft: Draft("Lamp", 1250, 1)}
		first, err := w.CreateListing(w.Context(), r)
		require.NoError(w, err)
		again, err := w.CreateListing(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Draft.Title = "Another"
		_, err = w.CreateListing(w.Context(), r)
		w.refused(catalog.ErrKeyReused, err)
	},
	"a SKU and an external id are one listing's": func(w *world) {
		_, staff := w.seller("Shop")
		_, otherStaff := w.seller("Other")
		d := Draft("Lamp", 1250, 1)
		d.ExternalID, d.Variants[0].SKU = "L-1", "SKU-1"
		w.publish(staff, d)
		w.publish(otherStaff, d)
		again := Draft("Lamp", 1250, 1)
		again.Variants[0].SKU = "SKU-1"
		_, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{By: staff, Key: Key(), Seller: catalog.SellerID(staff.Seller), Draft: again})
		assert.Contains(w, w.fields(catalog.ErrSKUTaken, err), "draft.variants[0].sku")
		again.Variants[0].SKU, again.ExternalID = "SKU-2", "L-1"
		_, err = w.CreateListing(w.Context(), catalog.CreateListingRequest{By: staff, Key: Key(), Seller: catalog.SellerID(staff.Seller), Draft: again})
		assert.Contains(w, w.fields(catalog.ErrSKUTaken, err), "draft.external_id")
	},
	"an edit matches variants by id, then by SKU, and withdraws the rest": func(w *world) {
		_, staff := w.seller("Shop")
		d := Draft("Shirt", 1250, 5)
		for n, size := range []string{"S", "M", "L"} {
			if n > 0 {
				d.Variants = append(d.Variants, catalog.VariantDraft{Price: Euro(1300)})
			}
			d.Variants[n].SKU, d.Variants[n].Options = "shirt-"+size, []catalog.Option{{Name: "Size", Value: size}}
		}
		made := w.publish(staff, d)
		small, medium, large := made.Variants[0], made.Variants[1], made.Variants[2]

		next := draftOf(made)
		next.Title = "Better shirt"
		next.Variants = []catalog.VariantDraft{
			{SKU: "shirt-L", Options: large.Options, Price: Euro(1500)},                    // by SKU
			{ID: small.ID, SKU: "shirt-small", Options: small.Options, Price: small.Price}, // by id, under a new SKU
			{SKU: "shirt-XL", Options: []catalog.Option{{Name: "Size", Value: "XL"}}, Price: Euro(1600)},
		}
		w.clock.Advance(time.Minute)
		got, err := w.edit(staff, made, next)
		require.NoError(w, err)
		assert.Equal(w, "Better shirt", got.Title)
		assert.Equal(w, made.Version+1, got.Version)
		assert.Equal(w, made.CreatedAt, got.CreatedAt)
		assert.Equal(w, w.clock.Now(), got.ChangedAt)
		require.Len(w, got.Variants, 4)
		assert.Equal(w, large.ID, got.Variants[0].ID)
		assert.Equal(w, Euro(1500), got.Variants[0].Price)
		assert.Equal(w, small.ID, got.Variants[1].ID)
		assert.Equal(w, int64(5), got.Variants[1].Stock.OnHand, "an edit without a quantity leaves stock untouched")
		assert.Equal(w, medium.ID, got.Variants[3].ID)
		assert.True(w, got.Variants[3].Withdrawn)

		public := w.get(actor.Nobody(), made.ID)
		require.Len(w, public, 1)
		assert.Len(w, public[0].Variants, 3, "the public sees no withdrawn variant")
		assert.False(w, w.offer(medium.ID).ForSale)

		again := draftOf(got)
		again.Variants = append(again.Variants, catalog.VariantDraft{SKU: "shirt-M", Options: medium.Options, Price: medium.Price})
		got, err = w.edit(staff, got, again)
		require.NoError(w, err)
		assert.Equal(w, medium.ID, got.Variants[3].ID, "a withdrawn variant comes back under its own id")
		assert.False(w, got.Variants[3].Withdrawn)
	},
	"an edit that swaps two SKUs is no conflict": func(w *world) {
		_, staff := w.seller("Shop")
		d := Draft("Shirt", 1250, 5)
		d.Variants[0].SKU, d.Variants[0].Options = "a", []catalog.Option{{Name: "Size", Value: "S"}}
		d.Variants = append(d.Variants, catalog.VariantDraft{SKU: "b", Options: []catalog.Option{{Name: "Size", Value: "M"}}, Price: Euro(1)})
		made := w.publish(staff, d)
		next := draftOf(made)
		next.Variants[0].SKU, next.Variants[1].SKU = "b", "a"
		got, err := w.edit(staff, made, next)
		require.NoError(w, err)
		assert.Equal(w, made.Variants[0].ID, got.Variants[0].ID)
		assert.Equal(w, "b", got.Variants[0].SKU)
	},
	"an edit needs the version that it was made from": func(w *world) {
		_, staff := w.seller("Shop")
		made := w.listing(staff, "Lamp", 1)
		first, err := w.edit(staff, made, draftOf(made))
		require.NoError(w, err)
		_, err = w.edit(staff, made, draftOf(made))
		w.refused(catalog.ErrVersion, err)
		_, err = w.edit(staff, first, draftOf(first))
		require.NoError(w, err)
	},
	"sales do not get in the way of an edit": func(w *world) {
		_, staff := w.seller("Shop")
		made := w.listing(staff, "Lamp", 1)
		w.reserve(Key(), w.clock.Now().Add(time.Hour), items(made, 1))
		_, err := w.edit(staff, made, draftOf(made))
		require.NoError(w, err)
	},
	"an edit can count stock": func(w *world) {
		_, staff := w.seller("Shop")
		made := w.listing(staff, "Lamp", 4)
		next := draftOf(made)
		nine := int64(9)
		next.Variants[0].Quantity = &nine
		got, err := w.edit(staff, made, next)
		require.NoError(w, err)
		assert.Equal(w, int64(9), got.Variants[0].Stock.OnHand)
	},
	"someone else's listing is not found": func(w *world) {
		_, staff := w.seller("Shop")
		_, other := w.seller("Other")
		made := w.listing(staff, "Lamp", 1)
		_, err := w.edit(other, made, draftOf(made))
		w.refused(catalog.ErrNotFound, err)
		_, err = w.edit(Person(), made, draftOf(made))
		w.refused(catalog.ErrForbidden, err)
		_, err = w.status(other, made.ID, catalog.ListingArchived)
		w.refused(catalog.ErrNotFound, err)
		_, err = w.status(staff, catalog.ListingIDs.New(), catalog.ListingArchived)
		w.refused(catalog.ErrNotFound, err)
		next := draftOf(made)
		next.Variants[0].ID = w.listing(other, "Chair", 1).Variants[0].ID
		_, err = w.edit(staff, made, next)
		w.invalid(err, "draft.variants[0].id")
	},
	"a listing is published, archived and restored": func(w *world) {
		_, staff := w.seller("Shop")
		reply, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{By: staff, Key: Key(), Seller: catalog.SellerID(staff.Seller), Draft: Draft("Lamp", 1, 1)})
		require.NoError(w, err)
		l := reply.Listing
		assert.Equal(w, catalog.ListingDraft, l.Status)
		assert.Empty(w, w.get(actor.Nobody(), l.ID))
		assert.Len(w, w.get(staff, l.ID), 1)
		_, err = w.status(staff, l.ID, catalog.ListingArchived)
		w.refused(catalog.ErrListingStatus, err)
		for _, to := range []catalog.ListingStatus{catalog.ListingActive, catalog.ListingArchived, catalog.ListingActive} {
			l, err = w.status(staff, l.ID, to)
			require.NoError(w, err)
			assert.Equal(w, to, l.Status)
			_, err = w.status(staff, l.ID, to)
			w.refused(catalog.ErrListingStatus, err)
		}
		_, err = w.status(staff, l.ID, catalog.ListingDraft)
		w.invalid(err, "status")
		stale := l.Version - 1
		_, err = w.ChangeListingStatus(w.Context(), catalog.ChangeListingStatusRequest{By: staff, Key: Key(), Listing: l.ID, Status: catalog.ListingArchived, Version: &stale})
		w.refused(catalog.ErrVersion, err)
	},
	"what a caller does to a reply stays with the caller": func(w *world) {
		_, staff := w.seller("Shop")
		made := w.listing(staff, "Lamp", 1)
		got := w.get(staff, made.ID)[0]
		got.Attributes[0].Value, got.Variants[0].SKU, got.Images[0].URL = "gone", "gone", "gone"
		assert.Equal(w, []catalog.Listing{made}, w.get(staff, made.ID))
	},
}

func (w *world) edit(by actor.Actor, l catalog.Listing, d catalog.Draft) (catalog.Listing, error) {
	reply, err := w.EditListing(w.Context(), catalog.EditListingRequest{By: by, Key: Key(), Listing: l.ID, Version: l.Version, Draft: d})
	return reply.Listing, err
}

func (w *world) status(by actor.Actor, l catalog.ListingID, to catalog.ListingStatus) (catalog.Listing, error) {
	reply, err := w.ChangeListingStatus(w.Context(), catalog.ChangeListingStatusRequest{By: by, Key: Key(), Listing: l, Status: to})
	return reply.Listing, err
}

var readTests = map[string]func(*world){
	"listings come in the order asked for, as far as one may see them": func(w *world) {
		s, staff := w.seller("Shop")
		a, b := w.listing(staff, "A", 1), w.listing(staff, "B", 1)
		ids := []catalog.ListingID{b.ID, catalog.ListingIDs.New(), a.ID}
		got := w.get(actor.Nobody(), ids...)
		require.Len(w, got, 2)
		assert.Equal(w, b.ID, got[0].ID)
		assert.Equal(w, catalog.Stock{Available: 1}, got[0].Variants[0].Stock, "how much lies on the shelf is the seller's business")
		w.move(s.ID, catalog.SellerSuspended)
		assert.Empty(w, w.get(actor.Nobody(), ids...))
		assert.Empty(w, w.get(Person(), ids...))
		for _, by := range []actor.Actor{staff, Operator(), actor.System("")} {
			assert.Len(w, w.get(by, ids...), 2)
		}
	},
	"too many at once are refused": func(w *world) {
		_, err := w.GetListings(w.Context(), catalog.GetListingsRequest{IDs: make([]catalog.ListingID, catalog.MaxBatch+1)})
		w.invalid(err, "ids")
		_, err = w.GetOffers(w.Context(), catalog.GetOffersRequest{Variants: make([]catalog.VariantID, catalog.MaxOffers+1)})
		w.invalid(err, "variants")
	},
	"a renamed seller is renamed on its listings": func(w *world) {
		s, staff := w.seller("Shop")
		made := w.listing(staff, "Lamp", 1)
		w.get(actor.Nobody(), made.ID)
		_, err := w.EditSeller(w.Context(), catalog.EditSellerRequest{By: staff, Key: Key(), Seller: s.ID, Version: s.Version, Name: "Renamed", Legal: s.Legal})
		require.NoError(w, err)
		assert.Equal(w, "Renamed", w.get(actor.Nobody(), made.ID)[0].SellerName)
		assert.Equal(w, "Renamed", w.offer(made.Variants[0].ID).SellerName)
	},
	"one seller's listings in another order": func(w *world) {
		s, staff := w.seller("Shop")
		_, other := w.seller("Other")
		w.publish(other, Draft("x", 1, 1))
		for _, one := range []struct {
			title           string
			price, quantity int64
		}{{"b", 300, 0}, {"A", 200, 7}, {"c", 100, 3}} {
			w.publish(staff, Draft(one.title, one.price, one.quantity))
			w.clock.Advance(time.Minute)
		}
		w.clock.Advance(time.Minute)
		draft, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{By: staff, Key: Key(), Seller: s.ID, Draft: Draft("d", 400, 7)})
		require.NoError(w, err)
		list := func(order catalog.ListingSort) string {
			r, got := catalog.ListListingsRequest{By: staff, Seller: s.ID, Sort: &order, Page: page.Request{Limit: 1}}, ""
			for {
				reply, err := w.ListListings(w.Context(), r)
				require.NoError(w, err)
				for _, l := range reply.Listings {
					got += l.Title
				}
				if r.Page.Cursor = reply.Next; reply.Next == "" {
					return got
				}
			}
		}
		for order, want := range map[catalog.ListingSort]string{
			catalog.ListingsNewest: "dcAb", catalog.ListingsByTitle: "Abcd", catalog.ListingsByTitleDown: "dcbA", catalog.ListingsByPrice: "cAbd",
			catalog.ListingsByPriceDown: "dbAc", catalog.ListingsByEdit: "bAcd", catalog.ListingsByEditDown: "dcAb",
		} {
			assert.Equal(w, want, list(order), order)
		}
		assert.Regexp(w, "^bc(Ad|dA)$", list(catalog.ListingsByStock))
		assert.Regexp(w, "^(Ad|dA)cb$", list(catalog.ListingsByStockDown))
		assert.Regexp(w, "^[Abc]{3}d$", list(catalog.ListingsByState))
		assert.Regexp(w, "^d[Abc]{3}$", list(catalog.ListingsByStateDown))
		for _, order := range catalog.ListingSorts() {
			assert.Len(w, list(order), 4, order)
		}

		byPrice, wrong := catalog.ListingsByPrice, catalog.ListingSort("size")
		public, err := w.ListListings(w.Context(), catalog.ListListingsRequest{Seller: s.ID, Sort: &byPrice})
		require.NoError(w, err)
		assert.Len(w, public.Listings, 3, "who sees what is as ever")
		assert.NotEqual(w, draft.Listing.ID, public.Listings[2].ID)
		_, err = w.ListListings(w.Context(), catalog.ListListingsRequest{Sort: &byPrice})
		w.invalid(err, "sort")
		_, err = w.ListListings(w.Context(), catalog.ListListingsRequest{Seller: s.ID, Sort: &wrong})
		assert.Equal(w, errs.Invalid, errs.KindOf(err))
		one, err := w.ListListings(w.Context(), catalog.ListListingsRequest{By: staff, Seller: s.ID, Sort: &byPrice, Page: page.Request{Limit: 1}})
		require.NoError(w, err)
		_, err = w.ListListings(w.Context(), catalog.ListListingsRequest{By: staff, Seller: s.ID, Page: page.Request{Cursor: one.Next}})
		w.refused(page.ErrCursor, err)
	},
	"listings page newest first and stay where they are": func(w *world) {
		_, staff := w.seller("Shop")
		var made []catalog.ListingID
		for n := range 7 {
			made = append(made, w.listing(staff, "Lamp", 1).ID)
			if n%2 == 1 { // some in the same moment
				w.clock.Advance(time.Second)
			}
		}
		var got []catalog.ListingID
		next := ""
		for {
			reply, err := w.ListListings(w.Context(), catalog.ListListingsRequest{Page: page.Request{Cursor: next, Limit: 2}})
			require.NoError(w, err)
			for _, l := range reply.Listings {
				got = append(got, l.ID)
			}
			if len(got) == 2 {
				w.listing(staff, "Later", 1) // does not shift what follows
			}
			if next = reply.Next; next == "" {
				break
			}
		}
		assert.ElementsMatch(w, made, got)
		assert.ElementsMatch(w, made[4:6], got[1:3], "later ones before earlier ones")
	},
	"listings are filtered": func(w *world) {
		s, staff := w.seller("Shop")
		_, other := w.seller("Other")
		home, lamps := w.category(0, "Home"), w.category(0, "Home", "Lamps")
		w.category(0, "Homestead")
		d := Draft("Green lamp", 1, 1)
		d.Category, d.ExternalID = lamps.ID, "EXT-7"
		lamp := w.publish(staff, d)
		d = Draft("100% chair", 1, 1)
		d.Category, d.Variants[0].SKU = home.ID, "chair_1"
		chair := w.publish(staff, d)
		d = Draft("Äpfel aus Boskoop", 1, 1)
		d.Category = w.category(0, "Fruit").ID
		apples := w.publish(staff, d)
		d = Draft("Fence", 1, 1)
		d.Category = w.category(0, "Homestead").ID
		fence := w.publish(other, d)
		draft, err := w.CreateListing(w.Context(), catalog.CreateListingRequest{By: staff, Key: Key(), Seller: s.ID, Draft: Draft("Hidden", 1, 1)})
		require.NoError(w, err)

		list := func(r catalog.ListListingsRequest) []catalog.ListingID {
			reply, err := w.ListListings(w.Context(), r)
			require.NoError(w, err)
			ids := []catalog.ListingID{}
			for _, l := range reply.Listings {
				ids = append(ids, l.ID)
			}
			return ids
		}
		assert.ElementsMatch(w, []catalog.ListingID{lamp.ID, chair.ID, apples.ID, fence.ID}, list(catalog.ListListingsRequest{}))
		assert.ElementsMatch(w, []catalog.ListingID{lamp.ID, chair.ID}, list(catalog.ListListingsRequest{Path: "home"}))
		assert.ElementsMatch(w, []catalog.ListingID{lamp.ID}, list(catalog.ListListingsRequest{Path: "home/lamps"}))
		assert.ElementsMatch(w, []catalog.ListingID{fence.ID}, list(catalog.ListListingsRequest{Seller: fence.Seller}))
		assert.Empty(w, list(catalog.ListListingsRequest{Status: catalog.ListingDraft}))
		assert.ElementsMatch(w, []catalog.ListingID{draft.Listing.ID}, list(catalog.ListListingsRequest{By: staff, Status: catalog.ListingDraft}))
		assert.Len(w, list(catalog.ListListingsRequest{By: staff}), 5, "staff see the public's and their own")
		for text, want := range map[string]catalog.ListingID{"ext-7": lamp.ID, "GREEN": lamp.ID, "100%": chair.ID, "chair_": chair.ID, "Äpfel": apples.ID, "ÄPFEL": apples.ID} {
			assert.Equal(w, []catalog.ListingID{want}, list(catalog.ListListingsRequest{By: staff, Seller: s.ID, Text: text}), text)
		}
		assert.Empty(w, list(catalog.ListListingsRequest{By: staff, Seller: s.ID, Text: "_lamp"}))
		_, err = w.ListListings(w.Context(), catalog.ListListingsRequest{Text: "lamp"})
		w.invalid(err, "text")
	},
	"an offer has what a buyer needs to know": func(w *world) {
		s, staff := w.seller("Shop")
		d := Draft("Lamp", 1250, 3)
		d.Category = w.category(0, "Home").ID
		l := w.publish(staff, d)
		v := l.Variants[0]
		got := w.offer(v.ID)
		assert.Equal(w, catalog.Offer{
			Variant: v.ID, Listing: l.ID, Seller: s.ID, SellerName: "Shop", SellerSlug: "shop", Legal: s.Legal, Commission: s.Commission,
			Title: "Lamp", SKU: v.SKU, Image: d.Images[0].URL, Path: "home", Price: v.Price, TaxClass: catalog.TaxStandard, Grams: 400,
			Available: 3, ForSale: true,
		}, withoutEmpty(got))
	},
	"an offer is there also when it cannot be bought": func(w *world) {
		s, staff := w.seller("Shop")
		a, b, c := w.listing(staff, "A", 1), w.listing(staff, "B", 0), w.listing(staff, "C", 1)
		_, err := w.status(staff, a.ID, catalog.ListingArchived)
		require.NoError(w, err)
		reply, err := w.GetOffers(w.Context(), catalog.GetOffersRequest{Variants: []catalog.VariantID{
			c.Variants[0].ID, catalog.VariantIDs.New(), b.Variants[0].ID, a.Variants[0].ID,
		}})
		require.NoError(w, err)
		require.Len(w, reply.Offers, 3)
		assert.Equal(w, c.Variants[0].ID, reply.Offers[0].Variant)
		assert.True(w, reply.Offers[0].ForSale)
		assert.True(w, reply.Offers[1].ForSale, "sold out is not withdrawn")
		assert.Zero(w, reply.Offers[1].Available)
		assert.False(w, reply.Offers[2].ForSale)
		w.move(s.ID, catalog.SellerSuspended)
		assert.False(w, w.offer(c.Variants[0].ID).ForSale)
	},
	"long texts come back as they were": func(w *world) {
		_, staff := w.seller("Shop")
		d := Draft("Grün „Lampe“ 17\" <b>", 1, 1)
		d.Description = strings.Repeat("Zeile\n", 1000)
		got := w.publish(staff, d)
		assert.Equal(w, d.Title, got.Title)
		assert.Equal(w, strings.TrimSpace(d.Description), got.Description)
	},
}

// withoutEmpty makes empty the same as nil.
func withoutEmpty(o catalog.Offer) catalog.Offer {
	if len(o.Options) == 0 {
		o.Options = nil
	}
	return o
}
