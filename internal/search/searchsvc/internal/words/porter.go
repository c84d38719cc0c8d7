package words

// stem is a word of a to z without its ending, by M. F. Porter, "An algorithm for suffix
// stripping", Program 14 (1980) 3, 130-137, as SQLite's porter tokenizer has it; before that,
// plurals that have no ending and words whose s is none. Unlike his, it keeps the endings -er, -izer and -ator of what
// does something: a controller is a thing, and not what is controlled; an organizer is not organic.
func stem(word string) string {
	if len(word) < 3 || len(word) > MaxLetter {
		return word
	}
	if known := irregular(word); known != "" {
		return known
	}
	var s stemmer
	n := copy(s.b[:], word)
	s.n = n
	s.plural()
	s.past()
	s.final()
	s.replace(step2)
	s.replace(step3)
	s.strip()
	s.tidy()
	if s.n <= n && string(s.b[:s.n]) == word[:s.n] {
		return word[:s.n] // shares the text's memory, as most do
	}
	return string(s.b[:s.n])
}

// irregular is the stem of a word that the algorithm does not know; "" for others.
func irregular(word string) string {
	switch word {
	case "mice":
		return "mous"
	case "feet":
		return "foot"
	case "teeth":
		return "tooth"
	case "geese":
		return "goos"
	case "men", "mens":
		return "man"
	case "women", "womens":
		return "woman"
	case "children", "childrens":
		return "child"
	case "knives":
		return "knife"
	case "shelves":
		return "shelf"
	case "halves":
		return "half"
	case "scarves":
		return "scarf"
	case "loaves":
		return "loaf"
	case "wolves":
		return "wolf"
	case "indices":
		return "index"
	case "matrices":
		return "matrix"
	case "lens", "lenses":
		return "lens"
	case "gps", "ios", "nas", "ups", "bus", "gas", "dns", "aws", "sas", "ips", "tens", "plus", "atlas", "canvas", "iris", "chess", "always":
		return word
	case "buses":
		return "bus"
	case "gases":
		return "gas"
	case "colour", "colours", "coloured":
		return "color"
	case "grey", "greys":
		return "grai"
	case "adaptor", "adaptors":
		return "adapter"
	}
	return ""
}

// stemmer is a word being reduced.
type stemmer struct {
	b [MaxLetter + 1]byte
	n int
}

func (s *stemmer) consonant(i int) bool {
	switch s.b[i] {
	case 'a', 'e', 'i', 'o', 'u':
		return false
	case 'y':
		return i == 0 || !s.consonant(i-1)
	}
	return true
}

// measure is how often vowels are followed by consonants in the first n letters.
func (s *stemmer) measure(n int) (m int) {
	vowel := false
	for i := range n {
		consonant := s.b[i] != 'a' && s.b[i] != 'e' && s.b[i] != 'i' && s.b[i] != 'o' && s.b[i] != 'u'
		if s.b[i] == 'y' {
			consonant = i == 0 || vowel
		}
		if consonant && vowel {
			m++
		}
		vowel = !consonant
	}
	return m
}

// vowel says whether there is one in the first n letters.
func (s *stemmer) vowel(n int) bool {
	for i := range n {
		if !s.consonant(i) {
			return true
		}
	}
	return false
}

// double says whether the word ends in two of the same consonant.
func (s *stemmer) double() bool {
	return s.n >= 2 && s.b[s.n-1] == s.b[s.n-2] && s.consonant(s.n-1)
}

// short says whether the first n letters end as hop does, but not as how, box or boy do.
func (s *stemmer) short(n int) bool {
	if n < 3 || !s.consonant(n-1) || s.consonant(n-2) || !s.consonant(n-3) {
		return false
	}
	c := s.b[n-1]
	return c != 'w' && c != 'x' && c != 'y'
}

func (s *stemmer) ends(suffix string) bool {
	return s.n > len(suffix) && string(s.b[s.n-len(suffix):s.n]) == suffix
}

// set puts an ending in place of the last letters.
func (s *stemmer) set(drop int, ending string) {
	s.n -= drop
	s.n += copy(s.b[s.n:], ending)
}

// plural is step 1a.
func (s *stemmer) plural() {
	if s.b[s.n-1] != 's' {
		return
	}
	switch {
	case s.ends("sses"), s.ends("ies"):
		s.n -= 2
	case s.ends("ss"):
	default:
		s.n--
	}
}

// past is step 1b.
func (s *stemmer) past() {
	switch {
	case s.ends("eed"):
		if s.measure(s.n-3) > 0 {
			s.n--
		}
		return
	case s.ends("ed") && s.vowel(s.n-2):
		s.n -= 2
	case s.ends("ing") && s.vowel(s.n-3):
		s.n -= 3
	default:
		return
	}
	switch {
	case s.ends("at"), s.ends("bl"), s.ends("iz"):
		s.set(0, "e")
	case s.double():
		if c := s.b[s.n-1]; c != 'l' && c != 's' && c != 'z' {
			s.n--
		}
	case s.measure(s.n) == 1 && s.short(s.n):
		s.set(0, "e")
	}
}

// final is step 1c.
func (s *stemmer) final() {
	if s.n > 1 && s.b[s.n-1] == 'y' && s.vowel(s.n-1) {
		s.b[s.n-1] = 'i'
	}
}

type ending struct{ from, to string }

// The endings of steps 2 and 3 by their last letter but one, and by their last.
var (
	step2 = endings(func(s string) byte { return s[len(s)-2] }, []ending{
		{"ational", "ate"},
		{"tional", "tion"},
		{"enci", "ence"},
		{"anci", "ance"},
		{"logi", "log"},
		{"bli", "ble"},
		{"alli", "al"},
		{"entli", "ent"},
		{"eli", "e"},
		{"ousli", "ous"},
		{"ization", "ize"},
		{"ation", "ate"},
		{"alism", "al"},
		{"iveness", "ive"},
		{"fulness", "ful"},
		{"ousness", "ous"},
		{"aliti", "al"},
		{"iviti", "ive"},
		{"biliti", "ble"},
	})
	step3 = endings(func(s string) byte { return s[len(s)-2] }, []ending{
		{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""},
	})
	step4 = endings(func(s string) byte { return s[len(s)-2] }, []ending{
		{"al", ""},
		{"ance", ""},
		{"ence", ""},
		{"ic", ""},
		{"able", ""},
		{"ible", ""},
		{"ant", ""},
		{"ement", ""},
		{"ment", ""},
		{"ent", ""},
		{"ion", ""},
		{"ou", ""},
		{"ism", ""},
		{"ate", ""},
		{"iti", ""},
		{"ous", ""},
		{"ive", ""},
		{"ize", ""},
	})
)

func endings(key func(string) byte, all []ending) *[128][]ending {
	var by [128][]ending
	for _, e := range all {
		by[key(e.from)] = append(by[key(e.from)], e)
	}
	return &by
}

// replace is steps 2 and 3.
func (s *stemmer) replace(by *[128][]ending) {
	if s.n < 3 {
		return
	}
	for _, e := range by[s.b[s.n-2]] {
		if s.ends(e.from) {
			if s.measure(s.n-len(e.from)) > 0 {
				s.set(len(e.from), e.to)
			}
			return
		}
	}
}

// strip is step 4.
func (s *stemmer) strip() {
	if s.n < 3 {
		return
	}
	for _, e := range step4[s.b[s.n-2]] {
		if !s.ends(e.from) {
			continue
		}
		rest := s.n - len(e.from)
		if e.from == "ion" && s.b[rest-1] != 's' && s.b[rest-1] != 't' {
			return
		}
		if s.measure(rest) > 1 {
			s.n = rest
		}
		return
	}
}

// tidy is step 5.
func (s *stemmer) tidy() {
	if s.b[s.n-1] == 'e' {
		m := s.measure(s.n - 1)
		if m > 1 || m == 1 && !s.short(s.n-1) {
			s.n--
		}
	}
	if s.b[s.n-1] == 'l' && s.double() && s.measure(s.n) > 1 {
		s.n--
	}
}
