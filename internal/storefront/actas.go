package storefront

import (
	"slices"
	"strings"
	"time"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/storefront/views"
)

// actTime is how long a browser remembers for which of several sellers its person acts. Whether
// it may is looked up in accounts for every request: the cookie only says which is meant.
const actTime = 90 * 24 * time.Hour

// errOtherShop answers a form that was filled in for another shop than the one acted for now.
var errOtherShop = errs.Refusal(errs.Conflict, "storefront.other_shop").
	With("this form was opened for another of your shops, perhaps in another window; switch to that shop and send it again")

// sameShop refuses a form that was made for another seller than the one that the caller
// acts for: the choice may have changed since, here or in another window.
func (v *visit) sameShop() error {
	if meant := v.field("for"); meant != "" && meant != string(v.by.Seller) {
		return errOtherShop
	}
	return nil
}

// shops are the sellers that the caller may act for, by name, the one acted for among them.
func (v *visit) shops() ([]catalog.Seller, error) {
	if v.staffOf != nil || v.by.Seller == "" {
		return v.staffOf, nil
	}
	ids := []catalog.SellerID{catalog.SellerID(v.by.Seller)}
	v.resolve()
	if v.person != nil {
		for _, role := range v.person.Roles {
			if role.Seller != "" && !slices.Contains(ids, role.Seller) && len(ids) < catalog.MaxBatch {
				ids = append(ids, role.Seller)
			}
		}
	}
	reply, err := v.Catalog.GetSellers(v.ctx(), catalog.GetSellersRequest{By: v.by, IDs: ids})
	if err != nil {
		return nil, err
	}
	for _, missing := range ids { // another shop of theirs that is suspended is not for these eyes
		if !slices.ContainsFunc(reply.Sellers, func(s catalog.Seller) bool { return s.ID == missing }) && missing != ids[0] {
			reply.Sellers = append(reply.Sellers, catalog.Seller{ID: missing, Name: "a suspended shop"})
		}
	}
	slices.SortStableFunc(reply.Sellers, func(a, b catalog.Seller) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	v.staffOf = reply.Sellers
	return v.staffOf, nil
}

// shopChoices are the sellers that the caller can choose between; none when there is no choice.
func (v *visit) shopChoices() []views.Choice {
	all, err := v.shops()
	if err != nil || len(all) < 2 {
		return nil
	}
	out := make([]views.Choice, len(all))
	for i, s := range all {
		out[i] = views.Choice{Value: string(s.ID), Text: s.Name, Chosen: id.RefOf(s.ID) == v.by.Seller}
	}
	return out
}

// actAs has the caller act for another of its sellers from now on.
func (v *visit) actAs() error {
	asked := catalog.SellerID(v.field("seller"))
	none := catalog.ErrNotFound.With("there is no such seller among yours")
	if !catalog.SellerIDs.Valid(asked) || v.sessionHash() == "" {
		return none
	}
	reply, err := v.Accounts.Resolve(v.ctx(), accounts.ResolveRequest{Session: v.sessionHash(), Seller: asked})
	if err != nil {
		return err
	}
	if reply.Actor.Seller != id.RefOf(asked) {
		return none
	}
	v.setCookie(httpx.SellerCookie, string(asked), actTime)
	v.by, v.staffOf = reply.Actor, nil
	said := views.Flash{Text: "You act for another shop now.", Tone: views.Good}
	if seller, err := v.ownSeller(); err == nil {
		said.Text = "You act for " + seller.Name + " now."
	}
	return v.done(views.PathSell, said)
}
