package storefront

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// fewLeft is from how many on the page counts what is left.
const fewLeft = 20

// listing is one thing on offer.
func (v *visit) listing() error {
	l, err := v.getListing(catalog.ListingID(v.param("listing")))
	if err != nil {
		return err
	}
	out, err := v.listingView(l, catalog.VariantID(v.query("variant")))
	if err != nil {
		return err
	}
	out.Canonical = out.URL
	v.chosen(l.ID)
	return v.show(http.StatusOK, out)
}

func (v *visit) getListing(lid catalog.ListingID) (catalog.Listing, error) {
	gone := catalog.ErrNotFound.With("there is no such listing")
	if !catalog.ListingIDs.Valid(lid) {
		return catalog.Listing{}, gone
	}
	reply, err := v.Catalog.GetListings(v.ctx(), catalog.GetListingsRequest{By: v.by, IDs: []catalog.ListingID{lid}})
	if err != nil {
		return catalog.Listing{}, err
	}
	if len(reply.Listings) == 0 {
		return catalog.Listing{}, gone
	}
	return reply.Listings[0], nil
}

// listingView is the page of a listing with one of its variants chosen.
func (v *visit) listingView(l catalog.Listing, wanted catalog.VariantID) (views.Listing, error) {
	seen := v.look()
	variants := slices.DeleteFunc(slices.Clone(l.Variants), func(one catalog.Variant) bool { return one.Withdrawn })
	if len(variants) == 0 {
		return views.Listing{}, catalog.ErrNotFound.With("there is no such listing")
	}
	chosen := choose(variants, wanted)
	here := listingURL(l.ID)
	if wanted == chosen.ID {
		here = variantURL(l.ID, chosen.ID)
	}
	out := views.Listing{
		Page: v.frame(l.Title, views.AreaShop, here), URL: listingURL(l.ID), Heading: l.Title,
		Description: paragraphs(l.Description), Attributes: attributePairs(l), Options: optionsOf(l.ID, variants, chosen),
		Variant: string(chosen.ID), SKU: chosen.SKU, GTIN: chosen.GTIN, Price: chosen.Price, Was: chosen.WasPrice,
		Stock: stockStatus(chosen.Stock.Available), Quantity: 1, Max: int(min(chosen.Stock.Available, cart.MaxQuantity)),
		Seller: views.Link{Text: l.SellerName, URL: shopURL(l.SellerSlug)}, Withdrawn: l.Status != catalog.ListingActive,
	}
	out.Buyable = !out.Withdrawn && chosen.Stock.Available > 0
	out.Page.Description = summaryOf(l)
	out.Crumbs = seen.crumbs(l.Path, true)
	if l.Brand != "" {
		out.Brand = &views.Link{Text: l.Brand, URL: withParam(views.PathSearch, "brand", l.Brand)}
	}
	for i, image := range l.Images {
		p := seen.picture(image.URL, l.Path, l.Title)
		p.Alt, p.Width, p.Height = cmp.Or(image.Alt, fmt.Sprintf("%s, picture %d", l.Title, i+1)), int(image.Width), int(image.Height)
		out.Pictures = append(out.Pictures, p)
	}
	if len(out.Pictures) == 0 {
		out.Pictures = []views.Picture{seen.picture("", l.Path, l.Title)}
	}
	out.Ships = v.shipsHow(l.Seller, chosen.Price.Currency)
	out.SellerNote = v.sellerNote(l.Seller)
	out.Similar = v.moreFrom(seen, l)
	return out, nil
}

// choose is the variant to show: the one asked for, else the first that can be bought.
func choose(variants []catalog.Variant, wanted catalog.VariantID) catalog.Variant {
	if i := slices.IndexFunc(variants, func(one catalog.Variant) bool { return one.ID == wanted }); i >= 0 {
		return variants[i]
	}
	if i := slices.IndexFunc(variants, func(one catalog.Variant) bool { return one.Stock.Available > 0 }); i >= 0 {
		return variants[i]
	}
	return variants[0]
}

// optionsOf are the choices that tell the variants apart. A value of the first option can
// always be chosen; one of a later option only when there is a variant with it and what is
// chosen of those before, so that every variant can be reached.
func optionsOf(lid catalog.ListingID, variants []catalog.Variant, chosen catalog.Variant) []views.Option {
	if len(variants) < 2 {
		return nil
	}
	var names []string
	for _, one := range variants {
		for _, o := range one.Options {
			if !slices.Contains(names, o.Name) {
				names = append(names, o.Name)
			}
		}
	}
	out := make([]views.Option, 0, len(names))
	for i, name := range names {
		option := views.Option{Label: name}
		var values []string
		for _, one := range variants {
			if value := optionOf(one, name); value != "" && !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
		for _, value := range values {
			option.Values = append(option.Values, optionValue(lid, variants, chosen, names, i, value))
		}
		out = append(out, option)
	}
	return out
}

// optionValue is one value of the option names[i].
func optionValue(lid catalog.ListingID, variants []catalog.Variant, chosen catalog.Variant, names []string, i int, value string) views.OptionValue {
	out := views.OptionValue{Text: value, Chosen: optionOf(chosen, names[i]) == value, SoldOut: true, None: true}
	best, bestScore := catalog.VariantID(""), -1
	for _, one := range variants {
		if optionOf(one, names[i]) != value {
			continue
		}
		out.SoldOut = out.SoldOut && one.Stock.Available <= 0
		before, score := true, 0
		for j, name := range names {
			same := j == i || optionOf(one, name) == optionOf(chosen, name)
			before = before && (same || j > i)
			if same {
				score += 2
			}
		}
		if one.Stock.Available > 0 {
			score++
		}
		if before && score > bestScore {
			best, bestScore = one.ID, score
		}
	}
	if best != "" {
		out.None, out.URL = false, variantURL(lid, best)
	}
	return out
}

func optionOf(one catalog.Variant, name string) string {
	for _, o := range one.Options {
		if o.Name == name {
			return o.Value
		}
	}
	return ""
}

// optionText is the options of a variant in one line: "M, natural".
func optionText(options []catalog.Option) string {
	parts := make([]string, 0, len(options))
	for _, o := range options {
		parts = append(parts, o.Name+" "+o.Value)
	}
	return strings.Join(parts, ", ")
}

func stockStatus(available int64) views.Status {
	switch {
	case available <= 0:
		return views.Status{Text: "Sold out", Tone: views.Bad}
	case available <= 3:
		return views.Status{Text: fmt.Sprintf("Only %d left", available), Tone: views.Warn}
	case available <= fewLeft:
		return views.Status{Text: fmt.Sprintf("In stock, %d left", available), Tone: views.Good}
	default:
		return views.Status{Text: "In stock", Tone: views.Good}
	}
}

// paragraphs parts a text at its empty lines.
func paragraphs(text string) []string {
	var out []string
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// summaryOf is the beginning of a description, for search engines.
func summaryOf(l catalog.Listing) string {
	text := strings.Join(strings.Fields(l.Description), " ")
	if runes := []rune(text); len(runes) > 160 {
		text = strings.TrimSpace(string(runes[:159])) + "…"
	}
	return text
}

func attributePairs(l catalog.Listing) []views.Pair {
	out := make([]views.Pair, 0, len(l.Attributes)+1)
	if l.Condition != catalog.ConditionNew {
		out = append(out, views.Pair{Name: "Condition", Value: capital(string(l.Condition))})
	}
	for _, a := range l.Attributes {
		name := a.Name
		if a.Section != "" {
			name = a.Section + ": " + a.Name
		}
		out = append(out, views.Pair{Name: name, Value: a.Value})
	}
	return out
}

// shipsHow says what shipping costs at least; what it is for the reader stands in the checkout.
func (v *visit) shipsHow(seller catalog.SellerID, currency money.Currency) string {
	reply, err := v.Cart.GetShipping(v.ctx(), cart.GetShippingRequest{Sellers: []catalog.SellerID{seller}})
	if err != nil || len(reply.Tables) == 0 {
		if err != nil {
			v.warn(err, "listing shown without shipping")
		}
		return ""
	}
	lowest := int64(-1)
	label := ""
	for _, zone := range reply.Tables[0].Zones {
		if zone.Currency != "" && zone.Currency != currency {
			continue
		}
		for _, step := range zone.Steps {
			if lowest < 0 || step.Price.Minor < lowest {
				lowest, label = step.Price.Minor, zone.Label
			}
		}
		if len(zone.Countries) == 0 {
			break // it takes every destination, and the first that does applies
		}
	}
	switch {
	case lowest < 0:
		return ""
	case lowest == 0:
		return "Shipping may be free, as to destination and order: " + label + "."
	default:
		return "Shipping from " + FormatMoney(money.Money{Minor: lowest, Currency: currency}) + ": " + label + "."
	}
}

// sellerNote says in a line who the seller is.
func (v *visit) sellerNote(sid catalog.SellerID) string {
	reply, err := v.Catalog.GetSellers(v.ctx(), catalog.GetSellersRequest{By: v.by, IDs: []catalog.SellerID{sid}})
	if err != nil || len(reply.Sellers) == 0 {
		if err != nil {
			v.warn(err, "listing shown without its seller")
		}
		return ""
	}
	s := reply.Sellers[0]
	parts := slices.DeleteFunc([]string{s.Legal.Name, s.Legal.City, countryName(s.Legal.Country)}, func(part string) bool { return part == "" })
	return strings.Join(parts, ", ") + " · " + Count(int(s.ActiveCount), "listing", "listings")
}

// moreFrom is a shelf with other things of the same seller, when search can say.
func (v *visit) moreFrom(seen *sight, l catalog.Listing) *views.Shelf {
	reply, err := v.Search.Query(v.ctx(), search.QueryRequest{
		Filter: search.Filter{Sellers: []catalog.SellerID{l.Seller}}, Sort: search.SortNewest, Page: page.Request{Limit: 6},
	})
	if err != nil {
		v.warn(err, "listing shown without similar ones")
		return nil
	}
	hits := slices.DeleteFunc(reply.Hits, func(h search.Hit) bool { return h.Listing == l.ID })
	if len(hits) == 0 {
		return nil
	}
	return &views.Shelf{
		Title: "More from " + l.SellerName, Link: &views.Link{Text: "See all", URL: shopURL(l.SellerSlug)},
		Cards: cards(seen, hits[:min(len(hits), 5)]),
	}
}

// addToCart puts a variant into the cart, making one for who has none. It stays on the
// listing, where the next thing to do is offered.
func (v *visit) addToCart() error {
	variant := catalog.VariantID(v.field("variant"))
	offer, err := v.offer(variant)
	if err != nil {
		return err
	}
	quantity, bad := strconv.ParseInt(cmp.Or(v.field("quantity"), "1"), 10, 64)
	if bad != nil || quantity < 1 {
		return v.notAdded(offer, cart.ErrInvalid.With("the quantity should be a number from 1"))
	}
	token := ""
	if v.by.Owner() == "" {
		token = httpx.NewCartToken()
		v.by = httpx.GuestOf(token)
	}
	reply, err := v.Cart.ChangeLine(v.ctx(), cart.ChangeLineRequest{By: v.by, Key: v.key(), Variant: variant, Quantity: quantity, Add: true})
	if err != nil {
		return v.notAdded(offer, err)
	}
	if token != "" {
		v.setCookie(httpx.CartCookie, token, cartTime)
	}
	v.basket = &reply.Cart
	had := int64(0)
	for _, line := range reply.Cart.Lines {
		if line.Offer.Variant == variant {
			had = line.Quantity - quantity
		}
	}
	added := views.Flash{
		Text: "Added to the cart.", Tone: views.Good, Link: &views.Link{Text: "Go to the cart", URL: views.PathCart},
		Undo: &views.Act{Text: "Take it out again", URL: "/cart/lines/" + string(variant), Values: map[string]string{
			"quantity": strconv.FormatInt(max(had, 0), 10), "back": variantURL(offer.Listing, variant),
		}},
	}
	if !v.htmx() {
		return v.done(local(cmp.Or(v.field("back"), variantURL(offer.Listing, variant))), added)
	}
	return v.offerAgain(offer, http.StatusOK, func(out *views.Listing) { out.Flash = &added })
}

func (v *visit) offer(variant catalog.VariantID) (catalog.Offer, error) {
	gone := catalog.ErrNotFound.With("this is no longer there")
	if !catalog.VariantIDs.Valid(variant) {
		return catalog.Offer{}, gone
	}
	reply, err := v.Catalog.GetOffers(v.ctx(), catalog.GetOffersRequest{Variants: []catalog.VariantID{variant}})
	if err != nil {
		return catalog.Offer{}, err
	}
	if len(reply.Offers) == 0 {
		return catalog.Offer{}, gone
	}
	return reply.Offers[0], nil
}

// notAdded shows the listing again with why it could not be added.
func (v *visit) notAdded(offer catalog.Offer, err error) error {
	if !formFails(err) {
		return err
	}
	return v.offerAgain(offer, httpx.Status(err), func(out *views.Listing) {
		out.Problem, out.Key = problemText(errs.As(err)), v.keyAfter(err)
		if n, bad := strconv.Atoi(v.field("quantity")); bad == nil && n > 0 {
			out.Quantity = n
		}
	})
}

func (v *visit) offerAgain(offer catalog.Offer, status int, with func(*views.Listing)) error {
	l, err := v.getListing(offer.Listing)
	if err != nil {
		return err
	}
	out, err := v.listingView(l, offer.Variant)
	if err != nil {
		return err
	}
	with(&out)
	return v.show(status, out)
}
