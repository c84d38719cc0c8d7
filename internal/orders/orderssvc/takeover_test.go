package orderssvc_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/job"
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
