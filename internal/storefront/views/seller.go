package views

import (
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// Need is something that waits for the reader: a count that is a link.
type Need struct {
	Count int
	Text  string // "orders to ship"
	Note  string // "the oldest since 4 May"
	URL   string
	Tone  Tone
}

// SellerHome begins with what needs the seller.
type SellerHome struct {
	Page
	Name   string
	Status Status // "Waiting for approval", or empty when all is well
	Needs  []Need
	Orders []OrderRow // the latest
	Low    []StockRow // what runs out
}

// Template says which template shows it.
func (SellerHome) Template() string { return "seller-home" }

// StockRow is a variant that runs out.
type StockRow struct {
	Link
	SKU       string
	Available int
}

// Column is the head of a column of a table.
type Column struct {
	Text   string
	URL    string // sorts by it; empty when it cannot
	Sorted string // "ascending", "descending" or ""
	Number bool   // its cells are numbers
}

// Right is the column with numbers in its cells.
func (c Column) Right() Column {
	c.Number = true
	return c
}

// SellerListings is a seller's listings, to be worked on.
type SellerListings struct {
	Page
	Query   string
	States  []Choice
	Chips   []Chip
	Columns []Column // of listing, state, price, available, changed
	Rows    []SellerListingRow
	Bulk    []Choice // what can be done with the ticked ones
	CSV     string
	Pager   Pager
	Empty   Empty
}

// Template says which template shows it.
func (SellerListings) Template() string { return "seller-listings" }

// SellerListingRow is a listing in its seller's table.
type SellerListingRow struct {
	ID        string
	Title     string
	URL       string // of the edit page
	SKU       string
	Variants  int
	Picture   Picture
	Status    Status
	Price     money.Money
	Available int
	ChangedAt clock.Time
}

// SellerListing is the form of a listing: title, description, category, brand, state, image,
// version, attributes (one "name: value" a line), condition, tax, key, and for each variant i variant.i (its id, empty for a
// new one), options.i ("Size: M, Colour: blue"), sku.i, gtin.i, price.i, grams.i, stock.i, was.i (the stock
// that the form showed: an unchanged number is no count), drop.i ("yes" withdraws it). With add=variant
// nothing is saved and the form comes back with one more variant.
type SellerListing struct {
	Page
	Form       Form
	Action     string
	New        bool
	Status     Status
	PublicURL  string
	Categories []Choice
	States     []Choice
	Taxes      []Choice
	Conditions []Choice
	Currency   money.Currency
	Version    int64
	Rows       []VariantRow
	Journal    []StockMove // the latest movements of stock
	Acts       []Act
}

// Template says which template shows it.
func (SellerListing) Template() string { return "seller-listing" }

// VariantRow is one variant of a listing's form; Index is the i of its fields' names.
type VariantRow struct {
	ID        string
	Index     string
	Label     string // "Size M, blue", "New variant"
	OnHand    int
	Held      int
	Available int
	New       bool
}

// StockMove is a movement in the journal of stock.
type StockMove struct {
	At     clock.Time
	Text   string // "Received", "Sold, order 1043-2"
	SKU    string
	Change string // "+12", "−1"
	After  int
}

// SellerOrders is the orders that came in.
type SellerOrders struct {
	Page
	Number  string
	States  []Choice
	Chips   []Chip
	Columns []Column // of order, placed, state, buyer, items, total
	Rows    []OrderRow
	CSV     string
	Pager   Pager
	Empty   Empty
}

// Template says which template shows it.
func (SellerOrders) Template() string { return "seller-orders" }

// SellerOrder is one seller's part of an order with what can be done about it. The ship form
// posts quantity.<line>, carrier, tracking and key.
type SellerOrder struct {
	Page
	Part     OrderPart
	PlacedAt clock.Time
	Delivery []string
	Contact  []string
	Ship     *ShipForm
	Timeline []Happening
}

// Template says which template shows it.
func (SellerOrder) Template() string { return "seller-order" }

// ShipForm ships all or a part of what is left.
type ShipForm struct {
	Form   Form
	Action string
	Lines  []ShipLine
}

// ShipLine is a line of which something is left to ship.
type ShipLine struct {
	ID      string
	Title   string
	Options string
	SKU     string
	Left    int
}

// Apply says how the reader's applications to sell stand, and asks for another one: shop,
// legal_name, line1, line2, postal_code, city, country, tax_number, email, about, currency.
type Apply struct {
	Page
	Applications []Application // newest first
	Asks         bool          // the form is shown
	Another      string        // address of the form, when it is not
	Form         Form
	Countries    []Choice
	Currencies   []Choice
}

// Template says which template shows it.
func (Apply) Template() string { return "apply" }

// Application is one application to sell.
type Application struct {
	Name    string
	Applied clock.Time
	Status  Status
	Why     string // what the operator gave as the reason
	Link    *Link  // what to do next
}
