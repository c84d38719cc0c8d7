package search

import (
	"souk/internal/catalog"
	"souk/internal/platform/actor"
)

// ExplainRequest asks why a listing stands where it does in what a text finds.
type ExplainRequest struct {
	By      actor.Actor       `json:"by"`
	Text    string            `json:"text"`
	Filter  Filter            `json:"filter"`
	Exact   bool              `json:"exact"`
	Listing catalog.ListingID `json:"listing"`
	Sort    *Sort             `json:"sort"` // nil is relevance; in another order the words have no score
}

// ExplainReply says so.
type ExplainReply struct {
	Corrected string          `json:"corrected"` // what was searched for instead of the text
	Also      string          `json:"also"`      // what was searched for besides, behind that
	AnyWord   bool            `json:"any_word"`
	Total     int64           `json:"total"`
	Found     bool            `json:"found"`
	Place     int64           `json:"place"`   // 1 is the first; 0 for one that is not found, or far down
	Score     int64           `json:"score"`   // in thousandths
	Parts     []ScorePart     `json:"parts"`   // of the score, as they add up
	Words     []ExplainedWord `json:"words"`   // that were looked for
	Rules     []Rule          `json:"rules"`   // that had a say
	Missing   []string        `json:"missing"` // why it is not found, in words
}

// ScorePart is one part of a score.
type ScorePart struct {
	Name  string `json:"name"`
	Word  string `json:"word"`  // that it is about; "" for all
	Score int64  `json:"score"` // in thousandths
}

// ExplainedWord is one word that was looked for.
type ExplainedWord struct {
	Word   string   `json:"word"`
	Ways   []string `json:"ways"`   // what fits it: as typed, synonyms, other spellings
	Has    []string `json:"has"`    // those that the listing has
	Fields []string `json:"fields"` // where: title, brand, category, text
}
