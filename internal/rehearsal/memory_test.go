package rehearsal_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/id"
	"souk/internal/rehearsal"
)

// town is a marketplace of so many orders, none of them shipped, which makes its facts up when it
// is asked for them.
type town struct {
	*world
	orders int
	peak   uint64 // the largest heap seen between pages, what is garbage included
}

func (c *town) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c.peak = max(c.peak, m.HeapAlloc)
}

// made is a page of facts; those of order n are what fact makes.
func made[F any](c *town, r audit.Request, fact func(n int) F) (facts []F, next string) {
	from, _ := strconv.Atoi(r.Cursor)
	to := min(from+int(r.Limit), c.orders)
	for n := from; n < to; n++ {
		facts = append(facts, fact(n))
	}
	if to < c.orders {
		next = strconv.Itoa(to)
	}
	if from%100_000 == 0 {
		c.look()
	}
	return facts, next
}

type (
	townCatalog struct {
		catalog.Service
		*town
	}
	townOrders struct {
		orders.Service
		*town
	}
	townPayments struct {
		payments.Service
		*town
	}
)

func (s townCatalog) Audit(_ context.Context, r audit.Request) (reply catalog.AuditReply, err error) {
	reply.Standing = s.standings["catalog"]
	reply.Reservations, reply.Next = made(s.town, r, func(n int) catalog.Reservation {
		order := fmt.Sprintf("ord_%026d", n)
		return catalog.Reservation{
			Key: order + ":reserve", For: id.Ref(order), Status: catalog.ReservationAllocated, Items: []catalog.Item{{Variant: "var_1", Quantity: 3}},
		}
	})
	return reply, nil
}

func (s townOrders) Audit(_ context.Context, r audit.Request) (reply orders.AuditReply, err error) {
	reply.Standing = s.standings["orders"]
	reply.Orders, reply.Next = made(s.town, r, func(n int) orders.OrderFact {
		o := s.world.orders[toShip]
		o.ID, o.Payment = named[orders.OrderID]("ord", n), named[payments.PaymentID]("pay", n)
		o.Claim, o.Reservation = string(o.ID)+":claim", string(o.ID)+":reserve"
		return o
	})
	return reply, nil
}

func (s townPayments) Audit(_ context.Context, r audit.Request) (reply payments.AuditReply, err error) {
	reply.Standing = s.standings["payments"]
	reply.Payments, reply.Next = made(s.town, r, func(n int) payments.Payment {
		p := s.world.payments[toShip]
		p.ID, p.Order = named[payments.PaymentID]("pay", n), named[id.Ref]("ord", n)
		return p
	})
	return reply, nil
}

// verify checks the town, and says how large the heap has been.
func (c *town) verify(t testing.TB) uint64 {
	t.Helper()
	s := c.services()
	s.Catalog, s.Orders, s.Payments, s.Cart = townCatalog{town: c}, townOrders{town: c}, townPayments{town: c}, cartStub{world: &world{standings: c.standings}}
	c.peak = 0
	runtime.GC()
	r, err := rehearsal.Verify(t.Context(), s, rehearsal.Options{})
	require.NoError(t, err)
	require.True(t, r.Sound())
	require.EqualValues(t, c.orders, r.Counts.Orders)
	require.EqualValues(t, c.orders, r.Counts.Payments)
	require.EqualValues(t, c.orders, r.Counts.Reservations)
	return c.peak
}

// TestMemoryDoesNotGrowWithTheMarketplace holds a comparison to the memory of its pages.
func TestMemoryDoesNotGrowWithTheMarketplace(t *testing.T) {
	peak := (&town{world: newWorld(), orders: 300_000}).verify(t)
	assert.Less(t, peak, uint64(32<<20))
}

// BenchmarkVerify compares two million orders with their payments and holds.
func BenchmarkVerify(b *testing.B) {
	c := &town{world: newWorld(), orders: 2_000_000}
	for b.Loop() {
		b.ReportMetric(float64(c.verify(b))/(1<<20), "MB-heap")
	}
}
