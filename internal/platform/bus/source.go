package bus

import (
	"context"
	"fmt"
	"sync"

	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// Event is an entry of a log as it is stored and carried.
type Event struct {
	Position int64      `db:"position" json:"position"`
	Name     string     `db:"name" json:"name"`
	Key      string     `db:"key" json:"key"`
	Body     string     `db:"body" json:"body"` // JSON
	Trace    string     `db:"trace" json:"trace"`
	At       clock.Time `db:"at" json:"at"`
}

// State is how far a log reaches.
type State struct {
	Epoch   string `db:"epoch" json:"epoch"`     // random; another one is another log
	Head    int64  `db:"head" json:"head"`       // the last position
	Trimmed int64  `db:"trimmed" json:"trimmed"` // every position up to this one is gone

	rung int64 // of a local log: the times() of its bell before this was read; 0 if that is not known
}

// Page is a part of a log, and how far the log reached when it was read.
type Page struct {
	State
	Events []Event `json:"events"` // without gaps, from the position asked for
}

// Source is a log that can be read: a database here, or later another process. It is the
// cursor that guarantees, not the source: a source may fail at any time.
type Source interface {
	// Page reads at most limit events after a position. If the log does not hold that position
	// the page has no events, and its State shows why.
	Page(ctx context.Context, after int64, limit int) (Page, error)
	// Wait returns nil as soon as the log's epoch or head differ from those seen, or earlier;
	// and an error when ctx ends or the log cannot be reached.
	Wait(ctx context.Context, seen State) error
}

// LocalSource is the log of a database of this process. A commit wakes who waits.
func LocalSource(db *store.DB) Source {
	l := &local{db: db}
	db.OnCommit(func(c store.Commit) {
		if c.Events {
			l.published.ring()
		}
	})
	return l
}

type local struct {
	db        *store.DB
	published bell
}

// bell wakes whoever waits for something to happen.
type bell struct {
	mu   sync.Mutex
	rung int64         // how often
	next chan struct{} // nil while nobody waits
}

// ring says that it has happened.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung++
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

// times is another number after each time that it happens, and never 0.
func (b *bell) times() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rung + 1
}

// wait is closed when it happens the next time, after these times().
func (b *bell) wait() (next <-chan struct{}, times int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next, b.rung + 1
}

// Page reads one snapshot of the log.
func (l *local) Page(ctx context.Context, after int64, limit int) (Page, error) {
	var page Page
	rung := l.published.times() // before looking
	err := l.db.Read(ctx, func(q store.Queryer) error {
		state, err := selectState(q)
		if err != nil {
			return err
		}
		state.rung = rung
		page = Page{State: state}
		if after >= state.Head || after < state.Trimmed {
			return nil
		}
		return q.Select(&page.Events, `
			SELECT position, name, key, body, trace, at FROM event_log
			WHERE position > ? ORDER BY position LIMIT ?`, after, limit)
	})
	if err != nil {
		return Page{}, fmt.Errorf("read the event log of %s: %w", l.db.Module(), err)
	}
	return page, nil
}

// Wait waits for a commit, if the log is where it was seen.
func (l *local) Wait(ctx context.Context, seen State) error {
	news, rung := l.published.wait() // before looking, so that nothing falls between
	if seen.rung != rung {           // there was a commit, or it was not seen here
		var state State
		err := l.db.Read(ctx, func(q store.Queryer) (err error) {
			state, err = selectState(q)
			return err
		})
		if err != nil {
			return fmt.Errorf("look at the event log of %s: %w", l.db.Module(), err)
		}
		if state.Epoch != seen.Epoch || state.Head != seen.Head {
			return nil
		}
	}
	select {
	case <-news:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func selectState(q store.Queryer) (State, error) {
	var state State
	err := q.Get(&state, `SELECT epoch, head, trimmed FROM event_log_state WHERE one = 1`)
	return state, err
}

// trimChunk is how many events one Write of Trim removes, so that others get their turn.
const trimChunk = 1000

// Trim removes the events of db's log that were published before keepAfter, oldest first and
// up to the first that was not, and says how many. A subscriber that has not
// read them has lost its place, so what is kept must be longer than the longest outage that is to be
// survived without rebuilding.
func Trim(ctx context.Context, db *store.DB, keepAfter clock.Time) (removed int64, err error) {
	for {
		n := int64(0)
		err := db.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = trimSome(tx, keepAfter)
			return err
		})
		if err != nil {
			return removed, fmt.Errorf("trim the event log of %s: %w", db.Module(), err)
		}
		removed += n
		if n < trimChunk {
			return removed, nil
		}
	}
}

func trimSome(tx *store.Tx, keepAfter clock.Time) (int64, error) {
	// Whoever numbers events changes this row all the time. Taken at the end, it would have changed since the beginning, and the
	// deleting be undone and done anew.
	if _, err := tx.Exec(`UPDATE event_log_state SET trimmed = trimmed WHERE one = 1`); err != nil {
		return 0, err
	}
	state, err := selectState(tx)
	if err != nil {
		return 0, err
	}
	var last int64 // the last position that may go
	err = tx.Get(&last, `SELECT COALESCE(MIN(position) - 1, ?) FROM event_log WHERE at >= ?`, state.Head, keepAfter)
	if err != nil {
		return 0, err
	}
	last = min(last, state.Trimmed+trimChunk)
	if last <= state.Trimmed {
		return 0, nil
	}
	if _, err := tx.Exec(`DELETE FROM event_log WHERE position <= ?`, last); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(`UPDATE event_log_state SET trimmed = ? WHERE one = 1`, last); err != nil {
		return 0, err
	}
	return last - state.Trimmed, nil
}
