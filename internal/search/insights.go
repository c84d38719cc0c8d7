package search

import (
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
)

// NoteRequest says which result of which search was chosen. Nothing in it says by whom.
type NoteRequest struct {
	Key      string            `json:"key"`
	Search   string            `json:"search"` // of the QueryReply
	Listing  catalog.ListingID `json:"listing"`
	Position int32             `json:"position"` // among the results, from 1; 0 where that is not known
}

// NoteReply says whether the choice was counted: not for a search that nobody has counted today or yesterday.
type NoteReply struct {
	Counted bool `json:"counted"`
}

// InsightSort is what texts in Insights are sorted by.
//
//rpc:fallback searches
type InsightSort string

// The sorts of Insights, most first.
const (
	InsightBySearches InsightSort = "searches"
	InsightByEmpty    InsightSort = "empty"  // how often nothing was found
	InsightByClicks   InsightSort = "clicks" // choices by search
	InsightByBought   InsightSort = "bought"
	InsightByText     InsightSort = "text" // from A on
)

// InsightOnly narrows Insights to texts that need someone.
//
//rpc:fallback all
type InsightOnly string

// What Insights can be narrowed to.
const (
	InsightAll      InsightOnly = "all"
	InsightEmpty    InsightOnly = "empty"    // nothing was found at least once
	InsightUnchosen InsightOnly = "unchosen" // something was found, and nothing of it chosen
)

// InsightsRequest asks what people search for. A time stands for its day, in UTC.
type InsightsRequest struct {
	By      actor.Actor  `json:"by"`
	From    clock.Time   `json:"from"`  // zero: 29 days before Until
	Until   clock.Time   `json:"until"` // the last day; zero: today
	Text    string       `json:"text"`  // only texts that have this in them
	Only    InsightOnly  `json:"only"`  // "" is all
	Sort    InsightSort  `json:"sort"`  // "" is searches
	Reverse bool         `json:"reverse"`
	Page    page.Request `json:"page"`
}

// SearchFigures are counts of searches and of what came of them.
type SearchFigures struct {
	Searches  int64 `json:"searches"`
	Empty     int64 `json:"empty"`     // found nothing
	Corrected int64 `json:"corrected"` // something else was searched for instead
	Clicks    int64 `json:"clicks"`    // results chosen
	First     int64 `json:"first"`     // of these the first result,
	Third     int64 `json:"third"`     // the second or third,
	Tenth     int64 `json:"tenth"`     // the fourth to the tenth
	// Bought is thousandths of order lines: of a listing that was chosen within the day before, each
	// search that led there has its share.
	Bought int64 `json:"bought"`
}

// SearchDay is the figures of a day.
type SearchDay struct {
	Day     clock.Time    `json:"day"` // its beginning, in UTC
	Figures SearchFigures `json:"figures"`
}

// SearchedText is the figures of a text that people searched for.
type SearchedText struct {
	Text    string        `json:"text"` // in lower case
	Figures SearchFigures `json:"figures"`
	Low     int64         `json:"low"` // by how much Searches may be too low
}

// InsightsReply is what people search for.
type InsightsReply struct {
	Days  []SearchDay    `json:"days"` // each of the range, with every search in it
	Texts []SearchedText `json:"texts"`
	Total int64          `json:"total"` // texts on all pages
	Next  string         `json:"next"`
	Least int64          `json:"least"` // searches of a text before it is shown
	Kept  int32          `json:"kept"`  // days for which counts are kept
	Part  bool           `json:"part"`  // other processes count by themselves: these are the counts of one
}
