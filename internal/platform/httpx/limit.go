package httpx

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"souk/internal/platform/clock"
)

// Limit is how often one caller may ask: Max times at once, refilled over Per.
type Limit struct {
	Max int
	Per time.Duration
}

// maxKeys bounds what a Limiter remembers. Past it the keys that are whole again are
// forgotten, and if none is, all: a flood from many addresses must not fill the memory.
const maxKeys = 100_000

// Limiter counts by key: a person, an address, an e-mail that someone tries to sign in with.
// It may be used by many goroutines.
type Limiter struct {
	limit Limit
	now   func() clock.Time

	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

// NewLimiter is a limiter with nothing counted yet; now is clock.Now if nil.
func NewLimiter(limit Limit, now func() clock.Time) *Limiter {
	if now == nil {
		now = clock.Now
	}
	return &Limiter{limit: limit, now: now, keys: map[string]*rate.Limiter{}}
}

// Allow counts one try of key. Past the limit it counts nothing, and is an error
// with the code souk.too_many that tells the client when to come again.
func (l *Limiter) Allow(key string) error {
	now := l.now().Std()
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, ok := l.keys[key]
	if !ok {
		l.makeRoom(now)
		bucket = rate.NewLimiter(rate.Every(l.limit.Per/time.Duration(l.limit.Max)), l.limit.Max)
		l.keys[key] = bucket
	}
	turn := bucket.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	turn.CancelAt(now)
	return Later(ErrTooMany.With("too many tries; the next is possible in %s", max(wait, time.Second).Round(time.Second)), wait)
}

// makeRoom keeps the number of keys within its bound.
func (l *Limiter) makeRoom(now time.Time) {
	if len(l.keys) < maxKeys {
		return
	}
	for key, bucket := range l.keys {
		if bucket.TokensAt(now) >= float64(l.limit.Max) {
			delete(l.keys, key)
		}
	}
	if len(l.keys) >= maxKeys {
		clear(l.keys)
	}
}
