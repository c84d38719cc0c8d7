package store

import (
	"encoding/json"
	"fmt"
	"strings"
)

const queueEvents = `INSERT INTO event_queue (name, key, body, trace, at) VALUES (?, ?, ?, ?, ?)`

// queue is Publish on PostgreSQL: the events get their positions after the commit, from the sequencer.
func (tx *Tx) queue(events []Event) error {
	at, from := tx.Now(), traceparent(tx.ctx)
	count := int64(len(events))
	for size := publishMost; len(events) > 0; events = events[size:] {
		for size > len(events) {
			size /= 2 // powers of two, so that few texts come of it
		}
		args := make([]any, 0, 5*size)
		for _, e := range events[:size] {
			if e.EventName() == "" {
				return fmt.Errorf("publish %T: an event needs a name", e)
			}
			body, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("publish %s: %w", e.EventName(), err)
			}
			args = append(args, e.EventName(), e.EventKey(), string(body), from, at)
		}
		if _, err := tx.Exec(queueEvents+strings.Repeat(", (?, ?, ?, ?, ?)", size-1), args...); err != nil {
			return fmt.Errorf("publish %s: %w", events[0].EventName(), err)
		}
	}
	tx.db.count.events.Add(count)
	tx.events = true
	return nil
}
