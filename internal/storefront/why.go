package storefront

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// everywhere is a as a search of the whole shop: what its page has by itself is a filter like others.
func (a asked) everywhere() asked {
	a.base, a.fixedCategory, a.fixedSeller, a.all = views.PathSearch, false, false, ""
	return a
}

// whyURL is the address of why a listing stands where it does in these results.
func (a asked) whyURL(listing catalog.ListingID) string {
	a.explain = false
	q := a.everywhere().params()
	q.Set("listing", string(listing))
	return withParams(views.PathOpWhy, q)
}

// reasons says of every result why it stands where it does, or where that is told.
func (a asked) reasons(out *views.Results, hits []search.Hit) {
	b := a
	b.explain = !a.explain
	out.Reasons = &views.Choice{Text: "Why this order?", URL: b.url(), Chosen: a.explain}
	for i, h := range hits {
		card := &out.Cards[i]
		card.Why = a.whyURL(h.Listing)
		if h.Explanation == nil {
			continue
		}
		card.Reasons = &views.Reasons{}
		if card.Reasons.Parts, card.Reasons.Score = whyParts(*h.Explanation); len(card.Reasons.Parts) == 0 { // not by its words
			card.Reasons.Words, card.Reasons.Score = whyWords(h.Explanation.Words), ""
		}
		for _, rule := range h.Explanation.Rules {
			card.Reasons.Rules = append(card.Reasons.Rules, ruleLink(rule))
		}
	}
}

// whyParts are the parts of a score, and their sum.
func whyParts(why search.ExplainReply) (all []views.WhyPart, sum string) {
	for _, p := range why.Parts {
		all = append(all, views.WhyPart{Text: partText(p), Points: points(p.Score)})
	}
	return all, points(why.Score)
}

func ruleLink(r search.Rule) views.Link {
	return views.Link{Text: ruleText(r), URL: pathOpRules + "/" + string(r.ID)}
}

// whyHere says why a listing stands where it does, with every filter and in the order of the results that
// the operator comes from.
func (v *visit) whyHere() error {
	l, err := v.getListing(catalog.ListingID(v.query("listing")))
	if err != nil {
		return err
	}
	a := v.asked(views.PathSearch)
	r := a.request()
	why, err := v.Search.Explain(v.ctx(), search.ExplainRequest{By: v.by, Text: r.Text, Filter: r.Filter, Exact: a.exact, Listing: l.ID, Sort: &r.Sort})
	if err != nil {
		return err
	}
	results := views.Link{Text: "everything", URL: a.url()}
	if a.text != "" {
		results.Text = "“" + a.text + "”"
	}
	if a.narrowed() {
		results.Text += " with filters"
	}
	out := views.SearchWhy{
		Page: v.operatorFrame("Why here?", views.PathOpSearch), Listing: views.Link{Text: l.Title, URL: listingURL(l.ID)}, Results: results,
		Where: whereText(why), Notes: a.whyNotes(why), Words: whyWords(why.Words), Acts: a.whyActs(why, l.ID),
	}
	out.Crumbs = []views.Link{{Text: "Search", URL: views.PathOpSearch}}
	out.Parts, out.Score = whyParts(why)
	for _, rule := range why.Rules {
		out.Rules = append(out.Rules, ruleLink(rule))
	}
	return v.show(http.StatusOK, out)
}

func whereText(why search.ExplainReply) string {
	switch {
	case why.Place > 0:
		return fmt.Sprintf("Number %s of %s.", group(fmt.Sprint(why.Place)), group(fmt.Sprint(why.Total)))
	case why.Found:
		return fmt.Sprintf("Far down among %s.", group(fmt.Sprint(why.Total)))
	case len(why.Missing) > 0:
		return "Not among the results: " + strings.Join(why.Missing, "; ") + "."
	default:
		return "Not among the results."
	}
}

// whyNotes are what was at work beside words and score.
func (a asked) whyNotes(why search.ExplainReply) []string {
	var notes []string
	for _, s := range a.sorts() {
		if sort := search.Sort(s.Value); s.Chosen && sort != search.SortRelevance {
			notes = append(notes, "The list is sorted by “"+s.Text+"”: words and filters say only what is in it.")
		}
	}
	if why.Corrected != "" {
		notes = append(notes, "Nothing has all words as typed, so the list is for “"+why.Corrected+"”.")
	}
	if why.Also != "" {
		notes = append(notes, "What has the words of “"+why.Also+"” is found too, behind the rest: it was perhaps meant.")
	}
	if why.AnyWord {
		notes = append(notes, "Little or nothing has all the words, so what has only some is found too.")
	}
	return notes
}

// whyActs lead to new rules, begun with the search, and with the listing where it is about one.
func (a asked) whyActs(why search.ExplainReply, listing catalog.ListingID) []views.Link {
	if a.text == "" {
		return nil
	}
	text := a.text
	if why.Corrected != "" { // that is what the list is for
		text = why.Corrected
	}
	begun := func(label string, kind search.RuleKind) views.Link {
		q := url.Values{"kind": {string(kind)}, "query": {text}}
		if kind == search.RulePin || kind == search.RuleBury {
			q.Set("listing", string(listing))
		}
		return views.Link{Text: label, URL: withParams(pathOpRules, q)}
	}
	return []views.Link{
		begun("Pin it to a place", search.RulePin), begun("Have it come last", search.RuleBury),
		begun("Add words that mean the same", search.RuleSynonyms), begun("Have the search find more words", search.RuleExpansion),
	}
}

func whyWords(words []search.ExplainedWord) []views.WhyWord {
	var out []views.WhyWord
	for _, w := range words {
		one := views.WhyWord{Word: w.Word, Has: len(w.Has) > 0, Found: "missing"}
		if one.Has {
			one.Found = "“" + strings.Join(slices.Compact(slices.Clone(w.Has)), "”, “") + "” in " + strings.Join(w.Fields, ", ")
		}
		var others []string
		for _, way := range w.Ways {
			if way != w.Word {
				others = append(others, way)
			}
		}
		const most = 12
		if len(others) > most {
			others = append(others[:most], fmt.Sprintf("and %d more", len(others)-most))
		}
		one.Ways = strings.Join(others, ", ")
		out = append(out, one)
	}
	return out
}

// parts are what parts of a score are called; of those that are about a word with %s for it.
var parts = map[string]string{
	"word": "Having %s", "missing": "Not having %s", "adjacent": "Having %s next to the word before", "accessory": "Being something that goes with %s",
	"beyond": "Going on to something else after %s", "weakest": "The word that fits least", "in stock": "Being in stock", "quality": "Saying much about itself",
	"guessed": "Having only what was perhaps meant by %s", "kind": "Being in the category that was typed",
}

func partText(p search.ScorePart) string {
	text, ok := parts[p.Name]
	switch {
	case !ok:
		return strings.TrimSpace(capital(p.Name) + " " + p.Word)
	case strings.Contains(text, "%s"):
		return fmt.Sprintf(text, "“"+p.Word+"”")
	default:
		return text
	}
}

// points are thousandths in words.
func points(thousandths int64) string { return fmt.Sprintf("%+.2f", float64(thousandths)/1000) }
