package storefront

import (
	"net/http"
	"slices"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
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
	active, err := v.ownListings(seller.ID, catalog.ListingActive)
	if err != nil {
		return err
	}
	drafts, err := v.ownListings(seller.ID, catalog.ListingDraft)
	if err != nil {
		return err
	}
	out := views.SellerHome{Page: v.frame("Selling", views.AreaSeller, views.PathSell), Name: seller.Name, Status: sellerTrouble(seller)}
	for _, s := range latest.SellerOrders {
		out.Orders = append(out.Orders, partRow(s))
	}
	gone := 0
	for _, l := range active {
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
		need(toShip(counts.Counts), "order to ship", "orders to ship", views.PathSellerOrders+"?state="+string(orders.FulfilmentOpen), views.Warn),
		need(gone, "variant sold out", "variants sold out", views.PathSellerListings+"?state="+string(catalog.ListingActive), views.Bad),
		need(len(drafts), "draft", "drafts", views.PathSellerListings+"?state="+string(catalog.ListingDraft), views.Plain),
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

// ownListings are the newest listings of the seller with that status.
func (v *visit) ownListings(seller catalog.SellerID, status catalog.ListingStatus) ([]catalog.Listing, error) {
	reply, err := v.Catalog.ListListings(v.ctx(), catalog.ListListingsRequest{By: v.by, Seller: seller, Status: status, Page: page.Request{Limit: 100}})
	return reply.Listings, err
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

// applyPage asks to become a seller, or says how the application stands.
func (v *visit) applyPage() error {
	return v.showApply(http.StatusOK, views.Form{Values: map[string]string{"currency": string(v.Currency)}})
}

func (v *visit) showApply(status int, form views.Form) error {
	out := views.Apply{
		Page: v.frame("Sell on souk", views.AreaShop, views.PathApply), Form: form,
		Countries: countryChoices(form.Value("country")), Currencies: currencyChoices(form.Value("currency")),
	}
	out.Hidden = true
	sid := catalog.SellerID(v.query("seller"))
	if v.by.Seller != "" {
		sid = catalog.SellerID(v.by.Seller)
	}
	if catalog.SellerIDs.Valid(sid) {
		reply, err := v.Catalog.GetSellers(v.ctx(), catalog.GetSellersRequest{By: v.by, IDs: []catalog.SellerID{sid}})
		if err != nil {
			return err
		}
		if len(reply.Sellers) == 1 {
			s := reply.Sellers[0]
			out.Applied, out.Status = s.CreatedAt, sellerTrouble(s)
			if s.Status == catalog.SellerApproved {
				out.Status = views.Status{Text: s.Name + " is approved and may sell", Tone: views.Good}
			}
		}
	}
	return v.show(status, out)
}

// currencyChoices are the currencies that a shop can have its prices in.
func currencyChoices(chosen string) []views.Choice {
	var out []views.Choice
	for _, c := range []money.Currency{"EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "CAD", "AUD", "JPY"} {
		out = append(out, views.Choice{Value: string(c), Text: string(c), Chosen: string(c) == chosen})
	}
	return out
}

// apply asks for a new seller in the caller's name.
func (v *visit) apply() error {
	typed := v.fields("shop", "about", "legal_name", "line1", "line2", "postal_code", "city", "country", "tax_number", "email", "currency")
	reply, err := v.Catalog.ApplySeller(v.ctx(), catalog.ApplySellerRequest{
		By: v.by, Key: v.key(), Name: typed["shop"], About: typed["about"], Currency: money.Currency(typed["currency"]),
		Legal: catalog.LegalParty{
			Name: typed["legal_name"], Line1: typed["line1"], Line2: typed["line2"], PostalCode: typed["postal_code"], City: typed["city"],
			Country: typed["country"], TaxID: typed["tax_number"], Email: typed["email"],
		},
	})
	if err == nil {
		return v.done(views.PathApply+"?seller="+string(reply.Seller.ID), views.Flash{Text: "Thank you. The application is with us.", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	return v.showApply(httpx.Status(err), v.refusedForm(err, typed, []fieldName{
		{"name", "shop", "The name of the shop"},
		{"about", "about", "What you sell"},
		{"legal.name", "legal_name", "The legal name"},
		{"legal.line1", "line1", "Street and number"},
		{"legal.line2", "line2", "The second line"},
		{"legal.postal_code", "postal_code", "The postal code"},
		{"legal.city", "city", "The city"},
		{"legal.country", "country", "The country"},
		{"legal.tax_id", "tax_number", "The tax number"},
		{"legal.email", "email", "The e-mail address"},
		{"currency", "currency", "The currency"},
	}))
}
