// Package feed reads and writes product feeds in the Google Merchant column convention: TSV
// and CSV with a header, RSS 2.0 and Atom with the g: namespace, plain or gzipped, in UTF-8,
// UTF-16 or Windows-1252.
//
// Feeds are dirty. A Reader goes on after a row that cannot be used and says of each which
// line, which column and why; it takes memory for one row, however long the feed:
//
//	r, err := feed.NewReader(file, feed.Options{})
//	for {
//		row, err := r.Next()
//		var bad *feed.RowError
//		switch {
//		case errors.Is(err, io.EOF):
//			return nil
//		case errors.As(err, &bad):
//			report(bad)
//		case err != nil:
//			return err // the feed itself cannot be read on
//		default:
//			use(row)
//		}
//	}
//
// What makes a row useless rejects it: no id, no title, no price, a price, quantity,
// availability or condition that cannot be understood, a broken quote, a field too many or
// too few. Nothing about money or stock is guessed. What is merely doubtful is left out of
// the row and noted in Row.Warnings: a GTIN whose check digit is wrong (a catalogue full of
// mistyped ones sells all the same, but must not be matched by them), an address that is no
// http URL, a sale price above the price, bytes that are not UTF-8, no description.
//
// Columns that nobody here knows are kept as the row's Attributes; those that only steer
// advertising, and those without a usable name, are left out and listed by Reader.Ignored.
//
// What a Writer writes, a Reader reads back the same.
package feed

import (
	"fmt"

	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// Format is how a feed is laid out.
type Format string

// The formats. A Reader finds out by itself; a Writer writes XML as RSS 2.0.
const (
	Auto Format = ""
	TSV  Format = "tsv"
	CSV  Format = "csv" // separated by commas, semicolons or bars
	XML  Format = "xml" // RSS 2.0 or Atom
)

// Availability says whether a thing can be bought.
type Availability string

// The availabilities; "" means that the feed does not say.
const (
	InStock    Availability = "in_stock"
	OutOfStock Availability = "out_of_stock"
	Preorder   Availability = "preorder"
	Backorder  Availability = "backorder"
)

// Condition says whether a thing is new.
type Condition string

// The conditions; "" means that the feed does not say.
const (
	New         Condition = "new"
	Refurbished Condition = "refurbished"
	Used        Condition = "used"
)

// Row is one product, or one variant of it, as the feed gives it: cleaned and checked.
// Absent values are empty, nil where empty would mean something.
type Row struct {
	Line int // where the row begins in the feed, from 1

	ID                    string
	Title                 string // one line
	Description           string // may have several lines
	Link                  string // an absolute http or https URL, as the other links
	ImageLink             string
	AdditionalImageLinks  []string
	Availability          Availability
	Quantity              *int64 // nil: the feed does not say, so stock stays untouched
	Price                 money.Money
	SalePrice             *money.Money // not above Price
	SaleFrom, SaleUntil   clock.Time   // when SalePrice holds; both zero: always
	Brand                 string
	GTIN                  string // 8, 12, 13 or 14 digits with a right check digit
	MPN                   string
	Condition             Condition
	ProductType           string // "Home > Kitchen > Pans": the seller's own tree
	GoogleProductCategory string // a number or a path of Google's tree
	Color                 string
	Size                  string
	Material              string
	Pattern               string
	Gender                string // male, female, unisex
	AgeGroup              string // newborn, infant, toddler, kids, adult
	ItemGroupID           string // shared by the variants of one product
	Details               []Detail
	Highlights            []string
	ShippingWeight        *int64 // in grams, rounded up
	TaxCategory           string
	SellerID              string // external_seller_id: the seller in a marketplace's feed
	Attributes            []Attribute

	Warnings []Problem
}

// Detail is one technical fact: product_detail's section, name and value.
type Detail struct {
	Section, Name, Value string
}

// Attribute is the value of a column that souk has no field for.
type Attribute struct {
	Name, Value string
}

// Problem is something wrong in one place of a feed.
type Problem struct {
	Line   int
	Column string // "" if it is the row as a whole
	Value  string // as the feed has it, shortened
	Reason string
}

// String is the problem as a line for people.
func (p Problem) String() string {
	s := fmt.Sprintf("line %d: ", p.Line)
	if p.Column != "" {
		s += p.Column + ": "
	}
	s += p.Reason
	if p.Value != "" {
		s += fmt.Sprintf(": %q", p.Value)
	}
	return s
}

// RowError says why one row was left out. Reading goes on with the next.
type RowError struct {
	Line   int
	Column string // "" if it is the row as a whole
	Value  string // as the feed has it, shortened
	Reason string
	ID     string    // the row's id, where it has one
	Also   []Problem // what else is wrong with the same row
}

// Error is the first problem as a line for people.
func (e *RowError) Error() string {
	return Problem{Line: e.Line, Column: e.Column, Value: e.Value, Reason: e.Reason}.String()
}

// Problems are all that is wrong with the row.
func (e *RowError) Problems() []Problem {
	first := Problem{Line: e.Line, Column: e.Column, Value: e.Value, Reason: e.Reason}
	return append([]Problem{first}, e.Also...)
}

// The bounds of one row. They keep memory flat whatever a feed holds.
const (
	DefaultMaxRow = 1 << 20  // bytes of one row
	maxColumns    = 500      // of one row
	maxIgnored    = 100      // columns that Ignored lists
	maxShown      = 80       // runes of a Value in a Problem
	maxWarnings   = 20       // of one row
	maxListed     = 1000     // links, details, highlights, attributes of one row, each
	maxID         = 100      // bytes of an id
	sniffed       = 64 << 10 // bytes looked at to tell format and encoding
)

// Options change how a feed is read; the zero value reads any feed.
type Options struct {
	Format   Format         // default: found out
	Currency money.Currency // of prices that name none; default: such prices are refused
	MaxRow   int            // default DefaultMaxRow, in bytes; at least 1024
}

// shorten makes a value fit for a message.
func shorten(s string) string {
	if len(s) <= maxShown {
		return clean(s, true)
	}
	runes := []rune(clean(s[:min(len(s), 4*maxShown)], true))
	if len(runes) > maxShown {
		runes = runes[:maxShown]
	}
	return string(runes) + "…"
}
