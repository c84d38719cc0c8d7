package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"souk/internal/platform/actor"
	"souk/internal/platform/store"
)

// rebuildsInARow is how often a subscriber is rebuilt without finding its place afterwards,
// before it rests: a log that changes under it would keep it rebuilding.
const rebuildsInARow = 3

// regain rebuilds a subscriber whose place is not in the log, and has it go on from where
// the log ended when that was found out: before the rebuilding began.
func (s *Subscriber) regain(ctx context.Context, at cursor, log State, why string) (result, error) {
	s.place = nil
	gone := ErrPlaceGone.With("subscriber %s has lost its place in the log %s: %s", s.name, s.log, why)
	s.logger.Error().Err(gone).Str("epoch", log.Epoch).Int64("head", log.Head).Int64("trimmed", log.Trimmed).
		Bool("rebuilds", s.rebuild != nil).Msg("place in the event log is gone")
	if err := s.mark(ctx, at, gone); err != nil {
		return result{}, err
	}
	if s.rebuild == nil {
		return result{}, gone.Because(errors.New("it cannot rebuild itself: souk events replay gives it a new place"))
	}
	if s.rebuilds++; s.rebuilds > rebuildsInARow {
		s.rebuilds = 0
		return result{}, gone.Because(errors.New("it has been rebuilt and its new place is gone as well"))
	}
	if err := s.rebuildAt(ctx, at, log, store.Audit{By: actor.System(""), Action: "events.place_gone", Subject: s.name, Why: why}); err != nil {
		return result{}, err
	}
	return result{state: log, rebuilt: true}, nil
}

// mark writes down that the place is gone, where there is a row to write it in.
func (s *Subscriber) mark(ctx context.Context, at cursor, gone error) error {
	if at.Epoch == "" || at.State == stateGone {
		return nil
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		marked := at
		marked.State, marked.Error, marked.ErrorAt = stateGone, text(gone), tx.Now()
		return moveCursor(tx, at, marked)
	})
}

// rebuildAt runs what the module has registered and then puts the cursor at the end of log,
// a state taken before.
func (s *Subscriber) rebuildAt(ctx context.Context, at cursor, log State, act store.Audit) error {
	if err := s.callRebuild(ctx); err != nil {
		return fmt.Errorf("rebuild %s: %w", s.name, err)
	}
	var dropped int64
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
		if at.Epoch == "" {
			_, err = tx.Exec(`INSERT INTO event_cursors (subscriber, log, epoch, position, start) VALUES (?, ?, '', 0, 0)
				ON CONFLICT (subscriber) DO NOTHING`, s.name, string(s.log))
			if err != nil {
				return err
			}
		}
		// What was parked is older than what was just read, and may be of another epoch.
		if dropped, err = tx.Exec(`DELETE FROM event_parked WHERE subscriber = ?`, s.name); err != nil {
			return err
		}
		to := cursor{Epoch: log.Epoch, Position: log.Head, Start: log.Head, State: stateFollowing}
		if err := moveCursor(tx, at, to); err != nil {
			return err
		}
		act.Before = fmt.Sprintf("%s:%d, %d parked", at.Epoch, at.Position, dropped)
		act.After = fmt.Sprintf("%s:%d", log.Epoch, log.Head)
		return tx.Audit(act)
	})
	if err != nil {
		return fmt.Errorf("give %s its new place: %w", s.name, err)
	}
	s.logger.Info().Int64("position", log.Head).Int64("parked_dropped", dropped).Msg("subscriber rebuilt")
	return nil
}

func (s *Subscriber) callRebuild(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return s.rebuild(ctx)
}
