package views

// SearchWhy is why a listing stands where it does in a list of results.
type SearchWhy struct {
	Page
	Listing Link
	Results Link     // the list
	Where   string   // "Number 3 of 214."
	Notes   []string // what else was at work
	Words   []WhyWord
	Parts   []WhyPart
	Score   string // all parts together
	Rules   []Link // that had a say
	Acts    []Link // rules that can be made of it
}

// Template says which template shows it.
func (SearchWhy) Template() string { return "operator-why" }

// Reasons are why a result stands where it does, in short.
type Reasons struct {
	Score string // of all parts; empty where words do not make the order
	Parts []WhyPart
	Words []WhyWord // where there are no parts
	Rules []Link    // that had a say
}

// WhyWord is one word of the search.
type WhyWord struct {
	Word  string
	Found string // as what, where; or that it is missing
	Has   bool
	Ways  string // what would have done as well; empty for nothing else
}

// WhyPart is one part of the score.
type WhyPart struct {
	Text   string
	Points string
}
