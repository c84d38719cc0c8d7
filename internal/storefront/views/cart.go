package views

import (
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// Cart is what a buyer means to buy. The part "cart" is everything that changes with a line.
type Cart struct {
	Page
	Groups  []CartGroup
	Units   int
	Coupons []AppliedCoupon
	Coupon  Form  // field: code
	Quote   Quote // before an address is known: what is certain
	Ready   bool  // nothing stands in the way of checking out
	Why     string
	Empty   Empty
	Merged  string // what signing in added to the cart; may be empty
	Changed bool   // some line has news since it was added, of which the buyer can take note
}

// Template says which template shows it.
func (Cart) Template() string { return "cart" }

// CartGroup is the lines of one seller, who ships them together.
type CartGroup struct {
	Seller Link
	Lines  []CartLine
	Goods  money.Money
}

// CartLine is one variant in a cart.
type CartLine struct {
	ID        string // of the line: [A-Za-z0-9_-]
	URL       string // of the listing
	Title     string
	Options   string // "Size M, blue"
	Picture   Picture
	Unit      money.Money
	Quantity  int
	Max       int
	Total     money.Money
	Notices   []Status // "The price changed from €20.00 to €22.00 since you added it."
	Blocked   bool     // cannot be bought as it is
	UpdateURL string   // POST quantity
	RemoveURL string   // POST
}

// AppliedCoupon is a coupon on the cart.
type AppliedCoupon struct {
	Code      string
	Text      string // "10 % off everything by Atelier Nord, paid by the seller"
	Problem   string // why it takes nothing off at present
	RemoveURL string
}

// Quote is what it costs, line by line.
type Quote struct {
	ID       string // what the buyer saw; goes back with the checkout
	Sellers  []QuoteSeller
	Lines    []QuoteLine // the sums over all sellers
	Total    money.Money
	TaxNote  string // "including €3.20 VAT"
	Estimate string // what is not known yet: "Shipping and tax follow from your address."
	Changed  string // since the buyer last saw it: "The total changed from €31.00 to €33.00."
	Changes  []string
}

// QuoteSeller is one seller's part of a quote.
type QuoteSeller struct {
	Seller string
	Lines  []QuoteLine
	Total  money.Money
}

// QuoteLine is one amount with what it is for.
type QuoteLine struct {
	Text     string // "Goods", "Coupon SPRING10", "Shipping to France", "VAT 20 %"
	Note     string // "paid by the seller", "included in the prices"
	Amount   money.Money
	Included bool // already within the prices; not added
}

// Checkout is the one page between a cart and an order. Its form posts email, phone, name,
// line1, line2, postal_code, city, region, country, phone, address (the id of a saved one),
// method, invoice_other ("yes") with invoice_name, invoice_line1 and so on, shipping.<seller>
// where there is a choice, quote, seen (the total that stood on the page), cart and key. The part "quote" is what changes with the address.
type Checkout struct {
	Page
	Form      Form
	Cart      string // which cart, in which state
	Quote     Quote
	Units     int
	Saved     []SavedAddress // of who is signed in; empty for guests
	Countries []Choice
	Shipping  []ShippingGroup // empty until the address is known
	Methods   []Choice        // ways to pay; one is chosen
	Sandbox   bool            // no real money moves, and the page says so
	Ready     bool            // the total is final and can be paid
	Due       bool            // there is something to pay
}

// Template says which template shows it.
func (Checkout) Template() string { return "checkout" }

// SavedAddress is an address to choose.
type SavedAddress struct {
	ID     string
	Lines  []string
	Chosen bool
}

// ShippingGroup is how one seller's goods come.
type ShippingGroup struct {
	Seller  string
	Name    string   // of the field; empty when there is nothing to choose
	Choices []Choice // one is chosen
	Text    string   // "Flat rate, €4.90" when there is nothing to choose
	Goods   string   // "3 items"
}

// Waiting is shown while an order is neither placed nor refused: the payment provider is
// asked, or the buyer has to approve there. It loads itself again; its part is "waiting".
type Waiting struct {
	Page
	Number  string
	Amount  money.Money
	Since   clock.Time
	Until   clock.Time // when souk stops waiting and undoes everything
	URL     string     // of this page
	Approve *Link      // to the provider, when the buyer has to do something there
	Slow    bool       // it takes longer than usual
}

// Template says which template shows it.
func (Waiting) Template() string { return "waiting" }

// Confirmation thanks for an order.
type Confirmation struct {
	Page
	Order    Order
	Email    string // where the order's link was sent, or will be
	GuestURL string // the unguessable link by which a guest reads the order; empty when signed in
	Register bool   // offer an account
}

// Template says which template shows it.
func (Confirmation) Template() string { return "confirmation" }

// Rejected is an order that came to nothing: declined, sold out, too late.
type Rejected struct {
	Page
	Number  string
	Heading string // "Your bank declined the payment"
	Text    string // what happened to the money and the goods
	Actions []Link // what to do now; the first is the best
}

// Template says which template shows it.
func (Rejected) Template() string { return "rejected" }
