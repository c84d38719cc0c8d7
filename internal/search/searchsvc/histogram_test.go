package searchsvc

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/platform/money"
)

func TestBarsHaveEveryPriceOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int64{0, 3, 500, 1_000_000, 1e17}).Draw(t, "most")
		c := priceCount{some: rapid.SliceOfN(rapid.Int64Range(0, most), 0, 100).Draw(t, "prices")}
		if c.total = int64(len(c.some)); c.total > 0 {
			c.least, c.most = slices.Min(c.some), slices.Max(c.some)
		}
		all := c.bars()
		require.LessOrEqual(t, len(all), bars)
		sum := int64(0)
		for i, r := range all {
			require.LessOrEqual(t, r.min, r.max)
			if i > 0 {
				require.Equal(t, all[i-1].max+1, r.min)
			}
			in := int64(0)
			for _, p := range c.some {
				if p >= r.min && p <= r.max {
					in++
				}
			}
			require.Equal(t, in, r.count)
			sum += in
		}
		require.Equal(t, c.total, sum)
	})
}

func TestABarThatIsAnEstimateIsToldOfTheWholeReply(t *testing.T) {
	t.Parallel()
	for _, all := range []int64{3, 4} {
		w := &walk{shelf: &shelf{moneys: []money.Currency{"", "EUR"}}}
		facet := w.histogram([]priceCount{{}, {some: []int64{100, 200, 300}, total: all, least: 100, most: 300}})
		require.Equal(t, all == 4, facet.Approximate)
		require.Equal(t, facet.Approximate, w.rough)
	}
}
