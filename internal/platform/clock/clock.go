// Package clock is souk's time: UTC in whole milliseconds, so that a moment equals itself
// after any wire and any database. Time is passed in: rules take a Time, services a
// `func() clock.Time`; tests use Manual and never sleep.
package clock

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Time is a moment in milliseconds since 1970-01-01 UTC. Zero stands for none. It is
// an INTEGER in SQL and RFC 3339 with milliseconds in JSON ("" for none).
type Time int64

// layout is RFC 3339 with exactly three decimals.
const layout = "2006-01-02T15:04:05.000Z07:00"

// Now is the present.
func Now() Time { return Of(time.Now()) }

// Of is t without what is finer than a millisecond. The zero time.Time is none.
func Of(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// Parse reads RFC 3339. A moment that is outside the years 1 to 9999 in UTC is refused, for
// it could not be written the same way again.
func Parse(s string) (Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if year := t.UTC().Year(); err != nil || year < 1 || year > 9999 {
		return 0, fmt.Errorf("%q is not a time like 2006-01-02T15:04:05Z", s)
	}
	return Of(t), nil
}

// Std is t for the standard library; the zero time.Time for none.
func (t Time) Std() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// Add is t moved by d; what is finer than a millisecond is cut off.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// Sub is the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Millisecond }

// Before says whether t is earlier than u.
func (t Time) Before(u Time) bool { return t < u }

// After says whether t is later than u.
func (t Time) After(u Time) bool { return t > u }

// IsZero says whether t is none.
func (t Time) IsZero() bool { return t == 0 }

// String is RFC 3339, or "" for none.
func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return t.Std().Format(layout)
}

// MarshalJSON writes t as String does.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Time) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s == "" {
		*t = 0
		return nil
	}
	parsed, err := Parse(s)
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// Manual is a clock that moves only when told to. It may be used by many goroutines.
type Manual struct {
	mu  sync.Mutex
	now Time
}

// NewManual is a clock that stands at start.
func NewManual(start Time) *Manual { return &Manual{now: start} }

// Now is where the clock stands.
func (m *Manual) Now() Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock by d and says where it stands then.
func (m *Manual) Advance(d time.Duration) Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	return m.now
}
