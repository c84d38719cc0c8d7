package searchtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"souk/internal/catalog"
	"souk/internal/search"
)

// kindNames are the kinds as files call them.
var kindNames = map[string]search.RuleKind{
	"same": search.RuleSynonyms, "also": search.RuleExpansion, "pin": search.RulePin, "bury": search.RuleBury, "stop": search.RuleStop,
}

// lineOf is a rule as files have it.
func lineOf(r search.Rule) string {
	said := strings.Join(r.Words, ", ")
	switch r.Kind {
	case search.RuleSynonyms:
		return "same: " + said
	case search.RuleExpansion:
		return "also: " + r.Query + " > " + said
	case search.RulePin:
		return fmt.Sprintf("pin: %s > %s at %d", r.Query, r.Listing, r.Place)
	case search.RuleBury:
		return "bury: " + r.Query + " > " + string(r.Listing)
	default:
		return "stop: " + r.Query
	}
}

func linesOf(all []search.Rule) []string {
	out := []string{}
	for _, r := range all {
		out = append(out, lineOf(r))
	}
	return out
}

// ruleOf reads a line of a file.
func ruleOf(line string) (search.Rule, error) {
	name, rest, _ := strings.Cut(line, ":")
	r := search.Rule{Kind: kindNames[strings.ToLower(strings.TrimSpace(name))]}
	left, right, _ := strings.Cut(rest, ">")
	switch r.Kind {
	case search.RuleSynonyms:
		r.Words = strings.Split(rest, ",")
	case search.RuleExpansion:
		r.Query, r.Words = left, strings.Split(right, ",")
	case search.RulePin, search.RuleBury:
		r.Query = left
		listing, place, _ := strings.Cut(strings.TrimSpace(right), " at ")
		r.Listing = catalog.ListingID(listing)
		n, _ := strconv.ParseInt(place, 10, 32)
		r.Place = int32(n)
	default:
		r.Query = rest
	}
	return ruleInOrder(r)
}

// rulesOf reads a file.
func rulesOf(text string) (all []search.Rule, err error) {
	if len(text) > search.MaxRulesText {
		return nil, search.ErrInvalid.With("the rules are too long")
	}
	var wrong []string
	for i, line := range strings.Split(text, "\n") {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) == "" {
			continue
		}
		r, err := ruleOf(line)
		if err == nil && slices.ContainsFunc(all, func(one search.Rule) bool { return sameRule(one, r) }) {
			err = search.ErrRuleExists
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("line %d: %s", i+1, err))
			continue
		}
		all = append(all, r)
	}
	if len(wrong) > 0 {
		return nil, search.ErrInvalid.With("%s", strings.Join(wrong, "\n"))
	}
	return all, nil
}

// imported is the rules as they would be after an import.
func (f *Fake) imported(text string, replace bool, edition *int64) (after, add, drop []search.Rule, kept int32, err error) {
	asked, err := rulesOf(text)
	if err != nil {
		return nil, nil, nil, 0, err
	}
	if edition != nil && *edition != f.edition {
		return nil, nil, nil, 0, search.ErrVersion
	}
	for _, was := range f.rules {
		at := slices.IndexFunc(asked, func(r search.Rule) bool { return sameRule(was, r) })
		switch {
		case at < 0 && !replace:
			after = append(after, was)
		case at < 0 || was.Kind != asked[at].Kind || was.Place != asked[at].Place:
			drop = append(drop, was)
		default:
			after = append(after, was)
			asked = slices.Delete(asked, at, at+1)
			kept++
		}
	}
	for _, r := range asked {
		r.ID, r.Version, r.ChangedAt = search.RuleIDs.New(), 1, f.goods.Now()
		add = append(add, r)
	}
	if after = append(after, add...); len(after) > search.MaxRules && len(add) > 0 {
		return nil, nil, nil, 0, search.ErrRuleLimit
	}
	return after, add, drop, kept, nil
}

// ExportRules implements search.Service.
func (f *Fake) ExportRules(_ context.Context, r search.ExportRulesRequest) (search.ExportRulesReply, error) {
	if err := mayRule(r.By); err != nil {
		return search.ExportRulesReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.rules)
	slices.SortFunc(all, inOrder)
	text := ""
	for _, line := range linesOf(all) {
		text += line + "\n"
	}
	return search.ExportRulesReply{Text: text, Rules: int32(len(all)), Edition: f.edition, Fixed: f.fixed}, nil //nolint:gosec // few
}

// ImportRules implements search.Service.
func (f *Fake) ImportRules(_ context.Context, r search.ImportRulesRequest) (search.ImportRulesReply, error) {
	if r.DryRun {
		if err := mayRule(r.By); err != nil {
			return search.ImportRulesReply{}, err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		_, add, drop, kept, err := f.imported(r.Text, r.Replace, r.Edition)
		return search.ImportRulesReply{Added: linesOf(add), Removed: linesOf(drop), Kept: kept}, err
	}
	edition := int64(-1)
	if r.Edition != nil {
		edition = *r.Edition
	}
	return once(f, r.By, "import", r.Key, []any{r.Text, r.Replace, edition, r.Why}, func() (search.ImportRulesReply, error) {
		after, add, drop, kept, err := f.imported(r.Text, r.Replace, r.Edition)
		if err == nil {
			f.rules = after
		}
		return search.ImportRulesReply{Added: linesOf(add), Removed: linesOf(drop), Kept: kept}, err
	})
}

// PreviewImport implements search.Service.
func (f *Fake) PreviewImport(_ context.Context, r search.PreviewImportRequest) (search.PreviewImportReply, error) {
	if err := mayRule(r.By); err != nil {
		return search.PreviewImportReply{}, err
	}
	defer f.now()()
	after, add, drop, kept, err := f.imported(r.Text, r.Replace, nil)
	if err != nil {
		return search.PreviewImportReply{}, err
	}
	reply := search.PreviewImportReply{Added: linesOf(add), Removed: linesOf(drop), Kept: kept, Edition: f.edition}
	counts := f.searchedFor()
	f.previewFrequent(f.rules, after, counts, nil, &reply.Moved)
	told := 0
	for _, text := range namedBy(append(slices.Clone(add), drop...)...) {
		reply.Named++
		if counts[keptText(text)] >= leastShown {
			reply.Tried++
			continue
		}
		if told == search.PreviewTold {
			continue
		}
		reply.Tried++
		if one := f.previewed(text, f.rules, after); one.Differs {
			told++
			one.Named = true
			reply.Moved.Texts = append(reply.Moved.Texts, one)
		}
	}
	return reply, nil
}
