package searchsvc

import (
	"crypto/sha256"
	"runtime"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/search/searchsvc/internal/words"
)

// entry is what is indexed of a listing.
type entry struct {
	ID        catalog.ListingID
	Version   int64
	Shown     bool
	Seller    catalog.SellerID
	Path      string
	Image     string
	Currency  money.Currency
	From, To  int64 // cheapest and dearest variant
	InStock   bool
	Variants  int
	CreatedAt clock.Time
	Quality   uint8
	Text      text
	Facts     []fact

	unread *catalog.ListingChanged // what its words, facts and quality are still to be taken from
	stated []byte                  // the ids of its facts
	print  []byte                  // equal for equal words

	doc   int64    // its number, once it has one
	terms string   // as they are indexed, once they were analysed
	marks []byte   // how often description and details have each term of the title, as setTitle orders them; 2 is several times
	body  int      // words of description and details
	said  []uint32 // the hashes of these words, as they are written
}

// text is what is searched for words.
type text struct {
	Title, Brand, Description, Details, Codes string
	Category                                  string // for when the category was never heard of
}

// quality is how well a listing is described, 0 to 31: of what fits equally well, and is more
// than can be looked at closely, this is looked at first.
func (e *entry) quality() uint8 {
	q := uint8(min(len(e.Text.Description)/64, 8) + min(len(e.Text.Details)/32, 8)) //nolint:gosec // small
	if e.Image != "" {
		q += 8
	}
	if e.Text.Brand != "" {
		q += 4
	}
	return q
}

// maxShown is how much of a description is kept to show a part of it.
const maxShown = 4000

// shownText is as much of the description as is kept.
func (e *entry) shownText() string { return cutAt(e.Text.Description, maxShown) }

// cutAt is the beginning of s, at most so many bytes.
func cutAt(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// readAll takes the words and facts of listings from what was heard of them.
func readAll(all []entry) {
	eachOf(len(all), func(in *analysis, i int) { in.read(&all[i]) })
}

// analyse finds the terms of listings.
func analyse(all []*entry, categories spokenPaths) {
	eachOf(len(all), func(in *analysis, i int) { in.terms(all[i], categories.of(all[i])) })
}

// eachOf calls fn for the numbers up to n, on all processors, each with room of its own.
func eachOf(n int, fn func(in *analysis, i int)) {
	each := func(from, step int) {
		var in analysis
		for i := from; i < n; i += step {
			fn(&in, i)
		}
	}
	if n < 16 {
		each(0, 1)
		return
	}
	var working sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), 4)
	failed := make([]any, workers)
	for i := range workers {
		working.Go(func() {
			defer func() { failed[i] = recover() }()
			each(i, workers)
		})
	}
	working.Wait()
	for _, v := range failed {
		if v != nil {
			panic(v) // where the writer catches it
		}
	}
}

// analysis is room to analyse one listing after the other.
type analysis struct {
	title, tokens []words.Token
	seen          map[string]uint8 // each term, with how often description and details have it
	said          map[string]bool  // each detail
	out           []byte
}

// read takes the words and facts of a listing from what was heard of it.
func (a *analysis) read(e *entry) {
	heard := e.unread
	if heard == nil {
		return
	}
	if e.Shown {
		e.Text = text{
			Title: clean(heard.Title), Brand: clean(heard.Brand), Category: clean(pathWords.Replace(heard.Path)),
			Description: clean(heard.Description), Details: a.details(heard), Codes: codesOf(heard),
		}
		e.Facts = factsOf(heard)
		e.Quality = e.quality()
	}
	e.stated = factIDs(e.Facts)
	e.print = a.print(e)
	e.unread = nil
}

// pathWords is for a category that was never heard of.
var pathWords = strings.NewReplacer("/", " ", "-", " ")

// severalTimes is as often as is told apart.
const severalTimes = 2

// terms finds the terms of a listing, each once, and which of its title's come again.
func (a *analysis) terms(e *entry, category string) {
	if a.seen == nil {
		a.seen = map[string]uint8{}
	}
	clear(a.seen)
	a.out = a.out[:0]
	t := &e.Text
	a.title = words.Tokens(a.title[:0], t.Title)
	a.add(a.title, false)
	for _, text := range [...]string{t.Brand, category} {
		a.tokens = words.Tokens(a.tokens[:0], text)
		a.add(a.tokens, false)
	}
	e.body, e.said = 0, nil
	for _, text := range [...]string{t.Description, t.Details} {
		a.tokens = words.Tokens(a.tokens[:0], text)
		a.add(a.tokens, true)
		e.said = appendSaid(e.said, a.tokens)
		e.body += words.Length(a.tokens)
	}
	a.tokens = words.Tokens(a.tokens[:0], t.Codes)
	a.add(a.tokens, false)
	e.terms = string(a.out)
	e.marks = make([]byte, 0, len(a.title))
	inTitleOrder(a.title, func(token *words.Token) { e.marks = append(e.marks, a.seen[token.Term]) })
}

func (a *analysis) add(tokens []words.Token, body bool) {
	for i := range tokens {
		term := tokens[i].Term
		times, again := a.seen[term]
		if !again {
			a.out = append(appendTerm(a.out, term), ' ')
		}
		if body && times < severalTimes {
			times++
		}
		a.seen[term] = times
	}
}

// inTitleOrder calls fn for the terms of a title in the order in which memory keeps them: those
// that glue several together come last.
func inTitleOrder(tokens []words.Token, fn func(token *words.Token)) {
	for _, glued := range []bool{false, true} {
		for i := range tokens {
			if tokens[i].Glued == glued {
				fn(&tokens[i])
			}
		}
	}
}

// appendTerm adds a term as the index has it: without the signs that FTS5 would divide it at.
func appendTerm(to []byte, term string) []byte {
	from := len(to)
	to = append(to, term...)
	for i := from; i < len(to); i++ {
		if to[i] <= ' ' || to[i] == '"' || to[i] == '\\' || to[i] == 0x7f {
			to[i] = '_'
		}
	}
	return to
}

// print is equal for equal words.
func (a *analysis) print(e *entry) []byte {
	t := &e.Text
	a.out = a.out[:0]
	for _, s := range [...]string{string(e.Seller), t.Title, t.Brand, e.Path, t.Description, t.Details, t.Codes} {
		a.out = append(append(a.out, s...), 0)
	}
	a.out = append(a.out, e.stated...)
	sum := sha256.Sum256(a.out)
	return sum[:16]
}

// entryOf is what is indexed of a listing in that state. What is not shown keeps no words, so
// it weighs on nobody's ranking. Words and facts are read later, many listings at a time.
func entryOf(e catalog.ListingChanged) entry {
	out := entry{
		ID: e.ListingID, Version: e.Version, Seller: e.SellerID, Path: e.Path, Image: e.Image,
		Variants: len(e.Variants), CreatedAt: e.CreatedAt, marks: []byte{}, unread: &e,
		Shown: e.Status == catalog.ListingActive && len(e.Variants) > 0,
	}
	for i, v := range e.Variants {
		if i == 0 {
			out.Currency, out.From, out.To = v.Price.Currency, v.Price.Minor, v.Price.Minor
		}
		if v.Price.Currency == out.Currency {
			out.From, out.To = min(out.From, v.Price.Minor), max(out.To, v.Price.Minor)
		}
		out.InStock = out.InStock || v.InStock
	}
	return out
}

// details are the words of attributes and options, each once. An attribute that only says
// yes is known by its name.
func (a *analysis) details(e *catalog.ListingChanged) string {
	if a.said == nil {
		a.said = map[string]bool{}
	}
	clear(a.said)
	a.said[""] = true
	a.out = a.out[:0]
	say := func(s string) {
		if s = clean(s); !a.said[s] {
			a.said[s] = true
			if len(a.said) > 2 {
				a.out = append(a.out, '\n')
			}
			a.out = append(a.out, s...)
		}
	}
	for i := range e.Attributes {
		switch yes, no := answerOf(e.Attributes[i].Value); {
		case yes:
			say(e.Attributes[i].Name)
		case !no:
			say(e.Attributes[i].Value)
		}
	}
	for _, v := range e.Variants {
		for _, o := range v.Options {
			say(o.Value)
		}
	}
	return string(a.out)
}

// answerOf says whether an attribute's value only says yes or no.
func answerOf(value string) (yes, no bool) {
	if value = strings.TrimSpace(value); len(value) > len("false") {
		return false, false
	}
	switch strings.ToLower(value) {
	case "yes", "true", "y":
		return true, false
	case "no", "false", "n":
		return false, true
	}
	return false, false
}

func codesOf(e *catalog.ListingChanged) string {
	var codes []string
	for _, v := range e.Variants {
		if v.SKU != "" {
			codes = append(codes, v.SKU)
		}
		if v.GTIN != "" {
			codes = append(codes, v.GTIN)
		}
	}
	return clean(strings.Join(codes, " "))
}

// clean is s as valid UTF-8 without control characters, so that none can be taken for the
// marks around matches.
func clean(s string) string {
	s = strings.TrimSpace(s)
	if printable(s) || strings.IndexFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || unicode.IsControl(r) }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
}

// printable says whether s is ASCII without control characters, as most text is.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// changedOf is a listing that was read, in the words of the event. Its version counts edits
// only, and so is at most that of the event which brought it there: a later event is never
// taken for an older one.
func changedOf(l catalog.Listing) catalog.ListingChanged {
	e := catalog.ListingChanged{
		ListingID: l.ID, SellerID: l.Seller, Title: l.Title, Description: l.Description, Brand: l.Brand,
		CategoryID: l.Category, Path: l.Path, Condition: l.Condition, Attributes: l.Attributes, Status: l.Status,
		CreatedAt: l.CreatedAt, Version: l.Version,
	}
	if len(l.Images) > 0 {
		e.Image = l.Images[0].URL
	}
	for _, v := range l.Variants {
		if !v.Withdrawn {
			e.Variants = append(e.Variants, catalog.ListingVariant{
				VariantID: v.ID, SKU: v.SKU, GTIN: v.GTIN, Options: v.Options, Price: v.Price, InStock: v.Stock.Available > 0,
			})
		}
	}
	return e
}

// above are a path and the paths above it, from the root: a, a/b, a/b/c.
func above(path string) []string {
	var all []string
	for i := range len(path) {
		if path[i] == '/' {
			all = append(all, path[:i])
		}
	}
	if path != "" {
		all = append(all, path)
	}
	return all
}

// spoken is the last part of a path as a name, for a category that was not heard of.
func spoken(path string) string {
	last := path[strings.LastIndexByte(path, '/')+1:]
	return strings.ReplaceAll(last, "-", " ")
}
