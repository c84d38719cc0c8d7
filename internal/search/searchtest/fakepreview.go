package searchtest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/search"
)

// Preview implements search.Service.
func (f *Fake) Preview(_ context.Context, r search.PreviewRequest) (search.PreviewReply, error) {
	if err := mayRule(r.By); err != nil {
		return search.PreviewReply{}, err
	}
	if (r.Rule == nil) == (r.Remove == "") {
		return search.PreviewReply{}, search.ErrInvalid.WithField("rule", "should be said, or else which to remove")
	}
	defer f.now()()
	before := f.rules
	after := slices.DeleteFunc(slices.Clone(before), func(one search.Rule) bool { return one.ID == r.Remove || r.Rule != nil && one.ID == r.Rule.ID })
	var reply search.PreviewReply
	var was search.Rule
	if r.Rule != nil {
		var err error
		if was, reply.Rule, err = f.mayPut(*r.Rule); err != nil {
			return search.PreviewReply{}, err
		}
		reply.Rule.Version, reply.Rule.ChangedAt = reply.Rule.Version+1, f.goods.Now()
		after = append(after, reply.Rule)
	} else {
		at := slices.IndexFunc(before, func(one search.Rule) bool { return one.ID == r.Remove })
		if at < 0 {
			return search.PreviewReply{}, search.ErrNotFound
		}
		reply.Rule = before[at]
	}
	counts, named := f.searchedFor(), map[string]bool{}
	for _, text := range namedBy(reply.Rule, was) {
		named[keptText(text)] = true
		one := f.previewed(text, before, after)
		one.Named = true
		if counts[keptText(text)] >= leastShown {
			one.Searches = counts[keptText(text)]
		}
		reply.Texts = append(reply.Texts, one)
	}
	f.previewFrequent(before, after, counts, named, &reply)
	return reply, nil
}

// previewDays are the days whose searches are looked at.
const previewDays = 30

// searchedFor says how often texts were searched for in the last days.
func (f *Fake) searchedFor() map[string]int64 {
	today, counts := day(f.goods.Now()), map[string]int64{}
	for _, s := range f.searches {
		if s.kind == "search" && day(s.at) > today-previewDays && s.text != "" {
			counts[s.text]++
		}
	}
	return counts
}

// previewFrequent tells of the frequent texts those that differ, but for those that were told.
func (f *Fake) previewFrequent(before, after []search.Rule, counts map[string]int64, told map[string]bool, reply *search.PreviewReply) {
	reply.Since = clock.Of(time.Unix((day(f.goods.Now())-previewDays+1)*86400, 0))
	frequent := []string{}
	for text, n := range counts {
		if n >= leastShown {
			frequent = append(frequent, text)
		}
	}
	slices.SortFunc(frequent, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	for _, text := range frequent[:min(len(frequent), search.PreviewTexts)] {
		reply.Asked++
		one := f.previewed(text, before, after)
		one.Searches = counts[text]
		if !one.Differs {
			continue
		}
		if reply.Differ++; !told[text] && reply.Differ <= search.PreviewTold {
			reply.Texts = append(reply.Texts, one)
		}
	}
}

// namedBy are the texts that rules are about, each once.
func namedBy(all ...search.Rule) (texts []string) {
	seen := map[string]bool{"": true}
	for _, rule := range all {
		for _, text := range append(slices.Clone(rule.Words), rule.Query) {
			if rule.Kind != search.RuleSynonyms && text != rule.Query || seen[keptText(text)] {
				continue
			}
			seen[keptText(text)] = true
			texts = append(texts, text)
		}
	}
	return texts
}

// mayPut is r as it would be kept, and as it is now.
func (f *Fake) mayPut(r search.Rule) (was, rule search.Rule, err error) {
	if rule, err = ruleInOrder(r); err != nil {
		return was, rule, err
	}
	at := slices.IndexFunc(f.rules, func(one search.Rule) bool { return one.ID == rule.ID })
	switch {
	case rule.ID == "" && len(f.rules) >= search.MaxRules:
		return was, rule, search.ErrRuleLimit
	case rule.ID == "":
	case at < 0:
		return was, rule, search.ErrNotFound
	case f.rules[at].Version != rule.Version:
		return was, rule, search.ErrVersion
	default:
		was = f.rules[at]
	}
	if slices.ContainsFunc(f.rules, func(one search.Rule) bool { return one.ID != rule.ID && sameRule(one, rule) }) {
		return was, rule, search.ErrRuleExists
	}
	return was, rule, nil
}

// previewed is what becomes of a text when the rules change.
func (f *Fake) previewed(text string, before, after []search.Rule) search.PreviewedText {
	one := search.PreviewedText{Text: text}
	was, is := f.under(before, text, &one.Before), f.under(after, text, &one.After)
	one.Differs = one.Before.Corrected != one.After.Corrected
	for _, side := range []struct {
		page        *search.PreviewedPage
		this, other []fit
	}{{&one.Before, was, is}, {&one.After, is, was}} {
		for i, l := range side.this[:min(len(side.this), search.PreviewHits)] {
			hit := search.PreviewedHit{Listing: l.ListingID, Title: l.Title, Place: int32(i + 1), Other: int32(1 + placeOf(l.ListingID, side.other))} //nolint:gosec // few
			one.Differs = one.Differs || hit.Other != hit.Place
			side.page.Hits = append(side.page.Hits, hit)
		}
	}
	return one
}

func placeOf(id catalog.ListingID, all []fit) int {
	return slices.IndexFunc(all[:min(len(all), 100)], func(l fit) bool { return l.ListingID == id })
}

// under is what a text finds under some rules.
func (f *Fake) under(rules []search.Rule, text string, page *search.PreviewedPage) []fit {
	kept := f.rules
	defer func() { f.rules = kept }()
	f.rules = rules
	r := search.QueryRequest{Text: text, Sort: search.SortRelevance}
	if len(words(text)) == 0 {
		r.Sort = search.SortNewest
	}
	told := f.forgiven(r)
	fits, _ := f.found(told)
	slices.SortFunc(fits, func(a, b fit) int { return f.compare(r.Sort, r.Filter.Currency, a, b) })
	fits = f.inPlace(r, told.text, fits)
	page.Total, page.Corrected = int64(len(fits)), told.corrected
	return fits
}
