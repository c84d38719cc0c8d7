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

// Start has the daily forgetting begin; it is called once the module runs.
func (s *Service) Start(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *store.Tx) error { return tx.Enqueue(jobForget, "daily", s.now()) })
}

func (s *Service) forget(ctx context.Context, _ job.Job) error {
	today := dayOf(s.now())
	for {
		var gone int64
		err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
			gone, err = forgetSales(tx, today-linesKept, today-sales.Window, forgetBatch)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old counts: %w", err)
		}
		if gone < forgetBatch {
			return job.Again(s.now().Add(24 * time.Hour))
		}
	}
}
