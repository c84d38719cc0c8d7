package paymentssvc_test

import (
	"path/filepath"
	"strings"
	"testing"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/migrations"
)

// options open the database of payments in dir, for tests that close it themselves.
func options(_ testing.TB, dir string, c *clock.Manual) store.Options {
	return store.Options{
		Module: "payments", Path: filepath.Join(dir, "payments.db"), Migrations: migrations.SQLite("payments"),
		Now: c.Now, RunTwice: true, NoSync: true,
	}
}

// pageOf is the name of the page that a payment's buyer is sent to.
func pageOf(p payments.Payment) string { return strings.TrimPrefix(p.ActionURL, sandbox.PagePrefix) }
