package views

import "souk/internal/platform/clock"

// OperatorSearch is what people search for, and what came of it.
type OperatorSearch struct {
	Page
	From, Until string   // days as their fields have them
	Ranges      []Choice // usual ranges of days
	Figures     []Figure
	Plot        *Plot // nil when nobody has searched
	Query       string
	Only        []Choice
	Chips       []Chip
	Keep        []Hidden // what both forms send along
	Columns     []Column // of text, searches, found nothing, chosen, bought, rules
	Rows        []SearchRow
	CSV         string
	Pager       Pager
	Empty       Empty
	Notes       []string // what the numbers mean
}

// Template says which template shows it.
func (OperatorSearch) Template() string { return "operator-search" }

// SearchRow is a text that people searched for.
type SearchRow struct {
	Text     string
	URL      string // of its results
	Searches int
	Empty    int
	Clicks   int
	Rate     string // of choices by search
	Bought   string
	Rules    []Link // to help this search
}

// Plot is lines over days, drawn by the template.
type Plot struct {
	Title         string // what it shows, as a sentence
	Unit          string
	Top           string // of the axis
	First, Last   clock.Time
	Width, Height int
	Lines         []Line
	Heads         []string // of the table beneath, after the day
	Days          []PlotDay
}

// Line is one line of a plot.
type Line struct {
	Text   string
	Points string // "0,12 10,4 …" of an SVG polyline
	Dashes string // by which it is told from the others without colours; "" for none
	Ink    string // a colour of the stylesheet
}

// PlotDay is a day of a plot in its table.
type PlotDay struct {
	Day    clock.Time
	Values []int
}
