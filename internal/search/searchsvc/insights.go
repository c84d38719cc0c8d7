package searchsvc

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/search"
	"souk/internal/search/searchsvc/internal/popular"
)

// Bounds of what is told of searches.
const (
	usualInsights, maxInsights = 50, 500
	usualDays                  = 30
)

// insightAsk is a question about searches that is in order.
type insightAsk struct {
	from, until int64 // days, both included
	text        string
	only        search.InsightOnly
	sort        search.InsightSort
	reverse     bool
	size        int
	after       *insightMark
	hash        any
}

// insightMark is where a page ends.
type insightMark struct {
	Value int64  `json:"value"`
	Text  string `json:"text"`
}

func insightAskOf(r search.InsightsRequest, now clock.Time) (insightAsk, error) {
	a := insightAsk{
		until: dayOf(now), text: strings.ToLower(strings.TrimSpace(r.Text)), only: r.Only, sort: r.Sort, reverse: r.Reverse,
		size: r.Page.Size(usualInsights, maxInsights),
	}
	if !r.Until.IsZero() {
		a.until = min(dayOf(r.Until), a.until)
	}
	a.from = a.until - usualDays + 1
	if !r.From.IsZero() {
		a.from = max(dayOf(r.From), a.until-countsKept+1)
	}
	var p errs.Problems
	p.Check(a.from <= a.until, "from", "should not be later than until")
	p.Check(len(r.Text) <= 200, "text", "should have at most 200 characters")
	if err := p.Err(search.ErrInvalid); err != nil {
		return a, err
	}
	if !slices.Contains([]search.InsightSort{search.InsightByEmpty, search.InsightByClicks, search.InsightByBought, search.InsightByText}, a.sort) {
		a.sort = search.InsightBySearches
	}
	a.hash = []any{"insights", a.from, a.until, a.text, a.only, a.sort, a.reverse}
	var after insightMark
	more, err := r.Page.After(a.hash, &after)
	if more {
		a.after = &after
	}
	return a, err
}

// Insights says what people search for.
func (s *Service) Insights(ctx context.Context, r search.InsightsRequest) (_ search.InsightsReply, err error) {
	defer s.done("insights", &err)
	if !r.By.IsOperator() && !r.By.IsSystem() {
		return search.InsightsReply{}, search.ErrForbidden.With("only operators may see this")
	}
	a, err := insightAskOf(r, s.now())
	if err != nil {
		return search.InsightsReply{}, err
	}
	if err := s.WriteCounts(ctx); err != nil { // what was counted just now
		return search.InsightsReply{}, err
	}
	reply := search.InsightsReply{Least: leastShown, Kept: countsKept, Part: s.part}
	var texts []searchedRow
	err = s.db.Read(ctx, func(q store.Queryer) error {
		days, err := selectSearchDays(q, a.from, a.until)
		if err != nil {
			return err
		}
		reply.Days = everyDay(days, a.from, a.until)
		texts, err = selectSearchedBetween(q, a.from, a.until, leastShown)
		return err
	})
	if err != nil {
		return search.InsightsReply{}, err
	}
	if err := a.page(&reply, texts); err != nil {
		return search.InsightsReply{}, fmt.Errorf("page through searches: %w", err)
	}
	return reply, nil
}

// everyDay fills the days on which nobody searched.
func everyDay(rows []dayRow, from, until int64) []search.SearchDay {
	days := make([]search.SearchDay, 0, until-from+1)
	for day := from; day <= until; day++ {
		d := search.SearchDay{Day: clock.Of(time.Unix(day*24*60*60, 0))}
		if len(rows) > 0 && rows[0].Day == day {
			d.Figures = toFigures(rows[0].Figures, rows[0].Bought)
			rows = rows[1:]
		}
		days = append(days, d)
	}
	return days
}

func toFigures(f popular.Figures, bought int64) search.SearchFigures {
	return search.SearchFigures{
		Searches: f.Searches, Empty: f.Empty, Corrected: f.Corrected, Clicks: f.Clicks(), First: f.First, Third: f.Third, Tenth: f.Tenth, Bought: bought,
	}
}

// wants says whether a text is asked for.
func (a insightAsk) wants(row searchedRow) bool {
	switch {
	case !strings.Contains(row.Text, a.text):
		return false
	case a.only == search.InsightEmpty:
		return row.Empty > 0
	case a.only == search.InsightUnchosen:
		return row.Searches > row.Empty && row.Clicks() == 0
	default:
		return true
	}
}

// value is what a text is sorted by.
func (a insightAsk) value(row searchedRow) int64 {
	switch a.sort {
	case search.InsightByEmpty:
		return row.Empty
	case search.InsightByClicks:
		return row.Clicks() * 1_000_000 / max(row.Searches, 1)
	case search.InsightByBought:
		return row.Bought
	case search.InsightByText:
		return 0
	default:
		return row.Searches
	}
}

// order compares two places: most first, the text where they have the same.
func (a insightAsk) order(x, y insightMark) int {
	order := cmp.Or(cmp.Compare(y.Value, x.Value), cmp.Compare(x.Text, y.Text))
	if a.reverse {
		return -order
	}
	return order
}

// page puts the page of texts that is asked for into reply.
func (a insightAsk) page(reply *search.InsightsReply, rows []searchedRow) (err error) {
	rows = slices.DeleteFunc(rows, func(row searchedRow) bool { return !a.wants(row) })
	reply.Total = int64(len(rows))
	slices.SortFunc(rows, func(x, y searchedRow) int {
		return a.order(insightMark{a.value(x), x.Text}, insightMark{a.value(y), y.Text})
	})
	if a.after != nil {
		first, _ := slices.BinarySearchFunc(rows, *a.after, func(row searchedRow, after insightMark) int {
			if a.order(insightMark{a.value(row), row.Text}, after) <= 0 {
				return -1
			}
			return 1
		})
		rows = rows[first:]
	}
	if len(rows) > a.size {
		rows = rows[:a.size]
		last := rows[a.size-1]
		if reply.Next, err = page.Cursor(a.hash, insightMark{a.value(last), last.Text}); err != nil {
			return err
		}
	}
	for _, row := range rows {
		reply.Texts = append(reply.Texts, search.SearchedText{Text: row.Text, Figures: toFigures(row.Figures, row.Bought), Low: row.Low})
	}
	return nil
}

// bought counts an order line of a listing for the searches by which people came to it within the day before. Whose order it
// is plays no part: each of these searches has the share of the line that it has of the choices. So what is bought by somebody who came
// another way is counted for them too, and what is bought later is not.
func (s *Service) bought(tx *store.Tx, listing catalog.ListingID, at clock.Time) error {
	hour, day := hourOf(at), dayOf(at)
	clicks, err := selectClicks(tx, listing, hour-boughtWithin, hour)
	if err != nil || len(clicks) == 0 {
		return err
	}
	if err := addBoughtOfDay(tx, day, orderLine); err != nil {
		return err
	}
	for i, share := range shares(clicks) {
		if err := addBought(tx, day, clicks[i].Name, share); err != nil {
			return err
		}
	}
	return nil
}

// orderLine is an order line in the thousandths that are counted.
const orderLine = 1000

// shares divides an order line among searches by their choices. What is left over goes to the first.
func shares(clicks []clicksRow) []int64 {
	all, left := int64(0), int64(orderLine)
	for _, c := range clicks {
		all += c.Clicks
	}
	out := make([]int64, len(clicks))
	for i, c := range clicks {
		out[i] = orderLine * c.Clicks / all
		left -= out[i]
	}
	out[0] += left
	return out
}
