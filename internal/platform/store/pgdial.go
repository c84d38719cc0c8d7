package store

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// How long a server that is gone without a word (its machine lost its power, or its cable) goes unnoticed on a connection: the
// system looks for it after lookAfter, and each lookEach, and gives it up the lookTimes-th time; it gives up
// what it has sent when nobody acknowledges it for lostAfter.
const (
	lookAfter = 5 * time.Second
	lookEach  = 5 * time.Second
	lookTimes = 3
	lostAfter = 20 * time.Second
)

// silence is how long the answer to a statement of a Write may take, on a connection whose other end is there all the same: something in
// between has stopped passing on what is sent, or the server stands still. The server itself gives up waiting for locks long before.
const silence = time.Minute

// lines are the open connections to a server, so that they can be cut: a statement of a Write carries no
// context, and waits for as long as its connection stands.
type lines struct {
	mu   sync.Mutex
	open map[*line]bool
	over bool // no more are opened

	silence func() time.Duration // for tests; nil for silence
}

type line struct {
	net.Conn
	of *lines

	hasty bool // an answer must come within silence
	mu    sync.Mutex
	told  bool // pgx has set a deadline of its own
}

// dial connects, for pgx.
func (l *lines) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return l.connect(ctx, network, address, false)
}

// dialHasty connects for statements without a context, to whose answers silence applies.
func (l *lines) dialHasty(ctx context.Context, network, address string) (net.Conn, error) {
	return l.connect(ctx, network, address, true)
}

func (l *lines) connect(ctx context.Context, network, address string, hasty bool) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: lookAfter, Interval: lookEach, Count: lookTimes}, Control: giveUpLost,
	}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	one := &line{Conn: c, of: l, hasty: hasty}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil, errors.Join(net.ErrClosed, c.Close())
	}
	if l.open == nil {
		l.open = map[*line]bool{}
	}
	l.open[one] = true
	return one, nil
}

// cut closes all connections, for good: whoever waits at one hears of it.
func (l *lines) cut() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for one := range l.open {
		_ = one.Conn.Close() // nothing is to come from there any more
		n++
	}
	clear(l.open)
	return n
}

// Read waits for the server, if it must for no longer than silence.
func (c *line) Read(p []byte) (int, error) {
	if c.hasty {
		if err := c.setPatience(); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

func (c *line) setPatience() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told {
		return nil
	}
	patience := silence
	if c.of.silence != nil {
		patience = c.of.silence()
	}
	return c.Conn.SetReadDeadline(time.Now().Add(patience))
}

// SetDeadline is that of pgx, which goes before silence.
func (c *line) SetDeadline(at time.Time) error { return c.tell(at, c.Conn.SetDeadline) }

// SetReadDeadline is that of pgx, which goes before silence.
func (c *line) SetReadDeadline(at time.Time) error { return c.tell(at, c.Conn.SetReadDeadline) }

func (c *line) tell(at time.Time, set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = !at.IsZero()
	return set(at)
}

// Close ends the connection.
func (c *line) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
