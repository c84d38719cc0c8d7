// Package catalogsvc is catalog's module: rules, SQL, routes, jobs.
//
// # Stock
//
// Whatever changes stock is one row in the journal (movements), written in the transaction
// of its cause; a trigger of the database adds it to the variant's running row (stock), which
// cannot go below zero. Nothing else writes that row, and Audit adds the journal up again.
//
// A reservation is keyed by the request that made it and lives for ever under that key: a
// repeat answers from it, Release leaves a tombstone in its place. A hold whose term is over
// holds nothing, whether or not the job that ends it has run: readers take it off what is
// held, and a Reserve that would be short ends such holds itself, first. There is one timer, on
// the next term that ends.
//
// # Listings
//
// A listing has a version, which edits are checked against, and a revision, which grows also
// with its availability and orders ListingChanged. That event is published in the
// transaction of whatever changed something in it, and not otherwise.
//
// # Where things are
//
//	seller.go, listing.go, stock.go   rules, without I/O
//	sellers.go, categories.go, listings.go, reservations.go, adjust.go, audit.go   use cases
//	store*.go                         SQL
//	snapshot.go, cache.go             how listings are read, and kept in memory between writes
//	import*.go, export.go             product feeds; the format itself is in internal/feed
//	http*.go                          routes
package catalogsvc
