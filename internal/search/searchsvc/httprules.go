package searchsvc

import (
	"context"
	"net/http"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/search"
)

func (s *Service) ruleRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "explanations/{listing}", Who: httpx.Operators, Summary: "Why a listing stands where it does",
		Description: "In what a text finds, in order of relevance: where the listing has each word, every part of its score, rules, corrections; or why it is not found.",
	}, s.getExplanation)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "rules", Who: httpx.Operators, Summary: "List the rules of the search",
		Description: "Synonyms, expansions, pins, burials and words that do not count, by kind and by what they are about.",
	}, s.getRules)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "rules", Who: httpx.Operators, Summary: "Add a rule to the search",
		Description: "It applies to every search that begins after it.", Status: http.StatusCreated,
	}, s.postRule)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPut, Path: base + "rules/{rule}", Who: httpx.Operators, Summary: "Change a rule of the search",
		Description: "With the version that was read, so that nobody's change is overwritten unseen.",
	}, s.putRuleByID)
	httpx.Route(api, httpx.Op{
		Method: http.MethodDelete, Path: base + "rules/{rule}", Who: httpx.Operators, Summary: "Take a rule of the search away",
		Description: "The answer is the rule as it was: added again, it is back.", Status: http.StatusOK,
	}, s.deleteRuleByID)
}

type ruleWire struct {
	ID        search.RuleID     `json:"id" example:"rul_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Kind      search.RuleKind   `json:"kind" example:"synonyms" doc:"synonyms: who searches for one of the words finds all; expansion: who searches for the query finds the words too; pin and bury: the listing comes at a place, or last, of what the query finds; stop: the query, a word, does not count beside others."`
	Query     string            `json:"query" doc:"Empty of synonyms."`
	Words     []string          `json:"words" doc:"Of synonyms and expansions: a word each, or several in a row."`
	Listing   catalog.ListingID `json:"listing" doc:"Of pins and burials."`
	Place     int32             `json:"place" doc:"Of pins: 1 is the first."`
	Version   int64             `json:"version" example:"1"`
	ChangedAt clock.Time        `json:"changed_at" example:"2026-03-01T12:00:00.000Z"`
}

func toRule(r search.Rule) ruleWire {
	out := ruleWire(r)
	out.Words = append([]string{}, r.Words...)
	return out
}

type rulesIn struct {
	httpx.Page
	Kind search.RuleKind `query:"kind" enum:"synonyms,expansion,pin,bury,stop" doc:"Of this kind only."`
	Text string          `query:"q" maxLength:"100" doc:"With this text in the query or the words, or about this listing."`
}

type rulesOut struct {
	Body struct {
		Rules      []ruleWire `json:"rules"`
		Total      int64      `json:"total" example:"12" doc:"Rules on all pages."`
		NextCursor string     `json:"next_cursor" doc:"Of the next page; empty on the last."`
		Fixed      bool       `json:"fixed" doc:"They come from a file that souk is started with, and are changed there alone."`
	}
}

func (s *Service) getRules(ctx context.Context, by actor.Actor, in rulesIn) (rulesOut, error) {
	reply, err := s.ListRules(ctx, search.ListRulesRequest{By: by, Kind: in.Kind, Text: in.Text, Page: in.Request()})
	if err != nil {
		return rulesOut{}, err
	}
	var out rulesOut
	out.Body.Rules, out.Body.Total, out.Body.NextCursor = mapped(reply.Rules, toRule), reply.Total, reply.Next
	out.Body.Fixed = reply.Fixed
	return out, nil
}

type ruleFields struct {
	Kind    search.RuleKind   `json:"kind" enum:"synonyms,expansion,pin,bury,stop" example:"synonyms"`
	Query   string            `json:"query" required:"false" maxLength:"100" example:"laptop"`
	Words   []string          `json:"words" required:"false" maxItems:"20" doc:"Of synonyms and expansions."`
	Listing catalog.ListingID `json:"listing" required:"false" maxLength:"40" doc:"Of pins and burials."`
	Place   int32             `json:"place" required:"false" minimum:"0" maximum:"20" doc:"Of pins; the first if left out."`
	Version int64             `json:"version" required:"false" minimum:"0" doc:"Of a rule that is changed: as it was read."`
	Why     string            `json:"why" required:"false" maxLength:"500" doc:"For the audit log."`
}

func (f ruleFields) rule() search.Rule {
	return search.Rule{Kind: f.Kind, Query: f.Query, Words: f.Words, Listing: f.Listing, Place: f.Place}
}

type ruleOut struct{ Body ruleWire }

type postRuleIn struct {
	httpx.Keyed
	Body ruleFields
}

func (s *Service) postRule(ctx context.Context, by actor.Actor, in postRuleIn) (ruleOut, error) {
	reply, err := s.PutRule(ctx, search.PutRuleRequest{By: by, Key: in.Key, Rule: in.Body.rule(), Why: in.Body.Why})
	if err != nil {
		return ruleOut{}, err
	}
	return ruleOut{Body: toRule(reply.Rule)}, nil
}

type putRuleIn struct {
	httpx.Keyed
	Rule search.RuleID `path:"rule" maxLength:"40" example:"rul_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body ruleFields
}

func (s *Service) putRuleByID(ctx context.Context, by actor.Actor, in putRuleIn) (ruleOut, error) {
	if in.Rule == "" {
		return ruleOut{}, search.ErrNotFound.With("there is no such rule")
	}
	rule := in.Body.rule()
	rule.ID, rule.Version = in.Rule, in.Body.Version
	reply, err := s.PutRule(ctx, search.PutRuleRequest{By: by, Key: in.Key, Rule: rule, Why: in.Body.Why})
	if err != nil {
		return ruleOut{}, err
	}
	return ruleOut{Body: toRule(reply.Rule)}, nil
}

type deleteRuleIn struct {
	httpx.Keyed
	Rule search.RuleID `path:"rule" maxLength:"40" example:"rul_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

func (s *Service) deleteRuleByID(ctx context.Context, by actor.Actor, in deleteRuleIn) (ruleOut, error) {
	reply, err := s.RemoveRule(ctx, search.RemoveRuleRequest{By: by, Key: in.Key, Rule: in.Rule})
	if err != nil {
		return ruleOut{}, err
	}
	return ruleOut{Body: toRule(reply.Rule)}, nil
}

type explanationIn struct {
	Narrowing
	Listing catalog.ListingID `path:"listing" maxLength:"40" example:"lst_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Text    string            `query:"q" maxLength:"10000" example:"desk lamp"`
	Sort    search.Sort       `query:"sort" enum:"relevance,price_up,price_down,newest,bestselling" doc:"Relevance if left out; in another order the words have no score."`
	Exact   bool              `query:"exact"`
}

type scorePartWire struct {
	Name  string `json:"name" example:"word"`
	Word  string `json:"word" doc:"That it is about; empty for all."`
	Score int64  `json:"score" doc:"In thousandths."`
}

type explainedWordWire struct {
	Word   string   `json:"word" example:"lamp"`
	Ways   []string `json:"ways" doc:"What fits it: as typed, synonyms, other spellings."`
	Has    []string `json:"has" doc:"Those that the listing has."`
	Fields []string `json:"fields" doc:"Where: title, brand, category, text."`
}

type explanationWire struct {
	Corrected string              `json:"corrected" doc:"What was searched for instead of the text."`
	Also      string              `json:"also" doc:"What was searched for besides, behind that."`
	AnyWord   bool                `json:"any_word"`
	Total     int64               `json:"total"`
	Found     bool                `json:"found"`
	Place     int64               `json:"place" doc:"1 is the first; 0 for one that is not found, or far down."`
	Score     int64               `json:"score" doc:"In thousandths."`
	Parts     []scorePartWire     `json:"parts" doc:"Of the score, as they add up."`
	Words     []explainedWordWire `json:"words"`
	Rules     []ruleWire          `json:"rules" doc:"That had a say."`
	Missing   []string            `json:"missing" doc:"Why it is not found."`
}

type explanationOut struct{ Body explanationWire }

func (s *Service) getExplanation(ctx context.Context, by actor.Actor, in explanationIn) (explanationOut, error) {
	r := search.ExplainRequest{By: by, Text: in.Text, Filter: in.filter(), Exact: in.Exact, Listing: in.Listing}
	if in.Sort != "" {
		r.Sort = &in.Sort
	}
	reply, err := s.Explain(ctx, r)
	if err != nil {
		return explanationOut{}, err
	}
	return explanationOut{Body: toExplanation(reply)}, nil
}

func toExplanation(e search.ExplainReply) explanationWire {
	return explanationWire{
		Corrected: e.Corrected, Also: e.Also, AnyWord: e.AnyWord, Total: e.Total, Found: e.Found, Place: e.Place, Score: e.Score,
		Parts: mapped(e.Parts, func(p search.ScorePart) scorePartWire { return scorePartWire(p) }),
		Words: mapped(e.Words, func(w search.ExplainedWord) explainedWordWire {
			return explainedWordWire{Word: w.Word, Ways: append([]string{}, w.Ways...), Has: append([]string{}, w.Has...), Fields: append([]string{}, w.Fields...)}
		}),
		Rules: mapped(e.Rules, toRule), Missing: append([]string{}, e.Missing...),
	}
}
