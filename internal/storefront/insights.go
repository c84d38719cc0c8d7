package storefront

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

const (
	pathOpSearchCSV = views.PathOpSearch + ".csv"
	pathOpRules     = views.PathOpRules
	searchesSize    = 50
	usualDays       = 30
)

// searchesAsked is which searches the operator's page is about.
type searchesAsked struct {
	from, until clock.Time // days
	text        string
	only        search.InsightOnly
}

// searchesAsked reads the address. A day that is none is the usual one.
func (v *visit) searchesAsked() searchesAsked {
	a := searchesAsked{text: v.query("q"), only: search.InsightOnly(v.query("only"))}
	today := dayBegins(v.Now())
	a.until = dayAsked(v.query("until"), today)
	if a.until.After(today) {
		a.until = today
	}
	a.from = dayAsked(v.query("from"), a.until.Add(-(usualDays-1)*24*time.Hour))
	if a.from.After(a.until) {
		a.from = a.until
	}
	return a
}

// dayBegins is when the day of t began, in UTC.
func dayBegins(t clock.Time) clock.Time { return clock.Of(t.Std().UTC().Truncate(24 * time.Hour)) }

func dayAsked(text string, usual clock.Time) clock.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return usual
	}
	return clock.Of(day)
}

func dateOf(t clock.Time) string { return t.Std().UTC().Format(time.DateOnly) }

func (a searchesAsked) url(base string) string {
	q := url.Values{"from": {dateOf(a.from)}, "until": {dateOf(a.until)}}
	if a.text != "" {
		q.Set("q", a.text)
	}
	if a.only != "" {
		q.Set("only", string(a.only))
	}
	return withParams(base, q)
}

// searchColumns are the columns by which searches are sorted, with the contract's names.
var searchColumns = map[string]search.InsightSort{
	"text": search.InsightByText, "searches": search.InsightBySearches, "empty": search.InsightByEmpty,
	"chosen": search.InsightByClicks, "bought": search.InsightByBought,
}

// insightsAsked is what search is asked, and how the table is sorted.
func (v *visit) insightsAsked(a searchesAsked) (search.InsightsRequest, sorting) {
	by := v.sortedBy("sort", a.url(views.PathOpSearch), ups("text", "searches", "empty", "chosen", "bought")...)
	r := search.InsightsRequest{By: v.by, From: a.from, Until: a.until, Text: a.text, Only: a.only, Page: v.cursor(searchesSize)}
	name, up := strings.CutSuffix(by.chosen, "_up")
	r.Sort = searchColumns[strings.TrimSuffix(name, "_down")]
	r.Reverse = by.chosen != "" && up != (r.Sort == search.InsightByText) // a text from A on goes up, all else comes down
	return r, by
}

// operatorSearch is what people search for.
func (v *visit) operatorSearch() error {
	a := v.searchesAsked()
	r, by := v.insightsAsked(a)
	reply, err := v.Search.Insights(v.ctx(), r)
	if err != nil {
		return err
	}
	out := views.OperatorSearch{
		Page: v.operatorFrame("Search", views.PathOpSearch), From: dateOf(a.from), Until: dateOf(a.until), Query: a.text,
		Ranges: v.ranges(a), Only: a.onlys(),
		Columns: []views.Column{
			by.column("Text", "text", "up"), by.column("Searches", "searches", "down").Right(), by.column("Found nothing", "empty", "down").Right(),
			{Text: "Results chosen", Number: true},
			by.column("Chosen by search", "chosen", "down").Right(), by.column("Orders after", "bought", "down").Right(),
			{Text: "Help it"},
		},
		CSV:   by.as(a.url(pathOpSearchCSV)),
		Pager: v.pagerOf(by.here(), reply.Next, len(reply.Texts), "text", "texts"),
		Notes: searchNotes(reply),
	}
	out.Pager.Total = int(reply.Total)
	if a.text != "" {
		b := a
		b.text = ""
		out.Chips = []views.Chip{{Label: "With", Text: a.text, URL: b.url(views.PathOpSearch)}}
	}
	if a.only != "" {
		out.Keep = append(out.Keep, views.Hidden{Name: "only", Value: string(a.only)})
	}
	for _, t := range reply.Texts {
		out.Rows = append(out.Rows, searchRow(t))
	}
	out.Figures, out.Plot = searchFigures(reply.Days)
	out.Empty = views.Empty{
		Title: "No text fits that", Text: fmt.Sprintf("A text is shown once it was searched for %d times in these days.", reply.Least),
		Links: []views.Link{{Text: "All searches", URL: views.PathOpSearch}},
	}
	if out.Plot == nil {
		out.Empty = views.Empty{
			Title: "Nobody has searched in these days",
			Text:  "Here you will see what people search for and how often, what they do not find, which results they choose and what is bought after.",
			Links: []views.Link{{Text: "To the search", URL: views.PathSearch}},
		}
	}
	return v.show(http.StatusOK, out)
}

// ranges are the usual ranges of days, up to the last one asked for.
func (v *visit) ranges(a searchesAsked) []views.Choice {
	var out []views.Choice
	for _, days := range []int{7, usualDays, 90} {
		b := a
		b.until = dayBegins(v.Now())
		b.from = b.until.Add(-time.Duration(days-1) * 24 * time.Hour)
		out = append(out, views.Choice{Text: strconv.Itoa(days) + " days", URL: b.url(views.PathOpSearch), Chosen: b.from == a.from && b.until == a.until})
	}
	return out
}

func (a searchesAsked) onlys() []views.Choice {
	var out []views.Choice
	for _, c := range []struct {
		text string
		only search.InsightOnly
	}{{"All", ""}, {"Found nothing", search.InsightEmpty}, {"Nothing chosen", search.InsightUnchosen}} {
		b := a
		b.only = c.only
		out = append(out, views.Choice{Text: c.text, URL: b.url(views.PathOpSearch), Chosen: a.only == c.only})
	}
	return out
}

func searchRow(t search.SearchedText) views.SearchRow {
	f := t.Figures
	return views.SearchRow{
		Text: t.Text, URL: withParam(views.PathSearch, "q", t.Text), Searches: int(f.Searches), Empty: int(f.Empty), Clicks: int(f.Clicks),
		Rate: share(f.Clicks, f.Searches), Bought: orderLines(f.Bought),
		Rules: []views.Link{
			{Text: "Synonym", URL: withParams(pathOpRules, url.Values{"query": {t.Text}, "kind": {string(search.RuleSynonyms)}})},
			{Text: "Pin", URL: withParams(pathOpRules, url.Values{"query": {t.Text}, "kind": {string(search.RulePin)}})},
		},
	}
}

// share is a share in whole percents; of nothing it is a dash.
func share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return group(strconv.FormatInt((200*part+whole)/(2*whole), 10)) + " %"
}

// orderLines are thousandths of order lines in tenths, which is as exact as they are meant.
func orderLines(thousandths int64) string {
	tenths := (thousandths + 50) / 100
	return group(strconv.FormatInt(tenths/10, 10)) + "." + strconv.FormatInt(tenths%10, 10)
}

// searchFigures add the days up, and draw them; without a search there is nothing to draw.
func searchFigures(days []search.SearchDay) ([]views.Figure, *views.Plot) {
	var all search.SearchFigures
	most := int64(0)
	for _, d := range days {
		f := d.Figures
		all.Searches += f.Searches
		all.Empty += f.Empty
		all.Corrected += f.Corrected
		all.Clicks += f.Clicks
		all.First += f.First
		all.Third += f.Third
		all.Bought += f.Bought
		most = max(most, f.Searches, f.Clicks)
	}
	if all == (search.SearchFigures{}) {
		return nil, nil
	}
	figures := []views.Figure{
		{Text: "Searches", Value: group(strconv.FormatInt(all.Searches, 10))},
		{Text: "Found nothing", Value: share(all.Empty, all.Searches), Note: Count(int(all.Empty), "search", "searches")},
		{Text: "Corrected", Value: share(all.Corrected, all.Searches), Note: Count(int(all.Corrected), "search", "searches")},
		{Text: "Results chosen", Value: group(strconv.FormatInt(all.Clicks, 10)), Note: share(all.Clicks, all.Searches) + " of searches, at most"},
		{Text: "Among the first three", Value: share(all.First+all.Third, all.Clicks), Note: "of what was chosen"},
		{Text: "Order lines after", Value: orderLines(all.Bought), Note: "within a day, at most"},
	}
	return figures, searchPlot(days, all, round(most))
}

// The size of the plot, in its own units.
const plotWidth, plotHeight = 600, 200

func searchPlot(days []search.SearchDay, all search.SearchFigures, top int64) *views.Plot {
	p := &views.Plot{
		Title: fmt.Sprintf("%s in %s: %s of them found nothing.", capital(Count(int(all.Searches), "search", "searches")), Count(len(days), "day", "days"), share(all.Empty, all.Searches)),
		Unit:  "a day", Top: group(strconv.FormatInt(top, 10)), Width: plotWidth, Height: plotHeight,
		First: days[0].Day, Last: days[len(days)-1].Day,
		Heads: []string{"Searches", "Found nothing", "Results chosen"},
	}
	values := func(f search.SearchFigures) []int64 { return []int64{f.Searches, f.Empty, f.Clicks} }
	points := make([]strings.Builder, len(p.Heads))
	for i, d := range days {
		row := views.PlotDay{Day: d.Day}
		for j, n := range values(d.Figures) {
			x := plotWidth / 2
			if len(days) > 1 {
				x = i * plotWidth / (len(days) - 1)
			}
			fmt.Fprintf(&points[j], "%d,%d ", x, plotHeight-n*plotHeight/top)
			if len(days) == 1 { // a line needs two points
				fmt.Fprintf(&points[j], "%d,%d ", x+8, plotHeight-n*plotHeight/top)
			}
			row.Values = append(row.Values, int(n))
		}
		p.Days = append(p.Days, row)
	}
	for i, style := range [][2]string{{"ink", ""}, {"bad", "2 4"}, {"good", "8 4"}} {
		p.Lines = append(p.Lines, views.Line{Text: p.Heads[i], Points: strings.TrimSpace(points[i].String()), Ink: style[0], Dashes: style[1]})
	}
	return p
}

// round is the next number like 10, 20, 50, 100 that n is not above: the top of an axis.
func round(n int64) int64 {
	for scale := int64(1); ; scale *= 10 {
		for _, step := range []int64{1, 2, 5} {
			if n <= step*scale {
				return max(step*scale, 2)
			}
		}
	}
}

// searchNotes say what the numbers mean and what they do not.
func searchNotes(reply search.InsightsReply) []string {
	notes := []string{
		fmt.Sprintf("Days are in UTC. Counts are kept for %d days. A text is listed once it was searched for %d times in these days; nothing is known of who searched. "+
			"Texts with the look of an e-mail address or a long number count in the sums alone.", reply.Kept, reply.Least),
		"“Orders after” shares each order line out among the searches whose results led to its listing within the day before, whoever bought it: " +
			"what was found another way is in it too, so take it as an upper bound.",
	}
	if reply.Part {
		notes = append(notes, "souk runs in several processes here, and each counts what it has answered itself: these are the counts of one of them.")
	}
	return notes
}

// operatorSearchCSV is the texts of the list as a table.
func (v *visit) operatorSearchCSV() error {
	r, _ := v.insightsAsked(v.searchesAsked())
	r.Page = page.Request{Limit: 500}
	return v.csv("searches.csv", []string{"text", "searches", "found_nothing", "corrected", "chosen", "chosen_first", "chosen_second_third", "chosen_fourth_tenth", "order_lines_after"},
		func(write func(...string) error) (bool, error) {
			reply, err := v.Search.Insights(v.ctx(), r)
			if err != nil {
				return false, err
			}
			for _, t := range reply.Texts {
				f := t.Figures
				row := []string{t.Text}
				for _, n := range []int64{f.Searches, f.Empty, f.Corrected, f.Clicks, f.First, f.Third, f.Tenth} {
					row = append(row, strconv.FormatInt(n, 10))
				}
				err = errors.Join(err, write(append(row, fmt.Sprintf("%d.%03d", f.Bought/1000, f.Bought%1000))...))
			}
			r.Page.Cursor = reply.Next
			return reply.Next != "", err
		})
}
