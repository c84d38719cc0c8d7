package searchsvc

import (
	"context"
	"sync"
	"sync/atomic"

	"souk/internal/search/searchsvc/internal/suggest"
)

// Suggestions follow the shelf a little behind: to take a listing into them is more work than all the rest, and
// nobody who searches should wait for it. What the shelf takes is put into a queue, and told to the book in the
// background. Whoever asks for suggestions tells it himself if it is little, so that only after much at
// once, a start or an import, some are missing for a while.
const (
	toldAtOnce = 1000 // so much is little
	toldByOne  = 256  // changes before others have their turn
)

// completions are what suggestions are made of.
type completions struct {
	mu   sync.RWMutex // of the book. Who has it may wait for the shelf, so it is never taken with the shelf in hand
	book *suggest.Book

	queued sync.Mutex
	queue  []completion
}

// completion is a change: a listing that comes or goes, or else what a category is called.
type completion struct {
	category *categoryRow
	doc      uint32
	there    bool
}

func newCompletions() *completions { return &completions{book: suggest.New()} }

func (c *completions) put(change completion) {
	c.queued.Lock()
	defer c.queued.Unlock()
	c.queue = append(c.queue, change)
}

// left is how many changes the book has not been told.
func (c *completions) left() int {
	c.queued.Lock()
	defer c.queued.Unlock()
	return len(c.queue)
}

// next are the changes that come next, at most so many.
func (c *completions) next(most int) []completion {
	c.queued.Lock()
	defer c.queued.Unlock()
	some := c.queue[:min(most, len(c.queue))]
	if c.queue = c.queue[len(some):]; len(c.queue) == 0 {
		c.queue = nil
	}
	return some
}

// tell tells the book the next changes, and says whether there were any. read runs what reads the shelf.
func (c *completions) tell(sh *shelf, read func(fn func() error) error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	some := c.next(toldByOne)
	goods := make([]suggest.Goods, len(some))
	_ = read(func() error {
		for i, one := range some {
			if one.category == nil {
				goods[i] = sh.goods(one.doc)
			}
		}
		return nil
	})
	for i, one := range some {
		switch {
		case one.category != nil:
			c.book.NameCategory(one.category.Path, one.category.Name)
		case one.there:
			c.book.Add(goods[i])
		default:
			c.book.Remove(goods[i])
		}
	}
	return len(some) > 0
}

// complete is what a text may become.
func (c *completions) complete(text string, limit int) []suggest.Found {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.book.Complete(text, limit)
}

// know tells the book what people search for.
func (c *completions) know(popular []suggest.Popular) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.book.SetPopular(popular)
}

// goods is a listing as suggestions know it.
func (s *shelf) goods(doc uint32) suggest.Goods {
	return suggest.Goods{
		Doc: int64(doc), Title: string(s.titles.of(doc)), Brand: s.brands[s.traits[doc].brand], Path: s.nodes[s.traits[doc].node].path,
	}
}

// telling is the work in the background.
type telling struct {
	wake chan struct{} // holds a token when there may be something to tell
	on   atomic.Bool
}

// Tell tells suggestions what searches have taken into memory, until ctx ends. Without it whoever asks for
// suggestions does it.
func (s *Service) Tell(ctx context.Context) error {
	s.telling.on.Store(true)
	defer s.telling.on.Store(false)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.telling.wake:
		}
		s.mem.RLock()
		sh := s.shelf
		s.mem.RUnlock()
		for sh != nil && ctx.Err() == nil && sh.completions.tell(sh, s.locked) {
			continue
		}
	}
}

// wakeTeller has suggestions told what is queued.
func (s *Service) wakeTeller() {
	select {
	case s.telling.wake <- struct{}{}:
	default:
	}
}

// caughtUp tells suggestions what they have not been told, unless it is much and being told.
func (s *Service) caughtUp(sh *shelf) {
	for n := sh.completions.left(); n > 0 && (n <= toldAtOnce || !s.telling.on.Load()); n = sh.completions.left() {
		sh.completions.tell(sh, s.locked)
	}
}
