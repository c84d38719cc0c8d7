package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/peer"
)

// TestSearchFollowsACatalogueThatDies: catalog is killed while its events flow, and pages of its log are lost on
// the way and read again. Search follows all the same, and has nothing twice.
func TestSearchFollowsACatalogueThatDies(t *testing.T) {
	t.Parallel()
	s := filled(t, mustTopology(t, "catalog-out"))
	lanes, log := s.lay(t), &safeText{}
	var pages, lost atomic.Int64
	lanes[1].obey(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.URL.Path == peer.EventsPath("catalog") && r.URL.Query().Has("after") && pages.Add(1)%3 == 0 {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			lost.Add(1)
			panic(http.ErrAbortHandler)
		}
		pass.ServeHTTP(w, r)
	})
	begin := func() *child { return spawn(t, s.dir, "", s.laneArguments(1, lanes)...) }
	producer := begin()
	s.running = startProbed(t, s.dir, log, probes{}, s.laneArguments(0, lanes)...)
	s.ready(t)

	staff := s.as(s.lamps.owner)
	const rounds, each = 3, 4
	title := func(round, i int) string { return fmt.Sprintf("Firefly%d%c", round, 'a'+i) }
	for round := range rounds {
		for i := range each {
			k := key()
			body := map[string]any{
				"title": title(round, i), "publish": true,
				"variants": []map[string]any{{"sku": title(round, i), "price": map[string]any{"minor": 900, "currency": "EUR"}, "quantity": 3}},
			}
			until(t, "a listing is made", func() bool { // again by its key, whatever became of it
				a, err := staff.do(t.Context(), http.MethodPost, "/api/v1/catalog/listings", k, body)
				require.NoError(t, err)
				require.True(t, a.status < 300 || a.status >= 500 || a.status == http.StatusConflict, string(a.body))
				return a.status < 300
			})
			if i == each/2 {
				producer.kill()
				<-producer.done
				producer = begin()
			}
		}
	}
	for round := range rounds {
		for i := range each {
			var found struct {
				Total int64 `json:"total"`
			}
			path := "/api/v1/search/listings?exact=true&q=" + url.QueryEscape(title(round, i)) // each is a slip away from others
			until(t, title(round, i)+" is found", func() bool {
				(&shopper{url: s.url}).must(t, http.MethodGet, path, "", nil, &found)
				return found.Total > 0
			})
			assert.Equal(t, int64(1), found.Total, title(round, i))
		}
	}
	assert.Positive(t, lost.Load(), "no page was lost on the way")
	got := souk(t, nil, "events", "list", "--data", s.dir)
	assert.Equal(t, exitOK, got.status, got.stderr)
	assert.NotContains(t, strings.ToLower(got.stdout), "firefly", "nothing is parked")
	s.sound(t)
	producer.kill()
	<-producer.done
}
