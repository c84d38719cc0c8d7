// Command shopper buys something from a souk with nothing but the client that a generator made
// of its OpenAPI document: it searches, fills a cart as a guest, asks what it costs, checks out
// and reads the order. It prints the order's number and status.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"shopper/client"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "shopper URL WORDS")
		os.Exit(2)
	}
	if err := buy(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "shopper:", err)
		os.Exit(1)
	}
}

func buy(ctx context.Context, url, words string) error {
	souk, err := client.NewClientWithResponses(url)
	if err != nil {
		return err
	}
	found, err := souk.GetSearchListingsWithResponse(ctx, &client.GetSearchListingsParams{Q: &words})
	if err := said("search", err, found.JSON200 != nil, found.ApplicationproblemJSONDefault); err != nil {
		return err
	}
	if len(found.JSON200.Hits) == 0 {
		return errors.New("nothing was found")
	}
	listing, err := souk.GetCatalogListingsByIdWithResponse(ctx, found.JSON200.Hits[0].Listing, &client.GetCatalogListingsByIdParams{})
	if err := said("listing", err, listing.JSON200 != nil, listing.ApplicationproblemJSONDefault); err != nil {
		return err
	}
	token, err := souk.PostCartTokensWithResponse(ctx)
	if err := said("cart token", err, token.JSON201 != nil, token.ApplicationproblemJSONDefault); err != nil {
		return err
	}
	mine := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Souk-Cart", token.JSON201.Token)
		return nil
	}
	line := client.CartLineInBody{Variant: listing.JSON200.Variants[0].Id, Quantity: 2}
	added, err := souk.PostCartLinesWithResponse(ctx, &client.PostCartLinesParams{IdempotencyKey: "the-first-line"}, line, mine)
	if err := said("line", err, added.JSON200 != nil, added.ApplicationproblemJSONDefault); err != nil {
		return err
	}
	country := "DE"
	quote, err := souk.GetCartQuoteWithResponse(ctx, &client.GetCartQuoteParams{Country: &country}, mine)
	if err := said("quote", err, quote.JSON200 != nil, quote.ApplicationproblemJSONDefault); err != nil {
		return err
	}
	return checkout(ctx, souk, quote.JSON200, mine)
}

func checkout(ctx context.Context, souk *client.ClientWithResponses, quote *client.CartQuoteOutBody, mine client.RequestEditorFn) error {
	wanted := client.OrdersCheckoutInBody{
		Cart: quote.Cart, CartVersion: quote.CartVersion, QuoteHash: quote.Hash, Method: "sandbox_ok",
		Contact:  client.OrdersContactWire{Email: "ada@example.com", Name: "Ada Example"},
		Delivery: client.OrdersPostalWire{Name: "Ada Example", Line1: "Hafenstr. 1", City: "Kiel", Country: "DE"},
	}
	made := (*client.OrdersCheckoutWire)(nil)
	for made == nil { // it goes on without us, and we ask again by the key, which waits a while
		done, err := souk.PostOrdersCheckoutsWithResponse(ctx, &client.PostOrdersCheckoutsParams{IdempotencyKey: "the-only-checkout"}, wanted, mine)
		if err := said("checkout", err, done.JSON201 != nil || done.JSON202 != nil, done.ApplicationproblemJSONDefault); err != nil {
			return err
		}
		made = done.JSON201
	}
	if made.Total.Minor != quote.Sums.Total.Minor {
		return fmt.Errorf("it costs %d, and %d was quoted", made.Total.Minor, quote.Sums.Total.Minor)
	}
	order, err := souk.GetOrdersOrdersByOrderWithResponse(ctx, made.Order, &client.GetOrdersOrdersByOrderParams{SoukOrderLink: &made.Link})
	if err := said("order", err, order.JSON200 != nil, order.ApplicationproblemJSONDefault); err != nil {
		return err
	}
	fmt.Println(order.JSON200.Number, order.JSON200.Status)
	return nil
}

// said is what went wrong with a request, if anything did.
func said(what string, err error, ok bool, problem *client.Problem) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case problem != nil:
		return fmt.Errorf("%s: %d %s: %s", what, problem.Status, problem.Code, problem.Detail)
	case !ok:
		return fmt.Errorf("%s: an answer that is not in the document", what)
	}
	return nil
}
