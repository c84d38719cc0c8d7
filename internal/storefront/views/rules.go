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
	Fixed  string // why they cannot be changed here; "" where they can

	Preview *RulePreview // of what the form says; nil when it is not asked for
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

	Preview *RulePreview
}

// Template says which template shows it.
func (SearchRule) Template() string { return "operator-rule" }

// RulePreview is what a change of the rules would move, before it is made.
type RulePreview struct {
	Heading string
	Intro   string
	Texts   []PreviewText
}

// PreviewText is what becomes of one search.
type PreviewText struct {
	Text string
	URL  string // of its results now
	Note string // how often it is searched for, and how many listings it finds
	Rows []PreviewRow
	Same string // instead of rows: nothing moves
}

// PreviewRow is one place on the first page, now and then. A side that is not so long has none.
type PreviewRow struct {
	Place     int
	Now, Then *PreviewCell
}

// PreviewCell is a listing in its place.
type PreviewCell struct {
	Title string
	URL   string
	Move  Status // where it goes, or where it comes from; empty when it stays
}
