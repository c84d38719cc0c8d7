package orderssvc

import (
	"testing"

	"souk/internal/platform/audit/sweep/sweeptest"
	"souk/internal/platform/store/storetest"
)

// TestAnAuditReadsNoMoreThanItsPage keeps every check to the range of its page.
func TestAnAuditReadsNoMoreThanItsPage(t *testing.T) {
	t.Parallel()
	sweeptest.Bounded(t, storetest.Open(t, "orders", storetest.SQLite()), sections)
}
