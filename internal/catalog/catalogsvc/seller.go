package catalogsvc

import (
	"fmt"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
)

// sellerMoves are the states that a seller can come to, and from where.
var sellerMoves = map[catalog.SellerStatus][]catalog.SellerStatus{
	catalog.SellerApproved:  {catalog.SellerApplied, catalog.SellerSuspended},
	catalog.SellerSuspended: {catalog.SellerApproved},
	catalog.SellerDeclined:  {catalog.SellerApplied},
}

// moveSeller brings s to status for a reason, or says why it cannot go there.
func moveSeller(s *catalog.Seller, status catalog.SellerStatus, why string) error {
	if !slices.Contains(sellerMoves[status], s.Status) {
		return catalog.ErrSellerStatus.With("the seller is %s and cannot become %s", s.Status, status)
	}
	s.Status, s.Why = status, why
	if status == catalog.SellerDeclined {
		s.Slug = strings.ReplaceAll(string(s.ID), "_", "-") // its address is free, as its name is: see keyOf
	}
	return nil
}

// keyOf is what a seller is listed by, and what no two have: the name, but for a declined
// application, whose name somebody else may have, with the id behind it.
func keyOf(s catalog.Seller) string {
	if s.Status == catalog.SellerDeclined {
		return nameKey(s.Name) + "\n" + string(s.ID)
	}
	return nameKey(s.Name)
}

// nameKey is equal for names that people would take for the same.
func nameKey(name string) string { return strings.Join(strings.Fields(strings.ToLower(name)), " ") }

// freeSlug is the slug for a name, with a number behind it when others have it already.
func freeSlug(name string, taken []string) string {
	slug := catalog.Slug(name)
	for n := 2; slices.Contains(taken, slug); n++ {
		slug = fmt.Sprintf("%s-%d", catalog.Slug(name), n)
	}
	return slug
}

// seesAll says whether by sees everything there is.
func seesAll(by actor.Actor) bool { return by.IsOperator() || by.IsSystem() }

// seesAllOf says whether by sees everything of the seller, and how much of each thing it has.
func seesAllOf(by actor.Actor, seller catalog.SellerID) bool {
	return seesAll(by) || by.SignedIn() && by.Seller != "" && by.Seller == id.RefOf(seller)
}

// manages says whether by may write in the seller's name. What belongs to another seller is
// not there for by.
func manages(by actor.Actor, seller catalog.SellerID) error {
	switch {
	case by.IsSystem():
		return nil
	case !by.SignedIn() || by.Seller == "" || !by.Has(actor.ScopeSell):
		return catalog.ErrForbidden.With("only staff of the seller may do this")
	case by.Seller != id.RefOf(seller):
		return catalog.ErrNotFound.With("there is no such thing among yours")
	}
	return nil
}

// managed is the seller in whose name by writes, "" for the system, which writes for all.
func managed(by actor.Actor) (catalog.SellerID, error) {
	if err := manages(by, catalog.SellerID(by.Seller)); err != nil {
		return "", err
	}
	if by.IsSystem() {
		return "", nil
	}
	return catalog.SellerID(by.Seller), nil
}

// sellerFor is s as by may see it.
func sellerFor(by actor.Actor, s catalog.Seller) catalog.Seller {
	if !sellerIsOpen(by, s) {
		s.AppliedBy, s.Why = "", ""
	}
	return s
}

// sellerIsOpen says whether by sees s whatever its status, and who applied.
func sellerIsOpen(by actor.Actor, s catalog.Seller) bool {
	return seesAllOf(by, s.ID) || by.SignedIn() && by.Person == s.AppliedBy
}
