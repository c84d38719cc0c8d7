package store

import "context"

// folder folds the write-ahead log into the file beside the writer, through a connection of its own: SQLite lets
// one fold what is committed while another writes on. Its methods are called by the writer alone.
type folder struct {
	db    *DB
	c     *conn         // nil while there was nothing to fold
	ended chan struct{} // closed when what was begun last has ended; nil before
}

// The log starts over with the first commit that finds all of it in the file. What is committed while it is
// folded keeps it from that, so what came meanwhile is folded too, which is less each time.
const (
	foldRounds = 3
	foldRest   = 64 // pages that are not worth another round
)

// begin folds beside the writer, unless that is under way.
func (f *folder) begin() {
	if f.ended != nil {
		select {
		case <-f.ended:
		default:
			return
		}
	}
	ended := make(chan struct{})
	f.ended = ended
	go func() {
		defer close(ended)
		f.fold()
	}()
}

// wait returns when nothing is under way.
func (f *folder) wait() {
	if f.ended != nil {
		<-f.ended
	}
}

func (f *folder) fold() {
	for range foldRounds {
		if f.c == nil {
			c, err := connect(context.Background(), newConnector(f.db.path, modeFold, f.db.o))
			if err != nil {
				f.failed(err)
				return
			}
			f.c = c
		}
		pages, folded, err := f.c.checkpoint("PASSIVE")
		if err != nil {
			f.failed(err)
			return
		}
		f.db.count.checkpoints.Add(1)
		f.db.count.wal.Store(max(pages, 0))
		if pages-folded < foldRest {
			return
		}
	}
}

// failed says why the log was not folded. The writer asks again after its next batch.
func (f *folder) failed(err error) {
	f.db.o.Log.Warn().Str("module", f.db.o.Module).Err(f.db.explain(err)).Msg("checkpoint failed")
	if err := f.close(); err != nil {
		f.db.o.Log.Warn().Str("module", f.db.o.Module).Err(err).Msg("connection of checkpoints closed with an error")
	}
}

// close closes the connection, when nothing is under way.
func (f *folder) close() error {
	c := f.c
	if c == nil {
		return nil
	}
	f.c = nil
	return c.close()
}
