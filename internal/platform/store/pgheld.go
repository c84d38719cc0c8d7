package store

import (
	"context"
	"time"
)

// held watches for a transaction that keeps events from being numbered: any old one of the
// whole server does, also another program's, and everything that waits for events waits.
type held struct {
	since time.Time // when events began to wait without any being numbered
	said  time.Time
}

// culprit is the oldest transaction that writes.
type culprit struct {
	PID         int64  `db:"pid"`
	User        string `db:"usename"`
	Application string `db:"application_name"`
	State       string `db:"state"`
	Seconds     int64  `db:"seconds"`
}

// look reports the transaction behind a long wait, and again each minute.
func (h *held) look(ctx context.Context, s *sequencer, o sighting) {
	if !o.Waiting || o.Ready || o.others {
		*h = held{}
		return
	}
	now := time.Now()
	if h.since.IsZero() {
		h.since = now
	}
	after := heldAfter
	if d := s.p.db.o.pgHeldAfter; d != 0 {
		after = d
	}
	if now.Sub(h.since) < after || !h.said.IsZero() && now.Sub(h.said) < heldAgain {
		return
	}
	h.said = now
	var c culprit
	err := s.p.aux.GetContext(ctx, &c, `
		SELECT pid, COALESCE(usename, '') AS usename, COALESCE(application_name, '') AS application_name, COALESCE(state, '') AS state,
			CAST(COALESCE(extract(epoch FROM clock_timestamp() - xact_start), 0) AS bigint) AS seconds
		FROM pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY age(backend_xid) DESC LIMIT 1`)
	if err != nil {
		return // it has just ended, or the server is gone: the next pass says so
	}
	s.p.db.count.heldBack.Add(1)
	s.p.db.o.Log.Warn().Str("module", s.p.db.o.Module).Int64("pid", c.PID).Str("user", c.User).Str("application", c.Application).
		Str("state", c.State).Int64("seconds", c.Seconds).Dur("waiting", now.Sub(h.since)).
		Msg("a transaction holds events back; end it, if nothing else helps with pg_terminate_backend")
	if fn := s.p.db.o.pgOnHeld; fn != nil {
		fn(c.PID)
	}
}
