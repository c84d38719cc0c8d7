package rehearsal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/rehearsal"
)

// broken are the invariants that do not hold, with how often.
func broken(r rehearsal.Report) map[string]int64 {
	out := map[string]int64{}
	for _, i := range r.Invariants {
		if i.Broken > 0 {
			out[i.Name] = i.Broken
		}
	}
	return out
}

func unsettled(r rehearsal.Report) map[string]int64 {
	out := map[string]int64{}
	for _, i := range r.Invariants {
		if i.Unsettled > 0 {
			out[i.Name] = i.Unsettled
		}
	}
	return out
}

func TestASoundMarketplacePasses(t *testing.T) {
	t.Parallel()
	for _, atWork := range []bool{false, true} {
		w := newWorld()
		r := w.verify(t, rehearsal.Options{Running: atWork})
		assert.True(t, r.Sound())
		assert.Empty(t, broken(r))
		assert.Empty(t, unsettled(r))
		assert.Equal(t, 1, r.Readings)
		assert.Empty(t, w.waited)
		assert.Equal(t, rehearsal.Counts{
			Orders: sagas, Payments: sagas, Reservations: 5, Claims: 2, Listings: 300, Subscribers: 4,
			Unfinished: 2, Cases: 1, Parked: 1, DeadJobs: 1,
		}, r.Counts)
		assert.Len(t, r.Invariants, len(rehearsal.Promises()), "what was checked is listed, also where nothing is wrong")
		for _, i := range r.Invariants {
			assert.NotEmpty(t, i.Says, i.Name)
			assert.Empty(t, i.First, i.Name)
		}
	}
}

// TestWhatIsPlantedIsFound breaks each invariant in each way, and expects that one alone.
func TestWhatIsPlantedIsFound(t *testing.T) {
	t.Parallel()
	none := named[id.Ref]("ord", 99)
	tests := map[string]struct {
		plant     func(*world)
		invariant string
		subject   string // "" for the order at
		at        int
	}{
		"a placed order without a payment": {
			plant: func(w *world) { w.payments[toShip].Undone = true }, invariant: rehearsal.PlacedIsPaid,
		},
		"a placed order whose payment was declined": {
			plant: func(w *world) { w.payments[toShip].Status = payments.StatusDeclined }, invariant: rehearsal.PlacedIsPaid,
		},
		"a completed order without a payment": {
			plant: func(w *world) { w.payments[completed].Status = payments.StatusVoided }, invariant: rehearsal.PlacedIsPaid, at: completed,
		},
		"an order paid twice": {
			plant: func(w *world) {
				again := w.payments[toShip]
				again.ID = named[payments.PaymentID]("pay", 99)
				w.payments = append(w.payments, again)
			}, invariant: rehearsal.PlacedIsPaid,
		},
		"an order about to be paid twice": {
			plant: func(w *world) {
				again := w.payments[toShip]
				again.ID, again.Status = named[payments.PaymentID]("pay", 99), payments.StatusPending
				w.payments = append(w.payments, again)
			}, invariant: rehearsal.PlacedIsPaid,
		},
		"another's payment": {
			plant: func(w *world) { w.orders[toShip].Payment = "pay_another" }, invariant: rehearsal.PlacedIsPaid,
		},
		"a payment of another amount": {
			plant: func(w *world) { w.payments[toShip].Amount = eur(999) }, invariant: rehearsal.PlacedIsPaid,
		},
		"a payment captured in part": {
			plant: func(w *world) { w.payments[toShip].Captured = eur(999) }, invariant: rehearsal.PlacedIsPaid,
		},
		"a finished checkout that took no money": {
			plant: func(w *world) { w.payments[toShip].Status = payments.StatusAuthorised }, invariant: rehearsal.PlacedIsPaid,
		},
		"an order placed on a payment without an outcome": {
			plant: func(w *world) { w.payments[forward].Status = payments.StatusAuthorising }, invariant: rehearsal.PlacedIsPaid, at: forward,
		},
		"nothing due of an order that costs something": {
			plant: func(w *world) { w.payments[toShip].Status = payments.StatusNothingDue }, invariant: rehearsal.PlacedIsPaid,
		},
		"a rejected order's authorised payment": {
			plant: func(w *world) {
				w.payments[rejected].Status, w.payments[rejected].Undone = payments.StatusAuthorised, false
			}, invariant: rehearsal.PaidIsPlaced, at: rejected,
		},
		"a rejected order's captured payment": {
			plant: func(w *world) {
				p := &w.payments[rejected]
				p.Status, p.Undone, p.Captured, p.Refunded = payments.StatusCaptured, false, eur(1000), eur(999)
			}, invariant: rehearsal.PaidIsPlaced, at: rejected,
		},
		"a rejected order's payment that may still come": {
			plant: func(w *world) {
				w.payments[rejected].Status, w.payments[rejected].Undone = payments.StatusPending, false
			}, invariant: rehearsal.PaidIsPlaced, at: rejected,
		},
		"a payment of no order": {
			plant: func(w *world) {
				w.payments = append(w.payments, payments.Payment{ID: "pay_stray", Order: none, Status: payments.StatusCaptured, CreatedAt: start.Add(-time.Hour)})
			}, invariant: rehearsal.PaidIsPlaced, subject: "pay_stray",
		},
		"more refunded than the order knows of": {
			plant: func(w *world) { w.payments[toShip].Refunded = eur(1) }, invariant: rehearsal.RefundsAgree,
		},
		"more on its way back than the order knows of": {
			plant: func(w *world) { w.refunds[1].Amount = eur(101) }, invariant: rehearsal.RefundsAgree, at: inPart,
		},
		"a refund that nobody asks for": {
			plant: func(w *world) { w.refunds = w.refunds[:1] }, invariant: rehearsal.RefundsAgree, at: inPart,
		},
		"a hold of no order": {
			plant: func(w *world) {
				w.reservations = append(w.reservations, catalog.Reservation{Key: "stray:reserve", For: none, Status: catalog.ReservationConfirmed})
			}, invariant: rehearsal.HoldsHaveOwners, subject: "stray:reserve",
		},
		"a hold of no order, on the first page": {
			plant: func(w *world) {
				w.reservations = append([]catalog.Reservation{{Key: "stray:reserve", For: none, Status: catalog.ReservationHeld, Until: start.Add(time.Hour)}}, w.reservations...)
			}, invariant: rehearsal.HoldsHaveOwners, subject: "stray:reserve",
		},
		"a rejected order that still holds": {
			plant: func(w *world) { w.hold(rejected, catalog.ReservationHeld, 2) }, invariant: rehearsal.HoldsHaveOwners, at: rejected,
		},
		"a completed order with goods set aside": {
			plant: func(w *world) { w.hold(completed, catalog.ReservationAllocated, 2) }, invariant: rehearsal.HoldsHaveOwners, at: completed,
		},
		"a finished checkout that still only holds": {
			plant: func(w *world) { w.hold(free, catalog.ReservationConfirmed, 2) }, invariant: rehearsal.HoldsHaveOwners, at: free,
		},
		"goods held for an order that its checkout did not reserve": {
			plant: func(w *world) {
				again := w.reservations[0]
				again.Key = "another:reserve"
				w.reservations = append(w.reservations, again)
			}, invariant: rehearsal.HoldsHaveOwners,
		},
		"more set aside than is to ship": {
			plant: func(w *world) { w.orders[toShip].ToShip = 2 }, invariant: rehearsal.GoodsAreSetAside,
		},
		"nothing set aside": {
			plant: func(w *world) { w.reservations = w.reservations[1:] }, invariant: rehearsal.GoodsAreSetAside,
		},
		"a claim of no order": {
			plant: func(w *world) {
				w.claims = append(w.claims, cart.ClaimFact{Key: "stray:claim", Cart: "crt_stray", Order: none})
			}, invariant: rehearsal.ClaimsHaveOwners, subject: "stray:claim",
		},
		"a claim whose checkout is over": {
			plant: func(w *world) {
				o := w.orders[rejected]
				w.claims = append(w.claims, cart.ClaimFact{Key: o.Claim, Cart: "crt_stray", Order: id.RefOf(o.ID)})
			}, invariant: rehearsal.ClaimsHaveOwners, subject: newWorld().orders[rejected].Claim,
		},
		"a second claim of a checkout": {
			plant: func(w *world) {
				again := w.claims[0]
				again.Key = "another:claim"
				w.claims = append(w.claims, again)
			}, invariant: rehearsal.ClaimsHaveOwners, subject: "another:claim",
		},
		"a checkout that nothing goes on with": {
			plant: func(w *world) { w.orders[running].Due = 0 }, invariant: rehearsal.SagasGoOn, at: running,
		},
		"a finished checkout of a pending order": {
			plant: func(w *world) { w.orders[rejected].Status = orders.StatusPending }, invariant: rehearsal.SagasGoOn, at: rejected,
		},
		"a placed order whose checkout is being undone": {
			plant: func(w *world) { w.orders[forward].Saga = orders.SagaUndoing }, invariant: rehearsal.SagasGoOn, at: forward,
		},
		"an event lost": {
			plant: func(w *world) { w.standings["search"].Cursors[0].Applied-- }, invariant: rehearsal.EventsAccounted, subject: "search.catalog",
		},
		"an event applied twice": {
			plant: func(w *world) { w.standings["accounts"].Cursors[0].Applied++ }, invariant: rehearsal.EventsAccounted, subject: "accounts.sellers",
		},
		"a cursor of another epoch": {
			plant: func(w *world) { w.standings["search"].Cursors[0].Epoch = "b" }, invariant: rehearsal.EventsOfSameEpoch, subject: "search.catalog",
		},
		"a cursor beyond the end of its log": {
			plant: func(w *world) { w.standing("payments", func(s *audit.Standing) { s.Head = 6 }) }, invariant: rehearsal.EventsOfSameEpoch, subject: "orders.payments",
		},
		"a cursor before the beginning of its log": {
			plant:     func(w *world) { w.standing("catalog", func(s *audit.Standing) { s.Head, s.Trimmed = 20, 12 }) },
			invariant: rehearsal.EventsOfSameEpoch, subject: "search.catalog",
		},
		"a cursor of a log that nobody keeps": {
			plant: func(w *world) { w.standings["search"].Cursors[0].Log = "gossip" }, invariant: rehearsal.EventsOfSameEpoch, subject: "search.catalog",
		},
		"what a module finds within itself": {
			plant: func(w *world) {
				w.problems["catalog"] = []audit.Problem{{Invariant: "stock.oversold", Subjects: []string{"var_1"}, Detail: "one too many"}}
			}, invariant: "stock.oversold", subject: "var_1",
		},
	}
	for name, tt := range tests {
		for _, atWork := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, at work %t", name, atWork), func(t *testing.T) {
				t.Parallel()
				w := newWorld()
				tt.plant(w)
				r := w.verify(t, rehearsal.Options{Running: atWork, Patience: time.Hour})
				assert.False(t, r.Sound())
				assert.Equal(t, map[string]int64{tt.invariant: 1}, broken(r))
				assert.Empty(t, unsettled(r))
				require.Equal(t, tt.invariant, r.Invariants[0].Name, "the broken one comes first")
				require.Len(t, r.Invariants[0].First, 1)
				found := r.Invariants[0].First[0]
				if tt.subject == "" {
					tt.subject = string(w.orders[tt.at].ID)
				}
				assert.Contains(t, found.Subjects, tt.subject)
				assert.NotEmpty(t, found.Detail)
			})
		}
	}
}

// hold has an order hold pieces under the key of its checkout.
func (w *world) hold(n int, status catalog.ReservationStatus, pieces int64) {
	o := w.orders[n]
	w.reservations = append(w.reservations, catalog.Reservation{
		Key: o.Reservation, For: id.RefOf(o.ID), Status: status, Items: []catalog.Item{{Variant: "var_1", Quantity: pieces}},
	})
}

func (w *world) standing(module string, change func(*audit.Standing)) {
	s := w.standings[module]
	change(&s)
	w.standings[module] = s
}

func TestWorkUnderWayExplainsWhatIsSeen(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*world){
		"a parcel whose goods are still to be booked": func(w *world) { w.orders[toShip].ToShip, w.orders[toShip].Due = 1, start },
		"a refund that is still to be asked for":      func(w *world) { w.refunds, w.orders[inPart].Due = w.refunds[:1], start },
		"a refunded order": func(w *world) {
			w.orders[completed].Refunded, w.payments[completed].Refunded = eur(1000), eur(1000)
			w.refunds = append(w.refunds, payments.Refund{ID: "rfd_9", Payment: w.payments[completed].ID, Amount: eur(1000), Status: payments.RefundDone})
		},
		"a checkout past its deadline, being undone": func(w *world) {
			w.orders[running].Saga, w.orders[running].Deadline = orders.SagaUndoing, start.Add(-time.Minute)
		},
		"money that came after its order had ended": func(w *world) {
			p := &w.payments[rejected]
			p.Status, p.Captured = payments.StatusCaptured, eur(1000)
		},
		"a refund that the provider refused": func(w *world) { w.refunds[1].Status = payments.RefundFailed },
		"a reservation made again, since its term was over": func(w *world) {
			again := w.reservations[2]
			again.Key = string(w.orders[running].ID) + ":reserve_late"
			w.reservations = append(w.reservations, again)
		},
		"goods of a case that was given up": func(w *world) { w.reservations = w.reservations[:4] },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			change(w)
			assert.Empty(t, broken(w.verify(t, rehearsal.Options{})))
		})
	}
}

func TestWhatWantsAttentionIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.orders[running].Deadline, w.refunds[1].Status = start, payments.RefundFailed
	r := w.verify(t, rehearsal.Options{})
	assert.True(t, r.Sound())
	assert.EqualValues(t, 1, r.Counts.Overdue)
	assert.EqualValues(t, 1, r.Counts.Refused)
}

func TestWhatIsGoneAtTheSecondReadingDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.orders[toShip].ToShip = 2
	w.before = func(what string) {
		if what == "orders" && w.readings == 2 {
			w.orders[toShip].ToShip = 3
			w.orders[rejected].Status = orders.StatusPending // another one: seen once, so not counted either
		}
	}
	r := w.verify(t, rehearsal.Options{Running: true})
	assert.True(t, r.Sound())
	assert.Equal(t, 2, r.Readings)
	assert.Equal(t, []time.Duration{50 * time.Millisecond}, w.waited)
	for _, i := range r.Invariants {
		assert.Empty(t, i.First, i.Name)
	}
}

func TestWhatStaysCountsOnceItsDeadlineHasPassed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.payments[forward].Status = payments.StatusPending // its saga has ten minutes
	r := w.verify(t, rehearsal.Options{Running: true, Patience: time.Hour})
	assert.Equal(t, map[string]int64{rehearsal.PlacedIsPaid: 1}, broken(r))
	assert.False(t, r.At.Before(w.orders[forward].Deadline), "the last reading began after the deadline")
	assert.Greater(t, r.Readings, 2)
	for _, d := range w.waited {
		assert.LessOrEqual(t, d, 5*time.Second)
	}
}

func TestWhatIsNotSettledInTimeIsSaidToBe(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.payments[forward].Status = payments.StatusPending
	w.payments[toShip].Undone = true
	r := w.verify(t, rehearsal.Options{Running: true, Patience: time.Minute})
	assert.Equal(t, map[string]int64{rehearsal.PlacedIsPaid: 1}, broken(r))
	assert.Equal(t, map[string]int64{rehearsal.PlacedIsPaid: 1}, unsettled(r))
	require.Len(t, r.Invariants[0].First, 2)
	assert.Equal(t, []string{string(w.orders[toShip].ID)}, r.Invariants[0].First[0].Subjects, "what is broken comes before what is unsettled")

	w = newWorld()
	w.payments[forward].Status = payments.StatusPending
	r = w.verify(t, rehearsal.Options{Running: true, Patience: time.Minute})
	assert.True(t, r.Sound(), "what is unsettled is not broken")
	assert.Equal(t, map[string]int64{rehearsal.PlacedIsPaid: 1}, unsettled(r))
}

func TestThereIsASecondReadingHoweverLongTheFirstTakes(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.payments[toShip].Undone = true
	w.before = func(what string) {
		if what == "cart" {
			w.clock.Advance(time.Hour)
		}
	}
	r := w.verify(t, rehearsal.Options{Running: true, Patience: time.Minute})
	assert.Equal(t, 2, r.Readings)
	assert.Equal(t, []time.Duration{time.Hour}, w.waited, "a pause is as long as a reading")
	assert.Equal(t, map[string]int64{rehearsal.PlacedIsPaid: 1}, broken(r))
}

func TestABusyMarketplaceIsNoSuspect(t *testing.T) {
	t.Parallel()
	w := newWorld()
	n := 100
	w.before = func(what string) {
		w.clock.Advance(time.Second)
		switch what {
		case "orders", "payments":
			// Sold since holds and claims were read, and, as pages are read, since orders were.
			n++
			o := w.orders[toShip]
			o.ID, o.Payment, o.CreatedAt = named[orders.OrderID]("ord", n), named[payments.PaymentID]("pay", n), w.clock.Now()
			o.Reservation = string(o.ID) + ":reserve"
			p := w.payments[toShip]
			p.ID, p.Order, p.CreatedAt = o.Payment, id.RefOf(o.ID), w.clock.Now()
			if n < 120 {
				w.orders, w.payments = append(w.orders, o), append(w.payments, p)
			}
		}
		// Every log grows whenever somebody looks, and everyone follows at once.
		for name := range w.standings {
			w.standing(name, func(s *audit.Standing) { s.Head++ })
		}
		for name := range w.standings {
			for i, c := range w.standings[name].Cursors {
				if c.Epoch != "" {
					moved := w.standings[c.Log].Head - c.Position
					c.Position, c.Applied = c.Position+moved, c.Applied+moved
					cursors := append([]audit.Cursor(nil), w.standings[name].Cursors...)
					cursors[i] = c
					w.standing(name, func(s *audit.Standing) { s.Cursors = cursors })
				}
			}
		}
	}
	r := w.verify(t, rehearsal.Options{Running: true})
	assert.Empty(t, broken(r))
	assert.Equal(t, 1, r.Readings)
}

func TestALogReadBeforeItsFollowerIsNoSuspect(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.standing("payments", func(s *audit.Standing) {
		s.Cursors = []audit.Cursor{cursor("payments.orders", "orders", "o", 9, 9, 0)}
	})
	w.before = func(what string) {
		if what == "payments" { // orders has been read
			w.standing("orders", func(s *audit.Standing) { s.Head++ })
			w.standing("payments", func(s *audit.Standing) {
				s.Cursors = []audit.Cursor{cursor("payments.orders", "orders", "o", w.standings["orders"].Head, w.standings["orders"].Head, 0)}
			})
		}
	}
	r := w.verify(t, rehearsal.Options{Running: true})
	assert.Empty(t, broken(r))
	assert.Equal(t, 2, r.Readings)
}

func TestReadingsTurnEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld()
	const many = 2001
	for n := 1000; n < 1000+many; n++ {
		o, p := w.orders[toShip], w.payments[toShip]
		o.ID, o.Payment = named[orders.OrderID]("ord", n), named[payments.PaymentID]("pay", n)
		o.Claim, o.Reservation = string(o.ID)+":claim", string(o.ID)+":reserve"
		p.ID, p.Order = o.Payment, id.RefOf(o.ID)
		w.orders, w.payments = append(w.orders, o), append(w.payments, p)
		w.hold(len(w.orders)-1, catalog.ReservationAllocated, 3)
	}
	w.payments[len(w.payments)-1].Refunded = eur(1)
	r := w.verify(t, rehearsal.Options{})
	assert.Equal(t, map[string]int64{rehearsal.RefundsAgree: 1}, broken(r))
	assert.EqualValues(t, sagas+many, r.Counts.Orders)
	assert.EqualValues(t, sagas+many, r.Counts.Payments)
	assert.EqualValues(t, 5+many, r.Counts.Reservations)
}

func TestAMarketplaceInRuinsIsReportedInBoundedMemory(t *testing.T) {
	t.Parallel()
	w := newWorld()
	problems := make([]audit.Problem, 10_001)
	for i := range problems {
		problems[i] = audit.Problem{Invariant: "ledger.sums_to_zero", Subjects: []string{fmt.Sprint(i)}}
	}
	w.problems["payments"] = problems
	r := w.verify(t, rehearsal.Options{})
	require.Equal(t, "ledger.sums_to_zero", r.Invariants[0].Name)
	assert.EqualValues(t, 10_000, r.Invariants[0].Broken)
	assert.True(t, r.Invariants[0].More)
	assert.Len(t, r.Invariants[0].First, 5)
}

type deaf struct{ catalog.Service }

func (deaf) Audit(context.Context, audit.Request) (catalog.AuditReply, error) {
	return catalog.AuditReply{}, catalog.ErrInvalid
}

func TestVerifyFailsWhenItCannotAsk(t *testing.T) {
	t.Parallel()
	s := newWorld().services()
	s.Catalog = deaf{}
	_, err := rehearsal.Verify(t.Context(), s, rehearsal.Options{})
	require.ErrorIs(t, err, catalog.ErrInvalid)

	gone, cancel := context.WithCancelCause(t.Context())
	because := errors.New("enough")
	cancel(because)
	_, err = rehearsal.Verify(gone, newWorld().services(), rehearsal.Options{})
	require.ErrorIs(t, err, because)

	w := newWorld()
	w.payments[toShip].Undone = true
	waiting, cancel := context.WithCancelCause(t.Context())
	w.before = func(what string) {
		if what == "payments" {
			cancel(because)
		}
	}
	_, err = rehearsal.Verify(waiting, w.services(), rehearsal.Options{Running: true, Now: func() clock.Time { return start }})
	require.ErrorIs(t, err, because)
}
