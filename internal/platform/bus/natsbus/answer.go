package natsbus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"

	"souk/internal/platform/bus"
	"souk/internal/platform/errs"
)

// question asks the log itself for a page.
type question struct {
	After int64 `json:"after"`
	Limit int   `json:"limit"`
}

// reply is a page of the log, or why there is none.
type reply struct {
	Page  *bus.Page   `json:"page,omitempty"`
	Error *errs.Error `json:"error,omitempty"`
}

const (
	answering = 4       // questions at the same time
	envelope  = 4 << 10 // around the events of an answer
)

// answer answers questions to the log until stop is called. Of several processes that hold the
// log, one answers each.
func (p *publisher) answer(ctx context.Context) (stop func(), err error) {
	turns := make(chan struct{}, answering)
	ctx, cancel := context.WithCancel(ctx)
	sub, err := p.nc.QueueSubscribe(p.theLogItself(p.log), "souk", func(m *nats.Msg) {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		go func() {
			defer func() { <-turns }()
			p.reply(ctx, m)
		}()
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("answer for the log %s: %w", p.log, err)
	}
	return func() {
		cancel()
		// It fails only with the connection, and is gone then. The broker must have heard of it before
		// this returns: who asks from now on is to hear at once that nobody answers.
		if sub.Unsubscribe() == nil && p.nc.IsConnected() {
			_ = p.nc.FlushTimeout(askTimeout)
		}
		for range answering { // whoever has a turn gives it back; there is none left for others
			turns <- struct{}{}
		}
	}, nil
}

func (p *publisher) reply(ctx context.Context, m *nats.Msg) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := p.page(ctx, m.Data, int(p.nc.MaxPayload())-envelope)
	if err == nil {
		err = m.Respond(answer)
	}
	if err != nil && ctx.Err() == nil {
		p.logger.Warn().Err(err).Msg("a question to the event log was not answered")
	}
}

// page is the encoded answer to a question, its page not longer than that.
func (p *publisher) page(ctx context.Context, asked []byte, longest int) ([]byte, error) {
	var q question
	if err := json.Unmarshal(asked, &q); err != nil {
		return nil, fmt.Errorf("understand a question to the log: %w", err)
	}
	page, err := p.source.Page(ctx, max(q.After, 0), min(max(q.Limit, 1), batch))
	if err != nil {
		p.logger.Warn().Err(err).Msg("the event log cannot be read")
		return json.Marshal(reply{Error: bus.ErrNotReachable.With("the event log cannot be read at the moment")})
	}
	for events := bus.Cut(page.Events, longest); ; events = events[:len(events)/2] {
		page.Events = events
		encoded, err := json.Marshal(reply{Page: &page})
		if err != nil || len(encoded) <= longest {
			return encoded, err
		}
		switch len(events) {
		case 0: // nothing is left to leave out
			return json.Marshal(reply{Error: bus.ErrNotReachable.With("a page without events is more than NATS takes: raise its max_payload")})
		case 1:
			return json.Marshal(reply{Error: bus.ErrNotReachable.With(
				"event %d has %d bytes, more than NATS takes: raise its max_payload", events[0].Position, len(encoded))})
		}
	}
}
