package rules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/rules"
	"souk/internal/search/searchsvc/internal/words"
)

const (
	lamp = "lst_01k5xk3v8dtq6c9m4j0e7r2a1b"
	desk = "lst_01k5xk3v8dtq6c9m4j0e7r2a1c"
)

const file = `# what people call things
same: notebook, laptop,  portable computer
  Also : tv > television, flat screen # with a reason

pin: desk lamp > ` + lamp + ` at 2
pin: lamp > ` + lamp + `
bury: desk lamp > ` + desk + `
stop: the
`

func TestAFileIsReadAndWritten(t *testing.T) {
	t.Parallel()
	all, err := rules.Read(file)
	require.NoError(t, err)
	assert.Equal(t, []search.Rule{
		{Kind: search.RuleSynonyms, Words: []string{"notebook", "laptop", "portable computer"}},
		{Kind: search.RuleExpansion, Query: "tv", Words: []string{"television", "flat screen"}},
		{Kind: search.RulePin, Query: "desk lamp", Listing: lamp, Place: 2},
		{Kind: search.RulePin, Query: "lamp", Listing: lamp, Place: 1},
		{Kind: search.RuleBury, Query: "desk lamp", Listing: desk},
		{Kind: search.RuleStop, Query: "the"},
	}, all)
	var lines []string
	for _, r := range all {
		lines = append(lines, rules.Line(r))
	}
	again, err := rules.Read(strings.Join(lines, "\n"))
	require.NoError(t, err)
	assert.Equal(t, all, again)
}

func TestAWrongLineIsNamed(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"same: caf\xe9, coffee":                    "line 1: is not UTF-8; save the file as UTF-8",
		"\n\xff\xfes\x00":                          "line 2: is not UTF-8; save the file as UTF-8",
		"same: caf\ufffd, coffee":                  "line 1: is not UTF-8; save the file as UTF-8",
		"lamp, light":                              `line 1: should begin with same:, also:, pin:, bury: or stop:, and begins "lamp, light"`,
		"\n\nsame: alone":                          "line 3: words should be two or more that mean the same",
		"same: a > b":                              "line 1: same: has no >",
		"same: lamp, !!":                           "line 1: word 2 should have a letter or a digit",
		"also: tv":                                 "line 1: also: needs a > between the search and what it is to find",
		"also: tv > television > screen":           "line 1: also: has one > only; write a line for each",
		"stop: laptop-bag":                         "line 1: query should be one whole word",
		"stop: 茶":                                  "line 1: query should be one whole word",
		"also: tv >":                               "line 1: words should be one or more that are found too",
		"also: tv, telly > television":             "line 1: also: is about one search; write a line for each",
		"also: > television":                       "line 1: query should have a word",
		"pin: lamp >":                              "line 1: pin: needs the id of a listing after the >",
		"pin: lamp > someone":                      "line 1: listing should be the id of a listing, as in lst_…",
		"pin: lamp > " + lamp + " at nowhere":      `line 1: pin: cannot read "at nowhere" after the id of the listing`,
		"pin: lamp > " + lamp + " at 21":           "line 1: place should be 1 to 20",
		"pin: lamp > " + lamp + " at -1":           `line 1: pin: cannot read "at -1" after the id of the listing`,
		"bury: lamp > " + lamp + " at 1":           `line 1: bury: cannot read "at 1" after the id of the listing`,
		"stop: of the":                             "line 1: query should be one whole word",
		"same: a, b\nstop: x\nsame: B, A":          "line 3: says again what line 1 says",
		"pin: l > " + lamp + "\nbury: l > " + lamp: "line 2: says again what line 1 says",
		"nonsense\nsame: a, b\nrubbish":            "line 1: should begin with same:, also:, pin:, bury: or stop:, and begins \"nonsense\"\nline 3: should begin with same:, also:, pin:, bury: or stop:, and begins \"rubbish\"",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := rules.Read(text)
			require.ErrorIs(t, err, search.ErrInvalid)
			assert.Equal(t, want, errs.As(err).Message)
		})
	}
}

// TestAFileMayBeginWithAMark reads what editors on Windows save.
func TestAFileMayBeginWithAMark(t *testing.T) {
	t.Parallel()
	want, err := rules.Read("same: a, b\nstop: the\n")
	require.NoError(t, err)
	got, err := rules.Read("\ufeffsame: a, b\r\nstop: the\r\n")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestAFileOfNonsenseIsNotToldWhole(t *testing.T) {
	t.Parallel()
	_, err := rules.Read(strings.Repeat("nonsense "+strings.Repeat("x", 1000)+"\n", 1000))
	require.ErrorIs(t, err, search.ErrInvalid)
	assert.Less(t, len(errs.As(err).Message), 5000)
	assert.Contains(t, errs.As(err).Message, "and 980 more")
}

func FuzzRead(f *testing.F) {
	f.Add(file)
	f.Add("same: a\x00b, \xff, ,, c>d#e:")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := rules.Read(text)
		if err != nil {
			return
		}
		for _, r := range all {
			again, err := rules.ReadLine(rules.Line(r))
			require.NoError(t, err, "%q of %q", rules.Line(r), text)
			assert.Equal(t, r, again)
		}
	})
}

// TestAListingHasOnePlace says so of rules that were made before they were known to be about the same.
func TestAListingHasOnePlace(t *testing.T) {
	t.Parallel()
	pin := search.Rule{ID: "rul_1", Kind: search.RulePin, Query: "desk lamp", Listing: lamp, Place: 1, ChangedAt: 1}
	later := search.Rule{ID: "rul_2", Kind: search.RulePin, Query: "Desk lamps", Listing: lamp, Place: 4, ChangedAt: 2}
	last := search.Rule{ID: "rul_3", Kind: search.RuleBury, Query: "desk-lamp", Listing: lamp, ChangedAt: 3}
	other := search.Rule{ID: "rul_4", Kind: search.RulePin, Query: "desk lamp", Listing: desk, Place: 4}
	assert.Equal(t, rules.Print(pin), rules.Print(later))
	assert.NotEqual(t, rules.Print(pin), rules.Print(other))
	pins, buried := rules.NewBook(1, []search.Rule{later, pin, other}).Places(words.Parse("desk lamp"))
	assert.Equal(t, []rules.Place{{Listing: lamp, At: 4, Rule: later}, {Listing: desk, At: 4, Rule: other}}, pins)
	assert.Empty(t, buried)
	pins, buried = rules.NewBook(1, []search.Rule{last, pin, later}).Places(words.Parse("desk lamp"))
	assert.Empty(t, pins)
	assert.Equal(t, []rules.Place{{Listing: lamp, Rule: last}}, buried)
}
