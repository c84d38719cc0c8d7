// Package house says who lives in this house and who may ask whom: the graph of modules as
// data. The test beside it holds every import and every table name in the tree to it
// (`make arch`), and `souk modules` prints it.
//
//	storefront, rehearsal, demo → all      orders → cart, catalog, payments, accounts
//	cart → catalog                         search → catalog, orders
//	accounts → catalog                     notify → accounts, catalog, orders, payments
//	catalog, payments → none
//
// An arrow is an import of the contract package, and of nothing else.
package house

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Module is one module, and whom it may ask or hear.
type Module struct {
	Name     string   `json:"name"`     // its folder under internal/
	Says     string   `json:"says"`     // what it is, in half a sentence
	Contract bool     `json:"contract"` // whether others may ask it; without, it is one room
	Asks     []string `json:"asks"`     // the modules whose contracts it may import
}

// Modules is every module there is, or will be.
func Modules() []Module {
	all := []string{"accounts", "catalog", "search", "cart", "payments", "orders", "notify"}
	return []Module{
		{Name: "accounts", Contract: true, Asks: []string{"catalog"}, Says: "people, sessions, roles; the home of personal data"},
		{Name: "catalog", Contract: true, Asks: []string{}, Says: "sellers, listings, variants, stock, reservations"},
		{Name: "search", Contract: true, Asks: []string{"catalog", "orders"}, Says: "finding listings: index, facets, suggestions"},
		{Name: "cart", Contract: true, Asks: []string{"catalog"}, Says: "carts, coupons, quotes"},
		{Name: "payments", Contract: true, Asks: []string{}, Says: "authorise, capture, refund; the ledger; payouts"},
		{Name: "orders", Contract: true, Asks: []string{"cart", "catalog", "payments", "accounts"}, Says: "checkout, seller orders, fulfilment, returns, history"},
		{Name: "notify", Contract: true, Asks: []string{"accounts", "catalog", "orders", "payments"}, Says: "mail, from events"},
		{Name: "storefront", Asks: all, Says: "pages for buyers, sellers and operators"},
		{Name: "rehearsal", Asks: all, Says: "the invariant checker"},
		{Name: "demo", Asks: all, Says: "fills an empty data folder with a marketplace"},
	}
}

// AskedBy returns the modules that may ask name, in the order of Modules.
func AskedBy(name string) []string {
	by := []string{}
	for _, m := range Modules() {
		if slices.Contains(m.Asks, name) {
			by = append(by, m.Name)
		}
	}
	return by
}

// Print writes the graph as a table for people.
func Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := [][]string{{"MODULE", "MAY ASK", "ASKED BY", "HOLDS"}}
	for _, m := range Modules() {
		rows = append(rows, []string{m.Name, list(m.Asks), list(AskedBy(m.Name)), m.Says})
	}
	for _, r := range rows {
		if _, err := fmt.Fprintln(t, strings.Join(r, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

func list(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ", ")
}
