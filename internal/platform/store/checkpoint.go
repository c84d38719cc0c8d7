package store

import (
	"context"
	"time"
)

// The write-ahead log is folded into the file beside the writer: when it has this many pages and
// nothing waits; when it has more though something does, or though one batch follows the other. It
// starts over with a commit that finds all of it in the file: when commits follow each other so closely that none
// does, the writer waits for the folding and does the rest between two batches; and when readers
// that overlap have kept it from starting over, with new Reads held back for a moment.
const (
	checkpointIdle  = 1000                   // 4 MB
	checkpointBusy  = 4000                   // 16 MB
	checkpointWait  = 8000                   // 32 MB
	checkpointForce = 16000                  // 64 MB
	stream          = 200 * time.Millisecond // between two batches of which one follows the other
	holdReads       = 250 * time.Millisecond

	checkEvery = 16                   // batches between two looks at the log,
	checkAfter = 5 * time.Millisecond // unless one took so long that it may have written much
)

// checkpoint runs PRAGMA wal_checkpoint and says how many pages the log holds and how many
// of these are in the file.
func (c *conn) checkpoint(kind string) (pages, folded int64, err error) {
	var row struct {
		Busy         int64 `db:"busy"`
		Log          int64 `db:"log"`
		Checkpointed int64 `db:"checkpointed"`
	}
	err = c.x.GetContext(context.Background(), &row, "PRAGMA wal_checkpoint("+kind+")")
	return row.Log, row.Checkpointed, err
}

// checkpoint looks at the log's size after a batch, and folds it if it is time.
func (w *writer) checkpoint() {
	if w.c == nil {
		return
	}
	w.unchecked++
	if w.unchecked < checkEvery && time.Since(w.batch.since) < checkAfter {
		return
	}
	w.unchecked = 0
	pages, folded, err := w.c.checkpoint("NOOP")
	if err != nil {
		return // the next batch's BEGIN will say what is wrong
	}
	w.db.count.wal.Store(pages)
	if pages >= w.forceAt && w.startOver(pages) {
		return
	}
	limit := int64(checkpointIdle)
	if w.pending() || w.streaming {
		limit = checkpointBusy
	}
	switch rest := pages - folded; {
	case rest >= checkpointIdle && pages >= checkpointWait:
		w.folder.wait()
		w.fold("PASSIVE")
	case rest >= limit:
		w.folder.begin()
	}
}

// fold folds the log while nothing is written.
func (w *writer) fold(kind string) {
	pages, _, err := w.c.checkpoint(kind)
	if err != nil {
		w.db.o.Log.Warn().Str("module", w.db.o.Module).Err(w.db.explain(err)).Msg("checkpoint failed")
		return
	}
	w.db.count.checkpoints.Add(1)
	w.db.count.wal.Store(max(pages, 0))
}

// startOver has the log begin anew, with new Reads held back: false if some Read is long. Waiting for it after
// every batch would stop the writer.
func (w *writer) startOver(pages int64) bool {
	w.folder.wait()
	release := w.holdReaders()
	if release == nil {
		w.forceAt = pages + w.db.o.forceFolds
		return false
	}
	defer release()
	w.forceAt = w.db.o.forceFolds
	w.fold("TRUNCATE")
	return true
}

func (w *writer) pending() bool {
	if len(w.batch.todo) > 0 {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) > 0
}

// holdReaders takes every turn to read, so that no snapshot holds the
// log; nil if that takes too long.
func (w *writer) holdReaders() (release func()) {
	held := 0
	release = func() {
		for range held {
			w.db.readers.turns <- struct{}{}
		}
	}
	patience := time.NewTimer(holdReads)
	defer patience.Stop()
	for range w.db.o.MaxReaders {
		select {
		case <-w.db.readers.turns:
			held++
		case <-patience.C:
			release()
			return nil
		}
	}
	return release
}
