package main

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cutAround cuts all lanes at the first call of that method: before anything of it gets through, or when it was
// done and its reply is on the way. Then it closes the channel.
func cutAround(lanes []*lane, module, method string, done bool) <-chan struct{} {
	var once sync.Once
	all := make(chan struct{})
	for _, l := range lanes {
		l.obey(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if !isCall(r, module, method) {
				pass.ServeHTTP(w, r)
				return
			}
			once.Do(func() {
				if done {
					pass.ServeHTTP(httptest.NewRecorder(), r)
				}
				for _, l := range lanes {
					l.obey(nil)
					l.cut()
				}
				close(all)
			})
			panic(http.ErrAbortHandler)
		})
	}
	return all
}

// TestAPartitionInTheMiddleOfACheckout: whatever was or was not done when the network went away, when it is
// back the checkout ends by repeating its keys, with one payment and one reservation.
func TestAPartitionInTheMiddleOfACheckout(t *testing.T) {
	t.Parallel()
	for name, methods := range map[string][]string{"payments": {"Authorize"}, "catalog": {"Reserve", "Confirm"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, lanes, log := openOverLanes(t, name+"-out", nil)
			for _, method := range methods {
				for _, done := range []bool{false, true} {
					g := s.withCart(t)
					q, err := g.quote(t.Context())
					require.NoError(t, err)
					cut := cutAround(lanes, name, method, done)
					k := key()
					begun, a, err := g.checkout(t.Context(), q, "sandbox_ok", k)
					require.NoError(t, err)
					require.Equal(t, http.StatusAccepted, a.status, "nothing is decided while nobody can say: %s", a.body)
					assert.Equal(t, "pending", begun.Status)

					<-cut // the buyer may have been answered before it came so far
					for _, l := range lanes {
						l.heal()
					}
					c, _ := g.follow(t, q, "sandbox_ok", k)
					assert.Equal(t, begun.Order, c.Order)
					assert.Equal(t, "placed", c.Status, "%s, done: %v: %s", method, done, c.Message)
					assert.Len(t, s.paymentsOf(t, c.Order), 1, "%s, done: %v", method, done)
				}
			}
			assert.NotContains(t, log.String(), `"level":"error"`, "nobody has to do anything about it")
			s.sound(t)
		})
	}
}

// paymentsOf are the payments of an order, as an operator reads them.
func (s *street) paymentsOf(t *testing.T, order string) []paymentSeen {
	t.Helper()
	var seen struct {
		Payments []paymentSeen `json:"payments"`
	}
	s.as(s.operator).must(t, http.MethodGet, "/api/v1/payments/orders/"+order+"/payments", "", nil, &seen)
	return seen.Payments
}

type paymentSeen struct {
	Status string `json:"status"`
}
