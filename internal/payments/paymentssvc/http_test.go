package paymentssvc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/payments/paymentstest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/platform/store/storetest"
)

// Fixed ids, so that what clients see can be compared to the letter.
const (
	orderRef   id.Ref = "ord_00000000000000000000000001"
	sellerRef  id.Ref = "sel_00000000000000000000000001"
	otherRef   id.Ref = "sel_00000000000000000000000002"
	shareRef   id.Ref = "sor_00000000000000000000000001"
	shareRef2  id.Ref = "sor_00000000000000000000000002"
	paymentRef        = "pay_00000000000000000000000001"
)

// sequence makes ids one after the other.
func sequence[T any](prefix string) func() id.ID[T] {
	n := 0
	return func() id.ID[T] {
		n++
		return id.ID[T](fmt.Sprintf("%s%026d", prefix, n))
	}
}

// site is payments behind HTTP.
type site struct {
	*house
	t   *testing.T
	url string
}

func newSite(t *testing.T) *site {
	t.Helper()
	c := clock.NewManual(start)
	db := storetest.Open(t, "payments", storetest.Clock(c.Now), storetest.Once())
	box := sandbox.New(sandbox.Config{DB: db})
	h := &house{db: db, box: box, clock: c, Service: paymentssvc.New(paymentssvc.Config{
		DB: db, Provider: box, NewPaymentID: sequence[payments.Payment]("pay_"), NewRefundID: sequence[payments.Refund]("rfd_"),
		NewTransactionID: sequence[payments.Transaction]("txn_"), Stylesheet: "/assets/souk.test.css",
	})}
	server := httpx.New(httpx.Config{Log: zerolog.Nop(), Now: c.Now, Resolver: resolve})
	d := door.New("payments", 10, zerolog.Nop())
	m := h.Module()
	m.Routes(server.API(d))
	server.Pages(d, m.Pages)
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	return &site{house: h, t: t, url: ts.URL}
}

func resolve(_ context.Context, r *http.Request) (actor.Actor, error) {
	all := []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeSell, actor.ScopeOperate}
	switch _, token := httpx.Credential(r); token {
	case "buyer":
		return actor.Actor{Kind: actor.KindPerson, Person: "per_00000000000000000000000001", Scopes: all}, nil
	case "seller":
		return actor.Actor{Kind: actor.KindPerson, Person: "per_00000000000000000000000002", Seller: sellerRef, Scopes: all}, nil
	case "other":
		return actor.Actor{Kind: actor.KindPerson, Person: "per_00000000000000000000000003", Seller: otherRef, Scopes: all}, nil
	case "operator":
		return actor.Actor{Kind: actor.KindOperator, Person: "per_00000000000000000000000004", Scopes: all}, nil
	default:
		return actor.Nobody(), nil
	}
}

// buy pays, settles and refunds something, so that there is something to see.
func (s *site) buy() {
	s.t.Helper()
	_, err := s.Authorize(s.t.Context(), payments.AuthorizeRequest{
		By: paymentstest.System(), Key: "a", Order: orderRef, Amount: paymentstest.EUR(3000), Method: sandbox.MethodOK,
	})
	require.NoError(s.t, err)
	s.clock.Advance(time.Second)
	_, err = s.Capture(s.t.Context(), payments.CaptureRequest{
		By: paymentstest.System(), Key: "c", Payment: paymentRef, Amount: paymentstest.EUR(3000), Shares: []payments.Share{
			{Seller: sellerRef, SellerOrder: shareRef, Amount: paymentstest.EUR(1000)}, {Seller: otherRef, SellerOrder: shareRef2, Amount: paymentstest.EUR(2000)},
		},
	})
	require.NoError(s.t, err)
	s.clock.Advance(time.Second)
	_, err = s.Refund(s.t.Context(), payments.RefundRequest{
		By: paymentstest.System(), Key: "r", Payment: paymentRef, Amount: paymentstest.EUR(200), Why: "one was broken",
		Shares: []payments.Share{{Seller: sellerRef, SellerOrder: shareRef, Amount: paymentstest.EUR(200)}},
	})
	require.NoError(s.t, err)
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (s *site) do(who, method, path string, body []byte, header ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(body))
	require.NoError(s.t, err)
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return answer{resp.StatusCode, resp.Header, got}
}

func TestWhatClientsSee(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.buy()
	for name, get := range map[string]struct{ who, path string }{
		"methods":             {"", "methods?currency=EUR"},
		"payment":             {"operator", "payments/" + paymentRef},
		"order":               {"operator", "orders/" + string(orderRef) + "/payments"},
		"balances":            {"operator", "balances"},
		"balances-seller":     {"seller", "balances"},
		"transactions":        {"operator", "transactions?order=" + string(orderRef)},
		"transactions-seller": {"seller", "transactions"},
		"state":               {"operator", "state"},
	} {
		got := s.do(get.who, http.MethodGet, "/api/v1/payments/"+get.path, nil)
		require.Equal(t, http.StatusOK, got.status, "%s: %s", name, got.body)
		golden(t, name, got.body)
	}
}

// TestWhatIsRefusedOfOneOrder: both lists of what waits for an operator are narrowed to the order that is asked for.
func TestWhatIsRefusedOfOneOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const other id.Ref = "ord_00000000000000000000000002"
	system, method := paymentstest.System(), sandbox.MethodRefundFailed
	for i, order := range []id.Ref{orderRef, other} {
		pay := func(key string) payments.PaymentID {
			reply, err := s.Authorize(t.Context(), payments.AuthorizeRequest{By: system, Key: key + string(order), Order: order, Amount: paymentstest.EUR(500), Method: method})
			require.NoError(t, err)
			return reply.Payment.ID
		}
		share := []payments.Share{{Seller: sellerRef, SellerOrder: []id.Ref{shareRef, shareRef2}[i], Amount: paymentstest.EUR(500)}}
		paid := pay("refunded ")
		_, err := s.Capture(t.Context(), payments.CaptureRequest{By: system, Key: "c" + string(order), Payment: paid, Amount: paymentstest.EUR(500), Shares: share})
		require.NoError(t, err)
		refund, err := s.Refund(t.Context(), payments.RefundRequest{By: system, Key: "r" + string(order), Payment: paid, Amount: paymentstest.EUR(500), Shares: share, Why: "broken"})
		require.NoError(t, err)
		require.Equal(t, payments.RefundFailed, refund.Refund.Status)
		late := pay("late ")
		_, err = s.Undo(t.Context(), payments.UndoRequest{By: system, Key: "late " + string(order)})
		require.NoError(t, err)
		require.NoError(t, s.box.Take(t.Context(), string(late)+":authorise"))
		require.NoError(t, s.runDue(t.Context()))
	}
	for path, list := range map[string]string{"refused-refunds": "refunds", "returns": "returns"} {
		orders := func(query string) (found []id.Ref) {
			got := s.do("operator", http.MethodGet, "/api/v1/payments/"+path+query, nil)
			require.Equal(t, http.StatusOK, got.status, "%s", got.body)
			var body map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(got.body, &body))
			var rows []struct{ Order id.Ref }
			require.NoError(t, json.Unmarshal(body[list], &rows))
			for _, row := range rows {
				found = append(found, row.Order)
			}
			return found
		}
		assert.Equal(t, []id.Ref{orderRef, other}, orders(""), path)
		assert.Equal(t, []id.Ref{other}, orders("?order="+string(other)), path)
		assert.Empty(t, orders("?order=ord_00000000000000000000000003"), path)
		got := s.do("buyer", http.MethodGet, "/api/v1/payments/"+path+"?order="+string(orderRef), nil)
		assert.Equal(t, http.StatusForbidden, got.status)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, got, "", "  "), "%s", got)
	file := filepath.Join("testdata", name+".json")
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(file, pretty.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), pretty.String(), name)
}

func TestWhoMaySeeWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.buy()
	callers := []string{"", "buyer", "seller", "other", "operator"}
	for path, want := range map[string][]int{
		"methods":                {200, 200, 200, 200, 200},
		"payments/" + paymentRef: {401, 403, 403, 403, 200},
		"orders/" + string(orderRef) + "/payments": {401, 403, 403, 403, 200},
		"balances":                                 {401, 403, 200, 200, 200},
		"balances?seller=" + string(sellerRef):     {401, 403, 200, 404, 200},
		"transactions":                             {401, 403, 200, 200, 200},
		"transactions?seller=" + string(sellerRef): {401, 403, 200, 404, 200},
		"state": {401, 403, 403, 403, 200},
		"payments/pay_00000000000000000000000009": {401, 403, 403, 403, 404},
		"payments/nonsense":                       {401, 403, 403, 403, 404},
		"transactions?cursor=nonsense":            {401, 403, 400, 400, 400},
	} {
		for i, who := range callers {
			got := s.do(who, http.MethodGet, "/api/v1/payments/"+path, nil)
			assert.Equal(t, want[i], got.status, "%q asks for %s: %s", who, path, got.body)
		}
	}
	for i, who := range callers {
		got := s.do(who, http.MethodPut, "/api/v1/payments/state", []byte(`{"paused":true,"why":"a test"}`))
		assert.Equal(t, []int{401, 403, 403, 403, 200}[i], got.status, "%q pauses: %s", who, got.body)
	}
	paused, err := s.Paused(t.Context())
	require.NoError(t, err)
	assert.True(t, paused)
}

func TestARepeatedReadIsNotModified(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.buy()
	first := s.do("operator", http.MethodGet, "/api/v1/payments/payments/"+paymentRef, nil)
	tag := first.header.Get("ETag")
	require.NotEmpty(t, tag)
	again := s.do("operator", http.MethodGet, "/api/v1/payments/payments/"+paymentRef, nil, "If-None-Match", tag)
	assert.Equal(t, http.StatusNotModified, again.status)
	assert.Empty(t, again.body)
}

func TestTheBuyerApprovesOnThePage(t *testing.T) {
	t.Parallel()
	for decision, want := range map[string]payments.Status{"approve": payments.StatusAuthorised, "decline": payments.StatusDeclined} {
		s := newSite(t)
		r := request(s.clock, sandbox.MethodRedirect)
		reply, err := s.Authorize(t.Context(), r)
		require.NoError(t, err)
		page := reply.Payment.ActionURL
		got := s.do("", http.MethodGet, page, nil)
		require.Equal(t, http.StatusOK, got.status)
		for _, part := range []string{"30.00 EUR", `href="/assets/souk.test.css"`, `method="post"`, "Approve"} {
			assert.Contains(t, string(got.body), part)
		}
		assert.NotContains(t, string(got.body), "<script")

		form := []byte(url.Values{"decision": {decision}}.Encode())
		kind := []string{"Content-Type", "application/x-www-form-urlencoded"}
		foreign := s.do("", http.MethodPost, page, form, append(kind, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")...)
		assert.Equal(t, http.StatusForbidden, foreign.status, "another site may not decide")
		assert.Equal(t, http.StatusBadRequest, s.do("", http.MethodPost, page, []byte("decision=perhaps"), kind...).status)
		assert.Equal(t, payments.StatusActionRequired, s.get(t, reply.Payment.ID).Status)

		for range 2 { // as with an impatient finger
			done := s.do("", http.MethodPost, page, form, kind...)
			assert.Equal(t, http.StatusSeeOther, done.status)
			assert.Equal(t, r.ReturnURL, done.header.Get("Location"))
		}
		require.NoError(t, s.runDue(t.Context()))
		assert.Equal(t, want, s.get(t, reply.Payment.ID).Status)
		after := s.do("", http.MethodGet, page, nil)
		assert.Contains(t, string(after.body), "Nothing to approve")
		assert.NotContains(t, string(after.body), "<form")
		assert.Equal(t, http.StatusNotFound, s.do("", http.MethodGet, sandbox.PagePrefix+"nobody-knows", nil).status)
	}
}

func TestAPageThatIsTooLateDecidesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	reply, err := s.Authorize(t.Context(), request(s.clock, sandbox.MethodRedirect))
	require.NoError(t, err)
	s.clock.Advance(31 * time.Minute)
	got := s.do("", http.MethodGet, reply.Payment.ActionURL, nil)
	assert.Contains(t, string(got.body), "The time to approve had passed")
	done := s.do("", http.MethodPost, reply.Payment.ActionURL, []byte("decision=approve"), "Content-Type", "application/x-www-form-urlencoded")
	assert.Equal(t, http.StatusSeeOther, done.status)
	s.pass(t, time.Minute)
	assert.Equal(t, payments.StatusDeclined, s.get(t, reply.Payment.ID).Status)
}

func TestNotificationsCountOnceAndOnlySigned(t *testing.T) {
	t.Parallel()
	const path, header = "/api/v1/payments/notifications/sandbox", "Souk-Sandbox-Signature"
	s := newSite(t)
	reply, err := s.Authorize(t.Context(), request(s.clock, sandbox.MethodRedirect))
	require.NoError(t, err)
	secret, err := s.box.Secret(t.Context())
	require.NoError(t, err)
	require.Len(t, secret, 32)
	body := []byte(`{"id":"evt_1","charge":"` + string(reply.Payment.ID) + `:authorise","sent_at":"2026-01-01T00:00:00.000Z"}`)

	assert.Equal(t, http.StatusForbidden, s.do("", http.MethodPost, path, body, header, sandbox.Sign([]byte("guess"), body)).status)
	assert.Equal(t, http.StatusBadRequest, s.do("", http.MethodPost, path, body).status)
	nonsense := []byte(`{"id":"evt_2","charge":"what"}`)
	assert.Equal(t, http.StatusBadRequest, s.do("", http.MethodPost, path, nonsense, header, sandbox.Sign(secret, nonsense)).status)
	lie := []byte(`{"id":"evt_3","charge":"pay_00000000000000000000000009:authorise"}`)
	assert.Equal(t, http.StatusNoContent, s.do("", http.MethodPost, path, lie, header, sandbox.Sign(secret, lie)).status)
	for range 3 {
		got := s.do("", http.MethodPost, path, body, header, sandbox.Sign(secret, body))
		assert.Equal(t, http.StatusNoContent, got.status, "%s", got.body)
	}
	// What it says does not count: nobody has approved.
	require.NoError(t, s.runDue(t.Context()))
	assert.Equal(t, payments.StatusActionRequired, s.get(t, reply.Payment.ID).Status)
	s.sound(t)
}
