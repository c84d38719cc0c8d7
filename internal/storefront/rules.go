package storefront

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

const (
	rulesSize   = 100
	pathNewRule = pathOpRules + "/new"
)

// ruleKinds are the kinds of rules as operators choose them.
var ruleKinds = []struct {
	kind       search.RuleKind
	text, many string
}{
	{search.RuleSynonyms, "Words that mean the same", "Same words"},
	{search.RuleExpansion, "A search that finds other words too", "Also found"},
	{search.RulePin, "A listing with a place in what a search finds", "Pins"},
	{search.RuleBury, "A listing that comes last in what a search finds", "Burials"},
	{search.RuleStop, "A word that does not count beside others", "Not counted"},
}

func ruleChoices(chosen string) []views.Choice {
	out := make([]views.Choice, 0, len(ruleKinds))
	for _, k := range ruleKinds {
		out = append(out, views.Choice{Text: k.text, Value: string(k.kind), Chosen: string(k.kind) == chosen})
	}
	return out
}

func rulesURL(kind search.RuleKind, text string) string {
	q := url.Values{}
	if kind != "" {
		q.Set("show", string(kind))
	}
	if text != "" {
		q.Set("q", text)
	}
	return withParams(pathOpRules, q)
}

// operatorRules is what operators told search, and the form for more. A page of searches links to it
// with the form begun.
func (v *visit) operatorRules() error {
	begun := views.Form{Values: map[string]string{"kind": v.query("kind"), "query": v.query("query"), "listing": v.query("listing"), "place": "1"}}
	if begun.Values["kind"] == string(search.RuleSynonyms) {
		begun.Values["words"], begun.Values["query"] = begun.Values["query"], ""
	}
	return v.showRules(http.StatusOK, begun, nil)
}

func (v *visit) showRules(status int, form views.Form, preview *views.RulePreview) error {
	r := search.ListRulesRequest{By: v.by, Text: v.query("q"), Page: v.cursor(rulesSize)}
	for _, k := range ruleKinds {
		if string(k.kind) == v.query("show") {
			r.Kind = k.kind
		}
	}
	reply, err := v.Search.ListRules(v.ctx(), r)
	if err != nil {
		return err
	}
	here := rulesURL(r.Kind, r.Text)
	out := views.SearchRules{
		Page: v.operatorFrame("Rules of the search", views.PathOpSearch), Form: form, Action: pathNewRule, List: pathOpRules, Kinds: ruleChoices(form.Value("kind")),
		Query: r.Text, Show: string(r.Kind), Preview: preview, Pager: v.pagerOf(here, reply.Next, len(reply.Rules), "rule", "rules"),
		Empty: views.Empty{Title: "No rules yet", Text: "Most searches need none. Those that find nothing are a good place to begin.", Links: []views.Link{{Text: "What people search for", URL: views.PathOpSearch}}},
	}
	out.Crumbs = []views.Link{{Text: "Search", URL: views.PathOpSearch}}
	out.Tabs = []views.Choice{{Text: "All", URL: rulesURL("", r.Text), Chosen: r.Kind == ""}}
	for _, k := range ruleKinds {
		out.Tabs = append(out.Tabs, views.Choice{Text: k.many, URL: rulesURL(k.kind, r.Text), Chosen: r.Kind == k.kind})
	}
	if r.Text != "" {
		out.Chips = []views.Chip{{Label: "With", Text: r.Text, URL: rulesURL(r.Kind, "")}}
	}
	if r.Text != "" || r.Kind != "" {
		out.Empty = views.Empty{Title: "No rule fits that", Links: []views.Link{{Text: "All rules", URL: pathOpRules}}}
	}
	if reply.Fixed {
		out.Fixed = "They come from a file, the same for every process: change the file of --search-rules and restart the processes, one after the other."
	}
	titles := v.titlesOf(reply.Rules)
	for _, rule := range reply.Rules {
		row := views.RuleRow{Text: ruleText(rule), ChangedAt: rule.ChangedAt, Listing: listingLink(rule.Listing, titles)}
		if !reply.Fixed {
			row.URL = pathOpRules + "/" + string(rule.ID)
			row.RemoveURL = row.URL + "/remove"
		}
		out.Rows = append(out.Rows, row)
	}
	return v.show(status, out)
}

// titlesOf are the titles of the listings that rules are about, of those that there still are. Without catalogue rules can be
// read and changed all the same.
func (v *visit) titlesOf(rules []search.Rule) map[catalog.ListingID]string {
	var ids []catalog.ListingID
	for _, r := range rules {
		if r.Listing != "" && !slices.Contains(ids, r.Listing) {
			ids = append(ids, r.Listing)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	reply, err := v.Catalog.GetListings(v.ctx(), catalog.GetListingsRequest{By: v.by, IDs: ids})
	if err != nil {
		v.warn(err, "the titles of listings in rules could not be read")
		return nil
	}
	titles := map[catalog.ListingID]string{}
	for _, l := range reply.Listings {
		titles[l.ID] = l.Title
	}
	return titles
}

func listingLink(id catalog.ListingID, titles map[catalog.ListingID]string) *views.Link {
	if id == "" {
		return nil
	}
	return &views.Link{Text: cmp.Or(titles[id], string(id)), URL: listingURL(id)}
}

// ruleText is a rule in words.
func ruleText(r search.Rule) string {
	switch r.Kind {
	case search.RuleSynonyms:
		return strings.Join(r.Words, " = ")
	case search.RuleExpansion:
		return "“" + r.Query + "” also finds " + strings.Join(r.Words, ", ")
	case search.RulePin:
		return "In “" + r.Query + "” at place " + strconv.Itoa(int(r.Place))
	case search.RuleBury:
		return "In “" + r.Query + "” last"
	case search.RuleStop:
		return "“" + r.Query + "” does not count"
	default:
		return r.Query
	}
}

// shortened is the beginning of a long text.
func shortened(text string, most int) string {
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}

var ruleFields = []string{"kind", "query", "words", "listing", "place", "why"}

// readRule is the rule that was typed.
func readRule(typed map[string]string) search.Rule {
	r := search.Rule{Kind: search.RuleKind(typed["kind"]), Query: typed["query"], Listing: catalog.ListingID(typed["listing"])}
	// The address of a listing will do as well as its id.
	if at := strings.LastIndex(typed["listing"], "/l/"); at >= 0 {
		id, _, _ := strings.Cut(typed["listing"][at+len("/l/"):], "?")
		r.Listing = catalog.ListingID(id)
	}
	r.Words = strings.FieldsFunc(typed["words"], func(c rune) bool { return c == ',' || c == '\n' || c == '\r' })
	place, _ := strconv.ParseInt(typed["place"], 10, 32) // nonsense is the first place
	r.Place = int32(place)
	known := false
	for _, k := range ruleKinds {
		known = known || k.kind == r.Kind
	}
	if !known {
		r.Kind = search.RuleOther
	}
	return r
}

// makeRule adds a rule, or says what it would move.
func (v *visit) makeRule() error {
	typed := v.fields(ruleFields...)
	if v.previewAsked() {
		p, err := v.previewRule(readRule(typed), typed)
		if err != nil {
			return err
		}
		return v.showRules(p.status, p.form, p.preview)
	}
	reply, err := v.Search.PutRule(v.ctx(), search.PutRuleRequest{By: v.by, Key: v.key(), Rule: readRule(typed), Why: typed["why"]})
	if err == nil {
		return v.done(pathOpRules, views.Flash{Text: "The rule applies from now on: " + shortened(ruleText(reply.Rule), 200) + ".", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	return v.showRules(httpx.Status(err), v.refusedRule(err, typed), nil)
}

func (v *visit) refusedRule(err error, typed map[string]string) views.Form {
	names := []fieldName{
		{"kind", "kind", "The kind"},
		{"query", "query", "The search"},
		{"words", "words", "The words"},
		{"listing", "listing", "The listing"},
		{"place", "place", "The place"},
		{"why", "why", "The reason"},
	}
	for i := range search.MaxRuleWords + 1 {
		names = append(names, fieldName{"words[" + strconv.Itoa(i) + "]", "words", "Word " + strconv.Itoa(i+1)})
	}
	return v.refusedForm(err, typed, names)
}

// rule finds the rule that the address names.
func (v *visit) rule() (search.Rule, error) {
	r := search.ListRulesRequest{By: v.by}
	r.Page.Limit = 500
	for {
		reply, err := v.Search.ListRules(v.ctx(), r)
		if err != nil {
			return search.Rule{}, err
		}
		for _, one := range reply.Rules {
			if string(one.ID) == v.param("rule") {
				return one, nil
			}
		}
		if r.Page.Cursor = reply.Next; r.Page.Cursor == "" {
			return search.Rule{}, search.ErrNotFound.With("there is no such rule")
		}
	}
}

// editRule is one rule, to be changed.
func (v *visit) editRule() error {
	r, err := v.rule()
	if err != nil {
		return err
	}
	return v.showRule(http.StatusOK, r, views.Form{Values: ruleValues(r)}, nil)
}

// ruleValues is a rule as its form has it.
func ruleValues(r search.Rule) map[string]string {
	return map[string]string{
		"kind": string(r.Kind), "query": r.Query, "words": strings.Join(r.Words, "\n"), "listing": string(r.Listing),
		"place": strconv.Itoa(int(max(r.Place, 1))), "version": strconv.FormatInt(r.Version, 10),
	}
}

func (v *visit) showRule(status int, r search.Rule, form views.Form, preview *views.RulePreview) error {
	out := views.SearchRule{
		Page: v.operatorFrame("A rule of the search", views.PathOpSearch), Form: form, Text: ruleText(r),
		Action: pathOpRules + "/" + string(r.ID), Kinds: ruleChoices(form.Value("kind")), Preview: preview,
	}
	out.Crumbs = []views.Link{{Text: "Search", URL: views.PathOpSearch}, {Text: "Rules", URL: pathOpRules}}
	return v.show(status, out)
}

// saveRule changes a rule, or says what that would move.
func (v *visit) saveRule() error {
	r, err := v.rule()
	if err != nil {
		return err
	}
	typed := v.fields(append([]string{"version"}, ruleFields...)...)
	next := readRule(typed)
	next.ID = r.ID
	next.Version, _ = strconv.ParseInt(typed["version"], 10, 64) // nonsense is version 0, which is refused as stale
	if v.previewAsked() {
		p, err := v.previewRule(next, typed)
		if err != nil {
			return err
		}
		return v.showRule(p.status, r, p.form, p.preview)
	}
	reply, err := v.Search.PutRule(v.ctx(), search.PutRuleRequest{By: v.by, Key: v.key(), Rule: next, Why: typed["why"]})
	if err == nil {
		return v.done(pathOpRules, views.Flash{Text: "The rule is changed: " + shortened(ruleText(reply.Rule), 200) + ".", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	return v.showRule(httpx.Status(err), r, v.refusedRule(err, typed), nil)
}

// removeRule takes a rule away; the notice puts it back. Or it says what that would move.
func (v *visit) removeRule() error {
	if v.previewAsked() {
		return v.previewRemoval()
	}
	reply, err := v.Search.RemoveRule(v.ctx(), search.RemoveRuleRequest{By: v.by, Key: v.key(), Rule: search.RuleID(v.param("rule"))})
	if errs.KindOf(err) == errs.NotFound {
		return v.done(pathOpRules, views.Flash{Text: "The rule was gone already."})
	}
	if err != nil {
		return err
	}
	back := ruleValues(reply.Rule)
	delete(back, "version")
	f := views.Flash{
		Text: "The rule does not apply any more: " + shortened(ruleText(reply.Rule), 200) + ".", Undo: &views.Act{Text: "Put it back", URL: pathNewRule, Values: back},
	}
	if !fitsCookie(f) {
		f.Undo, f.Link = nil, &views.Link{Text: "It is long: the audit trail has it", URL: auditURL(views.PathOpAudit, "search", string(reply.Rule.ID))}
	}
	return v.done(pathOpRules, f)
}
