// Package searchsvc is search's module: an index fed by catalog's events, and what is
// read from it.
//
// # What is where
//
// A text becomes terms in Go (internal/words). SQLite's FTS5 keeps which listings have a term, and
// nothing else. Everything that filters, counts, sorts and ranks is in memory, in columns: the
// shelf. Each read looks in its snapshot for what has been written since and takes it onto the
// shelf first, so memory is never behind the database, and a start costs nothing until someone
// searches.
//
// A listing has a number, and gets a new one when its words change. So the terms of a number never
// change, and a set of numbers that was right once stays right: it only has to be told of later
// numbers. That is how the sets of common terms, brands and categories stay in memory (found.go).
//
// A query becomes sets: those of its terms, of its filters, and what can be seen. Sets are bitmaps
// (internal/docset), so that all the words, all the filters, the total and what each facet counts
// are a few bitwise operations on 125 kB for a million listings.
//
// # Rules
//
//	entry.go                        what is indexed of a listing
//	understand.go                   what a text is taken to ask for
//	find.go, found.go               which listings have it
//	walk.go, relevance.go           filters, sorts, pages
//	facets.go, prices.go            counts
//	facts.go, attributes.go         what listings state by name and value, and which of that is told
//	pieces.go                       matches within a text
//	internal/words                  what a word is
//	internal/docset                 sets of listings
//	internal/ranking                in which order
//	internal/suggest                how to go on typing
//
// The internal ones know no SQL and no index.
//
// # Writing
//
// An event writes the listing's row and its terms, once per batch of events, in the same
// transaction (bus.OnBatch), so whoever sees the row finds the words.
//
// # Order holds between pages
//
// Where a listing stands depends on that listing alone. What else an order is made of (how much
// each word says, how many are looked at closely) is found once, for the first page, and kept in
// the cursor. A page begins after the place of the last row of the page before. So pages
// neither skip nor repeat while others come, change and go.
//
// # Rebuilding
//
// There are two sets of tables (migrations/search). Rebuild empties the idle one, has
// every event from then on applied to both, reads catalog page by page into it, and makes it the
// active one in a single transaction. What an event has written is never overwritten by
// what was read, since the log will bring anything newer. A process that dies meanwhile
// leaves the active set as it was; its half-built set is ignored, and emptied next time.
//
// An index whose words come from another version of internal/words is rebuilt by the process
// that opens it; until then it is searched as it is.
package searchsvc
