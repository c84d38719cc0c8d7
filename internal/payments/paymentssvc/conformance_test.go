package paymentssvc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/payments/paymentsrpc"
	"souk/internal/payments/paymentssvc"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/rpctest"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// house is payments on a real database with a sandbox that does as planned.
type house struct {
	*paymentssvc.Service
	db    *store.DB
	box   *sandbox.Sandbox
	clock *clock.Manual
}

const start clock.Time = 1_767_225_600_000 // 2026-01-01T00:00:00Z

func newHouse(t testing.TB, c *clock.Manual, plan sandbox.Plan, options ...storetest.Option) *house {
	t.Helper()
	return houseAt(t, t.TempDir(), c, plan, options...)
}

func houseAt(t testing.TB, dir string, c *clock.Manual, plan sandbox.Plan, options ...storetest.Option) *house {
	t.Helper()
	db := storetest.OpenAt(t, "payments", dir, append([]storetest.Option{storetest.Clock(c.Now)}, options...)...)
	return houseOn(db, c, plan)
}

func houseOn(db *store.DB, c *clock.Manual, plan sandbox.Plan) *house {
	box := sandbox.New(sandbox.Config{DB: db, Plan: plan})
	return &house{Service: paymentssvc.New(paymentssvc.Config{DB: db, Provider: box}), db: db, box: box, clock: c}
}

// runDue does all that is due by the clock.
func (h *house) runDue(ctx context.Context) error {
	for {
		n, err := h.Jobs().RunDue(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

// events is all that was published.
func (h *house) events(ctx context.Context) ([]paymentstest.Event, error) {
	var out []paymentstest.Event
	for after := int64(0); ; {
		page, err := bus.LocalSource(h.db).Page(ctx, after, 1000)
		if err != nil || len(page.Events) == 0 {
			return out, err
		}
		for _, e := range page.Events {
			after = e.Position
			decoded, err := decodeEvent(e.Name, []byte(e.Body))
			if err != nil {
				return nil, err
			}
			out = append(out, decoded)
		}
	}
}

func decodeEvent(name string, body []byte) (paymentstest.Event, error) {
	switch name {
	case payments.Changed{}.EventName():
		var e payments.Changed
		err := json.Unmarshal(body, &e)
		return e, err
	case payments.Refunded{}.EventName():
		var e payments.Refunded
		err := json.Unmarshal(body, &e)
		return e, err
	default:
		return nil, fmt.Errorf("an event %s", name)
	}
}

func (h *house) fill(hooks *paymentstest.Hooks) {
	*hooks = paymentstest.Hooks{
		RunDue: h.runDue,
		Events: h.events,
		Approve: func(ctx context.Context, actionURL string, approve bool) error {
			_, err := h.box.Decide(ctx, strings.TrimPrefix(actionURL, sandbox.PagePrefix), approve)
			return err
		},
		Take: func(ctx context.Context, pid payments.PaymentID) error {
			return h.box.Take(ctx, string(pid)+":authorise")
		},
		Pause:  func(ctx context.Context) error { return h.Pause(ctx, paymentstest.System(), "a test") },
		Resume: func(ctx context.Context) error { return h.Resume(ctx, paymentstest.System(), "a test") },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		paymentstest.Run(t, func(t *testing.T, env paymentstest.Env) payments.Service {
			h := newHouse(t, env.Clock, nil)
			h.fill(env.Hooks)
			return h
		})
	})
	t.Run("strict", func(t *testing.T) {
		t.Parallel()
		paymentstest.Run(t, func(t *testing.T, env paymentstest.Env) payments.Service {
			h := newHouse(t, env.Clock, nil)
			h.fill(env.Hooks)
			return strictly(t, h, rpc.Always{})
		})
	})
	t.Run("in another process", func(t *testing.T) {
		t.Parallel()
		paymentstest.Run(t, func(t *testing.T, env paymentstest.Env) payments.Service {
			h := newHouse(t, env.Clock, nil)
			h.fill(env.Hooks)
			return rpctest.Remote(t, func(o rpc.ServerOptions) *rpc.Server { return paymentsrpc.Server(h, o) }, paymentsrpc.Remote)
		})
	})
	t.Run("strict, every command repeated", func(t *testing.T) {
		t.Parallel()
		paymentstest.RunRepeated(t, func(t *testing.T, env paymentstest.Env) payments.Service {
			h := newHouse(t, env.Clock, nil)
			h.fill(env.Hooks)
			return strictly(t, h, rpc.Always{Repeat: true})
		})
	})
	t.Run("a fake on the wire", func(t *testing.T) {
		t.Parallel()
		paymentstest.RunRepeated(t, func(t *testing.T, env paymentstest.Env) payments.Service {
			fake := paymentstest.NewFake(env.Clock.Now)
			fake.Fill(env.Hooks)
			return strictly(t, fake, rpc.Always{Repeat: true})
		})
	})
}

func strictly(t *testing.T, next payments.Service, faults rpc.Faults) payments.Service {
	t.Helper()
	return paymentsrpc.Strict(next, rpc.StrictOptions{
		Faults: faults, OnFailure: func(_ context.Context, m rpc.Method, err error) { t.Errorf("%s: %v", m.Name, err) },
	})
}

func TestNewHasDefaults(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "payments")
	s := paymentssvc.New(paymentssvc.Config{DB: db})
	reply, err := s.Methods(t.Context(), payments.MethodsRequest{})
	require.NoError(t, err)
	require.True(t, reply.Sandbox)
	require.Equal(t, "payments", s.Module().Name)
}
