package storefront

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"souk/internal/catalog"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// What people search for is counted, and what they choose. Who they are plays no part: a result's link says in
// which place of which search it stood, the search named by a hash of its text.

// foundParam is the parameter of a listing's address that says how one came: "3.4t9w2m6x1zqa" for the third
// result of that search.
const foundParam = "found"

// noteTime is how long the page of a listing waits for a choice to be counted.
const noteTime = 100 * time.Millisecond

// machines name themselves in what they send as their browser.
var machines = regexp.MustCompile(`(?i)bot\b|bots\b|crawl|spider|slurp|preview|monitor|curl/|wget/|python-|libwww|facebookexternalhit|go-http-client|okhttp`)

// isPerson says whether the page is asked for by somebody who looks for something: no operator, who tries
// things; no program that says it is one; no browser that fetches ahead.
func (v *visit) isPerson() bool {
	h := v.r.Header
	return !v.by.IsOperator() && h.Get("User-Agent") != "" && !machines.MatchString(h.Get("User-Agent")) &&
		!strings.Contains(h.Get("Sec-Purpose")+h.Get("Purpose"), "prefetch")
}

// counted is the key under which a search is counted; nil for one that no person makes.
func (v *visit) counted() *string {
	if !v.isPerson() {
		return nil
	}
	key := v.Renderer.NewKey()
	return &key
}

// traced has the links of results say in which place of which search they stand. first is the place of the first.
func traced(cards []views.Card, name string, first int) {
	if name == "" {
		return
	}
	for i := range cards {
		cards[i].URL = withParam(cards[i].URL, foundParam, strconv.Itoa(first+i)+"."+name)
	}
}

// chosen counts that somebody has come to a listing from the results of a search. From another site, or by an
// address that was kept, nobody comes from results.
func (v *visit) chosen(listing catalog.ListingID) {
	place, name, ok := strings.Cut(v.query(foundParam), ".")
	position, err := strconv.ParseInt(place, 10, 32)
	if !ok || err != nil || position < 0 || !v.isPerson() {
		return
	}
	if site := v.r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return
	}
	ctx, cancel := context.WithTimeout(v.ctx(), noteTime)
	defer cancel()
	_, err = v.Search.Note(ctx, search.NoteRequest{Key: v.Renderer.NewKey(), Search: name, Listing: listing, Position: int32(position)})
	if err != nil {
		v.warn(err, "choice of a result not counted")
	}
}
