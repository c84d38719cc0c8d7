package store

import "sync"

// readers are a database's read connections. Who wants one takes a turn and gets the one that came back last: what it
// keeps of pages and statements is what was just asked for, and a database of which little is asked at once does not
// open the others at all.
type readers struct {
	turns chan struct{} // has one for each that may be taken
	mu    sync.Mutex
	idle  []*conn // open, the last to come back at the end
}

func newReaders(most int) *readers {
	r := &readers{turns: make(chan struct{}, most)}
	for range most {
		r.turns <- struct{}{}
	}
	return r
}

// take is a connection for who has a turn, nil where one has to be opened.
func (r *readers) take() *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.idle) - 1
	if last < 0 {
		return nil
	}
	c := r.idle[last]
	r.idle[last], r.idle = nil, r.idle[:last]
	return c
}

// put gives a turn back with its connection, which is nil when there is none any more.
func (r *readers) put(c *conn) {
	if c != nil {
		r.mu.Lock()
		r.idle = append(r.idle, c)
		r.mu.Unlock()
	}
	r.turns <- struct{}{}
}
