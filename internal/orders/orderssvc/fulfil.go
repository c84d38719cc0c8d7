package orderssvc

import (
	"fmt"

	"souk/internal/orders"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/money"
)

// toShip is what is neither shipped nor cancelled of a line.
func toShip(l orders.Line) int64 { return l.Quantity - l.Shipped - l.Cancelled }

// fulfilment is how far a seller order has come, read off its quantities.
func fulfilment(lines []orders.Line) orders.Fulfilment {
	var open, shipped, delivered int64
	for _, l := range lines {
		open += toShip(l)
		shipped += l.Shipped
		delivered += l.Delivered
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

// finished says that nothing more will happen to a seller order by itself.
func finished(f orders.Fulfilment) bool {
	return f == orders.FulfilmentDelivered || f == orders.FulfilmentCancelled
}

// left is every quantity of a seller order that is still to ship.
func left(lines []orders.Line) []orders.ParcelItem {
	var items []orders.ParcelItem
	for _, l := range lines {
		if n := toShip(l); n > 0 {
			items = append(items, orders.ParcelItem{Line: l.ID, Quantity: n})
		}
	}
	return items
}

// pick finds the lines that items name and checks that so much is left of each. Without
// items it is everything that is left; that must be something.
func pick(so *orders.SellerOrder, items []orders.ParcelItem) ([]orders.ParcelItem, error) {
	if len(items) == 0 {
		items = left(so.Lines)
		if len(items) == 0 {
			return nil, orders.ErrQuantity.With("nothing is left to ship of order %s", so.Number)
		}
	}
	var problems errs.Problems
	seen := map[orders.LineID]bool{}
	for _, item := range items {
		l := lineOf(so, item.Line)
		switch {
		case l == nil:
			return nil, orders.ErrNotFound.With("order %s has no line %s", so.Number, item.Line)
		case seen[item.Line]:
			problems.Add(string(item.Line), "is named twice")
		case item.Quantity <= 0:
			problems.Add(string(item.Line), "must be at least 1")
		case item.Quantity > toShip(*l):
			are := "are"
			if toShip(*l) == 1 {
				are = "is"
			}
			return nil, orders.ErrQuantity.With("only %d of %s %s left to ship", toShip(*l), l.Title, are).
				WithField(string(item.Line), fmt.Sprintf("only %d %s left to ship", toShip(*l), are))
		}
		seen[item.Line] = true
	}
	return items, problems.Err(orders.ErrInvalid)
}

func lineOf(so *orders.SellerOrder, lid orders.LineID) *orders.Line {
	for i := range so.Lines {
		if so.Lines[i].ID == lid {
			return &so.Lines[i]
		}
	}
	return nil
}

// shippable is true of rows of seller_orders of which ship and pick take what is left. It begins with how far they have
// come: those are few, and there is an index.
const shippable = `fulfilment IN ('open', 'partly_shipped') AND paid = 1`

// ship moves items of a paid seller order into a parcel.
func ship(so *orders.SellerOrder, p orders.Parcel) error {
	if !so.Paid {
		return orders.ErrUnpaid.With("order %s is not paid yet and must not ship", so.Number)
	}
	for _, item := range p.Items {
		lineOf(so, item.Line).Shipped += item.Quantity
	}
	so.Parcels = append(so.Parcels, p)
	so.Fulfilment = fulfilment(so.Lines)
	return nil
}

// deliver marks a parcel as arrived; changed is false when it had arrived before.
func deliver(so *orders.SellerOrder, pid orders.ParcelID, at clock.Time) (changed bool, err error) {
	for i := range so.Parcels {
		p := &so.Parcels[i]
		if p.ID != pid {
			continue
		}
		if !p.DeliveredAt.IsZero() {
			return false, nil
		}
		p.DeliveredAt = at
		for _, item := range p.Items {
			lineOf(so, item.Line).Delivered += item.Quantity
		}
		so.Fulfilment = fulfilment(so.Lines)
		return true, nil
	}
	return false, orders.ErrNotFound.With("order %s has no parcel %s", so.Number, pid)
}

// cancel takes items back and says what is to be refunded for them.
func cancel(so *orders.SellerOrder, items []orders.ParcelItem) (money.Money, error) {
	sum := money.Zero(so.Sums.Total.Currency)
	for _, item := range items {
		l := lineOf(so, item.Line)
		back, err := refundFor(*l, item.Quantity)
		if err != nil {
			return money.Money{}, err
		}
		if l.Refunded, err = l.Refunded.Add(back); err != nil {
			return money.Money{}, err
		}
		l.Cancelled += item.Quantity
		if sum, err = sum.Add(back); err != nil {
			return money.Money{}, err
		}
	}
	var err error
	if so.Refunded, err = so.Refunded.Add(sum); err != nil {
		return money.Money{}, err
	}
	so.Fulfilment = fulfilment(so.Lines)
	return sum, nil
}
