package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/reqid"
)

// Event is a fact that a module publishes: part of its contract, encoded as JSON.
type Event interface {
	EventName() string // "orders.placed.v1"
	EventKey() string  // order holds per key
}

const (
	appendEvents = `INSERT INTO event_log (position, name, key, body, trace, at) VALUES (?, ?, ?, ?, ?, ?)`
	publishMost  = 64 // events in one statement
)

// Publish appends events to the module's log, at positions without gaps. On SQLite they are
// there when the Write commits, in the order of the commits; on PostgreSQL soon after.
func (tx *Tx) Publish(events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	if tx.db.pg != nil {
		return tx.queue(events)
	}
	var head int64
	count := int64(len(events))
	err := tx.Get(&head, `UPDATE event_log_state SET head = head + ? WHERE one = 1 RETURNING head`, count)
	if err != nil {
		return fmt.Errorf("take positions in the event log: %w", err)
	}
	first := head - count + 1
	at, from := tx.Now(), traceparent(tx.ctx)
	for size := publishMost; len(events) > 0; events, first = events[size:], first+int64(size) {
		for size > len(events) {
			size /= 2 // powers of two, so that few texts come of it
		}
		args := make([]any, 0, 6*size)
		for i, e := range events[:size] {
			if e.EventName() == "" {
				return fmt.Errorf("publish %T: an event needs a name", e)
			}
			body, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("publish %s: %w", e.EventName(), err)
			}
			args = append(args, first+int64(i), e.EventName(), e.EventKey(), string(body), from, at)
		}
		if _, err := tx.Exec(appendEvents+strings.Repeat(", (?, ?, ?, ?, ?, ?)", size-1), args...); err != nil {
			return fmt.Errorf("publish %s: %w", events[0].EventName(), err)
		}
	}
	tx.db.count.events.Add(count)
	tx.events = true
	return nil
}

// Enqueue asks for the job kind to be run for key at runAt or soon after. There is one job
// per kind and key: if it waits already its time becomes the earlier one; if it is running
// it runs once more; if it had died it lives again.
func (tx *Tx) Enqueue(kind, key string, runAt clock.Time) error {
	if kind == "" {
		return errors.New("enqueue: a job needs a kind")
	}
	_, err := tx.Exec(`
		INSERT INTO jobs (kind, key, run_at, state, trace, enqueued_at, updated_at) VALUES (?, ?, ?, 'pending', ?, ?, ?)
		ON CONFLICT (kind, key) DO UPDATE SET
			run_at = CASE
				WHEN jobs.state = 'dead' OR jobs.state = 'running' AND jobs.generation = jobs.started_generation THEN excluded.run_at
				WHEN jobs.run_at < excluded.run_at THEN jobs.run_at
				ELSE excluded.run_at END,
			tries = CASE jobs.state WHEN 'dead' THEN 0 ELSE jobs.tries END,
			error = CASE jobs.state WHEN 'dead' THEN '' ELSE jobs.error END,
			state = CASE jobs.state WHEN 'dead' THEN 'pending' ELSE jobs.state END,
			generation = jobs.generation + 1,
			trace = excluded.trace,
			updated_at = excluded.updated_at`,
		kind, key, runAt, errand(tx.ctx), tx.Now(), tx.Now())
	if err != nil {
		return fmt.Errorf("enqueue %s %s: %w", kind, key, err)
	}
	tx.db.count.jobs.Add(1)
	tx.jobs = true
	return nil
}

// Dequeue forgets a job that is no longer needed. If there is none, that is fine too.
func (tx *Tx) Dequeue(kind, key string) error {
	if _, err := tx.Exec(`DELETE FROM jobs WHERE kind = ? AND key = ?`, kind, key); err != nil {
		return fmt.Errorf("dequeue %s %s: %w", kind, key, err)
	}
	return nil
}

// Audit is one act of an operator, a seller's staff or the command line. Before and After
// are what was changed, as JSON or in words, without personal data.
type Audit struct {
	By            actor.Actor
	Action        string // "catalog.approve_seller"
	Subject       string // the id concerned
	Before, After string
	Why           string
}

// Audit leaves the act in the audit log, in the same transaction as the act itself.
func (tx *Tx) Audit(a Audit) error {
	if a.Action == "" {
		return errors.New("audit: an act needs a name")
	}
	_, err := tx.Exec(`
		INSERT INTO audit_log (at, kind, person, seller, on_behalf_of, action, subject, before, after, why, request)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		tx.Now(), string(a.By.Kind), string(a.By.Person), string(a.By.Seller), string(a.By.OnBehalfOf),
		a.Action, a.Subject, a.Before, a.After, a.Why, reqid.From(tx.ctx))
	if err != nil {
		return fmt.Errorf("audit %s: %w", a.Action, err)
	}
	return nil
}

// traceparent is the W3C trace context of ctx, "" without one.
func traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// errand is on whose behalf a job is: the trace context of ctx and, after a space, the id of its
// request. "" without either.
func errand(ctx context.Context) string {
	if id := reqid.From(ctx); id != "" {
		return traceparent(ctx) + " " + id
	}
	return traceparent(ctx)
}

// Errand takes apart what a job's row keeps in its column trace.
func Errand(kept string) (traceparent, requestID string) {
	traceparent, requestID, _ = strings.Cut(kept, " ")
	return traceparent, requestID
}
