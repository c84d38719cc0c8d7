package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"time"

	"souk/internal/platform/errs"
)

// batch is what shares one commit.
type batch struct {
	todo  []*request // to run, in order
	ran   []*request // have run in the present transaction, and are answered with its commit
	open  bool       // a transaction has been begun
	since time.Time  // when

	// again is how many of todo must run again because a neighbour's error ended the
	// transaction that they had run in. They are known to go well, so they are committed by
	// themselves (apart) before anything new is tried: the next to fail cannot undo them too.
	again int
	apart bool
}

// next is the next Write to have its turn in the present transaction; nil when the batch
// is to be committed.
func (w *writer) next() *request {
	b := &w.batch
	for {
		if b.apart && b.again == 0 {
			b.apart = false
			return nil
		}
		if b.open && (len(b.ran) >= w.db.o.MaxBatch || time.Since(b.since) >= w.db.o.MaxBatchTime) {
			return nil
		}
		if len(b.todo) == 0 && !w.take() {
			return nil
		}
		r := b.todo[0]
		b.todo[0] = nil
		b.todo = b.todo[1:]
		if b.again > 0 {
			b.again--
			w.db.count.reruns.Add(1)
			return r
		}
		w.db.count.queued.Add(-1)
		if !r.state.CompareAndSwap(waiting, begun) {
			continue // withdrawn
		}
		if r.ctx.Err() != nil {
			w.reply(r, notBegun(r.ctx))
			continue
		}
		return r
	}
}

// begin gives r its turn: a savepoint, the function, and what becomes of it.
func (w *writer) begin(r *request) {
	r.rounds, r.tx, r.err, r.kept = 0, nil, nil, false
	if err := w.open(); err != nil {
		w.giveUp(r, err)
		return
	}
	if err := w.control(ctlSavepoint); err != nil {
		w.lose(r, err)
		return
	}
	w.current = r
	w.call(r)
	w.turn()
}

// open begins the batch's transaction, on a new connection if the old one cannot.
func (w *writer) open() error {
	b := &w.batch
	if b.open {
		return nil
	}
	err := errors.New("there is no connection")
	if w.c != nil {
		err = w.control(ctlBeginWrite)
	}
	if err != nil && !errors.Is(err, ErrLocked) {
		if e := w.reconnect(); e != nil {
			return e
		}
		err = w.control(ctlBeginWrite)
	}
	if err != nil {
		return err
	}
	w.db.count.batches.Add(1)
	b.open, b.since = true, time.Now()
	at, last := b.since.Sub(w.started), time.Duration(w.lastAt.Load())
	w.streaming = last > 0 && at-last < stream
	w.lastAt.Store(int64(at))
	return nil
}

// giveUp answers everything that waits, since no transaction can be begun.
func (w *writer) giveUp(r *request, err error) {
	b := &w.batch
	w.reply(r, err)
	rest := b.todo
	b.todo = nil
	for i, r := range rest {
		if i >= b.again {
			w.db.count.queued.Add(-1)
			if !r.state.CompareAndSwap(waiting, begun) {
				continue
			}
		}
		w.reply(r, err)
	}
	b.again, b.apart = 0, false
}

// slowWrite is how long a function may keep the writer before the log says so.
const slowWrite = time.Second

// call runs r's function. It may not return: runtime.Goexit ends this goroutine, and the
// next one goes on with turn.
func (w *writer) call(r *request) {
	w.db.count.runs.Add(1)
	r.rounds++
	r.kept = false
	r.tx = &Tx{db: w.db, c: w.c, ctx: r.ctx}
	began, returned := time.Now(), false
	defer func() {
		r.tx.over = true
		if took := time.Since(began); took > slowWrite {
			w.db.o.Log.Warn().Str("module", w.db.o.Module).Dur("took", took).Msg("slow function in a write: every other write waited")
		}
		if returned {
			return
		}
		r.err = ended(recover())
	}()
	r.err = invoke(r.fn, r.tx)
	returned = true
}

// turn settles what the current function has left behind.
func (w *writer) turn() {
	r := w.current
	lost := w.lost(r)
	if lost == nil && w.db.o.RunTwice && r.rounds == 1 && (r.err == nil || len(r.memories()) > 0) {
		if lost = w.control(ctlRollbackTo); lost == nil {
			w.call(r)
			lost = w.lost(r)
		}
	}
	w.current = nil
	if lost == nil {
		lost = w.settle(r)
	}
	if lost != nil {
		w.lose(r, lost)
		return
	}
	w.batch.ran = append(w.batch.ran, r)
}

// lost is what ended the transaction during r's turn; nil while it stands.
func (w *writer) lost(r *request) error {
	if r.tx.lost != nil {
		return r.tx.lost
	}
	if !w.c.inTransaction() {
		return ErrStatement.Because(errors.New("the transaction has ended by itself"))
	}
	return nil
}

// settle ends r's savepoint. Its error means that the transaction cannot be relied on.
func (w *writer) settle(r *request) error {
	if r.err == nil {
		return w.control(ctlRelease)
	}
	if err := w.control(ctlRollbackTo); err != nil {
		return err
	}
	if memories := r.memories(); len(memories) > 0 {
		tx := &Tx{db: w.db, c: w.c, ctx: context.WithoutCancel(r.ctx)}
		for _, m := range memories {
			if err := tx.insertOnce(m.command, "", m.text); err != nil {
				return err
			}
		}
		r.kept = true
	}
	return w.control(ctlRelease)
}

// memories are the refusals to be remembered: those that r's function returned.
func (r *request) memories() []memory { return memoriesOf(r.tx, r.err) }

func memoriesOf(tx *Tx, err error) []memory {
	if err == nil || len(tx.refusals) == 0 || !errs.Refused(err) {
		return nil
	}
	var out []memory
	for _, m := range tx.refusals {
		if m.refusal.Code == errs.CodeOf(err) {
			out = append(out, m)
		}
	}
	return out
}

// lose is for when r has ended the transaction for everyone: r alone gets the error, and
// those that ran before it in the same transaction run again.
func (w *writer) lose(r *request, lost error) {
	b := &w.batch
	if err := w.c.abandon(); err != nil {
		if err := w.reconnect(); err != nil {
			w.db.o.Log.Error().Str("module", w.db.o.Module).Err(err).Msg("write connection lost")
		}
	}
	b.open = false
	answer := lost
	if r.err != nil && errors.Is(r.err, lost) {
		answer = r.err // says also what was being done
	}
	w.reply(r, answer)
	b.again += len(b.ran)
	b.todo = append(b.ran, b.todo...)
	b.ran = nil
	b.apart = b.again > 0
}

// commit ends the batch and answers everyone in it.
func (w *writer) commit() {
	b := &w.batch
	if !b.open {
		return
	}
	ran := b.ran
	b.ran, b.open = nil, false
	if err := w.control(ctlCommit); err != nil {
		w.commitFailed(ran, err)
		return
	}
	w.db.count.commits.Add(1)
	w.lastAt.Store(int64(time.Since(w.started)))
	var c Commit
	for _, r := range ran {
		if r.err == nil {
			c.Events = c.Events || r.tx.events
			c.Jobs = c.Jobs || r.tx.jobs
		}
	}
	w.db.tell(c)
	for _, r := range ran {
		w.reply(r, r.err)
	}
}

// commitFailed answers a batch of which nobody knows whether it will be found after the
// next start. What did nothing of its own is surely not done, but may have been refused
// because of a neighbour's effect that is not there now.
func (w *writer) commitFailed(ran []*request, err error) {
	w.db.count.failedCommits.Add(1)
	w.db.o.Log.Error().Str("module", w.db.o.Module).Err(err).Int("writes", len(ran)).Msg("commit failed")
	if err := w.reconnect(); err != nil {
		w.db.o.Log.Error().Str("module", w.db.o.Module).Err(err).Msg("write connection lost")
	}
	w.db.tell(Commit{Events: true, Jobs: true}) // perhaps
	for _, r := range ran {
		if r.err != nil && !r.kept {
			w.reply(r, ErrNotBegun.With("storage failed; nothing was done").Because(err))
			continue
		}
		w.reply(r, ErrUnknown.With("it is not known whether this was saved").Because(err))
	}
}

// reply ends a Write.
func (w *writer) reply(r *request, err error) {
	if err == nil {
		w.db.count.writes.Add(1)
	} else {
		w.db.count.refused.Add(1)
	}
	r.answer = err
	r.fn, r.tx = nil, nil
	close(r.done)
}

func (w *writer) control(what control) error {
	w.db.count.control.Add(1)
	if err := w.c.do(what); err != nil {
		return w.db.explain(fmt.Errorf("%s: %w", what, err))
	}
	return nil
}

// invoke calls a Write's function. Its frame on a goroutine's stack is how a Write inside a
// Write is found out; it must stay a function of its own.
//
//go:noinline
func invoke(fn func(*Tx) error, tx *Tx) error {
	err := fn(tx)
	return err
}

var invokeEntry = runtime.FuncForPC(reflect.ValueOf(invoke).Pointer()).Entry()

// insideWrite says whether this goroutine is running the function of a Write, of any
// database: one that waited for another could wait for ever, and two cannot commit as one.
func insideWrite() bool {
	var pcs [64]uintptr
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		for _, pc := range pcs[:n] {
			if f := runtime.FuncForPC(pc); f != nil && f.Entry() == invokeEntry {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}
