package bus

import (
	"database/sql"
	"errors"
	"fmt"

	"souk/internal/platform/store"
)

func selectCursor(q store.Queryer, name string) (cursor, error) {
	var c cursor
	err := q.Get(&c, `SELECT `+cursorColumns+` FROM event_cursors WHERE subscriber = ?`, name)
	return c, err
}

// moveCursor is the compare-and-set: from where the cursor was found to where it now is.
func moveCursor(tx *store.Tx, from, to cursor) error {
	n, err := tx.Exec(`
		UPDATE event_cursors SET epoch = ?, position = ?, start = ?, applied = ?, skipped = ?, parked = ?,
			state = ?, error = ?, error_at = ?, tries = ?, updated_at = ?
		WHERE subscriber = ? AND epoch = ? AND position = ?`,
		to.Epoch, to.Position, to.Start, to.Applied, to.Skipped, to.Parked,
		to.State, store.Text(to.Error), to.ErrorAt, to.Tries, tx.Now(),
		from.Subscriber, from.Epoch, from.Position)
	if err != nil {
		return fmt.Errorf("move the cursor of %s: %w", from.Subscriber, err)
	}
	if n != 1 {
		return errMoved
	}
	return nil
}

func isParked(q store.Queryer, name, key string) (bool, error) {
	var one int
	err := q.Get(&one, `SELECT 1 FROM event_parked WHERE subscriber = ? AND key = ? LIMIT 1`, name, key)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for parked events of %s: %w", key, err)
	}
	return true, nil
}

// insertParked copies an event whole. Without an error it only waits behind another.
func insertParked(tx *store.Tx, c cursor, e Event, tries int, reason string) error {
	_, err := tx.Exec(`
		INSERT INTO event_parked (subscriber, position, name, key, body, trace, at, tries, error, parked_at, epoch)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.Subscriber, e.Position, e.Name, e.Key, e.Body, e.Trace, e.At, tries, store.Text(reason), tx.Now(), c.Epoch)
	if err != nil {
		return fmt.Errorf("park event %d: %w", e.Position, err)
	}
	return nil
}
