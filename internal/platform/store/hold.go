package store

import (
	"context"
	"sync"
)

// hold is a barrier: the writer stands still between two batches until it is released.
type hold struct {
	reached  chan struct{}
	released chan struct{}
}

func (h *hold) wait() {
	close(h.reached)
	<-h.released
}

// Hold brings the writer to a stand between two batches: what was committed is committed,
// and nothing begins until release is called. Writes go on queueing. It is for moments: a
// backup holds every database, opens a snapshot on each, and releases them all. Hold
// several databases in one order (by module) everywhere, or two who do so wait for each other.
func (db *DB) Hold(ctx context.Context) (release func(), err error) {
	if db.readOnly {
		return func() {}, nil
	}
	if insideWrite() {
		return nil, ErrNested
	}
	if db.pg != nil {
		return db.pg.hold(ctx)
	}
	h := &hold{reached: make(chan struct{}), released: make(chan struct{})}
	select {
	case db.writer.holds <- h:
	case <-db.writer.stopped:
		return nil, errClosed()
	case <-ctx.Done():
		return nil, notBegun(ctx)
	}
	<-h.reached
	return sync.OnceFunc(func() { close(h.released) }), nil
}
