package catalogsvc

import (
	"context"
	"fmt"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// AdjustStock books a receipt, a count or a write-off.
func (s *Service) AdjustStock(ctx context.Context, r catalog.AdjustStockRequest) (_ catalog.StockReply, err error) {
	defer s.done("adjust_stock", &err)
	if err := r.Validate(s.now()); err != nil {
		return catalog.StockReply{}, err
	}
	own, err := managed(r.By)
	if err != nil {
		return catalog.StockReply{}, err
	}
	by, key, vid := r.By, r.Key, r.Variant
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(ctx, s, command{By: by, Operation: "catalog.adjust_stock", Key: key, Body: body}, func(w *work) (string, error) {
		return "", w.adjust(r, own)
	}, func(w *work, _ string) (catalog.StockReply, error) {
		row, err := selectOwnStock(w, vid, own)
		if err != nil {
			return catalog.StockReply{}, err
		}
		stock, err := w.stockNow(row.stockRow)
		return catalog.StockReply{Variant: vid, Stock: stock}, err
	})
}

// adjust books one adjustment of a variant of the seller's.
func (w *work) adjust(r catalog.AdjustStockRequest, own catalog.SellerID) error {
	row, err := selectOwnStock(w, r.Variant, own)
	if err != nil {
		return err
	}
	var since int64
	if r.Kind == catalog.MoveCount {
		if r.CountedAt.IsZero() {
			r.CountedAt = w.Now()
		} else if since, err = w.since(r.Variant, r.CountedAt); err != nil {
			return err
		}
		if err := noteCount(w.Tx, r.Variant, r.CountedAt); err != nil {
			return err
		}
	}
	m, err := adjusted(r, row.stockRow, since)
	if err != nil {
		return err
	}
	if err := w.move([]catalog.Movement{m}, map[catalog.VariantID]shelf{r.Variant: {stockRow: row.stockRow, Listing: row.Listing}}); err != nil {
		return err
	}
	return w.Audit(store.Audit{
		By: r.By, Action: "catalog.adjust_stock", Subject: string(r.Variant), Why: r.Why,
		Before: fmt.Sprintf("%d on hand", row.OnHand), After: fmt.Sprintf("%s: %d on hand", r.Kind, row.OnHand+m.OnHand),
	})
}

// since is what has changed on hand of one variant since then.
func (w *work) since(vid catalog.VariantID, at clock.Time) (int64, error) {
	changed, err := changedSince(w, []catalog.VariantID{vid}, at)
	return changed[vid], err
}

// stockNow is a running row as it is to be shown: holds whose term is over hold nothing.
func (w *work) stockNow(row stockRow) (catalog.Stock, error) {
	if row.Held > 0 {
		terms, err := selectTerms(w, w.Now(), []catalog.VariantID{row.Variant})
		if err != nil {
			return catalog.Stock{}, err
		}
		row.Held -= terms[row.Variant].Over
	}
	return row.Stock(), nil
}

// move books movements and publishes the listings of which a variant can be bought again, or
// no longer. shelves is how it was before.
func (w *work) move(moves []catalog.Movement, shelves map[catalog.VariantID]shelf) error {
	if err := book(w.Tx, moves); err != nil {
		return err
	}
	after := make(map[catalog.VariantID]catalog.Stock, len(shelves))
	for _, m := range moves {
		s, ok := after[m.Variant]
		if !ok {
			s = shelves[m.Variant].Stock()
		}
		after[m.Variant] = afterMove(s, m)
	}
	var flipped []catalog.ListingID
	for vid, stock := range after {
		before := shelves[vid]
		w.touch(before.Listing)
		if (available(before.Stock()) > 0) != (stock.Available > 0) {
			flipped = append(flipped, before.Listing)
		}
	}
	return w.publish(flipped)
}

// publish raises the revision of listings and tells everyone what they are now.
func (w *work) publish(ids []catalog.ListingID) error {
	if len(ids) == 0 {
		return nil
	}
	if err := bump(w.Tx, ids); err != nil {
		return err
	}
	changed, err := selectListings(w, ids)
	if err != nil {
		return err
	}
	events := make([]store.Event, len(changed))
	for i, l := range changed {
		events[i] = l.changed()
	}
	return w.Publish(events...)
}

// ListMovements pages through the journal of a variant.
func (s *Service) ListMovements(ctx context.Context, r catalog.ListMovementsRequest) (catalog.ListMovementsReply, error) {
	filter := []any{"movements", r.Variant}
	var before *movementKey
	if _, err := r.Page.After(filter, &before); err != nil {
		return catalog.ListMovementsReply{}, err
	}
	size := r.Page.Size(50, catalog.MaxPage)
	var found []catalog.Movement
	err := s.db.Read(ctx, func(q store.Queryer) error {
		if err := mayReadJournal(q, r.By, r.Variant); err != nil {
			return err
		}
		var err error
		found, err = listMovements(q, r.Variant, before, size)
		return err
	})
	if err != nil {
		return catalog.ListMovementsReply{}, err
	}
	found, next, err := cut(found, size, filter, func(last catalog.Movement) any { return movementKey{At: last.At, Seq: last.Seq} })
	return catalog.ListMovementsReply{Movements: found, Next: next}, err
}

// mayReadJournal says whether by may read the journal of a variant.
func mayReadJournal(q store.Queryer, by actor.Actor, vid catalog.VariantID) error {
	own := catalog.SellerID(by.Seller)
	if seesAll(by) {
		own = ""
	} else if !by.SignedIn() || own == "" {
		return catalog.ErrForbidden.With("only staff of the seller may see this")
	}
	_, err := selectOwnStock(q, vid, own)
	return err
}
