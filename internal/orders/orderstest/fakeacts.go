package orderstest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"souk/internal/accounts"
	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
)

func (f *Fake) note(o *fakeOrder, e orders.Entry) {
	e.At = f.now()
	o.Timeline = append(o.Timeline, e)
	for i := range o.SellerOrders {
		whole := e.SellerOrder == "" && (e.What == orders.WhatPlaced || e.What == orders.WhatPaid)
		if so := &o.SellerOrders[i]; whole || e.SellerOrder == so.ID {
			so.Timeline = append(so.Timeline, e)
		}
	}
}

func (f *Fake) find(which orders.OrderID, number string) *fakeOrder {
	for _, o := range f.all {
		if o.ID == which && which != "" || which == "" && o.Number == number {
			return o
		}
	}
	return nil
}

func notFound() error { return orders.ErrNotFound.With("there is no such order") }

// visible finds an order that the caller may see.
func (f *Fake) visible(r orders.GetOrderRequest) (*fakeOrder, error) {
	o := f.find(r.Order, strings.ToUpper(r.Number))
	switch {
	case o == nil:
		return nil, notFound()
	case r.By.IsOperator(), r.By.IsSystem(), r.By.SignedIn() && accounts.PersonID(r.By.Person) == o.Buyer, r.Link != "" && r.Link == o.link:
		return o, nil
	default:
		return nil, notFound()
	}
}

// GetCheckout says where a checkout stands.
func (f *Fake) GetCheckout(_ context.Context, r orders.GetOrderRequest) (orders.CheckoutReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := f.visible(r)
	if err != nil {
		return orders.CheckoutReply{}, err
	}
	reply := o.reply()
	reply.Link = r.Link
	return reply, nil
}

// GetOrder reads an order whole.
func (f *Fake) GetOrder(_ context.Context, r orders.GetOrderRequest) (orders.OrderReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := f.visible(r)
	if err != nil {
		return orders.OrderReply{}, err
	}
	out := copied(o.Order)
	for i := range out.SellerOrders {
		forEyes(&out.SellerOrders[i], r.By)
	}
	return orders.OrderReply{Order: out}, nil
}

// forEyes leaves out of a part what is not for the caller.
func forEyes(so *orders.SellerOrder, by actor.Actor) {
	if by.IsOperator() || by.IsSystem() || by.Sells(id.RefOf(so.Seller)) {
		return
	}
	so.Commission.Minor = 0
	for i := range so.Lines {
		l := &so.Lines[i]
		l.Commission.Minor, l.CommissionBase.Minor, l.CommissionRate = 0, 0, 0
	}
}

// pageOf cuts a page out of a list, newest first.
func pageOf[T any](all []T, r page.Request, filter any, key func(T) string) ([]T, string, error) {
	size := r.Size(20, 100)
	var after string
	more, err := r.After(filter, &after)
	if err != nil {
		return nil, "", err
	}
	if more {
		i := slices.IndexFunc(all, func(v T) bool { return key(v) == after })
		all = all[i+1:]
	}
	if len(all) <= size {
		return all, "", nil
	}
	next, err := page.Cursor(filter, key(all[size-1]))
	return all[:size], next, err
}

// part finds a seller order that the caller may touch.
func (f *Fake) part(by actor.Actor, which orders.SellerOrderID, buyerToo bool, link string) (*fakeOrder, *orders.SellerOrder, error) {
	for _, o := range f.all {
		for i := range o.SellerOrders {
			so := &o.SellerOrders[i]
			if so.ID != which || so.PlacedAt.IsZero() {
				continue
			}
			if by.IsOperator() || by.IsSystem() || by.Sells(id.RefOf(so.Seller)) ||
				buyerToo && (by.SignedIn() && accounts.PersonID(by.Person) == o.Buyer || link != "" && link == o.link) {
				return o, so, nil
			}
		}
	}
	return nil, nil, notFound()
}

func replyFor(so *orders.SellerOrder, by actor.Actor) orders.SellerOrderReply {
	out := copied(*so)
	forEyes(&out, by)
	return orders.SellerOrderReply{SellerOrder: out}
}

// GetSellerOrder reads one seller's part.
func (f *Fake) GetSellerOrder(_ context.Context, r orders.GetSellerOrderRequest) (orders.SellerOrderReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, so, err := f.part(r.By, r.SellerOrder, false, "")
	if err != nil {
		return orders.SellerOrderReply{}, err
	}
	return replyFor(so, r.By), nil
}

func maySell(by actor.Actor, seller id.Ref) error {
	if by.IsOperator() || by.IsSystem() || by.Sells(seller) {
		return nil
	}
	return orders.ErrNotFound.With("there is no such seller")
}

// ListSellerOrders pages through a seller's orders, newest first.
func (f *Fake) ListSellerOrders(_ context.Context, r orders.ListSellerOrdersRequest) (orders.ListSellerOrdersReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := maySell(r.By, id.RefOf(r.Seller)); err != nil {
		return orders.ListSellerOrdersReply{}, err
	}
	if r.Sort != nil && *r.Sort != orders.SortNewest && *r.Sort != orders.SortOldest {
		return orders.ListSellerOrdersReply{}, orders.ErrInvalid.WithField("sort", "must be newest or oldest")
	}
	waiting := r.Shippable != nil && *r.Shippable
	var found []orders.SellerOrderSummary
	for _, o := range slices.Backward(f.all) {
		for _, so := range o.SellerOrders {
			if waiting && !shippable(so) || so.Seller != r.Seller || so.PlacedAt.IsZero() || r.Fulfilment != "" && so.Fulfilment != r.Fulfilment || !contains(so.Number, r.Text) ||
				r.From != 0 && so.PlacedAt.Before(r.From) || r.Until != 0 && !so.PlacedAt.Before(r.Until) {
				continue
			}
			s := orders.SellerOrderSummary{
				ID: so.ID, Order: o.ID, Number: so.Number, Fulfilment: so.Fulfilment, Paid: so.Paid, Total: so.Sums.Total,
				PlacedAt: so.PlacedAt, Country: o.Delivery.Country, Case: so.Case,
			}
			for _, l := range so.Lines {
				s.Pieces, s.ToShip = s.Pieces+l.Quantity, s.ToShip+toShip(l)
				if len(s.Titles) < 3 {
					s.Titles = append(s.Titles, l.Title)
				}
			}
			found = append(found, s)
		}
	}
	oldest := r.Sort != nil && *r.Sort == orders.SortOldest
	if oldest {
		slices.Reverse(found)
	}
	filter := []any{r.Seller, r.Fulfilment, r.Text, r.From, r.Until, oldest, waiting}
	got, next, err := pageOf(found, r.Page, filter, func(s orders.SellerOrderSummary) string { return string(s.ID) })
	return orders.ListSellerOrdersReply{SellerOrders: got, Next: next}, err
}

// CountSellerOrders counts a seller's orders by fulfilment.
func (f *Fake) CountSellerOrders(_ context.Context, r orders.CountSellerOrdersRequest) (orders.CountSellerOrdersReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := maySell(r.By, id.RefOf(r.Seller)); err != nil {
		return orders.CountSellerOrdersReply{}, err
	}
	var reply orders.CountSellerOrdersReply
	counts := map[orders.Fulfilment]int64{}
	for _, o := range f.all {
		for _, so := range o.SellerOrders {
			if so.Seller != r.Seller || so.PlacedAt.IsZero() {
				continue
			}
			counts[so.Fulfilment]++
			if shippable(so) {
				reply.Shippable++
			}
		}
	}
	for _, at := range []orders.Fulfilment{
		orders.FulfilmentCancelled, orders.FulfilmentDelivered, orders.FulfilmentOpen, orders.FulfilmentPartlyShipped, orders.FulfilmentShipped,
	} {
		if counts[at] > 0 {
			reply.Counts = append(reply.Counts, orders.FulfilmentCount{Fulfilment: at, Count: counts[at]})
		}
	}
	return reply, nil
}

// shippable says whether Ship would take what is left of a seller order.
func shippable(so orders.SellerOrder) bool {
	return so.Paid && slices.ContainsFunc(so.Lines, func(l orders.Line) bool { return toShip(l) > 0 })
}

func toShip(l orders.Line) int64 { return l.Quantity - l.Shipped - l.Cancelled }

// fulfilment is how far a seller order has come, read off its quantities.
func fulfilment(lines []orders.Line) orders.Fulfilment {
	var open, shipped, delivered int64
	for _, l := range lines {
		open, shipped, delivered = open+toShip(l), shipped+l.Shipped, delivered+l.Delivered
	}
	switch {
	case shipped == 0 && open == 0:
		return orders.FulfilmentCancelled
	case shipped == 0:
		return orders.FulfilmentOpen
	case open > 0:
		return orders.FulfilmentPartlyShipped
	case delivered < shipped:
		return orders.FulfilmentShipped
	default:
		return orders.FulfilmentDelivered
	}
}

// pick checks that so much is left of the items named; without any it is all that is left.
func pick(so *orders.SellerOrder, items []orders.ParcelItem) ([]orders.ParcelItem, error) {
	if len(items) == 0 {
		for _, l := range so.Lines {
			if n := toShip(l); n > 0 {
				items = append(items, orders.ParcelItem{Line: l.ID, Quantity: n})
			}
		}
		if len(items) == 0 {
			return nil, orders.ErrQuantity
		}
	}
	var p errs.Problems
	seen := map[orders.LineID]bool{}
	for _, item := range items {
		i := slices.IndexFunc(so.Lines, func(l orders.Line) bool { return l.ID == item.Line })
		switch {
		case i < 0:
			return nil, notFound()
		case seen[item.Line], item.Quantity <= 0:
			p.Add(string(item.Line), "must be at least 1, and named once")
		case item.Quantity > toShip(so.Lines[i]):
			return nil, orders.ErrQuantity.WithField(string(item.Line), fmt.Sprintf("only %d are left to ship", toShip(so.Lines[i])))
		}
		seen[item.Line] = true
	}
	return items, p.Err(orders.ErrInvalid)
}

// change does one act on a seller order, once per key.
func (f *Fake) change(by actor.Actor, op, key, link string, which orders.SellerOrderID, body any, do func(o *fakeOrder, so *orders.SellerOrder) (orders.Entry, Event, error)) (orders.SellerOrderReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	buyerToo := op == "cancel"
	owner := by.Owner()
	if owner == "" {
		owner = "link:" + string(which)
	}
	_, err := f.doOnce(owner, op, key, body, func() (string, error) {
		o, so, err := f.part(by, which, buyerToo, link)
		if err != nil {
			return "", err
		}
		entry, event, err := do(o, so)
		if err != nil {
			return "", err
		}
		so.Fulfilment = fulfilment(so.Lines)
		so.Version++
		o.Version++
		entry.SellerOrder, entry.Who = so.ID, who(by, so)
		f.note(o, entry)
		f.events = append(f.events, event)
		f.complete(o)
		return string(so.ID), nil
	})
	if err != nil {
		return orders.SellerOrderReply{}, err
	}
	_, so, err := f.part(by, which, buyerToo, link)
	if err != nil {
		return orders.SellerOrderReply{}, err
	}
	return replyFor(so, by), nil
}

func who(by actor.Actor, so *orders.SellerOrder) string {
	switch {
	case by.IsOperator():
		return "operator"
	case by.IsSystem():
		return "souk"
	case by.Sells(id.RefOf(so.Seller)):
		return "seller"
	default:
		return "buyer"
	}
}

// complete ends an order all of whose parts are finished.
func (f *Fake) complete(o *fakeOrder) {
	for _, so := range o.SellerOrders {
		if so.Fulfilment != orders.FulfilmentDelivered && so.Fulfilment != orders.FulfilmentCancelled {
			return
		}
	}
	if o.Status == orders.StatusPlaced {
		o.Status, o.Case = orders.StatusCompleted, false
		for i := range o.SellerOrders {
			o.SellerOrders[i].Case = false
		}
		f.note(o, orders.Entry{What: orders.WhatCompleted, Who: "souk", Detail: "Everything was delivered or cancelled."})
		f.events = append(f.events, orders.Completed{OrderID: o.ID, BuyerID: o.Buyer, At: f.now()})
	}
}

// lines adds n of each item to a count of its line.
func lines(so *orders.SellerOrder, items []orders.ParcelItem, add func(l *orders.Line, n int64)) {
	for _, item := range items {
		for i := range so.Lines {
			if so.Lines[i].ID == item.Line {
				add(&so.Lines[i], item.Quantity)
			}
		}
	}
}

// Ship books a parcel.
func (f *Fake) Ship(_ context.Context, r orders.ShipRequest) (orders.SellerOrderReply, error) {
	if r.TrackingURL != "" && !strings.HasPrefix(r.TrackingURL, "https://") {
		return orders.SellerOrderReply{}, orders.ErrInvalid.WithField("tracking_url", "must begin with https://")
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return f.change(r.By, "ship", r.Key, "", r.SellerOrder, body, func(o *fakeOrder, so *orders.SellerOrder) (orders.Entry, Event, error) {
		if !r.By.Sells(id.RefOf(so.Seller)) {
			return orders.Entry{}, nil, orders.ErrForbidden
		}
		items, err := pick(so, r.Items)
		switch {
		case err != nil:
			return orders.Entry{}, nil, err
		case !so.Paid:
			return orders.Entry{}, nil, orders.ErrUnpaid
		}
		lines(so, items, func(l *orders.Line, n int64) { l.Shipped += n })
		p := orders.Parcel{ID: orders.ParcelIDs.New(), Carrier: r.Carrier, Tracking: r.Tracking, TrackingURL: r.TrackingURL, Items: items, ShippedAt: f.now()}
		so.Parcels = append(so.Parcels, p)
		return orders.Entry{What: orders.WhatShipped, Detail: so.SellerName + " sent a parcel."},
			orders.Shipped{OrderID: o.ID, SellerOrderID: so.ID, SellerID: so.Seller, BuyerID: o.Buyer, ParcelID: p.ID, At: f.now()}, nil
	})
}

// Deliver marks a parcel as arrived.
func (f *Fake) Deliver(_ context.Context, r orders.DeliverRequest) (orders.SellerOrderReply, error) {
	if !orders.ParcelIDs.Valid(r.Parcel) {
		return orders.SellerOrderReply{}, orders.ErrInvalid.WithField("parcel", "is not the id of a parcel")
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return f.change(r.By, "deliver", r.Key, "", r.SellerOrder, body, func(o *fakeOrder, so *orders.SellerOrder) (orders.Entry, Event, error) {
		i := slices.IndexFunc(so.Parcels, func(p orders.Parcel) bool { return p.ID == r.Parcel })
		switch {
		case i < 0:
			return orders.Entry{}, nil, notFound()
		case !so.Parcels[i].DeliveredAt.IsZero():
			return orders.Entry{}, nil, orders.ErrStatus
		}
		so.Parcels[i].DeliveredAt = f.now()
		lines(so, so.Parcels[i].Items, func(l *orders.Line, n int64) { l.Delivered += n })
		return orders.Entry{What: orders.WhatDelivered, Detail: "A parcel arrived."},
			orders.Delivered{OrderID: o.ID, SellerOrderID: so.ID, SellerID: so.Seller, BuyerID: o.Buyer, ParcelID: r.Parcel, At: f.now()}, nil
	})
}

// Cancel takes back what has not shipped.
func (f *Fake) Cancel(_ context.Context, r orders.CancelRequest) (orders.SellerOrderReply, error) {
	if len(r.Why) > 1000 {
		return orders.SellerOrderReply{}, orders.ErrInvalid.WithField("why", "must have at most 1000 characters")
	}
	body := r
	body.By, body.Key, body.Link = actor.Actor{}, "", ""
	return f.change(r.By, "cancel", r.Key, r.Link, r.SellerOrder, body, func(o *fakeOrder, so *orders.SellerOrder) (orders.Entry, Event, error) {
		items, err := pick(so, r.Items)
		if err != nil {
			return orders.Entry{}, nil, err
		}
		back, n := money.Zero(so.Sums.Total.Currency), int64(0)
		lines(so, items, func(l *orders.Line, more int64) {
			l.Cancelled += more
			whole := l.Sums.Total.Minor*2*l.Cancelled + l.Quantity // half up
			due := whole/(2*l.Quantity) - l.Refunded.Minor
			l.Refunded.Minor, back.Minor, n = l.Refunded.Minor+due, back.Minor+due, n+more
		})
		so.Refunded.Minor += back.Minor
		o.Refunded.Minor += back.Minor
		var taken []orders.CancelledLine // a cart has each variant once
		lines(so, items, func(l *orders.Line, more int64) {
			taken = append(taken, orders.CancelledLine{ListingID: l.Listing, VariantID: l.Variant, Quantity: more, Cancelled: l.Cancelled})
		})
		return orders.Entry{What: orders.WhatCancelled, Detail: fmt.Sprintf("%d from %s cancelled; %s will be paid back.", n, so.SellerName, back)},
			orders.Cancelled{OrderID: o.ID, SellerOrderID: so.ID, SellerID: so.Seller, BuyerID: o.Buyer, Pieces: n, Amount: back, At: f.now(), Lines: taken}, nil
	})
}

// RetryCapture takes the money of a case.
func (f *Fake) RetryCapture(ctx context.Context, r orders.RetryCaptureRequest) (orders.OrderReply, error) {
	if !r.By.IsOperator() {
		return orders.OrderReply{}, orders.ErrForbidden
	}
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= 200, "key", "must have 1 to 200 characters")
	p.Check(orders.OrderIDs.Valid(r.Order), "order", "is not the id of an order")
	p.Check(len(r.Why) <= 1000, "why", "must have at most 1000 characters")
	if err := p.Err(orders.ErrInvalid); err != nil {
		return orders.OrderReply{}, err
	}
	if err := f.retryCapture(r); err != nil {
		return orders.OrderReply{}, err
	}
	return f.GetOrder(ctx, orders.GetOrderRequest{By: r.By, Order: r.Order})
}

func (f *Fake) retryCapture(r orders.RetryCaptureRequest) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	_, err := f.doOnce(r.By.Owner(), "retry_capture", r.Key, body, func() (string, error) {
		o := f.find(r.Order, "")
		switch {
		case o == nil:
			return "", notFound()
		case !o.Case || o.Status != orders.StatusPlaced:
			return "", orders.ErrStatus
		}
		f.note(o, orders.Entry{What: orders.WhatNoted, Who: "operator", Detail: "The charge is tried once more."})
		f.note(o, orders.Entry{What: orders.WhatPaid, Who: "souk", Detail: "The payment was taken."})
		o.Case, o.Captured = false, true
		for i := range o.SellerOrders {
			o.SellerOrders[i].Paid, o.SellerOrders[i].Case = true, false
		}
		return string(o.ID), nil
	})
	return err
}
