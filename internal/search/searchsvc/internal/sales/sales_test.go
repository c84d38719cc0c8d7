package sales_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"souk/internal/search/searchsvc/internal/sales"
)

const today = 20_500 // in 2026

func TestScore(t *testing.T) {
	t.Parallel()
	one := sales.Score([]sales.Day{{Day: today, Pieces: 1}})
	tests := map[string]struct {
		days []sales.Day
		want uint32
	}{
		"nothing sold":                   {nil, 0},
		"all cancelled":                  {[]sales.Day{{Day: today, Pieces: 0}}, 0},
		"less than nothing":              {[]sales.Day{{Day: today, Pieces: -3}}, 0},
		"twice as much":                  {[]sales.Day{{Day: today, Pieces: 2}}, one + 65536},
		"twice as much, on two days":     {[]sales.Day{{Day: today, Pieces: 1}, {Day: today, Pieces: 1}}, one + 65536},
		"a half-life ago":                {[]sales.Day{{Day: today - sales.HalfLife, Pieces: 1}}, one - 65536},
		"two a half-life ago":            {[]sales.Day{{Day: today - sales.HalfLife, Pieces: 2}}, one},
		"one now, two a half-life ago":   {[]sales.Day{{Day: today - sales.HalfLife, Pieces: 2}, {Day: today, Pieces: 1}}, one + 65536},
		"in any order":                   {[]sales.Day{{Day: today, Pieces: 1}, {Day: today - sales.HalfLife, Pieces: 2}}, one + 65536},
		"the first day of the calendar":  {[]sales.Day{{Day: 0, Pieces: 1}}, 1},
		"a day too far to be multiplied": {[]sales.Day{{Day: 1 << 40, Pieces: 1 << 40}}, 1<<32 - 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, sales.Score(tt.days))
		})
	}
}

// TestTheOrderHoldsForEver compares two listings by their scores and by what the definition says on a
// later day.
func TestTheOrderHoldsForEver(t *testing.T) {
	t.Parallel()
	days := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sales.Day {
		return sales.Day{Day: today - rapid.Int64Range(0, sales.Window).Draw(t, "ago"), Pieces: rapid.Int64Range(1, 5000).Draw(t, "pieces")}
	}), 1, 20)
	rapid.Check(t, func(t *rapid.T) {
		a, b := days.Draw(t, "a"), days.Draw(t, "b")
		later := today + rapid.Int64Range(0, 2*sales.Window).Draw(t, "later")
		x, y := plain(a, later), plain(b, later)
		if x > y*1.0001 && sales.Score(a) <= sales.Score(b) || y > x*1.0001 && sales.Score(b) <= sales.Score(a) {
			t.Fatalf("%v: %g, %d; %v: %g, %d", a, x, sales.Score(a), b, y, sales.Score(b))
		}
	})
}

// plain is the score as it is defined, halved day by day.
func plain(days []sales.Day, on int64) float64 {
	sum := 0.0
	for _, d := range days {
		weight := float64(d.Pieces)
		for age := on - d.Day; age > 0; age -= sales.HalfLife {
			if age >= sales.HalfLife {
				weight /= 2
			} else {
				for range age {
					weight /= 1.023373891996775 // the 30th root of 2
				}
			}
		}
		sum += weight
	}
	return sum
}
