package searchsvc

import (
	"context"
	"net/http"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/search"
)

func (s *Service) previewRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "previews", Who: httpx.Operators, Summary: "What a change of the rules would move",
		Description: "Compares the first ten results as they are with what they would be: of the texts that the rule names, and of those among the 200 most frequent ones of the last 30 days whose first page changes, at most 20. " +
			"Nothing is changed. It says either a rule as it would be kept, or which would be taken away.",
		Timeout: 30 * time.Second, Limit: httpx.Limit{Max: 60, Per: time.Minute},
	}, s.getPreview)
}

type previewIn struct {
	Kind    search.RuleKind   `query:"kind" enum:"synonyms,expansion,pin,bury,stop" example:"synonyms" doc:"Of the rule that would be kept."`
	Query   string            `query:"query" maxLength:"100" example:"laptop"`
	Words   []string          `query:"word,explode" maxItems:"20" doc:"Of synonyms and expansions; repeated."`
	Listing catalog.ListingID `query:"listing" maxLength:"40" doc:"Of pins and burials."`
	Place   int32             `query:"place" minimum:"0" maximum:"20" doc:"Of pins; the first if left out."`
	Rule    search.RuleID     `query:"rule" maxLength:"40" doc:"The rule that would be changed so; a new one if left out."`
	Version int64             `query:"version" minimum:"0" doc:"Of a rule that is changed: as it was read."`
	Remove  search.RuleID     `query:"remove" maxLength:"40" example:"rul_01k5xk3v8dtq6c9m4j0e7r2a1b" doc:"Instead of all others: the rule that would be taken away."`
}

type previewedHitWire struct {
	Listing catalog.ListingID `json:"listing" example:"lst_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Title   string            `json:"title" example:"Brass desk lamp"`
	Place   int32             `json:"place" example:"1" doc:"1 is the first."`
	Other   int32             `json:"other" doc:"Its place on the other side, among the first hundred; 0 if it is not there."`
}

type previewedPageWire struct {
	Hits      []previewedHitWire `json:"hits" doc:"The first ten."`
	Total     int64              `json:"total"`
	Corrected string             `json:"corrected" doc:"What was searched for instead of the text."`
}

type previewedTextWire struct {
	Text     string            `json:"text" example:"laptop"`
	Named    bool              `json:"named" doc:"The rule itself names it; such a text is told whether anything moves or not."`
	Searches int64             `json:"searches" doc:"In the time looked at; 0 for few."`
	Differs  bool              `json:"differs"`
	Before   previewedPageWire `json:"before"`
	After    previewedPageWire `json:"after"`
}

type previewOut struct {
	Body struct {
		Rule   ruleWire            `json:"rule" doc:"As it would be kept, or as it was."`
		Since  clock.Time          `json:"since" example:"2026-03-01T00:00:00.000Z" doc:"The day from which on searches were counted."`
		Asked  int32               `json:"asked" example:"200" doc:"Of the most frequent texts, how many were tried."`
		Differ int32               `json:"differ" example:"3" doc:"Of these, whose first page changes."`
		Texts  []previewedTextWire `json:"texts"`
	}
}

func (s *Service) getPreview(ctx context.Context, by actor.Actor, in previewIn) (out previewOut, err error) {
	r := search.PreviewRequest{By: by, Remove: in.Remove}
	if in.Kind != "" || in.Remove == "" {
		r.Rule = &search.Rule{ID: in.Rule, Version: in.Version, Kind: in.Kind, Query: in.Query, Words: in.Words, Listing: in.Listing, Place: in.Place}
	}
	reply, err := s.Preview(ctx, r)
	if err != nil {
		return out, err
	}
	b := &out.Body
	b.Rule, b.Since, b.Asked, b.Differ = toRule(reply.Rule), reply.Since, reply.Asked, reply.Differ
	b.Texts = mapped(reply.Texts, toPreviewedText)
	return out, nil
}

func toPreviewedText(t search.PreviewedText) previewedTextWire {
	return previewedTextWire{Text: t.Text, Named: t.Named, Searches: t.Searches, Differs: t.Differs, Before: toPreviewedPage(t.Before), After: toPreviewedPage(t.After)}
}

func toPreviewedPage(p search.PreviewedPage) previewedPageWire {
	return previewedPageWire{
		Hits: mapped(p.Hits, func(h search.PreviewedHit) previewedHitWire { return previewedHitWire(h) }), Total: p.Total, Corrected: p.Corrected,
	}
}
