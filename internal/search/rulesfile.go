package search

import "souk/internal/platform/actor"

// MaxRulesText is how many bytes a file of rules may have.
const MaxRulesText = 4 << 20

// ExportRulesRequest asks for all rules as a file has them. Operators and the system only.
type ExportRulesRequest struct {
	By actor.Actor `json:"by"`
}

// ExportRulesReply is all rules, as docs/search-rules.md says.
type ExportRulesReply struct {
	Text    string `json:"text"`    // a rule a line
	Rules   int32  `json:"rules"`   // how many there are
	Edition int64  `json:"edition"` // another after every change of the rules
	Fixed   bool   `json:"fixed"`   // as of ListRules
}

// ImportRulesRequest takes over the rules of a file, all of them or none. Those that are there already stay as they are.
type ImportRulesRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"` // not of a dry run
	Text    string      `json:"text"`
	Replace bool        `json:"replace"` // rules that are not in the file go
	Edition *int64      `json:"edition"` // ErrVersion unless the rules are still in this one; nil for any
	DryRun  bool        `json:"dry_run"` // say what would be done, and do nothing
	Why     string      `json:"why"`
}

// ImportRulesReply is what an import did, or would do: the rules as files have them.
type ImportRulesReply struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Kept    int32    `json:"kept"` // were there already
}

// PreviewImportRequest asks what an import would do and move.
type PreviewImportRequest struct {
	By      actor.Actor `json:"by"`
	Text    string      `json:"text"`
	Replace bool        `json:"replace"`
}

// PreviewImportReply is what an import would do to the rules, and what that would move.
type PreviewImportReply struct {
	Added   []string     `json:"added"`
	Removed []string     `json:"removed"`
	Kept    int32        `json:"kept"`
	Edition int64        `json:"edition"` // of the rules that it is about; for ImportRules
	Moved   PreviewReply `json:"moved"`   // without a rule. Of the texts that the file's rules name it has those that differ, after the frequent ones
	Named   int32        `json:"named"`   // texts that the rules name that come or go
	Tried   int32        `json:"tried"`   // of these, how many were looked at: PreviewTexts, or until PreviewTold differ, and those that are frequent
}
