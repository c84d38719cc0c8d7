package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"
)

// commitWait stands in for the disk: every commit waits this long, so that figures hold
// from run to run and from machine to machine.
const commitWait = 2 * time.Millisecond

// rounds are interleaved: every round measures each load once, and ratios are of the same round.
const rounds = 5

// load is one way of writing.
type load struct {
	name    string
	writers int
	readers int
	write   func(i int64) error
	read    func() error
}

// outcome is what a load did in one round.
type outcome struct {
	perSecond float64
	p50, p99  time.Duration
}

// run puts a load on for a while.
func (l load) run(t testing.TB, next *atomic.Int64, lasting time.Duration) outcome {
	t.Helper()
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range l.readers {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if err := l.read(); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	var mu sync.Mutex
	var all []time.Duration
	began := time.Now()
	for range l.writers {
		writers.Go(func() {
			var took []time.Duration
			for time.Since(began) < lasting {
				at := time.Now()
				if err := l.write(next.Add(1)); err != nil && !errors.Is(err, errBench) {
					t.Error(err)
					return
				}
				took = append(took, time.Since(at))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	writers.Wait()
	whole := time.Since(began)
	close(stop)
	readers.Wait()
	slices.Sort(all)
	return outcome{
		perSecond: float64(len(all)) / whole.Seconds(),
		p50:       all[len(all)/2], p99: all[len(all)*99/100],
	}
}

var errBench = errors.New("one in twenty")

const insertThing = `INSERT INTO things (id, name, body) VALUES (?, ?, ?)`

var thingBody = []byte(strings.Repeat("x", 120))

// benchLoads are the loads of the comparison on databases opened with change.
func benchLoads(t testing.TB, change func(*Options)) []load {
	t.Helper()
	open := func() *DB {
		db := openThings(t, func(o *Options) { o.MaxBatchTime = 0; change(o) })
		require.NoError(t, db.Write(context.Background(), func(tx *Tx) error {
			_, err := tx.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
				INSERT INTO things (id, name, body) SELECT -i, 'seed' || i, zeroblob(120) FROM n`)
			return err
		}))
		return db
	}
	plain := open()
	pool := sql.OpenDB(newConnector(plain.path, modeWrite, plain.o))
	pool.SetMaxOpenConns(1)
	_, err := pool.Exec(`PRAGMA wal_autocheckpoint = 1000`) // as anyone's would be
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	one := func(i int64) error {
		tx, err := pool.Begin()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(insertThing, i, fmt.Sprint("thing", i), thingBody); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	}
	grouped := func(db *DB, failing bool) func(int64) error {
		return func(i int64) error {
			return db.Write(context.Background(), func(tx *Tx) error {
				if _, err := tx.Exec(insertThing, i, fmt.Sprint("thing", i), thingBody); err != nil {
					return err
				}
				if failing && i%20 == 0 {
					return errBench
				}
				return nil
			})
		}
	}
	asking := func(db *DB) func() error {
		return func() error {
			return db.Read(context.Background(), func(q Queryer) error {
				var n int
				return q.Get(&n, `SELECT count(*) FROM things WHERE id < 0 AND name LIKE '%9%'`)
			})
		}
	}
	beside := open()
	return []load{
		{name: "plain, 1 writer", writers: 1, write: one},
		{name: "Write, 1 writer", writers: 1, write: grouped(open(), false)},
		{name: "plain, 64 writers", writers: 64, write: one},
		{name: "Write, 64 writers", writers: 64, write: grouped(open(), false)},
		{name: "Write, 64, 1 in 20 fails", writers: 64, write: grouped(open(), true)},
		{name: "Write, 64, 4 readers", writers: 64, readers: 4, write: grouped(beside, false), read: asking(beside)},
	}
}

// The loads' places in what benchLoads makes.
const (
	plain1 = iota
	write1
	plain64
	write64
	failing64
	beside64
)

// compare measures every load in every round and prints what came of it.
func compare(b *testing.B, title string, loads []load, lasting, wait time.Duration) {
	b.Helper()
	var next atomic.Int64
	results := make([][]outcome, len(loads))
	for range rounds {
		for i, l := range loads {
			results[i] = append(results[i], l.run(b, &next, lasting))
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s (%d interleaved rounds of %v; medians)\n", title, rounds, lasting)
	fmt.Fprintf(&out, "  %-28s %12s %10s %10s\n", "load", "writes/s", "p50", "p99")
	for i, l := range loads {
		fmt.Fprintf(&out, "  %-28s %12.0f %10v %10v\n", l.name,
			median(results[i], func(o outcome) float64 { return o.perSecond }),
			time.Duration(median(results[i], func(o outcome) float64 { return float64(o.p50) })).Round(10*time.Microsecond),
			time.Duration(median(results[i], func(o outcome) float64 { return float64(o.p99) })).Round(10*time.Microsecond))
	}
	ratio := func(over, under int) float64 {
		rs := make([]outcome, rounds)
		for i := range rounds {
			rs[i].perSecond = results[over][i].perSecond / results[under][i].perSecond
		}
		return median(rs, func(o outcome) float64 { return o.perSecond })
	}
	fmt.Fprintf(&out, "  %-52s %8s %8s\n", "ratio", "goal", "result")
	line := func(name, unit string, goal float64, atMost bool, got float64) {
		sign, met := "≥", got >= goal
		if atMost {
			sign, met = "≤", got <= goal
		}
		verdict := ""
		if wait > 0 && !met {
			verdict = "  MISSED"
		}
		fmt.Fprintf(&out, "  %-52s %s %6.2f %8.2f%s\n", name, sign, goal, got, verdict)
		b.ReportMetric(got, unit)
	}
	line("64 writers: Write / one transaction per request", "group/plain", 25, false, ratio(write64, plain64))
	if wait > 0 {
		p99 := median(results[write64], func(o outcome) float64 { return float64(o.p99) })
		line("64 writers: p99 of Write / the wait", "p99/wait", 4, true, p99/float64(wait))
	}
	line("1 writer: Write / plain transaction", "one/plain", 0.9, false, ratio(write1, plain1))
	line("64 writers: 1 in 20 failing / none failing", "failing/none", 0.9, false, ratio(failing64, write64))
	line("64 writers: beside 4 busy readers / alone", "beside/alone", 0.5, false, ratio(beside64, write64))
	fmt.Fprint(os.Stdout, out.String())
}

func median(of []outcome, by func(outcome) float64) float64 {
	vs := make([]float64, len(of))
	for i, o := range of {
		vs[i] = by(o)
	}
	slices.Sort(vs)
	return vs[len(vs)/2]
}

// BenchmarkStoreOnHarness compares on a stand-in for the disk: synchronous=OFF and a commit
// hook that waits.
func BenchmarkStoreOnHarness(b *testing.B) {
	loads := benchLoads(b, func(o *Options) {
		o.onConnect = func(c *sqlite3.SQLiteConn, writer bool) error {
			if writer {
				c.RegisterCommitHook(func() int { time.Sleep(commitWait); return 0 })
			}
			return nil
		}
	})
	compare(b, "store on a disk that takes 2 ms", loads, 500*time.Millisecond, commitWait)
}

// BenchmarkStoreOnDisk compares on the disk under the temporary folder, as it is.
func BenchmarkStoreOnDisk(b *testing.B) {
	loads := benchLoads(b, func(o *Options) { o.NoSync = false; o.Path = filepath.Join(b.TempDir(), "things.db") })
	compare(b, "store on the real disk", loads, time.Second, 0)
}
