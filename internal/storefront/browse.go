package storefront

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

const (
	resultsSize = 24 // cards on a page of results
	shelfSize   = 12
	facetSize   = 12 // values of a facet that are shown
)

// home is the front of the shop. Without search it has the newest listings of catalog.
func (v *visit) home() error {
	seen := v.look()
	out := views.Home{Page: v.frame("", views.AreaShop, views.PathHome), Sellers: len(seen.sellers)}
	out.Description = "A market of many sellers: find it, put it in one cart, pay once."
	counts, most, about := map[string]int{}, int32(search.MaxFacetValues), false
	shelf := views.Shelf{Title: "New here", Link: &views.Link{Text: "All new things", URL: views.PathSearch + "?sort=newest"}}
	reply, err := v.Search.Query(v.ctx(), search.QueryRequest{Sort: search.SortNewest, Facets: true, FacetValues: &most, Page: page.Request{Limit: shelfSize}})
	if err == nil {
		out.Listings = int(reply.Total)
		shelf.Cards = cards(seen, reply.Hits)
		for _, f := range reply.Facets {
			if f.Kind != search.FacetCategory {
				continue
			}
			about = f.Approximate
			for _, value := range f.Values {
				counts[value.Value] = int(value.Count)
			}
		}
	} else {
		v.warn(err, "home shown without search")
		shelf.Cards, shelf.Link = v.newestOfCatalog(seen), nil
		for _, s := range seen.sellers {
			out.Listings += int(s.ActiveCount)
		}
	}
	if len(shelf.Cards) > 0 {
		out.Shelves = append(out.Shelves, shelf)
	}
	for _, c := range seen.children("") {
		link := views.Link{Text: c.Name, URL: categoryURL(c.Path), Count: counts[c.Path]}
		out.Tiles = append(out.Tiles, views.Department{Link: link, About: about, Tile: views.Tile{Hue: int(seen.byPath[c.Path].Hue), Kind: c.Path, Title: c.Name}})
	}
	for _, s := range seen.sellers {
		out.Shops = append(out.Shops, views.Link{Text: s.Name, URL: shopURL(s.Slug), Count: int(s.ActiveCount)})
	}
	return v.show(http.StatusOK, out)
}

// newestOfCatalog are the newest listings, read from catalog itself.
func (v *visit) newestOfCatalog(seen *sight) []views.Card {
	reply, err := v.Catalog.ListListings(v.ctx(), catalog.ListListingsRequest{
		By: actor.Nobody(), Status: catalog.ListingActive, Page: page.Request{Limit: shelfSize},
	})
	if err != nil {
		v.warn(err, "home shown without listings")
		return nil
	}
	out := make([]views.Card, 0, len(reply.Listings))
	for _, l := range reply.Listings {
		out = append(out, listingCard(seen, l))
	}
	return out
}

// listingCard is a listing of catalog in a list.
func listingCard(seen *sight, l catalog.Listing) views.Card {
	card := views.Card{
		URL: listingURL(l.ID), Title: l.Title, Picture: seen.picture(firstImage(l), l.Path, l.Title),
		Seller: views.Link{Text: l.SellerName, URL: shopURL(l.SellerSlug)}, Options: variantCount(len(l.Variants)),
	}
	card.Price, card.From = lowestPrice(l.Variants)
	if !slices.ContainsFunc(l.Variants, func(one catalog.Variant) bool { return one.Stock.Available > 0 }) {
		card.Stock = views.Status{Text: "Sold out", Tone: views.Bad}
	}
	return card
}

// lowestPrice is the price of the cheapest variant, and whether another costs more.
func lowestPrice(variants []catalog.Variant) (lowest money.Money, differ bool) {
	for i, one := range variants {
		switch {
		case i == 0:
			lowest = one.Price
		case one.Price.Minor != lowest.Minor:
			differ = true
			if one.Price.Minor < lowest.Minor {
				lowest = one.Price
			}
		}
	}
	return lowest, differ
}

func firstImage(l catalog.Listing) string {
	if len(l.Images) == 0 {
		return ""
	}
	return l.Images[0].URL
}

func variantCount(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf("%d variants", n)
}

// cards are what search found, in a list.
func cards(seen *sight, hits []search.Hit) []views.Card {
	out := make([]views.Card, 0, len(hits))
	for _, h := range hits {
		card := views.Card{
			URL: listingURL(h.Listing), Title: h.Title, Picture: seen.picture(h.Image, h.Path, h.Title),
			Price: h.PriceFrom, From: h.PriceFrom != h.PriceTo, Options: variantCount(int(h.Variants)),
			Seller: views.Link{Text: h.SellerName, URL: shopURL(h.SellerSlug)},
		}
		if !h.InStock {
			card.Stock = views.Status{Text: "Sold out", Tone: views.Bad}
		}
		if slices.ContainsFunc(h.Marked, func(p search.Piece) bool { return p.Match }) {
			for _, piece := range h.Marked {
				card.Highlight = append(card.Highlight, views.Run{Text: piece.Text, Marked: piece.Match})
			}
		}
		out = append(out, card)
	}
	return out
}

// search is the results of a search.
func (v *visit) search() error {
	a := v.asked(views.PathSearch)
	title, heading := "Search", "Everything"
	if a.text != "" {
		title, heading = a.text, "“"+a.text+"”"
	}
	return v.results(a, views.Results{Kind: views.ResultsSearch, Heading: heading}, title)
}

// category is the listings of a category and of those below it.
func (v *visit) category() error {
	path := strings.Trim(v.param("*"), "/")
	seen := v.look()
	c, ok := seen.byPath[path]
	if !ok {
		return catalog.ErrNotFound.With("there is no such category")
	}
	a := v.asked(categoryURL(path))
	a.category, a.fixedCategory = path, true
	out := views.Results{Kind: views.ResultsCategory, Heading: c.Name}
	for _, child := range seen.children(path) {
		out.Children = append(out.Children, views.Link{Text: child.Name, URL: categoryURL(child.Path)})
	}
	out.Crumbs = seen.crumbs(path, false)
	return v.results(a, out, c.Name)
}

// shop is the listings of one seller, and who stands behind it.
func (v *visit) shop() error {
	slug := v.param("shop")
	reply, err := v.Catalog.GetSellers(v.ctx(), catalog.GetSellersRequest{By: v.by, Slugs: []string{slug}})
	if err != nil {
		return err
	}
	if len(reply.Sellers) == 0 {
		return catalog.ErrNotFound.With("there is no such shop")
	}
	seller := reply.Sellers[0]
	a := v.asked(shopURL(seller.Slug))
	a.sellers, a.fixedSeller = []string{string(seller.ID)}, true
	out := views.Results{
		Kind: views.ResultsShop, Heading: seller.Name, Intro: seller.About,
		Legal: "Sold and shipped by " + strings.Join(legalLines(seller.Legal), ", "),
	}
	return v.results(a, out, seller.Name)
}

// results asks search and fills the page. Without search the page says so, and the way to
// everything else stays open.
func (v *visit) results(a asked, out views.Results, title string) error {
	seen := v.look()
	crumbs := out.Crumbs
	out.Page = v.frame(title, views.AreaShop, v.r.URL.RequestURI())
	out.Crumbs, out.Search = crumbs, a.text
	out.Hidden = a.narrowed() || a.text != ""
	out.Pager = views.Pager{Noun: "listing", Nouns: "listings"}
	r, first := a.request(), 1
	r.Page = v.cursor(resultsSize)
	if r.Page.Cursor != "" {
		first += resultsSize // or more: pages are not counted
	}
	if out.Kind == views.ResultsSearch {
		r.Count = v.counted()
	}
	if a.explain {
		r.Explain = &v.by
	}
	reply, err := v.Search.Query(v.ctx(), r)
	if errors.Is(err, page.ErrCursor) {
		return v.see(a.url()) // of another list, or of a souk before: it begins there
	}
	if err != nil {
		if searchFails(err) && v.query("cursor") == "" {
			v.warn(err, "results shown without search")
			out.Empty = views.Empty{
				Title: "The search is not answering just now", Text: "Try again shortly. Departments and shops are open meanwhile.",
				Links: []views.Link{{Text: "Try again", URL: v.r.URL.RequestURI()}, {Text: "To the front of the shop", URL: views.PathHome}},
			}
			v.w.Header().Set("Retry-After", "1")
			return v.show(http.StatusServiceUnavailable, out)
		}
		return err
	}
	out.Cards = cards(seen, reply.Hits)
	traced(out.Cards, reply.Search, first)
	if v.by.IsOperator() {
		a.reasons(&out, reply.Hits)
	}
	out.Pager.Shown, out.Pager.Total = len(out.Cards), int(reply.Total)
	if v.query("cursor") != "" {
		out.Pager.First = a.url()
	}
	if reply.Next != "" {
		out.Pager.Next = withParam(a.url(), "cursor", reply.Next)
	}
	if reply.AnyWord {
		out.Intro = "Little or nothing has all of these words. What has only some of them comes last."
	}
	if wordless(a.text) {
		out.Intro = "There is no word in that to look for, so nothing is left out."
	}
	a.forgiven(&out, reply)
	out.Facets = a.facets(reply, v.Currency)
	out.Chips = a.chips(seen, reply.Facets)
	if a.narrowed() {
		out.ClearURL = a.bare().url()
	}
	out.Sorts = a.sorts()
	if len(out.Cards) == 0 {
		if !a.narrowed() {
			out.Facets, out.Sorts = nil, nil // nothing is there to narrow or to sort
		}
		out.Empty = a.nothing(out.Kind)
		out.Offers = a.offers(reply.Offers)
		for i, o := range out.Offers {
			if o.URL == out.Empty.Links[0].URL { // its button is there already, and says how much there is
				out.Empty.Links[0].Text += ": " + Count(o.Count, "listing", "listings")
				out.Offers = slices.Delete(out.Offers, i, i+1)
				break
			}
		}
	}
	return v.show(http.StatusOK, out)
}

// searchFails says whether search itself cannot answer, whatever it is asked.
func searchFails(err error) bool {
	switch errs.KindOf(err) {
	case errs.Unavailable, errs.Exhausted, errs.Unknown:
		return true
	default:
		return false
	}
}

// nothing is what a list says that has nothing in it.
func (a asked) nothing(kind views.ResultsKind) views.Empty {
	switch {
	case a.narrowed():
		return views.Empty{
			Title: "Nothing fits all of that", Text: "Take a filter away, or search with fewer words.",
			Links: []views.Link{{Text: "Without filters", URL: a.bare().url()}, {Text: "See everything", URL: views.PathSearch}},
		}
	case a.text != "":
		return views.Empty{
			Title: "Nothing found for “" + a.text + "”", Text: "Look for a typing mistake, or search with fewer or other words.",
			Links: []views.Link{{Text: "See everything", URL: views.PathSearch}},
		}
	case kind == views.ResultsShop:
		return views.Empty{Title: "Nothing on offer just now", Text: "This seller has put nothing on its shelves yet, or everything is gone.", Links: []views.Link{{Text: "See everything", URL: views.PathSearch}}}
	default:
		return views.Empty{Title: "Nothing here yet", Text: "What sellers list here will show at once.", Links: []views.Link{{Text: "To the front of the shop", URL: views.PathHome}}}
	}
}

// suggest is what may be meant by the beginning of a search. It is read by a script, which
// does without when there is nothing.
func (v *visit) suggest() error {
	text := v.r.URL.Query().Get("q") // as typed: a space at the end says that a word is whole
	var out views.Suggestions
	if tidy(text) != "" {
		reply, err := v.Search.Suggest(v.ctx(), search.SuggestRequest{Text: text, Limit: 8})
		if err != nil {
			v.warn(err, "no suggestions")
		}
		seen := v.look()
		for _, s := range reply.Suggestions {
			out.Items = append(out.Items, suggestion(seen, s))
		}
	}
	return v.show(http.StatusOK, out)
}

func suggestion(seen *sight, s search.Suggestion) views.Suggestion {
	switch s.Kind {
	case search.SuggestCategory:
		note := "category"
		if above, ok := seen.byPath[parentPath(s.Path)]; ok {
			note = "category in " + above.Name
		}
		return views.Suggestion{Text: s.Text, URL: categoryURL(s.Path), Note: note}
	case search.SuggestBrand:
		return views.Suggestion{Text: s.Text, URL: views.PathSearch + "?" + url.Values{"brand": {s.Text}}.Encode(), Note: "brand"}
	case search.SuggestListing:
		picture := seen.picture(s.Image, s.Path, s.Text)
		return views.Suggestion{Text: s.Text, URL: listingURL(s.Listing), Picture: &picture, Price: s.Price}
	default:
		return views.Suggestion{Text: s.Text, URL: views.PathSearch + "?" + url.Values{"q": {s.Text}}.Encode()}
	}
}
