package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
	"souk/internal/platform/store"
	"souk/internal/storefront"
)

func TestModulesSaysWhatIsWired(t *testing.T) {
	t.Parallel()
	wired := map[string][]string{}
	setup(t, t.TempDir(), func(a *app) {
		all, err := a.bus.List(t.Context())
		require.NoError(t, err)
		for _, s := range all {
			wired[s.Module] = append(wired[s.Module], string(s.Log))
		}
	})
	assert.Equal(t, hears, wired)

	var told []moduleInfo
	got := souk(t, nil, "modules", "--format", "json")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &told))
	for _, m := range told {
		if m.Contract != nil {
			assert.NotEmpty(t, m.Contract.Methods, m.Name)
			assert.NotEmpty(t, m.Tables, m.Name)
		}
	}
	assert.Contains(t, souk(t, nil, "modules", "cart").stdout, "may ask    catalog")
	assert.Contains(t, souk(t, nil, "modules", "--format", "mermaid").stdout, "search -->|asks| catalog")
	assert.Equal(t, exitMistake, souk(t, nil, "modules", "nothing").status)
}

// TestAJobIsDroppedForAReason holds that it is said why, that why is kept, and that what comes round by itself stays.
func TestAJobIsDroppedForAReason(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	setup(t, dir, func(a *app) {
		require.NoError(t, a.dbs["orders"].Write(t.Context(), func(tx *store.Tx) error {
			return tx.Enqueue("orders.checkout", "ord_gone", clock.Now().Add(time.Hour))
		}))
	})
	drop := func(args ...string) result {
		return souk(t, nil, append([]string{"jobs", "drop", "--data", dir}, args...)...)
	}
	got := drop("orders", "orders.checkout", "ord_gone")
	assert.Equal(t, exitMistake, got.status)
	assert.Equal(t, "souk: say why with --why: a job dropped is gone for ever\n", got.stderr)
	for _, name := range [][]string{
		{"catalog", "catalog.expire", ""},
		{"search", "search.forget", "daily"},
		{"search", "search.renew", "daily"},
		{"cart", "cart.tidy", "daily"},
		{"accounts", "accounts.clean", "accounts"},
	} {
		got = drop(append(name, "--why", "x")...)
		assert.Equal(t, exitFailed, got.status, "%v", name)
		assert.Equal(t, "souk: job "+name[1]+" "+name[2]+" comes round by itself and is not dropped; retry has it run now\n", got.stderr)
	}
	got = drop("orders", "orders.checkout", "ord_gone", "--why", "made by a test")
	assert.Equal(t, exitOK, got.status, got.stderr)
	assert.Equal(t, exitFailed, drop("orders", "orders.checkout", "ord_gone", "--why", "again").status)
	setup(t, dir, func(a *app) {
		trail, err := operations{a}.AuditTrail(t.Context(), storefront.AuditFilter{Module: "orders", Limit: 2})
		require.NoError(t, err)
		require.Len(t, trail.Rows, 1)
		assert.Equal(t, "made by a test", trail.Rows[0].Why)
	})
}

// TestCommandsBesideASoukAndOnAFolder tries every command that looks after a marketplace, once
// with a souk running on the folder and once without.
func TestCommandsBesideASoukAndOnAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	setup(t, dir, func(a *app) { seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 2, 5) })
	feed := filepath.Join(t.TempDir(), "lamps.csv")
	require.NoError(t, os.WriteFile(feed, []byte("id,title,price,availability,quantity\na,Third lamp,12.00 EUR,in_stock,4\nb,Fourth lamp,free,in_stock,1\n"), 0o600))
	try := func(t *testing.T) {
		out := t.TempDir()
		rules := filepath.Join(out, "rules.txt")
		require.NoError(t, os.WriteFile(rules, []byte("same: sofa, lamp\n"), 0o600))
		for _, c := range []struct {
			says string
			args []string
		}{
			{"search.catalog", []string{"events", "list"}},
			{"nothing is parked", []string{"events", "show", "search.catalog"}},
			{"applied 0", []string{"events", "retry", "search.catalog", "--all"}},
			{"goes on after position", []string{"events", "replay", "search.catalog", "0", "--why", "a test"}},
			{"0001_cart.sql", []string{"migrate", "status"}},
			{"1 rejected", []string{"import", feed, "--seller", "lamps", "--report", filepath.Join(out, "report.tsv")}},
			{"0 new, 0 changed, 1 as before", []string{"import", feed, "--seller", "lamps"}},
			{"listings indexed", []string{"search", "rebuild"}},
			{"nothing is changed yet", []string{"search", "rules", "preview", "same: sofa, lamp"}},
			{"of 2 texts that these rules name 2 were looked at", []string{"search", "rules", "preview", "--file", rules}},
			{"wrote 3 listings", []string{"export", filepath.Join(out, "goods.tsv.gz")}},
			{"is an operator now", []string{"admin", "create", "--email", filepath.Base(filepath.Dir(out)) + "@example.com"}},
			{"are paused", []string{"admin", "pause-payments", "--why", "a test"}},
			{"go on", []string{"admin", "resume-payments"}},
			{"6 databases", []string{"backup", filepath.Join(out, "backup")}},
			{"everything adds up", []string{"verify"}},
		} {
			got := souk(t, nil, append(c.args, "--data", dir)...)
			assert.Equal(t, exitOK, got.status, "%v: %s", c.args, got.stderr)
			assert.Contains(t, got.stdout, c.says, "%v", c.args)
		}
		report, err := os.ReadFile(filepath.Join(out, "report.tsv"))
		require.NoError(t, err)
		assert.Contains(t, string(report), "3\tprice\trejected")
		for _, args := range [][]string{
			{"jobs", "retry", "orders", "orders.checkout", "ord_none"},
			{"events", "skip", "search.catalog", "lst_none", "--why", "x"},
			{"backup", out},
			{"restore", filepath.Join(out, "backup")},
		} {
			got := souk(t, nil, append(args, "--data", dir)...)
			assert.NotEqual(t, exitOK, got.status, "%v: %s", args, got.stdout)
			assert.NotEmpty(t, got.stderr, "%v", args)
		}
	}
	t.Run("on a folder", try)
	setup(t, dir, func(a *app) {
		trail, err := operations{a}.AuditTrail(t.Context(), storefront.AuditFilter{Limit: 2})
		require.NoError(t, err)
		require.Len(t, trail.Rows, 2)
		require.NotEmpty(t, trail.Next)
		next, err := operations{a}.AuditTrail(t.Context(), storefront.AuditFilter{Limit: 2, Cursor: trail.Next})
		require.NoError(t, err)
		require.Len(t, next.Rows, 2)
		assert.LessOrEqual(t, next.Rows[0].At, trail.Rows[1].At)
		assert.NotEqual(t, trail.Rows, next.Rows)
	})
	start(t, dir, "--log-level", "error")
	t.Run("beside a souk", try)
}

// TestAFeedOfWhichNothingIsTakenIsAFailure: whoever imports every night by a script is told when nothing came in.
func TestAFeedOfWhichNothingIsTakenIsAFailure(t *testing.T) {
	t.Parallel()
	dir, feed := t.TempDir(), filepath.Join(t.TempDir(), "lamps.csv")
	setup(t, dir, func(a *app) { seller(t, a, operator(t, a, "olive@example.com"), "Lamps", 1, 5) })
	const (
		head  = "id,title,price,availability,quantity\n"
		bad   = "b,Fourth lamp,free,in_stock,1\nc,Fifth lamp,dear,in_stock,1\n" // the reader refuses both
		good  = "a,Third lamp,12.00 EUR,in_stock,4\n"
		other = "d,Sixth lamp,12.00 USD,in_stock,4\n" // the seller's prices are in another currency
	)
	for name, tt := range map[string]struct {
		rows   string
		status int
		says   string
		stderr string
	}{
		"no row is taken":   {rows: bad + other, status: exitFailed, says: "3 rejected", stderr: "souk: not one of the feed's 3 rows could be taken\n"},
		"one is not":        {rows: good + bad, status: exitOK, says: "2 rejected"},
		"there are no rows": {status: exitOK, says: "0 rejected"},
	} {
		require.NoError(t, os.WriteFile(feed, []byte(head+tt.rows), 0o600))
		for _, more := range []string{"--dry-run=true", "--dry-run=false"} {
			got := souk(t, nil, "import", feed, "--seller", "lamps", more, "--report", filepath.Join(t.TempDir(), "report.tsv"), "--data", dir)
			assert.Equal(t, tt.status, got.status, "%s, %s: %s", name, more, got.stderr)
			assert.Contains(t, got.stdout, tt.says, "%s, %s", name, more)
			if tt.stderr != "" {
				assert.Contains(t, got.stderr, tt.stderr, "%s, %s", name, more)
			}
		}
	}
}

func TestADamagedBackupIsNotRestored(t *testing.T) {
	t.Parallel()
	dir, into := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	setup(t, dir, func(*app) {})
	require.Equal(t, exitOK, souk(t, nil, "backup", into, "--data", dir).status)
	file := filepath.Join(into, "orders.db")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	text[len(text)/2] ^= 1
	require.NoError(t, os.WriteFile(file, text, 0o600))
	got := souk(t, nil, "restore", into, "--data", t.TempDir())
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.stderr, "is damaged")

	require.NoError(t, os.Remove(filepath.Join(into, manifestName)))
	got = souk(t, nil, "restore", into, "--data", t.TempDir())
	assert.Contains(t, got.stderr, "is no backup")
}
