package storefront

import (
	"net/http"
	"slices"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

// lowAt is from how many left a variant counts as running out.
const lowAt = 3

// sellerHome begins with what needs the seller. Who is none is asked to become one.
func (v *visit) sellerHome() error {
	if v.by.Seller == "" {
		return v.see(views.PathApply)
	}
	seller, err := v.ownSeller()
	if err != nil {
		return err
	}
	counts, err := v.Orders.CountSellerOrders(v.ctx(), orders.CountSellerOrdersRequest{By: v.by, Seller: seller.ID})
	if err != nil {
		return err
	}
	latest, err := v.Orders.ListSellerOrders(v.ctx(), orders.ListSellerOrdersRequest{By: v.by, Seller: seller.ID, Page: page.Request{Limit: 5}})
	if err != nil {
		return err
	}
	scarce, more, err := v.ownListings(seller.ID, catalog.ListingActive, catalog.ListingsByStock)
	if err != nil {
		return err
	}
	drafts, moreDrafts, err := v.ownListings(seller.ID, catalog.ListingDraft, catalog.ListingsNewest)
	if err != nil {
		return err
	}
	out := views.SellerHome{Page: v.frame("Selling", views.AreaSeller, views.PathSell), Name: seller.Name, Status: sellerTrouble(seller)}
	for _, s := range latest.SellerOrders {
		out.Orders = append(out.Orders, partRow(s))
	}
	gone := 0
	for _, l := range scarce {
		for _, one := range l.Variants {
			if one.Withdrawn || one.Stock.Available > lowAt {
				continue
			}
			if one.Stock.Available <= 0 {
				gone++
			}
			if len(out.Low) < 10 {
				out.Low = append(out.Low, stockRow(l, one))
			}
		}
	}
	slices.SortStableFunc(out.Low, func(a, b views.StockRow) int { return a.Available - b.Available })
	out.Needs = []views.Need{
		need(int(counts.Shippable), "order to ship", "orders to ship", partsURL(views.PathSellerOrders, "", stateToShip), views.Warn),
		need(gone, "variant sold out", "variants sold out", filterURL(views.PathSellerListings, "", catalog.ListingActive)+"&sort="+string(catalog.ListingsByStock), views.Bad),
		need(len(drafts), "draft", "drafts", views.PathSellerListings+"?state="+string(catalog.ListingDraft), views.Plain),
	}
	if more && gone >= len(scarce) {
		out.Needs[1].Note = "at least"
	}
	if moreDrafts {
		out.Needs[2].Note = "at least"
	}
	return v.show(http.StatusOK, out)
}

// need is a count that is a link; nothing to do has no tone.
func need(n int, one, many, url string, tone views.Tone) views.Need {
	out := views.Need{Count: n, Text: many, URL: url}
	if n == 1 {
		out.Text = one
	}
	if n > 0 {
		out.Tone = tone
	}
	return out
}

// ownListings are the first listings of the seller with that status, and whether there are more.
func (v *visit) ownListings(seller catalog.SellerID, status catalog.ListingStatus, order catalog.ListingSort) ([]catalog.Listing, bool, error) {
	reply, err := v.Catalog.ListListings(v.ctx(), catalog.ListListingsRequest{
		By: v.by, Seller: seller, Status: status, Sort: &order, Page: page.Request{Limit: 100},
	})
	return reply.Listings, reply.Next != "", err
}

func stockRow(l catalog.Listing, one catalog.Variant) views.StockRow {
	text := l.Title
	if options := optionText(one.Options); options != "" {
		text += ", " + options
	}
	return views.StockRow{Link: views.Link{Text: text, URL: editURL(l.ID)}, SKU: one.SKU, Available: int(max(one.Stock.Available, 0))}
}

// sellerTrouble says what stands in the way of selling; nothing when all is well.
func sellerTrouble(s catalog.Seller) views.Status {
	switch s.Status {
	case catalog.SellerApproved:
		return views.Status{}
	case catalog.SellerApplied:
		return views.Status{Text: "Waits for approval", Tone: views.Warn}
	default:
		return views.Status{Text: sentence("suspended: " + s.Why), Tone: views.Bad}
	}
}
