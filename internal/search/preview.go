package search

import (
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
)

// The bounds of a preview.
const (
	PreviewTexts = 200 // of the most frequent texts are tried
	PreviewTold  = 20  // of these whose first page changes are told
	PreviewHits  = 10  // are compared of each text
)

// PreviewRequest asks what one change of the rules would do to what people search for most. It
// says either the rule that would be kept, new or changed, or which would be taken away.
type PreviewRequest struct {
	By     actor.Actor `json:"by"`
	Rule   *Rule       `json:"rule"` // as in PutRule; nil for none
	Remove RuleID      `json:"remove"`
}

// PreviewReply compares first pages as they are with what they would be, in order of relevance and
// without filters.
type PreviewReply struct {
	Rule   Rule            `json:"rule"`   // as it would be kept, or as it was
	Since  clock.Time      `json:"since"`  // the day from which on searches were counted
	Asked  int32           `json:"asked"`  // of the most frequent texts, how many were tried
	Differ int32           `json:"differ"` // of these, whose first page changes
	Texts  []PreviewedText `json:"texts"`  // first those that the rule names, moved or not; then the most frequent ones that differ
}

// PreviewedText is what becomes of one text.
type PreviewedText struct {
	Text     string        `json:"text"`
	Named    bool          `json:"named"`    // by the rule
	Searches int64         `json:"searches"` // since then; 0 for few
	Differs  bool          `json:"differs"`
	Before   PreviewedPage `json:"before"`
	After    PreviewedPage `json:"after"`
}

// PreviewedPage is the beginning of what a text finds.
type PreviewedPage struct {
	Hits      []PreviewedHit `json:"hits"`
	Total     int64          `json:"total"`
	Corrected string         `json:"corrected"` // what was searched for instead
}

// PreviewedHit is a result with its place on both sides.
type PreviewedHit struct {
	Listing catalog.ListingID `json:"listing"`
	Title   string            `json:"title"`
	Place   int32             `json:"place"` // 1 is the first
	Other   int32             `json:"other"` // its place on the other side, as far as that is looked at: the first hundred; 0 for none
}
