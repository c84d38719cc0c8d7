// Package sales says how well something sells: how many pieces were sold, where a piece sold long ago
// counts for less than one sold today.
//
// # The score
//
// A piece sold on day d counts 2^(-(t-d)/30) on day t: half after 30 days, a quarter after 60. So
// on day t a listing has
//
//	s(t) = Σ pieces(d) · 2^(-(t-d)/30) = 2^(-t/30) · Σ pieces(d) · 2^(d/30)
//
// The factor before the sum is the same for every listing, so the sum alone puts them in the same order, on any
// day: nothing has to be computed again as time goes by. (This is forward decay with an exponential
// function: Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, a practical time decay model for
// streaming systems, ICDE 2009.) The sum grows without bound; its logarithm does so slowly enough to be
// kept for ever:
//
//	Score = 65536 · log2 Σ pieces(d) · 2^(d/30)
//
// 65536 of it are twice as much sold, or the same sold 30 days later.
package sales

import "math"

const (
	// HalfLife is after how many days a piece sold counts half.
	HalfLife = 30
	// Window is for how many days sales count at all. A piece sold before counts a four-thousandth.
	Window = 12 * HalfLife

	scale = 1 << 16
)

// Day is what was sold on a day.
type Day struct {
	Day    int64 `db:"day"` // since 1970, in UTC
	Pieces int64 `db:"pieces"`
}

// Score is how well something with these days sells, in an order that holds for ever. Nothing sold is 0.
// Days do not have to be in order.
func Score(days []Day) uint32 {
	latest := int64(math.MinInt64)
	for _, d := range days {
		if d.Pieces > 0 {
			latest = max(latest, d.Day)
		}
	}
	if latest == math.MinInt64 {
		return 0
	}
	sum := 0.0
	for _, d := range days {
		if d.Pieces > 0 {
			sum += float64(d.Pieces) * math.Exp2(float64(d.Day-latest)/HalfLife)
		}
	}
	score := math.Round(scale * (float64(latest)/HalfLife + math.Log2(sum)))
	return uint32(min(max(score, 1), math.MaxUint32))
}
