package orderssvc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

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
	stepClaim       = "claim"        // the cart
	stepReserve     = "reserve"      // the stock
	stepAuthorise   = "authorise"    // the money
	stepConfirm     = "confirm"      // the reservation
	stepReserveLate = "reserve-late" // the stock once more: the money is there, the term was over
	stepConfirmLate = "confirm-late"
	stepPlace       = "place"    // the pivot
	stepCapture     = "capture"  // the money
	stepAllocate    = "allocate" // the stock
	stepClose       = "close"    // the cart
)

// spare is how much longer than the checkout a reservation holds: it must outlive the
// authorisation that it waits for.
const spare = 5 * time.Minute

// Pauses before something that failed is tried again: a quarter of its age, within these.
const (
	shortestPause = time.Second
	longestPause  = time.Minute
)

// caseWait is how often the refund of a part looks whether the rest of a case was cancelled too.
const caseWait = 15 * time.Minute

// refundWait is how often a refund that the provider has not answered looks for itself: should payments'
// event have been missed.
const refundWait = 15 * time.Minute

// keyOf names what a step of an order asks for.
func keyOf(oid orders.OrderID, step string) string { return string(oid) + ":" + step }

// errMoved says that a checkout is not where this run has left it: look again.
var errMoved = errors.New("the checkout has moved on meanwhile")

// moved is err, but not as a refusal of a step when it is the order that changed meanwhile.
func moved(err error) error {
	if errors.Is(err, orders.ErrVersion) {
		return errMoved
	}
	return err
}

// checkout is an order and its saga, as loaded and then changed step by step.
type checkout struct {
	order *orders.Order // without parcels and timeline
	saga  sagaRow
	run   job.Job // that drives it: what has been overtaken moves nothing
}

// frozen says that the cart was claimed and its quote copied.
func (c *checkout) frozen() bool { return len(c.order.SellerOrders) > 0 }

// reservation is the key by which the order's goods are held.
func (c *checkout) reservation() string { return keyOf(c.order.ID, c.saga.Reservation) }

// drive goes on with a checkout until it is finished or waits for someone: the job behind
// every checkout. It may be cut off between any two lines; all that it does is repeated by
// key when it is run again.
func (s *Service) drive(ctx context.Context, j job.Job) error {
	oid := orders.OrderID(j.Key)
	for tries := 0; ; tries++ {
		c, err := s.load(ctx, oid)
		if err == nil {
			c.run = j
			err = s.advance(ctx, c)
		}
		var parked *parkedUntil
		switch {
		case errors.Is(err, errMoved) && tries < 3:
			continue
		case errors.As(err, &parked):
			return job.Again(parked.until)
		case errors.Is(err, orders.ErrNotFound):
			return job.Dead(err)
		case err != nil:
			return s.again(oid, c, err)
		default:
			return nil
		}
	}
}

// advance takes a checkout from state to state until it rests. Whoever waits for it is told
// of each.
func (s *Service) advance(ctx context.Context, c *checkout) error {
	for {
		var err error
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
		s.waiting.tell(c.saga.Order)
		if err != nil {
			return err
		}
	}
}

func (s *Service) load(ctx context.Context, oid orders.OrderID) (*checkout, error) {
	c := &checkout{}
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		var err error
		if c.saga, err = selectSaga(q, oid); err != nil {
			return err
		}
		row, err := selectOrderRow(q, `id = ?`, oid)
		if err != nil {
			return err
		}
		c.order, err = agreed(q, row)
		return err
	})
	return c, err
}

// parkedUntil is how a step says that it waits.
type parkedUntil struct{ until clock.Time }

func (p *parkedUntil) Error() string { return "waiting until " + p.until.String() }

// pauseAfter is how long to wait before trying again what was begun then.
func pauseAfter(begun, now clock.Time) time.Duration {
	return min(max(now.Sub(begun)/4, shortestPause), longestPause)
}

// again has the saga tried once more soon: never given up, since what it holds is others', and
// not later than its deadline. What is not merely out of reach is said aloud.
func (s *Service) again(oid orders.OrderID, c *checkout, err error) error {
	now, begun, deadline := s.Now(), s.Now(), clock.Time(0)
	if c.order != nil {
		begun, deadline = c.order.CreatedAt, c.saga.Deadline
	}
	at := now.Add(pauseAfter(begun, now))
	if now.Before(deadline) && deadline.Before(at) {
		at = deadline
	}
	level := zerolog.WarnLevel
	if errs.KindOf(err) == errs.Internal || errs.Refused(err) {
		level = zerolog.ErrorLevel
	}
	s.Telemetry.Log.WithLevel(level).Err(err).Str("order_id", string(oid)).Str("step", c.saga.Step).Msg("checkout step failed, will be tried again")
	return job.Again(at)
}

// step is one step before the pivot.
type step struct {
	name string
	do   func(context.Context, *checkout) error
}

// stepsFrom are the steps that a checkout still has to take to the pivot. Those that were
// taken are repeated, by key, unless their effect is in our own database. Past the deadline
// nothing is begun any more; but money that has come all the same places the order, if the
// goods can still be had.
func (s *Service) stepsFrom(c *checkout, late bool) []step {
	all := []step{
		{stepClaim, s.claim}, {stepReserve, s.reserve}, {stepAuthorise, s.authorise}, {stepConfirm, s.confirm}, {stepPlace, s.place},
	}
	switch {
	case late && !c.frozen():
		return nil
	case late || c.saga.Step == stepAuthorise:
		return all[2:]
	case c.frozen():
		return all[1:]
	default:
		return all
	}
}

const tooLong = "It took too long. Nothing was charged."

// forwardToPivot takes the steps up to the placement. A refusal turns the saga to undoing;
// anything that may have been done leaves it where it is, to be repeated by key. Past its
// deadline it is undone whatever is missing: at once when that is known, else after a grace.
func (s *Service) forwardToPivot(ctx context.Context, c *checkout) error {
	late := !s.Now().Before(c.saga.Deadline)
	if late && c.frozen() {
		if err := s.grace(ctx, c); err != nil {
			return err
		}
	}
	for _, step := range s.stepsFrom(c, late) {
		c.saga.Step = step.name
		s.At("before "+step.name, c.saga.Order)
		err := step.do(ctx, c)
		s.At("after "+step.name, c.saga.Order)
		var parked *parkedUntil
		switch {
		case err == nil:
			continue
		case errors.Is(err, errMoved) || ctx.Err() != nil:
			return err
		case late && step.name == stepAuthorise && (errors.As(err, &parked) || errs.Refused(err)):
			return s.reject(ctx, c, orders.ReasonTimeout, tooLong)
		case late && !errs.Refused(err) && !s.Now().Before(c.saga.Until):
			return s.reject(ctx, c, orders.ReasonTimeout, tooLong)
		case errors.As(err, &parked):
			return err
		case errs.Refused(err):
			reason, message := reasonOf(step.name, err)
			return s.reject(ctx, c, reason, message)
		default:
			return fmt.Errorf("%s for order %s: %w", step.name, c.saga.Order, err)
		}
	}
	if c.saga.State == orders.SagaForward {
		return nil
	}
	return s.reject(ctx, c, orders.ReasonTimeout, tooLong)
}

// grace gives a checkout that is found past its deadline a while for what cannot be reached or
// does not answer: souk may have been away, and so may the others.
func (s *Service) grace(ctx context.Context, c *checkout) error {
	if c.saga.Deadline.Before(c.saga.Until) {
		return nil
	}
	saga := c.saga
	saga.Until, saga.ActionURL = s.Now().Add(spare), ""
	if err := s.DB.Write(ctx, func(tx *store.Tx) error { return c.move(tx, saga) }); err != nil {
		return err
	}
	c.saga = saga
	return nil
}

// claim takes the cart and freezes the quote that came with it.
func (s *Service) claim(ctx context.Context, c *checkout) error {
	o := *c.order
	reply, err := s.Cart.Claim(ctx, cart.ClaimRequest{
		By: systemFor(o.Buyer), Key: keyOf(o.ID, stepClaim), Owner: c.saga.CartOwner, Cart: c.saga.Cart,
		CartVersion: c.saga.CartVersion, QuoteHash: c.saga.QuoteHash, Destination: destinationOf(o.Delivery),
		Person: id.RefOf(o.Buyer), Order: id.RefOf(o.ID),
	})
	if err != nil {
		return err
	}
	s.At("between claim and freeze", o.ID)
	if err := freeze(&o, reply.Quote, makers{sellerOrder: orders.SellerOrderIDs.New, line: orders.LineIDs.New}); err != nil {
		// The same quote would come again: it is refused, not tried until the deadline.
		s.Telemetry.Log.Error().Err(err).Str("order_id", string(o.ID)).Msg("a claimed quote does not add up")
		return orders.ErrInvalid.With("This cart cannot be ordered just now. Nothing was charged.").Because(err)
	}
	saga := c.saga
	saga.Step = stepReserve
	if err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := insertFrozen(tx, &o); err != nil {
			return err
		}
		return c.move(tx, saga)
	}); err != nil {
		return err
	}
	o.Version++ // as insertFrozen did
	c.order, c.saga = &o, saga
	return nil
}

// itemsOf are the variants of an order, each once.
func itemsOf(o *orders.Order) []catalog.Item {
	var out []catalog.Item
	at := map[catalog.VariantID]int{}
	for _, so := range o.SellerOrders {
		for _, l := range so.Lines {
			i, ok := at[l.Variant]
			if !ok {
				at[l.Variant] = len(out)
				out = append(out, catalog.Item{Variant: l.Variant, Quantity: l.Quantity})
				continue
			}
			out[i].Quantity += l.Quantity
		}
	}
	return out
}

// reserve holds the stock for as long as the checkout may take, and a little longer.
func (s *Service) reserve(ctx context.Context, c *checkout) error {
	_, err := s.Catalog.Reserve(ctx, catalog.ReserveRequest{
		By: systemFor(c.order.Buyer), Key: c.reservation(), For: id.RefOf(c.order.ID), Items: itemsOf(c.order), Until: c.saga.ReservedUntil,
	})
	return err
}

// authorise reserves the money, or parks the saga until the buyer or the provider has spoken.
// Having parked it asks once more: what was said in between found nobody parked to be woken.
func (s *Service) authorise(ctx context.Context, c *checkout) error {
	o := c.order
	for {
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
		default: // the buyer or the provider has still to speak
		}
		was := c.saga
		if err := s.park(ctx, c, p); err != nil {
			return err
		}
		s.At("parked", o.ID)
		if was.State == orders.SagaParked && was.Until == c.saga.Until && was.ActionURL == c.saga.ActionURL {
			return &parkedUntil{until: c.saga.Until}
		}
	}
}

func declined(reason string) string {
	if reason == "" {
		return "The payment was declined."
	}
	return "The payment was declined: " + reason
}

// errNotInTime says that the buyer or the provider took too long.
var errNotInTime = errs.Refusal(errs.Conflict, "orders.not_in_time")

// park writes down what the saga waits for. Payments' event or the deadline wakes it.
func (s *Service) park(ctx context.Context, c *checkout, p payments.Payment) error {
	saga := c.saga
	saga.State, saga.Step, saga.Until, saga.ActionURL = orders.SagaParked, stepAuthorise, saga.Deadline, p.ActionURL
	if !p.Until.IsZero() && p.Until.Before(saga.Until) {
		saga.Until = p.Until
	}
	switch {
	case !s.Now().Before(saga.Until):
		return errNotInTime.With("The payment was not approved in time.")
	case saga == c.saga:
		return nil
	}
	if err := s.DB.Write(ctx, func(tx *store.Tx) error { return c.move(tx, saga) }); err != nil {
		return err
	}
	c.saga = saga
	return nil
}

// confirm takes the term off the reservation. One whose term is over is made again if the
// goods can still be had: the money is there.
func (s *Service) confirm(ctx context.Context, c *checkout) error {
	err := s.confirmHold(ctx, c)
	if !errors.Is(err, catalog.ErrExpired) || c.saga.Reservation == stepReserveLate {
		return err
	}
	saga := c.saga
	saga.Reservation, saga.ReservedUntil = stepReserveLate, s.Now().Add(spare)
	if err := s.DB.Write(ctx, func(tx *store.Tx) error { return c.move(tx, saga) }); err != nil {
		return err
	}
	c.saga = saga
	s.At("before "+stepReserveLate, c.saga.Order)
	return s.confirmHold(ctx, c)
}

// confirmHold confirms the reservation that counts; one made late is first made.
func (s *Service) confirmHold(ctx context.Context, c *checkout) error {
	key := keyOf(c.order.ID, stepConfirm)
	if c.saga.Reservation == stepReserveLate {
		key = keyOf(c.order.ID, stepConfirmLate)
		if err := s.reserve(ctx, c); err != nil {
			return err
		}
	}
	_, err := s.Catalog.Confirm(ctx, catalog.ConfirmRequest{By: systemFor(c.order.Buyer), Key: key, Reservation: c.reservation()})
	return err
}

// place makes the order final: the pivot of the checkout.
func (s *Service) place(ctx context.Context, c *checkout) error {
	o, saga := *c.order, c.saga
	if err := moveTo(&o, orders.StatusPlaced); err != nil {
		return errMoved
	}
	o.PlacedAt = s.Now()
	saga.State, saga.Step, saga.Until, saga.ActionURL = orders.SagaForward, stepCapture, 0, ""
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := c.move(tx, saga); err != nil {
			return err
		}
		if err := updateStates(tx, o); err != nil {
			return moved(err)
		}
		if _, err := tx.Exec(`UPDATE seller_orders SET placed_at = ? WHERE order_id = ?`, o.PlacedAt, o.ID); err != nil {
			return fmt.Errorf("open the seller orders of %s: %w", o.ID, err)
		}
		if err := note(tx, o.ID, orders.Entry{What: orders.WhatPlaced, Who: "buyer", Detail: "The order was placed."}); err != nil {
			return err
		}
		return tx.Publish(placed(&o))
	})
	if err != nil {
		return err
	}
	o.Version++ // as updateStates did
	c.order, c.saga = &o, saga
	s.counted("checkouts", "placed")
	return nil
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
