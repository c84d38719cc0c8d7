package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/platform/bus"
	"souk/internal/platform/store"
)

// Whatever is published, fails, recovers, is given up, retried, skipped or restarted, in
// any order: each event takes effect once at most, in the order of its key, and every position that
// was passed is accounted for. In the end, when nothing fails any more and everything is
// retried, nothing but what was skipped is missing.
func TestExactlyOnceInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		w.reset(rt)
		m := &model{w: w, keys: []string{"tea", "rice", ""}, all: map[string][]int64{}, skipped: map[int64]bool{}, broken: map[int64]bool{}}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			m.step(rt)
			m.check(rt)
		}
		clear(w.failing)
		clear(m.broken)
		require.NoError(rt, w.b.Drain(context.Background()))
		_, err := w.b.RetryAll(context.Background(), "reader.sales", operator)
		require.NoError(rt, err)
		for _, key := range m.keys {
			want := slices.DeleteFunc(append([]int64{}, m.all[key]...), func(n int64) bool { return m.skipped[n] })
			require.Equal(rt, want, m.heard(rt, key), "key %q in the end", key)
		}
		m.check(rt)
	})
}

// reset has the world begin anew, without the cost of opening databases.
func (w *world) reset(rt *rapid.T) {
	clear(w.failing)
	for _, table := range []string{"heard", "event_cursors", "event_parked", "audit_log"} {
		_, err := exec(w.reader, `DELETE FROM `+table)
		require.NoError(rt, err)
	}
	_, err := exec(w.shop, `DELETE FROM event_log`)
	require.NoError(rt, err)
	_, err = exec(w.shop, `UPDATE event_log_state SET head = 0, trimmed = 0`)
	require.NoError(rt, err)
	w.restart()
}

type model struct {
	w       *world
	keys    []string
	next    int64
	all     map[string][]int64 // published, by key, in order
	skipped map[int64]bool
	broken  map[int64]bool // will never go well before the end
}

func (m *model) step(rt *rapid.T) {
	ctx := context.Background()
	key := rapid.SampledFrom(m.keys).Draw(rt, "key")
	switch rapid.SampledFrom([]string{"sell", "sell", "sell", "drain", "drain", "mend", "away", "retry", "skip", "restart", "replay"}).Draw(rt, "do") {
	case "sell":
		var events []store.Event
		for range rapid.IntRange(1, 20).Draw(rt, "events") {
			m.next++
			m.all[key] = append(m.all[key], m.next)
			if rapid.IntRange(0, 9).Draw(rt, "luck") == 0 {
				m.w.failing[m.next] = errors.New("no")
				m.broken[m.next] = true
			}
			events = append(events, sold{key, m.next})
		}
		require.NoError(rt, m.w.shop.Write(ctx, func(tx *store.Tx) error { return tx.Publish(events...) }))
	case "drain":
		_ = m.w.b.Drain(ctx)
	case "mend":
		clear(m.w.failing)
		clear(m.broken)
	case "away": // the storage is locked in the middle of what comes next
		n := m.next + int64(rapid.IntRange(1, 5).Draw(rt, "after"))
		m.w.failing[n] = fmt.Errorf("for now: %w", store.ErrLocked)
	case "retry":
		_, err := m.w.b.Retry(ctx, "reader.sales", key, operator)
		if !errors.Is(err, store.ErrLocked) && !errors.Is(err, bus.ErrNotParked) {
			require.NoError(rt, err)
		}
	case "skip":
		parked, err := m.w.b.Show(ctx, "reader.sales", 0, 1000)
		require.NoError(rt, err)
		if i := slices.IndexFunc(parked, func(p bus.Parked) bool { return p.Key == key }); i >= 0 {
			var n int64
			_, err := fmt.Sscanf(parked[i].Body, `{"item":"`+key+`","n":%d}`, &n)
			require.NoError(rt, err)
			m.skipped[n] = true
			if _, err := m.w.b.Skip(ctx, "reader.sales", key, operator); !errors.Is(err, store.ErrLocked) {
				require.NoError(rt, err)
			}
		}
	case "restart":
		m.w.restart()
	case "replay": // to where it is: nothing may change
		all, err := m.w.b.List(ctx)
		require.NoError(rt, err)
		require.NoError(rt, m.w.b.Replay(ctx, "reader.sales", all[0].Position, operator))
	}
}

func (m *model) heard(rt *rapid.T, key string) []int64 {
	numbers := []int64{}
	require.NoError(rt, m.w.reader.Read(context.Background(), func(q store.Queryer) error {
		return q.Select(&numbers, `SELECT n FROM heard WHERE item = ? ORDER BY id`, key)
	}))
	return slices.Clip(numbers)
}

func (m *model) check(rt *rapid.T) {
	all, err := m.w.b.List(context.Background())
	require.NoError(rt, err)
	s := all[0]
	parked, err := m.w.b.Show(context.Background(), "reader.sales", 0, 1000)
	require.NoError(rt, err)
	require.Equal(rt, s.Position-s.Start, s.Applied+s.Skipped+s.Parked)
	require.Len(rt, parked, int(s.Parked))
	heard := int64(0)
	for _, key := range m.keys {
		got := m.heard(rt, key)
		heard += int64(len(got))
		want := slices.DeleteFunc(slices.Clone(m.all[key]), func(n int64) bool { return m.skipped[n] })
		require.LessOrEqual(rt, len(got), len(want))
		require.True(rt, slices.Equal(want[:len(got)], got), "key %q: heard %v of %v", key, got, want)
		for _, n := range got {
			require.False(rt, m.broken[n], "%d fails every time and was heard", n)
		}
	}
	require.Equal(rt, s.Applied, heard, "what counts as applied has had its effect")
}
