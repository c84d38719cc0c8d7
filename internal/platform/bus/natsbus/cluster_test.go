package natsbus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/bus/bustest"
	"souk/internal/platform/bus/natsbus"
)

func clusterConfig(all []*broker) natsbus.Config {
	c := configOf(urls(all))
	c.Replicas = len(all)
	return c
}

// leader is the node that leads the stream, the first that lives if there is none yet.
func leader(t testing.TB, all []*broker) *broker {
	t.Helper()
	for _, b := range all {
		if b.server != nil && b.server.JetStreamIsStreamLeader("$G", "souk_"+string(bustest.Log)) {
			return b
		}
	}
	for _, b := range all {
		if b.server != nil {
			return b
		}
	}
	t.Fatal("no node lives")
	return nil
}

func TestAClusterThatLosesANodeUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	all, s := cluster(t), newShop(t)
	defer publishing(t, clusterConfig(all), s.log)()
	reader, stop := connect(t, clusterConfig(all))
	defer stop()
	source := reader.Source(bustest.Log)
	s.publish(100, "")
	settleCluster(t, all, s.log)

	const rounds, each = 60, 10
	load := make(chan struct{})
	go func() {
		defer close(load)
		for range rounds {
			s.publish(each, "")
		}
	}()
	tick, over := time.NewTicker(10*time.Millisecond), time.After(patience)
	defer tick.Stop()
	killed, at, failed := false, int64(0), 0
	for at < 100+rounds*each {
		page, err := source.Page(t.Context(), at, 64)
		if err != nil {
			require.ErrorIs(t, err, bus.ErrNotReachable)
			failed++
			select {
			case <-tick.C:
			case <-over:
				require.NoError(t, err, "%d events read", at)
			}
			continue
		}
		for _, e := range page.Events {
			at++
			require.Equal(t, at, e.Position, "nothing is skipped and nothing comes twice")
		}
		if len(page.Events) == 0 {
			require.GreaterOrEqual(t, page.Head, at, "the end of the log is never before what was read")
			if err := source.Wait(t.Context(), page.State); err != nil {
				require.ErrorIs(t, err, bus.ErrNotReachable)
			}
		}
		if at > 250 && !killed {
			leader(t, all).stop()
			killed = true
		}
	}
	<-load
	require.True(t, killed)
	settleCluster(t, all, s.log)
	assert.Equal(t, int64(100+rounds*each), readAll(t, source, 0))
	t.Logf("%d pages failed while the cluster found a new leader", failed)
}

func settleCluster(t *testing.T, all []*broker, log bus.Source) {
	t.Helper()
	js, disconnect := jetStream(t, urls(all))
	defer disconnect()
	settleOn(t, js, log)
}

func TestAClusterThroughRestarts(t *testing.T) {
	t.Parallel()
	bustest.Restarts(t, func(t *testing.T) bustest.Link {
		all := cluster(t)
		return bustest.Link{
			Serve: func(log bus.Source) func() { return publishing(t, clusterConfig(all), log) },
			Connect: func() (bus.Source, func()) {
				c, stop := connect(t, clusterConfig(all))
				return c.Source(bustest.Log), stop
			},
			Break: func() func() {
				killed := leader(t, all)
				killed.stop()
				return func() { killed.start() }
			},
		}
	})
}
