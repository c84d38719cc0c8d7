package searchsvc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/suggest"
)

// What is suggested of what people search for: see docs/decisions/0013.
const (
	learnDays  = 30          // of these days
	learnMost  = 2000        // the most frequent texts
	learnOften = 5           // searched for so often,
	learnDay   = 2           // or on so many days and leastShown times
	learnEvery = time.Minute // and looked at again so often, when there are new counts
)

// selectPopular reads which texts are fit to be suggested: they found what has all their words, often enough, and
// did so when they were searched for last.
func selectPopular(q store.Queryer, today int64) ([]suggest.Popular, error) {
	var rows []struct {
		Text     string `db:"text"`
		Searches int64  `db:"searches"`
	}
	err := q.Select(&rows, `SELECT text, sum(suitable) AS searches FROM searches WHERE day > ? GROUP BY text
		HAVING (sum(suitable) >= ? OR sum(suitable) >= ? AND sum(suitable > 0) >= ?)
			AND max(CASE WHEN suitable > 0 THEN day ELSE 0 END) > max(CASE WHEN searches > suitable THEN day ELSE 0 END)
		ORDER BY sum(suitable) DESC, text LIMIT ?`, today-learnDays, learnOften, leastShown, learnDay, learnMost)
	if err != nil {
		return nil, fmt.Errorf("select popular searches: %w", err)
	}
	popular := make([]suggest.Popular, len(rows))
	for i, row := range rows {
		popular[i] = suggest.Popular{Text: row.Text, Searches: row.Searches, Found: 1}
	}
	return popular, nil
}

// learn has suggestions know what people search for. The caller has counting.writing.
func (s *Service) learn(ctx context.Context) error {
	c, now := s.counting, s.now()
	if !c.learnt.IsZero() && now.Sub(c.learnt) < learnEvery {
		return nil
	}
	var popular []suggest.Popular
	err := s.db.Read(ctx, func(q store.Queryer) (err error) {
		popular, err = selectPopular(q, dayOf(now))
		return err
	})
	if err != nil {
		return err
	}
	c.learnt = now
	if before := s.popular.Load(); before != nil && slices.Equal(*before, popular) {
		return nil
	}
	s.popular.Store(&popular)
	s.mem.RLock()
	known := []*shelf{s.shelf, s.next}
	s.mem.RUnlock()
	for _, sh := range known {
		if sh != nil {
			sh.completions.know(popular)
		}
	}
	return nil
}

// emptyShelf is a shelf with nothing on it, whose suggestions know what people search for.
func (s *Service) emptyShelf(generation int64) *shelf {
	sh := newShelf(generation)
	if popular := s.popular.Load(); popular != nil {
		sh.completions.know(*popular)
	}
	return sh
}
