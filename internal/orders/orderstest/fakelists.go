package orderstest

import (
	"context"
	"slices"
	"strings"

	"souk/internal/accounts"
	"souk/internal/orders"
)

func contains(number, text string) bool {
	plain := func(s string) string { return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(s)) }
	return strings.Contains(plain(number), plain(text))
}

// ListOrders pages through orders, newest first.
func (f *Fake) ListOrders(_ context.Context, r orders.ListOrdersRequest) (orders.ListOrdersReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case r.All && !r.By.IsOperator() && !r.By.IsSystem(), !r.All && !r.By.SignedIn():
		return orders.ListOrdersReply{}, orders.ErrForbidden
	case !slices.Contains([]orders.Status{"", orders.StatusPending, orders.StatusPlaced, orders.StatusCompleted, orders.StatusRejected}, r.Status):
		return orders.ListOrdersReply{}, orders.ErrInvalid.WithField("status", "is not a status")
	case !r.All && r.Stopped != nil && *r.Stopped:
		return orders.ListOrdersReply{}, orders.ErrInvalid.WithField("stopped", "is for operators, about everyone's orders")
	case r.Sort != nil && *r.Sort != orders.SortNewest && *r.Sort != orders.SortOldest:
		return orders.ListOrdersReply{}, orders.ErrInvalid.WithField("sort", "must be newest or oldest")
	}
	var found []orders.Summary
	for _, o := range slices.Backward(f.all) {
		switch {
		case !r.All && o.Buyer != accounts.PersonID(r.By.Person),
			r.Status == "" && o.Status == orders.StatusRejected, r.Status != "" && o.Status != r.Status,
			r.Stopped != nil && *r.Stopped && !o.stopped(),
			r.From != 0 && o.CreatedAt.Before(r.From), r.Until != 0 && !o.CreatedAt.Before(r.Until), !contains(o.Number, r.Text):
			continue
		}
		found = append(found, summary(o.Order))
	}
	oldest := r.Sort != nil && *r.Sort == orders.SortOldest
	if oldest {
		slices.Reverse(found)
	}
	filter := []any{r.By.Owner(), r.All, r.Status, r.Text, r.From, r.Until, r.Stopped != nil && *r.Stopped, oldest}
	got, next, err := pageOf(found, r.Page, filter, func(s orders.Summary) string { return string(s.ID) })
	return orders.ListOrdersReply{Orders: got, Next: next}, err
}

// stopped says whether someone must look at the order: it has a case, and was not settled.
func (o *fakeOrder) stopped() bool {
	return o.Status == orders.StatusPlaced && o.Case
}

func summary(o orders.Order) orders.Summary {
	s := orders.Summary{
		ID: o.ID, Number: o.Number, Status: o.Status, Reason: o.Reason, Total: o.Sums.Total, Refunded: o.Refunded,
		CreatedAt: o.CreatedAt, PlacedAt: o.PlacedAt, Captured: o.Captured, Case: o.Case,
	}
	for _, so := range o.SellerOrders {
		s.Sellers, s.Fulfilment = append(s.Sellers, so.SellerName), append(s.Fulfilment, so.Fulfilment)
		for _, l := range so.Lines {
			s.Pieces += l.Quantity
			if len(s.Titles) < 3 {
				s.Titles = append(s.Titles, l.Title)
			}
			if s.Image == "" {
				s.Image = l.Image
			}
		}
	}
	return s
}
