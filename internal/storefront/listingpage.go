package storefront

import (
	"slices"
	"strconv"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

const (
	journalVariants = 5  // whose journals are read for the page
	journalRows     = 15 // of all of them together
)

// showListingForm shows the form of a listing with that many variants; l is nil for a new one.
func (v *visit) showListingForm(status int, l *catalog.Listing, form views.Form, rows int) error {
	seller, err := v.ownSeller()
	if err != nil {
		return err
	}
	out := views.SellerListing{
		Form: form, Action: views.PathNewListing, New: l == nil, Currency: seller.Currency,
		Categories: categoryChoices(v.look(), form.Value("category")),
		Taxes:      choices(form.Value("tax"), "standard", "Standard", "reduced", "Reduced", "zero", "Zero"),
		Conditions: choices(form.Value("condition"), "new", "New", "refurbished", "Refurbished", "used", "Used"),
		States:     choices(form.Value("state"), "active", "On offer", "draft", "Draft"),
	}
	title := "New listing"
	if l != nil {
		title, out.Action, out.Version, out.Currency = l.Title, editURL(l.ID), l.Version, l.Variants[0].Price.Currency
		out.Status = listingStatus(l.Status)
		out.States = stateChoices(l.Status, form.Value("state"))
		if l.Status == catalog.ListingActive {
			out.PublicURL = listingURL(l.ID)
			out.Acts = []views.Act{{Text: "Archive this listing", URL: editURL(l.ID) + "/archive"}}
		} else {
			out.Acts = []views.Act{{Text: "Put this listing on offer", URL: editURL(l.ID) + "/activate"}}
		}
		out.Journal = v.journal(*l)
	}
	for i := range rows {
		out.Rows = append(out.Rows, variantRow(l, form, strconv.Itoa(i)))
	}
	out.Page = v.frame(title, views.AreaSeller, out.Action)
	out.Crumbs = []views.Link{{Text: "Listings", URL: views.PathSellerListings}}
	return v.show(status, out)
}

// variantRow is the fields of one variant.
func variantRow(l *catalog.Listing, form views.Form, i string) views.VariantRow {
	row := views.VariantRow{ID: form.Value("variant." + i), Index: i, Label: "New variant", New: true}
	if l == nil || row.ID == "" {
		if l == nil && i == "0" {
			row.Label = "The first variant"
		}
		return row
	}
	at := slices.IndexFunc(l.Variants, func(one catalog.Variant) bool { return string(one.ID) == row.ID })
	if at < 0 {
		row.ID = ""
		return row
	}
	one := l.Variants[at]
	row.New, row.Label = false, optionText(one.Options)
	if row.Label == "" {
		row.Label = "The only variant"
	}
	row.OnHand, row.Held, row.Available = int(one.Stock.OnHand), int(one.Stock.Held), int(one.Stock.Available)
	return row
}

// choices are pairs of value and text, with one of them chosen.
func choices(chosen string, pairs ...string) []views.Choice {
	out := make([]views.Choice, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, views.Choice{Value: pairs[i], Text: pairs[i+1], Chosen: pairs[i] == chosen})
	}
	return out
}

// stateChoices are the states to which a listing can go from where it is.
func stateChoices(now catalog.ListingStatus, chosen string) []views.Choice {
	switch now {
	case catalog.ListingDraft:
		return choices(chosen, "draft", "Draft", "active", "On offer")
	default:
		return choices(chosen, "active", "On offer", "archived", "Archived")
	}
}

// categoryChoices are all categories by their names from the root.
func categoryChoices(seen *sight, chosen string) []views.Choice {
	out := []views.Choice{{Text: "None yet", Chosen: chosen == ""}}
	for _, c := range seen.categories {
		var names []string
		for path := c.Path; path != ""; path = parentPath(path) {
			names = append(names, seen.byPath[path].Name)
		}
		slices.Reverse(names)
		out = append(out, views.Choice{Value: string(c.ID), Text: strings.Join(names, " › "), Chosen: string(c.ID) == chosen})
	}
	slices.SortStableFunc(out[1:], func(a, b views.Choice) int { return strings.Compare(a.Text, b.Text) })
	return out
}

// journal is the latest movements of a listing's stock: of its first variants, when it has many.
// The journal has changes; what there was after each is counted back from what there is now.
func (v *visit) journal(l catalog.Listing) []views.StockMove {
	type moved struct {
		seq int64
		row views.StockMove
	}
	var all []moved
	for i, one := range l.Variants {
		if i == journalVariants {
			break
		}
		reply, err := v.Catalog.ListMovements(v.ctx(), catalog.ListMovementsRequest{By: v.by, Variant: one.ID, Page: page.Request{Limit: journalRows}})
		if err != nil {
			v.warn(err, "listing shown without its journal")
			return nil
		}
		after := one.Stock.OnHand - one.Stock.Held - one.Stock.Allocated
		for _, m := range reply.Movements {
			change := m.OnHand - m.Held - m.Allocated
			all = append(all, moved{m.Seq, views.StockMove{At: m.At, Text: moveText(m), SKU: one.SKU, Change: signed(change), After: int(after)}})
			after -= change
		}
	}
	slices.SortFunc(all, func(a, b moved) int {
		if a.row.At != b.row.At {
			return int(b.row.At - a.row.At)
		}
		return int(b.seq - a.seq)
	})
	var out []views.StockMove
	for _, m := range all[:min(len(all), journalRows)] {
		out = append(out, m.row)
	}
	return out
}

func signed(n int64) string {
	switch {
	case n > 0:
		return "+" + strconv.FormatInt(n, 10)
	case n < 0:
		return "\u2212" + strconv.FormatInt(-n, 10)
	default:
		return "0"
	}
}

// moveText is why stock changed, in words.
func moveText(m catalog.Movement) string {
	text := map[catalog.MovementKind]string{
		catalog.MoveReceive: "Received", catalog.MoveCount: "Counted", catalog.MoveReserve: "Held by a checkout", catalog.MoveRelease: "Given back by a checkout",
		catalog.MoveAllocate: "Sold", catalog.MoveDeallocate: "Sale cancelled", catalog.MoveShip: "Shipped", catalog.MoveRestock: "Came back", catalog.MoveWriteOff: "Written off",
	}[m.Kind]
	if text == "" {
		text = capital(string(m.Kind))
	}
	if m.Why != "" {
		text += ": " + m.Why
	}
	return text
}
