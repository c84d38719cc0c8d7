package orderssvc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/orders"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// keysLive is how long a client's idempotency key is remembered.
const keysLive = 8 * 24 * time.Hour

// maxWait is how long a request waits for its checkout at most.
const maxWait = 20 * time.Second

// Checkout starts a checkout and waits for it a while.
func (s *Service) Checkout(ctx context.Context, r orders.CheckoutRequest) (reply orders.CheckoutReply, err error) {
	defer func() { s.done("checkout", err) }()
	if r.By.Owner() == "" || r.By.IsSystem() {
		return orders.CheckoutReply{}, orders.ErrForbidden.With("a checkout needs someone signed in, or a cart token")
	}
	if err := checkCheckout(&r); err != nil {
		return orders.CheckoutReply{}, err
	}
	buyer, err := s.buyer(ctx, r)
	if err != nil {
		return orders.CheckoutReply{}, err
	}
	o := &orders.Order{
		ID: s.NewID(), Buyer: buyer, Guest: !r.By.SignedIn(), Status: orders.StatusPending, Contact: r.Contact,
		Delivery: r.Delivery, Invoice: r.Delivery, Method: r.Method, CreatedAt: s.Now(),
	}
	if r.Invoice != nil {
		o.Invoice = *r.Invoice
	}
	var oid orders.OrderID
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		c := store.Command{
			Owner: r.By.Owner(), Operation: "orders.checkout", Key: r.Key, Body: bodyOf(r), Until: s.Now().Add(keysLive),
		}
		result, _, err := tx.Once(c, func() (string, error) { return string(o.ID), s.begin(tx, o, r) })
		oid = orders.OrderID(result)
		return err
	})
	if err != nil {
		return orders.CheckoutReply{}, err
	}
	s.At("begun", oid)
	at, err := s.await(ctx, oid, time.Duration(r.WaitMillis)*time.Millisecond)
	if err != nil {
		return orders.CheckoutReply{}, err
	}
	reply = at.reply()
	if at.Guest {
		reply.Link, err = s.link(ctx, oid)
	}
	return reply, err
}

// bodyOf is what makes a repeated checkout the same: all but how long its client waits, and by
// which of its credentials it asks.
func bodyOf(r orders.CheckoutRequest) [32]byte {
	r.By, r.Key, r.WaitMillis = actor.Actor{}, "", 0
	return store.Hash(r)
}

// begin makes the pending order, its saga and the job that goes on with it.
func (s *Service) begin(tx *store.Tx, o *orders.Order, r orders.CheckoutRequest) error {
	for tries := 0; ; tries++ {
		o.Number = s.NewNumber()
		err := insertOrder(tx, o)
		if errors.Is(err, errNumberTaken) && tries < 5 {
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	if err := insertSaga(tx, sagaRow{
		Order: o.ID, State: orders.SagaRunning, Step: stepClaim, CartOwner: r.By.Owner(), Cart: r.Cart,
		CartVersion: r.CartVersion, QuoteHash: r.QuoteHash, Deadline: o.CreatedAt.Add(s.Term),
		Reservation: stepReserve, ReservedUntil: o.CreatedAt.Add(s.Term + spare), Captures: 1,
	}); err != nil {
		return err
	}
	return tx.Enqueue(jobCheckout, string(o.ID), s.Now())
}

// buyer is the person who buys; a guest becomes one here.
func (s *Service) buyer(ctx context.Context, r orders.CheckoutRequest) (accounts.PersonID, error) {
	if r.By.SignedIn() {
		return accounts.PersonID(r.By.Person), nil
	}
	sum := sha256.Sum256([]byte(r.By.Owner() + "\n" + r.Key + "\n" + r.Contact.Email + "\n" + r.Contact.Name))
	reply, err := s.Accounts.EnsureGuest(ctx, accounts.EnsureGuestRequest{
		By: actor.System(""), Key: "checkout:" + hex.EncodeToString(sum[:]), Email: r.Contact.Email, Name: r.Contact.Name,
	})
	if errors.Is(err, accounts.ErrInvalid) {
		return "", orders.ErrInvalid.WithField("contact.email", "is not an address that mail can be sent to").Because(err)
	}
	if err != nil {
		return "", fmt.Errorf("make the guest a person: %w", err)
	}
	return reply.Person.ID, nil
}

// checkCheckout tidies a request and says everything that is wrong with it.
func checkCheckout(r *orders.CheckoutRequest) error {
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= 200, "key", "must have 1 to 200 characters")
	p.Check(cart.CartIDs.Valid(r.Cart), "cart", "is not the id of a cart")
	p.Check(r.QuoteHash != "", "quote_hash", "say which quote the buyer agreed to")
	p.Check(r.Method != "" && len(r.Method) <= 100, "method", "choose a way to pay")
	p.Check(r.WaitMillis >= 0 && r.WaitMillis <= maxWait.Milliseconds(), "wait_millis", "must be 0 to %d", maxWait.Milliseconds())
	r.Contact.Email, r.Contact.Name = strings.TrimSpace(r.Contact.Email), strings.TrimSpace(r.Contact.Name)
	tidyPostal(&r.Delivery)
	if r.Invoice != nil {
		tidyPostal(r.Invoice)
	}
	r.CheckWhoAndWhere(&p)
	return p.Err(orders.ErrInvalid)
}

func tidyPostal(a *accounts.Postal) {
	for _, text := range []*string{&a.Name, &a.Line1, &a.Line2, &a.PostalCode, &a.City, &a.Region, &a.Phone} {
		*text = strings.TrimSpace(*text)
	}
}

// destinationOf is what shipping and tax depend on of an address.
func destinationOf(a accounts.Postal) cart.Destination {
	return cart.Destination{Country: a.Country, Region: a.Region, PostalCode: a.PostalCode}
}

// standing is where a checkout stands.
type standing struct {
	ID        orders.OrderID   `db:"id"`
	Number    string           `db:"number"`
	Guest     bool             `db:"guest"`
	Status    orders.Status    `db:"status"`
	Reason    orders.Reason    `db:"reason"`
	Message   string           `db:"message"`
	Total     int64            `db:"total"`
	Currency  money.Currency   `db:"currency"`
	State     orders.SagaState `db:"state"`
	Until     clock.Time       `db:"until"`
	ActionURL string           `db:"action_url"`
}

func (at standing) reply() orders.CheckoutReply {
	reply := orders.CheckoutReply{
		Order: at.ID, Number: at.Number, Status: at.Status, Reason: at.Reason, Message: at.Message,
		Total: money.Money{Minor: at.Total, Currency: at.Currency},
	}
	if at.State == orders.SagaParked {
		reply.ActionURL, reply.Until = at.ActionURL, at.Until
	}
	return reply
}

// resting says whether nothing more happens to a checkout by itself that its buyer waits for:
// it is placed or rejected, or it is the buyer's turn.
func (at standing) resting() bool {
	return at.Status != orders.StatusPending || at.State == orders.SagaParked && at.ActionURL != ""
}

func (s *Service) standing(ctx context.Context, oid orders.OrderID) (standing, error) {
	var at standing
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		return q.Get(&at, `
			SELECT o.id, o.number, o.guest, o.status, o.reason, o.message, o.total, o.currency, s.state, s.until, s.action_url
			FROM orders o JOIN sagas s ON s.order_id = o.id WHERE o.id = ?`, oid)
	})
	if err != nil {
		return at, fmt.Errorf("read where order %s stands: %w", oid, err)
	}
	return at, nil
}

// await waits until the checkout rests, or until the time is over, and says where it stands.
// The caller's going away ends only the waiting.
func (s *Service) await(ctx context.Context, oid orders.OrderID, most time.Duration) (standing, error) {
	if most <= 0 {
		return s.standing(ctx, oid)
	}
	until := time.Now().Add(most)
	for over := false; ; {
		news, leave := s.waiting.join(oid)
		at, err := s.standing(ctx, oid)
		if err != nil || over || at.resting() {
			leave()
			return at, err
		}
		left := time.Until(until)
		rest := left
		if s.DB.Shared() {
			rest = min(rest, lookAgain)
		}
		timer := time.NewTimer(rest)
		select {
		case <-news:
		case <-timer.C:
			over = rest == left
		case <-ctx.Done():
			timer.Stop()
			leave()
			return standing{}, fmt.Errorf("wait for order %s: %w", oid, context.Cause(ctx))
		}
		timer.Stop()
		leave()
	}
}

// GetCheckout says where a checkout stands.
func (s *Service) GetCheckout(ctx context.Context, r orders.GetOrderRequest) (orders.CheckoutReply, error) {
	if err := s.prepare(ctx, r.Link); err != nil {
		return orders.CheckoutReply{}, err
	}
	var row orderRow
	err := s.DB.Read(ctx, func(q store.Queryer) error {
		var err error
		row, err = s.visible(ctx, q, r)
		return err
	})
	if err != nil {
		return orders.CheckoutReply{}, err
	}
	at, err := s.standing(ctx, row.ID)
	if err != nil {
		return orders.CheckoutReply{}, err
	}
	reply := at.reply()
	reply.Link = r.Link // by which it was just opened
	return reply, nil
}

// visible reads the row of an order that the caller may see: its own by the WHERE clause, by
// its link, or any for operators and souk itself.
func (s *Service) visible(ctx context.Context, q store.Queryer, r orders.GetOrderRequest) (orderRow, error) {
	where, arg := `id = ?`, string(r.Order)
	if r.Order == "" {
		where, arg = `number = ?`, fullNumber(r.Number)
	}
	if r.By.IsOperator() || r.By.IsSystem() {
		return selectOrderRow(q, where, arg)
	}
	if r.By.SignedIn() {
		row, err := selectOrderRow(q, `buyer_id = ? AND `+where, r.By.Person, arg)
		if r.Link == "" || !errors.Is(err, orders.ErrNotFound) {
			return row, err
		}
	}
	if r.Link == "" {
		return orderRow{}, orders.ErrNotFound.With("there is no such order")
	}
	row, err := selectOrderRow(q, where, arg)
	if err != nil {
		return orderRow{}, err
	}
	ok, err := s.opens(ctx, r.Link, row.ID)
	switch {
	case err != nil:
		return orderRow{}, err
	case !ok:
		return orderRow{}, orders.ErrNotFound.With("there is no such order")
	}
	return row, nil
}

// plainNumber is a number, or part of one, as people type it: without dashes, spaces, case.
func plainNumber(typed string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(typed))
}

// fullNumber is an order's number as it is kept, however it was typed.
func fullNumber(typed string) string {
	if plain := plainNumber(typed); len(plain) == 8 {
		return plain[:4] + "-" + plain[4:]
	}
	return strings.ToUpper(strings.TrimSpace(typed))
}

// systemFor is souk itself acting for an order's buyer.
func systemFor(buyer accounts.PersonID) actor.Actor { return actor.System(id.RefOf(buyer)) }
