package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// sequencer gives events their positions. A Write leaves what it publishes without a number,
// since numbers taken inside transactions that run side by side would become visible out of
// order, or never. One process at a time, by lease, moves what is committed into the log.
//
// It takes what was published by transactions older than every one that still runs
// (pg_snapshot_xmin), in the order of insertion. So of two transactions the older one's
// events come first if they were published first, whichever commits first; and what one
// transaction could see of another's was always numbered before its own. Readers only ever
// see numbered rows, so that a cursor passes over nothing.
//
// The lease only keeps two from doing the same work. What makes it safe is its fence: each
// numbering checks and locks the lease's row in its own transaction, so that a process which
// was stopped, and wakes when another has taken over, numbers nothing.
type sequencer struct {
	p     *postgres
	me    string // in the lease, and in what is announced
	wakes chan struct{}
	holds atomic.Bool // this process had the lease when it last looked

	mu    sync.Mutex // one pass at a time
	fence int64      // the lease's, while this process has it; else 0
	head  int64      // of the log, as the last pass left it; -1 before the first

	news  atomic.Int32 // bits to be announced
	speak chan struct{}
}

const (
	lease        = 3 * time.Second
	numberChunk  = 1000
	idleLook     = 5 * time.Second // what a lost notification costs at most
	jobsLook     = 6 * idleLook    // and one about jobs
	othersTurn   = time.Second     // between looks at whether the lease's holder is alive
	shortestLook = time.Millisecond
	longestLook  = 50 * time.Millisecond
	heldAfter    = 5 * time.Second
	heldAgain    = time.Minute
)

// guard is what keeps an event from being numbered before those of older transactions.
const guard = `xid < pg_snapshot_xmin(pg_current_snapshot())`

// readopt makes what waits for its number this cluster's. A dump that was restored into another brings
// numbers of transactions that this one has yet to come to, and would wait for them. Nothing else that
// can be seen is of a transaction that has not begun.
const readopt = `UPDATE event_queue SET xid = pg_current_xact_id() WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())`

func newSequencer(p *postgres) *sequencer {
	return &sequencer{p: p, head: -1, me: rand.Text(), wakes: make(chan struct{}, 1), speak: make(chan struct{}, 1)}
}

func (s *sequencer) poke() {
	select {
	case s.wakes <- struct{}{}:
	default:
	}
}

// published is called after a commit that left events to be numbered.
func (s *sequencer) published(atOnce bool) {
	if atOnce {
		if err := s.settle(s.p.life); err != nil {
			s.p.db.o.Log.Warn().Str("module", s.p.db.o.Module).Err(err).Msg("events not numbered yet")
		}
		return
	}
	s.poke()
	if !s.holds.Load() {
		s.announce(newsPublished)
	}
}

// sighting is what a pass has found.
type sighting struct {
	Head    int64 `db:"head"`    // of the log, before the pass
	Waiting bool  `db:"waiting"` // something is not numbered
	Ready   bool  `db:"ready"`   // and can be
	numbers int64 // that were given
	others  bool  // another process has the lease
}

// run numbers until ctx ends.
func (s *sequencer) run(ctx context.Context) {
	defer s.release(context.WithoutCancel(ctx))
	var h held
	told, pause := time.Now(), time.Duration(0)
	for {
		timer := time.NewTimer(pause)
		select {
		case <-s.wakes:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
		o, err := s.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			pause = min(max(2*pause, longestLook), idleLook)
			s.p.db.o.Log.Warn().Str("module", s.p.db.o.Module).Err(s.p.db.explain(err)).Dur("pause", pause).Msg("events cannot be numbered just now")
			continue
		}
		h.look(ctx, s, o)
		pause = nextLook(o, pause)
		if time.Since(told) > jobsLook {
			told = time.Now()
			s.p.db.tell(Commit{Jobs: true, Elsewhere: true}) // for the same reason
		}
	}
}

// nextLook is when to look again if nobody wakes the sequencer.
func nextLook(o sighting, last time.Duration) time.Duration {
	switch {
	case o.numbers == numberChunk:
		return 0
	case !o.Waiting:
		return idleLook
	case o.others:
		return othersTurn
	case last < shortestLook || last > longestLook || o.numbers > 0:
		return shortestLook
	default: // some older transaction runs still; nobody will say when it ends
		return min(2*last, longestLook)
	}
}

// pass numbers what can be numbered.
func (s *sequencer) pass(ctx context.Context) (o sighting, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.p.aux.GetContext(ctx, &o, `
		SELECT head, EXISTS (SELECT 1 FROM event_queue) AS waiting, EXISTS (SELECT 1 FROM event_queue WHERE `+s.guard()+`) AS ready
		FROM event_log_state WHERE one = 1`); err != nil {
		return o, fmt.Errorf("look at what is to be numbered: %w", err)
	}
	if o.Head > s.head { // at the first pass too: who numbered may have died before saying so
		s.p.db.tell(Commit{Events: true, Elsewhere: true}) // numbered elsewhere, and the notification was lost or is late
	}
	s.head = o.Head
	if !o.Ready {
		return o, nil
	}
	if s.fence == 0 {
		if err := s.take(ctx); err != nil {
			return o, err
		}
		if o.others = s.fence == 0; o.others {
			return o, nil
		}
	}
	// Not ctx: closing must not cut a commit off.
	o.numbers, err = s.number(context.WithoutCancel(ctx))
	if errors.Is(err, errFenced) {
		s.fence, o.others = 0, true
		s.holds.Store(false)
		return o, nil
	}
	if err != nil {
		return o, fmt.Errorf("number events: %w", err)
	}
	s.head += o.numbers
	if o.numbers > 0 {
		s.p.db.count.numbered.Add(o.numbers)
		s.p.db.tell(Commit{Events: true})
		s.announce(newsNumbered)
	}
	return o, nil
}

func (s *sequencer) guard() string {
	if s.p.db.o.pgUnguarded {
		return "xid IS NOT NULL"
	}
	return guard
}

// take takes the lease if nobody has it, under a new fence.
func (s *sequencer) take(ctx context.Context) error {
	var got []int64
	err := s.p.aux.SelectContext(ctx, &got, `
		UPDATE event_sequencer SET holder = $1, fence = fence + 1, until = `+serverNow+` + $2
		WHERE one = 1 AND until <= `+serverNow+` RETURNING fence`, s.me, s.lease().Milliseconds())
	if err != nil {
		return fmt.Errorf("take the sequencer's lease: %w", err)
	}
	if len(got) == 1 {
		s.fence = got[0]
		s.holds.Store(true)
	}
	return nil
}

func (s *sequencer) lease() time.Duration {
	if d := s.p.db.o.pgFenceLease; d != 0 {
		return d
	}
	return lease
}

// errFenced says that another process has the lease.
var errFenced = errors.New("another process numbers events now")

// number moves a chunk into the log, if the lease still is this process's, and prolongs it.
func (s *sequencer) number(ctx context.Context) (n int64, err error) {
	c, err := pgConnect(ctx, s.p.aux)
	if err != nil {
		return 0, err
	}
	defer c.giveBack() //nolint:contextcheck // whatever ctx does
	err = pgx.BeginTxFunc(ctx, c.raw, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		mine, err := tx.Exec(ctx, `UPDATE event_sequencer SET until = `+serverNow+` + $1 WHERE one = 1 AND fence = $2`,
			s.lease().Milliseconds(), s.fence)
		if err != nil {
			return err
		}
		if mine.RowsAffected() == 0 {
			return errFenced
		}
		// A statement of its own: what it sees begins after the lock was had.
		moved, err := tx.Exec(ctx, `
			WITH ready AS (
				SELECT seq FROM event_queue WHERE `+s.guard()+` ORDER BY seq LIMIT $1
			), moved AS (
				DELETE FROM event_queue WHERE seq IN (SELECT seq FROM ready) RETURNING seq, name, key, body, trace, at
			), counted AS (
				SELECT count(*) AS n FROM moved
			), base AS (
				UPDATE event_log_state SET head = head + n FROM counted WHERE one = 1 RETURNING head - n AS position
			)
			INSERT INTO event_log (position, name, key, body, trace, at)
			SELECT base.position + row_number() OVER (ORDER BY moved.seq), name, key, body, trace, at FROM moved, base`, numberChunk)
		n = moved.RowsAffected()
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// settle returns when what was published before it was called has been numbered.
func (s *sequencer) settle(ctx context.Context) error {
	var last int64
	if err := s.p.aux.GetContext(ctx, &last, `SELECT COALESCE(max(seq), 0) FROM event_queue`); err != nil || last == 0 {
		return err
	}
	pause := time.Duration(0)
	for {
		o, err := s.pass(ctx)
		if err != nil {
			return err
		}
		var left bool
		if err := s.p.aux.GetContext(ctx, &left, `SELECT EXISTS (SELECT 1 FROM event_queue WHERE seq <= $1)`, last); err != nil || !left {
			return err
		}
		pause = min(nextLook(o, pause), longestLook)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// release gives the lease back, so that another process need not wait for its end.
func (s *sequencer) release(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fence == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := s.p.aux.ExecContext(ctx, `UPDATE event_sequencer SET until = 0 WHERE one = 1 AND fence = $1`, s.fence); err != nil {
		s.p.db.o.Log.Warn().Str("module", s.p.db.o.Module).Err(s.p.db.explain(err)).Msg("the sequencer's lease was not given back")
	}
	s.fence = 0
	s.holds.Store(false)
}
