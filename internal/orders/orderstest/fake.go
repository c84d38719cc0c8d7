package orderstest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Event is what orders publishes.
type Event interface {
	EventName() string
	EventKey() string
}

// Outcome is how a checkout ends in a Fake. The zero Outcome is a placed order.
type Outcome struct {
	Reason    orders.Reason // not ReasonNone: it is rejected with this reason
	Message   string
	ActionURL string // not "": it waits for the buyer to go there; see Finish
}

// Fake is orders in memory. A checkout claims and closes its cart and is over at once, as
// Then says. It may be used by many goroutines.
type Fake struct {
	now   func() clock.Time
	carts cart.Service

	mu     sync.Mutex
	all    []*fakeOrder // as they were made
	once   map[string]fakeOnce
	then   Outcome
	events []Event
}

type fakeOrder struct {
	orders.Order
	link      string
	actionURL string
	cart      cart.CartID
}

type fakeOnce struct {
	body   [32]byte
	result string
	err    error
}

var _ orders.Service = (*Fake)(nil)

// NewFake is a fake by that clock. It claims the carts of checkouts from carts; with nil, an
// order is of one thing at €10.
func NewFake(now func() clock.Time, carts cart.Service) *Fake {
	return &Fake{now: now, carts: carts, once: map[string]fakeOnce{}}
}

// Then says how the checkouts to come will end.
func (f *Fake) Then(o Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.then = o
}

// Finish ends a checkout that waits for its buyer.
func (f *Fake) Finish(ctx context.Context, which orders.OrderID, o Outcome) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, order := range f.all {
		if order.ID == which && order.Status == orders.StatusPending {
			order.actionURL = ""
			return f.end(ctx, order, o)
		}
	}
	return orders.ErrNotFound
}

// Stop opens a case about an order: its money is refused for good, and someone must look.
func (f *Fake) Stop(which orders.OrderID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.all {
		if o.ID == which {
			o.Captured, o.Case = false, true
			for i := range o.SellerOrders {
				o.SellerOrders[i].Paid, o.SellerOrders[i].Case = false, true
			}
			o.Timeline = append(o.Timeline, orders.Entry{At: f.now(), What: orders.WhatCase, Who: "souk", Detail: "The payment provider refused."})
		}
	}
}

// Put seeds an order of items for a buyer, placed and paid, and returns it whole.
func (f *Fake) Put(buyer accounts.PersonID, items ...Item) orders.Order {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.begin(buyer, false, orders.CheckoutRequest{Contact: Contact(), Delivery: Address(), Method: "sandbox_ok"})
	f.freeze(o, QuoteOf(items...))
	f.place(o)
	f.all = append(f.all, o)
	return copied(o.Order)
}

// Events is everything published until now.
func (f *Fake) Events() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

// copied shares nothing with v.
func copied[T any](v T) T {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("orderstest: %T cannot be encoded: %v", v, err))
	}
	var out T
	if err := json.Unmarshal(text, &out); err != nil {
		panic(fmt.Sprintf("orderstest: %T cannot be decoded: %v", v, err))
	}
	return out
}

// doOnce is tx.Once in memory.
func (f *Fake) doOnce(owner, operation, key string, body any, fn func() (string, error)) (string, error) {
	if key == "" || len(key) > 200 {
		return "", orders.ErrInvalid.WithField("key", "must have 1 to 200 characters")
	}
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	name, sum := owner+" "+operation+" "+key, sha256.Sum256(text)
	if seen, ok := f.once[name]; ok {
		if seen.body != sum {
			return "", orders.ErrKeyReused
		}
		return seen.result, seen.err
	}
	result, err := fn()
	if err == nil || errs.Refused(err) && errs.KindOf(err) != errs.Invalid {
		f.once[name] = fakeOnce{body: sum, result: result, err: err}
	}
	return result, err
}

// Checkout makes an order of a cart and ends it as Then says.
func (f *Fake) Checkout(ctx context.Context, r orders.CheckoutRequest) (orders.CheckoutReply, error) {
	if r.By.Owner() == "" || r.By.IsSystem() {
		return orders.CheckoutReply{}, orders.ErrForbidden
	}
	if err := checkCheckout(r); err != nil {
		return orders.CheckoutReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key, body.WaitMillis = actor.Actor{}, "", 0
	result, err := f.doOnce(r.By.Owner(), "checkout", r.Key, body, func() (string, error) {
		for _, o := range f.all {
			if o.cart == r.Cart && o.Status == orders.StatusPending {
				return "", orders.ErrCheckoutOpen
			}
		}
		buyer := accounts.PersonID(r.By.Person)
		if !r.By.SignedIn() {
			buyer = accounts.PersonIDs.New()
		}
		o := f.begin(buyer, !r.By.SignedIn(), r)
		o.cart = r.Cart
		f.all = append(f.all, o)
		return string(o.ID), f.claim(ctx, o, r)
	})
	if err != nil {
		return orders.CheckoutReply{}, err
	}
	o := f.find(orders.OrderID(result), "")
	reply := o.reply()
	reply.Link = o.link
	return reply, nil
}

// checkCheckout says what is wrong with a request, as far as the suite asks.
func checkCheckout(r orders.CheckoutRequest) error {
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= 200, "key", "must have 1 to 200 characters")
	p.Check(cart.CartIDs.Valid(r.Cart), "cart", "is not the id of a cart")
	p.Check(r.QuoteHash != "", "quote_hash", "is needed")
	p.Check(r.Method != "", "method", "is needed")
	p.Check(r.WaitMillis >= 0 && r.WaitMillis <= 20_000, "wait_millis", "must be 0 to 20000")
	p.Check(strings.Contains(r.Contact.Email, "@"), "contact.email", "is not an e-mail address")
	p.Check(r.Contact.Name != "", "contact.name", "is needed")
	p.Check(r.Delivery.Name != "", "delivery.name", "is needed")
	p.Check(r.Delivery.Line1 != "", "delivery.line1", "is needed")
	p.Check(r.Delivery.City != "", "delivery.city", "is needed")
	p.Check(len(r.Delivery.Country) == 2, "delivery.country", "must be two capitals")
	return p.Err(orders.ErrInvalid)
}

func (o *fakeOrder) reply() orders.CheckoutReply {
	reply := orders.CheckoutReply{
		Order: o.ID, Number: o.Number, Status: o.Status, Reason: o.Reason, Message: o.Message, Total: o.Sums.Total, ActionURL: o.actionURL,
	}
	if o.actionURL != "" {
		reply.Until = o.CreatedAt.Add(15 * time.Minute)
	}
	return reply
}

func (f *Fake) begin(buyer accounts.PersonID, guest bool, r orders.CheckoutRequest) *fakeOrder {
	n := int64(len(f.all) + 1)
	o := &fakeOrder{Order: orders.Order{
		ID: orders.OrderIDs.New(), Number: fmt.Sprintf("FAKE-%04d", n), Buyer: buyer, Guest: guest, Status: orders.StatusPending,
		Contact: r.Contact, Delivery: r.Delivery, Invoice: r.Delivery, Sums: zero(""), Method: r.Method, CreatedAt: f.now(), Version: 1,
	}}
	if r.Invoice != nil {
		o.Invoice = *r.Invoice
	}
	if guest {
		o.link = strings.ToUpper(strings.TrimPrefix(id.New("lnk_"), "lnk_"))
	}
	return o
}

// claim takes the cart of a checkout and ends it, or has it wait.
func (f *Fake) claim(ctx context.Context, o *fakeOrder, r orders.CheckoutRequest) error {
	quote := QuoteOf(Item{Quantity: 1, Offer: catalog.Offer{
		Variant: catalog.VariantIDs.New(), Listing: catalog.ListingIDs.New(), Seller: catalog.SellerIDs.New(), SellerName: "Acme",
		Title: "Thing", SKU: "thing", Price: EUR(1000), Commission: 1000,
	}})
	if f.carts != nil {
		reply, err := f.carts.Claim(ctx, cart.ClaimRequest{
			By: actor.System(id.RefOf(o.Buyer)), Key: string(o.ID) + ":claim", Owner: r.By.Owner(), Cart: r.Cart, CartVersion: r.CartVersion,
			QuoteHash: r.QuoteHash, Person: id.RefOf(o.Buyer), Order: id.RefOf(o.ID),
			Destination: cart.Destination{Country: o.Delivery.Country, Region: o.Delivery.Region, PostalCode: o.Delivery.PostalCode},
		})
		if errs.Refused(err) {
			return f.end(ctx, o, Outcome{Reason: reasonOf(err), Message: errs.As(err).Message})
		}
		if err != nil {
			return err
		}
		quote = reply.Quote
	}
	f.freeze(o, quote)
	if f.then.ActionURL != "" {
		o.actionURL = f.then.ActionURL
		return nil
	}
	return f.end(ctx, o, f.then)
}

func reasonOf(err error) orders.Reason {
	switch errs.CodeOf(err) {
	case cart.ErrQuoteChanged.Code:
		return orders.ReasonQuoteChanged
	case cart.ErrCoupon.Code:
		return orders.ReasonCoupon
	case cart.ErrClaimed.Code, cart.ErrVersion.Code, cart.ErrStatus.Code, cart.ErrNotFound.Code:
		return orders.ReasonCartTaken
	default:
		return orders.ReasonFailed
	}
}

// end places or rejects an order.
func (f *Fake) end(ctx context.Context, o *fakeOrder, how Outcome) error {
	by, claim := actor.System(id.RefOf(o.Buyer)), string(o.ID)+":claim"
	if how.Reason == orders.ReasonNone {
		f.place(o)
		if f.carts == nil {
			return nil
		}
		_, err := f.carts.Close(ctx, cart.CloseRequest{By: by, Key: string(o.ID) + ":close", Claim: claim})
		return err
	}
	o.Status, o.Reason, o.Message = orders.StatusRejected, how.Reason, how.Message
	f.note(o, orders.Entry{What: orders.WhatRejected, Who: "souk", Detail: how.Message})
	f.events = append(f.events, orders.Rejected{OrderID: o.ID, Reason: how.Reason, At: f.now()})
	if f.carts == nil {
		return nil
	}
	_, err := f.carts.Release(ctx, cart.ReleaseRequest{By: by, Key: claim})
	return err
}

func (f *Fake) freeze(o *fakeOrder, q cart.Quote) {
	o.Sums, o.Refunded = q.Sums, money.Zero(q.Currency)
	for i, s := range q.Sellers {
		so := orders.SellerOrder{
			ID: orders.SellerOrderIDs.New(), Order: o.ID, Number: fmt.Sprintf("%s-%d", o.Number, i+1), Seller: s.Seller, SellerName: s.Name,
			Legal: s.Legal, Fulfilment: orders.FulfilmentOpen, Sums: s.Sums, Commission: money.Zero(q.Currency), Shipping: s.Shipping,
			Refunded: money.Zero(q.Currency), Buyer: o.Contact.Name, Delivery: o.Delivery, Version: 1,
		}
		for _, l := range s.Lines {
			commission := money.Money{Minor: l.Sums.Goods.Minor * int64(l.Offer.Commission) / 10_000, Currency: q.Currency}
			so.Commission.Minor += commission.Minor
			so.Lines = append(so.Lines, orders.Line{
				ID: orders.LineIDs.New(), Variant: l.Offer.Variant, Listing: l.Offer.Listing, Title: l.Offer.Title, Options: l.Offer.Options,
				SKU: l.Offer.SKU, Image: l.Offer.Image, UnitPrice: l.Offer.Price, Sums: l.Sums, Adjustments: l.Adjustments, TaxRate: l.TaxRate,
				TaxIncluded: l.TaxIncluded, TaxGoods: l.TaxGoods, TaxShipping: l.TaxShipping, CommissionRate: l.Offer.Commission,
				CommissionBase: l.Sums.Goods, Commission: commission, Quantity: l.Quantity, Refunded: money.Zero(q.Currency),
			})
		}
		o.SellerOrders = append(o.SellerOrders, so)
	}
}

func (f *Fake) place(o *fakeOrder) {
	o.Status, o.PlacedAt, o.Captured, o.Payment = orders.StatusPlaced, f.now(), true, payments.PaymentIDs.New()
	f.note(o, orders.Entry{What: orders.WhatPlaced, Who: "buyer", Detail: "The order was placed."})
	f.note(o, orders.Entry{What: orders.WhatPaid, Who: "souk", Detail: "The payment was taken."})
	e := orders.Placed{OrderID: o.ID, Number: o.Number, BuyerID: o.Buyer, Total: o.Sums.Total, At: o.PlacedAt}
	for i := range o.SellerOrders {
		so := &o.SellerOrders[i]
		so.PlacedAt, so.Paid = o.PlacedAt, true
		for _, l := range so.Lines {
			e.Lines = append(e.Lines, orders.PlacedLine{
				SellerOrderID: so.ID, SellerID: so.Seller, ListingID: l.Listing, VariantID: l.Variant, Quantity: l.Quantity,
			})
		}
	}
	f.events = append(f.events, e)
}

// Audit streams every order.
func (f *Fake) Audit(_ context.Context, r audit.Request) (orders.AuditReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply orders.AuditReply
	if r.Cursor == "" {
		reply.Standing = audit.Standing{Epoch: "fake", Head: int64(len(f.events))}
	}
	for _, o := range f.all {
		fact := orders.OrderFact{
			ID: o.ID, Status: o.Status, Total: o.Sums.Total, Refunded: o.Refunded, Payment: o.Payment, Saga: orders.SagaFinished,
			Claim: string(o.ID) + ":claim", Reservation: string(o.ID) + ":reserve", CreatedAt: o.CreatedAt,
		}
		if o.Status == orders.StatusPending {
			fact.Saga = orders.SagaParked
			fact.Due = f.now()
		}
		for _, so := range o.SellerOrders {
			for _, l := range so.Lines {
				fact.ToShip += toShip(l)
			}
		}
		reply.Orders = append(reply.Orders, fact)
	}
	return reply, nil
}
