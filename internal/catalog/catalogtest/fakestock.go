package catalogtest

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
)

type reservation struct {
	catalog.Reservation
	body   string
	err    error // it was refused
	undone bool
	steps  map[string]string // what each key of a later step asked for
}

// held is what reservations hold of v now: those whose term is over hold nothing any more.
func (f *Fake) held(v *variant) int64 {
	var sum int64
	for _, r := range f.reservations {
		if r.Status != catalog.ReservationHeld && r.Status != catalog.ReservationConfirmed || f.isOver(r) {
			continue
		}
		for _, item := range r.Items {
			if item.Variant == v.ID {
				sum += item.Quantity
			}
		}
	}
	return sum
}

func (f *Fake) isOver(r *reservation) bool {
	return r.Status == catalog.ReservationHeld && !r.Until.After(f.now())
}

func (f *Fake) available(v *variant) int64 {
	return max(0, v.Stock.OnHand-f.held(v)-v.Stock.Allocated)
}

// move books a movement; what it changes of held is made up from the reservations.
func (f *Fake) move(v *variant, m catalog.Movement) {
	m.Seq, m.Variant, m.At = int64(len(f.movements)+1), v.ID, f.now()
	f.movements = append(f.movements, m)
	v.Stock.OnHand += m.OnHand
	v.Stock.Allocated += m.Allocated
}

// count books that there were n at the given time, less what left and plus what came since.
func (f *Fake) count(by actor.Actor, v *variant, n int64, at clock.Time, why string) {
	if at.Before(v.countedAt) {
		return
	}
	for _, m := range f.movements {
		if m.Variant == v.ID && m.Kind != catalog.MoveCount && m.At.After(at) {
			n += m.OnHand
		}
	}
	n = max(0, n)
	v.countedAt = at
	f.move(v, catalog.Movement{Kind: catalog.MoveCount, OnHand: n - v.Stock.OnHand, By: by.Person, Why: why})
}

// AdjustStock implements catalog.Service.
func (f *Fake) AdjustStock(_ context.Context, r catalog.AdjustStockRequest) (catalog.StockReply, error) {
	if err := r.Validate(f.now()); err != nil {
		return catalog.StockReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := manages(r.By, catalog.SellerID(r.By.Seller)); err != nil {
		return catalog.StockReply{}, err
	}
	v, ok := f.variants[r.Variant]
	if !ok || manages(r.By, v.listing.Seller) != nil {
		return catalog.StockReply{}, catalog.ErrNotFound.With("there is no variant %s among yours", r.Variant)
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By, "adjust", r.Key, body, func() (catalog.StockReply, error) {
		was := f.available(v) > 0
		m := catalog.Movement{Kind: r.Kind, OnHand: r.Quantity, By: r.By.Person, Why: r.Why}
		switch r.Kind {
		case catalog.MoveCount:
			f.count(r.By, v, r.Quantity, cmp.Or(r.CountedAt, f.now()), r.Why)
		case catalog.MoveWriteOff:
			if r.Quantity > v.Stock.OnHand {
				return catalog.StockReply{}, catalog.ErrOutOfStock.With("there are only %d", v.Stock.OnHand)
			}
			m.OnHand = -r.Quantity
			f.move(v, m)
		default:
			f.move(v, m)
		}
		f.flipped(map[*variant]bool{v: was})
		stock := v.Stock
		stock.Held, stock.Available = f.held(v), f.available(v)
		return catalog.StockReply{Variant: v.ID, Stock: stock}, nil
	})
}

// flipped publishes the listings of which a variant can be bought again or no longer.
func (f *Fake) flipped(was map[*variant]bool) {
	changed := map[*listing]bool{}
	for v, before := range was {
		if before != (f.available(v) > 0) {
			changed[v.listing] = true
		}
	}
	for l := range changed {
		f.listingChanged(l)
	}
}

// ListMovements implements catalog.Service.
func (f *Fake) ListMovements(_ context.Context, r catalog.ListMovementsRequest) (catalog.ListMovementsReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, ok := f.variants[r.Variant]
	switch {
	case !seesAll(r.By) && (!r.By.SignedIn() || r.By.Seller == ""):
		return catalog.ListMovementsReply{}, catalog.ErrForbidden.With("only staff of the seller may see this")
	case !ok || !seesAllOf(r.By, v.listing.Seller):
		return catalog.ListMovementsReply{}, catalog.ErrNotFound.With("there is no variant %s", r.Variant)
	}
	var all []catalog.Movement
	for _, m := range slices.Backward(f.movements) {
		if m.Variant == r.Variant {
			all = append(all, m)
		}
	}
	got, next, err := pageOf(all, r.Page, []any{"movements", r.Variant}, func(m catalog.Movement) string { return strconv.FormatInt(m.Seq, 10) })
	return catalog.ListMovementsReply{Movements: got, Next: next}, err
}

// GetOffers implements catalog.Service.
func (f *Fake) GetOffers(_ context.Context, r catalog.GetOffersRequest) (catalog.GetOffersReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.GetOffersReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply catalog.GetOffersReply
	seen := map[catalog.VariantID]bool{}
	for _, vid := range r.Variants {
		v, ok := f.variants[vid]
		if !ok || seen[vid] {
			continue
		}
		seen[vid] = true
		l, s := v.listing, f.sellers[v.listing.Seller]
		o := catalog.Offer{
			Variant: v.ID, Listing: l.ID, Seller: s.ID, SellerName: s.Name, SellerSlug: s.Slug, Legal: s.Legal, Commission: s.Commission,
			Title: l.Title, Options: v.Options, SKU: v.SKU, Price: v.Price, TaxClass: l.TaxClass, Grams: v.Grams,
			Available: f.available(v), ForSale: f.isPublic(l) && !v.Withdrawn,
		}
		if len(l.Images) > 0 {
			o.Image = l.Images[0].URL
		}
		if c := f.categories[l.Category]; c != nil {
			o.Path = c.Path
		}
		reply.Offers = append(reply.Offers, o)
	}
	return copied(reply), nil
}

func onlySystem(by actor.Actor) error {
	if by.IsSystem() {
		return nil
	}
	return catalog.ErrForbidden.With("only souk itself may do this")
}

// Reserve implements catalog.Service.
func (f *Fake) Reserve(_ context.Context, r catalog.ReserveRequest) (catalog.ReservationReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	if err := onlySystem(r.By); err != nil {
		return catalog.ReservationReply{}, err
	}
	body := r
	body.By = actor.Actor{}
	text, err := json.Marshal(body)
	if err != nil {
		return catalog.ReservationReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, ok := f.reservations[r.Key]; ok {
		switch {
		case old.undone:
			return catalog.ReservationReply{}, catalog.ErrKeyUndone.With("the reservation %s was undone", r.Key)
		case old.body != string(text):
			return catalog.ReservationReply{}, catalog.ErrKeyReused.With("the key %s was used for another reservation", r.Key)
		case old.err != nil:
			return catalog.ReservationReply{}, old.err
		}
		return f.reservationReply(old), nil
	}
	made := &reservation{body: string(text), steps: map[string]string{}}
	made.Key, made.For, made.Until, made.Items = r.Key, r.For, r.Until, slices.Clone(r.Items)
	f.reservations[r.Key] = made
	if made.err = f.hold(made); made.err != nil {
		return catalog.ReservationReply{}, made.err
	}
	return f.reservationReply(made), nil
}

// hold holds everything that r asks for, or nothing.
func (f *Fake) hold(r *reservation) error {
	if !r.Until.After(f.now()) {
		return catalog.ErrExpired.With("the term was over before it began")
	}
	short, gone := catalog.ErrOutOfStock.With("not everything is there"), catalog.ErrNotForSale.With("not everything is for sale")
	was := map[*variant]bool{}
	for _, item := range r.Items {
		v, ok := f.variants[item.Variant]
		switch {
		case !ok || v.Withdrawn || !f.isPublic(v.listing):
			gone = gone.WithField(string(item.Variant), "is no longer for sale")
		case f.available(v) < item.Quantity:
			short = short.WithField(string(item.Variant), strconv.FormatInt(f.available(v), 10))
		default:
			was[v] = f.available(v) > 0
		}
	}
	if len(gone.Fields) > 0 {
		return gone
	}
	if len(short.Fields) > 0 {
		return short
	}
	f.each(r.Items, r, catalog.MoveReserve, func(n int64) catalog.Movement { return catalog.Movement{Held: n} })
	r.Status = catalog.ReservationHeld
	f.flipped(was)
	return nil
}

// each books one movement for each item.
func (f *Fake) each(items []catalog.Item, r *reservation, kind catalog.MovementKind, change func(n int64) catalog.Movement) {
	for _, item := range items {
		m := change(item.Quantity)
		m.Kind, m.For = kind, r.For
		f.move(f.variants[item.Variant], m)
	}
}

func (f *Fake) before(items []catalog.Item) map[*variant]bool {
	was := map[*variant]bool{}
	for _, item := range items {
		was[f.variants[item.Variant]] = f.available(f.variants[item.Variant]) > 0
	}
	return was
}

func (f *Fake) reservationReply(r *reservation) catalog.ReservationReply {
	f.settle(r)
	return catalog.ReservationReply{Reservation: copied(r.Reservation)}
}

// settle ends a hold whose term is over.
func (f *Fake) settle(r *reservation) {
	if f.isOver(r) {
		f.each(r.Items, r, catalog.MoveRelease, func(n int64) catalog.Movement { return catalog.Movement{Held: -n} })
		r.Status, r.Items, r.Until = catalog.ReservationExpired, nil, 0
	}
}

// Expire does what time does in the real catalog: it ends the holds whose term is over, and
// publishes what can be bought again.
func (f *Fake) Expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.reservations {
		if f.isOver(r) {
			f.settle(r)
		}
	}
}

// step does a later step of a reservation once per key.
func (f *Fake) step(by actor.Actor, key, name, of string, body any, do func(r *reservation) error) (catalog.ReservationReply, error) {
	if err := onlySystem(by); err != nil {
		return catalog.ReservationReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := once(f, actor.System(""), name, key, body, func() (struct{}, error) {
		r, ok := f.reservations[of]
		if !ok || r.err != nil {
			return struct{}{}, catalog.ErrNotFound.With("there is no reservation %s", of)
		}
		f.settle(r)
		return struct{}{}, do(r)
	})
	if err != nil {
		return catalog.ReservationReply{}, err
	}
	return f.reservationReply(f.reservations[of]), nil
}

func wrongStatus(r *reservation) error {
	if r.Status == catalog.ReservationExpired {
		return catalog.ErrExpired.With("the term of reservation %s was over", r.Key)
	}
	return catalog.ErrReservation.With("the reservation %s is %s", r.Key, r.Status)
}

// Confirm implements catalog.Service.
func (f *Fake) Confirm(_ context.Context, r catalog.ConfirmRequest) (catalog.ReservationReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	return f.step(r.By, r.Key, "confirm", r.Reservation, r.Reservation, func(held *reservation) error {
		if held.Status != catalog.ReservationHeld && held.Status != catalog.ReservationConfirmed {
			return wrongStatus(held)
		}
		held.Status, held.Until = catalog.ReservationConfirmed, 0
		return nil
	})
}

// Release implements catalog.Service.
func (f *Fake) Release(_ context.Context, r catalog.ReleaseRequest) (catalog.ReservationReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	if err := onlySystem(r.By); err != nil {
		return catalog.ReservationReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	held, ok := f.reservations[r.Key]
	if !ok {
		held = &reservation{}
		held.Key, held.Status = r.Key, catalog.ReservationReleased
		f.reservations[r.Key] = held
	}
	f.settle(held)
	switch {
	case held.Status == catalog.ReservationAllocated || held.Status == catalog.ReservationDone:
		return catalog.ReservationReply{}, wrongStatus(held)
	case held.err != nil:
		held.err, held.Items, held.Until, held.Status = nil, nil, 0, catalog.ReservationReleased
	case held.Status == catalog.ReservationHeld || held.Status == catalog.ReservationConfirmed:
		was := f.before(held.Items)
		f.each(held.Items, held, catalog.MoveRelease, func(n int64) catalog.Movement { return catalog.Movement{Held: -n} })
		held.Status, held.Items, held.Until = catalog.ReservationReleased, nil, 0
		f.flipped(was)
	}
	held.undone = true
	return f.reservationReply(held), nil
}

// Allocate implements catalog.Service.
func (f *Fake) Allocate(_ context.Context, r catalog.AllocateRequest) (catalog.ReservationReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	return f.step(r.By, r.Key, "allocate", r.Reservation, r.Reservation, func(held *reservation) error {
		if held.Status != catalog.ReservationConfirmed {
			return wrongStatus(held)
		}
		f.each(held.Items, held, catalog.MoveAllocate, func(n int64) catalog.Movement { return catalog.Movement{Held: -n, Allocated: n} })
		held.Status = catalog.ReservationAllocated
		return nil
	})
}

// ShipStock implements catalog.Service.
func (f *Fake) ShipStock(_ context.Context, r catalog.MoveAllocatedRequest) (catalog.ReservationReply, error) {
	return f.moveAllocated(r, "ship", catalog.MoveShip)
}

// Deallocate implements catalog.Service.
func (f *Fake) Deallocate(_ context.Context, r catalog.MoveAllocatedRequest) (catalog.ReservationReply, error) {
	return f.moveAllocated(r, "deallocate", catalog.MoveDeallocate)
}

func (f *Fake) moveAllocated(r catalog.MoveAllocatedRequest, name string, kind catalog.MovementKind) (catalog.ReservationReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	return f.step(r.By, r.Key, name, r.Reservation, []any{r.Reservation, r.Items}, func(set *reservation) error {
		if set.Status != catalog.ReservationAllocated {
			return wrongStatus(set)
		}
		left := map[catalog.VariantID]int64{}
		for _, item := range set.Items {
			left[item.Variant] = item.Quantity
		}
		refused := catalog.ErrReservation.With("more than is set aside")
		for _, item := range r.Items {
			if item.Quantity > left[item.Variant] {
				refused = refused.WithField(string(item.Variant), strconv.FormatInt(left[item.Variant], 10))
			}
			left[item.Variant] -= item.Quantity
		}
		if len(refused.Fields) > 0 {
			return refused
		}
		was := f.before(r.Items)
		for _, item := range r.Items {
			v, m := f.variants[item.Variant], catalog.Movement{Kind: kind, For: set.For, Allocated: -item.Quantity}
			if kind == catalog.MoveShip {
				m.OnHand = -min(item.Quantity, v.Stock.OnHand)
			}
			f.move(v, m)
		}
		for i := range set.Items {
			set.Items[i].Quantity = left[set.Items[i].Variant]
		}
		set.Items = slices.DeleteFunc(set.Items, func(i catalog.Item) bool { return i.Quantity == 0 })
		if len(set.Items) == 0 {
			set.Status = catalog.ReservationDone
		}
		f.flipped(was)
		return nil
	})
}

// Audit implements catalog.Service.
func (f *Fake) Audit(_ context.Context, r audit.Request) (catalog.AuditReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []catalog.Reservation
	for _, key := range slices.Sorted(maps.Keys(f.reservations)) {
		set := f.reservations[key]
		if set.err == nil && len(set.Items) > 0 && !f.isOver(set) {
			all = append(all, copied(set.Reservation))
		}
	}
	got, next, err := pageOf(all, page.Request{Cursor: r.Cursor, Limit: r.Limit}, "audit", func(r catalog.Reservation) string { return r.Key })
	reply := catalog.AuditReply{Reservations: got, Next: next}
	if r.Cursor == "" {
		reply.Standing = audit.Standing{Epoch: "fake", Head: int64(len(f.events))}
	}
	return reply, err
}
