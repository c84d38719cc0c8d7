package main

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/platform/store/pgtest"
	"souk/internal/platform/telemetry"
)

// ended stops a souk, which must end well.
func ended(t *testing.T, r *running) {
	t.Helper()
	r.stop()
	require.Equal(t, exitOK, <-r.status, r.stderr)
}

// Two processes on one PostgreSQL database are one marketplace: what is bought at one is seen at
// the other, and everything adds up.
func TestTwoProcessesOnOnePostgreSQL(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Out: &bytes.Buffer{}, Level: "error"})
	require.NoError(t, err)
	a, err := wire(t.Context(), t.TempDir(), tel, wireOptions{db: address})
	require.NoError(t, err)
	olive := operator(t, a, "olive@example.com")
	lamps := seller(t, a, olive, "Lamps", 1, 10)
	lamp := seen(lamps.listings[0])

	one := start(t, t.TempDir(), "--db", address, "--log-level", "error")
	two := start(t, t.TempDir(), "--db", address, "--log-level", "error")
	buyer := newGuest(t, one.url)
	c := buyer.buy(t, "sandbox_ok", lamp)
	require.Equal(t, "placed", c.Status, c.Message)
	assert.Equal(t, "placed", (&shopper{url: two.url}).order(t, c.Order, c.Link).Status)

	// A price that a third process changes is the price at once, whatever was read of it before.
	read := func(from *running) (l listingSeen) {
		(&shopper{url: from.url}).must(t, http.MethodGet, "/api/v1/catalog/listings/"+lamp.ID, "", nil, &l)
		return l
	}
	before, listing, v := read(two), lamps.listings[0], lamps.listings[0].Variants[0]
	_, err = a.ask.catalog.EditListing(t.Context(), catalog.EditListingRequest{
		By: lamps.owner.actor, Key: key(), Listing: listing.ID, Version: before.Version, Draft: catalog.Draft{
			ExternalID: listing.ExternalID, Title: listing.Title,
			Variants: []catalog.VariantDraft{{ID: v.ID, SKU: v.SKU, Price: money.Money{Minor: v.Price.Minor + 250, Currency: "EUR"}, Grams: v.Grams}},
		},
	})
	require.NoError(t, err)
	shelves := func(from *running) (all []string) {
		var reply struct {
			Categories []struct{ Path string } `json:"categories"`
		}
		(&shopper{url: from.url}).must(t, http.MethodGet, "/api/v1/catalog/categories", "", nil, &reply)
		for _, c := range reply.Categories {
			all = append(all, c.Path)
		}
		return all
	}
	require.NotContains(t, shelves(two), "garden")
	_, err = a.ask.catalog.PutCategory(t.Context(), catalog.PutCategoryRequest{By: olive.actor, Key: key(), Names: []string{"Garden"}})
	require.NoError(t, err)
	assert.Contains(t, shelves(two), "garden", "so is a category")
	require.NoError(t, a.close())
	assert.Equal(t, before.Variants[0].Price.Minor+250, read(two).Variants[0].Price.Minor)
	assert.Equal(t, before.Variants[0].Price.Minor+250, read(one).Variants[0].Price.Minor)

	other := newGuest(t, two.url)
	require.Equal(t, "placed", other.buy(t, "sandbox_ok", lamp).Status)
	got := souk(t, nil, "backup", filepath.Join(t.TempDir(), "new"), "--data", two.dir)
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.stderr, `use pg_dump --format=custom --file=FILE "$SOUK_DB"`)
	report := verifyAt(t, two.dir)
	assert.True(t, report.Sound(), broken(report))
	ended(t, one)
	ended(t, two)
}

func TestMigrationsOnPostgreSQLAreShown(t *testing.T) {
	t.Parallel()
	address, dir := pgtest.Database(t), t.TempDir()
	ended(t, start(t, dir, "--db", address, "--log-level", "error"))
	var out, complaints bytes.Buffer
	env := func(string) string { return "" }
	require.Zero(t, run(context.Background(), []string{"migrate", "status", "--data", dir, "--db", address}, env, strings.NewReader(""), &out, &complaints), complaints.String())
	assert.Regexp(t, `schema orders\s+orders\s+1\s+0001_orders.sql\s+done`, out.String())
	assert.Regexp(t, `search.db\s+search\s+1\s+0001_search.sql\s+done`, out.String())
	require.NotZero(t, run(context.Background(), []string{"verify", "--data", dir}, env, strings.NewReader(""), &out, &complaints))
	assert.Contains(t, complaints.String(), "are in a PostgreSQL database: give its address in SOUK_DB")
}
