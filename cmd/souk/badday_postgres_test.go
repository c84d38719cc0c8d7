package main

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store/pgtest"
)

// TestPostgreSQLRestartsInTheMiddleOfCheckouts: the server is restarted while people buy, as an administrator does it and
// as a crash does, and is away for a while. Nothing acknowledged is lost or done twice, and souk goes on by itself.
func TestPostgreSQLRestartsInTheMiddleOfCheckouts(t *testing.T) {
	t.Parallel()
	own := pgtest.Own(t)
	require.NoError(t, own.Create(t.Context(), "shop"))
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	dir, db := t.TempDir(), own.Address("shop")
	r := &replicas{crew: fillForCrashesOn(t, dir, db)}
	log := &safeText{}
	process := startSaying(t, dir, log, "--db", db, "--proxies", "127.0.0.0/8", "--log-level", "warn")
	ready := func() bool {
		status, _ := process.get(t, "/readyz")
		return status == http.StatusOK
	}
	until(t, "it is ready", ready)
	r.balancer = &balancer{url: process.url}
	r.listings = goods(t, r.url, 8, 1)
	l := r.press(t, 5, random)
	for _, mode := range []string{"fast", "immediate"} {
		l.more(t, 6)
		require.NoError(t, own.Restart(t.Context(), mode))
		l.more(t, 2)
	}
	made, deeds := l.halted()

	require.NoError(t, own.Halt(t.Context(), "fast"))
	status, body := process.get(t, "/readyz")
	assert.Equal(t, http.StatusOK, status, "nobody is to take souk away for it, as it is away for all of them")
	assert.Contains(t, body, `"module":"catalog","ready":false,"code":"store.unreachable","outage":true`)
	status, _ = process.get(t, "/readyz?outage=0s")
	assert.Equal(t, http.StatusNotFound, status, "a balancer that can go back to all may ask others, if they have it")
	status, _ = process.get(t, "/healthz")
	assert.Equal(t, http.StatusOK, status, "nobody is to restart souk for it")
	a := browser{}.get(t, process.url+"/l/"+r.listings[0].ID)
	assert.Equal(t, http.StatusServiceUnavailable, a.status, string(a.body))
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	assert.Contains(t, string(a.body), "To the front of the shop")
	lineOf(t, log, `"message":"module not ready"`, "storage does not answer: schema catalog of the database shop at ", "check that it runs and can be reached")
	require.NoError(t, own.Resume(t.Context()))
	until(t, "it is ready again", func() bool {
		status, body := process.get(t, "/readyz?outage=0s")
		return status == http.StatusOK && !strings.Contains(body, `"ready":false`)
	})

	placed := 0
	for _, b := range made {
		b.settle(t, "after the restarts")
		placed += r.paidOnce(t, b, "after the restarts")
	}
	for _, d := range deeds {
		d.settle(t, r.url, "after the restarts")
	}
	assert.Positive(t, placed)
	report := verifyAt(t, dir)
	assert.True(t, report.Sound(), broken(report))
	t.Logf("%d checkouts, %d placed, %d acts", len(made), placed, len(deeds))
}
