// Package views is what souk's pages show: one struct for each page, of plain values.
//
// A handler asks the modules, fills one of these structs and gives it to the storefront's
// Renderer; the template of the name that Template returns does the rest. Views know no
// module, so that a template can be written, looked at and tested before the module behind it
// exists. Amounts are money.Money and moments clock.Time: how they are written is decided in
// one place, by the template functions `money`, `day` and `moment`. Addresses are complete
// (path and query), made by the handler; only the fixed ones listed in paths.go stand in
// templates.
package views

// View is a page that the Renderer can show.
type View interface {
	// Template is the name of the page's template: "listing" for templates/listing.html.
	Template() string
}

// Area is the part of the house that a page belongs to; it decides the navigation.
type Area string

// The areas.
const (
	AreaShop     Area = ""         // buyers' pages
	AreaCheckout Area = "checkout" // as little as possible that leads away
	AreaAccount  Area = "account"  // orders, addresses, password
	AreaSeller   Area = "seller"   // a seller's staff
	AreaOperator Area = "operator" // who runs the marketplace
)

// Page is the frame around every page; each page's struct embeds it.
type Page struct {
	Title       string // of the window, without the shop's name; empty on the home page
	Description string // for search engines; may be empty
	Canonical   string // address by which search engines are to know it; empty for its own
	Area        Area
	Here        string // path and query of this page: to come back after signing in, and to mark the current link
	Viewer      Viewer
	CartCount   int      // units in the cart
	Search      string   // what stands in the search box
	Departments []Link   // the top of the category tree
	Crumbs      []Link   // the way here, without the page itself
	Flash       *Flash   // what just happened
	Hidden      bool     // not for search engines
	Refresh     int      // seconds after which a browser without scripts loads the page again; 0 for never
	Demo        bool     // the marketplace is a demo and says so
	Work        WorkList // counts beside the links of the seller's and the operator's navigation
}

// WorkList is how much waits behind a link of the navigation, by path; see paths.go.
type WorkList map[string]int

// Viewer is who looks at the page. The zero value is somebody not signed in.
type Viewer struct {
	SignedIn bool
	Name     string   // how to greet them
	Seller   string   // name of the seller whose staff they act as; empty for none
	SellerID string   // its id, which forms carry along so that none is sent in another's name
	Shops    []Choice // all that they may act for, when there is a choice
	Operator bool
}

// Link is a text that leads somewhere.
type Link struct {
	Text    string
	URL     string
	Count   int  // shown beside the text when positive
	Current bool // leads to where the reader is
}

// Tone says how a status or notice is meant; it chooses a colour and never stands alone.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
)

// Status is a state as a sentence: "Shipped on 4 May, two parcels".
type Status struct {
	Text string
	Tone Tone
}

// Flash says what the last act did, with a way to undo it where there is one.
type Flash struct {
	Text string
	Tone Tone
	Undo *Act // a button, if the act can be undone
	Link *Link
}

// Act is a button that posts: its text says what will happen.
type Act struct {
	Text   string
	URL    string            // where it posts to
	Values map[string]string // hidden fields
}

// Picture is an image over a drawn tile. The tile shows while there is no image or it does
// not load.
type Picture struct {
	URL    string // empty for a tile alone
	Alt    string // empty where the title stands right beside it
	Width  int    // pixels; 0 for the usual 480 × 480
	Height int
	Tile   Tile
}

// Tile is what the drawn tile of a listing shows: the colour is that of its category, the
// letters and the pattern follow from the title. Equal tiles are drawn equally, always.
type Tile struct {
	Hue   int    // 1 to 359; 0 takes one from Kind
	Kind  string // the category's path, or whatever stands for it
	Title string
}

// Chip is a filter that is on; URL is the same page without it.
type Chip struct {
	Label string // "Brand"
	Text  string // "Xerox"
	URL   string
}

// Choice is one of several: a sort order, a tab, an option of a select.
type Choice struct {
	ID       string // of the element, where the keyboard should find it again; may be empty
	Value    string
	Text     string
	Help     string // a second, quieter line
	URL      string // where choosing leads; empty within forms
	Count    int    // how many there are behind it; shown when positive
	Chosen   bool
	Disabled bool
}

// Pager leads through a list by key: there are no page numbers.
type Pager struct {
	First string // address of the beginning; empty when there
	Next  string // address of what follows; empty at the end
	Shown int    // rows on this page
	Total int    // rows in all; negative when not counted
	More  bool   // Total is a lower bound
	Noun  string // "listing", for one
	Nouns string // "listings", for many and none
}

// Empty is what a list says when there is nothing in it, and what to do then.
type Empty struct {
	Title string
	Text  string
	Links []Link
}

// Facet is one way to narrow a list.
type Facet struct {
	Name   string // of the query parameter
	Label  string
	Values []Choice
	More   string // address that shows all values; empty when all are shown
	Range  *Range // for prices, instead of values
	Bars   *Bars  // for prices: how many there are of which
	About  bool   // the counts are estimates
	Fewer  string // when all values are shown: address that shows the first again
	Find   *Find  // when all values are shown, and they are many
	Cut    string // what is not shown even then
}

// Find narrows the values of a facet by what is typed.
type Find struct {
	Action string
	Text   string
	Keep   []Hidden // the rest of the query
}

// Bars is a histogram.
type Bars struct {
	Title      string // what one sees in it
	Low, High  string // its ends
	Note       string // where the counts come from, if not from all
	Wide, Tall int
	Bars       []Bar
}

// Bar is one step of a histogram.
type Bar struct {
	X, Y, Width, Height int
	Text                string
	Out                 bool // of the range that is asked for
}

// Range is a filter between two amounts, as typed.
type Range struct {
	ID               string // of its fields, with an ending
	Min, Max         string
	MinName, MaxName string   // of the query parameters
	MinHint, MaxHint string   // the least and the most that there are; may be empty
	Unit             string   // the currency of prices
	Keep             []Hidden // the rest of the query, so that it survives the form
}

// Hidden is a hidden field of a form.
type Hidden struct{ Name, Value string }
