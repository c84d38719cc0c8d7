package rehearsal_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/rehearsal"
	"souk/internal/search"
)

// start is when the clock of these tests begins.
var start = clock.Of(time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC))

// world is what every module would say of itself. The modules are asked for two facts a page,
// so that every test also turns pages.
type world struct {
	clock *clock.Manual

	reservations []catalog.Reservation
	claims       []cart.ClaimFact
	orders       []orders.OrderFact
	payments     []payments.Payment
	refunds      []payments.Refund
	listings     int64
	problems     map[string][]audit.Problem
	standings    map[string]audit.Standing

	readings int
	asked    []string          // "catalog", … one for each page
	before   func(what string) // called before a page is given
	waited   []time.Duration
}

// cursor makes a page of all, and where the next begins.
func cut[T any](all []T, r audit.Request) (page []T, next string) {
	const size = 2
	from := 0
	if r.Cursor != "" {
		from, _ = strconv.Atoi(r.Cursor)
	}
	from = min(from, len(all))
	to := min(from+size, len(all))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next
}

// sorted is all in the order of a key, as the contract says.
func sorted[T any](all []T, key func(T) string) []T {
	by := func(a, b T) int { return strings.Compare(key(a), key(b)) }
	if slices.IsSortedFunc(all, by) {
		return all
	}
	out := slices.Clone(all)
	slices.SortStableFunc(out, by)
	return out
}

func (w *world) ask(module string) {
	w.asked = append(w.asked, module)
	if w.before != nil {
		w.before(module)
	}
}

type (
	accountsStub struct {
		accounts.Service
		*world
	}
	catalogStub struct {
		catalog.Service
		*world
	}
	searchStub struct {
		search.Service
		*world
	}
	cartStub struct {
		cart.Service
		*world
	}
	ordersStub struct {
		orders.Service
		*world
	}
	paymentsStub struct {
		payments.Service
		*world
	}
)

func (s accountsStub) Audit(context.Context, audit.Request) (accounts.AuditReply, error) {
	s.readings++
	s.ask("accounts")
	return accounts.AuditReply{Problems: s.problems["accounts"], Standing: s.standings["accounts"]}, nil
}

func (s searchStub) Audit(context.Context, audit.Request) (search.AuditReply, error) {
	s.ask("search")
	return search.AuditReply{Listings: s.listings, Problems: s.problems["search"], Standing: s.standings["search"]}, nil
}

func (s catalogStub) Audit(_ context.Context, r audit.Request) (catalog.AuditReply, error) {
	s.ask("catalog")
	reply := catalog.AuditReply{}
	reply.Reservations, reply.Next = cut(sorted(s.reservations, func(r catalog.Reservation) string { return r.Key }), r)
	if r.Cursor == "" {
		reply.Problems, reply.Standing = s.problems["catalog"], s.standings["catalog"]
	}
	return reply, nil
}

func (s cartStub) Audit(_ context.Context, r audit.Request) (cart.AuditReply, error) {
	s.ask("cart")
	reply := cart.AuditReply{}
	reply.Claims, reply.Next = cut(s.claims, r)
	if r.Cursor == "" {
		reply.Problems, reply.Standing = s.problems["cart"], s.standings["cart"]
	}
	return reply, nil
}

func (s ordersStub) Audit(_ context.Context, r audit.Request) (orders.AuditReply, error) {
	s.ask("orders")
	reply := orders.AuditReply{}
	reply.Orders, reply.Next = cut(sorted(s.orders, func(o orders.OrderFact) string { return string(o.ID) }), r)
	if r.Cursor == "" {
		reply.Problems, reply.Standing = s.problems["orders"], s.standings["orders"]
	}
	return reply, nil
}

func (s paymentsStub) Audit(_ context.Context, r audit.Request) (payments.AuditReply, error) {
	s.ask("payments")
	reply := payments.AuditReply{}
	reply.Payments, reply.Next = cut(sorted(s.payments, func(p payments.Payment) string { return string(p.Order) + string(p.ID) }), r)
	for _, p := range reply.Payments {
		for _, refund := range s.refunds {
			if refund.Payment == p.ID {
				reply.Refunds = append(reply.Refunds, refund)
			}
		}
	}
	if r.Cursor == "" {
		reply.Problems, reply.Standing = s.problems["payments"], s.standings["payments"]
	}
	return reply, nil
}

// verify checks the world. Waiting takes just as long as is waited.
func (w *world) verify(t *testing.T, o rehearsal.Options) rehearsal.Report {
	t.Helper()
	o.Now = w.clock.Now
	o.Wait = func(_ context.Context, d time.Duration) error {
		w.waited = append(w.waited, d)
		w.clock.Advance(d)
		return nil
	}
	r, err := rehearsal.Verify(t.Context(), w.services(), o)
	require.NoError(t, err)
	return r
}

func (w *world) services() rehearsal.Services {
	return rehearsal.Services{
		Accounts: accountsStub{world: w}, Catalog: catalogStub{world: w}, Search: searchStub{world: w},
		Cart: cartStub{world: w}, Orders: ordersStub{world: w}, Payments: paymentsStub{world: w},
	}
}

func eur(minor int64) money.Money { return money.Money{Minor: minor, Currency: "EUR"} }

// named is an id that says what it is in a failed test.
func named[S ~string](prefix string, n int) S { return S(fmt.Sprintf("%s_%026d", prefix, n)) }

// The orders of newWorld, by what became of them.
const (
	toShip    = iota // placed, paid, nothing shipped
	inPart           // two of three shipped, one of these cancelled and refunded
	completed        // everything delivered
	free             // nothing due
	rejected         // undone
	running          // its checkout waits for the buyer
	forward          // just placed
	disputed         // its capture was refused
	sagas            // how many
)

// newWorld is a sound marketplace with an order of each kind.
func newWorld() *world {
	w := &world{clock: clock.NewManual(start), listings: 300, problems: map[string][]audit.Problem{}}
	later := start.Add(10 * time.Minute)
	for n := range sagas {
		o := orders.OrderFact{
			ID: named[orders.OrderID]("ord", n), Status: orders.StatusPlaced, Total: eur(1000), Refunded: eur(0),
			Payment: named[payments.PaymentID]("pay", n), Saga: orders.SagaFinished, CreatedAt: start.Add(-time.Hour),
			Deadline: start.Add(-45 * time.Minute),
		}
		o.Claim, o.Reservation = string(o.ID)+":claim", string(o.ID)+":reserve"
		p := payments.Payment{
			ID: o.Payment, Order: id.RefOf(o.ID), Amount: o.Total, Status: payments.StatusCaptured,
			Authorised: o.Total, Captured: o.Total, Refunded: eur(0), CreatedAt: o.CreatedAt,
		}
		var pieces int64
		held := catalog.ReservationAllocated
		claimed := false
		switch n {
		case toShip:
			pieces, o.ToShip = 3, 3
		case inPart:
			pieces, o.ToShip = 1, 1
			o.Refunded, p.Refunded = eur(300), eur(200)
			w.refunds = []payments.Refund{
				{ID: named[payments.RefundID]("rfd", 1), Payment: p.ID, Amount: eur(200), Status: payments.RefundDone},
				{ID: named[payments.RefundID]("rfd", 2), Payment: p.ID, Amount: eur(100), Status: payments.RefundPending},
			}
		case completed:
			o.Status = orders.StatusCompleted
		case free:
			o.Total, p.Amount, p.Authorised, p.Captured, p.Status = eur(0), eur(0), eur(0), eur(0), payments.StatusNothingDue
		case rejected:
			o.Status, o.Payment, p.Status, p.Captured, p.Undone = orders.StatusRejected, "", payments.StatusVoided, eur(0), true
		case running:
			o.Status, o.Saga, o.Step, o.Payment, o.Deadline, o.Due = orders.StatusPending, orders.SagaParked, "authorise", "", later, later
			p.Status, p.Authorised, p.Captured = payments.StatusActionRequired, eur(0), eur(0)
			pieces, held, claimed = 2, catalog.ReservationHeld, true
		case forward:
			o.Saga, o.Step, o.Deadline, o.Due, o.ToShip = orders.SagaForward, "capture", later, start, 2
			p.Status, p.Captured = payments.StatusAuthorised, eur(0)
			pieces, held, claimed = 2, catalog.ReservationConfirmed, true
		case disputed:
			o.Saga, o.Step, o.ToShip = orders.SagaCase, "capture", 1
			p.Status, p.Captured = payments.StatusAuthorised, eur(0)
			pieces, held = 1, catalog.ReservationConfirmed
		}
		w.orders, w.payments = append(w.orders, o), append(w.payments, p)
		if pieces > 0 {
			w.reservations = append(w.reservations, catalog.Reservation{
				Key: o.Reservation, For: id.RefOf(o.ID), Status: held,
				Items: []catalog.Item{{Variant: named[catalog.VariantID]("var", n), Quantity: pieces}},
			})
		}
		if claimed {
			w.claims = append(w.claims, cart.ClaimFact{Key: o.Claim, Order: id.RefOf(o.ID), Cart: named[cart.CartID]("crt", n), At: o.CreatedAt})
		}
	}
	w.standings = map[string]audit.Standing{
		"accounts": {Epoch: "a", Head: 4, Cursors: []audit.Cursor{cursor("accounts.sellers", "catalog", "c", 12, 10, 1)}},
		"catalog":  {Epoch: "c", Head: 12, Trimmed: 2},
		"search":   {Epoch: "s", Cursors: []audit.Cursor{cursor("search.catalog", "catalog", "c", 11, 11, 0), {Subscriber: "search.orders", Log: "orders"}}},
		"cart":     {Epoch: "k", Head: 5},
		"orders":   {Epoch: "o", Head: 9, Cursors: []audit.Cursor{cursor("orders.payments", "payments", "p", 7, 7, 0)}, JobsDead: 1},
		"payments": {Epoch: "p", Head: 7},
	}
	return w
}

// cursor began at 0, applied and parked so many, and skipped the rest.
func cursor(name, log, epoch string, position, applied, parked int64) audit.Cursor {
	return audit.Cursor{
		Subscriber: name, Log: log, Epoch: epoch, Position: position, Applied: applied, Parked: parked, Skipped: position - applied - parked,
	}
}
