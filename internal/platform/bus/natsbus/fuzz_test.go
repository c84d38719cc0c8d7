package natsbus

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/bus/bustest"
	"souk/internal/platform/errs"
)

// known is a log of some events, each longer than the one before.
type known struct {
	bus.Source
	events []bus.Event
}

func logOf(n int) known {
	var log known
	for i := range n {
		log.events = append(log.events, bus.Event{Position: int64(i + 1), Name: "shop.sold.v1", Key: "k", Body: `"` + strings.Repeat("x", 100*i) + `"`})
	}
	return log
}

func (k known) Page(_ context.Context, after int64, limit int) (bus.Page, error) {
	from := min(after, int64(len(k.events)))
	to := min(from+int64(limit), int64(len(k.events)))
	return bus.Page{State: bus.State{Epoch: "e", Head: int64(len(k.events))}, Events: append([]bus.Event{}, k.events[from:to]...)}, nil
}

// FuzzQuestion: whatever the log itself is asked, and however little the broker takes, it answers with what
// comes next, or that it cannot; and who asked understands it.
func FuzzQuestion(f *testing.F) {
	f.Add([]byte(`{"after":1,"limit":3}`), 4096)
	f.Add([]byte(`{"after":0,"limit":5}`), 700)
	f.Add([]byte(`{"after":4,"limit":1}`), 200) // the one event is too long
	f.Add([]byte(`{"after":5,"limit":1}`), -1)  // a page without events is
	log := logOf(5)
	p := &publisher{Broker: &Broker{}, log: bustest.Log, source: log, logger: zerolog.Nop()}
	f.Fuzz(func(t *testing.T, asked []byte, longest int) {
		answer, err := p.page(t.Context(), asked, longest)
		var q question
		if bad := json.Unmarshal(asked, &q); bad != nil {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		page, err := understand(answer)
		if err != nil {
			require.ErrorIs(t, err, bus.ErrNotReachable)
			return
		}
		assert.LessOrEqual(t, len(answer), longest)
		assert.Equal(t, bus.State{Epoch: "e", Head: 5}, page.State)
		after := min(max(q.After, 0), 5)
		if after < 5 {
			require.NotEmpty(t, page.Events, "else who asks would ask the same for ever")
		}
		assert.Equal(t, log.events[after:after+int64(len(page.Events))], append([]bus.Event{}, page.Events...))
	})
}

// FuzzAnswer: whatever is answered for the log itself is read as a page of some epoch, or is a circumstance that parks
// nothing.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"page":{"epoch":"e","head":1,"events":[{"position":1,"name":"shop.sold.v1","key":"k","body":"{}"}]}}`))
	f.Add([]byte(`{"error":{"kind":"conflict","code":"shop.sold_out","message":"sold out"}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		page, err := understand(answer)
		if err != nil {
			assert.Empty(t, page)
			require.Equal(t, errs.Unavailable, errs.KindOf(away(bustest.Log, err)), "%v", err)
			return
		}
		assert.NotEmpty(t, page.Epoch)
	})
}

// FuzzMessages: whatever messages a stream holds, what is read of it are the events that come next, all of one
// epoch, and the log reaches as far as they do.
func FuzzMessages(f *testing.F) {
	first := `{"position":8,"name":"shop.sold.v1","key":"k","body":"{}"}`
	second := `{"position":9,"name":"shop.sold.v1","key":"k","body":"{}"}`
	f.Add(int64(7), "Nats-Sequence: 8\nNats-Num-Pending: 1\nSouk-Position: 8\nSouk-Epoch: e", first,
		"Nats-Sequence: 9\nNats-Num-Pending: 0\nSouk-Position: 9\nSouk-Epoch: e", second)
	f.Add(int64(7), "Nats-Sequence: 8\nNats-Num-Pending: 1\nSouk-Position: 8\nSouk-Epoch: e", first,
		"Nats-Sequence: 9\nNats-Num-Pending: 0\nSouk-Position: 9\nSouk-Epoch: f", second)
	f.Add(int64(7), "Nats-Sequence: 8\nNats-Num-Pending: -9\nSouk-Position: 8\nSouk-Epoch: e", first, "", "")
	f.Add(int64(7), "Nats-Sequence: 8\nNats-Num-Pending: 9223372036854775807\nSouk-Position: 8\nSouk-Epoch: e", first, "", "")
	f.Fuzz(func(t *testing.T, after int64, head1, body1, head2, body2 string) {
		after = max(after, 0) // as Page has it
		var page bus.Page
		for _, m := range []*nats.Msg{message(head1, body1), message(head2, body2)} {
			had := page
			whole, err := take(&page, m, after)
			if err != nil || !whole {
				require.Equal(t, had, page)
				break
			}
			e := page.Events[len(page.Events)-1]
			require.Equal(t, after+int64(len(page.Events)), e.Position)
			require.GreaterOrEqual(t, page.Head, e.Position)
			require.Equal(t, m.Header.Get(epochHeader), page.Epoch)
			require.NotEmpty(t, page.Epoch)
		}
	})
}

// message is one as the broker gives it.
func message(head, body string) *nats.Msg {
	m := &nats.Msg{Header: nats.Header{}, Data: []byte(body)}
	for line := range strings.SplitSeq(head, "\n") {
		name, value, _ := strings.Cut(line, ":")
		m.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return m
}
