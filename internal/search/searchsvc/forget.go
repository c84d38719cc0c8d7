package searchsvc

import (
	"context"
	"fmt"
	"time"

	"souk/internal/platform/job"
	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/sales"
)

// jobForget removes what was counted so long ago that nobody asks for it. It runs once a day.
const jobForget = "search.forget"

// forgetBatch is how many rows of a table one Write removes.
const forgetBatch = 1000

// jobRenew builds the index anew when most of its numbers are given up. It runs once a day: at a start Warm does it.
const jobRenew = "search.renew"

// Start has the daily work begin; it is called once the module runs.
func (s *Service) Start(ctx context.Context) error {
	if err := s.warnOfOwnRules(ctx); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Enqueue(jobForget, "daily", s.now()); err != nil {
			return err
		}
		return tx.Enqueue(jobRenew, "daily", s.now().Add(24*time.Hour))
	})
}

func (s *Service) renewDaily(ctx context.Context, _ job.Job) error {
	if s.catalog != nil {
		if err := s.buildOutdated(ctx); err != nil {
			return err
		}
	}
	return job.Again(s.now().Add(24 * time.Hour))
}

// afterReading is when forgetting is tried again that found orders being read.
const afterReading = time.Hour

func (s *Service) forget(ctx context.Context, _ job.Job) error {
	now := s.now()
	if !s.reading.TryLock() {
		return job.Again(now.Add(afterReading))
	}
	defer s.reading.Unlock()
	today, hour := dayOf(now), hourOf(now)
	for {
		var rare []string
		err := s.db.Read(ctx, func(q store.Queryer) (err error) {
			rare, err = selectRare(q, leastShown, today-rareKept, forgetBatch)
			return err
		})
		if err != nil {
			return err
		}
		gone := int64(0)
		err = s.db.Write(ctx, func(tx *store.Tx) error {
			sold, err := forgetSales(tx, today-linesKept, today-sales.Window, forgetBatch)
			if err != nil {
				return err
			}
			searched, err := forgetSearches(tx, today-countsKept, hour-clickedKept, forgetBatch)
			if err != nil {
				return err
			}
			gone = max(sold, searched, int64(len(rare)))
			return forgetTexts(tx, rare)
		})
		if err != nil {
			return fmt.Errorf("forget old counts: %w", err)
		}
		if gone < forgetBatch {
			return job.Again(now.Add(24 * time.Hour))
		}
	}
}
