package catalogtest

import (
	"cmp"
	"context"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
)

// AddSeller puts an approved seller there, without a request.
func (f *Fake) AddSeller(s catalog.Seller) catalog.Seller {
	f.mu.Lock()
	defer f.mu.Unlock()
	made := f.newSeller(s.Name, cmp.Or(s.Currency, "EUR"), s.Legal)
	delete(f.sellers, made.ID)
	made.ID, made.Status, made.About = cmp.Or(s.ID, made.ID), catalog.SellerApproved, s.About
	made.Commission, made.AppliedBy = cmp.Or(s.Commission, made.Commission), s.AppliedBy
	f.sellers[made.ID] = made
	f.sellerChanged(made)
	return *made
}

// AddListing puts an active listing there as CreateListing would. It panics on a draft that
// CreateListing would refuse.
func (f *Fake) AddListing(seller catalog.SellerID, d catalog.Draft) catalog.Listing {
	reply, err := f.CreateListing(context.Background(), catalog.CreateListingRequest{
		By: actor.System(""), Key: id.New("key_"), Seller: seller, Draft: d, Publish: true,
	})
	if err != nil {
		panic("catalogtest: " + err.Error())
	}
	return reply.Listing
}
