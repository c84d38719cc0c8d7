package catalogsvc

import (
	"slices"
	"strconv"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
)

// available is what can be bought of a variant.
func available(s catalog.Stock) int64 { return max(0, s.OnHand-s.Held-s.Allocated) }

// afterMove is s once m is booked.
func afterMove(s catalog.Stock, m catalog.Movement) catalog.Stock {
	s.OnHand, s.Held, s.Allocated = s.OnHand+m.OnHand, s.Held+m.Held, s.Allocated+m.Allocated
	s.Available = available(s)
	return s
}

// counted is how much is on hand now if there were quantity at the time of the count and
// since then changed by since (what was shipped takes away, what came in adds). A count older
// than the last one says nothing any more, and what is on hand stays.
func counted(quantity, since, onHand int64, at, lastCount clock.Time) int64 {
	if at.Before(lastCount) {
		return onHand
	}
	return max(0, quantity+since)
}

// adjusted is the movement that books an adjustment. since is what has changed on hand since
// the moment of a count.
func adjusted(r catalog.AdjustStockRequest, s stockRow, since int64) (catalog.Movement, error) {
	m := catalog.Movement{Variant: r.Variant, Kind: r.Kind, OnHand: r.Quantity, By: r.By.Person, Why: r.Why}
	switch r.Kind {
	case catalog.MoveCount:
		m.OnHand = counted(r.Quantity, since, s.OnHand, r.CountedAt, s.CountedAt) - s.OnHand
	case catalog.MoveWriteOff:
		if r.Quantity > s.OnHand {
			return m, catalog.ErrOutOfStock.With("there are only %d on hand", s.OnHand).
				WithField(string(r.Variant), strconv.FormatInt(s.OnHand, 10))
		}
		m.OnHand = -r.Quantity
	default: // receive, restock
		if s.OnHand+r.Quantity > catalog.MaxQuantity {
			return m, oneField("quantity", "would make more than souk counts")
		}
	}
	return m, nil
}

// shelf is a variant as Reserve sees it.
type shelf struct {
	stockRow
	Listing catalog.ListingID `db:"listing_id"`
	ForSale bool              `db:"for_sale"`
}

// refuse says why not all items can be held, or nil. What is not for sale comes before what
// is short: it will not come back.
func refuse(items []catalog.Item, shelves map[catalog.VariantID]shelf) error {
	gone, short := catalog.ErrNotForSale, catalog.ErrOutOfStock
	for _, item := range items {
		s, ok := shelves[item.Variant]
		switch {
		case !ok || !s.ForSale:
			gone = gone.With("not everything is for sale any more").WithField(string(item.Variant), "is no longer for sale")
		case available(s.Stock()) < item.Quantity:
			short = short.With("not everything is there").WithField(string(item.Variant), strconv.FormatInt(available(s.Stock()), 10))
		}
	}
	switch {
	case len(gone.Fields) > 0:
		return gone
	case len(short.Fields) > 0:
		return short
	default:
		return nil
	}
}

// reservation is a reservation as the database has it.
type reservation struct {
	catalog.Reservation
	BodyHash []byte
	Refusal  *errs.Error
	Undone   bool
}

// internal state of a reservation that was refused; the contract shows it to nobody.
const statusRefused catalog.ReservationStatus = "refused"

// over says whether the term of a hold has ended.
func (r *reservation) over(now clock.Time) bool {
	return r.Status == catalog.ReservationHeld && !r.Until.After(now)
}

// can says whether the reservation has come to one of the states, or refuses.
func (r *reservation) can(states ...catalog.ReservationStatus) error {
	switch {
	case slices.Contains(states, r.Status):
		return nil
	case r.Status == statusRefused:
		return catalog.ErrNotFound.With("there is no reservation %s", r.Key)
	case r.Status == catalog.ReservationExpired:
		return catalog.ErrExpired.With("the term of reservation %s was over first", r.Key)
	default:
		return catalog.ErrReservation.With("the reservation %s is %s", r.Key, r.Status)
	}
}

// end gives everything back and leaves r in status. What it gives back is returned.
func (r *reservation) end(status catalog.ReservationStatus) []catalog.Movement {
	back := make([]catalog.Movement, 0, len(r.Items))
	for _, item := range r.Items {
		back = append(back, catalog.Movement{Variant: item.Variant, Kind: catalog.MoveRelease, Held: -item.Quantity, For: r.For})
	}
	r.Status, r.Until, r.Items = status, 0, nil
	return back
}

// hold is what holding the items books.
func (r *reservation) hold() []catalog.Movement {
	moves := make([]catalog.Movement, 0, len(r.Items))
	for _, item := range r.Items {
		moves = append(moves, catalog.Movement{Variant: item.Variant, Kind: catalog.MoveReserve, Held: item.Quantity, For: r.For})
	}
	return moves
}

// allocate turns what is held into what is set aside.
func (r *reservation) allocate() ([]catalog.Movement, error) {
	if err := r.can(catalog.ReservationConfirmed); err != nil {
		return nil, err
	}
	moves := make([]catalog.Movement, 0, len(r.Items))
	for _, item := range r.Items {
		moves = append(moves, catalog.Movement{
			Variant: item.Variant, Kind: catalog.MoveAllocate, Held: -item.Quantity, Allocated: item.Quantity, For: r.For,
		})
	}
	r.Status = catalog.ReservationAllocated
	return moves, nil
}

// take takes items from what is allocated: shipped, or given back for sale. onHand says how
// much lies on the shelf; goods that were never counted can be shipped, and leave nothing.
func (r *reservation) take(kind catalog.MovementKind, items []catalog.Item, onHand map[catalog.VariantID]int64) ([]catalog.Movement, error) {
	if err := r.can(catalog.ReservationAllocated); err != nil {
		return nil, err
	}
	left := map[catalog.VariantID]int64{}
	for _, item := range r.Items {
		left[item.Variant] = item.Quantity
	}
	tooMany := catalog.ErrReservation
	moves := make([]catalog.Movement, 0, len(items))
	for _, item := range items {
		if item.Quantity > left[item.Variant] {
			tooMany = tooMany.With("more than is set aside").WithField(string(item.Variant), strconv.FormatInt(left[item.Variant], 10))
		}
		left[item.Variant] -= item.Quantity
		m := catalog.Movement{Variant: item.Variant, Kind: kind, Allocated: -item.Quantity, For: r.For}
		if kind == catalog.MoveShip {
			m.OnHand = -min(item.Quantity, onHand[item.Variant])
		}
		moves = append(moves, m)
	}
	if len(tooMany.Fields) > 0 {
		return nil, tooMany
	}
	rest := make([]catalog.Item, 0, len(r.Items))
	for _, item := range r.Items {
		if n := left[item.Variant]; n > 0 {
			rest = append(rest, catalog.Item{Variant: item.Variant, Quantity: n})
		}
	}
	if r.Items = rest; len(rest) == 0 {
		r.Status = catalog.ReservationDone
	}
	return moves, nil
}
