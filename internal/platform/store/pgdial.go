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

// lines are the open connections to a server, so that they can be cut: a statement of a Write carries no
// context, and waits for as long as its connection stands.
type lines struct {
	mu   sync.Mutex
	open map[*line]bool
	over bool // no more are opened
}

type line struct {
	net.Conn
	of *lines
}

// dial connects, for pgx.
func (l *lines) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: lookAfter, Interval: lookEach, Count: lookTimes}, Control: giveUpLost,
	}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	one := &line{Conn: c, of: l}
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

// Close ends the connection.
func (c *line) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
