package httpx_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
)

type lampWire struct {
	Name  string   `json:"name" example:"Desk lamp"`
	Marks []string `json:"marks"`
}

func TestAnEncodedBodyIsWrittenAndDescribedAsAPlainOne(t *testing.T) {
	t.Parallel()
	server := httpx.New(httpx.Config{Log: zerolog.Nop()})
	api := server.API(door.New("lamps", 0, zerolog.Nop()))
	lamp := lampWire{Name: "Desk <lamp>"}
	kept, err := httpx.Encode(lamp)
	require.NoError(t, err)
	type plainOut struct{ Body lampWire }
	type keptOut struct{ Body httpx.Encoded[lampWire] }
	httpx.Route(api, httpx.Op{Method: "GET", Path: "/api/v1/lamps/plain", Who: httpx.Anyone, Summary: "Plain"},
		func(context.Context, actor.Actor, struct{}) (plainOut, error) { return plainOut{Body: lamp}, nil })
	httpx.Route(api, httpx.Op{Method: "GET", Path: "/api/v1/lamps/kept", Who: httpx.Anyone, Summary: "Kept"},
		func(context.Context, actor.Actor, struct{}) (keptOut, error) { return keptOut{Body: kept}, nil })

	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		server.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	plain, encoded := get("/api/v1/lamps/plain"), get("/api/v1/lamps/kept")
	assert.Equal(t, 200, encoded.Code)
	assert.Equal(t, plain.Body.String(), encoded.Body.String())
	assert.Equal(t, plain.Header().Get("Content-Type"), encoded.Header().Get("Content-Type"))
	document, err := server.OpenAPI()
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(document), `schemas/Httpx_testLampWire"`), "both refer to the one schema")
	assert.NotContains(t, string(document), "Encoded")
}
