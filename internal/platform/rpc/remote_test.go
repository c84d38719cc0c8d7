package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/reqid"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract/testdata/shop"
	"souk/internal/platform/rpc/contract/testdata/shop/shoprpc"
	"souk/internal/platform/rpc/rpctest"
)

// remote is a client of s over a socket, which does not wait between tries.
func remote(t *testing.T, s shop.Service, change ...func(*rpc.RemoteOptions)) shoprpc.Client {
	t.Helper()
	return dial(t, rpctest.Serve(t, shoprpc.Server(s, rpc.ServerOptions{})), change...)
}

func dial(t *testing.T, o rpc.RemoteOptions, change ...func(*rpc.RemoteOptions)) shoprpc.Client {
	t.Helper()
	o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	for _, c := range change {
		c(&o)
	}
	client, err := shoprpc.Remote(o)
	require.NoError(t, err)
	return client
}

// between is what stands between client and server, and may do as it likes.
type between func(w http.ResponseWriter, r *http.Request, server http.Handler)

func through(t *testing.T, s shop.Service, do between, change ...func(*rpc.RemoteOptions)) shoprpc.Client {
	t.Helper()
	server := shoprpc.Server(s, rpc.ServerOptions{})
	return dial(t, rpctest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(w, r, server) })), change...)
}

// loseReply lets the server work and cuts the connection then.
func loseReply(w http.ResponseWriter, r *http.Request, server http.Handler) {
	server.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

func TestValuesAndErrorsComeBackFromAnotherProcess(t *testing.T) {
	t.Parallel()
	s := &shelf{
		put: func(_ context.Context, r shop.PutRequest) (shop.PutReply, error) {
			return shop.PutReply{ID: r.Thing.ID}, nil
		},
		get: func(context.Context, shop.GetRequest) (shop.GetReply, error) {
			return shop.GetReply{}, shop.ErrNotFound.With("no %s", "x").WithField("id", "gone").Because(errors.New("secret"))
		},
	}
	c := remote(t, s)
	thing := full()
	reply, err := c.Put(t.Context(), shop.PutRequest{Key: "k", Thing: thing})
	require.NoError(t, err)
	assert.Equal(t, thing.ID, reply.ID)
	page, err := c.List(t.Context(), shop.ListRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	got := page.Items[0]
	got.ID, got.Owner = thing.ID, thing.Owner // made anew each time
	assert.Equal(t, thing, got)

	_, err = c.Get(t.Context(), shop.GetRequest{})
	require.ErrorIs(t, err, shop.ErrNotFound)
	assert.Equal(t, &errs.Error{Kind: errs.NotFound, Code: "shop.not_found", Message: "no x", Fields: map[string]string{"id": "gone"}}, errs.As(err))
}

func TestDeadlineTraceAndRequestIDCross(t *testing.T) {
	t.Parallel()
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	arrived := make(chan context.Context, 1)
	s := &shelf{get: func(ctx context.Context, _ shop.GetRequest) (shop.GetReply, error) {
		arrived <- ctx
		return shop.GetReply{}, nil
	}}
	ctx, end := context.WithTimeout(reqid.With(trace.ContextWithSpanContext(t.Context(), span), "request-1"), time.Hour)
	defer end()
	_, err := remote(t, s, func(o *rpc.RemoteOptions) { o.TryFor = 2 * time.Hour }).Get(ctx, shop.GetRequest{})
	require.NoError(t, err)
	inner := <-arrived
	assert.Equal(t, "request-1", reqid.From(inner))
	assert.Equal(t, span.TraceID(), trace.SpanContextFromContext(inner).TraceID())
	want, _ := ctx.Deadline()
	got, ok := inner.Deadline()
	require.True(t, ok)
	// Two clocks, and the way between them: the callee may stop a little early or late.
	assert.WithinDuration(t, want, got, time.Minute)
}

func TestCancellationCrosses(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	s := &shelf{get: func(inner context.Context, _ shop.GetRequest) (shop.GetReply, error) {
		cancel()
		<-inner.Done()
		close(ended)
		return shop.GetReply{}, inner.Err()
	}}
	c := remote(t, s)
	_, err := c.Get(ctx, shop.GetRequest{})
	require.ErrorIs(t, err, rpc.ErrReplyLost, "it may have been done")
	require.ErrorIs(t, err, context.Canceled)
	<-ended
	_, err = c.Get(ctx, shop.GetRequest{})
	require.ErrorIs(t, err, rpc.ErrUnavailable, "a call that is over before it begins is never sent")
}

// nowhere is an address at which nothing listens.
func nowhere(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return "http://" + ln.Addr().String()
}

func TestWhatCannotBeReachedIsUnavailableAndTriedAgain(t *testing.T) {
	t.Parallel()
	var called rpc.Called
	c := dial(t, rpc.RemoteOptions{URL: nowhere(t), HTTP: &http.Client{}}, func(o *rpc.RemoteOptions) {
		o.OnCall = func(_ context.Context, _ rpc.Method, c rpc.Called) { called = c }
	})
	_, err := c.Put(t.Context(), shop.PutRequest{Key: "k"})
	require.ErrorIs(t, err, rpc.ErrUnavailable)
	assert.Equal(t, 4, called.Tries)
	assert.Zero(t, called.Sent, "nothing left this process")
}

func TestALostReplyIsAskedForAgainByTheKey(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	var calls atomic.Int64
	c := through(t, s, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if calls.Add(1) == 1 {
			loseReply(w, r, server)
		}
		server.ServeHTTP(w, r)
	})
	reply, err := c.Put(t.Context(), shop.PutRequest{Key: "k", Thing: shop.Thing{ID: shop.ThingIDs.New()}})
	require.NoError(t, err)
	assert.NotEmpty(t, reply.ID)
	assert.Equal(t, int64(2), s.puts.Load(), "once unheard, once heard")
}

func TestOnceItMayHaveBeenDoneItStaysUnknown(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	down := errors.New("down")
	o := rpctest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		loseReply(w, r, shoprpc.Server(s, rpc.ServerOptions{}))
	}))
	o.HTTP = doer{first: o.HTTP, then: func(*http.Request) (*http.Response, error) { return nil, down }, left: new(atomic.Int64)}
	c := dial(t, o)
	_, err := c.Put(t.Context(), shop.PutRequest{Key: "k"})
	require.ErrorIs(t, err, rpc.ErrReplyLost, "the last try reached nobody, but the first may have been done")
	assert.Equal(t, int64(1), s.puts.Load())
}

// doer uses first once, and then the other.
type doer struct {
	first rpc.Doer
	then  func(*http.Request) (*http.Response, error)
	left  *atomic.Int64
}

func (d doer) Do(r *http.Request) (*http.Response, error) {
	if d.left.Add(1) == 1 {
		return d.first.Do(r)
	}
	return d.then(r)
}

func TestARefusalIsNeverTriedAgain(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]*errs.Error{
		"refused": shop.ErrNotFound, "internal": rpc.ErrInternal, "exhausted": errs.Refusal(errs.Exhausted, "shop.quota"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{put: func(context.Context, shop.PutRequest) (shop.PutReply, error) { return shop.PutReply{}, refusal }}
			_, err := remote(t, s).Put(t.Context(), shop.PutRequest{Key: "k"})
			require.ErrorIs(t, err, refusal)
			assert.Equal(t, int64(1), s.puts.Load())
		})
	}
}

func TestWhoIsTurnedAwayComesAgainWhenHeIsTold(t *testing.T) {
	t.Parallel()
	var waited []time.Duration
	s := &shelf{put: func(context.Context, shop.PutRequest) (shop.PutReply, error) {
		return shop.PutReply{}, busyFor(7 * time.Second)
	}}
	c := remote(t, s, func(o *rpc.RemoteOptions) {
		o.Wait = func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
	})
	_, err := c.Put(t.Context(), shop.PutRequest{Key: "k"})
	assert.Equal(t, errs.Code("shop.busy"), errs.CodeOf(err))
	var later interface{ RetryAfter() time.Duration }
	require.ErrorAs(t, err, &later, "the browser is told too")
	assert.Equal(t, 7*time.Second, later.RetryAfter())
	assert.Equal(t, []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}, waited)
}

func TestABusyModuleIsNotDead(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	full.Store(true)
	s := &shelf{put: func(context.Context, shop.PutRequest) (shop.PutReply, error) {
		if full.Load() {
			return shop.PutReply{}, busyFor(time.Millisecond)
		}
		return shop.PutReply{}, nil
	}}
	c := remote(t, s)
	for range 5 {
		_, err := c.Put(t.Context(), shop.PutRequest{Key: "k"})
		require.Equal(t, errs.Code("shop.busy"), errs.CodeOf(err))
	}
	full.Store(false)
	_, err := c.Put(t.Context(), shop.PutRequest{Key: "k"})
	require.NoError(t, err, "after twenty refusals the next one is let in")
}

func TestARequestThatIsTooLongIsNotSent(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	_, err := remote(t, s).Put(t.Context(), shop.PutRequest{Key: "k", Thing: shop.Thing{Name: strings.Repeat("x", 9<<20)}})
	require.ErrorIs(t, err, rpc.ErrMalformed)
	assert.Zero(t, s.puts.Load())
}

func TestNoTryBeginsThatTheDeadlineWouldNotLetEnd(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	s := &shelf{put: func(context.Context, shop.PutRequest) (shop.PutReply, error) {
		return shop.PutReply{}, busyFor(time.Hour)
	}}
	_, err := remote(t, s).Put(ctx, shop.PutRequest{Key: "k"})
	require.Error(t, err)
	assert.Equal(t, int64(1), s.puts.Load())
}

// busyFor is what a door says, with when to come again.
type busyFor time.Duration

func (b busyFor) Error() string             { return "busy" }
func (b busyFor) Unwrap() error             { return errs.Refusal(errs.Unavailable, "shop.busy") }
func (b busyFor) RetryAfter() time.Duration { return time.Duration(b) }

func TestOnlySoukSpeaksForAModule(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		do   between
		want *errs.Error
	}{
		"a proxy's own page": {do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			http.Error(w, "no server is available", http.StatusServiceUnavailable)
		}, want: rpc.ErrReplyLost},
		"a login page": {do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			_, _ = io.WriteString(w, "<html>")
		}, want: rpc.ErrReplyLost},
		"half a reply": {do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Souk-Answer", "reply")
			_, _ = io.WriteString(w, `{"id":`)
		}, want: rpc.ErrReplyLost},
		"not let in": {do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			peer.WriteError(w, peer.ErrBadSignature.With("wrong secret"))
		}, want: rpc.ErrUnavailable},
		"a copy of what was let in": {do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			peer.WriteError(w, peer.ErrReplayed)
		}, want: rpc.ErrReplyLost},
		"no such module": {do: func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			r.URL.Path = "/souk/v1/rpc/shed/Put"
			server.ServeHTTP(w, r)
		}, want: errs.Refusal(errs.Unavailable, "souk.no_method")},
		"another contract": {do: func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			r.Header.Set("Souk-Contracts", "0123 4567")
			server.ServeHTTP(w, r)
		}, want: errs.Refusal(errs.Unavailable, "souk.other_contract")},
		"the last release's caller is let in": {do: func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			r.Header.Set("Souk-Contracts", shoprpc.Contract.Hash+" 4567")
			server.ServeHTTP(w, r)
		}},
		"the next release's caller is let in": {do: func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			r.Header.Set("Souk-Contracts", "4567 "+shoprpc.Contract.Hash)
			server.ServeHTTP(w, r)
		}},
		"a field that is not known": {do: func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			r.Body = io.NopCloser(strings.NewReader(`{"limit":1}`))
			server.ServeHTTP(w, r)
		}, want: rpc.ErrMalformed},
		"a request too long": {do: func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			r.Body = io.NopCloser(io.LimitReader(endless{}, 9<<20))
			server.ServeHTTP(w, r)
		}, want: rpc.ErrMalformed},
		"half a request": {do: func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{}))
			server.ServeHTTP(w, r)
		}, want: errs.Refusal(errs.Unavailable, "souk.half_a_request")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{}
			_, err := through(t, s, tt.do).Put(t.Context(), shop.PutRequest{Key: "k"})
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tt.want)
			assert.Zero(t, s.puts.Load())
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestADeadModuleIsLeftAloneAndLookedAtAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dials, up := 0, false
		s := shoprpc.Server(&shelf{}, rpc.ServerOptions{})
		c := dial(t, rpc.RemoteOptions{URL: "http://shop.test", HTTP: doerFunc(func(r *http.Request) (*http.Response, error) {
			dials++
			if !up {
				return nil, errors.New("connection refused")
			}
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, r)
			return answer.Result(), nil
		})})
		put := func() error {
			_, err := c.Put(t.Context(), shop.PutRequest{Key: "k"})
			return err
		}
		for range 2 {
			require.ErrorIs(t, put(), rpc.ErrUnavailable)
		}
		assert.Equal(t, 8, dials)
		require.ErrorIs(t, put(), rpc.ErrUnavailable)
		assert.Equal(t, 8, dials, "nobody waits for what has not answered eight times")

		up = true
		require.ErrorIs(t, put(), rpc.ErrUnavailable, "too early to look")
		time.Sleep(time.Second + time.Millisecond) // in the bubble: passes at once
		require.NoError(t, put())
		require.NoError(t, put())
	})
}

// Who goes away before the answer says nothing of the module: neither that it is dead, nor that it lives.
func TestACallerThatGoesAwayTellsNothingOfTheModule(t *testing.T) {
	t.Parallel()
	dials, gone := 0, context.CancelFunc(func() {})
	c := dial(t, rpc.RemoteOptions{URL: "http://shop.test", MaxTries: 1, HTTP: doerFunc(func(r *http.Request) (*http.Response, error) {
		dials++
		gone()
		return nil, errors.Join(errors.New("connection refused"), r.Context().Err())
	})})
	put := func(ctx context.Context) { _, err := c.Put(ctx, shop.PutRequest{Key: "k"}); require.Error(t, err) }
	leave := func() {
		ctx, cancel := context.WithCancel(t.Context())
		gone = cancel
		put(ctx)
		gone = func() {}
	}
	for range 7 {
		put(t.Context())
	}
	for range 10 {
		leave()
	}
	put(t.Context())
	assert.Equal(t, 18, dials)
	put(t.Context())
	assert.Equal(t, 18, dials, "it has not answered eight times")
}

type doerFunc func(*http.Request) (*http.Response, error)

func (d doerFunc) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestASlowReadIsAskedTwiceWhenHedged(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	first := make(chan struct{})
	s := &shelf{get: func(ctx context.Context, _ shop.GetRequest) (shop.GetReply, error) {
		if calls.Add(1) == 1 {
			<-ctx.Done() // as long as anybody waits
			close(first)
			return shop.GetReply{}, ctx.Err()
		}
		return shop.GetReply{Thing: shop.Thing{Name: "second"}}, nil
	}}
	c := remote(t, s, func(o *rpc.RemoteOptions) { o.Hedge = time.Millisecond })
	reply, err := c.Get(t.Context(), shop.GetRequest{})
	require.NoError(t, err)
	assert.Equal(t, "second", reply.Thing.Name)
	<-first
}

func TestACommandIsNeverHedged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		s := shoprpc.Server(&shelf{}, rpc.ServerOptions{})
		c := dial(t, rpc.RemoteOptions{URL: "http://shop.test", Hedge: time.Millisecond, HTTP: doerFunc(func(r *http.Request) (*http.Response, error) {
			asked++
			time.Sleep(time.Second) // in the bubble
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, r)
			return answer.Result(), nil
		})})
		_, err := c.Put(t.Context(), shop.PutRequest{Key: "k"})
		require.NoError(t, err)
		assert.Equal(t, 1, asked)
	})
}

func TestAServerHearsHowEachCallEndedAndOnWhoseBehalf(t *testing.T) {
	t.Parallel()
	var heard []string
	s := &shelf{get: func(context.Context, shop.GetRequest) (shop.GetReply, error) {
		return shop.GetReply{}, shop.ErrNotFound.With("no")
	}}
	c := dial(t, rpctest.Serve(t, shoprpc.Server(s, rpc.ServerOptions{OnServed: func(ctx context.Context, m rpc.Method, s rpc.Served) {
		heard = append(heard, fmt.Sprintf("%s %s %s", reqid.From(ctx), m.Name, errs.CodeOf(s.Err)))
	}})))
	ctx := reqid.With(t.Context(), "request-1")
	_, err := c.Put(ctx, shop.PutRequest{Key: "k"})
	require.NoError(t, err)
	_, err = c.Get(ctx, shop.GetRequest{})
	require.ErrorIs(t, err, shop.ErrNotFound)
	assert.Equal(t, []string{"request-1 Put ", "request-1 Get shop.not_found"}, heard)
}

func TestAPanicStaysWhereItIs(t *testing.T) {
	t.Parallel()
	var heard []failure
	s := &shelf{get: func(context.Context, shop.GetRequest) (shop.GetReply, error) { panic("secret") }}
	c := dial(t, rpctest.Serve(t, shoprpc.Server(s, rpc.ServerOptions{OnFailure: hear(&heard)})))
	_, err := c.Get(t.Context(), shop.GetRequest{})
	require.ErrorIs(t, err, rpc.ErrInternal)
	assert.NotContains(t, err.Error(), "secret")
	require.Len(t, heard, 1)
	var p *rpc.Panic
	require.ErrorAs(t, heard[0].err, &p)
}

func TestProcessesCompareContracts(t *testing.T) {
	t.Parallel()
	other := shoprpc.Contract
	other.Hash, other.Previous = "0123456789abcdef", ""
	other.Text = strings.Replace(other.Text, "\tname string pii\n", "\tname bytes\n", 1) + "code shop.new conflict\n"
	require.NotEqual(t, shoprpc.Contract.Text, other.Text)
	next := other
	next.Previous = shoprpc.Contract.Hash
	connect := func(h http.Handler) error { return dial(t, rpctest.Serve(t, h)).Connect(t.Context()) }

	require.NoError(t, connect(rpc.ContractsHandler(shoprpc.Contract)))
	require.NoError(t, connect(rpc.ContractsHandler(next)), "of the next release")
	err := connect(rpc.ContractsHandler(other))
	var mismatch *rpc.ErrContracts
	require.ErrorAs(t, err, &mismatch)
	require.ErrorContains(t, err, "- struct Thing: name string pii")
	require.ErrorContains(t, err, "+ struct Thing: name bytes")
	require.ErrorContains(t, err, "+ code shop.new conflict")
	assert.Len(t, mismatch.Difference, 3)

	err = connect(rpc.ContractsHandler())
	require.ErrorIs(t, err, rpc.ErrUnavailable, "a process without the module")
	require.ErrorIs(t, err, peer.ErrNotHere, "which says so itself")
	require.ErrorIs(t, connect(http.NotFoundHandler()), rpc.ErrUnavailable, "something that is no souk")
	require.ErrorIs(t, dial(t, rpc.RemoteOptions{URL: nowhere(t), HTTP: &http.Client{}}).Connect(t.Context()), rpc.ErrUnavailable)
}

func TestAnAddressThatIsNone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:80", "ftp://x", "http://"} {
		_, err := shoprpc.Remote(rpc.RemoteOptions{URL: address, HTTP: &http.Client{}})
		require.Error(t, err, address)
	}
}
