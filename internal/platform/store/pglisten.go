package store

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// News is what processes with the same database tell each other. It is sent after the commit
// and not in it: a NOTIFY inside a transaction makes all commits of the server queue up. A
// process that dies in between is made up for by the others' looking every few seconds.
const (
	newsPublished int32 = 1 << iota // there are events to be numbered
	newsNumbered                    // there are events to be read
	newsJobs                        // there are jobs
)

var newsWords = map[string]int32{"published": newsPublished, "numbered": newsNumbered, "jobs": newsJobs}

// channel is the schema's name for LISTEN.
func (p *postgres) channel() string { return "souk." + p.at.schema }

// announce has the other processes told, soon, and once for many.
func (s *sequencer) announce(what int32) {
	s.news.Or(what)
	select {
	case s.speak <- struct{}{}:
	default:
	}
}

// announcer sends what is to be announced.
func (s *sequencer) announcer(ctx context.Context) {
	for {
		select {
		case <-s.speak:
		case <-ctx.Done():
			return
		}
		what := s.news.Swap(0)
		for word, bit := range newsWords {
			if what&bit == 0 {
				continue
			}
			if _, err := s.p.aux.ExecContext(ctx, `SELECT pg_notify($1, $2)`, s.p.channel(), word+" "+s.me); err != nil && ctx.Err() == nil {
				s.p.db.o.Log.Warn().Str("module", s.p.db.o.Module).Err(s.p.db.explain(err)).Msg("other processes were not told")
			}
		}
	}
}

// listen hears what other processes announce, until ctx ends.
func (p *postgres) listen(ctx context.Context) {
	p.work.Go(func() { p.seq.announcer(ctx) })
	for stops := 0; ctx.Err() == nil; stops++ {
		err := p.hear(ctx, func() { stops = 0 })
		if ctx.Err() != nil {
			return
		}
		pause := min(100*time.Millisecond<<min(stops, 10), idleLook)
		pause -= time.Duration(rand.Int64N(int64(pause / 4))) //nolint:gosec // jitter
		p.db.o.Log.Warn().Str("module", p.db.o.Module).Err(p.db.explain(err)).Dur("pause", pause).Msg("no news from other processes for a while")
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (p *postgres) hear(ctx context.Context, connected func()) error {
	config := p.at.settings(p.db.o, pgNews)
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = c.Close(closing)
	}()
	if _, err := c.Exec(ctx, "LISTEN "+quoteName(p.channel())); err != nil {
		return err
	}
	connected()
	p.seq.poke() // whatever was said before
	p.db.tell(Commit{Events: true, Jobs: true, Elsewhere: true})
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		word, from, _ := strings.Cut(n.Payload, " ")
		if from == p.seq.me {
			continue
		}
		switch newsWords[word] {
		case newsPublished:
			p.seq.poke()
			p.db.tell(Commit{Elsewhere: true})
		case newsNumbered:
			p.db.tell(Commit{Events: true, Elsewhere: true})
		case newsJobs:
			p.db.tell(Commit{Jobs: true, Elsewhere: true})
		}
	}
}
