package orderssvc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
)

// The steps of a checkout. What a step asks of another module has the order's id and the
// step's name for its key, so that it is repeated and undone by the same name.
const (
	stepClaim     = "claim"     // the cart
	stepReserve   = "reserve"   // the stock
	stepAuthorise = "authorise" // the money
	stepConfirm   = "confirm"   // the reservation
	stepPlace     = "place"     // the pivot
	stepCapture   = "capture"   // the money
	stepAllocate  = "allocate"  // the stock
	stepClose     = "close"     // the cart
)

// spare is how much longer than the checkout a reservation holds: it must outlive the
// authorisation that it waits for.
const spare = 5 * time.Minute

// keyOf names what a step of an order asks for.
func keyOf(oid orders.OrderID, step string) string { return string(oid) + ":" + step }

// drive goes on with a checkout until it is finished or waits for someone: the job behind
// every checkout. It may be cut off between any two lines; all that it does is repeated by
// key when it is run again.
func (s *Service) drive(ctx context.Context, j job.Job) error {
	oid := orders.OrderID(j.Key)
	for {
		c, err := s.load(ctx, oid)
		if err != nil {
			return err
		}
		switch c.saga.State {
		case orders.SagaRunning, orders.SagaParked:
			err = s.forwardToPivot(ctx, c)
		case orders.SagaUndoing:
			err = s.undo(ctx, c)
		case orders.SagaForward:
			err = s.forwardFromPivot(ctx, c)
		default:
			return nil
		}
		s.waiting.tell(oid)
		var parked *parkedUntil
		switch {
		case errors.As(err, &parked):
			return job.Again(parked.until)
		case err != nil:
			return s.again(c, err)
		}
	}
}

// checkout is an order and its saga, as loaded for one step.
type checkout struct {
	order *orders.Order
	saga  sagaRow
}

func (s *Service) load(ctx context.Context, oid orders.OrderID) (checkout, error) {
	var c checkout
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		var err error
		if c.saga, err = selectSaga(q, oid); err != nil {
			return err
		}
		c.order, err = selectOrder(q, oid)
		return err
	})
	return c, err
}

// parkedUntil is how a step says that it waits.
type parkedUntil struct{ until clock.Time }

func (p *parkedUntil) Error() string { return "waiting until " + p.until.String() }

// again has the saga tried once more soon: never given up, since what it holds is others'. The
// pause grows with its age. What is not merely unavailable is said aloud.
func (s *Service) again(c checkout, err error) error {
	now := s.Now()
	pause := min(max(now.Sub(c.order.CreatedAt)/4, time.Second), time.Minute)
	event := s.Log.Warn()
	if errs.KindOf(err) == errs.Internal {
		event = s.Log.Error()
	}
	event.Err(err).Str("order_id", string(c.order.ID)).Str("step", c.saga.Step).Msg("checkout step failed, will be tried again")
	return job.Again(now.Add(pause))
}

// forwardToPivot takes the steps up to the placement. A refusal turns the saga to undoing;
// anything that may have been done leaves it where it is, to be repeated by key. Past its
// deadline it is undone whatever is missing.
func (s *Service) forwardToPivot(ctx context.Context, c checkout) error {
	if !s.Now().Before(c.saga.Deadline) {
		return s.reject(ctx, c, orders.ReasonTimeout, "It took too long. Nothing was charged.")
	}
	steps := []struct {
		name string
		do   func(context.Context, *checkout) error
	}{
		{stepClaim, s.claim},
		{stepReserve, s.reserve},
		{stepAuthorise, s.authorise},
		{stepConfirm, s.confirm},
		{stepPlace, s.place},
	}
	for _, step := range steps {
		if step.name == stepClaim && c.frozen() {
			continue
		}
		c.saga.Step = step.name
		s.At("before "+step.name, c.order.ID)
		err := step.do(ctx, &c)
		s.At("after "+step.name, c.order.ID)
		var parked *parkedUntil
		switch {
		case errors.As(err, &parked):
			return err
		case errs.Refused(err):
			reason, message := reasonOf(step.name, err)
			return s.reject(ctx, c, reason, message)
		case err != nil:
			return fmt.Errorf("%s for order %s: %w", step.name, c.order.ID, err)
		}
	}
	return nil
}

// frozen says that the cart was claimed and its quote copied.
func (c checkout) frozen() bool { return len(c.order.SellerOrders) > 0 }

// claim takes the cart and freezes the quote that came with it.
func (s *Service) claim(ctx context.Context, c *checkout) error {
	o := c.order
	reply, err := s.Cart.Claim(ctx, cart.ClaimRequest{
		By: systemFor(o.Buyer), Key: keyOf(o.ID, stepClaim), Owner: c.saga.CartOwner, Cart: c.saga.Cart,
		CartVersion: c.saga.CartVersion, QuoteHash: c.saga.QuoteHash, Destination: destinationOf(o.Delivery),
		Person: id.RefOf(o.Buyer), Order: id.RefOf(o.ID),
	})
	if err != nil {
		return err
	}
	s.At("between claim and freeze", o.ID)
	ids := makers{sellerOrder: orders.SellerOrderIDs.New, line: orders.LineIDs.New}
	if err := freeze(o, reply.Quote, o.CreatedAt, ids); err != nil {
		return err
	}
	c.saga.Step = stepReserve
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := insertFrozen(tx, o); err != nil {
			return err
		}
		return updateSaga(tx, c.saga)
	})
	if err == nil {
		o.Version++ // as insertFrozen did
	}
	return err
}

// items are the variants of an order, each once.
func items(o *orders.Order) []catalog.Item {
	var out []catalog.Item
	for _, so := range o.SellerOrders {
		for _, l := range so.Lines {
			out = append(out, catalog.Item{Variant: l.Variant, Quantity: l.Quantity})
		}
	}
	return out
}

// reserve holds the stock for as long as the checkout may take, and a little longer.
func (s *Service) reserve(ctx context.Context, c *checkout) error {
	_, err := s.Catalog.Reserve(ctx, catalog.ReserveRequest{
		By: systemFor(c.order.Buyer), Key: keyOf(c.order.ID, stepReserve), For: id.RefOf(c.order.ID),
		Items: items(c.order), Until: c.saga.Deadline.Add(spare),
	})
	return err
}

// authorise reserves the money, or parks the saga until the buyer or the provider has spoken.
func (s *Service) authorise(ctx context.Context, c *checkout) error {
	o := c.order
	reply, err := s.Payments.Authorize(ctx, payments.AuthorizeRequest{
		By: systemFor(o.Buyer), Key: keyOf(o.ID, stepAuthorise), Order: id.RefOf(o.ID), Amount: o.Sums.Total,
		Method: o.Method, ReturnURL: "/checkout/" + string(o.ID), Until: c.saga.Deadline,
	})
	if err != nil {
		return err
	}
	p := reply.Payment
	o.Payment = p.ID
	switch p.Status {
	case payments.StatusAuthorised, payments.StatusCaptured, payments.StatusNothingDue:
		return nil
	case payments.StatusDeclined:
		return payments.ErrStatus.With("%s", declined(p.DeclineReason))
	case payments.StatusVoided:
		return payments.ErrKeyUndone.With("The payment was given up.")
	default:
		return s.park(ctx, c, p)
	}
}

func declined(reason string) string {
	if reason == "" {
		return "The payment was declined."
	}
	return "The payment was declined: " + reason
}

// park writes down what the saga waits for. Payments' event or the deadline wakes it.
func (s *Service) park(ctx context.Context, c *checkout, p payments.Payment) error {
	until := c.saga.Deadline
	if !p.Until.IsZero() && p.Until.Before(until) {
		until = p.Until
	}
	if !s.Now().Before(until) {
		return payments.ErrStatus.With("The payment was not approved in time.")
	}
	if c.saga.State == orders.SagaParked && c.saga.ActionURL == p.ActionURL && c.saga.Until == until {
		return &parkedUntil{until: until}
	}
	c.saga.State, c.saga.Step, c.saga.Until, c.saga.ActionURL = orders.SagaParked, stepAuthorise, until, p.ActionURL
	err := s.DB.Write(ctx, func(tx *store.Tx) error { return updateSaga(tx, c.saga) })
	if err != nil {
		return err
	}
	return &parkedUntil{until: until}
}

// confirm takes the term off the reservation. One whose term is over is made again if the
// goods can still be had: the money is there.
func (s *Service) confirm(ctx context.Context, c *checkout) error {
	_, err := s.Catalog.Confirm(ctx, catalog.ConfirmRequest{
		By: systemFor(c.order.Buyer), Key: keyOf(c.order.ID, stepConfirm), Reservation: keyOf(c.order.ID, stepReserve),
	})
	return err
}

// place makes the order final: the pivot of the checkout. Repeating it changes nothing.
func (s *Service) place(ctx context.Context, c *checkout) error {
	payment := c.order.Payment
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		o, err := selectOrder(tx, c.order.ID)
		if err != nil {
			return err
		}
		if o.Status != orders.StatusPending {
			return nil
		}
		o.Payment = payment
		if err := moveTo(o, orders.StatusPlaced); err != nil {
			return err
		}
		o.PlacedAt = s.Now()
		if err := updateStates(tx, o); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE seller_orders SET placed_at = ? WHERE order_id = ?`, o.PlacedAt, o.ID); err != nil {
			return fmt.Errorf("open the seller orders of %s: %w", o.ID, err)
		}
		saga := c.saga
		saga.State, saga.Step, saga.Until, saga.ActionURL = orders.SagaForward, stepCapture, 0, ""
		if err := updateSaga(tx, saga); err != nil {
			return err
		}
		if err := note(tx, o.ID, orders.Entry{What: orders.WhatPlaced, Who: "buyer", Detail: "The order was placed."}); err != nil {
			return err
		}
		return tx.Publish(placed(o))
	})
}

func placed(o *orders.Order) orders.Placed {
	e := orders.Placed{OrderID: o.ID, Number: o.Number, BuyerID: o.Buyer, Total: o.Sums.Total, At: o.PlacedAt}
	for _, so := range o.SellerOrders {
		for _, l := range so.Lines {
			e.Lines = append(e.Lines, orders.PlacedLine{
				SellerOrderID: so.ID, SellerID: so.Seller, ListingID: l.Listing, VariantID: l.Variant, Quantity: l.Quantity,
			})
		}
	}
	return e
}

// next are the states that an order may go to.
var next = map[orders.Status][]orders.Status{
	orders.StatusPending: {orders.StatusPlaced, orders.StatusRejected},
	orders.StatusPlaced:  {orders.StatusCompleted},
}

// moveTo advances o, or reports a conflict.
func moveTo(o *orders.Order, status orders.Status) error {
	for _, s := range next[o.Status] {
		if s == status {
			o.Status = status
			return nil
		}
	}
	return orders.ErrStatus.With("order %s is %s and cannot become %s", o.Number, o.Status, status)
}

// forwardFromPivot finishes what the placement promised: it takes the money, sets the goods
// aside and closes the cart. From here on it only goes forward.
func (s *Service) forwardFromPivot(ctx context.Context, c checkout) error {
	o, by := c.order, systemFor(c.order.Buyer)
	s.At("before capture", o.ID)
	if !o.Sums.Total.IsZero() {
		_, err := s.Payments.Capture(ctx, payments.CaptureRequest{
			By: by, Key: keyOf(o.ID, stepCapture), Payment: o.Payment, Amount: o.Sums.Total, Shares: captureShares(o),
		})
		switch {
		case errors.Is(err, payments.ErrCaptureRefused):
			return s.openCase(ctx, c, err)
		case err != nil:
			return fmt.Errorf("capture for order %s: %w", o.ID, err)
		}
	}
	s.At("after capture", o.ID)
	if _, err := s.Catalog.Allocate(ctx, catalog.AllocateRequest{
		By: by, Key: keyOf(o.ID, stepAllocate), Reservation: keyOf(o.ID, stepReserve),
	}); err != nil {
		return fmt.Errorf("allocate for order %s: %w", o.ID, err)
	}
	s.At("after allocate", o.ID)
	if err := s.closeCart(ctx, c); err != nil {
		return err
	}
	s.At("after close", o.ID)
	return s.finish(ctx, c)
}

func (s *Service) closeCart(ctx context.Context, c checkout) error {
	if _, err := s.Cart.Close(ctx, cart.CloseRequest{
		By: systemFor(c.order.Buyer), Key: keyOf(c.order.ID, stepClose), Claim: keyOf(c.order.ID, stepClaim),
	}); err != nil {
		return fmt.Errorf("close the cart of order %s: %w", c.order.ID, err)
	}
	return nil
}

// finish ends the saga: the order is paid and may ship.
func (s *Service) finish(ctx context.Context, c checkout) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		saga, err := selectSaga(tx, c.order.ID)
		if err != nil {
			return err
		}
		if saga.State == orders.SagaFinished {
			return nil
		}
		if _, err := tx.Exec(`UPDATE orders SET captured = 1, version = version + 1 WHERE id = ?`, c.order.ID); err != nil {
			return fmt.Errorf("mark order %s paid: %w", c.order.ID, err)
		}
		if _, err := tx.Exec(`UPDATE seller_orders SET paid = 1, version = version + 1 WHERE order_id = ?`, c.order.ID); err != nil {
			return fmt.Errorf("mark the parts of order %s paid: %w", c.order.ID, err)
		}
		saga.State, saga.Step = orders.SagaFinished, ""
		if err := updateSaga(tx, saga); err != nil {
			return err
		}
		return note(tx, c.order.ID, orders.Entry{What: orders.WhatPaid, Who: "souk", Detail: "The payment was taken."})
	})
}

// openCase stops fulfilment: the provider will not give the money that it had authorised, and
// someone must decide. Operators see it; cancelling the order gives everything back.
func (s *Service) openCase(ctx context.Context, c checkout, cause error) error {
	s.Log.Error().Err(cause).Str("order_id", string(c.order.ID)).Msg("capture refused for good")
	if err := s.closeCart(ctx, c); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		saga := c.saga
		saga.State, saga.Step = orders.SagaCase, stepCapture
		if err := updateSaga(tx, saga); err != nil {
			return err
		}
		return note(tx, c.order.ID, orders.Entry{
			What: orders.WhatCase, Who: "souk", Detail: "The payment provider refused to pay out what it had authorised. Nothing ships until this is settled.",
		})
	})
}
