package storefront

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

const (
	pathListingsCSV = views.PathSellerListings + ".csv"
	listingsSize    = 30
	bulkMost        = 100 // listings that are changed by one form
)

func editURL(l catalog.ListingID) string { return views.PathSellerListings + "/" + string(l) }

// listingTabs are the states by which a seller's listings are narrowed.
var listingTabs = []struct {
	state catalog.ListingStatus
	text  string
}{{"", "All"}, {catalog.ListingActive, "On offer"}, {catalog.ListingDraft, "Drafts"}, {catalog.ListingArchived, "Archived"}}

func listingStatus(s catalog.ListingStatus) views.Status {
	switch s {
	case catalog.ListingActive:
		return views.Status{Text: "On offer", Tone: views.Good}
	case catalog.ListingDraft:
		return views.Status{Text: "Draft"}
	default:
		return views.Status{Text: "Archived"}
	}
}

// listingFilter is what the list of a seller's listings is asked for, and how it is sorted.
func (v *visit) listingFilter() (catalog.ListListingsRequest, sorting) {
	r := catalog.ListListingsRequest{By: v.by, Seller: catalog.SellerID(v.by.Seller), Text: v.query("q"), Page: v.cursor(listingsSize)}
	for _, tab := range listingTabs {
		if string(tab.state) == v.query("state") {
			r.Status = tab.state
		}
	}
	by := v.sortedBy("sort", filterURL(views.PathSellerListings, r.Text, r.Status), ups("title", "state", "price", "stock", "changed")...)
	r.Sort = orderOf[catalog.ListingSort](by)
	return r, by
}

func filterURL(base, text string, state catalog.ListingStatus) string {
	q := url.Values{}
	if text != "" {
		q.Set("q", text)
	}
	if state != "" {
		q.Set("state", string(state))
	}
	return withParams(base, q)
}

// sellerListings is the seller's listings, to be worked on.
func (v *visit) sellerListings() error {
	r, by := v.listingFilter()
	reply, err := v.Catalog.ListListings(v.ctx(), r)
	if err != nil {
		return err
	}
	out := views.SellerListings{
		Page: v.frame("Listings", views.AreaSeller, views.PathSellerListings), Query: r.Text,
		Columns: []views.Column{
			by.column("Listing", "title", "up"), by.column("State", "state", "up"), by.column("Price", "price", "up").Right(),
			by.column("Available", "stock", "up").Right(), by.column("Changed", "changed", "down"),
		},
		Bulk:  []views.Choice{{Value: "activate", Text: "Put on offer"}, {Value: "archive", Text: "Archive"}},
		CSV:   by.as(filterURL(pathListingsCSV, r.Text, r.Status)),
		Pager: v.pagerOf(by.here(), reply.Next, len(reply.Listings), "listing", "listings"),
		Empty: views.Empty{Title: "Nothing listed yet", Text: "What you list shows in the shop as soon as you put it on offer.", Links: []views.Link{{Text: "New listing", URL: views.PathNewListing}}},
	}
	for _, tab := range listingTabs {
		out.States = append(out.States, views.Choice{Text: tab.text, URL: filterURL(views.PathSellerListings, r.Text, tab.state), Chosen: tab.state == r.Status})
	}
	if r.Text != "" {
		out.Chips = []views.Chip{{Text: r.Text, URL: filterURL(views.PathSellerListings, "", r.Status)}}
	}
	if r.Text != "" || r.Status != "" {
		out.Empty = views.Empty{Title: "No listing fits that", Links: []views.Link{{Text: "All listings", URL: views.PathSellerListings}, {Text: "New listing", URL: views.PathNewListing}}}
	}
	seen := v.look()
	for _, l := range reply.Listings {
		out.Rows = append(out.Rows, listingRow(seen, l))
	}
	return v.show(http.StatusOK, out)
}

func listingRow(seen *sight, l catalog.Listing) views.SellerListingRow {
	live := slices.DeleteFunc(slices.Clone(l.Variants), func(one catalog.Variant) bool { return one.Withdrawn })
	row := views.SellerListingRow{
		ID: string(l.ID), Title: l.Title, URL: editURL(l.ID), Variants: len(live), Picture: seen.picture(firstImage(l), l.Path, l.Title),
		Status: listingStatus(l.Status), ChangedAt: l.ChangedAt,
	}
	row.Price, _ = lowestPrice(live)
	for _, one := range live {
		row.Available += int(one.Stock.Available)
		if row.SKU == "" {
			row.SKU = one.SKU
		}
	}
	return row
}

// bulkListings does the same with every ticked listing. What cannot be done is counted and
// does not stop the rest.
func (v *visit) bulkListings() error {
	status, verb := catalog.ListingArchived, "archived"
	undo := "activate"
	switch v.field("action") {
	case "archive":
	case "activate":
		status, verb, undo = catalog.ListingActive, "put on offer", "archive"
	default:
		return catalog.ErrInvalid.With("choose what shall be done")
	}
	ids := someIDs(append(v.r.PostForm["id"], strings.Fields(v.field("ids"))...))
	if len(ids) == 0 {
		return v.done(views.PathSellerListings, views.Flash{Text: "Nothing was ticked, so nothing was done.", Tone: views.Warn})
	}
	key := v.key()
	var did []string
	for _, lid := range ids {
		_, err := v.Catalog.ChangeListingStatus(v.ctx(), catalog.ChangeListingStatusRequest{
			By: v.by, Key: key + ":" + lid, Listing: catalog.ListingID(lid), Status: status,
		})
		switch {
		case err == nil:
			did = append(did, lid)
		case !errs.Refused(err):
			return err
		}
	}
	flash := views.Flash{Text: capital(Count(len(did), "listing", "listings")) + " " + verb + ".", Tone: views.Good}
	if failed := len(ids) - len(did); failed > 0 {
		flash.Text += " " + capital(Count(failed, "listing", "listings")) + " could not be: open it to see why."
		flash.Tone = views.Warn
	}
	if len(did) > 0 {
		flash.Undo = &views.Act{Text: "Undo", URL: views.PathSellerListings, Values: map[string]string{"action": undo, "ids": strings.Join(did, " ")}}
	}
	return v.done(views.PathSellerListings, flash)
}

func someIDs(values []string) []string {
	var out []string
	for _, value := range values {
		if value = tidy(value); catalog.ListingIDs.Valid(catalog.ListingID(value)) && !slices.Contains(out, value) && len(out) < bulkMost {
			out = append(out, value)
		}
	}
	return out
}

func (v *visit) archiveListing() error {
	return v.moveListing(catalog.ListingArchived, "The listing is archived: nobody sees it in the shop.", "activate")
}

func (v *visit) activateListing() error {
	return v.moveListing(catalog.ListingActive, "The listing is on offer.", "archive")
}

func (v *visit) moveListing(status catalog.ListingStatus, said, undo string) error {
	lid := catalog.ListingID(v.param("listing"))
	_, err := v.Catalog.ChangeListingStatus(v.ctx(), catalog.ChangeListingStatusRequest{By: v.by, Key: v.key(), Listing: lid, Status: status})
	switch {
	case err == nil:
		return v.done(editURL(lid), views.Flash{Text: said, Tone: views.Good, Undo: &views.Act{Text: "Undo", URL: editURL(lid) + "/" + undo}})
	case errors.Is(err, catalog.ErrListingStatus) || errors.Is(err, catalog.ErrSellerStatus):
		return v.done(editURL(lid), views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	default:
		return err
	}
}

// listingsCSV is the listings of the list as a table, one row for each variant.
func (v *visit) listingsCSV() error {
	r, _ := v.listingFilter()
	r.Page = page.Request{Limit: catalog.MaxPage}
	return v.csv("listings.csv", []string{"listing", "title", "state", "variant", "sku", "gtin", "options", "price", "currency", "on_hand", "available", "changed"},
		func(write func(...string) error) (bool, error) {
			reply, err := v.Catalog.ListListings(v.ctx(), r)
			if err != nil {
				return false, err
			}
			for _, l := range reply.Listings {
				for _, one := range l.Variants {
					if one.Withdrawn {
						continue
					}
					err := write(string(l.ID), l.Title, string(l.Status), string(one.ID), one.SKU, one.GTIN, optionText(one.Options), one.Price.Decimal(),
						string(one.Price.Currency), strconv.FormatInt(one.Stock.OnHand, 10), strconv.FormatInt(one.Stock.Available, 10), l.ChangedAt.String())
					if err != nil {
						return false, err
					}
				}
			}
			r.Page.Cursor = reply.Next
			return reply.Next != "", nil
		})
}
