package catalogsvc

import (
	"context"
	"slices"
	"sync/atomic"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// snapshot is a listing as it was read at one moment, for reading alone: nothing in it is
// ever changed, and what callers are given is a copy.
type snapshot struct {
	listing
	until   clock.Time // when it ends to be true by itself, because a hold's term does; zero for never
	sellers int64      // the generation of sellers that it was read in
	encoded atomic.Pointer[encodedListing]
}

// fresh says whether the snapshot still tells the truth at that time, if nothing was written.
func (s *snapshot) fresh(now clock.Time) bool { return s.until.IsZero() || s.until.After(now) }

// seenBy is the listing as by may see it, and whether by may.
func (s *snapshot) seenBy(by actor.Actor) (catalog.Listing, bool) {
	all := seesAllOf(by, s.Seller)
	if !all && !s.public() {
		return catalog.Listing{}, false
	}
	return s.copied(all), true
}

// copied shares nothing with s.
func (s *snapshot) copied(all bool) catalog.Listing {
	l := s.Listing
	l.Attributes, l.Images = slices.Clone(l.Attributes), slices.Clone(l.Images)
	l.Variants = make([]catalog.Variant, 0, len(s.Variants))
	for _, v := range s.Variants {
		if !all {
			if v.Withdrawn {
				continue
			}
			v.Stock = catalog.Stock{Available: v.Stock.Available}
		}
		v.Options = slices.Clone(v.Options)
		if v.WasPrice != nil {
			was := *v.WasPrice
			v.WasPrice = &was
		}
		l.Variants = append(l.Variants, v)
	}
	return l
}

// snapshots makes listings as they were read into what they are at that moment: what is held
// by holds whose term is over is not held.
func snapshots(q store.Queryer, read []*listing, now clock.Time) ([]*snapshot, error) {
	var held []catalog.VariantID
	for _, l := range read {
		for _, v := range l.Variants {
			if v.Stock.Held > 0 {
				held = append(held, v.ID)
			}
		}
	}
	terms, err := selectTerms(q, now, held)
	if err != nil {
		return nil, err
	}
	all := make([]*snapshot, len(read))
	for i, l := range read {
		s := &snapshot{listing: *l}
		for j := range s.Variants {
			v := &s.Variants[j]
			term := terms[v.ID]
			v.Stock.Held -= term.Over
			v.Stock.Available = available(v.Stock)
			if !term.Next.IsZero() && (s.until.IsZero() || term.Next.Before(s.until)) {
				s.until = term.Next
			}
		}
		all[i] = s
	}
	return all, nil
}

// load reads listings by id, from memory where that is still true.
func (s *Service) load(ctx context.Context, ids []catalog.ListingID) (map[catalog.ListingID]*snapshot, error) {
	now := s.now()
	found := make(map[catalog.ListingID]*snapshot, len(ids))
	var missing []catalog.ListingID
	for _, lid := range ids {
		if snap := s.cache.get(lid, now); snap != nil {
			found[lid] = snap
		} else {
			missing = append(missing, lid)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	fill := s.cache.begin(missing)
	err := s.db.Read(ctx, func(q store.Queryer) error {
		read, err := selectListings(q, missing)
		if err != nil {
			return err
		}
		snaps, err := snapshots(q, read, now)
		if err != nil {
			return err
		}
		for _, snap := range snaps {
			found[snap.ID] = snap
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, lid := range missing {
		if snap := found[lid]; snap != nil {
			s.cache.put(fill, snap)
		}
	}
	return found, nil
}

// listingIn is the listing as it is within a transaction, as by may see it.
func listingIn(tx *store.Tx, by actor.Actor, lid catalog.ListingID) (catalog.Listing, error) {
	l, err := selectListing(tx, lid)
	if err != nil {
		return catalog.Listing{}, err
	}
	snaps, err := snapshots(tx, []*listing{l}, tx.Now())
	if err != nil {
		return catalog.Listing{}, err
	}
	return snaps[0].copied(seesAllOf(by, l.Seller)), nil
}
