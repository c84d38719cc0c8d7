package main

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
)

// follow repeats a checkout by its key until it rests.
func (s *shopper) follow(t *testing.T, q quoteSeen, method, idempotencyKey string) (checkoutSeen, answer) {
	t.Helper()
	var c checkoutSeen
	var a answer
	until(t, "a checkout comes to rest", func() bool {
		var err error
		c, a, err = s.checkout(t.Context(), q, method, idempotencyKey)
		return err == nil && a.status < 500 && c.Status != "pending"
	})
	return c, a
}

func TestTwoHundredBuyersForTenUnits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var lamp listingSeen
	setup(t, dir, func(a *app) {
		lamp = seen(seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 1, 10).listings[0])
	})
	r := start(t, dir, "--log-level", "error")
	var sold, short atomic.Int64
	var buying sync.WaitGroup
	gate := make(chan struct{}, 32) // so many at once
	for range 200 {
		buying.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			s := newGuest(t, r.url)
			a, err := s.add(t.Context(), lamp.Variants[0].ID, 1)
			if !assert.NoError(t, err) || a.status == http.StatusConflict {
				short.Add(1) // sold out before it was in the cart
				return
			}
			q, err := s.quote(t.Context())
			if !assert.NoError(t, err) {
				return
			}
			c, _ := s.follow(t, q, "sandbox_ok", key())
			switch c.Status {
			case "placed":
				sold.Add(1)
			case "rejected":
				short.Add(1)
			}
		})
	}
	buying.Wait()
	assert.Equal(t, int64(10), sold.Load())
	assert.Equal(t, int64(190), short.Load())
	report := verifyAt(t, dir)
	assert.True(t, report.Sound(), broken(report))
}

func TestFiftyBuyersForACouponWithOneUseLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var lamp listingSeen
	setup(t, dir, func(a *app) {
		lamp = seen(seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 1, 100).listings[0])
		_, err := a.ask.cart.PutCoupon(t.Context(), cart.PutCouponRequest{By: actor.System(""), Key: key(), Coupon: cart.Coupon{
			Code: "ONCE", Label: "For one", Funder: cart.FunderPlatform, Percent: 5000, Limit: 1, From: clock.Time(0),
		}})
		require.NoError(t, err)
	})
	r := start(t, dir, "--log-level", "error")
	var reduced, refused atomic.Int64
	var buying sync.WaitGroup
	for range 50 {
		buying.Go(func() {
			s := newGuest(t, r.url)
			a, err := s.add(t.Context(), lamp.Variants[0].ID, 1)
			if err != nil || a.status >= 300 {
				t.Errorf("add to the cart: %v %s", err, a.body)
				return
			}
			a, err = s.do(t.Context(), http.MethodPost, "/api/v1/cart/coupons", key(), map[string]any{"code": "once"})
			if !assert.NoError(t, err) || a.status >= 300 {
				refused.Add(1)
				return
			}
			q, err := s.quote(t.Context())
			if !assert.NoError(t, err) {
				return
			}
			c, _ := s.follow(t, q, "sandbox_ok", key())
			if c.Status == "placed" && q.Sums.Discount.Minor > 0 {
				reduced.Add(1)
			} else {
				refused.Add(1)
			}
		})
	}
	buying.Wait()
	assert.Equal(t, int64(1), reduced.Load())
	assert.Equal(t, int64(49), refused.Load())
	report := verifyAt(t, dir)
	assert.True(t, report.Sound(), broken(report))
}

func TestTenTabsWithTenKeysMakeOneOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var lamp listingSeen
	setup(t, dir, func(a *app) {
		lamp = seen(seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 1, 100).listings[0])
	})
	r := start(t, dir, "--log-level", "error")
	s := newGuest(t, r.url)
	_, err := s.add(t.Context(), lamp.Variants[0].ID, 1)
	require.NoError(t, err)
	q, err := s.quote(t.Context())
	require.NoError(t, err)
	var placed, refused atomic.Int64
	var buying sync.WaitGroup
	for range 10 {
		buying.Go(func() {
			c, a := s.follow(t, q, "sandbox_ok", key())
			if a.status < 300 && c.Status == "placed" {
				placed.Add(1)
			} else {
				refused.Add(1)
			}
		})
	}
	buying.Wait()
	assert.Equal(t, int64(1), placed.Load())
	assert.Equal(t, int64(9), refused.Load())
	report := verifyAt(t, dir)
	assert.True(t, report.Sound(), broken(report))
}

func TestOneKeyFromTenClientsIsOneCharge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var lamp listingSeen
	setup(t, dir, func(a *app) {
		lamp = seen(seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 1, 100).listings[0])
	})
	r := start(t, dir, "--log-level", "error")
	s := newGuest(t, r.url)
	_, err := s.add(t.Context(), lamp.Variants[0].ID, 1)
	require.NoError(t, err)
	q, err := s.quote(t.Context())
	require.NoError(t, err)
	same := key()
	var mu sync.Mutex
	ordered := map[string]string{}
	var buying sync.WaitGroup
	for range 10 {
		buying.Go(func() {
			c, _ := s.follow(t, q, "sandbox_ok", same)
			mu.Lock()
			defer mu.Unlock()
			ordered[c.Order] = c.Status
		})
	}
	buying.Wait()
	require.Len(t, ordered, 1)
	for _, status := range ordered {
		assert.Equal(t, "placed", status)
	}
	report := verifyAt(t, dir)
	assert.True(t, report.Sound(), broken(report))
	assert.Equal(t, int64(1), report.Counts.Payments)
}
