package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/reqid"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract/testdata/shop"
	"souk/internal/platform/rpc/contract/testdata/shop/shoprpc"
)

// FuzzServer: whatever a caller sends is answered as contracts say, and a module that is asked is given
// the time that the caller has.
func FuzzServer(f *testing.F) {
	whole, err := codec().Marshal(shop.PutRequest{Key: "k", Thing: full()})
	require.NoError(f, err)
	mine := shoprpc.Contract.Hash
	f.Add("Put", mine, "1000", "0123456789abcdef", string(whole))
	var left time.Duration // that the module has
	timed := false
	look := func(ctx context.Context) {
		var end time.Time
		if end, timed = ctx.Deadline(); timed {
			left = time.Until(end)
		}
	}
	asked := 0
	server := shoprpc.Server(&shelf{
		put: func(ctx context.Context, r shop.PutRequest) (shop.PutReply, error) {
			asked++
			look(ctx)
			return shop.PutReply{ID: r.Thing.ID}, nil
		},
		get: func(ctx context.Context, r shop.GetRequest) (shop.GetReply, error) {
			asked++
			look(ctx)
			return shop.GetReply{Thing: shop.Thing{ID: r.ID}}, nil
		},
	}, rpc.ServerOptions{OnFailure: func(_ context.Context, m rpc.Method, err error) { panic(m.Name + ": " + err.Error()) }})
	f.Fuzz(func(t *testing.T, method, contracts, timeout, request, body string) {
		asked, timed = 0, false
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.URL.Path = peer.RPCPath(shoprpc.Contract.Module, method)
		r.Header.Set("Souk-Contracts", contracts)
		r.Header.Set("Souk-Timeout", timeout)
		r.Header.Set(reqid.Header, request)
		r.Header.Set("Traceparent", request)
		out := httptest.NewRecorder()
		server.ServeHTTP(out, r)
		require.Equal(t, http.StatusOK, out.Code)
		if timed {
			assert.Positive(t, left, "the module was asked when its time was over: %q", timeout)
		}
		switch out.Header().Get("Souk-Answer") {
		case "reply":
			assert.LessOrEqual(t, asked, 1)
		case "failure":
			assert.Zero(t, asked, "what was refused had been asked")
			var e struct {
				Kind errs.Kind `json:"kind"`
				Code errs.Code `json:"code"`
			}
			require.NoError(t, codec().Unmarshal(out.Body.Bytes(), &e), out.Body)
			assert.Contains(t, errs.Kinds, e.Kind)
			assert.NotEmpty(t, e.Code)
		default:
			t.Errorf("neither a reply nor a failure: %q", out.Body)
		}
	})
}

// always answers every request in the same way.
type always func(w http.ResponseWriter)

func (a always) Do(*http.Request) (*http.Response, error) {
	out := httptest.NewRecorder()
	a(out)
	return out.Result(), nil
}

// FuzzAnswer: whatever comes as an answer is the reply that it says, or an error of a known kind.
func FuzzAnswer(f *testing.F) {
	whole, err := codec().Marshal(shop.GetReply{Thing: full()})
	require.NoError(f, err)
	f.Add("reply", "", 200, string(whole))
	f.Add("failure", "9223372036854775807", 200, `{"kind":"unavailable","code":"souk.busy","message":"later","fields":{}}`)
	f.Fuzz(func(t *testing.T, says, retry string, status int, body string) {
		client, err := shoprpc.Remote(rpc.RemoteOptions{
			URL: "http://shop.test", From: "test", MaxTries: 1,
			HTTP: always(func(w http.ResponseWriter) {
				w.Header().Set("Souk-Answer", says)
				w.Header().Set("Souk-Retry", retry)
				w.WriteHeader(min(max(status, 200), 599))
				_, _ = w.Write([]byte(body))
			}),
		})
		require.NoError(t, err)
		reply, err := client.Get(t.Context(), shop.GetRequest{})
		if err != nil {
			assert.Contains(t, errs.Kinds, errs.KindOf(err))
			assert.Equal(t, shop.GetReply{}, reply)
			var later interface{ RetryAfter() time.Duration }
			if errors.As(err, &later) {
				assert.GreaterOrEqual(t, later.RetryAfter(), time.Duration(0))
			}
			return
		}
		assert.Equal(t, "reply", says)
		again, err := codec().Marshal(reply)
		require.NoError(t, err)
		var back shop.GetReply
		require.NoError(t, codec().UnmarshalStrict(again, &back))
		assert.Equal(t, reply, back)
	})
}
