package natsbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/nats-io/nats.go"

	"souk/internal/platform/bus"
)

// What a direct get of several messages is asked with and answers, as the server's
// protocol (ADR-31) has it. The client library offers one message at a time only.
const (
	directGet      = "$JS.API.DIRECT.GET."
	statusHeader   = "Status"
	sequenceHeader = "Nats-Sequence"
	pendingHeader  = "Nats-Num-Pending"

	statusEnd    = "204" // no more
	statusAbsent = "404" // no such message
)

type directQuestion struct {
	Seq      int64 `json:"seq"`
	Batch    int   `json:"batch"`
	MaxBytes int   `json:"max_bytes"`
}

// fetch asks any replica of the stream for what comes after a position. Nothing is a page
// without events and without a state. What arrives is no more than was asked for, so a slow reader holds
// one page and the rest stays in the broker.
func (s *source) fetch(ctx context.Context, after int64, limit int) (bus.Page, error) {
	asked, err := json.Marshal(directQuestion{Seq: after + 1, Batch: limit, MaxBytes: pageBytes})
	if err != nil {
		return bus.Page{}, err
	}
	inbox := s.nc.NewInbox()
	sub, err := s.nc.SubscribeSync(inbox)
	if err != nil {
		return bus.Page{}, fmt.Errorf("read the stream: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails only with the connection, and is gone then
	if err := s.nc.PublishRequest(directGet+s.stream(s.log), inbox, asked); err != nil {
		return bus.Page{}, fmt.Errorf("read the stream: %w", err)
	}
	var page bus.Page
	for len(page.Events) < limit {
		m, err := sub.NextMsgWithContext(ctx)
		if errors.Is(err, nats.ErrNoResponders) {
			return page, nil // there is no such stream
		}
		if err != nil {
			return bus.Page{}, fmt.Errorf("read the stream after %d: %w", after+int64(len(page.Events)), err)
		}
		switch status := m.Header.Get(statusHeader); status {
		case "":
		case statusEnd, statusAbsent:
			return page, nil
		default:
			return bus.Page{}, fmt.Errorf("read the stream: the broker answers %s %s", status, m.Header.Get("Description"))
		}
		whole, err := take(&page, m, after)
		if err != nil {
			return bus.Page{}, err
		}
		if !whole {
			return page, nil
		}
	}
	return page, nil
}

// take adds a message to the page. It is not whole if the message is not the next one: then what is missing
// is for the next page to ask for.
func take(page *bus.Page, m *nats.Msg, after int64) (whole bool, err error) {
	want := after + int64(len(page.Events)) + 1
	sequence, err := strconv.ParseInt(m.Header.Get(sequenceHeader), 10, 64)
	if err != nil {
		return false, fmt.Errorf("read the stream: a message has the sequence %q", m.Header.Get(sequenceHeader))
	}
	if sequence != want {
		return false, nil
	}
	pending, err := strconv.ParseInt(m.Header.Get(pendingHeader), 10, 64)
	if err != nil || pending < 0 || want > math.MaxInt64-pending {
		return false, fmt.Errorf("read the stream: a message has %q others behind it", m.Header.Get(pendingHeader))
	}
	e, epoch, err := decode(m.Header, m.Data, want)
	if err != nil {
		return false, err
	}
	if page.Epoch != "" && page.Epoch != epoch {
		return false, nil
	}
	page.Epoch, page.Head = epoch, want+pending
	page.Events = append(page.Events, e)
	return true, nil
}
