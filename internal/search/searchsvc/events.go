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
	if g.Analyser == "" { // the first to be indexed
		g.Analyser = analyser
		if err := updateGenerations(tx, g); err != nil {
			return nil, err
		}
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

// unsettled are the listings heard of in one run of a batch, to be stored at its end. Only the
// writer's goroutine has it.
type unsettled struct {
	tx      *store.Tx // the run: another one is another batch, or the same once more
	heard   []entry
	careful int // events that are still to be stored one by one
}

// carefully is how many events are stored one by one after a batch could not be stored: what the largest batch has, four times over,
// since each run of it counts, so that the event to blame comes by, fails by itself and is parked.
const carefully = 4 * 512

// listingChanged keeps what it hears for settle: a batch at once costs a fraction of its events
// one by one.
func (s *Service) listingChanged(tx *store.Tx, e catalog.ListingChanged) error {
	listing := entryOf(e)
	u := &s.unsettled
	if u.careful > 0 {
		u.careful--
		return s.each(tx, func(to *set) error { return to.put(tx, []entry{listing}) })
	}
	if u.tx != tx {
		u.tx, u.heard = tx, u.heard[:0]
	}
	u.heard = append(u.heard, listing)
	return nil
}

// settle stores the listings that a batch of events was about.
func (s *Service) settle(tx *store.Tx) error {
	u := &s.unsettled
	if u.tx != tx {
		return nil
	}
	heard := u.heard
	u.tx = nil
	err := s.each(tx, func(to *set) error { return to.put(tx, heard) })
	if err != nil {
		u.careful = carefully
	}
	clear(heard)
	return err
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

func (s *Service) sellerChanged(tx *store.Tx, e catalog.SellerChanged) error {
	return s.each(tx, func(to *set) error { return to.putSeller(tx, to.seller, e.SellerID, e.Slug, e.Name, e.Status) })
}

// categoryChanged stores the name, which is looked up when something is shown. The words of the
// listings in the category stay until they change themselves, or a rebuild: a new name at the same path differs from the
// old one in case, accents and punctuation at most (catalog.Slug), which are the same words but for how they may be
// written in one (T-Shirts is tshirts too, T Shirts is not).
func (s *Service) categoryChanged(tx *store.Tx, e catalog.CategoryChanged) error {
	return s.each(tx, func(to *set) error { return to.putCategory(tx, to.category, e.Category) })
}
