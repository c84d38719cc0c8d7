package searchsvc

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/popular"
)

// What is counted, and for how long: docs/decisions/0013 says why.
const (
	textsADay    = 5000            // texts that are kept of a day
	countsWait   = 3 * time.Second // before what was counted is written: what a crash may lose
	countsKept   = 90              // days
	rareKept     = 7               // days for which a text is kept that is searched for less than leastShown times
	leastShown   = 3               // searches of a text before an operator sees it
	clickedKept  = 48              // hours
	boughtWithin = 24              // hours between the choice of a result and an order that is counted as following
	writeTime    = 5 * time.Second // for writing
)

// counting is what is being counted.
type counting struct {
	most    int // texts of a day
	making  sync.Mutex
	counter *popular.Counter // of counterOf
	wake    chan struct{}    // holds a token when there is something to write
	writing sync.Mutex       // one after the other, so that a day is written in order
	asked   recent           // keys of searches
	noted   recent           // and of choices, which a caller that got no answer may repeat
	learnt  clock.Time       // when suggestions were told last
}

func newCounting() *counting {
	return &counting{most: textsADay, wake: make(chan struct{}, 1), asked: newRecent(5000), noted: newRecent(5000)}
}

// counterOf is what counts. It knows texts by the names of this database.
func (s *Service) counterOf(ctx context.Context) (*popular.Counter, error) {
	c := s.counting
	c.making.Lock()
	defer c.making.Unlock()
	if c.counter != nil {
		return c.counter, nil
	}
	secret, err := s.namesKey(ctx)
	if err != nil {
		return nil, err
	}
	c.counter = popular.New(c.most, popular.Named(secret))
	return c.counter, nil
}

// namesKey is what names of texts are made with. The first time it is made.
func (s *Service) namesKey(ctx context.Context) (key []byte, err error) {
	err = s.db.Read(ctx, func(q store.Queryer) error {
		key, err = selectNamesKey(q)
		return err
	})
	if err != nil || key != nil {
		return key, err
	}
	made := make([]byte, 32)
	if _, err := rand.Read(made); err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if err := insertNamesKey(tx, made); err != nil {
			return err
		}
		key, err = selectNamesKey(tx)
		return err
	})
	return key, err
}

// poke has what was counted written soon.
func (c *counting) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// recent remembers the last keys, some thousands of them.
type recent struct {
	most int

	mu            sync.Mutex
	young, before map[string]bool
}

func newRecent(most int) recent { return recent{most: most, young: map[string]bool{}} }

// first says whether the key is seen for the first time.
func (r *recent) first(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.young[key] || r.before[key] {
		return false
	}
	if len(r.young) >= r.most {
		r.young, r.before = map[string]bool{}, r.young
	}
	r.young[strings.Clone(key)] = true // key may be a piece of a request
	return true
}

// count counts a search that a person has made, and names it for the choices that follow. Nothing is written here, and a
// search does not fail for it. whole says that some listing has all its words.
func (s *Service) count(ctx context.Context, r search.QueryRequest, reply *search.QueryReply, whole bool) {
	if r.Count == nil || *r.Count == "" || len(*r.Count) > catalog.MaxKey || strings.TrimSpace(r.Text) == "" {
		return
	}
	counter, err := s.counterOf(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.telemetry.Log.Warn().Err(err).Msg("a search is not counted")
		}
		return
	}
	text := popular.Normal(r.Text)
	if text != "" {
		reply.Search = counter.Name(text)
	}
	if r.Page.Cursor != "" || narrowed(r) || !s.counting.asked.first(*r.Count) {
		return
	}
	counter.Search(dayOf(s.now()), text, figuresOf(*reply, whole))
	s.counting.poke()
}

// narrowed says whether r looks at something else than what the text alone finds.
func narrowed(r search.QueryRequest) bool {
	f := r.Filter
	return f.Path != "" || len(f.Brands) > 0 || len(f.Sellers) > 0 || len(f.ByAttributes()) > 0 || f.PriceMin != nil || f.PriceMax != nil || f.InStock ||
		r.Sort != "" && r.Sort != search.SortRelevance || r.Exact != nil && *r.Exact
}

// figuresOf is what one search came to.
func figuresOf(reply search.QueryReply, whole bool) popular.Figures {
	f := popular.Figures{Searches: 1}
	switch {
	case reply.Total == 0:
		f.Empty = 1
	case reply.Corrected != "":
		f.Corrected = 1
	case whole || !reply.AnyWord: // also where others come after the few that have all words
		f.Suitable = 1
	}
	return f
}

// Note counts that a result was chosen.
func (s *Service) Note(ctx context.Context, r search.NoteRequest) (_ search.NoteReply, err error) {
	defer s.done("note", &err)
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= catalog.MaxKey, "key", "should have 1 to %d characters", catalog.MaxKey)
	p.Check(r.Search != "" && len(r.Search) <= 32, "search", "should be that of the reply to a query")
	p.Check(catalog.ListingIDs.Valid(r.Listing), "listing", "should be the id of a listing")
	p.Check(r.Position >= 0, "position", "should not be negative")
	if err := p.Err(search.ErrInvalid); err != nil {
		return search.NoteReply{}, err
	}
	now := s.now()
	day, hour := dayOf(now), hourOf(now)
	counter, err := s.counterOf(ctx)
	if err != nil {
		return search.NoteReply{}, err
	}
	known, err := s.known(ctx, counter, day, r.Search)
	if err != nil || !known {
		return search.NoteReply{}, err
	}
	if s.counting.noted.first(r.Key) {
		counter.Click(day, hour, r.Search, r.Listing, r.Position)
		s.counting.poke()
	}
	return search.NoteReply{Counted: true}, nil
}

// hourOf is the hour of a time, since 1970.
func hourOf(t clock.Time) int64 { return t.Std().Unix() / int64(time.Hour/time.Second) }

// known says whether a search is of today or yesterday. One of yesterday, or of a process before this, is taken in.
func (s *Service) known(ctx context.Context, c *popular.Counter, day int64, name string) (bool, error) {
	if c.Has(day, name) {
		return true, nil
	}
	var text string
	err := s.db.Read(ctx, func(q store.Queryer) (err error) {
		text, err = selectSearchedText(q, name, day-1)
		return err
	})
	if err != nil || text == "" {
		return false, err
	}
	c.Known(day, text)
	return true, nil
}

// Count writes what is counted every few seconds until ctx ends, and then once more.
func (s *Service) Count(ctx context.Context) error {
	s.counting.writing.Lock()
	err := s.learn(ctx)
	s.counting.writing.Unlock()
	if err != nil && ctx.Err() == nil {
		s.telemetry.Log.Warn().Err(err).Msg("suggestions do not know what people search for yet")
	}
	for {
		select {
		case <-ctx.Done():
			s.writeCounts(context.WithoutCancel(ctx))
			return nil
		case <-s.counting.wake:
		}
		timer := time.NewTimer(countsWait)
		select {
		case <-ctx.Done():
			timer.Stop()
			continue
		case <-timer.C:
			s.writeCounts(ctx)
		}
	}
}

// writeCounts is WriteCounts for where nobody waits for it.
func (s *Service) writeCounts(ctx context.Context) {
	if err := s.WriteCounts(ctx); err != nil {
		s.telemetry.Log.Warn().Err(err).Msg("counts of searches lost")
	}
}

// WriteCounts writes what was counted until now, each day in one transaction. What cannot be written is lost: counts
// are not worth keeping in the way of anything.
func (s *Service) WriteCounts(ctx context.Context) error {
	c := s.counting
	c.writing.Lock()
	defer c.writing.Unlock()
	counter, err := s.counterOf(ctx)
	if err != nil {
		return err
	}
	today := dayOf(s.now())
	if !counter.Loaded(today) {
		var rows []searchedRow
		err := s.db.Read(ctx, func(q store.Queryer) (err error) {
			rows, err = selectSearched(q, today)
			return err
		})
		if err != nil {
			return err
		}
		counter.Load(today, func(put func(text string, floor, count int64)) {
			for _, row := range rows {
				put(row.Text, row.Low, row.Low+row.Searches)
			}
		})
	}
	// What is taken is written, also when whoever asked for it goes.
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	for _, b := range counter.Take() {
		if err := s.db.Write(writing, func(tx *store.Tx) error { return writeBatch(tx, b) }); err != nil {
			return fmt.Errorf("write what people searched for: %w", err)
		}
	}
	return s.learn(ctx)
}
