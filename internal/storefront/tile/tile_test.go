package tile_test

import (
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/storefront/tile"
)

func TestInitialsAreThoseOfTheFirstTwoWords(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"Linen shirt, blue": "LS", "élan": "É", "  3M tape": "3T", "“quoted” thing": "QT", "!!": "·", "": "·",
	}
	for title, want := range tests {
		assert.Equal(t, want, tile.Initials(title), title)
	}
}

func TestDrawingIsWellFormedAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	for _, title := range []string{"Linen shirt", `<script>"&`, "", "日本 茶碗"} {
		drawn := tile.File(tile.Hue(0, "home/"+title), title)
		assert.Equal(t, drawn, tile.File(tile.Hue(0, "home/"+title), title))
		decoder := xml.NewDecoder(strings.NewReader(drawn))
		for {
			if _, err := decoder.Token(); err != nil {
				require.EqualError(t, err, "EOF", title)
				break
			}
		}
		assert.NotContains(t, drawn, "%!", "a format went wrong")
		assert.NotContains(t, drawn, "style=")
	}
}

func TestLettersCanBeReadOnEveryHue(t *testing.T) {
	t.Parallel()
	for hue := range 360 {
		drawn := tile.Inline(hue, "Some thing")
		found := regexp.MustCompile(`hsl\((\d+),(\d+)%,(\d+)%\)`).FindAllString(drawn, -1)
		require.Len(t, found, 6) // ground, shape and letters, each by day and by night
		for i, behind := range found[:4] {
			ratio := contrast(luminance(t, found[4+i%2]), luminance(t, behind))
			assert.Greater(t, ratio, 4.5, "hue %d: letters on %s", hue, behind)
		}
	}
}

func contrast(a, b float64) float64 { return (max(a, b) + .05) / (min(a, b) + .05) }

// luminance is the relative luminance of a colour, as WCAG defines it.
func luminance(t *testing.T, hsl string) float64 {
	t.Helper()
	var h, s, l float64
	_, err := fmt.Sscanf(hsl, "hsl(%f,%f%%,%f%%)", &h, &s, &l)
	require.NoError(t, err)
	s, l = s/100, l/100
	channel := func(n float64) float64 {
		k := math.Mod(n+h/30, 12)
		v := l - s*math.Min(l, 1-l)*math.Max(-1, math.Min(math.Min(k-3, 9-k), 1))
		if v <= .04045 {
			return v / 12.92
		}
		return math.Pow((v+.055)/1.055, 2.4)
	}
	return .2126*channel(0) + .7152*channel(8) + .0722*channel(4)
}
