package orders

// Sort is the order of a list.
//
//rpc:fallback newest
type Sort string

// The orders of lists.
const (
	SortNewest Sort = "newest"
	SortOldest Sort = "oldest"
)
