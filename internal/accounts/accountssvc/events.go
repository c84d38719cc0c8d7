package accountssvc

import (
	"context"
	"errors"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/bus"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// hearSellers follows catalog: who applied for a seller becomes its owner when it is approved.
func (s *Service) hearSellers(b *bus.Bus) *bus.Subscriber {
	sub := bus.NewSubscriber(b, "accounts.sellers", catalog.Log, s.db) // the name is a constant for ever
	bus.On(sub, func(tx *store.Tx, e catalog.SellerChanged) error {
		return s.sellerIs(tx, e.SellerID, e.Status, e.AppliedBy)
	})
	sub.OnPlaceGone(s.hearAgain)
	return sub
}

// sellerIs makes the applicant the owner the first time that the seller is approved. Sellers
// that nobody applied for (an import made them) get their owners from an operator.
func (s *Service) sellerIs(tx *store.Tx, seller catalog.SellerID, status catalog.SellerStatus, applicant id.Ref) error {
	if status != catalog.SellerApproved || !applicant.HasPrefix(accounts.PersonIDs.Prefix) {
		return nil
	}
	person := accounts.PersonID(applicant)
	first, err := insertAppointed(tx, seller, person, s.now())
	if err != nil || !first {
		return err
	}
	role := accounts.Role{Kind: accounts.RoleOwner, Seller: seller}
	return s.grant(tx, actor.System(applicant), person, role, "accounts.appoint_owner")
}

// hearAgain asks catalog for what events have been lost.
func (s *Service) hearAgain(ctx context.Context) error {
	if s.catalog == nil {
		return errors.New("accounts has nobody to ask for sellers")
	}
	ask := catalog.ListSellersRequest{By: actor.System(""), Status: catalog.SellerApproved, Page: page.Request{Limit: 100}}
	for {
		reply, err := s.catalog.ListSellers(ctx, ask)
		if err != nil {
			return err
		}
		var gone []catalog.SellerID
		err = s.db.Write(ctx, func(tx *store.Tx) error {
			gone = nil
			for _, seller := range reply.Sellers {
				err := tx.Savepoint(func() error { return s.sellerIs(tx, seller.ID, seller.Status, seller.AppliedBy) })
				if errors.Is(err, accounts.ErrNotFound) {
					gone = append(gone, seller.ID)
					continue
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, seller := range gone {
			s.log.Warn().Str("seller", string(seller)).Msg("the applicant of a seller is not there any more")
		}
		if reply.Next == "" {
			return nil
		}
		ask.Page.Cursor = reply.Next
	}
}
