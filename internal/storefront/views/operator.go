package views

import (
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// OperatorHome begins with what needs the operator.
type OperatorHome struct {
	Page
	Needs   []Need
	Columns []Column // of the modules' table
	Modules []ModuleRow
	Today   []Figure
}

// Template says which template shows it.
func (OperatorHome) Template() string { return "operator-home" }

// Figure is a number with what it counts.
type Figure struct {
	Text  string
	Value string
	Note  string
}

// OperatorSellers is the sellers, those who wait first.
type OperatorSellers struct {
	Page
	Query   string
	States  []Choice
	Chips   []Chip
	Columns []Column // of seller, state, applied, listings, decide
	Rows    []SellerRow
	CSV     string
	Pager   Pager
	Empty   Empty
}

// Template says which template shows it.
func (OperatorSellers) Template() string { return "operator-sellers" }

// SellerRow is a seller in the operator's table.
type SellerRow struct {
	Name     string
	URL      string // of the shop
	Legal    []string
	Applied  clock.Time
	Status   Status
	Why      string // the reason of the last decision
	Listings int
	Acts     []Act // "Approve", "Decline": one form, which asks for the reason
	ID       string
}

// OperatorOrders finds any order.
type OperatorOrders struct {
	Page
	Number  string
	States  []Choice
	Chips   []Chip
	Columns []Column // of order, placed, state, sellers, items, total
	Rows    []OrderRow
	CSV     string
	Pager   Pager
	Empty   Empty
}

// Template says which template shows it.
func (OperatorOrders) Template() string { return "operator-orders" }

// OperatorEvents is the events that were parked.
type OperatorEvents struct {
	Page
	Rows  []ParkedRow
	Pager Pager
	Empty Empty
}

// Template says which template shows it.
func (OperatorEvents) Template() string { return "operator-events" }

// ParkedRow is a parked event.
type ParkedRow struct {
	ID         string // unique on the page: [A-Za-z0-9_-]
	Module     string // whose subscriber it is
	Subscriber string
	Position   int64
	Name       string
	Key        string
	Tries      int
	Error      string
	ParkedAt   clock.Time
	Behind     int    // events of the same key that wait behind it
	Body       string // JSON, indented
	Acts       []Act  // "Try again", "Skip this event"
}

// OperatorRefunds is money that the payment provider will not give back.
type OperatorRefunds struct {
	Page
	Chips []Chip
	Rows  []RefundRow
	Pager Pager
	Empty Empty
}

// Template says which template shows it.
func (OperatorRefunds) Template() string { return "operator-refunds" }

// RefundRow is money that its buyer waits for.
type RefundRow struct {
	ID     string
	Amount money.Money
	Order  Link
	Buyer  []string   // how to reach who waits
	Why    string     // what it is for
	Reason string     // why the provider refused
	At     clock.Time // of the refusal; zero if that is not known
	Acts   []Act      // "Try again"
	Close  string     // where it is said that the money went back another way; "" where it cannot
}

// OperatorJobs is the jobs that gave up.
type OperatorJobs struct {
	Page
	Rows  []JobRow
	Pager Pager
	Empty Empty
}

// Template says which template shows it.
func (OperatorJobs) Template() string { return "operator-jobs" }

// JobRow is a dead job.
type JobRow struct {
	Module string
	Kind   string
	Key    string
	Tries  int
	Error  string
	At     clock.Time
	Acts   []Act  // "Run it again", "Drop it"
	Note   string // why it cannot be dropped; "" where it can
}

// OperatorModules is how the modules are.
type OperatorModules struct {
	Page
	Columns []Column // of module, state, in flight, lag, parked, dead, panics
	Modules []ModuleRow
	Heads   []Column // of subscriber, log, state, position, head, lag, parked
	Logs    []LogRow
}

// Template says which template shows it.
func (OperatorModules) Template() string { return "operator-modules" }

// ModuleRow is how a module is.
type ModuleRow struct {
	Name     string
	Status   Status
	InFlight int
	Limit    int
	Panics   int64
	Parked   int
	Dead     int
	Lag      int64
}

// LogRow is one subscriber's place in a log.
type LogRow struct {
	Subscriber string
	Log        string
	Position   int64
	Head       int64
	Lag        int64
	Parked     int
	Status     Status
}

// OperatorAudit is who did what, and why.
type OperatorAudit struct {
	Page
	Subject string // what stands in the search box
	Modules []Choice
	Chips   []Chip
	Rows    []AuditRow
	CSV     string
	Pager   Pager
	Empty   Empty
}

// Template says which template shows it.
func (OperatorAudit) Template() string { return "operator-audit" }

// AuditRow is one act.
type AuditRow struct {
	At      clock.Time
	Who     string
	For     string
	Action  string
	Subject string
	Before  string
	After   string
	Why     string
}
