package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/httpx"
)

// shopper is a client of the public API: a guest with a cart token, or whoever has the bearer token
// or the session.
type shopper struct {
	url     string
	cart    string
	bearer  string
	session string
	http    *http.Client
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t testing.TB, to any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, to), string(a.body))
}

// waitToRetry waits as long as the answer says to.
func (a answer) waitToRetry(ctx context.Context) error {
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil {
		return fmt.Errorf("%d without when to ask again: %w", a.status, err)
	}
	over := time.NewTimer(time.Duration(seconds) * time.Second)
	defer over.Stop()
	select {
	case <-over.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func key() string { return rand.Text() }

// do sends a request; with a key it is a command.
func (s *shopper) do(ctx context.Context, method, path, idempotencyKey string, body any) (answer, error) {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, in)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	if s.cart != "" {
		req.Header.Set("Souk-Cart", s.cart)
	}
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	if s.session != "" {
		req.AddCookie(&http.Cookie{Name: httpx.SessionCookie, Value: s.session})
	}
	client := s.http
	if client == nil {
		client = http.DefaultClient
	}
	return received(client.Do(req))
}

// mostTries is how often a request is made of which the answer says that there were too many: a limit lets one through
// when its time has come.
const mostTries = 8

// patiently is do, again when it was asked too often, as soon as the answer says.
func (s *shopper) patiently(ctx context.Context, method, path, idempotencyKey string, body any) (answer, error) {
	for tries := 1; ; tries++ {
		a, err := s.do(ctx, method, path, idempotencyKey, body)
		if err != nil || a.status != http.StatusTooManyRequests || tries == mostTries {
			return a, err
		}
		if err := a.waitToRetry(ctx); err != nil {
			return a, err
		}
	}
}

// received is an answer, read whole.
func received(res *http.Response, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, header: res.Header, body: text}, err
}

// form sends a form as a browser does, and says how it was answered.
func (s *shopper) form(t testing.TB, path string, fields url.Values) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(fields.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: httpx.SessionCookie, Value: s.session})
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// must sends a request that has to succeed. Told that it asked too often, as whoever looks again and again is on a slow machine,
// it waits as long as it is told to and asks again.
func (s *shopper) must(t testing.TB, method, path, idempotencyKey string, body, to any) {
	t.Helper()
	a, err := s.patiently(t.Context(), method, path, idempotencyKey, body)
	require.NoError(t, err)
	require.Less(t, a.status, 300, "%s %s: %s", method, path, a.body)
	if to != nil {
		a.into(t, to)
	}
}

// The parts of the API's answers that tests look at.
type (
	amount struct {
		Minor    int64  `json:"minor"`
		Currency string `json:"currency"`
	}
	variantSeen struct {
		ID    string `json:"id"`
		Price amount `json:"price"`
		Stock struct {
			Available int64 `json:"available"`
		} `json:"stock"`
	}
	listingSeen struct {
		ID       string        `json:"id"`
		Title    string        `json:"title"`
		Seller   string        `json:"seller"`
		Variants []variantSeen `json:"variants"`
		Version  int64         `json:"version"`
	}
	quoteSeen struct {
		Hash        string `json:"hash"`
		Cart        string `json:"cart"`
		CartVersion int64  `json:"cart_version"`
		Sums        struct {
			Goods    amount `json:"goods"`
			Discount amount `json:"discount"`
			Total    amount `json:"total"`
		} `json:"sums"`
		Sellers []struct {
			Seller string `json:"seller"`
		} `json:"sellers"`
		Problems []struct {
			Code string `json:"code"`
		} `json:"problems"`
	}
	checkoutSeen struct {
		Order     string `json:"order"`
		Number    string `json:"number"`
		Status    string `json:"status"`
		Reason    string `json:"reason"`
		Message   string `json:"message"`
		ActionURL string `json:"action_url"`
		Link      string `json:"link"`
		Total     amount `json:"total"`
	}
)

// guest is a fresh guest.
func guest(ctx context.Context, url string, client *http.Client) (*shopper, error) {
	s := &shopper{url: url, http: client}
	a, err := s.do(ctx, http.MethodPost, "/api/v1/cart/tokens", "", nil)
	if err != nil {
		return nil, err
	}
	var token struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(a.body, &token); err != nil || token.Token == "" {
		return nil, fmt.Errorf("no cart token: %d %s", a.status, a.body)
	}
	s.cart = token.Token
	return s, nil
}

func newGuest(t testing.TB, url string) *shopper {
	t.Helper()
	s, err := guest(t.Context(), url, nil)
	require.NoError(t, err)
	return s
}

// goods are listings of different sellers with at least so many in stock.
func goods(t testing.TB, url string, sellers int, least int64) []listingSeen {
	t.Helper()
	s := &shopper{url: url}
	var found []listingSeen
	seen := map[string]bool{}
	cursor := ""
	for len(found) < sellers {
		var page struct {
			Listings []listingSeen `json:"listings"`
			Next     string        `json:"next_cursor"`
		}
		path := "/api/v1/catalog/listings?limit=100"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		s.must(t, http.MethodGet, path, "", nil, &page)
		for _, l := range page.Listings {
			if !seen[l.Seller] && len(l.Variants) > 0 && l.Variants[0].Stock.Available >= least && len(found) < sellers {
				seen[l.Seller] = true
				found = append(found, l)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Len(t, found, sellers, "not enough sellers have %d in stock", least)
	return found
}

// add puts a variant into the cart.
func (s *shopper) add(ctx context.Context, variant string, quantity int64) (answer, error) {
	return s.do(ctx, http.MethodPost, "/api/v1/cart/lines", key(), map[string]any{"variant": variant, "quantity": quantity})
}

func (s *shopper) quote(ctx context.Context) (quoteSeen, error) {
	var q quoteSeen
	a, err := s.do(ctx, http.MethodGet, "/api/v1/cart/quote?country=DE&postal_code=24103", "", nil)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("quote: %d %s", a.status, a.body)
	}
	if err == nil {
		err = json.Unmarshal(a.body, &q)
	}
	return q, err
}

// checkoutBody asks for what q quotes to be sent to Kiel.
func checkoutBody(q quoteSeen, method string) map[string]any {
	return map[string]any{
		"cart": q.Cart, "cart_version": q.CartVersion, "quote_hash": q.Hash, "method": method,
		"contact": map[string]any{"email": "ada@example.com", "name": "Ada Example"},
		"delivery": map[string]any{
			"name": "Ada Example", "line1": "Hafenstraße 1", "postal_code": "24103", "city": "Kiel", "country": "DE",
		},
	}
}

// checkout asks for the order and follows it until it rests or the time is over. Told that it asked too often, it waits
// as long as it is told to and asks again.
func (s *shopper) checkout(ctx context.Context, q quoteSeen, method, idempotencyKey string) (checkoutSeen, answer, error) {
	var c checkoutSeen
	a, err := s.patiently(ctx, http.MethodPost, "/api/v1/orders/checkouts", idempotencyKey, checkoutBody(q, method))
	if err != nil || a.status >= 300 {
		return c, a, err
	}
	return c, a, json.Unmarshal(a.body, &c)
}

// buy fills a cart with one of each listing and checks out, until it is placed, or rejected, or the buyer's turn.
func (s *shopper) buy(t testing.TB, method string, listings ...listingSeen) checkoutSeen {
	t.Helper()
	for _, l := range listings {
		a, err := s.add(t.Context(), l.Variants[0].ID, 1)
		require.NoError(t, err)
		require.Less(t, a.status, 300, string(a.body))
	}
	q, err := s.quote(t.Context())
	require.NoError(t, err)
	require.Empty(t, q.Problems)
	var c checkoutSeen
	repeated := key()
	until(t, "a checkout comes to rest", func() bool {
		var a answer
		c, a, err = s.checkout(t.Context(), q, method, repeated)
		require.NoError(t, err)
		require.Less(t, a.status, 300, string(a.body))
		return c.Status != "pending" || c.ActionURL != "" // on a busy machine it takes longer than one answer waits
	})
	return c
}

// patience is for how long something that has to come is waited for. It only ends what hangs: how fast the machine is must not
// matter.
const patience = 5 * time.Minute

// until asks until ok says yes or nobody has any patience left.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	untilWithin(t, what, patience, ok)
}

// untilWithin is until with other patience.
func untilWithin(t testing.TB, what string, atMost time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(atMost)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited for %s: %s", atMost, what)
		case <-tick.C:
		}
	}
}
