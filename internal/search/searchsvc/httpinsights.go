package searchsvc

import (
	"context"
	"net/http"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/search"
)

// insightRoutes registers what is about searches and not about listings.
func (s *Service) insightRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "clicks", Who: httpx.Anyone, Summary: "Say that a result was chosen",
		Description: "It makes searching better, and says nothing about who chose. It is counted in memory and written seconds later; the answer is the same whether anybody has made such a search or not.",
		Limit:       httpx.Limit{Max: 120, Per: time.Minute},
	}, s.postClick)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "insights", Who: httpx.Operators, Summary: "See what people search for",
		Description: "Every day of the range with all its searches, and the texts that were searched for at least three times in it. Nothing is known of who searched.",
	}, s.getInsights)
}

// countedFor is the key under which a caller's search is counted; an operator's is not.
func countedFor(by actor.Actor) *string {
	if by.IsOperator() || by.IsSystem() {
		return nil
	}
	key := id.New("sea_")
	return &key
}

type clickIn struct {
	httpx.Keyed
	Body struct {
		Search   string            `json:"search" required:"true" minLength:"1" maxLength:"32" example:"4t9w2m6x1zqa" doc:"As the search has named itself."`
		Listing  catalog.ListingID `json:"listing" required:"true" example:"lst_01k5xk3v8dtq6c9m4j0e7r2a1b"`
		Position int32             `json:"position" minimum:"0" default:"0" example:"1" doc:"Among the results, from 1. 0 where that is not known."`
	}
}

// postClick does not say whether the choice was counted: that would say whether anybody has searched for a text.
func (s *Service) postClick(ctx context.Context, by actor.Actor, in clickIn) (struct{}, error) {
	if by.IsOperator() {
		return struct{}{}, nil // operators try things; it is not what people find useful
	}
	_, err := s.Note(ctx, search.NoteRequest{Key: in.Key, Search: in.Body.Search, Listing: in.Body.Listing, Position: in.Body.Position})
	return struct{}{}, err
}

type insightsIn struct {
	httpx.Page
	From    string             `query:"from" format:"date" maxLength:"10" doc:"The first day, in UTC. 29 days before the last if left out." example:"2026-01-01"`
	Until   string             `query:"until" format:"date" maxLength:"10" doc:"The last day. Today if left out." example:"2026-01-31"`
	Text    string             `query:"q" maxLength:"200" doc:"Only texts that have this in them."`
	Only    search.InsightOnly `query:"only" enum:"all,empty,unchosen" doc:"empty: nothing was found at least once. unchosen: something was found and none of it chosen."`
	Sort    search.InsightSort `query:"sort" enum:"searches,empty,clicks,bought,text" doc:"Most first; clicks by search; text from A on."`
	Reverse bool               `query:"reverse" doc:"Least first."`
}

type searchFiguresWire struct {
	Searches  int64 `json:"searches" example:"214"`
	Empty     int64 `json:"empty" example:"3" doc:"Found nothing."`
	Corrected int64 `json:"corrected" doc:"Something else was searched for instead."`
	Clicks    int64 `json:"clicks" example:"120" doc:"Results chosen."`
	First     int64 `json:"clicks_first" example:"60" doc:"Of these the first result,"`
	Third     int64 `json:"clicks_second_third" doc:"the second or third,"`
	Tenth     int64 `json:"clicks_fourth_tenth" doc:"the fourth to the tenth."`
	Bought    int64 `json:"bought" example:"2500" doc:"Thousandths of order lines of listings that were chosen within the day before; each search that led there has its share. Others' orders are in it too."`
}

type insightsOut struct {
	Body struct {
		Days       []searchDayWire    `json:"days"`
		Texts      []searchedTextWire `json:"texts"`
		Total      int64              `json:"total" doc:"Texts on all pages."`
		NextCursor string             `json:"next_cursor" doc:"Of the next page; empty on the last."`
		Least      int64              `json:"least" example:"3" doc:"Searches of a text before it is shown."`
		Kept       int32              `json:"kept" example:"90" doc:"Days for which counts are kept."`
		Part       bool               `json:"part" doc:"souk runs in several processes that each count by themselves; these are the counts of one."`
	}
}

type searchDayWire struct {
	Day     clock.Time        `json:"day"`
	Figures searchFiguresWire `json:"figures"`
}

type searchedTextWire struct {
	Text    string            `json:"text" example:"desk lamp" doc:"In lower case."`
	Figures searchFiguresWire `json:"figures"`
	Low     int64             `json:"low" doc:"By how much searches may be too low: only so many texts of a day are kept."`
}

// dayOfText is a day as clients write it; zero for "".
func dayOfText(p *errs.Problems, field, text string) clock.Time {
	if text == "" {
		return 0
	}
	day, err := time.Parse(time.DateOnly, text)
	p.Check(err == nil, field, "should be a day like 2026-01-31")
	return clock.Of(day)
}

func (s *Service) getInsights(ctx context.Context, by actor.Actor, in insightsIn) (out insightsOut, err error) {
	var p errs.Problems
	from, until := dayOfText(&p, "from", in.From), dayOfText(&p, "until", in.Until)
	if err := p.Err(search.ErrInvalid); err != nil {
		return out, err
	}
	reply, err := s.Insights(ctx, search.InsightsRequest{
		By: by, From: from, Until: until, Text: in.Text, Only: in.Only, Sort: in.Sort, Reverse: in.Reverse, Page: in.Request(),
	})
	if err != nil {
		return out, err
	}
	out.Body.Days = mapped(reply.Days, func(d search.SearchDay) searchDayWire {
		return searchDayWire{Day: d.Day, Figures: searchFiguresWire(d.Figures)}
	})
	out.Body.Texts = mapped(reply.Texts, func(t search.SearchedText) searchedTextWire {
		return searchedTextWire{Text: t.Text, Figures: searchFiguresWire(t.Figures), Low: t.Low}
	})
	out.Body.Total, out.Body.NextCursor, out.Body.Least, out.Body.Kept, out.Body.Part = reply.Total, reply.Next, reply.Least, reply.Kept, reply.Part
	return out, nil
}
