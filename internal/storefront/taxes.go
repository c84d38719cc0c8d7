package storefront

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/storefront/views"
)

// How the address of a tax table names what is no country.
const (
	taxElsewhere = "elsewhere" // the table of every country without one
	taxNew       = "new"       // a country that has none yet
)

func taxURL(country string) string {
	if country == "" {
		country = taxElsewhere
	}
	return views.PathOpTaxes + "/" + country
}

func taxPlace(country string) string {
	if country == "" {
		return "Everywhere else"
	}
	return countryName(country)
}

// taxTables is the tax tables of all countries.
func (v *visit) taxTables() error {
	all, err := v.Cart.ListTaxes(v.ctx(), cart.ListTaxesRequest{})
	if err != nil {
		return err
	}
	out := views.TaxTables{
		Page: v.operatorFrame("Taxes", views.PathOpTaxes), New: taxURL(taxNew),
		Empty: views.Empty{Title: "No tax tables yet", Text: "Without one nothing is taxed.", Links: []views.Link{{Text: "New table", URL: taxURL(taxNew)}}},
	}
	for _, t := range all.Tables {
		row := views.TaxRow{Place: taxPlace(t.Country), URL: taxURL(t.Country), How: "added to prices"}
		if t.Included {
			row.How = "contained in prices"
		}
		for _, r := range t.Rates {
			row.Rates = append(row.Rates, strings.TrimSpace(r.Region+" "+string(r.Class))+" "+percent(r.BasisPoints))
		}
		out.Rows = append(out.Rows, row)
	}
	return v.show(http.StatusOK, out)
}

// taxTable finds the table that the address names.
func (v *visit) taxTable() (cart.TaxTable, error) {
	name := v.param("country")
	if name == taxNew {
		return cart.TaxTable{}, nil
	}
	all, err := v.Cart.ListTaxes(v.ctx(), cart.ListTaxesRequest{})
	if err != nil {
		return cart.TaxTable{}, err
	}
	for _, t := range all.Tables {
		if taxURL(t.Country) == views.PathOpTaxes+"/"+name {
			return t, nil
		}
	}
	if name == taxElsewhere {
		return cart.TaxTable{}, nil
	}
	return cart.TaxTable{}, cart.ErrNotFound.With("there is no such tax table")
}

// editTaxes is one country's table, to be changed.
func (v *visit) editTaxes() error {
	t, err := v.taxTable()
	if err != nil {
		return err
	}
	form := views.Form{Values: map[string]string{"rates": rateLines(t.Rates), "version": strconv.FormatInt(t.Version, 10)}}
	if t.Included || t.Version == 0 {
		form.Values["included"] = "yes"
	}
	return v.showTaxes(http.StatusOK, t.Country, form)
}

func (v *visit) showTaxes(status int, country string, form views.Form) error {
	isNew := v.param("country") == taxNew
	title := taxPlace(country)
	if isNew {
		title = "New tax table"
	}
	out := views.TaxTable{
		Page: v.operatorFrame(title, views.PathOpTaxes), Form: form, Action: views.PathOpTaxes + "/" + v.param("country"), New: isNew,
		Countries: countryChoices(form.Value("country")),
	}
	out.Crumbs = []views.Link{{Text: "Taxes", URL: views.PathOpTaxes}}
	return v.show(status, out)
}

// rateLines is rates as the form has them, one a line.
func rateLines(rates []cart.TaxRate) string {
	lines := make([]string, len(rates))
	for i, r := range rates {
		lines[i] = strings.TrimSpace(r.Region+" "+string(r.Class)) + ": " + strings.TrimSuffix(percent(r.BasisPoints), " %")
	}
	return strings.Join(lines, "\n")
}

// readRates reads lines such as "standard: 19" and "CA reduced: 7.25"; bad is the first that
// cannot be read.
func readRates(text string) (rates []cart.TaxRate, bad string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, number, _ := strings.Cut(line, ":")
		words := strings.Fields(name)
		rate, err := money.Parse(strings.ReplaceAll(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(number), "%")), ",", "."), "EUR") // two places: basis points
		if err != nil || rate.Minor < 0 || rate.Minor > 10_000 || len(words) == 0 || len(words) > 2 {
			return nil, line
		}
		r := cart.TaxRate{Class: catalog.TaxClass(strings.ToLower(words[len(words)-1])), BasisPoints: int32(rate.Minor)} //nolint:gosec // at most 10,000
		if len(words) == 2 {
			r.Region = words[0]
		}
		rates = append(rates, r)
	}
	return rates, ""
}

// saveTaxes puts one country's table.
func (v *visit) saveTaxes() error {
	t, err := v.taxTable()
	if err != nil {
		return err
	}
	typed := v.fields("country", "included", "rates", "version")
	if v.param("country") == taxNew {
		t.Country = typed["country"]
	}
	wrong := map[string]string{}
	if v.param("country") == taxNew && t.Country == "" {
		wrong["country"] = "Choose the country."
	}
	rates, bad := readRates(typed["rates"])
	if bad != "" {
		wrong["rates"] = fmt.Sprintf("“%s” cannot be read: write each line as “standard: 19” or “CA reduced: 7.25”.", bad)
	}
	if len(wrong) > 0 {
		form := views.NewForm(typed, wrong, "country", "rates")
		form.Key = v.field("key")
		return v.showTaxes(http.StatusBadRequest, t.Country, form)
	}
	t.Included, t.Rates = typed["included"] != "", rates
	t.Version, _ = strconv.ParseInt(typed["version"], 10, 64) // nonsense is version 0, which is refused as stale
	_, err = v.Cart.PutTaxes(v.ctx(), cart.PutTaxesRequest{By: v.by, Key: v.key(), Table: t})
	if err == nil {
		return v.done(views.PathOpTaxes, views.Flash{Text: "The taxes of " + taxPlace(t.Country) + " are saved. They apply to every quote from now on.", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	names := []fieldName{{"country", "country", "The country"}, {"rates", "rates", "The rates"}}
	for i := range rates {
		names = append(names, fieldName{fmt.Sprintf("rates[%d].class", i), "rates", fmt.Sprintf("The class in line %d", i+1)},
			fieldName{fmt.Sprintf("rates[%d].region", i), "rates", fmt.Sprintf("The region in line %d", i+1)},
			fieldName{fmt.Sprintf("rates[%d].basis_points", i), "rates", fmt.Sprintf("The rate in line %d", i+1)},
			fieldName{fmt.Sprintf("rates[%d]", i), "rates", fmt.Sprintf("Line %d:", i+1)})
	}
	return v.showTaxes(httpx.Status(err), t.Country, v.refusedForm(err, typed, names))
}
