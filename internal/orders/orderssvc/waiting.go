package orderssvc

import (
	"sync"
	"time"

	"souk/internal/orders"
)

// waiting is who waits in this process for a checkout to come to a rest.
type waiting struct {
	mu      sync.Mutex
	by      map[orders.OrderID][]chan struct{}
	looking bool // all are to look soon
}

// join waits for news of an order: the channel is closed at the next one.
func (w *waiting) join(oid orders.OrderID) (news <-chan struct{}, leave func()) {
	ch := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[orders.OrderID][]chan struct{}{}
	}
	w.by[oid] = append(w.by[oid], ch)
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		rest := w.by[oid][:0]
		for _, other := range w.by[oid] {
			if other != ch {
				rest = append(rest, other)
			}
		}
		if w.by[oid] = rest; len(rest) == 0 {
			delete(w.by, oid)
		}
	}
}

// tell wakes whoever waits for an order.
func (w *waiting) tell(oid orders.OrderID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ch := range w.by[oid] {
		close(ch)
	}
	delete(w.by, oid)
}

// lookAfter is how long after news from other processes those who wait look: once for all that comes meanwhile.
const lookAfter = 50 * time.Millisecond

// lookAgain is how long who waits relies on news alone where other processes take checkouts further: those that die
// tell nobody, and not every step is told.
const lookAgain = time.Second

// look has everybody who waits look soon: something has happened, nobody here knows to which order.
func (w *waiting) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looking || len(w.by) == 0 {
		return
	}
	w.looking = true
	time.AfterFunc(lookAfter, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.looking = false
		for _, all := range w.by {
			for _, ch := range all {
				close(ch)
			}
		}
		clear(w.by)
	})
}
