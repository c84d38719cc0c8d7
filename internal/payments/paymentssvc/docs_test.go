package paymentssvc

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"souk/internal/payments"
	"souk/internal/platform/money"
)

var update = flag.Bool("update", false, "write golden files and generated parts of documents anew")

// TestTheDocumentSaysWhatTheRulesDo holds docs/payments.md to the table of moves and to what
// is booked: the parts between its markers are made here.
func TestTheDocumentSaysWhatTheRulesDo(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "..", "docs", "payments.md")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	want := string(text)
	for name, part := range map[string]string{"states": statesTable(), "postings": postingsTable(t), "invariants": invariantsList()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		before, rest, ok := strings.Cut(want, begin)
		require.True(t, ok, "docs/payments.md has no %q", begin)
		_, after, ok := strings.Cut(rest, end)
		require.True(t, ok, "docs/payments.md has no %q", end)
		want = before + begin + part + end + after
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
		return
	}
	require.Equal(t, want, string(text), "docs/payments.md is stale: run the test with -update")
}

func statesTable() string {
	var b strings.Builder
	b.WriteString("\n| from | to | when |\n| --- | --- | --- |\n")
	for _, m := range moves {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.from, m.to, m.when)
	}
	return b.String() + "\n"
}

// postingsTable books an example of each kind by the rules themselves.
func postingsTable(t *testing.T) string {
	shares := []payments.Share{
		{Seller: "A", SellerOrder: "a", Amount: eur(1000)}, {Seller: "B", SellerOrder: "b", Amount: eur(2000)},
	}
	settle := payments.SettleRequest{Seller: "A", SellerOrder: "a", Earned: eur(1050), Fee: eur(120), Tax: eur(80), Platform: eur(250)}
	leaves, err := leavesEscrow(settle)
	require.NoError(t, err)
	from := []taking{{Seller: "B", SellerOrder: "b", Escrow: eur(500), Earned: eur(100)}}
	var b strings.Builder
	b.WriteString("\n| kind | when | postings |\n| --- | --- | --- |\n")
	for _, row := range []struct {
		kind  payments.TransactionKind
		when  string
		lines []line
	}{
		{payments.BookCapture, "the provider has captured 30.00: 10.00 for seller A, 20.00 for B", captureLines(eur(3000), shares)},
		{payments.BookSettle, "A has fulfilled; the marketplace adds 2.50 for a discount that it funds", settleLines(settle, leaves)},
		{payments.BookRefund, "6.00 of B's share are to go back, of which escrow has 5.00", refundLines(eur(600), from)},
		{payments.BookRefund, "the provider has given them back", refundedLines(eur(600))},
		{payments.BookRefund, "or it refuses for good", unrefundLines(eur(600), from)},
		{payments.BookAdjustment, "refused, they went back another way", elsewhereLines(eur(600), from)},
		{payments.BookReturn, "30.00 were taken of a payment that was given up", arrivedLines(eur(3000))},
		{payments.BookReturn, "the provider has given them back", refundedLines(eur(3000))},
	} {
		e, err := newEntry("txn_x", row.kind, at(payments.StatusCaptured), noon, row.lines)
		require.NoError(t, err)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", row.kind, row.when, describe(e.lines))
	}
	return b.String() + "\n"
}

func describe(lines []line) string {
	var out []string
	for _, l := range lines {
		name := string(l.Account.Of)
		if l.Account.Seller != "" {
			name += " of " + string(l.Account.Seller)
		}
		out = append(out, name+" "+signed(l.Amount))
	}
	return strings.Join(out, ", ")
}

func signed(m money.Money) string {
	if m.Minor > 0 {
		return "+" + m.Decimal()
	}
	return "−" + m.Neg().Decimal()
}

func invariantsList() string {
	var names []string
	for _, s := range sections {
		for _, c := range s.Checks {
			names = append(names, "`"+c.Invariant+"`")
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return "\n" + strings.Join(names, ", ") + "\n\n"
}
