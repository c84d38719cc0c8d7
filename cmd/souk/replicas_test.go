package main

import (
	"testing"

	"souk/internal/platform/store/pgtest"
)

// serveReplicas starts a full process on each of the folders, and a balancer before them.
func (s *street) serveReplicas(t testing.TB) {
	t.Helper()
	processes, urls := make([]*running, len(s.folders)), make([]string, len(s.folders))
	for i, dir := range s.folders {
		args := append([]string{"--log-level", "error", "--db", s.db, "--proxies", "127.0.0.0/8,::1/128"}, s.more...)
		processes[i] = start(t, dir, args...)
		urls[i] = processes[i].url
	}
	first := *processes[0]
	first.url = frontOf(t, urls...).url
	s.running, s.others = &first, processes[1:]
}

// TestJourneysOnPostgreSQL makes every journey with one process on PostgreSQL, and with three full ones on
// one database, behind a balancer that sends each request of a journey to another of them.
func TestJourneysOnPostgreSQL(t *testing.T) {
	t.Parallel()
	pgtest.URL(t) // or skip all
	nats := startNATS(t)
	for name, journey := range journeys {
		t.Run("one/"+name, func(t *testing.T) {
			t.Parallel()
			s := filledOn(t, topologies()[0], pgtest.Database(t))
			s.serve(t, s.dir)
			journey(t, s)
			s.sound(t)
		})
		t.Run("three/"+name, func(t *testing.T) {
			t.Parallel()
			s := filledOn(t, topologies()[0], pgtest.Database(t))
			s.folders = []string{s.dir, t.TempDir(), t.TempDir()}
			s.more = []string{"--bus", nats, "--bus-prefix", key()}
			s.serve(t, s.dir)
			journey(t, s)
			s.sound(t)
		})
	}
}
