package catalogsvc

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc/internal/feed"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
)

// A feed's row and a listing say the same things in different words. This file has both
// directions side by side, so that what is exported is read back the same.
//
//	row                                      listing
//	id                                       the variant's external id, and its SKU at first
//	item_group_id, else id                   the listing's external id
//	product_type, else a path of Google's    category, made as needed
//	price, sale_price                        was price, price (price alone when there is no sale)
//	color, size, material, pattern           options within a group, else attributes
//	product_detail                           attributes; those of the section Option are options within a group
//	product_highlight, mpn, gender …         attributes without a section, by the names below
//	quantity                                 a count of what is on hand
//	link                                     left out: a listing's address is souk's own

// Sections and names of attributes that are columns in a feed.
const (
	sectionOption = "Option"
	nameHighlight = "Highlight"
	nameMPN       = "MPN"
	nameGender    = "Gender"
	nameAgeGroup  = "Age group"
)

// column is a column of a feed by the name of its option or attribute.
type column struct {
	name string
	of   func(*feed.Row) *string
}

// choices are the columns that tell the variants of a group apart.
var choices = [...]column{
	{"Color", func(r *feed.Row) *string { return &r.Color }},
	{"Size", func(r *feed.Row) *string { return &r.Size }},
	{"Material", func(r *feed.Row) *string { return &r.Material }},
	{"Pattern", func(r *feed.Row) *string { return &r.Pattern }},
}

// facts are the other columns that become attributes without a section.
var facts = [...]column{
	{nameMPN, func(r *feed.Row) *string { return &r.MPN }},
	{nameGender, func(r *feed.Row) *string { return &r.Gender }},
	{nameAgeGroup, func(r *feed.Row) *string { return &r.AgeGroup }},
}

// goods is a row in the words of catalog: a listing with one variant.
type goods struct {
	line     int
	external string // of the variant
	group    string // external id of the listing
	seller   string // external id, "" when the row names none
	shelf    []string
	draft    catalog.Draft
	quantity *int64
	hash     [sha256.Size]byte // of all but seller and quantity

	attributes, images string // as columns have them
}

// goodsOf reads a row at that time, which decides whether a sale is on. What cannot be taken
// over whole is refused with the column's name.
func goodsOf(r *feed.Row, now clock.Time) (goods, *feed.RowError) {
	g := goods{line: r.Line, external: r.ID, group: r.ItemGroupID, seller: r.SellerID, quantity: quantityOf(r), shelf: shelfOf(r)}
	if g.group == "" {
		g.group = r.ID
	}
	v := catalog.VariantDraft{SKU: r.ID, GTIN: r.GTIN, Price: r.Price}
	if sale := r.SalePrice; sale != nil && sale.Minor < r.Price.Minor && saleIsOn(r, now) {
		was := r.Price
		v.Price, v.WasPrice = *sale, &was
	}
	if r.ShippingWeight != nil {
		v.Grams = *r.ShippingWeight
	}
	d := catalog.Draft{
		ExternalID: g.group, Title: r.Title, Description: r.Description, Brand: r.Brand, Condition: catalog.Condition(r.Condition),
		TaxClass: taxClassOf(r.TaxCategory),
	}
	d.Attributes = make([]catalog.Attribute, 0, len(r.Details)+len(r.Highlights)+len(r.Attributes)+2)
	fact := func(section, name, value string) {
		if value != "" {
			d.Attributes = append(d.Attributes, catalog.Attribute{Section: section, Name: name, Value: value})
		}
	}
	for _, c := range choices {
		if value := *c.of(r); value != "" && r.ItemGroupID != "" {
			v.Options = append(v.Options, catalog.Option{Name: c.name, Value: value})
		} else {
			fact("", c.name, value)
		}
	}
	for _, d := range r.Details {
		if d.Section == sectionOption && r.ItemGroupID != "" {
			v.Options = append(v.Options, catalog.Option{Name: d.Name, Value: d.Value})
		} else {
			fact(d.Section, d.Name, d.Value)
		}
	}
	for _, h := range r.Highlights {
		fact("", nameHighlight, h)
	}
	for _, f := range facts {
		fact("", f.name, *f.of(r))
	}
	for _, a := range r.Attributes {
		fact("", a.Name, a.Value)
	}
	for _, link := range append([]string{r.ImageLink}, r.AdditionalImageLinks...) {
		if link != "" && len(d.Images) < catalog.MaxImages {
			d.Images = append(d.Images, catalog.Image{URL: link})
		}
	}
	d.Variants = []catalog.VariantDraft{v}
	g.draft = d.Normal()
	if bad := rowProblem(r, g.draft.Validate()); bad != nil {
		return g, bad
	}
	g.hash = g.sum()
	var err error
	if g.attributes, err = asJSON(g.draft.Attributes); err == nil {
		g.images, err = asJSON(g.draft.Images)
	}
	return g, rowProblem(r, err)
}

func saleIsOn(r *feed.Row, now clock.Time) bool {
	return (r.SaleFrom.IsZero() || !r.SaleFrom.After(now)) && (r.SaleUntil.IsZero() || r.SaleUntil.After(now))
}

// quantityOf is how many there are by the row: none of what cannot be bought now, whatever
// else it says, and nil where it does not say.
func quantityOf(r *feed.Row) *int64 {
	if r.Availability == feed.InStock || r.Availability == "" {
		return r.Quantity
	}
	none := int64(0)
	return &none
}

func taxClassOf(s string) catalog.TaxClass {
	switch class := catalog.TaxClass(strings.ToLower(s)); class {
	case catalog.TaxReduced, catalog.TaxZero:
		return class
	default:
		return catalog.TaxStandard
	}
}

// shelfOf is the names of the row's category from the root; none where they make no sense:
// feeds have numbers and dashes in that column too.
func shelfOf(r *feed.Row) []string {
	for _, path := range []string{r.ProductType, r.GoogleProductCategory} {
		var names []string
		for name := range strings.SplitSeq(path, ">") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
		sound := len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return len(name) > catalog.MaxName || !hasLetter(name) })
		if sound {
			return names[:min(len(names), catalog.MaxDepth)]
		}
	}
	return nil
}

// hasLetter says whether there is more in s than digits and marks of ASCII.
func hasLetter(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127 }) >= 0
}

// columns are the feed's names of a draft's fields, for reports.
var columns = []struct{ field, column string }{
	{"draft.title", "title"},
	{"draft.description", "description"},
	{"draft.brand", "brand"},
	{"draft.external_id", "item_group_id"},
	{"draft.attributes", "product_detail"},
	{"draft.images", "image_link"},
	{"draft.condition", "condition"},
	{"draft.variants[0].gtin", "gtin"},
	{"draft.variants[0].sku", "id"},
	{"draft.variants[0].was_price", "sale_price"},
	{"draft.variants[0].price", "price"},
	{"draft.variants[0].grams", "shipping_weight"},
	{"draft.variants[0].options", "item_group_id"},
}

// rowProblem says in the feed's words what is wrong with a row.
func rowProblem(r *feed.Row, err error) *feed.RowError {
	if err == nil {
		return nil
	}
	bad := &feed.RowError{Line: r.Line, ID: r.ID}
	fields := errs.As(err).Fields
	for _, c := range columns { // in this order, so that reports do not change from run to run
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			if !strings.HasPrefix(field, c.field) {
				continue
			}
			if bad.Reason == "" {
				bad.Column, bad.Reason = c.column, fields[field]
			} else {
				bad.Also = append(bad.Also, feed.Problem{Line: r.Line, Column: c.column, Reason: fields[field]})
			}
			delete(fields, field)
		}
	}
	if bad.Reason == "" {
		bad.Reason = err.Error()
	}
	return bad
}

// sum is the hash of everything that a row makes of a listing.
func (g *goods) sum() [sha256.Size]byte {
	h := make(summer, 0, 4096)
	d, v := &g.draft, &g.draft.Variants[0]
	h.text(g.external, g.group, d.Title, d.Description, d.Brand, string(d.Condition), string(d.TaxClass))
	h.number(int64(len(g.shelf)))
	h.text(g.shelf...)
	h.number(int64(len(d.Attributes)))
	for _, a := range d.Attributes {
		h.text(a.Section, a.Name, a.Value)
	}
	h.number(int64(len(d.Images)))
	for _, i := range d.Images {
		h.text(i.URL)
	}
	h.text(v.GTIN, string(v.Price.Currency))
	h.number(v.Price.Minor, v.Grams, int64(len(v.Options)))
	for _, o := range v.Options {
		h.text(o.Name, o.Value)
	}
	if v.WasPrice != nil {
		h.number(v.WasPrice.Minor)
	}
	return sha256.Sum256(h)
}

// summer gathers texts with their lengths, so that no two lists of them have one sum.
type summer []byte

func (h *summer) text(all ...string) {
	for _, s := range all {
		*h = append(binary.LittleEndian.AppendUint64(*h, uint64(len(s))), s...)
	}
}

func (h *summer) number(all ...int64) {
	for _, n := range all {
		*h = binary.LittleEndian.AppendUint64(*h, uint64(n)) //nolint:gosec // the bits are what counts
	}
}

// rowOf is a variant as a row: the other direction of goodsOf. seller is the seller's name in
// feeds, shelf the names of the category, link the address of the listing's page.
func rowOf(l *listing, v catalog.Variant, seller string, shelf []string, link string) feed.Row {
	r := feed.Row{
		ID: l.external(v), Title: l.Title, Description: l.Description, Link: link, Brand: l.Brand, GTIN: v.GTIN, Price: v.Price,
		Condition: feed.Condition(l.Condition), ProductType: strings.Join(shelf, " > "), SellerID: seller, Availability: feed.OutOfStock,
	}
	quantity := v.Stock.OnHand
	if r.Quantity = &quantity; quantity > 0 {
		r.Availability = feed.InStock
	}
	if l.TaxClass != catalog.TaxStandard {
		r.TaxCategory = string(l.TaxClass)
	}
	if v.WasPrice != nil {
		sale := v.Price
		r.Price, r.SalePrice = *v.WasPrice, &sale
	}
	if v.Grams > 0 {
		r.ShippingWeight = &v.Grams
	}
	for i, image := range l.Images {
		switch {
		case !hasAddress(image): // a path of souk's own has no meaning elsewhere; see pictured
		case i == 0:
			r.ImageLink = image.URL
		default:
			r.AdditionalImageLinks = append(r.AdditionalImageLinks, image.URL)
		}
	}
	if group := l.group(v); group != r.ID || l.live() > 1 || len(v.Options) > 0 {
		r.ItemGroupID = group
	}
	setOptions(&r, v.Options)
	for _, a := range l.Attributes {
		setAttribute(&r, a)
	}
	return r
}

// setOptions writes what tells a variant from the others of its group.
func setOptions(r *feed.Row, options []catalog.Option) {
	for _, o := range options {
		if at := columnOf(r, choices[:], o.Name); at != nil && *at == "" {
			*at = o.Value
		} else {
			r.Details = append(r.Details, feed.Detail{Section: sectionOption, Name: o.Name, Value: o.Value})
		}
	}
}

// setAttribute writes a fact where a reader finds it as one: in a group the columns of choices
// are options, so a fact of that name is a detail.
func setAttribute(r *feed.Row, a catalog.Attribute) {
	at := columnOf(r, facts[:], a.Name)
	if at == nil && r.ItemGroupID == "" {
		at = columnOf(r, choices[:], a.Name)
	}
	switch {
	case a.Section == "" && a.Name == nameHighlight:
		r.Highlights = append(r.Highlights, a.Value)
	case a.Section == "" && at != nil && *at == "":
		*at = a.Value
	default:
		r.Details = append(r.Details, feed.Detail{Section: a.Section, Name: a.Name, Value: a.Value})
	}
}

// columnOf is the row's column of that name, nil when there is none.
func columnOf(r *feed.Row, columns []column, name string) *string {
	for _, c := range columns {
		if c.name == name {
			return c.of(r)
		}
	}
	return nil
}
