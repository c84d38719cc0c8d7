// Package searchsvc is search's module: an index fed by catalog's events, and what is
// read from it.
//
// # What is where
//
// The words of every listing are in SQLite's FTS5. What narrows, counts and sorts (category,
// brand, seller, price, stock, age) is also in memory, as columns: the shelf. Each read
// looks in its snapshot for what has been written since and takes it onto the shelf first, so
// memory is never behind the database, and a start costs nothing until someone searches.
//
// A query asks FTS5 which listings have the words and how well these fit, and then walks
// once over what came back: that one walk filters, counts every facet and keeps the page's
// best. So its cost grows with the number of listings that have the words (about 2 µs each),
// not with the number of facets or pages; nothing is capped, and totals are exact.
//
// # Rules
//
//	entry.go                        what is indexed of a listing
//	words.go                        what a text asks for
//	walk.go, facets.go, prices.go   filters, counts, sorts, pages
//	pieces.go                       matches within a text
//	internal/ranking                in which order
//	internal/suggest                how to go on typing
//
// The last two know no SQL and no index.
//
// # Writing
//
// An event writes the listing's row. Its words are indexed once per batch of events, in the
// same transaction (bus.OnBatch), so whoever sees the row sees the words.
//
// # Order holds between pages
//
// A page begins after the (score, id) of the last row of the page before. Scores move a
// little whenever words are added anywhere, because a word's weight depends on how many
// listings have it. Therefore the cursor names the row, and its score is taken from the new
// ranking as long as the row's own words are what they were: while nothing is edited, pages
// of the same ranking join exactly, and when everything shifts they still join at that row.
//
// # Rebuilding
//
// There are two sets of tables (migrations/search). Rebuild empties the idle one, has
// every event from then on applied to both, reads catalog page by page into it, and makes it the
// active one in a single transaction. What an event has written is never overwritten by
// what was read, since the log will bring anything newer. A process that dies meanwhile
// leaves the active set as it was; its half-built set is ignored, and emptied next time.
package searchsvc
