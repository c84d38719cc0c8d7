package feed

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Writer writes a feed that a Reader reads back the same: rows that a Reader returned, or
// that were made with the same care (text trimmed, one line where Row says so).
type Writer struct {
	out        *bufio.Writer
	format     Format
	comma      byte
	attributes []string
	err        error
}

// WriterOptions say what a Writer writes.
type WriterOptions struct {
	Format     Format   // TSV (the default), CSV or XML
	Title      string   // of the XML channel; default "souk"
	Attributes []string // the columns that TSV and CSV have beside the known ones; XML needs none
}

// NewWriter begins a feed: the header, or the opening of the XML.
func NewWriter(w io.Writer, o WriterOptions) (*Writer, error) {
	f := &Writer{out: bufio.NewWriterSize(w, sniffed), format: o.Format, comma: '\t', attributes: o.Attributes}
	for _, name := range o.Attributes {
		if err := checkAttribute(name); err != nil {
			return nil, err
		}
	}
	switch o.Format {
	case CSV:
		f.comma = ','
		f.header()
	case TSV, Auto:
		f.format = TSV
		f.header()
	case XML:
		title := o.Title
		if title == "" {
			title = "souk"
		}
		f.print(xml.Header + `<rss version="2.0" xmlns:g="` + googleNamespace + `">` + "\n<channel>\n<title>")
		f.escape(title)
		f.print("</title>\n")
	default:
		return nil, fmt.Errorf("write a feed: there is no format %q", o.Format)
	}
	return f, f.err
}

// checkAttribute refuses a name that would be read back as something else.
func checkAttribute(name string) error {
	if columnName(name) != name || name == "" || setters[name] != nil || steering(name) {
		return fmt.Errorf("write a feed: %q cannot be the name of an attribute", name)
	}
	return nil
}

// value is one column of a row as it is written.
type value struct {
	column string
	text   string
}

// values are a row's known columns, in the order of the header.
func values(r Row) []value {
	amount := func(set bool, s string) string {
		if set {
			return s
		}
		return ""
	}
	sale, dates, quantity, weight := "", "", "", ""
	if r.SalePrice != nil {
		sale = r.SalePrice.String()
		if r.SaleFrom != 0 || r.SaleUntil != 0 {
			dates = r.SaleFrom.String() + "/" + r.SaleUntil.String()
		}
	}
	if r.Quantity != nil {
		quantity = strconv.FormatInt(*r.Quantity, 10)
	}
	if r.ShippingWeight != nil {
		weight = strconv.FormatInt(*r.ShippingWeight, 10) + " g"
	}
	details := make([]string, len(r.Details))
	for i, d := range r.Details {
		details[i] = writeDetail(d)
	}
	highlights := make([]string, len(r.Highlights))
	for i, h := range r.Highlights {
		highlights[i] = quoteItem(h, ",")
	}
	return []value{
		{"id", r.ID},
		{"title", r.Title},
		{"description", r.Description},
		{"link", r.Link},
		{"image_link", r.ImageLink},
		{"additional_image_link", strings.Join(r.AdditionalImageLinks, ",")},
		{"availability", string(r.Availability)},
		{"quantity", quantity},
		{"price", amount(r.Price.Currency != "", r.Price.String())},
		{"sale_price", sale},
		{"sale_price_effective_date", dates},
		{"brand", r.Brand},
		{"gtin", r.GTIN},
		{"mpn", r.MPN},
		{"condition", string(r.Condition)},
		{"product_type", r.ProductType},
		{"google_product_category", r.GoogleProductCategory},
		{"color", r.Color},
		{"size", r.Size},
		{"material", r.Material},
		{"pattern", r.Pattern},
		{"gender", r.Gender},
		{"age_group", r.AgeGroup},
		{"item_group_id", r.ItemGroupID},
		{"product_detail", strings.Join(details, ",")},
		{"product_highlight", strings.Join(highlights, ",")},
		{"shipping_weight", weight},
		{"tax_category", r.TaxCategory},
		{"external_seller_id", r.SellerID},
	}
}

// Write adds a row.
func (w *Writer) Write(r Row) error {
	if w.err != nil {
		return w.err
	}
	for _, a := range r.Attributes {
		if w.format != XML && !slices.Contains(w.attributes, a.Name) {
			return fmt.Errorf("write row %s: the feed has no column for its attribute %q", r.ID, a.Name)
		}
		if err := checkAttribute(a.Name); err != nil {
			return err
		}
	}
	if w.format == XML {
		w.item(r)
		return w.err
	}
	vs := values(r)
	for _, name := range w.attributes {
		v := value{column: name}
		for _, a := range r.Attributes {
			if a.Name == name && v.text == "" { // a column holds one value
				v.text = a.Value
			}
		}
		vs = append(vs, v)
	}
	for i, v := range vs {
		if i > 0 {
			w.print(string(w.comma))
		}
		w.field(v.text)
	}
	w.print("\n")
	return w.err
}

// Close writes the end and flushes. It does not close what the feed is written to.
func (w *Writer) Close() error {
	if w.format == XML {
		w.print("</channel>\n</rss>\n")
	}
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}

func (w *Writer) print(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

func (w *Writer) header() {
	for i, v := range values(Row{}) {
		if i > 0 {
			w.print(string(w.comma))
		}
		w.print(v.column)
	}
	for _, name := range w.attributes {
		w.print(string(w.comma))
		w.field(name)
	}
	w.print("\n")
}

// field writes a value, quoted where it could be read otherwise.
func (w *Writer) field(s string) {
	if !strings.ContainsAny(s, "\"\r\n\t,") {
		w.print(s)
		return
	}
	w.print(`"` + strings.ReplaceAll(s, `"`, `""`) + `"`)
}

func (w *Writer) escape(s string) {
	if w.err == nil {
		w.err = xml.EscapeText(w.out, []byte(s))
	}
}

// item writes a row as an RSS item; what repeats has an element for each value.
func (w *Writer) item(r Row) {
	w.print("<item>\n")
	for _, v := range values(r) {
		switch v.column {
		case "additional_image_link":
			for _, link := range r.AdditionalImageLinks {
				w.element(v.column, link)
			}
		case "product_highlight":
			for _, h := range r.Highlights {
				w.element(v.column, h)
			}
		case "product_detail":
			for _, d := range r.Details {
				w.detail(d)
			}
		default:
			w.element(v.column, v.text)
		}
	}
	for _, a := range r.Attributes {
		w.attribute(a)
	}
	w.print("</item>\n")
}

func (w *Writer) element(name, text string) {
	if text == "" {
		return
	}
	w.print("<g:" + name + ">")
	w.escape(text)
	w.print("</g:" + name + ">\n")
}

func (w *Writer) detail(d Detail) {
	w.print("<g:product_detail>")
	for _, part := range []value{{"section_name", d.Section}, {"attribute_name", d.Name}, {"attribute_value", d.Value}} {
		w.print("<g:" + part.column + ">")
		w.escape(part.text)
		w.print("</g:" + part.column + ">")
	}
	w.print("</g:product_detail>\n")
}

// attribute writes a column that nobody knows as an element of its name, or, where that is
// no XML name, as <attribute name="…">, which is souk's own.
func (w *Writer) attribute(a Attribute) {
	if plainName(a.Name) {
		w.element(a.Name, a.Value)
		return
	}
	w.print(`<attribute name="`)
	w.escape(a.Name)
	w.print(`">`)
	w.escape(a.Value)
	w.print("</attribute>\n")
}

func plainName(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && name[0] >= 'a' && name[0] <= 'z' && name != "attribute"
}
