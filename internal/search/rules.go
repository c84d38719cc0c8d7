package search

import (
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
)

// RuleID names a rule.
type RuleID = id.ID[Rule]

// RuleIDs makes the ids of rules.
var RuleIDs = id.Maker[Rule]{Prefix: "rul_"}

// RuleKind is what a rule does.
//
//rpc:fallback other
type RuleKind string

// The kinds of rules.
const (
	RuleOther     RuleKind = "other"
	RuleSynonyms  RuleKind = "synonyms"  // who searches for one of Words finds all of them
	RuleExpansion RuleKind = "expansion" // who searches for Query finds Words too, not the other way round
	RulePin       RuleKind = "pin"       // Listing stands at Place of what Query finds
	RuleBury      RuleKind = "bury"      // Listing comes last of what Query finds
	RuleStop      RuleKind = "stop"      // Query, one word, does not count beside others
)

// The bounds of rules.
const (
	MaxRules     = 5000
	MaxRuleWords = 20  // in one rule
	MaxRuleText  = 100 // characters of a query or of one of the words
	MaxPlace     = 20
)

// Rule is what operators tell search about words and places. Case, accents and endings of words
// do not matter in it, as in a query.
type Rule struct {
	ID        RuleID            `json:"id"`
	Kind      RuleKind          `json:"kind"`
	Query     string            `json:"query"` // "" of synonyms
	Words     []string          `json:"words"` // of synonyms and expansions: a word each, or several in a row
	Listing   catalog.ListingID `json:"listing"`
	Place     int32             `json:"place"` // of a pin: 1 is the first
	Version   int64             `json:"version"`
	ChangedAt clock.Time        `json:"changed_at"`
}

// ListRulesRequest filters rules. Operators and the system only.
type ListRulesRequest struct {
	By   actor.Actor  `json:"by"`
	Kind RuleKind     `json:"kind"` // "" for all
	Text string       `json:"text"` // in the query, the words or the listing's id; "" for all
	Page page.Request `json:"page"`
}

// ListRulesReply is a page of rules, by kind and by what they are about.
type ListRulesReply struct {
	Rules []Rule `json:"rules"`
	Total int64  `json:"total"` // on all pages
	Next  string `json:"next"`
	Fixed bool   `json:"fixed"` // they come from a file that souk is started with: PutRule and RemoveRule are ErrRulesFixed
}

// PutRuleRequest makes a rule, or with its id and version changes one.
type PutRuleRequest struct {
	By   actor.Actor `json:"by"`
	Key  string      `json:"key"`
	Rule Rule        `json:"rule"`
	Why  string      `json:"why"`
}

// PutRuleReply is the rule as it is kept.
type PutRuleReply struct {
	Rule Rule `json:"rule"`
}

// RemoveRuleRequest takes a rule away.
type RemoveRuleRequest struct {
	By   actor.Actor `json:"by"`
	Key  string      `json:"key"`
	Rule RuleID      `json:"rule"`
	Why  string      `json:"why"`
}

// RemoveRuleReply is the rule as it was.
type RemoveRuleReply struct {
	Rule Rule `json:"rule"`
}
