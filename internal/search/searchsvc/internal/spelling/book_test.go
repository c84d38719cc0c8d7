package spelling_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/search/searchsvc/internal/spelling"
)

// book is a vocabulary in which each word stands in so many listings.
func book(counts map[string]int) *spelling.Book {
	b := spelling.New()
	for text, n := range counts {
		for range n {
			b.Add([]string{text})
		}
	}
	return b
}

func texts(found []spelling.Word) []string {
	out := []string{}
	for _, w := range found {
		out = append(out, w.Text)
	}
	return out
}

func TestNear(t *testing.T) {
	t.Parallel()
	b := book(map[string]int{
		"laptop": 40, "lantern": 5, "toner": 90, "tuner": 3, "keyboard": 30, "keybord": 1, "dell": 20, "dill": 4,
		"monitor": 9, "für": 3, "наушники": 7, "ipad": 9, "printer": 50, "winter": 4, "charger": 8, "charges": 8,
		"tn2110": 9, "bags": 4, "cartridge": 60, "sea": 5, "tea": 5,
	})
	tests := map[string]struct {
		typed string
		want  []string
	}{
		"swapped":                             {"latpop", []string{"laptop"}},
		"left out":                            {"lapto", []string{"laptop"}},
		"twice":                               {"lapptop", []string{"laptop"}},
		"the key beside":                      {"kaptop", []string{"laptop"}},
		"two edits of a long word":            {"cratrige", []string{"cartridge"}},
		"two edits of a short word":           {"tnre", []string{}},
		"one seller's slip comes last":        {"keybrd", []string{"keyboard", "keybord"}},
		"two edits and another beginning":     {"wonitot", []string{}},
		"and may be mended":                   {"keybord", []string{"keyboard"}},
		"the nearer one first":                {"pinter", []string{"printer", "winter"}},
		"of equals the likelier slip":         {"chargef", []string{"charger", "charges"}},
		"of equals the first letter as typed": {"dekl", []string{"dell"}},
		"the commoner one":                    {"tbner", []string{"toner", "tuner"}},
		"another script":                      {"наушнки", []string{"наушники"}},
		"three letters":                       {"ipd", []string{"ipad"}},
		"two letters":                         {"ip", []string{}},
		"a code":                              {"tn2119", []string{}},
		"itself":                              {"laptop", []string{}},
		"nothing near":                        {"qqqqqqqq", []string{}},
		"nothing":                             {"", []string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, texts(b.Near(tt.typed, 5)))
		})
	}
}

func TestWordsComeAndGoWithTheirListings(t *testing.T) {
	t.Parallel()
	b := spelling.New()
	assert.Empty(t, b.Near("laptpo", 5), "an empty book")
	b.Add([]string{"laptop", "bag"})
	assert.Empty(t, b.Near("latppo", 5), "one listing is not enough over two edits")
	b.Add([]string{"laptop", "bag"})
	assert.Equal(t, []string{"laptop"}, texts(b.Near("latppo", 5)))
	assert.Equal(t, 2, b.Listings("laptop"))
	assert.Equal(t, 2, b.Len())
	b.Remove([]string{"laptop", "bag"})
	b.Remove([]string{"laptop", "bag"})
	assert.Empty(t, b.Near("laptpo", 5))
	assert.Zero(t, b.Listings("bag"))
	assert.Zero(t, b.Len())
	b.Remove([]string{"laptop", "never added"})
	assert.Zero(t, b.Listings("laptop"))
	b.Add([]string{"laptop"})
	b.Add([]string{"laptop"})
	assert.Equal(t, []string{"laptop"}, texts(b.Near("latppo", 5)))
	assert.Equal(t, 1, b.Len())
}

// random is a made-up word of letters that words have.
func random(r *rand.Rand) string {
	letters := "eeeeaaaiiooutttnnnsssrrrlldcmphgbfykwvxzjq"
	text := make([]byte, 3+r.IntN(10))
	for i := range text {
		text[i] = letters[r.IntN(len(letters))]
	}
	return string(text)
}

func TestABookThatLosesMostOfItsWordsForgetsThem(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // a test that can be repeated
	b, there := spelling.New(), map[string]bool{}
	for len(there) < 6000 {
		if text := random(r); len(text) > 3 {
			there[text] = true
		}
	}
	var all []string
	for text := range there {
		all = append(all, text)
	}
	b.Add(all)
	b.Add(all)
	require.Equal(t, len(all), b.Len())
	b.Remove(all[:5000])
	b.Remove(all[:5000])
	assert.Equal(t, 1000, b.Len())
	for _, text := range all[:5000] {
		require.Zero(t, b.Listings(text))
	}
	for _, text := range all[5000:] {
		found := b.Near(text+"e", 40)
		require.Contains(t, texts(found), text)
		for _, w := range found {
			require.Equal(t, 2, w.Listings, "%s is gone", w.Text)
		}
	}
	b.Add(all)
	b.Add(all)
	assert.Equal(t, len(all), b.Len())
}

// edited is text with one random edit: a letter left out, put in, taken for another, or swapped
// with the next one.
func edited(r *rand.Rand, text string) string {
	for {
		letters := []rune(text)
		at := r.IntN(len(letters))
		other := rune('a' + r.IntN(26))
		switch r.IntN(4) {
		case 0:
			letters = append(letters[:at], letters[at+1:]...)
		case 1:
			letters = append(letters[:at], append([]rune{other}, letters[at:]...)...)
		case 2:
			letters[at] = other
		default:
			if at+1 < len(letters) {
				letters[at], letters[at+1] = letters[at+1], letters[at]
			}
		}
		if out := string(letters); out != text {
			return out
		}
	}
}

func TestEveryEditIsFound(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test that can be repeated
	b := spelling.New()
	var all []string
	for len(all) < 3000 {
		if text := random(r); len(text) > 3 {
			all = append(all, text)
		}
	}
	b.Add(all)
	b.Add(all)
	for _, text := range all {
		typed := edited(r, text)
		if utf8.RuneCountInString(typed) >= 3 {
			require.Contains(t, texts(b.Near(typed, 1000)), text, "%s for %s", typed, text)
		}
		if half := len(text) / 2; half >= 3 { // two edits that do not meet
			typed = edited(r, text[:half]) + edited(r, text[half:])
			if len(typed) >= 8 && typed != text {
				require.Contains(t, texts(b.Near(typed, 1000)), text, "%s for %s", typed, text)
			}
		}
	}
}

func TestSlipsAreAllThatIsOneEditAway(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // a test that can be repeated
	all := spelling.Slips("garmin")
	assert.IsIncreasing(t, all)
	for range 1000 {
		assert.Contains(t, all, edited(r, "garmin"))
	}
	assert.Empty(t, spelling.Slips("für"))
	assert.Empty(t, spelling.Slips("tn2110"))
	assert.Equal(t, []string{"garmin", "gamin"}, texts(spelling.Likely([]spelling.Word{
		spelling.Slip("gramin", "gamin", 50), spelling.Slip("gramin", "garmin", 50), spelling.Slip("gramin", "gremin", 1),
	}, 2)))
}

// big is a vocabulary of so many words.
func big(n int) *spelling.Book {
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a benchmark that can be repeated
	b := spelling.New()
	for b.Len() < n {
		one := []string{random(r)}
		b.Add(one)
		b.Add(one)
	}
	return b
}

func BenchmarkNear(b *testing.B) {
	vocabulary := big(200_000)
	for _, typed := range []string{"taner", "stannerd", "ineasttorn", "zzqjxkvw"} {
		b.Run(fmt.Sprintf("%d words/%s", vocabulary.Len(), typed), func(b *testing.B) {
			for b.Loop() {
				vocabulary.Near(typed, 5)
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var book *spelling.Book
	for b.Loop() {
		book = big(200_000)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(book.Len()), "B/word")
}
