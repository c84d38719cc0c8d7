package cartsvc

import (
	"context"
	"fmt"
	"time"

	"souk/internal/platform/job"
	"souk/internal/platform/store"
)

// jobTidy removes guests' carts that nobody has touched for long. It runs once a day.
const jobTidy = "cart.tidy"

// untouched is how long a guest's cart is kept after its last change.
const untouched = 60 * 24 * time.Hour

// tidyBatch is how many carts one Write removes.
const tidyBatch = 500

// Start has the daily tidying begin; it is called once the module runs.
func (s *Service) Start(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *store.Tx) error { return tx.Enqueue(jobTidy, "daily", s.now()) })
}

func (s *Service) tidy(ctx context.Context, _ job.Job) error {
	for {
		var removed int64
		err := s.db.Write(ctx, func(tx *store.Tx) error {
			var err error
			removed, err = tx.Exec(`
				DELETE FROM carts WHERE id IN (
					SELECT c.id FROM carts c WHERE c.status = 'open' AND c.changed_at < ? AND c.owner LIKE 'guest:%'
						AND NOT EXISTS (SELECT 1 FROM claims k WHERE k.cart_id = c.id)
					ORDER BY c.changed_at LIMIT ?)`, s.now().Add(-untouched), tidyBatch)
			return err
		})
		if err != nil {
			return fmt.Errorf("remove untouched carts: %w", err)
		}
		if removed < tidyBatch {
			return job.Again(s.now().Add(24 * time.Hour))
		}
	}
}
