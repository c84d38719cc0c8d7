package paymentssvc

import (
	"context"
	"sync"

	"souk/internal/payments"
)

// inflight is the payments for which this process is just asking the provider, so that who
// repeats a request meanwhile gets the answer too, instead of being told that there is none.
type inflight struct {
	mu   sync.Mutex
	asks map[payments.PaymentID]chan struct{}
}

// begin notes that the provider is being asked for a payment. end lets go those who wait.
func (f *inflight) begin(pid payments.PaymentID) (end func()) {
	answered := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asks == nil {
		f.asks = map[payments.PaymentID]chan struct{}{}
	}
	f.asks[pid] = answered
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.asks, pid)
		close(answered)
	}
}

// wait returns when nobody asks for the payment any more, or when ctx ends.
func (f *inflight) wait(ctx context.Context, pid payments.PaymentID) {
	f.mu.Lock()
	answered, ok := f.asks[pid]
	f.mu.Unlock()
	if !ok {
		return
	}
	select {
	case <-answered:
	case <-ctx.Done():
	}
}
