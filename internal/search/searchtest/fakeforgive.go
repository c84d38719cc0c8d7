package searchtest

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/search"
)

// ways are what each word of a text may be found by: words that a listing has all of.
func (f *Fake) ways(text string) [][][]string {
	asked := words(text)
	stop := func(word string) bool {
		return slices.ContainsFunc(f.rules, func(r search.Rule) bool {
			return r.Kind == search.RuleStop && slices.Equal(words(r.Query), []string{word})
		})
	}
	if kept := slices.DeleteFunc(slices.Clone(asked), stop); len(kept) > 0 {
		asked = kept
	}
	ways := make([][][]string, len(asked))
	for i, word := range asked {
		ways[i] = [][]string{{word}}
	}
	for _, r := range f.rules {
		from, to := r.Words, r.Words
		switch r.Kind {
		case search.RuleSynonyms:
		case search.RuleExpansion:
			from = []string{r.Query}
		default:
			continue
		}
		for _, one := range from {
			row := words(one)
			for i := 0; i+len(row) <= len(asked); i++ {
				if !slices.Equal(asked[i:i+len(row)], row) {
					continue
				}
				for j := range row {
					for _, other := range to {
						ways[i+j] = append(ways[i+j], words(other))
					}
				}
			}
		}
	}
	return ways
}

// inPlace puts what operators gave a place where it belongs.
func (f *Fake) inPlace(r search.QueryRequest, text string, passed []fit) []fit {
	if r.Sort != search.SortRelevance {
		return passed
	}
	var pins []search.Rule
	for _, rule := range f.rules {
		if !slices.Equal(words(rule.Query), words(text)) {
			continue
		}
		at := slices.IndexFunc(passed, func(l fit) bool { return l.ListingID == rule.Listing })
		switch {
		case rule.Kind == search.RuleBury && at >= 0:
			passed = append(slices.Delete(slices.Clone(passed), at, at+1), passed[at])
		case rule.Kind == search.RulePin:
			pins = append(pins, rule)
		}
	}
	slices.SortFunc(pins, func(a, b search.Rule) int { return cmp.Compare(a.Place, b.Place) })
	for _, rule := range pins {
		passed = slices.DeleteFunc(slices.Clone(passed), func(l fit) bool { return l.ListingID == rule.Listing })
	}
	for _, rule := range pins {
		for _, l := range f.visible() {
			if one := f.fit(l, 0); l.ListingID == rule.Listing && len(fails(r.Filter, one)) == 0 {
				passed = slices.Insert(passed, min(int(rule.Place)-1, len(passed)), one)
			}
		}
	}
	return passed
}

// mended is the text with words that nothing has put right; "" for nothing better.
func (f *Fake) mended(text string, known bool) string {
	counts := map[string]int{}
	for _, l := range f.visible() {
		for _, word := range words(l.Title) {
			counts[word]++
		}
	}
	asked := words(text)
	changed := false
	for i, word := range asked {
		if counts[word] > 0 && !known || len([]rune(word)) < 3 || strings.ContainsAny(word, "0123456789") {
			continue
		}
		best := ""
		for other, n := range counts {
			if n >= 2 && n > counts[word] && oneEdit(word, other) && (best == "" || n > counts[best] || n == counts[best] && other < best) {
				best = other
			}
		}
		if best != "" {
			asked[i], changed = best, true
		}
	}
	if fits, anyWord := f.matching(strings.Join(asked, " ")); !changed || anyWord || len(fits) == 0 {
		return ""
	}
	return strings.Join(asked, " ")
}

// oneEdit says whether two words differ by a letter, or by two neighbours swapped.
func oneEdit(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	switch len(y) - len(x) {
	case 1:
		return slices.Equal(x[i:], y[i+1:])
	case 0:
		return i < len(x) && (slices.Equal(x[i+1:], y[i+1:]) ||
			i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:]))
	default:
		return false
	}
}

// said is what is looked for instead of a text and behind that, or what was perhaps meant by it.
type said struct{ text, corrected, also, meant string }

// forgiven is what is made of a text.
func (f *Fake) forgiven(r search.QueryRequest) said {
	typed := said{text: r.Text}
	fits, anyWord := f.matching(r.Text)
	const few = 10
	if len(words(r.Text)) == 0 || r.Exact != nil && *r.Exact || len(fits) >= few && !anyWord {
		return typed
	}
	if anyWord || len(fits) == 0 {
		if other := f.mended(r.Text, false); other != "" {
			instead := said{text: other, corrected: other}
			fits, _ := f.matching(other)
			if better := f.mended(other, true); better != "" && len(fits) <= 4 && r.Page.Cursor == "" {
				if more, _ := f.matching(better); len(more) >= 10*len(fits) {
					instead.meant = better
				}
			}
			return instead
		}
		return typed
	}
	other := f.mended(r.Text, true)
	if other == "" {
		return typed
	}
	more, _ := f.matching(other)
	switch {
	case order(r) == search.SortRelevance && !f.named(fits, r.Text) && f.named(more, other):
		typed.also = other
	case len(fits) <= 4 && r.Page.Cursor == "" && len(more) >= 10*len(fits):
		typed.meant = other
	}
	return typed
}

// named says whether one of them has all words of a text in its title.
func (f *Fake) named(fits []fit, text string) bool {
	return slices.ContainsFunc(fits, func(l fit) bool {
		title := [][]string{words(l.Title)}
		return !slices.ContainsFunc(f.ways(text), func(ways [][]string) bool {
			return !slices.ContainsFunc(ways, func(way []string) bool { return hasWay(title, way) })
		})
	})
}

// found are the listings that have the words of what is said, those that only have what was perhaps meant behind the
// others.
func (f *Fake) found(what said) (fits []fit, anyWord bool) {
	fits, anyWord = f.matching(what.text)
	if what.also == "" {
		return fits, anyWord
	}
	const behind = 1 << 20
	more, _ := f.matching(what.also)
	for _, l := range more {
		if !slices.ContainsFunc(fits, func(one fit) bool { return one.ListingID == l.ListingID }) {
			l.score -= behind
			fits = append(fits, l)
		}
	}
	return fits, anyWord
}

// offers are ways to go on when nothing was found.
func (f *Fake) offers(r search.QueryRequest, text string) []search.Offer {
	var out []search.Offer
	add := func(kind search.OfferKind, text string, count int) {
		if count > 0 {
			out = append(out, search.Offer{Kind: kind, Text: text, Label: text, Count: int64(count)})
		}
	}
	if other := f.mended(text, false); other != "" {
		fits, _ := f.matching(other)
		add(search.OfferQuery, other, len(fits))
	}
	fits, _ := f.matching(text)
	add(search.OfferUnfiltered, text, len(fits))
	if len(fits) == 0 {
		text = ""
	}
	all, _ := f.matching(text)
	for path, n := range nearest(all, text == "") {
		out = append(out, search.Offer{Kind: search.OfferCategory, Text: text, Path: path, Label: f.names[path], Count: n})
	}
	slices.SortStableFunc(out, func(a, b search.Offer) int { return cmp.Or(cmp.Compare(b.Kind, a.Kind), cmp.Compare(a.Path, b.Path)) })
	return out
}

// nearest are the deepest categories that a quarter of all listings in any is in, or those of the first level.
func nearest(all []fit, first bool) map[string]int64 {
	counts, total := map[string]int64{}, int64(0)
	for _, l := range all {
		if l.Path != "" {
			total++
		}
		for at := range len(l.Path) + 1 {
			if at == len(l.Path) && at > 0 || at < len(l.Path) && l.Path[at] == '/' {
				counts[l.Path[:at]]++
			}
		}
	}
	out := map[string]int64{}
	for path, n := range counts {
		deeper := false
		for other, m := range counts {
			deeper = deeper || strings.HasPrefix(other, path+"/") && 4*m >= total
		}
		if first && !strings.Contains(path, "/") || !first && !deeper && 4*n >= total {
			out[path] = n
		}
	}
	return out
}

// hasWay says whether a listing has all words of a way.
func hasWay(fields [][]string, way []string) bool {
	for _, word := range way {
		if !slices.ContainsFunc(fields, func(field []string) bool { return slices.Contains(field, word) }) {
			return false
		}
	}
	return true
}

// Explain implements search.Service.
func (f *Fake) Explain(_ context.Context, r search.ExplainRequest) (search.ExplainReply, error) {
	if !r.By.IsOperator() && !r.By.IsSystem() {
		return search.ExplainReply{}, search.ErrForbidden
	}
	if !catalog.ListingIDs.Valid(r.Listing) {
		return search.ExplainReply{}, search.ErrInvalid.WithField("listing", "is no id")
	}
	defer f.now()()
	l, ok := f.listings[r.Listing]
	if !ok {
		return search.ExplainReply{}, search.ErrNotFound
	}
	q := search.QueryRequest{Text: r.Text, Filter: r.Filter, Sort: search.SortRelevance, Exact: &r.Exact}
	if r.Sort != nil {
		q.Sort = *r.Sort
	}
	q.Sort = order(q)
	told := f.forgiven(q)
	fits, anyWord := f.found(told)
	var passed []fit
	for _, one := range fits {
		if len(fails(r.Filter, one)) == 0 {
			passed = append(passed, one)
		}
	}
	slices.SortFunc(passed, func(a, b fit) int { return f.compare(q.Sort, q.Filter.Currency, a, b) })
	return f.why(q, l, told, f.inPlace(q, told.text, passed), anyWord), nil
}

// why explains a listing among those that passed, in their order.
func (f *Fake) why(r search.QueryRequest, l catalog.ListingChanged, told said, passed []fit, anyWord bool) search.ExplainReply {
	text := told.text
	reply := search.ExplainReply{Corrected: told.corrected, Also: told.also, Total: int64(len(passed)), AnyWord: anyWord}
	reply.Place = int64(1 + slices.IndexFunc(passed, func(one fit) bool { return one.ListingID == l.ListingID }))
	reply.Found = reply.Place > 0
	for _, ways := range f.ways(text) {
		word := search.ExplainedWord{Word: ways[0][0]}
		for _, way := range ways {
			said := strings.Join(way, " ")
			word.Ways = append(word.Ways, said)
			for _, field := range [][2]string{{"title", l.Title}, {"brand", l.Brand}, {"text", l.Description}} {
				if hasWay([][]string{words(field[1])}, way) {
					word.Has, word.Fields = append(word.Has, said), append(word.Fields, field[0])
				}
			}
		}
		if len(word.Has) == 0 && !reply.Found {
			reply.Missing = append(reply.Missing, "it has no "+word.Word)
		}
		reply.Words = append(reply.Words, word)
	}
	for _, one := range f.rules {
		if r.Sort == search.SortRelevance && one.Listing == l.ListingID && slices.Equal(words(one.Query), words(text)) {
			reply.Rules = append(reply.Rules, one)
		}
	}
	if reply.Found && r.Sort == search.SortRelevance {
		reply.Score, _ = f.score(l, f.ways(text))
		reply.Parts = []search.ScorePart{{Name: "words", Score: reply.Score}}
	} else if !reply.Found && len(reply.Missing) == 0 {
		reply.Missing = []string{"it is not on offer, or a filter leaves it out"}
	}
	return reply
}
