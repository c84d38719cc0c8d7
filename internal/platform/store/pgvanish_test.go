package store

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

// way is the network between souk and its server. What is sent on it while it is stalled arrives nowhere, though both ends stand.
type way struct {
	net.Listener
	network, to string

	mu      sync.Mutex
	stalled bool
	open    map[net.Conn]bool
}

// newWay is one to the server at address, and the address by which one goes there on it.
func newWay(t *testing.T, address string) (*way, string) {
	t.Helper()
	c, err := pgx.ParseConfig(address)
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &way{Listener: ln, open: map[net.Conn]bool{}}
	w.network, w.to = pgconn.NetworkAddress(c.Host, c.Port)
	t.Cleanup(func() { require.NoError(t, ln.Close()); w.heal() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go w.join(conn)
		}
	}()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.Host, u.RawQuery = ln.Addr().String(), url.Values{"sslmode": {"disable"}, "user": {c.User}, "password": {c.Password}}.Encode()
	return w, u.String()
}

func (w *way) join(here net.Conn) {
	there, err := net.Dial(w.network, w.to)
	if err != nil {
		_ = here.Close()
		return
	}
	w.mu.Lock()
	w.open[here], w.open[there] = true, true
	w.mu.Unlock()
	for _, ends := range [][2]net.Conn{{here, there}, {there, here}} {
		go func() {
			_, _ = io.Copy(&end{ends[1], w}, ends[0])
			_, _ = ends[0].Close(), ends[1].Close()
		}()
	}
}

// end is a side of the way that what is sent comes out of, if it does.
type end struct {
	net.Conn
	way *way
}

func (e *end) Write(p []byte) (int, error) {
	e.way.mu.Lock()
	stalled := e.way.stalled
	e.way.mu.Unlock()
	if stalled {
		return len(p), nil
	}
	return e.Conn.Write(p)
}

func (w *way) stall() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stalled = true
}

// heal lets all pass again. The connections of before are no more.
func (w *way) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stalled = false
	for c := range w.open {
		_ = c.Close()
	}
	clear(w.open)
}

// TestPostgresThatVanishes: the server is there, and nothing comes from it any more. Whoever reads waits as long as he wants
// to; who writes is told after a while, and what is known then: that nothing was done, or, of a commit, nothing. When
// the way is open again all goes on.
func TestPostgresThatVanishes(t *testing.T) {
	t.Parallel()
	address, schema := pgPlace(t)
	way, through := newWay(t, address)
	o := pgOptions(through, schema)
	patience := atomic.Int64{}
	patience.Store(int64(time.Hour))
	o.pgSilence = func() time.Duration { return time.Duration(patience.Load()) }
	o.pgClosing = time.Minute
	db := pgOpenWith(t, o)
	require.NoError(t, db.Write(context.Background(), add("before")))
	require.Equal(t, []string{"before"}, names(t, db), "there are connections to read and to write")
	vanish := func() { way.stall(); patience.Store(int64(time.Millisecond)) }
	heal := func() { patience.Store(int64(time.Hour)); way.heal() }

	vanish()
	ctx, end := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer end()
	err := db.Read(ctx, func(q Queryer) error { var n int64; return q.Get(&n, `SELECT 1`) })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	err = db.Write(context.Background(), add("never"))
	require.ErrorIs(t, err, ErrUnreachable)
	assert.Equal(t, errs.Unavailable, errs.KindOf(err), "nothing was done")

	heal()
	require.NoError(t, db.Write(context.Background(), add("between")))
	err = db.Write(context.Background(), func(tx *Tx) error { vanish(); return add("never")(tx) })
	require.ErrorIs(t, err, ErrUnreachable, "in the middle of it")
	heal()
	err = db.Write(context.Background(), func(tx *Tx) error {
		err := add("perhaps")(tx)
		vanish()
		return err
	})
	require.ErrorIs(t, err, ErrUnknown, "the commit was sent")
	heal()
	require.NoError(t, db.Write(context.Background(), add("after")))
	assert.Equal(t, []string{"after", "before", "between"}, names(t, db))
	require.NoError(t, db.Settle(context.Background()))
}
