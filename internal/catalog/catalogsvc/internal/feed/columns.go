package feed

import (
	"fmt"
	"slices"
	"strings"

	"souk/internal/platform/money"
)

// column is one column of a feed and what its values do to a row.
type column struct {
	name string
	set  func(b *builder, c *column, value string) // nil: the column is left out
}

// table is what a feed's columns are, and which are left out.
type table struct {
	currency money.Currency
	known    map[string]bool // the columns met so far, by name
	ignored  []Problem
}

func newTable(c money.Currency) *table { return &table{currency: c, known: map[string]bool{}} }

func (t *table) has(name string) bool { return t.known[name] }

// column finds a column by its name in a header or of an element. Of two with one name the
// second is left out, unless it may repeat, as elements may.
func (t *table) column(title string, line int, mayRepeat bool) column {
	name := columnName(title)
	c := column{name: name, set: setters[name]}
	switch {
	case name == "":
		t.ignore(Problem{Line: line, Value: shorten(title), Reason: "a column without a name is left out"})
		return column{}
	case t.known[name] && !mayRepeat:
		t.ignore(Problem{Line: line, Column: name, Reason: "there are two columns of this name; the second is left out"})
		return column{name: name}
	case c.set != nil:
	case steering(name):
		t.ignore(Problem{Line: line, Column: name, Reason: "steers advertising or shipping elsewhere and is left out"})
		return column{name: name}
	default:
		c.set = (*builder).attribute
	}
	t.known[name] = true
	return c
}

func (t *table) ignore(p Problem) {
	same := func(q Problem) bool { return q.Column == p.Column && q.Reason == p.Reason && p.Column != "" }
	if len(t.ignored) < maxIgnored && !slices.ContainsFunc(t.ignored, same) {
		t.ignored = append(t.ignored, p)
	}
}

// columnName is a title as Google's documents write it: "Image link" and "g:image_link" are
// image_link. A name longer than any real one is none.
func columnName(title string) string {
	name := strings.ToLower(strings.TrimSpace(clean(title, true)))
	name = strings.TrimPrefix(name, "g:")
	name = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return '_'
		}
		return r
	}, name)
	if len(name) > maxID {
		return ""
	}
	if alias, ok := aliases[name]; ok {
		return alias
	}
	return name
}

var aliases = map[string]string{
	"tax_class": "tax_category", "colour": "color", "sku": "id", "additional_image_links": "additional_image_link",
	"external_seller": "external_seller_id", "inventory": "quantity", "sell_on_google_quantity": "quantity",
}

// steering says whether a column is for advertising, or for another shop's shipping and tax.
func steering(name string) bool {
	bare, _, _ := strings.Cut(name, "(") // shipping(country:price)
	return slices.Contains([]string{
		"ads_redirect", "adult", "identifier_exists", "excluded_destination", "included_destination", "promotion_id",
		"shopping_ads_excluded_country", "shipping", "tax", "installment", "subscription_cost", "loyalty_points",
		"loyalty_program", "cost_of_goods_sold", "auto_pricing_min_price", "pause", "canonical_link", "mobile_link",
		"lifestyle_image_link", "expiration_date", "disclosure_date", "return_policy_label", "shipping_label",
		"transit_time_label", "min_handling_time", "max_handling_time", "ships_from_country", "free_shipping_threshold",
	}, bare)
}

// setters say what each known column does to a row.
var setters = map[string]func(b *builder, c *column, value string){
	"id":                        (*builder).id,
	"title":                     line(func(r *Row) *string { return &r.Title }),
	"description":               (*builder).description,
	"link":                      address(func(r *Row) *string { return &r.Link }),
	"image_link":                address(func(r *Row) *string { return &r.ImageLink }),
	"additional_image_link":     (*builder).additionalImages,
	"availability":              (*builder).availability,
	"quantity":                  (*builder).quantity,
	"price":                     (*builder).price,
	"sale_price":                (*builder).salePrice,
	"sale_price_effective_date": (*builder).saleDates,
	"brand":                     line(func(r *Row) *string { return &r.Brand }),
	"gtin":                      (*builder).gtin,
	"mpn":                       line(func(r *Row) *string { return &r.MPN }),
	"condition":                 (*builder).condition,
	"product_type":              line(func(r *Row) *string { return &r.ProductType }),
	"google_product_category":   line(func(r *Row) *string { return &r.GoogleProductCategory }),
	"color":                     line(func(r *Row) *string { return &r.Color }),
	"size":                      line(func(r *Row) *string { return &r.Size }),
	"material":                  line(func(r *Row) *string { return &r.Material }),
	"pattern":                   line(func(r *Row) *string { return &r.Pattern }),
	"gender":                    oneOf(func(r *Row) *string { return &r.Gender }, "male", "female", "unisex"),
	"age_group":                 oneOf(func(r *Row) *string { return &r.AgeGroup }, "newborn", "infant", "toddler", "kids", "adult"),
	"item_group_id":             line(func(r *Row) *string { return &r.ItemGroupID }),
	"product_detail":            (*builder).details,
	"product_highlight":         (*builder).highlights,
	"shipping_weight":           (*builder).shippingWeight,
	"tax_category":              line(func(r *Row) *string { return &r.TaxCategory }),
	"external_seller_id":        line(func(r *Row) *string { return &r.SellerID }),
}

// builder gathers the values of one row and what is wrong with them.
type builder struct {
	table    *table
	row      Row
	problems []Problem // that reject the row
}

func (b *builder) set(c *column, value string) {
	if c.set == nil {
		return
	}
	value, repaired := repair(value)
	if repaired {
		b.warn(c.name, value, "has bytes that are not UTF-8, read as Windows-1252")
	}
	c.set(b, c, value)
}

func (b *builder) problem(column, value, reason string, args ...any) {
	if len(b.problems) < maxWarnings {
		b.problems = append(b.problems, Problem{Line: b.row.Line, Column: column, Value: shorten(value), Reason: fmt.Sprintf(reason, args...)})
	}
}

func (b *builder) warn(column, value, reason string, args ...any) {
	if len(b.row.Warnings) < maxWarnings {
		b.row.Warnings = append(b.row.Warnings, Problem{Line: b.row.Line, Column: column, Value: shorten(value), Reason: fmt.Sprintf(reason, args...)})
	}
}

// need rejects the row for want of a column, unless what it has there was refused before.
func (b *builder) need(column string, absent bool) {
	if absent && !slices.ContainsFunc(b.problems, func(p Problem) bool { return p.Column == column }) {
		b.problem(column, "", "is missing")
	}
}

// finish looks at the row as a whole, and returns it or why it is left out.
func (b *builder) finish() (Row, error) {
	r := &b.row
	b.need("id", r.ID == "")
	b.need("title", r.Title == "")
	b.need("price", r.Price.Currency == "")
	if r.Description == "" {
		b.warn("description", "", "is missing")
	}
	b.checkSale()
	if len(r.Details) == 0 {
		r.Details = nil
	}
	if len(b.problems) == 0 {
		return *r, nil
	}
	first := b.problems[0]
	return Row{}, &RowError{
		Line: first.Line, Column: first.Column, Value: first.Value, Reason: first.Reason,
		ID: r.ID, Also: b.problems[1:],
	}
}

// checkSale drops a sale price that is none, and dates of no sale.
func (b *builder) checkSale() {
	r := &b.row
	if r.SalePrice != nil && r.Price.Currency != "" {
		switch higher, err := r.SalePrice.Cmp(r.Price); {
		case err != nil:
			b.warn("sale_price", r.SalePrice.String(), "is in another currency than the price, and left out")
			r.SalePrice = nil
		case higher > 0:
			b.warn("sale_price", r.SalePrice.String(), "is above the price, and left out")
			r.SalePrice = nil
		}
	}
	if r.SalePrice == nil {
		r.SaleFrom, r.SaleUntil = 0, 0
	}
}
