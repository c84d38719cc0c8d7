package views

import "souk/internal/platform/money"

// SellerCoupons is a seller's (or, for operators, the marketplace's) coupons and the form for
// a new one: code, percent, amount, minimum, starts, ends, uses, per_person.
type SellerCoupons struct {
	Page
	Form     Form
	Action   string
	Currency money.Currency
	Funder   string   // who pays for the discount
	Columns  []Column // of code, takes off, when, used, state, acts
	Rows     []CouponRow
	CSV      string
	Pager    Pager
	Empty    Empty
}

// Template says which template shows it.
func (SellerCoupons) Template() string { return "coupons" }

// CouponRow is a coupon in a table.
type CouponRow struct {
	Code    string
	URL     string // of the page on which it is changed
	Text    string // "10 % off from €50.00"
	Period  string // "until 31 May 2026 UTC"
	Used    int
	Limit   int // 0 for none
	Status  Status
	StopURL string // POST; empty when it is over
}

// Coupon is one coupon, to be changed: the fields of SellerCoupons without the code, and version.
type Coupon struct {
	Page
	Form     Form
	Action   string
	Code     string
	Currency money.Currency
	Funder   string
	Status   Status
	Used     int
	Version  int64
}

// Template says which template shows it.
func (Coupon) Template() string { return "coupon" }

// ShippingTable is how a seller, or the marketplace, ships, and the form of the table: for each
// zone i label.i, countries.i ("DE AT", empty for everywhere), kind.i, steps.i (one price a line),
// grams.i, for the marketplace currency.i, and drop.i ("yes" takes the zone away); version. With
// add=zone nothing is saved and the form comes back with one more zone.
type ShippingTable struct {
	Page
	Form        Form
	Action      string
	Version     int64
	Borrowed    bool // what is shown is the marketplace's table
	AnyCurrency bool // zones have currencies of their own
	Zones       []ZoneRow
	Fields      []ZoneField
	Acts        []Act
}

// Template says which template shows it.
func (ShippingTable) Template() string { return "shipping" }

// ZoneRow is a zone in words.
type ZoneRow struct {
	Label     string
	Countries string
	Prices    []string
}

// ZoneField is a zone in the form; Index is the i of its fields' names.
type ZoneField struct {
	Index      string
	Label      string
	Kinds      []Choice
	Currencies []Choice
}

// TaxTables is the rates of all countries.
type TaxTables struct {
	Page
	New   string // where a table is made
	Rows  []TaxRow
	Empty Empty
}

// Template says which template shows it.
func (TaxTables) Template() string { return "taxes" }

// TaxRow is one country's table.
type TaxRow struct {
	Place string
	URL   string
	How   string // "contained in prices"
	Rates []string
}

// TaxTable is the form of one country's table: country (of a new one), included, rates (one a
// line, "standard: 19"), version.
type TaxTable struct {
	Page
	Form      Form
	Action    string
	New       bool
	Countries []Choice
}

// Template says which template shows it.
func (TaxTable) Template() string { return "tax" }
