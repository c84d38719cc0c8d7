package bus_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"souk/internal/platform/store/storetest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/bus"
	"souk/internal/platform/bus/bustest"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
)

// direct is a client that asks a handler without a network or a door between.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	out := httptest.NewRecorder()
	d.handler.ServeHTTP(out, r)
	return out.Result(), nil
}

func remoteOf(h http.Handler) bus.Source {
	return bus.RemoteSource(bus.RemoteConfig{Client: peer.Client(direct{h}), URL: "http://shop.test/", Log: shopLog})
}

func TestAPageOfAFeedIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		w.publish(sold{Item: strings.Repeat("x", 1<<20), N: 1})
	}
	source := remoteOf(bus.Feed(t.Context(), w.source))
	page, err := source.Page(t.Context(), 0, 256)
	require.NoError(t, err)
	assert.Len(t, page.Events, 1, "an event's key is in its body too, so one has 2 MiB")
	page, err = source.Page(t.Context(), 4, 256)
	require.NoError(t, err)
	assert.Len(t, page.Events, 1)
	assert.Empty(t, bus.Cut(nil, 0))
	assert.Len(t, bus.Cut(page.Events, 0), 1, "one event always goes through")
}

func TestAFeedRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	feed := bus.Feed(t.Context(), w.source)
	for _, query := range []string{"", "after=1", "after=x&limit=1", "after=-1&limit=1", "limit=1", "wait=1", "wait=x&head=1", "wait=1&head=-1"} {
		out := httptest.NewRecorder()
		feed.ServeHTTP(out, httptest.NewRequest(http.MethodGet, "/?"+query, nil))
		require.ErrorIs(t, peer.ReadError(out.Result()), bus.ErrFeed, query)
	}
}

func TestAWaitEndsByNewsByTimeAndByTheEndOfTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite())
		w.sell("tea", 1)
		serving, shutdown := context.WithCancel(t.Context())
		feed := bus.Feed(serving, w.source)
		page, err := w.source.Page(t.Context(), 0, 1)
		require.NoError(t, err)
		ask := func(wait string) chan string {
			answer := make(chan string, 1)
			go func() {
				out := httptest.NewRecorder()
				query := url.Values{"epoch": {page.Epoch}, "head": {"1"}, "wait": {wait}}
				feed.ServeHTTP(out, httptest.NewRequest(http.MethodGet, "/?"+query.Encode(), nil))
				answer <- strings.TrimSpace(out.Body.String())
			}()
			return answer
		}
		began := time.Now()
		assert.Equal(t, `{"news":false}`, <-ask("25000"))
		assert.Equal(t, 25*time.Second, time.Since(began))
		assert.Equal(t, `{"news":false}`, <-ask("9000000000000000000"))
		assert.Equal(t, 50*time.Second, time.Since(began), "nobody waits for longer")

		told := ask("25000")
		synctest.Wait()
		w.sell("tea", 2)
		assert.Equal(t, `{"news":true}`, <-told)
		assert.Equal(t, `{"news":true}`, <-ask("25000"))

		page.Head = 2
		ended := make(chan error)
		go func() { ended <- remoteOf(feed).Wait(t.Context(), page.State) }()
		time.Sleep(time.Hour) // of the bubble's clock: it asks again and again, and says nothing
		w.sell("tea", 3)
		require.NoError(t, <-ended)

		closing := make(chan error)
		go func() { closing <- remoteOf(feed).Wait(t.Context(), bus.State{Epoch: page.Epoch, Head: 3}) }()
		synctest.Wait()
		shutdown()
		require.ErrorIs(t, <-closing, bus.ErrNotReachable, "and does not ask a server that is ending again and again")
	})
}

func TestWhateverIsWrongWithAFeedIsACircumstance(t *testing.T) {
	t.Parallel()
	answers := map[string]http.HandlerFunc{
		"a proxy's page":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"no JSON":                   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"another's JSON":            func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"a refusal":                 func(w http.ResponseWriter, _ *http.Request) { peer.WriteError(w, peer.ErrBadSignature) },
		"a log that cannot be read": bus.Feed(t.Context(), broken{}).ServeHTTP,
	}
	for name, h := range answers {
		_, err := remoteOf(h).Page(t.Context(), 0, 1)
		require.ErrorIs(t, err, bus.ErrNotReachable, name)
		assert.Equal(t, errs.Unavailable, errs.KindOf(err), name)
	}
	for _, name := range []string{"a proxy's page", "no JSON", "a refusal", "a log that cannot be read"} {
		require.ErrorIs(t, remoteOf(answers[name]).Wait(t.Context(), bus.State{}), bus.ErrNotReachable, name)
	}
}

type broken struct{}

func (broken) Page(context.Context, int64, int) (bus.Page, error) {
	return bus.Page{}, errors.New("the disk is gone")
}
func (broken) Wait(context.Context, bus.State) error { return errors.New("the disk is gone") }

func TestAReaderWithAClockOfItsOwnIsToldWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := newWire(t)
	stop := l.serve(w.source)
	defer stop()
	pool := peer.Pool(peer.PoolConfig{})
	defer pool.CloseIdleConnections()
	late := func() clock.Time { return clock.Now().Add(-2 * time.Minute) }
	client := peer.Client(peer.Transport(pool, peer.Signer{Caller: "reader", Secrets: l.secrets, Now: late}))
	_, err := bus.RemoteSource(bus.RemoteConfig{Client: client, URL: "http://" + l.address, Log: bustest.Log}).Page(t.Context(), 0, 1)
	require.ErrorIs(t, err, bus.ErrNotReachable)
	assert.ErrorContains(t, err, "the clock of reader says")
}

func TestFeedRequestsCarryTheTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tracer := sdktrace.NewTracerProvider()
	var seen trace.SpanContext
	feed := bus.Feed(t.Context(), w.source)
	door := peer.Require(peer.Rules{Secrets: newWire(t).secrets, Callers: []string{"reader"}})(
		http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			seen = trace.SpanContextFromContext(r.Context())
			feed.ServeHTTP(out, r)
		}))
	client := peer.Client(peer.Transport(direct{door}, peer.Signer{Caller: "reader", Secrets: newWire(t).secrets}))
	source := bus.RemoteSource(bus.RemoteConfig{Client: client, URL: "http://shop.test", Log: shopLog, Tracer: tracer})
	ctx, span := tracer.Tracer("test").Start(t.Context(), "a request")
	defer span.End()
	_, err := source.Page(ctx, 0, 1)
	require.NoError(t, err)
	assert.Equal(t, span.SpanContext().TraceID(), seen.TraceID())
	assert.NotEqual(t, span.SpanContext().SpanID(), seen.SpanID(), "the reading has a span of its own")
}
