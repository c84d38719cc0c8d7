package searchsvc

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/popular"
	"souk/internal/search/searchsvc/internal/rules"
	"souk/internal/search/searchsvc/internal/words"
)

// previewDeep is how far down it is looked where a listing comes from or goes to.
const previewDeep = 100

// ruleChange is one change of the rules: all rules without it and with it.
type ruleChange struct {
	rule          search.Rule // that is kept or taken away
	before, after *rules.Book
	named         []string // texts that the rule, as it is or as it was, is about
}

// Preview says what one change of the rules would move. Each text is looked for with the rules as they are and as they would
// be, on one snapshot, in the way of Query.
func (s *Service) Preview(ctx context.Context, r search.PreviewRequest) (_ search.PreviewReply, err error) {
	defer s.done("preview", &err)
	if err := mayRule(r.By); err != nil {
		return search.PreviewReply{}, err
	}
	var p errs.Problems
	p.Check((r.Rule == nil) != (r.Remove == ""), "rule", "should be said, or else which rule to remove")
	if r.Rule != nil {
		rule := rules.Clean(*r.Rule)
		checkRule(&p, rule)
		r.Rule = &rule
	}
	if err := p.Err(search.ErrInvalid); err != nil {
		return search.PreviewReply{}, err
	}
	var c ruleChange
	frequent, reply, err := s.frequentAnd(ctx, func(q store.Queryer) (err error) {
		c, err = ruleChangeOf(q, r)
		return err
	})
	if err != nil {
		return search.PreviewReply{}, err
	}
	if r.Rule != nil { // as it would be kept
		c.rule.Version, c.rule.ChangedAt = c.rule.Version+1, s.now()
	}
	reply.Rule = c.rule
	err = s.preview(ctx, &c, frequent, &reply)
	return reply, err
}

// frequentAnd are the most frequent searches, with a reply that says since when they were counted, read together with what
// else is asked for.
func (s *Service) frequentAnd(ctx context.Context, also func(q store.Queryer) error) (frequent []searchedRow, reply search.PreviewReply, err error) {
	s.writeCounts(ctx) // what was counted just now; if that fails, what was counted before will do
	until := dayOf(s.now())
	from := until - usualDays + 1
	err = s.db.Read(ctx, func(q store.Queryer) (err error) {
		if err := also(q); err != nil {
			return err
		}
		frequent, err = selectSearchedBetween(q, from, until, leastShown)
		return err
	})
	slices.SortFunc(frequent, func(a, b searchedRow) int {
		return cmp.Or(cmp.Compare(b.Searches, a.Searches), cmp.Compare(a.Text, b.Text))
	})
	return frequent[:min(len(frequent), search.PreviewTexts)], search.PreviewReply{Since: clock.Of(time.Unix(from*24*60*60, 0))}, err
}

// ruleChangeOf is the change that r asks about, if it could be made.
func ruleChangeOf(q store.Queryer, r search.PreviewRequest) (c ruleChange, err error) {
	all, err := selectRules(q)
	if err != nil {
		return c, err
	}
	var was search.Rule
	if r.Rule != nil {
		c.rule = *r.Rule
		was, err = mayPut(q, c.rule)
	} else {
		was, err = selectRule(q, r.Remove)
		c.rule = was
	}
	if err != nil {
		return c, err
	}
	c.before = rules.NewBook(0, all)
	all = slices.DeleteFunc(slices.Clone(all), func(one search.Rule) bool { return was.ID != "" && one.ID == was.ID })
	if r.Rule != nil {
		all = append(all, c.rule)
		slices.SortFunc(all, rules.Compare) // as it will be read
	}
	c.after = rules.NewBook(0, all)
	c.named = namedBy(c.rule, was)
	return c, nil
}

// preview fills in the texts: those that the rule names, and of the frequent ones those that differ.
func (s *Service) preview(ctx context.Context, c *ruleChange, frequent []searchedRow, reply *search.PreviewReply) error {
	named := map[string]int{} // by the text as it is counted
	for _, text := range c.named {
		one, err := s.previewText(ctx, c, text, true)
		if err != nil {
			return err
		}
		named[popular.Normal(text)] = len(reply.Texts)
		reply.Texts = append(reply.Texts, one)
	}
	told := 0
	for _, row := range frequent {
		reply.Asked++
		if at, ok := named[row.Text]; ok {
			reply.Texts[at].Searches = row.Searches
			if reply.Texts[at].Differs {
				reply.Differ++
			}
			continue
		}
		one, err := s.previewText(ctx, c, row.Text, false)
		if err != nil {
			return err
		}
		if !one.Differs {
			continue
		}
		reply.Differ++
		if told < search.PreviewTold {
			told++
			one.Searches = row.Searches
			reply.Texts = append(reply.Texts, one)
		}
	}
	return nil
}

func (s *Service) previewText(ctx context.Context, c *ruleChange, text string, named bool) (one search.PreviewedText, err error) {
	a, err := askOf(search.QueryRequest{Text: text, Sort: search.SortRelevance, Page: page.Request{Limit: previewDeep}})
	if err != nil {
		return one, err
	}
	err = s.read(ctx, func(v view) error {
		one = search.PreviewedText{Text: text, Named: named}
		return v.preview(a, c, &one)
	})
	if err != nil {
		return one, fmt.Errorf("preview %q: %w", text, err)
	}
	return one, nil
}

// previewed is what a text finds under some rules.
type previewed struct {
	docs      []uint32
	total     int64
	corrected string
	unsure    bool // others were looked at that may have been meant
}

// preview compares what a finds before the change with what it finds after.
func (v view) preview(a ask, c *ruleChange, out *search.PreviewedText) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	d.rules = c.before
	before, err := d.previewed(a)
	if err != nil {
		return err
	}
	after := before
	// What the change does not touch, and what nothing else was weighed against, stays as it is.
	if before.unsure || c.touches(a) {
		d.rules = c.after
		if after, err = d.previewed(a); err != nil {
			return err
		}
	}
	was, is := before.docs[:min(len(before.docs), search.PreviewHits)], after.docs[:min(len(after.docs), search.PreviewHits)]
	out.Differs = !slices.Equal(was, is) || before.corrected != after.corrected
	if !out.Differs && !out.Named {
		return nil
	}
	if out.Before, err = v.previewedPage(was, before, after); err != nil {
		return err
	}
	out.After, err = v.previewedPage(is, after, before)
	return err
}

// previewed is what a finds under the desk's rules.
func (d desk) previewed(a ask) (p previewed, err error) {
	l, said, err := d.settled(a)
	if err != nil {
		return p, err
	}
	defer l.free()
	return p, d.s.locked(func() error {
		p.unsure = said.corrected != "" || l.also != "" || l.whole < max(fewListings+1, d.s.limits.few)
		l.run()
		page, _, _ := l.page()
		for _, r := range page {
			p.docs = append(p.docs, r.doc)
		}
		p.total, p.corrected = l.total, said.corrected
		return nil
	})
}

// previewedPage is one side with the places on the other.
func (v view) previewedPage(docs []uint32, this, other previewed) (search.PreviewedPage, error) {
	out := search.PreviewedPage{Total: this.total, Corrected: this.corrected}
	if len(docs) == 0 {
		return out, nil
	}
	numbers := make([]int64, len(docs))
	for i, doc := range docs {
		numbers[i] = int64(doc)
	}
	rows, err := v.selectHits(v.q, numbers)
	if err != nil {
		return out, err
	}
	for i, doc := range docs {
		row, ok := rows[int64(doc)]
		if !ok {
			return out, fmt.Errorf("read listing number %d: %w", doc, errOvertaken)
		}
		out.Hits = append(out.Hits, search.PreviewedHit{
			Listing: row.ID, Title: row.Title, Place: int32(i + 1), Other: int32(1 + slices.Index(other.docs, doc)), //nolint:gosec // at most previewDeep
		})
	}
	return out, nil
}

// touches says whether the text is taken for something else, or something else has a place in what
// it finds.
func (c *ruleChange) touches(a ask) bool {
	was, is := words.Query{Terms: slices.Clone(a.words.Terms)}, words.Query{Terms: slices.Clone(a.words.Terms)}
	c.before.Apply(&was)
	c.after.Apply(&is)
	if !sameQuery(was, is) {
		return true
	}
	pinsWere, buriedWere := c.before.Places(a.words)
	pins, buried := c.after.Places(a.words)
	same := func(a, b rules.Place) bool { return a.Listing == b.Listing && a.At == b.At }
	return !slices.EqualFunc(pinsWere, pins, same) || !slices.EqualFunc(buriedWere, buried, same)
}

func sameQuery(a, b words.Query) bool {
	sameWay := func(x, y words.Alt) bool { return x.Weight == y.Weight && slices.Equal(x.Terms, y.Terms) }
	return slices.EqualFunc(a.Terms, b.Terms, func(x, y words.Term) bool {
		return x.Word == y.Word && x.Prefix == y.Prefix && slices.Equal(x.Phrase, y.Phrase) && slices.EqualFunc(x.Any, y.Any, sameWay)
	})
}
