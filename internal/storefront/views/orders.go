package views

import (
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// Orders is a buyer's history. The part "orders" changes with the filters.
type Orders struct {
	Page
	Number string // what stands in the search by number
	States []Choice
	Chips  []Chip
	Rows   []OrderRow
	Pager  Pager
	Empty  Empty
}

// Template says which template shows it.
func (Orders) Template() string { return "orders" }

// OrderRow is an order in a list.
type OrderRow struct {
	Number   string
	URL      string
	PlacedAt clock.Time
	Status   Status
	Total    money.Money
	Units    int
	Sellers  string // "Atelier Nord and Casa Lume"
	Buyer    string // on sellers' and operators' lists
	Pictures []Picture
}

// OrderPage is one order, as its buyer or an operator sees it.
type OrderPage struct {
	Page
	Order Order
}

// Template says which template shows it.
func (OrderPage) Template() string { return "order" }

// Summary is an order for printing.
type Summary struct {
	Page
	Order    Order
	Printed  clock.Time
	Operator []string // who runs the marketplace: name and address
}

// Template says which template shows it.
func (Summary) Template() string { return "summary" }

// Order is everything that was agreed and what became of it.
type Order struct {
	Number     string
	URL        string
	SummaryURL string
	PlacedAt   clock.Time
	Status     Status
	Troubles   []Link // on an operator's page, money that does not go back by itself, and where it is seen to
	Parts      []OrderPart
	Quote      Quote
	Contact    []string // lines
	Delivery   []string
	Invoice    []string // empty when as delivery
	Payments   []PaymentRow
	Timeline   []Happening
	Acts       []Act // what can be done with the whole: "Cancel the order and refund €31.00"
}

// OrderPart is one seller's part of an order.
type OrderPart struct {
	Number  string
	URL     string // on a seller's and an operator's pages
	Seller  Link
	Legal   []string // the legal party as frozen: name, address, tax number
	Status  Status
	Lines   []OrderLine
	Parcels []Parcel
	Sums    []QuoteLine
	Total   money.Money
	Acts    []Act
}

// OrderLine is one line as it was agreed.
type OrderLine struct {
	Title    string
	Options  string
	SKU      string
	URL      string // of the listing, if it still is on offer
	Picture  Picture
	Quantity int
	Unit     money.Money
	Total    money.Money
	Notes    []string // "1 shipped", "1 cancelled"
}

// Parcel is what was sent together.
type Parcel struct {
	Number    string // "Parcel 1"
	Status    Status
	Carrier   string
	Tracking  string
	TrackURL  string
	ShippedAt clock.Time
	Lines     []string // "2 × Linen shirt, M"
	Acts      []Act
}

// PaymentRow is one thing that happened to the money.
type PaymentRow struct {
	Text   string // "Paid by card", "Refunded"
	Amount money.Money
	At     clock.Time
	Tone   Tone
}

// Happening is one line of a timeline.
type Happening struct {
	Text string
	At   clock.Time
	By   string // "you", "Atelier Nord", "souk"; may be empty
	Tone Tone
}
