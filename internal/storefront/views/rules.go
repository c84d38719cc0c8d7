package views

import "souk/internal/platform/clock"

// SearchRules is what operators told search, and the form for more.
type SearchRules struct {
	Page
	Form   Form
	Action string // of the form
	List   string // address of the list
	Kinds  []Choice
	Tabs   []Choice
	Chips  []Chip
	Query  string
	Show   string // the kind that the list is narrowed to
	Rows   []RuleRow
	Pager  Pager
	Empty  Empty
}

// Template says which template shows it.
func (SearchRules) Template() string { return "operator-rules" }

// RuleRow is a rule in a table.
type RuleRow struct {
	Text      string
	URL       string
	Listing   *Link
	ChangedAt clock.Time
	RemoveURL string
}

// SearchRule is one rule, to be changed.
type SearchRule struct {
	Page
	Form   Form
	Text   string
	Action string
	Kinds  []Choice
}

// Template says which template shows it.
func (SearchRule) Template() string { return "operator-rule" }
