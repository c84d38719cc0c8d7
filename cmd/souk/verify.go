package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/rehearsal"
)

type verifyIn struct {
	Patience time.Duration `json:"patience"`
}

// verifying is the deed behind `souk verify`. On a folder that nobody serves nothing moves, so
// one reading is enough.
func verifying() deed[verifyIn, rehearsal.Report] {
	return deed[verifyIn, rehearsal.Report]{name: "verify", about: of[verifyIn](pagesModule), do: func(ctx context.Context, a *app, in verifyIn, _ control.Say) (rehearsal.Report, error) {
		return a.verify(ctx, in.Patience)
	}}
}

// verify checks all invariants of this souk, at work or not.
func (a *app) verify(ctx context.Context, patience time.Duration) (rehearsal.Report, error) {
	ask := a.as("rehearsal")
	return rehearsal.Verify(ctx, rehearsal.Services{
		Accounts: ask.accounts, Catalog: ask.catalog, Search: ask.search, Cart: ask.cart, Payments: ask.payments, Orders: ask.orders,
	}, rehearsal.Options{Running: a.serving.Load(), Patience: patience})
}

var errUnsound = errors.New("an invariant is broken")

func verifyCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that nothing is lost, doubled or out of balance",
		Long: "Asks every module for its facts and compares them: stock with its journal and its reservations,\n" +
			"the ledger with itself, orders with payments, shares with their order, events with their cursors.\n" +
			"Works beside a running souk, where what looks broken counts only if it is still there after the\n" +
			"deadline of its checkout, and on a folder at rest. The exit status is 1 if anything is broken.",
		Example: "  souk verify --data ./data\n  souk verify --json | jq .invariants",
		Args:    cobra.NoArgs,
	}
	data := addData(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print the report as JSON")
	patience := cmd.Flags().Duration("patience", 2*time.Minute, "how long to wait for checkouts under way")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *patience < 0 {
			return config.Mistakef("--patience %s is less than no time", *patience)
		}
		report, err := verifying().ask(cmd.Context(), w, *data, verifyIn{Patience: *patience})
		if err != nil {
			return err
		}
		if *asJSON {
			err = writeJSON(w.stdout, report)
		} else {
			err = printReport(w.stdout, report)
		}
		if err == nil && !report.Sound() {
			err = errUnsound
		}
		return err
	}
	return cmd
}

// printReport writes what was compared, and of each broken invariant the first cases.
func printReport(w io.Writer, r rehearsal.Report) error {
	var b strings.Builder
	c := r.Counts
	fmt.Fprintf(&b, "compared %d orders, %d payments, %d reservations, %d claims, %d listings in the index, %d subscribers (%d %s)\n",
		c.Orders, c.Payments, c.Reservations, c.Claims, c.Listings, c.Subscribers, r.Readings, plural(r.Readings, "reading", "readings"))
	fmt.Fprintf(&b, "%d checkouts are under way, %d of them overdue, %d stopped as cases; %d refunds were refused; %d events are parked, %d jobs dead\n",
		c.Unfinished, c.Overdue, c.Cases, c.Refused, c.Parked, c.DeadJobs)
	for _, i := range r.Invariants {
		switch {
		case i.Broken > 0 && i.More:
			fmt.Fprintf(&b, "  BROKEN  %s: %s (%d and more)\n", i.Name, i.Says, i.Broken)
		case i.Broken > 0:
			fmt.Fprintf(&b, "  BROKEN  %s: %s (%d)\n", i.Name, i.Says, i.Broken)
		case i.Unsettled > 0: // may still be mended by a checkout under way
			fmt.Fprintf(&b, "  OPEN    %s: %s (%d)\n", i.Name, i.Says, i.Unsettled)
		default:
			fmt.Fprintf(&b, "  ok      %s: %s\n", i.Name, i.Says)
		}
		for _, p := range i.First {
			fmt.Fprintf(&b, "            %s: %s\n", strings.Join(p.Subjects, ", "), p.Detail)
		}
	}
	if r.Sound() {
		b.WriteString("everything adds up\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
