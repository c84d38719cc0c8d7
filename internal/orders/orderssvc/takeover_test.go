package orderssvc_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// TestACheckoutIsTakenOverAnywhere stops the owner of a checkout at every point, lets another
// process take it over and go on as far as it can, and wakes the first, which goes on with what
// it had in mind.
func TestACheckoutIsTakenOverAnywhere(t *testing.T) {
	t.Parallel()
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			points := map[string]bool{}
			whole := newHouse(t, nil)
			whole.at = func(point string, _ orders.OrderID) {
				mu.Lock()
				defer mu.Unlock()
				points[point] = true
			}
			p, which := whole.run(s)
			s.check(whole, p, which)
			for point := range points {
				t.Run(point, func(t *testing.T) {
					h := newHouse(t, nil)
					var paused atomic.Bool
					h.at = func(here string, _ orders.OrderID) {
						if here != point || !paused.CompareAndSwap(false, true) {
							return
						}
						other := h.service() // finds the job running, and its owner asleep
						_, err := other.Module().Jobs.RunDue(t.Context())
						assert.NoError(t, err)
						h.svc = other
					}
					p, which := h.run(s)
					require.True(t, paused.Load())
					s.check(h, p, which)
				})
			}
		})
	}
}

// TestACheckoutThatWasOvertakenMovesNothing drops the job of a checkout while it is run, which
// fences the run: whoever comes after it finds everything as it was.
func TestACheckoutThatWasOvertakenMovesNothing(t *testing.T) {
	t.Parallel()
	for point, state := range map[string]orders.SagaState{
		"between claim and freeze": orders.SagaRunning, "before place": orders.SagaRunning, "after allocate": orders.SagaForward,
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			var dropped atomic.Bool
			h.at = func(here string, which orders.OrderID) {
				if here == point && dropped.CompareAndSwap(false, true) {
					change := job.Change{By: orderstest.Operator(), Why: "test"}
					assert.NoError(t, job.Drop(t.Context(), h.db, "orders.checkout", string(which), change))
				}
			}
			which := h.checkout(h.purchase(paymentstest.OK))
			require.NoError(t, h.runDue(t.Context()))
			assert.Equal(t, state, h.fact(which).Saga)
		})
	}
}

// TestWhoWaitsSeesThatAnotherProcessParks: nothing is published or enqueued when a checkout begins to wait for its buyer.
func TestWhoWaitsSeesThatAnotherProcessParks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.db = storetest.Postgres(t, "orders", storetest.Clock(h.Clock.Now), storetest.With((*store.Options).LookNever))
	h.svc = h.service()
	other := h.service()
	which := h.checkout(h.purchase(paymentstest.Redirect))
	replies := make(chan orders.CheckoutReply, 1)
	go func() {
		reply, err := h.svc.Await(t.Context(), which, time.Hour)
		assert.NoError(t, err)
		replies <- reply
	}()
	h.at = func(point string, _ orders.OrderID) {
		if point == "before authorise" { // what came before it made news
			assert.Eventually(t, func() bool { return h.svc.Awaited(which) }, time.Minute, time.Millisecond)
		}
	}
	_, err := other.Module().Jobs.RunDue(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(replies) == 1 }, time.Minute, 10*time.Millisecond)
	reply := <-replies
	assert.Equal(t, orders.StatusPending, reply.Status)
	assert.NotEmpty(t, reply.ActionURL)
}
