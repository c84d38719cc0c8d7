package httpx_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/httpx"
)

func TestAHandlerCanAskForTheSender(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got httpx.Sender
	httpx.Route(w.api, httpx.Op{Method: "GET", Path: "/api/v1/shop/me", Who: httpx.Anyone, Summary: "Look at the sender"},
		func(ctx context.Context, _ actor.Actor, _ empty) (empty, error) {
			got = httpx.SenderOf(ctx)
			return empty{}, nil
		})
	w.start()
	w.do("GET", "/api/v1/shop/me", "", "Authorization", "Bearer buyer", "User-Agent", "Lynx")
	assert.Equal(t, httpx.Sender{Proof: httpx.ByToken, Secret: "buyer", Network: "127.0.0.1", Agent: "Lynx"}, got)
	assert.Equal(t, httpx.Sender{}, httpx.SenderOf(t.Context()))
}

func TestTheSellerAskedForIsInAHeaderOrACookie(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	require.NoError(t, err)
	assert.Empty(t, httpx.SellerAsked(r))
	r.AddCookie(&http.Cookie{Name: httpx.SellerCookie, Value: "sel_one"})
	assert.Equal(t, "sel_one", httpx.SellerAsked(r))
	r.Header.Set(httpx.SellerHeader, "sel_two")
	assert.Equal(t, "sel_two", httpx.SellerAsked(r))
}
