package orderssvc

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/orders"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// Document is docs/orders.md, for the tests of the module.
const Document = "../../../docs/orders.md"

// Table is the rows of a table of the document, by its column's names.
func Table(t *testing.T, name string) []map[string]string {
	t.Helper()
	text, err := os.ReadFile(Document)
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "<!-- "+name+" -->")
	require.True(t, found, "no table %s", name)
	body, _, found := strings.Cut(after, "<!-- /"+name+" -->")
	require.True(t, found, "table %s has no end", name)
	var head []string
	var rows []map[string]string
	for line := range strings.SplitSeq(strings.TrimSpace(body), "\n") {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case head == nil:
			head = cells
		case strings.HasPrefix(cells[0], "---"):
		default:
			require.Len(t, cells, len(head), line)
			row := map[string]string{}
			for i, name := range head {
				row[name] = cells[i]
			}
			rows = append(rows, row)
		}
	}
	require.NotEmpty(t, rows)
	return rows
}

func TestDocumentedOrder(t *testing.T) {
	t.Parallel()
	all := []orders.Status{orders.StatusPending, orders.StatusPlaced, orders.StatusCompleted, orders.StatusRejected}
	rows := Table(t, "order")
	for _, from := range all {
		for _, to := range all {
			documented := slices.ContainsFunc(rows, func(r map[string]string) bool {
				return r["state"] == string(from) && r["becomes"] == string(to)
			})
			o := orders.Order{Status: from}
			if err := moveTo(&o, to); documented {
				require.NoError(t, err, "%s to %s", from, to)
				assert.Equal(t, to, o.Status)
			} else {
				require.ErrorIs(t, err, orders.ErrStatus, "%s to %s", from, to)
				assert.Equal(t, from, o.Status)
			}
		}
	}
}

func TestDocumentedQuantities(t *testing.T) {
	t.Parallel()
	rows := Table(t, "quantities")
	amount := func(n int64) string {
		if n == 0 {
			return "none"
		}
		return "some"
	}
	// Every way in which two lines of up to three can stand.
	var each []orders.Line
	for quantity := int64(1); quantity <= 3; quantity++ {
		for shipped := int64(0); shipped <= quantity; shipped++ {
			for delivered := int64(0); delivered <= shipped; delivered++ {
				for cancelled := int64(0); shipped+cancelled <= quantity; cancelled++ {
					each = append(each, orders.Line{Quantity: quantity, Shipped: shipped, Delivered: delivered, Cancelled: cancelled})
				}
			}
		}
	}
	for _, a := range each {
		for _, b := range each {
			open, shipped, arrived := toShip(a)+toShip(b), a.Shipped+b.Shipped, a.Delivered+b.Delivered
			var fits []string
			for _, r := range rows {
				all := "not all"
				if arrived == shipped {
					all = "all"
				}
				if r["to ship"] == amount(open) && r["shipped"] == amount(shipped) && (r["delivered of that"] == "-" || r["delivered of that"] == all) {
					fits = append(fits, r["fulfilment"])
				}
			}
			require.Len(t, fits, 1, "%+v %+v", a, b)
			assert.Equal(t, fits[0], string(fulfilment([]orders.Line{a, b})), "%+v %+v", a, b)
		}
	}
}

// standingAt is a part of four pieces that stands there.
func standingAt(f orders.Fulfilment) *orders.SellerOrder {
	c := money.Currency("EUR")
	total := money.Money{Minor: 999, Currency: c}
	so := &orders.SellerOrder{Paid: true, Refunded: money.Zero(c), Lines: []orders.Line{{
		ID: "oln_1", Quantity: 4, Refunded: money.Zero(c),
	}}}
	so.Sums.Total, so.Lines[0].Sums.Total = total, total
	l := &so.Lines[0]
	parcel := func(id orders.ParcelID, n int64, arrived clock.Time) {
		so.Parcels = append(so.Parcels, orders.Parcel{ID: id, Items: []orders.ParcelItem{{Line: l.ID, Quantity: n}}, DeliveredAt: arrived})
		l.Shipped += n
		if arrived != 0 {
			l.Delivered += n
		}
	}
	switch f {
	case orders.FulfilmentPartlyShipped:
		parcel("pcl_1", 2, 0)
	case orders.FulfilmentShipped:
		parcel("pcl_1", 4, 0)
	case orders.FulfilmentDelivered:
		parcel("pcl_1", 4, 1)
	case orders.FulfilmentCancelled:
		l.Cancelled = 4
	default:
	}
	so.Fulfilment = f
	return so
}

// perform does an act of the table to a part.
func perform(so *orders.SellerOrder, act string) error {
	var some []orders.ParcelItem
	if strings.HasSuffix(act, "some") {
		some = []orders.ParcelItem{{Line: "oln_1", Quantity: 1}}
	}
	switch {
	case act == "deliver":
		changed, err := deliver(so, "pcl_1", 1)
		if err == nil && !changed {
			return orders.ErrStatus
		}
		return err
	case strings.HasPrefix(act, "ship"):
		items, err := pick(so, some)
		if err != nil {
			return err
		}
		return ship(so, orders.Parcel{ID: "pcl_2", Items: items})
	default:
		items, err := pick(so, some)
		if err != nil {
			return err
		}
		_, err = cancel(so, items)
		return err
	}
}

func TestDocumentedActs(t *testing.T) {
	t.Parallel()
	rows := Table(t, "acts")
	seen := 0
	for _, from := range fulfilments {
		for _, act := range []string{"ship some", "ship the rest", "cancel some", "cancel the rest", "deliver"} {
			so := standingAt(from)
			require.Equal(t, from, fulfilment(so.Lines))
			err := perform(so, act)
			i := slices.IndexFunc(rows, func(r map[string]string) bool { return r["state"] == string(from) && r["act"] == act })
			if i < 0 {
				require.Error(t, err, "%s: %s", from, act)
				continue
			}
			seen++
			require.NoError(t, err, "%s: %s", from, act)
			assert.Equal(t, rows[i]["becomes"], string(so.Fulfilment), "%s: %s", from, act)
			assert.Equal(t, so.Fulfilment, fulfilment(so.Lines))
		}
	}
	assert.Len(t, rows, seen, "a row that no act reaches")
	unpaid := standingAt(orders.FulfilmentOpen)
	unpaid.Paid = false
	require.ErrorIs(t, perform(unpaid, "ship some"), orders.ErrUnpaid)
	require.NoError(t, perform(unpaid, "cancel some"))
}
