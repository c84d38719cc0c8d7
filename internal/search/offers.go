package search

// OfferKind is what an offer changes.
//
//rpc:fallback query
type OfferKind string

// The kinds of offers.
const (
	OfferQuery      OfferKind = "query"       // another text
	OfferFewerWords OfferKind = "fewer_words" // the text without a word, and the same filter
	OfferUnfiltered OfferKind = "unfiltered"  // the same text without the filter
	OfferCategory   OfferKind = "category"    // the text in a category where it fits best, or everything in one
)

// Offer is a way to go on when nothing was found. It leads to something.
type Offer struct {
	Kind  OfferKind `json:"kind"`
	Text  string    `json:"text"` // to search for; "" for everything there
	Path  string    `json:"path"` // of a category
	Label string    `json:"label"`
	Count int64     `json:"count"` // listings that it leads to
}
