package orderssvc

import (
	"context"
	"time"

	"souk/internal/orders"
)

// Await waits as Checkout does, for as long as a test has.
func (s *Service) Await(ctx context.Context, oid orders.OrderID, most time.Duration) (orders.CheckoutReply, error) {
	at, err := s.await(ctx, oid, most)
	return at.reply(), err
}

// Awaited says whether somebody waits for an order, and is not about to look again.
func (s *Service) Awaited(oid orders.OrderID) bool {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	return len(s.waiting.by[oid]) == 1 && !s.waiting.looking
}
