package searchsvc

import (
	"testing"

	"souk/internal/platform/audit/sweep/sweeptest"
	"souk/internal/platform/store/storetest"
)

// TestAnAuditReadsNoMoreThanItsPage keeps every check to the range of its page.
func TestAnAuditReadsNoMoreThanItsPage(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "b"} {
		sweeptest.Bounded(t, storetest.Open(t, "search", storetest.SQLite()), newSet(name).sections())
	}
}
