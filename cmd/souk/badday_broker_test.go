package main

import (
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNATSIsGoneForAWhile: without its broker a marketplace in several processes sells on, since calls and logs do not need
// it; what is heard of each other by events waits. When the broker is back everything is heard, once.
func TestNATSIsGoneForAWhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at, err := net.ResolveTCPAddr("tcp", usualAddress(t)) // which is kept while the broker is away
	require.NoError(t, err)
	broker := natsOn(t, dir, at.Port)
	address := broker.ClientURL()
	s := filled(t, mustTopology(t, "catalog-out"))
	log := &safeText{}
	s.more = []string{"--bus", address, "--bus-prefix", key()}
	lanes := s.lay(t)
	s.others = nil
	for i := range lanes {
		process := startProbed(t, s.dir, log, probes{}, append(s.laneArguments(i, lanes), s.more...)...)
		if i == 0 {
			s.running = process
		} else {
			s.others = append(s.others, process)
		}
	}
	s.ready(t)
	list := func(title string) {
		s.as(s.lamps.owner).must(t, http.MethodPost, "/api/v1/catalog/listings", key(), map[string]any{
			"title": title, "publish": true,
			"variants": []map[string]any{{"sku": title, "price": map[string]any{"minor": 900, "currency": "EUR"}, "quantity": 3}},
		}, nil)
	}
	found := func(title string) (n int64) {
		var seen struct {
			Total int64 `json:"total"`
		}
		(&shopper{url: s.url}).must(t, http.MethodGet, "/api/v1/search/listings?q="+title, "", nil, &seen)
		return seen.Total
	}
	list("Firefly")
	until(t, "what is new is found", func() bool { return found("Firefly") == 1 })

	broker.Shutdown()
	broker.WaitForShutdown()
	lineOf(t, log, "connection to NATS lost; events wait in their logs")
	list("Glowworm")
	c := newGuest(t, s.url).buy(t, "sandbox_ok", seen(s.lamps.listings[0]))
	assert.Equal(t, "placed", c.Status, c.Message)
	s.ready(t) // nobody is taken away for it
	assert.Zero(t, found("Glowworm"), "its event waits")

	natsOn(t, dir, at.Port)
	until(t, "what was missed is found", func() bool { return found("Glowworm") == 1 })
	assert.Equal(t, int64(1), found("Firefly"))
	assert.NotContains(t, log.String(), `"level":"error"`, "nobody has to do anything about it")
	s.sound(t)
}
