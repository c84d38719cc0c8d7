package peer

import (
	"sync"
	"time"

	"souk/internal/platform/clock"
)

// memory remembers what was let in for as long as its signature would hold. It is bounded:
// what does not fit pushes out the oldest second, and whatever was signed before that, or before
// the memory began, is stale from then on. So a replay is refused also by
// a process that has just started or is very busy; the price is that under such load the clocks
// must agree better.
type memory struct {
	window time.Duration
	limit  int

	mu      sync.Mutex
	floor   clock.Time // what was signed before it cannot be told from a replay
	seconds map[int64]map[[16]byte]struct{}
	oldest  int64      // no second before it is there
	latest  clock.Time // when it was last asked
	count   int
}

func newMemory(window time.Duration, limit int, now clock.Time) *memory {
	m := &memory{window: window, limit: limit}
	m.begin(now)
	return m
}

// begin is how it starts, and how it starts again when this process's clock was set back: what it
// holds is of times that are yet to come, and all that is signed now would be stale till then.
func (m *memory) begin(now clock.Time) {
	m.floor, m.latest, m.oldest, m.count = now, now, secondOf(now.Add(-m.window)), 0
	m.seconds = map[int64]map[[16]byte]struct{}{}
}

const millisecondsPerSecond = 1000

func secondOf(t clock.Time) int64 { return int64(t) / millisecondsPerSecond }

// verdict is what the memory says of a request.
type verdict int

const (
	fresh verdict = iota
	replayed
	stale
)

// see notes a request signed at a time within the window around now, and says whether it
// was seen before. A replay has the same time, so it is found in the same second.
func (m *memory) see(nonce [16]byte, at, now clock.Time) verdict {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now < m.latest.Add(-m.window) {
		m.begin(now)
	}
	m.latest = now
	m.forget(secondOf(now.Add(-m.window)))
	second := secondOf(at)
	if _, ok := m.seconds[second][nonce]; ok {
		return replayed
	}
	if at < m.floor || second < m.oldest {
		return stale
	}
	if m.seconds[second] == nil {
		m.seconds[second] = map[[16]byte]struct{}{}
	}
	m.seconds[second][nonce] = struct{}{}
	m.count++
	for m.count > m.limit {
		m.forget(m.oldest + 1)
		m.floor = max(m.floor, clock.Time(m.oldest*millisecondsPerSecond))
	}
	return fresh
}

// forget drops the seconds before one.
func (m *memory) forget(before int64) {
	if before-m.oldest > int64(len(m.seconds)) { // a clock that leapt, or a long rest
		for second, nonces := range m.seconds {
			if second < before {
				m.count -= len(nonces)
				delete(m.seconds, second)
			}
		}
		m.oldest = before
	}
	for ; m.oldest < before; m.oldest++ {
		m.count -= len(m.seconds[m.oldest])
		delete(m.seconds, m.oldest)
	}
}
