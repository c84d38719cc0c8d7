package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/store/pgtest"
)

func TestAProcessIsReadyOnceItHasCaughtUp(t *testing.T) {
	t.Parallel()
	at := bus.Status{Subscriber: "search.index", Module: "search", Log: "catalog"}
	other := bus.Status{Subscriber: "orders.payments", Module: "orders", Head: 100, Position: 1, Lag: 99}
	c := &catchingUp{module: "search", list: func(context.Context) ([]bus.Status, error) { return []bus.Status{other, at}, nil }}
	steps := []struct {
		says                string
		position, head, lag int64
		ready               bool
	}{
		{"the log cannot be read", 0, -1, -1, false},
		{"nothing was heard yet", 0, 10, 10, false},
		{"what was lost is being rebuilt", 0, 10, -1, false},
		{"half was heard", 5, 12, 7, false},
		{"all was heard that there was at the start", 10, 15, 5, true},
		{"ready once, it stays so", 10, 90, 80, true},
	}
	for _, step := range steps {
		at.Position, at.Head, at.Lag = step.position, step.head, step.lag
		if err := c.ready(t.Context()); step.ready {
			require.NoError(t, err, step.says)
		} else {
			require.ErrorIs(t, err, errBehind, step.says)
		}
	}
}

// A process that comes to a full database finds, from the moment that it is ready, what the others find.
func TestANewReplicaFindsEverythingOnceItIsReady(t *testing.T) {
	t.Parallel()
	s := filledOn(t, topologies()[0], pgtest.Database(t))
	s.running = start(t, t.TempDir(), "--db", s.db, "--log-level", "error")
	until(t, "it is ready", func() bool {
		status, _ := s.get(t, "/readyz")
		return status == http.StatusOK
	})
	var found struct {
		Total int `json:"total"`
	}
	(&shopper{url: s.url}).must(t, http.MethodGet, "/api/v1/search/listings?q=thing", "", nil, &found)
	assert.Equal(t, len(s.lamps.listings)+len(s.mugs.listings), found.Total)
}
