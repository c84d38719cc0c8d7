package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type fact struct {
	Key string `json:"key"`
}

func (fact) EventName() string  { return "things.fact.v1" }
func (f fact) EventKey() string { return f.Key }

// slow is a Write that does one thing after the other as it is told.
type slow struct {
	steps chan func(*Tx) error
	did   chan error
	end   chan error
}

// errUndo is how a slow Write is undone.
var errUndo = errors.New("undone")

// begin opens a transaction that has its number: transactions are as old as they began here.
func beginSlow(t *testing.T, db *DB) *slow {
	t.Helper()
	s := &slow{steps: make(chan func(*Tx) error), did: make(chan error), end: make(chan error, 1)}
	go func() {
		s.end <- db.Write(context.Background(), func(tx *Tx) error {
			for step := range s.steps {
				err := step(tx)
				s.did <- err
				if err != nil {
					return err
				}
			}
			return nil
		})
	}()
	s.do(t, func(tx *Tx) error { var n string; return tx.Get(&n, `SELECT CAST(pg_current_xact_id() AS text)`) })
	return s
}

func (s *slow) do(t *testing.T, step func(*Tx) error) {
	t.Helper()
	s.steps <- step
	require.NoError(t, <-s.did)
}

func (s *slow) publish(t *testing.T, key string) {
	t.Helper()
	s.do(t, func(tx *Tx) error { return tx.Publish(fact{key}) })
}

func (s *slow) commit(t *testing.T) {
	t.Helper()
	close(s.steps)
	require.NoError(t, <-s.end)
}

func (s *slow) undo(t *testing.T) {
	t.Helper()
	s.steps <- func(*Tx) error { return errUndo }
	<-s.did
	require.ErrorIs(t, <-s.end, errUndo)
}

// inLog are the keys of the numbered events in order; their positions have no gaps.
func inLog(t *testing.T, db *DB) []string {
	t.Helper()
	var rows []struct {
		Position int64  `db:"position"`
		Key      string `db:"key"`
	}
	var head int64
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		return errors.Join(q.Select(&rows, `SELECT position, key FROM event_log ORDER BY position`),
			q.Get(&head, `SELECT head FROM event_log_state WHERE one = 1`))
	}))
	var keys []string
	for i, r := range rows {
		require.Equal(t, int64(i+1), r.Position)
		keys = append(keys, r.Key)
	}
	require.Equal(t, int64(len(rows)), head)
	return keys
}

func pass(t *testing.T, db *DB) sighting {
	t.Helper()
	o, err := db.pg.seq.pass(context.Background())
	require.NoError(t, err)
	return o
}

func settled(t *testing.T, db *DB) []string {
	t.Helper()
	require.NoError(t, db.Settle(context.Background()))
	return inLog(t, db)
}

// unnumbered is a database whose events only the test numbers.
func unnumbered(t *testing.T, unguarded bool) *DB {
	t.Helper()
	return pgOpen(t, func(o *Options) { o.pgNoNumbers, o.pgUnguarded = true, unguarded })
}

func TestPostgresOlderTransactionsEventsComeFirst(t *testing.T) {
	t.Parallel()
	run := func(unguarded bool) []string {
		db := unnumbered(t, unguarded)
		older, younger := beginSlow(t, db), beginSlow(t, db)
		older.publish(t, "first")
		younger.publish(t, "second")
		younger.commit(t)
		pass(t, db)
		if !unguarded {
			require.Empty(t, inLog(t, db), "an older transaction that may have published before still runs")
		}
		older.commit(t)
		return settled(t, db)
	}
	assert.Equal(t, []string{"first", "second"}, run(false))
	assert.Equal(t, []string{"second", "first"}, run(true), "without the guard this test would notice")
}

// The trap: a reader of plain sequence numbers who stops before the oldest running transaction
// still loses the event of an older transaction that publishes second and commits first.
func TestPostgresOlderTransactionThatPublishesSecondAndCommitsFirst(t *testing.T) {
	t.Parallel()
	db := unnumbered(t, false)
	older, younger := beginSlow(t, db), beginSlow(t, db)
	younger.publish(t, "younger") // seq 1
	older.publish(t, "older")     // seq 2
	older.commit(t)

	// What such a reader sees now is seq 2, of a transaction older than any that runs: its cursor goes there.
	const naive = 2
	var seen []int64
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		return q.Select(&seen, `SELECT seq FROM event_queue ORDER BY seq`)
	}))
	require.Equal(t, []int64{naive}, seen)
	pass(t, db)
	younger.commit(t)
	var late []int64
	require.NoError(t, db.Read(context.Background(), func(q Queryer) error {
		return q.Select(&late, `SELECT seq FROM event_queue WHERE seq > ? ORDER BY seq`, naive)
	}))
	require.Empty(t, late, "the trap: seq 1 is behind that cursor for ever")

	got := settled(t, db)
	slices.Sort(got)
	assert.Equal(t, []string{"older", "younger"}, got, "a reader of positions loses nothing")
}

func TestPostgresUndoneTransactionsLeaveNoGap(t *testing.T) {
	t.Parallel()
	db := unnumbered(t, false)
	a, b, c := beginSlow(t, db), beginSlow(t, db), beginSlow(t, db)
	a.publish(t, "a")
	b.publish(t, "b")
	c.publish(t, "c")
	c.commit(t)
	b.undo(t)
	a.commit(t)
	assert.Equal(t, []string{"a", "c"}, settled(t, db))
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error { return tx.Publish(fact{"d"}, fact{"e"}) }))
	assert.Equal(t, []string{"a", "c", "d", "e"}, settled(t, db), "and positions are not used again")
}

// Transactions begin, publish, commit and are undone in any order, with passes in between. A
// reader that follows the log meets every committed event once; and of two transactions the
// older one's comes first where it was published first.
func TestPostgresInterleavedTransactions(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any number will do
	t.Logf("seed %d", seed)
	assert.Empty(t, interleave(t, seed, false))
	broken := 0
	for i := range uint64(5) { // one alone may happen to go well
		broken += len(interleave(t, seed+i, true))
	}
	assert.Positive(t, broken, "without the guard this test would notice")
}

func interleave(t *testing.T, seed uint64, unguarded bool) (wrong []string) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test's
	db := unnumbered(t, unguarded)
	type running struct {
		*slow
		age  int
		keys []string
	}
	var open []*running
	age, published, want := map[string]int{}, 0, []string(nil)
	for began := 0; began < 25 || len(open) > 0; {
		if began < 25 && (len(open) == 0 || len(open) < 6 && random.IntN(3) == 0) {
			began++
			open = append(open, &running{slow: beginSlow(t, db), age: began})
			continue
		}
		i := random.IntN(len(open))
		switch x := open[i]; random.IntN(6) {
		case 0, 1, 2:
			published++
			key := strconv.Itoa(published)
			x.publish(t, key)
			x.keys, age[key] = append(x.keys, key), x.age
		case 3:
			pass(t, db)
		case 4:
			x.commit(t)
			want, open = append(want, x.keys...), slices.Delete(open, i, i+1)
		default:
			if random.IntN(3) == 0 {
				x.undo(t)
				open = slices.Delete(open, i, i+1)
			}
		}
	}
	got := settled(t, db)
	require.ElementsMatch(t, want, got)
	number := func(key string) int { n, _ := strconv.Atoi(key); return n }
	for i, later := range got {
		for _, before := range got[:i] {
			if number(later) < number(before) && age[later] <= age[before] {
				wrong = append(wrong, fmt.Sprintf("%s of the older transaction %d comes after %s of %d", later, age[later], before, age[before]))
			}
		}
	}
	return wrong
}

func TestPostgresSequencerIsFenced(t *testing.T) {
	t.Parallel()
	paused := pgOpen(t, func(o *Options) { o.pgNoNumbers, o.pgFenceLease = true, time.Nanosecond })
	o := pgOptions(paused.o.URL, paused.o.Schema)
	o.pgNoNumbers = true
	other := pgOpenWith(t, o)
	publish := func(key string) {
		require.NoError(t, other.Write(context.Background(), func(tx *Tx) error { return tx.Publish(fact{key}) }))
	}
	publish("a")
	require.NoError(t, paused.Settle(context.Background()))
	require.NotZero(t, paused.pg.seq.fence)
	publish("b") // its lease has ended meanwhile, and the other takes over
	require.NoError(t, other.Settle(context.Background()))
	require.Greater(t, other.pg.seq.fence, paused.pg.seq.fence)
	publish("c")
	_, err := paused.pg.seq.number(context.Background())
	require.ErrorIs(t, err, errFenced, "it wakes and believes that it still is the one")
	assert.Equal(t, []string{"a", "b"}, inLog(t, other))
	got := pass(t, paused)
	for !got.others { // until nothing older runs on the server
		got = pass(t, paused)
	}
	assert.False(t, paused.pg.seq.holds.Load())
	assert.Equal(t, []string{"a", "b", "c"}, settled(t, other))
}

// A dump restored into another cluster has transactions in it that this one has not come to.
func TestPostgresEventsOfARestoredDumpAreNumbered(t *testing.T) {
	t.Parallel()
	dumped := unnumbered(t, false)
	require.NoError(t, dumped.Write(context.Background(), func(tx *Tx) error { return tx.Publish(fact{"a"}, fact{"b"}) }))
	_, err := dumped.pg.aux.ExecContext(t.Context(), `UPDATE event_queue SET xid = '999999999'`)
	require.NoError(t, err)
	restored := pgOpenWith(t, pgOptions(dumped.o.URL, dumped.o.Schema))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // it would wait for ever otherwise
	defer cancel()
	require.NoError(t, restored.Settle(ctx))
	assert.Equal(t, []string{"a", "b"}, inLog(t, restored))
}

func TestPostgresOtherProcessesAreWoken(t *testing.T) {
	t.Parallel()
	one := pgOpen(t, nil)
	o := pgOptions(one.o.URL, one.o.Schema)
	o.pgNoNumbers = true // nor looks for itself, so that it knows only what it is told
	two := pgOpenWith(t, o)
	told := make(chan Commit, 100)
	two.OnCommit(func(c Commit) { told <- c })
	await := func(want Commit) {
		t.Helper()
		for late := time.After(time.Minute); ; {
			select {
			case c := <-told:
				if c == want {
					return
				}
			case <-late:
				require.Fail(t, "was not told", "%+v", want)
			}
		}
	}
	await(Commit{Events: true, Jobs: true, Elsewhere: true}) // it listens now
	for i := range 3 {
		require.NoError(t, one.Write(context.Background(), func(tx *Tx) error { return tx.Publish(fact{strconv.Itoa(i)}) }))
		await(Commit{Events: true, Elsewhere: true})
		require.NoError(t, one.Write(context.Background(), func(tx *Tx) error { return tx.Enqueue("things.work", "k", 1) }))
		await(Commit{Jobs: true, Elsewhere: true})
	}
	require.NoError(t, two.Settle(context.Background()))
	assert.Equal(t, []string{"0", "1", "2"}, inLog(t, two))
}

// A process that is alone is not told of its own commits as if they were another's: whoever waits for
// news of others would look each time.
func TestPostgresOwnCommitsAreNotElsewhere(t *testing.T) {
	t.Parallel()
	db := pgOpen(t, nil)
	told := make(chan Commit, 100)
	db.OnCommit(func(c Commit) {
		if c != (Commit{Events: true, Jobs: true, Elsewhere: true}) { // it listens now
			told <- c
		}
	})
	elsewhere := 0
	next := func() Commit {
		c := <-told
		for ; c.Elsewhere; c = <-told {
			elsewhere++
		}
		return c
	}
	for i := range 3 {
		require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
			return errors.Join(tx.Publish(fact{strconv.Itoa(i)}), tx.Enqueue("things.work", "k", 1))
		}))
		assert.ElementsMatch(t, []Commit{{Jobs: true}, {Events: true}}, []Commit{next(), next()})
	}
	assert.Less(t, elsewhere, 2, "one may be in case that a notification was lost")
}

func TestPostgresTransactionThatHoldsEventsBackIsReported(t *testing.T) {
	t.Parallel()
	pids := make(chan int64, 100)
	db := pgOpen(t, func(o *Options) { o.pgHeldAfter, o.pgOnHeld = time.Nanosecond, func(pid int64) { pids <- pid } })
	c := pgAdmin(t, db.o.URL)
	defer func() { require.NoError(t, c.Close(context.Background())) }()
	pgRun(t, c, `BEGIN; SELECT pg_current_xact_id()`)
	require.NoError(t, db.Write(context.Background(), func(tx *Tx) error { return tx.Publish(fact{"a"}) }))
	<-pids // another test's, perhaps: they share the server
	assert.Empty(t, inLog(t, db))
	assert.Positive(t, db.Stats().HeldBack)
	pgRun(t, c, `ROLLBACK`)
	assert.Equal(t, []string{"a"}, settled(t, db))
}
