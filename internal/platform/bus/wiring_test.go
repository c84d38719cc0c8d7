package bus_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/store"
)

func TestWiringIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("a log without a source", func(t *testing.T) {
		t.Parallel()
		b := bus.New(bus.Config{})
		bus.NewSubscriber(b, "reader.sales", shopLog, w.reader)
		require.ErrorContains(t, b.Run(t.Context()), "no source")
		require.ErrorContains(t, b.Drain(t.Context()), "no source")
	})
	t.Run("two of one name", func(t *testing.T) {
		t.Parallel()
		b := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: w.source}})
		bus.NewSubscriber(b, "reader.sales", shopLog, w.reader)
		bus.NewSubscriber(b, "reader.sales", shopLog, w.reader)
		require.ErrorContains(t, b.Run(t.Context()), "two subscribers")
	})
	t.Run("an event heard twice", func(t *testing.T) {
		t.Parallel()
		b := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: w.source}})
		s := bus.NewSubscriber(b, "reader.other", shopLog, w.reader)
		bus.On(s, func(*store.Tx, sold) error { return nil })
		assert.Panics(t, func() { bus.On(s, func(*store.Tx, sold) error { return nil }) })
		assert.Equal(t, []string{"shop.sold.v1"}, s.Hears())
	})
	t.Run("a cursor of another log", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.sell("tea", 1)
		w.drain()
		b := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{"reader": bus.LocalSource(w.reader)}})
		bus.NewSubscriber(b, "reader.sales", "reader", w.reader)
		require.ErrorContains(t, b.Drain(t.Context()), "keeps its log for ever")
	})
	t.Run("a name that is not there", func(t *testing.T) {
		t.Parallel()
		_, err := w.b.Retry(t.Context(), "reader.none", "tea", operator)
		require.ErrorIs(t, err, bus.ErrNoSubscriber)
		require.ErrorIs(t, w.b.Replay(t.Context(), "reader.none", 0, operator), bus.ErrNoSubscriber)
	})
}

func TestASourceThatLeavesSomethingOutIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(p *bus.Page){
		"a gap":              func(p *bus.Page) { p.Events = p.Events[1:] },
		"a gap in between":   func(p *bus.Page) { p.Events = append(p.Events[:1], p.Events[2:]...) },
		"the same again":     func(p *bus.Page) { p.Events[1] = p.Events[0] },
		"nothing before end": func(p *bus.Page) { p.Events = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.sell("tea", 1, 2, 3)
			b := bus.New(bus.Config{Sources: map[bus.Log]bus.Source{shopLog: spoilt{w.source, spoil}}})
			w.subscribe(b)
			require.Error(t, b.Drain(t.Context()))
			assert.Empty(t, w.heard())
		})
	}
}

type spoilt struct {
	bus.Source
	spoil func(*bus.Page)
}

func (s spoilt) Page(ctx context.Context, after int64, limit int) (bus.Page, error) {
	page, err := s.Source.Page(ctx, after, limit)
	s.spoil(&page)
	return page, err
}
