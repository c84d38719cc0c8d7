package main

import (
	"context"
	"fmt"
	"time"

	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// How often the databases are tidied, and what is kept.
const (
	upkeepEvery = time.Hour
	keepEvents  = 30 * 24 * time.Hour // longer than any outage that is to be survived without rebuilding
	forgetBatch = 1000
)

// upkeep tidies every database now and then: idempotency keys that have had their time are
// forgotten, and old events trimmed.
func (a *app) upkeep(ctx context.Context) error {
	timer := time.NewTimer(time.Minute) // not in the middle of the start
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		for _, name := range a.here() {
			if err := tidy(ctx, a.dbs[name]); err != nil && ctx.Err() == nil {
				a.tel.Log.Warn().Str("module", name).Err(err).Msg("upkeep failed, will be tried again")
			}
		}
		timer.Reset(upkeepEvery)
	}
}

func tidy(ctx context.Context, db *store.DB) error {
	for {
		var n int64
		err := db.Write(ctx, func(tx *store.Tx) error {
			var err error
			n, err = tx.ForgetKeys(forgetBatch)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old keys: %w", err)
		}
		if n < forgetBatch {
			break
		}
	}
	if _, err := bus.Trim(ctx, db, clock.Now().Add(-keepEvents)); err != nil {
		return fmt.Errorf("trim events: %w", err)
	}
	return nil
}
