package paymentssvc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// TestPagesAreReadInTheOrderOfAnIndex keeps the thousandth page of the ledger as cheap as the
// first, whoever asks.
func TestPagesAreReadInTheOrderOfAnIndex(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "payments", storetest.SQLite())
	after := &ledgerPlace{At: 1, ID: "txn_x"}
	for name, f := range map[string]ledgerFilter{
		"all": {limit: 20}, "all, later": {limit: 20, after: after},
		"an order": {limit: 20, order: "ord_x"}, "an order, later": {limit: 20, order: "ord_x", after: after},
		"a seller": {limit: 20, seller: "sel_x"}, "a seller, later": {limit: 20, seller: "sel_x", after: after},
	} {
		query, args := f.query()
		var plan []struct {
			ID, Parent, Notused int64
			Detail              string
		}
		require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error { return q.Select(&plan, `EXPLAIN QUERY PLAN `+query, args...) }), name)
		for _, step := range plan {
			assert.NotContains(t, step.Detail, "TEMP B-TREE", name)
			assert.False(t, strings.HasPrefix(step.Detail, "SCAN") && !strings.Contains(step.Detail, "USING"), "%s: %s", name, step.Detail)
		}
	}
}
