package storefront

import (
	"net/http"

	"souk/internal/catalog"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/storefront/views"
)

// applyPage says how the caller's applications stand. Who has none, or none but declined
// ones, is asked; who waits or sells may ask for one more shop.
func (v *visit) applyPage() error {
	return v.showApply(http.StatusOK, views.Form{})
}

func (v *visit) showApply(status int, form views.Form) error {
	mine, err := v.Catalog.ListApplications(v.ctx(), catalog.ListApplicationsRequest{By: v.by})
	if err != nil {
		return err
	}
	out := views.Apply{Page: v.frame("Your shop application", views.AreaShop, views.PathApply), Form: form}
	out.Hidden = true
	again := catalog.SellerID(v.query("again"))
	for _, s := range mine.Sellers {
		if s.ID == again && form.Values == nil {
			out.Form.Values = applicationValues(s)
		}
		out.Applications = append(out.Applications, v.application(s))
	}
	out.Asks = len(mine.Sellers) == 0 || form.Failed() || again != ""
	if len(mine.Sellers) == 0 {
		out.Title = "Sell on souk"
	}
	switch {
	case !out.Asks:
		out.Another = withParam(views.PathApply, "again", "new")
	case out.Form.Values == nil:
		out.Form.Values = map[string]string{"currency": string(v.Currency)}
	}
	out.Countries, out.Currencies = countryChoices(out.Form.Value("country")), currencyChoices(out.Form.Value("currency"))
	return v.show(status, out)
}

// application is how one application stands and what its applicant can do now.
func (v *visit) application(s catalog.Seller) views.Application {
	out := views.Application{Name: s.Name, Applied: s.CreatedAt}
	switch s.Status {
	case catalog.SellerApplied:
		out.Status = views.Status{Text: "Pending: a person is reading it", Tone: views.Warn}
	case catalog.SellerApproved:
		out.Status = views.Status{Text: "Approved: it may sell", Tone: views.Good}
		out.Link = &views.Link{Text: "The shop as buyers see it", URL: shopURL(s.Slug)}
	case catalog.SellerDeclined:
		out.Status, out.Why = views.Status{Text: "Declined", Tone: views.Bad}, sentence(s.Why)
		out.Link = &views.Link{Text: "Apply again", URL: withParam(views.PathApply, "again", string(s.ID))}
	default:
		out.Status, out.Why = views.Status{Text: "Suspended", Tone: views.Bad}, sentence(s.Why)
	}
	return out
}

// applicationValues is what an application said, to be corrected and sent again.
func applicationValues(s catalog.Seller) map[string]string {
	return map[string]string{
		"shop": s.Name, "about": s.About, "legal_name": s.Legal.Name, "line1": s.Legal.Line1, "line2": s.Legal.Line2,
		"postal_code": s.Legal.PostalCode, "city": s.Legal.City, "country": s.Legal.Country, "tax_number": s.Legal.TaxID,
		"email": s.Legal.Email, "currency": string(s.Currency),
	}
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
	_, err := v.Catalog.ApplySeller(v.ctx(), catalog.ApplySellerRequest{
		By: v.by, Key: v.key(), Name: typed["shop"], About: typed["about"], Currency: money.Currency(typed["currency"]),
		Legal: catalog.LegalParty{
			Name: typed["legal_name"], Line1: typed["line1"], Line2: typed["line2"], PostalCode: typed["postal_code"], City: typed["city"],
			Country: typed["country"], TaxID: typed["tax_number"], Email: typed["email"],
		},
	})
	if err == nil {
		return v.done(views.PathApply, views.Flash{Text: "Thank you. The application is with us; this page says how it stands.", Tone: views.Good})
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
