package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// request is one Write on its way.
type request struct {
	ctx    context.Context
	fn     func(*Tx) error
	state  atomic.Int32 // waiting, begun or withdrawn
	tx     *Tx
	rounds int   // times that fn has run in this turn
	err    error // what fn returned
	kept   bool  // err is a refusal whose memory is in the transaction
	done   chan struct{}
	answer error // what Write returns, once done is closed
}

const (
	waiting int32 = iota
	begun
	withdrawn
)

// Write runs fn in a transaction and returns nil once that is durable. Writes queued
// at the same time share one commit; each has its own savepoint, so one that fails
// undoes itself alone. fn may run more than once: no effect outside tx, no network,
// no waiting; it assigns what it captured, never appends.
//
// Until fn's turn has come the end of ctx withdraws it (ErrNotBegun); between fn's
// statements it undoes it; after them the commit is waited for whatever ctx does. If the
// commit itself fails the error is ErrUnknown.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if db.readOnly {
		return ErrReadOnly.With("storage is open for reading only").Because(fmt.Errorf("%s was opened by OpenReadOnly", db.path))
	}
	if insideWrite() {
		return ErrNested.Because(errors.New("a Write inside a Write would wait for itself; pass tx on instead"))
	}
	if ctx.Err() != nil {
		return notBegun(ctx)
	}
	if db.pg != nil {
		return db.pg.write(ctx, fn)
	}
	r := &request{ctx: ctx, fn: fn, done: make(chan struct{})}
	if err := db.writer.enqueue(r); err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.answer
	case <-ctx.Done():
	}
	if r.state.CompareAndSwap(waiting, withdrawn) {
		return notBegun(ctx)
	}
	<-r.done
	return r.answer
}

// writer owns a file's only writing connection. One goroutine at a time runs it; when a
// function ends that goroutine (runtime.Goexit), the next one takes over where it was.
type writer struct {
	db *DB
	c  *conn // nil after it could not be replaced

	mu      sync.Mutex
	queue   []*request
	closed  bool
	wake    chan struct{} // holds one token while the queue may have something
	holds   chan *hold
	stopped chan struct{} // closed when the last goroutine has ended

	lastAt    atomic.Int64 // when a batch last began or ended, in nanoseconds since started
	started   time.Time
	streaming bool  // the batch began soon after the one before
	unchecked int   // batches since the log was last looked at
	forceAt   int64 // pages in the log at which new Reads are held back to fold it
	folder    folder
	batch     batch
	current   *request // whose function runs or has just run
}

func newWriter(ctx context.Context, db *DB) (*writer, error) {
	c, err := connect(ctx, newConnector(db.path, modeWrite, db.o))
	if err != nil {
		return nil, err
	}
	return &writer{
		db: db, c: c, folder: folder{db: db}, started: time.Now(), forceAt: db.o.forceFolds,
		wake: make(chan struct{}, 1), holds: make(chan *hold), stopped: make(chan struct{}),
	}, nil
}

func (w *writer) enqueue(r *request) error {
	w.mu.Lock()
	switch {
	case w.closed:
		w.mu.Unlock()
		return errClosed()
	case len(w.queue) >= w.db.o.MaxQueued:
		w.mu.Unlock()
		return ErrBusy.With("too much is being written just now").Because(fmt.Errorf("%s: %d writes are waiting", w.db.path, w.db.o.MaxQueued))
	}
	w.queue = append(w.queue, r)
	w.mu.Unlock()
	w.db.count.queued.Add(1)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return nil
}

// run is the writer's goroutine.
func (w *writer) run() {
	finished := false
	defer func() {
		if !finished { // a function called runtime.Goexit; call has noted it
			go w.run()
		}
	}()
	w.loop()
	finished = true
	close(w.stopped)
}

func (w *writer) loop() {
	for w.current != nil || w.collect() {
		for {
			if w.current != nil {
				w.turn()
			}
			r := w.next()
			if r == nil {
				break
			}
			w.begin(r)
		}
		w.commit()
		w.between()
	}
}

// writing is how long after a batch writes count as under way.
const writing = 5 * time.Millisecond

// underWay says whether anything has been written just now.
func (w *writer) underWay() bool {
	last := w.lastAt.Load()
	return last > 0 && time.Since(w.started)-time.Duration(last) < writing
}

// collect waits until something is queued. It is false when the writer is to stop and
// nothing is left.
func (w *writer) collect() bool {
	for {
		if len(w.batch.todo) > 0 || w.take() {
			return true
		}
		w.mu.Lock()
		end := w.closed && len(w.queue) == 0
		w.mu.Unlock()
		if end {
			return false
		}
		select {
		case <-w.wake:
		case h := <-w.holds:
			h.wait()
		}
	}
}

// take moves what is queued to the batch.
func (w *writer) take() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return false
	}
	w.batch.todo, w.queue = w.queue, make([]*request, 0, len(w.queue))
	return true
}

// between is what happens between two batches: a barrier if someone asks for one, a
// checkpoint if the log has grown.
func (w *writer) between() {
	select {
	case h := <-w.holds:
		h.wait()
	default:
	}
	w.checkpoint()
}

// stop lets no further Write in and waits until the queue is empty.
func (w *writer) stop() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	<-w.stopped
}

// finish folds the log into the file and closes the connection, after stop.
func (w *writer) finish() error {
	w.folder.wait()
	err := w.folder.close()
	if w.c == nil {
		return err
	}
	if _, _, err := w.c.checkpoint("TRUNCATE"); err != nil {
		w.db.o.Log.Warn().Str("module", w.db.o.Module).Err(w.db.explain(err)).Msg("last checkpoint failed")
	}
	return errors.Join(err, w.c.close())
}

// reconnect replaces the writer's connection by a fresh one.
func (w *writer) reconnect() error {
	w.db.count.reconnects.Add(1)
	if w.c != nil {
		if err := w.c.close(); err != nil {
			w.db.o.Log.Warn().Str("module", w.db.o.Module).Err(err).Msg("write connection closed with an error")
		}
		w.c = nil
	}
	c, err := connect(context.Background(), newConnector(w.db.path, modeWrite, w.db.o))
	if err != nil {
		return w.db.explain(fmt.Errorf("open a connection to write: %w", err))
	}
	w.c = c
	return nil
}
