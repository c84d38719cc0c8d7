package catalogsvc

import (
	"context"
	"fmt"
	"slices"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// CreateListing makes a draft, or an active listing.
func (s *Service) CreateListing(ctx context.Context, r catalog.CreateListingRequest) (_ catalog.ListingReply, err error) {
	defer s.done("create_listing", &err)
	if err := r.Validate(); err != nil {
		return catalog.ListingReply{}, err
	}
	if err := manages(r.By, r.Seller); err != nil {
		return catalog.ListingReply{}, err
	}
	by, key := r.By, r.Key
	r.By, r.Key, r.Draft = actor.Actor{}, "", r.Draft.Normal()
	return once(ctx, s, command{By: by, Operation: "catalog.create_listing", Key: key, Body: r}, func(w *work) (string, error) {
		seller, err := selectSeller(w, r.Seller)
		if err != nil {
			return "", err
		}
		l := &listing{SellerStatus: seller.Status, Listing: catalog.Listing{
			ID: w.ids.listing(), Seller: seller.ID, Status: catalog.ListingDraft, CreatedAt: w.Now(),
		}}
		if err := l.mayPublish(); err != nil {
			return "", err
		}
		if r.Publish {
			l.Status = catalog.ListingActive
		}
		if err := w.fill(by, l, r.Draft, seller, 0); err != nil {
			return "", err
		}
		return string(l.ID), w.auditListing(by, "catalog.create_listing", nil, l)
	}, listingReply(by))
}

// fill makes l what the draft says, stores it, counts its stock and says so. was is the
// version that l was loaded with.
func (w *work) fill(by actor.Actor, l *listing, d catalog.Draft, seller catalog.Seller, was int64) error {
	path, found, err := pathOf(w, d.Category)
	if err != nil {
		return err
	}
	if !found {
		return oneField("draft.category", "is not there")
	}
	counts, err := l.replace(d, seller.Currency, w.ids.variant, w.Now())
	if err != nil {
		return err
	}
	l.Path = path
	if err := w.checkTaken(l, d); err != nil {
		return err
	}
	l.Revision++
	if err := storeListing(w.Tx, l, was); err != nil {
		return err
	}
	if err := w.countAll(by, l, counts); err != nil {
		return err
	}
	w.touch(l.ID)
	return w.Publish(l.changed())
}

// checkTaken refuses a SKU or an external id that another listing of the seller has.
func (w *work) checkTaken(l *listing, d catalog.Draft) error {
	skus := make([]string, len(d.Variants))
	for i, v := range d.Variants {
		skus[i] = v.SKU
	}
	sku, err := skuTaken(w, l.Seller, skus, l.ID)
	if err != nil {
		return err
	}
	if sku != "" {
		field := fmt.Sprintf("draft.variants[%d].sku", slices.Index(skus, sku))
		return catalog.ErrSKUTaken.With("another listing of yours has the SKU %s", sku).WithField(field, "is taken")
	}
	taken, err := externalTaken(w, l.Seller, l.ExternalID, l.ID)
	if err != nil {
		return err
	}
	if taken {
		return catalog.ErrSKUTaken.With("another listing of yours has the id %s", l.ExternalID).WithField("draft.external_id", "is taken")
	}
	return nil
}

// countAll books counts made now, and puts the new stock into l.
func (w *work) countAll(by actor.Actor, l *listing, counts map[catalog.VariantID]int64) error {
	var moves []catalog.Movement
	for i := range l.Variants {
		v := &l.Variants[i]
		n, ok := counts[v.ID]
		if !ok {
			continue
		}
		m := catalog.Movement{Variant: v.ID, Kind: catalog.MoveCount, OnHand: n - v.Stock.OnHand, By: by.Person, Why: "counted with the listing"}
		moves = append(moves, m)
		v.Stock = afterMove(v.Stock, m)
		if err := noteCount(w.Tx, v.ID, w.Now()); err != nil {
			return err
		}
	}
	return book(w.Tx, moves)
}

func (w *work) auditListing(by actor.Actor, action string, before, after *listing) error {
	a := store.Audit{By: by, Action: action, Subject: string(after.ID), After: auditText(summary(after))}
	if before != nil {
		a.Before = auditText(summary(before))
	}
	return w.Audit(a)
}

// summary is what an audit row keeps of a listing: enough to see what was done.
func summary(l *listing) any {
	type variant struct {
		ID        catalog.VariantID `json:"id"`
		SKU       string            `json:"sku"`
		Price     string            `json:"price"`
		Withdrawn bool              `json:"withdrawn"`
	}
	variants := make([]variant, len(l.Variants))
	for i, v := range l.Variants {
		variants[i] = variant{ID: v.ID, SKU: v.SKU, Price: v.Price.String(), Withdrawn: v.Withdrawn}
	}
	return struct {
		Title    string                `json:"title"`
		Status   catalog.ListingStatus `json:"status"`
		Version  int64                 `json:"version"`
		Variants []variant             `json:"variants"`
	}{l.Title, l.Status, l.Version, variants}
}

// listingReply makes the reply to a command about a listing.
func listingReply(by actor.Actor) func(w *work, lid string) (catalog.ListingReply, error) {
	return func(w *work, lid string) (catalog.ListingReply, error) {
		l, err := listingIn(w.Tx, by, catalog.ListingID(lid))
		return catalog.ListingReply{Listing: l}, err
	}
}

// EditListing replaces what a listing says.
func (s *Service) EditListing(ctx context.Context, r catalog.EditListingRequest) (_ catalog.ListingReply, err error) {
	defer s.done("edit_listing", &err)
	if err := r.Validate(); err != nil {
		return catalog.ListingReply{}, err
	}
	own, err := managed(r.By)
	if err != nil {
		return catalog.ListingReply{}, err
	}
	by, key := r.By, r.Key
	r.By, r.Key, r.Draft = actor.Actor{}, "", r.Draft.Normal()
	return once(ctx, s, command{By: by, Operation: "catalog.edit_listing", Key: key, Body: r}, func(w *work) (string, error) {
		l, err := selectOwn(w, r.Listing, own)
		if err != nil {
			return "", err
		}
		if l.Version != r.Version {
			return "", catalog.ErrVersion.With("the listing was changed in the meantime; load it again")
		}
		before := *l
		seller, err := selectSeller(w, l.Seller)
		if err != nil {
			return "", err
		}
		if err := w.fill(by, l, r.Draft, seller, r.Version); err != nil {
			return "", err
		}
		return string(l.ID), w.auditListing(by, "catalog.edit_listing", &before, l)
	}, listingReply(by))
}

// ChangeListingStatus publishes, archives or restores.
func (s *Service) ChangeListingStatus(ctx context.Context, r catalog.ChangeListingStatusRequest) (_ catalog.ListingReply, err error) {
	defer s.done("change_listing_status", &err)
	if err := r.Validate(); err != nil {
		return catalog.ListingReply{}, err
	}
	own, err := managed(r.By)
	if err != nil {
		return catalog.ListingReply{}, err
	}
	by, key := r.By, r.Key
	r.By, r.Key = actor.Actor{}, ""
	return once(ctx, s, command{By: by, Operation: "catalog.change_listing_status", Key: key, Body: r}, func(w *work) (string, error) {
		l, err := selectOwn(w, r.Listing, own)
		if err != nil {
			return "", err
		}
		if r.Version != nil && *r.Version != l.Version {
			return "", catalog.ErrVersion.With("the listing was changed in the meantime; load it again")
		}
		before := *l
		if err := l.moveTo(r.Status, w.Now()); err != nil {
			return "", err
		}
		l.Revision++
		if err := updateStatus(w.Tx, l); err != nil {
			return "", err
		}
		w.touch(l.ID)
		if err := w.Publish(l.changed()); err != nil {
			return "", err
		}
		return string(l.ID), w.auditListing(by, "catalog.change_listing_status", &before, l)
	}, listingReply(by))
}

// GetListings reads listings in batch.
func (s *Service) GetListings(ctx context.Context, r catalog.GetListingsRequest) (catalog.GetListingsReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.GetListingsReply{}, err
	}
	found, err := s.load(ctx, r.IDs)
	if err != nil {
		return catalog.GetListingsReply{}, err
	}
	reply := catalog.GetListingsReply{Listings: make([]catalog.Listing, 0, len(found))}
	for _, lid := range r.IDs {
		snap := found[lid]
		if snap == nil {
			continue
		}
		delete(found, lid) // once each
		if l, ok := snap.seenBy(r.By); ok {
			reply.Listings = append(reply.Listings, l)
		}
	}
	return reply, nil
}

// ListListings pages through listings.
func (s *Service) ListListings(ctx context.Context, r catalog.ListListingsRequest) (catalog.ListListingsReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ListListingsReply{}, err
	}
	all, own := seesAll(r.By), catalog.SellerID("")
	if !all && seesAllOf(r.By, catalog.SellerID(r.By.Seller)) {
		own = catalog.SellerID(r.By.Seller)
	}
	filter := []any{"listings", all, own, r.Seller, r.Status, r.Path, r.Text}
	if r.Sort != nil && *r.Sort != catalog.ListingsNewest {
		return s.sortedListings(ctx, r, listingScope{all: all, own: own}, append(filter, *r.Sort))
	}
	var before *listingKey
	if _, err := r.Page.After(filter, &before); err != nil {
		return catalog.ListListingsReply{}, err
	}
	size, now := r.Page.Size(20, catalog.MaxPage), s.now()
	var found []*snapshot
	err := s.db.Read(ctx, func(q store.Queryer) error {
		read, err := listListings(q, r, listingScope{all: all, own: own}, before, size)
		if err != nil {
			return err
		}
		found, err = snapshots(q, read, now)
		return err
	})
	if err != nil {
		return catalog.ListListingsReply{}, err
	}
	found, next, err := cut(found, size, filter, func(last *snapshot) any { return listingKey{CreatedAt: last.CreatedAt, ID: last.ID} })
	if err != nil {
		return catalog.ListListingsReply{}, err
	}
	return listed(r, found, next), nil
}

// listed is a page as the caller may see it.
func listed(r catalog.ListListingsRequest, found []*snapshot, next string) catalog.ListListingsReply {
	reply := catalog.ListListingsReply{Listings: make([]catalog.Listing, 0, len(found)), Next: next}
	for _, snap := range found {
		if l, ok := snap.seenBy(r.By); ok {
			reply.Listings = append(reply.Listings, l)
		}
	}
	return reply
}

// GetOffers reads variants as something to buy.
func (s *Service) GetOffers(ctx context.Context, r catalog.GetOffersRequest) (catalog.GetOffersReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.GetOffersReply{}, err
	}
	now := s.now()
	offers := make(map[catalog.VariantID]catalog.Offer, len(r.Variants))
	var missing []catalog.VariantID
	for _, vid := range r.Variants {
		if o, ok := s.keptOffer(vid, now); ok {
			offers[vid] = o
		} else {
			missing = append(missing, vid)
		}
	}
	if len(missing) > 0 {
		err := s.db.Read(ctx, func(q store.Queryer) error {
			read, err := selectOffers(q, missing, now)
			for vid, o := range read {
				offers[vid] = o
			}
			return err
		})
		if err != nil {
			return catalog.GetOffersReply{}, err
		}
	}
	reply := catalog.GetOffersReply{Offers: make([]catalog.Offer, 0, len(offers))}
	for _, vid := range r.Variants {
		if o, ok := offers[vid]; ok {
			reply.Offers = append(reply.Offers, o)
			delete(offers, vid) // once each
		}
	}
	return reply, nil
}

// keptOffer is the offer of a variant whose listing is in memory.
func (s *Service) keptOffer(vid catalog.VariantID, now clock.Time) (catalog.Offer, bool) {
	snap := s.cache.byVariant(vid, now)
	if snap == nil {
		return catalog.Offer{}, false
	}
	for _, v := range snap.Variants {
		if v.ID == vid {
			return snap.offer(v), true
		}
	}
	return catalog.Offer{}, false
}
