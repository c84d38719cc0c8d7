// Package bustest holds every way for a log to reach its readers to the same contract.
package bustest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// Log is the name of the log that the suite publishes.
const Log bus.Log = "shop"

// Link is a transport between a process that holds a log and one that reads it, as one
// test has it. What it starts ends with the test at the latest.
type Link struct {
	// Serve has the log of a process that has just started become available, until stop. It need not wait for
	// that: as with a process that starts, who asks too early is told that nobody can be reached.
	// Once stop has returned, nobody answers for the log.
	Serve func(log bus.Source) (stop func())
	// Connect is the log as a process that has just started reads it, until stop.
	Connect func() (source bus.Source, stop func())
	// Settle returns when the transport holds what the log holds, and no more. nil: it keeps nothing.
	Settle func(log bus.Source)
	// Break takes away what stands between the two, until mend. nil: nothing does.
	Break func() (mend func())
}

// sold is what the shop publishes.
type sold struct {
	Item string `json:"item"`
	N    int64  `json:"n"`
	Note string `json:"note"`
}

func (sold) EventName() string  { return "shop.sold.v1" }
func (e sold) EventKey() string { return e.Item }

// heardOf is what the reader publishes in turn.
type heardOf struct{}

func (heardOf) EventName() string { return "reader.heard.v1" }
func (heardOf) EventKey() string  { return "" }

// subscriber is the name of the one that follows the shop.
const subscriber = "reader.sales"

// patience ends a test that would wait for ever; nothing is measured by it.
const patience = 2 * time.Minute

// world is two processes: a shop that publishes, and a reader that writes down what it hears.
type world struct {
	t    *testing.T
	link Link

	shopDir, readerDir string

	shop      *store.DB
	log       bus.Source
	stopServe func()

	reader     *store.DB
	source     bus.Source
	bus        *bus.Bus
	stopReader func()

	next    int64 // the last number sold
	rebuilt atomic.Int64
	handle  func(e sold) error // what may go wrong with an event; set while the reader is away
	quiet   bool               // the reader follows only when it is told to

	mu    sync.Mutex
	moved chan struct{} // closed by the reader's next commit
}

func newWorld(t *testing.T, link Link) *world {
	t.Helper()
	w := &world{t: t, link: link, shopDir: t.TempDir(), readerDir: t.TempDir(), moved: make(chan struct{})}
	w.startShop()
	w.startReader()
	t.Cleanup(func() {
		w.stopTheReader()
		w.stopTheShop()
	})
	return w
}

func (w *world) startShop() {
	w.t.Helper()
	w.shop = storetest.OpenAt(w.t, "shop", w.shopDir)
	w.log = bus.LocalSource(w.shop)
	w.stopServe = w.link.Serve(w.log)
}

func (w *world) stopTheShop() {
	w.t.Helper()
	if w.shop == nil {
		return
	}
	w.stopServe()
	require.NoError(w.t, w.shop.Close())
	w.shop = nil
}

func (w *world) restartShop() {
	w.t.Helper()
	w.stopTheShop()
	w.startShop()
}

// startReader begins to follow the log.
func (w *world) startReader() {
	w.t.Helper()
	w.reader = storetest.OpenAt(w.t, "reader", w.readerDir)
	heard := `CREATE TABLE IF NOT EXISTS heard (id INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT NOT NULL, n INTEGER NOT NULL) STRICT`
	if w.reader.Shared() {
		heard = `CREATE TABLE IF NOT EXISTS heard (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item TEXT NOT NULL, n BIGINT NOT NULL)`
	}
	_, err := exec(w.reader, heard)
	require.NoError(w.t, err)
	w.reader.OnCommit(func(store.Commit) { w.tell() })
	source, disconnect := w.link.Connect()
	w.source = source
	w.bus = bus.New(bus.Config{Sources: map[bus.Log]bus.Source{Log: source}, Batch: 16})
	s := bus.NewSubscriber(w.bus, subscriber, Log, w.reader)
	handle := w.handle
	bus.On(s, func(tx *store.Tx, e sold) error {
		if handle != nil {
			if err := handle(e); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`INSERT INTO heard (item, n) VALUES (?, ?)`, e.Item, e.N); err != nil {
			return err
		}
		return tx.Publish(heardOf{}) // whose commit wakes the test
	})
	s.OnPlaceGone(func(context.Context) error {
		w.rebuilt.Add(1)
		w.tell()
		return nil
	})
	if w.quiet {
		w.stopReader = disconnect
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	running := w.bus
	go func() { done <- running.Run(ctx) }()
	w.stopReader = func() {
		cancel()
		require.NoError(w.t, <-done)
		disconnect()
	}
}

func (w *world) stopTheReader() {
	w.t.Helper()
	if w.reader == nil {
		return
	}
	w.stopReader()
	require.NoError(w.t, w.reader.Close())
	w.reader = nil
}

func (w *world) restartReader() {
	w.t.Helper()
	w.stopTheReader()
	w.startReader()
}

func exec(db *store.DB, query string, args ...any) (n int64, err error) {
	err = db.Write(context.Background(), func(tx *store.Tx) error {
		n, err = tx.Exec(query, args...)
		return err
	})
	return n, err
}

// items are the keys of what is sold.
var items = []string{"tea", "rice", "salt", ""}

// sell publishes n events with the numbers that follow, of items in turn.
func (w *world) sell(n int) { w.sellNoted(n, "") }

func (w *world) sellNoted(n int, note string) {
	w.t.Helper()
	for n > 0 {
		var events []store.Event
		first := w.next
		for range min(n, 100) {
			first++
			events = append(events, sold{Item: items[first%int64(len(items))], N: first, Note: note})
		}
		require.NoError(w.t, w.shop.Write(w.t.Context(), func(tx *store.Tx) error { return tx.Publish(events...) }))
		w.next = first
		n -= len(events)
	}
}

func (w *world) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.moved)
	w.moved = make(chan struct{})
}

func (w *world) heard() []int64 {
	w.t.Helper()
	numbers := []int64{}
	require.NoError(w.t, w.reader.Read(w.t.Context(), func(q store.Queryer) error {
		return q.Select(&numbers, `SELECT n FROM heard ORDER BY id`)
	}))
	return numbers
}

// until waits for the reader to get somewhere.
func (w *world) until(what string, there func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for {
		w.mu.Lock()
		moved := w.moved
		w.mu.Unlock()
		if there() {
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			w.t.Fatalf("waited for %s: the reader has heard %d of %d events, %s", what, len(w.heard()), w.next, w.standing())
		}
	}
}

func (w *world) untilHeard(n int) {
	w.t.Helper()
	w.until(fmt.Sprintf("%d events to be heard", n), func() bool { return len(w.heard()) >= n })
}

func (w *world) standing() string {
	all, err := w.bus.List(context.Background())
	return fmt.Sprintf("%+v, %v", all, err)
}

// numbers are first to last.
func numbers(first, last int64) []int64 {
	all := []int64{}
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

// settle waits for the transport to hold what the log holds.
func (w *world) settle() {
	w.t.Helper()
	if w.link.Settle != nil {
		w.link.Settle(w.log)
	}
}

// reached asks the transport what fn asks until an answer comes: that nobody can be reached is said of a moment,
// after a start, and on a machine that is very busy, whatever the transport is. How often, nothing depends on.
func (w *world) reached(fn func() error) error {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := fn()
		if !errors.Is(err, bus.ErrNotReachable) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// page is a page of the log as the reader gets it.
func (w *world) page(after int64, limit int) bus.Page {
	w.t.Helper()
	var page bus.Page
	require.NoError(w.t, w.reached(func() (err error) {
		page, err = w.source.Page(w.t.Context(), after, limit)
		return err
	}))
	return page
}

// seeded is randomness that a failing test can be run with again.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // chance, not secrecy
}

// once says whether no number is in it twice.
func once(numbers []int64) bool {
	sorted := slices.Sorted(slices.Values(numbers))
	return len(slices.Compact(slices.Clone(sorted))) == len(sorted)
}
