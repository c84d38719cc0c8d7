package spelling_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/search/searchsvc/internal/spelling"
)

// shop is some listings, and the vocabulary of their titles.
type shop struct {
	*spelling.Book
	with map[string][]int // by word: the listings that have it anywhere, in order
	head map[string][]int // in the title
	all  int
}

func newShop(titles ...string) *shop {
	s := &shop{Book: spelling.New(), with: map[string][]int{}, head: map[string][]int{}}
	for _, title := range titles {
		s.add(strings.Fields(title), nil)
	}
	return s
}

func (s *shop) add(title, text []string) {
	each := func(words []string) []string { return slices.Compact(slices.Sorted(slices.Values(words))) }
	s.Add(each(title))
	in := func(index map[string][]int, all []string) {
		var rows []string // two words in a row
		for i := 1; i < len(all); i++ {
			rows = append(rows, all[i-1]+" "+all[i])
		}
		for _, word := range each(append(rows, all...)) {
			index[word] = append(index[word], s.all)
		}
	}
	in(s.with, slices.Concat(title, text))
	in(s.head, title)
	s.all++
}

// matching counts the listings that have all the words, "desk lamp" in a row.
func (s *shop) matching(words []string) (spelling.Matches, error) {
	return spelling.Matches{Listings: count(s.with, words), Titles: count(s.head, words)}, nil
}

func count(index map[string][]int, words []string) int64 {
	var both []int
	for i, word := range words {
		next := index[word]
		if i == 0 {
			both = next
			continue
		}
		var kept []int
		for _, at := range both {
			if _, ok := slices.BinarySearch(next, at); ok {
				kept = append(kept, at)
			}
		}
		both = kept
	}
	return int64(len(both))
}

// meant is what a text stands for; "" for nothing else.
func (s *shop) meant(text string) string {
	var typed []spelling.Typed
	for word := range strings.FieldsSeq(text) {
		typed = append(typed, spelling.Typed{Text: word, Listings: int64(len(s.with[word]))})
	}
	c, found, err := s.Propose(typed).Choose(s.matching)
	if err != nil || !found {
		return ""
	}
	return strings.Join(c.Words, " ")
}

func office() *shop {
	var titles []string
	for range 20 {
		titles = append(titles, "laptop bag black", "tooth brush soft", "laser printer", "toner cartridge black", "memory card")
	}
	for range 3 {
		titles = append(titles, "bad weather jacket", "laptop stand", "desk lamp", "toothpaste mint", "keyboard usb")
	}
	for range 8 {
		titles = append(titles, "laptop pad", "flat tv")
	}
	s := newShop(append(titles, "lapttop sticker", "zither", "stad lamp", "stend lamp")...)
	s.add([]string{"strings"}, []string{"for", "your", "zither"})
	return s
}

func TestCorrect(t *testing.T) {
	t.Parallel()
	s := office()
	tests := map[string]struct{ text, want string }{
		"one word":                               {"latpop", "laptop"},
		"in each word one":                       {"lazer pritner", "laser printer"},
		"the rest stays":                         {"tonr black", "toner black"},
		"a word that exists beside the other":    {"laptop bad", "laptop bag"},
		"what goes together":                     {"desk lanp", "desk lamp"},
		"two words written as one":               {"laptopbag", "laptop bag"},
		"as one, with a slip":                    {"laptpobag", "laptop bag"},
		"one word written as two":                {"key board usb", "keyboard usb"},
		"as two, with a slip":                    {"key boatd usb", "keyboard usb"},
		"where no query matches, what can be":    {"tn2110 cartridgge", "tn2110 cartridge"},
		"a word of one title and more texts":     {"zitger", "zither"},
		"a word of one title alone":              {"sticler", ""},
		"two letters, beside another word":       {"laptop pa", "laptop pad"},
		"and nothing beside it":                  {"pa", ""},
		"two letters of three":                   {"flat tbv", "flat tv"},
		"a rarer word that goes with the other":  {"laptop stad", "laptop stand"},
		"not by another letter, if not by far":   {"laptop stend", ""},
		"a letter left out before a wrong one":   {"bursh soft", "brush soft"},
		"nothing near":                           {"zyxwvut", ""},
		"nothing near, beside what is there":     {"zyxwvut black", ""},
		"a single word that one listing has":     {"lapttop", "laptop"},
		"two edits in one word":                  {"cratrige", "cartridge"},
		"nothing":                                {"", ""},
		"a word that is there is not had twice":  {"laptop latpop bag", ""},
		"two words that nobody has in a row":     {"lampdesk", "lamp desk"},
		"two words that no title has":            {"lamptoner", ""},
		"a sentence is left alone":               {strings.Repeat("latpop ", 13), ""},
		"all of a sentence that is not too long": {"latpop bga blakc", "laptop bag black"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, s.meant(tt.text))
		})
	}
}

// TestModelNumbersThatAreNone types with hyphens, or as one, what is written apart.
func TestModelNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	s := newShop("ace colour printer", "ace colour printer", "ace lg1 stick", "lgt mount", "lgt mount", "core i7 chip", "core i7 chip")
	part := func(text string) spelling.Typed {
		return spelling.Typed{Text: text, Listings: int64(len(s.with[text]))}
	}
	tests := map[string]struct {
		typed spelling.Typed
		want  []string
	}{
		"a name and a thing":          {spelling.Typed{Text: "aceprinter", Parts: []spelling.Typed{part("ace"), part("printer")}}, []string{"ace", "printer"}},
		"with a slip":                 {spelling.Typed{Text: "aceprintr", Parts: []spelling.Typed{part("ace"), part("printr")}}, []string{"ace", "printer"}},
		"with what nothing is like":   {spelling.Typed{Text: "acezyxwvut", Parts: []spelling.Typed{part("ace"), part("zyxwvut")}}, nil},
		"words that nobody has both":  {spelling.Typed{Text: "acechip", Parts: []spelling.Typed{part("ace"), part("chip")}}, nil},
		"letters and digits":          {spelling.Typed{Text: "corei7", Halves: []string{"core", "i7"}}, []string{"core", "i7"}},
		"what is there is not parted": {spelling.Typed{Text: "ace", Listings: 3, Parts: []spelling.Typed{part("core"), part("i7")}}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.typed.Code = true
			c, found, err := s.Propose([]spelling.Typed{tt.typed}).Choose(s.matching)
			require.NoError(t, err)
			if assert.Equal(t, tt.want != nil, found) && found {
				assert.Equal(t, tt.want, c.Words)
			}
		})
	}
}

func TestAWordThatStandsWithNoneOfTheOthers(t *testing.T) {
	t.Parallel()
	var titles []string
	for range 6 {
		titles = append(titles, "game pad", "motor controller", "raid controller")
	}
	s := newShop(append(titles, "game controlled", "toy controlled")...)
	s.add([]string{"game", "pad"}, []string{"cattle"})
	s.add([]string{"cattle", "bell"}, nil)
	s.add([]string{"kettle"}, nil)
	s.add([]string{"kettle"}, nil)
	tests := map[string]struct{ text, want string }{
		"one slip, not two for what goes together":     {"game conrtoller", "game controller"},
		"where one would do, it is what goes together": {"game cettle", "game cattle"},
		"and where the word alone says it":             {"conrtoller", "controller"},
		"a word that listings have stays":              {"game controlled", ""},
		"not while another is not known":               {"zyxwvut game conrtoller", "zyxwvut game controller"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, s.meant(tt.text))
		})
	}
}

// TestWordsThatListingsHaveAreJoinedWhereThatIsFound joins what each is in titles, where no listing has the joined word with the rest.
func TestWordsThatListingsHaveAreJoinedWhereThatIsFound(t *testing.T) {
	t.Parallel()
	titles := []string{"bottle top", "bottle top", "oak desk tap"}
	for range 12 {
		titles = append(titles, "desk light", "water tap", "desktop computer", "oak shelf")
	}
	assert.Equal(t, "oak desk tap", newShop(titles...).meant("oak desk top"))
	assert.Equal(t, "oak desktop", newShop(append(titles, "oak desktop")...).meant("oak desk top"))
}

// TestWhatOneListingAloneHasMayBeOffered is about words that are nobody's correction.
func TestWhatOneListingAloneHasMayBeOffered(t *testing.T) {
	t.Parallel()
	s := office()
	tests := map[string]struct{ text, want string }{
		"a long word":                 {"sticler", "sticker"},
		"beside the other words":      {"lapttop sticler", "lapttop sticker"},
		"not beside words of others":  {"laser sticler", ""},
		"nor a short one":             {"stadx", ""},
		"nor where nothing is missed": {"sticker", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var typed []spelling.Typed
			for word := range strings.FieldsSeq(tt.text) {
				typed = append(typed, spelling.Typed{Text: word, Listings: int64(len(s.with[word]))})
			}
			c, found, err := s.Propose(typed).Choose(s.matching)
			require.NoError(t, err)
			assert.False(t, found)
			if tt.want == "" {
				assert.Zero(t, c.Listings)
				return
			}
			assert.EqualValues(t, 1, c.Listings)
			assert.Equal(t, tt.want, strings.Join(c.Words, " "))
		})
	}
}

// TestAWordOfWhichTitlesHaveTheStemOnly types what is by its stem another word, as the index says that listings have it.
func TestAWordOfWhichTitlesHaveTheStemOnly(t *testing.T) {
	t.Parallel()
	var titles []string
	for range 5 {
		titles = append(titles, "gaming keyboard")
	}
	s := newShop(append(titles, "gma switch", "gma board")...)
	s.add([]string{"table"}, []string{"for", "gaming"})
	s.add([]string{"cat", "bed"}, nil)
	s.add([]string{"berry", "jam"}, nil)
	for range 3 {
		s.add([]string{"cast", "pan"}, []string{"with", "tower"})
		s.add([]string{"beries", "pan"}, []string{"with", "tower"})
	}
	tests := map[string]struct {
		typed []spelling.Typed
		want  []string
	}{
		"beside another word":                             {[]spelling.Typed{{Text: "gmaing", Listings: 70}, {Text: "keyboard", Listings: 5}}, []string{"gaming", "keyboard"}},
		"it may be meant, alone":                          {[]spelling.Typed{{Text: "gmaing", Listings: 70}}, nil},
		"and beside what it goes with, by another letter": {[]spelling.Typed{{Text: "gaminx", Listings: 70}, {Text: "keyboard", Listings: 5}}, nil},
		"where others have both in a text":                {[]spelling.Typed{{Text: "gmaing", Listings: 70}, {Text: "table", Listings: 1}}, []string{"gaming", "table"}},
		"not what is several of a thing":                  {[]spelling.Typed{{Text: "cats", Listings: 20}, {Text: "tower", Listings: 5}}, nil},
		"nor with another ending":                         {[]spelling.Typed{{Text: "berries", Listings: 9}, {Text: "tower", Listings: 5}}, nil},
		"and where what is near goes with nothing":        {[]spelling.Typed{{Text: "gmaing", Listings: 70}, {Text: "switch", Listings: 1}}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, found, err := s.Propose(tt.typed).Choose(s.matching)
			require.NoError(t, err)
			if assert.Equal(t, tt.want != nil, found) && found {
				assert.Equal(t, tt.want, c.Words)
			}
		})
	}
}

func TestOneOfTwoWordsThatListingsHaveIsMeantAtLeast(t *testing.T) {
	t.Parallel()
	var titles []string
	for range 20 {
		titles = append(titles, "memory card to print", "post card")
	}
	s := newShop(append(titles, "toy blocks", "toy animals", "car radio", "car charger")...)
	assert.Empty(t, s.meant("toy car"), "not to card")
	assert.Equal(t, "memory card", s.meant("memory car"))
	assert.Empty(t, newShop(append(titles, "tv arm", "tv arm")...).meant("card tv"), "not card to")
}

// TestAWordOfOneTitleAndMoreTexts types what is a box by another letter, and by two swapped what few listings have.
func TestAWordOfOneTitleAndMoreTexts(t *testing.T) {
	t.Parallel()
	s := newShop("xbox one")
	for range 3 {
		s.add([]string{"cable"}, []string{"for", "xbox", "one"})
	}
	for range 30 {
		s.add([]string{"paper", "box"}, []string{"with", "one", "tray"})
	}
	assert.Equal(t, "xbox one", s.meant("bxox one"))
	assert.Equal(t, "paper box", s.meant("paper bxo"))
}

func TestACorrectionTellsTheNextBest(t *testing.T) {
	t.Parallel()
	s := office()
	tests := map[string]struct {
		text   string
		best   string
		slight bool
		others []string
	}{
		"a letter left out":   {"laptop stad", "laptop stand", true, nil},
		"two swapped":         {"latpop", "laptop", true, nil},
		"a wrong letter":      {"lanp", "lamp", false, nil},
		"one that is a word":  {"laptop bad", "laptop bag", false, nil},
		"one that may be two": {"zad", "pad", false, []string{"bad"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var typed []spelling.Typed
			for word := range strings.FieldsSeq(tt.text) {
				typed = append(typed, spelling.Typed{Text: word, Listings: int64(len(s.with[word]))})
			}
			c, found, err := s.Propose(typed).Choose(s.matching)
			require.NoError(t, err)
			require.True(t, found)
			assert.Equal(t, tt.best, strings.Join(c.Words, " "))
			assert.Equal(t, tt.slight, c.Slight)
			var others []string
			for _, other := range c.Others {
				assert.Positive(t, other.Listings)
				others = append(others, strings.Join(other.Words, " "))
			}
			assert.Equal(t, tt.others, others)
		})
	}
}

func TestACorrectionSaysWhatItChanges(t *testing.T) {
	t.Parallel()
	s := office()
	c, found, err := s.Propose([]spelling.Typed{{Text: "usb", Listings: 3}, {Text: "key"}, {Text: "board"}}).Choose(s.matching)
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, []spelling.Change{{First: 1, Last: 2, Text: "keyboard"}}, c.Changes)
	assert.Equal(t, []string{"usb", "keyboard"}, c.Words)
	assert.EqualValues(t, 3, c.Listings)
}

func TestWhatIsFixedStays(t *testing.T) {
	t.Parallel()
	s := office()
	_, found, err := s.Propose([]spelling.Typed{{Text: "latpop", Fixed: true}}).Choose(s.matching)
	require.NoError(t, err)
	assert.False(t, found)
	_, found, err = s.Propose([]spelling.Typed{{Text: "key"}, {Text: "board", Fixed: true}}).Choose(s.matching)
	require.NoError(t, err)
	assert.False(t, found)
}

func TestTheIndexIsAskedAFewTimesOnly(t *testing.T) {
	t.Parallel()
	s, asked := office(), 0
	_, found, err := s.Propose([]spelling.Typed{{Text: "latpop"}, {Text: "bga"}, {Text: "blakc"}, {Text: "tonr"}}).Choose(func(words []string) (spelling.Matches, error) {
		if asked++; len(words) > 1 {
			return spelling.Matches{}, nil
		}
		return s.matching(words)
	})
	require.NoError(t, err)
	assert.True(t, found, "mended word by word")
	assert.LessOrEqual(t, asked, 16)
}

func TestCodesAreMendedToWhatTheCallerKnows(t *testing.T) {
	t.Parallel()
	s := office()
	s.add([]string{"ml350", "toner"}, nil)
	s.add([]string{"ml3500"}, nil)
	typed := []spelling.Typed{{Text: "toner", Listings: 21}, {Text: "mml350", Code: true, Also: []spelling.Word{
		spelling.Slip("mml350", "ml350", 1), spelling.Slip("mml350", "mml3500", 1),
	}}}
	c, found, err := s.Propose(typed).Choose(s.matching)
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, []string{"toner", "ml350"}, c.Words, "one listing is enough: codes are like that")
	typed[1].Also = nil
	_, found, err = s.Propose(typed).Choose(s.matching)
	require.NoError(t, err)
	assert.False(t, found)
}

func TestAnIndexThatCannotBeAskedIsAnError(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	_, _, err := office().Propose([]spelling.Typed{{Text: "latpop"}}).Choose(func([]string) (spelling.Matches, error) { return spelling.Matches{}, gone })
	require.ErrorIs(t, err, gone)
}
