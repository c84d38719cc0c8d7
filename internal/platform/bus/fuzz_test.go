package bus_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
)

// known is a log of some events on which nothing is new.
type known struct{ events []bus.Event }

func (k known) Page(_ context.Context, after int64, limit int) (bus.Page, error) {
	from := min(after, int64(len(k.events)))
	to := min(from+int64(limit), int64(len(k.events)))
	return bus.Page{State: bus.State{Epoch: "e", Head: int64(len(k.events))}, Events: append([]bus.Event{}, k.events[from:to]...)}, nil
}

func (k known) Wait(ctx context.Context, seen bus.State) error {
	if seen.Epoch != "e" || seen.Head != int64(len(k.events)) {
		return nil
	}
	return context.DeadlineExceeded
}

// FuzzFeed: whatever a feed is asked for, it answers with a page from there on, or says what it did
// not understand.
func FuzzFeed(f *testing.F) {
	log := known{}
	for i := range int64(5) {
		log.events = append(log.events, bus.Event{Position: i + 1, Name: "shop.sold.v1", Key: "k", Body: `{}`})
	}
	f.Add("after=2&limit=2")
	f.Add("epoch=e&head=5&wait=0")
	h := bus.Feed(f.Context(), log)
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.URL.RawQuery = query
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		if out.Code != http.StatusOK {
			err := peer.ReadError(out.Result())
			require.NotEqual(t, errs.Internal, errs.KindOf(err), "%v", err)
			return
		}
		require.True(t, json.Valid(out.Body.Bytes()))
		if r.URL.Query().Has("wait") {
			return
		}
		var page bus.Page
		require.NoError(t, json.Unmarshal(out.Body.Bytes(), &page))
		assert.Equal(t, int64(len(log.events)), page.State.Head)
		for i, e := range page.Events {
			assert.Equal(t, page.Events[0].Position+int64(i), e.Position)
		}
	})
}

// FuzzFeedAnswer: whatever another process answers is read as a page, or is a circumstance that parks nothing.
func FuzzFeedAnswer(f *testing.F) {
	f.Add(200, `{"epoch":"e","head":1,"events":[{"position":1,"name":"shop.sold.v1","key":"k","body":"{}"}]}`)
	f.Add(503, `{"kind":"unavailable","code":"bus.not_reachable","message":"later"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		source := remoteOf(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(min(max(status, 200), 599))
			_, _ = w.Write([]byte(body))
		}))
		if page, err := source.Page(t.Context(), 0, 10); err != nil {
			require.Equal(t, errs.Unavailable, errs.KindOf(err), "%v", err)
			assert.Empty(t, page.Events)
		}
	})
}
