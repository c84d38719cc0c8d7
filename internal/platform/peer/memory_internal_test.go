package peer

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
)

func nonce(n uint64) (b [16]byte) {
	binary.BigEndian.PutUint64(b[:], n)
	return b
}

const began clock.Time = 1_700_000_000_500

// Whatever is sent and sent again, at whatever times and however much of it: nothing is let
// in twice, and the memory keeps its bound.
func TestMemoryLetsNothingInTwice(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	type sent struct {
		nonce [16]byte
		at    clock.Time
	}
	for _, limit := range []int{20, 1000, 100_000} {
		m := newMemory(time.Minute, limit, began)
		now, letIn, all := began, map[sent]bool{}, []sent(nil)
		for n := range uint64(20_000) {
			now = now.Add(time.Duration(random.IntN(20)) * time.Millisecond)
			s := sent{nonce(n), now.Add(time.Duration(random.IntN(120_001)-60_000) * time.Millisecond)}
			if len(all) > 0 && random.IntN(2) == 0 {
				s = all[random.IntN(len(all))]
			}
			if now.Sub(s.at).Abs() > time.Minute {
				continue // the door has turned it away already
			}
			all = append(all, s)
			if m.see(s.nonce, s.at, now) == fresh {
				require.False(t, letIn[s], "request %d came in twice", n)
				letIn[s] = true
			}
			require.LessOrEqual(t, m.count, limit)
		}
		held := 0
		for _, nonces := range m.seconds {
			held += len(nonces)
		}
		assert.Equal(t, m.count, held)
		assert.NotEmpty(t, letIn)
	}
}

func TestAFullMemoryTakesWhatIsSignedNow(t *testing.T) {
	t.Parallel()
	m := newMemory(time.Minute, 10, began)
	now := began
	for n := range uint64(1000) {
		now = now.Add(150 * time.Millisecond)
		require.Equal(t, fresh, m.see(nonce(n), now, now), "%d", n)
	}
	assert.Equal(t, replayed, m.see(nonce(999), now, now))
	assert.Equal(t, stale, m.see(nonce(1), began.Add(300*time.Millisecond), now), "pushed out, and not let in for that")
}

func TestAClockSetBackDoesNotShutEveryoneOut(t *testing.T) {
	t.Parallel()
	m := newMemory(time.Minute, 1000, began)
	require.Equal(t, fresh, m.see(nonce(1), began, began))
	back := began.Add(-time.Hour)
	assert.Equal(t, fresh, m.see(nonce(2), back, back))
	assert.Equal(t, replayed, m.see(nonce(2), back, back))
	assert.Equal(t, stale, m.see(nonce(3), back.Add(-time.Second), back))
}
