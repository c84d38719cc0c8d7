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
	s.subscriber.OnBatch(s.settle)
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
	listing := entryOf(e)
	return s.each(tx, func(to *set) error { return to.put(tx, listing) })
}

// each does something to every set that events go to.
func (s *Service) each(tx *store.Tx, do func(to *set) error) error {
	sets, err := s.fed(tx)
	if err != nil {
		return err
	}
	for _, to := range sets {
		if err := do(to); err != nil {
			return err
		}
	}
	return nil
}

// settle indexes the words of a batch.
func (s *Service) settle(tx *store.Tx) error {
	return s.each(tx, func(to *set) error { return to.settle(tx) })
}

func (s *Service) sellerChanged(tx *store.Tx, e catalog.SellerChanged) error {
	return s.each(tx, func(to *set) error { return to.putSeller(tx, to.seller, e.SellerID, e.Slug, e.Name, e.Status) })
}

// categoryChanged stores the name, which is looked up when something is shown. The words of the
// listings in the category stay: a new name at the same path differs from the old one in case,
// accents and punctuation at most (catalog.Slug), which are the same words.
func (s *Service) categoryChanged(tx *store.Tx, e catalog.CategoryChanged) error {
	return s.each(tx, func(to *set) error { return to.putCategory(tx, to.category, e.Category) })
}
