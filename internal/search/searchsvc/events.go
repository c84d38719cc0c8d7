package searchsvc

import (
	"souk/internal/catalog"
	"souk/internal/platform/bus"
	"souk/internal/platform/store"
)

// subscriberName is fixed for ever: the cursor hangs on it.
const subscriberName = "search.catalog"

// hear follows catalog's log.
func (s *Service) hear(b *bus.Bus) {
	s.subscriber = bus.NewSubscriber(b, subscriberName, catalog.Log, s.db)
	bus.On(s.subscriber, s.listingChanged)
	bus.On(s.subscriber, s.sellerChanged)
	bus.On(s.subscriber, s.categoryChanged)
	s.subscriber.OnPlaceGone(s.placeGone)
}

// fed are the sets that events go to: the active one, and the other while this process fills it.
func (s *Service) fed(tx *store.Tx) ([]*set, error) {
	g, err := selectGenerations(tx)
	if err != nil {
		return nil, err
	}
	sets := []*set{s.sets[g.Active]}
	if g.Builder == s.process {
		sets = append(sets, s.sets[idle(g.Active)])
	}
	return sets, nil
}

// idle is the set that is not the active one.
func idle(active string) string {
	if active == "a" {
		return "b"
	}
	return "a"
}

func (s *Service) listingChanged(tx *store.Tx, e catalog.ListingChanged) error {
	sets, err := s.fed(tx)
	if err != nil {
		return err
	}
	for _, set := range sets {
		names, err := set.categoryNames(tx, e.Path)
		if err != nil {
			return err
		}
		if err := set.put(tx, entryOf(e, names)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sellerChanged(tx *store.Tx, e catalog.SellerChanged) error {
	sets, err := s.fed(tx)
	if err != nil {
		return err
	}
	for _, set := range sets {
		if _, err := tx.Exec(set.seller, string(e.SellerID), e.Slug, e.Name, e.Status == catalog.SellerApproved); err != nil {
			return err
		}
	}
	return nil
}

// categoryChanged stores the name, which is looked up when something is shown. The words of the
// listings in the category stay: a new name at the same path differs from the old one in case,
// accents and punctuation at most (catalog.Slug), which are the same words.
func (s *Service) categoryChanged(tx *store.Tx, e catalog.CategoryChanged) error {
	sets, err := s.fed(tx)
	if err != nil {
		return err
	}
	for _, set := range sets {
		if _, err := tx.Exec(set.category, string(e.Category.ID), e.Category.Path, e.Category.Name); err != nil {
			return err
		}
	}
	return nil
}
