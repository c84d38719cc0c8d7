package searchsvc

import (
	"context"

	"souk/internal/catalog"
	"souk/internal/platform/store"
)

// Limit bounds what a query looks at closely, and what is for a range, and what facets count one by one; one listing with
// all the words is enough then.
func (s *Service) Limit(closely, counted int) {
	s.limits = limits{close: closely, counted: counted, walked: closely}
}

// Analyser is what the words of an index come from.
var Analyser = analyser

// Put stores listings as a batch of events does, or a page of a rebuild.
func (s *Service) Put(ctx context.Context, all []catalog.ListingChanged) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		entries := make([]entry, len(all))
		for i := range all {
			entries[i] = entryOf(all[i])
		}
		return s.each(tx, func(to *set) error { return to.put(tx, entries) })
	})
}

// KeepTexts says how many texts of a day are kept.
func (s *Service) KeepTexts(most int) { s.counting.most = most }

// LookClosely has s look closely at so many results.
func (s *Service) LookClosely(n int) { s.limits.close = n }
